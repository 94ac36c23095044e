"""Events, and the notices and deliveries that are made from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select, update

from commands.ids import AuthorizationId, ConnectionId, DeliveryId, EventId, LapseId, NoticeId, OrganizationId, PersonId
from commands.ports.events import Event
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind
from storage import redrawing, undelivered
from storage.engine import UtcDateTime, insert
from storage.notice_rows import (
    DELIVERY,
    NOTICE,
    delivery_of,
    delivery_values,
    event_values,
    notice_of,
    notice_values,
)
from storage.rows import columns
from storage.tables import deliveries, events, lanes, notice_authorizations, notice_lapses, notices
from storage.turns import turns
from storage.work import Work, in_order, portions

_NOTICES = select(*columns(notices, NOTICE)).where(
    notices.c.organization_id == bindparam("organization"), notices.c.id.in_(bindparam("notices", expanding=True))
)
_NOTICE_LAPSES = (
    select(notice_lapses.c.notice_id, notice_lapses.c.lapse_id)
    .where(
        notice_lapses.c.organization_id == bindparam("organization"),
        notice_lapses.c.notice_id.in_(bindparam("notices", expanding=True)),
    )
    .order_by(notice_lapses.c.notice_id, notice_lapses.c.position)
)
_NOTICE_AUTHORIZATIONS = (
    select(notice_authorizations.c.notice_id, notice_authorizations.c.authorization_id)
    .where(
        notice_authorizations.c.organization_id == bindparam("organization"),
        notice_authorizations.c.notice_id.in_(bindparam("notices", expanding=True)),
    )
    .order_by(notice_authorizations.c.notice_id, notice_authorizations.c.position)
)
_DELIVERIES = (
    select(*columns(deliveries, DELIVERY))
    .where(deliveries.c.organization_id == bindparam("organization"), deliveries.c.notice_id == bindparam("notice"))
    .order_by(deliveries.c.created_at, deliveries.c.id)
)

# People whom a notice about these lapses was shown to, with the earliest time. A channel's reader is nobody.
_REACHED = (
    select(notices.c.person_id, func.min(deliveries.c.delivered_at))
    .join(notices, notices.c.id == deliveries.c.notice_id)
    .where(
        deliveries.c.organization_id == bindparam("organization"),
        deliveries.c.delivered_at.is_not(None),
        notices.c.channel.is_(None),
        notices.c.id.in_(
            select(notice_lapses.c.notice_id).where(
                notice_lapses.c.organization_id == bindparam("organization"),
                notice_lapses.c.lapse_id.in_(bindparam("lapses", expanding=True)),
            )
        ),
    )
    .group_by(notices.c.person_id)
)
_FIRST_DELIVERED = (
    select(deliveries.c.notice_id, func.min(deliveries.c.delivered_at))
    .where(
        deliveries.c.organization_id == bindparam("organization"),
        deliveries.c.notice_id.in_(bindparam("notices", expanding=True)),
        deliveries.c.delivered_at.is_not(None),
    )
    .group_by(deliveries.c.notice_id)
)
_RECENT = (
    select(notices.c.id)
    .where(
        notices.c.organization_id == bindparam("organization"),
        notices.c.created_at >= bindparam("since", type_=UtcDateTime()),
        notices.c.kind == NoticeKind.LAPSED.value,
        # One that was told in a digest has none either, though its digest is over; one that was not told tells nobody.
        exists().where(
            deliveries.c.notice_id == notices.c.id,
            deliveries.c.state.not_in((DeliveryState.FAILED.value, DeliveryState.SUPPRESSED.value)),
        ),
    )
    .order_by(notices.c.created_at, notices.c.id)
)
_OF_KIND = (
    select(notices.c.id)
    .where(
        notices.c.organization_id == bindparam("organization"),
        notices.c.created_at >= bindparam("since", type_=UtcDateTime()),
        notices.c.kind == bindparam("kind"),
    )
    .order_by(notices.c.created_at, notices.c.id)
)
_GATHERED = (
    select(notices.c.id)
    .where(
        notices.c.organization_id == bindparam("organization"),
        notices.c.person_id == bindparam("person"),
        notices.c.digest_at <= bindparam("until", type_=UtcDateTime()),
    )
    .order_by(notices.c.created_at, notices.c.id)
)
_SHOWN = (
    select(*columns(deliveries, DELIVERY))
    .join(notices, notices.c.id == deliveries.c.notice_id)
    .where(
        deliveries.c.organization_id == bindparam("organization"),
        deliveries.c.ref_message.is_not(None),
        deliveries.c.state.in_([DeliveryState.DELIVERED.value, *redrawing.UNDER_WAY]),
        notices.c.kind.in_([NoticeKind.LAPSED.value, NoticeKind.DIGEST.value]),
        notices.c.id.in_(
            select(notice_lapses.c.notice_id).where(
                notice_lapses.c.organization_id == bindparam("organization"),
                notice_lapses.c.lapse_id.in_(bindparam("lapses", expanding=True)),
            )
        ),
    )
)


class SqlNotices:
    """Implements `Notices`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def record(self, events: Sequence[Event]) -> None:
        if events:
            await self._work.run(insert(_events), [event_values(event) for event in events])

    async def record_once(self, event: Event) -> bool:
        added = await self._work.row(
            insert(_events)
            .values(event_values(event))
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(_events.c.id)
        )
        return added is not None

    async def is_recorded(self, organization_id: OrganizationId, event_id: EventId) -> bool:
        found = await self._work.row(
            select(_events.c.id).where(_events.c.organization_id == organization_id, _events.c.id == event_id)
        )
        return found is not None

    async def plan(self, notices: Sequence[Notice], deliveries: Sequence[Delivery]) -> None:
        planned = await self._add_notices(notices)
        told = [
            {"organization_id": notice.organization_id, "notice_id": notice.id, "lapse_id": lapse_id, "position": place}
            for notice in notices
            if notice.id in planned
            for place, lapse_id in enumerate(notice.lapse_ids)
        ]
        if told:
            await self._work.run(insert(notice_lapses), told)
        warned = [
            {"organization_id": notice.organization_id, "notice_id": notice.id, "authorization_id": one, "position": at}
            for notice in notices
            if notice.id in planned
            for at, one in enumerate(notice.authorization_ids)
        ]
        if warned:
            await self._work.run(insert(notice_authorizations), warned)
        left_out = {notice.id for notice in notices} - planned
        wanted = [delivery for delivery in deliveries if delivery.notice_id not in left_out]
        names = sorted({delivery.lane for delivery in wanted})
        if wanted:
            await self._work.run(
                insert(lanes).on_conflict_do_nothing(index_elements=["name"]),
                [{"name": name, "term": 0} for name in names],
            )
            turn_at = await turns(self._work, wanted)
            await self._work.run(
                insert(_deliveries).on_conflict_do_nothing(
                    index_elements=["notice_id", "platform", "tenant", "kind", "external_id"]
                ),
                [{**delivery_values(delivery), "turn_at": turn_at[delivery.id]} for delivery in wanted],
            )

    async def _add_notices(self, wanted: Sequence[Notice]) -> set[NoticeId]:
        """Add those that are new to their readers; give their ids.

        In order of their keys, so that planners that meet at the same notices never wait for each other in a circle.
        """
        values = sorted((notice_values(notice) for notice in wanted), key=lambda row: bytes(row["dedupe"]))
        added: set[NoticeId] = set()
        for portion in portions(values):
            rows = await self._work.rows(
                insert(notices)
                .on_conflict_do_nothing(index_elements=["organization_id", "dedupe"])
                .returning(notices.c.id),
                list(portion),
            )
            added |= {row[0] for row in rows}
        return added

    async def recent(self, organization_id: OrganizationId, *, since: datetime) -> Sequence[Notice]:
        wanted = [
            NoticeId(row[0])
            for row in await self._work.rows(_RECENT, {"organization": organization_id, "since": since})
        ]
        found = await self.get_many(organization_id, wanted)
        return [found[notice_id] for notice_id in wanted if notice_id in found]

    async def of_kind(self, organization_id: OrganizationId, kind: NoticeKind, *, since: datetime) -> Sequence[Notice]:
        values = {"organization": organization_id, "kind": kind.value, "since": since}
        wanted = [NoticeId(row[0]) for row in await self._work.rows(_OF_KIND, values)]
        found = await self.get_many(organization_id, wanted)
        return [found[notice_id] for notice_id in wanted if notice_id in found]

    async def grow(self, organization_id: OrganizationId, notice_id: NoticeId, lapse_ids: Sequence[LapseId]) -> int:
        # Locked, so that two who add to it give no place twice.
        locked = await self._work.row(
            select(notices.c.id)
            .where(notices.c.organization_id == organization_id, notices.c.id == notice_id)
            .with_for_update(key_share=True)
        )
        if locked is None:
            return 0
        values = {"organization": organization_id, "notices": [notice_id]}
        about = [row[1] for row in await self._work.rows(_NOTICE_LAPSES, values)]
        new = [lapse_id for lapse_id in dict.fromkeys(lapse_ids) if lapse_id not in about]
        if new:
            await self._work.run(
                insert(notice_lapses),
                [
                    {
                        "organization_id": organization_id,
                        "notice_id": notice_id,
                        "lapse_id": lapse_id,
                        "position": place,
                    }
                    for place, lapse_id in enumerate(new, len(about))
                ],
            )
        return len(new)

    async def mark_planned(self, event_ids: Sequence[EventId]) -> bool:
        marked = 0
        wanted = sorted(set(event_ids))
        for portion in portions(wanted):
            rows = await self._work.rows(
                update(events)
                .where(in_order(events, events.c.id.in_(portion), events.c.planned_at.is_(None)))
                .values(planned_at=self._work.clock.now())
                .returning(events.c.id)
            )
            marked += len(rows)
        return marked == len(wanted)

    async def redraw(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], at: datetime) -> int:
        return await redrawing.redraw(self._work, organization_id, lapse_ids, at)

    async def redraw_for(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], person_id: PersonId, at: datetime
    ) -> int:
        return await redrawing.redraw_for(self._work, organization_id, lapse_ids, person_id, at)

    async def redraw_connections(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], at: datetime
    ) -> int:
        return await redrawing.redraw_connections(self._work, organization_id, connection_ids, at)

    async def redraw_authorizations(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId], at: datetime
    ) -> int:
        return await redrawing.redraw_authorizations(self._work, organization_id, authorization_ids, at)

    async def remind_next(
        self, organization_id: OrganizationId, notice_id: NoticeId, *, was: datetime, step: int, at: datetime | None
    ) -> bool:
        moved = await self._work.row(
            update(notices)
            .where(notices.c.organization_id == organization_id, notices.c.id == notice_id, notices.c.remind_at == was)
            .values(step=step, remind_at=at)
            .returning(notices.c.id)
        )
        return moved is not None

    async def gathered(
        self, organization_id: OrganizationId, person_id: PersonId, *, until: datetime
    ) -> Sequence[Notice]:
        values = {"organization": organization_id, "person": person_id, "until": until}
        wanted = [NoticeId(row[0]) for row in await self._work.rows(_GATHERED, values)]
        found = await self.get_many(organization_id, wanted)
        return [found[notice_id] for notice_id in wanted if notice_id in found]

    async def gathering_done(self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]) -> bool:
        wanted = sorted(set(notice_ids))
        done = 0
        for portion in portions(wanted):
            waiting = (
                select(notices.c.id)
                .where(
                    notices.c.organization_id == organization_id,
                    notices.c.id.in_(portion),
                    notices.c.digest_at.is_not(None),
                )
                .order_by(notices.c.id)
                .with_for_update(key_share=True)
                .cte("waiting")
            )
            rows = await self._work.rows(
                update(notices)
                .where(notices.c.id.in_(select(waiting.c.id)), notices.c.digest_at.is_not(None))
                .values(digest_at=None)
                .returning(notices.c.id)
            )
            done += len(rows)
        return done == len(wanted)

    async def shown(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[NoticeId, Sequence[Delivery]]:
        found: dict[DeliveryId, Delivery] = {}
        for portion in portions(lapse_ids):
            values = {"organization": organization_id, "lapses": list(portion)}
            found |= {row[0]: delivery_of(row) for row in await self._work.rows(_SHOWN, values)}
        by_notice: dict[NoticeId, list[Delivery]] = {}
        for delivery in sorted(found.values(), key=lambda one: (one.created_at, one.id)):
            by_notice.setdefault(delivery.notice_id, []).append(delivery)
        return by_notice

    async def get_many(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, Notice]:
        found: dict[NoticeId, Notice] = {}
        for portion in portions(notice_ids):
            values = {"organization": organization_id, "notices": list(portion)}
            about: dict[NoticeId, list[LapseId]] = {}
            for notice_id, lapse_id in await self._work.rows(_NOTICE_LAPSES, values):
                about.setdefault(NoticeId(notice_id), []).append(LapseId(lapse_id))
            warned: dict[NoticeId, list[AuthorizationId]] = {}
            for notice_id, authorization_id in await self._work.rows(_NOTICE_AUTHORIZATIONS, values):
                warned.setdefault(NoticeId(notice_id), []).append(AuthorizationId(authorization_id))
            for row in await self._work.rows(_NOTICES, values):
                own = NoticeId(row[0])
                found[own] = notice_of(row, tuple(about.get(own, ())), tuple(warned.get(own, ())))
        return found

    async def deliveries(self, organization_id: OrganizationId, notice_id: NoticeId) -> Sequence[Delivery]:
        found = await self._work.rows(_DELIVERIES, {"organization": organization_id, "notice": notice_id})
        return [delivery_of(row) for row in found]

    async def undelivered(self, organization_id: OrganizationId, *, since: datetime) -> Mapping[str, int]:
        return await undelivered.undelivered(self._work, organization_id, since=since)

    async def delivered_to(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[PersonId, datetime]:
        first: dict[PersonId, datetime] = {}
        for portion in portions(lapse_ids):
            values = {"organization": organization_id, "lapses": list(portion)}
            for person_id, at in await self._work.rows(_REACHED, values):
                first[person_id] = min(at, first.get(person_id, at))
        return first

    async def first_delivered(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, datetime]:
        found: dict[NoticeId, datetime] = {}
        for portion in portions(notice_ids):
            values = {"organization": organization_id, "notices": list(portion)}
            found |= {NoticeId(row[0]): row[1] for row in await self._work.rows(_FIRST_DELIVERED, values)}
        return found


_events, _deliveries = events, deliveries  # the port names its arguments so
