"""What is remembered of the host product, on both databases: each thing once, whoever is killed when."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from commands.auditing import Actor
from commands.host_reports import Report, ReportKind, ReportOutcome, take_report
from commands.hosting import (
    add_endpoint,
    add_source,
    make_key,
    own_address,
    parts_of_key,
    proves,
    rotate_endpoint,
)
from commands.ids import EventId, WebhookMessageId, new_id
from commands.model import Connection, ConnectionState, LapseEnd
from commands.ports.hosting import GapFilled, MessageState, SendOutcome, WebhookMessage
from commands.ports.network import NetworkKind
from commands.ports.storage import StorageError
from storage import SqlStorage
from storage.tables import api_keys, webhook_endpoints, webhook_sources
from tests.support.clock import FakeClock
from tests.support.network import spec
from tests.support.seed import Seeded, fresh_storage, lapse, seed

LEASE = timedelta(seconds=60)
SPECS = {"examplenet": spec(kind=NetworkKind.HOSTED)}


class CutOff(Exception):
    """A process killed before its transaction ended."""


class House:
    """An organization with the calls that these tests make again and again."""

    def __init__(self, storage: SqlStorage, clock: FakeClock, seeded: Seeded) -> None:
        self.storage, self.clock, self.seeded = storage, clock, seeded
        self.caller = Actor(organization_id=seeded.organization_id, origin="test")

    async def message(self, endpoint_id: object = None) -> WebhookMessage:
        now = self.clock.now()
        async with self.storage.transaction() as uow:
            endpoints = await uow.webhooks.endpoints(self.seeded.organization_id)
            if not endpoints:
                added = await add_endpoint(uow, self.caller, "https://hooks.example.com/", now=now)
                assert added is not None
                endpoints = [added[0]]
            message = WebhookMessage(
                id=WebhookMessageId(new_id(now)),
                organization_id=self.seeded.organization_id,
                endpoint_id=endpoints[0].id,
                event_id=EventId(new_id(now)),
                type="lapse.opened",
                body='{"é": 1}',
                created_at=now,
                next_at=now,
            )
            await uow.webhooks.add_messages([message])
        return message

    async def add(self, message: WebhookMessage) -> None:
        async with self.storage.transaction() as uow:
            await uow.webhooks.add_messages([message])

    async def claim(self, each: int = 4) -> list[object]:
        found = await self.storage.host.claim_messages(now=self.clock.now(), endpoints=4, each=each, lease=LEASE)
        return [due.message.id for due in found]

    def report(self, event_id: str, kind: ReportKind, connection: Connection, ago: timedelta) -> Report:
        return Report(event_id=event_id, kind=kind, at=self.clock.now() - ago, connection_id=connection.id)

    async def take(self, report: Report) -> ReportOutcome:
        taken = await take_report(self.storage, self.caller, report, specs=SPECS, now=self.clock.now())
        return taken.outcome


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        yield House(storage, clock, await seed(storage, clock.now()))


async def test_nothing_that_opens_something_is_stored_as_it_is(house: House) -> None:
    now = house.clock.now()
    async with house.storage.transaction() as uow:
        key, text = await make_key(uow, house.caller, name="host", life=timedelta(days=1), now=now)
        added = await add_endpoint(uow, house.caller, "https://hooks.example.com/", now=now)
        assert added is not None
        endpoint, secret = added
        await rotate_endpoint(uow, house.caller, endpoint.id, now)
        _, reported = await add_source(uow, house.caller, "host", now)
    async with house.storage.reading_work() as work:
        stored = [repr(await work.rows(select(one))) for one in (api_keys, webhook_endpoints, webhook_sources)]
    parts = parts_of_key(text.reveal())
    assert parts is not None
    for hidden in (parts[1], secret.reveal(), reported.reveal()):
        assert all(hidden not in rows for rows in stored)
    found = await house.storage.host.api_key(parts[0])
    assert found is not None
    assert proves(found[1], parts[1])
    assert not proves(found[1], parts[1][::-1])
    assert (found[0].id, found[0].works(now), found[0].works(now + timedelta(days=1))) == (key.id, True, False)


async def test_an_address_is_told_once_and_a_connection_has_one_of_its_own(house: House) -> None:
    now, connection = house.clock.now(), house.seeded.connections[0]
    async with house.storage.transaction() as uow:
        for expected in (True, False):
            added = await add_endpoint(uow, house.caller, "https://hooks.example.com/", now=now)
            assert (added is not None) is expected
        first, secret = await own_address(uow, house.caller, connection.id, "https://hooks.example.com/", now)
        again, none = await own_address(uow, house.caller, connection.id, "https://hooks.example.com/2", now)
        hearing = await uow.webhooks.hearing_of(house.seeded.organization_id, [connection.id])
        others = await uow.webhooks.hearing_of(house.seeded.organization_id, [house.seeded.connections[1].id])
    assert (first.id, secret is not None, none) == (again.id, True, None)
    assert [one.url for one in hearing] == ["https://hooks.example.com/", "https://hooks.example.com/2"]
    assert [one.url for one in others] == ["https://hooks.example.com/"]


@pytest.mark.behaviour("R-12")
async def test_a_message_that_was_taken_is_due_again_when_the_lease_is_over_and_counts_its_tries(house: House) -> None:
    message = await house.message()
    assert await house.claim() == [message.id]
    assert await house.claim() == []
    house.clock.advance(LEASE)
    (due,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    assert (due.message.attempts, due.message.body) == (2, '{"é": 1}')


@pytest.mark.behaviour("R-12")
async def test_many_processes_at_once_take_each_message_once(house: House) -> None:
    sent = [(await house.message()).id for _ in range(8)]
    taken = await asyncio.gather(*(house.claim(each=3) for _ in range(6)))
    found = [one for part in taken for one in part]
    assert len(found) == len(set(found))
    while more := await house.claim():
        found += more
    assert sorted(found) == sorted(sent)  # type: ignore[type-var]  # ids, which sort


async def test_who_lost_the_lease_writes_nothing(house: House) -> None:
    await house.message()
    (lost,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    now = house.clock.advance(LEASE)
    (held,) = await house.storage.host.claim_messages(now=now, endpoints=1, each=1, lease=LEASE)
    good = SendOutcome(state=MessageState.DELIVERED, status=200, error="", at=now, next_at=now)
    assert not await house.storage.host.record_outcome(lost, good)
    assert await house.storage.host.record_outcome(held, good)
    assert not await house.storage.host.record_outcome(held, good)


async def test_what_is_over_is_cleared_away_after_a_month_and_what_waits_stays(house: House) -> None:
    await house.message()
    (due,) = await house.storage.host.claim_messages(now=house.clock.now(), endpoints=1, each=1, lease=LEASE)
    now = house.clock.now()
    good = SendOutcome(state=MessageState.DELIVERED, status=200, error="", at=now, next_at=now)
    await house.storage.host.record_outcome(due, good)
    waiting = await house.message()
    await house.take(house.report("r1", ReportKind.LAPSED, house.seeded.connections[0], timedelta(0)))
    await house.storage.queues.purge(house.clock.advance(timedelta(days=31)))
    async with house.storage.reading() as uow:
        left = await uow.webhooks.messages(house.seeded.organization_id, limit=9)
    assert [message.id for message in left] == [waiting.id]
    again = house.report("r1", ReportKind.LAPSED, house.seeded.connections[0], timedelta(0))
    assert await house.take(again) is ReportOutcome.OPENED, "known for longer than a month"
    await house.storage.queues.purge(house.clock.advance(timedelta(days=60)))
    assert await house.take(again) is ReportOutcome.UNCHANGED, "taken up as a new one"


@pytest.mark.behaviour("D-7")
async def test_reports_about_one_connection_at_once_end_at_the_latest_state(house: House) -> None:
    connection = house.seeded.connections[0]
    reports = [
        house.report(
            f"r{place}",
            ReportKind.LAPSED if place % 2 else ReportKind.RESTORED,
            connection,
            timedelta(minutes=9 - place),
        )
        for place in range(8)
    ]
    await asyncio.gather(*(house.take(report) for report in reversed(reports)))
    async with house.storage.reading() as uow:
        assert (await uow.connections.get(connection.organization_id, connection.id)).state is ConnectionState.LAPSED


@pytest.mark.behaviour("D-7")
async def test_one_report_sent_by_many_at_once_counts_once(house: House) -> None:
    report = house.report("r1", ReportKind.LAPSED, house.seeded.connections[0], timedelta(0))
    outcomes = await asyncio.gather(*(house.take(report) for _ in range(6)))
    assert set(outcomes) == {ReportOutcome.OPENED}
    due = await house.storage.queues.due_events(
        now=house.clock.now() + timedelta(minutes=1), gather=timedelta(0), limit=9
    )
    assert len(due[0].events) == 1


@pytest.mark.behaviour("D-7")
async def test_a_report_whose_transaction_was_cut_off_can_be_sent_again(house: House) -> None:
    with contextlib.suppress(CutOff):
        async with house.storage.transaction() as uow:
            assert await uow.host_reports.begin(house.seeded.organization_id, "r1", house.clock.now()) is None
            raise CutOff
    report = house.report("r1", ReportKind.LAPSED, house.seeded.connections[0], timedelta(0))
    assert await house.take(report) is ReportOutcome.OPENED


@pytest.mark.behaviour("X-9")
async def test_a_gap_is_filled_once(house: House) -> None:
    opened, _ = await lapse(house.storage, house.seeded.connections[0], house.clock.now())
    filled = GapFilled(
        lapse_id=opened.id, organization_id=house.seeded.organization_id, at=house.clock.now(), note="all of it"
    )
    async with house.storage.transaction() as uow:
        await uow.lapses.end(
            opened.organization_id, opened.connection_id, at=house.clock.now(), how=LapseEnd.RECOVERED, by=None
        )
        assert await uow.host_reports.fill(filled)
        assert not await uow.host_reports.fill(filled)
        assert await uow.host_reports.filled(opened.organization_id, [opened.id]) == {opened.id: filled}


async def test_keys_within_the_organization_hold(house: House) -> None:
    message = await house.message()
    other = await seed(house.storage, house.clock.now(), name="Brio Agency", slack_team="T2", discord_server="D2")
    now = house.clock.now()
    stolen = replace(
        message,
        id=WebhookMessageId(new_id(now)),
        event_id=EventId(new_id(now)),
        organization_id=other.organization_id,
    )
    with pytest.raises(StorageError):
        await house.add(stolen)


@pytest.mark.behaviour("R-12")
async def test_many_addresses_of_one_organization_leave_a_turn_for_anothers(house: House) -> None:
    now = house.clock.now()
    other = House(
        house.storage,
        house.clock,
        await seed(house.storage, now, name="Other Agency", slack_team="T9", discord_server="9"),
    )
    await other.message()
    await other.claim()  # tried before: those that never were come first
    now = house.clock.advance(LEASE)
    await house.message()
    async with house.storage.transaction() as uow:
        for number, connection in enumerate(house.seeded.connections):
            await own_address(uow, house.caller, connection.id, f"https://hooks.example.com/{number}", now)
        (_, *more) = await uow.webhooks.endpoints(house.seeded.organization_id)
        (waiting,) = await uow.webhooks.messages(house.seeded.organization_id, limit=9)
        again = [
            replace(waiting, id=WebhookMessageId(new_id(now)), endpoint_id=one.id, event_id=EventId(new_id(now)))
            for one in more
        ]
        await uow.webhooks.add_messages(again)
    found = await house.storage.host.claim_messages(now=now, endpoints=2, each=1, lease=LEASE)
    organizations = {due.endpoint.organization_id for due in found}
    assert organizations == {house.seeded.organization_id, other.seeded.organization_id}
