"""Clearing away what nobody can use any more. Crosses organizations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Select, Table, bindparam, delete, select, tuple_, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from commands.ids import new_id
from storage.engine import UtcDateTime
from storage.tables import (
    OPEN_ATTEMPT,
    attempts,
    claim_codes,
    events,
    host_reports,
    passes,
    sessions,
    sign_ins,
    taken_requests,
    webhook_messages,
)
from storage.work import Work

AT_ONCE = 500
"""Rows in one transaction: short enough to hold up nobody."""
ATTEMPTS_ARE_KEPT_OPEN = timedelta(days=1)
"""After their end, with their secrets; then they are closed. Closed ones lost their secrets when they were closed."""
EVENTS_ARE_KEPT = timedelta(days=30)
"""After they were planned."""
WEBHOOK_MESSAGES_ARE_KEPT = timedelta(days=30)
"""After they were delivered or given up."""
HOST_REPORTS_ARE_KEPT = timedelta(days=90)
"""By their ids, so that one that is sent again is known."""
PASSES_ARE_KEPT = timedelta(days=30)
"""After their end, so that whoever opens an old one is told what became of it."""

_BEFORE = bindparam("before", type_=UtcDateTime())


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of rows to clear away, at most AT_ONCE at a time."""

    statement: ReturningDelete[Any] | ReturningUpdate[Any]
    kept: timedelta = timedelta(0)
    """How long after their end."""
    in_order_of_time: bool = False
    """Also takes the first id to be kept, so that old rows are read from the front of the ids' index."""


def _some(rows: Select[Any]) -> Select[Any]:
    # Two processes that purge at once do not wait for each other. A CTE is sure to be looked at once.
    some = rows.limit(AT_ONCE).with_for_update(skip_locked=True).cte("some")
    return select(*some.c)


def _expired(table: Table, key: Column[Any], kept: timedelta = timedelta(0)) -> Step:
    # No index on the end but for passes: what has not ended yet is little, twelve hours of sessions at most.
    gone = _some(select(key).where(table.c.expires_at <= _BEFORE))
    return Step(statement=delete(table).where(key.in_(gone)).returning(key), kept=kept)


_left = _some(select(attempts.c.id).where(OPEN_ATTEMPT, attempts.c.expires_at <= _BEFORE))
_not_taken = _some(select(attempts.c.id).where(attempts.c.found.is_not(None), attempts.c.found_until <= _BEFORE))
_planned = _some(
    select(events.c.id)
    .where(events.c.id < bindparam("first_kept"), events.c.planned_at <= _BEFORE)
    .order_by(events.c.id)
)
_sent = _some(
    select(webhook_messages.c.id)
    .where(webhook_messages.c.finished_at.is_not(None), webhook_messages.c.finished_at <= _BEFORE)
    .order_by(webhook_messages.c.finished_at)
)
_reported = _some(
    select(host_reports.c.organization_id, host_reports.c.event_id).where(host_reports.c.received_at <= _BEFORE)
)

STEPS = (
    _expired(sessions, sessions.c.id),
    _expired(sign_ins, sign_ins.c.id),
    _expired(claim_codes, claim_codes.c.code_hash),
    _expired(taken_requests, taken_requests.c.key_hash),
    Step(
        statement=update(attempts)
        .where(attempts.c.id.in_(_left))
        .values(closed_at=attempts.c.expires_at, code_verifier=None)
        .returning(attempts.c.id),
        kept=ATTEMPTS_ARE_KEPT_OPEN,
    ),
    Step(
        statement=update(attempts).where(attempts.c.id.in_(_not_taken)).values(found=None).returning(attempts.c.id),
    ),
    _expired(passes, passes.c.id, PASSES_ARE_KEPT),
    Step(
        statement=delete(events).where(events.c.id.in_(_planned)).returning(events.c.id),
        kept=EVENTS_ARE_KEPT,
        in_order_of_time=True,
    ),
    Step(
        statement=delete(webhook_messages).where(webhook_messages.c.id.in_(_sent)).returning(webhook_messages.c.id),
        kept=WEBHOOK_MESSAGES_ARE_KEPT,
    ),
    Step(
        statement=delete(host_reports)
        .where(tuple_(host_reports.c.organization_id, host_reports.c.event_id).in_(_reported))
        .returning(host_reports.c.event_id),
        kept=HOST_REPORTS_ARE_KEPT,
    ),
)
"""Each to be repeated until it finds fewer than AT_ONCE."""


async def clear(work: Work, step: Step, now: datetime) -> int:
    """Carry one step out once; give how many rows it found."""
    before = now - step.kept
    values: dict[str, Any] = {"before": before}
    if step.in_order_of_time:
        values["first_kept"] = UUID(int=new_id(before).int >> 80 << 80)  # the least that is made at this time
    return len(await work.rows(step.statement, values))
