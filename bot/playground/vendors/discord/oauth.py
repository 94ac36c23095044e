"""OAuth2 as Discord has it: codes, tokens, refresh, revocation, and who a Bearer token stands for.

Source: docs.discord.com, topics/oauth2. Codes are single-use and hold to their exact redirect
URI. PKCE is honoured when asked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from aiohttp import BasicAuth, web

from bot.playground.vendors.discord.payloads import application_json, user_json
from bot.playground.vendors.discord.wire import ApiError, Payload, reply
from bot.playground.vendors.discord.world import World

CODE_SECONDS = 600.0
TOKEN_SECONDS = 604_800


@dataclass(slots=True)
class Code:
    user_id: int
    scopes: tuple[str, ...]
    redirect_uri: str
    expires: float
    challenge: str | None
    challenge_method: str
    guild_id: int | None


@dataclass(slots=True, eq=False)
class Grant:
    """One authorization of a person; revoking any of its tokens ends it whole."""

    user_id: int
    scopes: tuple[str, ...]
    access: str
    refresh: str
    expires: float


class OAuthError(Exception):
    """A refusal of the token endpoint, in OAuth's form."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.body: Payload = {"error": error, "error_description": description}
        self.status = status


class Grants:
    def __init__(self, world: World) -> None:
        self.world = world
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth2/token", self.token),
            web.post("/oauth2/token/revoke", self.revoke),
            web.get("/oauth2/@me", self.authorization),
        ]

    def issue_code(self, code: Code) -> str:
        text = secrets.token_urlsafe(22)
        self.codes[text] = code
        return text

    def granted_before(self, user_id: int, scopes: tuple[str, ...]) -> bool:
        return any(one.user_id == user_id and set(scopes) <= set(one.scopes) for one in self.grants)

    # Bearer

    def identity(self, request: web.Request) -> Payload:
        """What /users/@me tells the holder of a Bearer token; the email only with the `email` scope."""
        grant = self._bearer(request)
        if "identify" not in grant.scopes:
            raise ApiError(401, 0, "401: Unauthorized")
        user = self.world.users[grant.user_id]
        about = {**user_json(user), "mfa_enabled": False, "locale": "en-US", "premium_type": 0}
        if "email" in grant.scopes:
            about |= {"email": user.email, "verified": user.verified}
        return about

    async def authorization(self, request: web.Request) -> web.Response:
        grant = self._bearer(request)
        application = application_json(self.world)
        public = {name: application[name] for name in ("id", "name", "icon", "description", "bot_public", "verify_key")}
        about: Payload = {"application": public, "scopes": list(grant.scopes)}
        if "identify" in grant.scopes:
            about["user"] = user_json(self.world.users[grant.user_id])
        return reply(about)

    def _bearer(self, request: web.Request) -> Grant:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        for grant in self.grants:
            fits = hmac.compare_digest(grant.access.encode(), token.encode())
            if scheme == "Bearer" and fits and grant.expires > self.world.now():
                return grant
        raise ApiError(401, 0, "401: Unauthorized")

    # Token endpoint

    async def token(self, request: web.Request) -> web.Response:
        try:
            form = await self._form(request)
            grant_type = form.get("grant_type")
            if grant_type == "authorization_code":
                return reply(self._redeem(form))
            if grant_type == "refresh_token":
                return reply(self._refresh(form))
            raise OAuthError("unsupported_grant_type", "Grant type None is not supported")
        except OAuthError as error:
            return reply(error.body, status=error.status)

    async def revoke(self, request: web.Request) -> web.Response:
        try:
            form = await self._form(request)
        except OAuthError as error:
            return reply(error.body, status=error.status)
        token = form.get("token", "")
        self.grants = [one for one in self.grants if token not in (one.access, one.refresh)]
        return reply({})

    async def _form(self, request: web.Request) -> dict[str, str]:
        """The form of an authenticated client, which names itself by Basic or by parameters."""
        if request.content_type != "application/x-www-form-urlencoded":
            raise OAuthError("invalid_request", "The body must be application/x-www-form-urlencoded")
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        header = request.headers.get("Authorization")
        if header is not None:
            try:
                basic = BasicAuth.decode(header)
            except ValueError:
                raise OAuthError("invalid_client", "Malformed Authorization header", status=401) from None
            client, secret = basic.login, basic.password
        known = client == str(self.world.config.application_id)
        if not known or not hmac.compare_digest(secret.encode(), self.world.config.client_secret.encode()):
            raise OAuthError("invalid_client", "Unknown client or wrong secret", status=401)
        return form

    def _redeem(self, form: dict[str, str]) -> Payload:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.expires < self.world.now():
            raise OAuthError("invalid_grant", 'Invalid "code" in request.')
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("invalid_grant", 'Invalid "redirect_uri" in request.')
        if not _verifier_fits(code, form.get("code_verifier")):
            raise OAuthError("invalid_grant", 'Invalid "code_verifier" in request.')
        grant = Grant(code.user_id, code.scopes, _token(), _token(), self.world.now() + TOKEN_SECONDS)
        self.grants.append(grant)
        self.world.feed.add("oauth_token_issued", user_id=str(code.user_id), scopes=list(code.scopes))
        told = self._told(grant)
        if code.guild_id is not None:
            told["guild"] = {"id": str(code.guild_id), "name": self.world.guilds[code.guild_id].name}
        return told

    def _refresh(self, form: dict[str, str]) -> Payload:
        for grant in self.grants:
            if hmac.compare_digest(grant.refresh.encode(), form.get("refresh_token", "").encode()):
                grant.access, grant.refresh = _token(), _token()
                grant.expires = self.world.now() + TOKEN_SECONDS
                return self._told(grant)
        raise OAuthError("invalid_grant", 'Invalid "refresh_token" in request.')

    def _told(self, grant: Grant) -> Payload:
        return {
            "token_type": "Bearer",
            "access_token": grant.access,
            "expires_in": TOKEN_SECONDS,
            "refresh_token": grant.refresh,
            "scope": " ".join(grant.scopes),
        }


def _token() -> str:
    return secrets.token_urlsafe(24)


def _verifier_fits(code: Code, verifier: str | None) -> bool:
    if code.challenge is None:
        return verifier is None
    if verifier is None:
        return False
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), code.challenge.encode())
