"""Series of reminders, digests, threads and what grows, over both databases."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from commands.ids import DeliveryId, NoticeId, new_id
from commands.model import Channel, Lapse, Person
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.storage import DueReader, Sent
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

DAY = timedelta(days=1)
LANE = "slack:T1"


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
    }
    return Notice(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields


def delivery_of(notice: Notice, clock: FakeClock, **changes: object) -> Delivery:
    plain: dict[str, object] = {
        "id": DeliveryId(new_id(clock.now())),
        "organization_id": notice.organization_id,
        "notice_id": notice.id,
        "address": Address(platform="slack", tenant="T1", kind=AddressKind.CHANNEL, external_id="C1"),
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


async def plan(storage: SqlStorage, *notices: Notice, deliveries: Sequence[Delivery] = ()) -> None:
    async with storage.transaction() as uow:
        await uow.notices.plan(notices, deliveries)


async def read(storage: SqlStorage, notice: Notice) -> Notice | None:
    async with storage.reading() as uow:
        return (await uow.notices.get_many(notice.organization_id, [notice.id])).get(notice.id)


async def send(storage: SqlStorage, clock: FakeClock) -> list[Delivery]:
    """Post whatever is due, each as the message `m-` and its id."""
    term = await storage.queues.take_lane(LANE, holder="h", now=clock.now(), lease=DAY)
    assert term is not None
    sent = list(await storage.queues.take_deliveries(LANE, term=term, now=clock.now(), limit=9))
    results = [
        Sent(
            delivery_id=delivery.id,
            state=DeliveryState.DELIVERED,
            shown=delivery.wanted,
            ref=MessageRef(platform="slack", tenant="T1", destination="C1", message=f"m-{delivery.id}"),
            reason="",
            next_at=clock.now(),
            attempts=1,
        )
        for delivery in sent
    ]
    await storage.queues.record_sent(LANE, term=term, results=results)
    return sent


@pytest.mark.behaviour("N-6")
async def test_a_series_moves_on_once_for_each_reminder(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    first = clock.now() + 2 * DAY
    series = notice_for(seeded, [opened], clock, remind_at=first)
    owners = notice_for(seeded, [opened], clock, person_id=seeded.bo.id, part=Part.OWNER, remind_at=first + DAY)
    await plan(storage, series, owners)
    assert await read(storage, series) == series
    queues, organization_id = storage.queues, seeded.organization_id
    assert await queues.due_reminders(now=clock.now(), limit=9) == []
    clock.advance(2 * DAY)
    [due] = await queues.due_reminders(now=clock.now(), limit=9)
    assert due == DueReader(organization_id=seeded.organization_id, person_id=seeded.ana.id, notice_ids=(series.id,))

    async def move(was: datetime, step: int, at: datetime | None) -> bool:
        async with storage.transaction() as uow:
            return await uow.notices.remind_next(organization_id, series.id, was=was, step=step, at=at)

    assert not await move(first + DAY, 2, None), "somebody else moved it"
    assert await move(first, 2, first + 5 * DAY)
    assert not await move(first, 2, first + 5 * DAY)
    assert await read(storage, series) == replace(series, step=2, remind_at=first + 5 * DAY)
    clock.advance(5 * DAY)
    found = await queues.due_reminders(now=clock.now(), limit=9)
    assert [each.person_id for each in found] == [seeded.bo.id, seeded.ana.id], "the longest due first"
    assert len(await queues.due_reminders(now=clock.now(), limit=1)) == 1
    assert await move(first + 5 * DAY, 7, None)
    [left] = await queues.due_reminders(now=clock.now(), limit=9)
    assert left.person_id == seeded.bo.id


@pytest.mark.behaviour("N-16")
async def test_what_gathers_for_a_reader_is_told_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=3)
    lapses = [(await lapse(storage, connection, clock.now()))[0] for connection in seeded.connections]
    morning = clock.now() + DAY
    first = notice_for(seeded, [lapses[0]], clock, digest_at=morning)
    clock.advance(timedelta(hours=1))
    second = notice_for(seeded, [lapses[1]], clock, digest_at=morning)
    later = notice_for(seeded, [lapses[2]], clock, digest_at=morning + DAY)
    others = notice_for(seeded, [lapses[2]], clock, person_id=seeded.bo.id, digest_at=morning)
    await plan(storage, second, first, later, others)
    queues, organization_id = storage.queues, seeded.organization_id
    assert await queues.due_digests(now=clock.now(), limit=9) == []
    clock.advance(DAY)
    due = {each.person_id: each.notice_ids for each in await queues.due_digests(now=clock.now(), limit=9)}
    assert due == {seeded.ana.id: (first.id, second.id), seeded.bo.id: (others.id,)}
    async with storage.transaction() as uow:
        assert await uow.notices.gathered(organization_id, seeded.ana.id, until=clock.now()) == [first, second]
        assert await uow.notices.gathering_done(organization_id, [second.id, first.id])
        assert not await uow.notices.gathering_done(organization_id, [first.id])
        assert await uow.notices.gathered(organization_id, seeded.ana.id, until=clock.now()) == []
        assert await uow.notices.gathered(organization_id, seeded.ana.id, until=clock.now() + DAY) == [later]
    assert [each.person_id for each in await queues.due_digests(now=clock.now(), limit=9)] == [seeded.bo.id]


async def test_each_reminder_of_a_series_is_told_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + DAY)
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    reminders = [notice_for(seeded, [opened], clock, kind=NoticeKind.REMINDER, step=step) for step in (2, 7)]
    again = replace(reminders[0], id=NoticeId(new_id(clock.now())))
    expiring = [
        notice_for(
            seeded,
            [],
            clock,
            kind=NoticeKind.EXPIRING,
            authorization_ids=(seeded.authorization.id,),
            data={"days": days},
        )
        for days in ("7", "3")
    ]
    await plan(storage, *reminders, again, *expiring)
    for kept in (*reminders, *expiring):
        assert await read(storage, kept) == kept
    assert await read(storage, again) is None


@pytest.mark.behaviour("N-10")
async def test_what_is_shown_about_a_lapse_can_be_posted_under(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    first, second = [(await lapse(storage, connection, clock.now()))[0] for connection in seeded.connections]
    channel = Channel(platform="slack", tenant="T1", external_id="C1")
    told = notice_for(seeded, [first, second], clock, channel=channel, part=Part.CHANNEL)
    reminder = notice_for(seeded, [first], clock, kind=NoticeKind.REMINDER, step=2)
    posted, reminding = delivery_of(told, clock), delivery_of(reminder, clock)
    await plan(storage, told, reminder, deliveries=[posted, reminding])
    organization_id = seeded.organization_id
    async with storage.reading() as uow:
        assert await uow.notices.shown(organization_id, [first.id]) == {}
        assert await uow.notices.first_delivered(organization_id, [told.id]) == {}
    while await send(storage, clock):
        pass
    async with storage.reading() as uow:
        shown = await uow.notices.shown(organization_id, [second.id, first.id])
        assert list(shown) == [told.id]
        [message] = shown[told.id]
        assert (message.id, message.state) == (posted.id, DeliveryState.DELIVERED)
        assert message.ref == MessageRef(platform="slack", tenant="T1", destination="C1", message=f"m-{posted.id}")
        assert await uow.notices.first_delivered(organization_id, [told.id, reminder.id]) == {
            told.id: clock.now(),
            reminder.id: clock.now(),
        }
    note = notice_for(seeded, [first], clock, kind=NoticeKind.NOTE, channel=channel, data={"note": "n"})
    under = delivery_of(note, clock, under=message.ref)
    await plan(storage, note, deliveries=[under])
    async with storage.reading() as uow:
        assert await uow.notices.deliveries(organization_id, note.id) == [under]
    [sent] = await send(storage, clock)
    assert sent.under == message.ref


async def test_notices_of_an_authorization_are_drawn_anew(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), ends_at=clock.now() + DAY)
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    warning = notice_for(seeded, [], clock, kind=NoticeKind.EXPIRING, authorization_ids=(seeded.authorization.id,))
    told = notice_for(seeded, [opened], clock)
    elsewhere = Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id="U-ANA")
    await plan(
        storage, warning, told, deliveries=[delivery_of(warning, clock), delivery_of(told, clock, address=elsewhere)]
    )
    assert len(await send(storage, clock)) == 2
    async with storage.transaction() as uow:
        redraw = uow.notices.redraw_authorizations
        assert await redraw(seeded.organization_id, [seeded.authorization.id], clock.now()) == 1
        assert await redraw(seeded.organization_id, [], clock.now()) == 0
    [edit] = await send(storage, clock)
    assert (edit.notice_id, edit.priority, edit.wanted, edit.shown) == (warning.id, Priority.EDIT, 2, 1)


@pytest.mark.behaviour("N-4")
async def test_a_notice_that_is_young_grows(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    first, second, third, fourth = [
        (await lapse(storage, connection, clock.now()))[0] for connection in seeded.connections
    ]
    told = notice_for(seeded, [first], clock)
    gathered = notice_for(seeded, [second], clock, digest_at=clock.now())
    reminder = notice_for(seeded, [first], clock, kind=NoticeKind.REMINDER, step=2)
    await plan(storage, told, gathered, reminder, deliveries=[delivery_of(told, clock), delivery_of(reminder, clock)])
    organization_id = seeded.organization_id
    async with storage.transaction() as uow:
        assert await uow.notices.gathering_done(organization_id, [gathered.id])
        assert await uow.notices.recent(organization_id, since=clock.now()) == [told]
        assert await uow.notices.recent(organization_id, since=clock.now() + DAY) == []
        assert await uow.notices.grow(organization_id, told.id, [third.id, first.id, second.id, third.id]) == 2
        assert await uow.notices.grow(organization_id, told.id, [third.id]) == 0
        assert await uow.notices.grow(organization_id, told.id, [fourth.id]) == 1
    grown = await read(storage, told)
    assert grown == replace(told, lapse_ids=(first.id, third.id, second.id, fourth.id))


async def test_readers_who_are_due_come_whole_organizations_apart(storage: SqlStorage, clock: FakeClock) -> None:
    readers: list[Person] = []
    for name, team in (("Acme House", "T1"), ("Other House", "T2")):
        seeded = await seed(storage, clock.now(), name=name, slack_team=team, discord_server=f"D-{team}")
        opened, _ = await lapse(storage, seeded.connections[0], clock.now())
        await plan(storage, notice_for(seeded, [opened], clock, remind_at=clock.now()))
        readers.append(seeded.ana)
    due = await storage.queues.due_reminders(now=clock.now(), limit=9)
    assert {(each.organization_id, each.person_id) for each in due} == {
        (reader.organization_id, reader.id) for reader in readers
    }
