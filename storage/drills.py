"""Fire drills, and who answered them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from commands.ids import DrillId, OrganizationId, PersonId
from commands.model import Drill
from storage.engine import insert
from storage.rows import columns
from storage.tables import UNREPORTED, drill_answers, drills
from storage.work import Work

DRILL = ("id", "organization_id", "client_id", "started_by", "started_at", "ends_at", "reported_at")
_DRILLS = select(*columns(drills, DRILL)).where(drills.c.organization_id == bindparam("organization"))
_DRILL = _DRILLS.where(drills.c.id == bindparam("drill"))
_LATEST = _DRILLS.order_by(drills.c.started_at.desc(), drills.c.id.desc()).limit(1)
_ANSWERS = (
    select(drill_answers.c.person_id, drill_answers.c.at)
    .where(drill_answers.c.organization_id == bindparam("organization"), drill_answers.c.drill_id == bindparam("drill"))
    .order_by(drill_answers.c.at, drill_answers.c.person_id)
)


class SqlDrills:
    """Implements `Drills`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, drill: Drill) -> bool:
        added = await self._work.row(
            insert(drills)
            .values({name: getattr(drill, name) for name in DRILL})
            .on_conflict_do_nothing(index_elements=["organization_id"], index_where=UNREPORTED)
            .returning(drills.c.id)
        )
        return added is not None

    async def get(self, organization_id: OrganizationId, drill_id: DrillId) -> Drill | None:
        found = await self._work.row(_DRILL, {"organization": organization_id, "drill": drill_id})
        return None if found is None else drill_of(found)

    async def latest(self, organization_id: OrganizationId) -> Drill | None:
        found = await self._work.row(_LATEST, {"organization": organization_id})
        return None if found is None else drill_of(found)

    async def answer(
        self, organization_id: OrganizationId, drill_id: DrillId, person_id: PersonId, at: datetime
    ) -> bool:
        added = await self._work.row(
            insert(drill_answers)
            .values(organization_id=organization_id, drill_id=drill_id, person_id=person_id, at=at)
            .on_conflict_do_nothing(index_elements=["drill_id", "person_id"])
            .returning(drill_answers.c.person_id)
        )
        return added is not None

    async def answers(self, organization_id: OrganizationId, drill_id: DrillId) -> dict[PersonId, datetime]:
        values = {"organization": organization_id, "drill": drill_id}
        return {PersonId(row[0]): row[1] for row in await self._work.rows(_ANSWERS, values)}

    async def reported(self, organization_id: OrganizationId, drill_id: DrillId, at: datetime) -> bool:
        closed = await self._work.row(
            update(drills)
            .where(drills.c.organization_id == organization_id, drills.c.id == drill_id, drills.c.reported_at.is_(None))
            .values(reported_at=at)
            .returning(drills.c.id)
        )
        return closed is not None


def drill_of(values: Sequence[Any]) -> Drill:
    row_id, organization_id, client_id, started_by, started_at, ends_at, reported_at = values
    return Drill(
        id=DrillId(row_id),
        organization_id=OrganizationId(organization_id),
        client_id=client_id,
        started_by=PersonId(started_by),
        started_at=started_at,
        ends_at=ends_at,
        reported_at=reported_at,
    )
