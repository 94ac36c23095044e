"""What is asked often is read from an index made for it, in a fixed number of statements, on both databases."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, text

from commands.ids import ConnectionId, DeliveryId, EventId, LapseId, NoticeId, new_id
from commands.model import ConnectionState, Filter, Scope
from commands.ports.chat import Address, AddressKind
from commands.ports.notices import Delivery, DeliveryState, EventKind, Priority
from storage import Keyring, SqlStorage, upgrade
from storage.checks import HEALTH_SAMPLE
from storage.engine import Engines, open_engines
from storage.tables import (
    NOBODY,
    authorizations,
    connections,
    deliveries,
    events,
    lanes,
    lapses,
    notice_lapses,
    notices,
    subscriptions,
)
from storage.turns import APART, turns
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, seed

MANY = 4_000
FEW = 40
LEASE = timedelta(minutes=1)


@dataclass
class Crowd:
    """A store with many rows, of which few need anything, and an ear at its engines."""

    storage: SqlStorage
    engines: Engines
    seeded: Seeded
    clock: FakeClock
    heard: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[list[tuple[str, Any]]]:
        def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "EXPLAIN")):
                self.heard.append((statement, parameters))

        self.heard.clear()
        both = (self.engines.readers.engine, self.engines.writers.sync_engine)
        for engine in both:
            event.listen(engine, "before_cursor_execute", hear)
        try:
            yield self.heard
        finally:
            for engine in both:
                event.remove(engine, "before_cursor_execute", hear)

    async def plan(self, place: int = 0) -> str:
        """How the database carries out a statement that was heard."""
        statement, parameters = self.heard[place]
        how = "EXPLAIN" if self.engines.is_shared else "EXPLAIN QUERY PLAN"
        async with self.engines.writers.connect() as connection:
            rows = await connection.exec_driver_sql(f"{how} {statement}", parameters)
            return "\n".join(str(row[-1]) for row in rows)


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Crowd]:
    clock = FakeClock()
    await upgrade(database_url)
    engines = open_engines(database_url, connections=2)
    storage = SqlStorage(engines, Keyring.from_settings(Keyring.new_key("k")), clock)
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + timedelta(days=9))
    await _fill(engines, seeded, clock)
    yield Crowd(storage=storage, engines=engines, seeded=seeded, clock=clock)
    await engines.dispose()


async def _fill(engines: Engines, seeded: Seeded, clock: FakeClock) -> None:
    """Many connections, authorizations, events and deliveries; few of them lapsed, due, unplanned or waiting."""
    now, organization_id = clock.now(), seeded.organization_id
    long_ago = now - timedelta(days=1)
    grants = [new_id(now) for _ in range(MANY)]
    async with engines.writers.begin() as connection:
        await connection.execute(
            insert(authorizations),
            [
                {
                    "id": grant,
                    "organization_id": organization_id,
                    "network": "examplenet",
                    "subject_id": f"s-{place}",
                    "subject_name": "s",
                    "connector_id": seeded.ana.id,
                    "granted": [],
                    "obtained_at": now,
                    "ends_at": now + timedelta(days=10 + place % 50),
                    "next_check_at": now + timedelta(hours=-1 if place < FEW else 1),
                    "checked_at": now,
                    "doubt_since": now if place % 4 else None,
                    "generation": 1,
                    "access_token": "v1.x.x.x",
                    "lease_term": 0,
                }
                for place, grant in enumerate(grants)
            ],
        )
        await connection.execute(
            insert(connections),
            [
                {
                    "id": ConnectionId(new_id(now)),
                    "organization_id": organization_id,
                    "client_id": seeded.acme.id,
                    "network": "examplenet",
                    "account_id": f"many-{place}",
                    "account_name": f"Many {place}",
                    "name_key": f"many {place}",
                    "state": (ConnectionState.LAPSED if place < FEW else ConnectionState.ACTIVE).value,
                    "urgency": 0 if place < FEW else 2,
                    "lapsed_since": long_ago if place < FEW else None,
                    "authorization_id": grant,
                }
                for place, grant in enumerate(grants)
            ],
        )
        await connection.execute(
            insert(events),
            [
                {
                    "id": EventId(new_id(now)),
                    "organization_id": organization_id,
                    "kind": EventKind.LAPSE_OPENED.value,
                    "at": long_ago,
                    "authorization_id": grants[place],
                    "data": {},
                    "planned_at": None if place < FEW else now,
                }
                for place in range(MANY)
            ],
        )
        notice = NoticeId(new_id(now))
        await connection.execute(insert(lanes), [{"name": "a", "term": 0}, {"name": "b", "term": 0}])
        await connection.execute(
            insert(notices),
            {
                "id": notice,
                "organization_id": organization_id,
                "kind": "lapsed",
                "part": "owner",
                "person_id": seeded.bo.id,
                "data": {},
                "created_at": now,
                "dedupe": b"",
            },
        )
        await connection.execute(
            insert(deliveries),
            [
                {
                    "id": DeliveryId(new_id(now)),
                    "organization_id": organization_id,
                    "notice_id": notice,
                    "platform": "slack",
                    "tenant": "T1",
                    "kind": "direct",
                    "external_id": f"U{place}",
                    "lane": "ab"[place % 2],
                    "priority": "1-first",
                    "state": "due" if place < FEW else "delivered",
                    "wanted": 1,
                    "shown": 0,
                    "attempts": 0,
                    "next_at": long_ago,
                    "turn_at": long_ago,
                    "created_at": long_ago,
                    "reason": "",
                }
                for place in range(MANY)
            ],
        )
        await connection.execute(text("ANALYZE"))


async def _tell_many(crowd: Crowd) -> list[LapseId]:
    """Many lapses of the past, each told once; many channels that subscribe, and Ana."""
    now, seeded = crowd.clock.now(), crowd.seeded
    told = [(LapseId(new_id(now)), NoticeId(new_id(now))) for _ in range(MANY)]
    common = {"organization_id": seeded.organization_id}
    at = {"opened_at": now, "ended_at": now, "connection_id": seeded.connections[0].id}
    lapse = {**common, **at, "cause": "revoked", "evidence": {"check": "x"}, "ended_how": "recovered"}
    notice = {**common, "kind": "lapsed", "part": "owner", "person_id": seeded.bo.id, "data": {}, "created_at": now}
    delivery = {**common, "platform": "slack", "tenant": "T1", "kind": "direct", "external_id": "U-BO", "lane": "a"}
    delivery |= {"priority": "1-first", "state": "delivered", "wanted": 1, "shown": 1, "attempts": 1, "reason": ""}
    delivery |= {"next_at": now, "turn_at": now, "created_at": now, "delivered_at": now}
    opted_in = {**common, "person_id": seeded.ana.id, "network": "", "client_key": NOBODY, "created_at": now}
    here = {"reader_id": NOBODY, "platform": "slack", "tenant": "T1"}
    own = {**opted_in, "id": new_id(now), "reader_id": seeded.ana.id, "platform": "", "tenant": "", "channel": ""}
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (lapses, [{**lapse, "id": lapse_id} for lapse_id, _ in told]),
        (notices, [{**notice, "id": id, "dedupe": id.bytes} for _, id in told]),
        (notice_lapses, [{**common, "notice_id": id, "lapse_id": lapse_id, "position": 0} for lapse_id, id in told]),
        (deliveries, [{**delivery, "id": new_id(now), "notice_id": id} for _, id in told]),
        (subscriptions, [{**opted_in, **here, "id": new_id(now), "channel": f"C{place}"} for place in range(MANY)]),
        (subscriptions, [own]),
    ]
    async with crowd.engines.writers.begin() as connection:
        for table, values in rows:
            await connection.execute(insert(table), values)
        await connection.execute(text("ANALYZE"))
    return [lapse_id for lapse_id, _ in told]


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


async def test_claiming_due_checks_walks_neither_table(crowd: Crowd) -> None:
    """So that what it reads does not grow with the tables."""
    with crowd.listening() as heard:
        await crowd.storage.queues.claim_checks(
            now=crowd.clock.now(), limit=10, lease=LEASE, networks=["examplenet", "other"]
        )
    for place in range(len(heard)):
        plan = await crowd.plan(place)
        assert not [line for line in plan.splitlines() if line.startswith("SCAN ") and "nections" in line]
        assert "SCAN authorizations" not in plan
        assert "Seq Scan" not in plan


async def test_what_messages_are_composed_from_is_read_from_indexes(crowd: Crowd) -> None:
    [told, *_] = await _tell_many(crowd)
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
