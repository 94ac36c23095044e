"""A small agency to ask things of: a few people of every role, two networks, and connections in every state."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from commands.command import Services
from commands.dispatcher import Dispatcher
from commands.handlers.banner import SHOW_THEM
from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    IdentityId,
    LapseId,
    OrganizationId,
    PersonId,
    WorkspaceId,
    new_id,
)
from commands.messages import ActionRef, Button, Buttons, FieldErrors, Form, Message, Text
from commands.model import (
    Authorization,
    Client,
    Connection,
    ConnectionState,
    Identity,
    LapseEnd,
    Organization,
    Parent,
    Person,
    Role,
    Tokens,
    Verdict,
    Workspace,
)
from commands.ports.chat import ActionRequest, ChatUser, CommandRequest, Options, Place, Submission, Words
from commands.ports.network import Network
from commands.ports.storage import Storage
from commands.secret import Secret
from storage import Keyring, open_storage
from tests.commands.plain import plain
from tests.support import seed
from tests.support.checker import FakeChecker
from tests.support.clock import FakeClock
from tests.support.network import FakeNetwork, spec

PUBLIC_URL = "https://lapsebot.example"
PLATFORM, TENANT, CHANNEL = "chatter", "T1", "C1"
"""The platform of most tests."""
OTHER_PLATFORM, OTHER_TENANT = "pigeon", ""
"""Another one, whose user ids are unique everywhere."""


@dataclass
class World:
    """The agency, opened. Times are told from `clock.now()`, a Monday at 09:00."""

    storage: Storage
    clock: FakeClock
    checker: FakeChecker
    services: Services
    dispatcher: Dispatcher
    organization: Organization
    keyring: Keyring
    platform: str = PLATFORM
    tenant: str = TENANT
    database_url: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    clients: dict[str, ClientId] = field(default_factory=dict)
    connections: dict[str, ConnectionId] = field(default_factory=dict)
    lapses: dict[str, LapseId] = field(default_factory=dict)
    authorizations: dict[str, AuthorizationId] = field(default_factory=dict)

    def user(self, name: str) -> ChatUser:
        return ChatUser(platform=self.platform, tenant=self.tenant, external_id=f"U-{name}", name=name)

    @asynccontextmanager
    async def again(
        self, database_url: str, *, platform: str = PLATFORM, tenant: str = TENANT
    ) -> AsyncIterator["World"]:
        """Open the same agency on a copy of its database, for somebody who asks from `platform`. What happens to the
        one does not happen to the other.
        """
        clock, checker = FakeClock(self.clock.now()), FakeChecker()
        async with open_storage(database_url, self.keyring, clock) as storage:
            services = replace(self.services, storage=storage, clock=clock, networks=fake_networks(), checker=checker)
            dispatcher = Dispatcher(services)
            yield replace(
                self,
                storage=storage,
                clock=clock,
                checker=checker,
                services=services,
                dispatcher=dispatcher,
                platform=platform,
                tenant=tenant,
                database_url=database_url,
                people=dict(self.people),
                clients=dict(self.clients),
                connections=dict(self.connections),
                lapses=dict(self.lapses),
                authorizations=dict(self.authorizations),
            )

    async def typed(
        self, name: str, command: str, words: str | dict[str, str] = "", *, place: Place | None = None
    ) -> Message:
        """What `name` reads after typing a command, in words or with options; below the banner, if there is one."""
        return unbannered(await self.typed_whole(name, command, words, place=place))

    async def typed_whole(
        self, name: str, command: str, words: str | dict[str, str] = "", *, place: Place | None = None
    ) -> Message:
        """The same with the banner."""
        arguments = Words(text=words) if isinstance(words, str) else Options(values=words)
        return await self.dispatcher.command(
            CommandRequest(name=command, arguments=arguments, user=self.user(name), place=place or HERE)
        )

    async def pressed(self, name: str, token: str | ActionRef | None, *, place: Place | None = None) -> Message:
        """What `name` reads after pressing a button; below the banner, if there is one."""
        return unbannered(await self.pressed_whole(name, token, place=place))

    async def pressed_whole(self, name: str, token: str | ActionRef | None, *, place: Place | None = None) -> Message:
        """The same with the banner."""
        assert token is not None
        written = token if isinstance(token, str) else token.encode()
        return await self.dispatcher.action(ActionRequest(token=written, user=self.user(name), place=place or HERE))

    async def opened(self, name: str, token: str | ActionRef | None, *, place: Place | None = None) -> Form | Message:
        """The form that a press opens, or why there is none."""
        assert token is not None
        written = token if isinstance(token, str) else token.encode()
        return await self.dispatcher.form(ActionRequest(token=written, user=self.user(name), place=place or HERE))

    async def form(self, name: str, token: str | ActionRef | None, *, place: Place | None = None) -> Form:
        """The form that a press opens."""
        opened = await self.opened(name, token, place=place)
        assert isinstance(opened, Form), plain(opened)
        return opened

    async def sent_off(
        self, name: str, token: str | ActionRef, values: Mapping[str, tuple[str, ...]], *, place: Place | None = None
    ) -> Message | FieldErrors:
        """What `name` reads after sending a form off; below the banner, if there is one."""
        written = token if isinstance(token, str) else token.encode()
        said = await self.dispatcher.submission(
            Submission(token=written, values=values, user=self.user(name), place=place or HERE)
        )
        return unbannered(said) if isinstance(said, Message) else said

    async def add_person(self, name: str, role: Role, clients: tuple[str, ...] | None = None) -> Person:
        now = self.clock.now()
        person = Person(
            id=PersonId(new_id(now)),
            organization_id=self.organization.id,
            name=name,
            email=f"{name.split(maxsplit=1)[0].lower()}@example.com",
            role=role,
            client_ids=None if clients is None else frozenset(self.clients[client] for client in clients),
        )
        identity = Identity(
            id=IdentityId(new_id(now)),
            organization_id=self.organization.id,
            person_id=person.id,
            platform=PLATFORM,
            tenant=TENANT,
            user=f"U-{name.split(maxsplit=1)[0].lower()}",
            linked_at=now,
        )
        async with self.storage.transaction() as uow:
            await uow.people.add(person)
            await uow.people.link(identity)
        self.people[name.split(maxsplit=1)[0].lower()] = person
        return person

    async def add_client(self, name: str) -> None:
        client = Client(id=ClientId(new_id(self.clock.now())), organization_id=self.organization.id, name=name)
        async with self.storage.transaction() as uow:
            self.clients[name] = await uow.clients.ensure(client)

    async def add_authorization(self, network: str, connector: str, ends_at: datetime | None = None) -> None:
        now = self.clock.now()
        authorization = Authorization(
            id=AuthorizationId(new_id(now)),
            organization_id=self.organization.id,
            network=network,
            subject_id=f"subject-{connector}",
            subject_name=self.people[connector].name,
            connector_id=self.people[connector].id,
            granted=frozenset({"read"}),
            obtained_at=now - timedelta(days=40),
            ends_at=ends_at,
            checked_at=now - timedelta(minutes=20),
            last_good_at=now - timedelta(minutes=20),
        )
        async with self.storage.transaction() as uow:
            await uow.authorizations.add(authorization, Tokens(access=Secret("t")))
        self.authorizations[f"{network} {connector}"] = authorization.id

    async def add_connection(
        self,
        name: str,
        network: str,
        client: str,
        *,
        connector: str | None = None,
        owner: str | None = None,
        state: ConnectionState = ConnectionState.ACTIVE,
        cause: Verdict | None = None,
    ) -> None:
        now, number = self.clock.now(), 7012345678901234560 + len(self.connections)
        connection = Connection(
            id=ConnectionId(new_id(now)),
            organization_id=self.organization.id,
            client_id=self.clients[client],
            network=network,
            account_id=str(number),
            account_name=name,
            state=ConnectionState.ACTIVE if cause is not None else state,
            parent=Parent(id="81948194", name=f"{client} Business") if connector else None,
            authorization_id=self.authorizations[f"{network} {connector}"] if connector else None,
            connector_id=self.people[connector].id if connector else None,
            owner_id=self.people[owner].id if owner else None,
            last_good_at=now - timedelta(hours=4) if connector else None,
        )
        async with self.storage.transaction() as uow:
            assert await uow.connections.add(connection)
        self.connections[name] = connection.id
        if cause is not None:
            await self.lapse(name, cause)

    async def lapse(self, name: str, cause: Verdict = Verdict.REVOKED) -> None:
        """Open a lapse, three hours ago; the last good check was an hour before."""
        async with self.storage.reading() as uow:
            connection = await uow.connections.get(self.organization.id, self.connections[name])
        opened, _ = await seed.lapse(self.storage, connection, self.clock.now() - timedelta(hours=3), cause)
        self.lapses[name] = opened.id

    async def restore(self, name: str, by: str | None = None) -> None:
        """End a lapse now."""
        connection_id, now = self.connections[name], self.clock.now()
        async with self.storage.transaction() as uow:
            await uow.lapses.end(
                self.organization.id,
                connection_id,
                at=now,
                how=LapseEnd.RECONNECTED if by else LapseEnd.RECOVERED,
                by=self.people[by].id if by else None,
            )
            await uow.connections.set_state(self.organization.id, connection_id, ConnectionState.ACTIVE)


HERE = Place(workspace=TENANT, workspace_name="Agency", channel=CHANNEL, is_direct=False)
SHARED = Place(workspace=TENANT, workspace_name="Agency", channel="C2", is_direct=False, is_shared=True)
DIRECT = Place(workspace=TENANT, workspace_name="Agency", channel="D1", is_direct=True)
NOWHERE = Place(workspace=None, workspace_name="", channel="D2", is_direct=True)
ELSEWHERE = Place(workspace="S1", workspace_name="Agency", channel="C1", is_direct=False)
"""The agency's channel on the other platform."""
UNCLAIMED = Place(workspace="T2", workspace_name="Client", channel="C9", is_direct=False)


def unbannered(message: Message) -> Message:
    """The message without its banner."""
    match message.parts:
        case (Text(), Buttons(primary=(Button(label=label),)), *below) if label == SHOW_THEM:
            return replace(message, parts=tuple(below))
    return message


def fake_networks() -> dict[str, Network]:
    """The two networks that the agency's accounts are of."""
    return {
        "tiktok": FakeNetwork(spec("tiktok", name="TikTok", aliases=("tt",), parent_label="Business Center")),
        "linkedin": FakeNetwork(spec("linkedin", name="LinkedIn", aliases=("li",), term=timedelta(days=60))),
    }


@asynccontextmanager
async def open_world(database_url: str, *, claimed: bool = True) -> AsyncIterator[World]:
    """Open an empty agency on a database that has its schema: one organization, its workspace, nobody in it."""
    clock, checker, keyring = FakeClock(), FakeChecker(), Keyring.from_settings(Keyring.new_key("1"))
    async with open_storage(database_url, keyring, clock) as storage:
        networks = fake_networks()
        services = Services(storage=storage, clock=clock, networks=networks, checker=checker, public_url=PUBLIC_URL)
        organization = Organization(
            id=OrganizationId(new_id(clock.now())),
            name="Agency",
            support_contact="support@example.com, weekdays 9 to 17",
        )
        workspace = Workspace(
            id=WorkspaceId(UUID(int=7)),
            organization_id=organization.id,
            platform=PLATFORM,
            external_id=TENANT,
            name="Agency",
        )
        async with storage.transaction() as uow:
            await uow.organizations.add(organization)
            if claimed:
                await uow.organizations.add_workspace(workspace)
        yield World(
            storage, clock, checker, services, Dispatcher(services), organization, keyring, database_url=database_url
        )


async def populate(world: World) -> None:
    """People of every role, and connections in every state."""
    for client in ("Acme", "Brio", "Cato"):
        await world.add_client(client)
    await world.add_person("Ada King", Role.PRIMARY_ADMINISTRATOR)
    await world.add_person("Raj Patel", Role.STAFF)
    await world.add_person("Sam Lee", Role.STAFF, clients=("Acme",))
    await world.add_person("Ana Ruiz", Role.OWNER)
    await world.add_person("Olga Berg", Role.OWNER)
    await world.add_authorization("tiktok", "ana")
    await world.add_authorization("tiktok", "raj")
    await world.add_authorization("linkedin", "raj", ends_at=world.clock.now() + timedelta(days=5))
    await world.add_connection("Acme DE", "tiktok", "Acme", connector="ana", owner="olga", cause=Verdict.REVOKED)
    await world.add_connection("Brio Shop", "tiktok", "Brio", connector="ana", cause=Verdict.REVOKED)
    await world.add_connection("Old Promo", "tiktok", "Brio", connector="raj", cause=Verdict.ACCOUNT_GONE)
    await world.add_connection("Acme Page", "linkedin", "Acme", connector="raj")
    await world.add_connection("Brio Live", "tiktok", "Brio", connector="raj")
    await world.add_connection("Cato Page", "linkedin", "Cato", owner="olga", state=ConnectionState.UNCONNECTED)
    await world.add_connection("Acme Attic", "tiktok", "Acme", state=ConnectionState.RETIRED)
