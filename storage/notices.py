"""Events, and the notices and deliveries that are made from them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, literal, or_, select, update

from commands.ids import DeliveryId, EventId, LapseId, NoticeId, OrganizationId, PersonId
from commands.model import Channel
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.notices import Delivery, DeliveryState, Event, EventKind, Notice, NoticeKind, Part, Priority
from storage.engine import UtcDateTime, insert
from storage.rows import columns
from storage.tables import deliveries, events, lanes, notice_lapses, notices
from storage.turns import turns
from storage.work import Work, portions

EVENT = ("id", "organization_id", "kind", "at", "lapse_id", "connection_id", "authorization_id", "person_id", "data")
DELIVERY = (
    "id", "organization_id", "notice_id", "platform", "tenant", "kind", "external_id", "lane", "priority", "state",
    "wanted", "shown", "ref_platform", "ref_tenant", "ref_destination", "ref_message", "attempts", "next_at",
    "created_at", "reason",
)  # fmt: skip
_NOTICE = ("id", "organization_id", "kind", "part", "person_id", "platform", "tenant", "channel", "data", "created_at")

_NOTICES = select(*columns(notices, _NOTICE)).where(
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


class SqlNotices:
    """Implements `Notices`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def record(self, events: Sequence[Event]) -> None:
        if events:
            await self._work.run(insert(_events), [_event_values(event) for event in events])

    async def record_once(self, event: Event) -> bool:
        added = await self._work.row(
            insert(_events)
            .values(_event_values(event))
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(_events.c.id)
        )
        return added is not None

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
                [{**_delivery_values(delivery), "turn_at": turn_at[delivery.id]} for delivery in wanted],
            )

    async def _add_notices(self, wanted: Sequence[Notice]) -> set[NoticeId]:
        """Add those that are new to their readers; give their ids.

        In order of their keys, so that planners that meet at the same notices never wait for each other in a circle.
        """
        values = sorted((_notice_values(notice) for notice in wanted), key=lambda row: bytes(row["dedupe"]))
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

    async def mark_planned(self, event_ids: Sequence[EventId]) -> bool:
        marked = 0
        wanted = sorted(set(event_ids))
        for portion in portions(wanted):
            rows = await self._work.rows(
                update(events)
                .where(events.c.id.in_(portion), events.c.planned_at.is_(None))
                .values(planned_at=self._work.clock.now())
                .returning(events.c.id)
            )
            marked += len(rows)
        return marked == len(wanted)

    async def redraw(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], at: datetime) -> int:
        number = 0
        for portion in portions(lapse_ids):
            about = select(notice_lapses.c.notice_id).where(
                notice_lapses.c.organization_id == organization_id, notice_lapses.c.lapse_id.in_(portion)
            )
            live = (
                select(deliveries.c.id)
                .where(
                    deliveries.c.organization_id == organization_id,
                    deliveries.c.notice_id.in_(about),
                    or_(
                        deliveries.c.state.in_(_UNDER_WAY),
                        # Delivered without a reference (email): there is nothing to edit.
                        and_(
                            deliveries.c.state == DeliveryState.DELIVERED.value, deliveries.c.ref_message.is_not(None)
                        ),
                    ),
                )
                .order_by(deliveries.c.id)
                .with_for_update()
                .cte("live")
            )
            shown = deliveries.c.state == DeliveryState.DELIVERED.value
            rows = await self._work.rows(
                update(deliveries)
                .where(deliveries.c.id.in_(select(live.c.id)))
                .values(
                    wanted=deliveries.c.wanted + 1,
                    state=case((shown, DeliveryState.DUE.value), else_=deliveries.c.state),
                    priority=case((shown, Priority.EDIT.value), else_=deliveries.c.priority),
                    attempts=case((shown, 0), else_=deliveries.c.attempts),
                    reason=case((shown, ""), else_=deliveries.c.reason),
                    next_at=case((shown, literal(at, UtcDateTime())), else_=deliveries.c.next_at),
                    turn_at=case((shown, literal(at, UtcDateTime())), else_=deliveries.c.turn_at),
                )
                .returning(deliveries.c.id)
            )
            number += len(rows)
        return number

    async def told(self, organization_id: OrganizationId, lapse_id: LapseId) -> bool:
        found = await self._work.row(
            select(
                exists().where(notice_lapses.c.organization_id == organization_id, notice_lapses.c.lapse_id == lapse_id)
            )
        )
        return found is not None and bool(found[0])

    async def get_many(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, Notice]:
        found: dict[NoticeId, Notice] = {}
        for portion in portions(notice_ids):
            values = {"organization": organization_id, "notices": list(portion)}
            about: dict[NoticeId, list[LapseId]] = {}
            for notice_id, lapse_id in await self._work.rows(_NOTICE_LAPSES, values):
                about.setdefault(NoticeId(notice_id), []).append(LapseId(lapse_id))
            for row in await self._work.rows(_NOTICES, values):
                found[NoticeId(row[0])] = _notice_of(row, tuple(about.get(NoticeId(row[0]), ())))
        return found

    async def deliveries(self, organization_id: OrganizationId, notice_id: NoticeId) -> Sequence[Delivery]:
        found = await self._work.rows(_DELIVERIES, {"organization": organization_id, "notice": notice_id})
        return [delivery_of(row) for row in found]

    async def delivered_to(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[PersonId, datetime]:
        first: dict[PersonId, datetime] = {}
        for portion in portions(lapse_ids):
            values = {"organization": organization_id, "lapses": list(portion)}
            for person_id, at in await self._work.rows(_REACHED, values):
                first[person_id] = min(at, first.get(person_id, at))
        return first


_events, _deliveries = events, deliveries  # the port names its arguments so
_UNDER_WAY = [state.value for state in (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNKNOWN)]


def event_of(values: Sequence[Any]) -> Event:
    row_id, organization_id, kind, at, lapse_id, connection_id, authorization_id, person_id, data = values
    return Event(
        id=EventId(row_id),
        organization_id=OrganizationId(organization_id),
        kind=EventKind(kind),
        at=at,
        lapse_id=lapse_id,
        connection_id=connection_id,
        authorization_id=authorization_id,
        person_id=person_id,
        data=data,
    )


def delivery_of(values: Sequence[Any]) -> Delivery:
    (
        row_id, organization_id, notice_id, platform, tenant, kind, external_id, lane, priority, state,
        wanted, shown, ref_platform, ref_tenant, ref_destination, ref_message, attempts, next_at, created_at, reason,
    ) = values  # fmt: skip
    return Delivery(
        id=DeliveryId(row_id),
        organization_id=OrganizationId(organization_id),
        notice_id=NoticeId(notice_id),
        address=Address(platform=platform, tenant=tenant, kind=AddressKind(kind), external_id=external_id),
        lane=lane,
        priority=Priority(priority),
        state=DeliveryState(state),
        wanted=wanted,
        shown=shown,
        ref=None
        if ref_message is None
        else MessageRef(platform=ref_platform, tenant=ref_tenant, destination=ref_destination, message=ref_message),
        attempts=attempts,
        next_at=next_at,
        created_at=created_at,
        reason=reason,
    )


def ref_values(ref: MessageRef | None) -> dict[str, Any]:
    return {
        "ref_platform": None if ref is None else ref.platform,
        "ref_tenant": None if ref is None else ref.tenant,
        "ref_destination": None if ref is None else ref.destination,
        "ref_message": None if ref is None else ref.message,
    }


def _event_values(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "organization_id": event.organization_id,
        "kind": event.kind.value,
        "at": event.at,
        "lapse_id": event.lapse_id,
        "connection_id": event.connection_id,
        "authorization_id": event.authorization_id,
        "person_id": event.person_id,
        "data": dict(event.data),
    }


def _notice_values(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "organization_id": notice.organization_id,
        "kind": notice.kind.value,
        "part": notice.part.value,
        "person_id": notice.person_id,
        "platform": notice.channel and notice.channel.platform,
        "tenant": notice.channel and notice.channel.tenant,
        "channel": notice.channel and notice.channel.external_id,
        "data": dict(notice.data),
        "created_at": notice.created_at,
        "dedupe": _dedupe(notice),
    }


def _dedupe(notice: Notice) -> bytes:
    """What makes two notices the same: reader, kind and lapses; apart from LAPSED also what they say of them.

    One about no lapse is the same as no other.
    """
    channel = notice.channel
    reader = [str(notice.person_id)] if channel is None else [channel.platform, channel.tenant, channel.external_id]
    about = sorted(str(lapse_id) for lapse_id in notice.lapse_ids) or [str(notice.id)]
    # An administrator hears of each person who could not be reached about the same lapses.
    said = {} if notice.kind is NoticeKind.LAPSED else dict(notice.data)
    return hashlib.sha256(json.dumps([notice.kind.value, reader, about, said], sort_keys=True).encode()).digest()


def _notice_of(values: Sequence[Any], lapse_ids: tuple[LapseId, ...]) -> Notice:
    row_id, organization_id, kind, part, person_id, platform, tenant, channel, data, created_at = values
    return Notice(
        id=NoticeId(row_id),
        organization_id=OrganizationId(organization_id),
        kind=NoticeKind(kind),
        part=Part(part),
        person_id=PersonId(person_id),
        channel=None if channel is None else Channel(platform=platform, tenant=tenant, external_id=channel),
        lapse_ids=lapse_ids,
        created_at=created_at,
        data=data,
    )


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "organization_id": delivery.organization_id,
        "notice_id": delivery.notice_id,
        "platform": delivery.address.platform,
        "tenant": delivery.address.tenant,
        "kind": delivery.address.kind.value,
        "external_id": delivery.address.external_id,
        "lane": delivery.lane,
        "priority": delivery.priority.value,
        "state": delivery.state.value,
        "wanted": delivery.wanted,
        "shown": delivery.shown,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at,
        "created_at": delivery.created_at,
        "reason": delivery.reason,
        **ref_values(delivery.ref),
    }
