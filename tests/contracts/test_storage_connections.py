"""Authorizations, connections, lapses and their lists, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AuthorizationId, ConnectionId, LapseId, new_id
from commands.model import (
    Claim,
    Connection,
    ConnectionState,
    Doubt,
    Evidence,
    Lapse,
    LapseEnd,
    Parent,
    Scope,
    Tokens,
    Verdict,
)
from commands.ports.connections import CheckRecord
from commands.ports.storage import AlreadyThere, StorageError
from commands.secret import Secret
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

LEASE = timedelta(minutes=5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def counted(storage: SqlStorage, seeded: Seeded, scope: Scope = Scope()) -> dict[tuple[str, str], int]:  # noqa: B008  # frozen
    async with storage.reading() as uow:
        found = await uow.connections.counts(seeded.organization_id, scope)
    return {
        (count.client_name, state.value): number
        for count in found
        for state in ConnectionState
        if (number := getattr(count, state.value))
    }


async def test_an_authorization_comes_back_with_its_tokens(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + timedelta(days=60))
    async with storage.transaction() as uow:
        organization_id, authorization = seeded.organization_id, seeded.authorization
        assert await uow.authorizations.get(organization_id, authorization.id) == authorization
        assert await uow.authorizations.by_subject(organization_id, "examplenet", "subject-ana") == authorization
        assert await uow.authorizations.by_subject(organization_id, "examplenet", "subject-bo") is None
        assert await uow.authorizations.tokens(organization_id, authorization.id) == seeded.tokens
        with pytest.raises(AlreadyThere):
            await uow.authorizations.add(replace(authorization, id=AuthorizationId(new_id(clock.now()))), seeded.tokens)
    assert await storage.directory.subject_known("examplenet", "subject-ana")
    assert not await storage.directory.subject_known("examplenet", "subject-bo")


@pytest.mark.behaviour("D-3", "R-16")
async def test_refreshed_tokens_replace_their_own_generation_only(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + timedelta(days=60))
    organization_id, authorization_id = seeded.organization_id, seeded.authorization.id
    async with storage.transaction() as uow:
        store = uow.authorizations.store_refreshed
        fresh = Tokens(access=Secret("fresh"))
        assert await store(organization_id, authorization_id, tokens=fresh, ends_at=None, generation=1)
        late = Tokens(access=Secret("late"))
        assert not await store(organization_id, authorization_id, tokens=late, ends_at=None, generation=1)
        kept = await uow.authorizations.tokens(organization_id, authorization_id)
        assert kept.access == Secret("fresh")
        assert kept.refresh == seeded.tokens.refresh, "a refresh token is never overwritten by an empty one"
        stored = await uow.authorizations.get(organization_id, authorization_id)
        assert (stored.generation, stored.ends_at) == (2, seeded.authorization.ends_at)


async def test_a_new_consent_replaces_the_grant_and_ends_a_check_under_way(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, old = seeded.organization_id, seeded.authorization
    due = await storage.queues.claim_check(organization_id, old.id, now=clock.now(), lease=LEASE)
    assert due is not None
    async with storage.transaction() as uow:
        new = replace(old, connector_id=seeded.raj.id, granted=frozenset({"read", "write"}), doubt=None)
        await uow.authorizations.replace_grant(new, Tokens(access=Secret("new"), refresh=Secret("newer")))
        assert await uow.authorizations.get(organization_id, old.id) == replace(new, generation=2)
        record = CheckRecord(checked_at=clock.now(), next_check_at=clock.now(), good=False, doubt=None, ends_at=None)
        assert not await uow.authorizations.record_check(organization_id, old.id, due.term, record)


async def test_a_check_is_recorded_under_its_lease_only(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, authorization_id = seeded.organization_id, seeded.authorization.id
    claim = storage.queues.claim_checks
    assert await claim(now=clock.now(), limit=9, lease=LEASE, networks=["examplenet"]) == []
    now = clock.advance(timedelta(hours=2))
    assert await claim(now=now, limit=9, lease=LEASE, networks=["elsewhere"]) == []
    [first] = await claim(now=now, limit=9, lease=LEASE, networks=["elsewhere", "examplenet"])
    assert first.authorization == seeded.authorization
    assert set(first.connections) == set(seeded.connections)
    assert await claim(now=now, limit=9, lease=LEASE, networks=["examplenet"]) == []
    assert await storage.queues.claim_check(organization_id, authorization_id, now=now, lease=LEASE) is None
    now = clock.advance(LEASE)
    [second] = await claim(now=now, limit=9, lease=LEASE, networks=["examplenet"])
    record = CheckRecord(
        checked_at=now,
        next_check_at=now + timedelta(hours=1),
        good=False,
        doubt=Doubt(since=now, failures=1),
        ends_at=None,
        failing_since=now,
    )
    async with storage.transaction() as uow:
        write = uow.authorizations.record_check
        assert not await write(organization_id, authorization_id, first.term, record)
        assert await write(organization_id, authorization_id, second.term, record)
        assert not await write(organization_id, authorization_id, second.term, record)
        stored = await uow.authorizations.get(organization_id, authorization_id)
        assert stored.doubt == record.doubt
        assert stored.last_good_at == seeded.authorization.last_good_at
    health = await storage.queues.network_health("examplenet", since=now)
    assert (health.checked, health.failing) == (1, 1)
    health = await storage.queues.network_health("examplenet", since=now + timedelta(seconds=1))
    assert (health.checked, health.failing) == (0, 0)


async def test_the_longest_due_is_checked_first_whoevers_it_is(storage: SqlStorage, clock: FakeClock) -> None:
    first = await seed(storage, clock.now())
    second = await seed(
        storage,
        clock.advance(timedelta(minutes=1)),
        name="Other House",
        slack_team="T2",
        discord_server="D2",
        network="other",
    )
    now = clock.advance(timedelta(hours=2))
    networks = ["other", "examplenet"]
    due = [
        check.authorization.organization_id
        for _ in range(2)
        for check in await storage.queues.claim_checks(now=now, limit=1, lease=LEASE, networks=networks)
    ]
    assert due == [first.organization_id, second.organization_id]


async def test_a_lapse_opens_once_and_ends_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    connection = seeded.connections[0]
    organization_id = seeded.organization_id
    opened, _ = await lapse(storage, connection, clock.now())
    async with storage.transaction() as uow:
        assert not await uow.lapses.open(replace(opened, id=LapseId(new_id(clock.now()))))
        clearer = replace(
            opened,
            cause=Verdict.ACCOUNT_MOVED,
            evidence=Evidence(check="accounts", http_status=200, missing=("A",), moved_to=Parent(id="2", name="New")),
        )
        await uow.lapses.update_cause(clearer)
        assert await uow.lapses.get(organization_id, opened.id) == clearer
        at = clock.advance(timedelta(hours=3))
        ended = await uow.lapses.end(organization_id, connection.id, at=at, how=LapseEnd.RECONNECTED, by=seeded.raj.id)
        assert ended == replace(clearer, ended_at=at, ended_how=LapseEnd.RECONNECTED, ended_by=seeded.raj.id)
        again = await uow.lapses.end(organization_id, connection.id, at=at, how=LapseEnd.RECOVERED, by=None)
        assert again is None
        claim = Claim(person_id=seeded.raj.id, until=at)
        assert await uow.lapses.claim(organization_id, [opened.id], claim) == []
        later = Lapse(
            id=LapseId(new_id(at)),
            organization_id=organization_id,
            connection_id=connection.id,
            authorization_id=None,
            cause=Verdict.EXPIRED,
            evidence=Evidence(check="x"),
            last_good_at=None,
            opened_at=at,
        )
        assert await uow.lapses.open(later)
    async with storage.reading() as uow:
        assert await uow.lapses.history(organization_id, connection.id, limit=5) == [later, ended]
        assert await uow.lapses.last_ended(organization_id, connection.id) == ended
        views = await uow.lapses.views(organization_id, [later.id, opened.id])
        assert [view.lapse for view in views] == [later, ended]
        assert [view.restorer_name for view in views] == [None, "Raj Patel"]


@pytest.mark.behaviour("R-16")
async def test_attaching_moves_connector_counters_and_state_and_keeps_the_rest(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    connection = seeded.connections[0]
    organization_id = seeded.organization_id
    await lapse(storage, connection, clock.now())
    other = replace(
        seeded.authorization, id=AuthorizationId(new_id(clock.now())), subject_id="raj", connector_id=seeded.raj.id
    )
    async with storage.transaction() as uow:
        await uow.authorizations.add(other, seeded.tokens)
        await uow.connections.attach(
            organization_id,
            connection.id,
            authorization_id=other.id,
            connector_id=seeded.raj.id,
            account_name="Renamed",
            parent=None,
            good_at=clock.now(),
        )
        await uow.lapses.end(organization_id, connection.id, at=clock.now(), how=LapseEnd.RECONNECTED, by=None)
        stored = await uow.connections.get(organization_id, connection.id)
    assert stored == replace(
        connection,
        authorization_id=other.id,
        connector_id=seeded.raj.id,
        account_name="Renamed",
        parent=None,
        last_good_at=clock.now(),
    )
    assert await counted(storage, seeded, Scope(client_ids=frozenset(), person_id=seeded.raj.id)) == {
        ("Acme", "active"): 1
    }
    assert await counted(storage, seeded) == {("Acme", "active"): 1, ("Brio", "active"): 1}


async def test_an_account_is_connected_once_and_counted_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        twin = replace(seeded.connections[0], id=ConnectionId(new_id(clock.now())))
        assert not await uow.connections.add(twin)
        lonely = Connection(
            id=ConnectionId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            client_id=seeded.acme.id,
            network="other",
            account_id="1",
            account_name="Alone",
            state=ConnectionState.UNCONNECTED,
        )
        assert await uow.connections.add(lonely)
        assert await uow.connections.get(seeded.organization_id, lonely.id) == lonely
        doubt = Doubt(since=clock.now(), failures=2)
        await uow.connections.record_check(seeded.organization_id, lonely.id, good_at=None, doubt=doubt)
        assert await uow.connections.get(seeded.organization_id, lonely.id) == replace(lonely, doubt=doubt)
    assert await counted(storage, seeded) == {
        ("Acme", "active"): 1,
        ("Brio", "active"): 1,
        ("Acme", "unconnected"): 1,
    }


async def test_nothing_refers_to_another_organizations_rows(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")
    stray = replace(seeded.connections[0], id=ConnectionId(new_id(clock.now())), account_id="stray")
    with pytest.raises(StorageError):
        async with storage.transaction() as uow:
            await uow.connections.add(replace(stray, client_id=other.acme.id))
    with pytest.raises(StorageError):
        async with storage.transaction() as uow:
            await uow.connections.add(replace(stray, authorization_id=other.authorization.id))
