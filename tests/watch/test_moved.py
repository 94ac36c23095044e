"""Accounts whose move was accepted while no login here reached them: the watch goes on looking (D-6)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.model import Connection, ConnectionState, Evidence, LapseEnd, Tokens, Verdict
from commands.ports.events import EventKind
from commands.ports.network import Expected, Probe
from commands.ports.storage import Storage
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.seed import Seeded, fresh_storage, lapse, seed


@dataclass
class Listening(FakeNetwork):
    """Notes which accounts it was asked about."""

    accounts: list[str] = field(default_factory=list)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        self.accounts += [each.account_id for each in expected]
        return self.probe_answer


@dataclass
class World:
    """Of two accounts of one business the second hangs on no login, since its move there was accepted."""

    storage: Storage
    clock: FakeClock
    seeded: Seeded
    network: Listening = field(default_factory=Listening)

    async def moved(self) -> Connection:
        async with self.storage.reading() as uow:
            return await uow.connections.get(self.seeded.organization_id, self.seeded.connections[1].id)

    async def sweep(self) -> None:
        self.clock.advance(timedelta(hours=1))
        self.network.accounts.clear()
        rules = WatchRules(jitter=0.0)
        networks = {"examplenet": self.network}
        await Watcher(storage=self.storage, clock=self.clock, networks=networks, rules=rules).run_once()


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        seeded = await seed(storage, clock.now())
        moved = seeded.connections[1]
        opened, _ = await lapse(storage, moved, clock.now(), Verdict.ACCOUNT_MOVED)
        async with storage.transaction() as uow:
            evidence = Evidence(check="fake", moved_to=moved.parent)
            await uow.lapses.update_cause(replace(opened, evidence=evidence))
            await uow.connections.detach(seeded.organization_id, [moved.id])
        yield World(storage, clock, seeded)


@pytest.mark.behaviour("D-6", "R-7")
async def test_a_login_of_the_new_business_is_asked_at_each_check_until_it_reads_the_account(world: World) -> None:
    world.network.probe_answer = Probe(grant=GOOD, accounts={"acct-2": finding(Verdict.ROLE_LOST)})
    await world.sweep()
    assert world.network.accounts == ["acct-1", "acct-2"]
    still = await world.moved()
    assert (still.state, still.authorization_id) == (ConnectionState.LAPSED, None)
    world.network.probe_answer = Probe(grant=GOOD)
    await world.sweep()
    back = await world.moved()
    assert (back.state, back.authorization_id) == (ConnectionState.ACTIVE, world.seeded.authorization.id)
    async with world.storage.reading() as uow:
        (over,) = await uow.lapses.history(world.seeded.organization_id, back.id, limit=1)
    assert (over.cause, over.ended_how) == (Verdict.ACCOUNT_MOVED, LapseEnd.RECOVERED)
    due = await world.storage.queues.due_events(
        now=world.clock.now() + timedelta(hours=1), gather=timedelta(0), limit=9
    )
    assert [event.kind for batch in due for event in batch.events][-1] is EventKind.LAPSE_ENDED


@pytest.mark.behaviour("R-10")
async def test_another_owners_login_is_not_asked(world: World) -> None:
    async with world.storage.transaction() as uow:
        await uow.connections.set_owner(
            world.seeded.organization_id, [world.seeded.connections[1].id], world.seeded.raj.id
        )
    await world.sweep()
    assert world.network.accounts == ["acct-1"]
    assert (await world.moved()).state is ConnectionState.LAPSED
