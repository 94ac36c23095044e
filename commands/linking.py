"""How a signed-in chat account becomes a known person (P-6), and what is written when it opens somebody else's link.

An account is linked only after the person confirmed it, on a page that shows both identities, and only through an email
address that the chat platform says it verified.
"""

from dataclasses import dataclass
from datetime import timedelta

from commands.command import Services
from commands.ids import EventId, IdentityId, OrganizationId, new_id, to_wire
from commands.model import Identity, Organization, Person
from commands.ports.notices import AuditEntry, Event, EventKind
from commands.ports.reconnecting import Link, Session
from commands.ports.storage import Member, UnitOfWork
from commands.wording import shown

ONCE_PER = timedelta(days=1)
"""How often the same opener of the same link is written down."""
LOOK_BACK = 500  # audit entries searched for an earlier one; beyond that, telling twice is no harm


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """Somebody signed in whom the organization does not know yet."""

    organization: Organization
    candidate: Person | None
    """Who they are, by their verified email address; None: nobody that we know of."""
    administrator: str | None
    """Whom to ask; None for somebody from a workspace that is not the organization's, who learns nothing."""


def origin_of(session: Session) -> str:
    """From where somebody at a page acts, for the audit log."""
    return f"web, {session.platform} {session.tenant}/{session.user}"


async def member_in(services: Services, session: Session, organization_id: OrganizationId) -> Member | None:
    """Who the session's chat account is in this organization; None if it is not linked there, or the person left."""
    return next((m for m in await memberships(services, session) if m.organization.id == organization_id), None)


async def memberships(services: Services, session: Session) -> tuple[Member, ...]:
    """Who the session's chat account is, wherever it is linked."""
    standing = await services.storage.directory.standing(
        platform=session.platform, workspace=None, tenant=session.tenant, user=session.user
    )
    return standing.members


async def introduce(services: Services, session: Session, organization_id: OrganizationId) -> Introduction:
    """Find out who an unknown chat account may be. Changes nothing."""
    ours = await _from_our_workspace(services, session, organization_id)
    async with services.storage.reading() as uow:
        organization = await uow.organizations.get(organization_id)
        administrators = await uow.people.administrators(organization_id)
        candidate = await _candidate(uow, session, organization_id) if ours else None
    return Introduction(
        organization=organization,
        candidate=candidate,
        administrator=shown(administrators[0].name) if ours and administrators else None,
    )


async def link_account(services: Services, session: Session, organization_id: OrganizationId) -> bool:
    """Write down that the session's chat account is the person of its verified email address. False: it cannot be.

    Everything is asked anew: what a page showed a minute ago gives no right.
    """
    if not await _from_our_workspace(services, session, organization_id):
        return False
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await _candidate(uow, session, organization_id)
        if person is None:
            return False
        identity = Identity(
            id=IdentityId(new_id(now)),
            organization_id=organization_id,
            person_id=person.id,
            platform=session.platform,
            tenant=session.tenant,
            user=session.user,
            linked_at=now,
        )
        linked = await uow.people.link(identity)
        if linked:
            await uow.audit.write(
                AuditEntry(
                    organization_id=organization_id,
                    at=now,
                    actor_id=person.id,
                    origin=origin_of(session),
                    action="chat account linked",
                    subject=f"person {to_wire(person.id)}",
                    detail={"account": shown(session.name)},
                )
            )
    return linked


async def write_refusal(services: Services, link: Link, session: Session, opener: Person | None) -> None:
    """Write down, once a day for each opener, that somebody else opened a person's link; notices tell its owner."""
    now = services.clock.now()
    origin, subject, action = origin_of(session), f"link {to_wire(link.id)}", "link refused"
    async with services.storage.transaction() as uow:
        for entry in await uow.audit.latest(link.organization_id, limit=LOOK_BACK):
            if entry.at <= now - ONCE_PER:
                break
            if (entry.action, entry.origin, entry.subject) == (action, origin, subject):
                return
        opened_by = shown(opener.name if opener else session.name)
        await uow.audit.write(
            AuditEntry(
                organization_id=link.organization_id,
                at=now,
                actor_id=opener.id if opener else None,
                origin=origin,
                action=action,
                subject=subject,
                detail={"opened_by": opened_by},
            )
        )
        await uow.notices.record(
            [
                Event(
                    id=EventId(new_id(now)),
                    organization_id=link.organization_id,
                    kind=EventKind.LINK_REFUSED,
                    at=now,
                    connection_id=link.connection_id,
                    person_id=link.person_id,
                    data={"by": opened_by},
                )
            ]
        )


async def _from_our_workspace(services: Services, session: Session, organization_id: OrganizationId) -> bool:
    """Whether the account is of a workspace that the organization claimed, or is of none at all."""
    if not session.tenant:
        return True
    workspace = await services.storage.directory.workspace(session.platform, session.tenant)
    return workspace is not None and workspace.organization_id == organization_id


async def _candidate(uow: UnitOfWork, session: Session, organization_id: OrganizationId) -> Person | None:
    if session.email is None:
        return None
    person = await uow.people.by_email(organization_id, session.email)
    return person if person is not None and person.left_at is None else None
