"""A process that is killed between a notice's planning and its delivery; the next one delivers it, once."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.bootstrap import opened_storage, upgrade_database
from bot.playground import cast, own_networks
from bot.playground.demo import demo_environment, free_port
from bot.playground.seed import Seeding
from bot.playground.stage import Stage
from bot.playground.stand_ins import StandIns
from bot.playground.vendors.discord import DiscordPeople
from bot.playground.vendors.slack import SlackPeople
from bot.settings import Settings
from bot.web.app import listening
from platform_adapters.chat.slack.manifest import EVENTS_PATH

SLACK_LANE = f"slack:{cast.TEAM}"
ACCOUNT = "Brio Shop"


@asynccontextmanager
async def vendors(bot_url: str) -> AsyncIterator[StandIns]:
    """The stand-ins, in this process; the bot is in another."""
    port = free_port(0)
    stand_ins = StandIns(vendors_url=f"http://127.0.0.1:{port}", bot_url=bot_url)
    for network, app in own_networks.vendors(time.time).items():
        stand_ins.app.add_subapp(f"/{network}/", app)
    async with listening(stand_ins.app, "127.0.0.1", port):
        yield stand_ins


@asynccontextmanager
async def serving(environment: dict[str, str], directory: Path) -> AsyncIterator[Process]:
    """`lapsebot serve`, until the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", stdout=PIPE, env=environment, cwd=directory
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert b"lapsebot is running" in line, line
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


@pytest.mark.behaviour("N-1")
async def test_a_notice_planned_by_a_process_that_was_killed_is_delivered_once_by_the_next(tmp_path: Path) -> None:
    port = free_port(0)
    async with vendors(f"http://127.0.0.1:{port}") as stand_ins, aiohttp.ClientSession() as session:
        own = own_networks.declare(tmp_path, stand_ins.url("").rstrip("/"))
        environment = demo_environment(tmp_path, port) | stand_ins.environment() | own
        settings = Settings.read(environment)
        stand_ins.send_slack_requests_to(EVENTS_PATH)
        environment |= {name: os.environ[name] for name in ("PATH", "HOME", "CI") if name in os.environ}
        stage = Stage(stand_ins, session)
        slack = SlackPeople(session, stand_ins.url("slack"))
        discord = DiscordPeople(stand_ins.url("discord"), session)
        cleo, raj = cast.person("cleo"), cast.person("raj")
        await upgrade_database(settings)

        async with opened_storage(settings) as (storage, clock):
            async with serving(environment, tmp_path) as first:
                await Seeding(settings, environment, stage).run()
                # As if another process had Slack in hand: what is planned for Slack waits, whatever this one does.
                hour = timedelta(hours=1)
                term = await storage.queues.take_lane(SLACK_LANE, holder="the test", now=clock.now(), lease=hour)
                assert term is not None
                tiktok = stage.networks["tiktok"]
                await tiktok.revoke_grant((await tiktok.grants(profile="cleo"))[-1]["id"])
                await stage.seat(cleo).types("/lapsed", words=f"check {ACCOUNT}")
                # All notices of a lapse are planned in one transaction; this one shows that it was committed.
                await discord.wait_message(raj.user, cast.DISCORD_CHANNEL, lambda message: ACCOUNT in message["text"])
                first.send_signal(signal.SIGKILL)
                assert await first.wait() == -signal.SIGKILL
            assert await slack.accepted("chat.postMessage") == []

            await storage.queues.leave_lane(SLACK_LANE, holder="the test")
            async with serving(environment, tmp_path):
                told = [cleo, cast.person("mei"), cast.person("ivo")]
                for person, place in (*((one, "dm") for one in told), (cleo, cast.SLACK_CHANNEL)):
                    await slack.wait_until(
                        cast.TEAM, place, person.user, lambda seen: any(ACCOUNT in one.rendered for one in seen)
                    )
                await tiktok.repair_all()
                await stage.seat(cleo).types("/lapsed", words=f"check {ACCOUNT}")
                await slack.wait_until(
                    cast.TEAM, "dm", cleo.user, lambda seen: any("Restored" in one.rendered for one in seen)
                )
            posted = [call["args"]["channel"] for call in await slack.accepted("chat.postMessage")]
            assert sorted(posted) == sorted([*(one.user for one in told), cast.SLACK_CHANNEL])
