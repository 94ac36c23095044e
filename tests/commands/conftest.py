"""The agency, opened on an SQLite file of its own for each test that asks."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.commands.world import World, open_world, populate
from tests.support.sqlite import copied, url_of


@pytest.fixture(scope="session")
def agency(empty_database: Path, databases: Path) -> tuple[World, Path]:
    """The agency with its people and connections, filled once and closed."""
    file = shutil.copyfile(empty_database, databases / "agency.sqlite")
    return asyncio.run(_filled(file)), file


async def _filled(file: Path) -> World:
    async with open_world(url_of(file)) as world:
        await populate(world)
        return world


@pytest.fixture
async def world(agency: tuple[World, Path]) -> AsyncIterator[World]:
    """The agency with its people and connections, on a copy."""
    filled, file = agency
    with copied(file) as url:
        async with filled.again(url) as opened:
            yield opened


@pytest.fixture
async def empty_world(sqlite_database_url: str) -> AsyncIterator[World]:
    """The agency before anybody is in it, its workspace unclaimed."""
    async with open_world(sqlite_database_url, claimed=False) as opened:
        yield opened
