"""Takes the pictures of the README anew: `python -m tests.e2e.pictures`, from the checkout, with Chromium there.

They go to docs/pictures. A look at them belongs to it: this only presses the buttons.
"""

import asyncio
import struct
import sys
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, expect

from bot.playground.demo import free_port, started
from tests.e2e.visit import PATIENCE, Visit, browsing, chromium, opened

PICTURES = Path("docs/pictures")
_RGB = 3  # bytes of a pixel


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

    size = {"width": 1400, "height": 740}  # a larger picture would weigh more than 200 kB
    whole = await Visit.begin(browser, url, viewport=size, color_scheme="light", reduced_motion="reduce")
    await whole.go("slack", "dm")
    await whole.go("discord", "channel")
    await expect(whole.messages("slack", "Acme B2B")).to_have_count(1)
    await expect(whole.messages("discord", "Acme B2B")).to_have_count(1)
    await whole.page.screenshot(path=folder / "playground.png")


async def look_around(browser: Browser, url: str, folder: Path) -> None:
    """The pages of a reconnect, and the playground in other sizes and colours; for looking at, not for the README."""
    dark = await Visit.begin(browser, url, color_scheme="dark")
    narrow = await Visit.begin(browser, url, viewport={"width": 1024, "height": 768})
    for name, visit in {"dark": dark, "narrow": narrow}.items():
        await visit.go("slack", "dm")
        await expect(visit.messages("slack", "Acme B2B")).to_have_count(1)
        await visit.page.screenshot(path=folder / f"playground-{name}.png")
    visit = await Visit.begin(browser, url, reduced_motion="reduce")
    await visit.go("slack", "dm")
    notice = visit.messages("slack", "Lapsed", "Acme B2B")
    await notice.get_by_label("More actions").click()
    await visit.page.screenshot(path=folder / "playground-menu.png")
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
    await expect(visit.private("slack")).to_have_count(1)
    await expect(visit.private("discord", "Acme US Ads")).to_have_count(1)
    await visit.page.screenshot(path=folder / "playground-after.png")


def pack(file: Path) -> None:
    """Make a PNG smaller without changing a pixel: on flat colours, rows without filters compress twice as well."""
    data, chunks, at = file.read_bytes(), list[tuple[bytes, bytes]](), 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", dict(chunks)[b"IHDR"][:10])
    if (depth, colour) != (8, 2):
        return  # not what Chromium writes for an opaque page
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    stride, above, plain = width * _RGB, bytes(width * _RGB), bytearray()
    for start in range(0, height * (stride + 1), stride + 1):
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], above)
        plain += b"\0" + above
    kept = [(name, body) for name, body in chunks if name not in (b"IDAT", b"IEND")]
    parts = [*kept, (b"IDAT", zlib.compress(bytes(plain), 9)), (b"IEND", b"")]
    written = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    file.write_bytes(data[:8] + b"".join(written))


def _unfiltered(kind: int, row: bytes, above: bytes) -> bytes:
    """A row of pixels as they are. The five filters are those of the PNG specification, section 9."""
    out = bytearray(row)
    for i, value in enumerate(row):
        left = out[i - _RGB] if i >= _RGB else 0
        corner = above[i - _RGB] if i >= _RGB else 0
        up = above[i]
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda each: abs(guess - each))
        out[i] = (value + (0, left, up, (left + up) // 2, nearest)[kind]) & 0xFF
    return bytes(out)


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
    for picture in PICTURES.glob("*.png"):
        pack(picture)


if __name__ == "__main__":
    asyncio.run(main())
