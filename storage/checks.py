"""The queue of checks: authorizations whose time has come, leased with fencing terms. Crosses organizations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from commands.ids import AuthorizationId, OrganizationId
from commands.model import Connection, ConnectionState
from commands.ports.storage import DueCheck, Heads, NetworkHealth
from storage.engine import UtcDateTime, insert
from storage.rows import AUTHORIZATION, CONNECTION, authorization_of, columns, connection_of
from storage.tables import authorizations, connections, network_pauses, organizations
from storage.views import URGENCY
from storage.work import Work, in_order, portions

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
_hanging = select(connections.c.authorization_id.label("login"), *columns(connections, CONNECTION)).where(
    connections.c.authorization_id.in_(bindparam("authorizations", expanding=True)),
    connections.c.urgency < URGENCY[ConnectionState.RETIRED],
)
# What such a login works for tells which business it is of, and whose.
_works = (
    select(
        connections.c.authorization_id.label("login"),
        *columns(connections, ("organization_id", "network", "parent_id", "owner_id")),
    )
    .where(
        connections.c.authorization_id.in_(bindparam("authorizations", expanding=True)),
        connections.c.urgency == URGENCY[ConnectionState.ACTIVE],
        connections.c.parent_id.is_not(None),
    )
    .distinct()
    .subquery("works")
)
_moved_there = (
    select(_works.c.login, *columns(connections, CONNECTION))
    .join(
        _works,
        and_(
            _works.c.organization_id == connections.c.organization_id,
            _works.c.network == connections.c.network,
            _works.c.parent_id == connections.c.parent_id,
            _works.c.owner_id.is_not_distinct_from(connections.c.owner_id),
        ),
    )
    # In the words of the partial index.
    .where(connections.c.authorization_id.is_(None), connections.c.urgency == literal_column("0"))
)
_concerned = union_all(_hanging, _moved_there).subquery("concerned")
_CONNECTIONS = select(_concerned).order_by(_concerned.c.id)
HEALTH_SAMPLE = 1_000
"""How many of the latest checks tell a network's health.

All of them, where fewer were checked in the time. Beyond, a sample of this size is within two or three hundredths of
the latest share. It is one of checks, and what is in doubt is checked sooner again than what is well: a large network
is taken for failing at a smaller share of its authorizations, never at a larger one. That holds lapses back, and opens
none.
"""


def _health(*where: ColumnElement[bool]) -> Select[int, int]:
    latest = (
        select(authorizations.c.failing_since)
        .where(
            authorizations.c.network == bindparam("network"),
            authorizations.c.checked_at >= bindparam("since", type_=UtcDateTime()),
            *where,
        )
        .order_by(authorizations.c.checked_at.desc())
        .limit(HEALTH_SAMPLE)
        .subquery("latest")
    )
    return select(func.count(), func.count(latest.c.failing_since)).select_from(latest)


_HEALTH = _health()
_HEALTH_OF_REGION = _health(authorizations.c.region == bindparam("region"))


def _waits(network: BindParameter[str]) -> ColumnElement[bool]:
    """Whether a network asked everybody to wait."""
    return exists().where(network_pauses.c.network == network, network_pauses.c.until > _NOW)


@cache
def _claim_statement(networks: int, *, some_first: bool) -> ReturningUpdate[Any]:
    """Claim the longest due of so many networks, some named ones before them.

    The candidates are read network by network from the front of an index, so that neither a paused network's backlog
    nor the number of rows counts.
    """
    limit = bindparam("limit", type_=Integer())
    first: BindParameter[Any] = bindparam("first", expanding=True)
    turn = [case((authorizations.c.id.in_(first), 0), else_=1)] if some_first else []
    candidates = [
        select(
            select(authorizations.c.id)
            .where(
                authorizations.c.network == bindparam(f"network_{place}"),
                authorizations.c.next_check_at <= _NOW,
                _FREE,
                ~_waits(bindparam(f"network_{place}")),
            )
            .order_by(authorizations.c.next_check_at)
            .limit(limit)
            .subquery(f"of_network_{place}")
        )
        for place in range(networks)
    ]
    if some_first:
        candidates.append(
            select(authorizations.c.id).where(authorizations.c.id.in_(first), authorizations.c.next_check_at <= _NOW)
        )
    due = (
        select(authorizations.c.id)
        .where(authorizations.c.id.in_(union_all(*candidates)), _FREE)
        .order_by(*turn, authorizations.c.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return update(authorizations).where(authorizations.c.id.in_(select(due.c.id))).values(_LEASE).returning(*_LEASED)


@cache
def _heads_statement(networks: int) -> Select[Any]:
    """The next organizations, each with what is longest due of it: an index is asked once for each and network."""
    some = (
        select(organizations.c.id)
        .where(organizations.c.id > bindparam("after"))
        .order_by(organizations.c.id)
        .limit(bindparam("limit", type_=Integer()))
        .subquery("some")
    )
    heads = [
        select(authorizations.c.id)
        .where(
            authorizations.c.organization_id == some.c.id,
            authorizations.c.network == bindparam(f"network_{place}"),
            authorizations.c.next_check_at <= _NOW,
            _FREE,
            ~_waits(bindparam(f"network_{place}")),
        )
        .order_by(authorizations.c.next_check_at)
        .limit(1)
        .scalar_subquery()
        .label(f"of_network_{place}")
        for place in range(networks)
    ]
    return select(some.c.id, *heads).order_by(some.c.id)


async def longest_due_of_each(
    work: Work, *, now: datetime, networks: Sequence[str], after: OrganizationId | None, limit: int
) -> Sequence[Heads]:
    """Implements `Queues.longest_due_of_each`."""
    values = {f"network_{place}": network for place, network in enumerate(networks)}
    found = await work.rows(
        _heads_statement(len(networks)), {**values, "now": now, "after": after or UUID(int=0), "limit": limit}
    )
    return [
        Heads(
            organization_id=OrganizationId(organization_id),
            authorization_ids=tuple(AuthorizationId(head) for head in heads if head is not None),
        )
        for organization_id, *heads in found
    ]


async def look_now(work: Work, network: str, subject_ids: Sequence[str], *, now: datetime) -> int:
    """Implements `Queues.look_now`."""
    due = await work.rows(
        update(authorizations)
        .where(
            in_order(
                authorizations,
                authorizations.c.network == network,
                authorizations.c.subject_id.in_(subject_ids),
                authorizations.c.next_check_at.is_not(None),
            )
        )
        .values(next_check_at=now)
        .returning(authorizations.c.id)
    )
    return len(due)


async def pause_network(work: Work, network: str, *, until: datetime) -> None:
    """Implements `Queues.pause_network`."""
    asked = insert(network_pauses).values(network=network, until=until)
    later = network_pauses.c.until < asked.excluded.until
    await work.run(
        asked.on_conflict_do_update(index_elements=["network"], set_={"until": asked.excluded.until}, where=later)
    )


async def claim_checks(
    work: Work,
    *,
    now: datetime,
    limit: int,
    lease: timedelta,
    networks: Sequence[str],
    first: Sequence[AuthorizationId] = (),
) -> Sequence[DueCheck]:
    """Implements `Queues.claim_checks`, in two statements."""
    if not networks:
        return []
    values = {f"network_{place}": network for place, network in enumerate(networks)}
    named = {"first": list(first)} if first else {}
    leased = await work.rows(
        _claim_statement(len(networks), some_first=bool(first)),
        {**values, **named, "now": now, "until": now + lease, "limit": limit},
    )
    concerned: dict[AuthorizationId, list[Connection]] = {row[0]: [] for row in leased}
    for portion in portions(list(concerned), each=2):
        for login, *row in await work.rows(_CONNECTIONS, {"authorizations": list(portion)}):
            concerned[login].append(connection_of(row))
    checks = [_check_of(row, concerned[row[0]]) for row in leased]
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
    return _check_of(leased, [connection_of(row) for _, *row in found])


def _check_of(leased: Sequence[Any], concerned: Sequence[Connection]) -> DueCheck:
    return DueCheck(
        authorization=authorization_of(leased[:-1]),
        connections=tuple(one for one in concerned if one.authorization_id is not None),
        moved=tuple(one for one in concerned if one.authorization_id is None),
        term=leased[-1],
    )


async def network_health(work: Work, network: str, *, since: datetime, region: str) -> NetworkHealth:
    """Implements `Queues.network_health`."""
    values = {"network": network, "since": since}
    found = (
        await work.row(_HEALTH_OF_REGION, {**values, "region": region}) if region else await work.row(_HEALTH, values)
    )
    checked, failing = found or (0, 0)
    return NetworkHealth(checked=checked, failing=failing)
