"""Through the login and the choice by which new accounts are connected."""

from dataclasses import replace

from commands.ids import ClientId, to_wire
from tests.web.browser import Browser, Page
from tests.web.rig import Rig


async def log_in(rig: Rig, browser: Browser, path: str) -> Page:
    """Press the link's button, log in at the network, come back, and stand before the choice (or before its end)."""
    sent = await browser.submit(await browser.get(path), path)
    assert sent.status == 303, sent.words
    return await arrive(browser, await browser.get(rig.callback(sent.sent_state)))


async def arrive(browser: Browser, page: Page) -> Page:
    while page.status == 303:
        page = await browser.follow(page)
    return page


async def choose(browser: Browser, page: Page, *accounts: str, **fields: str) -> Page:
    path = next(path for path in page.actions() if path.startswith("/choose/"))
    ticked = [("account", account) for account in accounts]
    return await arrive(browser, await browser.post(path, {**page.form(path), **fields}, *ticked))


def client(rig: Rig) -> str:
    return to_wire(rig.client_id)


async def limited(rig: Rig, name: str, client_name: str) -> ClientId:
    """Let somebody see one client alone."""
    client_id = await rig.client(client_name)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people[name], client_ids=frozenset({client_id})))
    return client_id
