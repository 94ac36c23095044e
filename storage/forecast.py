"""Logins by the time at which they end, from the index of ending authorizations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select

from commands.ids import AuthorizationId, ConnectionId, OrganizationId, PersonId
from commands.model import ConnectionState, Scope
from commands.ports.forecasting import EndingLogin
from storage.tables import authorizations, clients, connections, people
from storage.views import URGENCY, ScopeShape, scope_values, within_scope
from storage.work import Work

_LOGIN = ("id", "network", "subject_name", "connector_id", "ends_at", "obtained_at", "generation")


class SqlForecasts:
    """Implements `Forecasts`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def ending(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        *,
        after: datetime,
        before: datetime,
        person_id: PersonId | None = None,
        network: str | None = None,
        limit: int,
    ) -> Sequence[EndingLogin]:
        hanging = [
            connections.c.authorization_id == authorizations.c.id,
            connections.c.urgency == URGENCY[ConnectionState.ACTIVE],
            *within_scope(connections, ScopeShape.of(scope)),
        ]
        if person_id is not None:
            hanging.append(or_(connections.c.connector_id == person_id, connections.c.owner_id == person_id))
        of_network = [] if network is None else [authorizations.c.network == network]
        values = scope_values(scope)
        logins = await self._work.rows(
            select(*(authorizations.c[name] for name in _LOGIN), people.c.name, people.c.left_at)
            .select_from(authorizations.join(people, people.c.id == authorizations.c.connector_id))
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.ends_at > after,
                authorizations.c.ends_at <= before,
                *of_network,
                exists().where(*hanging),
            )
            .order_by(authorizations.c.ends_at, authorizations.c.id)
            .limit(limit),
            values,
        )
        if not logins:
            return []
        accounts = await self._work.rows(
            select(connections.c.authorization_id, clients.c.name, func.count())
            .select_from(
                connections.join(clients, clients.c.id == connections.c.client_id).join(
                    authorizations, authorizations.c.id == connections.c.authorization_id
                )
            )
            .where(authorizations.c.id.in_([row[0] for row in logins]), *hanging)
            .group_by(connections.c.authorization_id, clients.c.name)
            .order_by(clients.c.name),
            values,
        )
        named = await self._named(logins, hanging, values)
        return [_ending(row, accounts, named) for row in logins if row[0] in named]

    async def _named(
        self, logins: Sequence[Sequence[Any]], hanging: Sequence[Any], values: dict[str, Any]
    ) -> dict[Any, ConnectionId]:
        """One account of each, the first by id."""
        place = (
            func.row_number().over(partition_by=connections.c.authorization_id, order_by=connections.c.id).label("at")
        )
        first = (
            select(connections.c.authorization_id, connections.c.id, place)
            .select_from(connections.join(authorizations, authorizations.c.id == connections.c.authorization_id))
            .where(authorizations.c.id.in_([row[0] for row in logins]), *hanging)
            .subquery()
        )
        rows = await self._work.rows(select(first.c.authorization_id, first.c.id).where(first.c.at == 1), values)
        return {authorization_id: ConnectionId(connection_id) for authorization_id, connection_id in rows}


def _ending(row: Sequence[Any], accounts: Sequence[Sequence[Any]], named: dict[Any, ConnectionId]) -> EndingLogin:
    authorization_id, network, subject, connector_id, ends_at, obtained_at, generation, connector, left_at = row
    own = [each for each in accounts if each[0] == authorization_id]
    return EndingLogin(
        authorization_id=AuthorizationId(authorization_id),
        network=network,
        subject_name=subject,
        connector_id=PersonId(connector_id),
        connector_name=connector,
        connector_left=left_at is not None,
        ends_at=ends_at,
        obtained_at=obtained_at,
        generation=generation,
        connection_id=named[authorization_id],
        accounts=sum(number for _, _, number in own),
        clients=tuple(client for _, client, _ in own),
    )
