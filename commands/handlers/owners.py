"""Owners: who owns what and how much of it needs connecting, sending them their link, adding one (C-8)."""

import re
from collections.abc import Mapping
from datetime import datetime

from commands.access import Act, may, scope_of
from commands.actions import (
    ADD_OWNER,
    ListView,
    admin_list_action,
    copy_link_action,
    list_action,
    person_of,
    send_link_action,
)
from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.gate import only_administrators, person_pressed
from commands.handlers.links import LINKS
from commands.handlers.naming import person_meant
from commands.handlers.paging import PAGE_SIZE, first_row, paging
from commands.handlers.roles import only_primary
from commands.ids import EventId, PersonId, new_id, to_wire
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Code,
    FieldErrors,
    Form,
    Heading,
    Mark,
    Message,
    Note,
    Part,
    Row,
    Rows,
    Style,
    TextField,
    Tone,
    line,
    text,
)
from commands.model import Person, Role
from commands.once_a_day import day_in, event_id
from commands.passes import LIVES, make_pass
from commands.ports.connections import OwnerCount
from commands.ports.events import Event, EventKind
from commands.ports.reconnecting import PassPurpose
from commands.ports.storage import AlreadyThere, UnitOfWork
from commands.wording import clean, named, number_of, shown

OWNERS = "owners"
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")


async def owners(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin owners`: everybody who owns something, the most in need first."""
    return await page(services, asker, 0)


async def page(services: Services, asker: Asker, offset: int) -> Message:
    """A part of that list. In a workspace of some clients only what is theirs counts."""
    await only_administrators(services, asker, Act.ADMINISTER_HERE)
    async with services.storage.reading() as uow:
        found = await uow.connections.owners(asker.organization_id, scope_of(asker.person))
    if not found:
        return Message(
            (
                text("Nobody owns an account yet. Owners come with an import, or one by one:"),
                text(
                    Code("/lapse-admin add-owner NAME EMAIL"), ", then ", Code("/lapse-admin transfer ACCOUNT to NAME")
                ),
            )
        )
    offset = first_row(offset, len(found))
    part = found[offset : offset + PAGE_SIZE]
    needing = sum(each.needing for each in found)
    heading = line(
        Bold(number_of(len(found), "owner")), f" · {number_of(needing, 'account')} of theirs to be connected"
    )
    parts: list[Part] = [Heading(heading), Rows(tuple(_row(asker, each) for each in part))]
    parts += paging(OWNERS, offset, len(found))
    return Message(tuple(parts), Tone.ACTION if needing else Tone.NEUTRAL)


async def send_link(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin send-link PERSON`."""
    words = asked.need("person", "Who should get the link to their accounts?")
    async with services.storage.transaction() as uow:
        return await _send(uow, services, asker, await person_meant(uow, asker, asked, words))


async def press_send(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """The Send link button of a row."""
    person = await person_pressed(services, asker, person_of(arguments))
    async with services.storage.transaction() as uow:
        return await _send(uow, services, asker, person)


async def copy_link(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Answer with a link that opens somebody's own list, for passing on by hand (N-7, R-13)."""
    person = await person_pressed(services, asker, person_of(arguments))
    only_primary(asker.person, person)
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        made_by = asker.person.id
        address = await make_pass(
            uow, services.public_url, person, PassPurpose.ACCOUNTS, made_by=made_by, now=now, followed=True
        )
        subject = f"person {to_wire(person.id)}"
        await uow.audit.write(entry(asker, now, "personal_link.copied", subject, person=shown(person.name)))
    days = LIVES[PassPurpose.ACCOUNTS].days
    parts = (
        text("The link to the accounts of ", Bold(named(person.name)), ":"),
        text(Code(address)),
        Note(
            line(
                f"Give it to {named(person.name)} alone: whoever opens it can reconnect their accounts. It works for "
                f"{number_of(days, 'day')}, in the first browser that uses it. How far it got: ",
                Code("/lapse-admin links"),
            )
        ),
    )
    return Message(parts)


async def add_owner(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin add-owner NAME EMAIL`; with nothing said, offer a form."""
    name, email = asked.get("name"), asked.get("email")
    if name is None and email is None:
        form_button = Button("Fill in a form", ActionRef(ADD_OWNER), Style.PRIMARY)
        ways = text("Type ", asked.command.hints[0].code(asked.form), ", or fill in a form.")
        return Message((text("Who should be added?"), ways, Buttons((form_button,))))
    wrong = _wrong(name or "", email or "")
    if wrong is not None:
        raise asked.refused(wrong[1])
    return await _add(services, asker, name or "", email or "")


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """Ask for an owner's name and address."""
    await only_administrators(services, asker)
    return Form(
        title="Add an owner",
        action=ActionRef(ADD_OWNER),
        fields=(
            TextField(name="name", label="Name", hint="Ana Ruiz", most=80),
            TextField(name="email", label="Email address", hint="ana@example.com", most=200),
        ),
        send_label="Add",
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]]
) -> Message | FieldErrors:
    """Add whom the form names."""
    await only_administrators(services, asker)
    name, email = (clean(" ".join(values.get(field, ()))) for field in ("name", "email"))
    wrong = _wrong(name, email)
    if wrong is not None:
        return FieldErrors((wrong,))
    return await _add(services, asker, name, email)


def linked_event(asker: Asker, person_id: PersonId, now: datetime, event_of: EventId) -> Event:
    """Have the link to their accounts sent to somebody, in a message of its own."""
    return Event(
        id=event_of,
        organization_id=asker.organization_id,
        kind=EventKind.LINK_SENT,
        at=now,
        person_id=person_id,
        data={"by": shown(asker.person.name)},
    )


def _wrong(name: str, email: str) -> tuple[str, str] | None:
    """What cannot be taken: the field, and why."""
    if not name:
        return ("name", "The name is missing.")
    if not email:
        return ("email", "The email address is missing: it is where their link goes while they have no chat account.")
    if not _EMAIL.fullmatch(email):
        return ("email", f"“{shown(email, 40)}” is not an email address.")
    return None


async def _add(services: Services, asker: Asker, name: str, email: str) -> Message:
    """Add an owner; everyone gets their link when they are first added (R-13)."""
    now = services.clock.now()
    person = Person(
        id=PersonId(new_id(now)),
        organization_id=asker.organization_id,
        name=shown(name),
        email=email.lower(),
        role=Role.OWNER,
    )
    try:
        async with services.storage.transaction() as uow:
            await uow.people.add(person)
            await uow.notices.record([linked_event(asker, person.id, now, EventId(new_id(now)))])
            detail = {"person": person.name, "email": email.lower(), "role": person.role.value}
            await uow.audit.write(entry(asker, now, "person.added", f"person {to_wire(person.id)}", **detail))
    except AlreadyThere:
        raise await _known_already(services, asker, email) from None
    return Message(
        (
            text(f"{Mark.GOOD} Added: ", Bold(person.name), ", owner. A link to their accounts is on its way to them."),
            text("Next: ", Code(f"/lapse-admin transfer ACCOUNT to {person.name}"), " makes accounts theirs."),
        ),
        Tone.GOOD,
    )


async def _known_already(services: Services, asker: Asker, email: str) -> CommandError:
    async with services.storage.reading() as uow:
        there = await uow.people.by_email(asker.organization_id, email)
    if there is None:
        return CommandError("Somebody added that address a moment ago.")
    role = f"/lapse-admin role {email} owner"
    if there.left_at is not None:
        answer = text(Bold(named(there.name)), " has this address, and has left. To take them back: ", Code(role))
    else:
        is_what = there.role.value.replace("_", " ")
        answer = text(Bold(named(there.name)), f" already has this address, as {is_what}. Nothing changed.")
    return CommandError(Message((answer,)))


def _row(asker: Asker, each: OwnerCount) -> Row:
    """One owner. Where only some clients are spoken of, nothing is sent: the link opens all of their accounts."""
    person = each.person
    left = " · has left: transfer what is theirs" if person.left_at is not None else ""
    state = (
        f"{each.needing} of {number_of(each.total, 'account')} to be connected"
        if each.needing
        else (f"{number_of(each.total, 'account')}, all work")
    )
    email = f" · {shown(person.email)}" if person.email else ""
    reachable = person.left_at is None and may(asker.person, Act.ADMINISTER)
    theirs = list_action(ListView(person_id=person.id))
    return Row(
        Mark.LAPSED if each.needing else Mark.GOOD,
        line(Bold(named(person.name)), email),
        line(f"{state}{left}"),
        Button("Send link", send_link_action(person.id)) if reachable else None,
        Button("Accounts", theirs) if theirs is not None else None,
    )


async def _send(uow: UnitOfWork, services: Services, asker: Asker, person: Person) -> Message:
    """Send the link, once a day for each person."""
    now = services.clock.now()
    copying = Button("Copy their link", copy_link_action(person.id))
    copy, progress = Buttons((copying,)), admin_list_action(LINKS, 0)
    after = Buttons((*([Button("How far it got", progress)] if progress else []), copying))
    accounts = (await uow.people.identities(asker.organization_id, [person.id])).get(person.id, ())
    if person.email is None and all(account.gone_at is not None for account in accounts):
        raise CommandError(
            Message((text(Bold(named(person.name)), " has neither a chat account nor an email address here."), copy))
        )
    day = day_in(asker.organization.time_zone, now)
    own = await uow.passes.of(asker.organization_id, person.id, PassPurpose.ACCOUNTS)
    ended = sum(one.notice_id is not None and one.withdrawn_at is not None for one in own)  # each allows another
    once = event_id(asker.organization_id, day, "link sent", to_wire(person.id), *([str(ended)] if ended else []))
    if not await uow.notices.record_once(linked_event(asker, person.id, now, once)):
        return Message((text(Bold(named(person.name)), " already got their link today; the message is there."), after))
    subject = f"person {to_wire(person.id)}"
    await uow.audit.write(entry(asker, now, "personal_link.sent", subject, person=shown(person.name)))
    return Message(
        (
            text(f"{Mark.GOOD} ", Bold(named(person.name)), " gets a message with the link to their accounts."),
            text("How far it gets stands in ", Code("/lapse-admin links"), ": sent, opened, at the network, done."),
            after,
        ),
        Tone.GOOD,
    )
