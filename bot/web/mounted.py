"""What is not a page: health for whoever runs the bot, and the addresses that chat platforms post to."""

import asyncio
import logging
from uuid import UUID

from aiohttp import web

from bot.web.site import SITE, Handler
from commands.ids import WorkspaceId
from commands.ports.chat import Endpoint, HttpRequest

logger = logging.getLogger(__name__)

BODY_LIMIT = 1024 * 1024
READY_WITHIN = 2.0  # seconds for the store to answer
BODY_WITHIN = 10.0  # seconds for a body to arrive whole
NOBODY = WorkspaceId(UUID(int=0))


async def healthz(_: web.Request) -> web.Response:
    """Say that the process is alive."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """Say whether the store answers and the loops run."""
    site = request.app[SITE]
    loops, storage = site.alive(), True
    try:
        async with asyncio.timeout(READY_WITHIN):
            await site.services.storage.directory.workspace_by_id(NOBODY)
    except Exception as error:  # noqa: BLE001 - whatever the store's fault is, the answer is "not ready"
        logger.warning("not ready: the store does not answer (%s)", type(error).__name__)
        storage = False
    return web.json_response({"storage": storage, "loops": loops}, status=200 if storage and loops else 503)


def mounted(endpoint: Endpoint) -> Handler:
    """Hand a platform's request to its adapter as it came: raw body, doubled headers kept."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        names = tuple((name.lower(), value) for name, value in request.headers.items())
        answer = await endpoint.handle(HttpRequest(headers=names, body=body))
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    return handle
