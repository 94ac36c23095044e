"""Keeps administration to administrators, in commands and behind buttons alike (P-5). Its refusals name whom to ask."""

from commands.access import Act, is_administrator, may
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.seeing import NotYours
from commands.ids import PersonId
from commands.messages import Code, Message, text
from commands.model import Person
from commands.ports.storage import UnitOfWork
from commands.wording import listed, named


async def only_administrators(services: Services, asker: Asker, act: Act = Act.ADMINISTER) -> None:
    """Raises CommandError where the asker may not do this, or not from here. `ADMINISTER`: what concerns everybody."""
    if may(asker.person, act):
        return
    if not is_administrator(asker.person):
        async with services.storage.reading() as uow:
            raise await refused(uow, asker, "Only administrators can do this.")
    raise CommandError(
        Message(
            (
                text(
                    "In this workspace only some clients are spoken of, and this concerns all of "
                    f"{named(asker.organization.name)}."
                ),
                text("Ask in another workspace, or end that here with ", Code("/lapse-admin workspace all"), "."),
            )
        )
    )


async def person_pressed(services: Services, asker: Asker, person_id: PersonId, *, left: bool = False) -> Person:
    """The person that a button is about, for an administrator. Raises NotYours, or CommandError: they left (without
    `left`), or the presser may not.
    """
    async with services.storage.reading() as uow:
        person = (await uow.people.many(asker.organization_id, [person_id])).get(person_id)
    if person is None:
        raise NotYours
    await only_administrators(services, asker)
    if person.left_at is not None and not left:
        raise CommandError(f"{named(person.name)} has left. /lapse-admin people shows who is here.")
    return person


async def refused(uow: UnitOfWork, asker: Asker, sentence: str) -> CommandError:
    """A refusal that says whom to ask."""
    administrators = await uow.people.administrators(asker.organization_id)
    names = [named(person.name) for person in administrators[:2]]
    return CommandError(f"{sentence} Ask {listed(names, 'or')}." if names else sentence)
