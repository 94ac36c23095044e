"""Every example as each platform draws it: nothing is refused or cut, and the first line comes through whole."""

from email.headerregistry import Address

import pytest

from bot.notices.examples import Example, examples
from bot.playground.vendors.slack.blocks import check_message_blocks
from commands.messages import Heading, Message, Rows, Text
from commands.plain import PlainStyle, plain_line
from platform_adapters.chat.discord.render import render as draw_for_discord
from platform_adapters.chat.email.render import Renderer
from platform_adapters.chat.slack.render import render as draw_for_slack
from tests.discord_adapter.drawing_support import judge, seen
from tests.support.clock import FakeClock

every = pytest.mark.parametrize("example", [pytest.param(one, id=one.name) for one in examples()])
BARE = PlainStyle(bold="", code="")


def opening(message: Message) -> str:
    """The words of the first line up to its first mention or time, which platforms draw in their own way."""
    head = message.parts[0]
    assert isinstance(head, Heading | Text)
    return plain_line(head.line, BARE).split("@")[0].strip()


def more(message: Message) -> set[int]:
    return {part.more for part in message.parts if isinstance(part, Rows) if part.more}


@pytest.mark.behaviour("N-17")
@every
def test_slack_takes_it_whole(example: Example) -> None:
    drawn = draw_for_slack(example.message, "T1", lambda _: None)
    check_message_blocks(drawn.blocks)
    assert opening(example.message) in drawn.text
    assert len(drawn.text) < 3900


@pytest.mark.behaviour("N-17")
@every
def test_discord_takes_it_whole(example: Example) -> None:
    drawn = draw_for_discord(example.message)
    judge(drawn)
    text = seen(drawn)
    assert opening(example.message) in text.replace("\\", "")
    for number in more(example.message):
        assert f"and {number} more" in text


@pytest.mark.behaviour("N-14", "N-17")
@every
def test_an_email_says_it_in_plain_words_and_in_html(example: Example) -> None:
    renderer = Renderer(
        sender=Address("lapsebot", "bot", "lapses.example"), public_url="https://lapses.example", clock=FakeClock()
    )
    to = Address("Ana", "ana", "acme.example")
    email = renderer.render(example.message, to=to, message_id="<1@lapses.example>", reply_to_id=None)
    plain, html = email.get_body(("plain",)), email.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert opening(example.message) in plain.get_content()
    assert "</html>" in html.get_content()
    assert email["Subject"] == example.message.subject
