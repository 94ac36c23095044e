"""The names of buttons, each written once, with how its arguments are made and read. A button carries no authority."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from commands.errors import CommandError
from commands.ids import ClientId, ConnectionId, DrillId, LapseId, PassId, PersonId, SubscriptionId, from_wire, to_wire
from commands.messages import ActionRef, Code, Message, text
from commands.secret import hashed
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
SNOOZE = "snooze"
SNOOZE_CHOICE = "snooze-choice"
NOT_MINE = "not-mine"
RETIRE = "retire"
RETIRE_CONFIRMED = "retire-yes"
ACCEPT_MOVE = "accept-move"
ACCEPT_MOVE_CONFIRMED = "accept-move-yes"
ASK = "ask"
NOTE = "note"
HISTORY = "history"
HISTORY_PAGE = "history-page"
WHO_CAN = "who-can"
ASSIGN = "assign"
COPY_LINK = "copy-link"
DRILL_ANSWER = "drill-answer"
SUBSCRIBE_FORM = "subscribe-form"
RHYTHM_FORM = "rhythm-form"
RECONNECT_LIST = "reconnect-list"
SEND_LINK = "send-link"
WITHDRAW_LINK = "withdraw-link"
CALENDAR = "calendar"
ADD_OWNER = "add-owner"
ROLE = "role"
END_CHANNEL = "end-channel"
ADMIN_LIST = "admin-list"
ADMIN_LIST_ARGUMENTS = 3

SNOOZE_DAYS = (1, 3, 7)


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


def snooze_action(lapse_id: LapseId, days: int) -> ActionRef:
    """Holds the presser's own reminders of this lapse's login for so many days, one of SNOOZE_DAYS (N-11)."""
    return ActionRef(SNOOZE, (to_wire(lapse_id), str(days)))


def snooze_choice_action(lapse_id: LapseId) -> ActionRef:
    """Answers privately with what a snooze holds, and asks for how long; holds nothing by itself."""
    return ActionRef(SNOOZE_CHOICE, (to_wire(lapse_id),))


def not_mine_action(lapse_id: LapseId) -> ActionRef:
    """Ends what the presser hears of this lapse's login; administrators hear of it if it was theirs to mend."""
    return ActionRef(NOT_MINE, (to_wire(lapse_id),))


def retire_action(connection_id: ConnectionId) -> ActionRef:
    """Asks whether the connection is not in use any more; only `retire_confirmed_action` acts."""
    return ActionRef(RETIRE, (to_wire(connection_id),))


def retire_confirmed_action(connection_id: ConnectionId) -> ActionRef:
    """Retires the connection, or, for those who may not, proposes it to administrators."""
    return ActionRef(RETIRE_CONFIRMED, (to_wire(connection_id),))


def accept_move_action(connection_id: ConnectionId) -> ActionRef:
    """Asks whether a move to another business was meant; only `accept_move_confirmed_action` acts."""
    return ActionRef(ACCEPT_MOVE, (to_wire(connection_id),))


def accept_move_confirmed_action(connection_id: ConnectionId, business_id: str) -> ActionRef:
    """Expects the account under the business that it moved to, as whoever presses was shown it (R-7)."""
    return ActionRef(ACCEPT_MOVE_CONFIRMED, (to_wire(connection_id), fingerprint(business_id)))


def fingerprint(drawn: str) -> str:
    """Sixteen characters that stand for what a message or form showed, whatever its length: a press that comes after it
    changed is told apart.
    """
    return hashed(drawn).hex()[:16]


def ask_action(lapse_id: LapseId, person_id: PersonId) -> ActionRef:
    """Passes a lapse on to somebody who is connected through the account's new business (X-2)."""
    return ActionRef(ASK, (to_wire(lapse_id), to_wire(person_id)))


def note_action(lapse_id: LapseId) -> ActionRef:
    """Opens a form for a note about the lapse."""
    return ActionRef(NOTE, (to_wire(lapse_id),))


def history_action(connection_id: ConnectionId) -> ActionRef:
    """Answers privately with past lapses, causes, notes and how long each took (C-4)."""
    return ActionRef(HISTORY, (to_wire(connection_id),))


def history_page_action(connection_id: ConnectionId, offset: int) -> ActionRef:
    """Shows earlier or later lapses of the same connection in place of the message."""
    return ActionRef(HISTORY_PAGE, (to_wire(connection_id), str(offset)))


def who_can_action(connection_id: ConnectionId) -> ActionRef:
    """Answers privately with who may reconnect it, and what that takes (P-7)."""
    return ActionRef(WHO_CAN, (to_wire(connection_id),))


def assign_action(lapse_id: LapseId) -> ActionRef:
    """Opens an administrator's form for giving the lapse to somebody."""
    return ActionRef(ASSIGN, (to_wire(lapse_id),))


def copy_link_action(person_id: PersonId) -> ActionRef:
    """Answers an administrator privately with a personalised link of this person (N-7)."""
    return ActionRef(COPY_LINK, (to_wire(person_id),))


def send_link_action(person_id: PersonId) -> ActionRef:
    """An administrator sends this person the link to their accounts (C-8)."""
    return ActionRef(SEND_LINK, (to_wire(person_id),))


def withdraw_link_action(pass_id: PassId) -> ActionRef:
    """An administrator ends a personal link that was sent or copied (X-10)."""
    return ActionRef(WITHDRAW_LINK, (to_wire(pass_id),))


def calendar_action() -> ActionRef:
    """Answers privately with the address of the presser's own calendar of reconnect days (X-7)."""
    return ActionRef(CALENDAR)


def role_action(person_id: PersonId, drawn: str = "") -> ActionRef:
    """Opens an administrator's form for what this person may do here. `drawn`: of the form itself, what it showed."""
    return ActionRef(ROLE, (to_wire(person_id), drawn))


def end_channel_action(subscription_id: SubscriptionId) -> ActionRef:
    """An administrator ends one of the things that a channel hears of."""
    return ActionRef(END_CHANNEL, (to_wire(subscription_id),))


def admin_list_action(which: str, position: int, words: str = "") -> ActionRef | None:
    """Show another part of one of the administrators' lists in place of the message. None: the words are too long for
    a button to carry.
    """
    action = ActionRef(ADMIN_LIST, (which, str(position), _carried(words)))
    try:
        action.encode()
    except ValueError:
        return None
    return action


def admin_list_of(arguments: tuple[str, ...]) -> tuple[str, int, str]:
    """Read what `admin_list_action` wrote: the list, the position in it, the words. Raises OutOfDate."""
    which, position, words = arguments
    return which, _position(position), _search(words) or ""


def history_page_of(arguments: tuple[str, ...]) -> tuple[ConnectionId, int]:
    """Read what `history_page_action` wrote. Raises OutOfDate."""
    connection, offset = arguments
    return ConnectionId(_id(connection)), _position(offset)


def _position(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 18):
        raise OutOfDate
    return int(written)


def subscription_id_of(arguments: tuple[str, ...]) -> SubscriptionId:
    """Read the one argument of `end_channel_action`. Raises OutOfDate."""
    return SubscriptionId(_id(arguments[0]))


def drill_answer_action(drill_id: DrillId) -> ActionRef:
    """Says that the presser got a fire drill's message (X-12)."""
    return ActionRef(DRILL_ANSWER, (to_wire(drill_id),))


def connection_of(arguments: tuple[str, ...]) -> ConnectionId:
    """Read the one argument of a connection's button. Raises OutOfDate."""
    return ConnectionId(_id(arguments[0]))


def lapse_of(arguments: tuple[str, ...]) -> LapseId:
    """Read the one argument of a lapse's button. Raises OutOfDate."""
    return LapseId(_id(arguments[0]))


def person_of(arguments: tuple[str, ...]) -> PersonId:
    """Read the one argument of a person's button. Raises OutOfDate."""
    return PersonId(_id(arguments[0]))


def pass_of(arguments: tuple[str, ...]) -> PassId:
    """Read the one argument of `withdraw_link_action`. Raises OutOfDate."""
    return PassId(_id(arguments[0]))


def drill_of(arguments: tuple[str, ...]) -> DrillId:
    """Read the one argument of a drill's button. Raises OutOfDate."""
    return DrillId(_id(arguments[0]))


def snooze_of(arguments: tuple[str, ...]) -> tuple[LapseId, int]:
    """Read what `snooze_action` wrote. Raises OutOfDate."""
    lapse, days = arguments
    if days not in map(str, SNOOZE_DAYS):
        raise OutOfDate
    return LapseId(_id(lapse)), int(days)


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
LIST_ARGUMENTS = 7


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
    new_since: datetime | None = None
    """Lapses that opened later are marked as new (N-7), to the second; None: none are."""


def list_action(view: ListView) -> ActionRef | None:
    """Show this part of a list in place of the message. None: the search is too long for a button to carry."""
    return _listing_action(LIST, view)


def reconnect_list_action(view: ListView) -> ActionRef | None:
    """Show this part of the logins that the presser may renew, in place of the message (C-6)."""
    return _listing_action(RECONNECT_LIST, view)


def subscribe_form_action() -> ActionRef:
    """Opens the form that opts the presser in (C-5)."""
    return ActionRef(SUBSCRIBE_FORM)


def rhythm_form_action() -> ActionRef:
    """Opens the form for how often the presser hears (N-16)."""
    return ActionRef(RHYTHM_FORM)


def _listing_action(name: str, view: ListView) -> ActionRef | None:
    person = _MINE if view.mine else to_wire(view.person_id) if view.person_id else ""
    search = _carried(view.search or "")
    client = to_wire(view.client_id) if view.client_id else ""
    since = f"{int(view.new_since.timestamp()):x}" if view.new_since is not None else ""
    state = _STATE_LETTERS[view.state]
    action = ActionRef(name, (str(view.offset), view.network or "", client, person, state, search, since))
    try:
        action.encode()
    except ValueError:
        return None
    return action


def list_of(arguments: tuple[str, ...]) -> ListView:
    """Read what `list_action` or `reconnect_list_action` wrote. Raises OutOfDate."""
    offset, network, client, person, state, search, since = arguments
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
        new_since=_time(since),
    )


def _id(wire: str) -> UUID:
    try:
        return from_wire(wire)
    except ValueError as error:
        raise OutOfDate from error


def _carried(words: str) -> str:
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def _time(seconds: str) -> datetime | None:
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds, 16), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise OutOfDate from error


def _search(encoded: str) -> str | None:
    try:
        found = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise OutOfDate from error
    return clean(found) or None
