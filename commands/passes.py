"""Bearer links: made by those who may, shown once, stored hashed, withdrawn or over by themselves (R-13, P-6, N-14).

A pass of one's accounts opens a browser session that proves the pass, and nothing more; it ends with the pass.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from commands.access import may_vouch_for
from commands.auditing import Actor, entry
from commands.command import Services
from commands.ids import (
    DrillId,
    EventId,
    NoticeId,
    OrganizationId,
    PassId,
    PersonId,
    SessionId,
    SubscriptionId,
    from_wire,
    new_id,
    to_wire,
)
from commands.model import Person, Role
from commands.ports.events import Event, EventKind
from commands.ports.reconnecting import Pass, PassPurpose, Session
from commands.ports.storage import UnitOfWork
from commands.secret import hashed, new_wire_secret

LIVES = {
    PassPurpose.ACCOUNTS: timedelta(days=7),
    PassPurpose.IDENTITY: timedelta(hours=24),
    PassPurpose.UNSUBSCRIBE: timedelta(days=90),
    PassPurpose.DRILL: timedelta(hours=24),
    PassPurpose.CALENDAR: timedelta(days=365),
}
"""How long each kind works. Whoever finds an old email must still be able to unsubscribe by it; a calendar is
subscribed to.
"""

_PATHS = {
    PassPurpose.ACCOUNTS: "/p",
    PassPurpose.IDENTITY: "/link",
    PassPurpose.UNSUBSCRIBE: "/unsubscribe",
    PassPurpose.DRILL: "/drill",
    PassPurpose.CALENDAR: "/calendar",
}

PASS_PLATFORM = "personal-link"
"""Stands in a session in place of a chat platform's name, where a pass is what it proves."""
SESSION_LIFE = timedelta(hours=12)

SENT_BY = "by"
"""In the data of an ACCOUNTS pass that a message carries: the name of whoever had it sent."""
WELCOME = "welcome"
"""In the data of a LINK_SENT event: the person was just added, and nobody asked for it."""
PAGE = "page"
"""In the data of a CALENDAR pass: the path of the page where its person renews, if that needs no secret."""
OPT_INS = "subscriptions"
"""In an UNSUBSCRIBE pass's data: the ids of the opt-ins that it ends, with spaces between; without it, all of them."""
DRILL = "drill"
"""In a DRILL pass's data: the drill's id."""


def pass_path(purpose: PassPurpose, secret: str) -> str:
    """The page of a pass."""
    return f"{_PATHS[purpose]}/{secret}"


async def make_pass(
    uow: UnitOfWork,
    public_url: str,
    person: Person,
    purpose: PassPurpose,
    *,
    made_by: PersonId | None,
    now: datetime,
    data: Mapping[str, str] | None = None,
    notice_id: NoticeId | None = None,
    followed: bool = False,
) -> str:
    """Make a bearer link for `person` and give its address, which is never seen again.

    Whoever calls has asked whether `made_by` may, and writes the audit entry; None: a notice of ours makes it. A new
    link leaves older ones working: one may be in an email, another copied. `followed`: somebody wants to know how far
    it gets (X-10); `notice_id` is the message that carries it then, if one does.
    """
    secret = new_wire_secret()
    one = Pass(
        id=PassId(new_id(now)),
        organization_id=person.organization_id,
        person_id=person.id,
        purpose=purpose,
        made_by=made_by,
        created_at=now,
        expires_at=now + LIVES[purpose],
        data=data or {},
        notice_id=notice_id,
        followed_at=now if followed else None,
    )
    await uow.passes.add(one, secret_hash=hashed(secret))
    return public_url + pass_path(purpose, secret)


def opt_in_data(opt_ins: Iterable[SubscriptionId]) -> dict[str, str]:
    """What an UNSUBSCRIBE pass carries for just these opt-ins."""
    return {OPT_INS: " ".join(to_wire(one) for one in opt_ins)}


def drill_data(drill_id: DrillId) -> dict[str, str]:
    """What a DRILL pass carries."""
    return {DRILL: to_wire(drill_id)}


async def end_opt_ins(uow: UnitOfWork, one: Pass, now: datetime) -> int:
    """End what an UNSUBSCRIBE pass is for; give how many opt-ins that were. Twice is fine."""
    ids = {from_wire(text) for text in one.data.get(OPT_INS, "").split()}
    own = await uow.subscriptions.of(one.organization_id, person_id=one.person_id, channel=None)
    ended = [opt_in for opt_in in own if opt_in.id in ids or OPT_INS not in one.data]
    for opt_in in ended:
        await uow.subscriptions.remove(
            one.organization_id,
            person_id=one.person_id,
            channel=None,
            network=opt_in.network,
            client_id=opt_in.client_id,
            everything=False,
        )
    if ended:
        by = Actor(organization_id=one.organization_id, person_id=one.person_id, origin="email, unsubscribe link")
        detail = {"ended": str(len(ended)), "networks": ", ".join(each.network or "all" for each in ended)}
        await uow.audit.write(entry(by, now, "unsubscribed", f"person {to_wire(one.person_id)}", **detail))
    return len(ended)


async def find_pass(services: Services, purpose: PassPurpose, secret: str) -> Pass | None:
    """The pass of a secret, while it works and whoever made it still may; None: it leads nowhere, whatever is wrong."""
    one = await services.storage.directory.pass_of(hashed(secret))
    if one is None or one.purpose is not purpose or not _works(one, services.clock.now()):
        return None
    async with services.storage.reading() as uow:
        return one if await still_vouched_for(uow, one) else None


async def was_for(services: Services, purpose: PassPurpose, secret: str) -> OrganizationId | None:
    """Whose organization a link was of that leads nowhere any more; None: there never was one."""
    one = await services.storage.directory.pass_of(hashed(secret))
    return one.organization_id if one is not None and one.purpose is purpose else None


async def still_vouched_for(uow: UnitOfWork, one: Pass) -> bool:
    """Whether its person is here, and whoever made it still may: asked at every use, since both change meanwhile."""
    there = await uow.people.many(one.organization_id, [each for each in (one.person_id, one.made_by) if each])
    person = there.get(one.person_id)
    if person is None or person.left_at is not None:
        return False
    if one.made_by is None:
        return True
    maker = there.get(one.made_by)
    return maker is not None and may_vouch_for(maker, person)


def _works(one: Pass, now: datetime) -> bool:
    return one.withdrawn_at is None and one.used_at is None and one.expires_at > now


async def role_changed(uow: UnitOfWork, was: Person, is_now: Person) -> None:
    """End the links that a change of role takes the ground from: for whoever became primary administrator all that was
    handed out in their name; of anybody else whose role changed what they handed out themselves.
    """
    if was.role is is_now.role:
        return
    if is_now.role is Role.PRIMARY_ADMINISTRATOR:
        await uow.passes.withdraw_handed_out(is_now.organization_id, person_id=is_now.id)
    else:
        await uow.passes.withdraw_handed_out(is_now.organization_id, made_by=is_now.id)


async def open_accounts(
    services: Services, one: Pass, *, browser_hash: bytes, session_hash: bytes, before: Session | None
) -> Session | None:
    """Bind an ACCOUNTS pass to the first browser that acts, and begin its session there, in place of `before`.

    None: it is another browser's. The session carries the pass's id, so that both end together.
    """
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        if not await still_vouched_for(uow, one):
            return None
        if not await uow.passes.bind(one.organization_id, one.id, browser_hash=browser_hash):
            return None
        person = await uow.people.get(one.organization_id, one.person_id)
        if one.opened_at is None:
            await uow.passes.opened(one.organization_id, one.id, now)
            by = Actor(organization_id=one.organization_id, person_id=person.id, origin="web, personal link")
            await uow.audit.write(entry(by, now, "personal link opened", f"person {to_wire(person.id)}"))
        session = Session(
            id=SessionId(one.id),
            platform=PASS_PLATFORM,
            tenant=to_wire(one.organization_id),
            user=to_wire(person.id),
            name=person.name,
            email=None,
            created_at=now,
            expires_at=min(one.expires_at, now + SESSION_LIFE),
        )
        if before is not None:
            await uow.sessions.end(before.id)
        await uow.sessions.end(session.id)
        await uow.sessions.add(session, secret_hash=session_hash)
    return session


async def welcome(uow: UnitOfWork, person: Person, now: datetime) -> None:
    """Have an owner who was just added sent the link to their accounts (R-13); whoever is no owner gets none."""
    if person.role is not Role.OWNER:
        return
    event = Event(
        id=EventId(new_id(now)),
        organization_id=person.organization_id,
        kind=EventKind.LINK_SENT,
        at=now,
        person_id=person.id,
        data={WELCOME: "yes"},
    )
    await uow.notices.record([event])


def proves_pass(session: Session) -> bool:
    """Whether a session proves a personal link, rather than a chat account."""
    return session.platform == PASS_PLATFORM


async def pass_of_session(uow: UnitOfWork, session: Session, now: datetime) -> Pass | None:
    """The pass that a session proves, while it works and its person is here."""
    organization_id = OrganizationId(from_wire(session.tenant))
    person_id = PersonId(from_wire(session.user))
    there = await uow.passes.of(organization_id, person_id, PassPurpose.ACCOUNTS)
    one = next((one for one in there if one.id == session.id and _works(one, now)), None)
    return one if one is not None and await still_vouched_for(uow, one) else None
