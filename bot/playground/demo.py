"""The demo: the real bot and stand-ins for everything around it, in one process, on one port.

The bot is at `/`, the playground at `/playground/`, the vendors' wire protocols at `/vendors/<name>/`. Bot and
stand-ins share the port and nothing else: every word between them crosses a socket of this machine.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from bot import logs
from bot.bootstrap import Bot, built, log_rules, running, upgrade_database
from bot.playground import own_networks
from bot.playground.page import Playground
from bot.playground.seed import Seeding
from bot.playground.stage import Stage
from bot.playground.stand_ins import StandIns
from bot.settings import Settings

HOST = "127.0.0.1"
FAST = {
    "LAPSEBOT_CHECK_TICK": "0.5",
    "LAPSEBOT_NOTICE_TICK": "0.1",
    "LAPSEBOT_GATHER": "0.3",
    "LAPSEBOT_RECHECK": "2",
    "LAPSEBOT_UNCLEAR_FAILURES": "2",
    "LAPSEBOT_UNCLEAR_PERIOD": "1",
    "LAPSEBOT_FLAPPING": "0",
    "LAPSEBOT_OUTAGE_AUTHORIZATIONS": "2",
    "LAPSEBOT_OUTAGE_CALM": "5",
    "LAPSEBOT_WEBHOOK_PRIVATE": "true",
    "LAPSEBOT_CALENDAR_TICK": "0.5",
    "LAPSEBOT_PICTURES": "on",
}
"""Settings for somebody who is watching; a real installation has minutes and hours here."""
BEGIN = """
  To begin: at the right, under Connections, choose “Password changed” for Acme EU Ads. Read what Ana is told in
  Slack, press Reconnect, and log in at the stand-in for Facebook. Then try the other ways to break something.
"""
LEFT_BEHIND = ("lapsebot.sqlite", "lapsebot.sqlite-wal", "lapsebot.sqlite-shm", "encryption.key")


class DemoClock:
    """This machine's clock, which the seeding sets back for a moment, and whoever plays may set forward by days."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self._latest = 0.0

    def now(self) -> datetime:
        """Give the present, aware, in UTC."""
        return datetime.now(UTC) + self._shift

    def seconds(self) -> float:
        """The same, since the epoch."""
        return self.now().timestamp()

    def never_back(self) -> float:
        """The same, but standing still while the clock is set back: for what counts by the second."""
        self._latest = max(self._latest, self.seconds())
        return self._latest

    def advance(self, by: timedelta) -> None:
        """Be so much later than before, or, below zero, earlier."""
        self._shift += by


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that runs, seeded."""

    url: str
    """The address to open."""
    bot: Bot
    stage: Stage


async def run_demo(
    *,
    directory: Path,
    port: int,
    until: Callable[[], Awaitable[None]],
    say: Callable[[str], object] = lambda line: print(line, flush=True),  # noqa: T201 - this is its voice
) -> None:
    """Run it until `until` returns. What an earlier demo left in `directory` is removed first."""
    free = free_port(port)
    if free != port:
        say(f"Port {port} is in use, so the demo takes {free}.")
    environment = demo_environment(directory, free)
    logs.configure(environment, log_rules(), form="text", level=Settings.read(environment).log_level)
    say("Starting: a database, stand-ins for Slack, Discord and the networks, and people who sign in and connect.")
    async with started(directory=directory, port=free) as demo:
        say(f"\n  Open {demo.url} in a browser. Ctrl-C ends the demo.\n{BEGIN}")
        await until()
        say("Stopping.")


@asynccontextmanager
async def started(*, directory: Path, port: int) -> AsyncIterator[Demo]:
    """Run a demo on a port that is free. The process's logs are whoever's who runs it."""
    base = f"http://{HOST}:{port}"
    clock = DemoClock()
    stand_ins = StandIns(
        vendors_url=f"{base}/vendors", bot_url=base, clock=clock.never_back, network_clock=clock.seconds
    )
    environment = (
        demo_environment(directory, port) | stand_ins.environment() | own_networks.declare(directory, f"{base}/vendors")
    )
    settings = Settings.read(environment)
    sweep(directory)
    await upgrade_database(settings)
    async with built(settings, environment, clock=clock) as bot, aiohttp.ClientSession() as session:
        stage = Stage(stand_ins, session)
        for network, app in own_networks.vendors(clock.seconds).items():
            stand_ins.app.add_subapp(f"/{network}/", app)
        bot.web.add_subapp("/vendors/", stand_ins.app)
        bot.web.router.add_get("/playground", _with_a_slash)
        bot.web.add_subapp("/playground/", Playground(bot, stage, base, clock).app)
        for endpoint in bot.platforms["slack"].endpoints():
            stand_ins.send_slack_requests_to(endpoint.path)
        async with running(bot):
            await Seeding(settings, environment, stage, clock.advance).run()
            yield Demo(url=f"{base}/playground", bot=bot, stage=stage)


async def _with_a_slash(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/playground/")


def demo_environment(directory: Path, port: int) -> dict[str, str]:
    """The bot's own settings. Nothing else of the environment is taken over: a demo must not post to real chats."""
    return FAST | {
        "LAPSEBOT_DATA_DIR": str(directory),
        "LAPSEBOT_PUBLIC_URL": f"http://{HOST}:{port}",
        "LAPSEBOT_LISTEN_HOST": HOST,
        "LAPSEBOT_LISTEN_PORT": str(port),
        "LAPSEBOT_LOG_LEVEL": os.environ.get("LAPSEBOT_LOG_LEVEL", "error"),
    }


def sweep(directory: Path) -> None:
    """Remove what an earlier demo left, and no other file: the directory is whatever somebody typed."""
    for name in LEFT_BEHIND:
        (directory / name).unlink(missing_ok=True)


def free_port(wanted: int) -> int:
    """Give the port that is wanted if nobody listens there, else one that the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":  # there the option would let two listen at once
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")
