"""Where the bot was let in. Belongs to no organization."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, select, update

from commands.ports.installations import Installation
from storage.directory import Transactions
from storage.engine import insert
from storage.rows import columns
from storage.secrets import Cell, Keyring
from storage.tables import NOBODY, installations

_NAMES = UUID("6c617073-6562-6f74-8069-6e7374616c6c")  # ours alone; ids of installations are made within it
_INSTALLATION = (
    "id", "platform", "tenant", "name", "is_org_wide", "bot_token", "bot_user", "scopes", "installed_at", "lost_at",
    "lost_reason",
)  # fmt: skip
_INSTALLATIONS = select(*columns(installations, _INSTALLATION)).where(installations.c.platform == bindparam("platform"))
_ONE = _INSTALLATIONS.where(installations.c.tenant == bindparam("tenant"))
_ALIVE = _INSTALLATIONS.where(installations.c.lost_at.is_(None)).order_by(installations.c.tenant)
_insert = insert(installations)
_SAVE = _insert.on_conflict_do_update(
    index_elements=["platform", "tenant"],
    set_={name: _insert.excluded[name] for name in _INSTALLATION if name not in ("id", "platform", "tenant")},
)


class SqlInstallations:
    """Implements `Installations`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save(self, installation: Installation) -> None:
        row_id = _row_id(installation.platform, installation.tenant)
        async with self._transactions.writing_work() as work:
            await work.run(
                _SAVE,
                {
                    "id": row_id,
                    "platform": installation.platform,
                    "tenant": installation.tenant,
                    "name": installation.name,
                    "is_org_wide": installation.is_org_wide,
                    "bot_token": work.keyring.encrypt(installation.bot_token, _token_cell(row_id)),
                    "bot_user": installation.bot_user,
                    "scopes": sorted(installation.scopes),
                    "installed_at": installation.installed_at,
                    "lost_at": None,
                    "lost_reason": "",
                },
            )

    async def find(self, platform: str, tenant: str) -> Installation | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_ONE, {"platform": platform, "tenant": tenant})
            return None if found is None else _installation_of(found, work.keyring)

    async def all(self, platform: str) -> Sequence[Installation]:
        async with self._transactions.reading_work() as work:
            return [_installation_of(row, work.keyring) for row in await work.rows(_ALIVE, {"platform": platform})]

    async def lose(self, platform: str, tenant: str, *, at: datetime, reason: str) -> bool:
        async with self._transactions.writing_work() as work:
            lost = await work.row(
                update(installations)
                .where(
                    installations.c.platform == platform,
                    installations.c.tenant == tenant,
                    installations.c.lost_at.is_(None),
                    installations.c.installed_at <= at,
                )
                .values(lost_at=at, lost_reason=reason)
                .returning(installations.c.id)
            )
        return lost is not None


def _row_id(platform: str, tenant: str) -> UUID:
    """The same for a tenant whoever saves it, so that its token can be bound to the row before there is one."""
    return uuid5(_NAMES, f"{platform}\n{tenant}")


def _token_cell(row_id: UUID) -> Cell:
    return Cell(organization_id=NOBODY, table="installations", row=row_id, column="bot_token")


def _installation_of(values: Sequence[Any], keyring: Keyring) -> Installation:
    (
        row_id, platform, tenant, name, is_org_wide, bot_token, bot_user, scopes, installed_at, lost_at,
        lost_reason,
    ) = values  # fmt: skip
    return Installation(
        platform=platform,
        tenant=tenant,
        name=name,
        is_org_wide=is_org_wide,
        bot_token=keyring.decrypt(bot_token, _token_cell(row_id)),
        bot_user=bot_user,
        scopes=frozenset(scopes),
        installed_at=installed_at,
        lost_at=lost_at,
        lost_reason=lost_reason,
    )
