"""What becomes of people, their chat accounts and the places that they ask in, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta

import pytest

from commands.ids import (
    AttemptId,
    DeliveryId,
    IdentityId,
    LinkId,
    NoticeId,
    OrganizationId,
    PersonId,
    SessionId,
    new_id,
)
from commands.model import Identity, Role, WorkingHours
from commands.ports.chat import Address, AddressKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.reconnecting import Attempt, Link, Session
from commands.ports.storage import NotThere
from commands.secret import Secret
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def account(storage: SqlStorage, seeded: Seeded, user: str = "U-ANA") -> Identity:
    async with storage.reading() as uow:
        found = await uow.people.identity(seeded.organization_id, platform="slack", tenant="T1", user=user)
    assert found is not None
    return found


async def test_an_organization_and_its_workspaces_are_changed(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    hours = WorkingHours(days=frozenset({0, 6}), begin=time(8, 30), end=time(16, 45))
    changed = replace(
        seeded.organization, name="New", time_zone="Europe/Oslo", support_contact="help", working_hours=hours
    )
    narrowed = replace(seeded.slack, name="Acme's own", client_ids=frozenset({seeded.acme.id}))
    async with storage.transaction() as uow:
        assert seeded.organization.working_hours == WorkingHours()
        await uow.organizations.update(changed)
        await uow.organizations.update_workspace(narrowed)
        assert await uow.organizations.get(seeded.organization_id) == changed
        nobody = OrganizationId(new_id(clock.now()))
        with pytest.raises(NotThere):
            await uow.organizations.update(replace(changed, id=nobody))
        with pytest.raises(NotThere):
            await uow.organizations.update_workspace(replace(narrowed, organization_id=nobody))
    standing = await storage.directory.standing(platform="slack", workspace="T1", tenant="T1", user="U-ANA")
    assert (standing.workspace, standing.organization) == (narrowed, changed)
    async with storage.transaction() as uow:
        await uow.organizations.update_workspace(replace(narrowed, client_ids=frozenset()))
    assert (await storage.directory.workspace("slack", "T1")) == replace(narrowed, client_ids=frozenset())


async def test_a_person_is_changed_but_for_their_address(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id = seeded.organization_id
    changed = replace(
        seeded.pat,
        name="Pia Doe",
        role=Role.STAFF,
        client_ids=frozenset({seeded.acme.id, seeded.brio.id}),
        immediate_notices=False,
        time_zone="Europe/Oslo",
        left_at=clock.now(),
        deputy_id=seeded.raj.id,
    )
    async with storage.transaction() as uow:
        await uow.people.update(replace(changed, email="other@acme.example", list_seen_at=clock.now()))
        assert await uow.people.get(organization_id, seeded.pat.id) == changed
        assert await uow.people.named(organization_id, "pia") == [changed]
        await uow.people.saw_list(organization_id, seeded.pat.id, clock.now())
        assert (await uow.people.get(organization_id, seeded.pat.id)).list_seen_at == clock.now()
        with pytest.raises(NotThere):
            await uow.people.update(replace(changed, id=PersonId(new_id(clock.now()))))


async def test_people_come_by_name_page_by_page(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        await uow.people.update(replace(seeded.bo, left_at=clock.now()))
        names = [
            person.name
            for offset in (0, 2, 4, 6)
            for person in await uow.people.page(seeded.organization_id, offset=offset, limit=2)
        ]
    assert names == ["Ana Ruiz", "Bo Berg", "Mei Lin", "Pat Doe", "Raj Patel", "Sam Okoro"]


@pytest.mark.behaviour("A-5")
async def test_an_account_that_is_gone_is_noticed_once_and_is_nobodys_here(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, ana = seeded.organization_id, await account(storage, seeded)

    async def look(*, gone: bool, at: timedelta = timedelta(0), time_zone: str | None = None) -> bool:
        async with storage.transaction() as uow:
            return await uow.people.looked_at(
                organization_id, ana.id, at=clock.now() + at, gone=gone, time_zone=time_zone
            )

    assert not await look(gone=False, time_zone="Europe/Oslo")
    assert not await look(gone=False, time_zone="Europe/Rome"), "a time zone that is known is kept"
    async with storage.reading() as uow:
        assert (await uow.people.get(organization_id, seeded.ana.id)).time_zone == "Europe/Oslo"
    went = clock.advance(HOUR)
    assert await look(gone=True)
    assert not await look(gone=True, at=HOUR)
    assert await account(storage, seeded) == replace(ana, looked_at=went + HOUR, gone_at=went)
    assert not await look(gone=False), "an older answer that comes late"
    for workspace in ("T1", None):
        standing = await storage.directory.standing(platform="slack", workspace=workspace, tenant="T1", user="U-ANA")
        assert standing.members == ()
    clock.advance(DAY)
    assert not await look(gone=False)
    assert (await account(storage, seeded)).gone_at is None
    assert await look(gone=True)
    async with storage.transaction() as uow:
        again = replace(ana, id=IdentityId(new_id(clock.now())), linked_at=clock.now())
        assert not await uow.people.link(replace(again, person_id=seeded.pat.id)), "it stays its person's"
        assert await uow.people.link(again), "whoever signs in proves that it is back"
        assert not await uow.people.link(again)
    assert await account(storage, seeded) == replace(ana, linked_at=clock.now())


async def test_accounts_are_looked_at_in_turn(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    every = await storage.queues.due_profiles(looked_before=clock.now(), limit=99)
    assert len(every) == 10
    first, second, third, *rest = every
    async with storage.transaction() as uow:
        for place, identity in enumerate(every):
            assert not await uow.people.looked_at(
                seeded.organization_id, identity.id, at=clock.now() + place * HOUR, gone=False, time_zone=None
            )
        assert await uow.people.looked_at(
            seeded.organization_id, second.id, at=clock.now() + 20 * HOUR, gone=True, time_zone=None
        )
        await uow.people.look_again(seeded.organization_id, rest[-1].id)
    due = await storage.queues.due_profiles(looked_before=clock.now() + 3 * HOUR, limit=99)
    assert [identity.id for identity in due] == [rest[-1].id, first.id, third.id]
    assert len(await storage.queues.due_profiles(looked_before=clock.now() + 3 * HOUR, limit=2)) == 2


@pytest.mark.behaviour("X-6")
async def test_an_account_that_is_gone_is_looked_at_when_asked_for_and_now_and_then_and_may_be_back(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    ana, queues = await account(storage, seeded), storage.queues
    every = await queues.due_profiles(looked_before=clock.now(), limit=99)
    async with storage.transaction() as uow:
        for identity in every:
            gone = identity.id == ana.id
            await uow.people.looked_at(seeded.organization_id, identity.id, at=clock.now(), gone=gone, time_zone=None)
    later = clock.now() + HOUR
    assert ana.id not in [each.id for each in await queues.due_profiles(looked_before=later, limit=99)]
    assert await queues.due_profiles(looked_before=clock.now(), gone_before=clock.now(), limit=99) == []
    (due,) = await queues.due_profiles(looked_before=clock.now(), gone_before=later, limit=99)
    assert (due.id, due.gone_at) == (ana.id, clock.now())
    (known,) = await storage.directory.identities(platform="slack", tenant="T1", user="U-ANA")
    assert known == due
    async with storage.transaction() as uow:
        await uow.people.look_again(seeded.organization_id, ana.id)
    (asked,) = await queues.due_profiles(looked_before=clock.now(), limit=99)
    assert asked.id == ana.id
    async with storage.transaction() as uow:
        assert not await uow.people.looked_at(
            seeded.organization_id, ana.id, at=clock.now(), gone=False, time_zone=None
        )
    assert (await account(storage, seeded)).gone_at is None


@pytest.mark.behaviour("P-6")
async def test_an_account_that_is_forgotten_takes_along_what_hung_on_it(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, now, ana = seeded.organization_id, clock.now(), await account(storage, seeded)
    opened, _ = await lapse(storage, seeded.connections[0], now)
    session = Session(
        id=SessionId(new_id(now)),
        platform="slack",
        tenant="T1",
        user="U-ANA",
        name="Ana",
        email=None,
        created_at=now,
        expires_at=now + DAY,
    )
    link = Link(
        id=LinkId(new_id(now)),
        organization_id=organization_id,
        person_id=seeded.ana.id,
        connection_id=opened.connection_id,
        created_at=now,
    )
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=organization_id,
        link_id=link.id,
        person_id=seeded.ana.id,
        connection_id=opened.connection_id,
        authorization_id=seeded.authorization.id,
        network="examplenet",
        session_id=session.id,
        redirect_uri="http://127.0.0.1/",
        code_verifier=Secret("verifier"),
        opened_at=now,
        expires_at=now + HOUR,
    )
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=organization_id,
        kind=NoticeKind.LAPSED,
        part=Part.CONNECTOR,
        person_id=seeded.ana.id,
        channel=None,
        lapse_ids=(opened.id,),
        created_at=now,
    )
    deliveries = [
        Delivery(
            id=DeliveryId(new_id(now)),
            organization_id=organization_id,
            notice_id=notice.id,
            address=Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id=user),
            lane="slack:T1",
            priority=Priority.FIRST,
            state=DeliveryState.DUE,
            wanted=1,
            shown=0,
            ref=None,
            attempts=0,
            next_at=now,
            created_at=now,
        )
        for user in ("U-ANA", "U-BO")
    ]
    async with storage.transaction() as uow:
        await uow.sessions.add(session, secret_hash=b"hers")
        await uow.sessions.add(replace(session, id=SessionId(new_id(now)), user="U-BO"), secret_hash=b"his")
        await uow.links.ensure(link)
        assert await uow.attempts.open(attempt, state_hash=b"s", browser_hash=b"b", take_over=False) is None
        await uow.notices.plan([notice], deliveries)
    async with storage.transaction() as uow:
        assert await uow.people.unlink(organization_id, ana.id)
        assert not await uow.people.unlink(organization_id, ana.id)
        assert await uow.sessions.by_secret(b"hers", now) is None
        assert await uow.sessions.by_secret(b"his", now) is not None
        ended = await uow.attempts.get(organization_id, attempt.id)
        assert ended is not None
        assert ended.code_verifier is None
        assert not await uow.attempts.finish(organization_id, attempt.id, outcome="{}", at=now)
        left = {each.id: each for each in await uow.notices.deliveries(organization_id, notice.id)}
        hers, his = (left[each.id] for each in deliveries)
        assert (hers.state, hers.reason, his.state) == (DeliveryState.SUPPRESSED, "unlinked", DeliveryState.DUE)
        assert len((await uow.people.identities(organization_id, [seeded.ana.id]))[seeded.ana.id]) == 1
        assert await uow.people.link(replace(ana, person_id=seeded.pat.id)), "it can be somebody else's now"
