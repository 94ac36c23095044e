"""The form for what one person may do: role, clients, copies, and who takes over if they leave (C-8, X-6)."""

from collections.abc import Mapping
from dataclasses import replace

from commands.access import takes_immediate_notices
from commands.actions import fingerprint, person_of, role_action
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.fields import ALL
from commands.handlers.gate import person_pressed
from commands.handlers.naming import separated_names
from commands.handlers.roles import (
    ALWAYS_COPIED,
    ON_OFF,
    ROLE_NAMES,
    ROLE_WORDS,
    SEES,
    give_role,
    limits_in_words,
    only_primary,
    said,
    with_count,
    write_change,
)
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId, PersonId, to_wire
from commands.messages import (
    FORM_CHOICES,
    Bold,
    Button,
    Buttons,
    ChoiceField,
    Field,
    FieldErrors,
    Form,
    FormChoice,
    Message,
    Style,
    TextField,
    line,
    text,
)
from commands.model import Person, Role
from commands.people import deputy_of, people_called
from commands.ports.storage import UnitOfWork
from commands.wording import clean, named, shown

BACK, CLIENTS = "back", "clients"
_LONGEST = 3000
"""Characters that are typed into one field: the shortest of the platforms (Slack's)."""


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """Ask for role, clients, copies and deputy of one person."""
    person = await person_pressed(services, asker, person_of(arguments), left=True)
    async with services.storage.reading() as uow:
        known = await visible_clients(uow, asker)
        deputy = await deputy_of(uow, person)
    left = person.left_at is not None
    choices = tuple(FormChoice(value=role.value, label=f"{ROLE_NAMES[role]}: {SEES[role]}"[:75]) for role in Role)
    return Form(
        title="What somebody may do",
        action=role_action(person.id, as_drawn(person)),
        fields=(
            *((_back_field(person),) if left else ()),
            ChoiceField(name="role", label="Role", choices=choices, chosen=(person.role.value,)),
            _clients_field(person, known),
            ChoiceField(
                name="copies",
                label="Administrators: copies of first notices",
                choices=(FormChoice(value="on", label="on"), FormChoice(value="off", label="off")),
                chosen=("on" if person.immediate_notices or takes_immediate_notices(person) else "off",),
            ),
            TextField(
                name="deputy",
                label="Deputy: takes over if they leave",
                hint="Name or email address",
                value=_called(deputy) if deputy is not None else "",
                required=False,
            ),
        ),
        intro=line(Bold(named(person.name)), f" is {ROLE_NAMES[person.role]}.{' They have left.' if left else ''}"),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]]
) -> Message | FieldErrors:
    """Write what the form says."""
    person = await person_pressed(services, asker, person_of(arguments), left=True)
    async with services.storage.transaction() as uow:
        person = await uow.people.get_for_change(asker.organization_id, person.id)
        if arguments[1] != as_drawn(person):
            raise CommandError(_changed_since(person))
        if person.left_at is not None and not values.get(BACK):
            return FieldErrors(
                ((BACK, "They have left. Tick this if they are back; otherwise there is nothing to change."),)
            )
        new = ROLE_WORDS.get(next(iter(values.get("role", ())), person.role.value), person.role)
        known = await visible_clients(uow, asker)
        limits = _chosen_clients(person, values.get(CLIENTS, ()), known) if new is Role.STAFF else person.client_ids
        if isinstance(limits, FieldErrors):
            return limits
        copied = ON_OFF.get(next(iter(values.get("copies", ())), ""), person.immediate_notices)
        if new is Role.PRIMARY_ADMINISTRATOR and takes_immediate_notices(person) and not copied:
            return FieldErrors((("copies", f"{ALWAYS_COPIED}."),))
        deputy_id = await _chosen_deputy(uow, asker, person, " ".join(values.get("deputy", ())))
        if isinstance(deputy_id, FieldErrors):
            return deputy_id
        changed = await give_role(uow, person, new, by=asker.person)
        changed = replace(changed, immediate_notices=copied, client_ids=limits, deputy_id=deputy_id)
        if changed == person:
            return Message((text("Nothing was changed."),))
        only_primary(asker.person, person, new)
        await uow.people.update(changed)
        await write_change(uow, asker, services.clock.now(), person, changed)
        answer = said(person, changed, await limits_in_words(uow, asker, changed))
    return await with_count(services, asker, person, changed, answer)


def as_drawn(person: Person) -> str:
    """What the form shows of somebody, in a few characters: a form that says otherwise by now is not carried out."""
    limits = None if person.client_ids is None else sorted(map(str, person.client_ids))
    drawn = (person.role, limits, person.immediate_notices, person.deputy_id, person.left_at)
    return fingerprint(repr([str(one) for one in drawn]))


def _changed_since(person: Person) -> Message:
    again = Buttons((Button("Change", role_action(person.id), Style.PRIMARY),))
    was = f" was changed since this form was opened, and is {ROLE_NAMES[person.role]} now"
    left = ", but has left" if person.left_at is not None else ""
    return Message((text(Bold(named(person.name)), f"{was}{left}. Nothing of the form was saved."), again))


def _back_field(person: Person) -> Field:
    """The choice without which nobody comes back. Says who it is: a form of five fields may have no room for more."""
    choice = FormChoice(value="yes", label=shown(f"Yes, {named(person.name)} is back", 75))
    return ChoiceField(name=BACK, label="They have left: take them back?", choices=(choice,), many=True, required=False)


def _clients_field(person: Person, known: Mapping[str, ClientId]) -> Field:
    """Clients to tick while there are few, else to type."""
    label = "Staff: only these clients"
    if len(known) < FORM_CHOICES:
        choices = [FormChoice(value=to_wire(client_id), label=shown(name, 75)) for name, client_id in known.items()]
        chosen = tuple(to_wire(client_id) for client_id in known.values() if client_id in (person.client_ids or ()))
        return ChoiceField(
            name=CLIENTS,
            label=label,
            choices=(FormChoice(value=ALL, label="All clients"), *choices),
            chosen=(ALL,) if _sees_all(person) else chosen,
            many=True,
            required=False,
        )
    value, hint = _typed(person, known), "Names, separated by commas; or: all"
    if not value and person.client_ids:
        hint = f"Empty: the {len(person.client_ids)} clients as now. Otherwise names, separated by commas; or: all"
    return TextField(name=CLIENTS, label=label, hint=hint, value=value, required=False, long=True, most=_LONGEST)


def _sees_all(person: Person) -> bool:
    """Whether all clients are what they were given; who is made staff is given none without being asked."""
    return person.role is Role.STAFF and person.client_ids is None


def _typed(person: Person, known: Mapping[str, ClientId]) -> str:
    """Their clients in words; nothing rather than a part of them."""
    if _sees_all(person):
        return ALL
    words = ", ".join(clean(name) for name, client_id in known.items() if client_id in (person.client_ids or ()))
    return words if len(words) <= _LONGEST else ""


def _untouched(person: Person, given: str, known: Mapping[str, ClientId]) -> bool:
    """Whether the field came back as it was drawn for somebody whose clients were settled before."""
    if person.client_ids is None and not _sees_all(person):
        return False
    if len(known) >= FORM_CHOICES:
        return given == _typed(person, known)
    return not given and not _sees_all(person) and not person.client_ids


def _chosen_clients(
    person: Person, values: tuple[str, ...], known: Mapping[str, ClientId]
) -> frozenset[ClientId] | FieldErrors | None:
    """Ticked or typed clients; None: all, which is said and never left out. What was not touched stays."""
    if _untouched(person, clean(" ".join(values)), known):
        return person.client_ids
    by_name = {clean(name).casefold(): client_id for name, client_id in known.items()}
    by_wire = {to_wire(client_id): client_id for client_id in known.values()}
    words = [word for value in values for word in separated_names(clean(value.replace("\n", ",")), by_name)]
    if not words:
        return FieldErrors(((CLIENTS, "Say which clients, or choose all of them."),))
    every = {word for word in words if word.casefold() == ALL}
    if every:
        both = FieldErrors(((CLIENTS, "Either all clients, or those that you name: not both."),))
        return None if every == set(words) else both
    found = {word: by_wire.get(word) or by_name.get(word.casefold()) for word in words}
    missing = [word for word, client_id in found.items() if client_id is None]
    if missing:
        return FieldErrors(((CLIENTS, f"I don't know a client called “{shown(missing[0], 40)}”."),))
    return frozenset(client_id for client_id in found.values() if client_id is not None)


def _called(deputy: Person) -> str:
    return (deputy.email or deputy.name)[:100]


async def _chosen_deputy(uow: UnitOfWork, asker: Asker, person: Person, words: str) -> PersonId | FieldErrors | None:
    """Whoever was typed; None: nobody."""
    name = clean(words).removeprefix("@")
    if not name:
        return None
    now = await deputy_of(uow, person)
    if now is not None and name == clean(_called(now)):
        return now.id  # as it was, though they may have left since
    found = await people_called(uow, asker.organization_id, name)
    there = [one for one in found if one.left_at is None and one.id != person.id]
    if len(there) == 1:
        return there[0].id
    several = f"“{shown(name, 40)}” matches several people: say it with the email address."
    nobody = f"Nobody else here is called “{shown(name, 40)}”."
    return FieldErrors((("deputy", several if there else nobody),))
