"""Writes a data set fast: constraints that a measurement does not need are off, and indexes are built at the end."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Table
from sqlalchemy.dialects import registry, sqlite

from bench.dataset import DataSet, Row
from bench.progress import say
from tests.support.postgres import libpq_url

_AT_ONCE = 50_000  # rows between two words of progress
_SQLITE_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_POSTGRESQL_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def fill_sqlite(file: Path, data: DataSet) -> None:
    """Fill an empty database that has its schema."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -500000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute(_SQLITE_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("BEGIN")
        for table, rows in data.parts():
            marks = ", ".join("?" * len(table.columns))
            insert = f"INSERT INTO {table.name} VALUES ({marks})"  # noqa: S608 - the name is of our own schema
            for portion in _portions(table, _encoded(table, rows, sqlite.dialect())):
                connection.executemany(insert, portion)
        say("building indexes")
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


async def fill_postgresql(url: str, data: DataSet) -> None:
    """Fill an empty database that has its schema; leaves the statistics that autovacuum would have gathered."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        indexes = await connection.fetch(_POSTGRESQL_INDEXES)
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        for table, rows in data.parts():
            for portion in _portions(table, _encoded(table, rows, registry.load("postgresql.asyncpg")())):
                names = [column.name for column in table.columns]
                await connection.copy_records_to_table(table.name, records=portion, columns=names)
        say("building indexes")
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await connection.close()


def _encoded(table: Table, rows: Iterator[Row], dialect: Dialect) -> Iterator[Row]:
    """The rows as the driver takes them: what SQLAlchemy would make of each value, without its cost for each row."""
    encode: list[Callable[[Any], Any] | None] = [
        column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns
    ]
    for row in rows:
        yield tuple(value if to is None else to(value) for to, value in zip(encode, row, strict=True))


def _portions(table: Table, rows: Iterator[Row]) -> Iterator[list[Row]]:
    done = 0
    while portion := list(islice(rows, _AT_ONCE)):
        yield portion
        done += len(portion)
        if done > _AT_ONCE:
            say(f"{table.name}: {done:,} rows")
