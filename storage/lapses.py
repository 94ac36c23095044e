"""Lapses: episodes in which a connection does not work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from commands.ids import ConnectionId, LapseId, OrganizationId, PersonId
from commands.model import Claim, ConnectionView, Lapse, LapseEnd
from storage.engine import insert
from storage.rows import LAPSE, columns, evidence_values, lapse_of
from storage.tables import OPEN_LAPSE, connections, lapses
from storage.views import view_of, views_from
from storage.work import Work, portions

_LAPSES = select(*columns(lapses, LAPSE)).where(lapses.c.organization_id == bindparam("organization"))
_LAPSE = _LAPSES.where(lapses.c.id == bindparam("lapse"))
_HISTORY = _LAPSES.where(lapses.c.connection_id == bindparam("connection")).order_by(
    lapses.c.opened_at.desc(), lapses.c.id.desc()
)
_LAST_ENDED = (
    _LAPSES.where(lapses.c.connection_id == bindparam("connection"), lapses.c.ended_at.is_not(None))
    .order_by(lapses.c.ended_at.desc(), lapses.c.id.desc())
    .limit(1)
)
_VIEWS = views_from(connections, of_lapse=True).where(lapses.c.id.in_(bindparam("lapses", expanding=True)))


class SqlLapses:
    """Implements `Lapses`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def open(self, lapse: Lapse) -> bool:
        opened = await self._work.row(
            insert(lapses)
            .values(
                id=lapse.id,
                organization_id=lapse.organization_id,
                connection_id=lapse.connection_id,
                authorization_id=lapse.authorization_id,
                cause=lapse.cause.value,
                evidence=evidence_values(lapse.evidence),
                last_good_at=lapse.last_good_at,
                opened_at=lapse.opened_at,
            )
            .on_conflict_do_nothing(index_elements=["connection_id"], index_where=OPEN_LAPSE)
            .returning(lapses.c.id)
        )
        if opened is None:
            return False
        await self._note_on_connection(lapse.organization_id, lapse.connection_id, lapse.opened_at)
        return True

    async def update_cause(self, lapse: Lapse) -> None:
        await self._work.run(
            update(lapses)
            .where(
                lapses.c.organization_id == lapse.organization_id,
                lapses.c.id == lapse.id,
                lapses.c.ended_at.is_(None),
            )
            .values(cause=lapse.cause.value, evidence=evidence_values(lapse.evidence))
        )

    async def end(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        at: datetime,
        how: LapseEnd,
        by: PersonId | None,
    ) -> Lapse | None:
        ended = await self._work.row(
            update(lapses)
            .where(
                lapses.c.organization_id == organization_id,
                lapses.c.connection_id == connection_id,
                lapses.c.ended_at.is_(None),
            )
            .values(ended_at=at, ended_how=how.value, ended_by=by)
            .returning(*columns(lapses, LAPSE))
        )
        if ended is None:
            return None
        await self._note_on_connection(organization_id, connection_id, None)
        return lapse_of(ended)

    async def get(self, organization_id: OrganizationId, lapse_id: LapseId) -> Lapse | None:
        found = await self._work.row(_LAPSE, {"organization": organization_id, "lapse": lapse_id})
        return None if found is None else lapse_of(found)

    async def views(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[ConnectionView]:
        found: dict[LapseId, ConnectionView] = {}
        now = self._work.clock.now()
        for portion in portions(lapse_ids):
            values: dict[str, Any] = {"organization": organization_id, "now": now, "lapses": list(portion)}
            for row in await self._work.rows(_VIEWS, values):
                view = view_of(row)
                if view.lapse is not None:
                    found[view.lapse.id] = view
        return [found[lapse_id] for lapse_id in lapse_ids if lapse_id in found]

    async def history(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, limit: int
    ) -> Sequence[Lapse]:
        values = {"organization": organization_id, "connection": connection_id}
        return [lapse_of(row) for row in await self._work.rows(_HISTORY.limit(limit), values)]

    async def claim(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], claim: Claim | None
    ) -> Sequence[LapseId]:
        person_id = None if claim is None else claim.person_id
        until = None if claim is None else claim.until
        changed: list[LapseId] = []
        for portion in portions(lapse_ids):
            rows = await self._work.rows(
                update(lapses)
                .where(
                    lapses.c.organization_id == organization_id,
                    lapses.c.id.in_(portion),
                    lapses.c.ended_at.is_(None),
                    or_(
                        lapses.c.claim_person_id.is_distinct_from(person_id),
                        lapses.c.claim_until.is_distinct_from(until),
                    ),
                )
                .values(claim_person_id=person_id, claim_until=until)
                .returning(lapses.c.id)
            )
            changed += [row[0] for row in rows]
        wanted = set(changed)
        return [lapse_id for lapse_id in lapse_ids if lapse_id in wanted]

    async def last_ended(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Lapse | None:
        found = await self._work.row(_LAST_ENDED, {"organization": organization_id, "connection": connection_id})
        return None if found is None else lapse_of(found)

    async def _note_on_connection(
        self, organization_id: OrganizationId, connection_id: ConnectionId, since: datetime | None
    ) -> None:
        """Keep the list's order on the connection, so that a page is read from one index."""
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(lapsed_since=since)
        )
