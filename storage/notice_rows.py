"""Events, notices and deliveries as rows."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from commands.ids import AuthorizationId, DeliveryId, EventId, LapseId, NoticeId, OrganizationId, PersonId
from commands.model import Channel
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.events import Event, EventKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority

EVENT = ("id", "organization_id", "kind", "at", "lapse_id", "connection_id", "authorization_id", "person_id", "data")
DELIVERY = (
    "id", "organization_id", "notice_id", "platform", "tenant", "kind", "external_id", "lane", "priority", "state",
    "wanted", "shown", "ref_platform", "ref_tenant", "ref_destination", "ref_message", "attempts", "next_at",
    "created_at", "reason", "under_destination", "under_message",
)  # fmt: skip
NOTICE = (
    "id", "organization_id", "kind", "part", "person_id", "platform", "tenant", "channel", "data", "created_at",
    "step", "remind_at", "digest_at",
)  # fmt: skip


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
        under_destination, under_message,
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
        under=None
        if under_message is None
        else MessageRef(platform=platform, tenant=tenant, destination=under_destination, message=under_message),
    )


def ref_values(ref: MessageRef | None) -> dict[str, Any]:
    return {
        "ref_platform": None if ref is None else ref.platform,
        "ref_tenant": None if ref is None else ref.tenant,
        "ref_destination": None if ref is None else ref.destination,
        "ref_message": None if ref is None else ref.message,
    }


def event_values(event: Event) -> dict[str, Any]:
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


def notice_values(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "organization_id": notice.organization_id,
        "kind": notice.kind.value,
        "part": notice.part.value,
        "person_id": notice.person_id,
        "platform": notice.channel and notice.channel.platform,
        "tenant": notice.channel and notice.channel.tenant,
        "channel": notice.channel and notice.channel.external_id,
        "step": notice.step,
        "remind_at": notice.remind_at,
        "digest_at": notice.digest_at,
        "data": dict(notice.data),
        "created_at": notice.created_at,
        "dedupe": _dedupe(notice),
    }


def _dedupe(notice: Notice) -> bytes:
    """What makes two notices the same: reader, kind and lapses; apart from LAPSED also what they say of them, and which
    one of a series they are.

    One about no lapse is the same as no other, unless it is of an outage.
    """
    channel = notice.channel
    reader = [str(notice.person_id)] if channel is None else [channel.platform, channel.tenant, channel.external_id]
    about = sorted(str(lapse_id) for lapse_id in notice.lapse_ids) or [_alone(notice)]
    # An administrator hears of each person who could not be reached about the same lapses.
    ending = [str(one) for one in notice.authorization_ids]
    if notice.kind is NoticeKind.LAPSED:
        # Whoever heard in another part, and is given the account then, hears as its owner, reminders included.
        said: list[Any] = [notice.part.value] if notice.part is Part.OWNER else []
    else:
        said = [dict(notice.data), notice.step, ending]
    return hashlib.sha256(json.dumps([notice.kind.value, reader, about, said], sort_keys=True).encode()).digest()


def _alone(notice: Notice) -> str:
    """What a notice about no lapse is the same by: nothing, except that an outage is told to each reader once."""
    outages = (NoticeKind.OUTAGE, NoticeKind.OUTAGE_OVER)
    return notice.data["outage"] if notice.kind in outages else str(notice.id)


def notice_of(
    values: Sequence[Any], lapse_ids: tuple[LapseId, ...], authorization_ids: tuple[AuthorizationId, ...]
) -> Notice:
    (
        row_id, organization_id, kind, part, person_id, platform, tenant, channel, data, created_at,
        step, remind_at, digest_at,
    ) = values  # fmt: skip
    return Notice(
        id=NoticeId(row_id),
        organization_id=OrganizationId(organization_id),
        kind=NoticeKind(kind),
        part=Part(part),
        person_id=PersonId(person_id),
        channel=None if channel is None else Channel(platform=platform, tenant=tenant, external_id=channel),
        lapse_ids=lapse_ids,
        created_at=created_at,
        authorization_ids=authorization_ids,
        step=step,
        remind_at=remind_at,
        digest_at=digest_at,
        data=data,
    )


def delivery_values(delivery: Delivery) -> dict[str, Any]:
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
        "under_destination": delivery.under and delivery.under.destination,
        "under_message": delivery.under and delivery.under.message,
        **ref_values(delivery.ref),
    }
