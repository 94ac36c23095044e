"""The buttons under a notice of accounts that do not work: at most two primary ones, the rest in the menu (N-17)."""

from collections.abc import Sequence

from bot.notices.letter import PERSONAL, Account, Letter
from bot.notices.phrases import ROWS
from commands.access import is_administrator
from commands.actions import (
    SNOOZE_DAYS,
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
    snooze_action,
)
from commands.messages import AnyButton, Button, Buttons
from commands.model import Person
from commands.ports.notices import NoticeKind, Part
from commands.wording import named, number_of

_STAND_INS = frozenset({Part.SUBSCRIBER, Part.ADMINISTRATOR})
"""Parts that are asked to act in somebody's place. Those who are to take over are asked like the connector."""
_NUDGING = frozenset({Part.SUBSCRIBER, Part.CHANNEL, Part.ADMINISTRATOR})
"""Parts for which passing the notice on is what helps most."""


def buttons(letter: Letter) -> list[Buttons]:
    """What this reader can press. Where several logins are wanted, Reconnect stands on each row instead."""
    offered = letter.reconnectable() if letter.login_count == 1 else []
    primary: list[AnyButton] = []
    menu: list[Button] = []
    if offered:
        primary.append(letter.reconnect_button(offered[0], _label(letter)))
    for nudge in _nudge_buttons(letter):
        (primary if letter.part is Part.SUBSCRIBER else menu).append(nudge)
    for claim in _claim_buttons(letter):
        aside = letter.part is Part.SUBSCRIBER or (letter.part is Part.CHANNEL and letter.claims())
        (menu if aside else primary).append(claim)
    menu = [
        *whole_list_button(letter.open),
        *_hold_buttons(letter),
        *menu,
        *_looking_buttons(letter),
        *_administrators_buttons(letter),
    ]
    if len(letter.entries) == 1 and not offered:
        primary.append(Button("Check again", check_action(letter.entries[0].view.connection.id)))
    return arranged(primary, menu)


def arranged(primary: Sequence[AnyButton], menu: Sequence[Button]) -> list[Buttons]:
    """One set of buttons: what is beyond two goes to the menu's top; nothing at all if there are none."""
    over = tuple(button for button in primary[2:] if isinstance(button, Button))
    return [Buttons(tuple(primary[:2]), (*over, *menu))] if primary or menu else []


def whole_list_button(accounts: Sequence[Account], *, shown: int = ROWS) -> list[Button]:
    """The way to the whole list, where a message shows just a part of it (X-8)."""
    if len(accounts) <= shown:
        return []
    slugs = {one.spec.slug for one in accounts}
    view = ListView(state=StateFilter.LAPSED, network=slugs.pop() if len(slugs) == 1 else None)
    return list_button(f"All {number_of(len(accounts), 'account')}", view)


def list_button(label: str, view: ListView) -> list[Button]:
    """A list of ours, opened beside the message."""
    action = list_action(view)
    return [Button(label, action)] if action is not None else []


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
        Button(f"Copy personalised link of {name}", copy_link_action(person.id)),
    ]


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


def _hold_buttons(letter: Letter) -> list[Button]:
    """Snooze and "not mine", which are the presser's own, so never in a channel (N-11)."""
    if letter.part is Part.CHANNEL or letter.login_count > 1 or held_for_good(letter):
        return []
    lapse_id = letter.open[0].lapse.id
    reminded = letter.part in PERSONAL or letter.notice.kind in (NoticeKind.REMINDER, NoticeKind.DIGEST)
    snooze = [Button(f"Snooze {number_of(days, 'day')}", snooze_action(lapse_id, days)) for days in SNOOZE_DAYS]
    return [*(snooze if reminded else []), Button("Not mine", not_mine_action(lapse_id))]


def held_for_good(letter: Letter) -> bool:
    """Whether the reader said of all that is open that it is not theirs."""
    mutes = [letter.mutes.get(entry.lapse.id) for entry in letter.open]
    return bool(mutes) and all(mute is not None and mute.until is None for mute in mutes)


def _looking_buttons(letter: Letter) -> list[Button]:
    """What can be looked up, written down and taken out of use."""
    entry = letter.open[0]
    note = [Button("Add a note", note_action(entry.lapse.id))] if letter.login_count == 1 else []
    if len(letter.entries) > 1:
        return note
    retire = Button("Not in use any more", retire_action(entry.view.connection.id))
    offered = bool(letter.reconnectable())
    check = [Button("Check again", check_action(entry.view.connection.id))] if offered else []
    return [retire, *note, *details_buttons(entry), *check]


def _administrators_buttons(letter: Letter) -> list[Button]:
    """Give it to somebody, and help the one who has to mend it."""
    if letter.login_count > 1 or letter.part in (Part.CHANNEL, *PERSONAL) or not is_administrator(letter.reader):
        return []
    view = letter.open[0].view
    assign = Button("Assign to somebody", assign_action(letter.open[0].lapse.id))
    people = [*letter.whom, *(one for one in (view.owner, view.connector) if one is not None)]
    whom = next((one for one in people if not letter.is_gone(one)), None)
    return [assign, *people_buttons(letter, whom)]
