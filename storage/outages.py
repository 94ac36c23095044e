"""Networks' own outages, which are of no organization, and what each organization was told of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, or_, select, update

from commands.ids import ClientId, OrganizationId, OutageId, PersonId
from commands.model import ConnectionState
from commands.ports.notices import DeliveryState, NoticeKind
from commands.ports.outages import Concerned, Outage, Share
from storage import redrawing
from storage.directory import Transactions
from storage.engine import UtcDateTime, insert
from storage.rows import columns
from storage.tables import (
    FAILING,
    NOBODY,
    authorizations,
    connections,
    counters,
    deliveries,
    notices,
    outage_news,
    outages,
)
from storage.views import URGENCY
from storage.work import Work, in_order, portions

OUTAGE = (
    "id", "network", "region", "since", "opened_at", "held_until", "checked", "failing", "sampled_at", "turn_at",
    "turns", "ended_at", "over_at",
)  # fmt: skip
_OUTAGES = select(*columns(outages, OUTAGE))
_STANDING = _OUTAGES.where(outages.c.over_at.is_(None)).order_by(outages.c.opened_at, outages.c.id)
_TOLD = _OUTAGES.join(outage_news, outage_news.c.outage_id == outages.c.id).where(
    outage_news.c.organization_id == bindparam("organization")
)
_TO_END = (
    select(outage_news.c.organization_id, *columns(outages, OUTAGE))
    .join(outages, outages.c.id == outage_news.c.outage_id)
    .where(outage_news.c.ended_at.is_(None), outages.c.over_at.is_not(None))
    .order_by(outages.c.over_at, outage_news.c.organization_id)
    .limit(bindparam("limit", type_=Integer()))
)
_FAILING_IN = (
    authorizations.c.network == bindparam("network"),
    FAILING,
    authorizations.c.checked_at >= bindparam("since", type_=UtcDateTime()),
)
_CONCERNED = (
    select(authorizations.c.organization_id, func.count())
    .where(*_FAILING_IN)
    .group_by(authorizations.c.organization_id)
    .order_by(authorizations.c.organization_id)
)
_WHO = ("client_id", "connector_id", "owner_id")
_ON_NETWORK = (
    select(*columns(counters, _WHO), func.sum(counters.c.number))
    .where(
        counters.c.organization_id == bindparam("organization"),
        counters.c.network == bindparam("network"),
        counters.c.state != ConnectionState.RETIRED.value,
    )
    .group_by(*columns(counters, _WHO))
)
_FAILING = (
    select(*columns(connections, _WHO), func.count(), func.min(connections.c.account_id))
    .select_from(authorizations)
    .join(
        connections,
        and_(
            connections.c.authorization_id == authorizations.c.id,
            connections.c.urgency == URGENCY[ConnectionState.ACTIVE],
        ),
    )
    .where(authorizations.c.organization_id == bindparam("organization"), *_FAILING_IN)
    .group_by(*columns(connections, _WHO))
)
_LAPSED = (
    select(*columns(connections, _WHO), func.count())
    .where(
        connections.c.organization_id == bindparam("organization"),
        connections.c.urgency == URGENCY[ConnectionState.LAPSED],
        connections.c.lapsed_since >= bindparam("opened", type_=UtcDateTime()),
        connections.c.network == bindparam("network"),
    )
    .group_by(*columns(connections, _WHO))
)


class SqlOutages:
    """Implements `Outages`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def standing(self) -> Sequence[Outage]:
        async with self._transactions.reading_work() as work:
            return [outage_of(row) for row in await work.rows(_STANDING)]

    async def open(self, outage: Outage) -> bool:
        values = {name: getattr(outage, name) for name in OUTAGE}
        statement = insert(outages).values(values).on_conflict_do_nothing().returning(outages.c.id)
        async with self._transactions.writing_work() as work:
            return await work.row(statement) is not None

    async def take_turn(self, outage_id: OutageId, *, turns: int, at: datetime, next_at: datetime) -> bool:
        return await self._change(outage_id, outages.c.turns == turns, turns=turns + 1, sampled_at=at, turn_at=next_at)

    async def recover(self, outage_id: OutageId, at: datetime) -> bool:
        return await self._change(outage_id, outages.c.ended_at.is_(None), ended_at=at, turns=0, turn_at=at)

    async def relapse(self, outage_id: OutageId, at: datetime) -> bool:
        return await self._change(
            outage_id, outages.c.ended_at.is_not(None), ended_at=None, turns=0, sampled_at=at, turn_at=at
        )

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        return await self._change(outage_id, outages.c.ended_at.is_not(None), over_at=at)

    async def concerned(self, outage: Outage) -> Sequence[Concerned]:
        statement, values = _in_region(_CONCERNED, outage)
        async with self._transactions.reading_work() as work:
            rows = await work.rows(statement, values)
        return [Concerned(organization_id=OrganizationId(row[0]), failing=row[1]) for row in rows]

    async def to_end(self, *, limit: int) -> Sequence[tuple[OrganizationId, Outage]]:
        async with self._transactions.reading_work() as work:
            rows = await work.rows(_TO_END, {"limit": limit})
        return [(OrganizationId(row[0]), outage_of(row[1:])) for row in rows]

    async def _change(self, outage_id: OutageId, was: ColumnElement[bool], **values: object) -> bool:
        statement = (
            update(outages)
            .where(outages.c.id == outage_id, outages.c.over_at.is_(None), was)
            .values(values)
            .returning(outages.c.id)
        )
        async with self._transactions.writing_work() as work:
            return await work.row(statement) is not None


class SqlOutageNews:
    """Implements `OutageNews`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def tell(
        self, organization_id: OrganizationId, outage_id: OutageId, *, failing: int, now: datetime, apart: timedelta
    ) -> bool:
        added = await self._work.row(
            insert(outage_news)
            .values(organization_id=organization_id, outage_id=outage_id, failing=failing, told_at=now)
            .on_conflict_do_nothing(index_elements=["organization_id", "outage_id"])
            .returning(outage_news.c.outage_id)
        )
        if added is not None:
            return True
        held_until = select(outages.c.held_until).where(outages.c.id == outage_id).scalar_subquery()
        told = await self._work.row(
            update(outage_news)
            .where(
                outage_news.c.organization_id == organization_id,
                outage_news.c.outage_id == outage_id,
                or_(
                    and_(outage_news.c.failing != failing, outage_news.c.told_at <= now - apart),
                    and_(outage_news.c.told_at < held_until, held_until <= now),
                ),
            )
            .values(failing=failing, told_at=now)
            .returning(outage_news.c.outage_id)
        )
        return told is not None

    async def end(self, organization_id: OrganizationId, outage_id: OutageId, now: datetime) -> bool:
        ended = await self._work.row(
            update(outage_news)
            .where(
                outage_news.c.organization_id == organization_id,
                outage_news.c.outage_id == outage_id,
                outage_news.c.ended_at.is_(None),
            )
            .values(ended_at=now)
            .returning(outage_news.c.outage_id)
        )
        return ended is not None

    async def get_many(
        self, organization_id: OrganizationId, outage_ids: Sequence[OutageId]
    ) -> Mapping[OutageId, Outage]:
        found: dict[OutageId, Outage] = {}
        for portion in portions(outage_ids):
            statement = _TOLD.where(outages.c.id.in_(portion))
            for row in await self._work.rows(statement, {"organization": organization_id}):
                outage = outage_of(row)
                found[outage.id] = outage
        return found

    async def standing(self, organization_id: OrganizationId) -> Sequence[Outage]:
        statement = _TOLD.where(outages.c.over_at.is_(None)).order_by(outages.c.opened_at, outages.c.id)
        return [outage_of(row) for row in await self._work.rows(statement, {"organization": organization_id})]

    async def shares(self, organization_id: OrganizationId, outage_id: OutageId) -> Sequence[Share]:
        outage = (await self.get_many(organization_id, [outage_id])).get(outage_id)
        if outage is None:
            return []
        own = {"organization": organization_id, "network": outage.network}
        totals = {_who(row): row[3] for row in await self._work.rows(_ON_NETWORK, own)}
        statement, values = _in_region(_FAILING, outage)
        failing = {_who(row): row[3:] for row in await self._work.rows(statement, {**own, **values})}
        lapsed: dict[_Who, int] = {}
        if outage.ended_at is not None:
            rows = await self._work.rows(_LAPSED, {**own, "opened": outage.opened_at})
            lapsed = {_who(row): row[3] for row in rows}
        return [
            Share(
                client_id=ClientId(who[0]),
                connector_id=None if who[1] is None else PersonId(who[1]),
                owner_id=None if who[2] is None else PersonId(who[2]),
                total=total,
                failing=failing[who][0] if who in failing else 0,
                lapsed=lapsed.get(who, 0),
                example=failing[who][1] if who in failing else "",
            )
            for who, total in totals.items()
            if total
        ]

    async def redraw(self, organization_id: OrganizationId, outage_id: OutageId, at: datetime) -> int:
        outage = (await self.get_many(organization_id, [outage_id])).get(outage_id)
        if outage is None:
            return 0
        return await redrawing.redraw_outage(self._work, organization_id, outage_id, since=outage.opened_at, at=at)

    async def revive(self, organization_id: OrganizationId, *, reason: str, since: datetime, at: datetime) -> int:
        rows = await self._work.rows(
            update(deliveries)
            .where(
                in_order(
                    deliveries,
                    deliveries.c.organization_id == organization_id,
                    deliveries.c.notice_id.in_(
                        select(notices.c.id).where(
                            notices.c.organization_id == organization_id,
                            notices.c.created_at >= since,
                            notices.c.kind == NoticeKind.LAPSED.value,
                        )
                    ),
                    deliveries.c.state == DeliveryState.SUPPRESSED.value,
                    deliveries.c.reason == reason,
                )
            )
            .values(state=DeliveryState.DUE.value, reason="", next_at=at, turn_at=at)
            .returning(deliveries.c.id)
        )
        return len(rows)


_Who = tuple[UUID, UUID | None, UUID | None]


def _who(row: Sequence[Any]) -> _Who:
    """Client, connector and owner; counters have NOBODY where a connection has none."""
    client, connector, owner = row[:3]
    return client, None if connector == NOBODY else connector, None if owner == NOBODY else owner


def _in_region(statement: Select[Any], outage: Outage) -> tuple[Select[Any], dict[str, Any]]:
    values = {"network": outage.network, "since": outage.since}
    if not outage.region:
        return statement, values
    return statement.where(authorizations.c.region == bindparam("region")), {**values, "region": outage.region}


def outage_of(values: Sequence[Any]) -> Outage:
    """Read a row of `OUTAGE`."""
    (
        row_id, network, region, since, opened_at, held_until, checked, failing, sampled_at, turn_at, turns, ended_at,
        over_at,
    ) = values  # fmt: skip
    return Outage(
        id=OutageId(row_id),
        network=network,
        region=region,
        since=since,
        opened_at=opened_at,
        held_until=held_until,
        checked=checked,
        failing=failing,
        sampled_at=sampled_at,
        turn_at=turn_at,
        turns=turns,
        ended_at=ended_at,
        over_at=over_at,
    )
