"""Notices that nobody got: every way failed, or there was none."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select

from commands.ids import OrganizationId
from commands.ports.notices import NO_ADDRESS, DeliveryState, NoticeKind
from storage.engine import UtcDateTime
from storage.tables import deliveries, notices
from storage.work import Work

_GATHERED = [kind.value for kind in (NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.EXPIRING)]
"""Kinds that may be told in a digest, and so have no delivery of their own. Of a reader of theirs without an address
administrators are told in a notice, which counts.
"""
_other = deliveries.alias("other")
_of_notice = deliveries.c.notice_id == notices.c.id
_RECENT = (notices.c.organization_id == bindparam("organization")) & (
    notices.c.created_at >= bindparam("since", type_=UtcDateTime())
)
_FAILED = (
    select(deliveries.c.reason, func.count(notices.c.id.distinct()))
    .select_from(notices.join(deliveries, _of_notice))
    .where(
        _RECENT,
        deliveries.c.state == DeliveryState.FAILED.value,
        deliveries.c.delivered_at.is_(None),  # an edit that failed: the notice itself was read
        ~exists().where(_other.c.notice_id == notices.c.id, _other.c.state != DeliveryState.FAILED.value),
    )
    .group_by(deliveries.c.reason)
)
_WITHOUT_A_WAY = select(func.count(notices.c.id)).where(
    _RECENT, notices.c.kind.not_in(_GATHERED), ~exists().where(_of_notice)
)


async def undelivered(work: Work, organization_id: OrganizationId, *, since: datetime) -> Mapping[str, int]:
    """Implements `Notices.undelivered`."""
    values = {"organization": organization_id, "since": since}
    found = {str(row[0]): int(row[1]) for row in await work.rows(_FAILED, values)}
    without = await work.row(_WITHOUT_A_WAY, values)
    if without is not None and without[0]:
        found[NO_ADDRESS] = found.get(NO_ADDRESS, 0) + int(without[0])
    return found
