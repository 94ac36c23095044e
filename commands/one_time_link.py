"""The one-time link that makes a chat account a known person's (P-6): for people whose account carries no address that
we know. It shows both identities, and one press confirms it, once.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from commands.command import Services
from commands.linking import Platforms, account_entry, new_identity
from commands.model import Organization, Person
from commands.passes import still_vouched_for
from commands.ports.reconnecting import Pass, Session
from commands.ports.storage import UnitOfWork
from commands.vouching import Vouch, vouched_for
from commands.wording import shown


class Hindrance(StrEnum):
    """Why an account cannot become this person's."""

    OTHER_WORKSPACE = "other_workspace"
    NOT_A_MEMBER = "not_a_member"
    BOT = "bot"
    GONE = "gone"
    CANNOT_TELL = "cannot_tell"
    YOURS = "yours"
    """It is this person's already."""
    SOMEBODY_ELSES = "somebody_elses"
    """It is another person's here."""
    HAS_ONE = "has_one"
    """The person has another account in the same place, that works."""


_REFUSED = {
    Vouch.OTHER_WORKSPACE: Hindrance.OTHER_WORKSPACE,
    Vouch.NOT_A_MEMBER: Hindrance.NOT_A_MEMBER,
    Vouch.BOT: Hindrance.BOT,
    Vouch.GONE: Hindrance.GONE,
    Vouch.CANNOT_TELL: Hindrance.CANNOT_TELL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A signed-in account beside the person that a one-time link is for."""

    organization: Organization
    person: Person
    administrators: tuple[str, ...]
    """Whom to ask, by name."""
    hindrance: Hindrance | None
    known_as: str = ""
    """Whose the account is already."""
    is_guest: bool = False
    linked: bool = False
    """It has just been confirmed."""


async def meet(services: Services, platforms: Platforms, session: Session, one: Pass) -> Meeting | None:
    """Hold the account against the person. None: the person left, or whoever made the link may no more. Changes
    nothing, and uses nothing up.
    """
    async with services.storage.reading() as uow:
        meeting = await _gather(uow, session, one)
    if meeting is None or meeting.hindrance is not None:
        return meeting
    vouch = await vouched_for(services, platforms.get(session.platform), session, one.organization_id)
    return replace(meeting, hindrance=_REFUSED.get(vouch), is_guest=vouch is Vouch.GUEST)


async def confirm(services: Services, platforms: Platforms, session: Session, one: Pass) -> Meeting | None:
    """Link the account and use the link up. Everything is asked anew; None: the person left, or the link was used."""
    meeting = await meet(services, platforms, session, one)
    if meeting is None or meeting.hindrance is not None:
        return meeting
    now = services.clock.now()
    try:
        async with services.storage.transaction() as uow:
            again = await _gather(uow, session, one)
            if again is None or again.hindrance is not None:
                return again
            if not await uow.passes.use(one.organization_id, one.id, now):
                return None
            if not await uow.people.link(new_identity(session, again.person, now)):
                raise _Overtaken
            entry = account_entry(session, again.person, now, "chat account linked", by="one-time link")
            await uow.audit.write(entry)
    except _Overtaken:
        return await meet(services, platforms, session, one)
    return replace(meeting, linked=True)


class _Overtaken(Exception):
    """Somebody linked the account at the same moment: nothing is written, and the link is not used up."""


async def _gather(uow: UnitOfWork, session: Session, one: Pass) -> Meeting | None:
    if not await still_vouched_for(uow, one):
        return None
    person = await uow.people.get(one.organization_id, one.person_id)
    organization_id = one.organization_id
    there = await uow.people.identity(
        organization_id, platform=session.platform, tenant=session.tenant, user=session.user
    )
    hindrance, known_as = None, ""
    if there is not None and there.person_id != person.id:
        hindrance = Hindrance.SOMEBODY_ELSES
        known_as = shown((await uow.people.get(organization_id, there.person_id)).name)
    else:
        # Read after the account itself: who pressed twice at once finds it among their own.
        own = (await uow.people.identities(organization_id, [person.id])).get(person.id, ())
        here = [each for each in own if (each.platform, each.tenant) == (session.platform, session.tenant)]
        # What is gone stands in nobody's way: the account itself may be back, or another took its place.
        working = [each for each in here if each.gone_at is None]
        if any(each.user == session.user for each in working):
            hindrance = Hindrance.YOURS
        elif working:
            hindrance = Hindrance.HAS_ONE
    administrators = await uow.people.administrators(organization_id)
    return Meeting(
        organization=await uow.organizations.get(organization_id),
        person=person,
        administrators=tuple(shown(each.name) for each in administrators if each.id != person.id)[:2],
        hindrance=hindrance,
        known_as=known_as,
    )
