"""The world of these tests, on SQLite."""

from collections.abc import AsyncIterator

import pytest

from tests.notices.world import World, made_world


@pytest.fixture
async def world(sqlite_database_url: str) -> AsyncIterator[World]:
    async with made_world(sqlite_database_url) as made:
        yield made
