"""Entries of the audit log for what people do in chat (A-4)."""

from datetime import datetime

from commands.command import Asker
from commands.ports.notices import AuditEntry


def entry(asker: Asker, at: datetime, action: str, subject: str, **detail: str) -> AuditEntry:
    """Say who did what, from where, when. Written in the transaction of the change itself."""
    return AuditEntry(
        organization_id=asker.organization_id,
        at=at,
        actor_id=asker.person.id,
        origin=asker.origin,
        action=action,
        subject=subject,
        detail=detail,
    )
