"""Draws pictures for whoever has a signed address: a few at a time, and only so many waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.web.pictures import read_picture
from bot.web.site import SITE, leads_nowhere
from commands.messages import Picture

logger = logging.getLogger(__name__)

Draw = Callable[[Picture], Awaitable[bytes]]
"""Draws a picture as PNG."""

AT_ONCE = 2
"""Pictures drawn at the same time: each is a process of its own for about a second."""
WAITING = 20
"""More than that are turned away, to come again."""
SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes of a picture that are sent on."""


@dataclass(eq=False)
class Drawing:
    """What draws, and how much of it goes on in this process."""

    draw: Draw
    key: bytes = field(repr=False)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _there: int = 0

    async def drawn(self, picture: Picture) -> bytes | None:
        """The picture, or None where too many wait already."""
        if self._there >= AT_ONCE + WAITING:
            return None
        self._there += 1
        try:
            async with self._places:
                return await self.draw(picture)
        finally:
            self._there -= 1


DRAWING = web.AppKey("lapsebot_drawing", Drawing)


async def show(request: web.Request) -> web.StreamResponse:
    """Draw the picture of a signed address."""
    drawing, now = request.app[DRAWING], request.app[SITE].services.clock.now()
    picture = read_picture(request.match_info["signed"], key=drawing.key, now=now)
    if picture is None:
        return leads_nowhere(request)
    if request.method == "HEAD":
        return web.Response(content_type="image/png")
    drawn = await drawing.drawn(picture)
    if drawn is None:
        return web.Response(status=503, headers={"Retry-After": "10"})
    if len(drawn) > SIZE_LIMIT:
        logger.error("a picture came out at %d bytes, and was not sent", len(drawn))
        return web.Response(status=500)
    return web.Response(body=drawn, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
