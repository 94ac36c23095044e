"""Ids of what is written down at most once a day: the same words on the same day make the same id, so that the key of
the row keeps two at once from both being first.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from uuid import UUID

from commands.ids import EventId, OrganizationId, new_id
from commands.zones import first_known_zone

_TAIL = 80  # bits after a UUID's time


def day_in(zone: str, at: datetime) -> date:
    """The day that it is in a time zone, by its IANA name; in UTC where there is no such zone."""
    return at.astimezone(first_known_zone(zone)).date()


def event_id(organization_id: OrganizationId, day: date, *words: str) -> EventId:
    """Name what `words` say of a day. The id is in order of time to the day, as purging old events needs.

    An 8th version UUID (RFC 9562, section 5.8): the day's noon in UTC, then 74 bits of a hash.
    """
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    digest = hashlib.sha256(json.dumps([organization_id.hex, day.isoformat(), *words]).encode()).digest()
    value = new_id(noon).int >> _TAIL << _TAIL | int.from_bytes(digest[: _TAIL // 8], "big")
    return EventId(UUID(int=value & ~(0xF << 76 | 0b11 << 62) | 0x8 << 76 | 0b10 << 62))
