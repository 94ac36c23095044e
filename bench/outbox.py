"""Puts notices of the data set's lapses on their way, as the planner would have written them."""

from collections.abc import Sequence
from datetime import datetime

from bench.dataset import ORGANIZATION, Place, keyring, lapsed_places, reader, row_id
from bench.processes.running import environment
from bot.bootstrap import adapters
from bot.notices.outbox import Outbox, Posting
from commands.ids import ConnectionId, EventId, LapseId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import ConnectionState, Evidence, Lapse, Verdict
from commands.ports.chat import Surroundings
from commands.ports.events import Event, EventKind
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.storage import UnitOfWork
from storage import SqlStorage, open_storage, tables


async def put_on_their_way(url: str, size: int, *, told: Sequence[tuple[int, int]]) -> None:
    """Write first notices that are due now, in one transaction: each reader, by number, is told of a lapse, by number.

    A reader may be told of a lapse once.
    """
    places = lapsed_places(size)
    async with open_storage(url, keyring()) as storage:
        nowhere = "http://127.0.0.1:1"
        surroundings = Surroundings(
            clock=storage.clock, installations=storage.installations, public_url=nowhere, picture_url=lambda _: None
        )
        platforms, _ = adapters(environment(url, nowhere, 1), surroundings)
        outbox = Outbox(platforms=platforms, clock=storage.clock)
        now = storage.clock.now()
        async with storage.transaction() as uow:
            ids = [PersonId(row_id(tables.people, reader(number))) for number in sorted({one for one, _ in told})]
            people = await uow.people.many(OrganizationId(ORGANIZATION), ids)
            postings = []
            for number, lapse in told:
                person = people[PersonId(row_id(tables.people, reader(number)))]
                notice = _notice(places[lapse % len(places)], person.id, now)
                postings.append(Posting(notice=notice, reader=person))
            await outbox.put(uow, OrganizationId(ORGANIZATION), postings)


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


async def open_lapse(storage: SqlStorage, place: Place) -> datetime:
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


def _notice(place: Place, reader_id: PersonId, now: datetime) -> Notice:
    return Notice(
        id=NoticeId(new_id(now)),
        organization_id=OrganizationId(ORGANIZATION),
        kind=NoticeKind.LAPSED,
        part=Part.OWNER,
        person_id=reader_id,
        channel=None,
        lapse_ids=(LapseId(row_id(tables.lapses, place.number)),),
        created_at=now,
    )
