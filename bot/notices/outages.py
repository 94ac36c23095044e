"""Who is told of a network's own outage, and that it is over (X-3). Each reader hears in one message, edited in place.

The loop decides that an organization is to be told, and writes an event; the planner makes notices of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.notices.audience import Reader, audience
from bot.notices.data import OUTAGE, ids_in, ids_text
from bot.notices.desk import Desk
from bot.notices.drafts import Reason
from bot.notices.opened import ALWAYS_AT_ONCE, parted_by_rhythm
from bot.notices.outbox import Posting
from commands.ids import EventId, NoticeId, OrganizationId, OutageId, PersonId, from_wire, new_id, to_wire
from commands.model import Channel, Rhythm
from commands.ports.clock import Clock
from commands.ports.events import Event, EventKind
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.outages import Concerned, Outage
from commands.ports.storage import Storage

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(minutes=1)
"""How often a process looks whom an outage has reached meanwhile."""
APART = timedelta(minutes=5)
"""How far apart edits are that only change the number."""
ENDS_AT_ONCE = 500
"""Organizations of one pass that are told of an end."""


class OutageTeller:
    """Sees to it that the organizations concerned hear of an outage and of its end. Any number may run: what is to be
    told is written once.
    """

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._looked: dict[OutageId, datetime] = {}

    async def run_once(self) -> int:
        """Look at the outages that stand, and at those that are over; give how many organizations are told."""
        told = 0
        standing = await self._storage.outages.standing()
        self._looked = {one.id: self._looked[one.id] for one in standing if one.id in self._looked}
        for outage in standing:
            now = self._clock.now()
            if outage.id in self._looked and now - self._looked[outage.id] < LOOK_EVERY:
                continue
            self._looked[outage.id] = now
            for one in await self._storage.outages.concerned(outage):
                told += await self._guarded(one.organization_id, outage, one)
        for organization_id, outage in await self._storage.outages.to_end(limit=ENDS_AT_ONCE):
            told += await self._guarded(organization_id, outage, None)
        return told

    async def _guarded(self, organization_id: OrganizationId, outage: Outage, concerned: Concerned | None) -> bool:
        try:
            return await self._told(organization_id, outage, concerned)
        except Exception:
            # One organization's rows that cannot be written keep no other's waiting; they are tried again.
            log.exception("outage not told", organization=str(organization_id), outage=str(outage.id))
            return False

    async def _told(self, organization_id: OrganizationId, outage: Outage, concerned: Concerned | None) -> bool:
        now = self._clock.now()
        async with self._storage.transaction() as uow:
            if concerned is None:
                is_news = await uow.outages.end(organization_id, outage.id, now)
            else:
                is_news = await uow.outages.tell(
                    organization_id, outage.id, failing=concerned.failing, now=now, apart=APART
                )
            if is_news:
                kind = EventKind.OUTAGE_ENDED if concerned is None else EventKind.OUTAGE_FOUND
                await uow.notices.record([_event(organization_id, outage, kind, now)])
        return is_news


def _event(organization_id: OrganizationId, outage: Outage, kind: EventKind, now: datetime) -> Event:
    return Event(
        id=EventId(new_id(now)),
        organization_id=organization_id,
        kind=kind,
        at=now,
        data={OUTAGE: to_wire(outage.id), "network": outage.network},
    )


async def outages(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Give what is to be told of outages that reach the organization, and of those that are over."""
    found, ended = (_ids(events, kind) for kind in (EventKind.OUTAGE_FOUND, EventKind.OUTAGE_ENDED))
    about = list(dict.fromkeys((*found, *ended)))
    known = await desk.uow.outages.get_many(desk.organization_id, about) if about else {}
    postings: list[Posting] = []
    for outage_id, outage in known.items():
        await desk.uow.outages.redraw(desk.organization_id, outage_id, desk.now)
        if not outage.holds(desk.now):
            # Lapses that were held back are told now: it is over, or has lasted too long to be put down to it.
            reason = Reason.HELD.value
            await desk.uow.outages.revive(desk.organization_id, reason=reason, since=outage.since, at=desk.now)
        if outage_id in ended:
            postings += await _over(desk, outage)
        elif outage.over_at is None and outage.network in desk.networks:
            postings += await _held(desk, outage)
    return postings


def _ids(events: Iterable[Event], kind: EventKind) -> list[OutageId]:
    return [OutageId(from_wire(event.data[OUTAGE])) for event in events if event.kind is kind]


async def _held(desk: Desk, outage: Outage) -> list[Posting]:
    """Tell whoever would have been told of lapses, if these were some: once, in their highest part. The store leaves
    out those who heard. One connection of each connector, owner and client stands for the others.
    """
    shares = await desk.uow.outages.shares(desk.organization_id, outage.id)
    examples = [share.example for share in shares if share.failing]
    if not examples:
        return []
    views = await desk.uow.connections.of_accounts(desk.organization_id, outage.network, examples)
    told = audience(views, await desk.circle(views))
    preferences = await desk.preferences(reader.person for reader in told if reader.part not in ALWAYS_AT_ONCE)
    first: dict[tuple[PersonId, Channel | None], Reader] = {}
    for reader in sorted(told, key=lambda reader: list(Part).index(reader.part)):
        if parted_by_rhythm(reader, told[reader], preferences).get(Rhythm.IMMEDIATE):
            first.setdefault((reader.person.id, reader.channel), reader)
    data = {OUTAGE: ids_text([outage.id])}
    return [desk.posting(reader, NoticeKind.OUTAGE, data=data) for reader in first.values()]


async def _over(desk: Desk, outage: Outage) -> list[Posting]:
    """The messages themselves turn green; under those in channels one line says so, for whoever follows them."""
    told = await desk.uow.notices.of_kind(desk.organization_id, NoticeKind.OUTAGE, since=outage.opened_at)
    own = [one for one in told if one.channel is not None and ids_in(one, OUTAGE) == [outage.id]]
    people = await desk.people(one.person_id for one in own)
    return [
        Posting(notice=_note(desk, one), reader=people[one.person_id], under=delivery)
        for one in own
        if one.person_id in people
        for delivery in await desk.uow.notices.deliveries(desk.organization_id, one.id)
        if delivery.ref is not None
    ]


def _note(desk: Desk, about: Notice) -> Notice:
    return Notice(
        id=NoticeId(new_id(desk.now)),
        organization_id=desk.organization_id,
        kind=NoticeKind.OUTAGE_OVER,
        part=Part.CHANNEL,
        person_id=about.person_id,
        channel=about.channel,
        lapse_ids=(),
        created_at=desk.now,
        data=about.data,
    )
