"""Google's login as its networks share it: consent with boxes, a refresh token that is left out, tokeninfo, revoke.

From the project's notes on Google's documentation. Of uncertain source: the wording of descriptions other than "Token
has been expired or revoked." and invalid_rapt's, and that a suspended account's refresh token is honoured. Left out:
the `id_token` beside the access token, which nobody here reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from aiohttp import web

from .authority import ConsentRequest, Failure, TokenAnswer
from .oauth_records import Terms
from .wire import Endpoint, NetworkWire, Offer, Permission, json_answer, with_query
from .world import App, Decision, Grant, Profile, Token, TokenState

DAY = 86400
CODE_SECONDS = 600
ACCESS_SECONDS = 3600
IDLE_SECONDS = 180 * DAY
"""A refresh token dies after six months in which nobody used it."""
TESTING_SECONDS = 7 * DAY
MOST_REFRESH_TOKENS = 100
"""Per person and app; one more ends the oldest without a word."""

SIGN_IN = {"openid": "Associate you with your personal info", "email": "See your email address"}
"""What comes without a box to tick."""
OUTLIVED = frozenset({TokenState.PASSWORD_CHANGED, TokenState.BLOCKED})
"""Troubles that do not end a token: a password matters to Gmail's permissions only, and the rest is each API's."""

WISHES = ("access_type", "prompt", "include_granted_scopes")
DEAD = "Token has been expired or revoked."
RAPT = {
    "error": "invalid_grant",
    "error_description": "reauth related error (invalid_rapt)",
    "error_uri": "https://support.google.com/a/answer/9368756",
    "error_subtype": "invalid_rapt",
}


def google_terms(scopes: Mapping[str, str]) -> Terms:
    """How Google fills in OAuth, for an API with these scopes."""
    return Terms(
        permissions=frozenset(scopes) | frozenset(SIGN_IN),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=IDLE_SECONDS,
        refreshes_for_all=True,
        refreshes_despite=OUTLIVED,
        client_auth=("client_secret_post", "client_secret_basic"),
    )


def api_error(
    status: int, name: str, message: str, *, reason: str | None = None, details: Sequence[Mapping[str, object]] = ()
) -> web.Response:
    """An error in the form of Google's APIs; `reason` is the older kind of code, which some still give beside."""
    error: dict[str, object] = {"code": status, "message": message, "status": name}
    if reason is not None:
        error["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    if details:
        error["details"] = list(details)
    return json_answer({"error": error}, status)


def error_info(reason: str, service: str) -> dict[str, object]:
    """A google.rpc.ErrorInfo."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": service},
    }


def oauth_error(status: int, error: str, description: str) -> web.Response:
    """An error of the login's own endpoints."""
    return json_answer({"error": error, "error_description": description}, status)


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a form; empty for anything else."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def bearer_of(request: web.Request) -> str:
    """The access token in a request's header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme == "Bearer" else ""


class GoogleWire(NetworkWire):
    """One of Google's APIs with its login. Subclasses bring the API."""

    accent = "#1a73e8"
    nothing_ticked_is_cancelled = True
    scopes: ClassVar[Mapping[str, str]]
    """The API's scopes, with the names that the consent page gives them."""

    def authorize_paths(self) -> list[str]:
        return ["/o/oauth2/v2/auth"]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="POST", path="/token", label="token", handler=self._token),
            Endpoint(method="POST", path="/tokeninfo", label="tokeninfo", handler=self._token_info),
            Endpoint(method="POST", path="/revoke", label="revoke", handler=self._revoke),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(
                Permission(id=scope, label=label, detail=scope, optional=scope not in SIGN_IN)
                for scope, label in {**SIGN_IN, **self.scopes}.items()
                if scope in requested
            ),
            note="You can remove this access at any time in your Google account.",
        )

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        wishes = {f"{name}={word}" for name in WISHES for word in asked.params.get(name, "").split()}
        return replace(decision, wishes=frozenset(wishes))

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        return with_query(redirect_uri, error="access_denied", state=state)

    def barred(self) -> str | None:
        return "admin_policy_enforced" if self.world.settings.admin_restricted else None

    def refused(self, failure: Failure) -> str | None:
        return None  # Google says it on a page of its own

    def allowed(self, location: str) -> str:
        return with_query(location, authuser="0", prompt="consent")

    def open_grant(self, app: App, decision: Decision) -> Grant:
        grant = super().open_grant(app, decision)
        if "include_granted_scopes=true" in grant.wishes:
            for earlier in self.family(grant):
                grant.permissions |= earlier.permissions if earlier.revoked_at is None else set()
        return grant

    def family(self, grant: Grant) -> list[Grant]:
        granted = self.world.grants_of(grant.app_id, grant.profile_id)
        return [other for other in granted if other.business_id == grant.business_id]

    def state_of(self, token: Token | None) -> TokenState:
        """Whether an access token works, whatever became of the password."""
        return self.world.state(token, "access", despite=frozenset({TokenState.PASSWORD_CHANGED}))

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request)
        kind = form.get("grant_type")
        if kind not in ("authorization_code", "refresh_token"):
            return oauth_error(400, "unsupported_grant_type", f"Invalid grant_type: {kind or ''}")
        needed = "code" if kind == "authorization_code" else "refresh_token"
        if not form.get(needed):
            return oauth_error(400, "invalid_request", f"Missing required parameter: {needed}")
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            return self._refused_token(answer, kind)
        if kind == "authorization_code":
            return json_answer(self._first(answer.grant, answer.access, answer.refresh))
        return self._refreshed(answer.grant, answer.access, answer.refresh)

    def _refused_token(self, answer: TokenAnswer, kind: str) -> web.Response:
        if answer.error == "invalid_client":
            return oauth_error(401, "invalid_client", "The provided client secret is invalid.")
        if answer.error == "invalid_grant":
            return oauth_error(400, "invalid_grant", DEAD if kind == "refresh_token" else "Bad Request")
        return oauth_error(400, answer.error or "invalid_request", "Bad Request")

    def _first(self, grant: Grant, access: Token, refresh: Token | None) -> dict[str, object]:
        """The answer to a code: with a refresh token where it was asked for, and only after a new consent."""
        body = self._body(grant, access)
        if refresh is None:
            return body
        known = {token.grant_id for token in self.world.tokens.values() if token.kind == "refresh" and token != refresh}
        earlier = any(other.id in known and other.revoked_at is None for other in self.family(grant) if other != grant)
        asked = "access_type=offline" in grant.wishes
        if not asked or (earlier and "prompt=consent" not in grant.wishes):
            del self.world.tokens[refresh.value]
            return body
        if self.world.settings.testing:
            refresh.expires_at = self.world.now() + TESTING_SECONDS
        self._forget_the_oldest(grant)
        return {**body, "refresh_token": refresh.value, **self._end_of(refresh)}

    def _refreshed(self, grant: Grant, access: Token, refresh: Token | None) -> web.Response:
        settings = self.world.settings
        if settings.session_control or settings.admin_restricted:
            del self.world.tokens[access.value]
            if settings.session_control:
                return json_answer(RAPT, 400)
            return oauth_error(400, "admin_policy_enforced", "Access is restricted by an administrator.")
        if refresh is None:
            return json_answer(self._body(grant, access))
        if not settings.testing:
            refresh.expires_at = self.world.now() + IDLE_SECONDS
        return json_answer({**self._body(grant, access), **self._end_of(refresh)})

    def _body(self, grant: Grant, access: Token) -> dict[str, object]:
        return {
            "access_token": access.value,
            "expires_in": int((access.expires_at or 0) - self.world.now()) - 1,
            "scope": " ".join(sorted(grant.permissions)),
            "token_type": "Bearer",
        }

    def _end_of(self, refresh: Token) -> dict[str, object]:
        if not self.world.settings.testing or refresh.expires_at is None:
            return {}
        return {"refresh_token_expires_in": int(refresh.expires_at - self.world.now()) - 1}

    def _forget_the_oldest(self, grant: Grant) -> None:
        grants = {other.id for other in self.world.grants_of(grant.app_id, grant.profile_id)}
        living = [
            token
            for token in self.world.tokens.values()
            if token.kind == "refresh"
            and token.grant_id in grants
            and self.world.state(token, despite=OUTLIVED) is TokenState.LIVE
        ]
        for token in living[:-MOST_REFRESH_TOKENS]:
            token.revoked = True

    async def _token_info(self, request: web.Request) -> web.StreamResponse:
        value = bearer_of(request) or (await form_of(request)).get("access_token", "")
        token = self.access_token(value)
        if token is None or self.world.state(token, despite=OUTLIVED) is not TokenState.LIVE:
            return oauth_error(400, "invalid_token", "Invalid Value")
        grant = self.world.grants[token.grant_id]
        profile = self.world.profiles[grant.profile_id]
        body = {
            "azp": grant.app_id,
            "aud": grant.app_id,
            "scope": " ".join(sorted(grant.permissions)),
            "exp": str(int(token.expires_at or 0)),
            "expires_in": str(int((token.expires_at or 0) - self.world.now())),
            "access_type": "offline" if "access_type=offline" in grant.wishes else "online",
        }
        if grant.permissions & set(SIGN_IN):
            body["sub"] = profile.id
        if "email" in grant.permissions:
            body |= {"email": profile.email, "email_verified": "true"}
        return json_answer(body)

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        """Either kind of token ends all that the person granted the app; no app has to say who it is."""
        value = request.query.get("token") or (await form_of(request)).get("token", "")
        token = self.world.tokens.get(value)
        if token is None or self.world.state(token, despite=OUTLIVED) is not TokenState.LIVE:
            return oauth_error(400, "invalid_token", "Token expired or revoked")
        for grant in self.family(self.world.grants[token.grant_id]):
            grant.revoked_at = grant.revoked_at or self.world.now()
        return json_answer({})
