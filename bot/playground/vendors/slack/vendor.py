"""One loopback Slack: wired together, mountable under a prefix or run alone.

    vendor = create_slack_vendor(config)
    root.add_subapp("/vendors/slack", vendor.app)
    vendor.set_base_url("http://127.0.0.1:8000/vendors/slack")

The app talks to `<base>/api/`, people go to `<base>/oauth/v2/authorize` and `<base>/openid/connect/authorize`, the
playground's page and tests use `<base>/_play/…`. Nothing is shared with the bot but HTTP and WebSocket.
"""

import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from bot.playground.vendors.slack.calls import MAX_BODY
from bot.playground.vendors.slack.config import SlackConfig
from bot.playground.vendors.slack.consent import ConsentPages
from bot.playground.vendors.slack.interactions import Interactions
from bot.playground.vendors.slack.openid import OpenId
from bot.playground.vendors.slack.outbound import Outbound
from bot.playground.vendors.slack.play import People
from bot.playground.vendors.slack.responses import ResponseUrls
from bot.playground.vendors.slack.rig import Rig
from bot.playground.vendors.slack.sockets import SocketMode
from bot.playground.vendors.slack.state import SlackState
from bot.playground.vendors.slack.web_api import WebApi


class SlackVendor:
    """A running Slack. Made by `create_slack_vendor`; it lives as long as `app` runs."""

    def __init__(self, state: SlackState, app: web.Application) -> None:
        self._state = state
        self.app = app

    @property
    def base_url(self) -> str:
        """Where it is reached, without a slash at the end."""
        return self._state.base_url

    @property
    def api_url(self) -> str:
        """`base_url` for slack_sdk's clients; ends with a slash, as they want it."""
        return f"{self._state.base_url}/api/"

    def set_base_url(self, url: str) -> None:
        """Say under which address it is reached; needed before the first call, for the addresses that it hands out."""
        self._state.base_url = url.rstrip("/")

    def set_app(self, **changes: object) -> None:
        """Change fields of `AppConfig` while it runs, such as `request_url` and `redirect_urls` once they are known."""
        self._state.set_app(**changes)


def create_slack_vendor(config: SlackConfig, clock: Callable[[], float] = time.time) -> SlackVendor:
    """Build one. `clock` tells the seconds by which codes, tokens, triggers and limits are judged."""
    state = SlackState(config, clock)
    sockets = SocketMode(state)
    outbound = Outbound(state, sockets)
    openid = OpenId(state)
    pages = ConsentPages(state, openid)
    api = WebApi(state, sockets, openid)
    responses = ResponseUrls(state)
    people = People(state, Interactions(state, outbound), sockets, pages)

    async def keys(_request: web.Request) -> web.Response:
        return web.json_response(openid.jwks())

    async def discovery(_request: web.Request) -> web.Response:
        return web.json_response(openid.discovery())

    async def running(_app: web.Application) -> AsyncIterator[None]:
        await outbound.start()
        await state.images.start()
        yield
        await state.images.close()
        await outbound.close()

    async def stop_sockets(_app: web.Application) -> None:
        state.faults.clear()
        state.changes.close()
        await sockets.close()

    app = web.Application(client_max_size=MAX_BODY)
    app.cleanup_ctx.append(running)
    app.on_shutdown.append(stop_sockets)
    app.router.add_route("GET", "/api/{method}", api.handle)
    app.router.add_route("POST", "/api/{method}", api.handle)
    app.add_routes(
        [
            web.get("/link/", sockets.handle),
            web.get("/oauth/v2/authorize", pages.show),
            web.post("/oauth/v2/authorize", pages.answer),
            web.get("/openid/connect/authorize", pages.show),
            web.post("/openid/connect/authorize", pages.answer),
            web.get("/openid/connect/keys", keys),
            web.get("/.well-known/openid-configuration", discovery),
            web.post("/commands/{team}/{secret}", responses.handle),
            web.post("/actions/{team}/{secret}", responses.handle),
            *people.routes(),
            *Rig(state, outbound, sockets).routes(),
        ]
    )
    return SlackVendor(state, app)
