"""The adapter at the loopback Discord: not running yet, or connected."""

from collections.abc import AsyncIterator

import pytest

from tests.discord_adapter.loopback import Answering, Loopback, running, stage


@pytest.fixture
def inbound() -> Answering:
    return Answering()


@pytest.fixture
async def discord(inbound: Answering) -> AsyncIterator[Loopback]:
    """The adapter, connected, with its commands registered."""
    async with running(inbound) as loopback:
        yield loopback


@pytest.fixture
async def idle() -> AsyncIterator[Loopback]:
    """The adapter, not running."""
    async with stage() as loopback:
        yield loopback
