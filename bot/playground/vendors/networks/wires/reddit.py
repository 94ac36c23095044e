"""Reddit Ads as it answers: HTTP Basic, a User-Agent of one's own, login errors with HTTP 200, pages by `next_url`.

From the project's notes on prawcore and on clients generated from Reddit's description of the Ads API. Of uncertain
source: access of a day (an hour by the documentation), the wording of messages, 403 for an account without a role.
"""

from __future__ import annotations

from aiohttp import web

from ..authority import ConsentRequest
from ..oauth_records import Terms
from ..wire import Endpoint, Handler, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Decision, Grant, Profile, Token, TokenState

API = "/api/v3"
ADS_READ = "adsread"
ADMIN = "ADMIN"
NO_ADS = (None, "", "CATALOG_ADMIN")
"""Roles in a business with which its ad accounts cannot be listed."""
CODE_SECONDS = 600
ACCESS_SECONDS = 86400
REFRESH_SECONDS = 100 * 365 * 86400  # permanent
PERMANENT = "permanent"
PAGE_SIZE = 50
GENERIC_AGENTS = ("python", "curl", "aiohttp", "authlib", "java/", "go-http", "node", "okhttp", "wget", "mozilla")
SCOPES = {
    ADS_READ: "Read your ads and ad accounts",
    "adsedit": "Manage your ads",
    "identity": "Access your reddit username and signup date",
}


def _error(status: int, message: str) -> web.Response:
    return json_answer({"error": {"code": status, "message": message}}, status)


class Wire(NetworkWire):
    """Reddit Ads."""

    title = "Reddit"
    accent = "#d93a00"
    business_word = "Business"
    disabled_status = "ADVERTISING_POLICY"
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
        refreshes_for_all=True,
        client_auth=("client_secret_basic",),
    )

    def authorize_paths(self) -> list[str]:
        return ["/api/v1/authorize"]

    def endpoints(self) -> list[Endpoint]:
        def endpoint(method: str, path: str, label: str, handler: Handler) -> Endpoint:
            return Endpoint(method=method, path=path, label=label, handler=_named(handler))

        return [
            endpoint("POST", "/api/v1/access_token", "token", self._token),
            endpoint("POST", "/api/v1/revoke_token", "revoke", self._revoke),
            endpoint("GET", f"{API}/me", "me", self._me),
            endpoint("GET", f"{API}/me/businesses", "me/businesses", self._businesses),
            endpoint("POST", f"{API}/businesses/{{id}}/ad_accounts/query", "ad_accounts/query", self._query),
            endpoint("GET", f"{API}/ad_accounts/{{id}}", "ad_accounts", self._account),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], optional=False) for s in requested),
            note=f"You are logged in as {profile.name}.",
        )

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        wishes = frozenset({PERMANENT} & {asked.params.get("duration", "temporary")})
        return Decision(profile_id=decision.profile_id, permissions=decision.permissions, wishes=wishes)

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _error(429, "Too Many Requests")

    def down(self) -> web.Response:
        return _error(503, "Service Unavailable")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            if answer.error == "invalid_client":
                return json_answer({"message": "Unauthorized", "error": 401}, 401)
            # A code that is refused comes with HTTP 200, a refresh with 400: both have been seen.
            refreshing = form.get("grant_type") == "refresh_token"
            return json_answer({"error": answer.error}, 400 if refreshing else 200)
        body: dict[str, object] = {
            "access_token": answer.access.value,
            "token_type": "bearer",
            "expires_in": int((answer.access.expires_at or 0) - self.world.now()),
            "scope": answer.access.scope,
        }
        lasting = form["grant_type"] == "refresh_token" or PERMANENT in answer.grant.wishes
        if answer.refresh is not None and lasting:
            body["refresh_token"] = answer.refresh.value
        return json_answer(body)

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        error = self.authority.revoke(await _form(request), request.headers)
        if error is not None:
            return json_answer({"message": "Unauthorized", "error": 401}, 401)
        return web.Response(status=204)

    async def _me(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        profile = self.world.profiles[self.world.grants[token.grant_id].profile_id]
        body = {"id": f"member-{profile.id}", "reddit_user_id": profile.id, "reddit_username": profile.name}
        return json_answer({"data": {**body, "email": profile.email}})

    async def _businesses(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        profile_id = self.world.grants[token.grant_id].profile_id
        members = [b for b in self.world.businesses.values() if b.roles.get(profile_id)]
        return self._page(request, [{"id": b.id, "name": b.name, "industry": "OTHER"} for b in members])

    async def _query(self, request: web.Request) -> web.StreamResponse:
        """What a business owns and what others share with it: here all of strangers' that the member may read."""
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        if "data" not in await _json(request):
            return _error(400, "Bad Request")
        grant = self.world.grants[token.grant_id]
        business = self.world.businesses.get(request.match_info["id"])
        if business is None or business.roles.get(grant.profile_id) in NO_ADS:
            return _error(403, "Forbidden")
        rows = [
            _account_body(account)
            for account in self.reach(grant)
            if account.business_id == business.id or not self._member(grant.profile_id, account.business_id)
        ]
        return self._page(request, rows)

    def _member(self, profile_id: str, business_id: str) -> bool:
        business = self.world.businesses.get(business_id)
        return business is not None and bool(business.roles.get(profile_id))

    async def _account(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted:
            return _error(404, "Account not found")
        if self.role_of(self.world.grants[token.grant_id].profile_id, account) is None:
            return _error(403, "Forbidden")
        return json_answer({"data": _account_body(account)})

    def _page(self, request: web.Request, rows: list[dict[str, object]]) -> web.Response:
        size, start = request.query.get("page.size", str(PAGE_SIZE)), request.query.get("page.token", "0")
        if not (size.isdecimal() and int(size) and start.isdecimal()):
            return _error(400, "Bad Request")
        end = int(start) + int(size)
        following = str(request.url.update_query({"page.token": str(end)})) if end < len(rows) else None
        return json_answer({"data": rows[int(start) : end], "pagination": {"next_url": following}})

    def _checked(self, request: web.Request) -> Token | web.Response:
        """The live token of the request, if it may read ads. Why a dead one is dead is not told."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.access_token(value) if scheme.lower() == "bearer" else None
        if token is None or self.world.state(token) is not TokenState.LIVE:
            return _error(401, "Unauthorized")
        if ADS_READ not in self.world.grants[token.grant_id].permissions:
            return _error(403, "Forbidden")
        return token


def _named(handler: Handler) -> Handler:
    """The handler, for clients that name themselves; others are sent away as if they asked too often."""

    async def handle(request: web.Request) -> web.StreamResponse:
        agent = request.headers.get("User-Agent", "").lower()
        if not agent or agent.startswith(GENERIC_AGENTS):
            return _error(429, "Too Many Requests")
        return await handler(request)

    return handle


async def _json(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _account_body(account: AdAccount) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "business_id": account.business_id,
        "suspension_reason": account.status,
        "admin_approval": "VALID" if account.status is None else "SUSPENDED",
        "currency": "EUR",
        "time_zone_id": "Europe/Berlin",
    }
