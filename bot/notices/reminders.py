"""Reminds connector and owner of what is still lapsed (N-6), in as few messages as the first notices were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.notices.audience import Circle, Reader, copies_administrators
from bot.notices.cadence import Step, turn
from bot.notices.data import AGAIN, LAST, NUMBER, OF, SERIES_DAY, YES
from bot.notices.desk import Desk, Desks, lapses_of, place
from bot.notices.grouping import group
from bot.notices.opened import gathered, numbered, parted_by_rhythm
from bot.notices.outbox import Posting
from commands.access import may_see, takes_immediate_notices
from commands.ids import LapseId, NoticeId, OrganizationId, PersonId
from commands.model import ConnectionView, Mute, Person, Rhythm
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.storage import DueReader

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Notices of one pass."""
_CHANNELS = frozenset({Part.CHANNEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """What one reader's reminders are told apart by: the wording differs."""

    reader: Reader
    starts_over: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class _Due:
    """Lapses of which a reader is to be reminded, each with the step that is due."""

    steps: dict[LapseId, Step]
    views: dict[LapseId, ConnectionView]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What one organization's reminders are decided from."""

    people: Mapping[PersonId, Person]
    views: Mapping[LapseId, ConnectionView]
    mutes: Mapping[LapseId, Sequence[Mute]]
    circle: Circle


class Reminders:
    """Sends what reminders are due. Any number may run: whoever moves a series on first did it."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def run_once(self) -> int:
        """Deal with the series that are due, and give how many there were. 0: nothing to do for now."""
        by_organization: dict[OrganizationId, list[DueReader]] = {}
        for due in await self._desks.storage.queues.due_reminders(now=self._desks.clock.now(), limit=AT_ONCE):
            by_organization.setdefault(due.organization_id, []).append(due)
        moved = 0
        for organization_id, readers in by_organization.items():
            try:
                moved += await self._remind(organization_id, readers)
            except Exception:
                # One organization's reminders that cannot be written keep no other's waiting; they are tried again.
                log.exception("not reminded", organization=str(organization_id))
        return moved

    async def _remind(self, organization_id: OrganizationId, readers: Sequence[DueReader]) -> int:
        moved = 0
        async with self._desks.storage.transaction() as uow:
            desk = self._desks.desk(uow, organization_id)
            ids = [notice_id for due in readers for notice_id in due.notice_ids]
            notices = await uow.notices.get_many(organization_id, ids)
            batch = _Batch(desk, await _read(desk, notices))
            for notice_id in ids:
                notice = notices.get(notice_id)
                if notice is not None and await batch.move(notice):
                    moved += 1
            await desk.put(await _postings(desk, batch.wanted))
        return moved


async def _read(desk: Desk, notices: Mapping[NoticeId, Notice]) -> _Facts:
    uow, organization_id = desk.uow, desk.organization_id
    about = sorted({lapse_id for notice in notices.values() for lapse_id in notice.lapse_ids})
    views = await uow.lapses.views(organization_id, about) if about else ()
    still = lapses_of(view for view in views if view.open_lapse is not None)
    mutes: dict[LapseId, list[Mute]] = {}
    for mute in await uow.lapses.mutes(organization_id, still) if still else ():
        mutes.setdefault(mute.lapse_id, []).append(mute)
    answering = {one.id: one for view in views for one in view.answering}
    return _Facts(
        people=await desk.people(notice.person_id for notice in notices.values()),
        views={view.lapse.id: view for view in sorted(views, key=place) if view.lapse is not None},
        mutes=mutes,
        circle=Circle(
            administrators=await desk.administrators(),
            subscriptions=(),
            subscribers={},
            gone=await desk.outbox.gone(uow, organization_id, list(answering.values())),
        ),
    )


class _Batch:
    """One organization's series that are due, and what is to be told of them."""

    def __init__(self, desk: Desk, facts: _Facts) -> None:
        self._desk = desk
        self._facts = facts
        self.wanted: dict[_Key, _Due] = {}

    async def move(self, notice: Notice) -> bool:
        """Move one series on, and note what is to be told. False if another process did."""
        desk, facts = self._desk, self._facts
        reader = facts.people.get(notice.person_id)
        if notice.remind_at is None or notice.remind_at > desk.now:
            return False
        own = [facts.views[lapse_id] for lapse_id in notice.lapse_ids if lapse_id in facts.views]
        still = [
            view
            for view in own
            if reader is not None and view.open_lapse is not None and _concerns(notice, reader, view)
        ]
        if reader is None or not still:
            return await desk.uow.notices.remind_next(
                desk.organization_id, notice.id, was=notice.remind_at, step=notice.step, at=None
            )
        cadence = (await desk.rules())(own[0].connection.network).cadence
        now = turn(cadence, await desk.calendar(reader, notice.created_at), told=notice.step, now=desk.now)
        moved = await desk.uow.notices.remind_next(
            desk.organization_id, notice.id, was=notice.remind_at, step=now.told, at=now.next_at
        )
        if moved and now.step is not None:
            self._want(Reader(person=reader, part=notice.part), now.step, still)
        return moved

    def _want(self, reader: Reader, step: Step, views: Iterable[ConnectionView]) -> None:
        """Note what the reader, and with some steps administrators, are to be told: not what somebody is on, nor what
        the reader snoozes.
        """
        now, circle = self._desk.now, self._facts.circle
        for view in views:
            lapse = view.open_lapse
            if lapse is None or view.standing_claim(now) is not None:
                continue
            held = {mute.person_id for mute in self._mutes(view) if mute.stands(now)}
            readers = []
            if self._is_absent(reader.person, view):
                readers = self._instead(reader.person, view, held)
            elif reader.person.id not in held:
                copied = step.copies_administrators and reader.part is not Part.STAND_IN  # those hear by themselves
                readers = [reader]
                if copied and copies_administrators(view, reader.person.id, circle, held):
                    readers += _copied(view, circle, held | {reader.person.id})
            for each in readers:
                key = _Key(reader=each, starts_over=step.starts_over, is_last=step.is_last)
                due = self.wanted.setdefault(key, _Due({}, {}))
                due.steps[lapse.id], due.views[lapse.id] = step, view

    def _is_absent(self, person: Person, view: ConnectionView) -> bool:
        """Whether somebody is gone, or said that it is not theirs."""
        refused = any(mute.person_id == person.id and mute.until is None for mute in self._mutes(view))
        return refused or self._facts.circle.is_gone(person)

    def _instead(self, absent: Person, view: ConnectionView, held: set[PersonId]) -> list[Reader]:
        """Administrators, once, where neither connector nor owner can be counted on any more: what nobody answers for
        is not forgotten.
        """
        if not view.answering or view.answering[0].id != absent.id:
            return []
        if any(not self._is_absent(person, view) for person in view.answering):
            return []
        return _copied(view, self._facts.circle, held)

    def _mutes(self, view: ConnectionView) -> Sequence[Mute]:
        return self._facts.mutes.get(view.lapse.id, ()) if view.lapse is not None else ()


def _concerns(notice: Notice, reader: Person, view: ConnectionView) -> bool:
    """Whether the reader still answers for it."""
    connection = view.connection
    if notice.part is Part.STAND_IN:
        return may_see(reader, connection)
    return reader.id in (connection.connector_id, connection.owner_id)


def _copied(view: ConnectionView, circle: Circle, without: set[PersonId]) -> list[Reader]:
    """Administrators who hear again that it is still disconnected; those who answer for it hear by themselves."""
    answering = {view.connection.connector_id, view.connection.owner_id}
    return [
        Reader(person=administrator, part=Part.ADMINISTRATOR)
        for administrator in circle.administrators
        if takes_immediate_notices(administrator)
        and administrator.id not in without | answering
        and may_see(administrator, view.connection)
    ]


async def _postings(desk: Desk, wanted: Mapping[_Key, _Due]) -> list[Posting]:
    rules = await desk.rules()
    preferences = await desk.preferences(key.reader.person for key in wanted)
    postings, apart = [], []
    for key, due in wanted.items():
        views = sorted(due.views.values(), key=place)
        for rhythm, own in parted_by_rhythm(key.reader, views, preferences, at_once=_CHANNELS).items():
            if rhythm is Rhythm.IMMEDIATE:
                apart += [(key, due, one, own) for one in group(own, rules)]
            else:
                lapse_ids = lapses_of(own)
                data = _stage(key, [due.steps[one] for one in lapse_ids])
                postings.append(
                    await gathered(desk, NoticeKind.REMINDER, key.reader, rhythm, lapse_ids=lapse_ids, data=data)
                )
    marks = numbered([(key.reader, one, own) for key, _, one, own in apart])
    for (key, due, one, _), (_, _, data) in zip(apart, marks, strict=True):
        lapse_ids = lapses_of(one.views)
        stage = _stage(key, [due.steps[each] for each in lapse_ids])
        postings.append(desk.posting(key.reader, NoticeKind.REMINDER, lapse_ids=lapse_ids, data={**data, **stage}))
    return postings


def _stage(key: _Key, steps: Sequence[Step]) -> dict[str, str]:
    """What a reminder says of where in the series it is."""
    data = {SERIES_DAY: str(max(step.day for step in steps))}
    if key.starts_over:
        return data | {AGAIN: YES}
    if key.is_last:
        data |= {LAST: YES}
    if len({(step.number, step.of) for step in steps}) == 1:
        data |= {NUMBER: str(steps[0].number), OF: str(steps[0].of)}
    return data
