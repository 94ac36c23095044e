"""What axe-core finds on the pages, in each state that they have, in light and dark, on a phone and on a desk."""

import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page as Tab
from playwright.async_api import Route, ViewportSize, async_playwright

from tests.web.browser import Browser, Page
from tests.web.rig import Rig
from tests.web.states import others, rehearsals, renamed, results

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
SIZES = {"phone": ViewportSize(width=375, height=740), "desk": ViewportSize(width=1280, height=900)}
AS: tuple[tuple[Literal["light", "dark"], str], ...] = (("light", "phone"), ("dark", "desk"))
"""Each scheme and each size once: what one hides in another, colours and widths, does not hang on both."""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    executable = next((path for name in EXECUTABLES if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        await browser.close()


@dataclass
class Drawn:
    """A tab that draws an answer which was got otherwise, with its own headers and our style sheet."""

    tab: Tab
    base: str

    async def show(self, page: Page) -> None:
        async def answer(route: Route) -> None:
            await route.fulfill(status=page.status, headers=dict(page.headers), body=page.text)

        await self.tab.unroute_all()
        await self.tab.route(f"{self.base}/drawn", answer)
        await self.tab.goto(f"{self.base}/drawn")


async def wrong_with(drawn: Drawn, pages: Mapping[str, Page]) -> list[str]:
    """What axe-core, and the width of the window, say against these pages."""
    axe, found = Axe(), []
    for name, page in pages.items():
        await drawn.show(page)
        said = await axe.run(drawn.tab)
        found += [
            f"{name}: {violation['id']}: {violation['help']}: {violation['nodes'][0]['html']}"
            for violation in said.response["violations"]
        ]
        if not await drawn.tab.evaluate(FITS):
            found.append(f"{name}: wider than the window")
    return found


@pytest.mark.behaviour("R-1", "R-15", "X-5")
@pytest.mark.parametrize("gather", [results, rehearsals, others], ids=["after", "before", "beside"])
async def test_axe_finds_nothing_on_any_page_in_light_and_dark_on_a_phone_and_a_desk(
    rig: Rig, browser: Browser, chromium: Chromium, gather: object
) -> None:
    renamed(rig)
    assert callable(gather)
    if gather is not results:
        await rig.signed_in(browser, await rig.link(await rig.add_connection("1")))
    pages = await gather(rig, browser)
    assert [name for name, page in pages.items() if page.status >= 500 or page.status == 303] == []
    found = []
    for scheme, size in AS:
        context = await chromium.new_context(viewport=SIZES[size], color_scheme=scheme)
        drawn = Drawn(tab=await context.new_page(), base=rig.base)
        found += [f"{scheme}, {size}, {each}" for each in await wrong_with(drawn, pages)]
        await context.close()
    assert found == []


async def test_what_is_wrong_with_a_page_is_found(rig: Rig, chromium: Chromium) -> None:
    """So that the test above proves something."""
    context = await chromium.new_context(viewport=SIZES["phone"])
    drawn = Drawn(tab=await context.new_page(), base=rig.base)
    body = '<main><h1>One</h1><h3>Three</h3><input><p style="width:900px;color:#ddd;background:#fff">Pale</p></main>'
    text = f"<!doctype html><html><head><title>Wrong</title></head><body>{body}</body></html>"
    page = Page(status=200, headers={"Content-Type": "text/html"}, text=text, url="")
    found = " ".join(await wrong_with(drawn, {"planted": page}))
    for rule in ("html-has-lang", "label", "color-contrast", "heading-order", "wider than the window"):
        assert rule in found
    await context.close()
