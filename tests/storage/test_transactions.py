"""Transactions on both databases: what a rollback takes back, and what several writers at once do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from commands.ids import OrganizationId, new_id
from commands.model import ConnectionState, Organization, Scope
from commands.ports.storage import StorageError
from storage import Keyring, SqlStorage, open_storage, upgrade
from storage.engine import open_engines
from storage.tables import organizations
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage, seed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def organization(clock: FakeClock, name: str = "House") -> Organization:
    return Organization(id=OrganizationId(new_id(clock.now())), name=name)


class Broken(Exception):
    """Raised by a test inside a transaction."""


async def test_an_error_rolls_everything_back(storage: SqlStorage, clock: FakeClock) -> None:
    async def break_off() -> None:
        async with storage.transaction() as uow:
            await uow.organizations.add(organization(clock))
            raise Broken

    with pytest.raises(Broken):
        await break_off()
    assert await storage.directory.organizations() == []


async def test_a_row_written_in_a_savepoint_does_not_survive_the_rollback(database_url: str, clock: FakeClock) -> None:
    engines = open_engines(database_url, connections=2)
    values = {"id": new_id(clock.now()), "name": "House", "time_zone": "UTC", "working_hours": {}}

    async def break_off() -> None:
        async with engines.writers.begin() as connection:
            async with connection.begin_nested():
                await connection.execute(insert(organizations), values)
            raise Broken

    with pytest.raises(Broken):
        await break_off()
    async with engines.readers.reading() as execute:
        assert list(await execute(select(organizations.c.id), None)) == []
    await engines.dispose()


async def test_reading_cannot_write(storage: SqlStorage, clock: FakeClock) -> None:
    with pytest.raises(StorageError):
        async with storage.reading() as uow:
            await uow.organizations.add(organization(clock))
    assert await storage.directory.organizations() == []


async def test_more_readers_than_connections_all_read_what_was_committed(database_url: str, clock: FakeClock) -> None:
    keyring = Keyring.from_settings(Keyring.new_key("k"))
    async with open_storage(database_url, keyring, clock, connections=2) as storage:
        seeded = await seed(storage, clock.now())

        async def look() -> OrganizationId:
            async with storage.reading() as uow:
                counts = await uow.connections.counts(seeded.organization_id, Scope())
                assert sum(count.active for count in counts) == 2
                return (await uow.organizations.get(seeded.organization_id)).id

        assert set(await asyncio.gather(*(look() for _ in range(20)))) == {seeded.organization_id}


async def test_a_read_whose_connection_was_lost_is_done_again(postgres_database_url: str) -> None:
    engines = open_engines(postgres_database_url, connections=1)
    server_process = select(func.pg_backend_pid())
    async with engines.readers.reading() as execute:
        [[lost]] = await execute(server_process, None)
    async with engines.writers.begin() as connection:
        assert await connection.scalar(select(func.pg_terminate_backend(lost, 5_000)))
    async with engines.readers.reading() as execute:
        [[other]] = await execute(server_process, None)
    assert other != lost
    await engines.dispose()


async def test_eight_that_read_and_then_write_all_succeed_in_two_processes_worth_of_pools(
    database_url: str, clock: FakeClock
) -> None:
    keyring = Keyring.from_settings(Keyring.new_key("k"))
    async with open_storage(database_url, keyring, clock) as one, open_storage(database_url, keyring, clock) as two:
        seeded = await seed(one, clock.now(), connections=8)

        async def lapse_it(place: int) -> bool:
            async with (one, two)[place % 2].transaction() as uow:
                connection = await uow.connections.get(seeded.organization_id, seeded.connections[place].id)
                assert connection.state is ConnectionState.ACTIVE
                return await uow.connections.set_state(seeded.organization_id, connection.id, ConnectionState.LAPSED)

        assert await asyncio.gather(*(lapse_it(place) for place in range(8))) == [True] * 8
        async with one.reading() as uow:
            counts = await uow.connections.counts(seeded.organization_id, Scope())
        assert sum(count.lapsed for count in counts) == sum(count.in_use + count.retired for count in counts) == 8


async def test_one_of_eight_changes_a_state(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())

    async def retire() -> bool:
        async with storage.transaction() as uow:
            return await uow.connections.set_state(
                seeded.organization_id, seeded.connections[0].id, ConnectionState.RETIRED
            )

    assert sorted(await asyncio.gather(*(retire() for _ in range(8)))) == [False] * 7 + [True]
    async with storage.reading() as uow:
        counts = await uow.connections.counts(seeded.organization_id, Scope())
    assert sum(count.retired for count in counts) == sum(count.active for count in counts) == 1
    assert not any(count.needing for count in counts)


async def test_a_time_without_a_zone_is_refused(storage: SqlStorage, clock: FakeClock) -> None:
    with pytest.raises(StorageError, match="without a zone"):
        await storage.queues.lanes_due(datetime(2026, 1, 1))  # noqa: DTZ001  # what is tested


async def test_sqlite_is_a_file_of_its_owner_in_wal_with_foreign_keys(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/lapsebot.sqlite"
    await upgrade(url)
    assert (tmp_path / "lapsebot.sqlite").stat().st_mode & 0o777 == 0o600
    engines = open_engines(url, connections=1)
    async with engines.writers.begin() as connection:
        for pragma, value in (("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2)):
            assert await connection.scalar(text(f"PRAGMA {pragma}")) == value
    await engines.dispose()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://somewhere/db", "not supported"),
        ("no address, password hunter2", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_reason(url: str, reason: str) -> None:
    with pytest.raises(StorageError, match=reason) as refused:
        open_engines(url, connections=1)
    assert "hunter2" not in str(refused.value)
