"""LinkedIn Marketing as it answers: standard OAuth, a fixed term of 60 days, `Linkedin-Version` on every call.

From the project's notes on LinkedIn's documentation. Of uncertain source: 65604 for a missing token, the wording of
token errors, the default page size of 500.
"""

from __future__ import annotations

from aiohttp import web

from ..authority import Failure, TokenAnswer
from ..oauth_records import Terms
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Decision, Grant, Profile, Token, TokenState

DAY = 86400
ACCESS_SECONDS = 60 * DAY
REFRESH_SECONDS = 365 * DAY
CODE_SECONDS = 30 * 60
OLDEST_VERSION = "202512"  # that of November 2025 ended on 16 November 2026
PAGE_SIZE = 500
ADS_SCOPES = frozenset({"r_ads", "rw_ads"})

SCOPES = {
    "r_ads": "See your advertising accounts",
    "r_ads_reporting": "See reports of your advertising accounts",
    "rw_ads": "Manage your advertising accounts",
    "r_organization_social": "See posts of organisations that you administer",
    "openid": "Use your name and photo",
    "profile": "Use your name and photo",
    "email": "Use the email address of your LinkedIn account",
}

BAD_CODE = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired. Or external member binding exists"
)
CANCELLED = "The user cancelled the authorization"
DEAD = {
    TokenState.UNKNOWN: (65600, "INVALID_ACCESS_TOKEN", "Invalid access token"),
    TokenState.REVOKED: (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    TokenState.EXPIRED: (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
    TokenState.BLOCKED: (None, "RESTRICTED_MEMBER", "The member is restricted"),
    TokenState.PASSWORD_CHANGED: (None, "RESTRICTED_MEMBER", "The member is restricted"),
}


def _error(status: int, code: str, message: str, service_code: int | None = None) -> web.Response:
    body: dict[str, object] = {"status": status, "code": code, "message": message}
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    return json_answer(body, status)


def _oauth_error(error: str, description: str) -> web.Response:
    return json_answer({"error": error, "error_description": description}, 401 if error == "invalid_client" else 400)


class Wire(NetworkWire):
    """LinkedIn."""

    title = "LinkedIn"
    accent = "#0a66c2"
    business_word = "Organisation"
    disabled_status = "CANCELED"
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
    )

    def authorize_paths(self) -> list[str]:
        return ["/oauth/v2/authorization"]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="POST", path="/oauth/v2/accessToken", label="token", handler=self._token),
            Endpoint(method="POST", path="/oauth/v2/introspectToken", label="introspect", handler=self._introspect),
            Endpoint(method="POST", path="/oauth/v2/revoke", label="revoke", handler=self._revoke),
            Endpoint(method="GET", path="/rest/adAccountUsers", label="adAccountUsers", handler=self._account_users),
            Endpoint(method="GET", path="/rest/adAccounts/{id}", label="adAccounts", handler=self._account),
            Endpoint(method="GET", path="/v2/userinfo", label="userinfo", handler=self._userinfo),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], detail=s, optional=False) for s in requested),
            note="You can remove this access at any time in your LinkedIn settings, under Permitted services.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        error = "user_cancelled_authorize" if logged_in else "user_cancelled_login"
        return with_query(redirect_uri, error=error, error_description=CANCELLED, state=state)

    def refused(self, failure: Failure) -> str | None:
        if failure.error == "invalid_scope" and failure.redirect_uri is not None:
            description = "A requested scope is not authorized for your application"
            return with_query(
                failure.redirect_uri,
                error="unauthorized_scope_error",
                error_description=description,
                state=failure.state,
            )
        return super().refused(failure)

    def open_grant(self, app: App, decision: Decision) -> Grant:
        """A consent to another set of scopes ends every earlier token of that member for the app."""
        for earlier in self.world.grants_of(app.id, decision.profile_id):
            if earlier.permissions != set(decision.permissions) and earlier.revoked_at is None:
                earlier.revoked_at = self.world.now()
        return super().open_grant(app, decision)

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def throttled(self) -> web.Response:
        message = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
        return _error(429, "TOO_MANY_REQUESTS", message, 101)

    def down(self) -> web.Response:
        return _error(503, "SERVICE_UNAVAILABLE", "Service is temporarily unavailable")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await self._form(request)
        kind = form.get("grant_type")
        if kind not in ("authorization_code", "refresh_token"):
            return _oauth_error("invalid_request", 'A required parameter "grant_type" is missing or invalid')
        needed = ("code", "redirect_uri") if kind == "authorization_code" else ("refresh_token",)
        for name in (*needed, "client_id", "client_secret"):
            if not form.get(name):
                return _oauth_error("invalid_request", f'A required parameter "{name}" is missing')
        answer = self.authority.token(form, request.headers)
        if answer.access is None:
            if answer.error == "invalid_grant" and kind == "authorization_code":
                return _oauth_error("invalid_request", BAD_CODE)
            return _oauth_error(answer.error or "server_error", answer.description)
        return json_answer(self._token_body(answer, answer.access))

    def _token_body(self, answer: TokenAnswer, access: Token) -> dict[str, object]:
        refresh, now = answer.refresh, self.world.now()
        if refresh is not None and refresh.expires_at is not None and access.expires_at is not None:
            access.expires_at = min(access.expires_at, refresh.expires_at)  # near the end both die together
        body: dict[str, object] = {
            "access_token": access.value,
            "expires_in": int((access.expires_at or now) - now),
            "scope": ",".join(access.scope.split()),
            "token_type": "Bearer",
        }
        if refresh is not None:
            body["refresh_token"] = refresh.value
            body["refresh_token_expires_in"] = int((refresh.expires_at or now) - now)
        return body

    async def _introspect(self, request: web.Request) -> web.StreamResponse:
        error, token = self.authority.introspect(await self._form(request), request.headers)
        if error is not None:
            return _oauth_error(error, "Client authentication failed" if error == "invalid_client" else "Bad request")
        if token is None:
            return json_answer({"active": False})
        state, grant = self.world.state(token), self.world.grants[token.grant_id]
        # A restricted member's token is still a token: introspection says nothing of the person.
        status = state.value if state in (TokenState.EXPIRED, TokenState.REVOKED) else "active"
        return json_answer(
            {
                "active": status == "active",
                "status": status,
                "client_id": grant.app_id,
                "authorized_at": int(grant.created_at),
                "created_at": int(token.issued_at),
                "expires_at": int(token.expires_at or 0),
                "scope": ",".join(token.scope.split()),
                "auth_type": "3L",
            }
        )

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        error = self.authority.revoke(await self._form(request), request.headers)
        if error is not None:
            return _oauth_error(error, "Client authentication failed" if error == "invalid_client" else "Bad request")
        return web.Response(status=200)

    async def _account_users(self, request: web.Request) -> web.StreamResponse:
        token = self._rest(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        if request.query.get("q") != "authenticatedUser":
            return _error(400, "ILLEGAL_ARGUMENT", "Only the finder authenticatedUser is served")
        if not grant.permissions & ADS_SCOPES:
            return _forbidden("adAccountUsers.FINDER-authenticatedUser")
        start, count = _number(request.query.get("start"), 0), _number(request.query.get("count"), PAGE_SIZE)
        reached = self.reach(grant)
        elements = [self._account_user(grant, account) for account in reached[start : start + count]]
        paging = {"start": start, "count": count, "total": len(reached), "links": []}
        return json_answer({"paging": paging, "elements": elements})

    def _account_user(self, grant: Grant, account: AdAccount) -> dict[str, object]:
        return {
            "account": f"urn:li:sponsoredAccount:{account.id}",
            "user": f"urn:li:person:{grant.profile_id}",
            "role": self.role_of(grant.profile_id, account),
        }

    async def _account(self, request: web.Request) -> web.StreamResponse:
        token = self._rest(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted:
            return _error(404, "RESOURCE_NOT_FOUND", "Could not find entity")
        if not grant.permissions & ADS_SCOPES or self.role_of(grant.profile_id, account) is None:
            return _forbidden("adAccounts.GET")
        return json_answer(
            {
                "id": int(account.id) if account.id.isdecimal() else account.id,
                "name": account.name,
                "status": account.status or "ACTIVE",
                "type": "BUSINESS",
                "reference": f"urn:li:organization:{account.business_id}",
                "currency": "EUR",
                "test": False,
            }
        )

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        token = self._bearer(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        if "openid" not in grant.permissions:
            return _forbidden("userinfo.GET")
        profile = self.world.profiles[grant.profile_id]
        body = {"sub": profile.id, "name": profile.name}
        return json_answer(body | ({"email": profile.email} if "email" in grant.permissions else {}))

    def _rest(self, request: web.Request) -> Token | web.Response:
        version = request.headers.get("Linkedin-Version", "")
        if not version.isdecimal() or version < (self.world.settings.oldest_version or OLDEST_VERSION):
            return _error(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        if request.headers.get("X-Restli-Protocol-Version") != "2.0.0":
            return _error(400, "ILLEGAL_ARGUMENT", "X-Restli-Protocol-Version must be 2.0.0")
        return self._bearer(request)

    def _bearer(self, request: web.Request) -> Token | web.Response:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            return _error(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65604)
        token = self.access_token(value)
        state = self.world.state(token)
        if token is not None and state is TokenState.LIVE:
            age = self.world.now() - token.issued_at
            if age >= self.world.settings.false_revoked_seconds:
                return token
            state = TokenState.REVOKED
        service_code, code, message = DEAD[state]
        return _error(401, code, message, service_code)

    async def _form(self, request: web.Request) -> dict[str, str]:
        if request.content_type != "application/x-www-form-urlencoded":
            return {}
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _forbidden(what: str) -> web.Response:
    return _error(403, "ACCESS_DENIED", f"Not enough permissions to access: {what}", 100)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise
