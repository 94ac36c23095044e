"""The gateway: connections that break, that Discord ends for good, and that it asks to be made anew."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from commands.messages import say
from tests.discord_adapter.loopback import ANA, APP, GENERAL, Answering, Loopback, platform_at, told
from tests.discord_adapter.test_post import delivery, to


async def works(discord: Loopback) -> None:
    """A command is answered."""
    done = await discord.people.run(ANA, "lapsed", GENERAL)
    assert done["status"] != "failed"
    await discord.people.wait_message(ANA, GENERAL, lambda message: "Here you are." in message["text"])


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
async def test_a_refusal_for_good_is_not_tried_again(
    idle: Loopback, inbound: Answering, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    """One clear line in the log, no more identifying, and the rest of the bot goes on."""
    with told("not tried again") as given_up:
        async with idle.platform.running(inbound):
            await idle.connected()
            identifies = (await idle.people.counters())["identifies"]
            await idle.people.gateway("close", code=code)
            await given_up.wait()
            await idle.platform.post(to(GENERAL), say("Lapsed"), delivery())
            assert (await idle.people.counters())["identifies"] == identifies
    lines = [record for record in caplog.records if "not tried again" in record.getMessage()]
    assert len(lines) == 1
    assert idle.pauses.asked == []


async def test_a_wrong_token_is_tried_once(
    idle: Loopback, inbound: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    """REST refuses it before the gateway could; nobody sees the token."""
    wrong = platform_at(idle.vendor, idle.clock, idle.pauses, LAPSEBOT_DISCORD_BOT_TOKEN="not-the-token")
    with told("not tried again") as given_up, told("could not be registered") as not_registered:
        async with wrong.running(inbound):
            await given_up.wait()
            await not_registered.wait()
    assert (await idle.people.counters())["rejected"] <= 3
    assert "not-the-token" not in caplog.text


@pytest.mark.parametrize("code", [4000, 4009])
async def test_a_broken_connection_is_made_again(discord: Loopback, inbound: Answering, code: int) -> None:
    seen = await discord.people.now()
    await discord.people.gateway("close", code=code)
    await discord.people.wait_for(lambda change: change["type"] in ("gateway_resumed", "gateway_ready"), after=seen)
    await works(discord)


async def test_a_reconnect_asked_for_is_a_resume(discord: Loopback, inbound: Answering) -> None:
    """Nothing is missed and nothing is identified anew (op 7)."""
    seen = await discord.people.now()
    await discord.people.gateway("reconnect")
    await discord.people.wait_for(lambda change: change["type"] == "gateway_resumed", after=seen)
    await works(discord)
    counters = await discord.people.counters()
    assert (counters["identifies"], counters["resumes"]) == (1, 1)


async def test_an_invalid_session_is_a_new_one_after_the_pause_that_discord_asks_for(
    discord: Loopback, inbound: Answering
) -> None:
    """Op 9 that cannot be resumed: identify again, five seconds apart."""
    seen = await discord.people.now()
    await discord.people.gateway("invalidate", resumable=False)
    await discord.people.wait_for(lambda change: change["type"] == "gateway_ready", after=seen)
    await works(discord)
    assert discord.pauses.asked == [5.0]


async def test_a_gateway_that_is_down_keeps_nobody_from_starting(idle: Loopback, inbound: Answering) -> None:
    """Posts go out meanwhile, and the connection comes by itself."""
    await idle.people.gateway("refuse", on=True)
    async with idle.platform.running(inbound):
        await idle.platform.post(to(GENERAL), say("Lapsed"), delivery())
        await idle.people.gateway("refuse", on=False)
        await idle.people.wait_for(lambda change: change["type"] == "gateway_ready")
        await works(idle)


async def test_sessions_that_end_at_once_are_not_made_without_end(idle: Loopback, inbound: Answering) -> None:
    """A session that is invalid as soon as it is made costs some dozens of identifies an hour, not a thousand."""
    enough = asyncio.Event()
    asked = idle.pauses.asked

    async def pause(seconds: float) -> None:
        asked.append(seconds)
        if len([one for one in asked if one != 5.0]) >= 3:
            enough.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    async with gateway_that_sends(None) as address, asyncio.timeout(30):
        platform = platform_at(idle.vendor, idle.clock, pause, LAPSEBOT_DISCORD_GATEWAY_URL=address.url)
        async with platform.running(inbound):
            await enough.wait()
    assert address.identifies <= 30


async def test_an_event_that_the_library_cannot_read_ends_one_connection_only(
    idle: Loopback, inbound: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    """An interaction of a kind from the future, one without data, and one that breaks the library's reader."""
    interaction: dict[str, object] = {
        "id": "1",
        "application_id": str(APP),
        "version": 1,
        "token": "t",
        "attachment_size_limit": 1,
    }
    events: list[dict[str, object]] = [
        {**interaction, "type": 99},
        {**interaction, "type": 2, "id": "2"},
        {**interaction, "type": 2, "id": "3", "data": {"name": "lapsed"}},
        {"type": 2},
    ]
    async with gateway_that_sends(events) as address, asyncio.timeout(30):
        platform = platform_at(idle.vendor, idle.clock, idle.pauses, LAPSEBOT_DISCORD_GATEWAY_URL=address.url)
        async with platform.running(inbound):
            await address.identified_again.wait()
            await platform.post(to(GENERAL), say("Lapsed"), delivery())
    assert inbound.commands == []
    assert "cannot read" in caplog.text


class Gateway:
    """A gateway of a few lines, for what the stand-in would never send."""

    def __init__(self, events: list[dict[str, object]] | None) -> None:
        self.events = events
        self.identifies = 0
        self.identified_again = asyncio.Event()
        self.url = ""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}})
        async for message in socket:
            if json.loads(message.data)["op"] != 2:
                continue
            self.identifies += 1
            if self.identifies > 1:
                self.identified_again.set()
            if self.events is None:
                await socket.send_json({"op": 9, "d": False})
                continue
            user = {"id": str(APP), "username": "Lapsebot", "discriminator": "0", "avatar": None}
            ready = {"user": user, "guilds": [], "session_id": "s", "resume_gateway_url": self.url}
            frames = [("READY", ready), *(("INTERACTION_CREATE", event) for event in self.events)]
            for at, (name, data) in enumerate(frames, start=1):
                await socket.send_json({"op": 0, "t": name, "s": at, "d": data})
        return socket


@asynccontextmanager
async def gateway_that_sends(events: list[dict[str, object]] | None) -> AsyncIterator[Gateway]:
    """After each identify it sends these interactions; None: it calls the session invalid."""
    gateway = Gateway(events)
    app = web.Application()
    app.router.add_get("/", gateway.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gateway.url = f"ws://127.0.0.1:{site.port}"
    try:
        yield gateway
    finally:
        await runner.cleanup()
