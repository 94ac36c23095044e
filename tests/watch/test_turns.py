"""Sharing a network and a process: one organization's backlog, and a network that asks everybody to wait."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.watch.rules import WatchRules
from bot.watch.turns import FairTurns
from bot.watch.watcher import Watcher
from commands.errors import NetworkError
from commands.ids import OrganizationId, new_id
from commands.model import Evidence, Finding, Pause, Verdict
from commands.ports.network import Probe
from commands.ports.storage import Storage
from storage.engine import maintenance_engine
from storage.tables import authorizations
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, spec
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0)
PORTION = 10
BACKLOG = 1_000
MINUTE = timedelta(minutes=1)


@dataclass
class Shared:
    """A store of several organizations, whose checks are due."""

    storage: Storage
    clock: FakeClock
    url: str

    async def add(self, number: int, network: str = "examplenet") -> Seeded:
        at = self.clock.now() - timedelta(hours=2)
        place = f"{network}-{number}"
        return await seed(
            self.storage, at, name=place, slack_team=f"T{place}", discord_server=f"D{place}", network=network
        )

    async def grow(self, seeded: Seeded, number: int, *, hours_late: int) -> None:
        """Give an organization more authorizations, all due."""
        engine = maintenance_engine(self.url)
        async with engine.begin() as connection:
            own = select(authorizations).where(authorizations.c.id == seeded.authorization.id)
            row = dict((await connection.execute(own)).one()._mapping)
            row["next_check_at"] = self.clock.now() - timedelta(hours=hours_late)
            await connection.execute(
                update(authorizations)
                .where(authorizations.c.id == row["id"])
                .values(next_check_at=row["next_check_at"])
            )
            more = [{**row, "id": new_id(self.clock.now()), "subject_id": f"s-{place}"} for place in range(number)]
            await connection.execute(insert(authorizations), more)
        await engine.dispose()

    async def portions(self, number: int) -> list[OrganizationId]:
        """Whose checks a process leases in so many portions, two organizations looked at for each."""
        turns, leased = FairTurns(self.storage.queues, at_once=2), list[OrganizationId]()
        for _ in range(number):
            now, networks = self.clock.now(), ["examplenet"]
            first = await turns.first(networks, now=now, limit=PORTION)
            due = await self.storage.queues.claim_checks(
                now=now, limit=PORTION, lease=RULES.lease, networks=networks, first=first
            )
            turns.leased(networks, [check.authorization.network for check in due], limit=PORTION)
            leased += [check.authorization.organization_id for check in due]
        return leased

    async def sweep(self, network: FakeNetwork, *others: FakeNetwork, after: timedelta = timedelta(0)) -> None:
        self.clock.advance(after)
        networks = {each.spec.slug: each for each in (network, *others)}
        await Watcher(storage=self.storage, clock=self.clock, networks=networks, rules=RULES).run_once()


@pytest.fixture
async def shared(database_url: str) -> AsyncIterator[Shared]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield Shared(storage, clock, database_url)


@pytest.mark.behaviour("D-3")
async def test_an_organization_with_three_checks_does_not_wait_for_anothers_thousand(shared: Shared) -> None:
    large, small = await shared.add(1), [await shared.add(number) for number in (2, 3, 4, 5)]
    await shared.grow(large, BACKLOG, hours_late=9)
    for seeded in small:
        await shared.grow(seeded, 2, hours_late=1)
    leased = await shared.portions(12)
    assert len(leased) == 12 * PORTION
    assert [leased.count(seeded.organization_id) for seeded in small] == [3, 3, 3, 3]


async def test_while_a_process_keeps_up_the_longest_due_goes_first_and_nothing_more_is_asked(shared: Shared) -> None:
    early, late = await shared.add(1), await shared.add(2)
    await shared.grow(early, 2, hours_late=3)
    await shared.grow(late, 2, hours_late=1)
    leased = await shared.portions(1)
    assert leased == [early.organization_id] * 3 + [late.organization_id] * 3


@pytest.mark.behaviour("D-3")
async def test_that_nothing_of_another_network_is_due_takes_no_turns_away(shared: Shared) -> None:
    """A slow network is leased of seldom, and others are looked at between."""
    large, small = await shared.add(1), await shared.add(2)
    await shared.grow(large, 40, hours_late=9)
    turns, leased = FairTurns(shared.storage.queues), list[OrganizationId]()
    for networks in (["examplenet"], ["othernet"], ["examplenet"]):
        now = shared.clock.now()
        first = await turns.first(networks, now=now, limit=PORTION)
        due = await shared.storage.queues.claim_checks(
            now=now, limit=PORTION, lease=RULES.lease, networks=networks, first=first
        )
        turns.leased(networks, [check.authorization.network for check in due], limit=PORTION)
        leased += [check.authorization.organization_id for check in due]
    assert small.organization_id in leased


def throttled(until: Pause | None) -> Finding:
    return Finding(verdict=Verdict.THROTTLED, evidence=Evidence(check="fake", http_status=429), pause=until)


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("says", ["probe", "refresh"])
async def test_a_network_that_asks_everybody_to_wait_is_asked_nothing_until_then_by_no_process(
    shared: Shared, says: str
) -> None:
    for number in range(3):
        await shared.add(number)
    other = FakeNetwork(spec=spec("othernet"))
    await shared.add(1, "othernet")
    network, until = FakeNetwork(), shared.clock.now() + 30 * MINUTE
    asked = throttled(Pause(until=until, everybody=True))
    if says == "probe":
        network.probe_answer = Probe(grant=asked)
    else:
        shared.clock.advance(timedelta(days=30))
        asked = throttled(Pause(until=shared.clock.now() + 30 * MINUTE, everybody=True))
        network.refreshed = NetworkError(asked)
    await shared.sweep(network)
    network.asked.clear()
    await shared.add(9)
    await shared.sweep(network, other, after=20 * MINUTE)
    assert network.asked == []
    assert "probe" in other.asked
    network.probe_answer, network.refreshed = Probe(grant=GOOD), None
    await shared.sweep(network, after=11 * MINUTE)
    assert "probe" in network.asked


@pytest.mark.behaviour("D-4")
async def test_a_limit_of_one_login_makes_that_one_wait_and_nobody_else(shared: Shared) -> None:
    one = await shared.add(1)
    network = FakeNetwork(
        probe_answer=Probe(grant=throttled(Pause(until=shared.clock.now() + 30 * MINUTE, everybody=False)))
    )
    await shared.sweep(network)
    network.probe_answer = Probe(grant=GOOD)
    await shared.add(2)
    await shared.sweep(network, after=20 * MINUTE)
    assert network.asked == ["probe", "probe"]
    async with shared.storage.reading() as uow:
        waiting = await uow.authorizations.get(one.organization_id, one.authorization.id)
    assert waiting.next_check_at == shared.clock.now() + 10 * MINUTE


@pytest.mark.behaviour("D-4")
async def test_an_absurd_wait_blinds_nobody_for_longer_than_an_hour_and_a_login_for_a_day(shared: Shared) -> None:
    one, other = await shared.add(1), await shared.add(2)
    never = shared.clock.now() + timedelta(days=9_999)
    network = FakeNetwork(probe_answer=Probe(grant=throttled(Pause(until=never, everybody=True))))
    await shared.sweep(network)
    network.asked.clear()
    await shared.add(3)
    await shared.sweep(network, after=61 * MINUTE)
    assert network.asked == ["probe"], "whoever was not told to wait is asked"
    network.asked.clear()
    network.probe_answer = Probe(grant=GOOD)
    await shared.sweep(network, after=timedelta(days=1, minutes=1))
    assert len(network.asked) >= 2
    async with shared.storage.reading() as uow:
        for seeded in (one, other):
            waiting = await uow.authorizations.get(seeded.organization_id, seeded.authorization.id)
            assert waiting.checked_at == shared.clock.now()


async def test_a_longer_pause_stands(shared: Shared) -> None:
    await shared.add(1)
    now, queues = shared.clock.now(), shared.storage.queues
    for minutes in (10, 30, 20):
        await queues.pause_network("examplenet", until=now + minutes * MINUTE)

    async def leased(minutes: int) -> Sequence[object]:
        return await queues.claim_checks(
            now=now + minutes * MINUTE, limit=5, lease=RULES.lease, networks=["examplenet"]
        )

    assert await leased(29) == []
    assert len(await leased(30)) == 1
