"""Puts the stand-in together as one aiohttp application, to be mounted below a prefix or run alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.playground.vendors.discord.commands import Commands
from bot.playground.vendors.discord.config import DiscordConfig
from bot.playground.vendors.discord.consent import ConsentPages
from bot.playground.vendors.discord.faults import Faults
from bot.playground.vendors.discord.gateway import Gateway
from bot.playground.vendors.discord.interactions import Interactions
from bot.playground.vendors.discord.limits import Limits, bucket_of
from bot.playground.vendors.discord.messages import Messages
from bot.playground.vendors.discord.oauth import Grants
from bot.playground.vendors.discord.people_side import PeopleSide
from bot.playground.vendors.discord.places import Places
from bot.playground.vendors.discord.play import Play
from bot.playground.vendors.discord.rest import Rest
from bot.playground.vendors.discord.wire import ApiError
from bot.playground.vendors.discord.world import World

API = "/api/v10"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# Docs, topics/rate-limits: interaction endpoints are not bound to the bot's global limit.
NOT_GLOBAL = ("/interactions/", "/webhooks/")


class DiscordVendor:
    """The running stand-in. Give it its address with `set_base_url` before the first client comes."""

    def __init__(self, config: DiscordConfig) -> None:
        self._world = World(config)
        self._limits = Limits(config.limits, self._world.now)
        self._faults = Faults()
        messages = Messages(self._world)
        places = Places(self._world)
        grants = Grants(self._world)
        self._gateway = Gateway(self._world)
        people = PeopleSide(self._world, messages)
        api = [
            *Rest(self._world, messages, grants, places).routes(),
            *Commands(self._world).routes(),
            *Interactions(self._world, messages).routes(),
            *grants.routes(),
        ]
        self.app = web.Application(client_max_size=26 * 1024 * 1024)
        for route in api:
            self.app.router.add_route(route.method, API + route.path, self._guarded(route))
        for route in grants.routes():  # Discord serves these without a version as well
            self.app.router.add_route(route.method, "/api" + route.path, self._guarded(route))
        self.app.add_routes(ConsentPages(self._world, grants, places).routes())
        self.app.router.add_route("*", "/api/{rest:.*}", self._guarded(web.route("*", "/{rest}", _unknown)))
        self.app.add_routes(self._gateway.routes())
        self.app.add_routes([web.get("/attachments/{channel_id}/{attachment_id}/{filename}", self._attachment)])
        self.app.add_routes(
            Play(
                world=self._world,
                people=people,
                messages=messages,
                places=places,
                gateway=self._gateway,
                limits=self._limits,
                faults=self._faults,
            ).routes()
        )
        self.app.on_shutdown.append(self._stop)

    def set_base_url(self, url: str) -> None:
        """Where this application is reached, without a trailing slash, for example `http://127.0.0.1:8080/vendors/discord`."""
        self._world.base_url = url.rstrip("/")

    @property
    def base_url(self) -> str:
        return self._world.base_url

    @property
    def api_url(self) -> str:
        """For `discord.http.Route.BASE`."""
        return self._world.base_url + API

    @property
    def gateway_url(self) -> str:
        """For `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`."""
        return self._world.gateway_url

    @property
    def authorize_url(self) -> str:
        return self._world.base_url + "/oauth2/authorize"

    def _guarded(self, route: web.RouteDef) -> Handler:
        """A handler behind the edge (ban, faults) and the limits, in the order in which Discord has them."""
        handler = route.handler
        counts_globally = not route.path.startswith(NOT_GLOBAL)

        async def guarded(request: web.Request) -> web.StreamResponse:
            banned = self._limits.refuse_banned()
            if banned is not None:
                return banned
            path = _api_path(request)
            fault = self._faults.take(request.method, path)
            headers: dict[str, str] = {}
            shared = False
            try:
                early = await self._faults.before(fault) if fault else None
                if early is not None:
                    return early
                bucket = bucket_of(request.method, route.path, dict(request.match_info))
                headers = self._limits.take(bucket, counts_globally=counts_globally)
                response: web.StreamResponse = await handler(request)
            except ApiError as error:
                shared = error.headers.get("X-RateLimit-Scope") == "shared"
                response = error.response()
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            self._limits.note(response.status, shared=shared)
            self._world.feed.add("request", method=request.method, path=_public(path), status=response.status)
            return self._faults.after(fault, request, response) if fault else response

        return guarded

    async def _attachment(self, request: web.Request) -> web.Response:
        wanted = request.match_info["attachment_id"]
        found = self._world.attachments.get(int(wanted)) if wanted.isdecimal() else None
        if found is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=found.data, content_type=found.content_type, headers=headers)

    async def _stop(self, _app: web.Application) -> None:
        self._world.feed.close()
        self._faults.clear()
        await self._gateway.close_all(1001, reason="shutting down")


def create_discord_vendor(config: DiscordConfig) -> DiscordVendor:
    """A stand-in for Discord: mount `.app` with `add_subapp`, or run it alone, then call `.set_base_url`."""
    return DiscordVendor(config)


def _api_path(request: web.Request) -> str:
    """The path below the API version, whatever prefix the application is mounted at."""
    _, _, below = request.path.partition("/api/")
    version, _, rest = below.partition("/")
    return f"/{rest}" if version == "v10" else f"/{below}"


def _public(path: str) -> str:
    """A path without the interaction token in it."""
    parts = path.split("/")
    return "/".join([*parts[:3], "…", *parts[4:]]) if path.startswith(NOT_GLOBAL) else path


async def _unknown(_request: web.Request) -> web.StreamResponse:
    raise ApiError(404, 0, "404: Not Found")
