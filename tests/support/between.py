"""Stands between an adapter and its stand-in, and gives an answer of its own in the place of the vendor's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from commands.ports.network import Network
from platform_adapters.discovery import build_networks
from tests.support.network_rigs import NetworkRig, environment


@dataclass
class Between:
    """Lets every call through but one, and the same question asked again: who refuses once goes on refusing. The vendor
    reads the address that was asked for, which some signatures cover.
    """

    behind: str
    """Where the calls go."""
    nth: int = -1
    """Which call is answered here, from 0; -1: none."""
    status: int = 200
    answer: object = field(default_factory=dict)
    """What it is answered with, as JSON."""
    calls: int = 0
    replaced: str | None = None
    """The path of the question that was answered here."""

    def replace(self, nth: int, answer: object, status: int = 200) -> None:
        """Count calls anew, and answer the one that is `nth` from now on."""
        self.nth, self.answer, self.status, self.calls, self.replaced = nth, answer, status, 0, None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer, or pass on."""
        self.calls += 1
        if self.calls - 1 == self.nth:
            self.replaced = request.path
        if request.path == self.replaced:
            return web.json_response(self.answer, status=self.status)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, self.behind + request.path_qs, data=await request.read(), headers=headers
            ) as reply,
        ):
            return web.Response(status=reply.status, body=await reply.read(), content_type=reply.content_type)


@asynccontextmanager
async def between(behind: str) -> AsyncIterator[tuple[str, Between]]:
    """Serve one in front of `behind`; gives its address and itself."""
    one = Between(behind)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", one.handle)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), one


@asynccontextmanager
async def behind(rig: NetworkRig) -> AsyncIterator[tuple[Network, Between]]:
    """A rig's adapter once more, and who may answer it in its stand-in's place."""
    parts, slug = urlsplit(rig.network.login_url), rig.network.spec.slug
    async with between(f"{parts.scheme}://{parts.netloc}") as (address, one):
        network = build_networks(environment(slug, address), rig.clock)[slug]
        async with network.running():
            yield network, one


def body_of(body: Mapping[str, object]) -> object:
    """What was sent, of a body as an adapter reads it: a list arrives there as the field "list"."""
    return body["list"] if set(body) == {"list"} else dict(body)
