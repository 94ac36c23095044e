"""Turns: where deliveries stand in their lane's queue, so that one message does not wait for everybody's tenth.

A turn is a time, though nobody waits for it. The first message that waits for an address has its turn when it is due,
each further one `APART` after the one before it. A lane goes by turns: among those that each wait for one message the
oldest goes first; a second message lets ten minutes of other addresses' first ones pass, and no more, so that nothing
waits for ever behind newcomers, as it would if the number of messages ahead alone decided.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, TextClause, bindparam, func, select, union_all

from commands.ids import DeliveryId
from commands.ports.notices import Delivery
from storage.tables import SENDING, WAITING, deliveries
from storage.work import Work, portions

APART = timedelta(minutes=10)
"""Longer than a platform takes for everybody's first message; short enough to be the most that a message is passed by,
for each one ahead of it at its own address.
"""

_QUEUE = ("lane", "tenant", "kind", "external_id", "priority")


def _of_addresses(state: TextClause) -> Select[tuple[object, ...]]:
    return select(*(deliveries.c[name] for name in _QUEUE), deliveries.c.turn_at).where(
        deliveries.c.lane.in_(bindparam("lanes", expanding=True)),
        deliveries.c.external_id.in_(bindparam("addresses", expanding=True)),
        state,
    )


# One half for each partial index.
_under_way = union_all(_of_addresses(WAITING), _of_addresses(SENDING)).subquery("under_way")
_LAST = select(*(_under_way.c[name] for name in _QUEUE), func.max(_under_way.c.turn_at)).group_by(
    *(_under_way.c[name] for name in _QUEUE)
)


async def turns(work: Work, planned: Sequence[Delivery]) -> dict[DeliveryId, datetime]:
    """Give the turns of deliveries that are about to be written, in the order in which they are to go."""
    last: dict[tuple[str, ...], datetime] = {}
    for portion in portions(planned, each=4):  # a lane and an address, in either half
        values = {
            "lanes": sorted({delivery.lane for delivery in portion}),
            "addresses": sorted({delivery.address.external_id for delivery in portion}),
        }
        for *queue, turn_at in await work.rows(_LAST, values):
            last[tuple(queue)] = turn_at
    found: dict[DeliveryId, datetime] = {}
    for delivery in planned:
        queue_of = _queue(delivery)
        before = last.get(queue_of)
        turn = delivery.next_at if before is None else max(delivery.next_at, before + APART)
        found[delivery.id] = last[queue_of] = turn
    return found


def _queue(delivery: Delivery) -> tuple[str, ...]:
    address = delivery.address
    return (delivery.lane, address.tenant, address.kind.value, address.external_id, delivery.priority.value)
