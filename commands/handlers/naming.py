"""Whom, and which account or clients, somebody means by what they typed. Every miss has an answer that leads on."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from commands.actions import details_action
from commands.command import Asker, Services
from commands.drawing import connection_row
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.seeing import accounts_called, visible_clients
from commands.ids import ClientId, ConnectionId
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Code,
    Heading,
    Mark,
    Message,
    Part,
    Row,
    Rows,
    Text,
    line,
    text,
)
from commands.model import ConnectionView, Person
from commands.parsing import Arguments, LapsedQuery, Show, network_named, network_names, unknown
from commands.people import people_called
from commands.ports.storage import UnitOfWork
from commands.usage import HELP, LAPSED, MINE, Example, try_line
from commands.wording import nearest, shown

CHOICES = 8  # matches to choose among before more of the name is asked for
_COMPARED = 500  # people whose names a mistyped one is compared with
RowOffer = tuple[str, Callable[[ConnectionId], ActionRef]]
"""A button for each of several matches: its label and what it does."""


async def person_meant(uow: UnitOfWork, asker: Asker, asked: Asked, words: str, *, left: bool = False) -> Person:
    """Find one person by a mentioned chat account, an email address or the beginning of a name. Those who left only
    with `left`.
    """
    name = words.removeprefix("@")
    if name != words:
        account = await uow.people.identity(
            asker.organization_id, platform=asker.user.platform, tenant=asker.user.tenant, user=name
        )
        if account is not None:
            return _there(await uow.people.get(asker.organization_id, account.person_id), left)
    found = await people_called(uow, asker.organization_id, name)
    if len(found) > 1:
        found = [person for person in found if left or person.left_at is None] or found
    if not found:
        raise await _nobody(uow, asker, asked, name, mentioned=name != words)
    if len(found) > 1:
        raise _several_people(asked, name, found)
    return _there(found[0], left)


async def account_meant(
    uow: UnitOfWork, services: Services, asker: Asker, asked: Asked, words: str, *, offer: RowOffer | None = None
) -> ConnectionView:
    """Find one account by its id or part of its name. Of several, each is offered with `offer`'s button."""
    found = await accounts_called(uow, asker, words, network=None, client=None, limit=CHOICES + 1)
    if not found:
        raise asked.unknown(words, list(network_names(services.networks)), "an account ")
    if len(found) > 1:
        parts = _choices(services, words, found, offer or ("Details", details_action))
        hints = Text(try_line(asked.form, *asked.command.hints))
        raise CommandError(Message((*parts, text("The account's id says which one is meant."), hints)))
    return found[0]


async def accounts_asked(
    uow: UnitOfWork,
    services: Services,
    asker: Asker,
    query: LapsedQuery,
    arguments: Arguments,
    *,
    example: Example,
    offer: RowOffer,
    most: int = 1,
) -> Sequence[ConnectionView]:
    """Find the accounts that a query names: at least one, and at most `most`; of more, each is offered."""
    if query.account is None:
        question = text("Which account? Type its id, or part of its name.")
        raise CommandError(Message((question, Text(try_line(arguments, example)))))
    found = await accounts_called(
        uow, asker, query.account, network=query.network, client=query.client, limit=CHOICES + 1
    )
    if not found:
        known = (*network_names(services.networks), *Show)
        hints = replace(LAPSED, hints=(example, MINE, HELP))
        raise unknown(arguments, hints, query.account, known, noun="an account ")
    if len(found) > most:
        raise CommandError(Message(_choices(services, query.account, found, offer)))
    return found


async def clients_meant(uow: UnitOfWork, asker: Asker, asked: Asked, words: str) -> dict[str, ClientId]:
    """Find clients by their whole names, separated by commas or "and"."""
    known = await visible_clients(uow, asker)
    by_folded = {name.casefold(): name for name in known}
    found: dict[str, ClientId] = {}
    for name in separated_names(words, by_folded):
        if name.casefold() in by_folded:
            found[by_folded[name.casefold()]] = known[by_folded[name.casefold()]]
            continue
        pieces = [piece.strip().casefold() for piece in name.split(" and ")]
        if not all(piece in by_folded for piece in pieces):
            raise asked.unknown(name, list(known), "a client called ")
        found |= {by_folded[piece]: known[by_folded[piece]] for piece in pieces}
    if not found:
        raise asked.refused("Which clients? Separate several with commas, or say all.")
    return found


def separated_names(words: str, known: Collection[str]) -> Iterator[str]:
    """Part words at commas, but not inside a name that is known (folded): the longest such is taken whole."""
    pieces = words.split(",")
    longest = 1 + max((name.count(",") for name in known), default=0)
    at = 0
    while at < len(pieces):
        runs = [",".join(pieces[at:end]).strip() for end in range(min(len(pieces), at + longest), at, -1)]
        name = next((run for run in runs if run.casefold() in known), runs[-1])
        at += name.count(",") + 1
        if name:
            yield name


def network_meant(services: Services, asked: Asked, words: str) -> str:
    """Find a network's slug by any of its usual names."""
    return network_named(words, network_names(services.networks), asked.form, asked.command)


def _there(person: Person, left: bool) -> Person:
    if person.left_at is not None and not left:
        raise CommandError(
            Message(
                (
                    text(Bold(shown(person.name)), " has left. If that was a mistake, give them a role again:"),
                    text(Code(f"/lapse-admin role {shown(person.email or person.name)} staff")),
                )
            )
        )
    return person


async def _nobody(uow: UnitOfWork, asker: Asker, asked: Asked, name: str, *, mentioned: bool) -> CommandError:
    if mentioned:
        return asked.refused(
            "This chat account is nobody's here yet. They can sign in by typing /lapsed, or you can link them: "
            "/lapse-admin link and their name."
        )
    people = await uow.people.page(asker.organization_id, offset=0, limit=_COMPARED)
    guess = nearest(name, [word for person in people for word in (person.name, person.email) if word])
    answer = [text(f"I don't know anybody called “{shown(name, 40)}” here.")]
    if guess is not None:
        answer = [text(f"I don't know anybody called “{shown(name, 40)}” here. Did you mean ", Bold(shown(guess)), "?")]
    return CommandError(Message((*answer, text("To add somebody: ", Code("/lapse-admin add-owner NAME EMAIL"), "."))))


def _several_people(asked: Asked, name: str, found: Sequence[Person]) -> CommandError:
    rows = tuple(
        Row(
            Mark.RETIRED if person.left_at is not None else Mark.CLAIMED,
            line(Bold(shown(person.name))),
            _detail(person),
        )
        for person in found[:CHOICES]
    )
    heading = Heading(line("Who? ", Bold(f"“{shown(name, 40)}”"), " matches several people."))
    ways = Text(line("Say it with their email address. "))
    return CommandError(Message((heading, Rows(rows, max(0, len(found) - CHOICES)), ways)))


def _detail(person: Person) -> tuple[Code, ...] | tuple[()]:
    return (Code(shown(person.email)),) if person.email else ()


def _choices(services: Services, words: str, found: Sequence[ConnectionView], offer: RowOffer) -> tuple[Part, ...]:
    """Ask which of several is meant; each row's button goes on with it."""
    now, (label, action) = services.clock.now(), offer
    rows = tuple(
        connection_row(view, services.networks, now, button=Button(label, action(view.connection.id)))
        for view in found[:CHOICES]
    )
    heading = Heading(line("Which one? ", Bold(f"“{shown(words, 40)}”"), " matches several."))
    more = [text("And more: type more of the name, or the account's id.")] if len(found) > CHOICES else []
    return (heading, Rows(rows), *more)
