"""Two processes that do the same at the same moment: exactly one of them did it, over both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AttemptId, DrillId, LinkId, NoticeId, PassId, SessionId, new_id
from commands.model import Claim, Drill, Role
from commands.ports.installations import Installation
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose
from commands.ports.storage import UnitOfWork
from commands.secret import Secret
from storage import Keyring, SqlStorage, open_storage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, lapse, seed

HOUR = timedelta(hours=1)
AT_ONCE = 8


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def processes(database_url: str, clock: FakeClock) -> AsyncIterator[tuple[SqlStorage, SqlStorage]]:
    """Two stores with pools of their own, as two processes have."""
    keyring = Keyring.from_settings(Keyring.new_key("k"))
    async with (
        open_storage(database_url, keyring, clock, connections=8) as one,
        open_storage(database_url, keyring, clock, connections=8) as other,
    ):
        yield one, other


async def race(
    processes: tuple[SqlStorage, SqlStorage], run: Callable[[UnitOfWork, int], Awaitable[object]]
) -> list[object]:
    """Let both do it, several times each; give what they got."""

    async def once(place: int) -> object:
        async with processes[place % 2].transaction() as uow:
            return await run(uow, place)

    return list(await asyncio.gather(*(once(place) for place in range(AT_ONCE))))


async def notices(storage: SqlStorage, seeded: Seeded, clock: FakeClock) -> list[NoticeId]:
    planned = []
    for connection in seeded.connections:
        opened, _ = await lapse(storage, connection, clock.now())
        planned.append(
            Notice(
                id=NoticeId(new_id(clock.now())),
                organization_id=seeded.organization_id,
                kind=NoticeKind.LAPSED,
                part=Part.CONNECTOR,
                person_id=seeded.ana.id,
                channel=None,
                lapse_ids=(opened.id,),
                created_at=clock.now(),
                remind_at=clock.now(),
                digest_at=clock.now(),
            )
        )
    async with storage.transaction() as uow:
        await uow.notices.plan(planned, [])
    return [notice.id for notice in planned]


async def test_a_reminder_is_told_by_one(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now())
    notice_id, *_ = await notices(processes[0], seeded, clock)
    moved = await race(
        processes,
        lambda uow, place: uow.notices.remind_next(
            seeded.organization_id, notice_id, was=clock.now(), step=2, at=clock.now() + HOUR
        ),
    )
    assert moved.count(True) == 1


async def test_a_digest_is_told_by_one(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now(), connections=6)
    gathered = await notices(processes[0], seeded, clock)

    async def told(uow: UnitOfWork, place: int) -> bool:
        order = gathered if place % 2 else gathered[::-1]
        return await uow.notices.gathering_done(seeded.organization_id, order)

    assert (await race(processes, told)).count(True) == 1


async def test_a_notice_that_two_add_to_has_each_lapse_once(
    processes: tuple[SqlStorage, SqlStorage], clock: FakeClock
) -> None:
    seeded = await seed(processes[0], clock.now(), connections=4)
    notice_id, *_ = await notices(processes[0], seeded, clock)
    async with processes[0].reading() as uow:
        lapses = [row.lapse for row in (await uow.connections.under(seeded.organization_id, seeded.authorization.id))]
    wanted = [one.id for one in lapses if one is not None]
    grown = await race(processes, lambda uow, place: uow.notices.grow(seeded.organization_id, notice_id, wanted))
    assert sorted(grown, key=str) == [0] * (AT_ONCE - 1) + [3]
    async with processes[0].reading() as uow:
        notice = (await uow.notices.get_many(seeded.organization_id, [notice_id]))[notice_id]
    assert sorted(notice.lapse_ids) == sorted(wanted)


async def test_a_pass_is_used_and_bound_by_one(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now())
    one = Pass(
        id=PassId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        purpose=PassPurpose.IDENTITY,
        made_by=None,
        created_at=clock.now(),
        expires_at=clock.now() + HOUR,
    )
    async with processes[0].transaction() as uow:
        await uow.passes.add(one, secret_hash=b"secret")
    bound = await race(
        processes,
        lambda uow, place: uow.passes.bind(seeded.organization_id, one.id, browser_hash=bytes([place])),
    )
    assert bound.count(True) == 1
    used = await race(processes, lambda uow, place: uow.passes.use(seeded.organization_id, one.id, clock.now()))
    assert used.count(True) == 1


async def test_a_drill_is_begun_by_one(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now())

    async def begin(uow: UnitOfWork, place: int) -> bool:
        drill = Drill(
            id=DrillId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            client_id=None,
            started_by=seeded.mei.id,
            started_at=clock.now(),
            ends_at=clock.now() + HOUR,
        )
        return await uow.drills.add(drill)

    assert (await race(processes, begin)).count(True) == 1


async def test_what_a_login_found_is_taken_by_one(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now())
    link = Link(
        id=LinkId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        connection_id=None,
        created_at=clock.now(),
        network="examplenet",
    )
    attempt = Attempt(
        id=AttemptId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        link_id=link.id,
        person_id=seeded.bo.id,
        connection_id=None,
        authorization_id=None,
        network="examplenet",
        session_id=SessionId(new_id(clock.now())),
        redirect_uri="http://127.0.0.1/",
        code_verifier=None,
        opened_at=clock.now(),
        expires_at=clock.now() + HOUR,
    )
    async with processes[0].transaction() as uow:
        await uow.links.ensure(link)
        assert await uow.attempts.open(attempt, state_hash=b"s", browser_hash=b"b", take_over=False) is None
        await uow.attempts.keep(seeded.organization_id, attempt.id, found=Secret("accounts"), until=clock.now() + HOUR)
    taken = await race(processes, lambda uow, place: uow.attempts.take(seeded.organization_id, attempt.id, clock.now()))
    assert [found for found in taken if found is not None] == [Secret("accounts")]


async def test_a_link_for_new_accounts_is_made_once(processes: tuple[SqlStorage, SqlStorage], clock: FakeClock) -> None:
    seeded = await seed(processes[0], clock.now())

    async def ensure(uow: UnitOfWork, place: int) -> str:
        link = Link(
            id=LinkId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            person_id=seeded.bo.id,
            connection_id=None,
            created_at=clock.now(),
            network="examplenet",
        )
        return await uow.links.ensure(link)

    assert len(set(await race(processes, ensure))) == 1


async def test_an_account_and_an_installation_are_lost_once(
    processes: tuple[SqlStorage, SqlStorage], clock: FakeClock
) -> None:
    seeded = await seed(processes[0], clock.now())
    async with processes[0].reading() as uow:
        identity = await uow.people.identity(seeded.organization_id, platform="slack", tenant="T1", user="U-ANA")
    assert identity is not None
    gone = await race(
        processes,
        lambda uow, place: uow.people.looked_at(
            seeded.organization_id, identity.id, at=clock.now(), gone=True, time_zone=None
        ),
    )
    assert gone.count(True) == 1
    await processes[0].installations.save(
        Installation(
            platform="slack",
            tenant="T1",
            name="Acme",
            is_org_wide=False,
            bot_token=Secret("xoxb"),
            bot_user="U",
            scopes=frozenset(),
            installed_at=clock.now(),
        )
    )
    lost = await asyncio.gather(
        *(
            processes[place % 2].installations.lose("slack", "T1", at=clock.now(), reason="revoked")
            for place in range(AT_ONCE)
        )
    )
    assert lost.count(True) == 1


async def test_a_lapse_is_claimed_by_one_of_those_who_press_at_once(
    processes: tuple[SqlStorage, SqlStorage], clock: FakeClock
) -> None:
    seeded = await seed(processes[0], clock.now())
    opened, _ = await lapse(processes[0], seeded.connections[0], clock.now())

    async def claim(uow: UnitOfWork, place: int) -> bool:
        whose = (seeded.ana, seeded.bo)[place % 2]
        made = Claim(person_id=whose.id, until=clock.now() + HOUR)
        return await uow.lapses.claim(seeded.organization_id, [opened.id], made) == [opened.id]

    assert (await race(processes, claim)).count(True) == 1


async def test_of_two_primary_administrators_who_end_each_other_one_stays(
    processes: tuple[SqlStorage, SqlStorage], clock: FakeClock
) -> None:
    seeded = await seed(processes[0], clock.now())
    both = [replace(one, role=Role.PRIMARY_ADMINISTRATOR) for one in (seeded.mei, seeded.raj)]
    async with processes[0].transaction() as uow:
        for one in both:
            await uow.people.update(one)

    async def demote(uow: UnitOfWork, place: int) -> None:
        person = await uow.people.get_for_change(seeded.organization_id, both[place % 2].id)
        there = await uow.people.administrators(seeded.organization_id)
        if any(one.role is Role.PRIMARY_ADMINISTRATOR and one.id != person.id for one in there):
            await uow.people.update(replace(person, role=Role.STAFF))

    await race(processes, demote)
    async with processes[0].reading() as uow:
        there = await uow.people.administrators(seeded.organization_id)
    assert [one.role for one in there] == [Role.PRIMARY_ADMINISTRATOR]


async def test_two_changes_of_one_person_are_both_kept(
    processes: tuple[SqlStorage, SqlStorage], clock: FakeClock
) -> None:
    seeded = await seed(processes[0], clock.now())

    async def change(uow: UnitOfWork, place: int) -> None:
        person = await uow.people.get_for_change(seeded.organization_id, seeded.bo.id)
        await uow.people.update(replace(person, name=f"{person.name}{place}"))

    await race(processes, change)
    async with processes[0].reading() as uow:
        person = await uow.people.get(seeded.organization_id, seeded.bo.id)
    assert sorted(person.name.removeprefix(seeded.bo.name)) == [str(place) for place in range(AT_ONCE)]
