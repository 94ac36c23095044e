# mypy: disable-error-code="import-untyped, misc, no-untyped-call"
"""The OAuth 1.0a server of a stand-in (RFC 5849): Authlib's, over the `World`.

Signatures, timestamps, nonces, callbacks and verifiers are checked by Authlib; this file only fetches and stores. A
nonce is good once, a verifier is good once, and a failed exchange ends the login that it was for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth1.rfc5849 import (
    AuthorizationServer,
    ClientMixin,
    OAuth1Request,
    ResourceProtector,
    TemporaryCredentialMixin,
    TokenCredentialMixin,
)
from authlib.oauth1.rfc5849.errors import OAuth1Error
from yarl import URL

from .authority import ConsentRefused, ConsentRequest, Failure
from .world import App, Decision, Grant, LoginRequest, Token, World

REQUEST_SECONDS = 600.0
OUT_OF_BAND = "oob"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """An HTTP call as it was signed: `url` is the whole address, with the host that the client named."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswer:
    """What the server decided, before the network words it: an error's name, or what was made."""

    error: str | None = None
    request: LoginRequest | None = None
    token: Token | None = None


class UnknownCallback(OAuth1Error):
    """The app has registered another address."""

    error = "unknown_callback"


class MalformedHeader(OAuth1Error):
    """The Authorization header cannot be read."""

    error = "malformed"


class _Client(ClientMixin):
    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_secret(self) -> str:
        return self.app.secret

    def get_default_redirect_uri(self) -> None:
        return None  # the address must always be sent


class _Request(TemporaryCredentialMixin):
    def __init__(self, request: LoginRequest) -> None:
        self.request = request

    def get_client_id(self) -> str:
        return self.request.app_id

    def get_redirect_uri(self) -> str:
        return self.request.callback

    def check_verifier(self, verifier: str) -> bool:
        known = self.request.verifier
        return known is not None and secrets.compare_digest(known.encode(), verifier.encode())

    def get_oauth_token(self) -> str:
        return self.request.value

    def get_oauth_token_secret(self) -> str:
        return self.request.secret


class _Credential(TokenCredentialMixin):
    def __init__(self, token: Token) -> None:
        self.token = token

    def get_oauth_token(self) -> str:
        return self.token.value

    def get_oauth_token_secret(self) -> str:
        return self.token.secret


class _Seen:
    """What both halves of the server look up."""

    world: World

    def get_client_by_id(self, client_id: str) -> _Client | None:
        app = self.world.apps.get(client_id)
        return None if app is None else _Client(app)

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> bool:
        seen = (request.timestamp, request.client_id, request.token or "", nonce)
        if seen in self.world.nonces:
            return True
        self.world.nonces.add(seen)
        return False


class _Server(_Seen, AuthorizationServer):
    def __init__(self, world: World, open_grant: Callable[[App, Decision], Grant]) -> None:
        self.world = world
        self.open_grant = open_grant

    def create_oauth1_request(self, call: SignedCall) -> OAuth1Request:
        try:
            return OAuth1Request(call.method, call.url, call.body, dict(call.headers))
        except ValueError as wrong:
            raise MalformedHeader from wrong

    def create_temporary_credential(self, request: OAuth1Request) -> _Request:
        made = LoginRequest(
            value=secrets.token_urlsafe(20),
            secret=secrets.token_urlsafe(32),
            app_id=request.client_id,
            callback=request.redirect_uri,
            expires_at=self.world.now() + REQUEST_SECONDS,
        )
        self.world.login_requests[made.value] = made
        return _Request(made)

    def get_temporary_credential(self, request: OAuth1Request) -> _Request | None:
        known = self.world.login_requests.get(request.token)
        return None if known is None or known.expires_at <= self.world.now() else _Request(known)

    def delete_temporary_credential(self, request: OAuth1Request) -> None:
        self.world.login_requests.pop(request.token, None)

    def create_authorization_verifier(self, request: OAuth1Request) -> str:
        known: LoginRequest = request.credential.request
        known.verifier, known.decision = secrets.token_urlsafe(20), request.user
        return known.verifier

    def create_token_credential(self, request: OAuth1Request) -> _Credential:
        known: LoginRequest = request.credential.request
        if known.decision is None:
            raise RuntimeError("a verifier without a decision")
        grant = self.open_grant(request.client.app, known.decision)
        return _Credential(self.world.add_token(grant, "access", None))

    def validate_temporary_credentials_request(self, request: OAuth1Request) -> OAuth1Request:
        super().validate_temporary_credentials_request(request)
        address = request.redirect_uri.partition("?")[0]
        if address not in {*request.client.app.redirect_uris, OUT_OF_BAND}:
            raise UnknownCallback
        return request

    def handle_response(self, status: int, payload: Any, headers: Any) -> SignedAnswer:
        made = dict(payload) if isinstance(payload, list) else {}
        value = made.get("oauth_token", "")
        return SignedAnswer(request=self.world.login_requests.get(value), token=self.world.tokens.get(value))

    def handle_error_response(self, error: OAuth1Error) -> SignedAnswer:
        return SignedAnswer(error=str(error.error))


class _Protector(_Seen, ResourceProtector):
    def __init__(self, world: World) -> None:
        self.world = world

    def get_token_credential(self, request: OAuth1Request) -> _Credential | None:
        token = self.world.tokens.get(request.token)
        app = None if token is None else self.world.grants[token.grant_id].app_id
        return _Credential(token) if token is not None and app == request.client_id else None


class SignedAuthority:
    """The typed face of the server: what the consent page and the network's file ask of it."""

    def __init__(self, world: World, open_grant: Callable[[App, Decision], Grant]) -> None:
        self._world = world
        self._server = _Server(world, open_grant)
        self._protector = _Protector(world)

    def announce(self, call: SignedCall) -> SignedAnswer:
        """Make a request token."""
        answer: SignedAnswer = self._server.create_temporary_credentials_response(call)
        return answer

    def exchange(self, call: SignedCall) -> SignedAnswer:
        """Exchange a request token that was allowed."""
        answer: SignedAnswer = self._server.create_token_response(call)
        return answer

    def caller(self, call: SignedCall) -> Token | str:
        """The access token that a call is signed with, in whatever state; else the error's name."""
        try:
            request = self._protector.validate_request(call.method, call.url, call.body, dict(call.headers))
        except OAuth1Error as error:
            return str(error.error)
        except ValueError:
            return "malformed"
        token: Token = request.credential.token
        return token

    def issuer(self) -> str | None:
        """OAuth 1.0a has none."""
        return None

    def read(self, params: Iterable[tuple[str, str]]) -> ConsentRequest:
        """Check the address that the browser came to. Raises `ConsentRefused`."""
        given = dict(params)
        known = self._world.login_requests.get(given.get("oauth_token", ""))
        if known is None or known.expires_at <= self._world.now() or known.verifier is not None:
            raise ConsentRefused(Failure(error="invalid_token", description="The request token is not valid."))
        # What the app sent along stands in its callback; what a person refuses is told by the request token.
        return ConsentRequest(
            app=self._world.apps[known.app_id],
            redirect_uri=known.callback,
            state=known.value,
            scopes=(),
            params=given,
        )

    def allow(self, params: Iterable[tuple[str, str]], decision: Decision) -> str:
        """The callback address with a verifier. Raises `ConsentRefused`."""
        asked = self.read(params)
        request = OAuth1Request("GET", f"https://network.invalid/?oauth_token={asked.state}", None, {})
        self._server.validate_authorization_request(request)
        request.user = decision
        verifier = self._server.create_authorization_verifier(request)
        return str(URL(asked.redirect_uri).update_query(oauth_token=str(asked.state), oauth_verifier=verifier))

    def refuse(self, value: str) -> None:
        """The person pressed Cancel: the request token is over."""
        self._world.login_requests.pop(value, None)
