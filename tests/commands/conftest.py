"""The agency, opened on a new SQLite file for each test that asks."""

from collections.abc import AsyncIterator

import pytest

from tests.commands.world import World, open_world, populate


@pytest.fixture
async def world(sqlite_database_url: str) -> AsyncIterator[World]:
    """The agency with its people and connections."""
    async with open_world(sqlite_database_url) as opened:
        await populate(opened)
        yield opened


@pytest.fixture
async def empty_world(sqlite_database_url: str) -> AsyncIterator[World]:
    """The agency before anybody is in it, its workspace unclaimed."""
    async with open_world(sqlite_database_url, claimed=False) as opened:
        yield opened
