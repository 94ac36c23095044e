"""Writing down what a login proved: the grant stored, connections hung on it, lapses ended, events and audit, in one transaction.

Called with a comparison already made; everything read here is read in the transaction that writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.access import Standing, may_reconnect, may_see, scope_of
from commands.comparison import AccountOutcome, Comparison, ComparisonKind, compare
from commands.ids import AuthorizationId, EventId, PersonId, new_id, to_wire
from commands.model import (
    Authorization,
    Connection,
    ConnectionState,
    ConnectionView,
    Filter,
    LapseEnd,
    Person,
    Tokens,
)
from commands.ports.network import Discovery, Grant, NetworkSpec
from commands.ports.notices import AuditEntry, Event, EventKind
from commands.ports.storage import UnitOfWork, Unreadable

CHECK_AFTER = timedelta(minutes=1)
"""How soon the watch looks again: what was not proved by the login gets its own verdict."""
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


async def weigh(uow: UnitOfWork, spec: NetworkSpec, view: ConnectionView, login: Login) -> Weighed:
    """Read what was expected and hold the login against it. Writes nothing."""
    connection, organization_id = view.connection, view.connection.organization_id
    existing = await uow.authorizations.by_subject(organization_id, spec.slug, login.discovery.subject_id)
    expected = [view]
    if connection.authorization_id is not None:
        under = await uow.connections.under(organization_id, connection.authorization_id)
        expected += [sibling for sibling in under if sibling.connection.id != connection.id]
    optional = await _waiting(uow, login.person, connection)
    if existing is not None and existing.id != connection.authorization_id:
        optional += await uow.connections.under(organization_id, existing.id)
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
    """Write down what was proved. Nothing at all where nothing was, or where another login proved only what works already."""
    taken = taken_over(weighed, login.person)
    if not taken:
        return
    authorization_id = await _store_grant(uow, spec, weighed, login, now)
    events: list[Event] = []
    for outcome in taken:
        events += await _bring_back(uow, weighed, outcome, login.person, authorization_id, now)
    await uow.notices.record(events)
    await uow.audit.write(_audited(weighed, login, taken, now))


def taken_over(weighed: Weighed, person: Person) -> Sequence[AccountOutcome]:
    """The proved connections that go to this login's authorization. Another login takes only what waits, and only what its
    person may reconnect: to be the connector is to see it.
    """
    comparison = weighed.comparison
    if comparison.same_login:
        return comparison.proved
    if comparison.kind is ComparisonKind.NOTHING:
        return ()
    asked_for = weighed.view.connection.id
    return [
        outcome
        for outcome in comparison.proved
        if outcome.connection.id == asked_for
        or (
            outcome.needed
            and may_see(person, outcome.connection)
            and outcome.connection.state is not ConnectionState.RETIRED
        )
    ]


async def _store_grant(
    uow: UnitOfWork, spec: NetworkSpec, weighed: Weighed, login: Login, now: datetime
) -> AuthorizationId:
    grant, existing = login.grant, weighed.existing
    organization_id = login.person.organization_id
    authorization = Authorization(
        id=existing.id if existing else AuthorizationId(new_id(now)),
        organization_id=organization_id,
        network=spec.slug,
        subject_id=login.discovery.subject_id,
        subject_name=login.discovery.subject_name,
        connector_id=login.person.id,
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
    else:
        await uow.authorizations.replace_grant(authorization, await _carried_over(uow, existing, grant.tokens))
    return authorization.id


async def _carried_over(uow: UnitOfWork, existing: Authorization, tokens: Tokens) -> Tokens:
    """The new tokens, with the refresh token of before where the network left it out (R-16)."""
    if tokens.refresh:
        return tokens
    try:
        before = await uow.authorizations.tokens(existing.organization_id, existing.id)
    except Unreadable:
        return tokens  # what cannot be read is no loss
    return replace(tokens, refresh=before.refresh)


async def _bring_back(
    uow: UnitOfWork,
    weighed: Weighed,
    outcome: AccountOutcome,
    person: Person,
    authorization_id: AuthorizationId,
    now: datetime,
) -> list[Event]:
    connection, reached = outcome.connection, outcome.reached
    organization_id = connection.organization_id
    stays = connection.authorization_id == authorization_id and connection.connector_id == person.id
    if stays and not outcome.needed:
        await uow.connections.record_check(organization_id, connection.id, good_at=now, doubt=None)
        return []
    await uow.connections.attach(
        organization_id,
        connection.id,
        authorization_id=authorization_id,
        connector_id=_connector(weighed, connection, person),
        account_name=(reached.name if reached else "") or connection.account_name,
        parent=(reached.parent if reached else None) or connection.parent,
        good_at=now,
    )
    lapse = await uow.lapses.end(organization_id, connection.id, at=now, how=LapseEnd.RECONNECTED, by=person.id)
    if lapse is None:
        return []
    return [
        Event(
            id=EventId(new_id(now)),
            organization_id=organization_id,
            kind=EventKind.LAPSE_ENDED,
            at=now,
            lapse_id=lapse.id,
            connection_id=connection.id,
            authorization_id=authorization_id,
            person_id=person.id,
        )
    ]


def _connector(weighed: Weighed, connection: Connection, person: Person) -> PersonId:
    """Who reconnected becomes the connector; of what they may not see, whoever it was remains."""
    view = weighed.views[connection.account_id]
    if connection.connector_id is not None and not may_see(person, view.connection):
        return connection.connector_id
    return person.id


def _audited(weighed: Weighed, login: Login, taken: Sequence[AccountOutcome], now: datetime) -> AuditEntry:
    return AuditEntry(
        organization_id=login.person.organization_id,
        at=now,
        actor_id=login.person.id,
        origin=login.origin,
        action="reconnected",
        subject=f"connection {to_wire(weighed.view.connection.id)}",
        detail={
            "as": weighed.standing.value,
            "outcome": weighed.comparison.kind.value,
            "login": login.discovery.subject_id,
            "accounts": ", ".join(outcome.connection.account_id for outcome in taken[:50]),
        },
    )
