"""Puts notices of the data set's lapses on their way, as the planner would have written them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bench.dataset import (
    ADMINISTRATORS,
    NEEDING,
    ORGANIZATION,
    PLATFORM,
    TEAM,
    Place,
    keyring,
    lapsed_places,
    row_id,
)
from commands.ids import ConnectionId, DeliveryId, EventId, LapseId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import ConnectionState, Evidence, Lapse, Verdict
from commands.ports.chat import Address, AddressKind
from commands.ports.notices import Delivery, DeliveryState, Event, EventKind, Notice, NoticeKind, Part, Priority
from commands.ports.storage import Storage, UnitOfWork
from storage import open_storage, tables

LANE = f"{PLATFORM}:{TEAM}"


async def put_on_their_way(
    url: str, size: int, *, readers: Sequence[int], destination: Callable[[int, int], str], lapses: int = NEEDING
) -> None:
    """Write first notices that are due now, in one transaction: each reader is told of each lapse.

    Readers are administrators, by number; one may be told of a lapse once, so that each call takes others.
    `destination` gives the Slack user for a reader and the number of a lapse.
    """
    assert all(reader < ADMINISTRATORS for reader in readers)
    async with open_storage(url, keyring()) as storage:
        now = storage.clock.now()
        pairs = [
            (_notice(place, reader, now), destination(reader, number))
            for reader in readers
            for number, place in enumerate(lapsed_places(size)[:lapses])
        ]
        deliveries = [_delivery(notice, to, now) for notice, to in pairs]
        async with storage.transaction() as uow:
            await uow.notices.plan([notice for notice, _ in pairs], deliveries)


async def record_open_lapses(url: str, size: int) -> None:
    """Write the events from which the planner tells of every lapse of the data set."""
    async with open_storage(url, keyring()) as storage:
        now = storage.clock.now()
        events = [
            _opened(
                LapseId(row_id(tables.lapses, place.number)),
                ConnectionId(row_id(tables.connections, place.number)),
                now,
            )
            for place in lapsed_places(size)
        ]
        async with storage.transaction() as uow:
            await uow.notices.record(events)


async def open_lapse(storage: Storage, place: Place) -> datetime:
    """Write a lapse as the watch would, and give when it was there for others to see."""
    now = storage.clock.now()
    connection_id = ConnectionId(row_id(tables.connections, place.number))
    lapse = Lapse(
        id=LapseId(new_id(now)),
        organization_id=OrganizationId(ORGANIZATION),
        connection_id=connection_id,
        authorization_id=None,
        cause=Verdict.REVOKED,
        evidence=Evidence(check="bench"),
        last_good_at=now,
        opened_at=now,
    )
    async with storage.transaction() as uow:
        await _write(uow, lapse, now)
    return storage.clock.now()


async def _write(uow: UnitOfWork, lapse: Lapse, now: datetime) -> None:
    assert await uow.lapses.open(lapse)
    await uow.connections.set_state(lapse.organization_id, lapse.connection_id, ConnectionState.LAPSED)
    await uow.notices.record([_opened(lapse.id, lapse.connection_id, now)])


def _opened(lapse_id: LapseId, connection_id: ConnectionId, now: datetime) -> Event:
    return Event(
        id=EventId(new_id(now)),
        organization_id=OrganizationId(ORGANIZATION),
        kind=EventKind.LAPSE_OPENED,
        at=now,
        lapse_id=lapse_id,
        connection_id=connection_id,
    )


def _notice(place: Place, reader: int, now: datetime) -> Notice:
    return Notice(
        id=NoticeId(new_id(now)),
        organization_id=OrganizationId(ORGANIZATION),
        kind=NoticeKind.LAPSED,
        part=Part.OWNER,
        person_id=PersonId(row_id(tables.people, reader)),
        channel=None,
        lapse_ids=(LapseId(row_id(tables.lapses, place.number)),),
        created_at=now,
    )


def _delivery(notice: Notice, destination: str, now: datetime) -> Delivery:
    return Delivery(
        id=DeliveryId(new_id(now)),
        organization_id=notice.organization_id,
        notice_id=notice.id,
        address=Address(platform=PLATFORM, tenant=TEAM, kind=AddressKind.DIRECT, external_id=destination),
        lane=LANE,
        priority=Priority.FIRST,
        state=DeliveryState.DUE,
        wanted=1,
        shown=0,
        ref=None,
        attempts=0,
        next_at=now,
        created_at=now,
    )
