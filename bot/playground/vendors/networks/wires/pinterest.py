"""Pinterest as it answers: HTTP Basic for tokens, numbered errors, bookmarks, refreshes that are replaced at each use.

From the project's notes on Pinterest's OpenAPI description. Of uncertain source: commas between scopes, the numbers of
a lost ad account (only its message is known) and of an outage, that a used refresh is dead at once, 283 for every grant
that is refused.
"""

from __future__ import annotations

import base64

from aiohttp import web
from multidict import MultiMapping

from ..oauth_records import Terms
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Grant, Profile, Token, TokenState

API = "/v5"
DAY = 86400
CODE_SECONDS = 600
ACCESS_SECONDS = 30 * DAY
REFRESH_SECONDS = 60 * DAY
ADMIN = "ADMIN"
PAGE_SIZE, LARGEST_PAGE = 25, 250
SCOPES = {
    "ads:read": "See all of your advertising data, including ads, ad groups, campaigns etc.",
    "ads:write": "Create, update, or delete ads, ad groups, campaigns etc.",
    "biz_access:read": "See business access data",
    "user_accounts:read": "See your user accounts and followers",
}
BAD_GRANT = "The authorization grant is invalid"


def _error(status: int, code: int, message: str) -> web.Response:
    return json_answer({"code": code, "message": message}, status)


class Wire(NetworkWire):
    """Pinterest."""

    title = "Pinterest"
    accent = "#e60023"
    business_word = "Business account"
    disabled_status = "DISABLED"  # its accounts show no status, so that nothing is to be seen of it
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
        rotates_refresh=True,
        refreshes_for_all=True,
        client_auth=("client_secret_basic",),
    )

    def authorize_paths(self) -> list[str]:
        return ["/oauth/"]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="POST", path=f"{API}/oauth/token", label="token", handler=self._token),
            Endpoint(method="GET", path=f"{API}/user_account", label="user_account", handler=self._user),
            Endpoint(method="GET", path=f"{API}/ad_accounts", label="ad_accounts", handler=self._accounts),
            Endpoint(method="GET", path=f"{API}/ad_accounts/{{id}}", label="ad_account", handler=self._account),
        ]

    def authorize_params(self, query: MultiMapping[str]) -> list[tuple[str, str]]:
        return [(name, value.replace(",", " ") if name == "scope" else value) for name, value in query.items()]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], detail=s, optional=False) for s in requested),
            note="You can remove this app at any time in your settings.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _error(429, 8, "This request exceeded a rate limit.")

    def down(self) -> web.Response:
        return _error(500, 12, "Something went wrong on our end. Sorry about that.")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/x-www-form-urlencoded":
            return _error(400, 1, "Invalid request body")
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        answer = self.authority.token(form, request.headers)
        if answer.access is None:
            if answer.error == "invalid_client":
                return _error(401, 2, "Authentication failed.")
            return (
                _error(401, 283, BAD_GRANT) if answer.error == "invalid_grant" else _error(400, 1, answer.description)
            )
        now, kind = self.world.now(), form["grant_type"]
        body: dict[str, object] = {
            "response_type": kind,
            "access_token": answer.access.value,
            "token_type": "bearer",
            "expires_in": int((answer.access.expires_at or now) - now),
            "scope": answer.access.scope,
        }
        # The refresh that cannot be renewed is gone, and an older app has to ask for the one that can.
        if answer.refresh is not None and (kind == "refresh_token" or form.get("continuous_refresh") == "true"):
            ends = answer.refresh.expires_at or now
            body |= {
                "refresh_token": answer.refresh.value,
                "refresh_token_expires_in": int(ends - now),
                "refresh_token_expires_at": int(ends),
            }
        return json_answer(body)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request, "user_accounts:read")
        if isinstance(token, web.Response):
            return token
        profile = self.world.profiles[self.world.grants[token.grant_id].profile_id]
        body = {"id": profile.id, "username": profile.name.lower().replace(" ", ""), "business_name": profile.name}
        return json_answer({**body, "account_type": "BUSINESS"})

    async def _accounts(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request, "ads:read")
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        size, start = request.query.get("page_size", str(PAGE_SIZE)), _position(request.query.get("bookmark"))
        if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE or start is None:
            return _error(400, 1, "Invalid page_size or bookmark")
        reached, end = self.reach(grant), start + int(size)
        rows = [self._row(grant, account) for account in reached[start:end]]
        return json_answer({"items": rows, "bookmark": _bookmark(end) if end < len(reached) else None})

    async def _account(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request, "ads:read")
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted:
            return _error(404, 50, "AdAccount not found")
        if self.role_of(grant.profile_id, account) is None:
            return _error(403, 29, "You are not permitted to access that resource.")
        return json_answer(self._row(grant, account))

    def _row(self, grant: Grant, account: AdAccount) -> dict[str, object]:
        owner = self.world.businesses.get(account.business_id)
        return {
            "id": account.id,
            "name": account.name,
            "owner": {"id": owner.id, "username": owner.name} if owner is not None else {},
            "permissions": [self.role_of(grant.profile_id, account)],
            "country": "DE",
            "currency": "EUR",
        }

    def _checked(self, request: web.Request, scope: str) -> Token | web.Response:
        """The live token of the request, if it was granted `scope`. Why a dead one is dead is not told."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.access_token(value) if scheme == "Bearer" else None
        if token is None or self.world.state(token) is not TokenState.LIVE:
            return _error(401, 2, "Authentication failed.")
        if scope not in self.world.grants[token.grant_id].permissions:
            return _error(401, 3, "Authorization failed.")
        return token


def _bookmark(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(bookmark: str | None) -> int | None:
    if bookmark is None:
        return 0
    try:
        name, _, number = base64.urlsafe_b64decode(bookmark).decode().partition(":")
    except ValueError:
        return None
    return int(number) if name == "at" and number.isdecimal() else None
