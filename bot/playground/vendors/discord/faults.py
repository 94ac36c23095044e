"""Faults on command: the next so many calls of a route fail in a chosen way."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from aiohttp import web

from bot.playground.vendors.discord.limits import too_many
from bot.playground.vendors.discord.wire import ApiError, Payload

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class FaultKind(StrEnum):
    ERROR = "error"
    """Refuse with `status`, `code`, `message`; nothing is accepted. A 429 takes `retry_after`, `scope` and `via`."""
    HTML = "html"
    """An HTML page with `status` (502) from the edge; nothing is accepted."""
    DROP = "drop"
    """Accept, then close the connection without a reply."""
    ACCEPTED_HTML = "accepted-html"
    """Accept, then answer with an HTML page and `status`."""
    EMPTY = "empty"
    """Accept, then answer 200 with no body."""
    CONTENT_TYPE = "content-type"
    """Accept, then answer with `application/json; charset=utf-8`, which discord.py does not parse."""
    SLOW = "slow"
    """Wait `seconds`, then go on."""
    HOLD = "hold"
    """Wait until the fault is released or removed, then go on."""


@dataclass(slots=True, eq=False)
class Fault:
    """`route` is a pattern over "METHOD /path" below the version, for example `POST /channels/*/messages`."""

    kind: FaultKind
    route: str
    times: int = 1
    status: int = 502
    code: int = 0
    message: str = "Fault"
    retry_after: float = 1.0
    scope: str = "user"
    via: bool = True
    seconds: float = 0.0
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> Payload:
        return {
            "id": self.id,
            "kind": self.kind.value,
            "route": self.route,
            "times": self.times,
            "status": self.status,
            "code": self.code,
        }


class Faults:
    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.held: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault due for this call, used up by one."""
        for fault in self.waiting:
            if fnmatchcase(f"{method} {path}", fault.route):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all, and let go whoever is held."""
        self.waiting.clear()
        self.release()

    def release(self) -> None:
        for fault in [*self.held, *self.waiting]:
            fault.released.set()
        self.held.clear()

    async def before(self, fault: Fault) -> web.Response | None:
        """What happens ahead of the handler: a refusal, a page, or a wait."""
        if fault.kind is FaultKind.ERROR:
            if fault.status == 429:
                raise too_many(fault.retry_after, scope=fault.scope, via=fault.via)
            raise ApiError(fault.status, fault.code, fault.message)
        if fault.kind is FaultKind.HTML:
            return web.Response(status=fault.status, text=BAD_GATEWAY, content_type="text/html")
        if fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        if fault.kind is FaultKind.HOLD:
            self.held.append(fault)
            await fault.released.wait()
        return None

    def after(self, fault: Fault, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """What happens to the reply of a call that was accepted."""
        if fault.kind is FaultKind.DROP and request.transport is not None:
            request.transport.abort()
        if fault.kind is FaultKind.ACCEPTED_HTML:
            return web.Response(status=fault.status, text=BAD_GATEWAY, content_type="text/html")
        if fault.kind is FaultKind.EMPTY:
            return web.Response(status=200)
        if fault.kind is FaultKind.CONTENT_TYPE:
            response.headers["Content-Type"] = "application/json; charset=utf-8"
        return response
