"""People, what hangs on each of them, and what becomes of it when somebody leaves: the succession radar (X-6, A-5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from commands.access import scope_of
from commands.actions import ListView, admin_list_action, copy_link_action, list_action, role_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import network_name
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.gate import only_administrators
from commands.handlers.naming import person_meant
from commands.handlers.paging import PAGE_SIZE
from commands.handlers.readers import in_words
from commands.handlers.roles import ROLE_NAMES, for_change, not_the_last_primary, only_primary
from commands.ids import ClientId, EventId, PersonId, new_id, to_wire
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Code,
    Facts,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Paging,
    Part,
    Row,
    Rows,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Identity, Person, Role, Subscription
from commands.opt_ins import end_opt_ins_of
from commands.people import deputy_of
from commands.ports.connections import Hanging
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import listed, named, number_of, shown

PEOPLE = "people"
_NAMED = 5  # logins or clients that are told one by one


async def people(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin people`: everybody, and what hangs on each; with a name, that person in full."""
    words = asked.get("person")
    if words is None:
        return await page(services, asker, 0)
    async with services.storage.reading() as uow:
        person = await person_meant(uow, asker, asked, words, left=True)
        return _one(services, person, await _read(uow, asker, person))


async def page(services: Services, asker: Asker, offset: int) -> Message:
    """A part of the list, by name."""
    await only_administrators(services, asker)
    async with services.storage.reading() as uow:
        found = await uow.people.page(asker.organization_id, offset=offset, limit=PAGE_SIZE + 1)
        here = found[:PAGE_SIZE]
        rows = [
            _row(services, person, await uow.authorizations.hanging_on(asker.organization_id, person.id))
            for person in here
        ]
        answerable = await uow.connections.answerable(asker.organization_id)
        weights: Counter[PersonId] = Counter()
        for one in answerable:
            if one.connector_id is not None:
                weights[one.connector_id] += one.number
        heaviest = await uow.people.many(asker.organization_id, [person_id for person_id, _ in weights.most_common(3)])
    parts: list[Part] = [Heading(line(Bold("People"), " and what depends on their logins"))]
    if weights:
        total = sum(one.number for one in answerable)
        most = [f"{named(heaviest[person_id].name)} ({number})" for person_id, number in weights.most_common(3)]
        parts.append(text(f"Of {number_of(total, 'account')}, most depend on {listed(most)}."))
    parts.append(Rows(tuple(rows)))
    previous = admin_list_action(PEOPLE, max(0, offset - PAGE_SIZE)) if offset else None
    following = admin_list_action(PEOPLE, offset + PAGE_SIZE) if len(found) > PAGE_SIZE else None
    if previous is not None or following is not None:
        parts.append(Paging(f"{offset + 1}–{offset + len(here)}", previous, following))
    return Message(tuple(parts))


async def leaves(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin leaves PERSON to DEPUTY`: end what is theirs, and offer what hangs on them, before it breaks."""
    whom = asked.need("person", "Who leaves? You can add “to” and whoever takes over.")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await for_change(uow, asker, await person_meant(uow, asker, asked, whom))
        if person.id == asker.person.id:
            raise CommandError("Only another administrator can say that you leave.")
        only_primary(asker.person, person)
        if person.role is Role.PRIMARY_ADMINISTRATOR:
            await not_the_last_primary(uow, person)
        deputy = await _deputy(uow, asker, asked, person)
        known = await _read(uow, asker, person)
        changed = replace(person, left_at=now, deputy_id=deputy.id if deputy is not None else None)
        await uow.people.update(changed)
        ended = await end_opt_ins_of(uow, changed, asker, why="left", now=now)
        await uow.passes.withdraw(asker.organization_id, person.id, None, now)
        await uow.passes.withdraw_handed_out(asker.organization_id, made_by=person.id)
        await uow.notices.record([_gone(asker, changed, deputy, now)])
        detail = {"person": shown(person.name), "opt_ins_ended": str(len(ended))}
        if deputy is not None:
            detail["deputy"] = shown(deputy.name)
        await uow.audit.write(entry(asker, now, "person.left", f"person {to_wire(person.id)}", **detail))
        clients = {client.name: client.id for client in await uow.clients.all(asker.organization_id)}
    in_channels = [each for each in ended if each.channel is not None]
    return _farewell(services, changed, deputy, known, ended=in_channels, clients=clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is told of one person."""

    hanging: Sequence[Hanging]
    owned: int
    accounts: Sequence[Identity]
    opt_ins: int
    clients: Sequence[str]
    deputy: Person | None


async def _read(uow: UnitOfWork, asker: Asker, person: Person) -> _Known:
    organization_id = asker.organization_id
    owners = await uow.connections.owners(organization_id, scope_of(asker.person))
    clients = await uow.clients.all(organization_id) if person.client_ids is not None else ()
    return _Known(
        hanging=await uow.authorizations.hanging_on(organization_id, person.id),
        owned=next((each.total for each in owners if each.person.id == person.id), 0),
        accounts=(await uow.people.identities(organization_id, [person.id])).get(person.id, ()),
        opt_ins=len(await uow.subscriptions.of(organization_id, person_id=person.id, channel=None)),
        clients=[client.name for client in clients if person.client_ids and client.id in person.client_ids],
        deputy=await deputy_of(uow, person),
    )


async def _deputy(uow: UnitOfWork, asker: Asker, asked: Asked, person: Person) -> Person | None:
    """Who is offered the connections: whoever was named, else who stands as deputy, if they are still here."""
    words = asked.get("deputy")
    if words is None:
        standing = await deputy_of(uow, person)
        return standing if standing is not None and standing.left_at is None else None
    deputy = await person_meant(uow, asker, asked, words)
    if deputy.id == person.id:
        raise asked.refused("Somebody who leaves cannot take over from themselves.")
    return deputy


def _gone(asker: Asker, person: Person, deputy: Person | None, now: datetime) -> Event:
    return Event(
        id=EventId(new_id(now)),
        organization_id=asker.organization_id,
        kind=EventKind.PERSON_GONE,
        at=now,
        person_id=person.id,
        data={"by": shown(asker.person.name)} | ({"deputy": to_wire(deputy.id)} if deputy is not None else {}),
    )


def _one(services: Services, person: Person, known: _Known) -> Message:
    """Everything about one person."""
    left = line(" · left ", Moment(person.left_at, MomentStyle.DAY)) if person.left_at is not None else ()
    limited = f", only client {listed([shown(name) for name in known.clients])}" if known.clients else ""
    working = sum(account.gone_at is None for account in known.accounts)
    facts: list[tuple[str, Line]] = [
        ("Role", line(f"{ROLE_NAMES[person.role]}{limited}")),
        ("Email", line(Code(shown(person.email)) if person.email else "not known")),
        ("Chat accounts", line(f"{working} linked" if working else "none linked: no direct message reaches them")),
        ("Owns", line(number_of(known.owned, "account"))),
        ("Opt-ins", line(str(known.opt_ins))),
    ]
    if known.deputy is not None:
        facts.append(("Deputy", line(named(known.deputy.name))))
    parts: list[Part] = [Heading((*line(Bold(named(person.name))), *left)), Facts(tuple(facts))]
    parts += _radar(services, known.hanging)
    buttons = [Button("Change role", role_action(person.id))]
    if person.left_at is None:
        buttons.append(Button("Copy their link", copy_link_action(person.id)))
    theirs = list_action(ListView(person_id=person.id))
    parts.append(Buttons(tuple(buttons), (Button("Their accounts", theirs),) if theirs is not None else ()))
    return Message(tuple(parts))


def _radar(services: Services, hanging: Sequence[Hanging]) -> list[Part]:
    """Each login that hangs on somebody, with a number for each client."""
    if not hanging:
        return [text("No login of theirs keeps an account connected.")]
    total = sum(number for one in hanging for _, number in one.clients)
    keeps = "1 login of theirs keeps" if len(hanging) == 1 else f"{len(hanging)} logins of theirs keep"
    head = f"{keeps} {number_of(total, 'account')} connected:"
    lines: list[Part] = [text(head)]
    for one in hanging[:_NAMED]:
        authorization = one.authorization
        network = network_name(services.networks, authorization.network)
        login = f" · {shown(authorization.subject_name)}: {_by_client(one.clients)}"
        lines.append(Text(line("• ", Bold(network), login)))
    if len(hanging) > _NAMED:
        lines.append(text(f"and {len(hanging) - _NAMED} more."))
    return lines


def _by_client(clients: Sequence[tuple[str, int]]) -> str:
    told = [f"{shown(name)} {number:,}" for name, number in clients[:_NAMED]]
    more = len(clients) - _NAMED
    return ", ".join(told) + (f" and {more} more clients" if more > 0 else "")


def _row(services: Services, person: Person, hanging: Sequence[Hanging]) -> Row:
    email = f" · {shown(person.email)}" if person.email else ""
    by_network: Counter[str] = Counter()
    for one in hanging:
        by_network[network_name(services.networks, one.authorization.network)] += 1
    clients: Counter[str] = Counter()
    for one in hanging:
        for name, number in one.clients:
            clients[name] += number
    logins = listed([f"{number} {network}" for network, number in by_network.most_common()])
    hangs = f" · {logins}: {_by_client(clients.most_common())}" if hanging else ""
    state = "has left" if person.left_at is not None else ROLE_NAMES[person.role]
    theirs = list_action(ListView(person_id=person.id))
    return Row(
        Mark.RETIRED if person.left_at is not None else Mark.CLAIMED,
        line(Bold(named(person.name)), email),
        line(f"{state}{hangs}"),
        Button("Change", role_action(person.id)),
        Button("Accounts", theirs) if theirs is not None else None,
    )


def _farewell(
    services: Services,
    person: Person,
    deputy: Person | None,
    known: _Known,
    *,
    ended: Sequence[Subscription],
    clients: Mapping[str, ClientId],
) -> Message:
    name = named(person.name)
    parts: list[Part] = [
        text(f"{Mark.GOOD} ", Bold(name), " has left: they can see and do nothing here any more, and hear of nothing.")
    ]
    parts += _radar(services, known.hanging)
    if known.hanging:
        whom = f"{named(deputy.name)} is" if deputy is not None else "Administrators are"
        parts.append(text(f"It goes on working for now. {whom} asked to take it over."))
    if known.owned:
        parts.append(text(f"{name} owns {number_of(known.owned, 'account')}; to pass them on, one business at a time:"))
        parts.append(text(Code(f"/lapse-admin transfer ACCOUNT to {named(deputy.name) if deputy else 'NAME'}")))
    for each in ended[:_NAMED]:
        if each.channel is not None:
            what = in_words(services, (each.network, each.client_id), clients)
            channel = Code(each.channel.external_id)
            parts.append(text("Channel ", channel, f" no longer hears of {what}: it heard as far as {name} could see."))
    if ended:
        parts.append(text("To have a channel hear again, type there: ", Code("/subscribe-lapses here"), "."))
    theirs: ActionRef | None = list_action(ListView(person_id=person.id))
    if theirs is not None and (known.owned or known.hanging):
        parts.append(Buttons((Button("Their accounts", theirs),)))
    return Message(tuple(parts), Tone.GOOD)
