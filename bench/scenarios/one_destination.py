"""Deliveries to one destination, against the strict stand-in with Slack's limits on."""

import asyncio
from typing import Any

import aiohttp

from bench.databases import Kind
from bench.dataset import PLATFORM, TEAM, reader, user_of
from bench.outbox import put_on_their_way
from bench.processes.layout import BOT_TOKEN
from bench.processes.running import bot
from bench.progress import say
from bench.report import Line, share
from bench.rounds import Bench
from bot.playground.vendors.slack import LimitConfig, SlackConfig, UserConfig, WorkspaceConfig, serving

_LEAST = 0.9
_READER = user_of(reader(0))
_LIMITS = LimitConfig()
_WORKSPACE = WorkspaceConfig(
    team_id=TEAM,
    name="Bench",
    domain="bench",
    bot_user_id="U0BOT",
    bot_token=BOT_TOKEN,
    users=(UserConfig(id=_READER, name="reader", real_name="Reader", email="reader@bench.example"),),
)


async def measure(bench: Bench) -> list[Line]:
    """One line for each database."""
    return [await _measure(bench, kind, messages=20 if bench.is_quick else 40) for kind in Kind]


async def _measure(bench: Bench, kind: Kind, *, messages: int) -> Line:
    config = SlackConfig(workspaces=(_WORKSPACE,), limits=_LIMITS)
    async with serving(config) as slack, bench.databases.copied(kind, bench.small) as url:
        await put_on_their_way(url, bench.small, told=[(0, lapse) for lapse in range(messages)])
        async with bot(url, slack.base_url, roles="worker,web"), aiohttp.ClientSession() as session:
            say(f"{messages} messages to one destination, at most {_LIMITS.channel_rate:g}/s")
            accepted = f"{slack.base_url}/_play/accepted"
            while len(posts := await _log(session, accepted)) < messages:  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.2)
            replies = await _log(session, f"{slack.base_url}/_play/replies")
    refused = sum(reply["status"] == 429 for reply in replies)
    times = [float(post["answer"]["ts"]) for post in posts]
    reached = (len(times) - 1) / (times[-1] - times[0])
    return Line(
        what=f"delivery, one destination, {messages} messages",
        database=kind,
        measured=f"{reached:.2f}/s, {refused} × 429",
        beside=f"{PLATFORM} allows {_LIMITS.channel_rate:g}/s",
        ratio=share(reached / _LIMITS.channel_rate),
        budget=f"≥ {_LEAST:.0%}, 0 × 429",
        is_kept=reached / _LIMITS.channel_rate >= _LEAST and not refused,
    )


async def _log(session: aiohttp.ClientSession, url: str) -> list[dict[str, Any]]:
    async with session.get(url) as answer:
        return [call for call in await answer.json() if call["method"] == "chat.postMessage"]
