"""The buttons under a notice of accounts that do not work: at most two primary ones, the rest in the menu (N-17)."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from bot.notices.letter import Account, Letter
from bot.notices.phrases import ROWS
from commands.access import is_administrator
from commands.actions import (
    ListView,
    StateFilter,
    assign_action,
    check_action,
    claim_action,
    copy_link_action,
    details_action,
    history_action,
    list_action,
    not_mine_action,
    note_action,
    nudge_action,
    release_action,
    retire_action,
    snooze_choice_action,
)
from commands.ids import ConnectionId
from commands.messages import AnyButton, Button, Buttons
from commands.model import Person
from commands.ports.notices import NoticeKind, Part
from commands.wording import named, number_of

MENU = 5
"""Entries of the menu: Slack draws no more in one."""
_STAND_INS = frozenset({Part.SUBSCRIBER, Part.ADMINISTRATOR})
"""Parts that are asked to act in somebody's place. Those who are to take over are asked like the connector."""
_NUDGING = frozenset({Part.SUBSCRIBER, Part.CHANNEL, Part.ADMINISTRATOR})
"""Parts for which passing the notice on is what helps most."""


def buttons(letter: Letter) -> list[Buttons]:
    """What this reader can press. Where several logins are wanted, Reconnect stands on each row instead. What the menu
    has no room for is reached by Details and Snooze, whose answers are private.
    """
    offered = letter.reconnectable() if letter.login_count == 1 else []
    primary: list[AnyButton] = []
    if offered:
        primary.append(letter.reconnect_button(offered[0], _label(letter)))
    if letter.part is Part.SUBSCRIBER:
        primary += _nudge_buttons(letter)
    elif letter.part is not Part.CHANNEL or not letter.claims():
        primary += _claim_buttons(letter)
    if not offered:
        primary += _check_buttons(letter)
    return arranged(primary, [button for way in _MENUS[letter.part] for button in way(letter)])


def arranged(primary: Sequence[AnyButton], menu: Sequence[Button]) -> list[Buttons]:
    """One set of buttons: what is beyond two goes to the menu's top, and the menu ends after five; nothing at all if
    there are none.
    """
    over = [button for button in primary[2:] if isinstance(button, Button)]
    listed = [*over, *(button for button in menu if button not in primary)][:MENU]
    return [Buttons(tuple(primary[:2]), tuple(listed))] if primary or listed else []


def list_button(label: str, view: ListView) -> list[Button]:
    """A list of ours, opened beside the message."""
    action = list_action(view)
    return [Button(label, action)] if action is not None else []


def further_buttons(letter: Letter) -> list[Button]:
    """The menu of a notice whose own buttons say what to do: what every reader can do besides."""
    ways = (_list_buttons, _snooze_buttons, _note_buttons, _details_buttons)
    return [button for way in ways for button in way(letter)]


def details_buttons(account: Account) -> list[Button]:
    """What there is to know about one account."""
    connection_id = account.view.connection.id
    return [Button("Details", details_action(connection_id)), Button("History", history_action(connection_id))]


def people_buttons(letter: Letter, person: Person | None) -> list[Button]:
    """For administrators: a person's list, and the personalised link that they could be sent another way (N-7)."""
    if person is None or letter.part is Part.CHANNEL or not is_administrator(letter.reader):
        return []
    name = named(person.name)
    return [
        *list_button(f"List of {name}", ListView(person_id=person.id)),
        _copy_link_button(person),
    ]


def _copy_link_button(person: Person) -> Button:
    return Button(f"Copy personalised link of {named(person.name)}", copy_link_action(person.id))


def _label(letter: Letter) -> str:
    """Administrators and those who opted in are asked as stand-ins."""
    if letter.notice.kind is NoticeKind.ASSIGNED:
        return "Reconnect"
    if letter.part is Part.STAND_IN:
        return "Take over"
    return "I can do it" if letter.part in _STAND_INS else "Reconnect"


def _nudge_buttons(letter: Letter) -> list[Button]:
    """Pass the notice on to whoever connected it, or else to whoever owns it (N-2)."""
    if letter.login_count > 1:
        return []
    people = (one for one in (letter.open[0].view.connector, letter.open[0].view.owner) if one is not None)
    whom = next((one for one in people if not letter.is_gone(one) and not letter.is_reader(one.id)), None)
    if whom is None or (letter.notice.kind is NoticeKind.UNDELIVERED and whom in letter.whom):
        return []
    label = "Nudge" if letter.part in _NUDGING else "Pass on to"
    return [Button(f"{label} {named(whom.name)}", nudge_action(letter.open[0].lapse.id))]


def _claim_buttons(letter: Letter) -> list[Button]:
    """Give "I'm on it", or the way to give it back; neither for several logins, since a press claims one."""
    if letter.login_count > 1:
        return []
    lapse_id, claims = letter.open[0].lapse.id, letter.claims()
    if not claims:
        return [Button("I'm on it", claim_action(lapse_id))]
    if letter.part is Part.CHANNEL or any(letter.is_reader(claim.person_id) for claim, _ in claims):
        return [Button("Give it back", release_action(lapse_id))]
    return []


def _snooze_buttons(letter: Letter) -> list[Button]:
    """The way to hold what the reader hears, which is their own (N-11)."""
    if letter.login_count > 1 or held_for_good(letter):
        return []
    return [Button("Snooze", snooze_choice_action(letter.open[0].lapse.id))]


def _not_mine_buttons(letter: Letter) -> list[Button]:
    """End what the reader hears, which is their own as well."""
    if letter.login_count > 1 or held_for_good(letter):
        return []
    return [Button("Not mine", not_mine_action(letter.open[0].lapse.id))]


def held_for_good(letter: Letter) -> bool:
    """Whether the reader said of all that is open that it is not theirs."""
    mutes = [letter.mutes.get(entry.lapse.id) for entry in letter.open]
    return bool(mutes) and all(mute is not None and mute.until is None for mute in mutes)


def _list_buttons(letter: Letter) -> list[Button]:
    """The way to the whole list, where the message shows just a part of it (X-8)."""
    if len(letter.open) <= ROWS:
        return []
    slugs = {one.spec.slug for one in letter.open}
    view = ListView(state=StateFilter.LAPSED, network=slugs.pop() if len(slugs) == 1 else None)
    return list_button(f"All {number_of(len(letter.open), 'account')}", view)


def _note_buttons(letter: Letter) -> list[Button]:
    return [Button("Add a note", note_action(letter.open[0].lapse.id))] if letter.login_count == 1 else []


def _retire_buttons(letter: Letter) -> list[Button]:
    return [Button("Not in use any more", retire_action(one)) for one in _single(letter)]


def _details_buttons(letter: Letter) -> list[Button]:
    return [Button("Details", details_action(one)) for one in _single(letter)]


def _check_buttons(letter: Letter) -> list[Button]:
    return [Button("Check again", check_action(one)) for one in _single(letter)]


def _single(letter: Letter) -> list[ConnectionId]:
    """The connection of a notice of just one; the rows of others have their own Details."""
    return [letter.open[0].view.connection.id] if len(letter.entries) == 1 else []


def _assign_buttons(letter: Letter) -> list[Button]:
    """Give it to somebody, which administrators can."""
    if letter.login_count > 1 or not is_administrator(letter.reader):
        return []
    return [Button("Assign to somebody", assign_action(letter.open[0].lapse.id))]


def _copy_link_buttons(letter: Letter) -> list[Button]:
    """Help the one who has to mend it, which administrators can (N-7)."""
    if letter.login_count > 1 or not is_administrator(letter.reader):
        return []
    view = letter.open[0].view
    people = [*letter.whom, *reversed(view.answering)]
    return [_copy_link_button(one) for one in people if not letter.is_gone(one)][:1]


_Way = Callable[[Letter], list[Button]]
_CONCERNED: tuple[_Way, ...] = (
    _list_buttons,
    _snooze_buttons,
    _nudge_buttons,
    _retire_buttons,
    _note_buttons,
    _details_buttons,
    _not_mine_buttons,
    _check_buttons,
)
_MENUS: Mapping[Part, tuple[_Way, ...]] = MappingProxyType(
    {
        Part.CONNECTOR: _CONCERNED,
        Part.OWNER: _CONCERNED,
        Part.ADMINISTRATOR: (
            _list_buttons,
            _nudge_buttons,
            _assign_buttons,
            _copy_link_buttons,
            _snooze_buttons,
            _details_buttons,
            _note_buttons,
            _retire_buttons,
            _check_buttons,
        ),
        Part.STAND_IN: (
            _list_buttons,
            _nudge_buttons,
            _assign_buttons,
            _snooze_buttons,
            _note_buttons,
            _details_buttons,
            _not_mine_buttons,
            _retire_buttons,
            _check_buttons,
        ),
        Part.SUBSCRIBER: (
            _list_buttons,
            _claim_buttons,
            _assign_buttons,
            _note_buttons,
            _details_buttons,
            _not_mine_buttons,
            _retire_buttons,
            _check_buttons,
        ),
        # Everybody reads it, so nothing in it is one reader's own.
        Part.CHANNEL: (
            _list_buttons,
            _claim_buttons,
            _nudge_buttons,
            _note_buttons,
            _details_buttons,
            _retire_buttons,
            _check_buttons,
        ),
    }
)
"""What matters most to each part. The menu takes the first five that there are; Details is never beyond them."""
