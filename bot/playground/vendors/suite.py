"""Plays a host product that keeps connections of its own: reports what happens to them, is told of lapses by webhook,
and has a page where one is mended.

It is written from lapsebot's page for host products and from Standard Webhooks alone. Everybody who opens its pages is
taken for somebody who may use them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

import aiohttp
from aiohttp import web

KEPT = 30  # messages that its page shows
HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@dataclass
class Shop:
    """A connection that it keeps."""

    name: str
    client: str
    connector_email: str
    trouble: str = ""
    """Why it does not work, in its own words; empty: it works."""


@dataclass
class Suite:
    """The product, in memory. `clock` gives the time in seconds since the epoch."""

    network: str
    shops: dict[str, Shop]
    """By account id."""
    clock: Callable[[], float]
    api: str = ""
    """Where lapsebot's API is; known once it was set up."""
    key: str = ""
    secret: str = ""
    received: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Messages whose signature was good: when, and what they said."""
    _seen: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        """Its pages, where it is told, and how it is played."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/connections", self._page),
                web.get("/connections/{account}/mend", self._mend_page),
                web.post("/connections/{account}/mend", self._mend),
                web.post("/hooks/lapsebot", self._hook),
                web.post("/_play/setup", self._set_up),
                web.post("/_play/breaks", self._break),
                web.delete("/_play/breaks/{id}", self._repair),
            ]
        )
        return app

    async def _set_up(self, request: web.Request) -> web.Response:
        """What its operator enters: where lapsebot's API is, a key of it, the secret of the webhook. It then says what
        connections it keeps.
        """
        body = await request.json()
        self.api, self.key, self.secret = str(body["api"]), str(body["key"]), str(body["secret"])
        rows = [
            {
                "network": self.network,
                "account_id": account,
                "account_name": shop.name,
                "client": shop.client,
                "connector_email": shop.connector_email,
            }
            for account, shop in self.shops.items()
        ]
        return web.json_response(await self._call("connections", {"connections": rows}))

    async def _break(self, request: web.Request) -> web.Response:
        body = await request.json()
        account = str(body["account"])
        await self._report(account, "lapsed", "The shop's owner took our app out of the shop.")
        return web.json_response({"id": account})

    async def _repair(self, request: web.Request) -> web.Response:
        await self._report(request.match_info["id"], "restored")
        return web.json_response({})

    async def _report(self, account: str, kind: str, reason: str = "") -> None:
        self.shops[account].trouble = reason
        report = {
            "event_id": f"evt_{secrets.token_hex(8)}",
            "type": kind,
            "at": self._now().isoformat(),
            "network": self.network,
            "account_id": account,
            "reason": reason,
        }
        answer = await self._call("reports", {"reports": [report]})
        result = answer["results"][0]
        if result["outcome"] == "refused":
            raise web.HTTPBadGateway(text=f"lapsebot refused the report: {result['reason']}")

    async def _call(self, what: str, body: Mapping[str, object]) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.api}/{what}", json=body, headers=headers) as answer,
        ):
            if answer.status >= 300:
                raise web.HTTPBadGateway(text=f"lapsebot answered {answer.status}")
            return await answer.json()

    async def _hook(self, request: web.Request) -> web.Response:
        """Take a message once, if it is signed with the secret."""
        body, sent = await request.read(), request.headers
        signed = b".".join([sent.get("webhook-id", "").encode(), sent.get("webhook-timestamp", "").encode(), body])
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.removeprefix("v1,") for one in sent.get("webhook-signature", "").split()]
        if not any(hmac.compare_digest(good, one) for one in given):
            return web.Response(status=401)
        if sent["webhook-id"] not in self._seen:
            self._seen.add(sent["webhook-id"])
            self.received.appendleft((self._now().strftime("%H:%M:%S"), told(json.loads(body))))
        return web.Response(status=204)

    async def _page(self, _: web.Request) -> web.Response:
        shops = "".join(
            f"<tr><td>{escape(shop.name)}</td><td>{escape(shop.client)}</td>"
            f"<td>{escape(shop.trouble) or 'works'}</td>"
            f'<td><a href="connections/{escape(account)}/mend">open</a></td></tr>'
            for account, shop in self.shops.items()
        )
        heard = "".join(f"<tr><td>{when}</td><td>{escape(what)}</td></tr>" for when, what in self.received)
        heard = heard or "<tr><td>Nothing yet: break something.</td></tr>"
        return _html(
            "Connections",
            f"<h2>Connections that the Suite keeps</h2><table>{shops}</table>"
            f"<h2>What lapsebot told us by signed webhook</h2><table>{heard}</table>"
            '<p><a href="">Look again</a></p>',
        )

    async def _mend_page(self, request: web.Request) -> web.Response:
        shop = self._shop(request)
        if not shop.trouble:
            return _html(shop.name, '<p class="good">This connection works.</p><p>You can close this page.</p>')
        return _html(
            shop.name,
            f'<p>{escape(shop.trouble)}</p><form method="post"><button>Put the app back into the shop</button></form>',
        )

    async def _mend(self, request: web.Request) -> web.StreamResponse:
        if self._shop(request).trouble:
            await self._report(request.match_info["account"], "restored")
        raise web.HTTPSeeOther(request.path)

    def _shop(self, request: web.Request) -> Shop:
        shop = self.shops.get(request.match_info["account"])
        if shop is None:
            raise web.HTTPNotFound
        return shop

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


def told(message: Mapping[str, Any]) -> str:
    """A message of lapsebot's in one line."""
    connection, lapse = message["data"]["connection"], message["data"].get("lapse") or {}
    gap = lapse.get("gap") or {}
    fetch = ""
    if message["type"] == "lapse.ended" and gap.get("begins_at"):
        fetch = f", to fetch again: {gap['begins_at'][11:19]} to {gap['ends_at'][11:19]}"
    cause = f", {lapse['cause']}" if lapse.get("cause") else ""
    return f"{message['type']}: {connection['network_name']} · {connection['account_name']}{cause}{fetch}"


def _html(title: str, body: str) -> web.Response:
    return web.Response(text=_FRAME.format(title=escape(title), body=body), content_type="text/html", headers=HEADERS)


_FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · North Suite (a stand-in)</title>
<style>
:root{{color-scheme:light dark}}
body{{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
td{{padding:.3rem 1rem .3rem 0;vertical-align:top}}
.good{{font-weight:600}}
</style>
<p>North Suite, a stand-in for the product that lapsebot stands beside</p>
<h1>{title}</h1>
{body}
</html>
"""
