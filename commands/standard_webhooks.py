"""Signing and verifying messages as Standard Webhooks asks (its specification, version 1): both of ours and of others.

The content `{id}.{timestamp}.{body}` is signed with HMAC-SHA256. Written here rather than taken from the project's own
library because that one reads the machine's clock.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.secret import Secret

PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from ours, either way."""
OLD_SECRET_COUNTS = timedelta(hours=24)
"""How long the secret of before a rotation still counts."""
LONGEST_ID = 200  # characters; theirs become keys of our rows
_SECRET_BYTES = 32  # the specification allows 24 to 64


class SignatureRefused(Exception):
    """A message is not from whom it says, or not of now. The message says why, and repeats nothing of what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What verified headers say."""

    id: str
    at: datetime


def new_secret() -> Secret:
    """Make a secret as both sides write it."""
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def sign(keys: Iterable[Secret], *, id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a message, with a signature by each secret, so that receivers can change over."""
    timestamp = str(int(at.timestamp()))
    signatures = " ".join(f"v1,{_signature(key, id, timestamp, body)}" for key in keys)
    return {ID: id, TIMESTAMP: timestamp, SIGNATURE: signatures}


def verify(keys: Iterable[Secret], headers: Mapping[str, str], body: bytes, *, now: datetime) -> Signed:
    """Check a message's headers, whose names are in lower case. Raises SignatureRefused."""
    message_id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not timestamp or not given:
        raise SignatureRefused(f"the headers {ID}, {TIMESTAMP} and {SIGNATURE} are needed")
    if len(message_id) > LONGEST_ID or not message_id.isascii() or "." in message_id:
        raise SignatureRefused(f"{ID} must be at most {LONGEST_ID} plain characters without a dot")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        raise SignatureRefused(f"{TIMESTAMP} must be whole seconds since 1970")
    at = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(now - at) > TOLERANCE:
        raise SignatureRefused(f"{TIMESTAMP} is more than {TOLERANCE.seconds // 60} minutes from our time")
    expected = [_signature(key, message_id, timestamp, body).encode() for key in keys]
    candidates = [part.removeprefix("v1,").encode() for part in given.split(" ") if part.startswith("v1,")]
    # Every pair is compared: the time that it takes tells nothing of which was nearly right.
    matches = [hmac.compare_digest(one, other) for one in expected for other in candidates[:10]]
    if not any(matches):
        raise SignatureRefused(f"{SIGNATURE} fits none of this address's secrets")
    return Signed(id=message_id, at=at)


def _signature(key: Secret, message_id: str, timestamp: str, body: bytes) -> str:
    try:
        raw = base64.b64decode(key.reveal().removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is not base64") from error
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(raw, content, "sha256")).decode()
