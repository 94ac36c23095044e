"""The strict check in front of Bolt: signature, age and shape of every request, before anything reads what it says.

Bolt parses before it verifies and crashes on some malformed headers; whatever is wrong here ends as 401, 400 or 403,
with no body echoed or logged. Rule of the signature: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from commands.ports.chat import HttpRequest
from commands.ports.clock import Clock
from commands.secret import Secret

Json = Mapping[str, object]

_WINDOW = 300  # seconds, to either side
_TIMESTAMP, _SIGNATURE = re.compile(r"[0-9]{1,12}"), re.compile(r"v0=[0-9a-f]{64}")
_SIGNATURE_HEADER, _TIMESTAMP_HEADER = "x-slack-signature", "x-slack-request-timestamp"
_MOST_FIELDS = 100
_DEEPEST = 64  # levels; a message with rich text in it has about a dozen
_LONGEST_NUMBER = 30  # digits
_SSL_CHECK = 4096  # bytes; Slack's own has two short fields


class RefusedRequest(Exception):
    """A request that is not Slack's, or not for us. `status` answers it; nothing of it is kept."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


class SignatureCheck:
    """Knows the signing secrets; while one is being changed there are two."""

    def __init__(self, secrets: Sequence[Secret], app_id: str | None, clock: Clock) -> None:
        self._secrets = tuple(secrets)
        self._app_id = app_id
        self._clock = clock

    def read(self, request: HttpRequest) -> Json:
        """Give what a request of Slack's says. Raises RefusedRequest."""
        self._verify(request)
        payload = read_body(request)
        is_handshake = payload.get("type") == "url_verification"  # the one request that does not name the app
        if self._app_id is not None and not is_handshake and payload.get("api_app_id") != self._app_id:
            raise RefusedRequest(403, "another app's request")
        return payload

    def _verify(self, request: HttpRequest) -> None:
        signature = _only(request, _SIGNATURE_HEADER, _SIGNATURE)
        timestamp = _only(request, _TIMESTAMP_HEADER, _TIMESTAMP)
        if abs(self._clock.now().timestamp() - int(timestamp)) > _WINDOW:
            raise RefusedRequest(401, "too old, or of the future")
        base = b"v0:" + timestamp.encode() + b":" + request.body
        # Each secret is tried, whichever fits, so that the time taken tells nothing.
        fits = [hmac.compare_digest(signature, _sign(secret, base)) for secret in self._secrets]
        if not any(fits):
            raise RefusedRequest(401, "not signed by Slack")


def _sign(secret: Secret, base: bytes) -> str:
    return "v0=" + hmac.new(secret.reveal().encode(), base, hashlib.sha256).hexdigest()


def _only(request: HttpRequest, name: str, form: re.Pattern[str]) -> str:
    """The one header of that name; a doubled one could mean one thing to us and another to whoever is in front."""
    values = [value for header, value in request.headers if header == name]
    if len(values) != 1 or not form.fullmatch(values[0]):
        raise RefusedRequest(401, f"{name} is missing, doubled or malformed")
    return values[0]


def is_ssl_check(request: HttpRequest) -> bool:
    """Whether Slack only tries our certificate: it sends that unsigned, wants a 200, and nothing may be done for it."""
    if len(request.body) > _SSL_CHECK:
        return False
    try:
        return _fields(request.body).get("ssl_check") == "1"
    except RefusedRequest:
        return False


def read_body(request: HttpRequest) -> Json:
    """Read JSON, a form with JSON in `payload`, or a form, as an object. Raises RefusedRequest."""
    content_types = [value for name, value in request.headers if name == "content-type"]
    if any(name == "content-encoding" and value.lower() != "identity" for name, value in request.headers):
        raise RefusedRequest(400, "an encoding that Slack does not use")
    kind = content_types[0].split(";")[0].strip().lower() if len(content_types) == 1 else ""
    if kind == "application/json":
        return _object(_text(request.body))
    if kind != "application/x-www-form-urlencoded":
        raise RefusedRequest(400, "neither JSON nor a form")
    fields = _fields(request.body)
    if "command" in fields:
        return fields
    if "payload" not in fields:
        raise RefusedRequest(400, "neither a command nor a payload")
    return _object(fields["payload"])


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedRequest(400, "not UTF-8") from None


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(_text(body), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RefusedRequest(400, "not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RefusedRequest(400, "a field twice")
    return fields


def _object(text: str) -> Json:
    try:
        value: object = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no, parse_int=_whole, parse_float=_short
        )
    except (ValueError, RecursionError):
        raise RefusedRequest(400, "not JSON as Slack writes it") from None
    if not isinstance(value, dict) or _is_deeper(value, _DEEPEST):
        raise RefusedRequest(400, "not an object, or too deep")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no(_constant: str) -> NoReturn:
    raise ValueError("NaN and infinity are not JSON")


def _whole(digits: str) -> int:
    return int(_short_digits(digits))


def _short(digits: str) -> float:
    return float(_short_digits(digits))


def _short_digits(digits: str) -> str:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number that Slack never sends")
    return digits


def _is_deeper(value: object, levels: int) -> bool:
    layer: list[object] = [value]
    for _ in range(levels):
        layer = [
            inner
            for each in layer
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not layer:
            return False
    return True
