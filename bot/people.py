"""What an operator does about people from the command line, for when no administrator can be reached in chat."""

from collections.abc import AsyncIterator
from dataclasses import replace

from bot.administration import OperatorError, opened_organization
from bot.settings import Settings
from bot.tables import email_in, meant, name_from
from commands.aftermath import check_next, logins_next
from commands.auditing import Actor, entry
from commands.errors import CommandError
from commands.handlers.roles import ROLE_NAMES, ROLE_WORDS, give_role
from commands.ids import ClientId, OrganizationId, PersonId, new_id, to_wire
from commands.model import Person, Role
from commands.passes import welcome
from commands.people import people_called
from commands.plain import plain_text
from commands.ports.auditing import AuditEntry
from commands.ports.clock import Clock
from commands.ports.storage import AlreadyThere, UnitOfWork

_AT_ONCE = 200  # people read in one go


async def listed_people(settings: Settings, organization: str) -> AsyncIterator[str]:
    """Everybody of an organization, by name, a line each. Raises OperatorError."""
    async with opened_organization(settings, organization) as (storage, _, found):
        offset = 0
        while True:
            async with storage.reading() as work:
                people = await work.people.page(found.id, offset=offset, limit=_AT_ONCE)
                names = {client.id: client.name for client in await work.clients.all(found.id)}
            for person in people:
                yield _line(person, names)
            if len(people) < _AT_ONCE:
                return
            offset += len(people)


async def add_person(settings: Settings, organization: str, *, name: str, email: str, role: str, clients: str) -> str:
    """Add somebody; give what was done. Raises OperatorError."""
    async with opened_organization(settings, organization) as (storage, clock, found):
        try:
            address = email_in({"EMAIL": email}, "EMAIL")
        except ValueError:
            raise OperatorError(f"“{email}” is not an email address") from None
        try:
            async with storage.transaction() as work:
                person = Person(
                    id=PersonId(new_id(clock.now())),
                    organization_id=found.id,
                    name=name.strip() or name_from(address),
                    email=address,
                    role=_role(role),
                    client_ids=await _clients(work, found.id, clients),
                )
                await work.people.add(person)
                await work.audit.write(_entry(clock, person, "person.added"))
                await welcome(work, person, clock.now())
        except AlreadyThere:
            raise OperatorError(
                f"Somebody has the address {address} already; `lapsebot people list` shows who"
            ) from None
    return f"{person.name} is added, as {ROLE_NAMES[person.role]}"


async def change_role(settings: Settings, organization: str, *, person: str, role: str, clients: str | None) -> str:
    """Give somebody another role, or, of staff, other clients; somebody who left is back. Raises OperatorError."""
    async with opened_organization(settings, organization) as (storage, clock, found):
        new = _role(role)
        async with storage.transaction() as work:
            somebody = await work.people.get_for_change(found.id, (await _somebody(work, found.id, person)).id)
            try:
                changed = await give_role(work, somebody, new, by=None)
            except CommandError as refused:
                raise OperatorError(plain_text(refused.answer)) from refused
            if clients is not None:
                changed = replace(changed, client_ids=await _clients(work, found.id, clients))
                await work.people.update(changed)
            if changed == somebody:
                return f"{changed.name} is {ROLE_NAMES[new]} already; nothing changed"
            await work.audit.write(_entry(clock, changed, "person.changed", was=ROLE_NAMES[somebody.role]))
            logins = await check_next(work, somebody, changed, clock.now())
    return f"{changed.name} is {ROLE_NAMES[new]} now" + (f"; {logins_next(logins)}" if logins else "")


async def _somebody(work: UnitOfWork, organization_id: OrganizationId, words: str) -> Person:
    found = await people_called(work, organization_id, words)
    if not found:
        raise OperatorError(f"Nobody is called “{words}”; `lapsebot people list` shows who there is")
    if len(found) > 1:
        names = ", ".join(f"{person.name} <{person.email or 'no address'}>" for person in found)
        raise OperatorError(f"“{words}” matches several: {names}. Say it with the address")
    return found[0]


def _role(word: str) -> Role:
    role = ROLE_WORDS.get(word.strip().casefold())
    if role is None:
        names = list(ROLE_NAMES.values())
        raise OperatorError(f"“{word}” is not a role{meant(word, names) or '.'} There are: {', '.join(names)}")
    return role


async def _clients(work: UnitOfWork, organization_id: OrganizationId, words: str) -> frozenset[ClientId] | None:
    """Clients by their names, separated by commas; None: all."""
    names = [name.strip() for name in words.split(",") if name.strip()]
    if not names or [name.casefold() for name in names] == ["all"]:
        return None
    there = await work.clients.all(organization_id)
    known = {client.name.casefold(): client.id for client in there}
    for name in names:
        if name.casefold() not in known:
            raise OperatorError(f"There is no client “{name}”{meant(name, [client.name for client in there])}")
    return frozenset(known[name.casefold()] for name in names)


def _entry(clock: Clock, person: Person, action: str, **detail: str) -> AuditEntry:
    by = Actor(organization_id=person.organization_id, origin="cli")
    said = {"person": person.name, "role": ROLE_NAMES[person.role], **detail}
    return entry(by, clock.now(), action, f"person {to_wire(person.id)}", **said)


def _line(person: Person, names: dict[ClientId, str]) -> str:
    limits = sorted(names[client_id] for client_id in person.client_ids or () if client_id in names)
    limited = (
        f" (only {', '.join(limits) or 'no client'})"
        if person.role is Role.STAFF and person.client_ids is not None
        else ""
    )
    left = f" · left {person.left_at:%Y-%m-%d}" if person.left_at is not None else ""
    return f"{person.name} · {person.email or 'no address'} · {ROLE_NAMES[person.role]}{limited}{left}"
