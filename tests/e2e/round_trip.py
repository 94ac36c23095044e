"""One network's real adapter and its stand-in, our pages and a browser: what a round trip is walked through with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from bot.playground.vendors.networks import App, NetworkPeople, serve_network
from commands.ids import AuthorizationId, ConnectionId
from commands.model import ConnectionState, Parent, Verdict
from commands.ports.chat import SignedIn
from commands.ports.network import Network
from platform_adapters.discovery import build_networks
from tests.e2e.visit import PATIENCE
from tests.support.network import FakeNetwork
from tests.support.network_rigs import EAST, NetworkRig, config, environment
from tests.web.rig import FakeSignIn, Rig, opened_rig

NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lind"}


@dataclass
class AtOnce(FakeSignIn):
    """A chat platform that knows who is in the browser and sends them back at once."""

    base: str = ""

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        return f"{self.base}/login?state={state}&redirect_uri={redirect_uri}"


async def _back(request: web.Request) -> web.Response:
    raise web.HTTPSeeOther(f"{request.query['redirect_uri']}?state={request.query['state']}&code=good")


@dataclass
class Trip:
    """Ana's lapsed accounts of one network, their links, and a browser."""

    rig: Rig
    network: Network
    people: NetworkPeople
    at_network: NetworkRig
    chat: AtOnce
    browser: Browser
    accounts: dict[str, ConnectionId]
    """By account id: what one login of Ana's reaches."""
    login: AuthorizationId

    @property
    def name(self) -> str:
        """What people call the network."""
        return self.network.spec.name

    @property
    def first(self) -> ConnectionId:
        return next(iter(self.accounts.values()))

    async def link(self, connection: ConnectionId | None = None, person: str = "Ana Ruiz") -> str:
        """The address of a person's Reconnect page."""
        return self.rig.base + await self.rig.link(connection or self.first, person)

    async def visitor(self, person: str = "Ana Ruiz") -> BrowserContext:
        """A browser that was never here, with somebody in front of it, who uses it without scripts."""
        self.who(person)
        context = await self.browser.new_context(java_script_enabled=False)
        context.set_default_timeout(PATIENCE)
        return context

    def who(self, person: str) -> None:
        """Somebody is signed in with the chat platform from now on."""
        user = f"U-{person.split(maxsplit=1)[0].lower()}"
        self.chat.who = SignedIn(platform=self.rig.platform.name, tenant="T1", user=user, name=person, email=None)

    async def opens(self, context: BrowserContext, address: str) -> Page:
        """Open a page of ours, and sign in if it asks."""
        page = await context.new_page()
        await page.goto(address)
        sign_in = page.get_by_role("button", name="Sign in with Chatter")
        if await sign_in.count():
            await sign_in.click()
        return page

    async def to_the_network(self, page: Page) -> None:
        """Press the page's one button."""
        await self.reconnect(page).click()
        await expect(page.get_by_role("banner")).to_contain_text("stand-in")

    def reconnect(self, page: Page) -> Locator:
        """The button that leads to the network's login."""
        return page.get_by_role("button", name=f"Reconnect at {self.name}")

    async def logs_in(self, page: Page, profile: str = "ana") -> None:
        """Be somebody at the network; who is logged in already is asked nothing."""
        not_you = page.get_by_role("button", name="Not you? Log in as another person")
        if await not_you.count() and not await page.get_by_text(f"Logged in as {NAMES[profile]}").count():
            await not_you.click()
        chosen = page.get_by_label(NAMES[profile])
        if await chosen.count():
            await chosen.check()
            await page.get_by_role("button", name="Log in").click()

    async def chooses(self, page: Page, business: Parent) -> bool:
        """Choose a business on the network's page; False where it asks for none."""
        businesses = page.get_by_role("combobox")
        if not await businesses.locator(f'option[value="{business.id}"]').count():
            return False
        await businesses.select_option(business.id)
        await page.get_by_role("button", name="Choose").click()
        return True

    async def allows(self, page: Page) -> None:
        await page.get_by_role("button", name="Allow").click()

    async def round_trip(self, page: Page, profile: str = "ana") -> None:
        """To the network, through its login, and back."""
        await self.to_the_network(page)
        await self.logs_in(page, profile)
        await self.allows(page)

    async def states(self) -> list[ConnectionState]:
        """Of Ana's accounts, in their order."""
        return [(await self.rig.connection(one)).state for one in self.accounts.values()]

    def pass_time(self, by: timedelta) -> None:
        """Here and at the network."""
        self.rig.clock.advance(by)
        self.at_network.clock.advance(by)


@asynccontextmanager
async def trip(slug: str, database_url: str, browser: Browser) -> AsyncIterator[Trip]:
    """Serve a stand-in, our pages, and a chat platform's login."""
    async with opened_rig(database_url) as rig:
        at_the_network = config(slug, rig.clock)
        callback = f"{rig.base}/oauth/cb/{slug}"
        app = App(id="app", secret="app-secret", name="lapsebot", redirect_uris=(callback,))
        async with (
            serve_network(replace(at_the_network, apps=[app])) as base,
            aiohttp.ClientSession() as session,
            _chat() as chat,
        ):
            network = build_networks(environment(slug, base), rig.clock)[slug]
            rig.network = FakeNetwork(spec=network.spec)  # what the rig's rows are of
            rig.networks[slug] = network
            rig.platform.sign_in = chat
            people = NetworkPeople(base, session)
            at_network = NetworkRig(network=network, people=people, clock=rig.clock)
            subject, name = at_network.subject("ana")
            login = await rig.add_authorization("Ana Ruiz", subject=subject, name=name)
            async with network.running():
                yield Trip(
                    rig=rig,
                    network=network,
                    people=people,
                    at_network=at_network,
                    chat=chat,
                    browser=browser,
                    accounts=await _accounts(rig, at_network, login),
                    login=login,
                )


async def _accounts(rig: Rig, at_network: NetworkRig, login: AuthorizationId) -> dict[str, ConnectionId]:
    """What one login of Ana's reaches, all of it lapsed."""
    parent: Parent | None = EAST if at_network.network.spec.parent_label else None
    return {
        account: await rig.add_connection(
            account, f"Account {account}", cause=Verdict.REVOKED, authorization_id=login, parent=parent
        )
        for account in at_network.reached
    }


@asynccontextmanager
async def _chat() -> AsyncIterator[AtOnce]:
    app = web.Application()
    app.router.add_get("/login", _back)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield AtOnce(base=f"http://127.0.0.1:{site.port}")
    finally:
        await runner.cleanup()
