"""The Web API's front door: encoding, token, faults on command, rate limits, scopes, then the method; and its two logs.

`accepted` holds each call that took effect, `replies` what the caller was answered: a lost reply is in the first alone.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from bot.playground.vendors.slack import methods_chat as chat
from bot.playground.vendors.slack import methods_people as people
from bot.playground.vendors.slack import methods_views as views
from bot.playground.vendors.slack.calls import Arguments, Call, read_arguments, workspace_of
from bot.playground.vendors.slack.faults import Fault, FaultKind
from bot.playground.vendors.slack.openid import OpenId
from bot.playground.vendors.slack.sockets import SocketMode
from bot.playground.vendors.slack.state import SlackState
from bot.playground.vendors.slack.tokens import BotToken
from bot.playground.vendors.slack.wire import Json, RefusedError, new_id

Handler: TypeAlias = Callable[[Call], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method that takes a bot token, and the scope that it needs (None: any)."""

    run: Handler
    scope: str | None = None


TOKEN_METHODS: dict[str, Callable[[SlackState, BotToken, Arguments], Json]] = {
    "auth.test": people.auth_test,
    "auth.teams.list": people.auth_teams_list,
}
"""About a token itself; they need no workspace."""
BOT_METHODS: dict[str, Method] = {
    "team.info": Method(people.team_info, "team:read"),
    "chat.postMessage": Method(chat.post_message, "chat:write"),
    "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
    "chat.update": Method(chat.update, "chat:write"),
    "chat.delete": Method(chat.delete, "chat:write"),
    "chat.getPermalink": Method(chat.get_permalink),
    "conversations.open": Method(people.conversations_open, "im:write"),
    "conversations.info": Method(people.conversations_info),
    "conversations.members": Method(people.conversations_members),
    "users.info": Method(people.users_info, "users:read"),
    "users.lookupByEmail": Method(people.lookup_by_email, "users:read.email"),
    "views.open": Method(views.views_open),
    "views.push": Method(views.views_push),
    "views.update": Method(views.views_update),
    "views.publish": Method(views.views_publish),
}


class WebApi:
    """Serves `/api/{method}`."""

    def __init__(self, state: SlackState, sockets: SocketMode, openid: OpenId) -> None:
        self._state = state
        self._sockets = sockets
        self._client_methods: dict[str, Callable[[Arguments], Json]] = {
            "oauth.v2.access": openid.install_access,
            "openid.connect.token": openid.token,
        }
        self._openid = openid

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call, whatever becomes of it."""
        method = request.match_info["method"]
        record: Json = {"method": method, "team": None}
        fault: Fault | None = None
        token: BotToken | None = None
        status, headers = 200, {"x-slack-req-id": new_id("", 16)}
        answer: Json = {"ok": True}
        try:
            args = await read_arguments(request)
            token = self._peek(request, args)
            record |= {"team": token.team_id if token else None, "args": args.values}
            fault = self._state.faults.take(method, record["team"])
            if fault is None or fault.takes_effect:
                answer = await self._run(method, request, args, token)
                if args.warnings:
                    answer |= {"warning": ",".join(args.warnings)}
                    answer.setdefault("response_metadata", {})["warnings"] = args.warnings
                if method in self._client_methods:  # codes, secrets and tokens stay out of the log
                    record["args"] = {"grant_type": args.text("grant_type")}
                    self._state.accepted.append(record | {"answer": {"ok": True}})
                else:
                    self._state.accepted.append(record | {"answer": answer})
        except _Limited as limited:
            status, headers["Retry-After"] = 429, str(limited.seconds)
            answer = {"ok": False, "error": "ratelimited"}
        except RefusedError as refused:
            answer = {"ok": False, "error": refused.error, **refused.detail}
        if token:
            headers["x-oauth-scopes"] = ",".join(token.scopes)
        return await self._answer(request, record, fault, _Reply(answer, status, headers))

    def _bearer(self, request: web.Request, args: Arguments) -> str | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
        return args.form_token

    def _peek(self, request: web.Request, args: Arguments) -> BotToken | None:
        """The bot token of the call if it is a good one; whether it must be is said by the method."""
        try:
            return self._state.tokens.check(self._bearer(request, args) or "")
        except RefusedError:
            return None

    async def _run(self, method: str, request: web.Request, args: Arguments, token: BotToken | None) -> Json:
        value = self._bearer(request, args)
        if method in self._client_methods:
            return {"ok": True, **self._client_methods[method](args)}
        if method == "openid.connect.userInfo":
            return {"ok": True, **self._openid.user_info(value)}
        if method == "apps.connections.open":
            return {"ok": True, **self._sockets.open_ticket(value)}
        if method not in BOT_METHODS and method not in TOKEN_METHODS:
            raise RefusedError("unknown_method", req_method=method)
        if not value:
            raise RefusedError("not_authed")
        if value == self._state.app.app_token:
            raise RefusedError("not_allowed_token_type")
        if token is None:
            token = self._state.tokens.check(value)  # raises, and names why
        return {"ok": True, **await self._run_for_bot(method, args, token)}

    async def _run_for_bot(self, method: str, args: Arguments, token: BotToken) -> Json:
        if about_token := TOKEN_METHODS.get(method):
            return about_token(self._state, token, args)
        channel = args.text("channel")
        if channel and channel[0] in "UW":  # the person and their direct messages are one destination
            channel = "D" + channel[1:]
        wait = self._state.limits.wait_for(method, token.team_id, channel)
        if wait is not None:
            raise _Limited(wait)
        chosen = BOT_METHODS[method]
        if chosen.scope and chosen.scope not in token.scopes:
            raise RefusedError("missing_scope", needed=chosen.scope, provided=",".join(token.scopes))
        return await chosen.run(Call(self._state, workspace_of(self._state, token, args), args, token.scopes))

    async def _answer(self, request: web.Request, record: Json, fault: Fault | None, reply: "_Reply") -> web.Response:
        if fault is not None:
            reply.spoil(fault)
            if fault.kind is FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
            elif fault.kind is FaultKind.HANG:
                await self._state.faults.held()
        told = {"status": reply.status, "ok": reply.answer["ok"], "error": reply.answer.get("error")}
        log = {"method": record["method"], "team": record["team"], **told, "fault": fault.kind.value if fault else None}
        self._state.replies.append(log)
        self._state.changes.add("call", method=record["method"], ok=told["ok"], error=told["error"])
        if fault and fault.kind is FaultKind.DROP and request.transport is not None:
            request.transport.abort()
        return web.Response(
            body=reply.body,
            status=reply.status,
            headers=reply.headers,
            content_type=reply.content_type,
            charset="utf-8",
        )


@dataclass(slots=True)
class _Reply:
    """What goes back, before and after a fault had its way with it."""

    answer: Json
    status: int
    headers: dict[str, str]
    body: bytes = b""
    content_type: str = "application/json"

    def __post_init__(self) -> None:
        self.body = json.dumps(self.answer).encode()

    def spoil(self, fault: Fault) -> None:
        """Turn the reply into what the fault makes of it."""
        match fault.kind:
            case FaultKind.ERROR:
                self._fail(200, fault.error)
            case FaultKind.RATE_LIMIT:
                self._fail(429, "ratelimited")
                if fault.retry_after is not None:
                    self.headers["Retry-After"] = fault.retry_after
            case FaultKind.HTTP:
                self._fail(fault.status, "html")
                self.body = b"<!DOCTYPE html><html><body>Server Error</body></html>"
                self.content_type = "text/html"
            case FaultKind.TRUNCATE:
                self.body = self.body[: len(self.body) // 2]
            case FaultKind.EMPTY:
                self.body = b""
            case FaultKind.DROP | FaultKind.SLOW | FaultKind.HANG:
                pass  # these are about the connection, not the words

    def _fail(self, status: int, error: str) -> None:
        self.answer, self.status = {"ok": False, "error": error}, status
        self.body = json.dumps(self.answer).encode()


class _Limited(Exception):
    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
