"""What is due for the planner and for those who look after people. Nothing is leased. Crosses organizations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, Select, bindparam, select
from sqlalchemy.sql import ColumnElement

from commands.ids import AuthorizationId, LapseId, NoticeId, OrganizationId, PersonId
from commands.model import Drill, Identity
from commands.ports.storage import DueReader, DueReleases, DueWarnings
from storage.drills import DRILL, drill_of
from storage.engine import UtcDateTime
from storage.rows import IDENTITY, columns, identity_of
from storage.tables import CLAIMED, UNREPORTED, authorizations, drills, identities, lapses, mutes, notices
from storage.work import Work

MOST_OF_READER = 1_000
"""How many notices are given at once for one reader."""

_NOW = bindparam("now", type_=UtcDateTime())
_LIMIT = bindparam("limit", type_=Integer())


def _notices_due(when: Column[Any]) -> Select[Any]:
    return (
        select(notices.c.organization_id, notices.c.person_id, notices.c.id, notices.c.created_at)
        .where(when <= _NOW)
        .order_by(when, notices.c.id)
        .limit(_LIMIT)
    )


_REMINDERS, _DIGESTS = _notices_due(notices.c.remind_at), _notices_due(notices.c.digest_at)
_WARNINGS = (
    select(authorizations.c.organization_id, authorizations.c.id)
    .where(authorizations.c.warn_at <= _NOW)
    .order_by(authorizations.c.warn_at, authorizations.c.id)
    .limit(_LIMIT)
)
_CLAIMS = (
    select(lapses.c.organization_id, lapses.c.id, lapses.c.claim_until)
    .where(CLAIMED, lapses.c.claim_until <= _NOW)
    .order_by(lapses.c.claim_until, lapses.c.id)
    .limit(_LIMIT)
)
_SNOOZES = (
    select(mutes.c.organization_id, mutes.c.lapse_id, mutes.c.until)
    .where(mutes.c.until <= _NOW)
    .order_by(mutes.c.until, mutes.c.lapse_id)
    .limit(_LIMIT)
)


def _profiles(*which: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """Never looked at, and not since: two questions of one index, since the databases do not agree where NULL stands in
    an order.
    """
    found = select(*columns(identities, IDENTITY)).where(*which).limit(_LIMIT)
    return (
        found.where(identities.c.looked_at.is_(None)).order_by(identities.c.id),
        found.where(identities.c.looked_at < bindparam("before", type_=UtcDateTime())).order_by(
            identities.c.looked_at, identities.c.id
        ),
    )


_NEVER_LOOKED_AT, _LOOKED_AT_BEFORE = _profiles(identities.c.gone_at.is_(None))
_GONE_ASKED_FOR, _GONE_BEFORE = _profiles(identities.c.gone_at.is_not(None))
_DRILLS = select(*columns(drills, DRILL)).where(UNREPORTED, drills.c.ends_at <= _NOW).order_by(drills.c.ends_at)


async def due_reminders(work: Work, *, now: datetime, limit: int) -> Sequence[DueReader]:
    """Implements `Queues.due_reminders`."""
    return _by_reader(await work.rows(_REMINDERS, {"now": now, "limit": limit}))


async def due_digests(work: Work, *, now: datetime, limit: int) -> Sequence[DueReader]:
    """Implements `Queues.due_digests`."""
    return _by_reader(await work.rows(_DIGESTS, {"now": now, "limit": limit}))


async def due_warnings(work: Work, *, now: datetime, limit: int) -> Sequence[DueWarnings]:
    """Implements `Queues.due_warnings`."""
    found = _by_organization(await work.rows(_WARNINGS, {"now": now, "limit": limit}))
    return [
        DueWarnings(organization_id=organization_id, authorization_ids=tuple(sorted(map(AuthorizationId, ids))))
        for organization_id, ids in found.items()
    ]


async def due_releases(work: Work, *, now: datetime, limit: int) -> Sequence[DueReleases]:
    """Implements `Queues.due_releases`, the longest over first."""
    values = {"now": now, "limit": limit}
    over = [*await work.rows(_CLAIMS, values), *await work.rows(_SNOOZES, values)]
    found = _by_organization(sorted(over, key=lambda row: (row[2], row[1]))[:limit])
    return [
        DueReleases(organization_id=organization_id, lapse_ids=tuple(map(LapseId, ids)))
        for organization_id, ids in found.items()
    ]


async def due_profiles(
    work: Work, *, looked_before: datetime, gone_before: datetime | None, limit: int
) -> Sequence[Identity]:
    """Implements `Queues.due_profiles`."""
    asked: list[tuple[Select[Any], dict[str, Any]]] = [
        (_NEVER_LOOKED_AT, {}),
        (_GONE_ASKED_FOR, {}),
        (_LOOKED_AT_BEFORE, {"before": looked_before}),
    ]
    if gone_before is not None:
        asked.append((_GONE_BEFORE, {"before": gone_before}))
    found: list[Sequence[Any]] = []
    for statement, values in asked:
        if len(found) < limit:
            found += await work.rows(statement, {**values, "limit": limit - len(found)})
    return [identity_of(row) for row in found]


async def due_drills(work: Work, now: datetime) -> Sequence[Drill]:
    """Implements `Queues.due_drills`, the longest over first."""
    return [drill_of(row) for row in await work.rows(_DRILLS, {"now": now})]


def _by_reader(rows: Iterable[Sequence[Any]]) -> Sequence[DueReader]:
    readers: dict[tuple[UUID, UUID], list[tuple[datetime, UUID]]] = {}
    for organization_id, person_id, notice_id, created_at in rows:
        readers.setdefault((organization_id, person_id), []).append((created_at, notice_id))
    return [
        DueReader(
            organization_id=OrganizationId(organization_id),
            person_id=PersonId(person_id),
            notice_ids=tuple(NoticeId(notice_id) for _, notice_id in sorted(found)[:MOST_OF_READER]),
        )
        for (organization_id, person_id), found in readers.items()
    ]


def _by_organization(rows: Iterable[Sequence[Any]]) -> Mapping[OrganizationId, Sequence[UUID]]:
    """Each id once, in the order in which they came."""
    found: dict[OrganizationId, dict[UUID, None]] = {}
    for row in rows:
        found.setdefault(OrganizationId(row[0]), {})[row[1]] = None
    return {organization_id: list(ids) for organization_id, ids in found.items()}
