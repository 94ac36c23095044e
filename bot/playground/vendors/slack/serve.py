"""Runs the stand-in alone on a loopback port, as tests want it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.playground.vendors.slack.config import SlackConfig
from bot.playground.vendors.slack.vendor import SlackVendor, create_slack_vendor


@asynccontextmanager
async def serving(
    config: SlackConfig, *, host: str = "127.0.0.1", port: int = 0, clock: Callable[[], float] = time.time
) -> AsyncIterator[SlackVendor]:
    """A stand-in that listens until the block ends; port 0 takes a free one, see `SlackVendor.base_url`."""
    vendor = create_slack_vendor(config, clock)
    runner = web.AppRunner(vendor.app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        vendor.set_base_url(f"http://{host}:{site.port}")
        yield vendor
    finally:
        await runner.cleanup()
