"""What may be meant by what somebody types in an option: at most 25, only what they may see, through indexes alone."""

from collections.abc import Sequence

from commands.access import is_administrator, scope_of
from commands.command import Asker, Services
from commands.drawing import network_name
from commands.handlers.seeing import knows_of, visible_clients
from commands.messages import FORM_CHOICES, FormChoice
from commands.wording import named, shown

_VALUE = 100  # characters of a choice's value: what every platform takes
_NAME = 60  # characters of a name: with network and id within 100


async def accounts(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """Accounts by the beginning of their name or id; the value is the id."""
    async with services.storage.reading() as uow:
        found = await uow.connections.suggest(asker.organization_id, scope_of(asker.person), typed, limit=FORM_CHOICES)
    return [
        FormChoice(
            each.account_id,
            f"{network_name(services.networks, each.network)} · {shown(each.account_name, _NAME) or '(no name)'}"
            f" · {shown(each.account_id, 24)}",
        )
        for each in found
        if len(each.account_id) <= _VALUE
    ]


async def networks(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """Networks that are set up here, by the beginning of any of their names."""
    folded = typed.casefold()
    return [
        FormChoice(slug, network.spec.name)
        for slug, network in sorted(services.networks.items(), key=lambda item: item[1].spec.name.casefold())
        if any(name.casefold().startswith(folded) for name in (slug, network.spec.name, *network.spec.aliases))
    ][:FORM_CHOICES]


async def networks_or_all(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """The same, and "all" first."""
    everything = [FormChoice("all", "all networks")] if "all".startswith(typed.casefold()) else []
    return [*everything, *await networks(services, asker, typed)][:FORM_CHOICES]


async def clients(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """Clients: those whose name begins so first, then those that have it inside."""
    folded = typed.casefold()
    async with services.storage.reading() as uow:
        visible = await visible_clients(uow, asker)
    names = [name for name in visible if folded in name.casefold() and len(name) <= _VALUE]
    ordered = sorted(names, key=lambda name: (not name.casefold().startswith(folded), name.casefold()))
    return [FormChoice(name, named(name)) for name in ordered[:FORM_CHOICES]]


async def client_list(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """Clients whose name begins so; the last of several."""
    before, comma, beginning = typed.rpartition(",")
    async with services.storage.reading() as uow:
        known = await visible_clients(uow, asker)
    kept = f"{before}{comma} " if comma else ""
    there = [name for name in known if name.casefold().startswith(beginning.strip().casefold())]
    return [
        FormChoice(value=f"{kept}{name}"[:_VALUE], label=shown(f"{kept}{name}", _VALUE))
        for name in there[:FORM_CHOICES]
    ]


async def people(services: Services, asker: Asker, typed: str) -> Sequence[FormChoice]:
    """People by the beginning of their name or email address, as far as the asker may know of them."""
    async with services.storage.reading() as uow:
        found = await uow.people.named(asker.organization_id, typed)
        known = [person for person in found if person.left_at is None and await knows_of(uow, asker, person)]
    exact = is_administrator(asker.person)
    return [
        FormChoice(shown((person.email if exact else None) or person.name, _VALUE), named(person.name))
        for person in known
    ]
