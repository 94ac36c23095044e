"""The PostgreSQL of the test run."""

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.sql import text

from tests.support.postgres import create_database, drop_database, libpq_url, running_server


async def test_gives_databases_that_share_nothing(postgres_url: str) -> None:
    first = await create_database(postgres_url)
    second = await create_database(postgres_url)
    connection = await asyncpg.connect(libpq_url(first))
    await connection.execute("CREATE TABLE seen (id integer)")
    await connection.close()
    connection = await asyncpg.connect(libpq_url(second))
    assert await connection.fetchval("SELECT to_regclass('seen')") is None
    await connection.close()
    await drop_database(first)
    await drop_database(second)


async def test_copies_a_prepared_database(postgres_url: str) -> None:
    template = await create_database(postgres_url)
    connection = await asyncpg.connect(libpq_url(template))
    await connection.execute("CREATE TABLE prepared (id integer)")
    await connection.close()
    copy = await create_database(postgres_url, template=str(make_url(template).database))
    connection = await asyncpg.connect(libpq_url(copy))
    assert await connection.fetchval("SELECT to_regclass('prepared')::text") == "prepared"
    await connection.close()
    await drop_database(copy)
    await drop_database(template)


async def test_engine_of_each_database_works(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def test_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAPSEBOT_TEST_POSTGRES_URL", raising=False)
    with running_server() as url:
        directory = Path(str(make_url(url).query["host"]))
        assert directory.is_dir()
    assert not directory.exists()


async def test_uses_the_server_that_the_environment_names(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSEBOT_TEST_POSTGRES_URL", libpq_url(postgres_url))
    with running_server() as url:
        assert url == postgres_url
