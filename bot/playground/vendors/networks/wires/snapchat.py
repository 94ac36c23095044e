"""Snapchat Marketing as it answers: lists whose entries carry a status of their own, errors told by HTTP status.

From the project's notes on Snap's documentation. Of uncertain source: the wording of messages, that a token call by
another app is `invalid_grant`, and `DISABLED`. E3003 is the one error code that is documented, so no other is sent.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from ..oauth_records import Terms
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Business, Grant, Profile, Token, TokenState

API = "/v1"
MARKETING = "snapchat-marketing-api"
ADMIN = "ADMIN"
CODE_SECONDS = 600
ACCESS_SECONDS = 1800  # older code says 1800, newer pages 3600: a client must go by `expires_in`
REFRESH_SECONDS = 10 * 365 * 86400  # no end is documented
SCOPES = {
    MARKETING: "Snapchat Marketing API",
    "snapchat-offline-conversions-api": "Conversions API",
    "snapchat-profile-api": "Public Profile API",
}


def _good(**body: object) -> web.Response:
    return json_answer({"request_status": "SUCCESS", "request_id": secrets.token_hex(20), **body})


def _error(status: int, message: str, code: str | None = None) -> web.Response:
    body = {
        "request_status": "ERROR",
        "request_id": secrets.token_hex(20),
        "debug_message": message,
        "display_message": "We're sorry, but something went wrong.",
    }
    return json_answer(body if code is None else {**body, "error_code": code}, status)


def _oauth_error(error: str, description: str) -> web.Response:
    body = {"error": error, "error_description": description}
    return json_answer(body, 401 if error == "invalid_client" else 400)


class Wire(NetworkWire):
    """Snapchat."""

    title = "Snapchat"
    accent = "#8a7d00"
    business_word = "Organization"
    disabled_status = "DISABLED"
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
        refreshes_for_all=True,
    )

    def authorize_paths(self) -> list[str]:
        return ["/login/oauth2/authorize"]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="POST", path="/login/oauth2/access_token", label="token", handler=self._token),
            Endpoint(method="GET", path=f"{API}/me", label="me", handler=self._me),
            Endpoint(
                method="GET", path=f"{API}/me/organizations", label="me/organizations", handler=self._organizations
            ),
            Endpoint(method="GET", path=f"{API}/adaccounts/{{id}}", label="adaccounts", handler=self._account),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], optional=False) for s in requested),
            note="You can remove this app at any time in your account settings, under Connected Apps.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _error(429, "Too many requests")  # no header tells for how long

    def down(self) -> web.Response:
        return _error(500, "Internal server error")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {}
        if request.content_type == "application/x-www-form-urlencoded":
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        answer = self.authority.token(form, request.headers)
        if answer.access is None:
            return _oauth_error(answer.error or "server_error", answer.description)
        body: dict[str, object] = {
            "access_token": answer.access.value,
            "token_type": "Bearer",
            "expires_in": int((answer.access.expires_at or 0) - self.world.now()),
            "scope": answer.access.scope,
        }
        return json_answer(body if answer.refresh is None else {**body, "refresh_token": answer.refresh.value})

    async def _me(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        profile = self.world.profiles[self.world.grants[token.grant_id].profile_id]
        home = next((b.id for b in self.world.businesses.values() if b.roles.get(profile.id)), None)
        body = {"id": profile.id, "email": profile.email, "display_name": profile.name, "organization_id": home}
        return _good(me=body)

    async def _organizations(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        with_accounts = request.query.get("with_ad_accounts") == "true"
        seen = {account.business_id for account in self.reach(grant)}
        entries = [
            self._organization(grant, business, with_accounts=with_accounts)
            for business in self.world.businesses.values()
            if business.roles.get(grant.profile_id) or business.id in seen
        ]
        return _good(organizations=entries)

    def _organization(self, grant: Grant, business: Business, *, with_accounts: bool) -> dict[str, object]:
        if business.id in self.world.settings.failing_entries:
            return {"sub_request_status": "ERROR", "organization": {"id": business.id, "name": business.name}}
        role = business.roles.get(grant.profile_id, "member").lower()
        body: dict[str, object] = {"id": business.id, "name": business.name, "type": "ENTERPRISE", "roles": [role]}
        if with_accounts:
            body["ad_accounts"] = [
                {**_account_body(account), "roles": [str(self.role_of(grant.profile_id, account)).lower()]}
                for account in self.reach(grant)
                if account.business_id == business.id
            ]
        return {"sub_request_status": "SUCCESS", "organization": body}

    async def _account(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted:
            return _error(404, "Resource can not be found", "E3003")
        if self.role_of(grant.profile_id, account) is None:
            return _error(403, "Permission denied")
        failing = account.id in self.world.settings.failing_entries
        return _good(
            adaccounts=[{"sub_request_status": "ERROR" if failing else "SUCCESS", "adaccount": _account_body(account)}]
        )

    def _checked(self, request: web.Request) -> Token | web.Response:
        """The live token of the request, if it may read ads at all. Why a dead one is dead is not told."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.access_token(value) if scheme == "Bearer" else None
        if token is None or self.world.state(token) is not TokenState.LIVE:
            return _error(401, "Unauthorized")
        if MARKETING not in self.world.grants[token.grant_id].permissions:
            return _error(403, "Permission denied")
        return token


def _account_body(account: AdAccount) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "type": "PARTNER",
        "status": account.status or "ACTIVE",
        "organization_id": account.business_id,
        "currency": "EUR",
        "timezone": "Europe/Berlin",
    }
