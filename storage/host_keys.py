"""Keys of the API, of which only the hash of the secret is stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from commands.ids import ApiKeyId, OrganizationId
from commands.ports.hosting import ApiKey
from storage.engine import insert
from storage.rows import columns
from storage.tables import api_keys
from storage.work import Work

API_KEY = ("id", "organization_id", "name", "created_at", "expires_at", "last_used_at", "revoked_at")
_ALL = (
    select(*columns(api_keys, API_KEY))
    .where(api_keys.c.organization_id == bindparam("organization"))
    .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
)


class SqlApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, key: ApiKey, *, secret_hash: bytes) -> None:
        await self._work.run(
            insert(api_keys),
            {
                "id": key.id,
                "organization_id": key.organization_id,
                "name": key.name,
                "secret_hash": secret_hash,
                "created_at": key.created_at,
                "expires_at": key.expires_at,
            },
        )

    async def all(self, organization_id: OrganizationId) -> Sequence[ApiKey]:
        return [api_key_of(row) for row in await self._work.rows(_ALL, {"organization": organization_id})]

    async def revoke(self, organization_id: OrganizationId, key_id: ApiKeyId, at: datetime) -> bool:
        revoked = await self._work.row(
            update(api_keys)
            .where(
                api_keys.c.organization_id == organization_id, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)
            )
            .values(revoked_at=at)
            .returning(api_keys.c.id)
        )
        return revoked is not None


def api_key_of(values: Sequence[Any]) -> ApiKey:
    row_id, organization_id, name, created_at, expires_at, last_used_at, revoked_at = values
    return ApiKey(
        id=ApiKeyId(row_id),
        organization_id=OrganizationId(organization_id),
        name=name,
        created_at=created_at,
        expires_at=expires_at,
        last_used_at=last_used_at,
        revoked_at=revoked_at,
    )
