"""Turns what happened into notices and deliveries, in one transaction for each organization's batch."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import structlog

from bot.notices.audience import Circle, Reader, audience
from bot.notices.data import BESIDE, BY, CONNECTION, DAY, POSITION, TOTAL, ids_text
from bot.notices.grouping import beside, group
from bot.notices.outbox import Outbox, Posting
from commands.ids import LapseId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import Channel, ConnectionView
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.notices import Event, EventKind, Notice, NoticeKind, Part
from commands.ports.storage import DueEvents, Storage, UnitOfWork

log = structlog.get_logger(__name__)

GATHER = timedelta(seconds=1)
"""How long accounts of one authorization gather, from the first event (DESIGN, Decisions: Defaults)."""
EVENTS_AT_ONCE = 500
"""Events of one pass: a transaction stays short, and one organization's storm keeps no other waiting for long."""


class _PlannedElsewhere(Exception):
    """Another process dealt with these events first."""


class Planner:
    """Plans notices. Any number may run; each event is dealt with once."""

    def __init__(
        self, *, storage: Storage, clock: Clock, networks: Networks, outbox: Outbox, gather: timedelta = GATHER
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._networks = networks
        self._outbox = outbox
        self._gather = gather

    async def run_once(self) -> int:
        """Deal with the events that are ready, and give how many there were. 0: nothing to do for now."""
        done = 0
        ready = await self._storage.queues.due_events(now=self._clock.now(), gather=self._gather, limit=EVENTS_AT_ONCE)
        for due in ready:
            try:
                await self._plan(due)
            except _PlannedElsewhere:
                continue
            except Exception:
                # One organization's events that cannot be planned keep no other's waiting; they are tried again.
                log.exception("events not planned", organization=str(due.organization_id))
                continue
            done += len(due.events)
        return done

    async def _plan(self, due: DueEvents) -> None:
        organization_id = due.organization_id
        async with self._storage.transaction() as uow:
            if not await uow.notices.mark_planned([event.id for event in due.events]):
                raise _PlannedElsewhere
            changed = _lapses(due.events, EventKind.LAPSE_ENDED, EventKind.LAPSE_CHANGED)
            if changed:
                await uow.notices.redraw(organization_id, changed, self._clock.now())
            opened = _lapses(due.events, EventKind.LAPSE_OPENED)
            refused = [event for event in due.events if event.kind is EventKind.LINK_REFUSED]
            nudged = [event for event in due.events if event.kind is EventKind.NUDGED]
            postings = [
                *await self._lapsed(uow, organization_id, opened),
                *await self._refused(uow, organization_id, refused),
                *await self._nudged(uow, organization_id, nudged),
            ]
            await self._outbox.put(uow, organization_id, postings)

    async def _lapsed(
        self, uow: UnitOfWork, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> list[Posting]:
        """Write what is to be told of lapses that are still open; those that ended meanwhile are not told (D-6)."""
        if not lapse_ids:
            return []
        found = await uow.lapses.views(organization_id, lapse_ids)
        views = sorted((view for view in found if _is_open(view)), key=_place)
        if not views:
            return []
        subscriptions = await uow.subscriptions.all(organization_id)
        asked = sorted({subscription.person_id for subscription in subscriptions})
        circle = Circle(
            administrators=await uow.people.administrators(organization_id),
            subscriptions=subscriptions,
            subscribers=await uow.people.many(organization_id, asked) if asked else {},
        )
        return self._postings(organization_id, audience(views, circle))

    def _postings(
        self, organization_id: OrganizationId, told: Mapping[Reader, Sequence[ConnectionView]]
    ) -> list[Posting]:
        groups = [(reader, one, views) for reader, views in told.items() for one in group(views, self._networks)]
        totals = Counter((reader.person.id, reader.channel) for reader, _, _ in groups)
        counts: Counter[tuple[PersonId, Channel | None]] = Counter()
        postings = []
        for reader, one, views in groups:
            who = (reader.person.id, reader.channel)
            counts[who] += 1
            data = {BESIDE: ids_text(view.lapse.id for view in beside(one, views) if view.lapse is not None)}
            if totals[who] > 1:
                data |= {POSITION: str(counts[who]), TOTAL: str(totals[who])}
            lapse_ids = tuple(view.lapse.id for view in one if view.lapse is not None)
            notice = self._notice(organization_id, reader, NoticeKind.LAPSED, lapse_ids, data)
            postings.append(Posting(notice=notice, reader=reader.person))
        return postings

    async def _refused(
        self, uow: UnitOfWork, organization_id: OrganizationId, events: Sequence[Event]
    ) -> list[Posting]:
        """Write to those whose Reconnect link somebody else opened."""
        addressees = sorted({event.person_id for event in events if event.person_id is not None})
        people = await uow.people.many(organization_id, addressees) if addressees else {}
        postings = []
        for event in events:
            person = people.get(event.person_id) if event.person_id is not None else None
            if person is None or person.left_at is not None or event.connection_id is None:
                continue
            data = {CONNECTION: ids_text([event.connection_id]), BY: event.data.get("by", "")}
            reader = Reader(person=person, part=Part.CONNECTOR)
            notice = self._notice(organization_id, reader, NoticeKind.LINK_REFUSED, (), data)
            postings.append(Posting(notice=notice, reader=person))
        return postings

    async def _nudged(self, uow: UnitOfWork, organization_id: OrganizationId, events: Sequence[Event]) -> list[Posting]:
        """Write to those whom somebody asks to act, if it still is needed."""
        wanted = _lapses(events, EventKind.NUDGED)
        views = await uow.lapses.views(organization_id, wanted) if wanted else ()
        still = {view.lapse.id: view for view in views if view.lapse is not None and _is_open(view)}
        postings = []
        for event in events:
            view = still.get(event.lapse_id) if event.lapse_id is not None else None
            people = (view.connector, view.owner) if view is not None else ()
            person = next((one for one in people if one is not None and one.id == event.person_id), None)
            if view is None or view.lapse is None or person is None:
                continue
            part = Part.CONNECTOR if person.id == view.connection.connector_id else Part.OWNER
            data = {BY: event.data.get("by", ""), DAY: event.data.get("day", "")}
            notice = self._notice(
                organization_id, Reader(person=person, part=part), NoticeKind.NUDGED, (view.lapse.id,), data
            )
            postings.append(Posting(notice=notice, reader=person))
        return postings

    def _notice(
        self,
        organization_id: OrganizationId,
        reader: Reader,
        kind: NoticeKind,
        lapse_ids: tuple[LapseId, ...],
        data: Mapping[str, str],
    ) -> Notice:
        now = self._clock.now()
        return Notice(
            id=NoticeId(new_id(now)),
            organization_id=organization_id,
            kind=kind,
            part=reader.part,
            person_id=reader.person.id,
            channel=reader.channel,
            lapse_ids=lapse_ids,
            created_at=now,
            data={name: value for name, value in data.items() if value},
        )


def _place(view: ConnectionView) -> tuple[str, str, str]:
    """Where a connection stands in a list: by network, client and name."""
    return view.connection.network, view.client_name.casefold(), view.connection.account_name.casefold()


def _is_open(view: ConnectionView) -> bool:
    return view.lapse is not None and view.lapse.ended_at is None


def _lapses(events: Iterable[Event], *kinds: EventKind) -> list[LapseId]:
    """The lapses that events of these kinds are about, each once, in the order of the events."""
    return list(dict.fromkeys(event.lapse_id for event in events if event.kind in kinds and event.lapse_id is not None))
