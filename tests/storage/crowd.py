"""A store with so many rows that a plan which walks them shows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, event, insert, select, text, update

from commands.auditing import Actor
from commands.hosting import add_endpoint
from commands.ids import ConnectionId, DeliveryId, EventId, LapseId, NoticeId, new_id
from commands.model import ConnectionState
from commands.ports.events import EventKind
from storage import Keyring, SqlStorage
from storage.engine import Engines, open_engines
from storage.tables import (
    NOBODY,
    authorizations,
    connections,
    deliveries,
    events,
    identities,
    lanes,
    lapses,
    mutes,
    notice_authorizations,
    notice_lapses,
    notices,
    subscriptions,
    webhook_messages,
)
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


@asynccontextmanager
async def crowded(database_url: str) -> AsyncIterator[Crowd]:
    """Fill an empty database."""
    clock = FakeClock()
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
                "step": 0,
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


async def tell_many(crowd: Crowd) -> list[LapseId]:
    """Many lapses of the past, each told once; many channels that subscribe, and Ana."""
    now, seeded = crowd.clock.now(), crowd.seeded
    told = [(LapseId(new_id(now)), NoticeId(new_id(now))) for _ in range(MANY)]
    common = {"organization_id": seeded.organization_id}
    at = {"opened_at": now, "ended_at": now, "connection_id": seeded.connections[0].id}
    lapse = {**common, **at, "cause": "revoked", "evidence": {"check": "x"}, "ended_how": "recovered"}
    notice = {
        **common,
        "kind": "lapsed",
        "part": "owner",
        "person_id": seeded.bo.id,
        "data": {},
        "created_at": now,
        "step": 0,
    }
    delivery = {**common, "platform": "slack", "tenant": "T1", "kind": "direct", "external_id": "U-BO", "lane": "a"}
    delivery |= {"priority": "1-first", "state": "delivered", "wanted": 1, "shown": 1, "attempts": 1, "reason": ""}
    delivery |= {"next_at": now, "turn_at": now, "created_at": now, "delivered_at": now}
    ending = {"authorization_id": seeded.authorization.id, "position": 0}
    opted_in = {**common, "person_id": seeded.ana.id, "network": "", "client_key": NOBODY, "created_at": now}
    here = {"reader_id": NOBODY, "platform": "slack", "tenant": "T1"}
    own = {**opted_in, "id": new_id(now), "reader_id": seeded.ana.id, "platform": "", "tenant": "", "channel": ""}
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (lapses, [{**lapse, "id": lapse_id} for lapse_id, _ in told]),
        (notices, [{**notice, "id": id, "dedupe": id.bytes} for _, id in told]),
        (notice_lapses, [{**common, "notice_id": id, "lapse_id": lapse_id, "position": 0} for lapse_id, id in told]),
        (notice_authorizations, [{**common, **ending, "notice_id": id} for _, id in told]),
        (deliveries, [{**delivery, "id": new_id(now), "notice_id": id} for _, id in told]),
        (subscriptions, [{**opted_in, **here, "id": new_id(now), "channel": f"C{place}"} for place in range(MANY)]),
        (subscriptions, [own]),
    ]
    async with crowd.engines.writers.begin() as connection:
        for table, values in rows:
            await connection.execute(insert(table), values)
        await connection.execute(text("ANALYZE"))
    return [lapse_id for lapse_id, _ in told]


async def make_due(crowd: Crowd) -> None:
    """Many notices, authorizations, claims and accounts, of which a few are due."""
    now, seeded = crowd.clock.now(), crowd.seeded
    over, later = now - timedelta(days=1), now + timedelta(days=1)
    common = {"organization_id": seeded.organization_id}
    notice = {**common, "kind": "lapsed", "part": "owner", "person_id": seeded.ana.id, "data": {}, "step": 0}
    lapse = {**common, "cause": "revoked", "evidence": {"check": "x"}, "connection_id": seeded.connections[0].id}
    lapse |= {"opened_at": over, "claim_person_id": seeded.ana.id}
    lapse_ids = [new_id(now) for _ in range(MANY)]
    identity = {**common, "person_id": seeded.ana.id, "platform": "slack", "tenant": "T9", "linked_at": over}

    def when(place: int) -> datetime | None:
        return over if place < FEW // 4 else later if place < MANY // 2 else None

    notes: list[dict[str, Any]] = []
    for place in range(MANY):
        id, due = new_id(now), when(place)
        notes.append({**notice, "id": id, "dedupe": id.bytes, "created_at": over, "remind_at": due, "digest_at": due})
    claims = [
        # One is open, the others were ended, and stay claimed.
        {**lapse, "id": id, "claim_until": over, "ended_at": now if place else None}
        for place, id in enumerate(lapse_ids)
    ]
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (notices, notes),
        (lapses, claims),
        (
            mutes,
            [{**common, "lapse_id": id, "person_id": seeded.bo.id, "until": when(n)} for n, id in enumerate(lapse_ids)],
        ),
        (
            identities,
            [
                {**identity, "id": new_id(now), "user_id": f"U{n}", "looked_at": when(n) or now, "gone_at": None}
                for n in range(MANY)
            ],
        ),
    ]
    async with crowd.engines.writers.begin() as connection:
        for table, values in rows:
            await connection.execute(insert(table), values)
        some = select(authorizations.c.id).where(authorizations.c.subject_id.in_([f"s-{n}" for n in range(FEW)]))
        await connection.execute(update(authorizations).values(warn_at=later))
        await connection.execute(update(authorizations).where(authorizations.c.id.in_(some)).values(warn_at=over))
        await connection.execute(text("ANALYZE"))


async def tell_host(crowd: Crowd) -> None:
    """Many messages that an endpoint took, and few that wait for it."""
    now, organization_id = crowd.clock.now(), crowd.seeded.organization_id
    caller = Actor(organization_id=organization_id, origin="test")
    async with crowd.storage.transaction() as uow:
        added = await add_endpoint(uow, caller, "https://hooks.example.com/", now=now)
    assert added is not None
    rows = [
        {
            "id": new_id(now),
            "organization_id": organization_id,
            "endpoint_id": added[0].id,
            "event_id": new_id(now),
            "type": "lapse.opened",
            "body": "{}",
            "created_at": now,
            "state": "due" if place < FEW else "delivered",
            "attempts": 0,
            "term": 0,
            "next_at": now,
            "last_error": "",
            "finished_at": None if place < FEW else now,
        }
        for place in range(MANY)
    ]
    async with crowd.engines.writers.begin() as connection:
        await connection.execute(insert(webhook_messages), rows)
        await connection.execute(text("ANALYZE"))
