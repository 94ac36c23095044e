"""`/lapse-admin transfer`: accounts get another owner, together with what else of theirs hangs under the same business,
since one business belongs to one owner, and with the login (C-8, R-10). The logins concerned are checked afterwards
(A-6).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from commands.aftermath import Count, count_working
from commands.auditing import By
from commands.command import Asker, Services
from commands.drawing import account_title, network_name
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.naming import account_meant, clients_meant, person_meant
from commands.handlers.seeing import NotYours
from commands.messages import Bold, Code, Mark, Message, Part, Tone, line, text
from commands.messages import Text as Paragraph
from commands.model import Authorization, ConnectionView, Filter, Person
from commands.ports.chat import Options
from commands.ports.storage import UnitOfWork
from commands.transfers import LIVE, MayNotTransfer, NoAccess, all_of, allowed, with_their_business, write
from commands.wording import listed, named, number_of, shown

_NAMED = 3  # accounts that the answer names


async def transfer(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin transfer ACCOUNT to PERSON`, or all of a client's with `client:NAME to PERSON`."""
    client, account = asked.get("client"), asked.get("account")
    if client is not None and account is not None and isinstance(asked.form, Options):
        raise asked.refused("One account, or all of a client's: name one of the two.")
    if client is not None and account is not None:  # a client's name of several words, without quotes
        client, account = f"{client} {account}", None
    if client is None and account is None:
        raise asked.refused("Which account, or whose accounts (client:NAME)?")
    whom = asked.need("person", "Who should own it? Write “to” before them.")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await person_meant(uow, asker, asked, whom)
        chosen = (
            await _of_client(uow, asker, asked, client)
            if client is not None
            else [await account_meant(uow, services, asker, asked, account or "")]
        )
        views = await with_their_business(uow, asker.person, chosen)
        _allowed(asker, person, views)
        moving = [view for view in views if view.connection.owner_id != person.id]
        if not moving:
            raise CommandError(f"{named(person.name)} owns that already; nothing changed.")
        logins = await write(uow, By(person=asker.person, origin=asker.origin, at=now), person, moving)
    count = await count_working(services, asker.organization_id, moving)
    done = _Done(to=person, moving=moving, logins=logins, number_asked=len(chosen), count=count)
    return _answer(services, done)


async def _of_client(uow: UnitOfWork, asker: Asker, asked: Asked, words: str) -> list[ConnectionView]:
    found: list[ConnectionView] = []
    for name in await clients_meant(uow, asker, asked, words):
        found += await all_of(uow, asker.person, Filter(client=name, states=LIVE))
    if not found:
        raise CommandError("There are no accounts of that client.")
    return found


def _allowed(asker: Asker, person: Person, views: Sequence[ConnectionView]) -> None:
    """Raises CommandError where the asker may not transfer, or the new owner has no access to the clients."""
    try:
        allowed(asker.person, person, views)
    except MayNotTransfer:
        raise NotYours from None
    except NoAccess as refused:
        name, needed = named(person.name), listed([shown(client) for client in refused.clients[:_NAMED]])
        raise CommandError(
            Message(
                (
                    text(Bold(name), f" has no access to client {needed}, so nothing was transferred."),
                    text(
                        "Give it first: ", Code(f"/lapse-admin clients {name} to all"), ", or name all their clients."
                    ),
                )
            )
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What was transferred, and what came of it."""

    to: Person
    moving: Sequence[ConnectionView]
    logins: Sequence[Authorization]
    """Those that went along."""
    number_asked: int
    count: Count


def _answer(services: Services, done: _Done) -> Message:
    moving, to = done.moving, named(done.to.name)
    number = number_of(len(moving), "account")
    parts: list[Part] = [text(f"{Mark.GOOD} Transferred to ", Bold(to), f": {number}.")]
    parts += [Paragraph((*line("• "), *account_title(view, services.networks))) for view in moving[:_NAMED]]
    if len(moving) > _NAMED:
        parts.append(text(f"and {len(moving) - _NAMED:,} more."))
    if len(moving) > done.number_asked:
        business = "A business belongs to one owner, so what was theirs under the same one went along."
        parts.append(text(business))
    if done.logins:
        parts.append(text(_went_along(services, done.logins)))
    owners = Counter(named(view.owner.name) if view.owner is not None else "nobody" for view in moving)
    parts.append(text("Owned before by " + listed([f"{name} ({count})" for name, count in owners.most_common()]) + "."))
    if done.count.words:
        parts.append(text(done.count.words))
    parts.append(text(f"{to} is told."))
    return Message(tuple(parts), Tone.GOOD)


def _went_along(services: Services, logins: Sequence[Authorization]) -> str:
    names = [f"{network_name(services.networks, one.network)} login of {named(one.subject_name)}" for one in logins]
    more = [number_of(len(names) - _NAMED, "more login")] if len(names) > _NAMED else []
    one = len(names) == 1
    hangs = "nothing of its former owner's depends on it" if one else "nothing of their former owners' depends on them"
    return f"The {listed([*names[:_NAMED], *more])} went along: {hangs} any more."
