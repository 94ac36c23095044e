"""The pages on a real server, with a real store and a browser of sorts; networks and platforms are fakes."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import ClientSession, CookieJar, web

from bot.web.app import create_web
from commands.command import Services
from commands.errors import SignInError
from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    IdentityId,
    LapseId,
    LinkId,
    OrganizationId,
    PersonId,
    WorkspaceId,
    new_id,
    to_wire,
)
from commands.model import (
    Authorization,
    Client,
    Connection,
    ConnectionState,
    Evidence,
    Finding,
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
from commands.passes import make_pass
from commands.ports.auditing import AuditEntry
from commands.ports.chat import Endpoint, SignedIn, SignIn
from commands.ports.events import Event, EventKind
from commands.ports.network import Discovery, Grant, Network, ReachedAccount
from commands.ports.reconnecting import Link, PassPurpose
from commands.secret import Secret
from storage import SqlStorage
from tests.support.chat import FakeChat
from tests.support.checker import FakeChecker
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork
from tests.support.seed import fresh_storage
from tests.web.browser import Browser, Page

TEAM = "T1"
ACME = Parent(id="7001", name="Acme EU")


@dataclass
class FakeSignIn:
    """A platform's sign-in: whoever the test says is at the browser."""

    who: SignedIn | None = None
    """None: nothing is proved."""

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        return f"http://127.0.0.1:9/chat?state={state}&nonce={nonce}&redirect_uri={redirect_uri}&tenant={tenant or ''}"

    async def complete(self, *, code: str, nonce: str, redirect_uri: str) -> SignedIn:
        if self.who is None or code != "good":
            raise SignInError("not_proved")
        return self.who


@dataclass
class Chat(FakeChat):
    """A chat platform that is signed in with, and may have endpoints."""

    name: str = "chatter"
    label: str = "Chatter"
    sign_in: SignIn | None = field(default_factory=FakeSignIn)
    mounted: Sequence[Endpoint] = ()

    def endpoints(self) -> Sequence[Endpoint]:
        return self.mounted


@dataclass
class Rig:
    """One organization, Acme: Ana connected two accounts of one login, which lapsed; Raj administers; Mei is staff."""

    storage: SqlStorage
    clock: FakeClock
    network: FakeNetwork
    platform: Chat
    networks: dict[str, Network]
    checker: FakeChecker = field(default_factory=FakeChecker)
    base: str = ""
    organization_id: OrganizationId = field(init=False)
    client_id: ClientId = field(init=False)
    workspace: Workspace = field(init=False)
    authorization_id: AuthorizationId = field(init=False)
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return Services(
            storage=self.storage, clock=self.clock, networks=self.networks, checker=self.checker, public_url=self.base
        )

    async def fill(self) -> None:
        now = self.clock.now()
        self.organization_id = OrganizationId(new_id(now))
        self.workspace = Workspace(
            id=WorkspaceId(new_id(now)),
            organization_id=self.organization_id,
            platform=self.platform.name,
            external_id=TEAM,
            name="Acme's team",
        )
        async with self.storage.transaction() as uow:
            await uow.organizations.add(
                Organization(id=self.organization_id, name="Acme Group", support_contact="help@acme.example")
            )
            await uow.organizations.add_workspace(self.workspace)
            client = Client(id=ClientId(new_id(now)), organization_id=self.organization_id, name="Acme")
            self.client_id = await uow.clients.ensure(client)
        await self.add_person("Raj Patel", Role.PRIMARY_ADMINISTRATOR)
        await self.add_person("Ana Ruiz", Role.STAFF)
        await self.add_person("Mei Lin", Role.STAFF)
        self.authorization_id = await self.add_authorization("Ana Ruiz", subject="s-ana")

    async def add_person(self, name: str, role: Role, *, linked: bool = True) -> Person:
        short, now = name.split(maxsplit=1)[0].lower(), self.clock.now()
        person = Person(
            id=PersonId(new_id(now)),
            organization_id=self.organization_id,
            name=name,
            email=f"{short}@acme.example",
            role=role,
        )
        async with self.storage.transaction() as uow:
            await uow.people.add(person)
            if linked:
                await uow.people.link(
                    Identity(
                        id=IdentityId(new_id(now)),
                        organization_id=self.organization_id,
                        person_id=person.id,
                        platform=self.platform.name,
                        tenant=TEAM,
                        user=f"U-{short}",
                        linked_at=now,
                    )
                )
        self.people[name] = person
        return person

    async def add_authorization(
        self, connector: str, *, subject: str, name: str | None = None, ends_at: datetime | None = None
    ) -> AuthorizationId:
        now = self.clock.now()
        authorization = Authorization(
            id=AuthorizationId(new_id(now)),
            organization_id=self.organization_id,
            network=self.network.spec.slug,
            subject_id=subject,
            subject_name=name or connector,
            connector_id=self.people[connector].id,
            granted=frozenset({"read"}),
            obtained_at=now,
            ends_at=ends_at,
            next_check_at=now + timedelta(hours=1),
        )
        async with self.storage.transaction() as uow:
            await uow.authorizations.add(
                authorization, Tokens(access=Secret("old-access"), refresh=Secret("old-refresh"))
            )
        return authorization.id

    async def add_connection(
        self,
        account_id: str,
        name: str = "Acme EU Ads",
        *,
        state: ConnectionState = ConnectionState.LAPSED,
        cause: Verdict = Verdict.CREDENTIAL_CHANGED,
        connector: str | None = "Ana Ruiz",
        owner: str | None = None,
        authorization_id: AuthorizationId | None = None,
        parent: Parent | None = ACME,
        client: str | None = None,
        evidence: Evidence | None = None,
    ) -> ConnectionId:
        now = self.clock.now()
        connected = state is not ConnectionState.UNCONNECTED
        connection = Connection(
            id=ConnectionId(new_id(now)),
            organization_id=self.organization_id,
            client_id=await self.client(client) if client else self.client_id,
            network=self.network.spec.slug,
            account_id=account_id,
            account_name=name,
            state=state,
            parent=parent,
            authorization_id=(authorization_id or self.authorization_id) if connected else None,
            connector_id=self.people[connector].id if connector else None,
            owner_id=self.people[owner].id if owner else None,
            last_good_at=now - timedelta(minutes=10) if connected else None,
        )
        async with self.storage.transaction() as uow:
            await uow.connections.add(connection)
            if state is ConnectionState.LAPSED:
                await uow.lapses.open(
                    Lapse(
                        id=LapseId(new_id(now)),
                        organization_id=self.organization_id,
                        connection_id=connection.id,
                        authorization_id=connection.authorization_id,
                        cause=cause,
                        evidence=evidence or Evidence(check="fake"),
                        last_good_at=now - timedelta(minutes=10),
                        opened_at=now,
                    )
                )
        return connection.id

    async def client(self, name: str) -> ClientId:
        async with self.storage.transaction() as uow:
            return await uow.clients.ensure(
                Client(id=ClientId(new_id(self.clock.now())), organization_id=self.organization_id, name=name)
            )

    async def link(self, connection_id: ConnectionId, person: str = "Ana Ruiz") -> str:
        """The path of the person's Reconnect link."""
        link = Link(
            id=LinkId(new_id(self.clock.now())),
            organization_id=self.organization_id,
            person_id=self.people[person].id,
            connection_id=connection_id,
            created_at=self.clock.now(),
        )
        async with self.storage.transaction() as uow:
            return f"/r/{await uow.links.ensure(link)}"

    async def new_accounts_link(self, person: str = "Ana Ruiz", network: str | None = None) -> str:
        """The path of the person's link for connecting new accounts."""
        link = Link(
            id=LinkId(new_id(self.clock.now())),
            organization_id=self.organization_id,
            person_id=self.people[person].id,
            connection_id=None,
            network=network or self.network.spec.slug,
            created_at=self.clock.now(),
        )
        async with self.storage.transaction() as uow:
            return f"/r/{await uow.links.ensure(link)}"

    async def bearer_link(
        self, purpose: PassPurpose, person: str = "Ana Ruiz", *, data: Mapping[str, str] | None = None
    ) -> str:
        """The path of a bearer link that the administrator made."""
        async with self.storage.transaction() as uow:
            url = await make_pass(
                uow,
                self.base,
                self.people[person],
                purpose,
                made_by=self.people["Raj Patel"].id,
                now=self.clock.now(),
                data=data,
            )
        return url.removeprefix(self.base)

    async def connection_of(self, account_id: str) -> Connection | None:
        """What is here of an account."""
        async with self.storage.reading() as uow:
            views = await uow.connections.of_accounts(self.organization_id, self.network.spec.slug, [account_id])
        return views[0].connection if views else None

    async def connection(self, connection_id: ConnectionId) -> Connection:
        async with self.storage.reading() as uow:
            return await uow.connections.get(self.organization_id, connection_id)

    async def events(self, *kinds: EventKind) -> list[Event]:
        """What was written down; of these kinds, if any are given."""
        due = await self.storage.queues.due_events(
            now=self.clock.now() + timedelta(minutes=1), gather=timedelta(0), limit=100
        )
        return [event for each in due for event in each.events if not kinds or event.kind in kinds]

    async def entries(self, action: str) -> Sequence[AuditEntry]:
        """The audit log's entries of this action, the latest first."""
        async with self.storage.reading() as uow:
            return [e for e in await uow.audit.latest(self.organization_id, limit=100) if e.action == action]

    async def audited(self) -> list[str]:
        async with self.storage.reading() as uow:
            return [entry.action for entry in await uow.audit.latest(self.organization_id, limit=100)]

    def sign_in_as(self, user: str, *, name: str = "", tenant: str = TEAM, email: str | None = None) -> None:
        """Say who is at the chat platform's sign-in from now on."""
        assert isinstance(self.platform.sign_in, FakeSignIn)
        self.platform.sign_in.who = SignedIn(
            platform=self.platform.name, tenant=tenant, user=user, name=name or user, email=email
        )

    def login(
        self,
        *accounts: str,
        subject: str = "s-ana",
        name: str = "Ana Ruiz",
        granted: frozenset[str] = frozenset({"read"}),
        parent: Parent | None = ACME,
        finding: Finding = GOOD,
        refresh: str | None = "new-refresh",
    ) -> None:
        """Say who logs in at the network, and what that reaches."""
        self.network.grant = Grant(
            tokens=Tokens(access=Secret("new-access"), refresh=Secret(refresh) if refresh else None)
        )
        self.network.discovery = Discovery(
            subject_id=subject,
            subject_name=name,
            granted=granted,
            accounts=tuple(
                ReachedAccount(account_id=account, name=f"Account {account}", parent=parent, finding=finding)
                for account in accounts
            ),
        )

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """A browser with no cookies yet."""
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            yield Browser(session, self.base)

    async def signed_in(self, browser: Browser, path: str, who: str = "Ana Ruiz") -> Page:
        """Open a page, sign in on the way as somebody who is linked, and come back to it."""
        self.sign_in_as(f"U-{who.split(maxsplit=1)[0].lower()}", name=who)
        page = await browser.get(path)
        return await browser.follow(await self.come_back(browser, page))

    async def come_back(self, browser: Browser, page: Page) -> Page:
        """Press the sign-in button and let the platform send the browser back."""
        sent = await browser.submit(page, f"/sign-in/{self.platform.name}")
        assert sent.status == 303, sent.words
        return await browser.get(f"/sign-in/cb/{self.platform.name}?state={sent.sent_state}&code=good")

    def callback(self, state: str, **more: str) -> str:
        answer = "&".join(f"{name}={value}" for name, value in {"code": "c0de", **more}.items())
        return f"/oauth/cb/{self.network.spec.slug}?state={state}&{answer}"

    async def reconnect(self, browser: Browser, path: str, **fields: str) -> Page:
        """Press the page's button, log in at the network, come back, and read how it ended."""
        sent = await browser.submit(await browser.get(path), path, **fields)
        assert sent.status == 303, sent.words
        return await browser.follow(await browser.get(self.callback(sent.sent_state)))

    def sign_in_path(self) -> str:
        return f"/sign-in/{to_wire(self.workspace.id)}"


class Alive:
    """Whether the loops run, as the test sets it."""

    def __init__(self) -> None:
        self.loops = True

    def __call__(self) -> bool:
        return self.loops


@asynccontextmanager
async def opened_rig(
    url: str, *, alive: Alive | None = None, mounted: Sequence[Endpoint] = (), more: Sequence[Network] = ()
) -> AsyncIterator[Rig]:
    """A server on a free port; `more` networks beside the rig's own."""
    clock, network = FakeClock(), FakeNetwork()
    async with fresh_storage(url, clock) as storage:
        networks: dict[str, Network] = {one.spec.slug: one for one in (network, *more)}
        rig = Rig(
            storage=storage,
            clock=clock,
            network=network,
            platform=Chat(mounted=mounted),
            networks=networks,
        )
        await rig.fill()
        async with serving(rig, alive or Alive()):
            yield rig


@asynccontextmanager
async def serving(rig: Rig, alive: Alive) -> AsyncIterator[None]:
    """Pages know their own address, so the port is found before they are built."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        rig.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_web(services=rig.services, platforms={rig.platform.name: rig.platform}, alive=alive)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield
        finally:
            await runner.cleanup()
