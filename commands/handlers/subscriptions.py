"""`/subscribe-lapses` and `/unsubscribe-lapses`: what a person or a channel hears of (C-5, N-9), and how often (N-16).

A channel hears no more than whoever set it up may see; that is asked again whenever a notice is planned.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from commands import usage
from commands.access import scope_of
from commands.actions import (
    OutOfDate,
    rhythm_form_action,
    subscribe_action,
    subscribe_form_action,
    subscription_of,
)
from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.gate import refused
from commands.handlers.readers import Reader, Want, in_words, speak_for, subject_of
from commands.handlers.rhythm import keep_rhythm, told_rhythms
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId, PersonId, SubscriptionId, new_id
from commands.messages import (
    Bold,
    Button,
    Buttons,
    Line,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Part,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Person, Subscription, Topic
from commands.opt_ins import want_detail
from commands.parsing import Arguments, network_names, refusal
from commands.parsing_subscriptions import SubscriptionQuery, parse_subscription
from commands.ports.storage import UnitOfWork
from commands.usage import try_line
from commands.wording import listed, shown

AT_ONCE = 25  # opt-ins that one command writes
MENU = 5  # networks offered as buttons to somebody who said none


async def subscribe(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Opt in, and say how often to hear; with `list`, or with nothing said, show what there is.

    A rhythm with something to hear of is for just that. Alone, or `for` a topic, it changes how often, and opts in to
    nothing.
    """
    async with services.storage.transaction() as uow:
        clients = await visible_clients(uow, asker)
        query = parse_subscription(arguments, network_names(services.networks), clients, usage.SUBSCRIBE)
        reader = await speak_for(uow, asker, clients, here=query.here)
        if query.topics and query.rhythm is None:
            how_often = "Say how often: daily, weekly or immediate."
            raise refusal(arguments, usage.SUBSCRIBE.here(services.networks), how_often)
        if query.list or query.is_bare or not (query.names_something or query.here or query.rhythm):
            return await _shown(uow, services, asker, reader, arguments, offer=query.is_bare)
        wanted = _wanted(query)
        parts: tuple[Part, ...] = ()
        tone = Tone.GOOD
        if not query.topics and (query.names_something or query.here):
            said = await opt_in(uow, services, asker, reader, wanted)
            parts, tone = said.parts, said.tone
        if query.rhythm is not None:
            topics = query.topics or tuple(Topic)
            parts += await keep_rhythm(uow, services, asker, reader, topics=topics, wanted=wanted, rhythm=query.rhythm)
        return Message(parts, tone)


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Opt the presser in to what the button says."""
    network, client_id = subscription_of(arguments)
    if network is not None and network not in services.networks:
        raise OutOfDate
    async with services.storage.transaction() as uow:
        clients = await visible_clients(uow, asker)
        if client_id is not None and client_id not in clients.values():
            raise OutOfDate
        reader = Reader(channel=None, person_id=asker.person.id, clients=clients)
        return await opt_in(uow, services, asker, reader, [(network, client_id)])


async def unsubscribe(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Opt out of just what was said, or of everything."""
    async with services.storage.transaction() as uow:
        clients = await visible_clients(uow, asker)
        query = parse_subscription(arguments, network_names(services.networks), clients, usage.UNSUBSCRIBE)
        reader = await speak_for(uow, asker, clients, here=query.here)
        if query.rhythm is not None or query.topics:
            how_often = "How often you hear is set where you opt in; this ends opt-ins."
            raise refusal(arguments, usage.SUBSCRIBE.here(services.networks), how_often)
        if query.list or query.is_bare:
            return await _shown(uow, services, asker, reader, arguments, offer=False)
        there = await uow.subscriptions.of(asker.organization_id, **reader.key)
        wanted = None if query.everything else _wanted(query)
        ending = [each for each in there if wanted is None or (each.network, each.client_id) in wanted]
        if not all(_may_end(asker, each) for each in ending):
            why = "Some of this was set up for more than you may see, so it is not yours to end; nothing changed."
            raise await refused(uow, asker, why)
        now = services.clock.now()
        for each in ending:
            await uow.subscriptions.remove(
                asker.organization_id,
                **reader.key,
                network=each.network,
                client_id=each.client_id,
                everything=False,
            )
            detail = want_detail(each.network, each.client_id, clients)
            await uow.audit.write(entry(asker, now, "subscription.ended", subject_of(reader), **detail))
    left = sum(each not in ending for each in _visible(there, reader))
    if ending:
        return _ended(services, reader, ending, left)
    return _was_not(services, reader, wanted, arguments, left)


def _wanted(query: SubscriptionQuery) -> list[Want]:
    """Everything asked for: each network with each client."""
    wanted: list[Want] = list(product(query.networks or (None,), query.client_ids or (None,)))
    if len(wanted) > AT_ONCE:
        raise CommandError(
            f"That is {len(wanted)} subscriptions at once; {AT_ONCE} is the most. Name fewer, or say all."
        )
    return wanted


def _visible(there: Sequence[Subscription], reader: Reader) -> list[Subscription]:
    """Those whose client the asker may see; of others not even the number is told (N-8)."""
    return [each for each in there if each.client_id is None or each.client_id in reader.clients.values()]


async def opt_in(uow: UnitOfWork, services: Services, asker: Asker, reader: Reader, wanted: Sequence[Want]) -> Message:
    """Write the opt-ins, and say which are new."""
    now = services.clock.now()
    added: list[Want] = []
    for network, client_id in wanted:
        subscription = Subscription(
            id=SubscriptionId(new_id(now)),
            organization_id=asker.organization_id,
            person_id=reader.person_id,
            channel=reader.channel,
            network=network,
            client_id=client_id,
            created_at=now,
        )
        if await uow.subscriptions.add(subscription):
            added.append((network, client_id))
            detail = want_detail(network, client_id, reader.clients)
            await uow.audit.write(entry(asker, now, "subscription.added", subject_of(reader), **detail))
    there = [want for want in wanted if want not in added]
    parts: list[Part] = []
    if added:
        what = listed([in_words(services, want, reader.clients) for want in added])
        how = ", by direct message." if reader.channel is None else f". Set up by {shown(asker.person.name)}."
        limited = " that you may see" if scope_of(asker.person).client_ids is not None else ""
        hears = "you hear" if reader.channel is None else "this channel hears"
        parts.append(text(f"{Mark.GOOD} From now on {hears} of ", Bold(what), f"{limited}{how}"))
    if there:
        what = listed([in_words(services, want, reader.clients) for want in there])
        parts.append(text(f"{reader.hears} of ", Bold(what), " already; nothing changed."))
    return Message(tuple(parts), Tone.GOOD if added else Tone.NEUTRAL)


async def _shown(
    uow: UnitOfWork, services: Services, asker: Asker, reader: Reader, form: Arguments, *, offer: bool
) -> Message:
    """What the reader hears of, as far as the asker may see it, and what can be asked for."""
    there = await uow.subscriptions.of(asker.organization_id, **reader.key)
    visible = _visible(there, reader)
    people = (
        await uow.people.many(asker.organization_id, [each.person_id for each in visible]) if reader.channel else {}
    )
    parts: list[Part] = [text(f"{reader.hears} of:" if visible else f"{reader.hears} of no lapses yet.")]
    parts += [Text(_entry(services, each, reader.clients, people)) for each in visible]
    if reader.channel is None:
        parts.append(text("You hear of what you connected or own anyway."))
        parts += await told_rhythms(uow, services, asker, reader.clients)
    ending = (usage.END_EVERYTHING,) if visible and reader.channel is None else ()
    parts.append(Text(try_line(form, *usage.SUBSCRIBE.here(services.networks).examples[:3], *ending)))
    if not offer and reader.channel is None:
        buttons = (Button("Hear of more", subscribe_form_action()), Button("How often", rhythm_form_action()))
        parts.append(Buttons(buttons))
    if offer:
        menu = [
            Button(f"{network.spec.name} lapses", subscribe_action(slug, None))
            for slug, network in sorted(services.networks.items())
        ]
        parts.append(Buttons((Button("Tell me of every lapse", subscribe_action(None, None)),), tuple(menu[:MENU])))
    return Message(tuple(parts))


def _entry(
    services: Services, each: Subscription, clients: Mapping[str, ClientId], people: Mapping[PersonId, Person]
) -> Line:
    who = people.get(each.person_id)
    by = f", set up by {shown(who.name)}" if who is not None else ""
    what = in_words(services, (each.network, each.client_id), clients)
    return line("• ", Bold(what), ", since ", Moment(each.created_at, MomentStyle.DAY), by)


def _may_end(asker: Asker, subscription: Subscription) -> bool:
    """Whether the asker may end it: their own, and, of a channel, what they may see all of."""
    scope = scope_of(asker.person)
    return (
        subscription.person_id == asker.person.id
        or scope.client_ids is None
        or (subscription.client_id is not None and subscription.client_id in scope.client_ids)
    )


def _ended(services: Services, reader: Reader, ending: Sequence[Subscription], left: int) -> Message:
    what = listed([in_words(services, (each.network, each.client_id), reader.clients) for each in ending])
    no_longer = "You no longer hear of " if reader.channel is None else "This channel no longer hears of "
    return Message((text(no_longer, Bold(what), "."), *_still(reader, left)))


def _was_not(services: Services, reader: Reader, wanted: Sequence[Want] | None, form: Arguments, left: int) -> Message:
    """Say that there was nothing to end; `wanted` None: everything was to end."""
    if wanted is None:
        return Message((text("There was nothing to end; nothing changed."),))
    was_not = "You were not" if reader.channel is None else "This channel was not"
    what = listed([in_words(services, want, reader.clients) for want in wanted], "or")
    parts: list[Part] = [text(f"{was_not} subscribed to ", Bold(what), "; nothing changed."), *_still(reader, left)]
    if left:
        parts.append(Text(try_line(form, usage.SUBSCRIBED, usage.END_EVERYTHING)))
    return Message(tuple(parts))


def _still(reader: Reader, left: int) -> list[Part]:
    return [text(f"{reader.hears} of {left} other {'thing' if left == 1 else 'things'} still.")] if left else []
