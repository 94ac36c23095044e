"""When reminders of a lapse come (N-6): days counted on the reader's calendar from the first notice. Pure.

A reminder is never told twice and none is forgotten: one that falls outside working hours, or while the bot was not
running, is told at the next working moment. Of several that came by then the latest stands for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from bot.notices.hours import at_local, local_day, moved_into
from commands.model import WorkingHours
from commands.rules import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reminder of a series."""

    day: int
    """Days after the first notice."""
    number: int
    """Which of its round, from 1; 0: the series starts over, worded like a first notice."""
    of: int
    """How many reminders a round has."""

    @property
    def starts_over(self) -> bool:
        """Whether a new round begins with it."""
        return self.number == 0

    @property
    def is_last(self) -> bool:
        """Whether it is its round's last."""
        return self.number == self.of > 0

    @property
    def copies_administrators(self) -> bool:
        """Whether administrators hear of it too: the account is still disconnected."""
        return self.starts_over or self.is_last


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Whose days are counted, from when, and when they may be disturbed."""

    created_at: datetime
    """When the first notice was made."""
    zone: ZoneInfo
    hours: WorkingHours

    def day(self, at: datetime) -> int:
        """Days since the first notice, on the reader's calendar."""
        return (local_day(at, self.zone) - local_day(self.created_at, self.zone)).days

    def moment(self, step: Step) -> datetime:
        """When a step is to be told: on its day at the time of day of the first notice, or at the first working moment
        after that.
        """
        wall = self.created_at.astimezone(self.zone)
        own = at_local(wall.date() + timedelta(days=step.day), wall.time(), self.zone)
        return moved_into(self.hours, self.zone, own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be done now that a reminder is due."""

    step: Step | None
    """The one to tell; None: none is."""
    told: int
    """The day of the series that is done with; steps up to it are not told any more."""
    next_at: datetime | None
    """When to look again; None: the series is over."""


def steps(cadence: Cadence) -> Iterator[Step]:
    """All steps in order; endless where the series starts over."""
    of, begin = len(cadence.days), 0
    while True:
        for number, day in enumerate(cadence.days, start=1):
            yield Step(day=begin + day, number=number, of=of)
        if cadence.restart is None:
            return
        begin += cadence.restart
        yield Step(day=begin, number=0, of=of)


def first_at(cadence: Cadence, calendar: Calendar) -> datetime | None:
    """When the first reminder comes; None: none does."""
    return _next_at(cadence, calendar, told=0)


def turn(cadence: Cadence, calendar: Calendar, *, told: int, now: datetime) -> Turn:
    """Decide what a series does now. `told`: the day that was done with last, by whatever cadence held then.

    At most one reminder comes on a day: a step that falls on the day on which an earlier one is told at last counts as
    told with it. Called too early (the reader moved to another zone, say) or outside working hours this only says when
    to come again.
    """
    step = _latest(cadence, calendar, told=told, now=now)
    if step is None:
        return Turn(step=None, told=told, next_at=_next_at(cadence, calendar, told=told))
    at = moved_into(calendar.hours, calendar.zone, now)
    if at > now:
        return Turn(step=None, told=told, next_at=at)
    done = max(step.day, calendar.day(now))
    return Turn(step=step, told=done, next_at=_next_at(cadence, calendar, told=done))


def _latest(cadence: Cadence, calendar: Calendar, *, told: int, now: datetime) -> Step | None:
    """The step to tell: if any is due, the last one up to today, which stands for all; but what administrators get a
    copy of is not swallowed by a plain reminder after it.
    """
    today = calendar.day(now)
    waiting = [step for step in takewhile(lambda step: step.day <= today, steps(cadence)) if step.day > told]
    if not any(calendar.moment(step) <= now for step in waiting):
        return None
    return ([step for step in waiting if step.copies_administrators] or waiting)[-1]


def _next_at(cadence: Cadence, calendar: Calendar, *, told: int) -> datetime | None:
    following = next((step for step in steps(cadence) if step.day > told), None)
    return calendar.moment(following) if following is not None else None
