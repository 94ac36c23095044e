"""Amazon Ads as it answers: Login with Amazon with one refresh token for a year, and a host for each region.

Regions are paths here: North America at the root, Europe under /eu, the Far East under /fe; `AdAccount.region` says
where an account is. From Amazon's guides on profiles, permissions, error responses and Login with Amazon. Of uncertain
source: the wording of `details`, 400 for bad access at /user/profile, the consent page's names of permissions.
"""

from __future__ import annotations

from functools import partial

from aiohttp import web

from ..oauth_records import Terms
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Grant, Profile, Token, TokenState

ADVERTISING = "advertising::campaign_management"
CODE_SECONDS = 300
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 365 * 86400
HOME = "na"
REGIONS = {HOME: "", "eu": "/eu", "fe": "/fe"}
COUNTRIES = {HOME: ("US", "USD"), "eu": ("DE", "EUR"), "fe": ("JP", "JPY")}
PROGRAMS = frozenset({"account", "billing", "campaign", "paymentMethod", "posts", "report", "store"})
LEVELS = frozenset({"edit", "view"})
EDITORS = frozenset({"ADMIN", "EDITOR"})
CAMPAIGNS_ONLY = "CAMPAIGN_VIEWER"
"""A role of single permissions: campaigns may be viewed, reports may not."""
SCOPES = {
    ADVERTISING: "Your Amazon Ads campaigns and reports",
    "profile": "Your name and email address",
    "profile:user_id": "Your user ID",
    "postal_code": "Your postal code",
}
BAD_GRANT = "The request has an invalid grant parameter : {}. User may have revoked or didn't grant the permission."


def _error(status: int, details: str, headers: dict[str, str] | None = None) -> web.Response:
    return json_answer({"code": str(status), "details": details, "requestId": "-"}, status, headers)


def _oauth_error(status: int, error: str, description: str) -> web.Response:
    return json_answer({"error": error, "error_description": description, "request_id": "-"}, status)


class Wire(NetworkWire):
    """Amazon Ads."""

    title = "Amazon"
    accent = "#ff9900"
    business_word = "Manager account"
    disabled_status = "NO_PAYMENT_METHOD"
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
        refreshes_for_all=True,
    )

    def authorize_paths(self) -> list[str]:
        return ["/ap/oa"]

    def endpoints(self) -> list[Endpoint]:
        login = [
            Endpoint(method="POST", path="/auth/o2/token", label="token", handler=self._token),
            Endpoint(method="GET", path="/user/profile", label="user/profile", handler=self._user),
        ]
        profiles = [
            endpoint
            for region, prefix in REGIONS.items()
            for endpoint in (
                Endpoint(
                    method="GET",
                    path=f"{prefix}/v2/profiles",
                    label=f"{prefix}/profiles".lstrip("/"),
                    handler=partial(self._profiles, region),
                ),
                Endpoint(
                    method="GET",
                    path=f"{prefix}/v2/profiles/{{id}}",
                    label=f"{prefix}/profiles/{{id}}".lstrip("/"),
                    handler=partial(self._profile, region),
                ),
            )
        ]
        return [*login, *profiles]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], optional=False) for s in requested),
            note=f"You are signed in as {profile.name}. Not {profile.name}? Sign out of Amazon first.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        description = "Access not permitted."
        return with_query(redirect_uri, error="access_denied", error_description=description, state=state)

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def throttled(self) -> web.Response:
        return _error(429, "Too Many Requests", {"Retry-After": "2"})

    def down(self) -> web.Response:
        return _error(503, "Service Unavailable")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        answer = self.authority.token(form, request.headers)
        if answer.access is None:
            if answer.error == "invalid_client":
                return _oauth_error(401, "invalid_client", "Client authentication failed")
            name = "refresh_token" if form.get("grant_type") == "refresh_token" else "code"
            description = BAD_GRANT.format(name) if answer.error == "invalid_grant" else answer.description
            return _oauth_error(400, answer.error or "invalid_request", description)
        body: dict[str, object] = {
            "access_token": answer.access.value,
            "token_type": "bearer",
            "expires_in": int((answer.access.expires_at or 0) - self.world.now()),
        }
        if answer.refresh is not None:
            body["refresh_token"] = answer.refresh.value
        return json_answer(body)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        token = self._bearer(request)
        if token is None:
            return _oauth_error(400, "invalid_token", "The access token provided is revoked, malformed or invalid.")
        grant = self.world.grants[token.grant_id]
        if "profile" not in grant.permissions:
            return _oauth_error(401, "insufficient_scope", "The access token does not have the required scope.")
        profile = self.world.profiles[grant.profile_id]
        return json_answer({"user_id": profile.id, "name": profile.name, "email": profile.email})

    async def _profiles(self, region: str, request: web.Request) -> web.StreamResponse:
        """Every profile of the region that passes the filter; the default hides what may only be viewed."""
        grant = self._advertiser(request)
        if isinstance(grant, web.Response):
            return grant
        program, level = request.query.get("apiProgram", "campaign"), request.query.get("accessLevel", "edit")
        if program not in PROGRAMS or level not in LEVELS:
            return _error(400, "Invalid query parameter")
        shown = [
            _body(account, region)
            for account in self.reach(grant)
            if _region(account) == region and _may(self.role_of(grant.profile_id, account), program, level)
        ]
        return json_answer(shown)

    async def _profile(self, region: str, request: web.Request) -> web.StreamResponse:
        grant = self._advertiser(request)
        if isinstance(grant, web.Response):
            return grant
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted or _region(account) != region:
            return _error(404, "Could not find resource for requested path")
        if account not in self.reach(grant):
            return _error(401, f"Not authorized to access scope {account.id}")
        return json_answer(_body(account, region))

    def _advertiser(self, request: web.Request) -> Grant | web.Response:
        """The grant of a call to the Ads API. Why a dead one is dead is not told."""
        token = self._bearer(request)
        grant = self.world.grants[token.grant_id] if token is not None else None
        if grant is None or request.headers.get("Amazon-Advertising-API-ClientId") != grant.app_id:
            return _error(401, "HTTP 401 Unauthorized")
        return grant if ADVERTISING in grant.permissions else _error(403, "HTTP 403 Forbidden")

    def _bearer(self, request: web.Request) -> Token | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.access_token(value) if scheme.lower() == "bearer" else None
        return token if self.world.state(token) is TokenState.LIVE else None


def _region(account: AdAccount) -> str:
    return account.region or HOME


def _may(role: str | None, program: str, level: str) -> bool:
    if role == CAMPAIGNS_ONLY:
        return (program, level) == ("campaign", "view")
    return role is not None and (level == "view" or role in EDITORS)


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _body(account: AdAccount, region: str) -> dict[str, object]:
    country, currency = COUNTRIES[region]
    return {
        "profileId": int(account.id),
        "countryCode": country,
        "currencyCode": currency,
        "timezone": "America/Los_Angeles",
        "accountInfo": {
            "marketplaceStringId": f"A{country}",
            "id": f"ENTITY{account.id}",
            "type": "vendor",
            "name": account.name,
            "validPaymentMethod": account.status is None,
        },
    }
