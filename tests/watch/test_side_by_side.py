"""Many checks at once: only what can start is leased, and what is slow holds up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.model import ConnectionState, Tokens, Verdict
from commands.ports.network import Expected, Grant, Probe
from commands.ports.storage import Storage
from tests.support.clock import FakeClock
from tests.support.network import FakeNetwork, finding, spec
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0, concurrency=2)
SOON = 10  # seconds after which a test has failed


class Gated(FakeNetwork):
    """Answers no probe before its gate opens."""

    def __init__(self, slug: str = "examplenet") -> None:
        super().__init__(spec=spec(slug))
        self.gate = asyncio.Event()
        self.full = asyncio.Event()

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        self.asked.append("probe")
        if len(self.asked) == RULES.concurrency:
            self.full.set()
        await self.gate.wait()
        return self.probe_answer


@dataclass
class Due:
    """A store with authorizations whose time has come."""

    storage: Storage
    clock: FakeClock

    async def add(self, number: int, network: str = "examplenet") -> Seeded:
        at = self.clock.now() - timedelta(hours=2)
        place = f"{network}-{number}"
        return await seed(
            self.storage, at, name=place, slack_team=f"T{place}", discord_server=f"D{place}", network=network
        )

    def watcher(self, *networks: FakeNetwork, rules: WatchRules = RULES) -> Watcher:
        known = {network.spec.slug: network for network in networks}
        return Watcher(storage=self.storage, clock=self.clock, networks=known, rules=rules)


@pytest.fixture
async def due(database_url: str) -> AsyncIterator[Due]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield Due(storage, clock)


@pytest.mark.behaviour("D-3")
async def test_what_has_to_wait_for_its_turn_is_left_for_other_processes(due: Due) -> None:
    for number in range(5):
        await due.add(number)
    network = Gated()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        run = group.create_task(due.watcher(network).run_once())
        await network.full.wait()
        others = await due.storage.queues.claim_checks(
            now=due.clock.now(), limit=10, lease=RULES.lease, networks=["examplenet"]
        )
        network.gate.set()
    assert len(others) == 3
    assert run.result() == 2


async def test_a_slow_network_holds_up_no_other(due: Due) -> None:
    slow = Gated("slownet")

    class Fast(FakeNetwork):
        async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
            self.asked.append("probe")
            if self.asked.count("probe") == 5:
                slow.gate.set()  # it answers only when the other network has been worked off
            return self.probe_answer

    for number in range(2):
        await due.add(number, "slownet")
    for number in range(5):
        await due.add(number)
    async with asyncio.timeout(SOON):
        assert await due.watcher(slow, Fast()).run_once() == 7


async def test_a_stop_leases_nothing_more_and_lets_what_is_under_way_end(due: Due) -> None:
    for number in range(5):
        await due.add(number)
    network = Gated()
    watcher = due.watcher(network)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        run = group.create_task(watcher.run_once())
        await network.full.wait()
        await watcher.stop()
        network.gate.set()
    assert run.result() == 2


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("hangs", ["refresh", "probe"])
async def test_a_network_that_does_not_answer_within_a_check_counts_as_down_well_before_the_lease_ends(
    due: Due, hangs: str
) -> None:
    class Hanging(FakeNetwork):
        async def refresh(self, tokens: Tokens) -> Grant | None:
            if hangs == "refresh":
                await asyncio.Event().wait()
            return None

        async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
            await asyncio.Event().wait()
            return Probe(grant=finding(Verdict.REVOKED))

    seeded = await due.add(1)
    due.clock.advance(timedelta(days=30))
    rules = replace(RULES, check_within=timedelta(milliseconds=20))
    async with asyncio.timeout(SOON):
        assert await due.watcher(Hanging(), rules=rules).run_once() == 1
    async with due.storage.reading() as uow:
        connection = await uow.connections.get(seeded.organization_id, seeded.connections[0].id)
        authorization = await uow.authorizations.get(seeded.organization_id, seeded.authorization.id)
    assert connection.state is ConnectionState.ACTIVE
    assert authorization.doubt is not None
    assert RULES.check_within < RULES.lease / 2
