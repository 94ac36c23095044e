"""Who answers for connections: counted by owner and connector, and changed."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select, update

from commands.ids import AuthorizationId, ClientId, ConnectionId, OrganizationId, PersonId
from commands.model import NEEDS_CONNECTING, ConnectionState, Parent, Scope
from commands.ports.connections import Answerable, OwnerCount
from storage.rows import PERSON, columns, person_of
from storage.tables import NOBODY, connections, counters, people
from storage.views import ScopeShape, scope_values, within_scope
from storage.work import Counted, Work, in_order, portions

MOST_UNDER = 10
"""How many people are given for one parent."""
MOST_LOGINS = 3
"""How many logins are given for one parent: each may be asked, while somebody waits."""

_ANSWERABLE = (
    select(
        counters.c.network,
        counters.c.client_id,
        counters.c.connector_id,
        counters.c.owner_id,
        func.sum(counters.c.number),
    )
    .where(counters.c.organization_id == bindparam("organization"), counters.c.state != ConnectionState.RETIRED.value)
    .group_by(counters.c.network, counters.c.client_id, counters.c.connector_id, counters.c.owner_id)
    .having(func.sum(counters.c.number) > 0)
    .order_by(counters.c.network, counters.c.client_id, counters.c.connector_id, counters.c.owner_id)
)
_LOGINS_UNDER = (
    select(connections.c.authorization_id)
    .where(
        connections.c.organization_id == bindparam("organization"),
        connections.c.network == bindparam("network"),
        connections.c.parent_id == bindparam("parent"),
        connections.c.authorization_id.is_not(None),
        connections.c.state == ConnectionState.ACTIVE.value,
    )
    .group_by(connections.c.authorization_id)
    .order_by(func.count().desc(), connections.c.authorization_id)
    .limit(MOST_LOGINS)
)


async def answerable(work: Work, organization_id: OrganizationId) -> Sequence[Answerable]:
    """Implements `Connections.answerable`."""
    return [
        Answerable(
            network=network,
            client_id=ClientId(client_id),
            connector_id=None if connector_id == NOBODY else connector_id,
            owner_id=None if owner_id == NOBODY else owner_id,
            number=number,
        )
        for network, client_id, connector_id, owner_id, number in await work.rows(
            _ANSWERABLE, {"organization": organization_id}
        )
    ]


async def owners(work: Work, organization_id: OrganizationId, scope: Scope) -> Sequence[OwnerCount]:
    """Implements `Connections.owners`."""
    values = {"organization": organization_id, **scope_values(scope)}
    return [
        OwnerCount(person=person_of(row[:-2]), needing=row[-2], total=row[-1])
        for row in await work.rows(_owners_statement(ScopeShape.of(scope)), values)
    ]


@cache
def _owners_statement(shape: ScopeShape) -> Select[Any]:
    needing = [state.value for state in NEEDS_CONNECTING]
    owned = (
        select(
            counters.c.owner_id,
            func.sum(case((counters.c.state.in_(needing), counters.c.number), else_=0)).label("needing"),
            func.sum(counters.c.number).label("total"),
        )
        .where(
            counters.c.organization_id == bindparam("organization"),
            counters.c.owner_id != NOBODY,
            counters.c.state != ConnectionState.RETIRED.value,
            *within_scope(counters, shape),
        )
        .group_by(counters.c.owner_id)
        .having(func.sum(counters.c.number) > 0)
        .subquery("owned")
    )
    return (
        select(*columns(people, PERSON), owned.c.needing, owned.c.total)
        .join(owned, owned.c.owner_id == people.c.id)
        .order_by(owned.c.needing.desc(), people.c.name_key, people.c.id)
    )


async def others_under(
    work: Work, organization_id: OrganizationId, network: str, parent_ids: Sequence[str], scope: Scope
) -> dict[str, tuple[PersonId, ...]]:
    """Implements `Connections.others_under`: whoever connected the most first."""
    found: dict[str, tuple[PersonId, ...]] = {}
    statement = _others_under_statement(ScopeShape.of(scope))
    for portion in portions(sorted(set(parent_ids))):
        values = {
            "organization": organization_id,
            "network": network,
            "parents": list(portion),
            **scope_values(scope),
        }
        for parent_id, connector_id, _ in await work.rows(statement, values):
            found[parent_id] = (*found.get(parent_id, ()), PersonId(connector_id))[:MOST_UNDER]
    return found


@cache
def _others_under_statement(shape: ScopeShape) -> Select[Any]:
    return (
        select(connections.c.parent_id, connections.c.connector_id, func.count())
        .join(people, people.c.id == connections.c.connector_id)
        .where(
            connections.c.organization_id == bindparam("organization"),
            connections.c.network == bindparam("network"),
            connections.c.parent_id.in_(bindparam("parents", expanding=True)),
            people.c.left_at.is_(None),
            *within_scope(connections, shape),
        )
        .group_by(connections.c.parent_id, connections.c.connector_id)
        .order_by(func.count().desc(), connections.c.connector_id)
    )


async def logins_under(
    work: Work, organization_id: OrganizationId, network: str, parent_id: str
) -> Sequence[AuthorizationId]:
    """Implements `Connections.logins_under`."""
    values = {"organization": organization_id, "network": network, "parent": parent_id}
    return [AuthorizationId(row[0]) for row in await work.rows(_LOGINS_UNDER, values)]


async def set_parent(
    work: Work, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], parent: Parent
) -> None:
    """Implements `Connections.set_parent`."""
    for portion in portions(sorted(set(connection_ids))):
        await work.run(
            update(connections)
            .where(
                in_order(connections, connections.c.organization_id == organization_id, connections.c.id.in_(portion))
            )
            .values(parent_id=parent.id, parent_name=parent.name)
        )


async def detach(work: Work, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]) -> None:
    """Implements `Connections.detach`."""
    for portion in portions(sorted(set(connection_ids))):
        await work.run(
            update(connections)
            .where(
                in_order(connections, connections.c.organization_id == organization_id, connections.c.id.in_(portion))
            )
            .values(authorization_id=None)
        )


async def set_owner(
    work: Work, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], owner_id: PersonId
) -> int:
    """Implements `Connections.set_owner`."""
    c = connections.c
    changed = 0
    for portion in portions(sorted(set(connection_ids))):
        # Read locked and in order, since the update gives back only what is new.
        before = await work.rows(
            select(c.id, c.network, c.client_id, c.connector_id, c.owner_id, c.state)
            .where(c.organization_id == organization_id, c.id.in_(portion), c.owner_id.is_distinct_from(owner_id))
            .order_by(c.id)
            .with_for_update(key_share=True)
        )
        if not before:
            continue
        await work.run(
            update(connections)
            .where(c.organization_id == organization_id, c.id.in_([row[0] for row in before]))
            .values(owner_id=owner_id)
        )
        for _, network, client_id, connector_id, former_id, state in before:
            for person_id, by in ((former_id, -1), (owner_id, 1)):
                counted = Counted.of(
                    organization_id=organization_id,
                    network=network,
                    client_id=client_id,
                    connector_id=connector_id,
                    owner_id=person_id,
                    state=state,
                )
                work.count(counted, by)
        changed += len(before)
    return changed
