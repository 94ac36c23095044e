"""The playground's page and the few calls that it makes beside those to the stand-ins.

It is a tool for whoever tries the bot out, not a page of the product: it may use script, and knows no sign-in.
"""

import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from aiohttp import web

from bot.bootstrap import Bot
from bot.playground import cast
from bot.playground.panel import BREAKAGES, OWN_BREAKAGES, Breakage, CannotBreak, OwnBreakage, Panel
from bot.playground.stage import Stage

HERE = Path(__file__).parent
HEADERS = {
    # Discord's coloured bars are style attributes; everything else comes from files of this address.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
Body = dict[str, object]
STEPS = (1, 2, 5)
"""By how many days whoever plays can move on: to the first reminder, and from one to the next."""


class MovableClock(Protocol):
    """The clock of the demo's bot and vendors."""

    def now(self) -> datetime: ...

    def advance(self, by: timedelta) -> None: ...


class Playground:
    """The application to mount at `/playground/`. `base` is the one address that cookies and links are made for."""

    def __init__(self, bot: Bot, stage: Stage, base: str, clock: MovableClock) -> None:
        self._stage = stage
        self._clock = clock
        self._panel = Panel(bot, stage)
        self._base = base
        self.app = web.Application(middlewares=[_with_headers])
        self.app.add_routes(
            [
                web.get("/", self._page),
                web.get("/api/scene", self._scene),
                web.get("/api/connections", self._connections),
                web.post("/api/break", _taking(self._break)),
                web.post("/api/repair", _taking(self._repair)),
                web.post("/api/network", _taking(self._network)),
                web.post("/api/person", _taking(self._person)),
                web.post("/api/later", _taking(self._later)),
                web.static("/static", HERE / "static"),
            ]
        )

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if f"{request.scheme}://{request.host}" != self._base:
            # By another name of this machine the sign-ins would be lost on the way: their cookies belong to one name.
            raise web.HTTPFound(f"{self._base}/playground/")
        return web.FileResponse(HERE / "templates" / "playground.html")

    async def _scene(self, request: web.Request) -> web.Response:
        """Who there is, and where they meet."""
        people = [
            {"key": one.key, "name": one.name, "platform": one.platform, "user": one.user, "about": one.about}
            for one in cast.PEOPLE
        ]
        every: dict[str, Breakage | OwnBreakage] = {**BREAKAGES, **OWN_BREAKAGES}
        breakages = [
            {"kind": kind, "label": breakage.label, "networks": breakage.networks} for kind, breakage in every.items()
        ]
        return web.json_response(
            {
                "people": people,
                "acting": self._stage.acting,
                "now": time.time(),
                "steps": STEPS,
                "slack": {"team": cast.TEAM, "name": cast.TEAM_NAME, "channel": cast.SLACK_CHANNEL},
                "discord": {"name": cast.GUILD_NAME, "channel": str(cast.DISCORD_CHANNEL)},
                "breakages": breakages,
            }
        )

    async def _connections(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "networks": self._panel.networks(),
                "connections": await self._panel.rows(),
                "today": self._clock.now().isoformat(),
            }
        )

    async def _break(self, body: Body) -> None:
        await self._panel.break_(str(body.get("connection")), str(body.get("kind")))

    async def _repair(self, body: Body) -> None:
        await self._panel.repair(str(body.get("connection")))

    async def _network(self, body: Body) -> None:
        await self._panel.switch_network(str(body.get("network")), down=bool(body.get("down")))

    async def _later(self, body: Body) -> None:
        """Let days pass for the bot and everything around it. It cannot be taken back."""
        days = body.get("days")
        if days not in STEPS:
            raise CannotBreak("Time does not pass like that.")
        self._clock.advance(timedelta(days=days))

    async def _person(self, body: Body) -> None:
        """Make the browser another person's. The page signs out of the bot by itself, as a person would."""
        try:
            one = cast.person(str(body.get("person")))
        except LookupError as unknown:
            raise CannotBreak("There is no such person.") from unknown
        await self._stage.become(one)


def _taking(act: Callable[[Body], Awaitable[None]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A call that does something: JSON only, which no form of a foreign page can send."""

    async def handle(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"error": "Send JSON."}, status=415)
        try:
            body = json.loads(await request.text())
        except ValueError:
            return web.json_response({"error": "That is not JSON."}, status=400)
        try:
            await act(body if isinstance(body, dict) else {})
        except CannotBreak as refused:
            return web.json_response({"error": str(refused)}, status=409)
        return web.json_response({})

    return handle


@web.middleware
async def _with_headers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    response = await handler(request)
    response.headers.update(HEADERS)
    return response
