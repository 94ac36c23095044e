"""X (API v2) as it answers: PKCE, a secret in HTTP Basic alone, refresh tokens that are good once, problems by `type`.

A refresh token used twice ends the whole grant, and a second sign-in of an account ends the first. An account of the
world is an X account, whoever has a role on it has its login, and a grant is bound to the account that was shown at the
consent page. What an account is told by its `status`: "suspended", "locked", "protected", "withheld" (both readable).
From the project's notes on X's documentation. Of uncertain source: the sentences of the token endpoint, what suspended,
locked and deactivated accounts are told about themselves, 403 without a code for a missing permission.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from ..authority import ConsentRequest, Failure
from ..oauth_records import Terms
from ..wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Business, Decision, Grant, Profile, TokenState

API = "/2"
STAY = "offline.access"
SCOPES = {
    "users.read": "Any account you can view, including protected accounts",
    "tweet.read": "All the posts you can view, including posts from protected accounts",
    STAY: "Stay connected to your account until you revoke access",
    "tweet.write": "Post and repost for you",
}
READING = frozenset({"users.read", "tweet.read"})
CODE_SECONDS = 30
ACCESS_SECONDS = 7200
REFRESH_SECONDS = 180 * 86400  # no end is documented
PROBLEMS = "https://api.x.com/2/problems/"
SUSPENDED, LOCKED, PROTECTED, WITHHELD = "suspended", "locked", "protected", "withheld"
BAD_TOKEN = "Value passed for the token was invalid."
BAD_CODE = "Value passed for the authorization code was invalid."
NO_CLIENT = "Missing valid authorization header"
FORM = "application/x-www-form-urlencoded"
LOCKED_ANSWER = {
    "code": 326,
    "message": "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://x.com to unlock your account.",
}
APP_TROUBLES = {
    "client-not-enrolled": (403, "client-forbidden", "Client Forbidden"),
    "CreditsDepleted": (402, "credits", "CreditsDepleted"),
    "SpendCapReached": (403, "credits", "SpendCapReached"),
    "UsageCapExceeded": (429, "usage-capped", "UsageCapExceeded"),
}
"""What the app's owner has to put right, by the settings' `app_trouble`."""


def _problem(status: int, title: str, detail: str, kind: str | None = None, **more: object) -> web.Response:
    body = {"title": title, "detail": detail, "type": PROBLEMS + kind if kind else "about:blank", "status": status}
    answer = json_answer({**body, **more}, status)
    answer.content_type = "application/problem+json"
    return answer


def _absent(title: str, detail: str, kind: str, user_id: str) -> web.Response:
    """What cannot be shown comes with HTTP 200 and errors in place of data."""
    row = {"resource_type": "user", "resource_id": user_id, "value": user_id, "parameter": "id"}
    return json_answer({"errors": [{**row, "title": title, "detail": detail, "type": PROBLEMS + kind}]})


def _refused(status: int, error: str, description: str) -> web.Response:
    return json_answer({"error": error, "error_description": description}, status)


class Wire(NetworkWire):
    """X."""

    title = "X"
    accent = "#0f1419"
    business_word = "Account"
    disabled_status = WITHHELD
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=REFRESH_SECONDS,
        rotates_refresh=True,
        refreshes_for_all=True,
        client_auth=("client_secret_basic",),
        requires_pkce=True,
    )

    def authorize_paths(self) -> list[str]:
        return ["/i/oauth2/authorize"]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="POST", path=f"{API}/oauth2/token", label="token", handler=self._token),
            Endpoint(method="POST", path=f"{API}/oauth2/revoke", label="revoke", handler=self._revoke),
            Endpoint(method="GET", path=f"{API}/users/me", label="users/me", handler=self._me),
            Endpoint(method="GET", path=f"{API}/users/{{id}}", label="users", handler=self._user),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        own = self._held(profile.id)
        chosen = next((one for one in own if one.id == business_id), own[0] if own else None)
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], optional=False) for s in requested),
            businesses=tuple(Business(id=one.id, name=_handle(one)) for one in own) if len(own) > 1 else (),
            business_id=chosen.id if chosen is not None else None,
            note=f"You are logged in as @{_handle(chosen)}." if chosen is not None else "",
        )

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        account = frozenset({decision.business_id} if decision.business_id is not None else ())
        return replace(decision, accounts=account)

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def refused(self, failure: Failure) -> str | None:
        return None  # X says on a page of its own that something went wrong

    def open_grant(self, app: App, decision: Decision) -> Grant:
        made = self.world.add_grant(app.id, decision)
        account = self._bound(made)
        for grant in self.world.grants.values():
            same = grant.app_id == app.id and account is not None and self._bound(grant) is account
            if grant is not made and same and grant.revoked_at is None:
                grant.revoked_at = self.world.now()  # one live grant for an app and an account
        return made

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def throttled(self) -> web.Response:
        answer = _problem(429, "Too Many Requests", "Too Many Requests")
        reset = str(int(self.world.now()) + 900)
        answer.headers.update({"x-rate-limit-limit": "75", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})
        return answer

    def down(self) -> web.Response:
        return _problem(503, "Service Unavailable", "Service Unavailable")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            return self._refusal(answer.error or "server_error", answer.description, form)
        body: dict[str, object] = {
            "token_type": "bearer",
            "expires_in": int((answer.access.expires_at or 0) - self.world.now()),
            "access_token": answer.access.value,
            "scope": answer.access.scope,
        }
        if answer.refresh is not None and STAY in answer.grant.permissions:
            body["refresh_token"] = answer.refresh.value
        return json_answer(body)

    def _refusal(self, error: str, description: str, form: dict[str, str]) -> web.Response:
        if error == "invalid_client":
            return _refused(401, "unauthorized_client", NO_CLIENT)
        if error == "invalid_grant" and form.get("grant_type") == "refresh_token":
            spent = self.world.tokens.get(form.get("refresh_token", ""))
            if spent is not None and spent.kind == "refresh" and spent.revoked:
                self.world.grants[spent.grant_id].revoked_at = self.world.now()  # used before: somebody stole it
            return _refused(400, "invalid_request", BAD_TOKEN)
        return _refused(400, "invalid_request", BAD_CODE if error == "invalid_grant" else description)

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        error = self.authority.revoke(await _form(request), request.headers)
        return _refused(401, "unauthorized_client", NO_CLIENT) if error is not None else json_answer({"revoked": True})

    async def _me(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        account = self._bound(grant)
        if account is None or self.role_of(grant.profile_id, account) is None:
            user_id = account.id if account is not None else ""
            detail = f"Sorry, you are not authorized to see the user with id: [{user_id}]."
            return _problem(403, "Authorization Error", detail, "not-authorized-for-resource")
        return self._shown(account, request)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        user_id = request.match_info["id"]
        if not user_id.isdecimal():
            return _problem(400, "Invalid Request", "The `id` query parameter value is not valid", "invalid-request")
        account = self.world.accounts.get(user_id)
        if account is not None and account.status == SUSPENDED:
            return _absent("Forbidden", f"User has been suspended: [{user_id}].", "resource-not-found", user_id)
        if account is None:
            return _not_found(user_id)
        return self._shown(account, request)

    def _shown(self, account: AdAccount, request: web.Request) -> web.Response:
        if account.deleted:
            return _not_found(account.id)
        fields = request.query.get("user.fields", "").split(",")
        body: dict[str, object] = {"id": account.id, "name": account.name, "username": _handle(account)}
        if PROTECTED in fields:
            body[PROTECTED] = account.status == PROTECTED
        if WITHHELD in fields and account.status == WITHHELD:
            body[WITHHELD] = {"country_codes": ["DE"]}
        return json_answer({"data": body})

    def _caller(self, request: web.Request) -> Grant | web.Response:
        """The grant that asks, if the app, its permissions and the account that it speaks for may."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.access_token(value) if scheme == "Bearer" else None
        if token is None or self.world.state(token) is not TokenState.LIVE:
            return _problem(401, "Unauthorized", "Unauthorized")
        trouble = self.world.settings.app_trouble
        if trouble is not None:
            status, kind, title = APP_TROUBLES[trouble]
            return _problem(status, title, "", kind, client_id="1", reason=trouble)
        grant = self.world.grants[token.grant_id]
        if not grant.permissions >= READING:
            return _problem(403, "Forbidden", "Forbidden")
        account = self._bound(grant)
        if account is not None and account.status == SUSPENDED:
            return _problem(403, "Forbidden", "The user used for authentication is suspended", "user-suspended")
        if account is not None and account.status == LOCKED:
            return json_answer({"errors": [LOCKED_ANSWER]}, 403)
        return grant

    def _bound(self, grant: Grant) -> AdAccount | None:
        """The account whose login the grant is; made without the consent page, the person's first."""
        if grant.accounts is not None:
            return next((self.world.accounts[one] for one in grant.accounts if one in self.world.accounts), None)
        return next((one for one in self.world.accounts.values() if grant.profile_id in one.roles), None)

    def _held(self, profile_id: str) -> list[AdAccount]:
        accounts = self.world.accounts.values()
        return [one for one in accounts if not one.deleted and self.role_of(profile_id, one) is not None]


def _not_found(user_id: str) -> web.Response:
    return _absent("Not Found Error", f"Could not find user with id: [{user_id}].", "resource-not-found", user_id)


def _handle(account: AdAccount) -> str:
    return "".join(letter for letter in account.name.lower() if letter.isalnum())


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != FORM:
        return {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
