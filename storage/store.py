"""The store, opened: pools, keys, clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, select

from commands.ports.clock import Clock
from commands.ports.hosting import HostQueues
from commands.ports.installations import Installations
from commands.ports.outages import Outages
from commands.ports.storage import Directory, Queues, StorageError, UnitOfWork, Unreadable
from commands.secret import Secret
from storage.clock import DatabaseClock, SystemClock
from storage.directory import SqlDirectory
from storage.engine import Engines, database_now, insert, open_engines, translated_errors
from storage.host_queues import SqlHostQueues
from storage.installations import SqlInstallations
from storage.migrations import require_current
from storage.outages import SqlOutages
from storage.queues import SqlQueues
from storage.reading import execute
from storage.secrets import Cell, Keyring
from storage.tables import NOBODY, canaries
from storage.unit_of_work import SqlUnitOfWork
from storage.work import Work

_CANARY = "lapsebot can read this database"
_CLOCK_IS_MEASURED_EVERY = 60  # seconds; machines drift by milliseconds in that time


class SqlStorage:
    """Implements `Storage`."""

    def __init__(self, engines: Engines, keyring: Keyring, clock: Clock) -> None:
        self._engines = engines
        self._keyring = keyring
        self.clock = clock
        """What `now` is: the one given, or the database's."""
        self.directory: Directory = SqlDirectory(self)
        self.queues: Queues = SqlQueues(self)
        self.installations: Installations = SqlInstallations(self)
        self.outages: Outages = SqlOutages(self)
        self.host: HostQueues = SqlHostQueues(self)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """Implements `Storage.transaction`."""
        async with self.writing_work() as work:
            yield SqlUnitOfWork(work)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        """Implements `Storage.reading`. Each statement sees what is committed when it begins; writing is refused."""
        async with self.reading_work() as work:
            yield SqlUnitOfWork(work)

    @asynccontextmanager
    async def writing_work(self) -> AsyncIterator[Work]:
        """Open a transaction that writes; noted counters are written last."""
        with translated_errors():
            async with self._engines.writers.begin() as connection:
                work = Work(execute=partial(execute, connection), keyring=self._keyring, clock=self.clock)
                yield work
                await work.write_counters()

    @asynccontextmanager
    async def reading_work(self) -> AsyncIterator[Work]:
        """Read, each statement by itself; writing is refused."""
        with translated_errors():
            async with self._engines.readers.reading() as execute_reading:
                yield Work(execute=execute_reading, keyring=self._keyring, clock=self.clock)


@asynccontextmanager
async def open_storage(
    url: str, keyring: Keyring, clock: Clock | None = None, *, connections: int = 32
) -> AsyncIterator[SqlStorage]:
    """Open the store at a database's address, up to `connections` readers at a time.

    Without a clock it tells the database's time where machines share one, this machine's on SQLite.
    Raises StorageError, with what to do, if the schema is not the one that this version works with, and Unreadable if
    the keys are not those that the database was written with.
    """
    engines = open_engines(url, connections=connections)
    try:
        await require_current(engines.readers)
        if clock is not None:
            storage = SqlStorage(engines, keyring, clock)
            await _check_keys(storage, keyring)
            yield storage
        elif not engines.is_shared:
            storage = SqlStorage(engines, keyring, SystemClock())
            await _check_keys(storage, keyring)
            yield storage
        else:
            database_clock = DatabaseClock()
            await _measure(engines, database_clock)
            storage = SqlStorage(engines, keyring, database_clock)
            await _check_keys(storage, keyring)
            async with asyncio.TaskGroup() as tasks:
                keeping_time = tasks.create_task(_keep_time(engines, database_clock))
                try:
                    yield storage
                finally:
                    keeping_time.cancel()
    finally:
        await engines.dispose()


async def _check_keys(storage: SqlStorage, keyring: Keyring) -> None:
    """Decrypt the canary, or leave one in a new database."""
    cell = Cell(organization_id=NOBODY, table="canaries", row=NOBODY, column="value")
    async with storage.reading_work() as work:
        found = await work.row(select(canaries.c.value))
    if found is None:
        async with storage.writing_work() as work:
            value = keyring.encrypt(Secret(_CANARY), cell)
            await work.run(insert(canaries).on_conflict_do_nothing(), {"id": NOBODY, "value": value})
        return await _check_keys(storage, keyring)
    try:
        keyring.decrypt(found[0], cell)
    except Unreadable as error:
        raise Unreadable(
            f"the keys do not fit this database: {error}; configure the key that it was made with"
        ) from error


async def _measure(engines: Engines, clock: DatabaseClock) -> None:
    with translated_errors():
        asked_at, now, answered_at = await engines.readers.call(_look_at_clock)
        clock.measured(asked_at=asked_at, answered_at=answered_at, database=now)


def _look_at_clock(connection: Connection) -> tuple[datetime, datetime, datetime]:
    asked_at = datetime.now(UTC)
    now = database_now(connection)
    return asked_at, now, datetime.now(UTC)


async def _keep_time(engines: Engines, clock: DatabaseClock) -> None:
    while True:
        await asyncio.sleep(_CLOCK_IS_MEASURED_EVERY)
        try:
            await _measure(engines, clock)
        except StorageError:
            # The difference last measured is good enough until the database is back.
            continue
