"""One lane held by this process: takes what is due, sends it at the pace that the platform allows, writes down what came of it."""

import asyncio
from asyncio import Task, TaskGroup
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.delivery.outcomes import Outcome, Pause, postponed
from bot.delivery.pacing import Pacer
from bot.delivery.sending import Sender
from commands.errors import RetryScope
from commands.ids import DeliveryId
from commands.ports.chat import Address
from commands.ports.clock import Clock
from commands.ports.notices import Delivery
from commands.ports.storage import Queues

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=45)
"""How long a lane is held without being renewed: more than twice the longest send, so that a sender's outcome finds its
term still standing, and short enough that another process takes over soon."""
AT_ONCE = 64
"""Sends under way in one lane. More do not help: platforms allow some fifty calls a second."""
PARK = timedelta(seconds=5)
"""A delivery whose turn comes this soon waits in memory; a later one goes back to the store."""
GATHER_OUTCOMES = 0.01
"""Seconds for which outcomes are gathered, so that one transaction writes several."""


@dataclass(slots=True)
class Rest:
    """Why a lane does not send for a while. Kept when the lane is left."""

    until: datetime | None = None
    is_cautious: bool = False
    """The installation was dead: one send at a time until one succeeds."""


class LostLane(Exception):
    """Another process holds the lane now."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """A held lane. `work` is run by one task at a time."""

    name: str
    holder: str
    """This holding's own name, never used twice: whatever it leaves behind in SENDING is seen as abandoned."""
    term: int
    held_until: datetime
    queues: Queues
    clock: Clock
    sender: Sender
    pacer: Pacer
    rest: Rest
    parked: dict[Address, tuple[Delivery, datetime]] = field(default_factory=dict)
    """Deliveries whose turn comes soon, taken already, so that nothing else to their addresses overtakes them."""
    is_stopping: bool = False
    sent: int = 0

    def next_turn(self) -> datetime | None:
        """When a parked delivery's turn comes."""
        return min((at for _, at in self.parked.values()), default=None)

    async def work(self) -> None:
        """Send until nothing is due and allowed. Raises LostLane."""
        flying: dict[Task[Outcome], Delivery] = {}
        async with TaskGroup() as group:
            while True:
                await self._renew()
                for delivery, outcome in await self._start(group, flying):
                    ...
                if not flying:
                    return
                await self._finish(flying)
