"""Takes connections and clients in from a CSV file (A-3). A bad row is named with its line; others are kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.tables import BadRow, Columns, checked, email_in, meant, name_from, read_table
from commands.handlers.roles import ROLE_NAMES
from commands.ids import ClientId, ConnectionId, OrganizationId, PersonId, new_id, to_wire
from commands.model import Client, Connection, ConnectionState, Parent, Person, Role
from commands.ports.auditing import AuditEntry
from commands.ports.clock import Clock
from commands.ports.storage import Storage, UnitOfWork

COLUMNS = Columns(
    needed=("network", "account_id", "account_name", "client"),
    optional=("connector_email", "owner_email", "parent_id", "parent_name"),
)
_ROWS_AT_ONCE = 500  # rows written in one transaction


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
        rows, report = self._parse(read_table(file, COLUMNS))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            batch = rows[start : start + _ROWS_AT_ONCE]
            async with self._storage.transaction() as work:
                for row in batch:
                    await self._take_row(work, row, report)
            progress(start + len(batch), len(rows))
        async with self._storage.transaction() as work:
            counts = {"added": str(report.added), "known": str(report.known), "bad": str(len(report.bad))}
            await work.audit.write(self._entry("imported connections", file.name, counts))
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
        clean = checked(values, COLUMNS)
        parent_id = clean.get("parent_id", "")
        return _Row(
            line=line,
            network=self._network(clean["network"]),
            account_id=clean["account_id"],
            account_name=clean["account_name"],
            client=clean["client"],
            connector_email=email_in(clean, "connector_email"),
            owner_email=email_in(clean, "owner_email"),
            parent=Parent(id=parent_id, name=clean.get("parent_name") or parent_id) if parent_id else None,
        )

    def _network(self, word: str) -> str:
        slug = self._networks.get(word.lower())
        if slug is not None:
            return slug
        raise ValueError(f"network {word!r} is not known{meant(word, list(self._networks))}")

    async def _take_row(self, work: UnitOfWork, row: _Row, report: ImportReport) -> None:
        for name, email in (("connector_email", row.connector_email), ("owner_email", row.owner_email)):
            known = await work.people.by_email(self._organization_id, email) if email else None
            if known is not None and known.left_at is not None:
                report.bad.append(BadRow(line=row.line, reason=f"{name} is of {known.name}, who has left"))
                return
        if await self._add(work, row):
            report.added += 1
        else:
            report.known += 1

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
        detail = {"person": person.name, "role": ROLE_NAMES[person.role]}
        await work.audit.write(self._entry("person.added", f"person {to_wire(person.id)}", detail))
        return person.id

    def _entry(self, action: str, subject: str, detail: Mapping[str, str]) -> AuditEntry:
        return AuditEntry(
            organization_id=self._organization_id,
            at=self._clock.now(),
            actor_id=None,
            origin="cli",
            action=action,
            subject=subject,
            detail=detail,
        )
