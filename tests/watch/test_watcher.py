"""The watch over a real store, on both databases: what it finds is written once, whoever else is looking."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.watch.check import AuthorizationCheck
from bot.watch.outages import OutageGuard
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.errors import NetworkError
from commands.ids import AuthorizationId, new_id
from commands.model import ConnectionState, Evidence, Finding, Lapse, LapseEnd, Parent, Tokens, Verdict
from commands.ports.checker import CheckResult
from commands.ports.events import Event, EventKind
from commands.ports.network import Expected, Grant, Probe
from commands.ports.storage import Storage
from commands.secret import Secret
from storage.engine import maintenance_engine
from storage.tables import authorizations
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


async def another(world: World, number: int, network: str = "examplenet") -> Seeded:
    """One more organization of the same kind."""
    return await seed(
        world.storage,
        world.clock.now(),
        name=f"Other {number}",
        slack_team=f"T{number}x",
        discord_server=f"D{number}x",
        network=network,
    )


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
@pytest.mark.parametrize("account_alone", [False, True])
async def test_unclear_failures_of_most_of_a_network_at_once_are_its_own_and_open_nothing(
    world: World, account_alone: bool
) -> None:
    for number in range(5):
        await another(world, number)
    if account_alone:
        world.network.probe_answer = Probe(grant=GOOD, accounts={"acct-1": finding(Verdict.UNCLEAR)})
        await world.sweep()
    else:
        await world.sweep(Verdict.UNCLEAR)
    for _ in range(5):
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
    assert await world.watcher().check(organization, authorization) is CheckResult.CHECKED
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    # Not a whole interval later: as soon as it may be told.
    assert await world.sweep(after=timedelta(minutes=1)) == 1
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


BARE_401 = Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="fake", code="401", http_status=401))
"""What networks say that do not tell why access is refused."""


@pytest.mark.behaviour("D-3", "D-5")
async def test_a_refusal_that_explains_nothing_is_settled_by_a_refresh_at_once(world: World) -> None:
    world.network.probe_answer = Probe(grant=BARE_401)
    world.network.refreshed = NetworkError(finding(Verdict.REVOKED, "invalid_grant"))
    await world.sweep()
    assert world.network.asked == ["probe", "refresh"]
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.LAPSED]


@pytest.mark.behaviour("D-3", "D-5")
async def test_access_that_only_aged_is_renewed_and_looked_at_again_before_anyone_is_told(world: World) -> None:
    class Aged(FakeNetwork):
        async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
            self.asked.append("probe")
            return Probe(grant=GOOD if tokens.access.reveal() == "newer" else BARE_401)

    world.network = Aged(refreshed=Grant(tokens=replace(world.seeded.tokens, access=Secret("newer"))))
    await world.sweep()
    assert world.network.asked == ["probe", "refresh", "probe"]
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]


@pytest.mark.behaviour("D-4")
async def test_access_that_ages_while_the_login_cannot_be_reached_opens_nothing(world: World) -> None:
    world.network.probe_answer = Probe(grant=BARE_401)
    world.network.refreshed = NetworkError(finding(Verdict.NETWORK_DOWN, "503"))
    for _ in range(5):
        await world.sweep()
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]


@pytest.mark.behaviour("D-8")
async def test_a_check_on_request_looks_now_due_or_not_and_writes_what_it_finds(world: World) -> None:
    world.network.probe_answer = Probe(grant=GOOD, accounts={"acct-1": finding(Verdict.ACCOUNT_MOVED)})
    checked = await world.watcher().check(world.seeded.organization_id, world.seeded.authorization.id)
    assert checked is CheckResult.CHECKED
    assert await world.states() == [ConnectionState.LAPSED, ConnectionState.ACTIVE]


async def test_a_check_whose_lease_was_lost_writes_nothing(world: World) -> None:
    organization, authorization = world.seeded.organization_id, world.seeded.authorization.id
    queues, now = world.storage.queues, world.clock.now()
    held = await queues.claim_check(organization, authorization, now=now, lease=RULES.lease)
    assert held is not None
    assert await world.watcher().check(organization, authorization) is CheckResult.BUSY
    world.clock.advance(RULES.lease + timedelta(seconds=1))
    world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    assert await world.watcher().check(organization, authorization) is CheckResult.CHECKED
    world.network.probe_answer = Probe(grant=GOOD)
    slept_through = AuthorizationCheck(
        world.storage, world.clock, RULES, OutageGuard(world.storage, world.clock, RULES)
    )
    assert await slept_through.run(held, world.network) is CheckResult.BUSY
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


async def open_lapse(world: World) -> Lapse:
    async with world.storage.reading() as uow:
        view = await uow.connections.view(world.seeded.organization_id, world.seeded.connections[0].id)
    assert view is not None
    assert view.lapse is not None
    return view.lapse


@pytest.mark.behaviour("D-1", "R-7")
async def test_the_cause_of_an_open_lapse_follows_what_the_network_says_and_notices_are_redrawn(world: World) -> None:
    await world.sweep(Verdict.REVOKED)
    moved = replace(
        finding(Verdict.ACCOUNT_MOVED).evidence, http_status=200, moved_to=Parent(id="7002", name="Acme West")
    )
    world.network.probe_answer = Probe(
        grant=GOOD, accounts={"acct-1": Finding(verdict=Verdict.ACCOUNT_MOVED, evidence=moved), "acct-2": GOOD}
    )
    await world.sweep()
    assert (await open_lapse(world)).cause is Verdict.ACCOUNT_MOVED
    assert (await open_lapse(world)).evidence == moved
    changed = [event for event in await world.events() if event.kind is EventKind.LAPSE_CHANGED]
    assert [event.lapse_id for event in changed] == [(await open_lapse(world)).id]


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("verdict", [Verdict.REVOKED, Verdict.UNCLEAR, Verdict.NETWORK_DOWN])
async def test_the_same_cause_again_and_what_is_not_clear_leave_an_open_lapse_as_it_is(
    world: World, verdict: Verdict
) -> None:
    await world.sweep(Verdict.REVOKED)
    before = await open_lapse(world)
    evidence = replace(finding(verdict).evidence, check="another question", http_status=500)
    world.network.probe_answer = Probe(grant=Finding(verdict=verdict, evidence=evidence))
    await world.sweep()
    assert await open_lapse(world) == before
    assert [event.kind for event in await world.events()] == [EventKind.LAPSE_OPENED] * 2


@pytest.mark.behaviour("R-16")
async def test_what_was_reconnected_under_another_login_during_a_check_is_left_alone_by_it(world: World) -> None:
    old, connection, now = world.seeded.authorization, world.seeded.connections[0], world.clock.now()
    due = await world.storage.queues.claim_check(old.organization_id, old.id, now=now, lease=RULES.lease)
    assert due is not None
    other = replace(old, id=AuthorizationId(new_id(now)), subject_id="subject-raj", connector_id=world.seeded.raj.id)
    async with world.storage.transaction() as uow:
        await uow.authorizations.add(other, world.seeded.tokens)
        await uow.connections.attach(
            old.organization_id,
            connection.id,
            authorization_id=other.id,
            connector_id=world.seeded.raj.id,
            account_name=connection.account_name,
            parent=None,
            good_at=now,
        )
    world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    await AuthorizationCheck(world.storage, world.clock, RULES, OutageGuard(world.storage, world.clock, RULES)).run(
        due, world.network
    )
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.LAPSED]


@pytest.mark.behaviour("D-3", "D-4")
@pytest.mark.parametrize("verdict", [Verdict.NETWORK_DOWN, Verdict.THROTTLED, Verdict.OUR_FAULT])
async def test_a_refused_refresh_opens_no_lapse_while_the_access_itself_cannot_be_asked_about(
    world: World, verdict: Verdict
) -> None:
    world.network.refreshed = NetworkError(finding(Verdict.EXPIRED, "invalid_grant"))
    await world.sweep(verdict, after=timedelta(days=30) - timedelta(minutes=5))
    assert world.network.asked == ["refresh", "probe"]
    assert await world.states() == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]


@pytest.mark.behaviour("D-3")
async def test_the_loser_of_a_race_to_refresh_goes_on_with_the_winners_tokens(world: World) -> None:
    authorization, probed = world.seeded.authorization, []
    theirs = replace(world.seeded.tokens, access=Secret("theirs"))

    class Raced(FakeNetwork):
        async def refresh(self, tokens: Tokens) -> Grant | None:
            async with world.storage.transaction() as uow:
                assert await uow.authorizations.store_refreshed(
                    authorization.organization_id,
                    authorization.id,
                    tokens=theirs,
                    ends_at=None,
                    generation=authorization.generation,
                )
            return Grant(tokens=replace(theirs, access=Secret("ours")))

        async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
            probed.append(tokens.access.reveal())
            return self.probe_answer

    world.network = Raced()
    await world.sweep(after=timedelta(days=30) - timedelta(minutes=5))
    assert probed == ["theirs"]
    async with world.storage.reading() as uow:
        stored = await uow.authorizations.tokens(authorization.organization_id, authorization.id)
    assert stored.access.reveal() == "theirs"


@pytest.mark.behaviour("D-8")
async def test_without_credentials_for_its_network_nothing_is_checked_and_nobody_kept_from_checking(
    world: World,
) -> None:
    organization, authorization = world.seeded.organization_id, world.seeded.authorization.id
    bare = Watcher(storage=world.storage, clock=world.clock, networks={}, rules=RULES)
    assert await bare.check(organization, authorization) is CheckResult.NOT_POSSIBLE
    assert await world.watcher().check(organization, authorization) is CheckResult.CHECKED


@pytest.mark.behaviour("D-8")
async def test_tokens_that_cannot_be_read_are_not_called_busy_and_keep_nobody_from_checking(
    world: World, database_url: str
) -> None:
    organization, authorization = world.seeded.organization_id, world.seeded.authorization.id
    engine = maintenance_engine(database_url)
    async with engine.begin() as damaging:
        await damaging.execute(update(authorizations).values(access_token="v1.test.moved.elsewhere"))
    await engine.dispose()
    assert await world.watcher().check(organization, authorization) is CheckResult.NOT_POSSIBLE
    assert world.network.asked == []
    async with world.storage.reading() as uow:
        after = await uow.authorizations.get(organization, authorization)
    assert (after.last_good_at, after.doubt) == (world.seeded.authorization.last_good_at, None)
    now = world.clock.now()
    assert await world.storage.queues.claim_check(organization, authorization, now=now, lease=RULES.lease) is not None
