"""Accounts that moved to another business: where to, whom that leads to, and accepting it (R-7, X-2).

Accepting is written first, in one transaction; then logins that are here already are asked whether they read the
accounts under the new business (A-6), with no transaction open; what they prove is written in another.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from commands.access import Act, may, move_accepted, scope_of
from commands.aftermath import START_WITHIN
from commands.auditing import By
from commands.command import Services
from commands.ids import AuthorizationId, ConnectionId, NoteId, OrganizationId, new_id, to_wire
from commands.model import (
    Authorization,
    Connection,
    ConnectionState,
    ConnectionView,
    Lapse,
    LapseEnd,
    LapseNote,
    Parent,
    Person,
    Verdict,
)
from commands.ports.auditing import AuditEntry
from commands.ports.events import Event, EventKind
from commands.ports.network import Expected
from commands.ports.storage import UnitOfWork
from commands.profiles import profile_of
from commands.wording import Sentence, named, shown

HOLDERS = 5
"""People named who are known to be connected through a business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An account that its network found under another business, as one person may know of it."""

    view: ConnectionView
    came_from: Parent | None
    to: Parent | None
    """None: the network does not tell."""
    holders: tuple[Person, ...]
    """Who here is connected through that business; the reader themselves is left out."""
    together: tuple[ConnectionView, ...]
    """What else of the same login moved to the same business."""
    may_accept: bool
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of a move that was accepted."""

    view: ConnectionView
    """The account that was asked about, as it was before."""
    to: Parent
    total: int
    working: tuple[str, ...]
    """Names of the accounts that a login which is here reads under the new business."""
    waiting: tuple[str, ...]
    """Names of those that need a login of it."""

    @property
    def count(self) -> Sentence:
        """The count, in words (A-6)."""
        if self.total == 1:
            return Sentence("It works.") if self.working else Sentence("It needs a login of its new business.")
        working, waiting = len(self.working), len(self.waiting)
        if not waiting:
            return Sentence("All {number} accounts work.", number=self.total)
        work = Sentence("{working} of {number} accounts work", working=working, number=self.total)
        if waiting == 1:
            return Sentence("{work}; 1 needs a login of the new business.", work=work)
        return Sentence("{work}; {waiting} need a login of the new business.", work=work, waiting=waiting)


class NothingToAccept(Exception):
    """It did not move there (any more), or it is not this person's to accept."""


def has_moved(view: ConnectionView) -> bool:
    """Whether the account lapsed because it is under another business."""
    lapse = view.open_lapse
    return lapse is not None and lapse.cause is Verdict.ACCOUNT_MOVED


def moved_to(view: ConnectionView) -> Parent | None:
    """Where an account went that moved, if its network tells."""
    lapse = view.open_lapse
    return lapse.evidence.moved_to if lapse is not None and has_moved(view) else None


async def read_move(uow: UnitOfWork, person: Person, view: ConnectionView) -> Move | None:
    """What this person may know of a move; None: it did not move."""
    if not has_moved(view):
        return None
    to, accepted = moved_to(view), move_accepted(view)
    return Move(
        view=view,
        came_from=None if accepted else view.connection.parent,
        to=to,
        holders=await holders_of(uow, person, view.connection.network, to) if to is not None else (),
        together=tuple(await _together(uow, person, view, to)) if to is not None and not accepted else (),
        may_accept=to is not None and not accepted and may(person, Act.ACCEPT_MOVE, view),
        accepted=accepted,
    )


async def holders_of(uow: UnitOfWork, person: Person, network: str, parent: Parent) -> tuple[Person, ...]:
    """Who here is connected through a business, by what this person may see (N-8); whoever connected most first."""
    scope, organization_id = scope_of(person), person.organization_id
    known = await uow.connections.others_under(organization_id, network, [parent.id], scope)
    ids = [one for one in known.get(parent.id, ()) if one != person.id][:HOLDERS]
    people = await uow.people.many(organization_id, ids) if ids else {}
    return tuple(people[one] for one in ids if one in people)


async def _together(uow: UnitOfWork, person: Person, view: ConnectionView, to: Parent) -> list[ConnectionView]:
    """What else of the same login moved there, as far as this person may accept it."""
    authorization_id = view.connection.authorization_id
    if authorization_id is None:
        return []
    return [
        other
        for other in await uow.connections.under(view.connection.organization_id, authorization_id)
        if other.connection.id != view.connection.id
        and (there := moved_to(other)) is not None
        and there.id == to.id
        and not move_accepted(other)
        and may(person, Act.ACCEPT_MOVE, other)
    ]


async def accept_move(
    services: Services,
    person: Person,
    origin: str,
    connection_id: ConnectionId,
    *,
    to_id: str,
    seen_by_login: Parent | None = None,
) -> Accepted:
    """Expect an account, and what moved with it, under the business `to_id`: the one that whoever accepts was shown.

    `seen_by_login`: a login just saw the account there, whatever its lapse says. Raises NothingToAccept.
    """
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        view = await uow.connections.view(person.organization_id, connection_id)
        if view is None or not may(person, Act.ACCEPT_MOVE, view):
            raise NothingToAccept
        to = moved_to(view) or seen_by_login
        if to is None or to.id != to_id or view.connection.state is ConnectionState.RETIRED or _is_there(view, to):
            raise NothingToAccept
        views = await _unchanged(uow, [view, *(await _together(uow, person, view, to) if has_moved(view) else ())])
        if view.connection.id not in {each.connection.id for each in views}:
            raise NothingToAccept
        await _write(uow, By(person=person, origin=origin, at=now), views, to)
        candidates = await _candidates(uow, person, views, to)
    proved = await _prove(services, person.organization_id, views, to, candidates)
    async with services.storage.transaction() as uow:
        working = await _bring_back(
            uow, view.connection.organization_id, proved, to, now=services.clock.now(), accepted_by=person
        )
    names = [(each, named(each.connection.account_name)) for each in views]
    return Accepted(
        view=view,
        to=to,
        total=len(views),
        working=tuple(name for each, name in names if each.connection.id in working),
        waiting=tuple(name for each, name in names if each.connection.id not in working),
    )


async def try_again(services: Services, person: Person, view: ConnectionView) -> bool:
    """Ask the logins that are here once more for an account whose move was accepted; whether it works now. Until one
    reads it, it hangs on none; the watch asks those of the same owner, as often as it checks them.
    """
    to = view.connection.parent
    if to is None or view.connection.authorization_id is not None or not move_accepted(view):
        return False
    async with services.storage.reading() as uow:
        candidates = await _candidates(uow, person, [view], to)
    proved = await _prove(services, person.organization_id, [view], to, candidates)
    async with services.storage.transaction() as uow:
        return bool(await _bring_back(uow, person.organization_id, proved, to, now=services.clock.now()))


async def _unchanged(uow: UnitOfWork, views: Sequence[ConnectionView]) -> list[ConnectionView]:
    """Hold these, and leave out what somebody else has changed since they were read: the watch, or another who accepts
    at this moment.
    """
    organization_id, ids = views[0].connection.organization_id, [view.connection.id for view in views]
    await uow.connections.hold(organization_id, ids)
    held = {view.connection.id: view for view in await uow.connections.views(organization_id, ids)}
    return [view for view in views if _stand(held[view.connection.id]) == _stand(view)]


def _stand(view: ConnectionView) -> tuple[object, ...]:
    connection, lapse = view.connection, view.open_lapse
    what = None if lapse is None else (lapse.id, lapse.cause, lapse.evidence.moved_to)
    return connection.state, connection.parent, connection.authorization_id, what


def _is_there(view: ConnectionView, to: Parent) -> bool:
    return view.connection.parent is not None and view.connection.parent.id == to.id


async def _write(uow: UnitOfWork, by: By, views: Sequence[ConnectionView], to: Parent) -> None:
    """Write the new business down, in the audit log and in the history too."""
    organization_id = by.person.organization_id
    await uow.connections.set_parent(organization_id, [view.connection.id for view in views], to)
    # The old login may well see them no more. Hanging on it, they would be judged by what it says.
    left = [view.connection.id for view in views if has_moved(view)]
    await uow.connections.detach(organization_id, left)
    await uow.audit.write(*(_audited(by, view.connection, to) for view in views))
    for view in views:
        lapse = view.open_lapse
        if lapse is not None:
            note = _noted(by, view.connection, lapse, to)
            await uow.lapses.add_note(note)
            noted = Event.of_lapse(EventKind.NOTED, lapse, by.at)
            told = replace(noted, person_id=by.person.id, data={"note": note.text})
            await uow.notices.record([told, Event.of_lapse(EventKind.LAPSE_CHANGED, lapse, by.at)])


def _audited(by: By, connection: Connection, to: Parent) -> AuditEntry:
    was = connection.parent
    detail = {"account": shown(connection.account_name), "to": f"{shown(to.name)} {shown(to.id)}"}
    if was is not None:
        detail["was"] = f"{shown(was.name)} {shown(was.id)}"
    return by.entry("connection.move_accepted", f"connection {to_wire(connection.id)}", **detail)


def _noted(by: By, connection: Connection, lapse: Lapse, to: Parent) -> LapseNote:
    was = f"from {shown(connection.parent.name)} " if connection.parent is not None else ""
    return LapseNote(
        id=NoteId(new_id(by.at)),
        organization_id=connection.organization_id,
        lapse_id=lapse.id,
        person_id=by.person.id,
        person_name=shown(by.person.name),
        text=f"Accepted the move {was}to {shown(to.name)} ({shown(to.id)}).",
        at=by.at,
    )


async def _candidates(
    uow: UnitOfWork, person: Person, views: Sequence[ConnectionView], to: Parent
) -> Sequence[AuthorizationId]:
    """The logins that read the new business; not those of other owners, for whom a transfer is asked (R-10)."""
    organization_id = person.organization_id
    ids = await uow.connections.logins_under(organization_id, views[0].connection.network, to.id)
    found = []
    for login in await uow.authorizations.many(organization_id, ids):
        profile = await profile_of(uow, login)
        if all(profile.may_serve(person, view.connection) for view in views):
            found.append(login.id)
    return [one for one in ids if one in found]


async def _prove(
    services: Services,
    organization_id: OrganizationId,
    views: Sequence[ConnectionView],
    to: Parent,
    candidates: Sequence[AuthorizationId],
) -> dict[ConnectionId, AuthorizationId]:
    """Ask the logins that are here, their own first, which of the accounts they read under the new business. No
    transaction is open.
    """
    left = {view.connection.account_id: view.connection.id for view in views if view.open_lapse is not None}
    own = [view.connection.authorization_id for view in views if view.connection.authorization_id is not None]
    proved: dict[ConnectionId, AuthorizationId] = {}
    loop = asyncio.get_running_loop()
    until = loop.time() + START_WITHIN  # somebody waits for the answer
    for authorization_id in dict.fromkeys((*own[:1], *candidates)):
        if not left or loop.time() > until:
            break
        await services.checker.check(organization_id, authorization_id)  # its access is fresh then
        expected = [Expected(account_id=account_id, parent=to) for account_id in left]
        for account_id in await services.checker.prove(organization_id, authorization_id, expected):
            proved[left.pop(account_id)] = authorization_id
    return proved


async def _bring_back(
    uow: UnitOfWork,
    organization_id: OrganizationId,
    proved: dict[ConnectionId, AuthorizationId],
    to: Parent,
    *,
    now: datetime,
    accepted_by: Person | None = None,
) -> set[ConnectionId]:
    """Hang what was proved on the login that proved it, unless something else happened to it meanwhile. `accepted_by`:
    whose accepting brought it back; None: it was looked at once more.
    """
    back = set[ConnectionId]()
    logins = {
        one.id: one for one in await uow.authorizations.many(organization_id, list(dict.fromkeys(proved.values())))
    }
    for connection_id, authorization_id in proved.items():
        connection = await uow.connections.get(organization_id, connection_id)
        there = connection.parent is not None and connection.parent.id == to.id
        if connection.state is ConnectionState.LAPSED and there and authorization_id in logins:
            await hang(uow, connection, logins[authorization_id], by=accepted_by, now=now)
            back.add(connection_id)
        elif connection.state is ConnectionState.ACTIVE:
            back.add(connection_id)
    return back


async def hang(
    uow: UnitOfWork, connection: Connection, authorization: Authorization, *, by: Person | None, now: datetime
) -> None:
    """Hang an account that came back on the login that proved it, and end its lapse. `by`: whose accepting did it."""
    organization_id = connection.organization_id
    await uow.connections.attach(
        organization_id,
        connection.id,
        authorization_id=authorization.id,
        connector_id=authorization.connector_id,
        account_name=connection.account_name,
        parent=connection.parent,
        good_at=now,
    )
    how, by_id = (LapseEnd.RECONNECTED, by.id) if by is not None else (LapseEnd.RECOVERED, None)
    ended = await uow.lapses.end(organization_id, connection.id, at=now, how=how, by=by_id)
    if ended is not None:
        over = Event.of_lapse(EventKind.LAPSE_ENDED, ended, now, login=authorization.id, by=by_id)
        await uow.notices.record([over])
