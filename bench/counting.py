"""Counts what a piece of work asks of a database: statements, and rows read.

On PostgreSQL rows are what its own statistics count: tuples of sequential scans, and entries that index scans gave.
SQLite tells no such number to Python; there, the turns of its machine are counted at which it looks whether to stop: a
few for each row that a loop passes, and a few more for each statement.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from tests.support.postgres import libpq_url

_ROWS = """
    SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)
        + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)
"""


_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

SAME = 1.01
"""Up to this ratio two counts are equal: pages of an index split where they split."""
Repeated = Callable[[int], Awaitable[None]]
"""Does something so many times."""


@dataclass(slots=True, kw_only=True)
class Cost:
    """What was asked so far."""

    statements: int = 0
    rows: int = 0


async def cost_of(url: str, work: Repeated, *, times: int, prepare: Repeated | None = None) -> tuple[float, float]:
    """Statements and rows that one more time of `work` costs. What `prepare` does is not counted.

    `work` opens the store, does the thing so many times, and closes the store again: PostgreSQL's sessions report what
    they read when they end. What opening costs falls out of the difference.
    """
    costs: list[Cost] = []
    for number in (1, times + 1):
        if prepare is not None:
            await prepare(number)
        async with _counted(url) as cost:
            await work(number)
        costs.append(cost)
    once, more = costs
    return (more.statements - once.statements) / times, (more.rows - once.rows) / times


@asynccontextmanager
async def _counted(url: str) -> AsyncIterator[Cost]:
    cost = Cost()
    is_postgresql = make_url(url).get_backend_name() == "postgresql"
    before = await _rows_read(url) if is_postgresql else 0
    with _listening(cost):
        yield cost
    if is_postgresql:
        cost.rows = await _rows_read(url) - before


@contextmanager
def _listening(cost: Cost) -> Iterator[None]:
    def executing(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        cost.statements += not statement.startswith("BEGIN")  # of PostgreSQL's transactions none would be seen

    def turned() -> int:
        cost.rows += 1
        return 0

    def connected(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_progress_handler(turned, 1)
        elif hasattr(connection.driver_connection, "set_progress_handler"):
            connection.run_async(lambda driver: driver.set_progress_handler(turned, 1))

    event.listen(Engine, "before_cursor_execute", executing)
    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", executing)
        event.remove(Engine, "connect", connected)


async def _rows_read(url: str) -> int:
    connection = await asyncpg.connect(libpq_url(url))
    try:
        # A session is gone from this list after it has reported.
        while await connection.fetchval(_OTHERS):  # noqa: ASYNC110 - another program's state can only be asked for
            await asyncio.sleep(0.01)
        return int(await connection.fetchval(_ROWS))
    finally:
        await connection.close()
