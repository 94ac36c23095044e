"""Parent profiles: who owns the logins that authorize accounts."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from commands.ids import OrganizationId, PersonId
from storage.engine import insert
from storage.tables import parent_profiles
from storage.work import Work, portions

_OWNERS = select(parent_profiles.c.subject_id, parent_profiles.c.owner_id).where(
    parent_profiles.c.organization_id == bindparam("organization"),
    parent_profiles.c.network == bindparam("network"),
    parent_profiles.c.subject_id.in_(bindparam("subjects", expanding=True)),
)
_insert = insert(parent_profiles)
_GIVE = _insert.on_conflict_do_update(
    index_elements=["organization_id", "network", "subject_id"], set_={"owner_id": _insert.excluded.owner_id}
)


class SqlParents:
    """Implements `Parents`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def owners(
        self, organization_id: OrganizationId, network: str, subject_ids: Sequence[str]
    ) -> dict[str, PersonId]:
        found: dict[str, PersonId] = {}
        for portion in portions(sorted(set(subject_ids))):
            values = {"organization": organization_id, "network": network, "subjects": list(portion)}
            found |= {subject: PersonId(owner) for subject, owner in await self._work.rows(_OWNERS, values)}
        return found

    async def give(
        self, organization_id: OrganizationId, network: str, subject_ids: Sequence[str], owner_id: PersonId
    ) -> None:
        values = [
            {"organization_id": organization_id, "network": network, "subject_id": subject, "owner_id": owner_id}
            for subject in sorted(set(subject_ids))
        ]
        if values:
            await self._work.run(_GIVE, values)
