"""Forms and choices in a real browser: what the stand-in's own page parts do for whoever plays a person."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.playground.vendors.discord import create_discord_vendor
from tests.vendors.discord_support import ANA, CONFIG, GENERAL, connected
from tests.vendors.test_discord_forms import Bot

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
PAGE = f"""<!doctype html><html lang="en"><head><title>Discord</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/_play/discord.css"></head>
<body><div class="discord" id="root"><button id="open">Open</button><p id="came" role="status"></p>
<form><input id="typed" aria-label="Account"></form></div>
<script type="module">
import {{ offerChoices, showForm }} from "/_play/people.js";
const post = (path, body) => fetch("/_play/" + path, {{ method: "POST", body: JSON.stringify(body),
  headers: {{ "Content-Type": "application/json" }} }}).then((response) => response.json());
document.querySelector("#open").addEventListener("click", async () => {{
  const opened = await post("run", {{ user: "{ANA}", channel: "{GENERAL}", command: "subscribe", options: {{}} }});
  const came = await showForm(document.querySelector("#root"), "{ANA}", opened);
  document.querySelector("#came").textContent = came ? came.message.content : "closed";
}});
const input = document.querySelector("#typed");
offerChoices(input, async (text) => text && {{ user: "{ANA}", channel: "{GENERAL}", command: "list",
  options: {{ account: text }}, focused: "account", accept: (choice) => (input.value = choice.value) }});
</script></body></html>"""


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
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A page like the playground's, with the real library's bot behind it."""

    async def shown(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    vendor = create_discord_vendor(CONFIG)
    vendor.app.router.add_get("/page", shown)
    runner = web.AppRunner(vendor.app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.set_base_url(f"http://127.0.0.1:{site.port}")
    try:
        async with connected(vendor, Bot()):
            opened = await chromium.new_page()
            await opened.goto(vendor.base_url + "/page")
            yield opened
    finally:
        await runner.cleanup()


async def test_a_form_is_filled_in_and_sent(page: Page) -> None:
    """Text, several of a menu, and a person, by keyboard and labels alone."""
    await page.get_by_role("button", name="Open").click()
    await page.get_by_label("Note").fill("mine")
    await page.get_by_label("Networks").select_option(["tiktok", "linkedin"])
    await page.get_by_label("Person").select_option(label="raj")
    await page.get_by_label("Note").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("mine | tiktok,linkedin | [('Member', 'raj')]")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_form_is_closed_by_its_button_and_by_escape(page: Page) -> None:
    """Nothing is sent, and it can be opened again."""
    for by_key in (False, True):
        await page.get_by_role("button", name="Open").click()
        await page.get_by_label("Note").fill("never sent")
        if by_key:
            await page.keyboard.press("Escape")
        else:
            await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("status")).to_have_text("closed")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_choices_are_offered_while_one_types(page: Page) -> None:
    """One is taken with a click, and the list goes."""
    await page.get_by_label("Account").press_sequentially("ac")
    await page.get_by_role("button", name="Account 0").click()
    await expect(page.get_by_label("Account")).to_have_value("0")
    await expect(page.get_by_role("listitem")).to_have_count(0)
