"""One lane held by this process: takes what is due, sends it at the platform's pace, writes down what came of it."""

import asyncio
import time
from asyncio import Task, TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.delivery.outcomes import Outcome, postponed
from bot.delivery.pacing import Pacer
from bot.delivery.sending import Sender
from bot.notices.composer import Composed
from bot.outlasting import outlasting
from commands.errors import DeliveryError, RetryScope
from commands.ports.chat import Address, Pace
from commands.ports.clock import Clock
from commands.ports.notices import Delivery, DeliveryState
from commands.ports.storage import Queues, StorageError

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=45)
"""How long a lane is held without being renewed: more than twice the longest send, so that a sender's outcome finds its
term still standing, and short enough that another process takes over soon."""
AT_ONCE = 32
"""Sends under way in one lane. More would not be faster, since platforms allow some fifty calls a second, and all would
be refused when the installation is dead."""
COMPOSED_AT_ONCE = 2 * AT_ONCE
"""Deliveries composed and not yet written down. More would be composed more cheaply, and be staler when sent."""
REFILL = AT_ONCE // 2
"""Room worth filling while sends are under way: a batch costs the same few statements whatever its size."""
PARK = timedelta(seconds=2)
"""A delivery whose turn comes this soon waits in memory; a later one goes back to the store."""
LOOK_AGAIN = 0.1
"""Seconds between looks for what became due while sends are under way, so that a slow one keeps no other waiting."""
GATHER_OUTCOMES = 0.01
"""Seconds for which outcomes are gathered, so that one transaction writes several."""


@dataclass(slots=True)
class Rest:
    """Why a lane does not send for a while. Kept when the lane is left."""

    until: datetime | None = None
    is_cautious: bool = False
    """The installation was dead: one send at a time until one succeeds."""


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
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    is_stopping: bool = False
    is_lost: bool = False
    """Another process holds the lane now; nothing that is left here may be written."""
    sent: int = 0
    """Messages posted or edited since the lane was taken."""
    progressed_at: float = field(default_factory=time.monotonic)
    """When an outcome was last written down, on the monotonic clock."""

    def next_turn(self) -> datetime | None:
        """When the first parked delivery's turn comes."""
        return min((at for _, at in self.parked.values()), default=None)

    async def work(self) -> None:
        """Send until nothing is due and allowed, or the lane is lost, resting or stopping."""
        flying: dict[Task[Outcome], Delivery] = {}
        async with TaskGroup() as group:
            try:
                while await self._renew():
                    taken = await self._start(group, flying)
                    if flying:
                        await self._finish(flying)
                    elif not taken:
                        break
            except StorageError:
                while flying:  # cut short they would be sent again, shown or not
                    await self._finish(flying)
                raise
        if self.is_stopping or self.is_lost or self._is_resting():
            await self.release()

    async def release(self) -> None:
        """Give parked deliveries back to the store; those of a lost lane are somebody else's already."""
        parked, self.parked = self.parked, {}
        if parked and not self.is_lost:
            outcomes = [postponed(delivery, max(at, self.rest.until or at)) for delivery, at in parked.values()]
            await self._record(outcomes)

    async def _renew(self) -> bool:
        """Keep the lease standing well beyond the longest send; False if it was lost."""
        now = self.clock.now()
        if self.held_until - now < LEASE / 2:
            term = await self.queues.take_lane(self.name, holder=self.holder, now=now, lease=LEASE)
            self.is_lost = term != self.term
            self.held_until = now + LEASE
        return not self.is_lost

    async def _start(self, group: TaskGroup, flying: dict[Task[Outcome], Delivery]) -> bool:
        """Begin as many sends as there is room for; tell whether anything was taken from the store."""
        if self.is_stopping or self._is_resting():
            return False
        room = (1 if self.rest.is_cautious else COMPOSED_AT_ONCE) - len(flying)
        if flying and room < REFILL:
            return False
        now = self.clock.now()
        ready = self._unpark(now, room)
        taken: Sequence[Delivery] = ()
        if room > len(ready):
            taken = await self.queues.take_deliveries(self.name, term=self.term, now=now, limit=room - len(ready))
            ready += await self._whose_turn_it_is(taken, now)
        if ready:
            composed = await self.sender.compose(ready)
            for delivery in ready:
                flying[group.create_task(self._send(delivery, composed[delivery.id]))] = delivery
        return bool(taken)

    def _unpark(self, now: datetime, limit: int) -> list[Delivery]:
        """Take parked deliveries whose turn has come."""
        ready = [(address, *parked) for address, parked in self.parked.items() if parked[1] <= now][: max(limit, 0)]
        for address, delivery, at in ready:
            del self.parked[address]
            # Reckoned from the turn that it was given, not from when we looked: else each look's delay would add up.
            self.pacer.turn(address, self._pace(delivery), at)
        return [delivery for _, delivery, _ in ready]

    async def _whose_turn_it_is(self, taken: Sequence[Delivery], now: datetime) -> list[Delivery]:
        """Keep those that may go now; park those whose turn comes soon, and give the others back."""
        ready, later = [], []
        for delivery in taken:
            turn = self.pacer.turn(delivery.address, self._pace(delivery), now)
            if turn is None:
                ready.append(delivery)
            elif turn - now <= PARK:
                self.parked[delivery.address] = delivery, turn
            else:
                later.append(postponed(delivery, turn))
        await self._record(later)
        return ready

    async def _send(self, delivery: Delivery, composed: Composed | DeliveryError) -> Outcome:
        async with self.slots:
            if self._is_resting():  # another send just heard that the lane has to wait
                return postponed(delivery, self.rest.until or self.clock.now())
            outcome = await self.sender.send(delivery, composed)
            self._heed(delivery, outcome)
            return outcome

    async def _finish(self, flying: dict[Task[Outcome], Delivery]) -> None:
        """Wait for sends to end, and write down together those that end together."""
        done, rest = await asyncio.wait(flying, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
        if done and rest:
            done, rest = await asyncio.wait(flying, timeout=GATHER_OUTCOMES)
        ended = [(flying.pop(task), task.result()) for task in done]
        await self.sender.pass_on([(delivery, outcome) for delivery, outcome in ended if outcome.lost])
        for delivery, outcome in ended:
            if outcome.pause is not None and outcome.pause.dead:
                await self.sender.note_dead(delivery)
        await self._record([outcome for _, outcome in ended])
        self.sent += sum(outcome.sent.state is DeliveryState.DELIVERED for _, outcome in ended)

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes:
            results = [outcome.sent for outcome in outcomes]
            # What is not written down was maybe shown, and is sent again.
            await outlasting(
                lambda: self.queues.record_sent(self.name, term=self.term, results=results), lane=self.name
            )
            self.progressed_at = time.monotonic()

    def _heed(self, delivery: Delivery, outcome: Outcome) -> None:
        """Let others wait where the platform said so, and go on where it took a message again."""
        pause, now = outcome.pause, self.clock.now()
        if pause is None:
            self.rest.is_cautious = self.rest.is_cautious and outcome.sent.state is not DeliveryState.DELIVERED
        elif pause.scope is RetryScope.DESTINATION:
            self.pacer.hold(delivery.address, self._pace(delivery), now, pause.until - now)
        else:
            if pause.dead and not self.rest.is_cautious:
                log.error("installation dead; the lane rests", lane=self.name, code=outcome.sent.reason)
            self.rest.is_cautious = self.rest.is_cautious or pause.dead
            self.rest.until = max(pause.until, self.rest.until or pause.until)

    def _is_resting(self) -> bool:
        return self.rest.until is not None and self.rest.until > self.clock.now()

    def _pace(self, delivery: Delivery) -> Pace:
        return self.sender.platforms[delivery.address.platform].pace
