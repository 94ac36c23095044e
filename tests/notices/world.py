"""An organization in a real store, with the planner and the delivery loop over chats in memory."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from bot.delivery.loop import DeliveryLoop
from bot.notices.composer import Composer
from bot.notices.outbox import Outbox
from bot.notices.planner import Planner
from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    EventId,
    IdentityId,
    LapseId,
    OrganizationId,
    PersonId,
    SubscriptionId,
    WorkspaceId,
    new_id,
)
from commands.model import (
    Authorization,
    Channel,
    Claim,
    Client,
    Connection,
    ConnectionState,
    Evidence,
    Identity,
    Lapse,
    LapseEnd,
    Organization,
    Person,
    Role,
    Subscription,
    Tokens,
    Verdict,
    Workspace,
)
from commands.ports.notices import Delivery, DeliveryState, Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.secret import Secret
from storage.notices import DELIVERY, delivery_of
from storage.rows import columns
from storage.store import SqlStorage
from storage.tables import deliveries
from tests.support.chat import FakeChat
from tests.support.clock import FakeClock
from tests.support.network import FakeNetwork, spec
from tests.support.seed import fresh_storage

PUBLIC_URL = "https://lapses.example"


@dataclass
class World:
    """What a test acts on. `acme` and `brio` are clients; `ana` connected what nobody else did."""

    storage: SqlStorage
    clock: FakeClock
    chat: FakeChat
    chats: dict[str, FakeChat]
    organization: Organization
    acme: ClientId
    brio: ClientId
    ana: Person
    networks: dict[str, FakeNetwork] = field(default_factory=lambda: {"examplenet": FakeNetwork(spec("examplenet"))})
    accounts: int = 0
    processes: int = 0

    def planner(self) -> Planner:
        """A planner like a process's own."""
        outbox = Outbox(platforms=self.chats, clock=self.clock)
        return Planner(storage=self.storage, clock=self.clock, networks=self.networks, outbox=outbox)

    def loop(self) -> DeliveryLoop:
        """A delivery loop like a new process's."""
        self.processes += 1
        return DeliveryLoop(
            storage=self.storage,
            clock=self.clock,
            platforms=self.chats,
            composer=Composer(networks=self.networks, clock=self.clock, public_url=PUBLIC_URL),
            outbox=Outbox(platforms=self.chats, clock=self.clock),
            holder=f"process {self.processes}",
            chance=random.Random(7),
        )

    async def plan(self) -> int:
        """Let the gathering time pass, and plan."""
        self.clock.advance(timedelta(seconds=2))
        return await self.planner().run_once()

    async def tell(self) -> None:
        """Plan, and send with a new process's loop."""
        await self.plan()
        loop = self.loop()
        await loop.run_once()
        await loop.stop()

    async def person(
        self, name: str, role: Role = Role.OWNER, *, chat: str | None = "examplechat", **more: object
    ) -> Person:
        """Add somebody, with a proved account named after them on a chat, unless it is None."""
        now = self.clock.now()
        somebody = Person(
            id=PersonId(new_id(now)),
            organization_id=self.organization.id,
            name=name,
            **{"email": f"{name.lower()}@acme.example", "role": role, **more},  # type: ignore[arg-type]  # a test names the fields it cares for
        )
        async with self.storage.transaction() as uow:
            await uow.people.add(somebody)
        if chat is not None:
            await self.link(somebody, chat)
        return somebody

    async def link(self, somebody: Person, chat: str, tenant: str = "T1") -> None:
        """Prove a chat account, whose id is the person's name."""
        identity = Identity(
            id=IdentityId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            person_id=somebody.id,
            platform=chat,
            tenant=tenant,
            user=somebody.name,
            linked_at=self.clock.advance(timedelta(seconds=1)),
        )
        async with self.storage.transaction() as uow:
            assert await uow.people.link(identity)

    async def login(self, connector: Person | None = None, network: str = "examplenet") -> AuthorizationId:
        """Add an authorization."""
        connector = connector or self.ana
        now = self.clock.now()
        login = AuthorizationId(new_id(now))
        authorization = Authorization(
            id=login,
            organization_id=self.organization.id,
            network=network,
            subject_id=str(login),
            subject_name=connector.name,
            connector_id=connector.id,
            granted=frozenset({"read"}),
            obtained_at=now,
        )
        async with self.storage.transaction() as uow:
            await uow.authorizations.add(authorization, Tokens(access=Secret("token of a test")))
        return login

    async def connection(
        self,
        login: AuthorizationId,
        *,
        connector: Person | None = None,
        owner: Person | None = None,
        client: ClientId | None = None,
        network: str = "examplenet",
    ) -> ConnectionId:
        """Add an account that works."""
        self.accounts += 1
        connection = Connection(
            id=ConnectionId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            client_id=client or self.acme,
            network=network,
            account_id=str(1000 + self.accounts),
            account_name=f"Account {self.accounts}",
            state=ConnectionState.ACTIVE,
            authorization_id=login,
            connector_id=(connector or self.ana).id,
            owner_id=owner.id if owner else None,
        )
        async with self.storage.transaction() as uow:
            assert await uow.connections.add(connection)
        return connection.id

    async def connections(self, number: int) -> list[ConnectionId]:
        """Add accounts that work, all under one login of Ana's."""
        login = await self.login()
        return [await self.connection(login) for _ in range(number)]

    async def subscribe(
        self, reader: Person, channel: str | None = None, *, network: str | None = None
    ) -> Subscription:
        """Opt somebody, or a channel, in."""
        subscription = Subscription(
            id=SubscriptionId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            person_id=reader.id,
            channel=Channel(platform="examplechat", tenant="T1", external_id=channel) if channel else None,
            network=network,
            client_id=None,
            created_at=self.clock.now(),
        )
        async with self.storage.transaction() as uow:
            assert await uow.subscriptions.add(subscription)
        return subscription

    async def opt_out(self, subscription: Subscription) -> None:
        """End an opt-in."""
        async with self.storage.transaction() as uow:
            removed = await uow.subscriptions.remove(
                self.organization.id,
                person_id=subscription.person_id,
                channel=subscription.channel,
                network=None,
                client_id=None,
                everything=True,
            )
            assert removed

    async def lapse(self, *connections: ConnectionId, cause: Verdict = Verdict.REVOKED) -> list[LapseId]:
        """Open lapses, as a check that found them does."""
        now = self.clock.now()
        lapses = []
        async with self.storage.transaction() as uow:
            for connection_id in connections:
                connection = await uow.connections.get(self.organization.id, connection_id)
                lapse = Lapse(
                    id=LapseId(new_id(now)),
                    organization_id=self.organization.id,
                    connection_id=connection_id,
                    authorization_id=connection.authorization_id,
                    cause=cause,
                    evidence=Evidence(check="test"),
                    last_good_at=now - timedelta(minutes=10),
                    opened_at=now,
                )
                assert await uow.lapses.open(lapse)
                await uow.connections.set_state(self.organization.id, connection_id, ConnectionState.LAPSED)
                await self.happened(uow, EventKind.LAPSE_OPENED, lapse)
                lapses.append(lapse.id)
        return lapses

    async def end(
        self, *connections: ConnectionId, how: LapseEnd = LapseEnd.RECONNECTED, by: Person | None = None
    ) -> None:
        """End lapses, as a reconnect does."""
        async with self.storage.transaction() as uow:
            for connection_id in connections:
                lapse = await uow.lapses.end(
                    self.organization.id, connection_id, at=self.clock.now(), how=how, by=by.id if by else None
                )
                assert lapse is not None
                await uow.connections.set_state(self.organization.id, connection_id, ConnectionState.ACTIVE)
                await self.happened(uow, EventKind.LAPSE_ENDED, lapse)

    async def claim(self, lapse_id: LapseId, by: Person) -> None:
        """Somebody is on it for a day."""
        claim = Claim(person_id=by.id, until=self.clock.now() + timedelta(days=1))
        async with self.storage.transaction() as uow:
            assert await uow.lapses.claim(self.organization.id, [lapse_id], claim)
            lapse = await uow.lapses.get(self.organization.id, lapse_id)
            assert lapse is not None
            await self.happened(uow, EventKind.LAPSE_CHANGED, lapse)

    async def happened(self, uow: UnitOfWork, kind: EventKind, lapse: Lapse) -> None:
        """Write an event about a lapse."""
        await uow.notices.record(
            [
                Event(
                    id=EventId(new_id(self.clock.now())),
                    organization_id=self.organization.id,
                    kind=kind,
                    at=self.clock.now(),
                    lapse_id=lapse.id,
                    connection_id=lapse.connection_id,
                    authorization_id=lapse.authorization_id,
                )
            ]
        )

    async def nudge(self, lapse_id: LapseId, whom: Person, by: str, day: str = "2026-11-23") -> None:
        """Somebody passed a notice on."""
        event = Event(
            id=EventId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            kind=EventKind.NUDGED,
            at=self.clock.now(),
            lapse_id=lapse_id,
            person_id=whom.id,
            data={"by": by, "day": day},
        )
        async with self.storage.transaction() as uow:
            await uow.notices.record([event])

    async def link_refused(self, addressee: Person, connection_id: ConnectionId, by: str) -> None:
        """Somebody else opened a person's link."""
        event = Event(
            id=EventId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            kind=EventKind.LINK_REFUSED,
            at=self.clock.now(),
            connection_id=connection_id,
            person_id=addressee.id,
            data={"by": by},
        )
        async with self.storage.transaction() as uow:
            await uow.notices.record([event])

    async def outcomes(self) -> dict[str, list[tuple[DeliveryState, str]]]:
        """How every delivery that a chat was asked for, or that waits, ended: by address, with the reason."""
        found: dict[str, list[tuple[DeliveryState, str]]] = {}
        for delivery in await self.deliveries():
            found.setdefault(delivery.address.external_id, []).append((delivery.state, delivery.reason))
        return found

    async def deliveries(self) -> Sequence[Delivery]:
        """Every delivery there is, in the order in which they were planned."""
        async with self.storage.reading_work() as work:
            rows = await work.rows(
                select(*columns(deliveries, DELIVERY)).order_by(deliveries.c.created_at, deliveries.c.id)
            )
        return [delivery_of(row) for row in rows]


@asynccontextmanager
async def made_world(url: str) -> AsyncIterator[World]:
    """Open an empty database, and found an organization with one workspace of each of two chats."""
    clock = FakeClock()
    async with fresh_storage(url, clock) as storage:
        now = clock.now()
        organization = Organization(id=OrganizationId(new_id(now)), name="Acme Group")
        acme, brio = ClientId(new_id(now)), ClientId(new_id(now))
        async with storage.transaction() as uow:
            await uow.organizations.add(organization)
            for platform in ("examplechat", "otherchat"):
                workspace = Workspace(
                    id=WorkspaceId(new_id(now)),
                    organization_id=organization.id,
                    platform=platform,
                    external_id="T1",
                    name="Acme",
                )
                assert await uow.organizations.add_workspace(workspace)
            await uow.clients.ensure(Client(id=acme, organization_id=organization.id, name="Acme"))
            await uow.clients.ensure(Client(id=brio, organization_id=organization.id, name="Brio"))
            ana = Person(
                id=PersonId(new_id(now)),
                organization_id=organization.id,
                name="Ana",
                email="ana@acme.example",
                role=Role.OWNER,
            )
            await uow.people.add(ana)
        chat = FakeChat()
        other = FakeChat(name="otherchat", label="Otherchat", finds_by_email=False, deduplicates=True)
        world = World(
            storage=storage,
            clock=clock,
            chat=chat,
            chats={"examplechat": chat, "otherchat": other},
            organization=organization,
            acme=acme,
            brio=brio,
            ana=ana,
        )
        await world.link(ana, "examplechat")
        yield world
