"""Meta (Facebook and Instagram ads) as the Graph API answers: no refresh token, a long-lived exchange, debug_token.

From the project's notes on Meta's documentation. Of uncertain source: the subcodes 36007 to 36009 of a bad code, the
answers to a wrong app secret, the life of a short token (two hours here).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from ..authority import Failure
from ..graph import app_proof, cursor_at, graph_error, picked, position_of, presented_token, signed_request
from ..oauth_records import Terms
from ..wire import Endpoint, Handler, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Business, Decision, Grant, Profile, Token, TokenState

DAY = 86400
CODE_SECONDS = 600
SHORT_SECONDS = 7200
LONG_SECONDS = 5183944
DATA_ACCESS_SECONDS = 90 * DAY
PAGE_SIZE = 25
ADMIN = "ADMIN"
ACTIVE, DISABLED = "1", "2"
TASKS = {ADMIN: ["MANAGE", "ADVERTISE", "ANALYZE"], "ADVERTISER": ["ADVERTISE", "ANALYZE"], "ANALYST": ["ANALYZE"]}
ADS = frozenset({"ads_read", "ads_management"})

PERMISSIONS = {
    "public_profile": "Your name and picture",
    "email": "Your email address",
    "ads_read": "Read the results of your ads",
    "ads_management": "Manage ads of ad accounts that you have access to",
    "business_management": "Manage your businesses",
    "pages_show_list": "See a list of the Pages that you manage",
    "pages_read_engagement": "Read content posted on your Pages",
    "instagram_basic": "See your Instagram profile and media",
    "instagram_manage_insights": "See insights of your Instagram account",
    "read_insights": "Read insights of your Pages",
}
NO_OBJECT = (
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation"
)
NOT_GRANTED = "(#200) Ad account owner has NOT granted ads_management or ads_read permission"
DEAD: dict[TokenState, tuple[str, int | None]] = {
    TokenState.UNKNOWN: ("Invalid OAuth access token - Cannot parse access token", None),
    TokenState.REVOKED: ("Error validating access token: The user has not authorized application.", 458),
    TokenState.EXPIRED: ("Error validating access token: Session has expired.", 463),
    TokenState.BLOCKED: ("Error validating access token: You cannot access the app till you log in to "
                         "www.facebook.com and follow the instructions given.", 459),
    TokenState.PASSWORD_CHANGED: ("Error validating access token: The session has been invalidated because the user "
                                  "changed their password or Facebook has changed the session for security reasons.",
                                  460),
}  # fmt: skip


class Wire(NetworkWire):
    """Meta."""

    title = "Facebook"
    accent = "#0866ff"
    business_word = "Business portfolio"
    disabled_status = DISABLED
    terms = Terms(permissions=frozenset(PERMISSIONS), code_seconds=CODE_SECONDS, access_seconds=SHORT_SECONDS)

    @property
    def issued_seconds(self) -> float | None:
        return LONG_SECONDS

    def authorize_paths(self) -> list[str]:
        return [r"/dialog/oauth", r"/{version:v\d+\.\d+}/dialog/oauth"]

    def endpoints(self) -> list[Endpoint]:
        table: list[tuple[str, str, str, Handler]] = [
            ("GET", "/oauth/access_token", "token", self._token),
            ("POST", "/oauth/access_token", "token", self._token),
            ("GET", "/debug_token", "debug_token", self._debug_token),
            ("GET", "/me", "me", self._me),
            ("GET", "/me/permissions", "me/permissions", self._permissions),
            ("GET", "/me/adaccounts", "me/adaccounts", self._accounts),
            ("GET", "/me/businesses", "me/businesses", self._businesses),
            ("GET", r"/act_{id:\w+}", "act", self._account),
            ("DELETE", r"/{user:\w+}/permissions", "delete permissions", self._delete),
            ("DELETE", r"/{user:\w+}/permissions/{permission}", "delete permissions", self._delete),
        ]
        return [
            Endpoint(method=method, path=prefix + path, label=label, handler=handler)
            for prefix in ("", r"/{version:v\d+\.\d+}")
            for method, path, label, handler in table
        ]

    def authorize_params(self, query: MultiMapping[str]) -> list[tuple[str, str]]:
        pairs = [(n, v.replace(",", " ") if n == "scope" else v) for n, v in query.items()]
        return pairs if "response_type" in query else [*pairs, ("response_type", "code")]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        asked = ["public_profile", *(p for p in requested if p != "public_profile")]
        accounts = [a for a in self.world.accounts.values() if not a.deleted and self.role_of(profile.id, a)]
        return Offer(
            permissions=tuple(
                Permission(id=p, label=PERMISSIONS[p], detail=p, optional=p != "public_profile") for p in asked
            ),
            chooses_accounts=bool(ADS & set(requested)),
            accounts=tuple(accounts),
            all_means_later=True,
            note="You can change this at any time in your Facebook settings, under Business integrations.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(
            redirect_uri,
            error="access_denied",
            error_code="200",
            error_description="Permissions error",
            error_reason="user_denied",
            state=state,
        )

    def refused(self, failure: Failure) -> str | None:
        return None  # Facebook shows what is wrong with a request on its own page

    def open_grant(self, app: App, decision: Decision) -> Grant:
        """One grant per person and app: a second consent changes the first, unless that was removed."""
        for grant in self.world.grants_of(app.id, decision.profile_id):
            if grant.revoked_at is None:
                grant.permissions, grant.declined = set(decision.permissions), set(decision.declined)
                grant.accounts = None if decision.accounts is None else set(decision.accounts)
                grant.data_access_expires_at = self.world.now() + DATA_ACCESS_SECONDS
                return grant
        grant = super().open_grant(app, decision)
        grant.data_access_expires_at = self.world.now() + DATA_ACCESS_SECONDS
        return grant

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def removal_notice(self, grant: Grant) -> tuple[str, dict[str, str]] | None:
        app = self.world.apps[grant.app_id]
        if app.deauthorize_url is None:
            return None
        payload = {"algorithm": "HMAC-SHA256", "issued_at": int(self.world.now()), "user_id": grant.profile_id}
        return app.deauthorize_url, {"signed_request": signed_request(app, payload)}

    def throttled(self) -> web.Response:
        wait = [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 5}]
        headers = {"X-Business-Use-Case-Usage": json.dumps({"0": wait}), "X-App-Usage": json.dumps({"call_count": 100})}
        message = "(#80004) There have been too many calls to this ad-account. Wait a bit and try again."
        return graph_error(80004, message, subcode=2446079, headers=headers)

    def down(self) -> web.Response:
        message = "An unexpected error has occurred. Please retry your request later."
        return graph_error(2, message, status=500, transient=True)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        params = dict(request.query)
        if request.method == "POST":
            params |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        app = self.world.apps.get(params.get("client_id", ""))
        if app is None:
            return graph_error(
                101, "Missing client_id parameter." if "client_id" not in params else "Invalid Client ID"
            )
        if not secrets.compare_digest(app.secret.encode(), params.get("client_secret", "").encode()):
            return graph_error(1, "Error validating client secret.")
        if params.get("grant_type") == "fb_exchange_token":
            return self._exchange(app, params.get("fb_exchange_token"))
        if not params.get("redirect_uri"):
            return graph_error(191, "Missing redirect_uri parameter.")
        answer = self.authority.token(params | {"grant_type": "authorization_code"}, request.headers)
        if answer.access is None:
            return self._bad_code(params)
        return self._token_answer(answer.access)

    def _bad_code(self, params: Mapping[str, str]) -> web.Response:
        code = self.world.codes.get(params.get("code", ""))
        if code is None or code.app_id != params.get("client_id"):
            return graph_error(100, "Invalid verification code format.")
        if code.used:
            return graph_error(100, "This authorization code has been used.", subcode=36009)
        if code.expires_at <= self.world.now():
            return graph_error(100, "This authorization code has expired.", subcode=36007)
        if code.redirect_uri == params.get("redirect_uri"):
            return graph_error(100, "Error validating verification code: the code verifier does not match.")
        message = (
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used "
            "in the OAuth dialog request"
        )
        return graph_error(100, message, subcode=36008)

    def _exchange(self, app: App, value: str | None) -> web.Response:
        token = self.access_token(value)
        if token is not None and self.world.grants[token.grant_id].app_id != app.id:
            token = None
        state = self.world.state(token)
        if token is None or state is not TokenState.LIVE:
            return self._dead(state)
        grant = self.world.grants[token.grant_id]
        made = self.world.add_token(grant, "access", LONG_SECONDS, prefix="EAA")
        return self._token_answer(made)

    def _token_answer(self, token: Token) -> web.Response:
        seconds = int((token.expires_at or 0) - self.world.now())
        return json_answer({"access_token": token.value, "token_type": "bearer", "expires_in": seconds})

    async def _debug_token(self, request: web.Request) -> web.StreamResponse:
        app_id, _, secret = presented_token(request).partition("|")
        app = self.world.apps.get(app_id)
        if app is None or not secrets.compare_digest(app.secret.encode(), secret.encode()):
            return graph_error(190, "Invalid OAuth access token signature.")
        token = self.access_token(request.query.get("input_token"))
        if token is None:
            message, _ = DEAD[TokenState.UNKNOWN]
            return json_answer({"data": {"error": {"code": 190, "message": message}, "is_valid": False, "scopes": []}})
        if self.world.grants[token.grant_id].app_id != app.id:
            return graph_error(100, "(#100) The App_id in the input_token did not match the Viewing App")
        return json_answer({"data": self._debug_data(app, token)})

    def _debug_data(self, app: App, token: Token) -> dict[str, object]:
        grant, state = self.world.grants[token.grant_id], self.world.state(token)
        scopes = sorted(grant.permissions)
        data: dict[str, object] = {
            "app_id": app.id,
            "type": "USER",
            "application": app.name,
            "is_valid": state is TokenState.LIVE,
            "issued_at": int(token.issued_at),
            "expires_at": int(token.expires_at or 0),
            "data_access_expires_at": int(grant.data_access_expires_at or 0),
            "scopes": scopes,
            "granular_scopes": [self._granular(grant, scope) for scope in scopes],
            "user_id": grant.profile_id,
        }
        if state is not TokenState.LIVE:
            message, subcode = DEAD[state]
            data["error"] = {"code": 190, "message": message, "subcode": subcode}
        return data

    def _granular(self, grant: Grant, scope: str) -> dict[str, object]:
        if grant.accounts is None or scope not in ADS:
            return {"scope": scope}
        return {"scope": scope, "target_ids": sorted(grant.accounts)}

    async def _me(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        profile = self.world.profiles[grant.profile_id]
        body = {"id": profile.id, "name": profile.name}
        if "email" in grant.permissions:
            body["email"] = profile.email
        return json_answer(picked(request, body, "name"))

    async def _permissions(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        rows = [{"permission": p, "status": "granted"} for p in sorted(grant.permissions)]
        return json_answer({"data": rows + [{"permission": p, "status": "declined"} for p in sorted(grant.declined)]})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        user = request.match_info["user"]
        if user not in ("me", grant.profile_id):
            return graph_error(100, NO_OBJECT.format(method="delete", id=user), subcode=33, kind="GraphMethodException")
        permission = request.match_info.get("permission")
        if permission is None:
            for each in self.family(grant):
                each.revoked_at = each.revoked_at or self.world.now()
        else:
            grant.permissions.discard(permission)
            grant.declined.add(permission)
        return json_answer({"success": True})

    async def _accounts(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        if not grant.permissions & ADS:
            return graph_error(200, NOT_GRANTED)
        rows = [picked(request, self._account_body(grant, a), "account_id") for a in self._readable(grant)]
        return self._page(request, rows)

    async def _account(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        account = self.world.accounts.get(request.match_info["id"])
        if account is None or account.deleted or self.role_of(grant.profile_id, account) is None:
            message = NO_OBJECT.format(method="get", id=f"act_{request.match_info['id']}")
            return graph_error(100, message, subcode=33, kind="GraphMethodException")
        if not grant.permissions & ADS or account not in self._readable(grant):
            return graph_error(200, NOT_GRANTED)
        return json_answer(picked(request, self._account_body(grant, account), "account_id"))

    async def _businesses(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        if "business_management" not in grant.permissions:
            return graph_error(200, "(#200) Requires business_management permission to manage the object")
        rows = [
            picked(request, _named(business), "name")
            for business in self.world.businesses.values()
            if business.roles.get(grant.profile_id)
        ]
        return self._page(request, rows)

    def _readable(self, grant: Grant) -> list[AdAccount]:
        """What the grant reaches; nothing, without an error, once its data access has run out."""
        ends = grant.data_access_expires_at
        return [] if ends is not None and ends <= self.world.now() else self.reach(grant)

    def _account_body(self, grant: Grant, account: AdAccount) -> dict[str, object]:
        status = int(account.status or ACTIVE)
        body: dict[str, object] = {
            "account_id": account.id,
            "id": f"act_{account.id}",
            "name": account.name,
            "account_status": status,
            "disable_reason": 0 if status == int(ACTIVE) else 1,
            "currency": "EUR",
            "user_tasks": TASKS.get(self.role_of(grant.profile_id, account) or "", []),
        }
        owner = self.world.businesses.get(account.business_id)
        if owner is not None and self.world.settings.show_owner:
            body |= {"business": _named(owner), "owner_business": _named(owner)}
        return body

    def _page(self, request: web.Request, rows: list[dict[str, object]]) -> web.Response:
        limit = request.query.get("limit", str(PAGE_SIZE))
        after = request.query.get("after", cursor_at(0))
        start = position_of(after)
        if not limit.isdecimal() or not int(limit) or start is None:
            return graph_error(100, "(#100) Invalid cursors values")
        end = start + int(limit)
        if not rows:
            return json_answer({"data": []})
        paging: dict[str, object] = {"cursors": {"before": cursor_at(start), "after": cursor_at(end)}}
        if end < len(rows):
            paging["next"] = str(URL(str(request.url)).update_query({"limit": limit, "after": cursor_at(end)}))
        return json_answer({"data": rows[start:end], "paging": paging})

    def _caller(self, request: web.Request) -> Grant | web.Response:
        """The grant whose live token, with its proof, came with the request."""
        value = presented_token(request)
        if not value:
            return graph_error(2500, "An active access token must be used to query information about the current user.")
        token = self.access_token(value)
        state = self.world.state(token)
        if token is None or state is not TokenState.LIVE:
            return self._dead(state)
        grant = self.world.grants[token.grant_id]
        proof = request.query.get("appsecret_proof")
        if proof is None:
            message = "API calls from the server require an appsecret_proof argument"
            return graph_error(100, message, kind="GraphMethodException")
        if not secrets.compare_digest(app_proof(self.world.apps[grant.app_id], value).encode(), proof.encode()):
            return graph_error(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")
        return grant

    def _dead(self, state: TokenState) -> web.Response:
        message, subcode = DEAD[state]
        return graph_error(190, message, subcode=subcode)


def _named(business: Business) -> dict[str, object]:
    return {"id": business.id, "name": business.name}
