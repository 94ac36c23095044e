"""Warnings before a known end (D-2)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.notices.data import DAYS, NAMES
from bot.notices.hours import is_working, local_day
from bot.notices.warnings import outlook
from commands.model import Role, WorkingHours
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from commands.rules import WARNING_DAYS
from tests.notices.world import World

EXPIRING = NoticeKind.EXPIRING
OFFICE, BERLIN = WorkingHours(), ZoneInfo("Europe/Berlin")


async def days(world: World, number: int) -> None:
    for _ in range(number):
        await world.warnings().run_once()
        await world.plan()
        world.clock.advance(timedelta(days=1) - timedelta(seconds=2))


@pytest.mark.behaviour("D-2")
async def test_people_are_warned_14_7_3_and_1_days_before_the_end(world: World) -> None:
    otto, mei = await world.person("Otto"), await world.person("Mei", Role.STAFF)
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.subscribe(mei)
    login = await world.login(ends_at=world.clock.now() + timedelta(days=60, hours=9))  # a Friday
    await world.connection(login, owner=otto)
    await days(world, 62)
    own = [one for one in await world.notices(EXPIRING) if one.person_id == world.ana.id]
    assert [one.data[DAYS] for one in own] == ["14", "7", "3", "1"]
    assert await world.planned(EXPIRING) == sorted(
        [f"{who} expiring {part} 0" for who, part in (("Ana", "connector"), ("Mei", "subscriber"), ("Otto", "owner"))]
        * 4
    )
    assert {name for one in own for name in one.data} <= NAMES[EXPIRING]
    assert {one.authorization_ids for one in own} == {(login,)}


@pytest.mark.behaviour("D-2")
async def test_nobody_is_warned_twice_though_rules_change(world: World) -> None:
    await world.connection(await world.login(ends_at=world.clock.now() + timedelta(days=21)))
    await days(world, 8)
    for warning_days in ((14, 7), (14, 12, 1)):
        await world.rule(warning_days=warning_days)
        async with world.storage.transaction() as uow:
            await uow.authorizations.reconsider_warnings(world.organization.id, None)
        await days(world, 1)
    assert [one.data[DAYS] for one in await world.notices(EXPIRING)] == ["14", "12"]


@pytest.mark.behaviour("D-2")
async def test_what_was_renewed_meanwhile_is_warned_of_no_more(world: World) -> None:
    ends_at = world.clock.now() + timedelta(days=7)
    login = await world.login(ends_at=ends_at)
    await world.connection(login)
    old = (ends_at - timedelta(days=3)).isoformat()
    await world.event(EventKind.GRANT_ENDING, authorization_id=login, data={"days": "7", "ends": old})
    await world.plan()
    assert await world.notices(EXPIRING) == []


@pytest.mark.behaviour("D-2")
async def test_a_new_consent_draws_live_warnings_anew(world: World) -> None:
    ends_at = world.clock.now() + timedelta(days=7)
    login = await world.login(ends_at=ends_at)
    await world.connection(login)
    await world.event(EventKind.GRANT_ENDING, authorization_id=login, data={"days": "7", "ends": ends_at.isoformat()})
    await world.tell()
    await world.event(EventKind.GRANT_RENEWED, authorization_id=login)
    await world.plan()
    (delivery,) = await world.deliveries()
    assert delivery.wanted == 2


@pytest.mark.behaviour("N-4", "D-2")
async def test_many_ends_of_one_network_are_one_warning(world: World) -> None:
    ends_at = world.clock.now() + timedelta(days=3)
    logins = [await world.login(ends_at=ends_at) for _ in range(5)]
    for login in logins:
        await world.connection(login)
        await world.event(
            EventKind.GRANT_ENDING, authorization_id=login, data={"days": "3", "ends": ends_at.isoformat()}
        )
    await world.plan()
    (notice,) = await world.notices(EXPIRING)
    assert sorted(notice.authorization_ids) == sorted(logins)


@pytest.mark.behaviour("D-2", "N-3")
async def test_every_login_of_a_warning_that_gathers_several_turns_green_when_it_is_renewed(world: World) -> None:
    ends_at = world.clock.now() + timedelta(days=3)
    logins = [await world.login(ends_at=ends_at) for _ in range(4)]
    for login in logins:
        await world.connection(login)
        data = {"days": "3", "ends": ends_at.isoformat()}
        await world.event(EventKind.GRANT_ENDING, authorization_id=login, data=data)
    await world.tell()
    await world.renew(logins[2])
    await world.tell()
    (post,) = world.chat.to("Ana")
    assert len(post.shown) == 2


@pytest.mark.behaviour("N-12", "D-2")
async def test_of_an_end_under_a_connector_who_left_administrators_are_warned(world: World) -> None:
    await world.person("Raj", Role.ADMINISTRATOR)
    await world.connection(await world.login(ends_at=world.clock.now() + timedelta(days=20)))
    await world.change(world.ana, left_at=world.clock.now())
    await days(world, 8)
    assert await world.planned(EXPIRING) == ["Raj expiring stand_in 0"]


def test_a_warning_on_a_weekend_waits_for_monday_unless_the_end_comes_first() -> None:
    saturday = datetime(2026, 11, 28, 12, 0, tzinfo=BERLIN)
    more = {"obtained_at": saturday - timedelta(days=50), "zone": BERLIN, "hours": OFFICE, "now": saturday}
    later = outlook(saturday + timedelta(days=7), (7,), **more)  # type: ignore[arg-type]  # named above
    assert (later.warn, later.next_at) == (None, datetime(2026, 11, 30, 9, 0, tzinfo=BERLIN))
    soon = outlook(saturday + timedelta(days=1), (1,), **more)  # type: ignore[arg-type]  # named above
    assert (soon.warn, soon.next_at) == (1, None)


def test_no_warning_comes_for_a_day_that_had_passed_when_the_consent_was_given() -> None:
    monday = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)
    seen = outlook(monday + timedelta(days=10), WARNING_DAYS, obtained_at=monday, zone=BERLIN, hours=OFFICE, now=monday)
    assert seen.warn is None
    assert seen.next_at == datetime(2026, 11, 26, 9, 0, tzinfo=BERLIN)


@pytest.mark.behaviour("D-2")
@settings(deadline=None)
@given(
    zone=st.sampled_from([BERLIN, ZoneInfo("Pacific/Apia"), ZoneInfo("America/New_York")]),
    begin=st.integers(1_760_000_000, 1_800_000_000),
    term=st.integers(20 * 86400, 400 * 86400),
    days=st.frozensets(st.integers(1, 19), min_size=1, max_size=5),
)
def test_every_warning_is_given_once_before_the_end_unless_a_later_one_stands_for_it(
    zone: ZoneInfo, begin: int, term: int, days: frozenset[int]
) -> None:
    now = obtained_at = datetime.fromtimestamp(begin, UTC)
    ends_at = obtained_at + timedelta(seconds=term)
    falling, given_at = tuple(sorted(days, reverse=True)), {}
    for _ in range(30):
        seen = outlook(ends_at, falling, obtained_at=obtained_at, zone=zone, hours=OFFICE, now=now)
        if seen.warn is not None:
            assert seen.warn not in given_at
            assert now < ends_at
            given_at[seen.warn] = now
        if seen.next_at is None:
            break
        assert seen.next_at > now
        now = seen.next_at
    end = local_day(ends_at, zone)
    for day in falling:
        stood_for = [given_at[other] for other in given_at if other <= day]
        left = [(end - local_day(at, zone)).days for at in stood_for]
        assert any(day - 4 <= one <= day for one in left) or day == 1
    outside = [day for day, at in given_at.items() if not is_working(OFFICE, zone, at)]
    assert all(day <= 4 for day in outside), "only where the end comes before the next working moment"
