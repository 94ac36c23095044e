"""Takes pictures of what six kinds of people see in Slack and Discord: `python -m tests.e2e.tour FOLDER`.

Three accounts break; then everybody looks at their direct messages, asks `/lapsed`, and in Slack opens the app's Home.
What comes of a week without anybody acting follows. A look at the pictures belongs to it.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, expect

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
    await later(visit, folder)


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
