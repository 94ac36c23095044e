"""What only a real browser can tell: policies that it enforces, forms that it sends, pages that it draws."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import escape

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from commands.model import Role
from commands.ports.chat import SignedIn
from commands.ports.reconnecting import PassPurpose
from tests.support.network import FakeNetwork
from tests.web.rig import FakeSignIn, Rig

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


@dataclass
class Elsewhere:
    """Another origin: a login that sends whoever comes back at once, and pages that mean no good."""

    base: str = ""
    evil: str = ""
    waits: bool = False
    """Its login shows a page with a way back, instead of sending the browser back at once."""

    async def login(self, request: web.Request) -> web.Response:
        query = request.query
        back = f"{query['redirect_uri']}?state={query['state']}&code=good"
        if self.waits:
            return web.Response(
                text=f'<title>Login</title><a href="{escape(back)}">Go back</a>', content_type="text/html"
            )
        raise web.HTTPSeeOther(back)

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=self.evil, content_type="text/html")


@asynccontextmanager
async def serving_elsewhere() -> AsyncIterator[Elsewhere]:
    elsewhere = Elsewhere()
    app = web.Application()
    app.add_routes([web.get("/login", elsewhere.login), web.get("/evil", elsewhere.page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    elsewhere.base = f"http://127.0.0.1:{site.port}"
    try:
        yield elsewhere
    finally:
        await runner.cleanup()


@dataclass
class SignInElsewhere(FakeSignIn):
    base: str = ""

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        return f"{self.base}/login?state={state}&redirect_uri={redirect_uri}"


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    async with serving_elsewhere() as served:
        yield served


@pytest.fixture(scope="module")
def executable() -> str:
    found = next((path for name in EXECUTABLES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture
async def chromium(executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def path(rig: Rig, elsewhere: Elsewhere) -> str:
    """Ana's link, with a chat platform and a network that live on the other origin and know her already."""
    rig.network = FakeNetwork(spec=rig.network.spec, base=elsewhere.base)
    rig.networks[rig.network.spec.slug] = rig.network
    ana = SignedIn(platform=rig.platform.name, tenant="T1", user="U-ana", name="Ana Ruiz", email=None)
    rig.platform.sign_in = SignInElsewhere(who=ana, base=elsewhere.base)
    rig.login("1")
    return await rig.link(await rig.add_connection("1"))


async def open_signed_in(rig: Rig, context: BrowserContext, path: str) -> Page:
    page = await context.new_page()
    await page.goto(rig.base + path)
    await page.get_by_role("button", name="Sign in with Chatter").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Acme EU Ads")
    return page


@pytest.mark.behaviour("R-3", "R-12")
async def test_the_loop_works_without_scripts_and_by_keyboard_alone(rig: Rig, chromium: Browser, path: str) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(rig.base + path)
    for name in ("Sign in with Chatter", "Reconnect at Examplenet"):
        button = page.get_by_role("button", name=name)
        await button.focus()
        await page.keyboard.press("Enter")
        await button.wait_for(state="detached")
    await expect(page.get_by_role("status")).to_contain_text("1 account is back")
    assert "/a/" in page.url
    assert "code=" not in page.url
    await context.close()


@pytest.mark.behaviour("R-1")
async def test_a_page_elsewhere_cannot_press_the_button(
    rig: Rig, chromium: Browser, path: str, elsewhere: Elsewhere
) -> None:
    """Row 63."""
    context = await chromium.new_context()
    page = await open_signed_in(rig, context, path)
    token = await page.locator(f'form[action="{path}"] input[name="token"]').get_attribute("value")
    elsewhere.evil = (
        f'<form method="post" action="{rig.base}{path}"><input name="token" value="{token}">'
        "<button>Win a prize</button></form>"
    )
    await page.goto(f"{elsewhere.base.replace('127.0.0.1', 'localhost')}/evil")
    async with page.expect_response(rig.base + path) as waiting:
        await page.get_by_role("button").click()
    response = await waiting.value
    assert response.status == 403
    assert "exchange" not in rig.network.asked
    await context.close()


async def test_a_page_of_ours_is_not_shown_in_a_frame(
    rig: Rig, chromium: Browser, path: str, elsewhere: Elsewhere
) -> None:
    """Row 64."""
    context = await chromium.new_context()
    page = await context.new_page()
    elsewhere.evil = f'<iframe src="{rig.base}{path}"></iframe>'
    await page.goto(f"{elsewhere.base}/evil")
    inside = page.frames[-1]
    assert await inside.get_by_text("Sign in to go on").count() == 0
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_a_narrow_screen_and_have_their_landmarks(
    rig: Rig, chromium: Browser, path: str, scheme: str
) -> None:
    # 320 pixels is a 640-pixel window at 200% zoom (WCAG 1.4.10).
    context = await chromium.new_context(
        viewport={"width": 320, "height": 640}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = await open_signed_in(rig, context, path)
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(1)
    await expect(page.get_by_role("contentinfo")).to_have_count(1)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await expect(page.get_by_role("region", name="Lapsed since")).to_be_visible()
    ground, ink = await page.evaluate(
        "(() => { const s = getComputedStyle(document.querySelector('main')); return [s.backgroundColor, s.color] })()"
    )
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    assert ground != ink
    await context.close()


async def show_accounts(rig: Rig, context: BrowserContext) -> Page:
    """Ana's list, opened by a personal link."""
    page = await context.new_page()
    await page.goto(rig.base + await rig.bearer_link(PassPurpose.ACCOUNTS))
    await page.get_by_role("button", name="Show my accounts").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Accounts of Ana Ruiz")
    return page


@pytest.mark.behaviour("R-13", "R-14", "C-7")
async def test_new_accounts_are_connected_from_a_personal_link_without_scripts_by_keyboard_alone(
    rig: Rig, chromium: Browser, path: str
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await show_accounts(rig, context)
    rig.login("1", "501", subject="s-new")
    for name in ("Connect new accounts", "Log in at Examplenet"):
        button = page.get_by_role("button", name=name)
        await button.focus()
        await page.keyboard.press("Enter")
        await button.wait_for(state="detached")
    assert "code=" not in page.url
    box = page.get_by_role("checkbox", name="Account 501")
    await box.focus()
    await page.keyboard.press("Space")
    await page.get_by_label("Client", exact=True).select_option("Acme")
    await page.get_by_role("button", name="Connect", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("1 account is connected")
    assert await rig.connection_of("501") is not None
    await context.close()


@pytest.mark.behaviour("P-6")
async def test_a_page_elsewhere_cannot_confirm_a_one_time_link(
    rig: Rig, chromium: Browser, path: str, elsewhere: Elsewhere
) -> None:
    await rig.add_person("Nia New", Role.STAFF, linked=False)
    nia = SignedIn(platform=rig.platform.name, tenant="T1", user="U-nia", name="nia.n", email=None)
    rig.platform.sign_in = SignInElsewhere(who=nia, base=elsewhere.base)
    one_time = await rig.bearer_link(PassPurpose.IDENTITY, "Nia New")
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(rig.base + one_time)
    await page.get_by_role("button", name="Sign in with Chatter").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Is this you?")
    token = await page.locator(f'form[action="{one_time}"] input[name="token"]').get_attribute("value")
    elsewhere.evil = (
        f'<form method="post" action="{rig.base}{one_time}"><input name="token" value="{token}">'
        f'<button>Win a prize</button></form><iframe src="{rig.base}{one_time}"></iframe>'
    )
    await page.goto(f"{elsewhere.base.replace('127.0.0.1', 'localhost')}/evil")
    assert await page.frames[-1].get_by_text("Is this you?").count() == 0
    async with page.expect_response(rig.base + one_time) as waiting:
        await page.get_by_role("button").click()
    assert (await waiting.value).status == 403
    async with rig.storage.reading() as uow:
        assert await uow.people.identities(rig.organization_id, [rig.people["Nia New"].id]) == {}
    await context.close()


@pytest.mark.behaviour("N-14")
async def test_unsubscribing_works_from_a_page_elsewhere_and_by_its_own_button(
    rig: Rig, chromium: Browser, path: str, elsewhere: Elsewhere
) -> None:
    address = rig.base + await rig.bearer_link(PassPurpose.UNSUBSCRIBE)
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    elsewhere.evil = (
        f'<form method="post" action="{address}"><input name="List-Unsubscribe" value="One-Click">'
        "<button>Unsubscribe</button></form>"
    )
    for start in (f"{elsewhere.base.replace('127.0.0.1', 'localhost')}/evil", address):
        await page.goto(start)
        await page.get_by_role("button", name="Unsubscribe").click()
        await expect(page.get_by_role("status")).to_contain_text("You are unsubscribed")
    assert await context.cookies() == []
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_lists_and_choices_fit_a_narrow_screen(rig: Rig, chromium: Browser, path: str, scheme: str) -> None:
    context = await chromium.new_context(
        viewport={"width": 320, "height": 640}, color_scheme="dark" if scheme == "dark" else "light"
    )
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    page = await show_accounts(rig, context)
    assert await page.evaluate(fits)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    rig.login("1", *(f"{number}" * 24 for number in range(5, 9)), subject="s-new", name="a-rather-long-login@" * 3)
    for name in ("Connect new accounts", "Log in at Examplenet"):
        await page.get_by_role("button", name=name).click()
        await page.get_by_role("button", name=name).wait_for(state="detached")
        assert await page.evaluate(fits)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose what to connect")
    unnamed = "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length).length"
    assert await page.evaluate(unnamed) == 0
    await context.close()


@pytest.mark.behaviour("R-4", "R-18")
async def test_back_and_reload_after_the_end_land_on_the_result_or_the_page_before_and_never_on_an_error(
    rig: Rig, chromium: Browser, path: str
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await open_signed_in(rig, context, path)
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status))
    await page.get_by_role("button", name="Reconnect at Examplenet").click()
    await expect(page.get_by_role("status")).to_contain_text("1 account is back")
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("1 account is back")
    await page.go_back()
    await expect(page.get_by_role("heading", level=2)).to_contain_text("Already working")
    await page.go_forward()
    await expect(page.get_by_role("status")).to_contain_text("1 account is back")
    assert [status for status in statuses if status >= 400] == []
    assert rig.network.asked.count("exchange") == 1
    await context.close()


@pytest.mark.behaviour("R-3", "R-17", "R-18")
async def test_two_tabs_for_two_logins_both_work_and_one_left_at_the_network_is_gone_on_with(
    rig: Rig, chromium: Browser, path: str, elsewhere: Elsewhere
) -> None:
    """Row 60."""
    other = await rig.add_authorization("Ana Ruiz", subject="s-ana-2")
    second = await rig.link(await rig.add_connection("2", authorization_id=other))
    context = await chromium.new_context(java_script_enabled=False)
    page = await open_signed_in(rig, context, path)
    elsewhere.waits = True
    tab = await context.new_page()
    for one, address in ((page, path), (tab, second)):
        await one.goto(rig.base + address)
        await one.get_by_role("button", name="Reconnect at Examplenet").click()
        await expect(one.get_by_role("link", name="Go back")).to_be_visible()
    rig.login("2", subject="s-ana-2")
    await tab.get_by_role("link", name="Go back").click()
    await expect(tab.get_by_role("status")).to_contain_text("1 account is back")
    third = await context.new_page()
    await third.goto(rig.base + path)
    await expect(third.get_by_role("region", name="A login is under way")).to_contain_text("You started")
    await third.get_by_role("button", name="Go on at Examplenet").click()
    rig.login("1")
    await page.get_by_role("link", name="Go back").click()  # the login before it, from the first tab
    await expect(page.get_by_role("heading", level=2).first).to_contain_text("You began another login")
    await third.get_by_role("link", name="Go back").click()
    await expect(third.get_by_role("status")).to_contain_text("1 account is back")
    await context.close()


async def test_the_keyboard_reaches_everything_in_the_order_of_reading_and_shows_where_it_is(
    rig: Rig, chromium: Browser, path: str
) -> None:
    rig.network.spec = replace(rig.network.spec, steps=("Choose the account.",))
    context = await chromium.new_context()
    page = await open_signed_in(rig, context, path)
    await page.reload()
    reached: list[str] = []
    for _ in range(4):
        await page.keyboard.press("Tab")
        text, outline = await page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.innerText.trim(), s.outlineStyle + ' ' + s.outlineWidth] })()"
        )
        reached.append(text)
        assert outline.startswith("solid"), f"{text} does not show that it has the focus"
    assert reached == ["Skip to the content", "What Examplenet will ask", "Reconnect at Examplenet", "Sign out"]
    assert await page.evaluate("document.documentElement.lang") == "en"
    await context.close()


async def test_a_browser_that_keeps_no_cookies_is_told_that_it_must(rig: Rig, chromium: Browser, path: str) -> None:
    """Row 61: browsers inside apps, and those that block what they take for a third party."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(rig.base + path)
    await context.clear_cookies()
    await page.get_by_role("button", name="Sign in with Chatter").click()
    await expect(page.locator("main")).to_contain_text("Let the browser keep cookies of this address")
    await context.close()
