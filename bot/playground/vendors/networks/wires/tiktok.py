"""TikTok for Business as it answers: JSON bodies, its own names, HTTP 200 with a `code` for nearly everything.

From the project's notes on TikTok's documentation. Of uncertain source: the callback after Cancel (the notes have
none; `access_denied` is sent), the wording of messages other than 40001's first form, 40002 for malformed input,
100 advertisers at most in one call of `advertiser/info`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from ..oauth_records import Terms
from ..wire import Endpoint, Handler, NetworkWire, Offer, Permission, json_answer, read_json_list, with_query
from ..world import AdAccount, App, Profile, Token, TokenState

API = "/open_api/v1.3"
CODE_SECONDS = 3600
ADMIN = "ADMIN"
PAGE_SIZE = 10
MOST_IDS = 100
INFO_FIELDS = ("advertiser_id", "name", "status", "owner_bc_id", "role", "timezone", "currency")

AD_ACCOUNT_MANAGEMENT = "ad_account_management"
REPORTING = "reporting"
NUMBERS = {AD_ACCOUNT_MANAGEMENT: (10, 15), REPORTING: (4,)}
"""Real tokens mix parents and children, so a client must accept any of them: here one is told by its children."""

NEEDS = {
    "/oauth2/advertiser/get/": AD_ACCOUNT_MANAGEMENT,
    "/advertiser/info/": AD_ACCOUNT_MANAGEMENT,
    "/bc/get/": AD_ACCOUNT_MANAGEMENT,
    "/bc/asset/get/": AD_ACCOUNT_MANAGEMENT,
    "/report/integrated/get/": REPORTING,
}
DEAD = {
    TokenState.UNKNOWN: (40105, "Access token is incorrect or has been revoked"),
    TokenState.REVOKED: (40105, "Access token is incorrect or has been revoked"),
    TokenState.EXPIRED: (40102, "Access token is expired"),
    TokenState.BLOCKED: (40106, "Core user is invalid"),
    TokenState.PASSWORD_CHANGED: (40106, "Core user is invalid"),
}


def _answer(data: object) -> web.Response:
    return _envelope(0, "OK", data)


def _error(code: int, message: str) -> web.Response:
    return _envelope(code, message, {})


def _envelope(code: int, message: str, data: object) -> web.Response:
    return json_answer({"code": code, "message": message, "request_id": secrets.token_hex(16), "data": data})


class Wire(NetworkWire):
    """TikTok for Business."""

    title = "TikTok for Business"
    accent = "#c51a4a"
    business_word = "Business Center"
    disabled_status = "STATUS_DISABLE"
    terms = Terms(
        permissions=frozenset(),
        code_seconds=CODE_SECONDS,
        access_seconds=None,
        binds_redirect=False,
    )

    def authorize_paths(self) -> list[str]:
        return ["/portal/auth"]

    def endpoints(self) -> list[Endpoint]:
        def endpoint(method: str, path: str, label: str, handler: Handler) -> Endpoint:
            return Endpoint(method=method, path=API + path, label=label, handler=handler)

        return [
            endpoint("POST", "/oauth2/access_token/", "token", self._token),
            endpoint("POST", "/oauth2/revoke_token/", "revoke", self._revoke),
            endpoint("GET", "/oauth2/advertiser/get/", "oauth2/advertiser/get", self._advertisers),
            endpoint("GET", "/advertiser/info/", "advertiser/info", self._info),
            endpoint("GET", "/bc/get/", "bc/get", self._centers),
            endpoint("GET", "/bc/asset/get/", "bc/asset/get", self._assets),
            endpoint("GET", "/user/info/", "user/info", self._user),
            endpoint("GET", "/report/integrated/get/", "report/integrated/get", self._report),
        ]

    def authorize_params(self, query: MultiMapping[str]) -> list[tuple[str, str]]:
        renamed = [("client_id" if name == "app_id" else name, value) for name, value in query.items()]
        kept = [(name, value) for name, value in renamed if name != "scope"]
        return [*kept, ("response_type", "code")]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        centers = [b for b in self.world.businesses.values() if b.roles.get(profile.id)]
        chosen = next((b for b in centers if b.id == business_id), centers[0] if centers else None)
        may = chosen is not None and chosen.roles.get(profile.id) == ADMIN
        owned = [a for a in self.world.accounts.values() if chosen and a.business_id == chosen.id and not a.deleted]
        return Offer(
            permissions=(
                Permission(id=AD_ACCOUNT_MANAGEMENT, label="Ad Account Management"),
                Permission(id=REPORTING, label="Reporting"),
            ),
            businesses=tuple(centers),
            business_id=chosen.id if chosen else None,
            chooses_accounts=True,
            accounts=tuple(owned) if may else (),
            note="" if may else "You need the Admin role in a Business Center to share its ad accounts.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def allowed(self, location: str) -> str:
        return with_query(location, auth_code=URL(location).query["code"])

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _error(40100, "Requests made too frequently, please try again later")

    def down(self) -> web.Response:
        return _error(50000, "System error, please try again later")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        if body is None:
            return _error(40002, "The body must be a JSON object")
        for name in ("app_id", "secret", "auth_code"):
            if not body.get(name):
                return _error(40002, f"{name}: Missing data for required field.")
        form = {
            "grant_type": "authorization_code",
            "client_id": str(body["app_id"]),
            "client_secret": str(body["secret"]),
            "code": str(body["auth_code"]),
        }
        if "code_verifier" in body:
            form["code_verifier"] = str(body["code_verifier"])
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            if answer.error == "invalid_client":
                return _error(40101, "App id and secret do not match")
            return _error(40110, "Auth_code is used, cancelled or expired")
        reached = [account.id for account in self.reach(answer.grant)]
        numbers = [n for permission in sorted(answer.grant.permissions) for n in NUMBERS[permission]]
        return _answer({"access_token": answer.access.value, "advertiser_ids": reached, "scope": numbers})

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request) or {}
        form = {
            "client_id": str(body.get("app_id") or ""),
            "client_secret": str(body.get("secret") or ""),
            "token": str(body.get("access_token") or ""),
        }
        if self.world.state(self.access_token(form["token"])) in (TokenState.UNKNOWN, TokenState.REVOKED):
            return _error(*DEAD[TokenState.REVOKED])
        error = self.authority.revoke(form, request.headers)
        if error == "invalid_client":
            return _error(40101, "App id and secret do not match")
        return _answer({}) if error is None else _error(40113, "The token belongs to another app")

    async def _advertisers(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        app, grant = self.world.apps.get(request.query.get("app_id", "")), self.world.grants[token.grant_id]
        if app is None or not secrets.compare_digest(app.secret.encode(), request.query.get("secret", "").encode()):
            return _error(40101, "App id and secret do not match")
        if grant.app_id != app.id:
            return _error(40113, "app_id is inconsistent with the token's app")
        rows = [{"advertiser_id": a.id, "advertiser_name": a.name} for a in self.reach(grant)]
        return _answer({"list": rows})

    async def _info(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        ids = read_json_list(request.query.get("advertiser_ids"))
        fields = read_json_list(request.query["fields"]) if "fields" in request.query else list(INFO_FIELDS)
        if not ids or len(ids) > MOST_IDS or fields is None:
            return _error(40002, "advertiser_ids (100 at most) and fields must be JSON lists of strings")
        reached = {account.id: account for account in self.reach(grant)}
        for wanted in ids:
            refusal = self._refusal(wanted, reached)
            if refusal is not None:
                return refusal
        rows = [self._details(reached[wanted]) for wanted in ids]
        return _answer({"list": [{name: value for name, value in row.items() if name in fields} for row in rows]})

    def _refusal(self, wanted: str, reached: dict[str, AdAccount]) -> web.Response | None:
        account = self.world.accounts.get(wanted)
        if account is None:
            return _error(40301, "Advertiser does not exist")
        if account.deleted:
            return _error(40300, "Advertiser is deleted")
        return None if wanted in reached else _error(40001, f"no permission to operate advertiser {wanted}")

    def _details(self, account: AdAccount) -> dict[str, object]:
        row: dict[str, object] = {
            "advertiser_id": account.id,
            "name": account.name,
            "status": account.status or "STATUS_ENABLE",
            "role": "ROLE_ADVERTISER",
            "timezone": "Etc/GMT",
            "currency": "EUR",
        }
        return row | ({"owner_bc_id": account.business_id} if self.world.settings.show_owner else {})

    async def _centers(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        profile_id = self.world.grants[token.grant_id].profile_id
        rows = [
            {"bc_info": {"bc_id": b.id, "name": b.name, "type": "NORMAL"}, "user_role": b.roles[profile_id]}
            for b in self.world.businesses.values()
            if b.roles.get(profile_id)
        ]
        return self._page(request, rows)

    async def _assets(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        grant = self.world.grants[token.grant_id]
        business = self.world.businesses.get(request.query.get("bc_id", ""))
        if business is None or not business.roles.get(grant.profile_id):
            return _error(40001, f"no permission to operate bc {request.query.get('bc_id', '')}")
        if request.query.get("asset_type") != "ADVERTISER":
            return _error(40002, "asset_type: only ADVERTISER is served")
        rows = [
            {
                "asset_id": a.id,
                "asset_name": a.name,
                "asset_type": "ADVERTISER",
                "relation_type": "OWNER_BC",
                "owner_bc_name": business.name,
            }
            for a in self.reach(grant)
            if a.business_id == business.id
        ]
        return self._page(request, rows)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        profile = self.world.profiles[self.world.grants[token.grant_id].profile_id]
        return _answer({"core_user_id": profile.id, "display_name": profile.name, "email": profile.email})

    async def _report(self, request: web.Request) -> web.StreamResponse:
        token = self._checked(request)
        if isinstance(token, web.Response):
            return token
        wanted = request.query.get("advertiser_id", "")
        refusal = self._refusal(wanted, {a.id: a for a in self.reach(self.world.grants[token.grant_id])})
        return refusal if refusal is not None else self._page(request, [])

    def _page(self, request: web.Request, rows: Sequence[Mapping[str, object]]) -> web.Response:
        page, size = request.query.get("page", "1"), request.query.get("page_size", str(PAGE_SIZE))
        if not (page.isdecimal() and size.isdecimal() and int(page) and int(size)):
            return _error(40002, "page and page_size must be positive numbers")
        start = (int(page) - 1) * int(size)
        info = {
            "page": int(page),
            "page_size": int(size),
            "total_number": len(rows),
            "total_page": -(-len(rows) // int(size)),
        }
        return _answer({"list": rows[start : start + int(size)], "page_info": info})

    def _checked(self, request: web.Request) -> Token | web.Response:
        """The live token of the request, if it was granted what this endpoint needs."""
        value = request.headers.get("Access-Token")
        if not value:
            return _error(40104, "Access-Token is missing from the header")
        token = self.access_token(value)
        state = self.world.state(token)
        if token is None or state is not TokenState.LIVE:
            return _error(*DEAD[state])
        path = request.path.rpartition(API)[2]
        needed = NEEDS.get(path)
        if needed is not None and needed not in self.world.grants[token.grant_id].permissions:
            return _error(40001, f"advertiser does not grant you {path}:{request.method} permission")
        return token


async def _json(request: web.Request) -> dict[str, object] | None:
    if request.content_type != "application/json":
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
