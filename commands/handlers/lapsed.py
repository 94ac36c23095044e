"""`/lapsed`: hands its other words to their own files, and reads the list's filters (C-1, C-2). The list is also the
asker's home in the chat platform (C-11).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from commands import usage
from commands.access import scope_of
from commands.actions import ListView, OutOfDate, StateFilter, list_of
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers import checking, forecast, help, history, ownership, stats, who_can
from commands.handlers.banner import under_banner
from commands.handlers.listing import Listing, draw_list, read_page
from commands.handlers.seeing import knows_of, visible_clients
from commands.ids import ClientId
from commands.messages import Message
from commands.model import Count, Person
from commands.parsing import Arguments, LapsedQuery, Show, client_named, network_names, parse_lapsed, unknown
from commands.ports.storage import UnitOfWork

_SHOWN: Mapping[Show, Callable[[Services, Asker, LapsedQuery, Arguments], Awaitable[Message]]] = MappingProxyType(
    {
        Show.WHO: ownership.who,
        Show.HISTORY: history.history,
        Show.STATS: stats.stats,
        Show.UPCOMING: forecast.upcoming,
        Show.WHO_CAN: who_can.who_can,
        Show.CHECK: checking.check,
        Show.WHY: help.why,
        Show.HELP: help.overview,
    }
)
"""What is shown besides the list."""
VISIT = timedelta(minutes=1)
"""Openings of the list this close together are noted once: who looks again at once costs no write."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def answer(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Answer `/lapsed`. The list says itself what is to be mended; other answers open with the banner."""
    names = network_names(services.networks)
    query = parse_lapsed(arguments, names)
    if query == LapsedQuery():
        return await home(services, asker)
    if query.show is Show.LIST:
        return await _list(services, asker, query, arguments, names)
    return await under_banner(services, asker, _SHOWN[query.show](services, asker, query, arguments))


async def home(services: Services, asker: Asker) -> Message:
    """The whole list, with what lapsed since it was last opened marked as new; notes that it was opened. Three
    statements, or four.
    """
    person, now = asker.person, services.clock.now()
    async with services.storage.reading() as uow:
        counts = await uow.connections.counts(asker.organization_id, scope_of(person))
        view = ListView(new_since=person.list_seen_at or _NEVER)
        listing = await read_page(uow, services, asker, Listing(view=view, counts=counts, client=None, person=None))
    if listing.page.total and (person.list_seen_at is None or person.list_seen_at + VISIT < now):
        async with services.storage.transaction() as uow:
            await uow.people.saw_list(asker.organization_id, person.id, now)
    return draw_list(services, asker, listing)


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
            if person is None or not await knows_of(uow, asker, person):
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
        others = (f"/{command.name}" for command in usage.USAGES)  # "/lapsed reconnect"
        known = (*names, *(count.client_name for count in counts), *StateFilter, *Show, "mine", *others)
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
                return member.person if await knows_of(uow, asker, member.person) else None
    found = [
        person for person in await uow.people.named(asker.organization_id, name) if await knows_of(uow, asker, person)
    ]
    return found[0] if len(found) == 1 else None


def _unclear_person(services: Services, arguments: Arguments, name: str) -> CommandError:
    return unknown(
        arguments, usage.LAPSED.here(services.networks), name.removeprefix("@"), (), noun="whom you mean by "
    )
