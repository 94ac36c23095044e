"""The connection on which Discord sends interactions: made again when it breaks, given up when Discord says so."""

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord

from platform_adapters.chat.discord.failures import LimitedError
from platform_adapters.chat.discord.inbound import Receiver
from platform_adapters.chat.discord.rest import library_client
from platform_adapters.chat.discord.settings import DiscordSettings

_log = logging.getLogger(__name__)
Pause = Callable[[float], Awaitable[None]]

_FATAL = {
    4004: "the bot's token is not valid",
    4010: "the shard is not valid",
    4011: "the bot is in so many servers that it needs shards",
    4012: "the gateway's version is not served any more",
    4013: "the intents are not valid",
    4014: "an intent is asked for that the application may not have",
}
"""Close codes after which connecting again only makes it worse: docs, topics/opcodes-and-status-codes."""
_BETWEEN_IDENTIFIES = 5.0  # seconds; docs, events/gateway: one in five seconds
_LAST_WORD = 2.0  # seconds for closing a socket that nobody listens to any more
_HOUR, _IDENTIFIES_AN_HOUR = 3600.0, 30  # Discord resets the token of a bot that makes 1,000 in a day
_LONGEST_PAUSE = 300.0


class TooManySessionsError(Exception):
    """New sessions are made so fast that Discord would reset the token."""


class GatewayClient(discord.Client):
    """The library's client, which hands every interaction to the receiver: a button drawn years ago arrives like one
    drawn now, since nothing of it has to be remembered.
    """

    def __init__(self, *, receiver: Receiver, identifies: deque[float], pause: Pause, **options: Any) -> None:
        super().__init__(**options)
        self._receiver = receiver
        self._identifies = identifies
        self._pause = pause

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self._receiver.receive(interaction)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._receiver.joined(str(guild.id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._receiver.left(str(guild.id))

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Log what went wrong without what was asked, which the library would print."""
        _log.error("handling Discord's %s failed", event_method, exc_info=True)

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:
        now = time.monotonic()
        while self._identifies and now - self._identifies[0] > _HOUR:
            self._identifies.popleft()
        if len(self._identifies) >= _IDENTIFIES_AN_HOUR:
            raise TooManySessionsError
        self._identifies.append(now)
        if not initial:
            await self._pause(_BETWEEN_IDENTIFIES)


async def stay_connected(settings: DiscordSettings, receiver: Receiver, pause: Pause) -> None:
    """Keep a connection until cancelled. Returns, after one line in the log, when Discord has refused it for good."""
    identifies: deque[float] = deque()
    failures = 0
    while True:
        started = time.monotonic()
        refused = await _one_life(settings, receiver, identifies, pause)
        if refused is not None:
            _log.error("Discord refuses the connection, and it is not tried again: %s", refused)
            return
        failures = 0 if time.monotonic() - started > _LONGEST_PAUSE else failures + 1
        await pause(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, 2.0**failures))  # noqa: S311  # spreads load


async def _one_life(
    settings: DiscordSettings, receiver: Receiver, identifies: deque[float], pause: Pause
) -> str | None:
    """Connect until the library gives up. Answers why for good, or None where another try makes sense."""
    try:
        async with library_client(
            settings, GatewayClient, receiver=receiver, identifies=identifies, pause=pause
        ) as client:
            await client.start(settings.bot_token.reveal())
    except discord.LoginFailure:
        return _FATAL[4004]
    except discord.PrivilegedIntentsRequired:
        return _FATAL[4014]
    except discord.ConnectionClosed as closed:
        if closed.code in _FATAL:
            return f"{_FATAL[closed.code]} ({closed.code})"
        _log.warning("Discord closed the connection with %s", closed.code)
    except (discord.DiscordException, aiohttp.ClientError, OSError, LimitedError, TooManySessionsError) as error:
        _log.warning("Discord cannot be reached: %s", type(error).__name__)
    except Exception:  # noqa: BLE001  # an edge: the library lets an event that it cannot read end the connection
        _log.exception("Discord sent what the library cannot read; connecting anew")
    finally:
        await _close_what_is_left()
    return None


async def _close_what_is_left() -> None:
    """Close sockets whose heartbeat threads are left: the library forgets both if it is cut off in a handshake."""
    loop = asyncio.get_running_loop()
    for thread in threading.enumerate():
        if isinstance(thread, discord.gateway.KeepAliveHandler) and thread.ws.loop is loop:
            thread.stop()
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(_LAST_WORD):
                    await thread.ws.close()
