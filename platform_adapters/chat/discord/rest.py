"""Discord's REST API through discord.py's own HTTP client: its limits per bucket, its waits, its tries.

Every request goes through `Rest.request`, which raises DeliveryError and nothing else.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace, TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.clock import Clock
from platform_adapters.chat.discord.failures import (
    BAN,
    LimitedError,
    MalformedReplyError,
    delivery_error,
    is_ban,
    wait_named,
)
from platform_adapters.chat.discord.settings import DiscordSettings

_log = logging.getLogger(__name__)
_Client = TypeVar("_Client", bound=discord.Client)
_TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)
_PATIENCE = timedelta(seconds=2)
"""Of a 429 that the library waits out itself. Longer ones are for whoever paces the lane."""
_DEADLINE = 45.0
"""Seconds of a request with all its waits and the library's five tries. The library's own limit is left alone: it
would refuse every request of a route whose window is longer, even while some are left in it.
"""
_FAILURES = (
    discord.DiscordException,
    aiohttp.ClientError,
    LimitedError,
    OSError,
    ValueError,  # what follows is a reply that the library cannot read
    KeyError,
    TypeError,
)


@dataclass(slots=True)
class _Sending:
    """One request on its way."""

    is_out: bool = False
    """It was sent, and no reply says that it was refused."""


class Rest:
    """Requests in the bot's name. Use it as a context; it logs in at the first request."""

    def __init__(self, settings: DiscordSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: discord.Client | None = None
        self._logging_in = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._barred_until: datetime | None = None
        self._barred_by: DeliveryError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client = None
        await self._opened.aclose()

    async def request(
        self, method: str, path: str, *, body: object = None, files: Sequence[tuple[str, bytes]] = (), **ids: str
    ) -> Any:
        """Ask Discord. `ids` fill the path; the library reads from `channel_id` and the like which limit applies.
        `files` are PNGs by name, for a body that speaks of them.

        Raises DeliveryError.
        """
        self._refuse_if_barred()
        sending = _Sending()
        arguments: dict[str, Any] = {"timeout": _TIMEOUT, "trace_request_ctx": sending}
        if files:
            arguments["form"] = _form(body, files)
        elif body is not None:
            arguments["json"] = body
        try:
            async with asyncio.timeout(_DEADLINE):
                client = await self._logged_in()
                return await client.http.request(Route(method, path, metadata=None, **ids), **arguments)
        except TimeoutError as error:
            if not sending.is_out:  # all the time went by in waiting, for the login or for the route's window
                raise DeliveryError(DeliveryErrorKind.RETRY, "timeout") from error
            raise self._failed(error) from error
        except _FAILURES as error:
            raise self._failed(error) from error
        except RuntimeError as error:  # the session was closed under it: we are stopping
            raise DeliveryError(DeliveryErrorKind.RETRY, "stopping") from error

    async def message(
        self, method: str, path: str, *, body: object = None, files: Sequence[tuple[str, bytes]] = (), **ids: str
    ) -> Mapping[str, Any]:
        """Like `request`, for an answer that must be an object with an id. Raises DeliveryError."""
        answer = await self.request(method, path, body=body, files=files, **ids)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise delivery_error(MalformedReplyError())
        return answer

    async def _logged_in(self) -> discord.Client:
        if self._client is None:
            async with self._logging_in:
                if self._client is None:
                    self._client = await self._log_in()
        return self._client

    async def _log_in(self) -> discord.Client:
        async with AsyncExitStack() as opening:
            client = await opening.enter_async_context(library_client(self._settings, discord.Client))
            await client.http.static_login(self._settings.bot_token.reveal())
            self._opened.push_async_exit(opening.pop_all())
        return client

    def _failed(self, error: Exception) -> DeliveryError:
        failure = delivery_error(error)
        banned = isinstance(error, discord.HTTPException) and is_ban(error)
        if banned or failure.kind is DeliveryErrorKind.INSTALLATION_DEAD:
            self._barred_until = self._clock.now() + (failure.retry_after or BAN)
            self._barred_by = failure
            _log.error("Discord refuses the bot altogether (%s); nothing is asked of it for a while", failure.code)
        return failure

    def _refuse_if_barred(self) -> None:
        """Ask nothing while refused: 10,000 refusals in ten minutes shut the whole address out."""
        until, by = self._barred_until, self._barred_by
        if until is None or by is None:
            return
        left = until - self._clock.now()
        if left.total_seconds() <= 0:
            self._barred_until = self._barred_by = None
            return
        wait = left if by.kind is DeliveryErrorKind.RETRY else None
        raise DeliveryError(by.kind, by.code, retry_after=wait, scope=by.scope)


@asynccontextmanager
async def library_client(
    settings: DiscordSettings, kind: Callable[..., _Client], **more: object
) -> AsyncIterator[_Client]:
    """Open a client of the library that keeps, pings and caches as little as can be. Asks Discord nothing yet.

    The library has its addresses as class attributes, so that they are the whole process's.
    """
    Route.BASE = settings.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    intents = discord.Intents.none()
    intents.guilds = True
    client = kind(
        intents=intents,
        allowed_mentions=discord.AllowedMentions.none(),
        max_messages=None,
        member_cache_flags=discord.MemberCacheFlags.none(),
        chunk_guilds_at_startup=False,
        guild_ready_timeout=0.0,  # while it waits for servers, it would take one that is joined for one of the old
        http_trace=_trace(),
        **more,
    )
    try:
        async with client:
            yield client
    finally:
        await client.http.close()  # a client that is cancelled while it closes leaves its connections open


def _form(body: object, files: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """A body with its files, as the library wants a multipart request described. Docs: reference, Uploading Files."""
    fields: list[dict[str, Any]] = [{"name": "payload_json", "value": json.dumps(body)}]
    fields += [
        {"name": f"files[{number}]", "value": data, "filename": name, "content_type": "image/png"}
        for number, (name, data) in enumerate(files)
    ]
    return fields


def _trace() -> aiohttp.TraceConfig:
    """Watch the wire: whether a request is out, and the waits that are too long for the library to sit through."""

    async def start(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        if isinstance(context.trace_request_ctx, _Sending):
            context.trace_request_ctx.is_out = True

    async def end(_: aiohttp.ClientSession, context: SimpleNamespace, reply: aiohttp.TraceRequestEndParams) -> None:
        response = reply.response
        if response.status != 429:
            return
        if isinstance(context.trace_request_ctx, _Sending):
            context.trace_request_ctx.is_out = False
        wait = wait_named(response.headers)
        if "Via" in response.headers and (wait is None or wait > _PATIENCE):
            response.release()
            raise LimitedError(wait, response.headers.get("X-RateLimit-Scope"))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    return trace
