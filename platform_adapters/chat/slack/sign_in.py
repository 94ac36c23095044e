"""Sign in with Slack: OpenID Connect, whose id token says which user of which workspace is at the browser.

Its rules: docs.slack.dev/authentication/sign-in-with-slack. joserfc checks signature and claims.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from commands.errors import DeliveryError, SignInError
from commands.ports.chat import SignedIn
from commands.ports.clock import Clock
from platform_adapters.chat.slack.api import SlackApi
from platform_adapters.chat.slack.failures import BROKEN_REPLY
from platform_adapters.chat.slack.settings import Client
from platform_adapters.chat.slack.spans import PLATFORM

SCOPES = ("openid", "email", "profile")
_ISSUER = "https://slack.com"
_USER, _TEAM = "https://slack.com/user_id", "https://slack.com/team_id"
_LEEWAY = 60  # seconds between Slack's clock and ours
_KEYS_FRESH = timedelta(minutes=1)  # a token that our keys do not fit has them fetched again, but not more often
_KEYS_KEPT = timedelta(hours=12)


class SlackSignIn:
    """Proves who is at the browser."""

    def __init__(self, api: SlackApi, client: Client, authorize_url: str, clock: Clock) -> None:
        self._api = api
        self._client = client
        self._base = authorize_url
        self._clock = clock
        self._keys: tuple[KeySet, datetime] | None = None

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        """Build the address of Slack's sign-in; `tenant` names the workspace, which Slack offers first."""
        query = {
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "client_id": self._client.client_id,
            "state": state,
            "nonce": nonce,
            "redirect_uri": redirect_uri,
            **({"team": tenant} if tenant else {}),
        }
        return f"{self._base}/openid/connect/authorize?{urlencode(query)}"

    async def complete(self, *, code: str, nonce: str, redirect_uri: str) -> SignedIn:
        """Exchange the code and check the id token: signature, issuer, audience, age, nonce, user and team."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client.client_id,
            "client_secret": self._client.secret.reveal(),
            "code": code,
            "redirect_uri": redirect_uri,
        }
        try:
            reply = await self._api.call("openid.connect.token", token=None, form=form)
        except DeliveryError as error:
            raise SignInError(error.code) from error
        claims = await self._claims(reply.text("id_token"))
        if not nonce or not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
            raise SignInError("wrong_nonce")
        user, team = _text(claims, _USER), _text(claims, _TEAM)
        if not user or not team or claims.get("sub") != user:
            raise SignInError("no_user_or_team")
        email = _text(claims, "email").strip().lower() if claims.get("email_verified") is True else ""
        return SignedIn(platform=PLATFORM, tenant=team, user=user, name=_text(claims, "name"), email=email or None)

    async def _claims(self, id_token: str) -> Mapping[str, object]:
        if not id_token:
            raise SignInError("no_id_token")
        try:
            return self._check(id_token, await self._current_keys())
        except JoseError as error:
            if self._keys is None or self._clock.now() - self._keys[1] < _KEYS_FRESH:
                raise SignInError(error.error) from error
        self._keys = None  # Slack may have changed its keys
        try:
            return self._check(id_token, await self._current_keys())
        except JoseError as error:
            raise SignInError(error.error) from error

    def _check(self, id_token: str, keys: KeySet) -> Mapping[str, object]:
        try:
            token = jwt.decode(id_token, keys, algorithms=["RS256"])
            registry = jwt.JWTClaimsRegistry(
                now=int(self._clock.now().timestamp()),
                leeway=_LEEWAY,
                iss={"essential": True, "value": _ISSUER},
                aud={"essential": True, "value": self._client.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
            )
            registry.validate(token.claims)
        except ValueError as error:
            raise SignInError("malformed_id_token") from error
        return token.claims

    async def _current_keys(self) -> KeySet:
        now = self._clock.now()
        if self._keys is None or now - self._keys[1] > _KEYS_KEPT:
            self._keys = (await self._fetch_keys(), now)
        return self._keys[0]

    async def _fetch_keys(self) -> KeySet:
        try:
            async with self._api.session() as session:
                url = f"{self._base}/openid/connect/keys"
                async with session.get(url, allow_redirects=False, proxy=self._api.proxy) as reply:
                    if reply.status != 200:
                        raise SignInError("keys_unreachable")
                    return KeySet.import_key_set(await reply.json())
        except (aiohttp.ClientError, TimeoutError, OSError, JoseError, *BROKEN_REPLY) as error:
            raise SignInError("keys_unreachable") from error


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
