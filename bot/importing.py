"""Takes connections, clients and people in from a CSV file (A-3). A bad row is named with its line; others are kept."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from commands.ids import ClientId, ConnectionId, OrganizationId, PersonId, new_id
from commands.model import Client, Connection, ConnectionState, Parent, Person, Role
from commands.ports.clock import Clock
from commands.ports.notices import AuditEntry
from commands.ports.storage import Storage, UnitOfWork

NEEDED = ("network", "account_id", "account_name", "client")
OPTIONAL = ("connector_email", "owner_email", "parent_id", "parent_name")
LONGEST = 300  # characters of a field; no network has longer names
_ROWS_AT_ONCE = 500  # rows written in one transaction
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class UnreadableFile(Exception):
    """The file as a whole cannot be taken in. The message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that was left out."""

    line: int
    reason: str


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of a file."""

    added: int = 0
    known: int = 0
    """Rows whose account the organization has already; nothing of them was changed."""
    bad: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    network: str
    account_id: str
    account_name: str
    client: str
    connector_email: str
    owner_email: str
    parent: Parent | None


class Importer:
    """Imports files into one organization. `networks`: the words by which each network is known, and its slug."""

    def __init__(
        self, *, storage: Storage, clock: Clock, organization_id: OrganizationId, networks: Mapping[str, str]
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._organization_id = organization_id
        self._networks = networks

    async def take(self, file: Path, progress: Callable[[int, int], None]) -> ImportReport:
        """Take a file in, telling `progress` how many of how many good rows are done.

        Raises UnreadableFile, having written nothing, for a file that is not such a table at all.
        """
        rows, report = self._parse(read_table(file))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            batch = rows[start : start + _ROWS_AT_ONCE]
            async with self._storage.transaction() as work:
                for row in batch:
                    if await self._add(work, row):
                        report.added += 1
                    else:
                        report.known += 1
            progress(start + len(batch), len(rows))
        async with self._storage.transaction() as work:
            await work.audit.write(self._entry(file, report))
        report.bad.sort(key=lambda bad: bad.line)
        return report

    def _parse(self, table: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[list[_Row], ImportReport]:
        report = ImportReport()
        rows: list[_Row] = []
        first_seen: dict[tuple[str, str], int] = {}
        for line, values in table:
            try:
                row = self._row(line, values)
                earlier = first_seen.setdefault((row.network, row.account_id), line)
                if earlier != line:
                    raise ValueError(f"repeats the account of line {earlier}")
            except ValueError as error:
                report.bad.append(BadRow(line=line, reason=str(error)))
            else:
                rows.append(row)
        return rows, report

    def _row(self, line: int, values: Mapping[str, str]) -> _Row:
        if None in values or any(value is None for value in values.values()):
            raise ValueError("has not as many fields as the header; is a comma in a name without quotes around it?")
        for name, value in values.items():
            if _CONTROLS.search(value):
                raise ValueError(f"{name} has a control character in it")
            if len(value) > LONGEST:
                raise ValueError(f"{name} is longer than {LONGEST} characters")
        clean = {name: value.strip() for name, value in values.items()}
        empty = [name for name in NEEDED if not clean[name]]
        if empty:
            raise ValueError(f"{empty[0]} is empty")
        for name in ("connector_email", "owner_email"):
            if clean.get(name) and not _EMAIL.fullmatch(clean[name]):
                raise ValueError(f"{name} is not an email address")
        parent_id = clean.get("parent_id", "")
        return _Row(
            line=line,
            network=self._network(clean["network"]),
            account_id=clean["account_id"],
            account_name=clean["account_name"],
            client=clean["client"],
            connector_email=clean.get("connector_email", "").lower(),
            owner_email=clean.get("owner_email", "").lower(),
            parent=Parent(id=parent_id, name=clean.get("parent_name") or parent_id) if parent_id else None,
        )

    def _network(self, word: str) -> str:
        slug = self._networks.get(word.lower())
        if slug is not None:
            return slug
        near = get_close_matches(word.lower(), self._networks, n=1)
        raise ValueError(f"network {word!r} is not known" + (f"; did you mean {near[0]}?" if near else ""))

    async def _add(self, work: UnitOfWork, row: _Row) -> bool:
        now = self._clock.now()
        client = Client(id=ClientId(new_id(now)), organization_id=self._organization_id, name=row.client)
        connection = Connection(
            id=ConnectionId(new_id(now)),
            organization_id=self._organization_id,
            client_id=await work.clients.ensure(client),
            network=row.network,
            account_id=row.account_id,
            account_name=row.account_name,
            state=ConnectionState.UNCONNECTED,
            parent=row.parent,
            connector_id=await self._person(work, row.connector_email),
            owner_id=await self._person(work, row.owner_email),
        )
        return await work.connections.add(connection)

    async def _person(self, work: UnitOfWork, email: str) -> PersonId | None:
        if not email:
            return None
        known = await work.people.by_email(self._organization_id, email)
        if known is not None:
            return known.id
        person = Person(
            id=PersonId(new_id(self._clock.now())),
            organization_id=self._organization_id,
            name=name_from(email),
            email=email,
            role=Role.OWNER,
        )
        await work.people.add(person)
        return person.id

    def _entry(self, file: Path, report: ImportReport) -> AuditEntry:
        return AuditEntry(
            organization_id=self._organization_id,
            at=self._clock.now(),
            actor_id=None,
            origin="cli",
            action="imported connections",
            subject=file.name,
            detail={"added": str(report.added), "known": str(report.known), "bad": str(len(report.bad))},
        )


def read_table(file: Path) -> Sequence[tuple[int, Mapping[str, str]]]:
    """Read a CSV file as rows by column name, each with its line. Raises UnreadableFile."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"{file.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"line {line} of {file.name} is not UTF-8; save the file as “CSV UTF-8”") from error
    if not text.strip():
        raise UnreadableFile(f"{file.name} is empty; its first line must be {','.join(NEEDED + OPTIONAL)}")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_header(file, [name.strip().lower() for name in reader.fieldnames or []])
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num + 1} of {file.name} is not CSV: {error}") from error


def _check_header(file: Path, names: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        hint = (
            " It looks as if its fields are parted by semicolons; they must be parted by commas."
            if ";" in "".join(names)
            else ""
        )
        raise UnreadableFile(f"line 1 of {file.name} lacks the column {missing[0]}.{hint}")
    for name in names:
        if name not in NEEDED + OPTIONAL:
            near = get_close_matches(name, NEEDED + OPTIONAL, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UnreadableFile(f"line 1 of {file.name} has an unknown column {name!r}{meant}")
        if names.count(name) > 1:
            raise UnreadableFile(f"line 1 of {file.name} has the column {name} twice")


def name_from(email: str) -> str:
    """A name to show until the person has one: "ana.ruiz@acme.example" is Ana Ruiz."""
    words = re.split(r"[._+-]+", email.partition("@")[0])
    return " ".join(word.capitalize() for word in words if word) or email
