"""Draws notices anew whose claim or snooze is over (N-11). Reminders go on by themselves, on their own calendar."""

import structlog

from commands.ports.clock import Clock
from commands.ports.storage import DueReleases, Storage

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Lapses of one pass."""


class Releases:
    """Ends claims and snoozes whose time is over. Any number may run."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def run_once(self) -> int:
        """End what is over, and give how many lapses changed."""
        changed = 0
        for due in await self._storage.queues.due_releases(now=self._clock.now(), limit=AT_ONCE):
            try:
                changed += await self._release(due)
            except Exception:
                # One organization's rows keep no other's waiting; they are tried again.
                log.exception("claims not ended", organization=str(due.organization_id))
        return changed

    async def _release(self, due: DueReleases) -> int:
        now = self._clock.now()
        async with self._storage.transaction() as uow:
            changed = await uow.lapses.release_due(due.organization_id, due.lapse_ids, now)
            if changed:
                await uow.notices.redraw(due.organization_id, changed, now)
        return len(changed)
