"""What ends within 90 days, by week and person; sittings before any of it lapses (X-7)."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.forecast import AHEAD, HORIZON, by_person, by_week, sittings
from commands.ids import AuthorizationId, ConnectionId, PersonId
from commands.messages import LinkButton, Message
from commands.ports.forecasting import EndingLogin
from commands.ports.reconnecting import PassPurpose
from tests.commands.plain import buttons, plain, token
from tests.commands.world import World

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
MADRID = ZoneInfo("Europe/Madrid")


def login(days: float, *, number: int = 1, person: int = 1) -> EndingLogin:
    return EndingLogin(
        authorization_id=AuthorizationId(UUID(int=number)),
        network="linkedin",
        subject_name="Ana",
        connector_id=PersonId(UUID(int=person)),
        connector_name=f"Person {person}",
        connector_left=False,
        ends_at=NOW + days * DAY,
        obtained_at=NOW - DAY,
        generation=1,
        connection_id=ConnectionId(UUID(int=number)),
        accounts=1,
        clients=("Acme",),
    )


@pytest.mark.behaviour("X-7", "D-2")
@given(
    st.lists(st.floats(min_value=0.01, max_value=90), min_size=1, max_size=30),
    st.sampled_from(["UTC", "Europe/Madrid", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_every_login_is_in_one_sitting_that_comes_before_it_ends(days: list[float], zone: str) -> None:
    logins = [login(each, number=number) for number, each in enumerate(days, start=1)]
    planned = sittings(logins, ZoneInfo(zone), NOW)
    assert sorted(each.authorization_id for one in planned for each in one.logins) == [
        each.authorization_id for each in logins
    ]
    for one in planned:
        assert NOW <= one.at < one.logins[0].ends_at
        local = one.at.astimezone(ZoneInfo(zone))
        at_once = one.at == NOW
        assert at_once or (local.weekday() < 5 and (local.hour, local.minute) == (10, 0))
    assert len(planned) <= 4, "90 days take four sittings, however many logins end"


@pytest.mark.behaviour("X-7")
def test_a_sitting_is_on_a_working_day_three_days_ahead_and_takes_what_ends_in_the_next_four_weeks() -> None:
    (one, other) = sittings([login(20), login(30, number=2), login(60, number=3)], MADRID, NOW)
    # Three days before Sunday 13 December is a Thursday, ten in the morning in Madrid.
    assert one.at == datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
    assert one.logins[0].ends_at - one.at >= AHEAD - DAY
    assert [each.authorization_id.int for each in one.logins] == [1, 2]
    assert [each.authorization_id.int for each in other.logins] == [3]
    assert one.takes == timedelta(minutes=15)


@pytest.mark.behaviour("X-7")
def test_a_sitting_keeps_its_local_hour_when_the_clocks_change() -> None:
    (one,) = sittings([login(20)], ZoneInfo("America/New_York"), NOW - 31 * DAY)
    (other,) = sittings([login(20)], ZoneInfo("America/New_York"), NOW + 110 * DAY - 95 * DAY)
    for each in (one, other):
        assert each.at.astimezone(ZoneInfo("America/New_York")).hour == 10


def test_what_ends_before_the_next_morning_is_for_now() -> None:
    (one,) = sittings([login(0.1)], MADRID, NOW)
    assert one.at == NOW


@pytest.mark.behaviour("X-7")
def test_weeks_and_persons_come_with_the_first_end_first() -> None:
    logins = [login(30, person=1), login(2, number=2, person=2), login(31, number=3, person=2)]
    assert list(by_week(logins, UTC)) == [date(2026, 11, 23), date(2026, 12, 21)]
    assert [person.int for person in by_person(logins)] == [2, 1]


async def upcoming(world: World, who: str, words: str = "upcoming") -> Message:
    return await world.typed(who, "lapsed", words)


@pytest.mark.behaviour("X-7")
async def test_what_ends_is_told_by_week_and_person_with_clients_and_a_way_to_renew(world: World) -> None:
    await world.add_authorization("linkedin", "ana", ends_at=world.clock.now() + 60 * DAY)
    await world.add_connection("Brio Page", "linkedin", "Brio", connector="ana")
    await world.add_connection("Cato Team", "linkedin", "Cato", connector="ana")
    message = await upcoming(world, "raj")
    words = plain(message)
    assert "*2 logins end in the next 90 days* · 3 accounts" in words
    assert "1 login, 1 account: Raj Patel 1" in words
    assert "1 login, 2 accounts: Ana Ruiz 1" in words
    assert "LinkedIn login of *Ana Ruiz*" in words
    assert "2 accounts · clients Brio, Cato · Ana Ruiz" in words
    assert "Your next reconnect day:" in words
    page = buttons(message)["Your reconnect day"]
    assert isinstance(page, LinkButton)
    assert "/day/" in page.url
    offered = plain(await world.pressed("raj", token(message, "Renew 2")))
    assert "Renew" in offered
    assert "LinkedIn ends it" in offered
    narrowed = plain(await upcoming(world, "raj", "upcoming client:Brio"))
    assert "*1 login ends in the next 90 days* · 1 account · client Brio" in narrowed
    assert "Cato" not in narrowed
    assert "*1 login ends" in plain(await upcoming(world, "raj", "mine upcoming"))


@pytest.mark.behaviour("X-7", "P-5")
async def test_a_forecast_reaches_no_further_than_its_askers_sight(world: World) -> None:
    await world.add_authorization("linkedin", "ana", ends_at=world.clock.now() + 60 * DAY)
    await world.add_connection("Brio Page", "linkedin", "Brio", connector="ana")
    sam = plain(await upcoming(world, "sam"))  # of the staff, limited to Acme
    assert "*1 login ends" in sam
    assert "Brio" not in sam
    assert "Nothing ends in the next 90 days" in plain(await upcoming(world, "olga"))
    world.clock.advance(HORIZON)
    assert "Nothing ends in the next 90 days" in plain(await upcoming(world, "raj"))


@pytest.mark.behaviour("X-7")
async def test_the_calendar_is_ones_own_and_a_pass_of_its_own(world: World) -> None:
    message = await upcoming(world, "raj")
    given = await world.pressed("raj", token(message, "Calendar file"))
    address = buttons(given)["Calendar file"]
    assert isinstance(address, LinkButton)
    assert "/calendar/" in address.url
    async with world.storage.reading() as uow:
        (one,) = await uow.passes.of(world.organization.id, world.people["raj"].id, PassPurpose.CALENDAR)
    assert one.expires_at - world.clock.now() == timedelta(days=365)
