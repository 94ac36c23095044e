"""What a check found is of the past once an account was reconnected. On PostgreSQL: on SQLite one writer waits for the
other before it reads anything.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.ids import AuthorizationId, new_id
from commands.model import ConnectionState, LapseEnd, Verdict
from commands.ports.network import Probe
from commands.ports.storage import UnitOfWork
from storage import SqlStorage
from storage.engine import maintenance_engine
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.seed import Seeded, fresh_storage, lapse, seed

_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@dataclass
class World:
    """One organization, with a second login for the same accounts."""

    storage: SqlStorage
    clock: FakeClock
    seeded: Seeded
    second: AuthorizationId
    url: str

    async def attach(self, uow: UnitOfWork, place: int) -> None:
        """Hang an account on the second login, as a reconnection does."""
        connection, now = self.seeded.connections[place], self.clock.now()
        await uow.connections.attach(
            connection.organization_id,
            connection.id,
            authorization_id=self.second,
            connector_id=self.seeded.raj.id,
            account_name=connection.account_name,
            parent=connection.parent,
            good_at=now,
        )
        await uow.lapses.end(
            connection.organization_id, connection.id, at=now, how=LapseEnd.RECONNECTED, by=self.seeded.raj.id
        )

    async def check(self, verdict: Verdict) -> None:
        network = FakeNetwork(probe_answer=Probe(grant=finding(verdict) if verdict is not Verdict.HEALTHY else GOOD))
        watcher = Watcher(
            storage=self.storage, clock=self.clock, networks={"examplenet": network}, rules=WatchRules(jitter=0.0)
        )
        await watcher.check(self.seeded.organization_id, self.seeded.authorization.id)

    async def somebody_waits(self, task: "asyncio.Task[None]") -> None:
        """Return once a transaction waits for another's lock, or the task is over."""
        engine = maintenance_engine(self.url)
        while not task.done():
            async with engine.connect() as connection:
                if (await connection.execute(_WAITING)).scalar_one():
                    break
            await asyncio.sleep(0)
        await engine.dispose()


@pytest.fixture
async def world(postgres_database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(postgres_database_url, clock) as storage:
        seeded = await seed(storage, clock.now())
        second = replace(seeded.authorization, id=AuthorizationId(new_id(clock.now())), subject_id="subject-raj")
        async with storage.transaction() as uow:
            await uow.authorizations.add(second, seeded.tokens)
        clock.advance(timedelta(hours=1))
        yield World(storage, clock, seeded, second.id, postgres_database_url)


@pytest.mark.behaviour("R-16", "D-6")
async def test_a_refusal_of_the_old_login_opens_nothing_on_an_account_that_just_came_back_under_another(
    world: World,
) -> None:
    async with asyncio.TaskGroup() as group:
        async with world.storage.transaction() as uow:
            await world.attach(uow, 0)
            checking = group.create_task(world.check(Verdict.REVOKED))
            await world.somebody_waits(checking)
    async with world.storage.reading() as uow:
        views = await uow.connections.views(world.seeded.organization_id, [one.id for one in world.seeded.connections])
    assert [view.connection.state for view in views] == [ConnectionState.ACTIVE, ConnectionState.LAPSED]
    assert views[0].connection.authorization_id == world.second
    assert views[0].lapse is None


@pytest.mark.behaviour("R-16")
async def test_a_reconnection_and_a_check_that_both_end_lapses_wait_for_each_other_in_one_direction(
    world: World,
) -> None:
    for connection in world.seeded.connections:
        await lapse(world.storage, connection, world.clock.now())
    async with asyncio.TaskGroup() as group:
        async with world.storage.transaction() as uow:
            await uow.connections.hold(world.seeded.organization_id, [one.id for one in world.seeded.connections])
            checking = group.create_task(world.check(Verdict.HEALTHY))
            await world.somebody_waits(checking)
            for place in (1, 0):
                await world.attach(uow, place)
    async with world.storage.reading() as uow:
        views = await uow.connections.views(world.seeded.organization_id, [one.id for one in world.seeded.connections])
    assert [view.connection.authorization_id for view in views] == [world.second, world.second]
    assert [view.lapse for view in views] == [None, None]
