"""`/lapsed` from dispatcher to database: what it asks for at both sizes, and how long it takes."""

from contextlib import AsyncExitStack
from time import perf_counter

from bench.counting import SAME, Repeated, cost_of
from bench.databases import Kind
from bench.report import Line, times
from bench.rounds import Bench, Round, medians
from bench.subjects import answer_lapsed, services_on
from commands.command import Services

MOST_STATEMENTS = 4
_ANSWERS = 200  # a round: about a second


async def measure(bench: Bench) -> list[Line]:
    """Two lines for each database."""
    lines = []
    for kind in Kind:
        lines += await _counts(bench, kind)
        lines.append(await _time(bench, kind))
    return lines


async def _counts(bench: Bench, kind: Kind) -> list[Line]:
    costs = []
    for size in (bench.small, bench.large):
        url = await bench.databases.pristine(kind, size)
        costs.append(await cost_of(url, _answering(url), times=10))
    (few_statements, few_rows), (statements, rows) = costs
    what = f"/lapsed: statements and rows read, {bench.large:,} beside {bench.small:,}"
    return [
        Line(
            what="/lapsed: statements",
            database=kind,
            measured=f"{statements:g}",
            budget=f"≤ {MOST_STATEMENTS}",
            is_kept=statements <= MOST_STATEMENTS,
        ),
        Line(
            what=what,
            database=kind,
            measured=f"{statements:g} and {rows:,.0f}",
            beside=f"{few_statements:g} and {few_rows:,.0f}",
            ratio=times(rows / few_rows),
            budget="equal (±1%)",
            is_kept=statements <= few_statements and rows <= few_rows * SAME,
        ),
    ]


def _answering(url: str) -> Repeated:
    async def answering(number: int) -> None:
        async with services_on(url) as (services, _):
            await answer_lapsed(services, number)

    return answering


async def _time(bench: Bench, kind: Kind) -> Line:
    async with AsyncExitStack() as stack:
        rounds: dict[str, Round] = {}
        for size in (bench.small, bench.large):
            url = await bench.databases.pristine(kind, size)
            services, _ = await stack.enter_async_context(services_on(url))
            await answer_lapsed(services, 20)
            rounds[f"{size:,}"] = _timed(services)
        small, large = (await medians(bench.rounds(7), rounds)).values()
    return Line(
        what=f"/lapsed: time, {bench.large:,} beside {bench.small:,}",
        database=kind,
        measured=f"{large * 1000:.2f} ms",
        beside=f"{small * 1000:.2f} ms",
        ratio=times(large / small),
        budget="≤ 1.5 ×",
        is_kept=large / small <= 1.5,
    )


def _timed(services: Services) -> Round:
    async def timed() -> float:
        start = perf_counter()
        await answer_lapsed(services, _ANSWERS)
        return (perf_counter() - start) / _ANSWERS

    return timed
