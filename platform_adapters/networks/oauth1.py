"""OAuth 1.0a (RFC 5849) over `NetworkClient`: calls signed by Authlib with HMAC-SHA1, and the three legs of a login."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import httpx2
from authlib.integrations.httpx_client import OAuth1Auth

from commands.errors import NetworkError
from commands.secret import Secret
from platform_adapters.networks.answers import (
    Json,
    Reply,
    malformed,
    text,
)
from platform_adapters.networks.credentials import Credentials
from platform_adapters.networks.oauth import (
    NetworkClient,
)

_TOKEN, _SECRET, _CONFIRMED = "oauth_token", "oauth_token_secret", "oauth_callback_confirmed"

OUT_OF_BAND = "oob"
"""The callback of a request token that nobody will use (RFC 5849 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A token with the secret that signs for it. Kept as one secret, form-encoded as the network gave them."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else came with them: whose they are."""

    def to_secret(self) -> Secret:
        """Everything as one secret."""
        return Secret(urlencode({_TOKEN: self.token, _SECRET: self.secret, **self.facts}))

    @classmethod
    def from_secret(cls, kept: Secret) -> "Pair":
        """Read what `to_secret` made; what was made otherwise gives a pair that no network accepts."""
        given = dict(parse_qsl(kept.reveal()))
        return cls(token=given.pop(_TOKEN, ""), secret=given.pop(_SECRET, ""), facts=given)


class OAuth1Client:
    """One network's OAuth 1.0a. Its endpoints are siblings of the access token's."""

    def __init__(self, credentials: Credentials, client: NetworkClient) -> None:
        self._credentials = credentials
        self._client = client

    async def request_token(self, callback: str) -> Pair:
        """Ask for the token that a login begins with (RFC 5849 2.1). Raises NetworkError."""
        url = f"{self._credentials.token_url.rpartition('/')[0]}/request_token"
        reply = await self._signed("oauth/request_token", url, self._auth(redirect_uri=callback))
        if text(reply.body, _CONFIRMED) != "true":
            raise NetworkError(malformed(reply))
        return _pair(reply)

    async def access_token(self, request: Pair, verifier: str) -> Pair:
        """Exchange the token of a login that came back (RFC 5849 2.3). Raises NetworkError."""
        auth = self._auth(token=request.token, token_secret=request.secret, verifier=verifier)
        return _pair(await self._signed("oauth/access_token", self._credentials.token_url, auth))

    async def ask(
        self, check: str, method: str, path: str, pair: Pair, query: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask the API as the pair's owner. Raises NetworkError."""
        auth = self._auth(token=pair.token, token_secret=pair.secret)
        return await self._client.ask(check, method, path, query=query, auth=auth)

    async def _signed(self, check: str, url: str, auth: OAuth1Auth) -> Reply:
        return await self._client.ask(check, "POST", url, auth=auth, read=_form)

    def _auth(self, **of_the_call: str) -> OAuth1Auth:
        return OAuth1Auth(self._credentials.client_id, self._credentials.client_secret.reveal(), **of_the_call)


def _pair(reply: Reply) -> Pair:
    given = {name: text(reply.body, name) for name in reply.body if name != _CONFIRMED}
    pair = Pair(token=given.pop(_TOKEN, ""), secret=given.pop(_SECRET, ""), facts=given)
    if not pair.token or not pair.secret:
        raise NetworkError(malformed(reply))
    return pair


def _form(response: httpx2.Response) -> Json:
    """Good answers are form-encoded whatever their type says; refusals are JSON, or words."""
    try:
        body = response.json()
    except ValueError:
        return dict(parse_qsl(response.text)) if response.is_success else {}
    return body if isinstance(body, dict) else {}
