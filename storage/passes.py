"""Passes: bearer links, of which only the hash of the secret is stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.sql import ColumnElement

from commands.ids import OrganizationId, PassId, PersonId
from commands.ports.reconnecting import Pass, PassPurpose
from storage.engine import UtcDateTime, insert
from storage.rows import columns
from storage.tables import passes
from storage.work import Work

PASS = (
    "id", "organization_id", "person_id", "purpose", "made_by", "created_at", "expires_at", "data", "opened_at",
    "used_at", "withdrawn_at",
)  # fmt: skip

_OF = (
    select(*columns(passes, PASS))
    .where(
        passes.c.organization_id == bindparam("organization"),
        passes.c.person_id == bindparam("person"),
        passes.c.purpose == bindparam("purpose"),
        passes.c.expires_at > bindparam("now", type_=UtcDateTime()),
    )
    .order_by(passes.c.created_at.desc(), passes.c.id.desc())
)


class SqlPasses:
    """Implements `Passes`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, one: Pass, *, secret_hash: bytes) -> None:
        await self._work.run(
            insert(passes),
            {
                "id": one.id,
                "organization_id": one.organization_id,
                "person_id": one.person_id,
                "purpose": one.purpose.value,
                "made_by": one.made_by,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "data": dict(one.data),
                "opened_at": one.opened_at,
                "used_at": one.used_at,
                "withdrawn_at": one.withdrawn_at,
                "secret_hash": secret_hash,
            },
        )

    async def of(self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose) -> Sequence[Pass]:
        values = {
            "organization": organization_id,
            "person": person_id,
            "purpose": purpose.value,
            "now": self._work.clock.now(),
        }
        return [pass_of(row) for row in await self._work.rows(_OF, values)]

    async def opened(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> None:
        await self._change(organization_id, pass_id, passes.c.opened_at.is_(None), changes={"opened_at": at})

    async def bind(self, organization_id: OrganizationId, pass_id: PassId, *, browser_hash: bytes) -> bool:
        free_or_this = or_(passes.c.browser_hash.is_(None), passes.c.browser_hash == browser_hash)
        return await self._change(organization_id, pass_id, free_or_this, changes={"browser_hash": browser_hash})

    async def use(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> bool:
        return await self._change(organization_id, pass_id, *_good(at), changes={"used_at": at})

    async def withdraw(
        self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose | None, at: datetime
    ) -> int:
        for_this: list[ColumnElement[bool]] = [] if purpose is None else [passes.c.purpose == purpose.value]
        withdrawn = await self._work.rows(
            update(passes)
            .where(passes.c.organization_id == organization_id, passes.c.person_id == person_id, *for_this, *_good(at))
            .values(withdrawn_at=at)
            .returning(passes.c.id)
        )
        return len(withdrawn)

    async def withdraw_handed_out(
        self,
        organization_id: OrganizationId,
        *,
        made_by: PersonId | None = None,
        person_id: PersonId | None = None,
    ) -> int:
        at = self._work.clock.now()
        of_these = passes.c.made_by.is_not(None) if made_by is None else passes.c.made_by == made_by
        for_these = [] if person_id is None else [passes.c.person_id == person_id]
        withdrawn = await self._work.rows(
            update(passes)
            .where(passes.c.organization_id == organization_id, of_these, *for_these, *_good(at))
            .values(withdrawn_at=at)
            .returning(passes.c.id)
        )
        return len(withdrawn)

    async def _change(
        self,
        organization_id: OrganizationId,
        pass_id: PassId,
        *conditions: ColumnElement[bool],
        changes: dict[str, Any],
    ) -> bool:
        changed = await self._work.row(
            update(passes)
            .where(passes.c.organization_id == organization_id, passes.c.id == pass_id, *conditions)
            .values(changes)
            .returning(passes.c.id)
        )
        return changed is not None


def _good(at: datetime) -> list[ColumnElement[bool]]:
    """That a pass still does what it is for."""
    return [passes.c.used_at.is_(None), passes.c.withdrawn_at.is_(None), passes.c.expires_at > at]


def pass_of(values: Sequence[Any]) -> Pass:
    (
        row_id, organization_id, person_id, purpose, made_by, created_at, expires_at, data, opened_at,
        used_at, withdrawn_at,
    ) = values  # fmt: skip
    return Pass(
        id=PassId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        purpose=PassPurpose(purpose),
        made_by=made_by,
        created_at=created_at,
        expires_at=expires_at,
        data=data,
        opened_at=opened_at,
        used_at=used_at,
        withdrawn_at=withdrawn_at,
    )
