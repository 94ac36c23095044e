"""The control API of a stand-in, under `_play/`: what the playground's panel and the tests do to a network.

JSON in, JSON out, no authentication: a stand-in listens on loopback only. Token values never leave by here, except
those of a grant that was made here. `NetworkPeople` speaks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import aiohttp
from aiohttp import web

from .breaks import BadBreak, Break, BreakDesk
from .faults import FaultDesk
from .wire import NetworkWire, json_answer
from .world import AdAccount, Decision, Grant, IssuerMode, RedirectMatch, TokenState

GRANT_TIMES = ("issued_at", "expires_at", "refresh_expires_at", "data_access_expires_at")
NOTICE_SECONDS = 5.0


class Refused(Exception):
    """The call cannot be carried out; the text says why."""


class Control:
    """Serves the control API of one network."""

    def __init__(self, wire: NetworkWire, faults: FaultDesk, breaks: BreakDesk) -> None:
        self._wire = wire
        self._world = wire.world
        self._faults = faults
        self._breaks = breaks

    def routes(self) -> list[web.RouteDef]:
        """The addresses, relative to where the stand-in is mounted."""
        return [
            web.get("/_play/state", self._state),
            web.get("/_play/calls", self._calls),
            web.delete("/_play/calls", self._forget_calls),
            web.post("/_play/breaks", self._break),
            web.delete("/_play/breaks", self._repair_all),
            web.delete("/_play/breaks/{id}", self._repair),
            web.patch("/_play/settings", self._set),
            web.patch("/_play/apps/{id}", self._register),
            web.post("/_play/accounts", self._add_account),
            web.post("/_play/grants", self._issue),
            web.patch("/_play/grants/{id}", self._move_times),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        world = self._world
        return json_answer(
            {
                "title": self._wire.title,
                "now": world.now(),
                "settings": asdict(world.settings),
                "profiles": [asdict(profile) for profile in world.profiles.values()],
                "businesses": [asdict(business) for business in world.businesses.values()],
                "accounts": [asdict(account) for account in world.accounts.values()],
                "apps": [
                    {"id": app.id, "name": app.name, "redirect_uris": app.redirect_uris} for app in world.apps.values()
                ],
                "grants": [self._grant(grant) for grant in world.grants.values()],
                "breaks": [_break_body(entry) for entry in self._breaks.standing.values()],
            }
        )

    async def _calls(self, request: web.Request) -> web.Response:
        return json_answer(dict(self._faults.calls))

    async def _forget_calls(self, request: web.Request) -> web.Response:
        self._faults.calls.clear()
        return json_answer({})

    async def _break(self, request: web.Request) -> web.Response:
        body = await _body(request)
        kind = str(body.pop("kind", ""))
        try:
            entry = self._breaks.make(kind, body)
        except BadBreak as refused:
            return _refusal(refused)
        notices = [await self._notify(grant) for grant in entry.grants]
        return json_answer({**_break_body(entry), "notified": [status for status in notices if status is not None]})

    async def _notify(self, grant: Grant) -> int | None:
        """Report a removed app as the network does; the receiver's HTTP status, 0 when it cannot be reached."""
        notice = self._wire.removal_notice(grant)
        if notice is None:
            return None
        address, form = notice
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=NOTICE_SECONDS)) as session,
                session.post(address, data=form, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _repair(self, request: web.Request) -> web.Response:
        try:
            self._breaks.repair(request.match_info["id"])
        except BadBreak as refused:
            return _refusal(refused, 404)
        return json_answer({})

    async def _repair_all(self, request: web.Request) -> web.Response:
        self._breaks.repair_all()
        return json_answer({})

    async def _set(self, request: web.Request) -> web.Response:
        changes = await _body(request)
        known = asdict(self._world.settings)
        try:
            for name in changes:
                if name not in known:
                    raise Refused(f"no setting {name!r}; known: {', '.join(known)}")
            if changes.get("logged_in") is not None and changes["logged_in"] not in self._world.profiles:
                raise Refused(f"no profile {changes['logged_in']!r}")
            if "issuer" in changes:
                changes["issuer"] = IssuerMode(str(changes["issuer"]))
            if "redirect_match" in changes:
                changes["redirect_match"] = RedirectMatch(str(changes["redirect_match"]))
        except (Refused, ValueError) as refused:
            return _refusal(refused)
        for name, value in changes.items():
            setattr(self._world.settings, name, value)
        return json_answer(asdict(self._world.settings))

    async def _add_account(self, request: web.Request) -> web.Response:
        try:
            account = AdAccount(**(await _body(request)))  # type: ignore[arg-type]  # the caller's own test data
        except TypeError as wrong:
            return _refusal(wrong)
        self._world.accounts[account.id] = account
        return json_answer(asdict(account))

    async def _register(self, request: web.Request) -> web.Response:
        """What a developer sets in the network's app settings."""
        app, body = self._world.apps.get(request.match_info["id"]), await _body(request)
        addresses, notice = body.pop("redirect_uris", None), body.pop("deauthorize_url", None)
        if app is None or body or not isinstance(addresses, list | None):
            return _refusal(Refused("no such app, or not its redirect_uris (a list) and deauthorize_url"))
        if addresses is not None:
            app.redirect_uris = tuple(map(str, addresses))
        if notice is not None:
            app.deauthorize_url = str(notice)
        return json_answer({"id": app.id, "redirect_uris": app.redirect_uris})

    async def _issue(self, request: web.Request) -> web.Response:
        """A grant without a browser, for tests that begin after consent."""
        body = await _body(request)
        app = self._world.apps.get(str(body.get("app"))) or next(iter(self._world.apps.values()), None)
        profile_id = str(body.get("profile"))
        permissions, accounts = body.get("permissions"), body.get("accounts")
        if app is None or profile_id not in self._world.profiles or not isinstance(permissions, list):
            return _refusal(Refused("app, profile and permissions are needed"))
        decision = Decision(
            profile_id=profile_id,
            permissions=frozenset(map(str, permissions)),
            accounts=frozenset(map(str, accounts)) if isinstance(accounts, list) else None,
        )
        grant, terms = self._wire.open_grant(app, decision), self._wire.terms
        access = self._world.add_token(grant, "access", self._wire.issued_seconds)
        answer = {"grant": grant.id, "access_token": self._wire.handed_out(access), "expires_at": access.expires_at}
        if terms.refresh_seconds is not None and (terms.refreshes_for_all or app.refresh_tokens):
            answer["refresh_token"] = self._world.add_token(grant, "refresh", terms.refresh_seconds).value
        return json_answer(answer)

    async def _move_times(self, request: web.Request) -> web.Response:
        """Set times of a grant and its tokens (seconds since the epoch), or shift them all by `shift_seconds`."""
        grant = self._world.grants.get(request.match_info["id"])
        body = await _body(request)
        unknown = set(body) - {*GRANT_TIMES, "shift_seconds"}
        if grant is None or unknown:
            return _refusal(Refused(f"no grant, or unknown times: {', '.join(sorted(unknown))}"), 404)
        times = {name: float(str(value)) for name, value in body.items()}
        shift = times.pop("shift_seconds", 0.0)
        for token in self._world.tokens_of(grant.id):
            expiry = "expires_at" if token.kind == "access" else "refresh_expires_at"
            token.issued_at = times.get("issued_at", token.issued_at + shift)
            token.expires_at = times.get(expiry, None if token.expires_at is None else token.expires_at + shift)
        grant.created_at = times.get("issued_at", grant.created_at + shift)
        if grant.data_access_expires_at is not None:
            grant.data_access_expires_at = times.get("data_access_expires_at", grant.data_access_expires_at + shift)
        return json_answer(self._grant(grant))

    def _grant(self, grant: Grant) -> dict[str, object]:
        tokens = [
            {"kind": t.kind, "issued_at": t.issued_at, "expires_at": t.expires_at, "state": self._world.state(t)}
            for t in self._world.tokens_of(grant.id)
        ]
        return {
            "id": grant.id,
            "app": grant.app_id,
            "profile": grant.profile_id,
            "permissions": sorted(grant.permissions),
            "declined": sorted(grant.declined),
            "business": grant.business_id,
            "allowed": None if grant.accounts is None else sorted(grant.accounts),
            "reaches": [account.id for account in self._wire.reach(grant)],
            "created_at": grant.created_at,
            "revoked_at": grant.revoked_at,
            "data_access_expires_at": grant.data_access_expires_at,
            "live": any(token["state"] is TokenState.LIVE for token in tokens),
            "tokens": tokens,
        }


async def _body(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError as wrong:
        raise web.HTTPBadRequest(text="the body is not JSON") from wrong
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _refusal(why: Exception, status: int = 400) -> web.Response:
    return json_answer({"error": str(why)}, status)


def _break_body(entry: Break) -> Mapping[str, object]:
    return {"id": entry.id, "kind": entry.kind, "arguments": entry.arguments}
