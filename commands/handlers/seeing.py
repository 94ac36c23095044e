"""What the asker may see: one connection, accounts by their name, clients. What they may not see is not there (P-5)."""

from collections.abc import Mapping, Sequence

from commands.access import may_see, scope_of
from commands.command import Asker
from commands.errors import CommandError
from commands.ids import ClientId, ConnectionId
from commands.messages import Code, Message, text
from commands.model import ConnectionState, ConnectionView, Filter, Person
from commands.ports.storage import UnitOfWork


class NotYours(CommandError):
    """A row that is not there for this asker, for whatever reason: one answer, so that nothing is learned from it."""

    def __init__(self) -> None:
        super().__init__(Message((text("This is gone, or not yours to see. Type ", Code("/lapsed"), " for what is."),)))


async def seen(uow: UnitOfWork, asker: Asker, connection_id: ConnectionId) -> ConnectionView:
    """One connection that the asker may see. Raises NotYours."""
    view = await uow.connections.view(asker.organization_id, connection_id)
    if view is None or not may_see(asker.person, view.connection):
        raise NotYours
    return view


async def accounts_called(
    uow: UnitOfWork, asker: Asker, words: str, *, network: str | None, client: str | None, limit: int
) -> Sequence[ConnectionView]:
    """Connections by account id or name, at most `limit`, that the asker may see; of the client of this name alone."""
    client_id = None
    if client is not None:
        clients = {name.casefold(): each for name, each in (await visible_clients(uow, asker)).items()}
        client_id = clients.get(client.casefold())
        if client_id is None:
            return ()
    return await uow.connections.find(
        asker.organization_id, scope_of(asker.person), words, limit=limit, network=network, client_id=client_id
    )


async def visible_clients(uow: UnitOfWork, asker: Asker) -> Mapping[str, ClientId]:
    """The clients that the asker may know of, by name."""
    scope = scope_of(asker.person)
    clients = {client.name: client.id for client in await uow.clients.all(asker.organization_id)}
    if scope.within is not None:
        clients = {name: client_id for name, client_id in clients.items() if client_id in scope.within}
    if scope.client_ids is None:
        return clients
    counted = {count.client_id for count in await uow.connections.counts(asker.organization_id, scope)}
    return {name: client_id for name, client_id in clients.items() if client_id in scope.client_ids | counted}


async def knows_of(uow: UnitOfWork, asker: Asker, person: Person) -> bool:
    """Whether the asker may know of somebody: they see everything, or something that this person connected or owns."""
    scope = scope_of(asker.person)
    if person.id == asker.person.id or (scope.client_ids is None and scope.within is None):
        return True
    theirs = Filter(person_id=person.id, states=tuple(ConnectionState))
    return (await uow.connections.page(asker.organization_id, scope, theirs, offset=0, limit=1)).total > 0
