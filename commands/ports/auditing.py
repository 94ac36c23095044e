"""The audit log: every change, with who made it and from where (A-4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from commands.ids import OrganizationId, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A change: who, from where, when (A-4)."""

    organization_id: OrganizationId
    at: datetime
    actor_id: PersonId | None
    """None: nobody known, or the product itself."""
    origin: str
    """From where: "slack T1/U2", "web", "cli"."""
    action: str
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)


class Audit(Protocol):
    """The audit log."""

    async def write(self, *entries: AuditEntry) -> None:
        """Write what happened down: all of it in one statement."""
        ...

    async def number(
        self, organization_id: OrganizationId, *, actor_id: PersonId, action: str, subject: str, since: datetime
    ) -> int:
        """Count how often somebody did just this to just that since a time."""
        ...

    async def latest(
        self,
        organization_id: OrganizationId,
        *,
        limit: int,
        before: datetime | None = None,
        actor_id: PersonId | None = None,
        words: str | None = None,
    ) -> Sequence[AuditEntry]:
        """The latest first: those before a time, by one person, with these words (without case) in action, subject or
        detail.
        """
        ...
