"""Refreshing where a refresh token is good once: killed anywhere, nothing is sent twice unknowingly, and no person is
told that somebody took access away where we lost it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.watch.check import AuthorizationCheck
from bot.watch.outages import OutageGuard
from bot.watch.refreshing import UNANSWERED, Refresher
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.errors import NetworkError
from commands.model import ConnectionState, Evidence, Finding, Lapse, Tokens, Verdict
from commands.ports.network import Expected, Grant, NetworkSpec, Probe
from commands.ports.storage import Storage, StorageError, UnitOfWork
from commands.secret import Secret
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, spec
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0)
HOUR = timedelta(hours=1)
NOT_LONG_BEFORE_THE_END = timedelta(days=30) - timedelta(minutes=5)
REFUSED = Finding(verdict=Verdict.REVOKED, evidence=Evidence(check="token", code="invalid_grant", http_status=400))
ENDED = Finding(verdict=Verdict.REVOKED, evidence=Evidence(check="me", code="revoked", http_status=401))
LOST = Finding(verdict=Verdict.NETWORK_DOWN, evidence=Evidence(check="token", code="ReadTimeout"))


class Killed(BaseException):
    """The process ends here: no code of ours runs after it."""


@dataclass
class Rotating(FakeNetwork):
    """Takes a refresh token once. One that comes again ends everything. Dies or falls silent where it is told to."""

    spec: NetworkSpec = field(default_factory=spec)
    clock: FakeClock = field(default_factory=FakeClock)
    access: str = "seed-access-token"
    good: str = "seed-refresh-token"
    ends_at: datetime | None = None
    is_over: bool = False
    sent: list[str] = field(default_factory=list)
    fails: dict[str, BaseException] = field(default_factory=dict)
    """By the place where it happens, once."""

    async def refresh(self, tokens: Tokens) -> Grant | None:
        assert tokens.refresh is not None
        self._fail("before the network")
        self.sent.append(tokens.refresh.reveal())
        if self.is_over or tokens.refresh.reveal() != self.good:
            self.is_over = True
            raise NetworkError(REFUSED)
        number = len(self.sent)
        self.access, self.good = f"access-{number}", f"refresh-{number}"
        self.ends_at = self.clock.now() + timedelta(hours=2)
        self._fail("after the network")
        fresh = Tokens(
            access=Secret(self.access),
            refresh=Secret(self.good),
            access_expires_at=self.ends_at,
            obtained_at=self.clock.now(),
        )
        return Grant(tokens=fresh)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        self._fail("before the probe")
        is_good = not self.is_over and tokens.access.reveal() == self.access
        return Probe(grant=GOOD if is_good else ENDED)

    def _fail(self, place: str) -> None:
        error = self.fails.pop(place, None)
        if error is not None:
            raise error


@dataclass
class World:
    storage: Storage
    clock: FakeClock
    seeded: Seeded
    network: Rotating

    async def sweep(self, after: timedelta = HOUR) -> None:
        self.clock.advance(after)
        networks = {"examplenet": self.network}
        await Watcher(storage=self.storage, clock=self.clock, networks=networks, rules=RULES).run_once()

    async def killed(self, after: timedelta) -> None:
        """A process that dies in its sweep."""
        with pytest.raises(BaseExceptionGroup) as raised:
            await self.sweep(after)
        assert raised.group_contains(Killed)

    async def tokens(self) -> Tokens:
        async with self.storage.reading() as uow:
            return await uow.authorizations.tokens(self.seeded.organization_id, self.seeded.authorization.id)

    async def lapse(self) -> Lapse | None:
        async with self.storage.reading() as uow:
            view = await uow.connections.view(self.seeded.organization_id, self.seeded.connections[0].id)
        assert view is not None
        assert (view.lapse is None) == (view.connection.state is ConnectionState.ACTIVE)
        return view.lapse


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield World(storage, clock, await seed(storage, clock.now()), Rotating(clock=clock))


@pytest.mark.behaviour("D-3")
@pytest.mark.parametrize("place", ["before the network", "before the probe"])
async def test_a_process_killed_around_a_refresh_costs_nobody_anything(world: World, place: str) -> None:
    """What the network never saw is sent again; what was stored is not."""
    world.network.fails[place] = Killed()
    await world.killed(NOT_LONG_BEFORE_THE_END)
    for _ in range(3):
        await world.sweep()
    assert await world.lapse() is None
    assert len(world.network.sent) == len(set(world.network.sent)) == 2
    assert (await world.tokens()).refresh_begun_at is None


@pytest.mark.behaviour("D-1", "D-3")
async def test_an_answer_lost_with_its_process_is_never_called_taken_away(world: World) -> None:
    """The network changed its side and we never stored ours: only a login helps, and no person did it."""
    world.network.fails["after the network"] = Killed()
    await world.killed(NOT_LONG_BEFORE_THE_END)
    assert (await world.tokens()).refresh_begun_at == world.clock.now()
    await world.sweep()
    found = await world.lapse()
    assert found is not None
    assert (found.cause, found.evidence.code, found.evidence.subcode) == (
        Verdict.EXPIRED,
        "invalid_grant",
        UNANSWERED,
    )


@pytest.mark.behaviour("D-3", "D-4")
async def test_after_an_answer_that_never_came_the_token_is_not_sent_while_access_still_works(world: World) -> None:
    """Sent again it might end what works. Here the network never saw it, and all ends well."""
    world.network.fails["before the network"] = NetworkError(LOST)
    await world.sweep(NOT_LONG_BEFORE_THE_END - HOUR)
    await world.sweep()
    assert world.network.sent == []
    assert await world.lapse() is None
    await world.sweep()
    assert world.network.sent == ["seed-refresh-token"]
    assert await world.lapse() is None
    assert (await world.tokens()).refresh_begun_at is None


@pytest.mark.behaviour("D-1", "D-3")
async def test_a_clear_no_is_believed_as_what_it_says_once_access_has_failed_as_well(world: World) -> None:
    world.network.is_over = True
    await world.sweep(NOT_LONG_BEFORE_THE_END)
    found = await world.lapse()
    assert found is not None
    assert (found.cause, found.evidence) == (Verdict.REVOKED, REFUSED.evidence)
    assert (await world.tokens()).refresh_begun_at is None


@pytest.mark.behaviour("D-3")
async def test_whoever_lost_the_lease_sends_nothing(world: World) -> None:
    """One that slept through its lease would send what another is sending."""
    authorization = world.seeded.authorization
    world.clock.advance(NOT_LONG_BEFORE_THE_END)
    held = await world.storage.queues.claim_check(
        authorization.organization_id, authorization.id, now=world.clock.now(), lease=RULES.lease
    )
    assert held is not None
    await world.sweep(RULES.lease + timedelta(seconds=1))
    await AuthorizationCheck(world.storage, world.clock, RULES, OutageGuard(world.storage, world.clock, RULES)).run(
        held, world.network
    )
    assert world.network.sent == ["seed-refresh-token"]
    assert (await world.tokens()).access.reveal() == "access-1"


@pytest.mark.behaviour("D-3")
async def test_a_token_is_never_sent_under_a_lease_that_somebody_else_has_taken_over(world: World) -> None:
    """Whoever begins a refresh asks the store first, whatever they read before: then the stored tokens are theirs."""
    authorization, old = world.seeded.authorization, await world.tokens()
    world.clock.advance(NOT_LONG_BEFORE_THE_END)
    held = await world.storage.queues.claim_check(
        authorization.organization_id, authorization.id, now=world.clock.now(), lease=RULES.lease
    )
    assert held is not None
    await world.sweep(RULES.lease + timedelta(seconds=1))
    soon = asyncio.get_running_loop().time() + 30
    given = await Refresher(world.storage, world.clock).refresh(held, world.network, old, soon)
    assert given.access.reveal() == "access-1"
    assert world.network.sent == ["seed-refresh-token"]


@pytest.mark.behaviour("D-3")
async def test_a_servers_fault_is_no_answer_since_it_may_come_after_the_token_was_taken(world: World) -> None:
    """A bad gateway in front of a network that spent the token: the refusal that follows is nobody's doing."""

    fault = Evidence(check="token", code="bad_gateway", http_status=502)
    lost = NetworkError(Finding(verdict=Verdict.NETWORK_DOWN, evidence=fault))
    world.network = Rotating(clock=world.clock, fails={"after the network": lost})
    await world.sweep(NOT_LONG_BEFORE_THE_END)
    assert await world.lapse() is None
    assert (await world.tokens()).refresh_begun_at is not None
    await world.sweep()
    found = await world.lapse()
    assert found is not None
    assert (found.cause, found.evidence.subcode) == (Verdict.EXPIRED, UNANSWERED)


@pytest.mark.behaviour("D-3")
async def test_a_refused_refresh_is_judged_by_the_tokens_that_are_stored_by_then(world: World) -> None:
    """A reconnection in the middle of a refresh ended the old tokens; its own work, and nothing lapses."""
    authorization = world.seeded.authorization

    class Reconnected(Rotating):
        async def refresh(self, tokens: Tokens) -> Grant | None:
            self.access, self.good = "from the login", "also from the login"
            fresh = Tokens(access=Secret(self.access), refresh=Secret(self.good), obtained_at=self.clock.now())
            async with world.storage.transaction() as uow:
                await uow.authorizations.replace_grant(authorization, fresh)
            raise NetworkError(REFUSED)

    world.network = Reconnected(clock=world.clock)
    await world.sweep(NOT_LONG_BEFORE_THE_END)
    assert await world.lapse() is None
    assert (await world.tokens()).access.reveal() == "from the login"


@pytest.mark.behaviour("D-3", "R-16")
async def test_a_login_that_brought_no_refresh_token_does_not_keep_the_one_that_was_just_spent(world: World) -> None:
    """A reconnection in the middle of a refresh: its access is kept, and so is what the refresh brought."""
    authorization = world.seeded.authorization

    class Reconnected(Rotating):
        async def refresh(self, tokens: Tokens) -> Grant | None:
            grant = await super().refresh(tokens)
            async with world.storage.transaction() as uow:
                before = await uow.authorizations.tokens(authorization.organization_id, authorization.id)
                await uow.authorizations.replace_grant(authorization, replace(before, access=Secret("from the login")))
            return grant

    world.network = Reconnected(clock=world.clock)
    await world.sweep(NOT_LONG_BEFORE_THE_END)
    stored = await world.tokens()
    assert stored.access.reveal() == "from the login"
    assert stored.refresh == Secret("refresh-1")
    assert stored.refresh_begun_at is None


class Away:
    """A store whose database is out of reach for so many transactions once `left` is set."""

    def __init__(self, storage: Storage) -> None:
        self.directory, self.queues, self.host = storage.directory, storage.queues, storage.host
        self.installations, self.outages, self.reading = storage.installations, storage.outages, storage.reading
        self._storage = storage
        self.left = 0

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        if self.left > 0:
            self.left -= 1
            raise StorageError("the database cannot be reached: ConnectionRefusedError")
        return self._storage.transaction()


async def refreshed_while(world: World, away: Away, *, failures: int) -> Tokens:
    """Refresh the login, the database failing so often from the moment in which the network answered."""
    authorization, old = world.seeded.authorization, await world.tokens()

    class ThenAway(Rotating):
        async def refresh(self, tokens: Tokens) -> Grant | None:
            grant = await super().refresh(tokens)
            away.left = failures
            return grant

    world.clock.advance(NOT_LONG_BEFORE_THE_END)
    held = await world.storage.queues.claim_check(
        authorization.organization_id, authorization.id, now=world.clock.now(), lease=RULES.lease
    )
    assert held is not None
    soon = asyncio.get_running_loop().time() + 30
    return await Refresher(away, world.clock, again_after=0).refresh(held, ThenAway(clock=world.clock), old, soon)


@pytest.mark.behaviour("D-3")
async def test_an_answer_is_stored_although_the_database_was_away_when_it_came(world: World) -> None:
    """A database that starts anew takes seconds; whoever's token was just spent must not have to log in for that."""
    away = Away(world.storage)
    given = await refreshed_while(world, away, failures=30)
    assert given.access.reveal() == (await world.tokens()).access.reveal() == "access-1"
    assert (away.left, (await world.tokens()).refresh_begun_at) == (0, None)


@pytest.mark.behaviour("D-3")
async def test_an_answer_that_cannot_be_stored_is_let_go_in_the_end(world: World) -> None:
    """What was written down before it was asked for stays: a refusal that follows is nobody's doing."""
    with pytest.raises(StorageError):
        await refreshed_while(world, Away(world.storage), failures=1_000_000)
    assert (await world.tokens()).refresh_begun_at == world.clock.now()
