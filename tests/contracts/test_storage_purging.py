"""What `Queues.purge` clears away, and what it leaves, over both databases."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from commands.ids import AttemptId, DrillId, EventId, LinkId, OrganizationId, PassId, SessionId, new_id
from commands.model import Drill
from commands.ports.events import Event, EventKind
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose, PendingSignIn, Session
from commands.secret import Secret
from storage import SqlStorage, tables
from storage.purging import AT_ONCE
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


async def number_of(storage: SqlStorage, table: str) -> int:
    async with storage.reading_work() as work:
        return len(await work.rows(select(tables.organizations.metadata.tables[table])))


async def signed_in(storage: SqlStorage, now: datetime, expires_at: datetime) -> None:
    """A session, a sign-in and a claim code that end then."""
    session = Session(
        id=SessionId(new_id(now)),
        platform="slack",
        tenant="T1",
        user="U1",
        name="Ana",
        email=None,
        created_at=now,
        expires_at=expires_at,
    )
    pending = PendingSignIn(
        platform="slack", nonce="n", redirect_uri="r", workspace_id=None, locator=None, expires_at=expires_at
    )
    async with storage.transaction() as uow:
        await uow.sessions.add(session, secret_hash=session.id.bytes)
        await uow.sessions.begin_sign_in(pending, state_hash=session.id.bytes, browser_hash=b"b")


async def test_what_has_expired_goes_and_what_has_not_stays(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    for place, ends in enumerate((HOUR, 2 * HOUR)):
        await signed_in(storage, clock.now(), clock.now() + ends)
        await storage.directory.issue_claim_code(
            seeded.organization_id, code_hash=bytes([place]), expires_at=clock.now() + ends
        )
    assert await storage.queues.purge(clock.now()) == 0
    assert await storage.queues.purge(clock.advance(HOUR)) == 3
    assert [await number_of(storage, table) for table in ("sessions", "sign_ins", "claim_codes")] == [1, 1, 1]


async def test_planned_events_go_after_thirty_days_and_unplanned_ones_never(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    _, planned = await lapse(storage, seeded.connections[0], clock.now())
    _, waiting = await lapse(storage, seeded.connections[1], clock.now())
    async with storage.transaction() as uow:
        assert await uow.notices.mark_planned([planned.id])
    assert await storage.queues.purge(clock.advance(30 * DAY)) == 0
    assert await storage.queues.purge(clock.advance(timedelta(seconds=1))) == 1
    [due] = await storage.queues.due_events(now=clock.now(), gather=HOUR, limit=9)
    assert [event.id for event in due.events] == [waiting.id]
    assert await number_of(storage, "lapses") == 2


async def test_passes_go_a_month_after_their_end_and_drills_never(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    one = Pass(
        id=PassId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        purpose=PassPurpose.ACCOUNTS,
        made_by=None,
        created_at=clock.now(),
        expires_at=clock.now() + 7 * DAY,
    )
    drill = Drill(
        id=DrillId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        client_id=None,
        started_by=seeded.mei.id,
        started_at=clock.now(),
        ends_at=clock.now() + HOUR,
    )
    async with storage.transaction() as uow:
        await uow.passes.add(one, secret_hash=b"s")
        assert await uow.drills.add(drill)
        await uow.drills.reported(seeded.organization_id, drill.id, clock.now())
    assert await storage.queues.purge(clock.advance(37 * DAY - HOUR)) == 0
    assert await storage.queues.purge(clock.advance(HOUR)) == 1
    assert await storage.queues.purge(clock.advance(3650 * DAY)) == 0
    assert [await number_of(storage, table) for table in ("passes", "drills")] == [0, 1]


async def test_what_a_login_found_goes_when_nobody_chose_in_time(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    attempt = await opened(storage, seeded, clock)
    async with storage.transaction() as uow:
        found, until = Secret("accounts"), clock.now() + HOUR
        await uow.attempts.keep(seeded.organization_id, attempt.id, found=found, until=until)
        await uow.attempts.finish(seeded.organization_id, attempt.id, outcome="{}", at=clock.now())
    assert await storage.queues.purge(clock.now()) == 0
    assert await storage.queues.purge(clock.advance(HOUR)) == 1
    assert await storage.queues.purge(clock.now()) == 0
    async with storage.reading_work() as work:
        assert list(await work.rows(select(tables.attempts.c.found))) == [(None,)]


async def test_more_than_one_batch_goes_in_one_call(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    old = event_values(seeded.organization_id, clock.now())
    many = [{**old, "id": new_id(clock.now())} for _ in range(2 * AT_ONCE + 1)]
    async with storage.writing_work() as work:
        await work.run(insert(tables.events), many)
    assert await storage.queues.purge(clock.advance(31 * DAY)) == len(many)
    assert await number_of(storage, "events") == 0


def event_values(organization_id: OrganizationId, now: datetime) -> dict[str, object]:
    event = Event(id=EventId(new_id(now)), organization_id=organization_id, kind=EventKind.NUDGED, at=now)
    return {"organization_id": event.organization_id, "kind": event.kind, "at": now, "data": {}, "planned_at": now}


async def test_an_attempt_that_was_left_open_loses_its_secret_a_day_after_it_expired(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    attempt = await opened(storage, seeded, clock)
    assert await storage.queues.purge(clock.advance(DAY)) == 0
    assert await storage.queues.purge(clock.advance(HOUR)) == 1
    assert await storage.queues.purge(clock.now()) == 0
    async with storage.reading() as uow:
        found = await uow.attempts.get(seeded.organization_id, attempt.id)
    assert found is not None
    assert found.code_verifier is None


async def test_an_attempt_that_is_superseded_loses_its_secret_at_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    first, second = await opened(storage, seeded, clock), await opened(storage, seeded, clock)
    async with storage.reading() as uow:
        ended = await uow.attempts.get(seeded.organization_id, first.id)
        going_on = await uow.attempts.get(seeded.organization_id, second.id)
    assert ended is not None
    assert going_on is not None
    assert ended.code_verifier is None
    assert going_on.code_verifier is not None


async def opened(storage: SqlStorage, seeded: Seeded, clock: FakeClock) -> Attempt:
    """An attempt of Ana's, ten minutes long."""
    now = clock.now()
    link = Link(
        id=LinkId(new_id(now)),
        organization_id=seeded.organization_id,
        person_id=seeded.ana.id,
        connection_id=seeded.connections[0].id,
        created_at=now,
    )
    async with storage.transaction() as uow:
        locator = await uow.links.ensure(link)
    found = await storage.directory.link(locator)
    assert found is not None
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=seeded.organization_id,
        link_id=found.id,
        person_id=seeded.ana.id,
        connection_id=found.connection_id,
        authorization_id=seeded.authorization.id,
        network=seeded.authorization.network,
        session_id=SessionId(new_id(now)),
        redirect_uri="r",
        code_verifier=Secret("verifier"),
        opened_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    async with storage.transaction() as uow:
        assert (
            await uow.attempts.open(attempt, state_hash=attempt.id.bytes, browser_hash=b"b", take_over=False)
        ) is None
    return attempt
