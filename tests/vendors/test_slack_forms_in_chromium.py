"""What stands in a drawn form is what a browser reads from it, whatever kind of field it is."""

import shutil
from typing import Any

import pytest
from playwright.async_api import async_playwright

from bot.playground.vendors.slack.blocks import check_view
from bot.playground.vendors.slack.html import view_to_html
from bot.playground.vendors.slack.render import Names
from tests.vendors.slack_support import ANA, RAJ, config, slack
from tests.vendors.test_slack_forms import FORM

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
READ = """async () => {
  const { filled } = await import("/_play/forms.js");
  return filled(document.querySelector("form"));
}"""


async def test_a_browser_reads_what_was_filled_in() -> None:
    executable = next((path for name in EXECUTABLES if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine")
    html = view_to_html(
        {**check_view(FORM), "id": "V1"}, Names(users={ANA: "ana", RAJ: "raj"}), errors={"note": "Say <more>"}
    )
    async with slack(config()) as here, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = await browser.new_page()
        await page.goto(here.vendor.base_url + "/_play/state")
        await page.evaluate("html => { document.body.innerHTML = html }", html)
        empty: dict[str, Any] = await page.evaluate(READ)
        assert await page.get_by_role("alert").inner_text() == "Say <more>"
        await page.get_by_label("Note").fill("hello")
        await page.get_by_label("Network").select_option("tiktok")
        await page.get_by_label("Clients").select_option(["brio", "cato"])
        await page.get_by_label("Person").select_option(RAJ)
        await page.get_by_label("Warnings").check()
        full: dict[str, Any] = await page.evaluate(READ)
        await browser.close()
    assert empty == {
        "note": {"a": ""},
        "network": {"a": ""},
        "clients": {"a": ["acme"]},
        "person": {"a": ""},
        "when": {"a": []},
    }
    assert full == {
        "note": {"a": "hello"},
        "network": {"a": "tiktok"},
        "clients": {"a": ["brio", "cato"]},
        "person": {"a": RAJ},
        "when": {"a": ["warnings"]},
    }
