"""The words for what would keep lapses from being heard: the bot was taken out of a workspace, or too few people hear
(A-8, N-13).
"""

from bot.notices.buttons import arranged
from bot.notices.data import BACK, NETWORKS, PLATFORM, STATE, WORKSPACE
from bot.notices.letter import Letter
from bot.notices.phrases import networks
from commands.actions import subscribe_action
from commands.messages import Bold, Button, Code, Heading, Line, Mark, Message, Style, Tone, line, text
from commands.wording import listed, named, shown

_BUTTONS = 6  # networks that can be subscribed to from the message


def installation_lost(letter: Letter) -> Message:
    """Tell administrators, another way, that the bot is out of a workspace, or back in it."""
    data = letter.notice.data
    slug = data.get(PLATFORM, "")
    platform = letter.platform_names.get(slug, shown(slug).capitalize())
    place: Line = line(Bold(f"{platform} · {named(data.get(WORKSPACE, ''))}"))
    if data.get(STATE) == BACK:
        head = line(f"{Mark.GOOD} Back: ", *place, " · lapses are told there again")
        return Message((Heading(head), text("Nothing to do.")), Tone.GOOD)
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Bot removed: ", *place, " · nobody hears of lapses there")),
            text(
                f"{platform} does not let the bot into this workspace any more: it was removed there, or its access "
                "was taken back. People are told another way meanwhile, where there is one."
            ),
            text(
                "Any administrator of the workspace can install it again. Everything is kept, and goes on from there."
            ),
        ),
        Tone.ACTION,
    )


def thin_reach(letter: Letter) -> Message:
    """Tell administrators which networks' lapses reach fewer than two people."""
    slugs = letter.notice.data.get(NETWORKS, "").split()
    names = [letter.network_names.get(slug, slug) for slug in slugs]
    second = "A second person is enough" if len(slugs) == 1 else "A second person for each is enough"
    buttons = [
        Button(f"Tell me of {name}", subscribe_action(slug, None)) for slug, name in zip(slugs, names, strict=True)
    ]
    first = [Button(button.label, button.action, Style.PRIMARY) for button in buttons[:1]]
    how = "press below, or have somebody type " if letter.presses else "have somebody type, in chat, "
    example = f"/subscribe-lapses {slugs[0]}" if slugs else "/subscribe-lapses"
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Too few hear: ", Bold(networks(names)), " · fewer than two people")),
            text(
                f"A lapse on {listed([shown(name) for name in names], 'or')} reaches one person or nobody: "
                "one unread message, and nobody knows."
            ),
            text(f"{second}: {how}", Code(example), "."),
            *arranged(first, buttons[1:_BUTTONS]),
        )
    )
