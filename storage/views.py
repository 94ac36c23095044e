"""Connections with the names around them: one join, used by lists, notices and pages alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import FromClause, Select, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.sql import ColumnElement

from commands.model import ConnectionState, ConnectionView, Scope
from storage.engine import UtcDateTime
from storage.rows import (
    AUTHORIZATION,
    CONNECTION,
    LAPSE,
    PERSON,
    authorization_of,
    columns,
    connection_of,
    lapse_of,
    person_of,
)
from storage.tables import attempts, authorizations, clients, connections, lapses, people

_connector = people.alias("connector")
_owner = people.alias("owner")
_claimant = people.alias("claimant")
_restorer = people.alias("restorer")
_reconnecting = people.alias("reconnecting")

URGENCY: Mapping[ConnectionState, int] = MappingProxyType(
    {
        ConnectionState.LAPSED: 0,
        ConnectionState.UNCONNECTED: 1,
        ConnectionState.ACTIVE: 2,
        ConnectionState.RETIRED: 3,
    }
)
"""A state's place in a list."""

ORDER = (connections.c.urgency, connections.c.lapsed_since, connections.c.name_key, connections.c.id)
"""Lapsed first, the longest lapse foremost, then unconnected ones, active ones and retired ones, each by name."""


def view_of(values: Sequence[Any]) -> ConnectionView:
    """Read a row of `views_from`."""
    at = 0

    def take(count: int) -> Sequence[Any]:
        nonlocal at
        at += count
        return values[at - count : at]

    connection = connection_of(take(len(CONNECTION)))
    client_name, claimant_name, restorer_name, reconnecting_by, reconnecting_id, siblings = take(6)
    connector, owner = take(len(PERSON)), take(len(PERSON))
    lapse, authorization = take(len(LAPSE)), take(len(AUTHORIZATION))
    return ConnectionView(
        connection=connection,
        client_name=client_name,
        connector=None if connector[0] is None else person_of(connector),
        owner=None if owner[0] is None else person_of(owner),
        lapse=None if lapse[0] is None else lapse_of(lapse),
        claimant_name=claimant_name,
        restorer_name=restorer_name,
        authorization=None if authorization[0] is None else authorization_of(authorization),
        reconnecting_by=reconnecting_by,
        reconnecting_id=reconnecting_id,
        siblings=siblings,
    )


def views_from(
    base: FromClause, *more: ColumnElement[Any], of_lapse: bool = False, count_siblings: bool = False
) -> Select[Any]:
    """Join what surrounds the connections of `base` (the table, or a subquery with its columns).

    The lapse is the open one or, with `of_lapse`, every one: the caller narrows. Takes the parameters `organization`
    and `now`.
    """
    siblings = connections.alias("sibling")
    number: ColumnElement[Any] = (
        select(func.count())
        .select_from(siblings)
        .where(
            siblings.c.authorization_id == base.c.authorization_id,
            siblings.c.state != ConnectionState.RETIRED.value,
        )
        .scalar_subquery()
        if count_siblings
        else literal_column("0")
    )
    lapse = and_(lapses.c.connection_id == base.c.id, lapses.c.organization_id == base.c.organization_id)
    attempt = and_(
        attempts.c.authorization_id == base.c.authorization_id,
        attempts.c.closed_at.is_(None),
        attempts.c.expires_at > bindparam("now", type_=UtcDateTime()),
    )
    joined = (
        base.join(clients, clients.c.id == base.c.client_id)
        .join(lapses, lapse if of_lapse else and_(lapse, lapses.c.ended_at.is_(None)), isouter=not of_lapse)
        .outerjoin(_connector, _connector.c.id == base.c.connector_id)
        .outerjoin(_owner, _owner.c.id == base.c.owner_id)
        .outerjoin(_claimant, _claimant.c.id == lapses.c.claim_person_id)
        .outerjoin(_restorer, _restorer.c.id == lapses.c.ended_by)
        .outerjoin(authorizations, authorizations.c.id == base.c.authorization_id)
        .outerjoin(attempts, attempt)
        .outerjoin(_reconnecting, _reconnecting.c.id == attempts.c.person_id)
    )
    return (
        select(
            *columns(base, CONNECTION),
            clients.c.name,
            _claimant.c.name,
            _restorer.c.name,
            _reconnecting.c.name,
            _reconnecting.c.id,
            number,
            *columns(_connector, PERSON),
            *columns(_owner, PERSON),
            *columns(lapses, LAPSE),
            *columns(authorizations, AUTHORIZATION),
            *more,
        )
        .select_from(joined)
        .where(base.c.organization_id == bindparam("organization"))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeShape:
    """What of a scope shapes a statement, so that the statement can be built once; the values come from
    `scope_values`.
    """

    clients: bool
    person: bool
    within: bool

    @classmethod
    def of(cls, scope: Scope) -> "ScopeShape":
        clients = scope.client_ids is not None
        return cls(clients=clients, person=clients and scope.person_id is not None, within=scope.within is not None)


def within_scope(rows: FromClause, shape: ScopeShape) -> list[ColumnElement[bool]]:
    """The conditions on connections, or on their counters, of a scope."""
    conditions: list[ColumnElement[bool]] = []
    if shape.clients:
        allowed: list[ColumnElement[bool]] = [rows.c.client_id.in_(bindparam("scope_clients", expanding=True))]
        if shape.person:
            allowed.append(rows.c.connector_id == bindparam("scope_person"))
            allowed.append(rows.c.owner_id == bindparam("scope_person"))
        conditions.append(or_(*allowed))
    if shape.within:
        conditions.append(rows.c.client_id.in_(bindparam("scope_within", expanding=True)))
    return conditions


def scope_values(scope: Scope) -> dict[str, Any]:
    """The parameters of `within_scope`."""
    values: dict[str, Any] = {}
    if scope.client_ids is not None:
        values["scope_clients"] = sorted(scope.client_ids)
        if scope.person_id is not None:
            values["scope_person"] = scope.person_id
    if scope.within is not None:
        values["scope_within"] = sorted(scope.within)
    return values
