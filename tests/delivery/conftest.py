"""The world of these tests, on SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.notices.world import World, made_world


@pytest.fixture
async def world(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with made_world(sqlite_database_url, tmp_path) as made:
        yield made
