"""Events, notices, deliveries and their lanes, over both databases."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AuthorizationId, DeliveryId, EventId, NoticeId, new_id
from commands.model import Channel, Lapse
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.events import Event, EventKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.storage import Sent
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

LANE = "slack:T1"
LEASE = timedelta(seconds=30)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def notice_for(seeded: Seeded, lapses: Sequence[Lapse], clock: FakeClock, **changes: object) -> Notice:
    plain: dict[str, object] = {
        "id": NoticeId(new_id(clock.now())),
        "organization_id": seeded.organization_id,
        "kind": NoticeKind.LAPSED,
        "part": Part.CONNECTOR,
        "person_id": seeded.ana.id,
        "channel": None,
        "lapse_ids": tuple(lapse.id for lapse in lapses),
        "created_at": clock.now(),
        "data": {"of": "1"},
    }
    return Notice(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields


def delivery_of(notice: Notice, clock: FakeClock, user: str = "U-ANA", **changes: object) -> Delivery:
    plain: dict[str, object] = {
        "id": DeliveryId(new_id(clock.now())),
        "organization_id": notice.organization_id,
        "notice_id": notice.id,
        "address": Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id=user),
        "lane": LANE,
        "priority": Priority.FIRST,
        "state": DeliveryState.DUE,
        "wanted": 1,
        "shown": 0,
        "ref": None,
        "attempts": 0,
        "next_at": clock.now(),
        "created_at": clock.now(),
    }
    return Delivery(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields


def sent(
    delivery: Delivery, clock: FakeClock, state: DeliveryState = DeliveryState.DELIVERED, **changes: object
) -> Sent:
    plain: dict[str, object] = {
        "delivery_id": delivery.id,
        "state": state,
        "shown": delivery.wanted if state is DeliveryState.DELIVERED else delivery.shown,
        "ref": MessageRef(platform="slack", tenant="T1", destination="D1", message=f"m-{delivery.id}"),
        "reason": "",
        "next_at": clock.now(),
        "attempts": delivery.attempts + 1,
    }
    return Sent(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields


async def planned(
    storage: SqlStorage, seeded: Seeded, clock: FakeClock, user: str = "U-ANA"
) -> tuple[Lapse, Notice, Delivery]:
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    notice = notice_for(seeded, [opened], clock)
    delivery = delivery_of(notice, clock, user)
    async with storage.transaction() as uow:
        await uow.notices.plan([notice], [delivery])
    return opened, notice, delivery


async def take(storage: SqlStorage, clock: FakeClock, holder: str = "one") -> tuple[int, list[Delivery]]:
    term = await storage.queues.take_lane(LANE, holder=holder, now=clock.now(), lease=LEASE)
    assert term is not None
    return term, list(await storage.queues.take_deliveries(LANE, term=term, now=clock.now(), limit=100))


async def stored(storage: SqlStorage, notice: Notice) -> Delivery:
    async with storage.reading() as uow:
        [delivery] = await uow.notices.deliveries(notice.organization_id, notice.id)
    return delivery


async def test_events_wait_for_their_authorizations_first_and_come_whole(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=3)
    gather = timedelta(seconds=1)
    events = [(await lapse(storage, seeded.connections[0], clock.now()))[1]]
    clock.advance(timedelta(milliseconds=900))
    events.append((await lapse(storage, seeded.connections[1], clock.now()))[1])
    due = storage.queues.due_events
    assert await due(now=clock.now(), gather=gather, limit=10) == []
    now = clock.advance(timedelta(milliseconds=100))
    [ready] = await due(now=now, gather=gather, limit=1)
    assert (ready.organization_id, list(ready.events)) == (seeded.organization_id, events)


async def test_the_limit_counts_events_and_parts_no_authorizations(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")

    def event(of: Seeded, authorization_id: AuthorizationId | None) -> Event:
        at = clock.advance(timedelta(milliseconds=1))
        return Event(
            id=EventId(new_id(at)),
            organization_id=of.organization_id,
            kind=EventKind.LAPSE_OPENED,
            at=at,
            authorization_id=authorization_id,
            data={"words": "safe"},
        )

    mine, lone, theirs = seeded.authorization.id, None, other.authorization.id
    events = [event(seeded, mine), event(seeded, lone), event(other, theirs), event(seeded, mine), event(other, lone)]
    async with storage.transaction() as uow:
        await uow.notices.record(events)
    now = clock.advance(timedelta(minutes=1))

    async def due(limit: int) -> list[list[Event]]:
        found = await storage.queues.due_events(now=now, gather=timedelta(seconds=1), limit=limit)
        return [list(ready.events) for ready in found]

    assert await due(1) == [[events[0], events[3]]]
    assert await due(3) == [[events[0], events[3], events[1]]]
    assert await due(9) == [[events[0], events[3], events[1]], [events[2], events[4]]]
    async with storage.transaction() as uow:
        assert await uow.notices.mark_planned([events[0].id, events[3].id, events[1].id])
    assert await due(9) == [[events[2], events[4]]]
    async with storage.transaction() as uow:
        assert not await uow.notices.mark_planned([events[1].id, events[2].id])


async def test_a_reader_is_told_the_same_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, notice, delivery = await planned(storage, seeded, clock)
    again = notice_for(seeded, [opened], clock, part=Part.SUBSCRIBER, data={"of": "2"})
    as_owner = notice_for(seeded, [opened], clock, part=Part.OWNER)  # they were given the account since
    channel = Channel(platform="slack", tenant="T1", external_id="C1")
    to_channel = notice_for(seeded, [opened], clock, channel=channel)
    failures = [
        notice_for(seeded, [opened], clock, kind=NoticeKind.UNDELIVERED, data={"whom": whom}) for whom in ("bo", "sam")
    ]
    wanted = [again, as_owner, to_channel, *failures]
    async with storage.transaction() as uow:
        await uow.notices.plan(wanted, [delivery_of(each, clock) for each in wanted])
        kept = await uow.notices.get_many(seeded.organization_id, [notice.id, *(each.id for each in wanted)])
        assert kept == {each.id: each for each in (notice, as_owner, to_channel, *failures)}
        assert await uow.notices.deliveries(seeded.organization_id, again.id) == []
        assert await uow.notices.deliveries(seeded.organization_id, notice.id) == [delivery]
        clock.advance(timedelta(seconds=1))
        next_way = delivery_of(notice, clock, "U-OTHER")
        await uow.notices.plan([], [next_way, replace(delivery, id=DeliveryId(new_id(clock.now())))])
        assert await uow.notices.deliveries(seeded.organization_id, notice.id) == [delivery, next_way]


async def test_a_lane_is_one_holders_until_its_lease_is_over(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    await planned(storage, seeded, clock)
    queues = storage.queues
    assert await queues.lanes_due(clock.now()) == [LANE]
    term = await queues.take_lane(LANE, holder="one", now=clock.now(), lease=LEASE)
    assert term is not None
    assert await queues.lanes_due(clock.now()) == []
    assert await queues.take_lane(LANE, holder="two", now=clock.now(), lease=LEASE) is None
    assert await queues.take_lane(LANE, holder="one", now=clock.advance(LEASE / 2), lease=LEASE) == term
    now = clock.advance(LEASE)
    newer = await queues.take_lane(LANE, holder="two", now=now, lease=LEASE)
    assert newer is not None
    assert newer > term
    assert await queues.take_deliveries(LANE, term=term, now=now, limit=10) == []
    await queues.leave_lane(LANE, holder="one")
    assert await queues.lanes_due(now) == []
    await queues.leave_lane(LANE, holder="two")
    assert await queues.lanes_due(now) == [LANE]


async def test_deliveries_come_by_priority_then_age_one_for_each_address(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    wanted: list[tuple[Notice, Delivery]] = []
    for user, priority in (
        ("A", Priority.REMINDER),
        ("B", Priority.FIRST),
        ("A", Priority.FIRST),
        ("A", Priority.FIRST),
        ("C", Priority.EDIT),
    ):
        clock.advance(timedelta(seconds=1))
        notice = notice_for(seeded, [opened], clock, kind=NoticeKind.UNDELIVERED, data={"n": str(len(wanted))})
        wanted.append((notice, delivery_of(notice, clock, user, priority=priority)))
    later = delivery_of(wanted[0][0], clock, "D", next_at=clock.now() + timedelta(hours=1))
    async with storage.transaction() as uow:
        await uow.notices.plan([notice for notice, _ in wanted], [*(delivery for _, delivery in wanted), later])
    deliveries = [delivery for _, delivery in wanted]
    term, first = await take(storage, clock)
    assert first == [deliveries[1], deliveries[2], deliveries[4]]
    take_more = storage.queues.take_deliveries
    assert await take_more(LANE, term=term, now=clock.now(), limit=10) == []
    await storage.queues.record_sent(LANE, term=term, results=[sent(each, clock) for each in first])
    assert await take_more(LANE, term=term, now=clock.now(), limit=10) == [deliveries[3]]
    await storage.queues.record_sent(LANE, term=term, results=[sent(deliveries[3], clock)])
    assert await take_more(LANE, term=term, now=clock.now(), limit=10) == [deliveries[0]]
    assert await take_more(LANE, term=term, now=later.next_at, limit=10) == [later]


async def plan_for(storage: SqlStorage, seeded: Seeded, clock: FakeClock, *users: str) -> list[Delivery]:
    """Plan one message after another, about nothing in particular, at this moment."""
    notices = [notice_for(seeded, [], clock, kind=NoticeKind.UNDELIVERED) for _ in users]
    deliveries = [delivery_of(notice, clock, user) for notice, user in zip(notices, users, strict=True)]
    async with storage.transaction() as uow:
        await uow.notices.plan(notices, deliveries)
    return deliveries


async def test_an_address_that_waits_for_one_message_does_not_wait_for_everybodys_tenth(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    users = [f"U{place}" for place in range(4)]
    await plan_for(storage, seeded, clock, *(user for _ in range(5) for user in users))
    for user in users:
        await plan_for(storage, seeded, clock, *[user] * 5)
    clock.advance(timedelta(seconds=30))
    await plan_for(storage, seeded, clock, "U-FRESH")
    term, first = await take(storage, clock)
    came = [delivery.address.external_id for delivery in first]
    assert (sorted(came[:4]), came[4:]) == (users, ["U-FRESH"])
    await storage.queues.record_sent(LANE, term=term, results=[sent(each, clock) for each in first[:4]])
    clock.advance(timedelta(seconds=30))
    [fresher] = await plan_for(storage, seeded, clock, "U-FRESHER")
    more = await storage.queues.take_deliveries(LANE, term=term, now=clock.now(), limit=1)
    assert more == [fresher], "their second messages come after it"


async def test_an_address_keeps_its_order_however_many_wait_when_the_next_comes(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    planned = await plan_for(storage, seeded, clock, *["U-ANA"] * 3)
    came = []
    for _ in range(6):
        clock.advance(timedelta(seconds=1))
        term, [taken] = await take(storage, clock)
        planned += await plan_for(storage, seeded, clock, "U-ANA")
        await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock)])
        planned += await plan_for(storage, seeded, clock, "U-ANA")
        came.append(taken.id)
    assert came == [delivery.id for delivery in planned[:6]]


async def test_a_message_tried_again_keeps_its_turn(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    first, second, third = await plan_for(storage, seeded, clock, *["U-ANA"] * 3)
    term, [taken] = await take(storage, clock)
    later = clock.now() + timedelta(seconds=5)
    again = sent(taken, clock, DeliveryState.DUE, ref=None, next_at=later)
    await storage.queues.record_sent(LANE, term=term, results=[again])
    _, [taken] = await take(storage, clock)
    assert taken.id == second.id, "what is not due holds nothing up"
    await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock)])
    clock.advance(timedelta(seconds=5))
    _, [taken] = await take(storage, clock)
    assert taken.id == first.id
    await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock)])
    _, [taken] = await take(storage, clock)
    assert taken.id == third.id


async def test_an_edit_has_its_turn_when_it_is_asked_for(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, notice, _ = await planned(storage, seeded, clock)
    other, _ = await lapse(storage, seeded.connections[1], clock.now())
    another = notice_for(seeded, [other], clock)
    async with storage.transaction() as uow:
        await uow.notices.plan([another], [delivery_of(another, clock, "U-BO")])
    term, both = await take(storage, clock)
    await storage.queues.record_sent(LANE, term=term, results=[sent(each, clock) for each in both])
    for about in (other, opened):
        async with storage.transaction() as uow:
            await uow.notices.redraw(seeded.organization_id, [about.id], clock.advance(timedelta(seconds=1)))
    _, edits = await take(storage, clock)
    assert [each.notice_id for each in edits] == [another.id, notice.id]


@pytest.mark.behaviour("N-10")
async def test_a_redraw_makes_what_is_shown_due_again_as_an_edit(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, notice, delivery = await planned(storage, seeded, clock)

    async def redraw() -> int:
        async with storage.transaction() as uow:
            return await uow.notices.redraw(seeded.organization_id, [opened.id], clock.now())

    assert await redraw() == 1
    assert await stored(storage, notice) == replace(delivery, wanted=2), "a first post keeps its priority"
    term, [taken] = await take(storage, clock)
    result = sent(taken, clock)
    await storage.queues.record_sent(LANE, term=term, results=[result])
    shown = await stored(storage, notice)
    assert (shown.state, shown.shown, shown.ref) == (DeliveryState.DELIVERED, 2, result.ref)
    clock.advance(timedelta(seconds=5))
    assert await redraw() == 1
    due = await stored(storage, notice)
    assert (due.state, due.priority, due.wanted, due.ref) == (DeliveryState.DUE, Priority.EDIT, 3, result.ref)
    assert (due.next_at, due.attempts) == (clock.now(), 0)
    _, [taken] = await take(storage, clock)
    await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock, DeliveryState.FAILED, reason="gone")])
    assert await redraw() == 0


async def test_a_redraw_while_sending_is_not_lost(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, notice, _ = await planned(storage, seeded, clock)
    term, [taken] = await take(storage, clock)
    async with storage.transaction() as uow:
        assert await uow.notices.redraw(seeded.organization_id, [opened.id], clock.now()) == 1
    await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock)])
    due = await stored(storage, notice)
    assert (due.state, due.priority, due.wanted, due.shown) == (DeliveryState.DUE, Priority.EDIT, 2, 1)
    _, [edit] = await take(storage, clock)
    await storage.queues.record_sent(LANE, term=term, results=[sent(edit, clock)])
    assert (await stored(storage, notice)).state is DeliveryState.DELIVERED
    async with storage.reading() as uow:
        reached = await uow.notices.delivered_to(seeded.organization_id, [opened.id])
    assert reached == {seeded.ana.id: clock.now()}


async def test_a_holder_that_died_while_sending_leaves_an_unknown_outcome(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    _, notice, _ = await planned(storage, seeded, clock)
    old_term, [taken] = await take(storage, clock)
    clock.advance(LEASE)
    assert await storage.queues.lanes_due(clock.now()) == [LANE]
    term, [again] = await take(storage, clock, holder="two")
    assert again.state is DeliveryState.UNKNOWN, "the sender has to know that it may be there already"
    await storage.queues.record_sent(LANE, term=old_term, results=[sent(taken, clock)])
    assert (await stored(storage, notice)).state is DeliveryState.SENDING, "a lost term writes nothing"
    await storage.queues.record_sent(LANE, term=term, results=[sent(again, clock)])
    assert (await stored(storage, notice)).state is DeliveryState.DELIVERED
    assert await storage.queues.lanes_due(clock.now()) == []


async def test_an_unknown_outcome_is_taken_again_when_its_time_comes(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    await planned(storage, seeded, clock)
    term, [taken] = await take(storage, clock)
    lost = sent(taken, clock, DeliveryState.UNKNOWN, ref=None, next_at=clock.now() + timedelta(seconds=5))
    await storage.queues.record_sent(LANE, term=term, results=[lost])
    assert await storage.queues.take_deliveries(LANE, term=term, now=clock.now(), limit=5) == []
    now = clock.advance(timedelta(seconds=5))
    [again] = await storage.queues.take_deliveries(LANE, term=term, now=now, limit=5)
    assert (again.state, again.attempts) == (DeliveryState.UNKNOWN, 1)


async def test_what_was_delivered_without_a_reference_is_not_edited(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, _, _ = await planned(storage, seeded, clock)
    term, [taken] = await take(storage, clock)
    await storage.queues.record_sent(LANE, term=term, results=[sent(taken, clock, ref=None)])
    async with storage.transaction() as uow:
        assert await uow.notices.redraw(seeded.organization_id, [opened.id], clock.now()) == 0
