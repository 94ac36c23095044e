"""X Ads as it answers: OAuth 1.0a, signatures checked by Authlib's server half, errors by codes, roles by account.

An access never ends by itself, nor with a new password. From the project's notes on X's documentation. Of uncertain
source: what the login's addresses answer to refusals beside 32 and 415, `approval_status` beside ACCEPTED, the number
of accounts on a page, what a token that has no right to ads is told.
"""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from ..authority import ConsentRequest
from ..oauth_records import Terms
from ..signed_authority import SignedAnswer, SignedAuthority, SignedCall
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Grant, Profile, Token, TokenState, World

API = "/12"
ADS = "ads"
ADMIN = "ACCOUNT_ADMIN"
WORLD_ROLES = {"ADMIN": ADMIN}
"""The roles that every stand-in's world begins with, in X's words."""
ACCEPTED, REJECTED = "ACCEPTED", "REJECTED"
PAGE_SIZE = 200
FORM = "application/x-www-form-urlencoded"
OUR_KEY = frozenset({"invalid_client", "invalid_signature", "invalid_nonce", "missing_required_parameter", "malformed"})


def _error(status: int, code: str | int, message: str = "") -> web.Response:
    return json_answer({"errors": [{"code": code, "message": message}], "request": {"params": {}}}, status)


def _login_error(error: str) -> web.Response:
    """What the login's addresses say; a login that is over is refused in words alone."""
    if error == "unknown_callback":
        return _error(403, 415, "Callback URL not approved for this client application.")
    if error in OUR_KEY:
        return _error(401, 32, "Could not authenticate you.")
    return web.Response(status=401, text="Error processing your OAuth request")


class Wire(NetworkWire):
    """X Ads."""

    title = "X"
    accent = "#0f1419"
    disabled_status = REJECTED
    terms = Terms(permissions=frozenset({ADS}), code_seconds=600, access_seconds=None)

    def __init__(self, world: World, issuer: str) -> None:
        super().__init__(world, issuer)
        self.signed = SignedAuthority(world, self.open_grant)
        self.desk = self.signed

    def authorize_paths(self) -> list[str]:
        return ["/oauth/authorize"]

    def endpoints(self) -> list[Endpoint]:
        account = f"{API}/accounts/{{id}}"
        return [
            Endpoint(method="POST", path="/oauth/request_token", label="request_token", handler=self._announce),
            Endpoint(method="POST", path="/oauth/access_token", label="token", handler=self._exchange),
            Endpoint(method="POST", path="/1.1/oauth/invalidate_token", label="revoke", handler=self._revoke),
            Endpoint(method="GET", path=f"{API}/accounts", label="accounts", handler=self._accounts),
            Endpoint(method="GET", path=account, label="account", handler=self._account),
            Endpoint(method="GET", path=f"{account}/authenticated_user_access", label="access", handler=self._access),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=(Permission(id=ADS, label="See your ad accounts and their reports", optional=False),),
            note=f"You are logged in as @{_handle(profile)}.",
        )

    def offer_for(self, asked: ConsentRequest, profile: Profile, business_id: str | None) -> Offer:
        return self.offer(profile, asked.app, [ADS], business_id)

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        self.signed.refuse(state or "")
        return with_query(redirect_uri, denied=state)

    def handed_out(self, token: Token) -> str:
        return urlencode(self._pair(token))

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def throttled(self) -> web.Response:
        answer = _error(429, "TOO_MANY_REQUESTS", "You have exceeded the limit")
        reset = str(int(self.world.now()) + 900)
        answer.headers.update(
            {
                "x-account-rate-limit-limit": "10000",
                "x-account-rate-limit-remaining": "0",
                "x-account-rate-limit-reset": reset,
            }
        )
        return answer

    def down(self) -> web.Response:
        return _error(503, "SERVICE_UNAVAILABLE", "Service unavailable")

    async def _announce(self, request: web.Request) -> web.StreamResponse:
        answer = self.signed.announce(await _call(request))
        if answer.request is None:
            return _login_error(answer.error or "")
        made = {"oauth_token": answer.request.value, "oauth_token_secret": answer.request.secret}
        return _form_answer({**made, "oauth_callback_confirmed": "true"})

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        answer: SignedAnswer = self.signed.exchange(await _call(request))
        if answer.token is None:
            return _login_error(answer.error or "")
        return _form_answer(self._pair(answer.token))

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        token = self.signed.caller(await _call(request))
        if isinstance(token, str) or self._state(token) is not TokenState.LIVE:
            return _error(401, 89, "Invalid or expired token.")
        self.world.grants[token.grant_id].revoked_at = self.world.now()
        return json_answer({"access_token": token.value})

    async def _accounts(self, request: web.Request) -> web.StreamResponse:
        grant = await self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        held = self.reach(grant)
        size, start = int(request.query.get("count", PAGE_SIZE)), request.query.get("cursor", "0")
        if not 1 <= size <= 1000 or not start.isdecimal():
            return _error(400, "INVALID_PARAMETER")
        end = int(start) + size
        rows = [_row(account) for account in held[int(start) : end]]
        return json_answer({"data": rows, "next_cursor": str(end) if end < len(held) else None, "request": {}})

    async def _account(self, request: web.Request) -> web.StreamResponse:
        grant = await self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        account = self._held(grant, request.match_info["id"])
        gone = account is not None and account.deleted and request.query.get("with_deleted") != "true"
        if account is None or gone:
            return _error(404, "NOT_FOUND", "The account was not found.")
        return json_answer({"data": _row(account), "request": {}})

    async def _access(self, request: web.Request) -> web.StreamResponse:
        grant = await self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        account = self._held(grant, request.match_info["id"])
        if account is None or account.deleted:
            return _error(403, "ACCOUNT_NOT_FOUND", "The account was not found.")
        role = self.role_of(grant.profile_id, account) or ""
        body = {"user_id": grant.profile_id, "permissions": [WORLD_ROLES.get(role, role)]}
        return json_answer({"data": body, "request": {}})

    async def _caller(self, request: web.Request) -> Grant | web.Response:
        token = self.signed.caller(await _call(request))
        if isinstance(token, str):
            return _error(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
        state, settings = self._state(token), self.world.settings
        trouble = settings.app_trouble or settings.login_trouble
        if state is TokenState.BLOCKED:
            return _error(403, "ACCOUNT_LOCKED_OUT", "This account is locked")
        if state is not TokenState.LIVE:
            return _error(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
        if trouble is not None:
            return _error(403, trouble)
        grant = self.world.grants[token.grant_id]
        return grant if ADS in grant.permissions else _error(403, "ACTION_NOT_ALLOWED")

    def _state(self, token: Token) -> TokenState:
        return self.world.state(token, "access", despite=frozenset({TokenState.PASSWORD_CHANGED}))

    def _held(self, grant: Grant, account_id: str) -> AdAccount | None:
        """An account that the person has a role on, deleted ones included."""
        account = self.world.accounts.get(account_id)
        return account if account is not None and self.role_of(grant.profile_id, account) is not None else None

    def _pair(self, token: Token) -> dict[str, str]:
        profile = self.world.profiles[self.world.grants[token.grant_id].profile_id]
        return {
            "oauth_token": token.value,
            "oauth_token_secret": token.secret,
            "user_id": profile.id,
            "screen_name": _handle(profile),
        }


def _row(account: AdAccount) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "approval_status": account.status or ACCEPTED,
        "deleted": account.deleted,
    }


def _handle(profile: Profile) -> str:
    return "".join(letter for letter in profile.name.lower() if letter.isalnum())


def _form_answer(fields: dict[str, str]) -> web.Response:
    return web.Response(text=urlencode(fields), content_type="text/html", headers={"Cache-Control": "no-store"})


async def _call(request: web.Request) -> SignedCall:
    body = await request.text() if request.content_type == FORM else ""
    url = f"{request.scheme}://{request.host}{request.raw_path}"
    return SignedCall(method=request.method, url=url, headers=request.headers, body=body)
