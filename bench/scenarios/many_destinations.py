"""Deliveries to many destinations of one workspace, beside slack_sdk's bare client posting the same message."""

import itertools
from collections.abc import Sequence

from bench.databases import Kind
from bench.dataset import READERS
from bench.outbox import put_on_their_way
from bench.processes.running import SlackSide, bare_posts, bot, slack_side
from bench.report import Line, share
from bench.rounds import Bench, Round, medians
from bot.delivery.lane import AT_ONCE

_LEAST = 0.7


async def measure(bench: Bench) -> list[Line]:
    """One line for each database."""
    return [await _measure(bench, kind) for kind in Kind]


async def _measure(bench: Bench, kind: Kind) -> Line:
    async with slack_side() as slack, bench.databases.copied(kind, bench.small) as url:
        async with bot(url, slack.url, roles="worker,web"):
            rounds = {"lapsebot": _delivering(slack, url, bench.small), "bare client": _posting(slack)}
            own, bare = (await medians(bench.rounds(5), rounds)).values()
    return Line(
        what=f"delivery, {READERS:,} destinations",
        database=kind,
        measured=f"{own:,.0f}/s",
        beside=f"bare slack_sdk {bare:,.0f}/s",
        ratio=share(own / bare),
        budget=f"≥ {_LEAST:.0%}",
        is_kept=own / bare >= _LEAST,
    )


def _delivering(slack: SlackSide, url: str, size: int) -> Round:
    rounds = itertools.count()

    async def delivering() -> float:
        lapse = next(rounds)
        await slack.order("forget")
        await put_on_their_way(url, size, told=[(reader, reader + lapse) for reader in range(READERS)])
        return rate([at for _, at in await slack.posts(READERS)])

    return delivering


def _posting(slack: SlackSide) -> Round:
    async def posting() -> float:
        return await bare_posts(slack, await slack.order("example"), READERS, concurrency=AT_ONCE)

    return posting


def rate(times: Sequence[float]) -> float:
    """Posts a second, from the first to the last."""
    return (len(times) - 1) / (max(times) - min(times))
