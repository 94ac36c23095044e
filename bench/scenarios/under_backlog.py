"""A lapse is written while 10,000 other deliveries wait: how long until the first message about it is accepted."""

import asyncio
from statistics import median, quantiles

from bench.databases import Kind
from bench.dataset import CONNECTORS, Place, keyring, place_of, user_of
from bench.outbox import open_lapse, put_on_their_way
from bench.processes.running import SlackSide, bot, slack_side
from bench.progress import say
from bench.report import Line
from bench.rounds import Bench
from commands.model import ConnectionState
from storage import open_storage

_MEDIAN, _SLOWEST = 2.0, 5.0  # seconds
_DESTINATIONS, _EACH = 1_000, 10
_APART = 0.1  # seconds between two lapses
_LONGEST = 60.0


async def measure(bench: Bench) -> list[Line]:
    """One line for each database."""
    return [await _measure(bench, kind) for kind in Kind]


async def _measure(bench: Bench, kind: Kind) -> Line:
    async with slack_side() as slack, bench.databases.copied(kind, bench.small) as url:
        async with bot(url, slack.url):
            told = [(reader, reader + lapse) for lapse in range(_EACH) for reader in range(_DESTINATIONS)]
            await put_on_their_way(url, bench.small, told=told)
            waits = await _waits(url, bench.small, slack)
    middle, slowest = median(waits), quantiles(waits, n=100, method="inclusive")[98]
    return Line(
        what=f"lapse → first message, {_EACH * _DESTINATIONS:,} waiting for {_DESTINATIONS:,} destinations",
        database=kind,
        measured=f"median {middle:.2f} s, p99 {slowest:.2f} s",
        beside=f"{len(waits)} lapses",
        budget=f"median < {_MEDIAN:g} s, p99 < {_SLOWEST:g} s",
        is_kept=middle < _MEDIAN and slowest < _SLOWEST,
    )


async def _waits(url: str, size: int, slack: SlackSide) -> list[float]:
    """Seconds, for a lapse of each connector; `_LONGEST` for those of whom nothing came in that time."""
    written: dict[str, float] = {}
    async with open_storage(url, keyring()) as storage:
        for person, place in _one_of_each_connector(size).items():
            written[user_of(person)] = (await open_lapse(storage, place)).timestamp()
            await asyncio.sleep(_APART)
    accepted: dict[str, float] = {}
    until = max(written.values()) + _LONGEST
    while len(accepted) < len(written) and storage.clock.now().timestamp() < until:
        await asyncio.sleep(0.5)
        for channel, at in await slack.order("posts"):
            if channel in written:
                accepted.setdefault(channel, at)
    waiting = _EACH * _DESTINATIONS - await slack.order("count")
    say(f"{len(accepted)} of {len(written)} lapses told; about {max(waiting, 0):,} others still wait")
    return [accepted.get(user, at + _LONGEST) - at for user, at in written.items()]


def _one_of_each_connector(size: int) -> dict[int, Place]:
    found: dict[int, Place] = {}
    for number in range(size):
        place = place_of(number, size)
        if place.state is ConnectionState.ACTIVE:
            found.setdefault(place.connector, place)
        if len(found) == CONNECTORS:
            break
    return found
