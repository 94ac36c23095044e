"""A network's own outage is told from lapses: opened and closed by itself, whoever looks, and the network is spared."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.watch.outages import OutageGuard, answers, fails, pause, portion
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.ids import AuthorizationId, ConnectionId, new_id
from commands.model import Authorization, Connection, ConnectionState, Evidence, Finding, Tokens, Verdict
from commands.ports.network import Expected, Probe
from commands.ports.outages import Outage
from commands.ports.storage import NetworkHealth, Storage
from commands.secret import Secret
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.outages import an_outage
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NET = "examplenet"


@dataclass
class Moody(FakeNetwork):
    """Answers each login as its mood is."""

    moods: dict[str, Finding] = field(default_factory=dict)
    usual: Finding = GOOD

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        self.asked.append("probe")
        return Probe(grant=self.moods.get(tokens.access.reveal(), self.usual))

    def asked_since(self) -> int:
        number = len(self.asked)
        self.asked.clear()
        return number


@dataclass
class World:
    """A store with one organization, and a network with moods."""

    storage: Storage
    clock: FakeClock
    seeded: Seeded
    network: Moody = field(default_factory=Moody)
    logins: list[AuthorizationId] = field(default_factory=list)
    process: Watcher | None = None

    async def add(self, number: int) -> None:
        """Add logins with an account each, due now. Their names are their numbers."""
        now = self.clock.now()
        async with self.storage.transaction() as uow:
            for _ in range(number):
                name = str(len(self.logins))
                login = self._login(name, now)
                await uow.authorizations.add(login, Tokens(access=Secret(name), obtained_at=now))
                assert await uow.connections.add(self._account(login, name))
                self.logins.append(login.id)

    def _login(self, name: str, now: datetime) -> Authorization:
        return replace(
            self.seeded.authorization,
            id=AuthorizationId(new_id(now)),
            subject_id=name,
            obtained_at=now - HOUR,
            checked_at=now - HOUR,
            next_check_at=now,
        )

    def _account(self, login: Authorization, name: str) -> Connection:
        seeded = self.seeded.connections[0]
        return replace(
            seeded, id=ConnectionId(new_id(self.clock.now())), account_id=f"of-{name}", authorization_id=login.id
        )

    def watcher(self, rules: WatchRules = RULES) -> Watcher:
        return Watcher(storage=self.storage, clock=self.clock, networks={NET: self.network}, rules=rules)

    async def sweep(self, after: timedelta = 5 * MINUTE) -> int:
        """Let time pass, look as a new process does, and say how often the network was asked."""
        self.clock.advance(after)
        await self.watcher().run_once()
        return self.network.asked_since()

    async def until(self, reached: Callable[[Sequence[Outage]], bool], *, most: int = 80) -> None:
        """Look every minute until it is so."""
        for _ in range(most):
            if reached(await self.storage.outages.standing()):
                return
            await self.sweep(MINUTE)
        raise AssertionError(f"not so after {most} minutes: {await self.storage.outages.standing()}")

    async def lapsed(self) -> int:
        async with self.storage.reading() as uow:
            found = [await uow.connections.under(self.seeded.organization_id, login) for login in self.logins]
        return sum(view.connection.state is ConnectionState.LAPSED for views in found for view in views)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield World(storage, clock, await seed(storage, clock.now(), connections=1))


@contextmanager
def health_looks() -> Iterator[list[str]]:
    """The looks at a network's health meanwhile."""
    looks: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "latest" in statement:
            looks.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield looks
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def unclear(region: str = "") -> Finding:
    return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="fake", code="never seen", region=region))


def still(outages: Sequence[Outage]) -> bool:
    return any(one.ended_at is None for one in outages)


def recovering(outages: Sequence[Outage]) -> bool:
    return any(one.ended_at is not None for one in outages)


def nothing(outages: Sequence[Outage]) -> bool:
    return not outages


@pytest.mark.behaviour("X-3")
@pytest.mark.parametrize(
    ("checked", "failing", "begins", "ends"),
    [
        (0, 0, False, False),
        (4, 4, False, False),
        (5, 5, True, False),
        (8, 5, True, False),
        (9, 5, False, False),
        (25, 23, True, False),
        (5, 2, False, True),
        (3, 0, False, True),
        (2, 0, False, False),
        (10, 4, False, True),
        (10, 5, False, False),
        (1000, 599, False, False),
        (1000, 600, True, False),
    ],
)
def test_an_outage_begins_at_many_failures_and_ends_at_clearly_fewer(
    checked: int, failing: int, begins: bool, ends: bool
) -> None:
    health = NetworkHealth(checked=checked, failing=failing)
    assert (fails(health, RULES), answers(health, RULES)) == (begins, ends)


def test_what_opens_an_outage_never_ends_it() -> None:
    for checked in range(60):
        for failing in range(checked + 1):
            health = NetworkHealth(checked=checked, failing=failing)
            assert not (fails(health, RULES) and answers(health, RULES))


@pytest.mark.behaviour("D-4")
def test_turns_come_ever_later_while_it_fails_and_ever_larger_while_it_recovers() -> None:
    outage = an_outage(FakeClock().now())
    failing = [replace(outage, turns=turns) for turns in range(5)]
    assert [pause(one, RULES) / MINUTE for one in failing] == [5, 10, 20, 20, 20]
    assert {portion(one, RULES) for one in failing} == {10}
    returning = [replace(one, ended_at=one.opened_at) for one in failing]
    assert [portion(one, RULES) for one in returning] == [10, 20, 40, 80, 160]
    assert {pause(one, RULES) for one in returning} == {RULES.outage_turn}


@pytest.mark.behaviour("D-4", "X-3")
async def test_while_a_network_fails_only_a_few_are_asked_and_nothing_lapses(world: World) -> None:
    await world.add(40)
    world.network.usual = unclear()
    assert await world.sweep(timedelta(0)) == 40
    await world.sweep()
    (outage,) = await world.storage.outages.standing()
    assert (outage.network, outage.region, outage.failing >= 5) == (NET, "", True)
    asked = [await world.sweep() for _ in range(24)]
    assert sum(asked) <= 8 * RULES.outage_sample, f"in two hours, of {len(world.logins)} logins: {asked}"
    assert max(asked) == RULES.outage_sample
    assert await world.lapsed() == 0
    assert [one.id for one in await world.storage.outages.standing()] == [outage.id]


@pytest.mark.behaviour("X-3")
async def test_it_closes_by_itself_and_those_who_waited_come_back_bit_by_bit(world: World) -> None:
    await world.add(120)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    await world.sweep(HOUR)
    world.network.asked_since()
    world.network.usual = GOOD
    await world.until(recovering)
    world.network.asked_since()
    asked = [await world.sweep(timedelta(seconds=30)) for _ in range(6)]
    assert asked[:2] == [2 * RULES.outage_sample, 4 * RULES.outage_sample]
    await world.until(nothing)
    await world.sweep(HOUR)
    assert await world.lapsed() == 0
    health = await world.storage.queues.network_health(NET, since=world.clock.now() - 2 * HOUR)
    assert (health.checked >= len(world.logins), health.failing) == (True, 0)


@pytest.mark.behaviour("X-3", "D-5")
async def test_what_still_is_refused_when_it_is_over_lapses_after_looks_of_its_own(world: World) -> None:
    await world.add(20)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    world.network.usual = GOOD
    world.network.moods = {"3": unclear(), "4": unclear()}
    await world.until(nothing)
    assert await world.lapsed() == 0
    for _ in range(12):
        await world.sweep()
    assert await world.lapsed() == 2


@pytest.mark.behaviour("X-3", "D-5")
async def test_a_real_mass_revocation_opens_lapses_at_once_and_no_outage(world: World) -> None:
    await world.add(60)
    world.network.usual = finding(Verdict.REVOKED)
    await world.sweep(timedelta(0))
    await world.add(20)  # who fails now looks at how the sixty fared
    await world.sweep()
    assert await world.storage.outages.standing() == []
    assert await world.lapsed() == 80


@pytest.mark.behaviour("X-3")
async def test_in_a_mix_what_is_clear_lapses_and_what_is_unclear_is_held(world: World) -> None:
    await world.add(20)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    world.network.moods = {str(number): finding(Verdict.REVOKED) for number in range(5)}
    for _ in range(30):
        await world.sweep()
    assert await world.lapsed() == 5


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.OUR_FAULT])
async def test_a_rate_limit_and_our_own_fault_are_no_outage_to_be_told(world: World, verdict: Verdict) -> None:
    await world.add(12)
    world.network.usual = finding(verdict)
    for _ in range(6):
        await world.sweep()
    assert await world.storage.outages.standing() == []
    assert await world.lapsed() == 0


@pytest.mark.behaviour("D-4", "X-3")
async def test_a_network_that_is_down_is_in_an_outage(world: World) -> None:
    await world.add(12)
    world.network.usual = finding(Verdict.NETWORK_DOWN)
    await world.sweep(timedelta(0))
    await world.sweep()
    assert len(await world.storage.outages.standing()) == 1


@pytest.mark.behaviour("X-3", "D-5")
async def test_refusals_that_last_too_long_are_lapses_after_all_and_one_outage(world: World) -> None:
    await world.add(12)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    (outage,) = await world.storage.outages.standing()
    for _ in range(24):
        await world.sweep(HOUR)
    for _ in range(12):
        await world.sweep(10 * MINUTE)
    assert await world.lapsed() == 12
    assert [one.id for one in await world.storage.outages.standing()] == [outage.id], "no second one is opened"
    world.network.usual = GOOD
    for _ in range(20):
        await world.sweep(HOUR)
    assert await world.storage.outages.standing() == []
    assert await world.lapsed() == 0


@pytest.mark.behaviour("X-3")
async def test_a_network_that_fails_again_before_it_is_over_is_in_the_same_outage(world: World) -> None:
    await world.add(60)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    (first,) = await world.storage.outages.standing()
    world.network.usual = GOOD
    await world.until(recovering)
    world.network.usual = unclear()
    await world.until(still)
    (again,) = await world.storage.outages.standing()
    assert (again.id, again.opened_at) == (first.id, first.opened_at)
    assert await world.lapsed() == 0


@pytest.mark.behaviour("X-3")
async def test_it_closes_also_when_nothing_is_checked_any_more(world: World) -> None:
    await world.add(8)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    assert len(await world.storage.outages.standing()) == 1
    guard = OutageGuard(world.storage, world.clock, RULES)
    for _ in range(2):
        world.clock.advance(2 * HOUR)
        await guard.look()
    assert await world.storage.outages.standing() == []


@pytest.mark.behaviour("X-3")
async def test_a_region_fails_by_itself_and_the_others_are_watched_on(world: World) -> None:
    await world.add(30)
    north = {
        str(number): replace(GOOD, evidence=Evidence(check="fake", region="North America")) for number in range(20)
    }
    world.network.moods = north
    world.network.usual = unclear("Europe")
    await world.sweep(timedelta(0))
    for _ in range(8):
        await world.sweep()
    (outage,) = await world.storage.outages.standing()
    assert outage.region == "Europe"
    assert await world.lapsed() == 0
    world.network.moods["0"] = finding(Verdict.REVOKED)
    await world.sweep(HOUR)
    assert await world.lapsed() == 1, "where nothing fails the watch goes on"


@pytest.mark.behaviour("X-3")
async def test_processes_that_look_at_once_open_one_outage_and_take_one_turn(world: World) -> None:
    await world.add(40)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    for after in (5 * MINUTE, 5 * MINUTE):
        world.clock.advance(after)
        world.network.asked_since()
        await asyncio.gather(*(world.watcher().run_once() for _ in range(4)))
    assert world.network.asked_since() == RULES.outage_sample
    assert len(await world.storage.outages.standing()) == 1
    assert await world.lapsed() == 0
    world.network.usual = GOOD
    for _ in range(40):
        world.clock.advance(MINUTE)
        await asyncio.gather(*(world.watcher().run_once() for _ in range(4)))
    assert await world.storage.outages.standing() == []


@pytest.mark.behaviour("X-3")
async def test_failing_checks_share_their_looks_at_the_networks_health(world: World) -> None:
    await world.add(60)
    world.network.usual = unclear()
    with health_looks() as looks:
        assert await world.sweep(timedelta(0)) == 60
    assert len(looks) <= 2


@pytest.mark.behaviour("X-3")
async def test_while_all_is_well_health_is_not_looked_at(world: World) -> None:
    await world.add(20)
    with health_looks() as looks:
        assert await world.sweep(timedelta(0)) == 20
    assert looks == []


@pytest.mark.behaviour("X-3")
async def test_a_turn_that_a_process_took_and_died_with_is_followed_by_the_next(world: World) -> None:
    await world.add(20)
    world.network.usual = unclear()
    await world.sweep(timedelta(0))
    await world.sweep()
    world.clock.advance(5 * MINUTE)
    dying = OutageGuard(world.storage, world.clock, RULES)
    await dying.look()
    assert await dying.turn(NET) == RULES.outage_sample
    assert await world.sweep(MINUTE) == 0, "it is nobody's turn"
    world.network.usual = GOOD
    await world.until(nothing)
    assert await world.lapsed() == 0
