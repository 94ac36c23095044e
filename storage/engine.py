"""SQLite and PostgreSQL behind one face. Every difference between the two databases is in this file."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, TypeDecorator, create_engine, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from commands.ports.storage import AlreadyThere, StorageError
from storage.reading import PooledReaders, Readers, ThreadedReaders

insert = postgresql.insert
"""INSERT with ON CONFLICT. SQLAlchemy's SQLite compiler writes PostgreSQL's construct in its own words."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POLL = 0.02  # seconds between looks whether another process has gone on
_BUSY = 15  # seconds that a writer waits for another before it gives up
_SLOWEST = 30  # seconds that one statement may take; the largest list takes well under one
_CONNECT_WITHIN = 10  # seconds
_SILENT = _SLOWEST + 10  # seconds without an answer after which PostgreSQL, which would have given up, is out of reach
_UPGRADE_LOCK = 0x6C61707365  # "lapse"; any number that no other program on the database uses


_PATIENCE: Mapping[str, Any] = MappingProxyType({"timeout": _CONNECT_WITHIN, "command_timeout": _SILENT})


# The driver's own BEGIN would begin too late and leave savepoints outside it: it must not begin anything.
_NO_OWN_BEGIN: Mapping[str, Any] = MappingProxyType({"isolation_level": None})


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times: `timestamptz` on PostgreSQL; microseconds since 1970 on SQLite, which has no type for times."""

    impl = DateTime(timezone=True).with_variant(BigInteger(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise StorageError("a time without a zone was about to be stored")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _EPOCH + timedelta(microseconds=value) if dialect.name == "sqlite" else value.astimezone(UTC)


class seconds_of(FunctionElement[int]):  # noqa: N801  # a function in SQL
    """Whole seconds since 1970 of a column of times."""

    type = BigInteger()
    inherit_cache = True


def _written(sql: str) -> Callable[..., str]:
    def write(element: seconds_of, compiler: SQLCompiler, **options: Any) -> str:
        return sql.format(compiler.process(element.clauses, **options))

    return write


compiles(seconds_of, "sqlite")(_written("({} / 1000000)"))
compiles(seconds_of, "postgresql")(_written("floor(extract(epoch FROM {}))::bigint"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Two pools on one database: one whose connections can only read, and one for transactions that may write."""

    readers: Readers
    writers: AsyncEngine
    is_shared: bool
    """Whether other machines may use the database, whose clock then counts."""

    async def dispose(self) -> None:
        """Close every connection."""
        await self.readers.dispose()
        await self.writers.dispose()


def parsed(url: str) -> URL:
    """Read a database's address and name its asynchronous driver. Raises StorageError with what is wrong."""
    try:
        parts = make_url(url)
    except ArgumentError:
        # The text is not repeated: it may hold a password.
        raise StorageError("the database's address cannot be read; write sqlite:///FILE or postgresql://…") from None
    match parts.get_backend_name():
        case "sqlite":
            if not parts.database or parts.database == ":memory:":
                raise StorageError("SQLite needs a file: in memory every connection would see another database")
            return parts.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parts.set(drivername="postgresql+asyncpg")
        case other:
            raise StorageError(f"databases of the kind {other!r} are not supported; use sqlite or postgresql")


def open_engines(url: str, *, connections: int) -> Engines:
    """Make both pools, up to `connections` readers. Nothing connects before the first use."""
    parts = parsed(url)
    return _sqlite(parts, connections) if parts.get_backend_name() == "sqlite" else _postgresql(parts, connections)


def _sqlite(url: URL, connections: int) -> Engines:
    if sqlite3.sqlite_version_info < (3, 35):
        raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old: RETURNING came with 3.35")
    _make_private(Path(url.database or ""))
    # One writer: those who wait for it queue in order in the pool, and only other processes are waited for by SQLite's
    # own polling. Readers run in autocommit, so a list costs no BEGIN and holds back no checkpoint.
    writers = create_async_engine(
        url, connect_args=dict(_NO_OWN_BEGIN), pool_size=1, max_overflow=0, pool_timeout=_BUSY, hide_parameters=True
    )
    # Threads contend for the interpreter's lock at each row: on two cores 2 answer a third more often than 8. The third
    # is there so that two slow searches at once do not hold up everybody.
    threads = min(connections, 3)
    readers = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=threads,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
    )
    event.listen(writers.sync_engine, "connect", _prepare_sqlite_writer)
    event.listen(writers.sync_engine, "begin", _begin_immediate)
    event.listen(readers, "connect", _prepare_sqlite_reader)
    return Engines(readers=ThreadedReaders(readers, threads=threads), writers=writers, is_shared=False)


def _postgresql(url: URL, connections: int) -> Engines:
    settings = {
        "application_name": "lapsebot",
        "timezone": "UTC",
        "jit": "off",  # costs more than it saves on statements that take less than a millisecond
        "statement_timeout": str(_SLOWEST * 1000),
        "lock_timeout": str(_BUSY * 1000),
        "idle_in_transaction_session_timeout": str(2 * _SLOWEST * 1000),
    }
    common: dict[str, Any] = {
        "max_overflow": 0,
        "pool_timeout": _BUSY,
        "hide_parameters": True,
    }
    writers = create_async_engine(
        url,
        pool_size=max(2, connections // 2),
        connect_args={**_PATIENCE, "server_settings": settings},
        pool_pre_ping=True,  # a server that was restarted costs a ping, not a failed command; readers try again instead
        **common,
    )
    readers = create_async_engine(
        url,
        pool_size=connections,
        connect_args={**_PATIENCE, "server_settings": {**settings, "default_transaction_read_only": "on"}},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,  # nothing of a statement that read is left to be reset
        **common,
    )
    for engine in (readers, writers):
        event.listen(engine.sync_engine, "do_connect", _connect)
    return Engines(readers=PooledReaders(readers), writers=writers, is_shared=True)


def _connect(dialect: Dialect, _record: object, addresses: Any, options: Any) -> Any:
    """Connect. A socket's error, which is none of the driver's, SQLAlchemy would let through as it is."""
    try:
        return dialect.connect(*addresses, **options)
    except Exception as error:  # of many kinds, each of which means the same
        known = error if isinstance(error, OSError) else error.__cause__ or error
        raise StorageError(f"the database cannot be reached: {type(known).__name__}") from error


def maintenance_engine(url: str) -> AsyncEngine:
    """An engine for migrations: one connection at a time, without limits on a statement's time."""
    parts = parsed(url)
    if parts.get_backend_name() != "sqlite":
        server = create_async_engine(
            parts, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": _CONNECT_WITHIN}
        )
        event.listen(server.sync_engine, "do_connect", _connect)
        return server
    engine = create_async_engine(parts, connect_args=dict(_NO_OWN_BEGIN), poolclass=NullPool, hide_parameters=True)
    file = Path(parts.database or "")
    _make_private(file)
    _turn_to_wal(file)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite_writer)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def lock_for_upgrade(connection: Connection) -> None:
    """Wait for another process that is migrating. SQLite's writers exclude each other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})


def database_now(connection: Connection) -> datetime:
    """Ask PostgreSQL what time it is."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the library's errors into the port's. Parameters are never shown: they may be secret."""
    try:
        yield
    except IntegrityError as error:
        if _is_doubled(error.orig):
            raise AlreadyThere("such a row is there already") from error
        raise StorageError("a row refers to what is not in its organization, or lacks something") from error
    except StatementError as error:
        if isinstance(error.orig, StorageError):  # a value that its column refused
            raise error.orig from error
        raise StorageError(f"the database refused: {type(error.orig).__name__}") from error
    except SQLAlchemyError as error:
        raise StorageError(f"the database could not be used: {type(error).__name__}") from error
    except TimeoutError as error:
        raise StorageError("the database does not answer") from error


def _is_doubled(error: BaseException | None) -> bool:
    """Whether a rule of uniqueness was broken: PostgreSQL's SQLSTATE, SQLite's name of the error."""
    name: str = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or ""
    return name in ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def _make_private(file: Path) -> None:
    """Make an SQLite file that only its owner can read: names and addresses in it are people's own."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"the database file {file} cannot be opened: {error.strerror}") from error


def _turn_to_wal(file: Path) -> None:
    """Turn a new file to WAL, which then stays in it.

    Processes that start at once may find each other in the way, and for this one change SQLite does not wait by itself
    (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
    """
    until = time.monotonic() + _BUSY
    with closing(sqlite3.connect(file, isolation_level=None, timeout=_BUSY)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if time.monotonic() > until:
                    raise StorageError(f"the database file {file} stays locked by another process") from error
                time.sleep(_POLL)
            else:
                return


def _prepare_sqlite_writer(connection: Any, _record: object) -> None:
    _run(connection, f"PRAGMA busy_timeout = {_BUSY * 1000}")
    _run(connection, "PRAGMA journal_mode = WAL")
    # FULL: a refresh token that rotated must survive a power cut, since the one before it no longer works.
    _run(connection, "PRAGMA synchronous = FULL")
    _run(connection, "PRAGMA foreign_keys = ON")


def _prepare_sqlite_reader(connection: Any, _record: object) -> None:
    _run(connection, f"PRAGMA busy_timeout = {_BUSY * 1000}")
    _run(connection, "PRAGMA query_only = ON")


def _run(connection: Any, pragma: str) -> None:
    cursor = connection.cursor()
    cursor.execute(pragma)
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would else fail when another has written between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
