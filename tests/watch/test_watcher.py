"""The watch over a real store, on both databases: what it finds is written once, whoever else is looking."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.watch.check import AuthorizationCheck
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.errors import NetworkError
from commands.model import ConnectionState, LapseEnd, Tokens, Verdict
from commands.ports.network import Grant, Probe
from commands.ports.notices import Event, EventKind
from commands.ports.storage import Storage
from commands.secret import Secret
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0)
HOUR = timedelta(hours=1)


@dataclass
class World:
    """A store with one organization of two accounts under one authorization, and a network that answers as told."""

    storage: Storage
    clock: FakeClock
    seeded: Seeded
    network: FakeNetwork = field(default_factory=FakeNetwork)

    def watcher(self) -> Watcher:
        return Watcher(storage=self.storage, clock=self.clock, networks={"examplenet": self.network}, rules=RULES)

    async def sweep(self, verdict: Verdict | None = None, after: timedelta = HOUR) -> int:
        """Let time pass, let the network say `verdict` from now on, and look at what is due."""
        if verdict is not None:
            self.network.probe_answer = Probe(grant=finding(verdict))
        self.clock.advance(after)
        return await self.watcher().run_once()

    async def states(self) -> list[ConnectionState]:
        async with self.storage.reading() as uow:
            found = [
                await uow.connections.get(self.seeded.organization_id, connection.id)
                for connection in self.seeded.connections
            ]
        return [connection.state for connection in found]

    async def events(self) -> list[Event]:
        due = await self.storage.queues.due_events(now=self.clock.now() + HOUR, gather=timedelta(0), limit=100)
        return [event for batch in due for event in batch.events]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield World(storage, clock, await seed(storage, clock.now()))


@pytest.mark.behaviour("D-1", "D-5")
async def test_a_clear_refusal_opens_the_lapses_of_an_authorization_together_with_their_evidence(world: World) -> None:
    assert await world.sweep(Verdict.REVOKED) == 1
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]
    events = await world.events()
    assert [event.kind for event in events] == [EventKind.LAPSE_OPENED] * 2
    async with world.storage.reading() as uow:
        lapse = await uow.lapses.get(world.seeded.organization_id, events[0].lapse_id)  # type: ignore[arg-type]  # opened events name their lapse
    assert lapse is not None
    assert (lapse.cause, lapse.evidence.check) == (Verdict.REVOKED, "fake")
    assert lapse.last_good_at == world.seeded.authorization.last_good_at


async def test_what_is_not_due_is_left_alone_and_what_is_lapsed_is_told_once(world: World) -> None:
    assert await world.sweep(Verdict.REVOKED, after=timedelta(minutes=30)) == 0
    assert await world.sweep(after=timedelta(minutes=30)) == 1
    assert await world.sweep() == 1
    assert len(await world.events()) == 2


@pytest.mark.behaviour("D-4")
async def test_an_outage_and_our_own_faults_open_nothing_however_long_they_last(world: World) -> None:
    for verdict in (Verdict.NETWORK_DOWN, Verdict.THROTTLED, Verdict.OUR_FAULT):
        for _ in range(5):
            await world.sweep(verdict)
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    assert await world.events() == []


@pytest.mark.behaviour("D-5")
async def test_an_unclear_failure_is_told_after_its_third_look_fifteen_minutes_on(world: World) -> None:
    await world.sweep(Verdict.UNCLEAR)
    await world.sweep(after=timedelta(minutes=5))
    await world.sweep(after=timedelta(minutes=5))
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    await world.sweep(after=timedelta(minutes=5))
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]


@pytest.mark.behaviour("D-4")
async def test_unclear_failures_of_most_of_a_network_at_once_are_its_own_and_open_nothing(world: World) -> None:
    for number in range(5):
        await seed(
            world.storage,
            world.clock.now(),
            name=f"Other {number}",
            slack_team=f"T{number}x",
            discord_server=f"D{number}x",
        )
    await world.sweep(Verdict.UNCLEAR)
    for _ in range(4):
        await world.sweep(after=timedelta(minutes=5))
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    assert await world.events() == []


@pytest.mark.behaviour("D-6")
async def test_a_connection_that_works_again_by_itself_ends_its_lapse_at_the_next_good_probe(world: World) -> None:
    await world.sweep(Verdict.REVOKED)
    await world.sweep(Verdict.HEALTHY)
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    assert [event.kind for event in await world.events()] == [EventKind.LAPSE_OPENED] * 2 + [EventKind.LAPSE_ENDED] * 2
    async with world.storage.reading() as uow:
        ended = await uow.lapses.last_ended(world.seeded.organization_id, world.seeded.connections[0].id)
    assert ended is not None
    assert (ended.ended_how, ended.ended_by) == (LapseEnd.RECOVERED, None)


@pytest.mark.behaviour("D-6")
async def test_one_that_flaps_does_not_open_again_within_fifteen_minutes(world: World) -> None:
    await world.sweep(Verdict.REVOKED)
    await world.sweep(Verdict.HEALTHY)
    organization, authorization = world.seeded.organization_id, world.seeded.authorization.id
    world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    world.clock.advance(timedelta(minutes=14))
    assert await world.watcher().check(organization, authorization)
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    world.clock.advance(timedelta(minutes=1))
    assert await world.watcher().check(organization, authorization)
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]


@pytest.mark.behaviour("D-3")
async def test_tokens_near_their_end_are_refreshed_and_stored_before_they_are_used(world: World) -> None:
    now = world.clock.now()
    fresh = Tokens(access=Secret("newer"), refresh=Secret("newer-refresh"), obtained_at=now + timedelta(days=30))
    world.network.refreshed = Grant(tokens=fresh)
    await world.sweep(after=timedelta(days=30) - timedelta(minutes=5))
    assert world.network.asked == ["refresh", "probe"]
    async with world.storage.reading() as uow:
        stored = await uow.authorizations.tokens(world.seeded.organization_id, world.seeded.authorization.id)
    assert stored.access.reveal() == "newer"
    assert stored.refresh is not None
    assert stored.refresh.reveal() == "newer-refresh"


@pytest.mark.behaviour("D-3")
async def test_sixteen_lookers_at_once_refresh_once(world: World) -> None:
    world.clock.advance(timedelta(days=30) - timedelta(minutes=5))
    world.network.refreshed = Grant(
        tokens=replace(world.seeded.tokens, obtained_at=world.clock.now(), access_expires_at=None)
    )
    await asyncio.gather(*(world.watcher().run_once() for _ in range(16)))
    assert world.network.asked.count("refresh") == 1


@pytest.mark.behaviour("D-3")
async def test_a_failed_refresh_is_believed_only_when_the_access_that_it_would_renew_fails_as_well(
    world: World,
) -> None:
    world.network.refreshed = NetworkError(finding(Verdict.EXPIRED, "invalid_grant"))
    await world.sweep(Verdict.HEALTHY, after=timedelta(days=30) - timedelta(minutes=5))
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    await world.sweep(Verdict.UNCLEAR)
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]
    async with world.storage.reading() as uow:
        view = await uow.connections.view(world.seeded.organization_id, world.seeded.connections[0].id)
    assert view is not None
    assert view.lapse is not None
    assert (view.lapse.cause, view.lapse.evidence.code) == (Verdict.EXPIRED, "invalid_grant")


@pytest.mark.behaviour("D-8")
async def test_a_check_on_request_looks_now_due_or_not_and_writes_what_it_finds(world: World) -> None:
    world.network.probe_answer = Probe(grant=GOOD, accounts={"acct-1": finding(Verdict.ACCOUNT_MOVED)})
    assert await world.watcher().check(world.seeded.organization_id, world.seeded.authorization.id)
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.ACTIVE]


async def test_a_check_whose_lease_was_lost_writes_nothing(world: World) -> None:
    organization, authorization = world.seeded.organization_id, world.seeded.authorization.id
    queues, now = world.storage.queues, world.clock.now()
    held = await queues.claim_check(organization, authorization, now=now, lease=RULES.lease)
    assert held is not None
    assert not await world.watcher().check(organization, authorization)
    world.clock.advance(RULES.lease + timedelta(seconds=1))
    world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    assert await world.watcher().check(organization, authorization)
    world.network.probe_answer = Probe(grant=GOOD)
    slept_through = AuthorizationCheck(world.storage, world.clock, RULES)
    assert await slept_through.run(held, world.network) is None
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]


async def test_a_network_that_breaks_our_code_harms_no_other_check(world: World) -> None:
    other = await seed(
        world.storage, world.clock.now(), name="Other", slack_team="T9", discord_server="D9", network="brokennet"
    )

    class Broken(FakeNetwork):
        async def probe(self, tokens: Tokens, expected: object) -> Probe:
            raise ZeroDivisionError

    networks = {"examplenet": world.network, "brokennet": Broken()}
    world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    world.clock.advance(HOUR)
    watcher = Watcher(storage=world.storage, clock=world.clock, networks=networks, rules=RULES)
    assert await watcher.run_once() == 2
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]
    assert other.connections
