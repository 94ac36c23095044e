"""Google's Cross-Account Protection (RISC): signed Security Event Tokens about the Google accounts that logged in here.

A token is a JWT of Google's (RS256) for our client id, posted as the whole body (RFC 8935). It names no end: old events
stay true (RFC 8417 2.2). Google's keys change; they are fetched when one is not known, at most once a minute, and not
at once again when that failed: whoever sends us garbage does not make us ask Google each time.
Source: developers.google.com/identity/protocols/risc.
"""

import asyncio
import logging
from collections.abc import Mapping

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from commands.ports.chat import HttpRequest, HttpResponse
from commands.ports.clock import Clock
from commands.ports.signals import Heard

logger = logging.getLogger(__name__)

ISSUER = "https://accounts.google.com"
KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"

_VERIFICATION = "https://schemas.openid.net/secevent/risc/event-type/verification"
_OF_A_TOKEN = "https://schemas.openid.net/secevent/oauth/event-type/token-revoked"
_LARGEST = 32 * 1024  # bytes of an event; real ones have some 1,500
_LARGEST_KEYS = 256 * 1024
_FETCH_WITHIN = 5.0  # seconds
_FETCH_AGAIN = 60.0
_TRY_AGAIN = 10.0  # seconds after they could not be had
_LONGEST_ID = 255
_NOT_OURS = HttpResponse(
    status=400,
    body=b'{"err":"authentication_failed","description":"not a token for us"}',
    content_type="application/json",
)
_NO_KEYS = (
    httpx2.HTTPError,
    TimeoutError,
    JoseError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
)
"""What fetching them ends with, and reading an answer of any shape."""
_TAKEN = HttpResponse(status=202)
_LATER = HttpResponse(status=503)


class SecurityEvents:
    """Implements `Signals` for a client of Google's."""

    def __init__(self, network: str, client_id: str, keys_url: str, clock: Clock, enter_at: str) -> None:
        self.network = network
        self.enter_at = enter_at
        self._client_id = client_id
        self._keys_url = keys_url
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = self._failed_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def hear(self, request: HttpRequest) -> Heard:
        token = request.body.strip()
        if not token or len(token) > _LARGEST:
            return Heard(answer=_NOT_OURS)
        claims = _claims(token, self._keys)
        if claims is None:
            if not await self._keys_are_fresh():
                return Heard(answer=_LATER)  # Google sends it again
            claims = _claims(token, self._keys)
        if claims is None or not self._is_for_us(claims):
            logger.warning("an event for %s was not Google's, or not for our client", self.network)
            return Heard(answer=_NOT_OURS)
        return Heard(answer=_TAKEN, subject_ids=self._subjects(claims), signal=str(claims["jti"]))

    def _is_for_us(self, claims: Mapping[str, object]) -> bool:
        issuer, audience = claims.get("iss"), claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        is_ours = self._client_id in audiences
        return isinstance(issuer, str) and issuer.rstrip("/") == ISSUER and is_ours and bool(claims.get("jti"))

    def _subjects(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        events = claims.get("events")
        found = []
        for kind, event in (events if isinstance(events, dict) else {}).items():
            subject = event.get("subject") if isinstance(event, dict) else None
            named = subject.get("sub") if isinstance(subject, dict) else None
            if isinstance(named, str) and 0 < len(named) <= _LONGEST_ID:
                found.append(named)
            elif kind == _VERIFICATION:
                logger.info("Google tried whether its events for %s arrive: they do", self.network)
            elif kind != _OF_A_TOKEN:  # names a token by its hash, of which we keep none: the next check finds out
                logger.info("an event for %s of a kind that names nobody: %s", self.network, str(kind)[:100])
        return tuple(dict.fromkeys(found))

    async def _keys_are_fresh(self) -> bool:
        """Whether the keys are of the last minute; they are fetched, unless that failed just now."""
        async with self._fetching:
            now = self._clock.now().timestamp()
            if now - self._fetched_at < _FETCH_AGAIN:
                return True
            if now - self._failed_at < _TRY_AGAIN:
                return False
            try:
                self._keys = await self._fetch()
            except _NO_KEYS as error:
                logger.warning("the keys of %s's events cannot be fetched: %s", self.network, type(error).__name__)
                self._failed_at = now
                return False
            self._fetched_at = now
            return True

    async def _fetch(self) -> KeySet:
        """Raises one of _NO_KEYS."""
        async with httpx2.AsyncClient(timeout=_FETCH_WITHIN) as client, asyncio.timeout(_FETCH_WITHIN):
            answer = await client.get(self._keys_url)
        answer.raise_for_status()
        if len(answer.content) > _LARGEST_KEYS:
            raise ValueError("too many keys")
        return KeySet.import_key_set(answer.json())


def _claims(token: bytes, keys: KeySet | None) -> Mapping[str, object] | None:
    """What a token says that one of the keys signed; None: none did, or it is no token."""
    if keys is None:
        return None
    try:
        return jwt.decode(token.decode("ascii"), keys, algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        return None
