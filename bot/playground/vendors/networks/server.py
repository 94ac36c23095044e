"""Puts one network's stand-in together: its world, its wire, its consent pages, its control API.

The result is an aiohttp application that runs alone or under any prefix of another:

    parent.add_subapp("/vendors/linkedin/", create_network_vendor(NetworkConfig(network="linkedin", ...)))
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from . import wires
from .breaks import BreakDesk
from .consent import ConsentPages, page_templates
from .control import Control
from .faults import FaultDesk
from .wire import NetworkWire
from .world import AdAccount, App, Business, Profile, World


class UnknownNetwork(LookupError):
    """There is no file of that name in `wires/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What one stand-in begins with. The records become the stand-in's own: it changes them."""

    network: str
    """A slug of `network_slugs()`."""
    apps: Sequence[App]
    profiles: Sequence[Profile] = ()
    businesses: Sequence[Business] = ()
    accounts: Sequence[AdAccount] = ()
    logged_in: str | None = None
    """The profile that the browser is logged in as at the start."""
    issuer: str = "https://network.invalid"
    """The `iss` that callbacks carry once the setting is on."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""


def network_slugs() -> list[str]:
    """The networks there are: the files of `wires/`."""
    return sorted(module.name for module in pkgutil.iter_modules(wires.__path__))


def create_network_vendor(config: NetworkConfig) -> web.Application:
    """One network, ready to be served. Raises `UnknownNetwork`."""
    if config.network not in network_slugs():
        raise UnknownNetwork(config.network)
    world = World(
        profiles=config.profiles,
        businesses=config.businesses,
        accounts=config.accounts,
        apps=config.apps,
        clock=config.clock,
    )
    world.settings.logged_in = config.logged_in
    wire: NetworkWire = importlib.import_module(f"{wires.__name__}.{config.network}").Wire(world, config.issuer)
    faults = FaultDesk(wire)
    app = web.Application()
    app.on_shutdown.append(faults.close)
    app.add_routes(Control(wire, faults, BreakDesk(wire, faults)).routes())
    for endpoint in [*ConsentPages(wire, page_templates()).endpoints(), *wire.endpoints()]:
        app.router.add_route(endpoint.method, endpoint.path, faults.guard(endpoint))
    return app


@asynccontextmanager
async def serve_network(config: NetworkConfig, *, prefix: str = "/") -> AsyncIterator[str]:
    """One network on a free loopback port, under `prefix`; yields its base address, without a closing slash."""
    app = create_network_vendor(config)
    if prefix.strip("/"):
        parent = web.Application()
        parent.add_subapp(prefix, app)
        app = parent
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{site.port}{prefix.rstrip('/')}"
    finally:
        await runner.cleanup()
