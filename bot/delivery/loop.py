"""Drains the outbox: finds lanes with something to send, holds them, and works them side by side."""

import asyncio
import time
from asyncio import Task, TaskGroup
from collections import deque
from datetime import timedelta

import structlog

from bot.delivery.lane import LEASE, LOOK_AGAIN, Lane, Rest
from bot.delivery.pacing import Pacer
from bot.delivery.sending import Sender
from commands.ports.clock import Clock
from commands.ports.storage import Queues

log = structlog.get_logger(__name__)

LANES_AT_ONCE = 64
AFTER_FAILURE = timedelta(seconds=5)
"""How long a lane is left alone whose work failed for a reason of ours."""


class DeliveryLoop:
    """Sends what is due. Several processes may run one each: a lane is worked by one at a time.

    A lane's name begins with its platform's name, and ends there or goes on with a colon. Lanes of platforms that do
    not run here are left to others.
    """

    def __init__(self, *, queues: Queues, clock: Clock, sender: Sender, holder: str) -> None:
        """`holder` names this process and must be its own, also after a restart."""
        self._queues = queues
        self._clock = clock
        self._sender = sender
        self._holder = holder
        self._held: dict[str, Lane] = {}
        self._rests: dict[str, Rest] = {}
        self._pacers: dict[str, Pacer] = {}
        self._holdings = 0
        self._is_stopping = False
        self._progressed_at = time.monotonic()
        self._idle = asyncio.Event()
        self._idle.set()

    async def run_once(self) -> int:
        """Send until nothing is due and allowed at this moment; give how many messages were posted or edited.

        Goes on while new work arrives. Called again, it goes on with what had to wait for its turn.
        """
        self._idle.clear()
        try:
            async with TaskGroup() as group:
                return await self._work_lanes(group)
        finally:
            self._idle.set()

    async def stop(self) -> None:
        """Take nothing new, let what is under way end, and give held lanes back. Afterwards `run_once` does no more."""
        self._is_stopping = True
        for lane in self._held.values():
            lane.is_stopping = True
        await self._idle.wait()
        for lane in list(self._held.values()):
            await lane.release()
            await self._leave(lane)

    def progressed_at(self) -> float:
        """When an outcome was last written down, or a lane worked off, on the monotonic clock."""
        return max(self._progressed_at, *(lane.progressed_at for lane in self._held.values()), 0.0)

    async def _work_lanes(self, group: TaskGroup) -> int:
        working: dict[str, Task[int]] = {}
        names: deque[str] = deque()
        sent, look_at = 0, 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= look_at or not (names or working):
                names = deque(name for name in await self._ready(all_held=now >= look_at) if name not in working)
                look_at = max(look_at, now + LOOK_AGAIN)
            while names and len(working) < LANES_AT_ONCE:
                name = names.popleft()
                working[name] = group.create_task(self._work(name))
            if not working:
                return sent
            done, _ = await asyncio.wait(working.values(), timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            sent += sum(task.result() for task in done)
            if done:
                self._progressed_at = time.monotonic()
            working = {name: task for name, task in working.items() if task not in done}

    async def _ready(self, *, all_held: bool) -> list[str]:
        """Lanes in which something may be sent now: those due, and those held for a parked delivery whose turn came;
        with `all_held` the other held ones too, since only their holder sees what became due in them.
        """
        if self._is_stopping:
            return []
        now = self._clock.now()
        turns = {name: lane.next_turn() for name, lane in self._held.items()}
        held = [name for name, turn in turns.items() if all_held or (turn is not None and turn <= now)]
        return held + [name for name in await self._queues.lanes_due(now) if name not in turns and self._may_work(name)]

    def _may_work(self, name: str) -> bool:
        until = self._rests[name].until if name in self._rests else None
        is_resting = until is not None and until > self._clock.now()
        return name.partition(":")[0] in self._sender.platforms and not is_resting

    async def _work(self, name: str) -> int:
        """Work a lane until nothing is due in it; give how many messages it sent. Its failures harm no other lane."""
        lane = None
        try:
            lane = self._held.get(name) or await self._take(name)
            if lane is None:
                return 0
            before = lane.sent
            await lane.work()
            if not lane.parked:
                await self._leave(lane)
            return lane.sent - before
        except Exception:
            log.exception("lane failed", lane=name)
            self._rests.setdefault(name, Rest()).until = self._clock.now() + AFTER_FAILURE
            # Left to run out, and never taken up again under this name: what it was sending is then seen as abandoned.
            self._held.pop(name, None)
            return 0

    async def _take(self, name: str) -> Lane | None:
        now = self._clock.now()
        self._holdings += 1
        holder = f"{self._holder}#{self._holdings}"
        term = await self._queues.take_lane(name, holder=holder, now=now, lease=LEASE)
        if term is None:
            return None
        lane = Lane(
            name=name,
            holder=holder,
            term=term,
            held_until=now + LEASE,
            queues=self._queues,
            clock=self._clock,
            sender=self._sender,
            pacer=self._pacers.setdefault(name, Pacer()),
            rest=self._rests.setdefault(name, Rest()),
            is_stopping=self._is_stopping,
        )
        self._held[name] = lane
        return lane

    async def _leave(self, lane: Lane) -> None:
        self._held.pop(lane.name, None)
        if not lane.is_lost:
            await self._queues.leave_lane(lane.name, holder=lane.holder)
