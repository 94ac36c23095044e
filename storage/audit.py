"""The audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql import ColumnElement

from commands.ids import OrganizationId, PersonId, new_id
from commands.ports.auditing import AuditEntry
from storage.engine import insert
from storage.pages import escaped
from storage.rows import folded
from storage.tables import audit_entries
from storage.work import Work

_MOST_WORDS = 10  # more narrow nothing down that anybody would miss, and each costs a condition


class SqlAudit:
    """Implements `Audit`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def write(self, *entries: AuditEntry) -> None:
        if entries:
            await self._work.run(insert(audit_entries), [_values(entry) for entry in entries])

    async def number(
        self, organization_id: OrganizationId, *, actor_id: PersonId, action: str, subject: str, since: datetime
    ) -> int:
        entries = audit_entries.c
        found = await self._work.row(
            select(func.count()).where(
                entries.organization_id == organization_id,
                entries.actor_id == actor_id,
                entries.at >= since,
                entries.action == action,
                entries.subject == subject,
            )
        )
        return 0 if found is None else int(found[0])

    async def latest(
        self,
        organization_id: OrganizationId,
        *,
        limit: int,
        before: datetime | None = None,
        actor_id: PersonId | None = None,
        words: str | None = None,
    ) -> Sequence[AuditEntry]:
        entries = audit_entries.c
        conditions: list[ColumnElement[bool]] = [entries.organization_id == organization_id]
        if before is not None:
            conditions.append(entries.at < before)
        if actor_id is not None:
            conditions.append(entries.actor_id == actor_id)
        conditions += [
            entries.words.like(f"%{escaped(word)}%", escape="/") for word in folded(words or "").split()[:_MOST_WORDS]
        ]
        found = await self._work.rows(
            select(entries.at, entries.actor_id, entries.origin, entries.action, entries.subject, entries.detail)
            .where(*conditions)
            .order_by(entries.at.desc(), entries.id.desc())
            .limit(limit)
        )
        return [
            AuditEntry(
                organization_id=organization_id,
                at=at,
                actor_id=None if actor_id is None else PersonId(actor_id),
                origin=origin,
                action=action,
                subject=subject,
                detail=detail,
            )
            for at, actor_id, origin, action, subject, detail in found
        ]


def _values(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": new_id(entry.at),
        "organization_id": entry.organization_id,
        "at": entry.at,
        "actor_id": entry.actor_id,
        "origin": entry.origin,
        "action": entry.action,
        "subject": entry.subject,
        "detail": dict(entry.detail),
        "words": _words(entry),
    }


def _words(entry: AuditEntry) -> str:
    """What an entry is found by."""
    return folded("\n".join((entry.action, entry.subject, *(f"{key} {value}" for key, value in entry.detail.items()))))
