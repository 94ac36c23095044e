"""The queue of events that wait to be planned. Crosses organizations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, bindparam, select

from commands.ids import OrganizationId
from commands.ports.events import Event
from commands.ports.storage import DueEvents
from storage.engine import UtcDateTime
from storage.notice_rows import EVENT, event_of
from storage.rows import columns
from storage.tables import UNPLANNED, events
from storage.work import Work, portions

_READY = (
    select(events.c.id, events.c.authorization_id)
    .where(UNPLANNED, events.c.at <= bindparam("before", type_=UtcDateTime()))
    .order_by(events.c.at, events.c.id)
    .limit(bindparam("limit", type_=Integer()))
)
_ALONE = select(*columns(events, EVENT)).where(UNPLANNED, events.c.id.in_(bindparam("alone", expanding=True)))
_GATHERED = select(*columns(events, EVENT)).where(
    UNPLANNED, events.c.authorization_id.in_(bindparam("authorizations", expanding=True))
)


async def due_events(work: Work, *, now: datetime, gather: timedelta, limit: int) -> Sequence[DueEvents]:
    """Implements `Queues.due_events`. The limit counts events, but an authorization's are never parted: one that has
    more than the limit comes whole.
    """
    ready = await work.rows(_READY, {"before": now - gather, "limit": limit})
    alone = [row_id for row_id, authorization_id in ready if authorization_id is None]
    gathered = list(dict.fromkeys(authorization_id for _, authorization_id in ready if authorization_id is not None))
    found: dict[UUID, Event] = {}
    for portion in portions(alone):
        found |= {row[0]: event_of(row) for row in await work.rows(_ALONE, {"alone": list(portion)})}
    for portion in portions(gathered):
        found |= {row[0]: event_of(row) for row in await work.rows(_GATHERED, {"authorizations": list(portion)})}
    return _by_organization([row_id for row_id, _ in ready], found, limit)


def _by_organization(ready: Sequence[UUID], found: dict[UUID, Event], limit: int) -> Sequence[DueEvents]:
    groups: dict[UUID, list[Event]] = {}
    for event in sorted(found.values(), key=lambda event: (event.at, event.id)):
        groups.setdefault(event.authorization_id or event.id, []).append(event)
    taken: dict[OrganizationId, list[Event]] = {}
    number = 0
    for row_id in ready:
        first = found.get(row_id)
        group = [] if first is None else groups.pop(first.authorization_id or first.id, [])
        if number and number + len(group) > limit:
            break
        number += len(group)
        for member in group:
            taken.setdefault(member.organization_id, []).append(member)
    return [
        DueEvents(organization_id=organization_id, events=tuple(members)) for organization_id, members in taken.items()
    ]
