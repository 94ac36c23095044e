"""Lapses reach the host product by signed webhook, whatever its receiver does (R-12, A-7)."""

import asyncio
import contextlib
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import update

from bot.notices.desk import Desk
from bot.notices.outbox import Outbox
from bot.webhooks.loop import LEASE
from bot.webhooks.outcomes import DISABLED_AFTER, JITTER, SCHEDULE, Answer, judged
from bot.webhooks.planning import put_messages
from commands import hosting
from commands.ids import EventId, WebhookMessageId, new_id, to_wire
from commands.model import LapseEnd
from commands.ports.events import Event, EventKind
from commands.ports.hosting import MessageState
from storage.tables import webhook_endpoints
from tests.support.seed import lapse
from tests.webhooks.conftest import House


class CutOff(Exception):
    """A process killed before its transaction ended."""


class Chance(random.Random):
    """No jitter."""

    def random(self) -> float:
        return 0.0


@pytest.mark.behaviour("R-12")
async def test_a_lapse_is_told_when_it_opens_and_when_it_ends_with_the_gaps_bounds(house: House) -> None:
    await house.endpoint()
    connection = house.seeded.connections[0]
    opened, _ = await lapse(house.storage, connection, house.clock.now())
    await house.plan()
    assert await house.loop().run_once() == 1
    ended_at = house.clock.advance(timedelta(hours=3))
    async with house.storage.transaction() as uow:
        await uow.lapses.end(
            connection.organization_id,
            connection.id,
            at=ended_at,
            how=LapseEnd.RECONNECTED,
            by=house.seeded.raj.id,
        )
        event = Event(
            id=EventId(new_id(ended_at)),
            organization_id=connection.organization_id,
            kind=EventKind.LAPSE_ENDED,
            at=ended_at,
            lapse_id=opened.id,
            connection_id=connection.id,
            person_id=house.seeded.raj.id,
        )
        await uow.notices.record([event])
    await house.plan()
    assert await house.loop().run_once() == 1
    first, last = house.receiver.bodies
    assert first["type"] == "lapse.opened"
    assert first["data"]["lapse"]["gap"] == {
        "begins_at": "2026-11-23T08:00:00Z",
        "ends_at": None,
        "fetchable_until": None,
        "filled_at": None,
    }
    assert last["type"] == "lapse.ended"
    assert last["data"]["connection"]["account_id"] == connection.account_id
    assert last["data"]["connection"]["client"]["name"] == "Acme"
    told = last["data"]["lapse"]
    assert (told["cause"], told["ended_how"]) == ("revoked", "reconnected")
    assert told["reconnected_by"]["email"] == house.seeded.raj.email
    assert told["gap"]["begins_at"] == "2026-11-23T08:00:00Z"
    assert told["gap"]["ends_at"] == ended_at.isoformat().replace("+00:00", "Z")
    assert [message.state for message in await house.messages()] == [MessageState.DELIVERED] * 2
    assert await house.loop().run_once() == 0


@pytest.mark.behaviour("A-7")
async def test_a_connection_with_an_address_of_its_own_is_told_there_and_nowhere_else(house: House) -> None:
    everybody = await house.endpoint(path="/all")
    own = await house.endpoint(house.seeded.connections[0].id, "/own")
    house.receiver.secret = None
    await house.lapsed(house.seeded.connections[0])
    await house.lapsed(house.seeded.connections[1])
    assert {one.endpoint_id for one in await house.messages()} == {own.id, everybody.id}
    await house.loop().run_once()
    assert sorted(house.receiver.asked) == ["POST /hooks/all", "POST /hooks/own"]
    assert {body["data"]["connection"]["account_id"] for body in house.receiver.bodies} == {"acct-1", "acct-2"}


@pytest.mark.behaviour("R-12")
async def test_a_receiver_that_fails_is_tried_again_by_the_schedule_under_the_same_id_then_given_up(
    house: House,
) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.answers = [web.Response(status=500) for _ in range(30)]
    loop = house.loop(chance=Chance())
    for wait in (*SCHEDULE, None):
        assert await loop.run_once() == 1
        if wait is not None:
            house.clock.advance(wait - timedelta(seconds=1))
            assert await loop.run_once() == 0, "not before its time"
            house.clock.advance(timedelta(seconds=1))
    (dead,) = await house.messages(MessageState.DEAD)
    assert (dead.attempts, dead.last_status, dead.last_error) == (len(SCHEDULE) + 1, 500, "it answered 500")
    assert set(house.receiver.ids) == {f"msg_{to_wire(dead.id)}"}
    house.receiver.answers = []
    async with house.storage.transaction() as uow:
        assert await uow.webhooks.replay(house.seeded.organization_id, at=house.clock.now()) == 1
    assert await loop.run_once() == 1
    assert set(house.receiver.ids) == {f"msg_{to_wire(dead.id)}"}
    assert [message.state for message in await house.messages()] == [MessageState.DELIVERED]
    (endpoint,) = await house.endpoints()
    assert endpoint.failing_since is None


@pytest.mark.behaviour("R-12")
async def test_a_redirect_is_a_failure_and_is_not_followed(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.answers = [web.Response(status=302, headers={"Location": house.receiver.url + "/elsewhere"})]
    await house.loop().run_once()
    (message,) = await house.messages(MessageState.DUE)
    assert "redirect" in message.last_error
    assert house.receiver.asked == ["POST /hooks"]


@pytest.mark.behaviour("R-12")
async def test_gone_disables_the_endpoint_at_once_and_nothing_is_lost(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.answers = [web.Response(status=410)]
    await house.loop().run_once()
    await house.lapsed(house.seeded.connections[1])
    assert await house.loop().run_once() == 0
    assert [message.state for message in await house.messages()] == [MessageState.DEAD] * 2
    (endpoint,) = await house.endpoints()
    assert endpoint.disabled_why == "it answered 410 Gone"
    async with house.storage.reading() as uow:
        entries = await uow.audit.latest(house.seeded.organization_id, limit=10)
    assert "webhook.disabled" in [entry.action for entry in entries]
    async with house.storage.transaction() as uow:
        assert await uow.webhooks.replay(house.seeded.organization_id, at=house.clock.now()) == 0
        assert await hosting.enable_endpoint(uow, house.caller, endpoint.id, house.clock.now())
        assert await uow.webhooks.replay(house.seeded.organization_id, at=house.clock.now()) == 2
    assert await house.loop().run_once() == 2


@pytest.mark.behaviour("R-12")
@pytest.mark.parametrize("status", [429, 502, 504])
async def test_a_receiver_that_wants_to_be_left_alone_is(house: House, status: int) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.answers = [web.Response(status=status, headers={"Retry-After": "120"})]
    loop = house.loop()
    await loop.run_once()
    await house.lapsed(house.seeded.connections[1])
    assert await loop.run_once() == 0, "a new message waits as well"
    house.clock.advance(timedelta(seconds=125))
    assert await loop.run_once() == 2


@pytest.mark.behaviour("R-12")
@pytest.mark.parametrize(
    "retry_after",
    [
        "Mon, 01 Jan 2024 00:00:00 +9999999999999",
        "1 Jan 99999999999 0:0:0 +0000",
        "1 Jan 2024 99999999999:0:0 +0000",
        "9" * 60,
        "-5",
        "soon",
    ],
)
async def test_nonsense_in_retry_after_is_held_to_a_wait(house: House, retry_after: str) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.answers = [web.Response(status=429, headers={"Retry-After": retry_after})]
    await house.loop(chance=Chance()).run_once()
    (message,) = await house.messages(MessageState.DUE)
    assert message.last_status == 429
    assert timedelta(seconds=5) <= message.next_at - house.clock.now() <= timedelta(hours=1)


@pytest.mark.behaviour("R-12")
async def test_a_try_that_breaks_cuts_no_other_off(house: House) -> None:
    class Broken(random.Random):
        def random(self) -> float:
            house.receiver.release()
            raise ZeroDivisionError

    slow = await house.endpoint(house.seeded.connections[0].id, "/slow")
    await house.endpoint(house.seeded.connections[1].id, "/broken")
    house.receiver.secret = None
    house.receiver.slow = {"/hooks/slow"}
    for connection in house.seeded.connections:
        await lapse(house.storage, connection, house.clock.now())
    await house.plan()
    house.receiver.answers = [web.Response(status=500)]
    assert await house.loop(chance=Broken()).run_once() == 2
    (told,) = await house.messages(MessageState.DELIVERED)
    assert told.endpoint_id == slow.id


@pytest.mark.behaviour("R-12")
async def test_a_receiver_that_hangs_keeps_only_its_own_messages_waiting(house: House) -> None:
    await house.endpoint(house.seeded.connections[0].id, "/slow")
    await house.endpoint(house.seeded.connections[1].id, "/fast")
    house.receiver.secret = None
    house.receiver.slow = {"/hooks/slow"}
    await house.lapsed(house.seeded.connections[0])
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(house.loop().run_once())
        await house.receiver.came("/hooks/slow")
        await house.lapsed(house.seeded.connections[1])
        await house.receiver.came("/hooks/fast")
        house.receiver.release()
        assert await sending == 2
    assert [message.state for message in await house.messages()] == [MessageState.DELIVERED] * 2


async def test_an_endpoint_whose_secret_cannot_be_read_keeps_nobody_waiting(house: House) -> None:
    broken = await house.endpoint(house.seeded.connections[0].id, "/broken")
    await house.endpoint(house.seeded.connections[1].id, "/good")
    async with house.storage.writing_work() as work:
        await work.run(
            update(webhook_endpoints).where(webhook_endpoints.c.id == broken.id).values(secret="v1.gone.AAAA.AAAA")
        )
    await house.lapsed(house.seeded.connections[0])
    await house.lapsed(house.seeded.connections[1])
    await house.loop().run_once()
    assert house.receiver.asked == ["POST /hooks/good"]
    (disabled,) = [one for one in await house.endpoints() if one.disabled_at is not None]
    assert (disabled.id, "cannot be read" in disabled.disabled_why) == (broken.id, True)
    async with house.storage.transaction() as uow:
        assert await hosting.rotate_endpoint(uow, house.caller, broken.id, house.clock.now()) is not None
        assert await hosting.enable_endpoint(uow, house.caller, broken.id, house.clock.now())
    house.receiver.secret = None
    assert await house.loop().run_once() == 1


@pytest.mark.behaviour("R-12")
async def test_planning_that_is_cut_off_leaves_nothing_and_is_done_again(house: House) -> None:
    await house.endpoint()
    _, event = await lapse(house.storage, house.seeded.connections[0], house.clock.now())
    outbox, organization_id = Outbox(platforms={}, clock=house.clock), house.seeded.organization_id
    with contextlib.suppress(CutOff):
        async with house.storage.transaction() as uow:
            assert await uow.notices.mark_planned([event.id])
            desk = Desk(uow, organization_id, networks={}, outbox=outbox, now=house.clock.now())
            await put_messages(desk, [event])
            raise CutOff
    assert await house.messages() == []
    await house.plan()
    assert len(await house.messages()) == 1


async def test_a_receiver_that_never_answers_is_given_up_in_time(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    house.receiver.hangs = True
    await house.loop(send_within=0.05).run_once()
    (message,) = await house.messages(MessageState.DUE)
    assert message.last_error == "no answer within 0.05 seconds"
    assert message.last_status is None


async def test_nothing_is_sent_into_a_private_network(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    await house.loop(private=False).run_once()
    assert house.receiver.asked == []
    (message,) = await house.messages(MessageState.DUE)
    assert message.last_error == "its address is not allowed any more"


@pytest.mark.behaviour("R-12")
async def test_an_endpoint_that_failed_for_days_is_disabled(house: House) -> None:
    endpoint = await house.endpoint()
    await house.lapsed()
    (due,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    failing = replace(due, endpoint=replace(endpoint, failing_since=house.clock.now() - DISABLED_AFTER))
    outcome = judged(failing, Answer(status=500), now=house.clock.now(), chance=Chance())
    assert outcome.disable
    assert await house.storage.host.record_outcome(failing, outcome)
    (after,) = await house.endpoints()
    assert after.disabled_at == house.clock.now()


async def test_waits_differ_by_some_so_that_not_all_come_back_at_once(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    (due,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    now = house.clock.now()
    waits = {judged(due, Answer(status=500), now=now, chance=random.Random(seed)).next_at - now for seed in range(20)}
    assert len(waits) > 10
    assert all(SCHEDULE[0] <= wait <= SCHEDULE[0] * (1 + JITTER) for wait in waits)


@pytest.mark.behaviour("R-12")
async def test_a_process_killed_after_sending_sends_again_under_the_same_id(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    (taken,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    assert await house.loop().run_once() == 0, "somebody has it"
    house.clock.advance(LEASE)
    assert await house.loop().run_once() == 1
    assert house.receiver.ids == [f"msg_{to_wire(taken.message.id)}"]
    late = judged(taken, Answer(status=500), now=house.clock.now(), chance=Chance())
    assert not await house.storage.host.record_outcome(taken, late), "who comes back late writes nothing"
    assert [message.state for message in await house.messages()] == [MessageState.DELIVERED]


@pytest.mark.behaviour("R-12")
async def test_planning_that_is_done_again_makes_no_second_message(house: House) -> None:
    await house.endpoint()
    await house.lapsed()
    (message,) = await house.messages()
    async with house.storage.transaction() as uow:
        await uow.webhooks.add_messages([replace(message, id=WebhookMessageId(new_id(house.clock.now())))])
    assert len(await house.messages()) == 1


@pytest.mark.behaviour("R-12")
async def test_after_a_rotation_messages_carry_both_signatures_for_a_day(house: House) -> None:
    endpoint = await house.endpoint()
    async with house.storage.transaction() as uow:
        new = await hosting.rotate_endpoint(uow, house.caller, endpoint.id, house.clock.now())
    old = house.receiver.secret
    await house.lapsed()
    queue, now = house.storage.host, house.clock.now()
    (due,) = await queue.claim_messages(now=now, endpoints=1, each=1, lease=LEASE)
    assert due.secrets == (new, old)
    later = house.clock.advance(timedelta(days=1))
    (due,) = await queue.claim_messages(now=later, endpoints=1, each=1, lease=LEASE)
    assert due.secrets == (new,)


async def test_one_endpoints_backlog_leaves_turns_for_the_others(house: House) -> None:
    await house.endpoint(house.seeded.connections[0].id, "/one")
    await house.endpoint(house.seeded.connections[1].id, "/other")
    await house.lapsed(house.seeded.connections[0])
    await house.lapsed(house.seeded.connections[1])
    queue, now = house.storage.host, house.clock.now()
    first = await queue.claim_messages(now=now, endpoints=1, each=1, lease=timedelta(0))
    second = await queue.claim_messages(now=now, endpoints=1, each=1, lease=timedelta(0))
    assert first[0].endpoint.id != second[0].endpoint.id
