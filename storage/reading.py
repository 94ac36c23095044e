"""Where statements that only read are carried out: on connections that cannot write, each statement by itself."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_Result = TypeVar("_Result")

Execute = Callable[[Executable, Any], Awaitable[Sequence[Sequence[Any]]]]
"""Carries a statement out with its values, and gives all rows; none if it is of a kind that has none."""


class Readers(Protocol):
    """Connections that only read, in autocommit: each statement sees what is committed when it begins."""

    @property
    def engine(self) -> Engine:
        """What its connections come from, for listening to."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Execute]:
        """Give what carries statements out, one at a time."""
        ...

    async def call(self, function: Callable[[Connection], _Result]) -> _Result:
        """Call a function that reads from a connection; it must not keep it."""
        ...

    async def dispose(self) -> None:
        """Close every connection."""
        ...


class ThreadedReaders:
    """Readers of SQLite: each statement is one hop to a thread that keeps its own connection.

    aiosqlite hops several times for each statement, which costs more than reading an index does.
    """

    def __init__(self, engine: Engine, *, threads: int) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sqlite-reader")
        self._own = threading.local()
        self._opened: list[Connection] = []

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Execute]:
        """Implements `Readers.reading`; takes no connection until a statement comes."""
        yield self._execute

    async def call(self, function: Callable[[Connection], _Result]) -> _Result:
        """Implements `Readers.call`."""
        return await self._hop(lambda: function(self._connection()))

    async def dispose(self) -> None:
        """Implements `Readers.dispose`, once what is being read was read."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._opened:
            connection.close()
        self.engine.dispose()

    async def _execute(self, statement: Executable, values: Any) -> Sequence[Sequence[Any]]:
        return await self._hop(lambda: _rows(self._connection(), statement, values))

    async def _hop(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _connection(self) -> Connection:
        own: Connection | None = getattr(self._own, "connection", None)
        if own is None:
            own = self._own.connection = self.engine.connect()
            self._opened.append(own)
        return own


class PooledReaders:
    """Readers of PostgreSQL: a block holds one connection of a pool.

    No ping precedes its use, which would be a round trip of its own: a read that finds its connection lost, after a
    restart of the server, is done once more on a new one.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        return self._engine.sync_engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Execute]:
        """Implements `Readers.reading`."""
        async with self._engine.connect() as connection:
            yield partial(_execute_anew, connection)

    async def call(self, function: Callable[[Connection], _Result]) -> _Result:
        """Implements `Readers.call`."""
        async with self._engine.connect() as connection:
            return await _anew(connection, function)

    async def dispose(self) -> None:
        """Implements `Readers.dispose`."""
        await self._engine.dispose()


async def execute(connection: AsyncConnection, statement: Executable, values: Any) -> Sequence[Sequence[Any]]:
    """Carry a statement out on a connection that may write: an `Execute` of a transaction."""
    return await connection.run_sync(_rows, statement, values)


async def _execute_anew(connection: AsyncConnection, statement: Executable, values: Any) -> Sequence[Sequence[Any]]:
    return await _anew(connection, lambda sync: _rows(sync, statement, values))


async def _anew(connection: AsyncConnection, function: Callable[[Connection], _Result]) -> _Result:
    """Read, and once more if the connection turns out to be lost. SQLAlchemy then mistrusts its whole pool."""
    try:
        return await connection.run_sync(function)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    await connection.rollback()  # nothing to undo; allows the connection to be made anew
    return await connection.run_sync(function)


def _rows(connection: Connection, statement: Executable, values: Any) -> Sequence[Sequence[Any]]:
    result = connection.execute(statement, values)
    return result.fetchall() if result.returns_rows else ()
