"""Lists of connections: their order, what narrows them, what is suggested, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AuthorizationId, ClientId, ConnectionId, new_id
from commands.model import (
    Claim,
    ConnectionState,
    Filter,
    Scope,
)
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

EVERY_STATE = tuple(ConnectionState)


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


async def test_find_looks_in_one_network_or_client_alone_where_that_is_asked(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now(), connections=12)
    wanted = seeded.connections[-1]
    async with storage.reading() as uow:

        async def found(network: str | None = None, client_id: ClientId | None = None) -> set[ConnectionId]:
            views = await uow.connections.find(
                seeded.organization_id, Scope(), "ads", limit=99, network=network, client_id=client_id
            )
            return {view.connection.id for view in views}

        of_client = {each.id for each in seeded.connections if each.client_id == wanted.client_id}
        assert await found(client_id=wanted.client_id) == of_client != await found()
        assert await found(network=wanted.network) == await found()
        assert await found(network="another", client_id=wanted.client_id) == set()


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


async def test_where_somebody_asks_bounds_every_list(storage: SqlStorage, clock: FakeClock) -> None:
    """X-11: in a client's own workspace nothing of another client is shown, counted, found or suggested."""
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + timedelta(days=9), connections=4)
    organization_id = seeded.organization_id
    await lapse(storage, seeded.connections[1], clock.now())
    of_brio = frozenset({seeded.brio.id})
    for scope, accounts in (
        (Scope(within=of_brio), {"acct-2", "acct-4"}),
        (Scope(client_ids=frozenset({seeded.acme.id}), person_id=seeded.bo.id, within=of_brio), {"acct-2", "acct-4"}),
        (Scope(client_ids=frozenset({seeded.acme.id}), within=of_brio), set()),
        (Scope(within=frozenset()), set()),
    ):
        async with storage.reading() as uow:
            page = await uow.connections.page(organization_id, scope, Filter(states=EVERY_STATE), offset=0, limit=9)
            assert {row.connection.account_id for row in page.rows} == accounts
            assert page.total == len(accounts) == sum((await counted(storage, seeded, scope)).values())
            found = await uow.connections.find(organization_id, scope, "ads", limit=9)
            assert {row.connection.account_id for row in found} == accounts
            suggested = await uow.connections.suggest(organization_id, scope, "", limit=9)
            assert {each.account_id for each in suggested} == accounts
            ending = await uow.connections.next_to_end(organization_id, scope)
            assert (ending is None) == (not accounts)
            assert ending is None or ending.connection.client_id == seeded.brio.id
            owners = await uow.connections.owners(organization_id, scope)
            assert [(each.person, each.total) for each in owners] == ([(seeded.bo, 2)] if accounts else [])
            stats = await uow.lapses.stats(
                organization_id, scope, since=clock.now(), until=clock.now() + timedelta(days=1)
            )
            assert len(stats.opened) == (1 if accounts else 0)


async def test_a_list_is_narrowed_to_one_login(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=3)
    other = replace(seeded.authorization, id=AuthorizationId(new_id(clock.now())), subject_id="subject-other")
    async with storage.transaction() as uow:
        await uow.authorizations.add(other, seeded.tokens)
        alone = replace(
            seeded.connections[0],
            id=ConnectionId(new_id(clock.now())),
            account_id="acct-9",
            authorization_id=other.id,
        )
        assert await uow.connections.add(alone)
    async with storage.reading() as uow:
        narrowed = Filter(states=EVERY_STATE, authorization_id=other.id)
        page = await uow.connections.page(seeded.organization_id, Scope(), narrowed, offset=0, limit=9)
    assert ([row.connection for row in page.rows], page.total) == ([alone], 1)


async def test_what_begins_with_the_letters_is_suggested_by_name(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    names = {"Zoë 100%_sure": "77-1", "zoë 2": "acme-5", "Ärger": "77-2", "Zo\U0010fffe": "9"}
    async with storage.transaction() as uow:
        for name, account_id in names.items():
            changes = {"id": ConnectionId(new_id(clock.now())), "account_id": account_id, "account_name": name}
            assert await uow.connections.add(replace(seeded.connections[0], **changes))  # type: ignore[arg-type]  # as named

    async def suggested(beginning: str, limit: int = 9) -> list[str]:
        async with storage.reading() as uow:
            found = await uow.connections.suggest(seeded.organization_id, Scope(), beginning, limit=limit)
        return [connection.account_name for connection in found]

    assert await suggested("ZOË") == ["Zoë 100%_sure", "zoë 2"]
    assert await suggested("zo") == ["Zoë 100%_sure", "zoë 2", "Zo\U0010fffe"]
    assert await suggested("zoë 100%_") == ["Zoë 100%_sure"]
    assert await suggested("%") == []
    assert await suggested("77-") == ["Zoë 100%_sure", "Ärger"]
    assert await suggested("acme") == ["Acme Ads 1", "Acme Ads 3", "zoë 2"], "a name and an account id alike"
    assert await suggested("acme", limit=2) == ["Acme Ads 1", "Acme Ads 3"]
    assert len(await suggested("")) == 8
    assert await suggested("\0nothing\ud800") == []
