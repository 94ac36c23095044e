"""`/lapse-admin link` and `unlink`: chat accounts of people whose account carries no known address, and ending them
(P-6).
"""

from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.naming import person_meant
from commands.handlers.roles import only_primary
from commands.ids import to_wire
from commands.linking import unlink as unlink_account
from commands.messages import Bold, Code, Mark, Message, Note, Tone, line, text
from commands.passes import LIVES, make_pass
from commands.ports.reconnecting import PassPurpose
from commands.wording import named, number_of, shown


async def link(services: Services, asker: Asker, asked: Asked) -> Message:
    """Answer with a one-time link that makes whoever opens it, signed in, this person."""
    whom = asked.need("person", "Whose chat account should be linked?")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await person_meant(uow, asker, asked, whom)
        only_primary(asker.person, person)
        address = await make_pass(
            uow, services.public_url, person, PassPurpose.IDENTITY, made_by=asker.person.id, now=now
        )
        subject = f"person {to_wire(person.id)}"
        await uow.audit.write(entry(asker, now, "identity_link.made", subject, person=shown(person.name)))
    name, hours = named(person.name), int(LIVES[PassPurpose.IDENTITY].total_seconds() // 3600)
    return Message(
        (
            text("A link for ", Bold(name), " to make their chat account theirs here:"),
            text(Code(address)),
            Note(
                line(
                    f"Give it only to {name}: whoever opens it signs in, sees both names and confirms, once. It works "
                    f"for {hours} hours."
                )
            ),
        )
    )


async def unlink(services: Services, asker: Asker, asked: Asked) -> Message:
    """Forget a person's chat accounts: their messages, opt-ins and open links there end."""
    whom = asked.need("person", "Whose chat accounts should be forgotten?")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await person_meant(uow, asker, asked, whom, left=True)
        if person.id == asker.person.id:
            raise CommandError("Only another administrator can forget your own chat account.")
        only_primary(asker.person, person)
        accounts = (await uow.people.identities(asker.organization_id, [person.id])).get(person.id, ())
        if not accounts:
            raise CommandError(f"{named(person.name)} has no chat account linked here; nothing changed.")
        for account in accounts:
            await unlink_account(uow, account, asker, now)
    number = number_of(len(accounts), "chat account")
    reach = (
        "They are reached by email now." if person.email else "Nothing reaches them now: they have no email address."
    )
    return Message(
        (
            text(f"{Mark.GOOD} Forgotten: {number} of ", Bold(named(person.name)), "."),
            text(f"Direct messages to it, opt-ins and open links ended. {reach}"),
            text("To link one again: ", Code(f"/lapse-admin link {named(person.name)}"), "."),
        ),
        Tone.GOOD,
    )
