"""`/lapse-admin transfer`: accounts get another owner, together with what else of theirs hangs under the same business,
since one business belongs to one owner (C-8, R-10). The logins concerned are checked afterwards (A-6).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from commands.access import Act, may, scope_of
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import account_title
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.naming import account_meant, clients_meant, person_meant
from commands.handlers.seeing import NotYours
from commands.ids import AuthorizationId, ConnectionId, EventId, PersonId, new_id, to_wire
from commands.messages import Bold, Code, Mark, Message, Part, Tone, line, text
from commands.messages import Text as Paragraph
from commands.model import ConnectionState, ConnectionView, Filter, Person, Role
from commands.ports.chat import Options
from commands.ports.checker import CheckResult
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import listed, named, number_of, shown

_READ_AT_ONCE = 500
CHECKED_AT_ONCE = 5  # logins that are checked before the answer: each is a call out
_NAMED = 3  # accounts that the answer names
_LIVE = tuple(state for state in ConnectionState if state is not ConnectionState.RETIRED)


async def transfer(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin transfer ACCOUNT to PERSON`, or all of a client's with `client:NAME to PERSON`."""
    client, account = asked.get("client"), asked.get("account")
    if client is not None and account is not None and isinstance(asked.form, Options):
        raise asked.refused("One account, or all of a client's: name one of the two.")
    if client is not None and account is not None:  # a client's name of several words, without quotes
        client, account = f"{client} {account}", None
    if client is None and account is None:
        raise asked.refused("Which account, or whose accounts (client:NAME)?")
    whom = asked.need("person", "Who is to own it? Write “to” before them.")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        person = await person_meant(uow, asker, asked, whom)
        chosen = (
            await _of_client(uow, asker, asked, client)
            if client is not None
            else [await account_meant(uow, services, asker, asked, account or "")]
        )
        views = await _with_their_business(uow, asker, chosen)
        _allowed(asker, person, views)
        moving = [view for view in views if view.connection.owner_id != person.id]
        if not moving:
            raise CommandError(f"{named(person.name)} owns that already; nothing changed.")
        await _write(uow, asker, person, moving, now)
    checked = await _checked(services, asker, moving)
    return _answer(services, person, moving, number_asked=len(chosen), checked=checked)


async def _of_client(uow: UnitOfWork, asker: Asker, asked: Asked, words: str) -> list[ConnectionView]:
    found: list[ConnectionView] = []
    for name in await clients_meant(uow, asker, asked, words):
        found += await _all(uow, asker, Filter(client=name, states=_LIVE))
    if not found:
        raise CommandError("There are no accounts of that client.")
    return found


async def _with_their_business(uow: UnitOfWork, asker: Asker, chosen: Sequence[ConnectionView]) -> list[ConnectionView]:
    """What was chosen, and what else the same owners own under the same businesses, as far as the asker may see it."""
    found = {view.connection.id: view for view in chosen}
    wanted: dict[tuple[str, PersonId], set[str]] = {}
    for view in chosen:
        connection = view.connection
        if connection.parent is not None and connection.owner_id is not None:
            wanted.setdefault((connection.network, connection.owner_id), set()).add(connection.parent.id)
    for (network, owner_id), parents in wanted.items():
        for view in await _all(uow, asker, Filter(network=network, person_id=owner_id, states=_LIVE)):
            parent = view.connection.parent
            if parent is not None and parent.id in parents and view.connection.owner_id == owner_id:
                found.setdefault(view.connection.id, view)
    return list(found.values())


async def _all(uow: UnitOfWork, asker: Asker, narrowed: Filter) -> list[ConnectionView]:
    found: list[ConnectionView] = []
    while True:
        page = await uow.connections.page(
            asker.organization_id, scope_of(asker.person), narrowed, offset=len(found), limit=_READ_AT_ONCE
        )
        found += page.rows
        if not page.rows or len(found) >= page.total:
            return found


def _allowed(asker: Asker, person: Person, views: Sequence[ConnectionView]) -> None:
    """Raises CommandError where the asker may not transfer, or the new owner has no access to the clients."""
    if not all(may(asker.person, Act.TRANSFER, view) for view in views):
        raise NotYours
    if person.role is not Role.STAFF or person.client_ids is None:
        return
    outside = sorted({view.client_name for view in views if view.connection.client_id not in person.client_ids})
    if not outside:
        return
    name, needed = named(person.name), listed([shown(client) for client in outside[:_NAMED]])
    raise CommandError(
        Message(
            (
                text(Bold(name), f" has no access to client {needed}, so nothing was transferred."),
                text("Give it first: ", Code(f"/lapse-admin clients {name} to all"), ", or name all their clients."),
            )
        )
    )


async def _write(
    uow: UnitOfWork, asker: Asker, person: Person, moving: Sequence[ConnectionView], now: datetime
) -> None:
    await uow.connections.set_owner(asker.organization_id, [view.connection.id for view in moving], person.id)
    by = shown(asker.person.name)
    await uow.notices.record(
        [
            Event(
                id=EventId(new_id(now)),
                organization_id=asker.organization_id,
                kind=EventKind.TRANSFERRED,
                at=now,
                connection_id=view.connection.id,
                authorization_id=view.connection.authorization_id,
                person_id=person.id,
                data={"by": by},
            )
            for view in moving
        ]
    )
    for view in moving:
        detail = {"account": shown(view.connection.account_name), "to": shown(person.name)}
        if view.owner is not None:
            detail["was"] = shown(view.owner.name)
        subject = f"connection {to_wire(view.connection.id)}"
        await uow.audit.write(entry(asker, now, "connection.transferred", subject, **detail))


async def _checked(services: Services, asker: Asker, moving: Sequence[ConnectionView]) -> tuple[int, int, int]:
    """Have the logins concerned checked, with no transaction open: how many accounts that were, how many of them work,
    and how many logins are left to their usual time.
    """
    logins: dict[AuthorizationId, list[ConnectionId]] = {}
    for view in moving:
        if view.connection.authorization_id is not None:
            logins.setdefault(view.connection.authorization_id, []).append(view.connection.id)
    ids: list[ConnectionId] = []
    for authorization_id, connection_ids in list(logins.items())[:CHECKED_AT_ONCE]:
        if await services.checker.check(asker.organization_id, authorization_id) is CheckResult.CHECKED:
            ids += connection_ids
    async with services.storage.reading() as uow:
        after = await uow.connections.views(asker.organization_id, ids) if ids else []
    working = sum(view.connection.state is ConnectionState.ACTIVE for view in after)
    return len(after), working, max(0, len(logins) - CHECKED_AT_ONCE)


def _answer(
    services: Services,
    person: Person,
    moving: Sequence[ConnectionView],
    *,
    number_asked: int,
    checked: tuple[int, int, int],
) -> Message:
    number = number_of(len(moving), "account")
    parts: list[Part] = [text(f"{Mark.GOOD} Transferred to ", Bold(named(person.name)), f": {number}.")]
    parts += [Paragraph((*line("• "), *account_title(view, services.networks))) for view in moving[:_NAMED]]
    if len(moving) > _NAMED:
        parts.append(text(f"and {len(moving) - _NAMED:,} more."))
    if len(moving) > number_asked:
        business = "A business belongs to one owner, so what was theirs under the same one went along."
        parts.append(text(business))
    owners = Counter(named(view.owner.name) if view.owner is not None else "nobody" for view in moving)
    parts.append(text("Owned before by " + listed([f"{name} ({count})" for name, count in owners.most_common()]) + "."))
    looked_at, working, later = checked
    if looked_at:
        rest = f"; {number_of(later, 'more login')} at the usual time" if later else ""
        one = "it works" if working else "it does not work"
        work = one if looked_at == 1 else f"{working} of {looked_at:,} accounts work"
        parts.append(text(f"Checked just now: {work}{rest}."))
    parts.append(text(f"{named(person.name)} is told."))
    return Message(tuple(parts), Tone.GOOD)
