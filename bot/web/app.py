"""Builds the web application from services and platforms. Nothing is kept in globals, so a process may have several."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from bot.web import (
    accounts_page,
    callback,
    choose_page,
    drawing,
    drill_page,
    forecast_page,
    hosted_page,
    install_page,
    key_page,
    link_page,
    move_page,
    reconnect_page,
    result_page,
    sign_in,
    transfer_page,
    unsubscribe_page,
)
from bot.web.api.app import PREFIX as API_PREFIX
from bot.web.api.app import create_api
from bot.web.drawing import DRAWING, Draw, Drawing
from bot.web.middleware import pages_for_errors, with_headers
from bot.web.mounted import BODY_LIMIT, healthz, mounted, readyz
from bot.web.security import Cookies
from bot.web.signals_page import signal_routes
from bot.web.site import SITE, Site, page, setup_templates, static_folder
from commands.command import Services
from commands.connecting import Connecting
from commands.ports.chat import ChatPlatform
from commands.ports.network import NetworkSpec
from commands.ports.signals import Signals
from commands.reconnect import Reconnecting

_ID = "[0-9A-Za-z]{22}"


def create_web(
    *,
    services: Services,
    platforms: Mapping[str, ChatPlatform],
    alive: Callable[[], bool],
    draw: Draw | None = None,
    picture_key: bytes = b"",
    specs: Sequence[NetworkSpec] | None = None,
    webhooks_private: bool = False,
    signals: Mapping[str, Signals] | None = None,
) -> web.Application:
    """Build the pages, callbacks and endpoints.

    `services.public_url` is where browsers reach them; `alive` says whether the loops of this process run. `draw` draws
    the pictures whose addresses were signed with `picture_key` (`pictures.picture_url`); None: there are no pictures.
    `specs`: every network that the API takes connections of; None: those with credentials. `webhooks_private`: webhooks
    may be sent into private networks. `signals`: the ears for what networks tell on their own.
    More may be mounted until it is started: what `add_subapp` brings keeps its own headers and errors.
    """
    app = web.Application(middlewares=[with_headers, pages_for_errors], client_max_size=BODY_LIMIT)
    app[SITE] = Site(
        services=services,
        platforms=platforms,
        reconnecting=Reconnecting(services),
        connecting=Connecting(services),
        cookies=Cookies(secure=services.public_url.startswith("https://")),
        alive=alive,
    )
    setup_templates(app)
    app.router.add_routes(_routes())
    if draw is not None and picture_key:
        app[DRAWING] = Drawing(draw=draw, key=picture_key)
        app.router.add_get("/pictures/{signed:[0-9A-Za-z_-]+}.png", drawing.show)
    known = specs if specs is not None else [network.spec for network in services.networks.values()]
    app.add_subapp(API_PREFIX, create_api(services, {spec.slug: spec for spec in known}, private=webhooks_private))
    app.router.add_routes(signal_routes(signals or {}, services.storage, services.clock))
    for platform in platforms.values():
        for endpoint in platform.endpoints():
            app.router.add_post(endpoint.path, mounted(endpoint))
    return app


def _routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/", home),
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get(f"/r/{{locator:{_ID}}}", reconnect_page.show),
        web.post(f"/r/{{locator:{_ID}}}", reconnect_page.start),
        web.post(f"/r/{{locator:{_ID}}}/key", key_page.enter),
        web.post(f"/r/{{locator:{_ID}}}/host", hosted_page.go),
        web.get(f"/r/{{locator:{_ID}}}/move", move_page.show),
        web.post(f"/r/{{locator:{_ID}}}/move", move_page.accept),
        web.post(f"/r/{{locator:{_ID}}}/check", move_page.check),
        web.get(f"/a/{{attempt:{_ID}}}/move", move_page.show_seen),
        web.post(f"/a/{{attempt:{_ID}}}/move", move_page.accept_seen),
        web.get(f"/a/{{attempt:{_ID}}}/transfer", transfer_page.show_login),
        web.post(f"/a/{{attempt:{_ID}}}/transfer", transfer_page.transfer_login),
        web.get(f"/choose/{{attempt:{_ID}}}/transfer", transfer_page.show_account),
        web.post(f"/choose/{{attempt:{_ID}}}/transfer", transfer_page.transfer_account),
        web.get("/oauth/cb/{network:[a-z0-9_-]+}", callback.receive, allow_head=False),
        web.get(f"/a/{{attempt:{_ID}}}", result_page.show),
        web.post(f"/a/{{attempt:{_ID}}}/by-hand", key_page.go_on),
        web.get("/sign-in/cb/{platform:[a-z0-9_-]+}", sign_in.receive, allow_head=False),
        web.get(f"/sign-in/{{workspace:{_ID}}}", sign_in.show),
        web.post("/sign-in/{platform:[a-z0-9_-]+}", sign_in.start),
        web.post("/link", sign_in.confirm),
        web.get(f"/choose/{{attempt:{_ID}}}", choose_page.show),
        web.post(f"/choose/{{attempt:{_ID}}}", choose_page.choose),
        web.get("/p", accounts_page.show_again),
        web.post("/p", accounts_page.act_again),
        web.get(f"/p/{{secret:{_ID}}}", accounts_page.show),
        web.post(f"/p/{{secret:{_ID}}}", accounts_page.act),
        web.get(f"/p/{{secret:{_ID}}}/day", forecast_page.show),
        web.post(f"/p/{{secret:{_ID}}}/day", forecast_page.act),
        web.get(f"/day/{{workspace:{_ID}}}", forecast_page.show),
        web.post(f"/day/{{workspace:{_ID}}}", forecast_page.act),
        web.get(f"/calendar/{{secret:{_ID}}}", forecast_page.calendar_file),
        web.get(f"/link/{{secret:{_ID}}}", link_page.show),
        web.post(f"/link/{{secret:{_ID}}}", link_page.press),
        web.get(f"/drill/{{secret:{_ID}}}", drill_page.show),
        web.post(f"/drill/{{secret:{_ID}}}", drill_page.confirm),
        web.get(f"/unsubscribe/{{secret:{_ID}}}", unsubscribe_page.show),
        web.post(f"/unsubscribe/{{secret:{_ID}}}", unsubscribe_page.end),
        web.get("/install/cb/{platform:[a-z0-9_-]+}", install_page.receive, allow_head=False),
        web.get("/install/{platform:[a-z0-9_-]+}", install_page.show),
        web.post("/install/{platform:[a-z0-9_-]+}", install_page.start),
        web.get("/install/{platform:[a-z0-9_-]+}/done", install_page.done),
        web.post("/sign-out", sign_in.sign_out),
        web.static("/static", static_folder()),
    ]


async def home(request: web.Request) -> web.Response:
    """Say what this is, and no more."""
    site = request.app[SITE]
    return page(
        request,
        "home.html",
        session=await site.session(request),
        platforms=[platform.label for platform in site.platforms.values()],
    )


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block is left, then let requests under way end. Gives the port; 0 lets the system choose.

    No access log: its lines would hold codes and locators.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=30.0,
        shutdown_timeout=10.0,
        # Nobody whom we hear compresses: limits and signatures are of the bytes that came.
        auto_decompress=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield site.port
    finally:
        await runner.cleanup()
