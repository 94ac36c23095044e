"""`/lapsed`: hands its other words to their own files, and reads the list's filters (C-1, C-2)."""

from collections.abc import Mapping, Sequence

from commands import usage
from commands.access import scope_of
from commands.actions import ListView, OutOfDate, StateFilter, list_of
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers import checking, help, ownership
from commands.handlers.listing import Listing, draw_list, read_page
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId
from commands.messages import Message
from commands.model import ConnectionState, Count, Filter, Person
from commands.parsing import Arguments, LapsedQuery, Show, client_named, network_names, parse_lapsed, unknown
from commands.ports.storage import UnitOfWork


async def answer(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Answer `/lapsed`."""
    names = network_names(services.networks)
    query = parse_lapsed(arguments, names)
    match query.show:
        case Show.LIST:
            return await _list(services, asker, query, arguments, names)
        case Show.WHO:
            return await ownership.who(services, asker, query, arguments)
        case Show.CHECK:
            return await checking.check(services, asker, query, arguments)
        case Show.WHY:
            return help.why(services, asker, query.network)
        case Show.HELP:
            return help.overview(services, asker, arguments)


async def turn(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Show another part of a list, or the same list filtered anew, in its place."""
    view = list_of(arguments)
    async with services.storage.reading() as uow:
        counts = await uow.connections.counts(asker.organization_id, scope_of(asker.person))
        if view.network is not None and view.network not in {*services.networks, *(count.network for count in counts)}:
            raise OutOfDate
        client = next((count.client_name for count in counts if count.client_id == view.client_id), None)
        if view.client_id is not None and client is None:
            raise OutOfDate
        person = None
        if view.person_id is not None:
            person = (await uow.people.many(asker.organization_id, [view.person_id])).get(view.person_id)
            if person is None or not await _is_known(uow, asker, person):
                raise OutOfDate
        listing = await read_page(uow, services, asker, Listing(view=view, counts=counts, client=client, person=person))
    return draw_list(services, asker, listing)


async def _list(
    services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments, names: Mapping[str, str]
) -> Message:
    async with services.storage.reading() as uow:
        counts = await uow.connections.counts(asker.organization_id, scope_of(asker.person))
        client, client_id, search = await _client_and_search(uow, services, asker, query, counts, arguments=arguments)
        person = await _person(uow, services, asker, query.person) if query.person else None
        if query.person is not None and person is None:
            if not query.person.startswith("@") or search is not None:
                raise _unclear_person(services, arguments, query.person)
            search = query.person.removeprefix("@")  # accounts have names like @acme too
        view = ListView(
            state=query.state or (StateFilter.ALL if search else StateFilter.NEEDS_CONNECTING),
            network=query.network,
            client_id=client_id,
            mine=query.mine,
            person_id=person.id if person else None,
            search=search,
        )
        listing = await read_page(uow, services, asker, Listing(view=view, counts=counts, client=client, person=person))
    if search is not None and view.state is StateFilter.ALL and not listing.page.total:
        if query.person is not None and person is None:
            raise _unclear_person(services, arguments, query.person)
        known = (*names, *(count.client_name for count in counts), *StateFilter, *Show, "mine")
        raise unknown(arguments, usage.LAPSED.here(services.networks), search, known)
    return draw_list(services, asker, listing)


async def _client_and_search(
    uow: UnitOfWork,
    services: Services,
    asker: Asker,
    query: LapsedQuery,
    counts: Sequence[Count],
    *,
    arguments: Arguments,
) -> tuple[str | None, ClientId | None, str | None]:
    """Settle which words name a client, in full, and which an account."""
    clients = {count.client_name: count.client_id for count in counts}
    by_folded = {name.casefold(): name for name in clients}
    if query.client is None:
        client = by_folded.get(query.words.casefold()) if query.words and not query.account else None
        if client is not None:
            return client, clients[client], None
        return None, None, " ".join(part for part in (query.account, query.words) if part) or None
    if query.client.casefold() not in by_folded:  # a client without connections is in no count
        clients = dict(await visible_clients(uow, asker))
        by_folded = {name.casefold(): name for name in clients}
    client_id = client_named(query.client, clients, arguments, usage.LAPSED.here(services.networks))
    search = " ".join(part for part in (query.account, query.words) if part) or None
    return by_folded[query.client.casefold()], client_id, search


async def _person(uow: UnitOfWork, services: Services, asker: Asker, words: str) -> Person | None:
    """Find a person by a mentioned chat account, else by name; None if nobody that the asker may know of matches, or
    several.
    """
    name = words.removeprefix("@")
    if name != words:
        standing = await services.storage.directory.standing(
            platform=asker.user.platform, workspace=asker.place.workspace, tenant=asker.user.tenant, user=name
        )
        for member in standing.members:
            if member.organization.id == asker.organization_id:
                return member.person if await _is_known(uow, asker, member.person) else None
    found = [
        person for person in await uow.people.named(asker.organization_id, name) if await _is_known(uow, asker, person)
    ]
    return found[0] if len(found) == 1 else None


async def _is_known(uow: UnitOfWork, asker: Asker, person: Person) -> bool:
    """Whether the asker may know of somebody: they see everything, or something that this person connected or owns."""
    scope = scope_of(asker.person)
    if scope.client_ids is None or person.id == asker.person.id:
        return True
    theirs = Filter(person_id=person.id, states=tuple(ConnectionState))
    return (await uow.connections.page(asker.organization_id, scope, theirs, offset=0, limit=1)).total > 0


def _unclear_person(services: Services, arguments: Arguments, name: str) -> CommandError:
    return unknown(
        arguments, usage.LAPSED.here(services.networks), name.removeprefix("@"), (), noun="whom you mean by "
    )
