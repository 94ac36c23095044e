"""Instagram with its own login as it answers: a short token, a long one that renews itself, one account to a login.

An account of the world is an Instagram account; whoever has a role on it can log in as it, and is offered to switch
between those that are theirs. From the project's notes on Meta's documentation: a list of one as the token answer, `#_`
behind the callback, one error form for the login and the Graph API's for the rest, renewal from the age of a day. Of
uncertain source: the answers to a wrong app secret and to a renewal that comes too early, 492 for a login that lost the
account, one and the same answer for deleted and suspended accounts, the id in the report of a removed app.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web
from multidict import MultiMapping

from ..authority import ConsentRequest, Failure
from ..graph import graph_error, picked, presented_token, signed_request
from ..oauth_records import Terms
from ..wire import Endpoint, Handler, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Business, Decision, Grant, Profile, Token, TokenState

CODE_SECONDS = 3600
SHORT_SECONDS = 3600
LONG_SECONDS = 5183944
RENEWS_FROM = 86400
ACTIVE, SUSPENDED = None, "SUSPENDED"
BASIC, INSIGHTS = "instagram_business_basic", "instagram_business_manage_insights"
PERMISSIONS = {
    BASIC: "View profile and access media",
    INSIGHTS: "Access and manage insights",
    "instagram_business_manage_comments": "Access and manage comments",
    "instagram_business_manage_messages": "Access and manage messages",
    "instagram_business_content_publish": "Access and publish content",
}
FIELDS = frozenset({"id", "user_id", "username", "account_type"})
METRICS = frozenset({"reach", "views", "profile_views", "accounts_engaged", "total_interactions"})
NO_CODE = "Matching code was not found or was already used"
NO_OBJECT = (
    "Unsupported get request. Object with ID 'me' does not exist, cannot be loaded due to missing permissions, or does "
    "not support this operation"
)
NOT_GRANTED = "(#10) Application does not have permission for this action"
DEAD: dict[TokenState, tuple[str, int | None]] = {
    TokenState.UNKNOWN: ("Invalid OAuth access token - Cannot parse access token", None),
    TokenState.REVOKED: ("Error validating access token: The user has not authorized application.", 458),
    TokenState.EXPIRED: ("Error validating access token: Session has expired.", 463),
    TokenState.BLOCKED: ("Error validating access token: You cannot access the app till you log in to "
                         "www.instagram.com and follow the instructions given.", 459),
    TokenState.PASSWORD_CHANGED: ("Error validating access token: The session has been invalidated because the user "
                                  "changed their password or Instagram has changed the session for security reasons.",
                                  460),
}  # fmt: skip
LOST = ("Error validating access token: The session is invalid for this account.", 492)


def _login_error(message: str) -> web.Response:
    """A refusal as api.instagram.com words it: nothing but the message tells one from another."""
    return json_answer({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)


class Wire(NetworkWire):
    """Instagram."""

    title = "Instagram"
    accent = "#d300c5"
    business_word = "Account"
    disabled_status = SUSPENDED
    terms = Terms(permissions=frozenset(PERMISSIONS), code_seconds=CODE_SECONDS, access_seconds=SHORT_SECONDS)

    @property
    def issued_seconds(self) -> float | None:
        return LONG_SECONDS

    def authorize_paths(self) -> list[str]:
        return ["/oauth/authorize"]

    def endpoints(self) -> list[Endpoint]:
        table: list[tuple[str, str, str, Handler]] = [
            ("POST", "/oauth/access_token", "token", self._token),
            ("GET", "/access_token", "access_token", self._exchange),
            ("GET", "/refresh_access_token", "refresh_access_token", self._refresh),
            ("GET", "/me", "me", self._me),
            ("GET", "/me/insights", "me/insights", self._insights),
        ]
        return [Endpoint(method=method, path=path, label=label, handler=call) for method, path, label, call in table]

    def authorize_params(self, query: MultiMapping[str]) -> list[tuple[str, str]]:
        return [(name, value.replace(",", " ") if name == "scope" else value) for name, value in query.items()]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        own = [one for one in self.world.accounts.values() if not one.deleted and self.role_of(profile.id, one)]
        chosen = next((one for one in own if one.id == business_id), own[0] if own else None)
        return Offer(
            permissions=tuple(
                Permission(id=one, label=PERMISSIONS[one], optional=one != BASIC)
                for one in dict.fromkeys((BASIC, *requested))
            ),
            businesses=tuple(Business(id=one.id, name=one.name) for one in own),
            business_id=None if chosen is None else chosen.id,
            note="You can remove this at any time in your Instagram settings.",
        )

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        return replace(decision, accounts=frozenset({decision.business_id} if decision.business_id else ()))

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(
            redirect_uri,
            error="access_denied",
            error_reason="user_denied",
            error_description="The user denied your request",
            state=state,
        )

    def refused(self, failure: Failure) -> str | None:
        return None  # Instagram shows what is wrong with a request on its own page

    def allowed(self, location: str) -> str:
        return f"{location}#_"

    def open_grant(self, app: App, decision: Decision) -> Grant:
        """One grant per account and app: a second consent changes the first, unless that was removed."""
        for grant in self.world.grants_of(app.id, decision.profile_id):
            if grant.revoked_at is None and grant.business_id == decision.business_id:
                grant.permissions, grant.declined = set(decision.permissions), set(decision.declined)
                return grant
        return super().open_grant(app, decision)

    def family(self, grant: Grant) -> list[Grant]:
        granted = self.world.grants_of(grant.app_id, grant.profile_id)
        return [other for other in granted if self._account(other) is self._account(grant)]

    def removal_notice(self, grant: Grant) -> tuple[str, dict[str, str]] | None:
        app, account = self.world.apps[grant.app_id], self._account(grant)
        if app.deauthorize_url is None or account is None:
            return None
        payload = {"algorithm": "HMAC-SHA256", "issued_at": int(self.world.now()), "user_id": account.id}
        return app.deauthorize_url, {"signed_request": signed_request(app, payload)}

    def throttled(self) -> web.Response:
        headers = {"X-App-Usage": json.dumps({"call_count": 100, "total_time": 12, "total_cputime": 9})}
        return graph_error(4, "(#4) Application request limit reached", headers=headers)

    def down(self) -> web.Response:
        message = "An unexpected error has occurred. Please retry your request later."
        return graph_error(2, message, status=500, transient=True)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        app = self.world.apps.get(form.get("client_id", ""))
        if app is None:
            return _login_error("Invalid platform app")
        if not secrets.compare_digest(app.secret.encode(), form.get("client_secret", "").encode()):
            return _login_error("Error validating client secret")
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            return _login_error(NO_CODE if answer.error == "invalid_grant" else f"Invalid request: {answer.error}")
        account = self._account(answer.grant)
        entry = {
            "access_token": answer.access.value,
            "user_id": _scoped(account) if account is not None else "",
            "permissions": ",".join(sorted(answer.grant.permissions)),
        }
        return json_answer({"data": [entry]})

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        token = self._asked(request, "ig_exchange_token")
        if isinstance(token, web.Response):
            return token
        app = self.world.apps[self.world.grants[token.grant_id].app_id]
        if not secrets.compare_digest(app.secret.encode(), request.query.get("client_secret", "").encode()):
            return graph_error(100, "Error validating client secret.")
        return self._long_lived(token)

    async def _refresh(self, request: web.Request) -> web.StreamResponse:
        token = self._asked(request, "ig_refresh_token")
        if isinstance(token, web.Response):
            return token
        if BASIC not in self.world.grants[token.grant_id].permissions:
            return graph_error(10, NOT_GRANTED)
        if self.world.now() - token.issued_at < RENEWS_FROM:
            return graph_error(100, "(#100) The access token is not yet 24 hours old")
        return self._long_lived(token)

    def _asked(self, request: web.Request, grant_type: str) -> Token | web.Response:
        """The live token that the address names, where it asks for `grant_type`."""
        if request.query.get("grant_type") != grant_type:
            return graph_error(100, "(#100) Invalid grant_type")
        return self._live(request.query.get("access_token", ""))

    def _long_lived(self, token: Token) -> web.Response:
        """A new token; the one that it was asked for with lives on to its own end."""
        made = self.world.add_token(self.world.grants[token.grant_id], "access", LONG_SECONDS, prefix="IGAA")
        return json_answer({"access_token": made.value, "token_type": "bearer", "expires_in": LONG_SECONDS})

    async def _me(self, request: web.Request) -> web.StreamResponse:
        def answer(account: AdAccount) -> web.Response:
            names = request.query.get("fields", "id").split(",")
            unknown = [name for name in names if name not in FIELDS]
            if unknown:
                return graph_error(
                    100, f"(#100) Tried accessing nonexisting field ({unknown[0]}) on node type (IGUser)"
                )
            body = {"user_id": account.id, "username": account.name, "account_type": "BUSINESS"}
            return json_answer(picked(request, {**body, "id": _scoped(account)}, "id"))

        return self._answered(request, BASIC, answer)

    async def _insights(self, request: web.Request) -> web.StreamResponse:
        def answer(account: AdAccount) -> web.Response:
            metrics = request.query.get("metric", "").split(",")
            if not set(metrics) <= METRICS or request.query.get("period") != "day":
                return graph_error(100, "(#100) metric and period are required, and must be known")
            path = f"{_scoped(account)}/insights"
            return json_answer(
                {"data": [{"name": m, "period": "day", "values": [], "id": f"{path}/{m}/day"} for m in metrics]}
            )

        return self._answered(request, INSIGHTS, answer)

    def _answered(
        self, request: web.Request, permission: str, answer: Callable[[AdAccount], web.Response]
    ) -> web.Response:
        """What `answer` makes of the caller's account, where the token lives, the account does, and it is allowed."""
        token = self._live(presented_token(request))
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        account = self._account(grant)
        if account is None or account.deleted or account.status is not ACTIVE:
            return graph_error(100, NO_OBJECT, subcode=33, kind="IGApiException")
        if self.role_of(grant.profile_id, account) is None:
            return graph_error(190, LOST[0], subcode=LOST[1])
        if permission not in grant.permissions:
            return graph_error(10, NOT_GRANTED)
        return answer(account)

    def _live(self, value: str) -> Token | web.Response:
        token = self.access_token(value)
        state = self.world.state(token)
        if token is None or state is not TokenState.LIVE:
            message, subcode = DEAD[state]
            return graph_error(190, message, subcode=subcode)
        return token

    def _account(self, grant: Grant) -> AdAccount | None:
        """The account that a grant is: the chosen one, or where there was no choice the person's first."""
        if grant.business_id is not None:
            return self.world.accounts.get(grant.business_id)
        return next((one for one in self.world.accounts.values() if grant.profile_id in one.roles), None)


def _scoped(account: AdAccount) -> str:
    """The id by which one app knows an account; beside it there is the account's own."""
    return f"26{account.id}"
