"""Giving accounts another owner (C-8): what else goes along, who may, and writing it, in one transaction.

What the former owner has under the same business goes along, since a business belongs to one owner; and so does the
login that they are read with, the parent profile, once nothing of the former owner's hangs on it any more (R-10).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.access import Act, may, scope_of
from commands.auditing import By
from commands.ids import AuthorizationId, EventId, PersonId, new_id, to_wire
from commands.model import Authorization, ConnectionState, ConnectionView, Filter, Person, Role
from commands.ports.auditing import AuditEntry
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.profiles import Profile, profile_of
from commands.wording import shown

_READ_AT_ONCE = 500
LIVE = tuple(state for state in ConnectionState if state is not ConnectionState.RETIRED)


class MayNotTransfer(Exception):
    """Only administrators transfer, and the owner of a parent profile that profile."""


class NoAccess(Exception):
    """The new owner may not see these clients, whose accounts are to be theirs."""

    def __init__(self, clients: tuple[str, ...]) -> None:
        self.clients = clients
        super().__init__("the new owner has no access to a client")


async def all_of(uow: UnitOfWork, person: Person, narrowed: Filter) -> list[ConnectionView]:
    """Everything that matches and that this person may see."""
    found: list[ConnectionView] = []
    while True:
        page = await uow.connections.page(
            person.organization_id, scope_of(person), narrowed, offset=len(found), limit=_READ_AT_ONCE
        )
        found += page.rows
        if not page.rows or len(found) >= page.total:
            return found


async def with_their_business(
    uow: UnitOfWork, person: Person, chosen: Sequence[ConnectionView]
) -> list[ConnectionView]:
    """What was chosen, and what else the same owners own under the same businesses, as far as `person` may see it."""
    found = {view.connection.id: view for view in chosen}
    wanted: dict[tuple[str, PersonId], set[str]] = {}
    for view in chosen:
        connection = view.connection
        if connection.parent is not None and connection.owner_id is not None:
            wanted.setdefault((connection.network, connection.owner_id), set()).add(connection.parent.id)
    for (network, owner_id), parents in wanted.items():
        for view in await all_of(uow, person, Filter(network=network, person_id=owner_id, states=LIVE)):
            parent = view.connection.parent
            if parent is not None and parent.id in parents and view.connection.owner_id == owner_id:
                found.setdefault(view.connection.id, view)
    return list(found.values())


def allowed(person: Person, to: Person, views: Sequence[ConnectionView]) -> None:
    """Raises MayNotTransfer where `person` may not, and NoAccess where the new owner has none to the clients."""
    if not all(may(person, Act.TRANSFER, view) for view in views):
        raise MayNotTransfer
    has_access(to, views)


def has_access(to: Person, views: Sequence[ConnectionView]) -> None:
    """Raises NoAccess where a new owner has no access to the clients."""
    if to.role is not Role.STAFF or to.client_ids is None:
        return
    outside = sorted({view.client_name for view in views if view.connection.client_id not in to.client_ids})
    if outside:
        raise NoAccess(tuple(outside))


async def write(uow: UnitOfWork, by: By, to: Person, moving: Sequence[ConnectionView]) -> Sequence[Authorization]:
    """Make accounts somebody's, and the logins that go along; give these."""
    profiles = await _along(uow, to, moving)
    await uow.connections.set_owner(by.person.organization_id, [view.connection.id for view in moving], to.id)
    events = [_transferred(by, to, view) for view in moving]
    await uow.notices.record(events)
    await uow.audit.write(*(_audited(by, to, view) for view in moving))
    for profile in profiles:
        await _give(uow, by, to, profile)
    return [profile.authorization for profile in profiles]


async def _along(uow: UnitOfWork, to: Person, moving: Sequence[ConnectionView]) -> list[Profile]:
    """The logins whose owner gives away the last of what hangs on them."""
    logins: dict[AuthorizationId, Authorization] = {}
    for view in moving:
        if view.authorization is not None and view.connection.owner_id is not None:
            logins.setdefault(view.authorization.id, view.authorization)
    former = {view.connection.owner_id for view in moving} - {None, to.id}
    ids = {view.connection.id for view in moving}
    found = []
    for authorization in logins.values():
        profile = await profile_of(uow, authorization)
        if profile.owner is None or profile.owner.id not in former:
            continue
        theirs = [view for view in profile.under if view.connection.owner_id == profile.owner.id]
        if theirs and all(view.connection.id in ids for view in theirs):
            found.append(profile)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTransfer:
    """A login that is to be somebody else's, with the accounts of its owner that hang on it."""

    profile: Profile
    to: Person
    moving: tuple[ConnectionView, ...]
    may: bool
    """Whether this person may do it."""


def of_profile(person: Person, profile: Profile, to: Person) -> ProfileTransfer:
    """What transferring a login comes to: administrators may who see all of it, and whoever owns it."""
    owner = profile.owner
    moving = tuple(view for view in profile.under if owner is not None and view.connection.owner_id == owner.id)
    sees_all = all(may(person, Act.TRANSFER, view) for view in moving) and may(person, Act.ADMINISTER_HERE)
    return ProfileTransfer(
        profile=profile, to=to, moving=moving, may=sees_all or (owner is not None and owner.id == person.id)
    )


async def write_profile(uow: UnitOfWork, by: By, transfer: ProfileTransfer) -> None:
    """Make a login somebody's, and what hangs on it of its former owner's. Raises MayNotTransfer and NoAccess."""
    if not transfer.may:
        raise MayNotTransfer
    has_access(transfer.to, transfer.moving)
    given = await write(uow, by, transfer.to, transfer.moving) if transfer.moving else ()
    if transfer.profile.authorization.id not in {one.id for one in given}:
        await _give(uow, by, transfer.to, transfer.profile)


async def _give(uow: UnitOfWork, by: By, to: Person, profile: Profile) -> None:
    authorization = profile.authorization
    await uow.parents.give(authorization.organization_id, authorization.network, [authorization.subject_id], to.id)
    detail = {"login": shown(authorization.subject_name), "to": shown(to.name)}
    if profile.owner is not None:
        detail["was"] = shown(profile.owner.name)
    subject = f"authorization {to_wire(authorization.id)}"
    await uow.audit.write(by.entry("parent_profile.transferred", subject, **detail))


def _audited(by: By, to: Person, view: ConnectionView) -> AuditEntry:
    detail = {"account": shown(view.connection.account_name), "to": shown(to.name)}
    if view.owner is not None:
        detail["was"] = shown(view.owner.name)
    return by.entry("connection.transferred", f"connection {to_wire(view.connection.id)}", **detail)


def _transferred(by: By, to: Person, view: ConnectionView) -> Event:
    return Event(
        id=EventId(new_id(by.at)),
        organization_id=view.connection.organization_id,
        kind=EventKind.TRANSFERRED,
        at=by.at,
        connection_id=view.connection.id,
        authorization_id=view.connection.authorization_id,
        person_id=to.id,
        data={"by": shown(by.person.name)},
    )
