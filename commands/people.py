"""Finding people by what somebody typed: the same rule in chat, on pages and on the command line."""

from collections.abc import Sequence

from commands.ids import OrganizationId
from commands.model import Person
from commands.ports.storage import UnitOfWork


async def people_called(uow: UnitOfWork, organization_id: OrganizationId, words: str) -> Sequence[Person]:
    """Whoever has this email address; else whose whole name this is; else those whose name or address begins so, at
    most 10. Those who left are among them.
    """
    exact = await uow.people.by_email(organization_id, words) if "@" in words else None
    found = [exact] if exact is not None else await uow.people.named(organization_id, words)
    return [person for person in found if person.name.casefold() == words.casefold()] or found


async def deputy_of(uow: UnitOfWork, person: Person) -> Person | None:
    """Who stands as somebody's deputy (X-6), though they may have left themselves."""
    if person.deputy_id is None:
        return None
    return (await uow.people.many(person.organization_id, [person.deputy_id])).get(person.deputy_id)
