"""Changes to several rows at once wait for each other in one order, that of the keys, and never in a circle.

On PostgreSQL: on SQLite one writer waits for the other as a whole. The rows lie the other way round in their table, and
no index may be used, so that what does not lock in the order of the keys locks against it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from commands.ids import AuthorizationId, NoticeId, PassId, new_id
from commands.model import Claim, ConnectionState, LapseEnd, Mute, Parent
from commands.ports.notices import DeliveryState
from commands.ports.reconnecting import Pass, PassPurpose
from commands.ports.storage import UnitOfWork
from storage import SqlStorage
from tests.contracts.test_storage_outbox import LANE, LEASE, delivery_of, notice_for, sent
from tests.support.clock import FakeClock
from tests.support.postgres import libpq_url
from tests.support.seed import Seeded, fresh_storage, lapse, seed

HOUR = timedelta(hours=1)
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@dataclass
class World:
    """A store on a database without indexes to go by, and two rows of each kind."""

    storage: SqlStorage
    clock: FakeClock
    seeded: Seeded
    url: str

    async def in_transaction(self, call: Callable[[UnitOfWork], Awaitable[object]]) -> object:
        async with self.storage.transaction() as uow:
            return await call(uow)

    async def waiting(self, number: int, task: "asyncio.Task[Any]") -> None:
        """Return once so many transactions wait for locks, or the task is over."""
        watcher = await asyncpg.connect(self.url)
        while not task.done() and await watcher.fetchval(_WAITING) < number:
            pass
        await watcher.close()


@pytest.fixture
async def world(postgres_database_url: str) -> AsyncIterator[World]:
    clock, url = FakeClock(), libpq_url(postgres_database_url)
    connection = await asyncpg.connect(url)
    for setting in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
        await connection.execute(f'ALTER DATABASE "{make_url(url).database}" SET {setting} = off')
    await connection.close()
    async with fresh_storage(postgres_database_url, clock) as storage:
        yield World(storage, clock, await seed(storage, clock.now()), url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two rows, and what changes both."""

    table: str
    ids: Sequence[UUID]
    make: Callable[[], Awaitable[object]]
    key: str = "id"


async def logins(world: World) -> Sequence[UUID]:
    another = replace(
        world.seeded.authorization,
        id=AuthorizationId(new_id(world.clock.now())),
        subject_id="subject-raj",
        ends_at=world.clock.now() + HOUR,
        next_check_at=world.clock.now() + HOUR,
    )
    first = replace(another, id=world.seeded.authorization.id, subject_id="subject-ana")
    async with world.storage.transaction() as uow:
        await uow.authorizations.replace_grant(first, world.seeded.tokens)
        await uow.authorizations.add(another, world.seeded.tokens)
    return [first.id, another.id]


async def checks_asked_for(world: World) -> Change:
    ids = await logins(world)

    async def ask(uow: UnitOfWork) -> None:
        await uow.authorizations.check_soon(
            world.seeded.organization_id, [AuthorizationId(each) for each in ids], world.clock.now()
        )

    return Change(table="authorizations", ids=ids, make=lambda: world.in_transaction(ask))


async def a_signal(world: World) -> Change:
    subjects = ["subject-ana", "subject-raj"]
    return Change(
        table="authorizations",
        ids=await logins(world),
        make=lambda: world.storage.queues.look_now("examplenet", subjects, now=world.clock.now()),
    )


async def warnings_reconsidered(world: World) -> Change:
    return Change(
        table="authorizations",
        ids=await logins(world),
        make=lambda: world.in_transaction(
            lambda uow: uow.authorizations.reconsider_warnings(world.seeded.organization_id, None)
        ),
    )


async def two_people_made_one(world: World) -> Change:
    return Change(
        table="authorizations",
        ids=await logins(world),
        make=lambda: world.in_transaction(
            lambda uow: uow.people.merge(
                world.seeded.organization_id, kept=world.seeded.raj.id, gone=world.seeded.ana.id
            )
        ),
    )


async def a_business_given(world: World) -> Change:
    ids = [connection.id for connection in world.seeded.connections]
    parent = Parent(id="9", name="Another")
    return Change(
        table="connections",
        ids=ids,
        make=lambda: world.in_transaction(
            lambda uow: uow.connections.set_parent(world.seeded.organization_id, ids, parent)
        ),
    )


async def accounts_taken_off_their_login(world: World) -> Change:
    ids = [connection.id for connection in world.seeded.connections]
    return Change(
        table="connections",
        ids=ids,
        make=lambda: world.in_transaction(lambda uow: uow.connections.detach(world.seeded.organization_id, ids)),
    )


async def a_claim(world: World) -> Change:
    ids = [(await lapse(world.storage, each, world.clock.now()))[0].id for each in world.seeded.connections]
    claim = Claim(person_id=world.seeded.raj.id, until=world.clock.now() + HOUR)
    return Change(
        table="lapses",
        ids=ids,
        make=lambda: world.in_transaction(lambda uow: uow.lapses.claim(world.seeded.organization_id, ids, claim)),
    )


async def claims_that_are_over(world: World) -> Change:
    ids = [(await lapse(world.storage, each, world.clock.now()))[0].id for each in world.seeded.connections]
    claim = Claim(person_id=world.seeded.raj.id, until=world.clock.now())
    async with world.storage.transaction() as uow:
        await uow.lapses.claim(world.seeded.organization_id, ids, claim)
    return Change(
        table="lapses",
        ids=ids,
        make=lambda: world.in_transaction(
            lambda uow: uow.lapses.release_due(world.seeded.organization_id, ids, world.clock.now())
        ),
    )


async def snoozes_that_are_over(world: World) -> Change:
    ids = [(await lapse(world.storage, each, world.clock.now()))[0].id for each in world.seeded.connections]
    mutes = [Mute(lapse_id=each, person_id=world.seeded.raj.id, until=world.clock.now()) for each in ids]
    async with world.storage.transaction() as uow:
        await uow.lapses.mute(world.seeded.organization_id, mutes)
    return Change(
        table="mutes",
        ids=ids,
        key="lapse_id",
        make=lambda: world.in_transaction(
            lambda uow: uow.lapses.release_due(world.seeded.organization_id, ids, world.clock.now())
        ),
    )


async def planned_events(world: World) -> Change:
    ids = [(await lapse(world.storage, each, world.clock.now()))[1].id for each in world.seeded.connections]
    return Change(table="events", ids=ids, make=lambda: world.in_transaction(lambda uow: uow.notices.mark_planned(ids)))


async def deliveries(world: World, state: DeliveryState = DeliveryState.DUE, reason: str = "") -> Sequence[UUID]:
    found: list[UUID] = []
    for user in ("U-ANA", "U-BO"):
        opened, _ = await lapse(world.storage, world.seeded.connections[len(found)], world.clock.now())
        notice = notice_for(world.seeded, [opened], world.clock, id=NoticeId(new_id(world.clock.now())))
        delivery = delivery_of(notice, world.clock, user, state=state, reason=reason)
        async with world.storage.transaction() as uow:
            await uow.notices.plan([notice], [delivery])
        found.append(delivery.id)
    return found


async def deliveries_taken(world: World) -> Change:
    ids = await deliveries(world)
    term = await world.storage.queues.take_lane(LANE, holder="one", now=world.clock.now(), lease=LEASE)
    assert term is not None
    return Change(
        table="deliveries",
        ids=ids,
        make=lambda: world.storage.queues.take_deliveries(LANE, term=term, now=world.clock.now(), limit=9),
    )


async def deliveries_abandoned(world: World) -> Change:
    ids = await deliveries(world)
    term = await world.storage.queues.take_lane(LANE, holder="one", now=world.clock.now(), lease=LEASE)
    assert term is not None
    await world.storage.queues.take_deliveries(LANE, term=term, now=world.clock.now(), limit=9)
    later = world.clock.advance(2 * LEASE)
    return Change(
        table="deliveries",
        ids=ids,
        make=lambda: world.storage.queues.take_lane(LANE, holder="other", now=later, lease=LEASE),
    )


async def deliveries_revived(world: World) -> Change:
    ids = await deliveries(world, DeliveryState.SUPPRESSED, "outage")
    since = world.clock.now() - HOUR
    return Change(
        table="deliveries",
        ids=ids,
        make=lambda: world.in_transaction(
            lambda uow: uow.outages.revive(
                world.seeded.organization_id, reason="outage", since=since, at=world.clock.now()
            )
        ),
    )


async def links_withdrawn(world: World) -> Change:
    ids = [PassId(new_id(world.clock.now())) for _ in range(2)]
    async with world.storage.transaction() as uow:
        for each in ids:
            one = Pass(
                id=each,
                organization_id=world.seeded.organization_id,
                person_id=world.seeded.bo.id,
                purpose=PassPurpose.ACCOUNTS,
                made_by=world.seeded.mei.id,
                created_at=world.clock.now(),
                expires_at=world.clock.now() + HOUR,
            )
            await uow.passes.add(one, secret_hash=each.bytes)

    async def withdraw(uow: UnitOfWork) -> None:
        await uow.passes.withdraw(world.seeded.organization_id, world.seeded.bo.id, None, world.clock.now())

    return Change(table="passes", ids=ids, make=lambda: world.in_transaction(withdraw))


async def handed_out_links_withdrawn(world: World) -> Change:
    change = await links_withdrawn(world)
    return replace(
        change,
        make=lambda: world.in_transaction(
            lambda uow: uow.passes.withdraw_handed_out(world.seeded.organization_id, made_by=world.seeded.mei.id)
        ),
    )


CHANGES = (
    checks_asked_for,
    a_signal,
    warnings_reconsidered,
    two_people_made_one,
    a_business_given,
    accounts_taken_off_their_login,
    a_claim,
    claims_that_are_over,
    snoozes_that_are_over,
    planned_events,
    deliveries_taken,
    deliveries_abandoned,
    deliveries_revived,
    links_withdrawn,
    handed_out_links_withdrawn,
)


@pytest.mark.parametrize("prepared", CHANGES, ids=lambda prepared: prepared.__name__)
async def test_who_changes_several_rows_locks_them_in_the_order_of_their_keys(
    world: World, prepared: Callable[[World], Awaitable[Change]]
) -> None:
    """A third holds the later row until both wait, so that who comes first does not depend on luck."""
    change = await prepared(world)
    first, last = sorted(change.ids)
    this = f"FROM {change.table} WHERE {change.key} = $1 FOR NO KEY UPDATE"
    gate, neighbour = await asyncpg.connect(world.url), await asyncpg.connect(world.url)
    behind = f"UPDATE {change.table} SET {change.key} = {change.key} WHERE {change.key} = $1"  # noqa: S608  # our own names
    await gate.execute(behind, first)
    holding = gate.transaction()
    await holding.start()
    await gate.execute(f"SELECT 1 {this}", last)

    async def one_after_the_other() -> None:
        async with neighbour.transaction():
            await neighbour.execute(f"SELECT 1 {this}", first)
            await neighbour.execute(f"SELECT 1 {this}", last)

    async with asyncio.TaskGroup() as group:
        changing = group.create_task(_awaited(change.make()))
        await world.waiting(1, changing)
        assert not changing.done(), "it waited for nobody: it did not change both"
        following = group.create_task(one_after_the_other())
        await world.waiting(2, following)
        await holding.commit()
    await gate.close()
    await neighbour.close()


async def test_a_lapse_that_is_ended_takes_its_connection_first_as_the_watch_does(world: World) -> None:
    """Somebody retires an account at the moment in which a check finds that it works again."""
    connection = world.seeded.connections[0]
    await lapse(world.storage, connection, world.clock.now())

    async def retire() -> None:
        async with world.storage.transaction() as uow:
            await uow.lapses.end(
                connection.organization_id, connection.id, at=world.clock.now(), how=LapseEnd.RETIRED, by=None
            )
            await uow.connections.set_state(connection.organization_id, connection.id, ConnectionState.RETIRED)

    async with asyncio.TaskGroup() as group:
        async with world.storage.transaction() as uow:
            await uow.connections.hold(connection.organization_id, [connection.id])
            retiring = group.create_task(retire())
            await world.waiting(1, retiring)
            ended = await uow.lapses.end(
                connection.organization_id, connection.id, at=world.clock.now(), how=LapseEnd.RECOVERED, by=None
            )
            assert ended is not None
            await uow.connections.set_state(connection.organization_id, connection.id, ConnectionState.ACTIVE)
    async with world.storage.reading() as uow:
        assert (await uow.connections.get(connection.organization_id, connection.id)).state is ConnectionState.RETIRED


async def test_outcomes_that_are_written_keep_no_planner_from_adding_to_the_lane(world: World) -> None:
    """The planner redraws a message that is under way, then plans another of the same lane."""
    opened, _ = await lapse(world.storage, world.seeded.connections[0], world.clock.now())
    one = notice_for(world.seeded, [opened], world.clock)
    other = replace(one, id=NoticeId(new_id(world.clock.now())), person_id=world.seeded.raj.id)
    under_way, next_one = delivery_of(one, world.clock), delivery_of(other, world.clock)
    async with world.storage.transaction() as uow:
        await uow.notices.plan([one], [under_way])
    queues = world.storage.queues
    term = await queues.take_lane(LANE, holder="one", now=world.clock.now(), lease=LEASE)
    assert term is not None
    await queues.take_deliveries(LANE, term=term, now=world.clock.now(), limit=9)
    outcome = sent(under_way, world.clock)
    async with asyncio.TaskGroup() as group:
        async with world.storage.transaction() as uow:
            await uow.notices.redraw(world.seeded.organization_id, [opened.id], world.clock.now())
            writing = group.create_task(queues.record_sent(LANE, term=term, results=[outcome]))
            await world.waiting(1, writing)
            assert not writing.done(), "it did not wait for the message that is being redrawn"
            await uow.notices.plan([other], [next_one])
    async with world.storage.reading() as uow:
        assert [each.wanted for each in await uow.notices.deliveries(one.organization_id, one.id)] == [2]
        assert [each.lane for each in await uow.notices.deliveries(one.organization_id, other.id)] == [LANE]


async def _awaited(making: Awaitable[object]) -> object:
    return await making
