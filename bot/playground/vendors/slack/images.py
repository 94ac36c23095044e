"""Pictures of messages and views: Slack fetches each when it is posted, and refuses what it does not get.

Addresses on the open internet are taken as they are, for a stand-in reaches nothing outside.
"""

from collections.abc import Iterator, Sequence

import aiohttp

from bot.playground.vendors.slack.wire import Json, RefusedError

_SECONDS = 5.0
_LARGEST = 10 * 1024 * 1024


class Images:
    """Fetches pictures. `start` and `close` are called by whoever runs the stand-in."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the HTTP client; it carries no cookies, as Slack's carries none."""
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)

    async def close(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def check(self, blocks: object, fetched: Sequence[str], error: str = "invalid_blocks") -> None:
        """Refuse blocks with a picture that cannot be had; addresses that begin with one of `fetched` are tried."""
        for url, pointer in _addresses(blocks, "/blocks"):
            if url.startswith("https://") and not url.startswith(tuple(fetched)):
                continue
            if not (url.startswith(tuple(fetched)) and await self._is_there(url)):
                raise RefusedError(error, f"[ERROR] downloading image failed [json-pointer:{pointer}]")

    async def _is_there(self, url: str) -> bool:
        if self._session is None:
            raise RuntimeError("the stand-in is not running")
        try:
            async with self._session.get(url) as reply:
                body = await reply.content.read(_LARGEST)
                return reply.status == 200 and reply.content_type.startswith("image/") and bool(body)
        except (aiohttp.ClientError, TimeoutError):
            return False


def _addresses(node: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _addresses(each, f"{at}/{index}")
    elif isinstance(node, dict):
        fields: Json = node
        for name, value in fields.items():
            if name == "image_url" and isinstance(value, str):
                yield value, f"{at}/{name}"
            else:
                yield from _addresses(value, f"{at}/{name}")
