"""What the host product reported: each report once, states by their time, gaps that are filled."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update

from commands.ids import ConnectionId, LapseId, OrganizationId
from commands.ports.hosting import GapFilled
from storage.engine import insert
from storage.tables import gap_fills, host_reports, host_states
from storage.work import Work, portions

_insert_state = insert(host_states)
# The row that is written, or found to be later, stays locked until the transaction ends.
_ADVANCE = _insert_state.on_conflict_do_update(
    index_elements=["connection_id"],
    set_={"at": _insert_state.excluded.at},
    where=(host_states.c.at <= _insert_state.excluded.at)
    & (host_states.c.organization_id == _insert_state.excluded.organization_id),
).returning(host_states.c.connection_id)


class SqlHostReports:
    """Implements `HostReports`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def begin(self, organization_id: OrganizationId, event_id: str, at: datetime) -> str | None:
        added = await self._work.row(
            insert(host_reports)
            .values(organization_id=organization_id, event_id=event_id, received_at=at, outcome="")
            .on_conflict_do_nothing()
            .returning(host_reports.c.event_id)
        )
        if added is not None:
            return None
        found = await self._work.row(
            select(host_reports.c.outcome).where(
                host_reports.c.organization_id == organization_id, host_reports.c.event_id == event_id
            )
        )
        return "" if found is None else str(found[0])

    async def finish(self, organization_id: OrganizationId, event_id: str, outcome: str) -> None:
        await self._work.run(
            update(host_reports)
            .where(host_reports.c.organization_id == organization_id, host_reports.c.event_id == event_id)
            .values(outcome=outcome)
        )

    async def advance(self, organization_id: OrganizationId, connection_id: ConnectionId, at: datetime) -> bool:
        values = {"organization_id": organization_id, "connection_id": connection_id, "at": at}
        return bool(await self._work.rows(_ADVANCE, [values]))

    async def fill(self, filled: GapFilled) -> bool:
        added = await self._work.row(
            insert(gap_fills)
            .values(organization_id=filled.organization_id, lapse_id=filled.lapse_id, at=filled.at, note=filled.note)
            .on_conflict_do_nothing(index_elements=["lapse_id"])
            .returning(gap_fills.c.lapse_id)
        )
        return added is not None

    async def filled(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[LapseId, GapFilled]:
        found: dict[LapseId, GapFilled] = {}
        for portion in portions(lapse_ids):
            rows = await self._work.rows(
                select(gap_fills.c.lapse_id, gap_fills.c.at, gap_fills.c.note).where(
                    gap_fills.c.organization_id == organization_id, gap_fills.c.lapse_id.in_(portion)
                )
            )
            for row in rows:
                lapse_id = LapseId(row[0])
                found[lapse_id] = GapFilled(lapse_id=lapse_id, organization_id=organization_id, at=row[1], note=row[2])
        return found
