"""Personal links that somebody follows, with how their message fared and every round trip, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import AttemptId, DeliveryId, LinkId, NoticeId, PassId, SessionId, new_id
from commands.ports.chat import Address, AddressKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose, Sending
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def followed_pass(seeded: Seeded, clock: FakeClock, notice_id: NoticeId | None) -> Pass:
    now = clock.now()
    return Pass(
        id=PassId(new_id(now)),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        purpose=PassPurpose.ACCOUNTS,
        made_by=None if notice_id else seeded.mei.id,
        created_at=now,
        expires_at=now + timedelta(weeks=1),
        notice_id=notice_id,
        followed_at=now,
    )


async def message_of(storage: SqlStorage, seeded: Seeded, clock: FakeClock, *states: DeliveryState) -> NoticeId:
    """The message that carries a link, with a delivery in each of these states."""
    notice = Notice(
        id=NoticeId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        kind=NoticeKind.PERSONAL_LINK,
        part=Part.OWNER,
        person_id=seeded.bo.id,
        channel=None,
        lapse_ids=(),
        created_at=clock.now(),
    )
    deliveries = [
        Delivery(
            id=DeliveryId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            notice_id=notice.id,
            address=Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id=f"U{place}"),
            lane="lane",
            priority=Priority.FIRST,
            state=state,
            wanted=1,
            shown=0,
            ref=None,
            attempts=0,
            next_at=clock.now(),
            created_at=clock.now(),
        )
        for place, state in enumerate(states)
    ]
    async with storage.transaction() as uow:
        await uow.notices.plan([notice], deliveries)
    return notice.id


@pytest.mark.behaviour("X-10")
async def test_how_the_message_fared_is_told_by_its_best_delivery(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    ways = {
        Sending.SENT: (DeliveryState.FAILED, DeliveryState.DELIVERED),
        Sending.ON_ITS_WAY: (DeliveryState.FAILED, DeliveryState.DUE),
        Sending.FAILED: (DeliveryState.FAILED, DeliveryState.SUPPRESSED),
    }
    made: dict[PassId, Sending] = {}
    for sending, states in ways.items():
        one = followed_pass(seeded, clock, await message_of(storage, seeded, clock, *states))
        made[one.id] = sending
        async with storage.transaction() as uow:
            await uow.passes.add(one, secret_hash=one.id.bytes)
    copied = followed_pass(seeded, clock, None)
    made[copied.id] = Sending.COPIED
    async with storage.transaction() as uow:
        await uow.passes.add(copied, secret_hash=b"copied")
        found = await uow.passes.followed(seeded.organization_id, since=clock.now(), offset=0, limit=9)
        assert await uow.passes.number_followed(seeded.organization_id, since=clock.now()) == 4
        assert await uow.passes.number_followed(seeded.organization_id, since=clock.now() + HOUR) == 0
    assert {link.one.id: link.sending for link in found} == made
    by_hand = next(link for link in found if link.one.id == copied.id)
    assert (by_hand.one, by_hand.person_name, by_hand.maker_name) == (copied, seeded.bo.name, seeded.mei.name)


@pytest.mark.behaviour("X-10")
async def test_of_a_message_tried_again_the_last_link_counts_and_any_that_was_opened(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    notice_id = await message_of(storage, seeded, clock, DeliveryState.DUE)
    first = followed_pass(seeded, clock, notice_id)
    clock.advance(HOUR)
    second = followed_pass(seeded, clock, notice_id)
    since, organization_id = first.created_at, seeded.organization_id
    async with storage.transaction() as uow:
        for one in (first, second):
            await uow.passes.add(one, secret_hash=one.id.bytes)
        found = await uow.passes.followed(organization_id, since=since, offset=0, limit=9)
        assert [link.one.id for link in found] == [second.id]
        await uow.passes.opened(organization_id, first.id, clock.now())
        found = await uow.passes.followed(organization_id, since=since, offset=0, limit=9)
        assert [link.one.id for link in found] == [second.id, first.id]
        assert [link.one.id for link in await uow.passes.followed(organization_id, since=since, offset=1, limit=1)] == [
            first.id
        ]
        assert await uow.passes.withdraw_one(organization_id, first.id, clock.now())
        assert not await uow.passes.withdraw_one(organization_id, second.id, clock.now()), "it went with the other"


@pytest.mark.behaviour("X-10")
async def test_the_latest_round_trips_through_a_link_are_told_and_those_of_others_are_not(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    one, other = followed_pass(seeded, clock, None), followed_pass(seeded, clock, None)
    link = Link(
        id=LinkId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        connection_id=None,
        created_at=clock.now(),
        network="examplenet",
    )
    async with storage.transaction() as uow:
        await uow.links.ensure(link)
        for each in (one, other):
            await uow.passes.add(each, secret_hash=each.id.bytes)
    opened = []
    for number in range(5):
        now = clock.advance(HOUR)
        attempt = Attempt(
            id=AttemptId(new_id(now)),
            organization_id=seeded.organization_id,
            link_id=link.id,
            person_id=seeded.bo.id,
            connection_id=None,
            authorization_id=None,
            network="examplenet",
            session_id=SessionId(one.id),
            redirect_uri="http://127.0.0.1/",
            code_verifier=None,
            opened_at=now,
            expires_at=now + HOUR,
        )
        elsewhere = replace(attempt, id=AttemptId(new_id(now)), session_id=SessionId(new_id(now)))
        async with storage.transaction() as uow:
            for each_attempt in (attempt, elsewhere):
                await uow.attempts.open(
                    each_attempt, state_hash=each_attempt.id.bytes, browser_hash=b"b", take_over=False
                )
            if number < 4:
                await uow.attempts.finish(seeded.organization_id, attempt.id, outcome=str(number), at=now)
        opened.append(now)
    async with storage.reading() as uow:
        links = await uow.passes.followed(seeded.organization_id, since=one.created_at, offset=0, limit=9)
    rounds = {link.one.id: link.rounds for link in links}
    assert rounds[other.id] == ()
    assert [(each.opened_at, each.outcome) for each in rounds[one.id]] == [
        (opened[2], "2"), (opened[3], "3"), (opened[4], None)
    ]  # fmt: skip
    assert rounds[one.id][-1].closed_at is None
