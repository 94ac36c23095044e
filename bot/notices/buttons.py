"""The buttons under a notice of accounts that do not work: at most two primary ones, the rest in the menu (N-17)."""

from bot.notices.letter import Letter
from commands.actions import check_action, claim_action, details_action, release_action
from commands.messages import AnyButton, Button, Buttons
from commands.ports.notices import Part


def buttons(letter: Letter) -> list[Buttons]:
    """What this reader can press. Where several logins are wanted, Reconnect stands on each row instead."""
    offered = letter.reconnectable() if letter.logins == 1 else []
    primary: list[AnyButton] = []
    menu: list[Button] = []
    if offered:
        primary.append(letter.reconnect_button(offered[0], _label(letter)))
    for claim in _claim_buttons(letter):
        aside = letter.part is Part.SUBSCRIBER or (letter.part is Part.CHANNEL and letter.claims())
        (menu if aside else primary).append(claim)
    if len(letter.entries) == 1:
        connection_id = letter.entries[0].view.connection.id
        check = Button("Check again", check_action(connection_id))
        menu.append(Button("Details", details_action(connection_id)))
        (menu if offered else primary).append(check)
    return [Buttons(tuple(primary), tuple(menu))] if primary or menu else []


def _label(letter: Letter) -> str:
    """Administrators and those who opted in are asked as stand-ins."""
    return "I can do it" if letter.part in (Part.SUBSCRIBER, Part.ADMINISTRATOR) else "Reconnect"


def _claim_buttons(letter: Letter) -> list[Button]:
    """Give "I'm on it", or the way to give it back; neither for several logins, since a press claims one."""
    if letter.logins > 1:
        return []
    lapse_id, claims = letter.open[0].lapse.id, letter.claims()
    if not claims:
        return [Button("I'm on it", claim_action(lapse_id))]
    if letter.part is Part.CHANNEL or any(claim.person_id == letter.reader.id for claim, _ in claims):
        return [Button("Give it back", release_action(lapse_id))]
    return []
