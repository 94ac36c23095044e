"""Moves encrypted values to the primary key, while everything runs. Can be stopped and begun again at any time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from commands.ports.storage import Unreadable
from storage.engine import open_engines, translated_errors
from storage.secrets import Cell, Keyring
from storage.tables import (
    NOBODY,
    attempts,
    authorizations,
    canaries,
    installations,
    sign_ins,
    webhook_endpoints,
    webhook_sources,
)

_ENCRYPTED = (
    (authorizations, authorizations.c.access_token),
    (authorizations, authorizations.c.refresh_token),
    (attempts, attempts.c.code_verifier),
    (attempts, attempts.c.found),
    (installations, installations.c.bot_token),
    (sign_ins, sign_ins.c.nonce),
    (sign_ins, sign_ins.c.locator),
    (webhook_endpoints, webhook_endpoints.c.secret),
    (webhook_endpoints, webhook_endpoints.c.old_secret),
    (webhook_sources, webhook_sources.c.secret),
    (webhook_sources, webhook_sources.c.old_secret),
    (canaries, canaries.c.value),
)
_AT_ONCE = 500  # rows in one transaction: short enough to hold up nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """What a rotation did."""

    changed: int
    unreadable: int
    """Left as they are: their key is not configured, or they were moved from elsewhere."""


async def rekey(url: str, keyring: Keyring) -> Rekeyed:
    """Encrypt anew, with the primary key, whatever another key encrypted. Done when nothing is left to change."""
    engines = open_engines(url, connections=1)
    changed = unreadable = 0
    try:
        with translated_errors():
            for table, column in _ENCRYPTED:
                moved, left = await _rekey_column(engines.writers, keyring, table, column)
                changed, unreadable = changed + moved, unreadable + left
    finally:
        await engines.dispose()
    return Rekeyed(changed=changed, unreadable=unreadable)


async def _rekey_column(writers: AsyncEngine, keyring: Keyring, table: Table, column: Column[Any]) -> tuple[int, int]:
    organization = table.c.get("organization_id")
    # What the primary key encrypted is not looked at again, so a rotation that was interrupted goes on where it was.
    batch = (
        select(table.c.id, *([] if organization is None else [organization]), column)
        .where(column.is_not(None), column.not_like(f"{keyring.current_prefix}%"))
        .order_by(table.c.id)
        .limit(_AT_ONCE)
    )
    changed = unreadable = 0
    last: UUID | None = None
    while True:
        async with writers.begin() as connection:
            rows = (await connection.execute(batch if last is None else batch.where(table.c.id > last))).fetchall()
            for row in rows:
                row_id, value = row[0], row[-1]
                owner = NOBODY if organization is None else row[1]
                cell = Cell(organization_id=owner, table=table.name, row=row_id, column=column.name)
                try:
                    fresh = keyring.encrypt(keyring.decrypt(value, cell), cell)
                except Unreadable:
                    unreadable += 1
                    continue
                # Only if nobody has stored newer ones meanwhile.
                await connection.execute(
                    update(table).where(table.c.id == row_id, column == value).values({column.name: fresh})
                )
                changed += 1
        if len(rows) < _AT_ONCE:
            return changed, unreadable
        last = rows[-1][0]
