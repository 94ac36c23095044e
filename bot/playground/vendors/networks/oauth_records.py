# mypy: disable-error-code="import-untyped, misc, no-untyped-call"
"""The world as Authlib wants to see it: requests, clients, codes and tokens with the methods that it calls.

Authlib has no type information; nothing of it leaves this file and `authority.py`.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, OAuth2Payload, OAuth2Request, TokenMixin

from .world import App, Code, RedirectMatch, Token, TokenState, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a network fills in what OAuth leaves open. Lifetimes are in seconds."""

    permissions: frozenset[str]
    """The scopes that may be asked for."""
    code_seconds: float
    access_seconds: float | None
    """None: until revoked."""
    refresh_seconds: float | None = None
    """None: the network has no refresh tokens."""
    rotates_refresh: bool = False
    refreshes_for_all: bool = False
    """Whether every app gets refresh tokens; else only those that are trusted with them."""
    client_auth: tuple[str, ...] = ("client_secret_post",)
    refreshes_despite: frozenset[TokenState] = frozenset()
    """Troubles of the person in which refresh tokens are still honoured."""
    binds_redirect: bool = True
    """Whether the token call must repeat the redirect address."""
    requires_pkce: bool = False
    """Whether a login without a challenge is refused."""


class Payload(OAuth2Payload):
    """Parameters with their duplicates, in Authlib's shape."""

    def __init__(self, params: Iterable[tuple[str, str]]) -> None:
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in params:
            self._lists[name].append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._lists.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._lists


class Request(OAuth2Request):
    """A call to the server. Loopback is plain HTTP; Authlib insists on the scheme that the real network has."""

    def __init__(self, params: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> None:
        super().__init__("POST", "https://network.invalid/", headers=headers)
        self.payload = Payload(params)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


@dataclass(slots=True)
class Reply:
    """A response in the form that Authlib's extensions may still change."""

    status: int
    body: Any
    location: str | None
    error: OAuth2Error | None = None


class Client(ClientMixin):
    """An app, by its network's terms."""

    def __init__(self, app: App, world: World, terms: Terms) -> None:
        self.app = app
        self.world = world
        self.terms = terms

    def get_client_id(self) -> str:
        return self.app.id

    def get_default_redirect_uri(self) -> None:
        return None  # the address must always be sent

    def get_allowed_scope(self, scope: str | None) -> str | None:
        asked = set((scope or "").split())
        return " ".join(sorted(asked)) if asked <= self.terms.permissions else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        if self.world.settings.redirect_match is RedirectMatch.PREFIX:
            return redirect_uri.startswith(self.app.redirect_uris)
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.app.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.terms.client_auth

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        if grant_type == "refresh_token":
            return self.terms.refresh_seconds is not None and (self.terms.refreshes_for_all or self.app.refresh_tokens)
        return grant_type == "authorization_code"


class StoredCode(AuthorizationCodeMixin):
    """A code."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.challenge
        self.code_challenge_method = code.challenge_method

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return self.code.scope


class StoredToken(TokenMixin):
    """A token of either kind."""

    def __init__(self, token: Token, world: World) -> None:
        self.token = token
        self.world = world

    def check_client(self, client: Client) -> bool:
        return self.world.grants[self.token.grant_id].app_id == client.app.id

    def get_scope(self) -> str:
        return self.token.scope
