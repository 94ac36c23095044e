"""How a signed-in chat account becomes a known person (P-6), how it stops being one, and what is written when it opens
somebody else's link.

An account is linked only after the person confirmed it, on a page that shows both identities: through an email address
that the chat platform says it verified, or through a one-time link (`commands/one_time_link.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from commands.auditing import Actor, entry
from commands.command import Asker, Services
from commands.ids import IdentityId, OrganizationId, new_id, to_wire
from commands.model import Identity, Organization, Person
from commands.once_a_day import day_in, event_id
from commands.opt_ins import end_opt_ins_of
from commands.passes import pass_of_session, proves_pass
from commands.ports.auditing import AuditEntry
from commands.ports.chat import ChatPlatform
from commands.ports.events import Event, EventKind
from commands.ports.reconnecting import Link, Session
from commands.ports.storage import AlreadyThere, NotThere, UnitOfWork
from commands.vouching import Vouch, vouched_for
from commands.wording import shown

Platforms = Mapping[str, ChatPlatform]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is at a page, in one organization: by a linked chat account, or by a personal link."""

    organization: Organization
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """Somebody signed in whom the organization does not know yet, or knows as two people."""

    organization: Organization
    candidate: Person | None
    """Who they are, by their verified email address; None: nobody that we know of."""
    administrator: str | None
    """Whom to ask; None for somebody from a workspace that is not the organization's, who learns nothing."""
    known_as: Person | None = None
    """Who the account is here so far, without an email address; confirmed, they and the candidate become one."""


def origin_of(session: Session) -> str:
    """From where somebody at a page acts, for the audit log."""
    return "web, personal link" if proves_pass(session) else f"web, {session.platform} {session.tenant}/{session.user}"


async def member_in(services: Services, session: Session, organization_id: OrganizationId) -> Visitor | None:
    """Who the session's account is in this organization; None if it is not linked there, or the person left."""
    return next((v for v in await memberships(services, session) if v.organization.id == organization_id), None)


async def memberships(services: Services, session: Session) -> tuple[Visitor, ...]:
    """Who the session's account is, wherever it is linked."""
    if proves_pass(session):
        return await _holder(services, session)
    standing = await services.storage.directory.standing(
        platform=session.platform, workspace=None, tenant=session.tenant, user=session.user
    )
    return tuple(Visitor(organization=member.organization, person=member.person) for member in standing.members)


async def _holder(services: Services, session: Session) -> tuple[Visitor, ...]:
    async with services.storage.reading() as uow:
        one = await pass_of_session(uow, session, services.clock.now())
        if one is None:
            return ()
        person = await uow.people.get(one.organization_id, one.person_id)
        organization = await uow.organizations.get(one.organization_id)
    return (Visitor(organization=organization, person=person),)


async def introduce(
    services: Services, platforms: Platforms, session: Session, organization_id: OrganizationId
) -> Introduction:
    """Find out who an unknown chat account may be. Changes nothing."""
    ours = await _from_our_workspace(services, session, organization_id)
    async with services.storage.reading() as uow:
        organization = await uow.organizations.get(organization_id)
        administrators = await uow.people.administrators(organization_id)
        candidate = await _candidate(uow, session, organization_id) if ours else None
    if candidate is not None and not await _vouched(services, platforms, session, organization_id):
        ours, candidate = False, None
    return Introduction(
        organization=organization,
        candidate=candidate,
        # An account that no workspace vouches for is anybody's: it learns no name.
        administrator=shown(administrators[0].name) if ours and session.tenant and administrators else None,
    )


async def doubled(services: Services, platforms: Platforms, session: Session, visitor: Visitor) -> Introduction | None:
    """Find out whether a linked account's verified email address is another person's, where its own has none.

    So it is with whoever claimed a workspace, of whom only the chat account is known, and connects accounts as well.
    Changes nothing.
    """
    if visitor.person.email is not None or session.email is None:
        return None
    introduction = await introduce(services, platforms, session, visitor.organization.id)
    return replace(introduction, known_as=visitor.person) if introduction.candidate is not None else None


async def keep_email(services: Services, session: Session, organization_id: OrganizationId) -> None:
    """Write the session's verified email address down for its person, where they have none and nobody else has it."""
    if session.email is None:
        return
    visitor = await member_in(services, session, organization_id)
    if visitor is None or visitor.person.email is not None:
        return
    if not await _from_our_workspace(services, session, organization_id):
        return
    try:
        async with services.storage.transaction() as uow:
            if await uow.people.give_email(organization_id, visitor.person.id, session.email):
                entry = account_entry(session, visitor.person, services.clock.now(), "email address written down")
                await uow.audit.write(entry)
    except AlreadyThere:
        return  # an import was quicker: the two are offered to become one


async def link_account(
    services: Services, platforms: Platforms, session: Session, organization_id: OrganizationId
) -> bool:
    """Write down that the session's chat account is the person of its verified email address. False: it cannot be.

    An account that is somebody's without an email address makes these two one person. Everything is asked anew: what a
    page showed a minute ago gives no right.
    """
    if not await _vouched(services, platforms, session, organization_id):
        return False
    visitor, now = await member_in(services, session, organization_id), services.clock.now()
    if visitor is not None and visitor.person.email is not None:
        return False
    try:
        async with services.storage.transaction() as uow:
            person = await _candidate(uow, session, organization_id)
            if person is None:
                return False
            if visitor is not None:
                merged = await uow.people.merge(organization_id, kept=person.id, gone=visitor.person.id)
                was = {"was": to_wire(visitor.person.id), "called": shown(visitor.person.name), "role": merged.role}
                await uow.audit.write(account_entry(session, merged, now, "two people made one", **was))
                return True
            linked = await uow.people.link(new_identity(session, person, now))
            if linked:
                await uow.audit.write(account_entry(session, person, now, "chat account linked", by="email address"))
            return linked
    except NotThere:
        return False  # it was confirmed in another tab at the same moment


async def unlink(uow: UnitOfWork, identity: Identity, by: Actor | Asker, now: datetime) -> bool:
    """Forget a chat account: its browser sessions and open attempts end with it, and nothing more is sent to it.

    Gives whether it was its person's last one that works; then their opt-ins, those of channels that hear
    as far as they may see, and their personal links end as well. Raises NotThere if it is not linked any more.
    """
    organization_id, person_id = identity.organization_id, identity.person_id
    if not await uow.people.unlink(organization_id, identity.id):
        raise NotThere("that chat account is not linked any more")
    # Whoever holds the account may have had links made with it.
    handed_out = await uow.passes.withdraw_handed_out(organization_id, made_by=person_id)
    left = (await uow.people.identities(organization_id, [person_id])).get(person_id, ())
    was_last = all(other.gone_at is not None for other in left)
    detail = {"account": f"{identity.platform} {identity.tenant}/{identity.user}"}
    if handed_out:
        detail["handed_out_links_ended"] = str(handed_out)
    if was_last:
        person = await uow.people.get(organization_id, person_id)
        opt_ins = await end_opt_ins_of(uow, person, by, why="no chat account any more", now=now)
        passes = await uow.passes.withdraw(organization_id, person_id, None, now)
        detail |= {"opt_ins_ended": str(len(opt_ins)), "personal_links_ended": str(passes)}
    await uow.audit.write(entry(by, now, "chat account unlinked", f"person {to_wire(person_id)}", **detail))
    return was_last


def new_identity(session: Session, person: Person, now: datetime) -> Identity:
    """The session's chat account as this person's."""
    return Identity(
        id=IdentityId(new_id(now)),
        organization_id=person.organization_id,
        person_id=person.id,
        platform=session.platform,
        tenant=session.tenant,
        user=session.user,
        linked_at=now,
    )


def account_entry(session: Session, person: Person, now: datetime, action: str, **detail: str) -> AuditEntry:
    """What a signed-in account did to itself, for the audit log."""
    by = Actor(organization_id=person.organization_id, person_id=person.id, origin=origin_of(session))
    return entry(by, now, action, f"person {to_wire(person.id)}", **{"account": shown(session.name), **detail})


async def write_refusal(services: Services, link: Link, session: Session, opener: Person | None) -> None:
    """Write down, once a day (of UTC) for each opener, that somebody else opened a person's link; notices tell its
    owner.
    """
    now, origin = services.clock.now(), origin_of(session)
    opened_by = shown(opener.name) if opener is not None else ""  # a stranger's name is theirs to choose
    whose = origin if opener is not None else "a stranger"  # throw-away accounts together are told of once a day
    event = Event(
        id=event_id(link.organization_id, day_in("UTC", now), "link refused", to_wire(link.id), whose),
        organization_id=link.organization_id,
        kind=EventKind.LINK_REFUSED,
        at=now,
        connection_id=link.connection_id,
        person_id=link.person_id,
        data={"by": opened_by},
    )
    async with services.storage.transaction() as uow:
        if not await uow.notices.record_once(event):
            return
        by = Actor(organization_id=link.organization_id, person_id=opener.id if opener else None, origin=origin)
        detail = {"opened_by": opened_by, "account": shown(session.name)}
        await uow.audit.write(entry(by, now, "link refused", f"link {to_wire(link.id)}", **detail))


async def _vouched(services: Services, platforms: Platforms, session: Session, organization_id: OrganizationId) -> bool:
    platform = platforms.get(session.platform)
    return await vouched_for(services, platform, session, organization_id) in (Vouch.MEMBER, Vouch.GUEST)


async def _from_our_workspace(services: Services, session: Session, organization_id: OrganizationId) -> bool:
    """Whether the account is of a workspace that the organization claimed; for a platform whose accounts are of no
    workspace, whether the organization is on that platform at all.
    """
    if not session.tenant:
        async with services.storage.reading() as uow:
            claimed = await uow.organizations.workspaces(organization_id)
        return any(workspace.platform == session.platform for workspace in claimed)
    workspace = await services.storage.directory.workspace(session.platform, session.tenant)
    return workspace is not None and workspace.organization_id == organization_id


async def _candidate(uow: UnitOfWork, session: Session, organization_id: OrganizationId) -> Person | None:
    if session.email is None:
        return None
    person = await uow.people.by_email(organization_id, session.email)
    if person is None or person.left_at is not None:
        return None
    linked = (await uow.people.identities(organization_id, [person.id])).get(person.id, ())
    there = (one for one in linked if one.gone_at is None)  # one that is gone may be back, or have a follower
    if any((one.platform, one.tenant) == (session.platform, session.tenant) for one in there):
        return None  # they have an account here: a second one with their address proves nothing (P-6)
    return person
