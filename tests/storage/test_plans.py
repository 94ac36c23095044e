"""What is asked often is read from an index made for it, in a fixed number of statements, on both databases."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest

from commands.ids import DeliveryId, NoticeId, new_id
from commands.model import Filter, Scope
from commands.ports.chat import Address, AddressKind
from commands.ports.notices import Delivery, DeliveryState, Priority
from storage.checks import HEALTH_SAMPLE
from storage.turns import APART, turns
from tests.storage.crowd import FEW, LEASE, Crowd, crowded, make_due, tell_host, tell_many


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Crowd]:
    async with crowded(database_url) as filled:
        yield filled


@pytest.mark.behaviour("R-12")
async def test_webhook_messages_that_are_due_are_found_in_an_index_of_those_alone(crowd: Crowd) -> None:
    now = crowd.clock.now()
    await tell_host(crowd)
    with crowd.listening() as heard:
        found = await crowd.storage.host.claim_messages(now=now, endpoints=8, each=4, lease=LEASE)
    assert len(found) == 4
    assert len(heard) == 3, "one that looks, and for each endpoint two that take"
    for place in (0, 2):
        plan = await crowd.plan(place)
        assert "ix_webhook_messages_due" in plan
        assert "Seq Scan on webhook_messages" not in plan


@pytest.mark.behaviour("C-1")
async def test_the_whole_list_takes_four_statements(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        await crowd.storage.directory.standing(platform="slack", workspace="T1", tenant="T1", user="U-MEI")
        async with crowd.storage.reading() as uow:
            organization_id = crowd.seeded.organization_id
            await uow.connections.counts(organization_id, Scope())
            await uow.connections.page(organization_id, Scope(), Filter(), offset=0, limit=10)
            await uow.connections.next_to_end(organization_id, Scope())
    assert len(heard) == 4


@pytest.mark.parametrize("scope", ["all", "clients"])
async def test_a_page_reads_the_partial_index_and_sorts_nothing_large(crowd: Crowd, scope: str) -> None:
    seen = Scope()
    if scope == "clients":
        seen = Scope(client_ids=frozenset({crowd.seeded.acme.id}), person_id=crowd.seeded.sam.id)
    with crowd.listening():
        async with crowd.storage.reading() as uow:
            await uow.connections.page(crowd.seeded.organization_id, seen, Filter(), offset=0, limit=10)
    plan = await crowd.plan()
    assert "ix_connections_needed" in plan
    assert "SCAN connections" not in plan
    assert "Seq Scan on connections" not in plan


async def test_what_ends_next_is_found_from_the_front_of_an_index(crowd: Crowd) -> None:
    with crowd.listening():
        async with crowd.storage.reading() as uow:
            found = await uow.connections.next_to_end(crowd.seeded.organization_id, Scope())
    assert found is not None
    plan = await crowd.plan()
    assert "ix_authorizations_ending" in plan
    assert "ix_connections_authorization" in plan
    if crowd.engines.is_shared:
        assert re.search(r"Index Cond: .*ends_at > ", plan)
    else:
        assert "(organization_id=? AND ends_at>?)" in plan


async def test_a_networks_health_is_read_from_a_bounded_part_of_its_index(crowd: Crowd) -> None:
    now = crowd.clock.now()
    with crowd.listening() as heard:
        health = await crowd.storage.queues.network_health("examplenet", since=now - timedelta(minutes=10))
    assert (health.checked, len(heard)) == (HEALTH_SAMPLE, 1)
    plan = await crowd.plan()
    assert "ix_authorizations_health" in plan
    assert "Seq Scan" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


async def test_a_total_that_is_known_is_not_counted_again(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            ask = uow.connections.page
            known = await ask(crowd.seeded.organization_id, Scope(), Filter(), offset=0, limit=10, total=FEW)
    assert (known.total, len(known.rows), len(heard)) == (FEW, 10, 1)
    assert "counters" not in heard[0][0]


async def test_turns_are_read_from_the_indexes_of_what_is_under_way(crowd: Crowd) -> None:
    queue = Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id="U2")
    planned = Delivery(
        id=DeliveryId(new_id(crowd.clock.now())),
        organization_id=crowd.seeded.organization_id,
        notice_id=NoticeId(new_id(crowd.clock.now())),
        address=queue,
        lane="a",
        priority=Priority.FIRST,
        state=DeliveryState.DUE,
        wanted=1,
        shown=0,
        ref=None,
        attempts=0,
        next_at=crowd.clock.now() - timedelta(days=1),
        created_at=crowd.clock.now(),
    )
    with crowd.listening() as heard:
        async with crowd.storage.reading_work() as work:
            found = await turns(work, [planned])
    assert found == {planned.id: planned.next_at + APART}
    assert len(heard) == 1
    plan = await crowd.plan()
    assert "ix_deliveries_sending" in plan
    assert "SCAN deliveries" not in plan
    assert "Seq Scan" not in plan


async def test_due_checks_are_claimed_from_their_index_in_two_statements(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        claimed = await crowd.storage.queues.claim_checks(
            now=crowd.clock.now(), limit=10, lease=LEASE, networks=["examplenet", "other"]
        )
    assert (len(claimed), len(heard)) == (10, 2)
    assert "ix_authorizations_due" in await crowd.plan()


@pytest.mark.behaviour("D-3")
async def test_each_organizations_longest_due_check_is_one_step_into_an_index(crowd: Crowd) -> None:
    """So that what it costs follows the organizations that are looked at, never what is due of one of them."""
    with crowd.listening() as heard:
        heads = await crowd.storage.queues.longest_due_of_each(
            now=crowd.clock.now(), networks=["examplenet", "other"], after=None, limit=10
        )
    assert (len(heads), len(heads[0].authorization_ids), len(heard)) == (1, 1, 1)
    plan = await crowd.plan()
    assert "ix_authorizations_turns" in plan
    assert "SCAN authorizations" not in plan
    assert "Seq Scan on authorizations" not in plan
    with crowd.listening() as heard:
        claimed = await crowd.storage.queues.claim_checks(
            now=crowd.clock.now(), limit=10, lease=LEASE, networks=["examplenet"], first=heads[0].authorization_ids
        )
    assert heads[0].authorization_ids[0] in {check.authorization.id for check in claimed}
    assert len(heard) == 2
    plan = await crowd.plan()
    assert "ix_authorizations_due" in plan
    assert "SCAN authorizations" not in plan
    assert "Seq Scan on authorizations" not in plan


async def test_claiming_due_checks_walks_neither_table(crowd: Crowd) -> None:
    """So that what it reads does not grow with the tables."""
    with crowd.listening() as heard:
        await crowd.storage.queues.claim_checks(
            now=crowd.clock.now(), limit=10, lease=LEASE, networks=["examplenet", "other"]
        )
    assert "ix_connections_moved" in await crowd.plan(1), "what waits is not looked for among all of a business"
    for place in range(len(heard)):
        plan = await crowd.plan(place)
        assert not [line for line in plan.splitlines() if line.startswith("SCAN ") and "nections" in line]
        assert "SCAN authorizations" not in plan
        assert "Seq Scan" not in plan.replace("Seq Scan on network_pauses", "")  # one row of each network


async def test_what_messages_are_composed_from_is_read_from_indexes(crowd: Crowd) -> None:
    [told, *_] = await tell_many(crowd)
    organization_id = crowd.seeded.organization_id
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            assert await uow.notices.delivered_to(organization_id, [told]) == {crowd.seeded.bo.id: crowd.clock.now()}
            [own] = await uow.subscriptions.of_readers(organization_id, [(crowd.seeded.ana.id, None)])
    assert own.person_id == crowd.seeded.ana.id
    assert len(heard) == 2
    reached, opted_in = await crowd.plan(0), await crowd.plan(1)
    assert "ix_notice_lapses_lapse_id" in reached
    for plan in (reached, opted_in):
        assert "Seq Scan" not in plan
        for table in ("notices", "notice_lapses", "deliveries", "subscriptions"):
            assert f"SCAN {table}" not in plan


async def test_due_events_are_read_from_the_index_of_unplanned_ones(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        [due] = await crowd.storage.queues.due_events(now=crowd.clock.now(), gather=timedelta(seconds=1), limit=30)
    assert (len(due.events), len(heard)) == (30, 2)
    assert "ix_events_unplanned" in await crowd.plan(0)
    assert "ix_events_gathering" in await crowd.plan(1)


QUEUES: Mapping[str, tuple[str, ...]] = {
    "due_reminders": ("ix_notices_reminded",),
    "due_digests": ("ix_notices_digested",),
    "due_warnings": ("ix_authorizations_warned",),
    "due_releases": ("ix_lapses_claimed", "ix_mutes_over"),
    "due_profiles": ("ix_identities_looked", "ix_identities_gone", "ix_identities_looked"),
}


async def test_each_queue_is_read_from_the_front_of_its_partial_index(crowd: Crowd) -> None:
    await make_due(crowd)
    now = crowd.clock.now()
    for queue, indexes in QUEUES.items():
        ask = getattr(crowd.storage.queues, queue)
        with crowd.listening() as heard:
            assert await ask(**{"looked_before" if queue == "due_profiles" else "now": now}, limit=15)
        assert len(heard) == len(indexes)
        for place, index in enumerate(indexes):
            plan = await crowd.plan(place)
            assert index in plan, plan
            assert_no_table_is_walked(plan)
            # PostgreSQL may sort the few accounts that were never looked at.
            assert queue == "due_profiles" or "Sort" not in plan, plan


def assert_no_table_is_walked(plan: str) -> None:
    assert "Seq Scan" not in plan, plan
    assert "TEMP B-TREE FOR ORDER" not in plan, plan
    assert not re.search(r"^SCAN (?!.*USING (COVERING )?INDEX)", plan, re.MULTILINE), plan


async def test_a_readers_digest_and_messages_of_a_lapse_are_read_from_indexes(crowd: Crowd) -> None:
    [told, *_] = await tell_many(crowd)
    await make_due(crowd)
    organization_id, now = crowd.seeded.organization_id, crowd.clock.now()
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            await uow.notices.gathered(organization_id, crowd.seeded.ana.id, until=now)
            await uow.notices.shown(organization_id, [told])
            await uow.notices.recent(organization_id, since=now + timedelta(seconds=1))
    assert heard
    for place in range(len(heard)):
        plan = await crowd.plan(place)
        assert "Seq Scan" not in plan, plan
        assert not re.search(r"^SCAN (?!.*USING (COVERING )?INDEX)", plan, re.MULTILINE), plan


async def test_owners_are_counted_and_names_suggested_through_indexes(crowd: Crowd) -> None:
    organization_id = crowd.seeded.organization_id
    scopes = (
        Scope(),
        Scope(client_ids=frozenset({crowd.seeded.acme.id}), person_id=crowd.seeded.sam.id),
        Scope(within=frozenset({crowd.seeded.acme.id})),
    )
    for scope in scopes:
        with crowd.listening() as heard:
            async with crowd.storage.reading() as uow:
                assert await uow.connections.owners(organization_id, scope)
                assert len(await uow.connections.suggest(organization_id, scope, "many 12", limit=9)) == 9
                assert await uow.connections.suggest(organization_id, scope, "many-1", limit=9)
        assert len(heard) == 3
        assert "connections" not in heard[0][0], "owners are counted by the counters"
        for place in (1, 2):
            plan = await crowd.plan(place)
            assert "ix_connections_organization_id_name_key_id" in plan, plan
            assert "ix_connections_organization_id_account_id" in plan, plan
            assert "Seq Scan" not in plan
            assert "SCAN connections" not in plan


async def test_others_under_a_parent_are_read_from_their_index(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            found = await uow.connections.others_under(crowd.seeded.organization_id, "examplenet", ["business-1"])
    assert found == {"business-1": (crowd.seeded.ana.id,)}
    assert len(heard) == 1
    assert "ix_connections_parent" in await crowd.plan()


async def test_logins_under_a_parent_are_read_from_their_index(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            await uow.connections.logins_under(crowd.seeded.organization_id, "examplenet", "business-1")
    assert len(heard) == 1
    assert "ix_connections_parent" in await crowd.plan()


async def test_lanes_and_deliveries_are_read_from_the_index_of_waiting_ones(crowd: Crowd) -> None:
    queues, now = crowd.storage.queues, crowd.clock.now()
    with crowd.listening():
        assert await queues.lanes_due(now) == ["a", "b"]
    assert "ix_deliveries_" in await crowd.plan()
    term = await queues.take_lane("a", holder="h", now=now, lease=LEASE)
    assert term is not None
    with crowd.listening() as heard:
        assert len(await queues.take_deliveries("a", term=term, now=now, limit=10)) == 10
    assert len(heard) == 3
    plan = await crowd.plan(1)
    assert "ix_deliveries_waiting" in plan or "ix_deliveries_queue" in plan
    assert "SCAN deliveries" not in plan
    assert "Seq Scan on deliveries" not in plan


@pytest.mark.behaviour("X-7")
async def test_what_ends_within_90_days_is_read_from_its_index_in_three_statements(crowd: Crowd) -> None:
    now, ninety = crowd.clock.now(), timedelta(days=90)
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            found = await uow.forecasts.ending(
                crowd.seeded.organization_id, Scope(), after=now, before=now + ninety, limit=10
            )
    assert found
    assert len(heard) == 3
    assert "ix_authorizations_ending" in await crowd.plan(0)
    for place in range(3):
        plan = await crowd.plan(place)
        assert "SCAN connections" not in plan
        assert "Seq Scan on connections" not in plan, plan
