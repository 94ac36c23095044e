"""Asking a login whether it reads accounts that hang on another one: nothing is written (A-6, R-7)."""

from collections.abc import AsyncIterator

import pytest

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.model import Parent, Verdict
from commands.ports.network import Expected, Network, Probe
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.seed import fresh_storage, seed

ACCOUNTS = [Expected(account_id=one, parent=Parent(id="8002", name="Brio")) for one in ("a", "b", "c")]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def proved(storage: SqlStorage, clock: FakeClock, answer: Probe, *, set_up: bool = True) -> frozenset[str]:
    seeded = await seed(storage, clock.now())
    networks: dict[str, Network] = {"examplenet": FakeNetwork(probe_answer=answer)} if set_up else {}
    watcher = Watcher(storage=storage, clock=clock, networks=networks, rules=WatchRules())
    found = await watcher.prove(seeded.organization_id, seeded.authorization.id, ACCOUNTS)
    async with storage.reading() as uow:
        after = await uow.authorizations.get(seeded.organization_id, seeded.authorization.id)
    assert after == seeded.authorization, "nothing is written"
    return found


@pytest.mark.behaviour("R-7")
async def test_only_what_the_network_proves_readable_counts(storage: SqlStorage, clock: FakeClock) -> None:
    answer = Probe(grant=GOOD, accounts={"a": GOOD, "b": finding(Verdict.ACCOUNT_GONE), "c": finding(Verdict.UNCLEAR)})
    assert await proved(storage, clock, answer) == {"a"}


@pytest.mark.behaviour("R-7")
async def test_a_login_that_does_not_work_proves_nothing(storage: SqlStorage, clock: FakeClock) -> None:
    answer = Probe(grant=finding(Verdict.REVOKED), accounts={"a": GOOD})
    assert await proved(storage, clock, answer) == frozenset()


async def test_a_network_that_is_not_set_up_proves_nothing(storage: SqlStorage, clock: FakeClock) -> None:
    assert await proved(storage, clock, Probe(grant=GOOD), set_up=False) == frozenset()
