"""Connections whose name or account begins with some letters, while somebody types."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select, union_all
from sqlalchemy.sql import ColumnElement

from commands.ids import OrganizationId
from commands.model import Connection, Scope
from storage.rows import CONNECTION, columns, connection_of, folded
from storage.tables import connections
from storage.views import ScopeShape, scope_values, within_scope
from storage.work import Work

_LAST = "\U0010ffff"  # no character's number is higher: what lies below a beginning and it, begins so


async def suggest(
    work: Work, organization_id: OrganizationId, scope: Scope, beginning: str, *, limit: int
) -> Sequence[Connection]:
    """Implements `Connections.suggest`: two ranges of indexes, of which no more is read than may be shown."""
    name, account = folded(beginning), beginning.strip()
    found = await work.rows(
        _statement(ScopeShape.of(scope)),
        {
            **scope_values(scope),
            "organization": organization_id,
            "name": name,
            "after_name": name + _LAST,
            "account": account,
            "after_account": account + _LAST,
            "limit": limit,
        },
    )
    return [connection_of(row) for row in found]


@cache
def _statement(shape: ScopeShape) -> Select[Any]:
    limit = bindparam("limit", type_=Integer())
    scope = within_scope(connections, shape)

    def beginning_so(column: ColumnElement[Any], first: str, after: str) -> Select[Any]:
        begins = (
            select(connections.c.id)
            .where(
                connections.c.organization_id == bindparam("organization"),
                column >= bindparam(first, type_=column.type),
                column < bindparam(after, type_=column.type),
                *scope,
            )
            .order_by(column, connections.c.id)
            .limit(limit)
            .subquery(f"by_{first}")
        )
        return select(begins)

    either = union_all(
        beginning_so(connections.c.name_key, "name", "after_name"),
        beginning_so(connections.c.account_id, "account", "after_account"),
    )
    return (
        select(*columns(connections, CONNECTION))
        .where(connections.c.id.in_(either))
        .order_by(connections.c.name_key, connections.c.id)
        .limit(limit)
    )
