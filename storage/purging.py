"""Clearing away what nobody can use any more. Crosses organizations."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, Table, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from commands.ids import new_id
from storage.engine import UtcDateTime
from storage.tables import OPEN_ATTEMPT, attempts, claim_codes, events, sessions, sign_ins
from storage.work import Work

AT_ONCE = 500
"""Rows in one transaction: short enough to hold up nobody."""
ATTEMPTS_ARE_KEPT_OPEN = timedelta(days=1)
"""After its end: a callback that comes late is still told what became of it."""
EVENTS_ARE_KEPT = timedelta(days=30)
"""After they were planned."""

_BEFORE = bindparam("before", type_=UtcDateTime())


def _first(rows: Select[tuple[object]]) -> Select[tuple[object]]:
    # Two processes that purge at once do not wait for each other.
    return rows.limit(AT_ONCE).with_for_update(skip_locked=True)


def _expired(table: Table) -> ReturningDelete[tuple[object]]:
    # No index on the end: what has not ended yet is little, twelve hours of sessions at most.
    [key] = table.primary_key
    gone = _first(select(key).where(table.c.expires_at <= _BEFORE))
    return delete(table).where(key.in_(gone)).returning(key)


_PLANNED_EVENTS = (
    delete(events)
    .where(
        events.c.id.in_(
            _first(
                # Ids are in order of time: the old ones are the front of their index.
                select(events.c.id)
                .where(events.c.id < bindparam("first_kept"), events.c.planned_at <= _BEFORE)
                .order_by(events.c.id)
            )
        )
    )
    .returning(events.c.id)
)
_LEFT_ATTEMPTS: ReturningUpdate[tuple[object]] = (
    update(attempts)
    .where(attempts.c.id.in_(_first(select(attempts.c.id).where(OPEN_ATTEMPT, attempts.c.expires_at <= _BEFORE))))
    .values(closed_at=attempts.c.expires_at, code_verifier=None)
    .returning(attempts.c.id)
)
_EXPIRED = tuple(_expired(table) for table in (sessions, sign_ins, claim_codes))
STEPS = (*_EXPIRED, _LEFT_ATTEMPTS, _PLANNED_EVENTS)
"""Each to be repeated until it finds fewer than AT_ONCE."""


async def clear(work: Work, step: ReturningDelete[tuple[object]] | ReturningUpdate[tuple[object]], now: datetime) -> int:
    """Carry one step out once; give how many rows it found."""
    before = now
    if step is _LEFT_ATTEMPTS:
        before -= ATTEMPTS_ARE_KEPT_OPEN
    elif step is _PLANNED_EVENTS:
        before -= EVENTS_ARE_KEPT
        return len(await work.rows(step, {"before": before, "first_kept": _first_id(before)}))
    return len(await work.rows(step, {"before": before}))


def _first_id(at: datetime) -> UUID:
    """The least id that is made at this time."""
    return UUID(int=new_id(at).int >> 80 << 80)
