"""Ends claims and snoozes whose time is over (N-11). Reminders go on by themselves, on their own calendar.

The end of a claim is told like one that was given back, and so draws everybody's messages anew; the end of a snooze is
its reader's alone.
"""

from datetime import datetime

import structlog

from commands.ids import EventId, LapseId, OrganizationId, PersonId, new_id
from commands.ports.clock import Clock
from commands.ports.events import Event, EventKind
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
        """End what is over, and give how many claims and snoozes that were."""
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
            released = await uow.lapses.release_due(due.organization_id, due.lapse_ids, now)
            await uow.notices.record([_released(due.organization_id, one, now) for one in released.claims])
            woken: dict[PersonId, list[LapseId]] = {}
            for person_id, lapse_id in released.snoozes:
                woken.setdefault(person_id, []).append(lapse_id)
            for person_id, lapse_ids in woken.items():
                await uow.notices.redraw_for(due.organization_id, lapse_ids, person_id, now)
        return len(released.claims) + len(released.snoozes)


def _released(organization_id: OrganizationId, lapse_id: LapseId, now: datetime) -> Event:
    """Nobody gave it back: the claim's time was over."""
    return Event(
        id=EventId(new_id(now)), organization_id=organization_id, kind=EventKind.RELEASED, at=now, lapse_id=lapse_id
    )
