"""Connections, people and lapses that are made up for the tests of who is told what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from commands.ids import AuthorizationId, ClientId, ConnectionId, LapseId, OrganizationId, PersonId, SubscriptionId
from commands.model import (
    Channel,
    Connection,
    ConnectionState,
    ConnectionView,
    Evidence,
    Lapse,
    Parent,
    Person,
    Role,
    Subscription,
    Verdict,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORGANIZATION = OrganizationId(UUID(int=1))
ACME, BRIO = ClientId(UUID(int=51)), ClientId(UUID(int=52))
NEWS = Channel(platform="examplechat", tenant="T1", external_id="C1")


def person(number: int, role: Role = Role.OWNER, **changes: object) -> Person:
    """Somebody of the organization."""
    own = Person(
        id=PersonId(UUID(int=100 + number)),
        organization_id=ORGANIZATION,
        name=f"Person {number}",
        email=f"p{number}@acme.example",
        role=role,
    )
    return replace(own, **changes)  # type: ignore[arg-type]  # a case names the fields it changes


def view(
    number: int,
    *,
    connector: Person | None = None,
    owner: Person | None = None,
    client: ClientId = ACME,
    network: str = "examplenet",
    login: int | None = 1,
    cause: Verdict = Verdict.REVOKED,
    parent: str | None = None,
) -> ConnectionView:
    """A connection with an open lapse."""
    authorization_id = AuthorizationId(UUID(int=200 + login)) if login is not None else None
    lapse = Lapse(
        id=LapseId(UUID(int=4000 + number)),
        organization_id=ORGANIZATION,
        connection_id=ConnectionId(UUID(int=3000 + number)),
        authorization_id=authorization_id,
        cause=cause,
        evidence=Evidence(check="case"),
        last_good_at=NOW - timedelta(minutes=10),
        opened_at=NOW,
    )
    connection = Connection(
        id=lapse.connection_id,
        organization_id=ORGANIZATION,
        client_id=client,
        network=network,
        account_id=str(number),
        account_name=f"Account {number}",
        state=ConnectionState.LAPSED,
        parent=Parent(id=parent, name=f"Business {parent}") if parent is not None else None,
        authorization_id=authorization_id,
        connector_id=connector.id if connector else None,
        owner_id=owner.id if owner else None,
    )
    return ConnectionView(
        connection=connection,
        client_name="Acme" if client == ACME else "Brio",
        connector=connector,
        owner=owner,
        lapse=lapse,
    )


def subscription(
    number: int,
    reader: Person,
    *,
    channel: Channel | None = None,
    network: str | None = None,
    client: ClientId | None = None,
) -> Subscription:
    """An opt-in."""
    return Subscription(
        id=SubscriptionId(UUID(int=600 + number)),
        organization_id=ORGANIZATION,
        person_id=reader.id,
        channel=channel,
        network=network,
        client_id=client,
        created_at=NOW,
    )
