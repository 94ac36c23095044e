"""What ends within the next 90 days, and when to renew it so that nothing lapses (X-7).

A sitting renews everything of one person that ends within the following four weeks: one morning instead of many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from commands.access import scope_of
from commands.drawing import RENEWABLE_WITHIN
from commands.ids import PersonId
from commands.model import Person
from commands.ports.forecasting import EndingLogin
from commands.ports.storage import UnitOfWork

HORIZON = RENEWABLE_WITHIN
"""How far ahead is looked; all of it can be renewed."""
MOST_LOGINS = 500
"""Logins that are read at once; where more end, the forecast reaches as far as these, and says so."""
AHEAD = timedelta(days=3)
"""A sitting is at least this long before the first end in it, where that is still possible."""
TOGETHER = timedelta(days=28)
"""What ends this soon after a sitting is renewed in it as well."""
HOUR = time(10)
"""When a sitting begins, in its person's time zone."""
TAKES = timedelta(minutes=5)
"""What one login takes, roughly."""
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One person renews some logins in one go."""

    at: datetime
    """UTC; always before the first end."""
    logins: tuple[EndingLogin, ...]
    """The first to end first."""

    @property
    def takes(self) -> timedelta:
        """How long, roughly; a quarter of an hour at least."""
        return max(timedelta(minutes=15), TAKES * len(self.logins))


async def own_forecast(uow: UnitOfWork, person: Person, now: datetime) -> Sequence[EndingLogin]:
    """What somebody connected or owns that ends within the horizon."""
    return await uow.forecasts.ending(
        person.organization_id,
        scope_of(person),
        after=now,
        before=now + HORIZON,
        person_id=person.id,
        limit=MOST_LOGINS,
    )


def sittings(logins: Sequence[EndingLogin], zone: tzinfo, now: datetime) -> tuple[Sitting, ...]:
    """When one person sits down to renew these, the first sitting first."""
    left = sorted(logins, key=lambda login: (login.ends_at, login.authorization_id))
    planned: list[Sitting] = []
    while left:
        at = _sitting_before(left[0].ends_at, zone, now)
        reach = max(at + TOGETHER, left[0].ends_at)
        together = tuple(login for login in left if login.ends_at <= reach)
        planned.append(Sitting(at=at, logins=together))
        left = left[len(together) :]
    return tuple(planned)


def _sitting_before(end: datetime, zone: tzinfo, now: datetime) -> datetime:
    """A working day's morning well before an end; the next one, where that is past; at once, where it ends before."""
    day = (end - AHEAD).astimezone(zone).date()
    while day.weekday() >= SATURDAY:
        day -= timedelta(days=1)
    at = _morning(day, zone)
    if at > now:
        return at
    day = now.astimezone(zone).date()
    while _morning(day, zone) <= now or day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    at = _morning(day, zone)
    return at if at < end else now


def _morning(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, HOUR, zone).astimezone(UTC)


def by_week(logins: Sequence[EndingLogin], zone: tzinfo) -> Mapping[date, Sequence[EndingLogin]]:
    """By the Monday of the week in which they end, the earliest first."""
    found: dict[date, list[EndingLogin]] = {}
    for login in sorted(logins, key=lambda login: login.ends_at):
        day = login.ends_at.astimezone(zone).date()
        found.setdefault(day - timedelta(days=day.weekday()), []).append(login)
    return found


def by_person(logins: Sequence[EndingLogin]) -> Mapping[PersonId, Sequence[EndingLogin]]:
    """By whose logins they are, whoever has the first end first."""
    found: dict[PersonId, list[EndingLogin]] = {}
    for login in sorted(logins, key=lambda login: login.ends_at):
        found.setdefault(login.connector_id, []).append(login)
    return found
