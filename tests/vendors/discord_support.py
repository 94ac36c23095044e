"""One small server with two people, and the stand-in for Discord on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import discord
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.playground.vendors.discord import (
    ChannelConfig,
    DiscordConfig,
    DiscordVendor,
    GuildConfig,
    LimitConfig,
    UserConfig,
    create_discord_vendor,
)

Client = TypeVar("Client", bound=discord.Client)
ANA, RAJ, APP = 200_000_000_000_000_001, 200_000_000_000_000_002, 300_000_000_000_000_001
GUILD, GENERAL, SECRET = 400_000_000_000_000_001, 500_000_000_000_000_001, 500_000_000_000_000_002
TOKEN, SECRET_KEY, REDIRECT = "a-bot-token", "a-client-secret", "http://127.0.0.1:9/back?x=1"

CONFIG = DiscordConfig(
    bot_token=TOKEN,
    application_id=APP,
    client_secret=SECRET_KEY,
    redirect_uris=frozenset({REDIRECT}),
    users=(
        UserConfig(id=ANA, username="ana", global_name="Ana Ruiz", email="ana@example.test"),
        UserConfig(id=RAJ, username="raj", email="raj@example.test"),
    ),
    guilds=(
        GuildConfig(
            id=GUILD,
            name="Acme",
            members=frozenset({ANA, RAJ}),
            admins=frozenset({ANA}),
            channels=(
                ChannelConfig(id=GENERAL, name="general"),
                ChannelConfig(id=SECRET, name="secret", bot_can_view=False, members=frozenset({ANA})),
            ),
        ),
    ),
    limits=LimitConfig(enabled=False),
)


@asynccontextmanager
async def serving(config: DiscordConfig, prefix: str = "") -> AsyncIterator[DiscordVendor]:
    """The stand-in on a free port, alone or below a prefix."""
    vendor = create_discord_vendor(config)
    app = vendor.app
    if prefix:
        app = web.Application()
        app.add_subapp(prefix, vendor.app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.set_base_url(f"http://127.0.0.1:{site.port}{prefix}")
    try:
        yield vendor
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(vendor: DiscordVendor, client: Client) -> AsyncIterator[Client]:
    """The real library's client on the stand-in's gateway, ready."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = vendor.api_url, yarl.URL(vendor.gateway_url)
    task: asyncio.Task[None] | None = None
    try:
        await client.login(TOKEN)
        task = asyncio.create_task(client.connect())
        await client.wait_until_ready()
        yield client
    finally:
        await client.close()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
