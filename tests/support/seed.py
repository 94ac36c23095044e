"""An organization to test with, built through the ports, and a store to build it in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    EventId,
    IdentityId,
    LapseId,
    OrganizationId,
    PersonId,
    WorkspaceId,
    new_id,
)
from commands.model import (
    Authorization,
    Client,
    Connection,
    ConnectionState,
    Evidence,
    Identity,
    Lapse,
    Organization,
    Parent,
    Person,
    Role,
    Tokens,
    Verdict,
    Workspace,
)
from commands.ports.clock import Clock
from commands.ports.events import Event, EventKind
from commands.ports.storage import Storage, UnitOfWork
from commands.secret import Secret
from storage import Keyring, SqlStorage, open_storage

SLACK_TEAM = "T1"
DISCORD_SERVER = "D1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What `seed` built. Slack users are U-MEI, U-ANA, …, Discord users 100 and up; Pat has no chat account."""

    organization: Organization
    slack: Workspace
    """Team T1."""
    discord: Workspace
    """Server D1."""
    acme: Client
    brio: Client
    mei: Person
    """Primary administrator."""
    ana: Person
    """Connector of every connection; staff, sees everything."""
    bo: Person
    """Owner of every connection."""
    raj: Person
    """Administrator."""
    sam: Person
    """Staff limited to Acme."""
    pat: Person
    """Staff, with an email address and no chat account."""
    authorization: Authorization
    tokens: Tokens
    connections: tuple[Connection, ...]
    """Active, on one authorization; Acme's and Brio's by turns."""

    @property
    def organization_id(self) -> OrganizationId:
        return self.organization.id


@asynccontextmanager
async def fresh_storage(url: str, clock: Clock, keyring: Keyring | None = None) -> AsyncIterator[SqlStorage]:
    """Open a database that has its schema, as `database_url` gives it."""
    keys = keyring or Keyring.from_settings(Keyring.new_key("test"))
    async with open_storage(url, keys, clock) as storage:
        yield storage


async def seed(
    storage: Storage,
    now: datetime,
    *,
    connections: int = 2,
    network: str = "examplenet",
    name: str = "Acme Agency",
    slack_team: str = SLACK_TEAM,
    discord_server: str = DISCORD_SERVER,
    ends_at: datetime | None = None,
) -> Seeded:
    """Build an organization. A second one in the same store takes other workspaces: each belongs to one."""
    organization = Organization(id=OrganizationId(new_id(now)), name=name)
    acme = Client(id=ClientId(new_id(now)), organization_id=organization.id, name="Acme")
    brio = Client(id=ClientId(new_id(now)), organization_id=organization.id, name="Brio")

    def person(full_name: str, role: Role, clients: frozenset[ClientId] | None = None) -> Person:
        return Person(
            id=PersonId(new_id(now)),
            organization_id=organization.id,
            name=full_name,
            email=f"{_first(full_name)}@{_first(name)}.example",
            role=role,
            client_ids=clients,
        )

    mei = person("Mei Lin", Role.PRIMARY_ADMINISTRATOR)
    ana = person("Ana Ruiz", Role.STAFF)
    bo = person("Bo Berg", Role.OWNER)
    raj = person("Raj Patel", Role.ADMINISTRATOR)
    sam = person("Sam Okoro", Role.STAFF, frozenset({acme.id}))
    pat = person("Pat Doe", Role.STAFF)
    authorization, tokens = _grant(organization.id, network, ana.id, now, ends_at)
    accounts = tuple(
        _connection(authorization, client=(acme, brio)[place % 2], owner=bo, place=place)
        for place in range(connections)
    )
    slack = _workspace(organization.id, "slack", slack_team, now)
    discord = _workspace(organization.id, "discord", discord_server, now)
    async with storage.transaction() as uow:
        await uow.organizations.add(organization)
        for workspace in (slack, discord):
            assert await uow.organizations.add_workspace(workspace)
        for client in (acme, brio):
            await uow.clients.ensure(client)
        for somebody in (mei, ana, bo, raj, sam, pat):
            await uow.people.add(somebody)
        for place, somebody in enumerate((mei, ana, bo, raj, sam)):
            await _link(
                uow, somebody, now, platform="slack", tenant=slack_team, user=f"U-{_first(somebody.name).upper()}"
            )
            await _link(uow, somebody, now, platform="discord", tenant="", user=str(100 + place))
        await uow.authorizations.add(authorization, tokens)
        for account in accounts:
            assert await uow.connections.add(account)
    return Seeded(
        organization=organization,
        slack=slack,
        discord=discord,
        acme=acme,
        brio=brio,
        mei=mei,
        ana=ana,
        bo=bo,
        raj=raj,
        sam=sam,
        pat=pat,
        authorization=authorization,
        tokens=tokens,
        connections=accounts,
    )


async def lapse(
    storage: Storage, connection: Connection, at: datetime, cause: Verdict = Verdict.REVOKED
) -> tuple[Lapse, Event]:
    """Open a lapse as the watch does: state, lapse and event in one transaction."""
    opened = Lapse(
        id=LapseId(new_id(at)),
        organization_id=connection.organization_id,
        connection_id=connection.id,
        authorization_id=connection.authorization_id,
        cause=cause,
        evidence=Evidence(check="seed", code="190"),
        last_good_at=at - timedelta(hours=1),
        opened_at=at,
    )
    event = Event(
        id=EventId(new_id(at)),
        organization_id=connection.organization_id,
        kind=EventKind.LAPSE_OPENED,
        at=at,
        lapse_id=opened.id,
        connection_id=connection.id,
        authorization_id=connection.authorization_id,
    )
    async with storage.transaction() as uow:
        assert await uow.lapses.open(opened)
        await uow.connections.set_state(connection.organization_id, connection.id, ConnectionState.LAPSED)
        await uow.notices.record([event])
    return opened, event


def _grant(
    organization_id: OrganizationId, network: str, connector_id: PersonId, now: datetime, ends_at: datetime | None
) -> tuple[Authorization, Tokens]:
    authorization = Authorization(
        id=AuthorizationId(new_id(now)),
        organization_id=organization_id,
        network=network,
        subject_id="subject-ana",
        subject_name="Ana Ruiz",
        connector_id=connector_id,
        granted=frozenset({"read"}),
        obtained_at=now,
        ends_at=ends_at,
        checked_at=now,
        last_good_at=now,
        next_check_at=now + timedelta(hours=1),
    )
    tokens = Tokens(
        access=Secret("seed-access-token"),
        refresh=Secret("seed-refresh-token"),
        access_expires_at=now + timedelta(days=30),
        obtained_at=now,
    )
    return authorization, tokens


def _connection(authorization: Authorization, *, client: Client, owner: Person, place: int) -> Connection:
    return Connection(
        id=ConnectionId(new_id(authorization.obtained_at)),
        organization_id=authorization.organization_id,
        client_id=client.id,
        network=authorization.network,
        account_id=f"acct-{place + 1}",
        account_name=f"{client.name} Ads {place + 1}",
        state=ConnectionState.ACTIVE,
        parent=Parent(id="business-1", name="Example Business"),
        authorization_id=authorization.id,
        connector_id=authorization.connector_id,
        owner_id=owner.id,
        last_good_at=authorization.obtained_at,
    )


def _workspace(organization_id: OrganizationId, platform: str, external_id: str, now: datetime) -> Workspace:
    return Workspace(
        id=WorkspaceId(new_id(now)),
        organization_id=organization_id,
        platform=platform,
        external_id=external_id,
        name=f"{platform} {external_id}",
    )


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0].lower()


async def _link(uow: UnitOfWork, person: Person, now: datetime, *, platform: str, tenant: str, user: str) -> None:
    linked = await uow.people.link(
        Identity(
            id=IdentityId(new_id(now)),
            organization_id=person.organization_id,
            person_id=person.id,
            platform=platform,
            tenant=tenant,
            user=user,
            linked_at=now,
        )
    )
    assert linked, f"{user} is somebody's already"
