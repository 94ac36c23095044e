"""Reminders of what is still lapsed, on a real store, day by day."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.notices.data import AGAIN, LAST, NAMES, NUMBER, OF, SERIES_DAY, YES
from commands.model import ConnectionState, Rhythm, Role, WorkingHours
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind, Priority
from commands.rules import Cadence
from tests.notices.world import World

REMINDER = NoticeKind.REMINDER
DAY = timedelta(days=1)


async def days(world: World, number: int, *, send: bool = False) -> None:
    """Let days pass; reminders are looked for once a day, an hour later each time than the first notice was made."""
    for _ in range(number):
        world.clock.advance(DAY)
        await world.reminders().run_once()
        if send:
            await world.send()


async def reminded(world: World) -> list[tuple[str, int]]:
    """Who was reminded, with the day of the series."""
    notices = await world.notices(REMINDER)
    async with world.storage.reading() as uow:
        people = await uow.people.many(world.organization.id, [notice.person_id for notice in notices])
    return sorted((people[one.person_id].name, int(one.data[SERIES_DAY])) for one in notices)


async def seven_days_a_week(world: World) -> None:
    """Let every day be a working day, so that days are told apart by the cadence alone."""
    async with world.storage.transaction() as uow:
        organization = await uow.organizations.get(world.organization.id)
        hours = WorkingHours(days=frozenset(range(7)))
        await uow.organizations.update(replace(organization, working_hours=hours))


@pytest.fixture(autouse=True)
async def _every_day(world: World) -> None:
    await seven_days_a_week(world)


@pytest.mark.behaviour("N-6")
async def test_connector_and_owner_are_reminded_on_their_days_and_the_series_starts_over(world: World) -> None:
    otto = await world.person("Otto")
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.lapse(await world.connection(await world.login(), owner=otto))
    await world.tell()
    assert await world.heard(NoticeKind.LAPSED) == [
        "Ana lapsed connector 1",
        "Chief lapsed administrator 1",
        "Otto lapsed owner 1",
    ]
    await days(world, 30)
    series = [2, 7, 12, 17, 22, 27, 29]
    assert await reminded(world) == sorted(
        [("Ana", day) for day in series] + [("Otto", day) for day in series] + [(chief.name, 22), (chief.name, 27)]
    )
    by_day = {one.data[SERIES_DAY]: one for one in await world.notices(REMINDER) if one.person_id == world.ana.id}
    assert (by_day["7"].data[NUMBER], by_day["7"].data[OF]) == ("2", "5")
    assert (by_day["22"].data[LAST], by_day["27"].data[AGAIN]) == (YES, YES)
    assert {name for one in by_day.values() for name in one.data} <= NAMES[REMINDER]


@pytest.mark.behaviour("N-6")
async def test_reminders_are_new_messages_that_give_way_to_first_notices(world: World) -> None:
    await world.lapse(*await world.connections(1))
    await world.tell()
    await days(world, 2, send=True)
    assert len(world.chat.to("Ana")) == 2
    last = (await world.deliveries())[-1]
    assert last.priority is Priority.REMINDER


@pytest.mark.behaviour("N-10")
async def test_nobody_is_reminded_of_what_is_restored(world: World) -> None:
    connection, other = await world.connections(2)
    await world.lapse(connection, other)
    await world.tell()
    await world.end(connection)
    await days(world, 2)
    assert [len(one.lapse_ids) for one in await world.notices(REMINDER)] == [1]
    await world.end(other)
    await days(world, 40)
    assert len(await world.notices(REMINDER)) == 1
    assert await world.reminders().run_once() == 0


@pytest.mark.behaviour("N-11")
async def test_while_somebody_is_on_it_nobody_is_reminded_and_the_calendar_stays(world: World) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    await days(world, 1)
    await world.claim(lapse, raj, days=2)
    await days(world, 4)
    assert await reminded(world) == []
    await days(world, 3)
    assert await reminded(world) == [("Ana", 7)]


@pytest.mark.behaviour("N-11")
async def test_a_snooze_holds_the_reminders_of_whoever_snoozes_and_of_nobody_else(world: World) -> None:
    otto = await world.person("Otto")
    connection = await world.connection(await world.login(), owner=otto)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    await world.mute(lapse, world.ana, 3)
    await days(world, 8)
    assert await reminded(world) == [("Ana", 7), ("Otto", 2), ("Otto", 7)]


@pytest.mark.behaviour("N-11")
async def test_who_said_that_it_is_not_theirs_is_never_reminded_and_administrators_still_get_their_copy(
    world: World,
) -> None:
    otto = await world.person("Otto")
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    (lapse,) = await world.lapse(await world.connection(await world.login(), owner=otto))
    await world.tell()
    await world.mute(lapse, world.ana, None)
    await days(world, 23)
    told = await reminded(world)
    assert [one for one in told if one[0] == "Ana"] == []
    assert [one for one in told if one[0] == "Chief"] == [("Chief", 22)]


@pytest.mark.behaviour("N-11")
async def test_what_is_retired_is_reminded_of_no_more(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.tell()
    await world.end(connection)
    async with world.storage.transaction() as uow:
        await uow.connections.set_state(world.organization.id, connection, ConnectionState.RETIRED)
    await days(world, 8)
    assert await reminded(world) == []


@pytest.mark.behaviour("N-6")
async def test_an_organization_changes_its_cadence(world: World) -> None:
    await world.rule(cadence=Cadence(days=(1, 3), restart=None))
    await world.lapse(*await world.connections(1))
    await world.tell()
    await days(world, 40)
    assert await reminded(world) == [("Ana", 1), ("Ana", 3)]


@pytest.mark.behaviour("N-4", "N-6")
async def test_many_lapses_of_one_reader_are_few_reminders(world: World) -> None:
    for _ in range(8):
        await world.lapse(await world.connection(await world.login()))
        await world.plan()
        world.clock.advance(timedelta(hours=1))
    assert len(await world.notices(NoticeKind.LAPSED)) == 8
    await world.reminders().run_once()
    world.clock.advance(3 * DAY)
    await world.reminders().run_once()
    assert [len(one.lapse_ids) for one in await world.notices(REMINDER)] == [8]


@pytest.mark.behaviour("N-15")
async def test_a_reminder_waits_for_the_readers_morning(world: World) -> None:
    await world.change(world.ana, time_zone="Asia/Kathmandu")
    world.clock.advance(timedelta(hours=9))  # 18:00 in UTC, a quarter to midnight in Kathmandu
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert len(world.chat.to("Ana")) == 1, "the first notice never waits"
    world.clock.advance(2 * DAY)
    assert await world.reminders().run_once() == 0
    world.clock.advance(timedelta(hours=9, minutes=14))
    assert await world.reminders().run_once() == 0
    world.clock.advance(timedelta(minutes=2))  # 9 o'clock there
    assert await world.reminders().run_once() == 1


@pytest.mark.behaviour("N-16")
async def test_reminders_follow_the_wish_for_a_digest(world: World) -> None:
    await world.wish(world.ana, Rhythm.DAILY)
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert len(world.chat.to("Ana")) == 1, "the connector's first notice is immediate"
    await days(world, 2, send=True)
    (notice,) = await world.notices(REMINDER)
    assert notice.digest_at is not None
    assert len(world.chat.to("Ana")) == 1


@pytest.mark.behaviour("N-6")
async def test_an_earlier_owner_is_reminded_no_more_and_the_new_one_is(world: World) -> None:
    otto, mia = await world.person("Otto"), await world.person("Mia")
    connection = await world.connection(await world.login(), owner=otto)
    await world.lapse(connection)
    await world.tell()
    async with world.storage.transaction() as uow:
        await uow.connections.set_owner(world.organization.id, [connection], mia.id)
    await world.event(EventKind.TRANSFERRED, connection_id=connection, person_id=mia.id, data={"by": "Chief"})
    await world.tell()
    await days(world, 3)
    assert await reminded(world) == [("Ana", 2), ("Mia", 2)]


@pytest.mark.behaviour("N-6", "C-8")
async def test_whoever_heard_in_another_part_is_reminded_once_they_own_it(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.tell()
    async with world.storage.transaction() as uow:
        await uow.connections.set_owner(world.organization.id, [connection], mei.id)
    await world.event(EventKind.TRANSFERRED, connection_id=connection, person_id=mei.id, data={"by": "Chief"})
    await world.tell()
    await days(world, 3)
    assert ("Mei", 2) in await reminded(world)


@pytest.mark.behaviour("N-12")
async def test_of_what_nobody_answers_for_administrators_are_reminded(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    (connection,) = await world.connections(1)
    await world.change(world.ana, left_at=world.clock.now())
    await world.lapse(connection)
    await world.tell()
    await days(world, 3)
    assert await reminded(world) == [("Chief", 2)]


@pytest.mark.behaviour("N-6", "N-11")
async def test_of_what_its_connector_says_is_not_theirs_and_nobody_owns_administrators_are_reminded(
    world: World,
) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.tell()
    await world.mute(lapse, world.ana, None)
    await days(world, 8)
    assert await reminded(world) == [("Chief", 2), ("Chief", 7)]


@pytest.mark.behaviour("N-6", "N-12")
@pytest.mark.parametrize("has_owner", [True, False])
async def test_a_connector_who_goes_meanwhile_is_reminded_no_more_and_somebody_is(
    world: World, *, has_owner: bool
) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    otto = await world.person("Otto")
    await world.lapse(await world.connection(await world.login(), owner=otto if has_owner else None))
    await world.tell()
    await days(world, 3)
    await world.gone(world.ana)
    await days(world, 20)
    told = [one for one in await reminded(world) if one[1] > 2]
    if has_owner:
        assert told == [("Chief", 22), ("Otto", 7), ("Otto", 12), ("Otto", 17), ("Otto", 22)]
    else:
        assert told == [("Chief", 7), ("Chief", 12), ("Chief", 17), ("Chief", 22)]
