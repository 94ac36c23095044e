"""Plays a vendor that is read with keys: one account each, with what its owner allowed the key, as most such APIs do.

Its documentation is this file. `GET /v1/account` with `Authorization: Bearer lm_…` answers 200 with the account and the
key's end, 401 `invalid_key` or `expired_key`, 403 `missing_permission`, 423 `account_locked`, 429, 503. People make,
spoil and delete keys at `/settings/keys`, where anybody is taken for an Owner.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from aiohttp import web


@dataclass
class Key:
    """A key that somebody made there."""

    account_id: str
    account_name: str
    fault: str = ""
    """The code of what it answers instead; empty: it works."""
    ends_at: datetime | None = None


_STATUS = {
    "invalid_key": 401,
    "expired_key": 401,
    "missing_permission": 403,
    "account_locked": 423,
    "too_many": 429,
    "down": 503,
    "teapot": 418,
}


@dataclass
class Letterly:
    """The vendor, in memory."""

    accounts: dict[str, str] = field(default_factory=dict)
    """What its page offers keys of: names by id."""
    keys: dict[str, Key] = field(default_factory=dict)
    down: bool = False
    asked: int = 0
    """How often it was asked."""
    gate: asyncio.Event | None = None
    """Answers wait for it; None: for nothing."""
    waited: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a question waits at the gate."""
    _breaks: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """What was spoilt by the control API: its code, and what each key had before."""

    def make_key(self, account_id: str, account_name: str, *, ends_at: datetime | None = None) -> str:
        """Make a key, as the account's owner does on the vendor's page."""
        key = f"lm_{secrets.token_hex(16)}"
        self.keys[key] = Key(account_id=account_id, account_name=account_name, ends_at=ends_at)
        return key

    def app(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application()
        app.router.add_get("/v1/account", self._account)
        app.router.add_get("/settings/keys", self._page)
        app.router.add_post("/settings/keys", self._press)
        app.router.add_post("/_play/keys", self._make)
        app.router.add_post("/_play/breaks", self._break)
        app.router.add_delete("/_play/breaks/{id}", self._repair)
        return app

    async def _make(self, request: web.Request) -> web.Response:
        """A key without the page: `{"account"}` → `{"key"}`."""
        account = str((await request.json())["account"])
        return web.json_response({"key": self.make_key(account, self.accounts[account])})

    async def _break(self, request: web.Request) -> web.Response:
        """Spoil an account's keys, or take all of it down: `{"kind", "account"}` → `{"id"}`.

        `kind` is a code that its documentation names, of which `down` needs no account.
        """
        body = await request.json()
        kind, spoilt = str(body["kind"]), {}
        if kind not in _STATUS:
            return web.json_response({"error": f"it has no {kind!r}"}, status=400)
        if kind == "down":
            self.down = True
        else:
            spoilt = {key: one.fault for key, one in self.keys.items() if one.account_id == str(body["account"])}
        for key in spoilt:
            self.keys[key].fault = kind
        break_id = secrets.token_hex(4)
        self._breaks[break_id] = (kind, spoilt)
        return web.json_response({"id": break_id})

    async def _repair(self, request: web.Request) -> web.Response:
        """Undo it: the keys are what they were before."""
        kind, spoilt = self._breaks.pop(request.match_info["id"], ("", {}))
        self.down = self.down and kind != "down"
        for key, fault in spoilt.items():
            if key in self.keys:
                self.keys[key].fault = fault
        return web.json_response({})

    async def _account(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.gate is not None:
            self.waited.set()
            await self.gate.wait()
        if self.down:
            return web.Response(status=503, text="<h1>Service Unavailable</h1>")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        key = self.keys.get(given) if scheme == "Bearer" else None
        code = "invalid_key" if key is None else key.fault
        if key is None or code:
            return web.json_response(
                {"error": {"code": code, "message": f"{given} cannot be used"}}, status=_STATUS[code]
            )
        end = key.ends_at.isoformat() if key.ends_at is not None else None
        return web.json_response(
            {"account": {"id": key.account_id, "name": key.account_name}, "key": {"expires_at": end}}
        )

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=_PAGE.format(accounts=self._choices(), rows=self._rows()), content_type="text/html")

    async def _press(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        account, key = str(form.get("account", "")), self.keys.get(str(form.get("key", "")))
        if account in self.accounts:
            self.make_key(account, self.accounts[account])
        elif key is not None and form.get("do") == "delete":
            del self.keys[str(form["key"])]
        elif key is not None:
            key.fault = "" if key.fault else "missing_permission"
        raise web.HTTPSeeOther(request.path)

    def _choices(self) -> str:
        return "".join(
            f'<option value="{escape(one)}">{escape(name)} ({escape(one)})</option>'
            for one, name in self.accounts.items()
        )

    def _rows(self) -> str:
        return "".join(
            f"<tr><td>{escape(one.account_name)}</td><td><code>{escape(key)}</code></td>"
            f"<td>{'may not read campaigns' if one.fault else 'may read campaigns'}</td>"
            f'<td><form method="post"><input type="hidden" name="key" value="{escape(key)}">'
            '<button name="do" value="turn">Turn reading campaigns on or off</button> '
            '<button name="do" value="delete">Delete</button></form></td></tr>'
            for key, one in self.keys.items()
        )


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Keys · Letterly (a stand-in)</title>
<style>
body{{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
td{{padding:.3rem}}
</style>
<h1>Letterly · Settings · Keys</h1>
<p>A stand-in for a vendor that is read with keys. Copy a key into lapsebot's form; delete it to make it lapse.</p>
<form method="post"><label>Account <select name="account">{accounts}</select></label> <button>New key</button></form>
<table>{rows}</table></html>
"""
