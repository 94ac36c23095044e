"""Identifiers: time-ordered UUIDs made in Python, one NewType for each kind of row, base62 on the wire.

An id is never authority: knowing one gives no right to see or do anything.
"""

import secrets
from datetime import datetime
from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
WorkspaceId = NewType("WorkspaceId", UUID)
ClientId = NewType("ClientId", UUID)
PersonId = NewType("PersonId", UUID)
IdentityId = NewType("IdentityId", UUID)
AuthorizationId = NewType("AuthorizationId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
LapseId = NewType("LapseId", UUID)
SubscriptionId = NewType("SubscriptionId", UUID)
NoticeId = NewType("NoticeId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
LinkId = NewType("LinkId", UUID)
AttemptId = NewType("AttemptId", UUID)
SessionId = NewType("SessionId", UUID)
EventId = NewType("EventId", UUID)
NoteId = NewType("NoteId", UUID)
DrillId = NewType("DrillId", UUID)
PassId = NewType("PassId", UUID)
OutageId = NewType("OutageId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
EndpointId = NewType("EndpointId", UUID)
SourceId = NewType("SourceId", UUID)
WebhookMessageId = NewType("WebhookMessageId", UUID)

WIRE_LENGTH = 22  # 128 bits in base 62
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def new_id(at: datetime) -> UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7) for the aware time `at`: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(at.timestamp() * 1000)
    random = secrets.randbits(74)
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | random >> 62
    low = 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=high << 64 | low)


def to_wire(value: UUID) -> str:
    """Write an id as 22 base62 characters, which fit a button's 100-character token and a short address."""
    number, digits = value.int, []
    for _ in range(WIRE_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def from_wire(text: str) -> UUID:
    """Read what `to_wire` wrote. Raises ValueError for anything else."""
    if len(text) != WIRE_LENGTH or not all(character in _VALUES for character in text):
        raise ValueError("not an id")
    number = 0
    for character in text:
        number = number * 62 + _VALUES[character]
    if number >= 1 << 128:
        raise ValueError("not an id")
    return UUID(int=number)
