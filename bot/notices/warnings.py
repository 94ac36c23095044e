"""Warns of authorizations whose known end comes near (D-2), so that a planned reconnect never becomes a lapse.

The loop decides that an authorization's people are to be warned, and writes an event; the planner makes notices of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.notices.audience import Reader, audience, rhythm_for
from bot.notices.data import DAYS, ENDS, MORE, MOST_KEPT, POSITION, TOTAL
from bot.notices.desk import Desk, Desks, place
from bot.notices.grouping import MOST_APART
from bot.notices.hours import at_local, local_day, moved_into, zone_of
from bot.notices.opened import gathered
from bot.notices.outbox import Posting
from commands.ids import AuthorizationId, EventId
from commands.model import Authorization, ConnectionState, ConnectionView, Rhythm, Topic, WorkingHours
from commands.once_a_day import event_id
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind, Part
from commands.ports.storage import DueWarnings

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Authorizations of one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What follows from an authorization's end."""

    warn: int | None
    """The warning to give now, by its days before the end; None: none."""
    next_at: datetime | None
    """When to look again; None: not for this end."""


def outlook(
    ends_at: datetime,
    warning_days: Sequence[int],
    *,
    obtained_at: datetime,
    zone: ZoneInfo,
    hours: WorkingHours,
    now: datetime,
) -> Outlook:
    """Decide whether a warning is due, by the organization's calendar. Pure.

    A warning comes at the begin of its working day, or at the next working moment, but before the end in any case.
    None comes for a day that had passed when the consent was given. Whether it was given before is not asked here.
    """
    if now >= ends_at:
        return Outlook(warn=None, next_at=None)
    end = local_day(ends_at, zone)
    left = (end - local_day(now, zone)).days
    since = (end - local_day(obtained_at, zone)).days
    passed = [days for days in warning_days if since > days >= left]
    warn = min(passed, default=None)
    to_come = max((days for days in warning_days if days < left), default=None)
    if warn is not None:
        begin = at_local(end - timedelta(days=warn), hours.begin, zone)
        at = _before(ends_at, moved_into(hours, zone, max(now, begin)), max(now, begin))
        if at > now:
            return Outlook(warn=None, next_at=at)
    if to_come is None:
        return Outlook(warn=warn, next_at=None)
    begin = at_local(end - timedelta(days=to_come), hours.begin, zone)
    return Outlook(warn=warn, next_at=_before(ends_at, moved_into(hours, zone, begin), begin))


def _before(ends_at: datetime, wanted: datetime, otherwise: datetime) -> datetime:
    return wanted if wanted < ends_at else otherwise


class Warnings:
    """Looks at ends that come near. Any number may run: each warning is written once."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def run_once(self) -> int:
        """Look at the authorizations that are due, and give how many were decided."""
        decided = 0
        for due in await self._desks.storage.queues.due_warnings(now=self._desks.clock.now(), limit=AT_ONCE):
            try:
                decided += await self._look(due)
            except Exception:
                # One organization's rows that cannot be read keep no other's waiting; they are tried again.
                log.exception("ends not looked at", organization=str(due.organization_id))
        return decided

    async def _look(self, due: DueWarnings) -> int:
        decided = 0
        async with self._desks.storage.transaction() as uow:
            desk = self._desks.desk(uow, due.organization_id)
            organization = await desk.organization()
            zone, rules = zone_of(None, organization), await desk.rules()
            for authorization in await uow.authorizations.many(due.organization_id, due.authorization_ids):
                ends_at = authorization.ends_at
                seen = Outlook(warn=None, next_at=None)
                if ends_at is not None:
                    days = rules(authorization.network).warning_days
                    seen = outlook(
                        ends_at,
                        days,
                        obtained_at=authorization.obtained_at,
                        zone=zone,
                        hours=organization.working_hours,
                        now=desk.now,
                    )
                moved = await uow.authorizations.warn_next(
                    due.organization_id, authorization.id, ends_at=ends_at, at=seen.next_at
                )
                if moved and seen.warn is not None and ends_at is not None:
                    await uow.notices.record_once(_ending(authorization, ends_at, seen.warn, zone, desk.now))
                decided += moved
        return decided


def _ending(authorization: Authorization, ends_at: datetime, warn: int, zone: ZoneInfo, now: datetime) -> Event:
    end = local_day(ends_at, zone)
    words = ("grant ending", str(authorization.id), ends_at.isoformat(), str(warn))
    identity: EventId = event_id(authorization.organization_id, end - timedelta(days=warn), *words)
    return Event(
        id=identity,
        organization_id=authorization.organization_id,
        kind=EventKind.GRANT_ENDING,
        at=now,
        authorization_id=authorization.id,
        data={"days": str((end - local_day(now, zone)).days), "ends": ends_at.isoformat()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """An authorization that ends soon, with what hangs on it and works."""

    id: AuthorizationId
    network: str
    ends_at: datetime
    days: str
    views: tuple[ConnectionView, ...]


async def ending(desk: Desk, events: Iterable[Event]) -> list[Posting]:
    """Give what is to be told of these ends: to connector, owner and those who opted in; administrators only where
    they have to take over.
    """
    wanted = {event.authorization_id: event for event in events if event.kind is EventKind.GRANT_ENDING}
    ends = [one for key, event in wanted.items() if key and (one := await _read(desk, key, event)) is not None]
    if not ends:
        return []
    ends.sort(key=lambda one: (one.ends_at, one.id))
    views = [view for one in ends for view in one.views]
    circle = await desk.circle(views)
    told: dict[Reader, dict[AuthorizationId, tuple[ConnectionView, ...]]] = {}
    for one in ends:
        for reader, own in audience(one.views, circle, copies=False).items():
            told.setdefault(reader, {})[one.id] = own
    preferences = await desk.preferences(reader.person for reader in told if reader.channel is None)
    postings = []
    for reader, by_id in told.items():
        own_ends = [one for one in ends if one.id in by_id]
        parts: dict[Rhythm, list[_Ending]] = {}
        for one in own_ends:
            first = by_id[one.id][0].connection
            rhythm = Rhythm.IMMEDIATE
            if reader.part is not Part.CHANNEL:
                rhythm = rhythm_for(preferences, reader.person.id, Topic.WARNINGS, first.network, first.client_id)
            parts.setdefault(rhythm, []).append(one)
        postings += _at_once(desk, reader, parts.pop(Rhythm.IMMEDIATE, []))
        for rhythm, later in parts.items():
            postings += [
                await gathered(desk, NoticeKind.EXPIRING, reader, rhythm, authorization_ids=[one.id], data=_data([one]))
                for one in later
            ]
    return postings


async def _read(desk: Desk, authorization_id: AuthorizationId, event: Event) -> _Ending | None:
    """What ends, unless it was renewed since, or nothing that works hangs on it."""
    views = await desk.uow.connections.under(desk.organization_id, authorization_id)
    working = tuple(sorted((view for view in views if view.connection.state is ConnectionState.ACTIVE), key=place))
    ends_at = datetime.fromisoformat(event.data["ends"])
    authorization = working[0].authorization if working else None
    if authorization is None or authorization.ends_at != ends_at:
        return None
    return _Ending(
        id=authorization_id,
        network=authorization.network,
        ends_at=ends_at,
        days=event.data["days"],
        views=working,
    )


def _at_once(desk: Desk, reader: Reader, ends: Sequence[_Ending]) -> list[Posting]:
    """A notice for each, or one for all of a network where that would be many."""
    by_network: dict[str, list[_Ending]] = {}
    for one in ends:
        by_network.setdefault(one.network, []).append(one)
    groups: list[list[_Ending]] = []
    for own in by_network.values():
        groups += [own] if len(own) > MOST_APART else [[one] for one in own]
    postings = []
    for number, group in enumerate(groups, start=1):
        place_of: Mapping[str, str] = {POSITION: str(number), TOTAL: str(len(groups))} if len(groups) > 1 else {}
        postings.append(
            desk.posting(
                reader,
                NoticeKind.EXPIRING,
                authorization_ids=[one.id for one in group[:MOST_KEPT]],
                data={**_data(group), **place_of},
            )
        )
    return postings


def _data(ends: Sequence[_Ending]) -> dict[str, str]:
    more = len(ends) - MOST_KEPT
    return {DAYS: ends[0].days, ENDS: ends[0].ends_at.isoformat(), MORE: str(more) if more > 0 else ""}
