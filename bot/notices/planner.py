"""Turns what happened into notices and deliveries, in one transaction for each organization's batch."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from bot.notices.asked import asked
from bot.notices.desk import Desks
from bot.notices.drills import started
from bot.notices.installations import installations
from bot.notices.opened import opened
from bot.notices.outages import outages
from bot.notices.reach import thin
from bot.notices.succession import gone
from bot.notices.threads import TOLD, happened
from bot.notices.warnings import ending
from bot.webhooks.planning import put_messages
from commands.ids import AuthorizationId, LapseId
from commands.ports.events import Event, EventKind
from commands.ports.storage import DueEvents

log = structlog.get_logger(__name__)

GATHER = timedelta(seconds=1)
"""How long accounts of one authorization gather, from the first event (DESIGN, Decisions: Defaults)."""
EVENTS_AT_ONCE = 500
"""Events of one pass: a transaction stays short, and one organization's storm keeps no other waiting for long."""
MOST_FAILURES = 3
"""Parts of one organization's batch that may fail before the rest waits for the next pass."""
_SHOWN = TOLD | {EventKind.LAPSE_ENDED, EventKind.LAPSE_CHANGED}
"""What live notices show, so that they are drawn anew."""


class _PlannedElsewhere(Exception):
    """Another process dealt with these events first."""


class Planner:
    """Plans notices. Any number may run; each event is dealt with once."""

    def __init__(self, desks: Desks, *, gather: timedelta = GATHER) -> None:
        self._desks = desks
        self._gather = gather

    async def run_once(self) -> int:
        """Deal with the events that are ready, and give how many there were. 0: nothing to do for now."""
        done = 0
        ready = await self._desks.storage.queues.due_events(
            now=self._desks.clock.now(), gather=self._gather, limit=EVENTS_AT_ONCE
        )
        for due in ready:
            done += await self._planned(due, _parts(due))
        return done

    async def _planned(self, due: DueEvents, parts: Sequence[DueEvents]) -> int:
        """Plan one organization's events together or, if that fails, each login's by themselves: what cannot be planned
        keeps nothing else waiting, and is tried again. Give how many were.
        """
        try:
            await self._plan(due)
        except _PlannedElsewhere:
            return 0
        except Exception:
            log.exception("events not planned", organization=str(due.organization_id), events=len(due.events))
        else:
            return len(due.events)
        done = failed = 0
        for part in parts if len(parts) > 1 else ():
            if failed == MOST_FAILURES:  # it is not the events, then
                break
            planned = await self._planned(part, ())
            done, failed = done + planned, failed + (not planned)
        return done

    async def _plan(self, due: DueEvents) -> None:
        organization_id, events = due.organization_id, due.events
        async with self._desks.storage.transaction() as uow:
            if not await uow.notices.mark_planned([event.id for event in events]):
                raise _PlannedElsewhere
            desk = self._desks.desk(uow, organization_id)
            changed = _lapses(events, _SHOWN)
            if changed:
                await uow.notices.redraw(organization_id, changed, desk.now)
            renewed = _authorizations(events, {EventKind.GRANT_RENEWED, EventKind.RETIRED})
            if renewed:
                await uow.notices.redraw_authorizations(organization_id, renewed, desk.now)
            retired = [one.connection_id for one in events if one.kind is EventKind.RETIRED and one.connection_id]
            if retired:
                await uow.notices.redraw_connections(organization_id, retired, desk.now)
            postings = [
                *await opened(desk, _lapses(events, {EventKind.LAPSE_OPENED})),
                *await asked(desk, events),
                *await happened(desk, events),
                *await ending(desk, events),
                *await gone(desk, events),
                *await installations(desk, events),
                *await thin(desk, events),
                *await outages(desk, events),
                *await started(desk, events),
            ]
            await desk.put(postings)
            await put_messages(desk, events)


def _parts(due: DueEvents) -> list[DueEvents]:
    """The events of each authorization by themselves, and each that is of none."""
    groups: dict[UUID, list[Event]] = {}
    for event in due.events:
        groups.setdefault(event.authorization_id or event.id, []).append(event)
    return [replace(due, events=tuple(own)) for own in groups.values()]


def _lapses(events: Iterable[Event], kinds: Iterable[EventKind]) -> list[LapseId]:
    """The lapses that events of these kinds are about, each once, in the order of the events."""
    wanted = frozenset(kinds)
    return list(dict.fromkeys(one.lapse_id for one in events if one.kind in wanted and one.lapse_id is not None))


def _authorizations(events: Iterable[Event], kinds: Iterable[EventKind]) -> list[AuthorizationId]:
    wanted = frozenset(kinds)
    found = (one.authorization_id for one in events if one.kind in wanted and one.authorization_id is not None)
    return list(dict.fromkeys(found))
