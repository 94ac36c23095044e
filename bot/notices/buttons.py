"""The buttons under a notice of accounts that do not work: at most two primary ones, the rest in the menu (N-17)."""

from bot.notices.letter import PERSONAL, Letter
from commands.actions import check_action, claim_action, details_action, nudge_action, release_action
from commands.messages import AnyButton, Button, Buttons
from commands.ports.notices import Part
from commands.wording import shown


def buttons(letter: Letter) -> list[Buttons]:
    """What this reader can press. Where several logins are wanted, Reconnect stands on each row instead."""
    offered = letter.reconnectable() if letter.logins == 1 else []
    primary: list[AnyButton] = []
    menu: list[Button] = []
    if offered:
        primary.append(letter.reconnect_button(offered[0], _label(letter)))
    for nudge in _nudge_buttons(letter):
        (primary if letter.part is Part.SUBSCRIBER else menu).append(nudge)
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


def _nudge_buttons(letter: Letter) -> list[Button]:
    """For everybody but connector and owner: pass the notice on to whoever connected it (N-2)."""
    connector = letter.open[0].view.connector
    if letter.part in PERSONAL or letter.logins > 1 or connector is None or connector.left_at is not None:
        return []
    if letter.part is not Part.CHANNEL and connector.id == letter.reader.id:
        return []
    return [Button(f"Nudge {shown(connector.name)}", nudge_action(letter.open[0].lapse.id))]


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
