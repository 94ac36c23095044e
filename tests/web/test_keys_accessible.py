"""What axe-core finds on the pages of keys and of the host product, on a phone in light and on a desk in dark."""

import pytest
from playwright.async_api import Browser as Chromium

from tests.support.own_networks import OwnNetworks
from tests.web.browser import Browser, Page
from tests.web.keyed import account, enter
from tests.web.rig import Rig
from tests.web.test_accessible import AS, SIZES, Drawn, chromium, wrong_with

__all__ = ["chromium"]


async def pages_of(rig: Rig, browser: Browser, own: OwnNetworks) -> dict[str, Page]:
    """Each page, in each state that looks different."""
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    new = await rig.new_accounts_link(network="letterly")
    hosted = await rig.link(await account(rig, own.hosted, "9", name="Acme Posts"))
    found = {"form": await rig.signed_in(browser, path)}
    found["another account's"] = await enter(browser, path, own.vendor.make_key("L-2", "Other Letters"))
    found["no key"] = await enter(browser, path, "sk_1")
    found["new"] = await browser.get(new)
    found["hosted"] = await browser.get(hosted)
    found["new hosted"] = await browser.get(await rig.new_accounts_link(network="suite_social"))
    login = await rig.link(await rig.add_connection("1"))
    rig.login("1")
    found["by hand"] = await rig.reconnect(browser, login)
    return found


@pytest.mark.behaviour("R-9", "R-15")
async def test_axe_finds_nothing_on_the_pages_of_keys(
    rig: Rig,
    browser: Browser,
    own: OwnNetworks,  # a fixture's name is its argument
    chromium: Chromium,  # a fixture's name is its argument
) -> None:
    pages = await pages_of(rig, browser, own)
    found = []
    for scheme, size in AS:
        context = await chromium.new_context(viewport=SIZES[size], color_scheme=scheme)
        drawn = Drawn(tab=await context.new_page(), base=rig.base)
        found += [f"{scheme}, {size}, {each}" for each in await wrong_with(drawn, pages)]
        await context.close()
    assert found == []
