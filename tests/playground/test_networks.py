"""Every network of ours in the demo: connected by somebody, broken and repaired in the panel."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot.playground import cast
from bot.playground.demo import Demo, free_port, started
from bot.playground.own_networks import LETTERLY, SUITE
from bot.playground.panel import BREAKAGES, OWN_BREAKAGES, Panel
from bot.playground.stand_ins import ADDRESSES
from platform_adapters.discovery import network_names

PATIENCE = 60.0  # seconds until something that should come is missed


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    async with started(directory=tmp_path_factory.mktemp("demo"), port=free_port(0)) as running:
        yield running


async def row_of(panel: Panel, network: str) -> dict[str, object]:
    """A connection at a network that somebody connected."""
    return next(row for row in await panel.rows() if row["network"] == network and row["state"] != "unconnected")


def test_every_network_with_a_login_is_in_the_demo() -> None:
    assert list(cast.NETWORKS) == network_names() == sorted(ADDRESSES)


def test_every_break_is_of_a_network_that_is_there() -> None:
    for breakage in BREAKAGES.values():
        assert set(breakage.networks) <= set(cast.NETWORKS)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("network", cast.NETWORKS)
async def test_an_account_of_each_network_is_connected_broken_in_every_way_and_repaired(
    demo: Demo, network: str
) -> None:
    panel = Panel(demo.bot, demo.stage)
    for kind, breakage in BREAKAGES.items():
        if network not in breakage.networks:
            continue
        row = await row_of(panel, network)
        assert row["state"] == "active", f"before {kind}"
        await panel.break_(str(row["id"]), kind)
        broken = await row_of(panel, network)
        assert (broken["state"], broken["broken"]) == ("lapsed", breakage.label), kind
        await panel.repair(str(row["id"]))
        assert (await row_of(panel, network))["state"] == "active", f"after {kind}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("network", [LETTERLY, SUITE])
async def test_a_network_of_the_demos_own_is_connected_broken_in_every_way_and_repaired(
    demo: Demo, network: str
) -> None:
    panel = Panel(demo.bot, demo.stage)
    kinds = [kind for kind, breakage in OWN_BREAKAGES.items() if breakage.network == network]
    assert kinds
    for kind in kinds:
        row = await row_of(panel, network)
        assert (row["state"], row["breakable"]) == ("active", True), f"before {kind}"
        await panel.break_(str(row["id"]), kind)
        broken = await row_of(panel, network)
        assert (broken["state"], broken["broken"]) == ("lapsed", OWN_BREAKAGES[kind].label), kind
        await panel.repair(str(row["id"]))
        assert (await row_of(panel, network))["state"] == "active", f"after {kind}"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_host_product_hears_of_lapses_by_signed_webhook_and_shows_them(demo: Demo) -> None:
    panel = Panel(demo.bot, demo.stage)
    row = await row_of(panel, SUITE)
    await panel.break_(str(row["id"]), "app_removed")
    await panel.repair(str(row["id"]))
    shown, told = "", f"lapse.ended: Suite Shops · {row['account']}, reported"
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while told not in shown:
            async with session.get(demo.stage.pages[SUITE]) as page:
                shown = await page.text()
