# mypy: disable-error-code="import-untyped, misc, no-untyped-call"
"""The OAuth 2.0 authorization server of every stand-in: Authlib's, over the `World`.

Codes, clients, PKCE (RFC 7636), refresh, introspection (RFC 7662), revocation (RFC 7009) and `iss` (RFC 9207) are
checked by Authlib, so that the protocol our client is tested against is not of our own reading. This file only
fetches and stores.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidRequestError,
    grants,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter

from .oauth_records import Client, Reply, Request, StoredCode, StoredToken, Terms
from .world import (
    App,
    Code,
    Decision,
    Grant,
    IssuerMode,
    Token,
    TokenState,
    World,
)

CODE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An OAuth error by its standard name (RFC 6749), before the network words it."""

    error: str
    description: str
    redirect_uri: str | None = None
    state: str | None = None


OpenGrant = Callable[[App, Decision], Grant]
"""Makes, or renews, the grant that a decision stands for."""


class ConsentRefused(Exception):
    """The request cannot be put before a person; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """A checked authorization request."""

    app: App
    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    """The whole request, under OAuth's own names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """What the token endpoint decided, before the network words it."""

    error: str | None
    description: str
    grant: Grant | None = None
    access: Token | None = None
    refresh: Token | None = None


class _CodeGrant(grants.AuthorizationCodeGrant):
    @property
    def TOKEN_ENDPOINT_AUTH_METHODS(self) -> list[str]:  # noqa: N802 - Authlib's name
        return list(self.server.terms.client_auth)

    def generate_authorization_code(self) -> str:
        return secrets.token_urlsafe(CODE_BYTES)

    def save_authorization_code(self, code: str, request: Request) -> None:
        world: World = self.server.world
        terms: Terms = self.server.terms
        seconds = world.settings.code_seconds
        world.codes[code] = Code(
            value=code,
            app_id=request.client.app.id,
            redirect_uri=request.payload.redirect_uri if terms.binds_redirect else "",
            scope=request.scope or "",
            decision=request.user,
            expires_at=world.now() + (terms.code_seconds if seconds is None else seconds),
            challenge=request.payload.data.get("code_challenge"),
            challenge_method=request.payload.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Client) -> StoredCode | None:
        world: World = self.server.world
        stored = world.codes.get(code)
        if stored is None or stored.app_id != client.app.id or stored.used or stored.expires_at <= world.now():
            return None
        return StoredCode(stored)

    def delete_authorization_code(self, authorization_code: StoredCode) -> None:
        authorization_code.code.used = True

    def authenticate_user(self, authorization_code: StoredCode) -> Decision:
        return authorization_code.code.decision


class _RefreshGrant(grants.RefreshTokenGrant):
    @property
    def TOKEN_ENDPOINT_AUTH_METHODS(self) -> list[str]:  # noqa: N802 - Authlib's name
        return list(self.server.terms.client_auth)

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802 - Authlib's name
        rotates: bool | None = self.server.world.settings.rotate_refresh
        return bool(self.server.terms.rotates_refresh) if rotates is None else rotates

    def authenticate_refresh_token(self, refresh_token: str) -> StoredToken | None:
        world: World = self.server.world
        terms: Terms = self.server.terms
        token = world.tokens.get(refresh_token)
        state = world.state(token, "refresh", despite=terms.refreshes_despite)
        if token is None or state is not TokenState.LIVE:
            return None
        return StoredToken(token, world)

    def authenticate_user(self, refresh_token: StoredToken) -> Token:
        return refresh_token.token

    def revoke_old_credential(self, refresh_token: StoredToken) -> None:
        if self.INCLUDE_NEW_REFRESH_TOKEN:
            refresh_token.token.revoked = True


class _S256Only(CodeChallenge):
    """PKCE where the client uses it, and never `plain` (RFC 9700, 2.1.1)."""

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        wanted: bool | None = grant.server.world.settings.require_pkce
        if not data.get("code_challenge") and (grant.server.terms.requires_pkce if wanted is None else wanted):
            raise InvalidRequestError("Missing 'code_challenge'")
        if data.get("code_challenge") and data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Only code_challenge_method=S256 is supported.")
        super().validate_code_challenge(grant, redirect_uri)


class _Introspection(IntrospectionEndpoint):
    @property
    def CLIENT_AUTH_METHODS(self) -> list[str]:  # noqa: N802 - Authlib's name
        return list(self.server.terms.client_auth)

    def query_token(self, token_string: str, token_type_hint: str | None) -> StoredToken | None:
        token = self.server.world.tokens.get(token_string)
        return None if token is None else StoredToken(token, self.server.world)

    def check_permission(self, token: StoredToken, client: Client, request: Request) -> bool:
        return token.check_client(client)

    def create_introspection_payload(self, token: StoredToken | None) -> Token | None:
        return None if token is None else token.token  # worded by the network


class _Revocation(RevocationEndpoint):
    @property
    def CLIENT_AUTH_METHODS(self) -> list[str]:  # noqa: N802 - Authlib's name
        return list(self.server.terms.client_auth)

    def query_token(self, token_string: str, token_type_hint: str | None) -> StoredToken | None:
        token = self.server.world.tokens.get(token_string)
        return None if token is None else StoredToken(token, self.server.world)

    def revoke_token(self, token: StoredToken, request: Request) -> None:
        world = token.world
        world.grants[token.token.grant_id].revoked_at = world.now()


class _Issuer(IssuerParameter):
    def __init__(self, world: World, issuer: str) -> None:
        self.world = world
        self.issuer = issuer

    def get_issuer(self) -> str | None:
        mode = self.world.settings.issuer
        if mode is IssuerMode.OFF:
            return None
        return self.issuer if mode is IssuerMode.ON else "https://issuer.invalid"


class _Server(AuthorizationServer):
    def __init__(self, world: World, terms: Terms, open_grant: OpenGrant, issuer: _Issuer) -> None:
        super().__init__()
        self.world = world
        self.terms = terms
        self.open_grant = open_grant
        self.register_grant(_CodeGrant, [_S256Only(required=False)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)
        self.register_extension(issuer)

    def query_client(self, client_id: str) -> Client | None:
        app = self.world.apps.get(client_id)
        return None if app is None else Client(app, self.world, self.terms)

    def generate_token(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The tokens, made and stored at once: the world makes them, `save_token` has nothing left to do."""
        client: Client = kwargs["client"]
        user: Decision | Token = kwargs["user"]
        grant = self.world.grants[user.grant_id] if isinstance(user, Token) else self.open_grant(client.app, user)
        scope = " ".join(sorted(grant.permissions))
        made: dict[str, Any] = {
            "grant": grant,
            "access": self.world.add_token(grant, "access", self.terms.access_seconds, scope=scope),
            "refresh": user if isinstance(user, Token) else None,
        }
        if kwargs["include_refresh_token"] and self.terms.refresh_seconds is not None:
            made["refresh"] = self.world.add_token(grant, "refresh", self.terms.refresh_seconds, scope=scope)
        return made

    def save_token(self, token: Mapping[str, Any], request: Request) -> None:
        return

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        return

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Reply:
        return Reply(status=status, body=body, location=dict(headers).get("Location"))

    def handle_error_response(self, request: Request, error: OAuth2Error) -> Reply:
        reply: Reply = super().handle_error_response(request, error)
        reply.error = error
        return reply


class ConsentDesk(Protocol):
    """What the consent pages ask of an authorization server, whatever its protocol."""

    def issuer(self) -> str | None:
        """The `iss` of the next callback."""
        ...

    def read(self, params: Iterable[tuple[str, str]]) -> ConsentRequest:
        """Check an authorization request. Raises `ConsentRefused`."""
        ...

    def allow(self, params: Iterable[tuple[str, str]], decision: Decision) -> str:
        """The callback address of `decision`. Raises `ConsentRefused`."""
        ...


class Authority:
    """The typed face of the server: what the consent page and the network files ask of it."""

    def __init__(self, world: World, terms: Terms, open_grant: OpenGrant, issuer: str) -> None:
        self._issuer = _Issuer(world, issuer)
        self._server = _Server(world, terms, open_grant, self._issuer)

    def issuer(self) -> str | None:
        """The `iss` of the next callback, by the current setting."""
        return self._issuer.get_issuer()

    def read(self, params: Iterable[tuple[str, str]]) -> ConsentRequest:
        """Check an authorization request. Raises `ConsentRefused`."""
        request, grant = self._consent(params)
        return ConsentRequest(
            app=request.client.app,
            redirect_uri=str(grant.redirect_uri),
            state=request.payload.state,
            scopes=tuple((request.scope or "").split()),
            params=request.payload.data,
        )

    def allow(self, params: Iterable[tuple[str, str]], decision: Decision) -> str:
        """The callback address with a new code for `decision`. Raises `ConsentRefused`."""
        request, grant = self._consent(params)
        reply: Reply = self._server.create_authorization_response(request, grant_user=decision, grant=grant)
        if reply.error is not None or reply.location is None:
            raise ConsentRefused(
                Failure(
                    error="server_error",
                    description="The request could not be completed.",
                )
            )
        return reply.location

    def token(self, params: Mapping[str, str], headers: Mapping[str, str]) -> TokenAnswer:
        """Exchange a code or a refresh token. Errors are RFC 6749's names, in the answer."""
        reply: Reply = self._server.create_token_response(Request(params.items(), headers))
        if reply.error is not None:
            return TokenAnswer(
                error=reply.error.error,
                description=str(reply.error.get_error_description() or ""),
            )
        return TokenAnswer(error=None, description="", **reply.body)

    def introspect(self, params: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str | None, Token | None]:
        """The error's name, or None and the token, if it is one of the asking app's."""
        reply: Reply = self._server.create_endpoint_response("introspection", Request(params.items(), headers))
        return (reply.error.error, None) if reply.error is not None else (None, reply.body)

    def revoke(self, params: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
        """End the grant of the token in `params`; the error's name, or None. An unknown token is no error."""
        reply: Reply = self._server.create_endpoint_response("revocation", Request(params.items(), headers))
        return None if reply.error is None else str(reply.error.error)

    def _consent(self, params: Iterable[tuple[str, str]]) -> tuple[Request, Any]:
        request = Request(params, {})
        try:
            return request, self._server.get_consent_grant(request)
        except OAuth2Error as error:
            raise ConsentRefused(
                Failure(
                    error=str(error.error),
                    description=str(error.get_error_description() or ""),
                    redirect_uri=error.redirect_uri,
                    state=error.state,
                )
            ) from error
