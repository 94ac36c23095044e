"""The schema's history leads from nothing to the tables as they are declared."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from commands.ports.storage import StorageError
from storage import Keyring, open_storage, upgrade
from storage.engine import maintenance_engine
from storage.tables import organizations
from tests.support.clock import FakeClock
from tests.support.postgres import create_database, drop_database

KEYRING_ID = "k"


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.from_settings(Keyring.new_key(KEYRING_ID))


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Give the URL of a database without a schema: a file that is not there yet, and a fresh database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/bare.sqlite"
        return
    url = await create_database(request.getfixturevalue("postgres_url"))
    yield url
    await drop_database(url)


async def test_upgrading_from_nothing_gives_the_declared_tables(bare_database_url: str) -> None:
    def difference(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), organizations.metadata)

    await upgrade(bare_database_url)
    engine = maintenance_engine(bare_database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(difference) == []
    await engine.dispose()


async def test_processes_that_upgrade_at_once_wait_for_each_other(bare_database_url: str, keyring: Keyring) -> None:
    await asyncio.gather(*(upgrade(bare_database_url) for _ in range(4)))
    async with open_storage(bare_database_url, keyring, FakeClock()) as storage:
        assert await storage.directory.organizations() == []


async def test_an_empty_database_is_refused_with_what_to_do(bare_database_url: str, keyring: Keyring) -> None:
    with pytest.raises(StorageError, match="lapsebot db upgrade"):
        async with open_storage(bare_database_url, keyring):
            pass


async def test_a_newer_schema_is_left_alone(bare_database_url: str, keyring: Keyring) -> None:
    await upgrade(bare_database_url)
    engine = maintenance_engine(bare_database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(StorageError, match="newer lapsebot"):
        async with open_storage(bare_database_url, keyring):
            pass
    with pytest.raises(StorageError, match="newer lapsebot"):
        await upgrade(bare_database_url)


async def test_without_a_clock_the_store_tells_the_time(database_url: str, keyring: Keyring) -> None:
    async with open_storage(database_url, keyring) as storage:
        first, second = storage.clock.now(), storage.clock.now()
        assert first <= second
        assert first.utcoffset() is not None
