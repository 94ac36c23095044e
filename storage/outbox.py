"""The outbox: lanes, each held by one process at a time under a fencing term, and their deliveries.

Crosses organizations.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    Executable,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from commands.ports.notices import Delivery, DeliveryState, Priority
from commands.ports.storage import Sent
from storage.engine import UtcDateTime, insert
from storage.notice_rows import DELIVERY, delivery_of, ref_values
from storage.rows import columns
from storage.tables import deliveries, lanes
from storage.work import Work, in_order

_NOW = bindparam("now", type_=UtcDateTime())
_LANE = bindparam("of_lane", type_=Text())
_SENDING = DeliveryState.SENDING.value
_UNKNOWN = DeliveryState.UNKNOWN.value
_DUE = DeliveryState.DUE.value
_DELIVERED = DeliveryState.DELIVERED.value

_earlier, _flying = deliveries.alias("earlier"), deliveries.alias("flying")
# In these words the partial indexes are found.
_WAITING = text("deliveries.state IN ('due', 'unknown')")
_EARLIER_WAITING = text("earlier.state IN ('due', 'unknown')")
_FLYING = text("flying.state = 'sending'")

_LANES_DUE = (
    select(lanes.c.name)
    .where(
        or_(lanes.c.leased_until.is_(None), lanes.c.leased_until <= _NOW),
        or_(
            exists().where(deliveries.c.lane == lanes.c.name, _WAITING, deliveries.c.next_at <= _NOW),
            exists(select(1).select_from(_flying).where(_flying.c.lane == lanes.c.name, _FLYING)),
        ),
    )
    .order_by(lanes.c.name)
)
_LEAVE_LANE = (
    update(lanes)
    .where(lanes.c.name == _LANE, lanes.c.holder == bindparam("of_holder"))
    .values(holder=None, leased_until=None)
)
_LOCK_TERM = (
    select(lanes.c.name)
    .where(lanes.c.name == _LANE, lanes.c.term == bindparam("of_term"))
    .with_for_update(key_share=True)
)
_ABANDONED = (
    update(deliveries)
    .where(
        in_order(
            deliveries,
            deliveries.c.lane == _LANE,
            text("deliveries.state = 'sending'"),
            deliveries.c.sending_term < bindparam("of_term"),
        )
    )
    .values(state=_UNKNOWN, reason="unknown", next_at=_NOW, attempts=deliveries.c.attempts + 1)
)
_ADDRESS = ("lane", "external_id", "tenant", "kind")
# Scalar subqueries, since PostgreSQL may turn NOT EXISTS into a join: where a table grew since it was last analyzed,
# into one that reads the whole lane for each row.
_first_of_address = (
    select(_earlier.c.id)
    .where(*(_earlier.c[name] == deliveries.c[name] for name in _ADDRESS), _EARLIER_WAITING, _earlier.c.next_at <= _NOW)
    .order_by(_earlier.c.priority, _earlier.c.turn_at, _earlier.c.id)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_flying_to_address = (
    select(_flying.c.id)
    .where(*(_flying.c[name] == deliveries.c[name] for name in _ADDRESS), _FLYING)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_TAKEN = (
    select(deliveries.c.id, deliveries.c.state)
    .where(
        deliveries.c.lane == _LANE,
        _WAITING,
        deliveries.c.next_at <= _NOW,
        deliveries.c.id == _first_of_address,
        _flying_to_address.is_(None),
    )
    .order_by(deliveries.c.priority, deliveries.c.turn_at, deliveries.c.id)
    .limit(bindparam("limit", type_=Integer()))
)
_SEND = (
    update(deliveries)
    .where(in_order(deliveries, deliveries.c.id.in_(bindparam("taken", expanding=True)), _WAITING))
    .values(state=_SENDING, sending_term=bindparam("of_term"))
    .returning(*columns(deliveries, DELIVERY))
)
_wanted_more = and_(bindparam("new_state") == _DELIVERED, deliveries.c.wanted > bindparam("new_shown"))
_NEW_NEXT_AT = bindparam("new_next_at", type_=UtcDateTime())
_RECORD = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.lane == _LANE, deliveries.c.state == _SENDING)
    .values(
        state=case((_wanted_more, _DUE), else_=bindparam("new_state")),
        priority=case((_wanted_more, Priority.EDIT.value), else_=deliveries.c.priority),
        attempts=case((_wanted_more, 0), else_=bindparam("new_attempts", type_=Integer())),
        shown=bindparam("new_shown"),
        reason=bindparam("new_reason"),
        next_at=_NEW_NEXT_AT,
        turn_at=case((_wanted_more, _NEW_NEXT_AT), else_=deliveries.c.turn_at),
        ref_platform=bindparam("new_ref_platform"),
        ref_tenant=bindparam("new_ref_tenant"),
        ref_destination=bindparam("new_ref_destination"),
        ref_message=bindparam("new_ref_message"),
        delivered_at=case(
            (bindparam("new_state") == _DELIVERED, func.coalesce(deliveries.c.delivered_at, _NOW)),
            else_=deliveries.c.delivered_at,
        ),
    )
)


async def lanes_due(work: Work, now: datetime) -> Sequence[str]:
    """Implements `Queues.lanes_due`."""
    return [row[0] for row in await work.rows(_LANES_DUE, {"now": now})]


async def take_lane(work: Work, lane: str, *, holder: str, now: datetime, lease: timedelta) -> int | None:
    """Implements `Queues.take_lane`. A lease that ran out is lost even to its holder, who may be another process of the
    same name: the term goes up, and what was being sent becomes UNKNOWN.
    """
    held = await work.row(_hold(lane, holder, now, now + lease))
    if held is None:
        return None
    term = int(held[0])
    await work.run(_ABANDONED, {"of_lane": lane, "now": now, "of_term": term})
    return term


def _hold(lane: str, holder: str, now: datetime, until: datetime) -> Executable:
    adding = insert(lanes).values(name=lane, holder=holder, term=1, leased_until=until)
    renewing = and_(lanes.c.holder == holder, lanes.c.leased_until > now)
    return adding.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "holder": holder,
            "term": case((renewing, lanes.c.term), else_=lanes.c.term + 1),
            "leased_until": until,
        },
        where=or_(lanes.c.holder == holder, lanes.c.leased_until.is_(None), lanes.c.leased_until <= now),
    ).returning(lanes.c.term)


async def leave_lane(work: Work, lane: str, *, holder: str) -> None:
    """Implements `Queues.leave_lane`."""
    await work.run(_LEAVE_LANE, {"of_lane": lane, "of_holder": holder})


async def take_deliveries(work: Work, lane: str, *, term: int, now: datetime, limit: int) -> Sequence[Delivery]:
    """Implements `Queues.take_deliveries`. What is given keeps the state that it had, DUE or UNKNOWN: the sender has to
    know what was sent once already.
    """
    if await work.row(_LOCK_TERM, {"of_lane": lane, "of_term": term}) is None:
        return []
    taken = {row[0]: row[1] for row in await work.rows(_TAKEN, {"of_lane": lane, "now": now, "limit": limit})}
    if not taken:
        return []
    sending = await work.rows(_SEND, {"taken": list(taken), "of_term": term})
    before = {row[0]: delivery_of((*row[:9], taken[row[0]], *row[10:])) for row in sending}
    return [before[row_id] for row_id in taken if row_id in before]


async def record_sent(work: Work, lane: str, *, term: int, results: Sequence[Sent]) -> None:
    """Implements `Queues.record_sent`."""
    if not results or await work.row(_LOCK_TERM, {"of_lane": lane, "of_term": term}) is None:
        return
    now = work.clock.now()
    await work.run(
        _RECORD,
        [
            {
                "of_lane": lane,
                "now": now,
                "delivery": sent.delivery_id,
                "new_state": sent.state.value,
                "new_shown": sent.shown,
                "new_reason": sent.reason,
                "new_next_at": sent.next_at,
                "new_attempts": sent.attempts,
                **{f"new_{name}": value for name, value in ref_values(sent.ref).items()},
            }
            for sent in sorted(results, key=lambda sent: sent.delivery_id)
        ],
    )
