"""An organization in a real store, with the planner and the delivery loop over chats in memory."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.delivery.loop import DeliveryLoop
from bot.delivery.sending import Sender
from bot.notices.composer import Composer
from bot.notices.desk import Desks
from bot.notices.digests import Digests
from bot.notices.drills import Drills
from bot.notices.outbox import Outbox
from bot.notices.planner import Planner
from bot.notices.reach import Reach
from bot.notices.releases import Releases
from bot.notices.reminders import Reminders
from bot.notices.roster import Roster
from bot.notices.warnings import Warnings
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
    Mute,
    Organization,
    Parent,
    Person,
    Preference,
    Rhythm,
    Role,
    Subscription,
    Tokens,
    Topic,
    Verdict,
    Workspace,
)
from commands.ports.events import Event, EventKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind
from commands.ports.storage import Storage, UnitOfWork
from commands.rules import RuleSet
from commands.secret import Secret
from storage import tables
from storage.notice_rows import DELIVERY, delivery_of
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
        return Planner(self.desks())

    def desks(self, *, storage: Storage | None = None, outbox: Outbox | None = None) -> Desks:
        """What a process's planner and loops work with."""
        return Desks(
            storage=storage or self.storage,
            clock=self.clock,
            networks=self.networks,
            outbox=outbox or self.outbox(),
        )

    def outbox(self) -> Outbox:
        """An outbox over the chats that there are now."""
        return Outbox(platforms=self.chats, clock=self.clock)

    def reminders(self) -> Reminders:
        """A reminders' loop like a process's own."""
        return Reminders(self.desks())

    def digests(self) -> Digests:
        """A digests' loop."""
        return Digests(self.desks())

    def warnings(self) -> Warnings:
        """A warnings' loop."""
        return Warnings(self.desks())

    def drills(self) -> Drills:
        """A drills' loop."""
        return Drills(self.desks())

    def reach(self) -> Reach:
        """A loop that looks at the organizations' reach."""
        return Reach(self.desks())

    def roster(self) -> Roster:
        """A loop that looks at chat accounts."""
        return Roster(storage=self.storage, clock=self.clock, platforms=self.chats)

    def releases(self) -> Releases:
        """A loop that ends claims and snoozes."""
        return Releases(storage=self.storage, clock=self.clock)

    def with_email(self) -> FakeChat:
        """Let there be email as well, and give it."""
        mail = FakeChat(
            name="mail",
            label="Mail",
            finds_by_email=False,
            addressed_by_email=True,
            edits=False,
            personal_links=True,
        )
        self.chats["mail"] = mail
        return mail

    def loop(self) -> DeliveryLoop:
        """A delivery loop like a new process's."""
        self.processes += 1
        sender = Sender(
            storage=self.storage,
            clock=self.clock,
            platforms=self.chats,
            composer=Composer(networks=self.networks, clock=self.clock, public_url=PUBLIC_URL, platforms=self.chats),
            outbox=self.outbox(),
            chance=random.Random(7),
        )
        holder = f"process {self.processes}"
        return DeliveryLoop(queues=self.storage.queues, clock=self.clock, sender=sender, holder=holder)

    async def plan(self) -> int:
        """Let the gathering time pass, and plan."""
        self.clock.advance(timedelta(seconds=2))
        return await self.planner().run_once()

    async def tell(self) -> None:
        """Plan, and send with a new process's loop."""
        await self.plan()
        await self.send()

    async def send(self) -> None:
        """Send what waits, with a new process's loop."""
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

    async def login(
        self, connector: Person | None = None, network: str = "examplenet", *, ends_at: datetime | None = None
    ) -> AuthorizationId:
        """Add an authorization."""
        async with self.storage.transaction() as uow:
            return await self._add_login(uow, connector or self.ana, network, ends_at)

    async def renew(self, login: AuthorizationId) -> None:
        """Somebody consents anew: the login has another year."""
        now = self.clock.now()
        async with self.storage.transaction() as uow:
            found = await uow.authorizations.get(self.organization.id, login)
            again = replace(found, obtained_at=now, ends_at=now + timedelta(days=365), generation=found.generation + 1)
            await uow.authorizations.replace_grant(again, Tokens(access=Secret("another token of a test")))
        await self.event(EventKind.GRANT_RENEWED, authorization_id=login)

    async def _add_login(
        self, uow: UnitOfWork, connector: Person, network: str = "examplenet", ends_at: datetime | None = None
    ) -> AuthorizationId:
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
            ends_at=ends_at,
        )
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
        parent: Parent | None = None,
    ) -> ConnectionId:
        """Add an account that works."""
        (connection,) = await self._add(
            [login], connector or self.ana, owner=owner, client=client, network=network, parent=parent
        )
        return connection

    async def connections(self, number: int) -> list[ConnectionId]:
        """Add accounts that work, all under one login of Ana's."""
        return await self._add([await self.login()] * number, self.ana)

    async def logins(self, number: int) -> list[ConnectionId]:
        """Add accounts that work, each under a login of its own of Ana's."""
        async with self.storage.transaction() as uow:
            logins = [await self._add_login(uow, self.ana) for _ in range(number)]
        return await self._add(logins, self.ana)

    async def _add(
        self,
        logins: Sequence[AuthorizationId],
        connector: Person,
        *,
        owner: Person | None = None,
        client: ClientId | None = None,
        network: str = "examplenet",
        parent: Parent | None = None,
    ) -> list[ConnectionId]:
        added = []
        async with self.storage.transaction() as uow:
            for login in logins:
                self.accounts += 1
                connection = Connection(
                    id=ConnectionId(new_id(self.clock.now())),
                    organization_id=self.organization.id,
                    client_id=client or self.acme,
                    network=network,
                    account_id=str(1000 + self.accounts),
                    account_name=f"Account {self.accounts}",
                    state=ConnectionState.ACTIVE,
                    parent=parent,
                    authorization_id=login,
                    connector_id=connector.id,
                    owner_id=owner.id if owner else None,
                )
                assert await uow.connections.add(connection)
                added.append(connection.id)
        return added

    async def subscribe(
        self, reader: Person, channel: str | None = None, *, network: str | None = None, chat: str = "examplechat"
    ) -> Subscription:
        """Opt somebody, or a channel, in."""
        subscription = Subscription(
            id=SubscriptionId(new_id(self.clock.now())),
            organization_id=self.organization.id,
            person_id=reader.id,
            channel=Channel(platform=chat, tenant="T1", external_id=channel) if channel else None,
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

    async def claim(self, lapse_id: LapseId, by: Person, days: int = 1) -> None:
        """Somebody is on it for a day, or more."""
        claim = Claim(person_id=by.id, until=self.clock.now() + timedelta(days=days))
        async with self.storage.transaction() as uow:
            assert await uow.lapses.claim(self.organization.id, [lapse_id], claim)
            lapse = await uow.lapses.get(self.organization.id, lapse_id)
            assert lapse is not None
            await self.happened(uow, EventKind.LAPSE_CHANGED, lapse)

    async def mute(self, lapse_id: LapseId, by: Person, days: int | None) -> None:
        """Somebody snoozes a lapse for some days, or says that it is not theirs."""
        until = self.clock.now() + timedelta(days=days) if days is not None else None
        async with self.storage.transaction() as uow:
            assert await uow.lapses.mute(self.organization.id, [Mute(lapse_id=lapse_id, person_id=by.id, until=until)])

    async def narrow(self, chat: str, *clients: ClientId) -> None:
        """Let only these clients be spoken of in a chat's workspace."""
        async with self.storage.transaction() as uow:
            for workspace in await uow.organizations.workspaces(self.organization.id):
                if workspace.platform == chat:
                    await uow.organizations.update_workspace(replace(workspace, client_ids=frozenset(clients)))

    async def wish(self, who: Person, rhythm: Rhythm, topic: Topic = Topic.LAPSES) -> None:
        """Somebody wants to hear of everything at this rhythm."""
        wish = Preference(person_id=who.id, topic=topic, network=None, client_id=None, rhythm=rhythm)
        async with self.storage.transaction() as uow:
            assert await uow.preferences.put(self.organization.id, wish)

    async def rule(self, **changes: object) -> None:
        """Change rules for every network."""
        rules = RuleSet(organization_id=self.organization.id, network=None, **changes)  # type: ignore[arg-type]  # a test names what it changes
        async with self.storage.transaction() as uow:
            await uow.rule_sets.put(rules)

    async def change(self, who: Person, **changes: object) -> Person:
        """Change what is written of somebody."""
        changed = replace(who, **changes)  # type: ignore[arg-type]  # a test names the fields it changes
        async with self.storage.transaction() as uow:
            await uow.people.update(changed)
        return changed

    async def gone(self, who: Person) -> None:
        """Somebody's chat accounts are deactivated."""
        async with self.storage.transaction() as uow:
            found = await uow.people.identities(self.organization.id, [who.id])
            for identity in found[who.id]:
                await uow.people.looked_at(
                    self.organization.id, identity.id, at=self.clock.now(), gone=True, time_zone=None
                )

    async def event(self, kind: EventKind, **facts: object) -> None:
        """Something happened."""
        now = self.clock.now()
        event = Event(id=EventId(new_id(now)), organization_id=self.organization.id, kind=kind, at=now, **facts)  # type: ignore[arg-type]  # a test names what it needs
        async with self.storage.transaction() as uow:
            await uow.notices.record([event])

    async def notices(self, *kinds: NoticeKind) -> list[Notice]:
        """Every notice there is of these kinds, in the order in which they were planned."""
        async with self.storage.reading_work() as work:
            ids = [row[0] for row in await work.rows(select(tables.notices.c.id).order_by(tables.notices.c.id))]
        async with self.storage.reading() as uow:
            found = await uow.notices.get_many(self.organization.id, ids)
        return [found[one] for one in ids if found[one].kind in kinds]

    async def heard(self, *kinds: NoticeKind) -> list[str]:
        """Who read a notice of these kinds: it stands in a chat. Each with its kind, part and how many lapses:
        sorted.
        """
        posted = {one.notice_id for one in await self.deliveries() if one.ref is not None}
        return await self._of([notice for notice in await self.notices(*kinds) if notice.id in posted])

    async def planned(self, *kinds: NoticeKind) -> list[str]:
        """The same of notices that are planned, whether they are sent yet, wait for a digest, or never come."""
        return await self._of(await self.notices(*kinds))

    async def _of(self, notices: Sequence[Notice]) -> list[str]:
        async with self.storage.reading() as uow:
            people = await uow.people.many(self.organization.id, [notice.person_id for notice in notices])
        return sorted(
            f"{notice.channel.external_id if notice.channel else people[notice.person_id].name}"
            f" {notice.kind.value} {notice.part.value} {len(notice.lapse_ids)}"
            for notice in notices
        )

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
