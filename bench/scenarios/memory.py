"""The most memory that the bot ever takes: it tells of 1,000 lapses and answers commands over a large database."""

from bench.databases import Kind
from bench.dataset import NEEDING
from bench.outbox import record_open_lapses
from bench.processes.running import bot, slack_side
from bench.report import Line
from bench.rounds import Bench

_MOST = 200  # MB
_SECONDS = 10.0  # of commands


async def measure(bench: Bench) -> list[Line]:
    """One line for each database."""
    return [await _measure(bench, kind) for kind in Kind]


async def _measure(bench: Bench, kind: Kind) -> Line:
    async with slack_side() as slack, bench.databases.copied(kind, bench.large) as url:
        async with bot(url, slack.url) as ours:
            idle = ours.memory()
            await record_open_lapses(url, bench.large)
            told = len(await slack.posts(NEEDING, within=30.0))
            await slack.answers(ours.url, _SECONDS, concurrency=32, holding="Needs connecting")
            most = ours.memory()
    return Line(
        what=f"memory at most, {bench.large:,} connections, {NEEDING:,} lapses live",
        database=kind,
        measured=f"{most / 1e6:,.0f} MB",
        beside=f"{idle / 1e6:,.0f} MB when ready; {told:,} messages out",
        budget=f"< {_MOST} MB",
        is_kept=most < _MOST * 1e6,
    )
