"""Slack's side, bare: it sends slash commands, accepts answers and posts, and checks nothing but that they came.

Run as a process of its own. Takes one order a line on stdin, as JSON, and answers each with one line on stdout.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import sys
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bench.dataset import ASKER, TEAM
from bench.processes.layout import OTHERS, SIGNING_SECRET, pin

_LONGEST_ANSWER = 60.0  # seconds
CHANNEL = "C0BENCH"


class SlackSide:
    """What came in, and who waits for it."""

    def __init__(self) -> None:
        self._url = ""
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._last_answer = ""
        self._posts: list[tuple[str, float]] = []
        self._example: dict[str, Any] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/api/auth.test", self._auth_test)
        app.router.add_post("/api/conversations.info", self._conversation)
        app.router.add_post("/api/chat.postMessage", self._post_message)
        app.router.add_post("/api/{method}", self._any_method)
        app.router.add_post("/respond/{number}", self._respond)
        return app

    async def order(self, order: dict[str, Any]) -> object:
        """Carry out one order."""
        match order["do"]:
            case "listen":
                self._url = order["url"]
                return None
            case "load":
                return await self._load(order["url"], order["seconds"], order["concurrency"])
            case "forget":
                self._posts.clear()
                return None
            case "count":
                return len(self._posts)
            case "posts":
                return self._posts
            case "example":
                return self._example
        raise ValueError(order["do"])

    async def _auth_test(self, _request: web.Request) -> web.Response:
        identity = {"team_id": TEAM, "team": "Bench", "user_id": "U0BOT", "bot_id": "B0BOT", "url": self._url}
        return web.json_response({"ok": True, **identity})

    async def _conversation(self, _request: web.Request) -> web.Response:
        """A channel of the workspace's own, as Slack says it."""
        channel = {"id": CHANNEL, "is_channel": True, "is_ext_shared": False, "is_pending_ext_shared": False}
        return web.json_response({"ok": True, "channel": channel})

    async def _any_method(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def _post_message(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._example = self._example or body
        self._posts.append((body["channel"], time.time()))
        return web.json_response({"ok": True, "channel": body["channel"], "ts": f"{len(self._posts)}.000100"})

    async def _respond(self, request: web.Request) -> web.Response:
        self._last_answer = await request.text()
        answered = self._waiting.pop(request.match_info["number"], None)
        if answered is not None:
            answered.set_result(None)
        return web.Response(text="ok")

    async def _load(self, url: str, seconds: float, concurrency: int) -> dict[str, object]:
        """Keep so many commands under way for so long: each worker sends the next when its answer is here."""
        answers = 0
        until = time.perf_counter() + seconds

        async def work(session: aiohttp.ClientSession) -> None:
            nonlocal answers
            while time.perf_counter() < until:
                await self._ask(session, url)
                answers += 1

        start = time.perf_counter()
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(work(session))
        rate = answers / (time.perf_counter() - start)
        return {"rate": rate, "answer": self._last_answer}

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> None:
        number = str(next(self._numbers))
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        body = urlencode(
            {
                "token": "unused",
                "team_id": TEAM,
                "team_domain": "bench",
                "channel_id": CHANNEL,
                "channel_name": "bench",
                "user_id": ASKER,
                "user_name": "bench",
                "command": "/lapsed",
                "text": "",
                "api_app_id": "A0BENCH",
                "is_enterprise_install": "false",
                "response_url": f"{self._url}/respond/{number}",
                "trigger_id": f"{number}.bench",
            }
        ).encode()
        timestamp = str(int(time.time()))
        base = b"v0:" + timestamp.encode() + b":" + body
        signature = "v0=" + hmac.new(SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        }
        async with asyncio.timeout(_LONGEST_ANSWER):
            async with session.post(url, data=body, headers=headers) as acknowledged:
                assert acknowledged.status == 200, acknowledged.status
            await answered


async def main() -> None:
    """Serve until stdin ends."""
    pin(OTHERS)
    side = SlackSide()
    runner = web.AppRunner(side.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _say(f"http://127.0.0.1:{site.port}")
    orders = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        _say(await side.order(json.loads(line)))
    await runner.cleanup()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
