"""Tells what gathered for readers who want to hear daily or weekly, in one notice (N-16)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.notices.audience import Reader, covers
from bot.notices.data import ENDS, MORE, MOST_KEPT, RHYTHM, time_in
from bot.notices.desk import Desk, Desks, place
from bot.notices.outbox import Posting
from commands.access import may_see
from commands.ids import AuthorizationId, LapseId, NoticeId, OrganizationId, PersonId
from commands.model import Authorization, ConnectionView, Mute, Person, Rhythm, Subscription
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.storage import DueReader, UnitOfWork

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Notices of one pass."""
_RANK = (Part.CONNECTOR, Part.OWNER, Part.STAND_IN, Part.ADMINISTRATOR, Part.SUBSCRIBER)


class Digests:
    """Sends the digests that are due. Any number may run: whoever says first that the gathering is done did it."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def run_once(self) -> int:
        """Deal with the readers whose digest is due, and give how many there were."""
        by_organization: dict[OrganizationId, list[DueReader]] = {}
        waiting = await self._desks.storage.queues.due_digests(now=self._desks.clock.now(), limit=AT_ONCE)
        for due in waiting:
            by_organization.setdefault(due.organization_id, []).append(due)
        was_cut = sum(len(due.notice_ids) for due in waiting) >= AT_ONCE
        done = 0
        for organization_id, readers in by_organization.items():
            try:
                await self._tell(organization_id, readers, was_cut=was_cut)
            except _ToldElsewhere:
                continue
            except Exception:
                # One organization's digests that cannot be written keep no other's waiting; they are tried again.
                log.exception("no digest", organization=str(organization_id))
                continue
            done += len(readers)
        return done

    async def _tell(self, organization_id: OrganizationId, readers: Sequence[DueReader], *, was_cut: bool) -> None:
        """`was_cut`: more is due than was given, so that each reader's whole digest has to be asked for."""
        async with self._desks.storage.transaction() as uow:
            desk = self._desks.desk(uow, organization_id)
            if was_cut:
                readers = [await self._whole(uow, due) for due in readers]
            ids = [notice_id for due in readers for notice_id in due.notice_ids]
            if not await uow.notices.gathering_done(organization_id, ids):
                raise _ToldElsewhere
            facts = await _read(desk, await uow.notices.get_many(organization_id, ids))
            postings = []
            for due in readers:
                posting = _digest(desk, due, facts)
                if posting is not None:
                    postings.append(posting)
            await desk.put(postings)

    async def _whole(self, uow: UnitOfWork, due: DueReader) -> DueReader:
        found = await uow.notices.gathered(due.organization_id, due.person_id, until=self._desks.clock.now())
        return replace(due, notice_ids=tuple(notice.id for notice in found))


class _ToldElsewhere(Exception):
    """Another process told these readers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What one organization's digests are made from."""

    notices: Mapping[NoticeId, Notice]
    people: Mapping[PersonId, Person]
    views: Mapping[LapseId, ConnectionView]
    authorizations: Mapping[AuthorizationId, Authorization]
    mutes: Mapping[LapseId, Sequence[Mute]]
    subscriptions: Mapping[PersonId, Sequence[Subscription]]


async def _read(desk: Desk, notices: Mapping[NoticeId, Notice]) -> _Facts:
    uow, organization_id = desk.uow, desk.organization_id
    lapse_ids = sorted({lapse_id for notice in notices.values() for lapse_id in notice.lapse_ids})
    ending = sorted({one for notice in notices.values() for one in notice.authorization_ids})
    views = await uow.lapses.views(organization_id, lapse_ids) if lapse_ids else ()
    mutes: dict[LapseId, list[Mute]] = {}
    for mute in await uow.lapses.mutes(organization_id, lapse_ids) if lapse_ids else ():
        mutes.setdefault(mute.lapse_id, []).append(mute)
    opted_in = sorted({notice.person_id for notice in notices.values() if notice.part is Part.SUBSCRIBER})
    subscriptions: dict[PersonId, list[Subscription]] = {}
    for one in await uow.subscriptions.of_readers(organization_id, [(who, None) for who in opted_in]):
        subscriptions.setdefault(one.person_id, []).append(one)
    return _Facts(
        notices=notices,
        people=await desk.people(notice.person_id for notice in notices.values()),
        views={view.lapse.id: view for view in sorted(views, key=place) if view.lapse is not None},
        authorizations={one.id: one for one in await uow.authorizations.many(organization_id, ending)}
        if ending
        else {},
        mutes=mutes,
        subscriptions=subscriptions,
    )


def _digest(desk: Desk, due: DueReader, facts: _Facts) -> Posting | None:
    """One reader's digest; None where nothing of it is true any more, or was asked for."""
    reader = facts.people.get(due.person_id)
    if reader is None or reader.left_at is not None:
        return None
    gathered = [facts.notices[one] for one in due.notice_ids if one in facts.notices]
    parts: set[Part] = set()
    lapse_ids: dict[LapseId, None] = {}
    for notice in gathered:
        for lapse_id in notice.lapse_ids:
            view = facts.views.get(lapse_id)
            if view is not None and _is_wanted(desk, reader, notice, view, facts):
                lapse_ids[lapse_id] = None
                parts.add(notice.part)
    ending: dict[AuthorizationId, None] = {}
    for notice in gathered:
        for authorization_id in notice.authorization_ids:
            authorization = facts.authorizations.get(authorization_id)
            if authorization is not None and authorization.ends_at == time_in(notice, ENDS):
                ending[authorization_id] = None
                parts.add(notice.part)
    if not parts:
        return None
    rhythm = Rhythm.WEEKLY if all(notice.data.get(RHYTHM) == Rhythm.WEEKLY for notice in gathered) else Rhythm.DAILY
    soonest = sorted(ending, key=lambda one: (facts.authorizations[one].ends_at or desk.now, one))
    more = len(soonest) - MOST_KEPT
    return desk.posting(
        Reader(person=reader, part=min(parts, key=_RANK.index)),
        NoticeKind.DIGEST,
        lapse_ids=[one for one in facts.views if one in lapse_ids],
        authorization_ids=soonest[:MOST_KEPT],
        data={RHYTHM: rhythm.value, MORE: str(more) if more > 0 else ""},
    )


def _is_wanted(desk: Desk, reader: Person, notice: Notice, view: ConnectionView, facts: _Facts) -> bool:
    """Whether it still is lapsed, and the reader may see it, and wants to hear of it now."""
    if view.open_lapse is None or not may_see(reader, view.connection):
        return False
    if any(mute.person_id == reader.id and mute.stands(desk.now) for mute in facts.mutes.get(view.open_lapse.id, ())):
        return False
    if notice.part is Part.SUBSCRIBER:
        return any(covers(one, view.connection) for one in facts.subscriptions.get(reader.id, ()))
    return True
