"""Time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time that rows are written with. Production: the database's, so that processes agree; tests: a fake."""

    def now(self) -> datetime:
        """Give the present, aware, in UTC."""
        ...
