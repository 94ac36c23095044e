"""Pictures: attached, described, replaced, and left out where they cannot be drawn or shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.vendors.discord.message_rules import check_message
from bot.playground.vendors.discord.wire import Upload
from commands.messages import Chart, Heading, Message, Part, Picture, Series, Text, line, say
from platform_adapters.chat.chart import NotDrawn
from platform_adapters.chat.discord.adapter import DiscordPlatform
from platform_adapters.chat.discord.bodies import body_of
from platform_adapters.chat.discord.settings import read_settings
from tests.discord_adapter.drawing_support import MESSAGES, WORDS
from tests.discord_adapter.loopback import ANA, GENERAL, PNG, Answering, Loopback, drawn_at_once, environment
from tests.discord_adapter.test_inbound import answered
from tests.discord_adapter.test_post import delivery, to
from tests.discord_adapter.test_render import THOROUGHLY

CHART = Chart("Lapses per week", ("47", "48"), (Series("revoked", (1.0, 2.0)),), "lapses")
STATS = Message(
    (
        Heading(line("Stats")),
        Picture((CHART,), "Lapses per week by cause"),
        Text(line("Three lapses in two weeks.")),
    )
)


@st.composite
def _with_pictures(draw: st.DrawFn) -> Message:
    message = draw(MESSAGES)
    pictures = draw(st.lists(st.builds(Picture, st.just((CHART,)), WORDS), min_size=1, max_size=12))
    parts: list[Part] = draw(st.permutations([*message.parts, *pictures]))
    return Message(tuple(parts), message.tone)


WITH_PICTURES = _with_pictures()


async def not_drawn(_picture: Picture) -> bytes:
    raise NotDrawn("no plotting here")


@THOROUGHLY
@given(WITH_PICTURES, st.booleans())
@pytest.mark.behaviour("C-4")
async def test_no_message_with_pictures_exceeds_a_limit(message: Message, is_drawn: bool) -> None:
    """Row 35: every picture that is shown comes with its file, and no file comes without being shown."""
    body = await body_of(message, drawn_at_once if is_drawn else not_drawn)
    uploads = [Upload(number, name, "image/png", data) for number, (name, data) in enumerate(body.files)]
    check_message(dict(body.json), uploads=uploads)
    assert all(name in str(body.json["components"]) for name, _ in body.files)
    assert is_drawn or not body.files


@pytest.mark.behaviour("C-4")
async def test_an_answer_shows_its_picture_with_its_figures_beside_it(discord: Loopback, inbound: Answering) -> None:
    inbound.answer = STATS
    await discord.people.run(ANA, "lapsed", GENERAL, show="list")
    message = await answered(discord, ANA, "Stats")
    assert message["text"] == "Stats\n⟦picture:Lapses per week by cause⟧\nThree lapses in two weeks."
    assert 'alt="Lapses per week by cause"' in str(message["html"])


@pytest.mark.behaviour("N-10")
async def test_a_posted_picture_goes_when_the_message_changes(discord: Loopback) -> None:
    ref = await discord.platform.post(to(GENERAL), STATS, delivery())
    (posted,) = await discord.people.history(ANA, GENERAL)
    assert [one["filename"] for one in posted["attachments"]] == ["chart-1.png"]
    await discord.platform.update(ref, STATS)
    (same,) = await discord.people.history(ANA, GENERAL)
    assert [one["filename"] for one in same["attachments"]] == ["chart-1.png"]
    await discord.platform.update(ref, say("Restored"))
    (changed,) = await discord.people.history(ANA, GENERAL)
    assert changed["attachments"] == []
    assert "picture" not in changed["text"]


async def test_a_post_with_a_picture_that_is_sent_again_shows_once(discord: Loopback) -> None:
    """The file goes along in every try of the library, and the nonce holds for it as well."""
    one = delivery()
    await discord.people.fault("accepted-html", "POST /channels/*/messages", status=502)
    await discord.platform.post(to(GENERAL), STATS, one)
    await discord.platform.post(to(GENERAL), STATS, one)
    (posted,) = await discord.people.history(ANA, GENERAL)
    assert posted["attachments"][0]["size"] == len(PNG)


async def test_where_nothing_may_be_attached_the_figures_are_told(discord: Loopback, inbound: Answering) -> None:
    """Discord says with each interaction what the bot may do there."""
    await discord.people.permit(GENERAL, send=False)
    inbound.answer = STATS
    await discord.people.run(ANA, "lapsed", GENERAL, show="list")
    message = await answered(discord, ANA, "Stats")
    assert message["text"] == "Stats\nThree lapses in two weeks."


@pytest.mark.behaviour("C-4")
async def test_a_real_chart_arrives_as_a_picture(discord: Loopback) -> None:
    """Drawn by the process that plots, as in production: Discord reads its size from it."""
    settings = read_settings(environment(discord.vendor))
    assert settings is not None
    platform = DiscordPlatform(settings, discord.clock)
    async with platform.running(None):
        await platform.post(to(GENERAL), STATS, delivery())
    (posted,) = await discord.people.history(ANA, GENERAL)
    assert posted["attachments"][0]["width"] > 600


async def test_a_picture_that_cannot_be_drawn_is_left_out(discord: Loopback) -> None:
    settings = read_settings(environment(discord.vendor))
    assert settings is not None
    platform = DiscordPlatform(settings, discord.clock, draw=not_drawn)
    async with platform.running(None):
        await platform.post(to(GENERAL), STATS, delivery())
    (posted,) = await discord.people.history(ANA, GENERAL)
    assert posted["text"] == "Stats\nThree lapses in two weeks."
    assert posted["attachments"] == []
