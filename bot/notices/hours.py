"""Working hours on a reader's own clock (N-15). Pure; all times given and taken are aware."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands.model import Organization, Person, WorkingHours
from commands.zones import first_known_zone

_LOOK_AHEAD = 15
"""Days after which a working moment must have come: a week, and a day that a zone left out, with room to spare."""


def zone_of(person: Person | None, organization: Organization) -> ZoneInfo:
    """The reader's time zone, else the organization's, else UTC."""
    return first_known_zone(person.time_zone if person is not None else None, organization.time_zone)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day that it is there."""
    return at.astimezone(zone).date()


def at_local(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """When a clock there shows this, in UTC. A time that is skipped comes as much later as is skipped; of one that
    comes twice it is the first.
    """
    return datetime.combine(day, wall.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def is_working(hours: WorkingHours, zone: ZoneInfo, at: datetime) -> bool:
    """Whether it is working time there."""
    local = at.astimezone(zone)
    return local.weekday() in hours.days and hours.begin <= local.time() < hours.end


def moved_into(hours: WorkingHours, zone: ZoneInfo, at: datetime) -> datetime:
    """The first working moment at or after `at`; `at` itself where there are no working days."""
    if not hours.days or is_working(hours, zone, at):
        return at.astimezone(UTC)
    first = local_day(at, zone)
    for ahead in range(_LOOK_AHEAD):
        begin = at_local(first + timedelta(days=ahead), hours.begin, zone)
        if begin >= at and is_working(hours, zone, begin):
            return begin
    return at.astimezone(UTC)


def next_begin(hours: WorkingHours, zone: ZoneInfo, at: datetime, *, weekly: bool) -> datetime:
    """The next begin of a working day after `at`; `weekly`: of the first working day of a week."""
    days = hours.days or WorkingHours().days
    wanted = frozenset({min(days)}) if weekly else days
    first = local_day(at, zone)
    for ahead in range(_LOOK_AHEAD):
        begin = at_local(first + timedelta(days=ahead), hours.begin, zone)
        if begin > at and begin.astimezone(zone).weekday() in wanted:
            return begin
    return at.astimezone(UTC) + timedelta(days=7 if weekly else 1)
