"""When the loops run. APScheduler only ticks; what there is to do is in the database: a missed tick loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

STOP_WITHIN = 10.0  # seconds that work in flight may take to end in order, before it is cancelled
_SLOW = 60.0  # seconds beyond its interval after which a loop no longer counts as alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Something done again and again. `run_once` gives how much there was to do; above 0 it is called again at once."""

    name: str
    every: float
    """Seconds."""
    run_once: Callable[[], Awaitable[int]]
    stop: Callable[[], Awaitable[None]] | None = None
    """Asks a long `run_once` to come to an end, and gives back what it holds."""
    progressed_at: Callable[[], float] | None = None
    """When a long `run_once` last got something done, on the monotonic clock: busy is not stuck."""


class Ticker:
    """Runs the loops of one process, each one call at a time."""

    def __init__(self, loops: Sequence[Loop], now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds, as the loops' `progressed_at` does."""
        self._loops = loops
        self._now = now
        self._stopping = False
        self._busy: set[asyncio.Task[None]] = set()
        self._alive = {loop.name: now() for loop in loops}

    def late(self) -> Sequence[str]:
        """The names of loops that have neither come round nor got anything done for a minute beyond their interval."""
        now = self._now()
        return [loop.name for loop in self._loops if now - self._seen(loop) > loop.every + _SLOW]

    def _seen(self, loop: Loop) -> float:
        came_round = self._alive[loop.name]
        return came_round if loop.progressed_at is None else max(came_round, loop.progressed_at())

    async def tick(self, loop: Loop) -> None:
        """Work until there is nothing to do."""
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
        try:
            while not self._stopping:
                self._alive[loop.name] = self._now()
                if not await loop.run_once():
                    break
        except Exception:
            # One of the three edges: what failed is still in the database, and the next tick tries again.
            log.exception("loop_failed", loop=loop.name)
        finally:
            if task is not None:
                self._busy.discard(task)

    async def stop(self) -> None:
        """Take nothing new, and wait for what is in flight."""
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_WITHIN):
                for loop in self._loops:
                    if loop.stop is not None:
                        await loop.stop()
                if self._busy:
                    await asyncio.wait(self._busy)
        except TimeoutError:
            log.warning("stopped_late", seconds=STOP_WITHIN)


@asynccontextmanager
async def ticking(loops: Sequence[Loop]) -> AsyncIterator[Ticker]:
    """Run the loops until the block is left."""
    ticker = Ticker(loops)
    scheduler = AsyncIOScheduler(timezone=UTC)
    for loop in loops:
        scheduler.add_job(
            ticker.tick,
            "interval",
            seconds=loop.every,
            args=[loop],
            id=loop.name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    try:
        yield ticker
    finally:
        scheduler.pause()
        await ticker.stop()
        scheduler.shutdown(wait=False)
