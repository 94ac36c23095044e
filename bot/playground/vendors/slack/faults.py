"""Faults on command: the next N calls of a method fail in a way that Slack, or the network before it, is known to."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong. The first three happen instead of the call, the others after it unless `processed` says no."""

    ERROR = "error"
    """HTTP 200 with `ok: false` and the error named."""
    RATE_LIMIT = "rate_limit"
    """HTTP 429 with `retry_after` as its header, word for word; None leaves the header out."""
    HTTP = "http"
    """An HTML page with `status`, 200 included."""
    DROP = "drop"
    """The connection is reset without an answer."""
    TRUNCATE = "truncate"
    """HTTP 200 with only the first half of the JSON."""
    EMPTY = "empty"
    """HTTP 200 without a body."""
    SLOW = "slow"
    """The answer comes after `seconds`."""
    HANG = "hang"
    """The answer comes when `FaultBook.release` is called."""


_AFTER = {
    FaultKind.DROP,
    FaultKind.TRUNCATE,
    FaultKind.EMPTY,
    FaultKind.SLOW,
    FaultKind.HANG,
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order: the next `times` calls of `method` (`*` for any), of one workspace if `team` is set."""

    method: str
    kind: FaultKind
    times: int = 1
    team: str | None = None
    error: str = "internal_error"
    status: int = 503
    retry_after: str | None = "1"
    seconds: float = 0.0
    processed: bool | None = None

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out although its answer goes wrong."""
        return self.kind in _AFTER if self.processed is None else self.processed


class FaultBook:
    """The orders that stand, oldest first."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._gate = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Let the next calls fail."""
        self._orders.append(fault)

    def clear(self) -> None:
        """Nothing fails any more; what hangs is released."""
        self._orders.clear()
        self.release()

    def release(self) -> None:
        """Let the calls that hang be answered."""
        self._gate.set()
        self._gate = asyncio.Event()

    async def held(self) -> None:
        """Wait for the next `release`."""
        await self._gate.wait()

    def take(self, method: str, team: str | None) -> Fault | None:
        """The fault for this call, if one stands."""
        for fault in self._orders:
            if fault.method in ("*", method) and fault.team in (None, team):
                fault.times -= 1
                if fault.times <= 0:
                    self._orders.remove(fault)
                return fault
        return None
