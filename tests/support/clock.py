"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock` for tests. Starts on a Monday morning, so that weekdays and working hours are easy to reckon with."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._at = at

    def now(self) -> datetime:
        """Give the time that it was set to."""
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move on, and give the new time."""
        self._at += by
        return self._at
