"""Connections: their state with its counters, and the ways to find them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, or_, select, update

from commands.ids import AuthorizationId, ClientId, ConnectionId, OrganizationId, PersonId
from commands.model import Connection, ConnectionState, ConnectionView, Count, Doubt, Filter, Page, Parent, Scope
from commands.ports.connections import Answerable, OwnerCount
from commands.ports.storage import NotThere
from storage.engine import UtcDateTime, insert
from storage.owners import answerable, detach, logins_under, others_under, owners, set_owner, set_parent
from storage.pages import escaped, page
from storage.rows import CONNECTION, columns, connection_of, doubt_values, folded
from storage.suggesting import suggest
from storage.tables import authorizations, clients, connections, counters, outage_news, outages
from storage.views import ORDER, URGENCY, ScopeShape, scope_values, view_of, views_from, within_scope
from storage.work import Counted, Work, portions

_CONNECTION = select(*columns(connections, CONNECTION)).where(
    connections.c.organization_id == bindparam("organization"), connections.c.id == bindparam("connection")
)
# No key of a connection ever changes: whoever writes a row that refers to one need not wait.
_LOCKED = _CONNECTION.with_for_update(key_share=True)
_HELD = (
    select(connections.c.id)
    .where(
        connections.c.organization_id == bindparam("organization"),
        connections.c.id.in_(bindparam("connections", expanding=True)),
    )
    .order_by(connections.c.id)
    .with_for_update(key_share=True)
)
_VIEW = views_from(connections, count_siblings=True).where(connections.c.id == bindparam("connection"))
_VIEWS = views_from(connections).where(connections.c.id.in_(bindparam("connections", expanding=True)))
_UNDER = (
    views_from(connections)
    .where(
        connections.c.authorization_id == bindparam("authorization"),
        connections.c.urgency < URGENCY[ConnectionState.RETIRED],
    )
    .order_by(*ORDER)
)

_COUNTED_STATES = (
    ConnectionState.LAPSED,
    ConnectionState.UNCONNECTED,
    ConnectionState.ACTIVE,
    ConnectionState.RETIRED,
)


class SqlConnections:
    """Implements `Connections`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, connection: Connection) -> bool:
        added = await self._work.row(
            insert(connections)
            .values(
                id=connection.id,
                organization_id=connection.organization_id,
                client_id=connection.client_id,
                network=connection.network,
                account_id=connection.account_id,
                authorization_id=connection.authorization_id,
                connector_id=connection.connector_id,
                owner_id=connection.owner_id,
                last_good_at=connection.last_good_at,
                **_name_values(connection.account_name),
                **_state_values(connection.state),
                **_parent_values(connection.parent),
                **doubt_values(connection.doubt),
            )
            .on_conflict_do_nothing(index_elements=["organization_id", "network", "account_id"])
            .returning(connections.c.id)
        )
        if added is None:
            return False
        self._work.count(_counted(connection), 1)
        return True

    async def get(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Connection:
        return await self._get(_CONNECTION, organization_id, connection_id)

    async def view(self, organization_id: OrganizationId, connection_id: ConnectionId) -> ConnectionView | None:
        found = await self._work.row(_VIEW, {**self._around(organization_id), "connection": connection_id})
        return None if found is None else view_of(found)

    async def views(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]
    ) -> Sequence[ConnectionView]:
        found: dict[ConnectionId, ConnectionView] = {}
        for portion in portions(connection_ids):
            values = {**self._around(organization_id), "connections": list(portion)}
            for row in await self._work.rows(_VIEWS, values):
                view = view_of(row)
                found[view.connection.id] = view
        return [found[connection_id] for connection_id in connection_ids if connection_id in found]

    async def of_accounts(
        self, organization_id: OrganizationId, network: str, account_ids: Sequence[str]
    ) -> Sequence[ConnectionView]:
        ids: list[ConnectionId] = []
        for portion in portions(account_ids):
            found = await self._work.rows(
                select(connections.c.id).where(
                    connections.c.organization_id == organization_id,
                    connections.c.network == network,
                    connections.c.account_id.in_(portion),
                )
            )
            ids += [ConnectionId(row[0]) for row in found]
        return await self.views(organization_id, ids)

    async def under(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId
    ) -> Sequence[ConnectionView]:
        values = {**self._around(organization_id), "authorization": authorization_id}
        return [view_of(row) for row in await self._work.rows(_UNDER, values)]

    async def hold(self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]) -> None:
        for portion in portions(sorted(set(connection_ids))):
            await self._work.rows(_HELD, {"organization": organization_id, "connections": list(portion)})

    async def counts(self, organization_id: OrganizationId, scope: Scope) -> Sequence[Count]:
        await self._work.write_counters()
        statement = _counts_statement(ScopeShape.of(scope))
        found = await self._work.rows(statement, {**self._around(organization_id), **scope_values(scope)})
        return [
            Count(
                network=network,
                client_id=ClientId(client_id),
                client_name=client_name,
                lapsed=lapsed,
                unconnected=unconnected,
                active=active,
                retired=retired,
                failing_since=failing_since,
            )
            for network, client_id, client_name, failing_since, lapsed, unconnected, active, retired in found
        ]

    async def page(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        filter: Filter,
        *,
        offset: int,
        limit: int,
        total: int | None = None,
    ) -> Page:
        await self._work.write_counters()
        return await page(self._work, organization_id, scope, filter, offset=offset, limit=limit, total=total)

    async def next_to_end(self, organization_id: OrganizationId, scope: Scope) -> ConnectionView | None:
        statement = _next_to_end_statement(ScopeShape.of(scope))
        found = await self._work.row(statement, {**self._around(organization_id), **scope_values(scope)})
        return None if found is None else view_of(found)

    async def find(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        words: str,
        *,
        limit: int,
        network: str | None = None,
        client_id: ClientId | None = None,
    ) -> Sequence[ConnectionView]:
        name = folded(words)
        if not name:
            return []
        conditions = [*within_scope(connections, ScopeShape.of(scope))]
        if network is not None:
            conditions.append(connections.c.network == network)
        if client_id is not None:
            conditions.append(connections.c.client_id == client_id)
        exact = or_(connections.c.account_id == words.strip(), connections.c.name_key == name)
        part = connections.c.name_key.like(f"%{escaped(name)}%", escape="/")
        values = {**self._around(organization_id), **scope_values(scope)}
        for matches in (exact, part):
            base = (
                select(connections)
                .where(connections.c.organization_id == bindparam("organization"), matches, *conditions)
                .order_by(connections.c.name_key, connections.c.id)
                .limit(limit)
                .subquery("found")
            )
            found = await self._work.rows(views_from(base).order_by(base.c.name_key, base.c.id), values)
            if found:
                return [view_of(row) for row in found]
        return []

    async def suggest(
        self, organization_id: OrganizationId, scope: Scope, beginning: str, *, limit: int
    ) -> Sequence[Connection]:
        return await suggest(self._work, organization_id, scope, beginning, limit=limit)

    async def answerable(self, organization_id: OrganizationId) -> Sequence[Answerable]:
        await self._work.write_counters()
        return await answerable(self._work, organization_id)

    async def owners(self, organization_id: OrganizationId, scope: Scope) -> Sequence[OwnerCount]:
        await self._work.write_counters()
        return await owners(self._work, organization_id, scope)

    async def others_under(
        self, organization_id: OrganizationId, network: str, parent_ids: Sequence[str], scope: Scope | None = None
    ) -> dict[str, tuple[PersonId, ...]]:
        return await others_under(self._work, organization_id, network, parent_ids, scope or Scope())

    async def logins_under(
        self, organization_id: OrganizationId, network: str, parent_id: str
    ) -> Sequence[AuthorizationId]:
        return await logins_under(self._work, organization_id, network, parent_id)

    async def set_parent(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], parent: Parent
    ) -> None:
        await set_parent(self._work, organization_id, connection_ids, parent)

    async def detach(self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]) -> None:
        await detach(self._work, organization_id, connection_ids)

    async def set_owner(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], owner_id: PersonId
    ) -> int:
        return await set_owner(self._work, organization_id, connection_ids, owner_id)

    async def set_state(
        self, organization_id: OrganizationId, connection_id: ConnectionId, state: ConnectionState
    ) -> bool:
        before = await self._get(_LOCKED, organization_id, connection_id)
        if before.state is state:
            return False
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(_state_values(state))
        )
        self._work.count(_counted(before), -1)
        self._work.count(_counted(before, state=state), 1)
        return True

    async def describe(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, account_name: str, client_id: ClientId
    ) -> bool:
        before = await self._get(_LOCKED, organization_id, connection_id)
        after = replace(before, account_name=account_name, client_id=client_id)
        if after == before:
            return False
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(client_id=client_id, **_name_values(account_name))
        )
        self._work.count(_counted(before), -1)
        self._work.count(_counted(after), 1)
        return True

    async def attach(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        authorization_id: AuthorizationId,
        connector_id: PersonId,
        account_name: str,
        parent: Parent | None,
        good_at: datetime,
    ) -> None:
        before = await self._get(_LOCKED, organization_id, connection_id)
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(
                authorization_id=authorization_id,
                connector_id=connector_id,
                last_good_at=good_at,
                **_name_values(account_name),
                **_state_values(ConnectionState.ACTIVE),
                **_parent_values(parent),
                **doubt_values(None),
            )
        )
        self._work.count(_counted(before), -1)
        self._work.count(_counted(before, state=ConnectionState.ACTIVE, connector_id=connector_id), 1)

    async def record_check(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        good_at: datetime | None,
        doubt: Doubt | None,
    ) -> None:
        changes = doubt_values(doubt)
        if good_at is not None:
            changes["last_good_at"] = good_at
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(changes)
        )

    async def _get(
        self, statement: Select[Any], organization_id: OrganizationId, connection_id: ConnectionId
    ) -> Connection:
        found = await self._work.row(statement, {"organization": organization_id, "connection": connection_id})
        if found is None:
            raise NotThere("there is no such connection in the organization")
        return connection_of(found)

    def _around(self, organization_id: OrganizationId) -> dict[str, Any]:
        return {"organization": organization_id, "now": self._work.clock.now()}


@cache
def _counts_statement(shape: ScopeShape) -> Select[Any]:
    # A row for each network and client, with a column for each state: grouped in the order of the counters' key.
    numbers = [
        func.sum(case((counters.c.state == state.value, counters.c.number), else_=0)).label(state.value)
        for state in _COUNTED_STATES
    ]
    counted = (
        select(counters.c.network, counters.c.client_id, *numbers)
        .where(
            counters.c.organization_id == bindparam("organization"),
            counters.c.number > 0,  # what once was somewhere leaves a counter behind
            *within_scope(counters, shape),
        )
        .group_by(counters.c.network, counters.c.client_id)
        .subquery("counted")
    )
    failing = (
        select(outages.c.network, func.min(outages.c.opened_at).label("since"))
        .join(outage_news, outage_news.c.outage_id == outages.c.id)
        .where(
            outage_news.c.organization_id == bindparam("organization"),
            outages.c.over_at.is_(None),
            outages.c.ended_at.is_(None),
            outages.c.held_until > bindparam("now", type_=UtcDateTime()),
        )
        .group_by(outages.c.network)
        .subquery("failing")
    )
    return (
        select(
            counted.c.network,
            counted.c.client_id,
            clients.c.name,
            failing.c.since,
            *(counted.c[state.value] for state in _COUNTED_STATES),
        )
        .join(clients, clients.c.id == counted.c.client_id)
        .outerjoin(failing, failing.c.network == counted.c.network)
        .order_by(counted.c.network, clients.c.name)
    )


@cache
def _next_to_end_statement(shape: ScopeShape) -> Select[Any]:
    # Walks the index of ending authorizations until one has an active connection that may be seen.
    first = (
        select(connections, authorizations.c.ends_at)
        .select_from(authorizations.join(connections, connections.c.authorization_id == authorizations.c.id))
        .where(
            authorizations.c.organization_id == bindparam("organization"),
            # What ended was lapsed or is about to be: it would be walked past, one by one, for ever.
            authorizations.c.ends_at > bindparam("now", type_=UtcDateTime()),
            connections.c.urgency == URGENCY[ConnectionState.ACTIVE],
            *within_scope(connections, shape),
        )
        .order_by(authorizations.c.ends_at, authorizations.c.id, connections.c.name_key, connections.c.id)
        .limit(1)
        .subquery("first")
    )
    return views_from(first)


def _counted(
    connection: Connection, *, state: ConnectionState | None = None, connector_id: PersonId | None = None
) -> Counted:
    return Counted.of(
        organization_id=connection.organization_id,
        network=connection.network,
        client_id=connection.client_id,
        connector_id=connector_id or connection.connector_id,
        owner_id=connection.owner_id,
        state=(state or connection.state).value,
    )


def _name_values(name: str) -> dict[str, Any]:
    return {"account_name": name, "name_key": folded(name)}


def _state_values(state: ConnectionState) -> dict[str, Any]:
    return {"state": state.value, "urgency": URGENCY[state]}


def _parent_values(parent: Parent | None) -> dict[str, Any]:
    return {
        "parent_id": None if parent is None else parent.id,
        "parent_name": None if parent is None else parent.name,
    }
