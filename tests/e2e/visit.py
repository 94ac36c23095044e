"""The playground as somebody in front of it uses it: only what can be seen and pressed."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root, for whom Chromium has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 40_000  # ms until something that should be seen is missed; machines that run tests are slow now and then
SIGN_IN = {"slack": ("Sign in with Slack", "Continue as"), "discord": ("Sign in with Discord", "Authorize")}
MESSAGE = {"slack": "article.s-message", "discord": "article.dc-message"}
BODY = {"slack": ".s-content", "discord": ".dc-body"}
PRIVATE = {"slack": "Only visible to you", "discord": "Only you can see this"}


def chromium() -> str | None:
    """Where this machine's Chromium is, if it has one."""
    return next((path for name in EXECUTABLES if (path := shutil.which(name))), None)


@asynccontextmanager
async def browsing(executable: str) -> AsyncIterator[Browser]:
    """A browser with no window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """One tab with the playground in it."""

    page: Page

    @classmethod
    async def begin(cls, browser: Browser, url: str, **options: object) -> "Visit":
        """Open the playground in a browser that was never here."""
        size = {"viewport": {"width": 1440, "height": 900}}
        context = await browser.new_context(**(size | options))  # type: ignore[arg-type]  # as Playwright names them
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        await page.goto(url)
        await page.locator("html[data-ready]").wait_for()
        return cls(page)

    def pane(self, platform: str) -> Locator:
        return self.page.locator(f"#{platform}")

    async def be(self, platform: str, name: str) -> None:
        """Switch to somebody; the browser is theirs from then on."""
        await self.pane(platform).get_by_role("group", name="Be somebody").get_by_text(name).click()
        await expect(self.page.locator("#browser b")).to_contain_text(name)

    async def go(self, platform: str, place: str) -> None:
        """Look at `channel` or `dm`."""
        await self.pane(platform).locator(f"[data-place={place}]").click()

    async def types(self, platform: str, text: str) -> None:
        composer = self.pane(platform).get_by_label("Message in")
        await composer.fill(text)
        await composer.press("Enter")

    def messages(self, platform: str, *texts: str) -> Locator:
        """The messages on the screen that have all these texts in them, oldest first."""
        found = self.pane(platform).locator(MESSAGE[platform])
        for text in texts:
            # A reply repeats the beginning of what it answers, outside its body.
            found = found.filter(has=self.page.locator(BODY[platform], has_text=text))
        return found

    def private(self, platform: str, *texts: str) -> Locator:
        """The same, of those that nobody else sees."""
        return self.messages(platform, PRIVATE[platform], *texts)

    async def breaks(self, account: str, kind: str) -> None:
        """Break a connection in the panel. Whoever connected it comes to the front, at their direct messages."""
        await self.page.get_by_label(f"Break {account}", exact=True).select_option(kind)

    async def repairs(self, account: str) -> None:
        await self.page.get_by_label(f"Repair {account}", exact=True).click()

    def state(self, account: str) -> Locator:
        """What the panel says of a connection."""
        return self.page.locator(f'[data-account="{account}"] .state')

    async def follows(self, link: Locator) -> Page:
        """Press a link, and give the tab that it opens."""
        async with self.page.context.expect_page() as opening:
            await link.click()
        tab = await opening.value
        await tab.wait_for_load_state()
        return tab

    async def reconnect_page(self, platform: str, link: Locator) -> Page:
        """Press a Reconnect link, sign in if asked to, and give the tab with the page."""
        tab = await self.follows(link)
        await tab.get_by_role("heading", level=1).wait_for()
        if await tab.get_by_role("button", name=SIGN_IN[platform][0]).count():
            await signs_in(tab, platform)
        return tab


async def signs_in(tab: Page, platform: str) -> None:
    """Sign in with the chat platform, from our page to our page. Discord does not ask twice for the same consent."""
    sign_in, go_on = SIGN_IN[platform]
    async with tab.expect_navigation():
        await tab.get_by_role("button", name=sign_in).click()
    if await tab.get_by_role("button", name=go_on).count():
        await tab.get_by_role("button", name=go_on).click()


async def opened(tab: Page, account: str) -> None:
    """Wait until a tab shows the page of an account."""
    await expect(tab.get_by_role("heading", name=account)).to_be_visible()
