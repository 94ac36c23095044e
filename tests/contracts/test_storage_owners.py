"""Who answers for connections, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from commands.ids import ClientId, ConnectionId, PersonId, new_id
from commands.model import Connection, ConnectionState, Parent, Scope
from commands.ports.connections import Answerable, CheckRecord
from commands.ports.storage import StorageError
from storage import SqlStorage
from storage.owners import MOST_UNDER
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def own_counts(storage: SqlStorage, seeded: Seeded, scope: Scope) -> list[tuple[str, int, int]]:
    async with storage.reading() as uow:
        found = await uow.connections.owners(seeded.organization_id, scope)
    return [(each.person.name, each.needing, each.total) for each in found]


def another(seeded: Seeded, clock: FakeClock, account_id: str, **changes: object) -> Connection:
    plain: dict[str, object] = {"id": ConnectionId(new_id(clock.now())), "account_id": account_id}
    return replace(seeded.connections[0], **{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields


async def test_owners_are_counted_the_most_needing_first(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    await lapse(storage, seeded.connections[1], clock.now())
    async with storage.transaction() as uow:
        assert await uow.connections.add(another(seeded, clock, "a", owner_id=seeded.sam.id))
        assert await uow.connections.add(another(seeded, clock, "b", owner_id=None))
        retired = another(seeded, clock, "c", owner_id=seeded.raj.id, state=ConnectionState.RETIRED)
        assert await uow.connections.add(retired)
        unconnected = another(seeded, clock, "d", state=ConnectionState.UNCONNECTED, authorization_id=None)
        assert await uow.connections.add(unconnected)
    assert await own_counts(storage, seeded, Scope()) == [("Bo Berg", 2, 5), ("Sam Okoro", 0, 1)]
    of_acme = Scope(client_ids=frozenset({seeded.acme.id}))
    assert await own_counts(storage, seeded, of_acme) == [("Bo Berg", 1, 3), ("Sam Okoro", 0, 1)]
    own = Scope(client_ids=frozenset(), person_id=seeded.sam.id)
    assert await own_counts(storage, seeded, own) == [("Sam Okoro", 0, 1)]


async def test_who_answers_for_a_network_is_counted_without_retired_ones(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=3)
    async with storage.transaction() as uow:
        await uow.connections.set_state(seeded.organization_id, seeded.connections[1].id, ConnectionState.RETIRED)
        nobodys = another(seeded, clock, "a", network="othernet", owner_id=None, connector_id=None)
        assert await uow.connections.add(replace(nobodys, authorization_id=None))
        found = await uow.connections.answerable(seeded.organization_id)

    def answerable(network: str, client: ClientId, person: tuple[PersonId, PersonId] | None, number: int) -> Answerable:
        connector_id, owner_id = person or (None, None)
        return Answerable(
            network=network, client_id=client, connector_id=connector_id, owner_id=owner_id, number=number
        )

    both = (seeded.ana.id, seeded.bo.id)
    assert found == [
        answerable("examplenet", seeded.acme.id, both, 2),
        answerable("othernet", seeded.acme.id, None, 1),
    ]


async def test_an_owner_is_changed_once_with_the_counters(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    organization_id = seeded.organization_id
    wanted = [connection.id for connection in seeded.connections[:3]]
    async with storage.transaction() as uow:
        assert await uow.connections.set_owner(organization_id, wanted, seeded.sam.id) == 3
        assert await uow.connections.set_owner(organization_id, [*wanted, *wanted], seeded.sam.id) == 0
        assert await uow.connections.set_owner(organization_id, [], seeded.sam.id) == 0
        nobodys = another(seeded, clock, "a", owner_id=None)
        assert await uow.connections.add(nobodys)
        assert await uow.connections.set_owner(organization_id, [nobodys.id], seeded.bo.id) == 1
    assert await own_counts(storage, seeded, Scope()) == [("Sam Okoro", 0, 3), ("Bo Berg", 0, 2)] or await own_counts(
        storage, seeded, Scope()
    ) == [("Bo Berg", 0, 2), ("Sam Okoro", 0, 3)]
    async with storage.reading() as uow:
        assert (await uow.connections.get(organization_id, wanted[0])).owner_id == seeded.sam.id
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")
    with pytest.raises(StorageError):
        async with storage.transaction() as uow:
            await uow.connections.set_owner(organization_id, wanted, other.bo.id)


@pytest.mark.behaviour("N-12")
async def test_others_who_connected_under_the_same_parent_are_found(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=1)
    organization_id = seeded.organization_id
    center = Parent(id="business-2", name="Second Business")
    async with storage.transaction() as uow:
        await uow.people.update(replace(seeded.pat, left_at=clock.now()))
        for place, (person, parent) in enumerate(
            (
                (seeded.raj, seeded.connections[0].parent),
                (seeded.raj, seeded.connections[0].parent),
                (seeded.pat, seeded.connections[0].parent),
                (seeded.sam, center),
                (seeded.sam, None),
            )
        ):
            one = another(seeded, clock, f"more-{place}", connector_id=person.id, parent=parent)
            assert await uow.connections.add(one)
        found = await uow.connections.others_under(organization_id, "examplenet", ["business-1", "business-2", "none"])
        assert found == {"business-1": (seeded.raj.id, seeded.ana.id), "business-2": (seeded.sam.id,)}
        assert await uow.connections.others_under(organization_id, "othernet", ["business-1"]) == {}
        assert await uow.connections.others_under(organization_id, "examplenet", []) == {}
        for place in range(MOST_UNDER + 1):
            somebody = replace(seeded.pat, id=PersonId(new_id(clock.now())), email=None, name=f"P{place}")
            await uow.people.add(somebody)
            one = another(seeded, clock, f"crowd-{place}", connector_id=somebody.id, parent=center)
            assert await uow.connections.add(one)
        crowded = await uow.connections.others_under(organization_id, "examplenet", ["business-2"])
    assert len(crowded["business-2"]) == MOST_UNDER


@pytest.mark.behaviour("X-6")
async def test_what_hangs_on_somebody_is_counted_by_client(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    organization_id = seeded.organization_id
    async with storage.transaction() as uow:
        await uow.connections.set_state(organization_id, seeded.connections[0].id, ConnectionState.RETIRED)
        [hanging] = await uow.authorizations.hanging_on(organization_id, seeded.ana.id)
        assert hanging.authorization == seeded.authorization
        assert hanging.clients == (("Acme", 1), ("Brio", 2))
        assert await uow.authorizations.hanging_on(organization_id, seeded.bo.id) == []
        assert await uow.authorizations.many(organization_id, [seeded.authorization.id, seeded.authorization.id]) == [
            seeded.authorization
        ]


async def test_warnings_are_decided_anew_when_an_end_changes_and_only_then(
    storage: SqlStorage, clock: FakeClock
) -> None:
    """D-2: a new end is due at once; one that stays as it is keeps the time that was set."""
    end = clock.now() + timedelta(days=60)
    seeded = await seed(storage, clock.now(), ends_at=end)
    organization_id, authorization = seeded.organization_id, seeded.authorization

    async def due() -> bool:
        found = await storage.queues.due_warnings(now=clock.now(), limit=9)
        assert [each.authorization_ids for each in found] in ([], [(authorization.id,)])
        return bool(found)

    async def warn(ends_at: datetime, days: int | None) -> bool:
        async with storage.transaction() as uow:
            at = None if days is None else clock.now() + timedelta(days=days)
            return await uow.authorizations.warn_next(organization_id, authorization.id, ends_at=ends_at, at=at)

    assert await due(), "a first end is looked at"
    assert not await warn(end + timedelta(days=1), 3), "the end is another by now"
    assert await warn(end, 3)
    assert not await due()
    clock.advance(timedelta(days=3))
    assert await due()
    assert await warn(end, None)
    async with storage.transaction() as uow:
        refreshed = await uow.authorizations.store_refreshed(
            organization_id, authorization.id, tokens=seeded.tokens, ends_at=end, generation=1
        )
        assert refreshed
        await uow.authorizations.replace_grant(authorization, seeded.tokens)
    assert not await due(), "the same end as before"
    later = end + timedelta(days=30)
    async with storage.transaction() as uow:
        assert await uow.authorizations.store_refreshed(
            organization_id, authorization.id, tokens=seeded.tokens, ends_at=later, generation=3
        )
    assert await due()
    assert await warn(later, None)
    async with storage.transaction() as uow:
        await uow.authorizations.replace_grant(replace(authorization, ends_at=end), seeded.tokens)
    assert await due()
    async with storage.transaction() as uow:
        await uow.authorizations.replace_grant(replace(authorization, ends_at=None), seeded.tokens)
        await uow.authorizations.reconsider_warnings(organization_id, None)
    assert not await due(), "there is no end to be warned of"


async def test_a_check_that_finds_another_end_makes_its_warnings_due(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, authorization = seeded.organization_id, seeded.authorization
    end = clock.now() + timedelta(days=60)

    async def checked(ends_at: datetime | None) -> bool:
        lease = timedelta(minutes=1)
        due = await storage.queues.claim_check(organization_id, authorization.id, now=clock.now(), lease=lease)
        assert due is not None
        record = CheckRecord(
            checked_at=clock.now(),
            next_check_at=clock.now(),
            good=True,
            doubt=None,
            ends_at=ends_at,
        )
        async with storage.transaction() as uow:
            assert await uow.authorizations.record_check(organization_id, authorization.id, due.term, record)
        return bool(await storage.queues.due_warnings(now=clock.now(), limit=9))

    assert not await checked(None)
    assert await checked(end)
    async with storage.transaction() as uow:
        assert await uow.authorizations.warn_next(organization_id, authorization.id, ends_at=end, at=None)
    assert not await checked(end)
    assert not await checked(None), "what is stored is kept"
    async with storage.transaction() as uow:
        await uow.authorizations.reconsider_warnings(organization_id, "othernet")
    assert not await checked(None)
    async with storage.transaction() as uow:
        await uow.authorizations.reconsider_warnings(organization_id, "examplenet")
    assert await checked(None), "rules changed"


@pytest.mark.behaviour("X-2")
async def test_of_others_under_a_parent_only_what_is_in_scope_counts(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=1)
    organization_id = seeded.organization_id
    async with storage.transaction() as uow:
        elsewhere = another(seeded, clock, "more", connector_id=seeded.raj.id, client_id=seeded.brio.id)
        assert await uow.connections.add(elsewhere)
        limited = Scope(client_ids=frozenset({seeded.connections[0].client_id}), person_id=seeded.sam.id)
        names = ("examplenet", ["business-1"])
        assert len((await uow.connections.others_under(organization_id, *names))["business-1"]) == 2
        assert await uow.connections.others_under(organization_id, *names, limited) == {"business-1": (seeded.ana.id,)}
        within = Scope(within=frozenset({seeded.brio.id}))
        assert await uow.connections.others_under(organization_id, *names, within) == {"business-1": (seeded.raj.id,)}


@pytest.mark.behaviour("R-7")
async def test_another_business_is_expected_and_the_logins_that_work_under_it_are_known(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now(), connections=2)
    organization_id, (first, second) = seeded.organization_id, seeded.connections
    new = Parent(id="business-9", name="New Business")
    async with storage.transaction() as uow:
        assert await uow.connections.logins_under(organization_id, "examplenet", new.id) == []
        await uow.connections.set_parent(organization_id, [first.id], new)
        assert (await uow.connections.get(organization_id, first.id)).parent == new
        assert (await uow.connections.get(organization_id, second.id)).parent == second.parent
        assert await uow.connections.logins_under(organization_id, "examplenet", new.id) == [seeded.authorization.id]
        await uow.connections.detach(organization_id, [first.id])
        assert await uow.connections.logins_under(organization_id, "examplenet", new.id) == []
        assert (await uow.connections.get(organization_id, first.id)).connector_id == first.connector_id
        await uow.connections.set_parent(organization_id, [second.id], new)
        await uow.connections.set_state(organization_id, second.id, ConnectionState.LAPSED)
        assert await uow.connections.logins_under(organization_id, "examplenet", new.id) == [], "none works there"


@pytest.mark.behaviour("R-10")
async def test_a_parent_profile_is_of_one_owner_the_last_one_it_was_given_to(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now(), connections=1)
    organization_id = seeded.organization_id
    async with storage.transaction() as uow:
        assert await uow.parents.owners(organization_id, "examplenet", ["one"]) == {}
        await uow.parents.give(organization_id, "examplenet", ["one", "two"], seeded.raj.id)
        await uow.parents.give(organization_id, "examplenet", ["one"], seeded.sam.id)
        await uow.parents.give(organization_id, "examplenet", [], seeded.sam.id)
        found = await uow.parents.owners(organization_id, "examplenet", ["one", "two", "three"])
        assert found == {"one": seeded.sam.id, "two": seeded.raj.id}
        assert await uow.parents.owners(organization_id, "othernet", ["one"]) == {}
    async with storage.transaction() as uow:
        await uow.people.merge(organization_id, kept=seeded.raj.id, gone=seeded.sam.id)
        assert await uow.parents.owners(organization_id, "examplenet", ["one"]) == {"one": seeded.raj.id}


@pytest.mark.behaviour("A-6")
async def test_a_login_is_checked_sooner_and_never_later(storage: SqlStorage, clock: FakeClock) -> None:
    now = clock.now()
    seeded = await seed(storage, now, connections=1)
    organization_id, ids = seeded.organization_id, [seeded.authorization.id]
    async with storage.transaction() as uow:
        before = (await uow.authorizations.get(organization_id, ids[0])).next_check_at
        assert before is not None
        await uow.authorizations.check_soon(organization_id, ids, before + timedelta(hours=1))
        assert (await uow.authorizations.get(organization_id, ids[0])).next_check_at == before
        sooner = before - timedelta(minutes=5)
        await uow.authorizations.check_soon(organization_id, ids, sooner)
        assert (await uow.authorizations.get(organization_id, ids[0])).next_check_at == sooner
