"""Opt-ins as the audit log tells of them, and ending all of somebody who is gone from here (A-4, A-5)."""

from collections.abc import Mapping
from datetime import datetime

from commands.auditing import Actor, entry
from commands.command import Asker
from commands.ids import ClientId, to_wire
from commands.model import Channel, Person, Subscription
from commands.ports.storage import UnitOfWork
from commands.wording import shown


def channel_subject(channel: Channel) -> str:
    """A channel, as the subject of an entry."""
    return f"channel {channel.platform} {channel.tenant}/{channel.external_id}"


def want_detail(network: str | None, client_id: ClientId | None, clients: Mapping[str, ClientId]) -> dict[str, str]:
    """What an opt-in is for, for an entry's detail. `clients`: ids by name."""
    client = next((shown(name) for name, known in clients.items() if known == client_id), "unknown")
    return {"network": network or "all", "client": "all" if client_id is None else client}


async def end_opt_ins_of(
    uow: UnitOfWork, person: Person, by: Actor | Asker, *, why: str, now: datetime
) -> list[Subscription]:
    """End somebody's own opt-ins, and those of channels that hear as far as they may see, each with its entry. Gives
    them all.
    """
    organization_id = person.organization_id
    ended = [each for each in await uow.subscriptions.all(organization_id) if each.person_id == person.id]
    clients = {client.name: client.id for client in await uow.clients.all(organization_id)} if ended else {}
    for each in ended:
        await uow.subscriptions.remove(
            organization_id,
            person_id=person.id if each.channel is None else None,
            channel=each.channel,
            network=each.network,
            client_id=each.client_id,
            everything=False,
        )
        subject = f"person {to_wire(person.id)}" if each.channel is None else channel_subject(each.channel)
        detail = {"person": shown(person.name), **want_detail(each.network, each.client_id, clients), "why": why}
        await uow.audit.write(entry(by, now, "subscription.ended", subject, **detail))
    return ended
