"""What people may do here: roles, the clients that staff are limited to, who is copied on first notices (C-8, N-5)."""

from dataclasses import replace
from datetime import datetime

from commands.access import is_administrator, scope_of, takes_immediate_notices
from commands.actions import role_action
from commands.aftermath import concerned_by, count_working
from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.naming import clients_meant, person_meant, separated_names
from commands.handlers.seeing import visible_clients
from commands.ids import to_wire
from commands.messages import (
    Bold,
    Button,
    Buttons,
    Line,
    Mark,
    Message,
    Style,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Person, Role
from commands.passes import role_changed
from commands.ports.storage import UnitOfWork
from commands.wording import listed, named, shown

ROLE_NAMES = {
    Role.PRIMARY_ADMINISTRATOR: "primary administrator",
    Role.ADMINISTRATOR: "administrator",
    Role.STAFF: "staff",
    Role.OWNER: "owner",
}
ROLE_WORDS = {
    **{name: role for role, name in ROLE_NAMES.items()},
    **{role.value: role for role in Role},
    "primary": Role.PRIMARY_ADMINISTRATOR,
    "admin": Role.ADMINISTRATOR,
}
"""Everything that a role is called, folded."""
SEES = {
    Role.PRIMARY_ADMINISTRATOR: "sees and administers everything, and answers for lapsebot here",
    Role.ADMINISTRATOR: "sees and administers everything",
    Role.STAFF: "sees what they connected or own, and all clients or those that you name",
    Role.OWNER: "sees what they connected or own",
}
ON_OFF = {"on": True, "yes": True, "off": False, "no": False}
COPY_WORDS = tuple(ON_OFF)
ALWAYS_COPIED = (
    "A primary administrator always gets the copies, so that at least one administrator hears of every lapse at once"
)


async def role(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin role PERSON ROLE`; without a role, say what they are and offer a form."""
    whom = asked.need("person", "Whose role, and which: primary administrator, administrator, staff or owner?")
    wanted = asked.get("role")
    async with services.storage.transaction() as uow:
        person = await _whose_role(uow, asker, asked, whom, wanted)
        if wanted is None:
            return _what_now(person, await limits_in_words(uow, asker, person))
        new = ROLE_WORDS.get(wanted.casefold())
        if new is None:
            raise asked.unknown(wanted, list(ROLE_NAMES.values()), "a role called ")
        person = await uow.people.get_for_change(asker.organization_id, person.id)
        changed = await give_role(uow, person, new, by=asker.person)
        if changed == person:
            raise CommandError(f"{named(person.name)} is {ROLE_NAMES[new]} already; nothing changed.")
        await write_change(uow, asker, services.clock.now(), person, changed)
        answer = said(person, changed, await limits_in_words(uow, asker, changed))
    return await with_count(services, asker, person, changed, answer)


async def clients(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin clients PERSON to NAMES`, or `all`."""
    whom, names = asked.get("person"), asked.get("clients")
    async with services.storage.transaction() as uow:
        if whom is not None and names is None:
            whom, names = await _parted(uow, asker, whom)
        if whom is None or names is None:
            raise asked.refused("Whose clients, and which? Write “to” between, and commas between several.")
        person = await for_change(uow, asker, await person_meant(uow, asker, asked, whom))
        if person.role is not Role.STAFF:
            why = f"{named(person.name)} is {ROLE_NAMES[person.role]}, and {SEES[person.role]}."
            raise CommandError(f"{why} Only staff are limited to clients.")
        chosen = None if names.casefold() == "all" else await clients_meant(uow, asker, asked, names)
        changed = replace(person, client_ids=None if chosen is None else frozenset(chosen.values()))
        if changed == person:
            raise CommandError("That is already so; nothing changed.")
        await uow.people.update(changed)
        await write_change(uow, asker, services.clock.now(), person, changed)
        answer = said(person, changed, await limits_in_words(uow, asker, changed))
    return await with_count(services, asker, person, changed, answer)


async def copies(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin copies PERSON on|off`: whether an administrator is copied on first notices."""
    whom = asked.need("person", "Whose copies: name the administrator, then say on or off.")
    wanted = asked.need("copies", "On or off?")
    if wanted.casefold() not in ON_OFF:
        raise asked.unknown(wanted, ["on", "off"], "")
    async with services.storage.transaction() as uow:
        person = await for_change(uow, asker, await person_meant(uow, asker, asked, whom))
        if not is_administrator(person):
            raise CommandError(
                f"{named(person.name)} is {ROLE_NAMES[person.role]}: copies of first notices go to administrators. "
                "Others opt in with /subscribe-lapses."
            )
        changed = replace(person, immediate_notices=ON_OFF[wanted.casefold()])
        if takes_immediate_notices(changed) and not changed.immediate_notices:
            raise CommandError(f"{named(person.name)} is primary administrator. {ALWAYS_COPIED}; nothing changed.")
        if changed == person or takes_immediate_notices(changed) is takes_immediate_notices(person):
            raise CommandError("That is already so; nothing changed.")
        only_primary(asker.person, person)
        await uow.people.update(changed)
        await write_change(uow, asker, services.clock.now(), person, changed)
    copied = takes_immediate_notices(changed)
    does = "gets a copy of every first notice" if copied else "gets no copies of first notices"
    return Message((text(f"{Mark.GOOD} From now on ", Bold(named(person.name)), f" {does}."),), Tone.GOOD)


async def with_count(services: Services, asker: Asker, was: Person, is_now: Person, answer: Message) -> Message:
    """The answer to a change, with how many of the accounts that hang on somebody work, where what they may do here
    changed (A-6): their logins are checked first. No transaction is open.
    """
    async with services.storage.reading() as uow:
        theirs = await concerned_by(uow, scope_of(asker.person), was, is_now)
    count = await count_working(services, asker.organization_id, theirs)
    return replace(answer, parts=(*answer.parts, text(count.words))) if count.words else answer


async def give_role(uow: UnitOfWork, person: Person, new: Role, *, by: Person | None) -> Person:
    """Write somebody's role; somebody who had left is back with it. `person` comes from `get_for_change`. `by` None:
    whoever runs lapsebot.

    Raises CommandError: one's own role is another administrator's to change, a primary administrator's only another
    one's, and the last of those stays.
    """
    if new is not person.role and by is not None and by.id == person.id:
        raise CommandError("Only another administrator can change your own role.")
    changed = replace(person, role=new, left_at=None)  # limits stay: who is made staff again sees no more than before
    if changed != person:
        if by is not None:
            only_primary(by, person, new)
        if person.role is Role.PRIMARY_ADMINISTRATOR and new is not person.role:
            await not_the_last_primary(uow, person)
        await uow.people.update(changed)
        await role_changed(uow, person, changed)
    return changed


def only_primary(by: Person, person: Person, new: Role | None = None) -> None:
    """Raises CommandError where a primary administrator's standing, or becoming one, is in the hands of somebody who
    is none: whoever could link an account to one, or see one off, would stand above them.
    """
    if Role.PRIMARY_ADMINISTRATOR in (person.role, new) and by.role is not Role.PRIMARY_ADMINISTRATOR:
        raise CommandError("Only a primary administrator can say who is primary administrator.")


async def not_the_last_primary(uow: UnitOfWork, person: Person) -> None:
    """Raises CommandError if this is the only primary administrator who is here. `person` comes from `get_for_change`,
    so that no two end each other's standing.
    """
    if person.left_at is not None:
        return
    there = await uow.people.administrators(person.organization_id)
    if not any(one.role is Role.PRIMARY_ADMINISTRATOR and one.id != person.id for one in there):
        raise CommandError(
            f"{named(person.name)} is the only primary administrator. Make somebody else one first: "
            "/lapse-admin role NAME primary administrator."
        )


async def for_change(uow: UnitOfWork, asker: Asker, found: Person) -> Person:
    """Somebody who was found by name, as they are now, to be changed. Raises CommandError if they have left."""
    person = await uow.people.get_for_change(asker.organization_id, found.id)
    if person.left_at is not None:
        raise CommandError(f"{named(person.name)} has left. /lapse-admin people shows who is here.")
    return person


async def _whose_role(uow: UnitOfWork, asker: Asker, asked: Asked, whom: str, wanted: str | None) -> Person:
    """The person; where no role was understood, the last word may have been meant as one."""
    try:
        return await person_meant(uow, asker, asked, whom, left=True)
    except CommandError:
        before, _, last = whom.rpartition(" ")
        if wanted is not None or not before or not await _is_somebody(uow, asker, asked, before):
            raise
        raise asked.unknown(last, list(ROLE_NAMES.values()), "a role called ") from None


async def _is_somebody(uow: UnitOfWork, asker: Asker, asked: Asked, words: str) -> bool:
    try:
        await person_meant(uow, asker, asked, words, left=True)
    except CommandError:
        return False
    return True


async def _parted(uow: UnitOfWork, asker: Asker, words: str) -> tuple[str | None, str | None]:
    """Part "Sam Lee Acme, Brio" where the clients begin: the longest ending that names only known clients, or all."""
    known = {name.casefold() for name in await visible_clients(uow, asker)} | {"all"}
    pieces = words.split(" ")
    for at in range(1, len(pieces)):
        names = list(separated_names(" ".join(pieces[at:]), known))
        if names and all(name.casefold() in known for name in names):
            return " ".join(pieces[:at]), " ".join(pieces[at:])
    return words, None


async def limits_in_words(uow: UnitOfWork, asker: Asker, person: Person) -> str:
    """What the person sees, in words."""
    if person.role is not Role.STAFF:
        return SEES[person.role]
    if person.client_ids is None:
        return "sees all clients"
    known = await uow.clients.all(asker.organization_id)
    names = [shown(client.name) for client in known if client.id in person.client_ids]
    return f"sees client {listed(names)}, and what they connected or own" if names else "sees no client"


async def write_change(uow: UnitOfWork, asker: Asker, now: datetime, was: Person, is_now: Person) -> None:
    detail = {"person": shown(is_now.name), "role": ROLE_NAMES[is_now.role]}
    if was.role is not is_now.role:
        detail["was"] = ROLE_NAMES[was.role]
    if was.client_ids != is_now.client_ids:
        there = await uow.clients.all(asker.organization_id)
        names = [shown(client.name) for client in there if is_now.client_ids and client.id in is_now.client_ids]
        detail["clients"] = "all" if is_now.client_ids is None else ", ".join(names) or "none"
    if was.immediate_notices != is_now.immediate_notices:
        detail["copies"] = "on" if is_now.immediate_notices else "off"
    if was.left_at is not None and is_now.left_at is None:
        detail["back"] = "yes"
    if was.deputy_id != is_now.deputy_id:
        detail["deputy"] = to_wire(is_now.deputy_id) if is_now.deputy_id is not None else "nobody"
    await uow.audit.write(entry(asker, now, "person.changed", f"person {to_wire(is_now.id)}", **detail))


def _what_now(person: Person, limits: str) -> Message:
    left = "They have left; with a role they are back." if person.left_at is not None else ""
    said: Line = line(Bold(named(person.name)), f" is {ROLE_NAMES[person.role]}: {limits}. {left}".rstrip())
    return Message((Text(said), Buttons((Button("Change", role_action(person.id), Style.PRIMARY),))))


def said(was: Person, is_now: Person, limits: str) -> Message:
    back = " is back, and" if was.left_at is not None and is_now.left_at is None else ""
    said = line(f"{Mark.GOOD} ", Bold(named(is_now.name)), f"{back} is {ROLE_NAMES[is_now.role]}: {limits}.")
    return Message((Text(said),), Tone.GOOD)
