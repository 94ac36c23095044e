"""The audit log."""

from collections.abc import Sequence

from sqlalchemy import select

from commands.ids import OrganizationId, PersonId, new_id
from commands.ports.notices import AuditEntry
from storage.engine import insert
from storage.tables import audit_entries
from storage.work import Work


class SqlAudit:
    """Implements `Audit`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def write(self, entry: AuditEntry) -> None:
        await self._work.run(
            insert(audit_entries),
            {
                "id": new_id(entry.at),
                "organization_id": entry.organization_id,
                "at": entry.at,
                "actor_id": entry.actor_id,
                "origin": entry.origin,
                "action": entry.action,
                "subject": entry.subject,
                "detail": dict(entry.detail),
            },
        )

    async def latest(self, organization_id: OrganizationId, *, limit: int) -> Sequence[AuditEntry]:
        entries = audit_entries.c
        found = await self._work.rows(
            select(entries.at, entries.actor_id, entries.origin, entries.action, entries.subject, entries.detail)
            .where(entries.organization_id == organization_id)
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
