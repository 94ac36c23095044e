"""Takes pictures of what six kinds of people see in Slack and Discord: `python -m tests.e2e.tour FOLDER`.

Three accounts break; then everybody looks at their direct messages, asks `/lapsed`, and in Slack opens the app's Home.
Then a network is down for everybody, accounts move, a key is deleted, the host product reports, and a login leaves a
permission out. What comes of a week without anybody acting follows. A look at the pictures belongs to it.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, Page, expect

from bot.playground import cast
from bot.playground.demo import free_port, started
from tests.e2e.pictures import pack
from tests.e2e.visit import PATIENCE, Visit, browsing, chromium

BROKEN = (("Acme EU Ads", "revoked"), ("Acme US Ads", "password"), ("Brio Shop", "expired"))
TALL = {"width": 1500, "height": 1500}


async def look_around(browser: Browser, url: str, folder: Path) -> None:
    """Break what is to be seen, and see it with everybody's eyes."""
    expect.set_options(timeout=PATIENCE)
    visit = await Visit.begin(browser, url, viewport=TALL, color_scheme="light", reduced_motion="reduce")
    for account, kind in BROKEN:
        await visit.breaks(account, kind)
        await expect(visit.state(account)).to_contain_text("lapsed")
    for one in cast.PEOPLE:
        await everything(visit, one, folder)
    await outage(visit, folder)
    await moved(visit, folder)
    await own_networks(visit, folder)
    await a_permission_left_out(visit, folder)
    await later(visit, folder)


async def answered(visit: Visit, platform: str, words: str, path: Path) -> None:
    """Type a command in the channel, and photograph the answer."""
    await visit.go(platform, "channel")
    before = await visit.private(platform).count()
    await visit.types(platform, words)
    await expect(visit.private(platform)).to_have_count(before + 1)
    answer = visit.private(platform).last
    await expect(answer).not_to_contain_text("thinking")
    await answer.scroll_into_view_if_needed()
    await answer.screenshot(path=path)


async def outage(visit: Visit, folder: Path) -> None:
    """A network is down for everybody: the calm line, the list's line, and the end of it."""
    network = visit.page.locator("[data-network=linkedin]")
    await visit.be("slack", "Mei")
    await visit.go("slack", "channel")
    await network.get_by_role("button", name="Take network down").click()
    held = visit.messages("slack", "Held: LinkedIn")
    await expect(held).to_have_count(1)
    await held.screenshot(path=folder / "slack-outage-1-line.png")
    await visit.page.screenshot(path=folder / "outage-2-playground.png")
    for platform, name in (("slack", "Mei"), ("discord", "Raj")):
        await visit.be(platform, name)
        await answered(visit, platform, "/lapsed", folder / f"{platform}-outage-3-lapsed.png")
    await visit.be("slack", "Mei")
    await visit.go("slack", "home")
    await expect(visit.pane("slack").locator(".s-home")).to_contain_text("Held: LinkedIn")
    await visit.pane("slack").screenshot(path=folder / "slack-outage-4-home.png")
    await visit.go("slack", "channel")
    await network.get_by_role("button", name="Bring network back").click()
    over = visit.messages("slack", "Over: LinkedIn works again").first
    await expect(over).to_be_visible()
    await over.screenshot(path=folder / "slack-outage-5-over.png")
    for platform, name, words, what in (
        ("slack", "Ana", "/lapsed upcoming", "upcoming"),
        ("discord", "Raj", "/lapsed show:upcoming", "upcoming"),
        ("slack", "Mei", "/lapse-admin links", "links"),
        ("discord", "Raj", "/lapse-admin links", "links"),
    ):
        await visit.be(platform, name)
        await answered(visit, platform, words, folder / f"{platform}-{what}.png")


async def noticed(visit: Visit, platform: str, account: str, kind: str, folder: Path) -> Page:
    """Break an account, photograph the notice and the page behind its first link, and give that page."""
    await visit.breaks(account, kind)
    notice = visit.messages(platform, account).last
    await expect(visit.state(account)).to_contain_text("lapsed")
    await expect(notice).to_be_visible()
    await notice.scroll_into_view_if_needed()
    name = account.lower().replace(" ", "-")
    await notice.screenshot(path=folder / f"{platform}-{kind}-{name}-notice.png")
    tab = await visit.reconnect_page(platform, notice.get_by_role("link").first)
    await tab.screenshot(path=folder / f"page-{kind}-{name}.png", full_page=True)
    return tab


async def moved(visit: Visit, folder: Path) -> None:
    """An account went to another business, which somebody here is connected through: the card, and accepting it."""
    for platform, account, administrator in (("slack", "Brio Launch", "Mei"), ("discord", "Acme DE", "Raj")):
        await visit.breaks(account, "moved")
        await expect(visit.state(account)).to_contain_text("lapsed")
        await visit.be(platform, administrator)
        await visit.go(platform, "channel")
        await visit.types(platform, "/reconnect " + (account if platform == "slack" else f"account:{account}"))
        answer = visit.private(platform, account).last
        await expect(answer).to_contain_text("moved")
        await answer.screenshot(path=folder / f"{platform}-moved.png")


async def own_networks(visit: Visit, folder: Path) -> None:
    """An account with a key, one that the host product keeps, and the host product's own pages."""
    await noticed(visit, "slack", "Brio Mail", "key_deleted", folder)
    tab = await noticed(visit, "slack", "Acme Shop", "app_removed", folder)
    await tab.locator("button.primary").click()
    await tab.get_by_role("button", name="Put the app back").wait_for()
    await tab.screenshot(path=folder / "suite-1-mend.png", full_page=True)
    suite = await visit.follows(visit.page.locator("[data-network=suite_shops]").get_by_role("link", name="Open it"))
    await suite.screenshot(path=folder / "suite-2-told.png", full_page=True)


async def a_permission_left_out(visit: Visit, folder: Path) -> None:
    """The page of what a login brought, held against what was needed."""
    tab = await noticed(visit, "discord", "Acme NL", "permission", folder)
    await tab.get_by_role("button", name="Reconnect at TikTok").click()
    await tab.get_by_label("Reporting").uncheck()
    await tab.get_by_role("button", name="Allow").click()
    await tab.get_by_role("heading", name="A permission is missing").wait_for()
    await tab.screenshot(path=folder / "page-verdict.png", full_page=True)


async def everything(visit: Visit, one: cast.Somebody, folder: Path) -> None:
    """What one person sees: direct messages, the list, the help; in Slack the app's Home."""
    pane, name = visit.pane(one.platform), f"{one.platform}-{one.part.value.replace(' ', '-')}-{one.key}"
    first_name = one.name.split(maxsplit=1)[0]
    await visit.be(one.platform, first_name)
    await visit.go(one.platform, "dm")
    if one.part is not cast.Part.STRANGER and one.part is not cast.Part.LIMITED:
        await expect(visit.messages(one.platform, "Lapsed").first).to_be_visible()
    await pane.screenshot(path=folder / f"{name}-1-messages.png")
    await visit.go(one.platform, "channel")
    for number, words in enumerate(("/lapsed", "/reconnect", "/lapsed stats"), start=2):
        before = await visit.private(one.platform).count()
        shown = words.replace(" ", " show:", 1) if one.platform == "discord" else words
        await visit.types(one.platform, shown)
        await expect(visit.private(one.platform)).to_have_count(before + 1)
        answer = visit.private(one.platform).last
        await expect(answer).not_to_contain_text("thinking")
        for picture in await answer.locator("img").all():
            await expect(picture).to_have_js_property("complete", value=True)
        await answer.scroll_into_view_if_needed()
        await answer.screenshot(path=folder / f"{name}-{number}{words.replace('/', '-').replace(' ', '-')}.png")
    if one.platform == "slack":
        await visit.go("slack", "home")
        await expect(pane.locator(".s-home")).to_be_visible()
        await pane.screenshot(path=folder / f"{name}-5-home.png")


async def later(visit: Visit, folder: Path) -> None:
    """Nobody acts: the reminders of a week."""
    for _ in range(2):
        await visit.page.get_by_role("button", name="5 days later").click()
        await visit.page.get_by_role("button", name="A day later").click()
    for platform, name in (("slack", "Ana"), ("discord", "Bo")):
        await visit.be(platform, name)
        await visit.go(platform, "dm")
        await expect(visit.messages(platform, "still").first).to_be_visible()
        await visit.pane(platform).screenshot(path=folder / f"{platform}-later-{name.lower()}.png")


async def main() -> None:
    executable = chromium()
    if executable is None:
        sys.exit("There is no Chromium on this machine.")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tour")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as directory:
        async with started(directory=Path(directory), port=free_port(0)) as demo, browsing(executable) as browser:
            await look_around(browser, demo.url, folder)
    for picture in folder.glob("*.png"):
        pack(picture)


if __name__ == "__main__":
    asyncio.run(main())
