"""A receiver of webhooks on this machine: strict about what it takes, and misbehaving as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from commands.ports.clock import Clock
from commands.secret import Secret
from commands.standard_webhooks import ID, verify


@dataclass
class Receiver:
    """Verifies each message with its secret, keeps it, and answers as `answers` say, in turn; then 204."""

    clock: Clock
    url: str = ""
    secret: Secret | None = None
    answers: list[web.Response] = field(default_factory=list)
    hangs: bool = False
    """It takes a message and never answers."""
    ids: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Methods and paths, of every request."""
    slow: set[str] = field(default_factory=set)
    """Paths at which it takes a message and does not answer until it is released."""
    _came: dict[str, asyncio.Event] = field(default_factory=dict)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        body = await request.read()
        if self.secret is not None:
            verify([self.secret], {k.lower(): v for k, v in request.headers.items()}, body, now=self.clock.now())
        assert request.headers["Content-Type"] == "application/json"
        self.ids.append(request.headers[ID])
        self.bodies.append(json.loads(body))
        self._came.setdefault(request.path, asyncio.Event()).set()
        if self.hangs or request.path in self.slow:
            await self._released.wait()
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    async def came(self, path: str) -> None:
        """Wait until a message came to this path."""
        async with asyncio.timeout(30):
            await self._came.setdefault(path, asyncio.Event()).wait()

    def release(self) -> None:
        """Answer what was held up."""
        self._released.set()


@asynccontextmanager
async def receiving(clock: Clock) -> AsyncIterator[Receiver]:
    receiver = Receiver(clock=clock)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{site.port}/hooks"
        yield receiver
    finally:
        receiver.release()
        await runner.cleanup()
