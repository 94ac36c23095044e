"""Deliveries to one destination, against the strict stand-in with Slack's limits on."""

from collections.abc import Sequence

import aiohttp

from bench.databases import Kind
from bench.dataset import PLATFORM, TEAM
from bench.outbox import put_on_their_way
from bench.processes.layout import BOT_TOKEN
from bench.processes.running import bot
from bench.report import Line, share
from bench.rounds import Bench
from bot.playground.vendors.slack import LimitConfig, SlackConfig, UserConfig, WorkspaceConfig, serving

_LEAST = 0.9
_READER = "U0READER"
_LIMITS = LimitConfig()


async def measure(bench: Bench) -> list[Line]:
    """One line: the destination's limit decides, whichever the database."""
    return []
