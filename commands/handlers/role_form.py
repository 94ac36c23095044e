"""The form for what one person may do: role, clients, copies, and who takes over if they leave (C-8, X-6)."""

from collections.abc import Mapping
from dataclasses import replace

from commands.actions import person_of, role_action
from commands.command import Asker, Services
from commands.handlers.gate import person_pressed
from commands.handlers.roles import (
    ON_OFF,
    ROLE_NAMES,
    ROLE_WORDS,
    SEES,
    give_role,
    limits_in_words,
    said,
    write_change,
)
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId, PersonId, to_wire
from commands.messages import (
    FORM_CHOICES,
    Bold,
    ChoiceField,
    Field,
    FieldErrors,
    Form,
    FormChoice,
    Message,
    TextField,
    line,
    text,
)
from commands.model import Person, Role
from commands.ports.storage import UnitOfWork
from commands.wording import clean, named, shown


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """Ask for role, clients, copies and deputy of one person."""
    person = await person_pressed(services, asker, person_of(arguments), left=True)
    async with services.storage.reading() as uow:
        known = await visible_clients(uow, asker)
        ids = [person.deputy_id] if person.deputy_id is not None else []
        deputy = next(iter((await uow.people.many(asker.organization_id, ids)).values()), None)
    back = " They have left; saving this takes them back." if person.left_at is not None else ""
    choices = tuple(FormChoice(value=role.value, label=f"{ROLE_NAMES[role]}: {SEES[role]}"[:75]) for role in Role)
    return Form(
        title="What somebody may do",
        action=role_action(person.id),
        fields=(
            ChoiceField(name="role", label="Role", choices=choices, chosen=(person.role.value,)),
            _clients_field(person, known),
            ChoiceField(
                name="copies",
                label="Administrators: copies of first notices",
                choices=(FormChoice(value="on", label="on"), FormChoice(value="off", label="off")),
                chosen=("on" if person.immediate_notices else "off",),
            ),
            TextField(
                name="deputy",
                label="Deputy: takes over if they leave",
                hint="Name or email address",
                value=(deputy.email or deputy.name)[:100] if deputy is not None else "",
                required=False,
            ),
        ),
        intro=line(Bold(named(person.name)), f" is {ROLE_NAMES[person.role]}.{back}"),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]]
) -> Message | FieldErrors:
    """Write what the form says."""
    person = await person_pressed(services, asker, person_of(arguments), left=True)
    async with services.storage.transaction() as uow:
        person = await uow.people.get(asker.organization_id, person.id)
        new = ROLE_WORDS.get(next(iter(values.get("role", ())), person.role.value), person.role)
        known = await visible_clients(uow, asker)
        named_clients = _chosen_clients(values.get("clients", ()), known)
        if isinstance(named_clients, FieldErrors):
            return named_clients
        deputy_id = await _chosen_deputy(uow, asker, person, " ".join(values.get("deputy", ())))
        if isinstance(deputy_id, FieldErrors):
            return deputy_id
        changed = await give_role(uow, person, new, by=asker.person)
        copied = ON_OFF.get(next(iter(values.get("copies", ())), ""), person.immediate_notices)
        limits = named_clients if new is Role.STAFF else person.client_ids
        changed = replace(changed, immediate_notices=copied, client_ids=limits, deputy_id=deputy_id)
        if changed == person:
            return Message((text("Nothing was changed."),))
        await uow.people.update(changed)
        await write_change(uow, asker, services.clock.now(), person, changed)
        return said(person, changed, await limits_in_words(uow, asker, changed))


def _clients_field(person: Person, known: Mapping[str, ClientId]) -> Field:
    """Clients to tick while there are few, else to type."""
    theirs = person.client_ids
    label = "Staff: only these clients"
    if 0 < len(known) <= FORM_CHOICES:
        chosen = tuple(to_wire(client_id) for client_id in known.values() if theirs and client_id in theirs)
        choices = tuple(
            FormChoice(value=to_wire(client_id), label=shown(name, 75)) for name, client_id in known.items()
        )
        return ChoiceField(name="clients", label=label, choices=choices, chosen=chosen, many=True, required=False)
    value = ", ".join(name for name, client_id in known.items() if theirs and client_id in theirs)
    hint = "Names, parted by commas; empty: all"
    return TextField(name="clients", label=label, hint=hint, value=value[:500], required=False)


def _chosen_clients(values: tuple[str, ...], known: Mapping[str, ClientId]) -> frozenset[ClientId] | FieldErrors | None:
    """Ticked or typed clients; None: all."""
    by_name = {name.casefold(): client_id for name, client_id in known.items()}
    by_wire = {to_wire(client_id): client_id for client_id in known.values()}
    words = [word.strip() for value in values for word in value.split(",") if word.strip()]
    found = [by_wire.get(word) or by_name.get(word.casefold()) for word in words]
    missing = [word for word, client_id in zip(words, found, strict=True) if client_id is None]
    if missing:
        return FieldErrors((("clients", f"I don't know a client called “{shown(missing[0], 40)}”."),))
    return frozenset(client_id for client_id in found if client_id is not None) or None


async def _chosen_deputy(uow: UnitOfWork, asker: Asker, person: Person, words: str) -> PersonId | FieldErrors | None:
    """Whoever was typed; None: nobody."""
    name = clean(words).removeprefix("@")
    if not name:
        return None
    exact = await uow.people.by_email(asker.organization_id, name) if "@" in name else None
    found = [exact] if exact is not None else await uow.people.named(asker.organization_id, name)
    there = [one for one in found if one.left_at is None and one.id != person.id]
    if len(there) == 1:
        return there[0].id
    several = f"“{shown(name, 40)}” matches several people: say it with the email address."
    nobody = f"Nobody else here is called “{shown(name, 40)}”."
    return FieldErrors((("deputy", several if there else nobody),))
