"""The watch works off 1,000 due authorizations: what it asks for at both sizes, and how long it takes."""

from datetime import timedelta
from time import perf_counter

from sqlalchemy import bindparam, update

from bench.counting import SAME, Repeated, cost_of
from bench.databases import Kind
from bench.dataset import NEEDING, ORGANIZATION, keyring, row_id
from bench.report import Line, times
from bench.rounds import Bench, Round, medians
from bench.subjects import services_on
from bot.watch.watcher import Watcher
from commands.secret import Secret
from storage import SystemClock, tables
from storage.authorizations import token_cell
from storage.engine import UtcDateTime, maintenance_engine

_COUNTED = 3  # sweeps
_FIRST_ACTIVE = 3  # before it, each thousandth of the table has one that is lapsed, unconnected and retired
_MAKE_DUE = (
    update(tables.authorizations)
    .where(tables.authorizations.c.id == bindparam("authorization"))
    .values(next_check_at=bindparam("at", type_=UtcDateTime()), access_token=bindparam("token"))
)


async def measure(bench: Bench) -> list[Line]:
    """Two lines for each database."""
    lines = []
    for kind in Kind:
        async with bench.databases.copied(kind, bench.small) as few, bench.databases.copied(kind, bench.large) as many:
            lines.append(await _counts(bench, kind, few, many))
            lines.append(await _time(bench, kind, few, many))
    return lines


async def _counts(bench: Bench, kind: Kind, few: str, many: str) -> Line:
    costs = []
    for url, size in ((few, bench.small), (many, bench.large)):
        costs.append(await cost_of(url, _sweeping(url), times=_COUNTED, prepare=_making_due(url, size)))
    (few_statements, few_rows), (statements, rows) = costs
    return Line(
        what=f"sweep of {NEEDING:,} due: statements and rows read, {bench.large:,} beside {bench.small:,}",
        database=kind,
        measured=f"{statements:,.0f} and {rows:,.0f}",
        beside=f"{few_statements:,.0f} and {few_rows:,.0f}",
        ratio=times(rows / few_rows),
        budget="equal (±1%)",
        is_kept=statements <= few_statements * SAME and rows <= few_rows * SAME,
    )


async def _time(bench: Bench, kind: Kind, few: str, many: str) -> Line:
    async with services_on(few) as (_, of_few), services_on(many) as (_, of_many):
        rounds = {
            f"{bench.small:,}": _timed(of_few, _making_due(few, bench.small)),
            f"{bench.large:,}": _timed(of_many, _making_due(many, bench.large)),
        }
        small, large = (await medians(bench.rounds(5), rounds)).values()
    return Line(
        what=f"sweep of {NEEDING:,} due: time, {bench.large:,} beside {bench.small:,}",
        database=kind,
        measured=f"{large:.2f} s",
        beside=f"{small:.2f} s",
        ratio=times(large / small),
        budget="≤ 1.5 ×",
        is_kept=large / small <= 1.5,
    )


def _timed(watcher: Watcher, make_due: Repeated) -> Round:
    async def timed() -> float:
        await make_due(1)
        start = perf_counter()
        assert await _sweep(watcher) == NEEDING
        return perf_counter() - start

    return timed


def _sweeping(url: str) -> Repeated:
    async def sweeping(number: int) -> None:
        async with services_on(url) as (_, watcher):
            assert await _sweep(watcher) == number * NEEDING

    return sweeping


async def _sweep(watcher: Watcher) -> int:
    checked = 0
    while number := await watcher.run_once():
        checked += number
    return checked


def _making_due(url: str, size: int) -> Repeated:
    """Make so many thousand authorizations due, each with a token that can be read."""
    keys, step = keyring(), size // NEEDING

    async def make_due(number: int) -> None:
        at = SystemClock().now() - timedelta(minutes=1)
        wanted = [
            row_id(tables.authorizations, thousandth * step + _FIRST_ACTIVE + extra)
            for extra in range(number)
            for thousandth in range(NEEDING)
        ]
        values = [
            {
                "authorization": one,
                "at": at,
                "token": keys.encrypt(Secret("token"), token_cell(ORGANIZATION, one, "access_token")),
            }
            for one in wanted
        ]
        engine = maintenance_engine(url)
        async with engine.begin() as connection:
            await connection.execute(_MAKE_DUE, values)
        await engine.dispose()

    return make_due
