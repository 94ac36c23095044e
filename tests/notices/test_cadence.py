"""When reminders come: days on the reader's calendar, working hours, daylight saving."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.notices.cadence import Calendar, Step, first_at, steps, turn
from bot.notices.hours import at_local, is_working, moved_into, next_begin
from commands.model import WorkingHours
from commands.rules import Cadence

HELSINKI, APIA = ZoneInfo("Europe/Helsinki"), ZoneInfo("Pacific/Apia")
KATHMANDU, NEW_YORK = ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York")
ALWAYS = WorkingHours(days=frozenset(range(7)), begin=time(0), end=time(23, 59, 59, 999999))
OFFICE = WorkingHours()


@dataclass(frozen=True)
class Told:
    step: Step
    at: datetime


def calendar(created_at: datetime, zone: ZoneInfo = HELSINKI, hours: WorkingHours = OFFICE) -> Calendar:
    return Calendar(created_at=created_at, zone=zone, hours=hours)


def run(
    cadence: Cadence, by: Calendar, *, until: int, late: list[timedelta] | None = None, most: int = 200
) -> list[Told]:
    """Let a series go for so many days. `late`: by how much the bot misses moments, in turn, each other one; else it
    never does.
    """
    told, day = [], 0
    at = first_at(cadence, by)
    for number in range(most):
        if at is None:
            break
        now = at + (late[number // 2 % len(late)] if late and number % 2 else timedelta(0))
        if by.day(now) > until:
            break
        turned = turn(cadence, by, told=day, now=now)
        assert turned.next_at is None or turned.next_at > now, "it would be asked again and again"
        if turned.step is not None:
            told.append(Told(turned.step, now))
        day, at = turned.told, turned.next_at
    return told


def monday(zone: ZoneInfo, hour: int = 10) -> datetime:
    return datetime(2026, 11, 23, hour, 30, tzinfo=zone).astimezone(UTC)


@pytest.mark.behaviour("N-6")
@pytest.mark.parametrize("zone", [HELSINKI, APIA, KATHMANDU, NEW_YORK], ids=str)
def test_reminders_come_on_days_2_7_12_17_22_and_the_series_starts_over_on_27(zone: ZoneInfo) -> None:
    by = calendar(monday(zone), zone, ALWAYS)
    told = run(Cadence(), by, until=60)
    assert [one.step.day for one in told] == [2, 7, 12, 17, 22, 27, 29, 34, 39, 44, 49, 54, 56]
    assert [by.day(one.at) for one in told] == [one.step.day for one in told]
    assert {one.at.astimezone(zone).time() for one in told} == {time(10, 30)}
    assert [one.step.day for one in told if one.step.starts_over] == [27, 54]
    assert [one.step.day for one in told if one.step.copies_administrators] == [22, 27, 49, 54]


@pytest.mark.behaviour("N-15")
def test_a_reminder_that_falls_on_a_weekend_comes_on_monday_morning() -> None:
    thursday = datetime(2026, 11, 26, 16, 0, tzinfo=HELSINKI)
    (first,) = run(Cadence(days=(2,), restart=None), calendar(thursday), until=10)
    assert first.at == datetime(2026, 11, 30, 9, 0, tzinfo=HELSINKI)


@pytest.mark.behaviour("N-15")
def test_a_reminder_of_a_notice_in_the_night_waits_for_the_morning_of_its_day() -> None:
    night = datetime(2026, 11, 23, 3, 0, tzinfo=HELSINKI)
    (first,) = run(Cadence(days=(2,), restart=None), calendar(night), until=10)
    assert first.at == datetime(2026, 11, 25, 9, 0, tzinfo=HELSINKI)


@pytest.mark.behaviour("N-15")
def test_days_are_counted_on_the_readers_calendar_not_in_hours() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=APIA)
    (first,) = run(Cadence(days=(1,), restart=None), calendar(late, APIA), until=10)
    assert first.at == datetime(2026, 11, 25, 9, 0, tzinfo=APIA)
    (same,) = run(Cadence(days=(1,), restart=None), calendar(late, NEW_YORK), until=10)
    assert same.at == datetime(2026, 11, 24, 9, 0, tzinfo=NEW_YORK)


@pytest.mark.behaviour("N-6")
def test_after_a_stop_of_the_bot_only_the_latest_reminder_is_told_and_the_calendar_stays() -> None:
    by = calendar(monday(HELSINKI), hours=ALWAYS)
    told = run(Cadence(), by, until=30, late=[timedelta(days=11), timedelta(0)])
    assert [(one.step.day, by.day(one.at)) for one in told] == [(2, 2), (17, 18), (22, 22), (27, 27), (29, 29)]


@pytest.mark.behaviour("N-6", "N-15")
def test_a_reminder_moved_to_the_day_of_the_next_one_is_the_only_one_of_that_day() -> None:
    sunday = datetime(2026, 11, 22, 10, 30, tzinfo=HELSINKI)
    by = calendar(sunday)
    told = {by.day(one.at): one.step.day for one in run(Cadence(), by, until=40)}
    assert told == {2: 2, 8: 7, 12: 12, 17: 17, 22: 22, 29: 27, 36: 34, 39: 39}


@pytest.mark.behaviour("N-6", "N-15")
def test_the_last_reminder_is_told_though_an_earlier_one_was_moved_to_its_day() -> None:
    monday_afternoon = datetime(2026, 11, 23, 15, 0, tzinfo=HELSINKI)  # days 5 and 6 are a weekend, day 7 a Monday
    told = run(Cadence(days=(5, 6, 7), restart=None), calendar(monday_afternoon), until=20)
    assert [one.step.day for one in told] == [7]
    assert told[0].step.copies_administrators


@pytest.mark.behaviour("N-15")
def test_a_bot_that_wakes_at_night_waits_for_the_morning() -> None:
    by = calendar(monday(HELSINKI))
    turned = turn(Cadence(), by, told=0, now=datetime(2026, 11, 26, 2, 0, tzinfo=HELSINKI))
    assert turned.step is None
    assert turned.next_at == datetime(2026, 11, 26, 9, 0, tzinfo=HELSINKI)


@pytest.mark.behaviour("N-6")
def test_a_changed_cadence_neither_repeats_nor_forgets_a_day() -> None:
    by = calendar(monday(HELSINKI), hours=ALWAYS)
    now = by.created_at + timedelta(days=12)
    turned = turn(Cadence(days=(3, 10), restart=20), by, told=7, now=now)
    assert turned.step is not None
    assert (turned.step.day, turned.told, turned.next_at) == (10, 12, by.created_at + timedelta(days=20))
    again = turn(Cadence(days=(3, 7), restart=20), by, told=7, now=now)
    assert (again.step, again.next_at) == (None, by.created_at + timedelta(days=20))


def test_a_series_without_an_end_day_ends_after_its_reminders() -> None:
    assert [step.day for step in steps(Cadence(days=(2, 7), restart=None))] == [2, 7]
    by = calendar(monday(HELSINKI), hours=ALWAYS)
    assert turn(Cadence(days=(2,), restart=None), by, told=0, now=monday(HELSINKI) + timedelta(days=2)).next_at is None
    assert first_at(Cadence(days=(), restart=None), by) is None


def test_a_time_that_the_clock_skips_comes_as_much_later() -> None:
    assert at_local(date(2026, 3, 8), time(2, 30), NEW_YORK) == datetime(2026, 3, 8, 3, 30, tzinfo=NEW_YORK)
    assert at_local(date(2011, 12, 30), time(9), APIA).astimezone(APIA).date() == date(2011, 12, 31)


@pytest.mark.behaviour("N-16")
def test_a_digest_comes_at_the_begin_of_the_next_working_day_or_week() -> None:
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=KATHMANDU)
    assert next_begin(OFFICE, KATHMANDU, friday, weekly=False) == datetime(2026, 11, 30, 9, 0, tzinfo=KATHMANDU)
    assert next_begin(OFFICE, KATHMANDU, friday, weekly=True) == datetime(2026, 11, 30, 9, 0, tzinfo=KATHMANDU)
    early = datetime(2026, 11, 27, 8, 59, tzinfo=KATHMANDU)
    assert next_begin(OFFICE, KATHMANDU, early, weekly=False) == datetime(2026, 11, 27, 9, 0, tzinfo=KATHMANDU)


ZONES = st.sampled_from([HELSINKI, APIA, KATHMANDU, NEW_YORK])
MOMENTS = st.one_of(
    st.integers(1_230_768_000, 1_893_456_000),  # 2009 to 2030
    st.integers(1_322_697_600, 1_325_721_600),  # December 2011: Apia left the 30th out
    st.integers(1_771_545_600, 1_775_347_200),  # spring 2026, when clocks go forward
    st.integers(1_790_812_800, 1_793_836_800),  # autumn 2026
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def working_hours(draw: st.DrawFn) -> WorkingHours:
    begin, end = sorted(draw(st.lists(st.integers(0, 95), min_size=2, max_size=2, unique=True)))
    quarter = [time(number // 4, number % 4 * 15) for number in (begin, end)]
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return WorkingHours(days=days, begin=quarter[0], end=quarter[1])


@st.composite
def cadences(draw: st.DrawFn) -> Cadence:
    days = tuple(sorted(draw(st.frozensets(st.integers(1, 30), max_size=6))))
    more = draw(st.integers(1, 10))
    return Cadence(days=days, restart=draw(st.sampled_from([None, max(days, default=0) + more])))


@settings(deadline=None)
@given(at=MOMENTS, zone=ZONES, hours=working_hours())
@example(
    at=datetime(2026, 3, 8, 6, 0, tzinfo=UTC),
    zone=NEW_YORK,
    hours=WorkingHours(days=frozenset({6}), begin=time(2, 15), end=time(2, 45)),
)
def test_the_next_working_moment_is_one_and_none_lies_before_it(
    at: datetime, zone: ZoneInfo, hours: WorkingHours
) -> None:
    moved = moved_into(hours, zone, at)
    assert moved >= at
    assert is_working(hours, zone, moved)
    assert moved - at < timedelta(days=15)
    if not is_working(hours, zone, at):
        quarter = at + timedelta(minutes=15) - timedelta(minutes=at.minute % 15, seconds=at.second)
        while quarter < moved and quarter - at < timedelta(days=2):
            assert not is_working(hours, zone, quarter)
            quarter += timedelta(minutes=15)


@pytest.mark.behaviour("N-6", "N-15")
@settings(deadline=None)
@given(
    created_at=MOMENTS,
    zone=ZONES,
    hours=working_hours(),
    cadence=cadences(),
    late=st.lists(st.timedeltas(timedelta(0), timedelta(days=9)), min_size=1, max_size=5),
)
def test_never_twice_never_forgotten_never_outside_working_hours(
    created_at: datetime, zone: ZoneInfo, hours: WorkingHours, cadence: Cadence, late: list[timedelta]
) -> None:
    by = calendar(created_at, zone, hours)
    told = run(cadence, by, until=70, late=late)
    days = [one.step.day for one in told]
    assert days == sorted(set(days))
    for one in told:
        assert is_working(hours, zone, one.at)
        assert by.day(one.at) >= one.step.day
    # The slowest: moved into working hours, then missed, then moved again; at least once.
    grace = max(late) + timedelta(days=16)
    for step in steps(cadence):
        own = by.moment(step)
        if own + grace > created_at + timedelta(days=68):
            break
        assert any(by.day(one.at) >= step.day and one.at <= own + grace for one in told), step


@pytest.mark.behaviour("N-6", "N-15")
@settings(deadline=None)
@given(created_at=MOMENTS, zone=ZONES, hours=working_hours(), cadence=cadences())
@example(  # days 26 and 27 fall on the day that Apia left out: day 28 tells both, before the moment that 27 has alone
    created_at=datetime(2011, 12, 3, 10, 15, tzinfo=UTC),
    zone=APIA,
    hours=WorkingHours(days=frozenset(range(6)), begin=time(0), end=time(0, 15)),
    cadence=Cadence(days=(1, 26), restart=27),
)
def test_a_bot_that_is_never_late_tells_each_reminder_at_its_first_working_moment(
    created_at: datetime, zone: ZoneInfo, hours: WorkingHours, cadence: Cadence
) -> None:
    by = calendar(created_at, zone, hours)
    told = run(cadence, by, until=70)
    days = [by.day(one.at) for one in told]
    assert days == sorted(set(days)), "at most one a day"
    for step in steps(cadence):
        own = by.moment(step)
        if by.day(own) > 55:
            break
        # On its day, or where that is moved, until its moment: a step before it may be told on a day between.
        assert any(one.at == own or step.day <= by.day(one.at) <= by.day(own) for one in told), step
