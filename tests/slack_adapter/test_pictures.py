"""Pictures by their address, and words alone where there is none; replies under a message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import Chart, Heading, Message, Picture, Series, line, say, text
from commands.ports.chat import AddressKind
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, CHANNEL, RAJ, TEAM, Loopback, running
from tests.slack_adapter.test_delivering import delivery, to

CHART = Chart(title="Lapses", categories=("w1",), series=(Series("expired", (3.0,)),), value_label="lapses")
PICTURE = Picture(charts=(CHART,), description="Lapses per week: 3")
MESSAGE = Message((Heading(line("Lapses")), PICTURE, text("3 in the last week")))


@pytest.fixture
def inbound() -> Recorder:
    return Recorder(answer=MESSAGE)


@pytest.fixture
async def slack(inbound: Recorder) -> AsyncIterator[Loopback]:
    async with running(inbound) as loopback:
        yield loopback


@asynccontextmanager
async def pictures(slack: Loopback, status: int) -> AsyncIterator[str]:
    """Our own address of the picture, as Slack finds it."""

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=b"\x89PNG", content_type="image/png")

    app = web.Application()
    app.router.add_get("/picture/{signed}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{site.port}/"
    await slack.people.post("app", image_addresses=[base])
    slack.pictures[PICTURE] = f"{base}picture/signed"
    try:
        yield slack.pictures[PICTURE]
    finally:
        await runner.cleanup()


@pytest.mark.behaviour("C-4")
async def test_a_picture_is_shown_with_words_for_those_who_cannot_see_it(slack: Loopback) -> None:
    async with pictures(slack, 200) as url:
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed stats")
        (seen,) = await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
    assert f'<img src="{url}" alt="Lapses per week: 3"' in seen.html
    assert "3 in the last week" in seen.rendered
    assert "Lapses per week: 3" in seen.text


@pytest.mark.behaviour("C-4")
async def test_without_an_address_that_slack_reaches_the_words_stand_alone(slack: Loopback) -> None:
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed stats")
    (seen,) = await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
    assert "<img" not in seen.html
    assert seen.rendered == "Lapses\n3 in the last week"
    assert seen.text == "Lapses\n3 in the last week"


async def test_a_picture_that_slack_does_not_get_costs_nobody_the_words(slack: Loopback) -> None:
    async with pictures(slack, 404):
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed stats")
        (seen,) = await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
        assert (seen.rendered, seen.ephemeral) == ("Lapses\n3 in the last week", True)
        ref = await slack.platform.post(to(RAJ, AddressKind.DIRECT), MESSAGE, delivery())
        await slack.platform.update(ref, MESSAGE)
        (posted,) = await slack.people.history(TEAM, "dm", RAJ)
        assert posted.rendered == "Lapses\n3 in the last week"
        home = await slack.people.open_home(TEAM, ANA)
        assert "3 in the last week" in home.html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "not an address", "https://x.example/" + "a" * 3000])
async def test_an_address_that_is_none_is_left_out(slack: Loopback, url: str) -> None:
    slack.pictures[PICTURE] = url
    await slack.platform.post(to(), MESSAGE, delivery())
    (seen,) = await slack.people.history(TEAM, CHANNEL, ANA)
    assert "<img" not in seen.html


@pytest.mark.behaviour("N-10")
async def test_a_post_under_a_message_stands_in_its_thread(slack: Loopback) -> None:
    first = await slack.platform.post(to(), say("Lapsed"), delivery())
    await slack.platform.post(to(), say("Another"), delivery())
    reply = await slack.platform.post(to(), say("Raj is on it"), delivery(), under=first)
    seen = await slack.people.history(TEAM, CHANNEL, ANA)
    assert [each.rendered for each in seen] == ["Lapsed", "Raj is on it", "Another"]
    assert [each.thread_ts for each in seen] == [None, first.message, None]
    await slack.platform.update(reply, say("Raj was on it"))
    assert (await slack.people.history(TEAM, CHANNEL, ANA))[1].rendered == "Raj was on it"


async def test_a_post_under_a_message_that_is_gone_says_so(slack: Loopback) -> None:
    first = await slack.platform.post(to(), say("Lapsed"), delivery())
    await slack.bot.chat_delete(channel=CHANNEL, ts=first.message)
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.post(to(), say("Raj is on it"), delivery(), under=first)
    assert raised.value.kind is DeliveryErrorKind.MESSAGE_GONE
    assert await slack.people.history(TEAM, CHANNEL, ANA) == []


async def test_a_post_under_a_direct_message_stands_there(slack: Loopback) -> None:
    direct = to(ANA, AddressKind.DIRECT)
    first = await slack.platform.post(direct, say("Lapsed"), delivery())
    reply = await slack.platform.post(direct, say("Raj is on it"), delivery(), under=first)
    assert reply.destination == first.destination
    assert [each.thread_ts for each in await slack.people.history(TEAM, "dm", ANA)] == [None, first.message]
