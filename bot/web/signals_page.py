"""Where networks tell on their own that a login is in trouble: /signals/<network>. Who tells is proved by the network's
adapter; all that a signal does is that the logins it names are looked at now.
"""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web

from commands.ports.chat import HttpRequest
from commands.ports.clock import Clock
from commands.ports.signals import Signals
from commands.ports.storage import Storage

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
BODY_WITHIN = 10.0  # seconds for a body to arrive whole


def signal_routes(signals: Mapping[str, Signals], storage: Storage, clock: Clock) -> list[web.RouteDef]:
    """The addresses of the networks that have an ear."""

    async def receive(request: web.Request) -> web.Response:
        ear = signals.get(request.match_info["network"])
        if ear is None:
            return web.Response(status=404)
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        names = tuple((name.lower(), value) for name, value in request.headers.items())
        heard = await ear.hear(HttpRequest(headers=names, body=body))
        if heard.subject_ids:
            number = await storage.queues.look_now(ear.network, heard.subject_ids, now=clock.now(), signal=heard.signal)
            logger.info("%s told of a login in trouble; %s of ours will be looked at", ear.network, number)
        answer = heard.answer
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    return [web.post("/signals/{network:[a-z0-9_-]+}", receive)]


async def _body(request: web.Request) -> bytes | None:
    """The body, if it is small and comes soon."""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await request.content.read(BODY_LIMIT + 1)
            while len(body) <= BODY_LIMIT and (more := await request.content.read(BODY_LIMIT + 1)):
                body += more
    except TimeoutError:
        return None
    return body if len(body) <= BODY_LIMIT else None
