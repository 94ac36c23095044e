"""Authorizations, connections, lapses and their lists, over both databases."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AuthorizationId, ConnectionId, LapseId, SubscriptionId, new_id
from commands.model import (
    Channel,
    Claim,
    Connection,
    ConnectionState,
    Doubt,
    Evidence,
    Filter,
    Lapse,
    LapseEnd,
    Parent,
    Scope,
    Subscription,
    Tokens,
    Verdict,
)
from commands.ports.connections import CheckRecord
from commands.ports.notices import AuditEntry
from commands.ports.storage import AlreadyThere, StorageError
from commands.secret import Secret
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

EVERY_STATE = tuple(ConnectionState)
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
    return {(count.client_name, count.state.value): count.number for count in found}


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


async def test_the_list_is_lapsed_first_then_unconnected_then_by_name(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=5)
    one, two, three, four, five = seeded.connections
    await lapse(storage, three, clock.now())
    await lapse(storage, one, clock.advance(timedelta(hours=1)))
    async with storage.transaction() as uow:
        await uow.connections.set_state(seeded.organization_id, five.id, ConnectionState.UNCONNECTED)
        await uow.connections.set_state(seeded.organization_id, two.id, ConnectionState.RETIRED)
    async with storage.reading() as uow:
        ask, whole = uow.connections.page, Scope()
        every = await ask(seeded.organization_id, whole, Filter(states=EVERY_STATE), offset=0, limit=9)
        assert [view.connection.id for view in every.rows] == [three.id, one.id, five.id, four.id, two.id]
        assert (every.total, every.oldest) == (5, clock.now() - timedelta(hours=1))
        second = await ask(seeded.organization_id, whole, Filter(), offset=2, limit=1)
        assert [view.connection.id for view in second.rows] == [five.id]
        assert (second.total, second.offset, second.oldest) == (3, 2, every.oldest)
        beyond = await ask(seeded.organization_id, whole, Filter(), offset=30, limit=10)
        assert (beyond.rows, beyond.total, beyond.offset) == ((), 3, 30)
        for offset in (2, 30):
            known = await ask(seeded.organization_id, whole, Filter(), offset=offset, limit=1, total=3)
            assert known == await ask(seeded.organization_id, whole, Filter(), offset=offset, limit=1)
        none = await ask(seeded.organization_id, whole, Filter(network="other"), offset=0, limit=10)
        assert (none.rows, none.total, none.oldest) == ((), 0, None)


async def test_every_filter_narrows_rows_and_total_alike(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=6, ends_at=clock.now() + timedelta(days=5))
    async with storage.reading() as uow:

        async def found(scope: Scope = Scope(), **narrow: object) -> list[str]:  # noqa: B008  # frozen
            filter = Filter(**{"states": EVERY_STATE, **narrow})  # type: ignore[arg-type]  # a test names the fields
            page = await uow.connections.page(seeded.organization_id, scope, filter, offset=0, limit=10)
            assert page.total == len(page.rows)
            return [view.connection.account_name for view in page.rows]

        assert len(await found(network="examplenet")) == 6
        assert await found(client="aCMe") == ["Acme Ads 1", "Acme Ads 3", "Acme Ads 5"]
        assert len(await found(person_id=seeded.bo.id)) == 6
        assert await found(person_id=seeded.raj.id) == []
        assert await found(search="ADS 2") == ["Brio Ads 2"]
        assert await found(search="acct-3") == ["Acme Ads 3"]
        assert await found(search="acct") == []
        assert await found(search="%") == []
        assert len(await found(expiring_before=clock.now() + timedelta(days=6))) == 6
        assert await found(expiring_before=clock.now() + timedelta(days=4)) == []
        assert len(await found(states=(ConnectionState.ACTIVE,))) == 6
        assert await found(states=()) == []


@pytest.mark.behaviour("N-8")
async def test_a_scope_shows_its_clients_and_the_persons_own_counted_once(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now(), connections=6)
    acme = Scope(client_ids=frozenset({seeded.acme.id}), person_id=seeded.sam.id)
    own = Scope(client_ids=frozenset(), person_id=seeded.bo.id)
    both = Scope(client_ids=frozenset({seeded.acme.id}), person_id=seeded.bo.id)
    none = Scope(client_ids=frozenset(), person_id=seeded.pat.id)
    assert await counted(storage, seeded, acme) == {("Acme", "active"): 3}
    assert await counted(storage, seeded, own) == {("Acme", "active"): 3, ("Brio", "active"): 3}
    assert await counted(storage, seeded, both) == {("Acme", "active"): 3, ("Brio", "active"): 3}
    assert await counted(storage, seeded, none) == {}
    async with storage.reading() as uow:
        for scope, number in ((acme, 3), (own, 6), (both, 6), (none, 0)):
            page = await uow.connections.page(
                seeded.organization_id, scope, Filter(states=EVERY_STATE), offset=0, limit=10
            )
            assert (page.total, len(page.rows)) == (number, number)
            assert bool(await uow.connections.find(seeded.organization_id, scope, "acme", limit=9)) == bool(number)


async def test_find_prefers_what_matches_exactly(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=12)
    async with storage.reading() as uow:

        async def names(words: str) -> list[str]:
            found = await uow.connections.find(seeded.organization_id, Scope(), words, limit=5)
            return [view.connection.account_name for view in found]

        assert await names("acme ads 1") == ["Acme Ads 1"]
        assert await names("acct-12") == ["Brio Ads 12"]
        assert await names("ads 1") == ["Acme Ads 1", "Acme Ads 11", "Brio Ads 10", "Brio Ads 12"]
        assert await names("_") == []
        assert await names(" ") == []


async def test_a_view_names_everything_around_the_connection(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=3)
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    async with storage.transaction() as uow:
        claim = Claim(person_id=seeded.raj.id, until=clock.now() + timedelta(days=1))
        assert await uow.lapses.claim(seeded.organization_id, [opened.id], claim) == [opened.id]
        assert await uow.lapses.claim(seeded.organization_id, [opened.id], claim) == []
    async with storage.reading() as uow:
        view = await uow.connections.view(seeded.organization_id, seeded.connections[0].id)
        assert view is not None
        assert view.connection == replace(seeded.connections[0], state=ConnectionState.LAPSED)
        assert (view.client_name, view.connector, view.owner) == ("Acme", seeded.ana, seeded.bo)
        assert view.lapse == replace(opened, claim=claim)
        assert (view.claimant_name, view.siblings, view.reconnecting_by) == ("Raj Patel", 3, None)
        assert view.authorization == seeded.authorization
        under = await uow.connections.under(seeded.organization_id, seeded.authorization.id)
        assert [each.connection.account_name for each in under] == ["Acme Ads 1", "Acme Ads 3", "Brio Ads 2"]
        wanted = [seeded.connections[2].id, seeded.connections[0].id]
        assert [each.connection.id for each in await uow.connections.views(seeded.organization_id, wanted)] == wanted


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


async def test_next_to_end_is_the_soonest_that_is_active(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + timedelta(days=9))
    sooner = replace(
        seeded.authorization,
        id=AuthorizationId(new_id(clock.now())),
        subject_id="sooner",
        ends_at=clock.now() + timedelta(days=2),
    )
    lapsed = replace(seeded.connections[0], id=ConnectionId(new_id(clock.now())), account_id="x")
    async with storage.transaction() as uow:
        await uow.authorizations.add(sooner, seeded.tokens)
        await uow.connections.add(replace(lapsed, authorization_id=sooner.id))
    async with storage.reading() as uow:
        found = await uow.connections.next_to_end(seeded.organization_id, Scope())
        assert found is not None
        assert found.connection.id == lapsed.id
        scope = Scope(client_ids=frozenset({seeded.brio.id}), person_id=seeded.sam.id)
        found = await uow.connections.next_to_end(seeded.organization_id, scope)
        assert found is not None
        assert found.connection.id == seeded.connections[1].id
    await lapse(storage, replace(lapsed, authorization_id=sooner.id), clock.now())
    async with storage.reading() as uow:
        found = await uow.connections.next_to_end(seeded.organization_id, Scope())
        assert found is not None
        assert found.connection.id != lapsed.id
    clock.advance(timedelta(days=9))
    async with storage.reading() as uow:
        assert await uow.connections.next_to_end(seeded.organization_id, Scope()) is None, "what ended is not next"


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


@pytest.mark.behaviour("C-5")
async def test_opting_in_twice_changes_nothing(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    channel = Channel(platform="slack", tenant="T1", external_id="C1")

    def wish(**changes: object) -> Subscription:
        plain: dict[str, object] = {
            "id": SubscriptionId(new_id(clock.now())),
            "organization_id": seeded.organization_id,
            "person_id": seeded.ana.id,
            "channel": None,
            "network": None,
            "client_id": None,
            "created_at": clock.advance(timedelta(seconds=1)),
        }
        return Subscription(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields

    everything, tiktok = wish(), wish(network="tiktok")
    acme = wish(network="tiktok", client_id=seeded.acme.id)
    here = wish(channel=channel, person_id=seeded.raj.id)
    async with storage.transaction() as uow:
        for new in (everything, tiktok, acme, here):
            assert await uow.subscriptions.add(new)
        assert not await uow.subscriptions.add(wish())
        assert not await uow.subscriptions.add(wish(network="tiktok", client_id=seeded.acme.id))
        assert not await uow.subscriptions.add(wish(channel=channel)), "the channel reads it already, whoever asks"
        organization_id = seeded.organization_id
        assert await uow.subscriptions.of(organization_id, person_id=seeded.ana.id, channel=None) == [
            everything,
            tiktok,
            acme,
        ]
        assert await uow.subscriptions.of(organization_id, person_id=None, channel=channel) == [here]
        assert len(await uow.subscriptions.all(organization_id)) == 4
        of_readers = uow.subscriptions.of_readers
        assert await of_readers(organization_id, []) == []
        asked = [(seeded.ana.id, None), (seeded.raj.id, channel), (seeded.raj.id, channel), (seeded.bo.id, None)]
        assert set(await of_readers(organization_id, asked)) == {everything, tiktok, acme, here}
        assert await of_readers(organization_id, [(seeded.raj.id, None), (seeded.ana.id, channel)]) == []

        async def remove(network: str | None, *, everything: bool = False, of: Channel | None = None) -> int:
            return await uow.subscriptions.remove(
                organization_id,
                person_id=seeded.ana.id,
                channel=of,
                network=network,
                client_id=None,
                everything=everything,
            )

        assert await remove("tiktok") == 1
        assert await remove("tiktok") == 0
        assert await remove(None, everything=True) == 2
        assert await remove(None, everything=True, of=channel) == 1


@pytest.mark.behaviour("A-4")
async def test_the_audit_log_gives_the_latest_first(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    entries = [
        AuditEntry(
            organization_id=seeded.organization_id,
            at=clock.advance(timedelta(seconds=1)),
            actor_id=None if place else seeded.ana.id,
            origin="cli",
            action=f"action {place}",
            subject="x",
            detail=json.loads('{"key": "value \\u0000"}'),
        )
        for place in range(3)
    ]
    async with storage.transaction() as uow:
        for entry in entries:
            await uow.audit.write(entry)
        assert await uow.audit.latest(seeded.organization_id, limit=2) == [entries[2], entries[1]]
