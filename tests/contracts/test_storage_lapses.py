"""Claims, snoozes, notes and counts of lapses, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from commands.ids import LapseId, NoteId, new_id
from commands.model import (
    Claim,
    ConnectionState,
    LapseCount,
    LapseEnd,
    LapseNote,
    Mute,
    Scope,
    Stats,
    Verdict,
    Wait,
)
from commands.ports.lapses import MOST_NOTES, Released
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def due(storage: SqlStorage, clock: FakeClock) -> list[LapseId]:
    found = await storage.queues.due_releases(now=clock.now(), limit=9)
    return [lapse_id for each in found for lapse_id in each.lapse_ids]


@pytest.mark.behaviour("N-11")
async def test_a_claim_and_a_snooze_end_when_their_time_is_over(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=4)
    organization_id = seeded.organization_id
    claimed, snoozed, not_mine, ended = [
        (await lapse(storage, connection, clock.now()))[0].id for connection in seeded.connections
    ]
    async with storage.transaction() as uow:
        claim = Claim(person_id=seeded.bo.id, until=clock.now() + 2 * HOUR)
        assert await uow.lapses.claim(organization_id, [claimed, ended], claim) == [claimed, ended]
        await uow.lapses.end(organization_id, seeded.connections[3].id, at=clock.now(), how=LapseEnd.RETIRED, by=None)
        mutes = [
            Mute(lapse_id=snoozed, person_id=seeded.ana.id, until=clock.now() + HOUR),
            Mute(lapse_id=snoozed, person_id=seeded.bo.id, until=clock.now() + DAY),
            Mute(lapse_id=not_mine, person_id=seeded.ana.id, until=None),
        ]
        assert await uow.lapses.mute(organization_id, mutes) == [snoozed, not_mine]
        assert await uow.lapses.mute(organization_id, mutes) == [], "nothing changed"
        assert set(await uow.lapses.mutes(organization_id, [snoozed, not_mine, claimed])) == set(mutes)
    assert await due(storage, clock) == []
    clock.advance(HOUR)
    assert await due(storage, clock) == [snoozed]
    clock.advance(HOUR)
    assert await due(storage, clock) == [snoozed, claimed], "the longest over first"
    async with storage.transaction() as uow:
        every = [claimed, snoozed, not_mine, ended]
        assert await uow.lapses.release_due(organization_id, every, clock.now()) == Released(
            claims=(claimed,), snoozes=((seeded.ana.id, snoozed),)
        )
        assert await uow.lapses.release_due(organization_id, every, clock.now()) == Released(claims=(), snoozes=())
        released = await uow.lapses.get(organization_id, claimed)
        assert released is not None
        assert released.claim is None
        assert set(await uow.lapses.mutes(organization_id, every)) == set(mutes[1:])
    assert await due(storage, clock) == []


@pytest.mark.behaviour("N-11")
async def test_a_claim_stands_against_others_until_it_is_over_and_only_its_own_is_given_back(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    organization_id, which = seeded.organization_id, [opened.id]

    def until(hours: int) -> datetime:
        return clock.now() + hours * HOUR

    async with storage.transaction() as uow:
        lapses = uow.lapses
        assert await lapses.claim(organization_id, which, Claim(person_id=seeded.bo.id, until=until(1))) == which
        assert await lapses.claim(organization_id, which, Claim(person_id=seeded.ana.id, until=until(1))) == []
        assert await lapses.claim(organization_id, which, Claim(person_id=seeded.bo.id, until=until(2))) == which
        assert await lapses.release(organization_id, which, person_id=seeded.ana.id) == []
        for_ana = Claim(person_id=seeded.ana.id, until=until(1))
        assert await lapses.claim(organization_id, which, for_ana, take_over=True) == which
        assert await lapses.claim(organization_id, which, for_ana, take_over=True) == [], "nothing changed"
    clock.advance(HOUR)
    async with storage.transaction() as uow:
        lapses = uow.lapses
        assert await lapses.claim(organization_id, which, Claim(person_id=seeded.bo.id, until=until(1))) == which
        assert await lapses.release(organization_id, which, person_id=seeded.bo.id) == which
        assert await lapses.release(organization_id, which, person_id=seeded.bo.id) == []


async def test_a_snooze_takes_the_place_of_an_earlier_one(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    async with storage.transaction() as uow:
        for until in (clock.now() + HOUR, clock.now() + DAY, None, clock.now() + HOUR):
            mute = Mute(lapse_id=opened.id, person_id=seeded.ana.id, until=until)
            assert await uow.lapses.mute(seeded.organization_id, [mute]) == [opened.id]
            assert await uow.lapses.mutes(seeded.organization_id, [opened.id]) == [mute]


async def test_notes_name_who_wrote_them_the_oldest_first(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    opened, _ = await lapse(storage, seeded.connections[0], clock.now())
    written = []
    for person, text in ((seeded.bo, "asked the client"), (seeded.ana, "they answer tomorrow \0")):
        note = LapseNote(
            id=NoteId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            lapse_id=opened.id,
            person_id=person.id,
            person_name="as it was written",
            text=text,
            at=clock.now(),
        )
        clock.advance(HOUR)
        written.append(replace(note, person_name=person.name, text=text.replace("\0", "\ufffd")))
        async with storage.transaction() as uow:
            await uow.lapses.add_note(note)
    async with storage.reading() as uow:
        assert await uow.lapses.notes(seeded.organization_id, [opened.id]) == written
        assert await uow.lapses.notes(seeded.organization_id, []) == []


async def test_of_many_notes_about_a_lapse_the_latest_are_read(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now(), connections=2)
    many, few = [(await lapse(storage, connection, clock.now()))[0].id for connection in seeded.connections]
    async with storage.transaction() as uow:
        for number in range(MOST_NOTES + 3):
            note = LapseNote(
                id=NoteId(new_id(clock.now())),
                organization_id=seeded.organization_id,
                lapse_id=few if number == 0 else many,
                person_id=seeded.bo.id,
                person_name=seeded.bo.name,
                text=str(number),
                at=clock.now(),
            )
            clock.advance(timedelta(minutes=1))
            await uow.lapses.add_note(note)
        found = await uow.lapses.notes(seeded.organization_id, [many, few])
    assert [note.text for note in found] == ["0", *(str(number) for number in range(3, MOST_NOTES + 3))]


async def opened_and_ended(
    storage: SqlStorage,
    seeded: Seeded,
    place: int,
    at: datetime,
    *,
    wait: timedelta | None,
    cause: Verdict = Verdict.REVOKED,
    how: LapseEnd = LapseEnd.RECONNECTED,
) -> None:
    connection = seeded.connections[place]
    await lapse(storage, connection, at, cause)
    if wait is None:
        return
    async with storage.transaction() as uow:
        await uow.lapses.end(seeded.organization_id, connection.id, at=at + wait, how=how, by=None)
        await uow.connections.set_state(seeded.organization_id, connection.id, ConnectionState.ACTIVE)


@pytest.mark.behaviour("C-4")
async def test_lapses_are_counted_by_week_and_cause_and_by_how_long_they_took(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now(), connections=2)
    monday = datetime.combine(clock.now().date(), datetime.min.time(), clock.now().tzinfo)
    assert monday.weekday() == 0
    second = timedelta(seconds=1)
    for at, wait, cause in (
        (monday - second, HOUR - second, Verdict.REVOKED),
        (monday, HOUR, Verdict.REVOKED),
        (monday + DAY, 4 * HOUR, Verdict.EXPIRED),
        (monday + 2 * DAY, DAY, Verdict.EXPIRED),
        (monday + 3 * DAY, 3 * DAY, Verdict.EXPIRED),
        (monday + 7 * DAY - second, 7 * DAY, Verdict.REVOKED),
        (monday - 60 * DAY, 20 * DAY, Verdict.REVOKED),
    ):
        await opened_and_ended(storage, seeded, 0, at, wait=wait, cause=cause)
    await opened_and_ended(storage, seeded, 1, monday + DAY, wait=HOUR, cause=Verdict.EXPIRED, how=LapseEnd.RETIRED)
    await opened_and_ended(storage, seeded, 1, monday + 2 * DAY, wait=None)
    weeks = {place: date(2026, 11, 23) + timedelta(weeks=place) for place in (-1, 0)}

    async def counted(scope: Scope, since: datetime, until: datetime, network: str | None = None) -> Stats:
        async with storage.reading() as uow:
            return await uow.lapses.stats(seeded.organization_id, scope, since=since, until=until, network=network)

    whole = await counted(Scope(), monday - 7 * DAY, monday + 30 * DAY)
    assert whole.opened == (
        LapseCount(week=weeks[-1], cause=Verdict.REVOKED, number=1),
        LapseCount(week=weeks[0], cause=Verdict.EXPIRED, number=4),
        LapseCount(week=weeks[0], cause=Verdict.REVOKED, number=3),
    )
    assert whole.waits == (
        (Wait.HOUR, 1),
        (Wait.HOURS, 1),
        (Wait.DAY, 1),
        (Wait.DAYS, 1),
        (Wait.WEEK, 1),
        (Wait.LONGER, 1),
    ), "those that were retired, that are open or ended before are not among them"
    assert await counted(Scope(), monday - 7 * DAY, monday + 30 * DAY, "examplenet") == whole
    assert (await counted(Scope(), monday - 7 * DAY, monday + 30 * DAY, "othernet")).opened == ()
    of_brio = await counted(Scope(client_ids=frozenset({seeded.brio.id})), monday - 7 * DAY, monday + 30 * DAY)
    assert sum(each.number for each in of_brio.opened) == 2
    assert sum(number for _, number in of_brio.waits) == 0
    last_week = await counted(Scope(), monday - 7 * DAY, monday)
    assert [each.number for each in last_week.opened] == [1]
    own = Scope(client_ids=frozenset(), person_id=seeded.sam.id)
    nothing = await counted(own, monday - 7 * DAY, monday + 30 * DAY)
    assert nothing == Stats(opened=(), waits=tuple((wait, 0) for wait in Wait))
