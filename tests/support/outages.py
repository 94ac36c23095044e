"""A network's outage to test with."""

from dataclasses import replace
from datetime import datetime, timedelta

from commands.ids import OutageId, new_id
from commands.ports.outages import Outage


def an_outage(now: datetime, **changes: object) -> Outage:
    """One that begins now; a test names what it changes."""
    outage = Outage(
        id=OutageId(new_id(now)),
        network="examplenet",
        region="",
        since=now - timedelta(minutes=10),
        opened_at=now,
        held_until=now + timedelta(days=1),
        checked=5,
        failing=5,
        sampled_at=now,
        turn_at=now,
    )
    return replace(outage, **changes)  # type: ignore[arg-type]  # a test names what it changes
