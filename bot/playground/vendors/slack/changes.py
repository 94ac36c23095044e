"""A numbered log of everything that changed, so that a page or a test can wait for a condition without sleeping."""

import asyncio
from collections import deque

from bot.playground.vendors.slack.wire import Json

_KEPT = 10_000  # a reader further behind than this is told to read everything again


class ChangeLog:
    """Appends changes and wakes those who wait. One event loop only."""

    def __init__(self) -> None:
        self.revision = 0
        self.closed = False
        self._changes: deque[Json] = deque(maxlen=_KEPT)
        self._woken = asyncio.Event()

    def add(self, kind: str, **about: object) -> None:
        """Record that something of `kind` changed; `about` must be JSON values."""
        self.revision += 1
        self._changes.append({"revision": self.revision, "kind": kind, **about})
        self._woken.set()
        self._woken = asyncio.Event()

    def close(self) -> None:
        """Wake everybody and let nobody wait any more."""
        self.closed = True
        self._woken.set()

    def since(self, revision: int) -> list[Json]:
        """The changes after `revision`, oldest first."""
        return [change for change in self._changes if change["revision"] > revision]

    async def wait(self, revision: int, seconds: float) -> list[Json]:
        """As `since`, but waits until there is one, `seconds` at most."""
        if (found := self.since(revision)) or self.closed:
            return found
        woken = self._woken
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return []
        return self.since(revision)
