"""Takes connections and clients in, from a CSV file or from the API, by the same rules (A-3).

A bad row is named with its place; others are kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bot.tables import BadRow, Columns, checked, email_in, meant, name_from, read_table
from bot.webhooks.guard import checked_url
from commands.auditing import Actor, entry
from commands.handlers.roles import ROLE_NAMES
from commands.hosting import own_address
from commands.ids import ClientId, ConnectionId, PersonId, new_id, to_wire
from commands.model import Client, Connection, ConnectionState, Parent, Person, Role
from commands.passes import welcome
from commands.ports.auditing import AuditEntry
from commands.ports.clock import Clock
from commands.ports.network import NetworkKind, NetworkSpec
from commands.ports.storage import Storage, UnitOfWork

COLUMNS = Columns(
    needed=("network", "account_id", "account_name", "client"),
    optional=("connector_email", "owner_email", "parent_id", "parent_name", "webhook_url"),
)
_ROWS_AT_ONCE = 500  # rows written in one transaction


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of a file."""

    added: int = 0
    known: int = 0
    """Rows whose account the organization has already; nothing of them was changed but an address for webhooks."""
    bad: list[BadRow] = field(default_factory=list)


class RowOutcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    KNOWN = "known"
    """The organization has the account already; nothing of it was changed but an address for webhooks."""
    CHANGED = "changed"
    """It is known, and has another name or client now; only where that was asked for."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """One row, taken in or not."""

    outcome: RowOutcome
    reason: str = ""
    connection_id: ConnectionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row whose fields are in order."""

    line: int
    network: str
    account_id: str
    account_name: str
    client: str
    connector_email: str
    owner_email: str
    parent: Parent | None
    webhook_url: str
    """The connection's own address (A-7); empty: none is given."""


class Importer:
    """Imports into the organization of `by`. `specs`: the networks that there are; connections of those that the host
    product holds work until it reports otherwise. `private`: webhook addresses may be of this machine and of private
    networks.
    """

    def __init__(
        self, *, storage: Storage, clock: Clock, by: Actor, specs: Iterable[NetworkSpec], private: bool = False
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._by = by
        self._organization_id = by.organization_id
        known = tuple(specs)
        self._networks = {word: spec.slug for spec in known for word in (spec.slug, spec.name.lower(), *spec.aliases)}
        self._hosted = {spec.slug for spec in known if spec.kind is NetworkKind.HOSTED}
        self._private = private

    async def take(self, file: Path, progress: Callable[[int, int], None]) -> ImportReport:
        """Take a file in, telling `progress` how many of how many good rows are done.

        Raises UnreadableFile, having written nothing, for a file that is not such a table at all.
        """
        rows, report = self._parse(read_table(file, COLUMNS))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            batch = rows[start : start + _ROWS_AT_ONCE]
            async with self._storage.transaction() as work:
                for row in batch:
                    _note(report, row, await self.write(work, row))
            progress(start + len(batch), len(rows))
        async with self._storage.transaction() as work:
            counts = {"added": str(report.added), "known": str(report.known), "bad": str(len(report.bad))}
            await work.audit.write(self._entry("imported connections", file.name, counts))
        report.bad.sort(key=lambda bad: bad.line)
        return report

    def _parse(self, table: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[list[Row], ImportReport]:
        report = ImportReport()
        rows: list[Row] = []
        first_seen: dict[tuple[str, str], int] = {}
        for line, values in table:
            try:
                row = self.row(line, values)
                earlier = first_seen.setdefault((row.network, row.account_id), line)
                if earlier != line:
                    raise ValueError(f"repeats the account of line {earlier}")
            except ValueError as error:
                report.bad.append(BadRow(line=line, reason=str(error)))
            else:
                rows.append(row)
        return rows, report

    def row(self, line: int, values: Mapping[str, str]) -> Row:
        """Check a row's fields. Raises ValueError with what is wrong."""
        clean = checked(values, COLUMNS)
        parent_id = clean.get("parent_id", "")
        url = clean.get("webhook_url", "")
        return Row(
            line=line,
            network=self._network(clean["network"]),
            account_id=clean["account_id"],
            account_name=clean["account_name"],
            client=clean["client"],
            connector_email=email_in(clean, "connector_email"),
            owner_email=email_in(clean, "owner_email"),
            parent=Parent(id=parent_id, name=clean.get("parent_name") or parent_id) if parent_id else None,
            webhook_url=self._url(url) if url else "",
        )

    def _url(self, text: str) -> str:
        try:
            return checked_url(text, private=self._private)
        except ValueError as error:
            raise ValueError(f"webhook_url: {error}") from None

    def _network(self, word: str) -> str:
        slug = self._networks.get(word.lower())
        if slug is not None:
            return slug
        raise ValueError(f"network {word!r} is not known{meant(word, list(self._networks))}")

    async def write(self, work: UnitOfWork, row: Row, *, update: bool = False) -> RowResult:
        """Write one row; a refused one writes nothing. `update`: one that is known gets the row's name and client."""
        for name, email in (("connector_email", row.connector_email), ("owner_email", row.owner_email)):
            known = await work.people.by_email(self._organization_id, email) if email else None
            if known is not None and known.left_at is not None:
                return RowResult(outcome=RowOutcome.REFUSED, reason=f"{name} is of {known.name}, who has left")
        connection, changed = await self._connection(work, row), False
        added = await work.connections.add(connection)
        connection_id = connection.id
        if not added:
            (view,) = await work.connections.of_accounts(self._organization_id, row.network, [row.account_id])
            connection_id = view.connection.id
            if update:
                changed = await work.connections.describe(
                    self._organization_id,
                    connection_id,
                    account_name=row.account_name,
                    client_id=connection.client_id,
                )
        if row.webhook_url:
            await own_address(work, self._by, connection_id, row.webhook_url, self._clock.now())
        outcome = RowOutcome.ADDED if added else RowOutcome.CHANGED if changed else RowOutcome.KNOWN
        return RowResult(outcome=outcome, connection_id=connection_id)

    async def _connection(self, work: UnitOfWork, row: Row) -> Connection:
        now = self._clock.now()
        client = Client(id=ClientId(new_id(now)), organization_id=self._organization_id, name=row.client)
        return Connection(
            id=ConnectionId(new_id(now)),
            organization_id=self._organization_id,
            client_id=await work.clients.ensure(client),
            network=row.network,
            account_id=row.account_id,
            account_name=row.account_name,
            state=ConnectionState.ACTIVE if row.network in self._hosted else ConnectionState.UNCONNECTED,
            parent=row.parent,
            connector_id=await self._person(work, row.connector_email),
            owner_id=await self._person(work, row.owner_email),
        )

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
        await welcome(work, person, self._clock.now())
        return person.id

    def _entry(self, action: str, subject: str, detail: Mapping[str, str]) -> AuditEntry:
        return entry(self._by, self._clock.now(), action, subject, **detail)


def _note(report: ImportReport, row: Row, result: RowResult) -> None:
    match result.outcome:
        case RowOutcome.ADDED:
            report.added += 1
        case RowOutcome.KNOWN | RowOutcome.CHANGED:
            report.known += 1
        case RowOutcome.REFUSED:
            report.bad.append(BadRow(line=row.line, reason=result.reason))
