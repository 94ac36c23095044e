"""Accounts of a network that the host product keeps: its page is where one is sent (R-9)."""

import pytest

from commands.ids import to_wire
from commands.model import (
    ConnectionState,
)
from tests.support.own_networks import OwnNetworks
from tests.web.browser import Browser
from tests.web.keyed import account
from tests.web.rig import Rig


@pytest.mark.behaviour("R-9")
async def test_pressing_the_button_of_a_login_on_a_key_or_a_hosted_connection_leads_to_no_login(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    await rig.signed_in(browser, await rig.link(await rig.add_connection("1")))
    for network, action in ((own.keyed, "/key"), (own.hosted, "/host")):
        path = await rig.link(await account(rig, network, "L-1"))
        page = await browser.get(path)
        assert page.actions()[0] == path + action
        refused = await browser.post(path, page.form(path + action))
        assert refused.status == 403, "a form's token is of one address"


@pytest.mark.behaviour("R-15")
async def test_a_hosted_connection_leads_to_the_declared_page_and_nowhere_else(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    connection_id = await account(rig, own.hosted, "a/../b?c=d&e", name="Acme Posts")
    path = await rig.link(connection_id)
    page = await rig.signed_in(browser, path)
    assert "This is mended in Acme Suite" in page.words
    assert "opens suite.example.com" in page.words
    assert "https://suite.example.com" in page.headers["Content-Security-Policy"]
    sent = await browser.submit(page, f"{path}/host", to="https://evil.example", url="https://evil.example")
    assert sent.status == 303
    assert sent.location == (
        f"https://suite.example.com/connections/a%2F..%2Fb%3Fc%3Dd%26e/mend?from={to_wire(connection_id)}"
    )
    assert len(await rig.entries("reconnect.sent_on")) == 1
    assert (await rig.connection(connection_id)).state is ConnectionState.LAPSED
    async with rig.storage.transaction() as uow:
        await uow.connections.set_state(rig.organization_id, connection_id, ConnectionState.ACTIVE)
    late = await browser.submit(page, f"{path}/host")
    assert (late.status, "Already working" in late.words) == (200, True)
    assert len(await rig.entries("reconnect.sent_on")) == 1


async def test_new_accounts_of_a_hosted_network_are_connected_in_the_host_product(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.new_accounts_link(network="suite_social")
    page = await rig.signed_in(browser, path)
    assert "This is done in Acme Suite" in page.words
    assert 'href="https://suite.example.com/connections/new"' in page.text
