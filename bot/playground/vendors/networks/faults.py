"""Replies that go wrong: late, lost, cut short, the wrong kind, too much, too often, not at all.

A fault stands at one endpoint or at all of them, for a number of calls or until it is repaired.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from .wire import Endpoint, Handler, NetworkWire

HUGE_CHUNK = b"0" * 65536
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
SORRY = "<!doctype html><title>Not available</title><h1>Sorry, something went wrong</h1><p>Try again later.</p>"


class FaultKind(StrEnum):
    """What goes wrong."""

    NETWORK_DOWN = "network_down"
    """The network's own words for being out of order."""
    THROTTLED = "throttled"
    """The network's own words for too many calls."""
    BAD_GATEWAY = "bad_gateway"
    """A 502 in HTML from something in front of the network."""
    UNREACHABLE = "unreachable"
    """The connection ends before the call is carried out."""
    LOST = "lost"
    """The call is carried out, and the connection ends before the reply."""
    SLOW = "slow"
    """The reply comes after `seconds`, carried out only then."""
    MALFORMED = "malformed"
    """200, JSON by its header, cut off in the middle."""
    HUGE = "huge"
    """200, JSON that does not end before `size` bytes."""


PAGES_TOO = frozenset({FaultKind.NETWORK_DOWN, FaultKind.BAD_GATEWAY, FaultKind.UNREACHABLE, FaultKind.SLOW})
"""The kinds that a person at the consent page meets as well; the others are aimed at clients."""

PAGE = "authorize"
"""The consent page's endpoint label."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One standing fault. `times` None is until repaired; the first `skip` calls are let through."""

    kind: FaultKind
    endpoint: str | None = None
    times: int | None = None
    skip: int = 0
    seconds: float = 30.0
    size: int = 64 * 1024 * 1024

    def meets(self, label: str) -> bool:
        """Whether a call to `label` meets this fault now; counts it if so."""
        if self.endpoint is None and label == PAGE and self.kind not in PAGES_TOO:
            return False
        if self.endpoint not in (None, label) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultDesk:
    """Carries the faults out, and counts every call by endpoint, whatever became of it."""

    def __init__(self, wire: NetworkWire) -> None:
        self.standing: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self._wire = wire
        self._closing = asyncio.Event()

    async def close(self, app: web.Application) -> None:
        """Let go of every slow reply; an aiohttp shutdown hook."""
        self._closing.set()

    def guard(self, endpoint: Endpoint) -> Handler:
        """The handler of an endpoint, with counting and faults in front."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls[endpoint.label] += 1
            fault = next((fault for fault in self.standing if fault.meets(endpoint.label)), None)
            if fault is None:
                return await endpoint.handler(request)
            return await self._play(fault, request, endpoint)

        return handle

    async def _play(self, fault: Fault, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
        response: web.StreamResponse
        match fault.kind:
            case FaultKind.NETWORK_DOWN if endpoint.label == PAGE:
                response = web.Response(status=503, text=SORRY, content_type="text/html")
            case FaultKind.NETWORK_DOWN:
                response = self._wire.down()
            case FaultKind.THROTTLED:
                response = self._wire.throttled()
            case FaultKind.BAD_GATEWAY:
                response = web.Response(status=502, text=BAD_GATEWAY, content_type="text/html")
            case FaultKind.MALFORMED:
                response = web.Response(text='{"access_token": "abc', content_type="application/json")
            case FaultKind.UNREACHABLE:
                response = _hang_up(request)
            case FaultKind.LOST:
                await endpoint.handler(request)
                response = _hang_up(request)
            case FaultKind.SLOW:
                await self._wait(fault.seconds)
                response = await endpoint.handler(request)
            case FaultKind.HUGE:
                response = await _pour(request, fault.size)
        return response

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _pour(request: web.Request, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"data": "')
    sent = 0
    try:
        while sent < size:
            await response.write(HUGE_CHUNK)
            sent += len(HUGE_CHUNK)
        await response.write(b'"}')
    except ConnectionError:
        return response  # the client had enough, which is what this fault is for
    return response
