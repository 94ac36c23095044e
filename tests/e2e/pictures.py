"""Takes the pictures of the README anew: `python -m tests.e2e.pictures`, from the checkout, with Chromium there.

They go to docs/pictures. A look at them belongs to it: this only presses the buttons.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, expect

from bot.playground.demo import free_port, started
from tests.e2e.visit import PATIENCE, Visit, browsing, chromium, opened

PICTURES = Path("docs/pictures")


async def take(browser: Browser, url: str, folder: Path) -> None:
    """Break an account on each side, and photograph what comes of it."""
    expect.set_options(timeout=PATIENCE)
    sharp = await Visit.begin(browser, url, color_scheme="light", device_scale_factor=2, reduced_motion="reduce")
    for platform, account, kind in (("discord", "Acme US Ads", "password"), ("slack", "Acme B2B", "revoked")):
        await sharp.breaks(account, kind)
        notice = sharp.messages(platform, "Lapsed", account)
        await expect(notice).to_have_count(1)
        await notice.scroll_into_view_if_needed()
        await notice.screenshot(path=folder / f"notice-{platform}.png")

    whole = await Visit.begin(browser, url, color_scheme="light", reduced_motion="reduce")
    await whole.go("slack", "dm")
    await whole.go("discord", "channel")
    await expect(whole.messages("slack", "Acme B2B")).to_have_count(1)
    await expect(whole.messages("discord", "Acme B2B")).to_have_count(1)
    await whole.page.screenshot(path=folder / "playground.png")


async def look_around(browser: Browser, url: str, folder: Path) -> None:
    """The pages of a reconnect, and the playground in other sizes and colours; for looking at, not for the README."""
    for name, options in {
        "dark": {"color_scheme": "dark"},
        "narrow": {"viewport": {"width": 1024, "height": 768}, "color_scheme": "light"},
    }.items():
        context = await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(url)
        await page.locator("html[data-ready]").wait_for()
        await Visit(page).go("slack", "dm")
        await expect(Visit(page).messages("slack", "Acme B2B")).to_have_count(1)
        await page.screenshot(path=folder / f"playground-{name}.png")
    visit = await Visit.begin(browser, url, reduced_motion="reduce")
    await visit.go("slack", "dm")
    notice = visit.messages("slack", "Lapsed", "Acme B2B")
    tab = await visit.reconnect_page("slack", notice.get_by_role("link", name="Reconnect"))
    await opened(tab, "Acme B2B")
    await tab.screenshot(path=folder / "page-reconnect.png", full_page=True)
    await tab.get_by_role("button", name="Reconnect at LinkedIn").click()
    await tab.screenshot(path=folder / "page-consent.png", full_page=True)
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="Restored")).to_be_visible()
    await tab.screenshot(path=folder / "page-success.png", full_page=True)
    await expect(visit.messages("slack", "Restored", "Acme B2B")).to_have_count(1)
    await visit.types("slack", "/lapsed")
    await visit.types("discord", "/lapsed")
    await expect(visit.private("slack", "Needs connecting")).to_have_count(1)
    await expect(visit.private("discord", "/lapsed")).to_have_count(1)
    await visit.page.screenshot(path=folder / "playground-after.png")


async def main() -> None:
    executable = chromium()
    if executable is None:
        sys.exit("There is no Chromium on this machine.")
    others = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with TemporaryDirectory() as directory:
        async with started(directory=Path(directory), port=free_port(0)) as demo, browsing(executable) as browser:
            await take(browser, demo.url, PICTURES)
            if others is not None:
                await look_around(browser, demo.url, others)


if __name__ == "__main__":
    asyncio.run(main())
