"""The rig, for every test of the pages."""

from collections.abc import AsyncIterator

import pytest

from tests.web.rig import Browser, Rig, opened_rig


@pytest.fixture
async def rig(sqlite_database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(sqlite_database_url) as opened:
        yield opened


@pytest.fixture
async def browser(rig: Rig) -> AsyncIterator[Browser]:
    async with rig.browser() as opened:
        yield opened
