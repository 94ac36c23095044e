"""Lapses counted over weeks, by the database."""

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, literal_column, select

from commands.ids import OrganizationId
from commands.model import LapseCount, LapseEnd, Scope, Stats, Verdict, Wait
from storage.engine import UtcDateTime, seconds_of
from storage.tables import connections, lapses
from storage.views import ScopeShape, scope_values, within_scope
from storage.work import Work

_DAY = 86_400
_EPOCH = date(1970, 1, 1)
_DAYS_INTO_THE_WEEK = 3  # 1970 began on a Thursday
_WAITS = (
    (Wait.HOUR, 3_600),
    (Wait.HOURS, 4 * 3_600),
    (Wait.DAY, _DAY),
    (Wait.DAYS, 3 * _DAY),
    (Wait.WEEK, 7 * _DAY),
)
"""Each with the seconds that it stays below; what is above all is LONGER."""
_SINCE, _UNTIL = bindparam("since", type_=UtcDateTime()), bindparam("until", type_=UtcDateTime())


async def stats(
    work: Work,
    organization_id: OrganizationId,
    scope: Scope,
    *,
    since: datetime,
    until: datetime,
    network: str | None = None,
) -> Stats:
    """Implements `Lapses.stats`, in two statements."""
    values = {"organization": organization_id, "since": since, "until": until, **scope_values(scope)}
    if network is not None:
        values["network"] = network
    shape, narrowed = ScopeShape.of(scope), network is not None
    opened = [
        LapseCount(week=_EPOCH + timedelta(days=7 * week - _DAYS_INTO_THE_WEEK), cause=Verdict(cause), number=number)
        for week, cause, number in await work.rows(_opened_statement(shape, narrowed=narrowed), values)
    ]
    waited = {
        Wait(wait): number for wait, number in await work.rows(_waits_statement(shape, narrowed=narrowed), values)
    }
    return Stats(opened=tuple(opened), waits=tuple((wait, waited.get(wait, 0)) for wait in Wait))


@cache
def _opened_statement(shape: ScopeShape, *, narrowed: bool) -> Select[Any]:
    days = seconds_of(lapses.c.opened_at) // literal_column(str(_DAY))
    week = ((days + literal_column(str(_DAYS_INTO_THE_WEEK))) // literal_column("7")).label("week")
    counted = (
        select(week, lapses.c.cause)
        .join(connections, connections.c.id == lapses.c.connection_id)
        .where(
            lapses.c.organization_id == bindparam("organization"),
            *within_scope(connections, shape),
            *([connections.c.network == bindparam("network")] if narrowed else []),
            lapses.c.opened_at >= _SINCE,
            lapses.c.opened_at < _UNTIL,
        )
        .subquery("counted")
    )
    return (
        select(counted.c.week, counted.c.cause, func.count())
        .group_by(counted.c.week, counted.c.cause)
        .order_by(counted.c.week, counted.c.cause)
    )


@cache
def _waits_statement(shape: ScopeShape, *, narrowed: bool) -> Select[Any]:
    seconds = seconds_of(lapses.c.ended_at) - seconds_of(lapses.c.opened_at)
    wait = case(*((seconds < below, wait.value) for wait, below in _WAITS), else_=Wait.LONGER.value).label("wait")
    counted = (
        select(wait)
        .join(connections, connections.c.id == lapses.c.connection_id)
        .where(
            lapses.c.organization_id == bindparam("organization"),
            *within_scope(connections, shape),
            *([connections.c.network == bindparam("network")] if narrowed else []),
            lapses.c.ended_at >= _SINCE,
            lapses.c.ended_at < _UNTIL,
            lapses.c.ended_how.in_([LapseEnd.RECONNECTED.value, LapseEnd.RECOVERED.value]),
        )
        .subquery("counted")
    )
    return select(counted.c.wait, func.count()).group_by(counted.c.wait)
