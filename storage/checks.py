"""The queue of checks: authorizations whose time has come, leased with fencing terms. Crosses organizations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, func, or_, select, union_all, update
from sqlalchemy.sql.dml import ReturningUpdate

from commands.ids import AuthorizationId, OrganizationId
from commands.model import Connection, ConnectionState
from commands.ports.storage import DueCheck, NetworkHealth
from storage.engine import UtcDateTime
from storage.rows import AUTHORIZATION, CONNECTION, authorization_of, columns, connection_of
from storage.tables import authorizations, connections
from storage.views import URGENCY
from storage.work import Work, portions

_NOW = bindparam("now", type_=UtcDateTime())
_FREE = or_(authorizations.c.leased_until.is_(None), authorizations.c.leased_until <= _NOW)
_LEASE = {
    "leased_until": bindparam("until", type_=UtcDateTime()),
    "lease_term": authorizations.c.lease_term + 1,
}
_LEASED = (*columns(authorizations, AUTHORIZATION), authorizations.c.lease_term)
_CLAIM_ONE = (
    update(authorizations)
    .where(
        authorizations.c.organization_id == bindparam("organization"),
        authorizations.c.id == bindparam("authorization"),
        _FREE,
    )
    .values(_LEASE)
    .returning(*_LEASED)
)
_CONNECTIONS = (
    select(*columns(connections, CONNECTION))
    .where(
        connections.c.authorization_id.in_(bindparam("authorizations", expanding=True)),
        connections.c.urgency < URGENCY[ConnectionState.RETIRED],
    )
    .order_by(connections.c.id)
)
HEALTH_SAMPLE = 1_000
"""How many of the latest checks tell a network's health.

All of them, where fewer were checked in the time. Beyond, a sample of this size is within two or three hundredths of
the latest share. It is one of checks, and what is in doubt is checked sooner again than what is well: a large network
is taken for failing at a smaller share of its authorizations, never at a larger one. That holds lapses back, and opens
none.
"""
_LATEST = (
    select(authorizations.c.doubt_since)
    .where(
        authorizations.c.network == bindparam("network"),
        authorizations.c.checked_at >= bindparam("since", type_=UtcDateTime()),
    )
    .order_by(authorizations.c.checked_at.desc())
    .limit(HEALTH_SAMPLE)
    .subquery("latest")
)
_HEALTH = select(func.count(), func.count(_LATEST.c.doubt_since)).select_from(_LATEST)


@cache
def _claim_statement(networks: int) -> ReturningUpdate[Any]:
    """Claim the longest due of so many networks.

    The candidates are read network by network from the front of an index, so that neither a paused network's backlog
    nor the number of rows counts.
    """
    limit = bindparam("limit", type_=Integer())
    candidates = [
        select(
            select(authorizations.c.id)
            .where(
                authorizations.c.network == bindparam(f"network_{place}"), authorizations.c.next_check_at <= _NOW, _FREE
            )
            .order_by(authorizations.c.next_check_at)
            .limit(limit)
            .subquery(f"of_network_{place}")
        )
        for place in range(networks)
    ]
    due = (
        select(authorizations.c.id)
        .where(authorizations.c.id.in_(union_all(*candidates)), _FREE)
        .order_by(authorizations.c.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return update(authorizations).where(authorizations.c.id.in_(select(due.c.id))).values(_LEASE).returning(*_LEASED)


async def claim_checks(
    work: Work, *, now: datetime, limit: int, lease: timedelta, networks: Sequence[str]
) -> Sequence[DueCheck]:
    """Implements `Queues.claim_checks`, in two statements."""
    if not networks:
        return []
    values = {f"network_{place}": network for place, network in enumerate(networks)}
    leased = await work.rows(
        _claim_statement(len(networks)), {**values, "now": now, "until": now + lease, "limit": limit}
    )
    under: dict[AuthorizationId, list[Connection]] = {row[0]: [] for row in leased}
    for portion in portions(list(under)):
        for row in await work.rows(_CONNECTIONS, {"authorizations": list(portion)}):
            connection = connection_of(row)
            if connection.authorization_id is not None:
                under[connection.authorization_id].append(connection)
    checks = [
        DueCheck(authorization=authorization_of(row[:-1]), connections=tuple(under[row[0]]), term=row[-1])
        for row in leased
    ]
    # UPDATE gives its rows in no order.
    return sorted(checks, key=lambda check: check.authorization.next_check_at or now)


async def claim_check(
    work: Work, organization_id: OrganizationId, authorization_id: AuthorizationId, *, now: datetime, lease: timedelta
) -> DueCheck | None:
    """Implements `Queues.claim_check`."""
    leased = await work.row(
        _CLAIM_ONE,
        {"organization": organization_id, "authorization": authorization_id, "now": now, "until": now + lease},
    )
    if leased is None:
        return None
    found = await work.rows(_CONNECTIONS, {"authorizations": [authorization_id]})
    return DueCheck(
        authorization=authorization_of(leased[:-1]),
        connections=tuple(connection_of(row) for row in found),
        term=leased[-1],
    )


async def network_health(work: Work, network: str, *, since: datetime) -> NetworkHealth:
    """Implements `Queues.network_health`."""
    found = await work.row(_HEALTH, {"network": network, "since": since})
    checked, failing = found or (0, 0)
    return NetworkHealth(checked=checked, failing=failing)
