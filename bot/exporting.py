"""Writes an organization's audit log out, as CSV or as JSON lines, without holding it in memory (A-4)."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from bot.administration import OperatorError, opened_organization
from bot.settings import Settings
from commands.auditing import read_all
from commands.ids import OrganizationId, PersonId
from commands.ports.auditing import AuditEntry
from commands.ports.storage import Storage

COLUMNS = ("at", "who", "email", "origin", "action", "subject", "detail")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How entries are written."""

    CSV = "csv"
    JSONL = "jsonl"


def since_time(text: str) -> datetime | None:
    """Read a day or a time (ISO 8601; UTC where it names no zone); None for an empty text. Raises OperatorError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"“{text}” is not a day like 2026-11-01 or a time like 2026-11-01T09:00") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


async def export(settings: Settings, organization: str, *, since: datetime | None, form: Format, to: TextIO) -> int:
    """Write every entry since a time, the latest first; give how many. Raises OperatorError."""
    async with opened_organization(settings, organization) as (storage, _, found):
        names = _Names(storage, found.id)
        table = csv.writer(to)
        if form is Format.CSV:
            table.writerow(COLUMNS)
        number = 0
        async for entry in read_all(storage, found.id, since=since):
            written = _written(entry, await names.of(entry.actor_id))
            match form:
                case Format.CSV:
                    table.writerow([cell(written[column]) for column in COLUMNS])
                case Format.JSONL:
                    to.write(json.dumps({**written, "detail": dict(entry.detail)}, ensure_ascii=False) + "\n")
            number += 1
        return number


class _Names:
    """Who acted, read once for each person."""

    def __init__(self, storage: Storage, organization_id: OrganizationId) -> None:
        self._storage = storage
        self._organization_id = organization_id
        self._known: dict[PersonId, tuple[str, str]] = {}

    async def of(self, person_id: PersonId | None) -> tuple[str, str]:
        """Name and email address; empty where nobody known acted."""
        if person_id is None:
            return "", ""
        if person_id not in self._known:
            async with self._storage.reading() as work:
                found = (await work.people.many(self._organization_id, [person_id])).get(person_id)
            self._known[person_id] = (found.name, found.email or "") if found is not None else (str(person_id), "")
        return self._known[person_id]


def _written(entry: AuditEntry, actor: tuple[str, str]) -> Mapping[str, str]:
    return {
        "at": entry.at.astimezone(UTC).isoformat(),
        "who": actor[0],
        "email": actor[1],
        "origin": entry.origin,
        "action": entry.action,
        "subject": entry.subject,
        "detail": json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else "",
    }


def cell(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula: people choose their own names."""
    return f"'{text}" if text.startswith(_FORMULA) else text
