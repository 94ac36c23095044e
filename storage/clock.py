"""Clocks for production. A database that several machines share tells them all the same time."""

from datetime import UTC, datetime, timedelta


class SystemClock:
    """This machine's clock: right for SQLite, which one machine uses."""

    def now(self) -> datetime:
        """Give the present, aware, in UTC."""
        return datetime.now(UTC)


class DatabaseClock:
    """The database's clock, as this machine's with the difference last measured; `storage` measures every minute."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Give the present, aware, in UTC."""
        return datetime.now(UTC) + self._ahead

    def measured(self, *, asked_at: datetime, answered_at: datetime, database: datetime) -> None:
        """Take a measurement: the database looked at its clock half-way between question and answer."""
        self._ahead = database - (asked_at + (answered_at - asked_at) / 2)
