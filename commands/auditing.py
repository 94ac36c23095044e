"""The audit log (A-4): entries for what is done, and reading them back, all of them or a page."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.command import Asker
from commands.ids import OrganizationId, PersonId
from commands.model import Person
from commands.ports.auditing import AuditEntry
from commands.ports.storage import Storage, UnitOfWork

AT_ONCE = 500  # entries read in one go, of those that are exported


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who changes something, and from where. Whoever asks in chat is an `Asker`, who says the same."""

    organization_id: OrganizationId
    person_id: PersonId | None = None
    """None: nobody known by name, or the product itself."""
    origin: str
    """As the log shows it: "cli", "api key NAME", "web, slack T1/U2"."""


def entry(by: Actor | Asker, at: datetime, action: str, subject: str, /, **detail: str) -> AuditEntry:
    """Say who did what, from where, when. Written in the transaction of the change itself."""
    return AuditEntry(
        organization_id=by.organization_id,
        at=at,
        actor_id=by.person_id,
        origin=by.origin,
        action=action,
        subject=subject,
        detail=detail,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """A person who changes something, from where, when: what its entries and its events say alike."""

    person: Person
    origin: str
    at: datetime

    def entry(self, action: str, subject: str, /, **detail: str) -> AuditEntry:
        """An entry of the change."""
        actor = Actor(organization_id=self.person.organization_id, person_id=self.person.id, origin=self.origin)
        return entry(actor, self.at, action, subject, **detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A part of the log, the latest first."""

    entries: Sequence[AuditEntry]
    next_before: datetime | None
    """Where the next, older part begins; None: this is the last."""


async def read_page(
    uow: UnitOfWork,
    organization_id: OrganizationId,
    *,
    limit: int,
    before: datetime | None = None,
    actor_id: PersonId | None = None,
    words: str | None = None,
) -> LogPage:
    """Read some `limit` entries. A page ends between two times, so that none of those written together is passed
    over: it may hold fewer, and, where more than `limit` were written together, more.
    """
    wanted = limit
    while True:
        found = await uow.audit.latest(organization_id, limit=wanted + 1, before=before, actor_id=actor_id, words=words)
        if len(found) <= wanted:
            return LogPage(entries=found, next_before=None)
        whole = [one for one in found if one.at > found[-1].at]
        if whole:
            return LogPage(entries=whole, next_before=whole[-1].at)
        wanted *= 2


async def read_all(
    storage: Storage, organization_id: OrganizationId, *, since: datetime | None = None, at_once: int = AT_ONCE
) -> AsyncIterator[AuditEntry]:
    """Give every entry since a time, the latest first, without holding them all or any transaction between parts."""
    before: datetime | None = None
    while True:
        async with storage.reading() as uow:
            page = await read_page(uow, organization_id, limit=at_once, before=before)
        for one in page.entries:
            if since is not None and one.at < since:
                return
            yield one
        if page.next_before is None:
            return
        before = page.next_before
