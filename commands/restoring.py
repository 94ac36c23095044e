"""Writing down what a login proved: grant, connections, ended lapses, events and audit, all in one transaction.

Called with a comparison already made; everything read here is read in the transaction that writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.access import Standing, may_reconnect, may_see, scope_of
from commands.auditing import Actor, entry
from commands.comparison import AccountOutcome, Comparison, ComparisonKind, compare
from commands.ids import AuthorizationId, EventId, PersonId, new_id, to_wire
from commands.model import (
    Authorization,
    Connection,
    ConnectionState,
    ConnectionView,
    Filter,
    Lapse,
    LapseEnd,
    Person,
    Tokens,
)
from commands.ports.auditing import AuditEntry
from commands.ports.events import Event, EventKind
from commands.ports.network import Discovery, Grant, NetworkSpec, ReachedAccount
from commands.ports.storage import UnitOfWork, Unreadable
from commands.profiles import Profile, profile_of
from commands.wording import clean

CHECK_AFTER = timedelta(minutes=1)
"""How soon the watch looks again: what was not proved by the login gets its own verdict."""
NAME_LIMIT = 200  # characters kept of a name from a network; their own end sooner
WAITING_LIMIT = 500
"""Connections that never were connected and are looked through for those that a login happens to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that came back: who is at the page, what the network gave, and whom that reaches."""

    person: Person
    origin: str
    """From where, for the audit log."""
    grant: Grant
    discovery: Discovery

    @property
    def by(self) -> Actor:
        """The same for the audit log."""
        return Actor(organization_id=self.person.organization_id, person_id=self.person.id, origin=self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A login held against what is stored, with all that writing it down needs."""

    view: ConnectionView
    standing: Standing
    comparison: Comparison
    views: dict[str, ConnectionView]
    """By account id: everything that was compared."""
    existing: Authorization | None
    """The authorization of this very login, if there is one."""
    profile: Profile | None = None
    """Whose that is, where it is another one than the account hangs on."""

    def may_serve(self, person: Person, connection: Connection) -> bool:
        """Whether this login may be used for an account: one that belongs to another owner may not (R-10)."""
        return self.profile is None or self.profile.may_serve(person, connection)

    def is_anothers(self, person: Person) -> bool:
        """Whether it would mend what was asked for, and belongs to another owner."""
        works = self.comparison.kind is not ComparisonKind.NOTHING
        return works and not self.may_serve(person, self.view.connection)


async def weigh(uow: UnitOfWork, spec: NetworkSpec, view: ConnectionView, login: Login) -> Weighed:
    """Read what was expected and hold the login against it. Writes nothing."""
    connection, organization_id = view.connection, view.connection.organization_id
    existing = await uow.authorizations.by_subject(organization_id, spec.slug, login.discovery.subject_id)
    expected = [view]
    if connection.authorization_id is not None:
        under = await uow.connections.under(organization_id, connection.authorization_id)
        expected += [sibling for sibling in under if sibling.connection.id != connection.id]
    optional = await _waiting(uow, login.person, connection)
    profile = None
    if existing is not None and existing.id != connection.authorization_id:
        known = await uow.connections.under(organization_id, existing.id)
        profile, optional = await profile_of(uow, existing, known), [*optional, *known]
    optional = [other for other in optional if may_reconnect(login.person, other).allowed]
    comparison = compare(
        spec,
        login.discovery,
        subject_id=view.authorization.subject_id if view.authorization else None,
        expected=[each.connection for each in expected],
        optional=[each.connection for each in optional if each.connection.state is not ConnectionState.ACTIVE],
    )
    return Weighed(
        view=view,
        standing=may_reconnect(login.person, view).standing,
        comparison=comparison,
        views={each.connection.account_id: each for each in (*optional, *expected)},
        existing=existing,
        profile=profile,
    )


async def _waiting(uow: UnitOfWork, person: Person, connection: Connection) -> list[ConnectionView]:
    """Connections of the network that were never connected, and are for the same connector to connect."""
    page = await uow.connections.page(
        connection.organization_id,
        scope_of(person),
        Filter(
            network=connection.network,
            person_id=connection.connector_id or person.id,
            states=(ConnectionState.UNCONNECTED,),
        ),
        offset=0,
        limit=WAITING_LIMIT,
    )
    return list(page.rows)


async def restore(uow: UnitOfWork, spec: NetworkSpec, weighed: Weighed, login: Login, now: datetime) -> None:
    """Write down what was proved. Nothing where nothing was, or where another login proved only what works already."""
    taken = taken_over(weighed, login.person)
    if not taken:
        return
    authorization_id = await store_grant(uow, spec, weighed.existing, login, now)
    proved = [(outcome.connection, outcome.reached) for outcome in taken]
    await bring_back(uow, proved, login.person, authorization_id, now)
    await uow.audit.write(_audited(weighed, login, taken, now))


def taken_over(weighed: Weighed, person: Person) -> Sequence[AccountOutcome]:
    """The proved connections that go to this login's authorization.

    Another login takes only what waits, and only what its person may see: whoever is the connector sees it.
    """
    comparison = weighed.comparison
    if comparison.same_login:
        return comparison.proved
    if comparison.kind is ComparisonKind.NOTHING or weighed.is_anothers(person):
        return ()
    asked_for = weighed.view.connection.id
    return [
        outcome
        for outcome in comparison.proved
        if outcome.connection.id == asked_for
        or (
            outcome.needed
            and may_see(person, outcome.connection)
            and weighed.may_serve(person, outcome.connection)
            and outcome.connection.state is not ConnectionState.RETIRED
        )
    ]


async def store_grant(
    uow: UnitOfWork, spec: NetworkSpec, existing: Authorization | None, login: Login, now: datetime
) -> AuthorizationId:
    """Store a login: as the new consent of `existing`, the authorization of this very login, or as a new one."""
    grant, organization_id = login.grant, login.person.organization_id
    authorization = Authorization(
        id=existing.id if existing else AuthorizationId(new_id(now)),
        organization_id=organization_id,
        network=spec.slug,
        subject_id=login.discovery.subject_id,
        subject_name=clean(login.discovery.subject_name)[:NAME_LIMIT],
        connector_id=await _connector_of(uow, existing, login.person),
        granted=login.discovery.granted,
        obtained_at=now,
        ends_at=grant.ends_at or (now + spec.term if spec.term else None),
        checked_at=now,
        last_good_at=now,
        next_check_at=now + CHECK_AFTER,
        generation=existing.generation if existing else 1,
    )
    if existing is None:
        await uow.authorizations.add(authorization, grant.tokens)
        return authorization.id
    await uow.authorizations.replace_grant(authorization, await _carried_over(uow, existing, grant.tokens))
    renewed = Event(
        id=EventId(new_id(now)),
        organization_id=organization_id,
        kind=EventKind.GRANT_RENEWED,
        at=now,
        authorization_id=authorization.id,
        person_id=login.person.id,
    )
    await uow.notices.record([renewed])
    return authorization.id


async def _connector_of(uow: UnitOfWork, existing: Authorization | None, person: Person) -> PersonId:
    """Whoever logged in; while something hangs on the login that they may not see, whoever it was remains."""
    if existing is None or existing.connector_id == person.id:
        return person.id
    under = await uow.connections.under(existing.organization_id, existing.id)
    return person.id if all(may_see(person, view.connection) for view in under) else existing.connector_id


async def _carried_over(uow: UnitOfWork, existing: Authorization, tokens: Tokens) -> Tokens:
    """The new tokens, with the refresh token of before where the network left it out (R-16)."""
    if tokens.refresh:
        return tokens
    try:
        before = await uow.authorizations.tokens(existing.organization_id, existing.id)
    except Unreadable:
        return tokens  # what cannot be read is no loss
    return replace(tokens, refresh=before.refresh, refresh_begun_at=before.refresh_begun_at)


async def bring_back(
    uow: UnitOfWork,
    proved: Sequence[tuple[Connection, ReachedAccount | None]],
    person: Person,
    authorization_id: AuthorizationId,
    now: datetime,
) -> None:
    """Hang connections that this login proved on its authorization, and end the lapses that are open."""
    await uow.connections.hold(person.organization_id, [connection.id for connection, _ in proved])
    ended = [
        await _bring_back(uow, one, reached, person=person, authorization_id=authorization_id, now=now)
        for one, reached in proved
    ]
    await uow.notices.record(
        [
            Event.of_lapse(EventKind.LAPSE_ENDED, lapse, now, login=authorization_id, by=person.id)
            for lapse in ended
            if lapse is not None
        ]
    )


async def _bring_back(
    uow: UnitOfWork,
    connection: Connection,
    reached: ReachedAccount | None,
    *,
    person: Person,
    authorization_id: AuthorizationId,
    now: datetime,
) -> Lapse | None:
    # Whoever reconnected becomes the connector; of what they may not see, whoever it was remains.
    hidden = connection.connector_id is not None and not may_see(person, connection)
    connector_id = connection.connector_id if hidden and connection.connector_id else person.id
    await uow.connections.attach(
        connection.organization_id,
        connection.id,
        authorization_id=authorization_id,
        connector_id=connector_id,
        account_name=_name(connection, reached),
        parent=(reached.parent if reached else None) or connection.parent,
        good_at=now,
    )
    return await uow.lapses.end(
        connection.organization_id, connection.id, at=now, how=LapseEnd.RECONNECTED, by=person.id
    )


def _name(connection: Connection, reached: ReachedAccount | None) -> str:
    """What the organization calls the account; the network's name where there was no more than the id."""
    if reached is None or connection.account_name not in ("", connection.account_id):
        return connection.account_name
    return clean(reached.name)[:NAME_LIMIT] or connection.account_id


def _audited(weighed: Weighed, login: Login, taken: Sequence[AccountOutcome], now: datetime) -> AuditEntry:
    detail = {
        "as": weighed.standing.value,
        "outcome": weighed.comparison.kind.value,
        "login": login.discovery.subject_id,
        "accounts": ", ".join(outcome.connection.account_id for outcome in taken[:50]),
    }
    return entry(login.by, now, "reconnected", f"connection {to_wire(weighed.view.connection.id)}", **detail)
