"""Edits that messages are asked for: what is shown of a notice is to be drawn anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, literal, or_, select, update

from commands.ids import AuthorizationId, ConnectionId, LapseId, OrganizationId, OutageId, PersonId, to_wire
from commands.ports.notices import DeliveryState, NoticeKind, Priority
from storage.engine import UtcDateTime
from storage.tables import deliveries, notice_authorizations, notice_lapses, notices
from storage.work import Work, portions

UNDER_WAY = [state.value for state in (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNKNOWN)]


async def redraw(work: Work, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], at: datetime) -> int:
    """Implements `Notices.redraw`."""
    number = 0
    for portion in portions(lapse_ids):
        number += await _redraw(work, organization_id, _about_lapses(organization_id, portion), at)
    return number


async def redraw_for(
    work: Work, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], person_id: PersonId, at: datetime
) -> int:
    """Implements `Notices.redraw_for`."""
    number = 0
    for portion in portions(lapse_ids):
        own = select(notices.c.id).where(
            notices.c.organization_id == organization_id,
            notices.c.person_id == person_id,
            notices.c.channel.is_(None),
            notices.c.id.in_(_about_lapses(organization_id, portion)),
        )
        number += await _redraw(work, organization_id, own, at)
    return number


async def redraw_connections(
    work: Work, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], at: datetime
) -> int:
    """Implements `Notices.redraw_connections`. Reads the data of all of the organization's notices: it is asked for
    when somebody retires a connection, and for nothing more frequent.
    """
    number = 0
    named = notices.c.data["connection"].as_string()
    for portion in portions(connection_ids):
        about = select(notices.c.id).where(
            notices.c.organization_id == organization_id, or_(*(named.contains(to_wire(one)) for one in portion))
        )
        number += await _redraw(work, organization_id, about, at)
    return number


async def redraw_authorizations(
    work: Work, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId], at: datetime
) -> int:
    """Implements `Notices.redraw_authorizations`."""
    number = 0
    for portion in portions(authorization_ids):
        about = select(notice_authorizations.c.notice_id).where(
            notice_authorizations.c.organization_id == organization_id,
            notice_authorizations.c.authorization_id.in_(portion),
        )
        number += await _redraw(work, organization_id, about, at)
    return number


async def redraw_outage(
    work: Work, organization_id: OrganizationId, outage_id: OutageId, *, since: datetime, at: datetime
) -> int:
    """Ask for an edit of the messages about a network's outage, of notices made at or after `since`."""
    about = select(notices.c.id).where(
        notices.c.organization_id == organization_id,
        notices.c.created_at >= since,
        notices.c.kind == NoticeKind.OUTAGE.value,
        notices.c.data["outage"].as_string() == to_wire(outage_id),
    )
    return await _redraw(work, organization_id, about, at)


def _about_lapses(organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Select[Any]:
    return select(notice_lapses.c.notice_id).where(
        notice_lapses.c.organization_id == organization_id, notice_lapses.c.lapse_id.in_(lapse_ids)
    )


async def _redraw(work: Work, organization_id: OrganizationId, about: Select[Any], at: datetime) -> int:
    live = (
        select(deliveries.c.id)
        .where(
            deliveries.c.organization_id == organization_id,
            deliveries.c.notice_id.in_(about),
            or_(
                deliveries.c.state.in_(UNDER_WAY),
                # Delivered without a reference (email): there is nothing to edit.
                and_(deliveries.c.state == DeliveryState.DELIVERED.value, deliveries.c.ref_message.is_not(None)),
            ),
        )
        .order_by(deliveries.c.id)
        .with_for_update(key_share=True)
        .cte("live")
    )
    shown = deliveries.c.state == DeliveryState.DELIVERED.value
    rows = await work.rows(
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
    return len(rows)
