"""Several processes over one database, and processes that die: everything is told once (on both databases)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from bot.notices.outbox import Outbox, Posting
from bot.notices.reminders import Reminders
from commands.ids import DrillId, OrganizationId, new_id, to_wire
from commands.model import Drill, Rhythm, Role
from commands.ports.chat import AccountKind, Profile
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from commands.ports.storage import UnitOfWork
from tests.notices.world import World, made_world

PROCESSES = 4


@pytest.fixture
async def shared(database_url: str) -> AsyncIterator[World]:
    async with made_world(database_url) as made:
        yield made


@pytest.mark.behaviour("N-6")
async def test_reminders_are_sent_once(shared: World) -> None:
    await shared.lapse(*await shared.connections(3))
    await shared.plan()
    shared.clock.advance(timedelta(days=2))
    moved = await asyncio.gather(*(shared.reminders().run_once() for _ in range(PROCESSES)))
    assert sum(moved) == 3
    assert len(await shared.notices(NoticeKind.REMINDER)) == 3
    assert len(await shared.deliveries()) == 6


@pytest.mark.behaviour("N-16")
async def test_a_digest_is_told_once(shared: World) -> None:
    mei = await shared.person("Mei", Role.STAFF)
    await shared.subscribe(mei)
    await shared.wish(mei, Rhythm.DAILY)
    for connection in await shared.connections(3):
        await shared.lapse(connection)
        await shared.plan()
    shared.clock.advance(timedelta(days=1))
    await asyncio.gather(*(shared.digests().run_once() for _ in range(PROCESSES)))
    (digest,) = await shared.notices(NoticeKind.DIGEST)
    assert len(digest.lapse_ids) == 3


@pytest.mark.behaviour("D-2")
async def test_a_warning_is_given_once(shared: World) -> None:
    await shared.connection(await shared.login(ends_at=shared.clock.now() + timedelta(days=16)))
    await shared.warnings().run_once()
    shared.clock.advance(timedelta(days=2))
    await asyncio.gather(*(shared.warnings().run_once() for _ in range(PROCESSES)))
    shared.clock.advance(timedelta(seconds=2))
    await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    assert len(await shared.notices(NoticeKind.EXPIRING)) == 1


@pytest.mark.behaviour("X-12")
async def test_a_drill_is_escalated_and_reported_once(shared: World) -> None:
    chief = await shared.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await shared.connections(1)
    now = shared.clock.now()
    played = Drill(
        id=DrillId(new_id(now)),
        organization_id=shared.organization.id,
        client_id=None,
        started_by=chief.id,
        started_at=now,
        ends_at=now + timedelta(hours=4),
    )
    async with shared.storage.transaction() as uow:
        assert await uow.drills.add(played)
    await shared.event(EventKind.DRILL_STARTED, data={"drill": to_wire(played.id)})
    shared.clock.advance(timedelta(seconds=2))
    await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    for hours in (1, 3):
        shared.clock.advance(timedelta(hours=hours))
        await asyncio.gather(*(shared.drills().run_once() for _ in range(PROCESSES)))
    told = [
        len(await shared.notices(kind))
        for kind in (NoticeKind.DRILL, NoticeKind.DRILL_ESCALATED, NoticeKind.DRILL_REPORT)
    ]
    assert told == [2, 1, 1]


@pytest.mark.behaviour("N-13")
async def test_a_thin_reach_is_told_once(shared: World) -> None:
    await shared.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await shared.connections(1)
    await shared.change(shared.ana, left_at=shared.clock.now())
    await asyncio.gather(*(shared.reach().run_once() for _ in range(PROCESSES)))
    shared.clock.advance(timedelta(seconds=2))
    await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    assert len(await shared.notices(NoticeKind.THIN_REACH)) == 1


@pytest.mark.behaviour("X-6")
async def test_somebody_who_is_gone_is_told_of_once(shared: World) -> None:
    await shared.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await shared.connections(1)
    shared.chat.profiles["T1", "Ana"] = Profile(kind=AccountKind.GONE, name="Ana")
    await asyncio.gather(*(shared.roster().run_once() for _ in range(PROCESSES)))
    shared.clock.advance(timedelta(seconds=2))
    await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    assert len(await shared.notices(NoticeKind.SUCCESSION)) == 1


class _Dying(Outbox):
    """An outbox of a process that dies before it commits."""

    async def put(self, uow: UnitOfWork, organization_id: OrganizationId, postings: Sequence[Posting]) -> None:
        await super().put(uow, organization_id, postings)
        raise RuntimeError("killed")


@pytest.mark.behaviour("N-6")
async def test_a_process_that_dies_before_it_is_done_forgets_and_repeats_nothing(shared: World) -> None:
    await shared.lapse(*await shared.connections(1))
    await shared.plan()
    shared.clock.advance(timedelta(days=2))
    outbox = _Dying(platforms=shared.chats, clock=shared.clock)
    dying = Reminders(shared.desks(outbox=outbox))
    assert await dying.run_once() == 0
    assert await shared.notices(NoticeKind.REMINDER) == []
    assert await shared.reminders().run_once() == 1
    assert len(await shared.notices(NoticeKind.REMINDER)) == 1
