"""What a notice keeps beside its lapses, and under which names: small texts, since a store keeps them for years."""

from collections.abc import Iterable
from uuid import UUID

from commands.ids import from_wire, to_wire
from commands.ports.notices import Notice

BESIDE = "beside"
"""Lapses of the same login that are told in notices of their own."""
CONNECTION = "connection"
"""The connection whose link was refused."""
BY = "by"
"""The name of whoever opened somebody else's link, or asks the reader to act."""
DAY = "day"
"""The day (ISO date) on which somebody asks the reader to act: another day's asking is another notice."""
WHOM = "whom"
"""The person who could not be reached."""
REASON = "reason"
"""Why not: the platform's code, or ours."""
POSITION, TOTAL = "position", "total"
"""Which of how many notices that the reader gets at once (N-4)."""


def ids_text(ids: Iterable[UUID]) -> str:
    """Write ids as one text."""
    return " ".join(to_wire(one) for one in ids)


def ids_in(notice: Notice, name: str) -> list[UUID]:
    """Read what `ids_text` wrote under this name; empty if there is none."""
    return [from_wire(one) for one in notice.data.get(name, "").split()]
