"""What a store remembers of networks' outages, on both databases: one stands, one process moves it, each
organization is told once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AuthorizationId, OrganizationId, OutageId, new_id
from commands.model import ConnectionState
from commands.ports.connections import CheckRecord
from commands.ports.outages import Concerned, Outage
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.outages import an_outage
from tests.support.seed import Seeded, fresh_storage, seed

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def fails(storage: SqlStorage, seeded: Seeded, clock: FakeClock, *, region: str = "") -> None:
    """A check of the organization's login fails."""
    now, own = clock.now(), seeded.authorization
    due = await storage.queues.claim_check(seeded.organization_id, own.id, now=now, lease=MINUTE)
    assert due is not None
    record = CheckRecord(
        checked_at=now, next_check_at=now, good=False, doubt=None, ends_at=None, region=region, failing_since=now
    )
    async with storage.transaction() as uow:
        assert await uow.authorizations.record_check(seeded.organization_id, own.id, due.term, record)


async def tell(storage: SqlStorage, organization_id: OrganizationId, outage: Outage, failing: int, at: int) -> bool:
    now = outage.opened_at + at * MINUTE
    async with storage.transaction() as uow:
        return await uow.outages.tell(organization_id, outage.id, failing=failing, now=now, apart=5 * MINUTE)


def once(outcomes: Sequence[bool]) -> bool:
    return sorted(outcomes) == [*[False] * (len(outcomes) - 1), True]


@pytest.mark.behaviour("X-3")
async def test_of_several_that_open_one_stands(storage: SqlStorage, clock: FakeClock) -> None:
    made = [an_outage(clock.now()) for _ in range(8)]
    assert once(await asyncio.gather(*(storage.outages.open(one) for one in made)))
    assert await storage.outages.open(an_outage(clock.now(), network="other"))
    assert await storage.outages.open(an_outage(clock.now(), region="Europe"))
    standing = await storage.outages.standing()
    assert sorted((one.network, one.region) for one in standing) == [
        ("examplenet", ""),
        ("examplenet", "Europe"),
        ("other", ""),
    ]
    assert [one for one in standing if one in made] == [one for one in made if one in standing]


@pytest.mark.behaviour("X-3")
async def test_each_step_is_taken_by_one_process(storage: SqlStorage, clock: FakeClock) -> None:
    outage, now = an_outage(clock.now()), clock.now()
    assert await storage.outages.open(outage)
    ask = storage.outages

    async def all_at_once(step: str) -> bool:
        match step:
            case "turn":
                calls = [ask.take_turn(outage.id, turns=0, at=now, next_at=now + MINUTE) for _ in range(6)]
            case "recover":
                calls = [ask.recover(outage.id, now) for _ in range(6)]
            case "relapse":
                calls = [ask.relapse(outage.id, now) for _ in range(6)]
            case _:
                calls = [ask.close(outage.id, now) for _ in range(6)]
        return once(await asyncio.gather(*calls))

    assert await all_at_once("turn")
    (turned,) = await ask.standing()
    assert (turned.turns, turned.sampled_at, turned.turn_at) == (1, now, now + MINUTE)
    assert not await ask.close(outage.id, now), "it has to answer again first"
    for step in ("recover", "relapse", "recover", "close"):
        assert await all_at_once(step), step
    assert await ask.standing() == []
    assert not await ask.relapse(outage.id, now)
    assert await ask.open(an_outage(now)), "another one may follow"


@pytest.mark.behaviour("X-3")
async def test_the_organizations_with_something_that_fails_are_found(storage: SqlStorage, clock: FakeClock) -> None:
    first, second = [
        await seed(storage, clock.now(), name=name, slack_team=name, discord_server=name) for name in ("One", "Two")
    ]
    outage = an_outage(clock.now())
    assert await storage.outages.open(outage)
    assert await storage.outages.concerned(outage) == []
    await fails(storage, first, clock, region="Europe")
    assert await storage.outages.concerned(outage) == [Concerned(organization_id=first.organization_id, failing=1)]
    assert len(await storage.outages.concerned(replace(outage, region="Europe"))) == 1
    assert await storage.outages.concerned(replace(outage, region="Far East")) == []
    assert await storage.outages.concerned(replace(outage, since=clock.now() + MINUTE)) == []
    await fails(storage, second, clock)
    assert len(await storage.outages.concerned(outage)) == 2


@pytest.mark.behaviour("X-3")
async def test_shares_are_grouped_by_who_may_see_what(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=5)
    outage = an_outage(clock.now())
    assert await storage.outages.open(outage)
    await fails(storage, seeded, clock)
    own = seeded.organization_id
    async with storage.reading() as uow:
        assert await uow.outages.shares(own, outage.id) == [], "it was not told of it"
    assert await tell(storage, own, outage, 1, 0)
    async with storage.transaction() as uow:
        await uow.connections.set_state(own, seeded.connections[0].id, ConnectionState.RETIRED)
    async with storage.reading() as uow:
        shares = await uow.outages.shares(own, outage.id)
    assert sorted((one.client_id, one.total, one.failing, one.lapsed) for one in shares) == sorted(
        [(seeded.acme.id, 2, 2, 0), (seeded.brio.id, 2, 2, 0)]
    )
    assert {(one.connector_id, one.owner_id) for one in shares} == {(seeded.ana.id, seeded.bo.id)}
    assert {one.example for one in shares} == {"acct-2", "acct-3"}


@pytest.mark.behaviour("X-3")
async def test_news_is_told_once_and_a_new_number_after_a_while(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    own, outage = seeded.organization_id, an_outage(clock.now())
    assert await storage.outages.open(outage)
    assert once(await asyncio.gather(*(tell(storage, own, outage, 5, 0) for _ in range(6))))
    told = [(6, 4), (6, 6), (6, 20), (7, 24), (8, 26)]
    assert [await tell(storage, own, outage, *one) for one in told] == [False, True, False, True, False]
    day = 24 * 60
    assert await tell(storage, own, outage, 7, day + 1), "it is held no longer"
    assert not await tell(storage, own, outage, 7, day + 9)


@pytest.mark.behaviour("X-3")
async def test_its_end_is_told_once_to_those_who_heard_of_it(storage: SqlStorage, clock: FakeClock) -> None:
    first, second = [
        await seed(storage, clock.now(), name=name, slack_team=name, discord_server=name) for name in ("One", "Two")
    ]
    outage, now = an_outage(clock.now()), clock.now()
    assert await storage.outages.open(outage)
    assert await tell(storage, first.organization_id, outage, 1, 0)
    assert await storage.outages.to_end(limit=9) == []
    assert await storage.outages.recover(outage.id, now)
    assert await storage.outages.close(outage.id, now)
    ((organization_id, over),) = await storage.outages.to_end(limit=9)
    assert (organization_id, over.id, over.over_at) == (first.organization_id, outage.id, now)

    async def end(whose: Seeded) -> bool:
        async with storage.transaction() as uow:
            return await uow.outages.end(whose.organization_id, outage.id, now)

    assert once(await asyncio.gather(*(end(first) for _ in range(6))))
    assert not await end(second)
    assert await storage.outages.to_end(limit=9) == []
    async with storage.reading() as uow:
        assert list(await uow.outages.get_many(first.organization_id, [outage.id])) == [outage.id]
        assert await uow.outages.get_many(second.organization_id, [outage.id, OutageId(new_id(now))]) == {}
        assert await uow.outages.standing(first.organization_id) == []


async def test_what_a_check_says_of_the_network_is_kept(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    await fails(storage, seeded, clock, region="Europe")
    login: AuthorizationId = seeded.authorization.id
    async with storage.reading() as uow:
        kept = await uow.authorizations.get(seeded.organization_id, login)
    assert (kept.region, kept.failing_since) == ("Europe", clock.now())
    looks = [
        await storage.queues.network_health("examplenet", since=clock.now(), region=region)
        for region in ("", "Europe", "Far East")
    ]
    assert [(one.checked, one.failing, one.good) for one in looks] == [(1, 1, 0), (1, 1, 0), (0, 0, 0)]
