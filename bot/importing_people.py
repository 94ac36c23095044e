"""Takes people in from a CSV file, with their roles and the clients that staff are limited to (A-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.tables import BadRow, Columns, checked, email_in, meant, name_from, read_table
from commands.aftermath import check_next
from commands.auditing import Actor, entry
from commands.errors import CommandError
from commands.handlers.roles import ROLE_NAMES, ROLE_WORDS, not_the_last_primary
from commands.ids import ClientId, PersonId, new_id, to_wire
from commands.model import Person, Role
from commands.passes import role_changed, welcome
from commands.plain import plain_text
from commands.ports.auditing import AuditEntry
from commands.ports.clock import Clock
from commands.ports.storage import Storage, UnitOfWork

COLUMNS = Columns(needed=("email", "role"), optional=("name", "clients"))


@dataclass(slots=True, kw_only=True)
class PeopleReport:
    """What became of a file."""

    added: int = 0
    changed: int = 0
    known: int = 0
    """Rows that say what is so already."""
    logins: int = 0
    """Logins that are checked next, for what hangs on them is somebody's whose rights changed (A-6)."""
    bad: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    email: str
    name: str
    """Empty: as it is, or made from the address."""
    role: Role
    clients: tuple[str, ...]
    """Names as typed; empty: all."""


class PeopleImporter:
    """Imports people into the organization of `by`. Who is there already gets the role and clients of the file."""

    def __init__(self, *, storage: Storage, clock: Clock, by: Actor) -> None:
        self._storage = storage
        self._clock = clock
        self._by = by
        self._organization_id = by.organization_id

    async def take(self, file: Path) -> PeopleReport:
        """Take a file in. Raises UnreadableFile, having written nothing, for a file that is not such a table at all."""
        rows, report = self._parse(read_table(file, COLUMNS))
        async with self._storage.reading() as work:
            clients = {client.name: client.id for client in await work.clients.all(self._organization_id)}
        for row in rows:
            await self._kept(row, clients, report)
        async with self._storage.transaction() as work:
            counts = {"added": report.added, "changed": report.changed, "known": report.known, "bad": len(report.bad)}
            detail = {name: str(count) for name, count in counts.items()}
            await work.audit.write(self._entry("imported people", file.name, detail))
        report.bad.sort(key=lambda bad: bad.line)
        return report

    def _parse(self, table: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[list[_Row], PeopleReport]:
        report = PeopleReport()
        rows: list[_Row] = []
        first_seen: dict[str, int] = {}
        for line, values in table:
            try:
                row = _row(line, values)
                earlier = first_seen.setdefault(row.email, line)
                if earlier != line:
                    raise ValueError(f"repeats the address of line {earlier}")
            except ValueError as error:
                report.bad.append(BadRow(line=line, reason=str(error)))
            else:
                rows.append(row)
        return rows, report

    async def take_item(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Take one person in by the same rules: "added", "changed", "known" or "refused", and why it was refused."""
        report = PeopleReport()
        async with self._storage.reading() as work:
            clients = {client.name: client.id for client in await work.clients.all(self._organization_id)}
        try:
            row = _row(0, values)
        except ValueError as error:
            return "refused", str(error)
        await self._kept(row, clients, report)
        if report.bad:
            return "refused", report.bad[0].reason
        return "added" if report.added else "changed" if report.changed else "known", ""

    async def _kept(self, row: _Row, clients: Mapping[str, ClientId], report: PeopleReport) -> None:
        try:
            await self._one(row, clients, report)
        except ValueError as error:
            report.bad.append(BadRow(line=row.line, reason=str(error)))

    async def _one(self, row: _Row, clients: Mapping[str, ClientId], report: PeopleReport) -> None:
        """Write one row, in a transaction of its own: a bad one loses nothing of the others. Raises ValueError."""
        limits = _limits(row, clients)
        async with self._storage.transaction() as work:
            there = await work.people.by_email(self._organization_id, row.email)
            if there is None:
                person = Person(
                    id=PersonId(new_id(self._clock.now())),
                    organization_id=self._organization_id,
                    name=row.name or name_from(row.email),
                    email=row.email,
                    role=row.role,
                    client_ids=limits,
                )
                await work.people.add(person)
                await work.audit.write(self._about(person, "person.added"))
                await welcome(work, person, self._clock.now())
                report.added += 1
                return
            there = await work.people.get_for_change(self._organization_id, there.id)
            if there.left_at is not None:
                raise ValueError(f"{there.name} has left; `lapsebot people role` takes them back")
            changed = replace(there, name=row.name or there.name, role=row.role, client_ids=limits)
            if changed == there:
                report.known += 1
                return
            await _not_the_last(work, there, row.role)
            await work.people.update(changed)
            await role_changed(work, there, changed)
            await work.audit.write(self._about(changed, "person.changed", was=ROLE_NAMES[there.role]))
            report.logins += await check_next(work, there, changed, self._clock.now())
            report.changed += 1

    def _about(self, person: Person, action: str, **detail: str) -> AuditEntry:
        said = {"person": person.name, "role": ROLE_NAMES[person.role], **detail}
        return self._entry(action, f"person {to_wire(person.id)}", said)

    def _entry(self, action: str, subject: str, detail: Mapping[str, str]) -> AuditEntry:
        return entry(self._by, self._clock.now(), action, subject, **detail)


def _row(line: int, values: Mapping[str, str]) -> _Row:
    clean = checked(values, COLUMNS)
    role = ROLE_WORDS.get(clean["role"].casefold())
    if role is None:
        raise ValueError(f"role {clean['role']!r} is not known{meant(clean['role'], list(ROLE_NAMES.values()))}")
    names = [name.strip() for name in clean.get("clients", "").replace(";", ",").split(",") if name.strip()]
    if names and role is not Role.STAFF and [name.casefold() for name in names] != ["all"]:
        raise ValueError(f"clients are for staff; {ROLE_NAMES[role]} is not limited to any")
    return _Row(
        line=line,
        email=email_in(clean, "email"),
        name=clean.get("name", ""),
        role=role,
        clients=() if [name.casefold() for name in names] == ["all"] else tuple(names),
    )


def _limits(row: _Row, clients: Mapping[str, ClientId]) -> frozenset[ClientId] | None:
    if not row.clients:
        return None
    by_folded = {name.casefold(): client_id for name, client_id in clients.items()}
    for name in row.clients:
        if name.casefold() not in by_folded:
            raise ValueError(f"client {name!r} is not known{meant(name, list(clients))}")
    return frozenset(by_folded[name.casefold()] for name in row.clients)


async def _not_the_last(work: UnitOfWork, person: Person, role: Role) -> None:
    if person.role is Role.PRIMARY_ADMINISTRATOR and role is not person.role:
        try:
            await not_the_last_primary(work, person)
        except CommandError as refused:
            raise ValueError(plain_text(refused.answer)) from refused
