"""Snowflakes, and the feed of changes that a user interface and tests wait on instead of sleeping."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

from bot.playground.vendors.discord.wire import Payload

DISCORD_EPOCH_MS = 1_420_070_400_000  # first second of 2015, from which snowflakes count
KEPT_CHANGES = 20_000


class Snowflakes:
    """Makes ids that hold their time, strictly increasing."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def next(self) -> int:
        fresh = (int(self._now() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(fresh, self._last + 1)
        return self._last


def iso(seconds: float) -> str:
    """Seconds since the epoch as the wire writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


class Feed:
    """An append-only list of what happened, numbered from 1. Readers wait for numbers above the last they saw."""

    def __init__(self) -> None:
        self._changes: deque[Payload] = deque(maxlen=KEPT_CHANGES)
        self._woken = asyncio.Event()
        self._closed = False
        self.last = 0

    def add(self, kind: str, **about: object) -> None:
        self.last += 1
        self._changes.append({"seq": self.last, "type": kind, **about})
        self._woken.set()
        self._woken = asyncio.Event()

    def close(self) -> None:
        """Ends every wait, so that a server with open readers stops at once."""
        self._closed = True
        self._woken.set()

    def after(self, seq: int) -> list[Payload]:
        # Numbers have no gaps, so the newest `last - seq` changes are the ones asked for.
        newest = islice(reversed(self._changes), max(0, self.last - seq))
        return list(newest)[::-1]

    @property
    def closed(self) -> bool:
        return self._closed

    async def wait_after(self, seq: int, seconds: float) -> list[Payload]:
        """Changes above `seq`, waiting at most so many seconds for the first; empty when none came."""
        try:
            async with asyncio.timeout(seconds):
                while not self._closed and self.last <= seq:
                    await self._woken.wait()
        except TimeoutError:
            return []
        return self.after(seq)
