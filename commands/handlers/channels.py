"""What channels hear, for administrators: the list, and ending any of it (C-8)."""

from collections.abc import Mapping, Sequence

from commands.actions import end_channel_action, subscription_id_of
from commands.auditing import entry
from commands.command import Asker, Services
from commands.handlers.asked import Asked
from commands.handlers.gate import only_administrators
from commands.handlers.paging import PAGE_SIZE, first_row, paging
from commands.handlers.readers import in_words
from commands.handlers.seeing import NotYours
from commands.ids import ClientId
from commands.messages import (
    Bold,
    Button,
    Code,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Part,
    Row,
    Rows,
    line,
    text,
)
from commands.model import Channel, Person, Subscription, Workspace
from commands.opt_ins import channel_subject, want_detail
from commands.wording import named, number_of

CHANNELS = "channels"


async def channels(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin channels`: what channels hear, each with a button that ends it."""
    return await channel_page(services, asker, 0)


async def channel_page(services: Services, asker: Asker, offset: int) -> Message:
    """A part of that list."""
    await only_administrators(services, asker)
    async with services.storage.reading() as uow:
        there = [each for each in await uow.subscriptions.all(asker.organization_id) if each.channel is not None]
        people = await uow.people.many(asker.organization_id, [each.person_id for each in there])
        clients = {client.name: client.id for client in await uow.clients.all(asker.organization_id)}
        workspaces = await uow.organizations.workspaces(asker.organization_id)
    if not there:
        return Message(
            (text("No channel hears of lapses yet. In a channel, type ", Code("/subscribe-lapses here all"), "."),)
        )
    there.sort(key=lambda each: (_place(each.channel, workspaces), each.created_at))
    offset = first_row(offset, len(there))
    part = there[offset : offset + PAGE_SIZE]
    number = len({each.channel for each in there})
    parts: list[Part] = [
        Heading(line(Bold(number_of(number, "channel")), f" · {number_of(len(there), 'thing')} heard there")),
        Rows(tuple(_row(services, each, people[each.person_id], clients, workspaces) for each in part)),
    ]
    parts += paging(CHANNELS, offset, len(there))
    return Message(tuple(parts))


async def end_channel(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """End one of the things that a channel hears."""
    wanted = subscription_id_of(arguments)
    async with services.storage.reading() as uow:
        there = await uow.subscriptions.all(asker.organization_id)
        clients = {client.name: client.id for client in await uow.clients.all(asker.organization_id)}
    one = next((each for each in there if each.id == wanted and each.channel is not None), None)
    if one is None or one.channel is None:
        raise NotYours
    await only_administrators(services, asker)
    async with services.storage.transaction() as uow:
        await uow.subscriptions.remove(
            asker.organization_id,
            person_id=None,
            channel=one.channel,
            network=one.network,
            client_id=one.client_id,
            everything=False,
        )
        channel = one.channel
        detail = want_detail(one.network, one.client_id, clients)
        now, subject = services.clock.now(), channel_subject(channel)
        await uow.audit.write(entry(asker, now, "subscription.ended", subject, **detail))
    what = in_words(services, (one.network, one.client_id), clients)
    return Message((text("The channel ", Code(channel.external_id), " no longer hears of ", Bold(what), "."),))


def _row(
    services: Services,
    each: Subscription,
    setter: Person,
    clients: Mapping[str, ClientId],
    workspaces: Sequence[Workspace],
) -> Row:
    channel = each.channel
    title: Line = (Code(channel.external_id if channel else ""), *line(f" · {_place(channel, workspaces)}"))
    left = ", who has left: it hears nothing any more" if setter.left_at is not None else ""
    detail = line(
        f"hears of {in_words(services, (each.network, each.client_id), clients)} · since ",
        Moment(each.created_at, MomentStyle.DAY),
        f" · as far as {named(setter.name)} may see{left}",
    )
    return Row(Mark.HELD if left else Mark.GOOD, title, detail, Button("End", end_channel_action(each.id)))


def _place(channel: Channel | None, workspaces: Sequence[Workspace]) -> str:
    """The workspace's name."""
    if channel is None:
        return ""
    key = (channel.platform, channel.tenant)
    return next((named(one.name) for one in workspaces if (one.platform, one.external_id) == key), channel.tenant)
