"""What the tests of `/lapse-admin` about people ask, and look up in the store."""

from datetime import timedelta

from commands.model import Role
from commands.ports.events import Event, EventKind
from tests.commands.plain import plain
from tests.commands.world import World


async def says(world: World, who: str, words: str | dict[str, str]) -> str:
    return plain(await world.typed(who, "lapse-admin", words))


async def person(world: World, who: str) -> tuple[Role, frozenset[str] | None, bool]:
    """Role, clients by name, copies."""
    async with world.storage.reading() as uow:
        there = await uow.people.get(world.organization.id, world.people[who].id)
        names = {client.id: client.name for client in await uow.clients.all(world.organization.id)}
    limits = None if there.client_ids is None else frozenset(names[client_id] for client_id in there.client_ids)
    return there.role, limits, there.immediate_notices


async def events(world: World, kind: EventKind) -> list[Event]:
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=100)
    return [event for each in due for event in each.events if event.kind is kind]
