"""Nothing that waits is passed by for ever."""

import asyncio
from datetime import timedelta
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.ids import DeliveryId, NoticeId, new_id
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.storage import Sent
from storage import SqlStorage
from storage.turns import APART
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed
from tests.support.sqlite import copied

LANE = "slack:T1"
STEP = APART / 2
"""How far apart the looks at the outbox are."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(waiting=st.lists(st.integers(1, 4), min_size=1, max_size=4), at_once=st.integers(1, 3))
def test_nothing_starves_though_newcomers_take_all_that_can_be_sent(
    empty_database: Path, waiting: list[int], at_once: int
) -> None:
    """What waits is sent within a time that depends on what was there before it, not on how long newcomers come."""
    with copied(empty_database) as url:
        asyncio.run(play(url, waiting, at_once))


async def play(url: str, waiting: list[int], at_once: int) -> None:
    clock = FakeClock()
    async with fresh_storage(url, clock) as storage:
        seeded = await seed(storage, clock.now())
        left = await plan(
            storage, seeded, clock, [f"U{user}" for user, number in enumerate(waiting) for _ in range(number)]
        )
        fresh = count()
        # All that was there, what comes before its last turn, and one look for each message of one address.
        looks = sum(waiting) + max(waiting) * (APART // STEP) + max(waiting)
        for _ in range(looks):
            await plan(storage, seeded, clock, [f"N{next(fresh)}" for _ in range(at_once)])
            left -= await send(storage, clock, at_once)
            clock.advance(STEP)
        assert not left


async def plan(storage: SqlStorage, seeded: Seeded, clock: FakeClock, users: list[str]) -> set[DeliveryId]:
    notices, deliveries = [], []
    for user in users:
        notice = Notice(
            id=NoticeId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            kind=NoticeKind.UNDELIVERED,
            part=Part.CONNECTOR,
            person_id=seeded.ana.id,
            channel=None,
            lapse_ids=(),
            created_at=clock.now(),
        )
        notices.append(notice)
        deliveries.append(
            Delivery(
                id=DeliveryId(new_id(clock.now())),
                organization_id=seeded.organization_id,
                notice_id=notice.id,
                address=Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id=user),
                lane=LANE,
                priority=Priority.FIRST,
                state=DeliveryState.DUE,
                wanted=1,
                shown=0,
                ref=None,
                attempts=0,
                next_at=clock.now(),
                created_at=clock.now(),
            )
        )
    async with storage.transaction() as uow:
        await uow.notices.plan(notices, deliveries)
    return {delivery.id for delivery in deliveries}


async def send(storage: SqlStorage, clock: FakeClock, limit: int) -> set[DeliveryId]:
    now = clock.now()
    term = await storage.queues.take_lane(LANE, holder="one", now=now, lease=timedelta(days=1))
    assert term is not None
    taken = await storage.queues.take_deliveries(LANE, term=term, now=now, limit=limit)
    results = [
        Sent(
            delivery_id=delivery.id,
            state=DeliveryState.DELIVERED,
            shown=1,
            ref=MessageRef(platform="slack", tenant="T1", destination="D1", message=str(delivery.id)),
            reason="",
            next_at=now,
            attempts=1,
        )
        for delivery in taken
    ]
    await storage.queues.record_sent(LANE, term=term, results=results)
    return {delivery.id for delivery in taken}
