"""Reads working hours as people type them: "mon-fri 9-18 Europe/Madrid", "sun-thu 10:00-17:30", "daily 8am to 6pm"."""

import re
from dataclasses import dataclass
from datetime import time
from zoneinfo import available_timezones

from commands.model import WorkingHours
from commands.wording import listed, nearest

_LONG = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EVERY_DAY = frozenset({"daily", "always", "everyday"})
_CLOCK = r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?"
_SPAN = re.compile(rf"\b{_CLOCK}\s*(?:-|–|to)\s*{_CLOCK}(?=\s|$|,)", re.IGNORECASE)


class NotHours(ValueError):
    """What was typed says no hours. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursTyped:
    """What was said; None: nothing of that."""

    days: frozenset[int] | None
    begin: time | None
    end: time | None
    zone: str | None

    def over(self, hours: WorkingHours) -> WorkingHours:
        """These hours, with what was not said as it was. Raises NotHours."""
        begin, end = self.begin or hours.begin, self.end or hours.end
        if begin >= end:
            raise NotHours("The hours have to end later than they begin, on the same day.")
        return WorkingHours(days=self.days or hours.days, begin=begin, end=end)


def read_hours(text: str) -> HoursTyped:
    """Read days, hours and time zone, in any order. Raises NotHours."""
    begin, end, rest = _span(text)
    days: set[int] = set()
    zone: str | None = None
    for word in re.split(r"[\s,;]+", rest):
        if not word:
            continue
        found = _days(word)
        if found is not None:
            days |= found
        elif zone is None:
            zone = zone_named(word)
        else:
            raise NotHours(f"I don't know “{word[:40]}”.")
    if not days and begin is None and zone is None:
        raise NotHours("Which days and hours?")
    return HoursTyped(days=frozenset(days) or None, begin=begin, end=end, zone=zone)


def zone_named(word: str) -> str:
    """A time zone's IANA name, whatever its case. Raises NotHours with the nearest."""
    zones = available_timezones()
    by_folded = {zone.casefold(): zone for zone in zones}
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(zones) if "/" in zone}
    folded = word.casefold().replace(" ", "_")
    found = by_folded.get(folded)
    if found is not None:
        return found
    # A city alone is what people think of; it is offered, not guessed.
    guess = by_city.get(folded) or nearest(folded, [zone for zone in zones if zone[:1].casefold() == folded[:1]])
    meant = f" Did you mean {guess}?" if guess is not None else " Write a time zone like Europe/Madrid."
    raise NotHours(f"I don't know a day or a time zone “{word[:40]}”.{meant}")


def hours_words(hours: WorkingHours) -> str:
    """Say them: "Monday to Friday, 09:00 to 18:00"."""
    days = sorted(hours.days)
    if len(days) == 7:
        said = "every day"
    elif (run := _run(hours.days)) is not None:
        said = f"{_LONG[run[0]]} to {_LONG[run[1]]}"
    else:
        said = listed([_LONG[day] for day in days])
    return f"{said}, {hours.begin:%H:%M} to {hours.end:%H:%M}"


def _run(days: frozenset[int]) -> tuple[int, int] | None:
    """First and last of more than two days that follow each other, over the week's end too."""
    first = next((day for day in days if (day - 1) % 7 not in days), None)
    if first is None or len(days) < 3 or any((first + step) % 7 not in days for step in range(len(days))):
        return None
    return first, (first + len(days) - 1) % 7


def _span(text: str) -> tuple[time | None, time | None, str]:
    """Begin and end of the hours, and the text without them."""
    found = _SPAN.search(text)
    if found is None:
        return None, None, text
    hour, minute, half, end_hour, end_minute, end_half = found.groups()
    begin = _clock(hour, minute, half or (end_half if end_half and int(hour) < int(end_hour) else None))
    return begin, _clock(end_hour, end_minute, end_half), f"{text[: found.start()]} {text[found.end() :]}"


def _clock(hour: str, minute: str | None, half: str | None) -> time:
    """One time of day; 24:00 is the day's last minute."""
    hours, minutes = int(hour), int(minute or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            raise NotHours(f"{hour} {half} is not a time of day.")
        hours = hours % 12 + (12 if half.casefold() == "pm" else 0)
    if (hours, minutes) == (24, 0):
        return time(23, 59)
    if hours > 23 or minutes > 59:
        raise NotHours(f"{hour}{':' + minute if minute else ''} is not a time of day.")
    return time(hours, minutes)


def _days(word: str) -> set[int] | None:
    """The days that a word names: one, or a range that may run over the week's end. None: it names none."""
    folded = word.casefold()
    if folded in _EVERY_DAY:
        return set(range(7))
    ends = [_day(part) for part in re.split(r"[-–]", folded)]
    if len(ends) == 1 and ends[0] is not None:
        return {ends[0]}
    if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
        return {(ends[0] + step) % 7 for step in range((ends[1] - ends[0]) % 7 + 1)}
    return None


def _day(word: str) -> int | None:
    return next(
        (number for number, long in enumerate(_LONG) if len(word) >= 3 and long.casefold().startswith(word)), None
    )
