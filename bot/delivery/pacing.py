"""When each destination may get its next message, kept in memory by whoever holds the lane."""

from collections.abc import Hashable
from datetime import datetime, timedelta

from commands.ports.chat import Pace

TIDY_ABOVE = 10_000
"""Destinations remembered before those that are free again are forgotten."""


class Pacer:
    """The generic cell rate algorithm: `burst` at once, then one each `interval`, without a timer or a queue."""

    def __init__(self) -> None:
        self._full_until: dict[Hashable, datetime] = {}

    def turn(self, destination: Hashable, pace: Pace, now: datetime) -> datetime | None:
        """Take a turn and give None; or, if it is too early, give when to come again."""
        full_until = max(self._full_until.get(destination, now), now)
        allowed_at = full_until - pace.interval * (pace.burst - 1)
        if allowed_at > now:
            return allowed_at
        if len(self._full_until) > TIDY_ABOVE:
            self._full_until = {one: until for one, until in self._full_until.items() if until > now}
        self._full_until[destination] = full_until + pace.interval
        return None

    def hold(self, destination: Hashable, pace: Pace, now: datetime, wait: timedelta) -> None:
        """Let nothing through before `wait` is over, because the platform said so."""
        until = now + wait + pace.interval * (pace.burst - 1)
        self._full_until[destination] = max(self._full_until.get(destination, until), until)
