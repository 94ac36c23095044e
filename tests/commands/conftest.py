"""The agency, opened on a new SQLite file for each test that asks."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import upgrade
from tests.commands.world import World, open_world, populate


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database with its schema and nothing in it; copying it is much faster than making it anew."""
    file = tmp_path_factory.mktemp("commands") / "empty.sqlite"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def agency_url(empty_database: Path, tmp_path: Path) -> str:
    """Give the URL of an empty database of one's own."""
    copy = shutil.copy(empty_database, tmp_path / "agency.sqlite")
    return f"sqlite+aiosqlite:///{copy}"


@pytest.fixture
async def world(agency_url: str) -> AsyncIterator[World]:
    """The agency with its people and connections."""
    async with open_world(agency_url) as opened:
        await populate(opened)
        yield opened


@pytest.fixture
async def empty_world(agency_url: str) -> AsyncIterator[World]:
    """The agency before anybody is in it, its workspace unclaimed."""
    async with open_world(agency_url, claimed=False) as opened:
        yield opened
