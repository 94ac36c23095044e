"""Meta's deauthorize callback, which Instagram shares: a POST of `signed_request`, the moment a person removes our app.

The part before the dot is the HMAC-SHA256 of the part behind it, with the app's secret, both base64url without padding.
It is sent for a removal alone; passwords that change and access that ends are silent.
Source: developers.facebook.com, "Deauthorize callback" and "Parsing the signed request".
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
from urllib.parse import parse_qs

from commands.ports.chat import HttpRequest, HttpResponse
from commands.ports.signals import Heard
from commands.secret import Secret

logger = logging.getLogger(__name__)

_LARGEST = 8 * 1024  # bytes; a real one has some 200
_LONGEST_ID = 100
_REFUSED = Heard(answer=HttpResponse(status=400))
_TAKEN = HttpResponse(status=200)


class SignedRequests:
    """Implements `Signals` for an app of Meta's."""

    def __init__(self, network: str, secret: Secret, enter_at: str) -> None:
        self.network = network
        self.enter_at = enter_at
        self._secret = secret

    async def hear(self, request: HttpRequest) -> Heard:
        payload = self._proved(_field(request.body))
        if payload is None:
            logger.warning("a deauthorization for %s was not signed with our app's secret", self.network)
            return _REFUSED
        user = payload.get("user_id")
        user_id = str(user) if isinstance(user, str | int) and not isinstance(user, bool) else ""
        if not 0 < len(user_id) <= _LONGEST_ID:
            return Heard(answer=_TAKEN)  # of a person whom Meta does not name
        said = json.dumps(payload, sort_keys=True)  # with the second it was issued in
        return Heard(answer=_TAKEN, subject_ids=(user_id,), signal=said)

    def _proved(self, signed: str) -> dict[str, object] | None:
        signature, _, payload = signed.partition(".")
        expected = hmac.new(self._secret.reveal().encode(), payload.encode(), hashlib.sha256).digest()
        if not payload or not hmac.compare_digest(_decoded(signature), expected):
            return None
        try:
            said = json.loads(_decoded(payload))
        except (ValueError, RecursionError):
            return None
        is_known = isinstance(said, dict) and str(said.get("algorithm", "")).upper() == "HMAC-SHA256"
        return said if is_known else None


def _field(body: bytes) -> str:
    """The one field there is; empty where there is none, or several."""
    if len(body) > _LARGEST:
        return ""
    try:
        values = parse_qs(body.decode("ascii"), max_num_fields=10).get("signed_request", [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 and values[0].isascii() else ""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
