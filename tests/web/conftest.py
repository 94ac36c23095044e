"""The rig, for every test of the pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.own_networks import OwnNetworks, own_networks
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(sqlite_database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(sqlite_database_url) as opened:
        yield opened


@pytest.fixture
async def browser(rig: Rig) -> AsyncIterator[Browser]:
    async with rig.browser() as opened:
        yield opened


@pytest.fixture
async def own(rig: Rig, tmp_path: Path) -> AsyncIterator[OwnNetworks]:
    """An operator's own networks, known to the rig: one whose accounts have keys, and one of the host product."""
    async with own_networks(tmp_path, rig.clock) as built:
        rig.networks |= {network.spec.slug: network for network in (built.keyed, built.hosted)}
        yield built
