"""Browser sessions and sign-ins under way. They belong to no organization."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from commands.ids import SessionId, WorkspaceId, new_id
from commands.ports.reconnecting import PendingSignIn, Session
from commands.secret import Secret
from storage.engine import UtcDateTime, insert
from storage.rows import columns
from storage.secrets import Cell
from storage.tables import NOBODY, sessions, sign_ins
from storage.work import Work

_SESSION = ("id", "platform", "tenant", "user_id", "name", "email", "created_at", "expires_at")
_PENDING = ("id", "platform", "nonce", "redirect_uri", "workspace_id", "locator", "expires_at")
_NOW = bindparam("now", type_=UtcDateTime())

_BY_SECRET = select(*columns(sessions, _SESSION)).where(
    sessions.c.secret_hash == bindparam("secret"), sessions.c.expires_at > _NOW
)
_FINISH = (
    update(sign_ins)
    .where(
        sign_ins.c.state_hash == bindparam("state"),
        sign_ins.c.browser_hash == bindparam("browser"),
        sign_ins.c.used_at.is_(None),
        sign_ins.c.expires_at > _NOW,
    )
    .values(used_at=_NOW)
    .returning(*columns(sign_ins, _PENDING))
)


class SqlSessions:
    """Implements `Sessions`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, session: Session, *, secret_hash: bytes) -> None:
        await self._work.run(
            insert(sessions),
            {
                "id": session.id,
                "secret_hash": secret_hash,
                "platform": session.platform,
                "tenant": session.tenant,
                "user_id": session.user,
                "name": session.name,
                "email": session.email,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
            },
        )

    async def by_secret(self, secret_hash: bytes, now: datetime) -> Session | None:
        found = await self._work.row(_BY_SECRET, {"secret": secret_hash, "now": now})
        return None if found is None else _session_of(found)

    async def end(self, session_id: SessionId) -> None:
        await self._work.run(delete(sessions).where(sessions.c.id == session_id))

    async def begin_sign_in(self, pending: PendingSignIn, *, state_hash: bytes, browser_hash: bytes) -> None:
        row_id = new_id(self._work.clock.now())
        encrypt = self._work.keyring.encrypt
        await self._work.run(
            insert(sign_ins),
            {
                "id": row_id,
                "state_hash": state_hash,
                "browser_hash": browser_hash,
                "platform": pending.platform,
                "nonce": encrypt(Secret(pending.nonce), _cell(row_id, "nonce")),
                "redirect_uri": pending.redirect_uri,
                "workspace_id": pending.workspace_id,
                "locator": None
                if pending.locator is None
                else encrypt(Secret(pending.locator), _cell(row_id, "locator")),
                "expires_at": pending.expires_at,
            },
        )

    async def finish_sign_in(self, *, state_hash: bytes, browser_hash: bytes, now: datetime) -> PendingSignIn | None:
        used = await self._work.row(_FINISH, {"state": state_hash, "browser": browser_hash, "now": now})
        if used is None:
            return None
        row_id, platform, nonce, redirect_uri, workspace_id, locator, expires_at = used
        decrypt = self._work.keyring.decrypt
        return PendingSignIn(
            platform=platform,
            nonce=decrypt(nonce, _cell(row_id, "nonce")).reveal(),
            redirect_uri=redirect_uri,
            workspace_id=None if workspace_id is None else WorkspaceId(workspace_id),
            locator=None if locator is None else decrypt(locator, _cell(row_id, "locator")).reveal(),
            expires_at=expires_at,
        )


def _cell(row_id: UUID, column: str) -> Cell:
    return Cell(organization_id=NOBODY, table="sign_ins", row=row_id, column=column)


def _session_of(values: Sequence[Any]) -> Session:
    row_id, platform, tenant, user_id, name, email, created_at, expires_at = values
    return Session(
        id=SessionId(row_id),
        platform=platform,
        tenant=tenant,
        user=user_id,
        name=name,
        email=email,
        created_at=created_at,
        expires_at=expires_at,
    )
