"""The list of connections, page by page, in one statement each whose shape is built once."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from typing import Any

from sqlalchemy import FromClause, Integer, Select, bindparam, func, literal_column, or_, select, union_all
from sqlalchemy.sql import ColumnElement

from commands.ids import OrganizationId
from commands.model import NEEDS_CONNECTING, ConnectionState, Filter, Page, Scope
from storage.engine import UtcDateTime
from storage.rows import folded
from storage.tables import NEEDED, OTHERS, authorizations, clients, connections, counters
from storage.views import ORDER, URGENCY, ScopeShape, scope_values, view_of, views_from, within_scope
from storage.work import Work

# One parameter for each state there is, so that the statement's text stays the same however many are asked for.
_STATES = tuple(f"state_{place}" for place in range(len(ConnectionState)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Which conditions a list has: what its statement depends on, apart from values."""

    scope: ScopeShape
    network: bool
    client: bool
    person: bool
    search: bool
    authorization: bool
    expiring: bool
    needed: bool
    """Has states of connections that need connecting."""
    others: bool
    total_known: bool
    """Nothing need be counted."""

    @property
    def counted(self) -> bool:
        """Whether the counters know the total."""
        return not (self.search or self.authorization or self.expiring)


async def page(
    work: Work,
    organization_id: OrganizationId,
    scope: Scope,
    filter: Filter,
    *,
    offset: int,
    limit: int,
    total: int | None = None,
) -> Page:
    """Implements `Connections.page`, in one statement unless `offset` lies past the end."""
    shape = _Shape(
        scope=ScopeShape.of(scope),
        network=filter.network is not None,
        client=filter.client is not None,
        person=filter.person_id is not None,
        search=filter.search is not None,
        authorization=filter.authorization_id is not None,
        expiring=filter.expiring_before is not None,
        needed=bool(set(filter.states) & set(NEEDS_CONNECTING)) or not filter.states,
        others=bool(set(filter.states) - set(NEEDS_CONNECTING)),
        total_known=total is not None,
    )
    values: dict[str, Any] = {
        **scope_values(scope),
        "organization": organization_id,
        "now": work.clock.now(),
        **dict(zip_longest(_STATES, {state.value for state in filter.states}, fillvalue="")),
        "least_urgency": min((URGENCY[state] for state in filter.states), default=0),
        "most_urgency": max((URGENCY[state] for state in filter.states), default=0),
        "offset": offset,
        "limit": limit,
        "reach": offset + limit,
    }
    if total is not None:
        values["total"] = total
    if filter.network is not None:
        values["network"] = filter.network
    if filter.client is not None:
        values["client"] = folded(filter.client)
    if filter.person_id is not None:
        values["person"] = filter.person_id
    if filter.search is not None:
        values["part"], values["account"] = f"%{escaped(folded(filter.search))}%", filter.search.strip()
    if filter.authorization_id is not None:
        values["authorization"] = filter.authorization_id
    if filter.expiring_before is not None:
        values["expiring_before"] = filter.expiring_before
    found = await work.rows(_page_statement(shape), values)
    if not found and offset > 0:
        first = await page(work, organization_id, scope, filter, offset=0, limit=1, total=total)
        return replace(first, rows=(), offset=offset)
    if not found:
        return Page(rows=(), total=0, offset=offset)
    *_, oldest, number = found[0]
    return Page(rows=tuple(view_of(row) for row in found), total=number, offset=offset, oldest=oldest)


def escaped(text: str) -> str:
    """Text for LIKE with the escape `/`."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


@cache
def _page_statement(shape: _Shape) -> Select[Any]:
    # Each partial index gives its rows in order; only what the page can reach is taken from either.
    halves = ([NEEDED] if shape.needed else []) + ([OTHERS] if shape.others else [])
    reach = bindparam("reach", type_=Integer())
    reached = union_all(
        *(
            select(
                select(connections)
                .where(*_conditions(connections, shape), half)
                .order_by(*ORDER)
                .limit(reach)
                .subquery(f"half_{place}")
            )
            for place, half in enumerate(halves)
        )
    ).subquery("reached")
    part = (
        select(reached)
        .order_by(reached.c.urgency, reached.c.lapsed_since, reached.c.name_key, reached.c.id)
        .limit(bindparam("limit", type_=Integer()))
        .offset(bindparam("offset", type_=Integer()))
        .subquery("part")
    )
    # The first that needs connecting is the longest lapse, if any is open.
    oldest = (
        select(connections.c.lapsed_since)
        .where(*_conditions(connections, shape), NEEDED)
        .order_by(*ORDER)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return views_from(part, oldest, _total(shape)).order_by(
        part.c.urgency, part.c.lapsed_since, part.c.name_key, part.c.id
    )


def _total(shape: _Shape) -> ColumnElement[Any]:
    if shape.total_known:
        return bindparam("total", type_=Integer())
    if shape.counted:
        number = func.coalesce(func.sum(counters.c.number), 0)
        return select(number).where(*_conditions(counters, shape)).scalar_subquery()
    return select(func.count()).select_from(connections).where(*_conditions(connections, shape)).scalar_subquery()


def _conditions(rows: FromClause, shape: _Shape) -> list[Any]:
    """The same conditions on connections and, where they are counted, on their counters."""
    conditions: list[Any] = [rows.c.organization_id == bindparam("organization")]
    conditions.append(rows.c.state.in_([bindparam(name) for name in _STATES]))
    if rows is connections:
        # A range, since it keeps the order of an index.
        conditions.append(rows.c.urgency.between(bindparam("least_urgency"), bindparam("most_urgency")))
    conditions += within_scope(rows, shape.scope)
    if shape.network:
        conditions.append(rows.c.network == bindparam("network"))
    if shape.client:
        named = select(clients.c.id).where(
            clients.c.organization_id == bindparam("organization"), clients.c.name_key == bindparam("client")
        )
        conditions.append(rows.c.client_id.in_(named))
    if shape.person:
        conditions.append(or_(rows.c.connector_id == bindparam("person"), rows.c.owner_id == bindparam("person")))
    if shape.search:
        conditions.append(
            or_(rows.c.name_key.like(bindparam("part"), escape="/"), rows.c.account_id == bindparam("account"))
        )
    if shape.authorization:
        conditions.append(rows.c.authorization_id == bindparam("authorization"))
    if shape.expiring:
        ending = select(authorizations.c.id).where(
            authorizations.c.organization_id == bindparam("organization"),
            authorizations.c.ends_at < bindparam("expiring_before", type_=UtcDateTime()),
        )
        conditions.append(rows.c.authorization_id.in_(ending))
    return conditions
