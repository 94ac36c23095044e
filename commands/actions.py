"""The names of buttons, each written once, with how its arguments are made and read. A button carries no authority."""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from commands.errors import CommandError
from commands.ids import ClientId, ConnectionId, LapseId, PersonId, from_wire, to_wire
from commands.messages import ActionRef, Code, Message, text
from commands.wording import clean

RECONNECT = "reconnect"
CLAIM = "claim"
RELEASE = "release"
DETAILS = "details"
CHECK = "check"
NUDGE = "nudge"
LIST = "list"
SUBSCRIBE = "subscribe"
FEEDBACK = "feedback"


class OutOfDate(CommandError):
    """A button that we did not draw, or drew in an older version."""

    def __init__(self) -> None:
        super().__init__(
            Message((text("This button is out of date. Type ", Code("/lapsed"), " for the list as it is now."),))
        )


def reconnect_action(connection_id: ConnectionId) -> ActionRef:
    """Answers privately with the presser's own Reconnect link, or with why they may not."""
    return ActionRef(RECONNECT, (to_wire(connection_id),))


def claim_action(lapse_id: LapseId) -> ActionRef:
    """Claim ("I'm on it") all open lapses of this lapse's authorization that the presser may see."""
    return ActionRef(CLAIM, (to_wire(lapse_id),))


def release_action(lapse_id: LapseId) -> ActionRef:
    """Give a claim back."""
    return ActionRef(RELEASE, (to_wire(lapse_id),))


def details_action(connection_id: ConnectionId) -> ActionRef:
    """Answers privately with who, why, and the history (C-3)."""
    return ActionRef(DETAILS, (to_wire(connection_id),))


def check_action(connection_id: ConnectionId) -> ActionRef:
    """Has the connection checked now (D-8)."""
    return ActionRef(CHECK, (to_wire(connection_id),))


def nudge_action(lapse_id: LapseId) -> ActionRef:
    """Passes the notice on to the person who connected the account, or else to who owns it (N-2)."""
    return ActionRef(NUDGE, (to_wire(lapse_id),))


def subscribe_action(network: str | None, client_id: ClientId | None) -> ActionRef:
    """Opts the presser in; None means all."""
    return ActionRef(SUBSCRIBE, (network or "", to_wire(client_id) if client_id else ""))


def feedback_action(topic: str, *, helped: bool) -> ActionRef:
    """Says whether a help text helped."""
    return ActionRef(FEEDBACK, (topic, "yes" if helped else "no"))


def connection_of(arguments: tuple[str, ...]) -> ConnectionId:
    """Read the one argument of a connection's button. Raises OutOfDate."""
    return ConnectionId(_id(arguments[0]))


def lapse_of(arguments: tuple[str, ...]) -> LapseId:
    """Read the one argument of a lapse's button. Raises OutOfDate."""
    return LapseId(_id(arguments[0]))


def subscription_of(arguments: tuple[str, ...]) -> tuple[str | None, ClientId | None]:
    """Read what `subscribe_action` wrote. Raises OutOfDate."""
    network, client = arguments
    return network or None, ClientId(_id(client)) if client else None


class StateFilter(StrEnum):
    """Which connections a list shows, as people type it."""

    NEEDS_CONNECTING = "needs-connecting"
    LAPSED = "lapsed"
    EXPIRING = "expiring"
    ACTIVE = "active"
    UNCONNECTED = "unconnected"
    RETIRED = "retired"
    ALL = "all"


_STATE_LETTERS = {
    StateFilter.NEEDS_CONNECTING: "n",
    StateFilter.LAPSED: "l",
    StateFilter.EXPIRING: "e",
    StateFilter.ACTIVE: "a",
    StateFilter.UNCONNECTED: "u",
    StateFilter.RETIRED: "r",
    StateFilter.ALL: "x",
}
_STATES_BY_LETTER = {letter: state for state, letter in _STATE_LETTERS.items()}
_MINE = "me"
LIST_ARGUMENTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """What a list shows: its filters, and where in it the page begins. Made of ids, so that it fits a button."""

    state: StateFilter = StateFilter.NEEDS_CONNECTING
    network: str | None = None
    client_id: ClientId | None = None
    mine: bool = False
    """Whoever asks; a button pressed by somebody else shows theirs."""
    person_id: PersonId | None = None
    search: str | None = None
    offset: int = 0


def list_action(view: ListView) -> ActionRef | None:
    """Show this part of a list in place of the message. None: the search is too long for a button to carry."""
    person = _MINE if view.mine else to_wire(view.person_id) if view.person_id else ""
    search = base64.urlsafe_b64encode((view.search or "").encode()).decode().rstrip("=")
    client = to_wire(view.client_id) if view.client_id else ""
    action = ActionRef(LIST, (str(view.offset), view.network or "", client, person, _STATE_LETTERS[view.state], search))
    try:
        action.encode()
    except ValueError:
        return None
    return action


def list_of(arguments: tuple[str, ...]) -> ListView:
    """Read what `list_action` wrote. Raises OutOfDate."""
    offset, network, client, person, state, search = arguments
    if not (offset.isascii() and offset.isdigit() and len(offset) <= 9) or state not in _STATES_BY_LETTER:
        raise OutOfDate
    mine = person == _MINE
    return ListView(
        state=_STATES_BY_LETTER[state],
        network=network or None,
        client_id=ClientId(_id(client)) if client else None,
        mine=mine,
        person_id=PersonId(_id(person)) if person and not mine else None,
        search=_search(search),
        offset=int(offset),
    )


def _id(wire: str) -> UUID:
    try:
        return from_wire(wire)
    except ValueError as error:
        raise OutOfDate from error


def _search(encoded: str) -> str | None:
    try:
        found = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise OutOfDate from error
    return clean(found) or None
