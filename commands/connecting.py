"""Connecting accounts that are new here (C-7, R-14): a login, a choice among what it reaches, done.

Nothing is written before the choice but what the login gave, encrypted, for half an hour.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from commands.auditing import entry
from commands.choosing import Choice, Clients, Reached, ReachedRow, choice_of, clients_of, lost_by, reaches_less
from commands.command import Services
from commands.comparison import AccountResult, granted_and_missing
from commands.drawing import ID_LIMIT
from commands.ids import AuthorizationId, ClientId, ConnectionId, new_id, to_wire
from commands.linking import origin_of
from commands.model import (
    Authorization,
    Client,
    Connection,
    ConnectionState,
    Organization,
    Person,
    Verdict,
)
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow, shortened
from commands.people import people_called
from commands.ports.auditing import AuditEntry
from commands.ports.network import NetworkKind, NetworkSpec
from commands.ports.reconnecting import Attempt, Link, Session
from commands.ports.storage import AlreadyThere, UnitOfWork
from commands.profiles import anothers_login
from commands.proved_login import ProvedLogin
from commands.rehearsal import HalfWay, Helpers, half_way, helpers_of, sentences
from commands.restoring import NAME_LIMIT, Login, bring_back, store_grant
from commands.round_trip import CameBack, NotStarted, Started, begin, came_back, close, give_back, new_attempt, refusal
from commands.wording import Sentence, clean, shown

logger = logging.getLogger(__name__)

CHOICE_LIFE = timedelta(minutes=30)
"""How long somebody may take to choose: the login's secrets lie here unused meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The facts of the page that leads to a login for new accounts."""

    organization: Organization
    person: Person
    network: str
    """Its slug."""
    spec: NetworkSpec | None
    """None where the network has no credentials here."""
    clients: Clients
    checklist: tuple[Sentence, ...]
    helpers: Helpers
    begun: HalfWay | None = None

    @property
    def may_start(self) -> bool:
        """Whether there is a login to go to, and a client to put accounts under."""
        return self.spec is not None and self.clients.any


class Unfit(StrEnum):
    """What is wrong with a choice, as its page says beside the field."""

    NOTHING_TICKED = "nothing_ticked"
    NO_CLIENT = "no_client"
    TWO_CLIENTS = "two_clients"
    OWNER_UNKNOWN = "owner_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was chosen on the page, as it was sent."""

    accounts: frozenset[str] = frozenset()
    """Ids of accounts."""
    client: str = ""
    """An existing client's id on the wire; empty: none."""
    new_client: str = ""
    owner: str = ""
    """A name or an email address; empty: whoever connects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The choice has to be made again: nothing was written."""

    choice: Choice
    unfit: Unfit


class Connecting:
    """The way of new accounts, for one process. Holds no state of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def look(self, link: Link, person: Person) -> Invitation | None:
        """What the link's page says. None: it leads nowhere, or is not this person's. Changes nothing."""
        async with self._services.storage.reading() as uow:
            return await self._invite(uow, link, person)

    async def start(
        self, link: Link, person: Person, session: Session, *, browser_hash: bytes, again: bool
    ) -> Started | NotStarted | Invitation | None:
        """Open an attempt, and ask the network for its login.

        An Invitation says why there is nothing to open, None that the link leads nowhere.
        """
        async with self._services.storage.transaction() as uow:
            invitation = await self._invite(uow, link, person)
            if invitation is None or invitation.spec is None or not invitation.may_start:
                return invitation
            if invitation.spec.kind is not NetworkKind.OAUTH:
                return invitation  # there is no login to go to: its page says what there is instead
            network = self._services.networks[invitation.spec.slug]
            new = new_attempt(self._services, link, session, network, None)
            # It renews no authorization, and so is in nobody's way.
            await uow.attempts.open(new.attempt, state_hash=new.state_hash, browser_hash=browser_hash, take_over=False)
        started = await begin(self._services, new, network, login_hint=None, again=again)
        if isinstance(started, Outcome):
            await self.give_up(new.attempt, session, started)
            return NotStarted(attempt_id=new.attempt.id)
        return started

    async def _invite(self, uow: UnitOfWork, link: Link, person: Person) -> Invitation | None:
        theirs = person.id == link.person_id and person.organization_id == link.organization_id
        if not theirs or link.network is None or person.left_at is not None:
            return None
        network = self._services.networks.get(link.network)
        if network is None:
            logger.error("no credentials for network %s: its accounts cannot be connected", link.network)
        now = self._services.clock.now()
        left = await uow.attempts.under_way(link.organization_id, link_id=link.id, authorization_id=None, now=now)
        return Invitation(
            organization=await uow.organizations.get(person.organization_id),
            person=person,
            network=link.network,
            spec=network.spec if network else None,
            clients=await clients_of(uow, person),
            checklist=sentences(network.spec, {}) if network else (),
            helpers=await helpers_of(uow, person, None),
            begun=half_way(left, now) if left else None,
        )

    async def finish(self, attempt: Attempt, session: Session, answer: Mapping[str, str]) -> Outcome | None:
        """Carry out what the callback brought. None: there is something to choose from, and it is kept for that."""
        back = await came_back(self._services, attempt, answer)
        if isinstance(back, Outcome):
            return await self.give_up(attempt, session, back)
        outcome = await self._keep(attempt, back)
        if outcome is None:
            return None
        await give_back(self._services, back)
        return await self.give_up(attempt, session, outcome)

    async def _keep(self, attempt: Attempt, back: CameBack) -> Outcome | None:
        """Keep what a login gave, or say why there is nothing to choose."""
        used = shown(back.discovery.subject_name)
        granted, missing = granted_and_missing(back.network.spec, back.discovery)
        if missing:
            return Outcome(kind=OutcomeKind.MISSING_PERMISSION, used_login=used, granted=granted, missing=missing)
        if not back.discovery.accounts:
            return Outcome(kind=OutcomeKind.NOTHING_REACHED, used_login=used)
        found = ProvedLogin(grant=back.grant, discovery=back.discovery).to_secret()
        until = self._services.clock.now() + CHOICE_LIFE
        async with self._services.storage.transaction() as uow:
            person = await uow.people.get(attempt.organization_id, attempt.person_id)
            lost = await lost_by(uow, person, back.network.spec, back.discovery)
            if lost:
                return reaches_less(lost, person, back.discovery)
            anothers = await anothers_login(uow, person, back.network.spec, back.discovery)
            if anothers is not None:
                return anothers
            if person.left_at is not None or not (await clients_of(uow, person)).any:
                return Outcome(kind=OutcomeKind.NOT_ALLOWED, used_login=used)
            await uow.attempts.keep(attempt.organization_id, attempt.id, found=found, until=until)
        return None

    async def give_up(self, attempt: Attempt, session: Session | None, outcome: Outcome) -> Outcome:
        """End an attempt that connects nothing, and write down why."""
        async with self._services.storage.transaction() as uow:
            if await close(self._services, uow, attempt, outcome):
                origin = origin_of(session) if session else "web"
                await uow.audit.write(refusal(self._services, attempt, outcome, origin))
        return outcome

    async def choice(self, attempt: Attempt, person: Person) -> Choice | None:
        """What there is to choose from; None: it is over, or was chosen already. Changes nothing."""
        network = self._services.networks.get(attempt.network)
        if network is None or attempt.outcome is not None:
            return None
        async with self._services.storage.reading() as uow:
            kept = await uow.attempts.kept(attempt.organization_id, attempt.id, self._services.clock.now())
            if kept is None:
                return None
            return await choice_of(uow, network.spec, person, ProvedLogin.from_secret(kept))

    async def decline(self, attempt: Attempt, session: Session) -> Outcome | None:
        """Connect nothing, and give the login back. None: there was nothing to choose any more."""
        network, now = self._services.networks.get(attempt.network), self._services.clock.now()
        outcome = Outcome(kind=OutcomeKind.NOTHING_CHOSEN)
        async with self._services.storage.transaction() as uow:
            kept = await uow.attempts.take(attempt.organization_id, attempt.id, now)
            if kept is None:
                return None
            await close(self._services, uow, attempt, outcome)
            await uow.audit.write(refusal(self._services, attempt, outcome, origin_of(session)))
        if network is not None:
            found = ProvedLogin.from_secret(kept)
            back = CameBack(network=network, grant=found.grant, discovery=found.discovery)
            await give_back(self._services, back)
        return outcome

    async def connect(self, attempt: Attempt, session: Session, wish: Wish) -> Outcome | Again | None:
        """Connect what was chosen, in one transaction. None: it is over, or was chosen already."""
        try:
            return await self._connect(attempt, session, wish)
        except AlreadyThere:  # the same login was stored through another attempt at this moment: now it is known
            return await self._connect(attempt, session, wish)

    async def _connect(self, attempt: Attempt, session: Session, wish: Wish) -> Outcome | Again | None:
        network, now = self._services.networks.get(attempt.network), self._services.clock.now()
        if network is None:
            return None
        organization_id = attempt.organization_id
        try:
            async with self._services.storage.transaction() as uow:
                # Taken first: whoever sends it a second time waits here, and finds nothing any more.
                kept = await uow.attempts.take(organization_id, attempt.id, now)
                person = await uow.people.get(organization_id, attempt.person_id)
                if kept is None or person.left_at is not None:
                    return None
                found = ProvedLogin.from_secret(kept)
                choice = await choice_of(uow, network.spec, person, found)
                terms = await _terms(uow, choice, wish, now)
                if isinstance(terms, Unfit):
                    raise _Untaken(Again(choice=choice, unfit=terms))
                if choice.lost:  # connected with this login since it came back
                    outcome = reaches_less(choice.lost, person, found.discovery)
                    await close(self._services, uow, attempt, outcome)
                    await uow.audit.write(refusal(self._services, attempt, outcome, origin_of(session)))
                    return outcome
                login = Login(person=person, origin=origin_of(session), grant=found.grant, discovery=found.discovery)
                outcome = await _write(uow, choice, terms, login, now)
                await close(self._services, uow, attempt, outcome)
        except _Untaken as untaken:
            return untaken.again
        return outcome


class _Untaken(Exception):
    """Nothing is written, and what was kept stays there for another try."""

    def __init__(self, again: Again) -> None:
        self.again = again
        super().__init__("chosen again")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """A choice that can be carried out."""

    rows: tuple[ReachedRow, ...]
    client: Client | None
    """None where no account is new."""
    owner: Person
    network: str


async def _terms(uow: UnitOfWork, choice: Choice, wish: Wish, now: datetime) -> _Terms | Unfit:
    """Read a wish. Only what the page offered is taken: ids of accounts and clients may be forged."""
    rows = tuple(row for row in choice.of(Reached.NEW) if row.account.account_id in wish.accounts)
    if not rows and not choice.of(Reached.COMES_ALONG):
        return Unfit.NOTHING_TICKED
    owner = await _owner(uow, choice, wish.owner)
    if owner is None:
        return Unfit.OWNER_UNKNOWN
    client = _client(choice, wish, now) if rows else None
    if isinstance(client, Unfit):
        return client
    return _Terms(rows=rows, client=client, owner=owner, network=choice.spec.slug)


def _client(choice: Choice, wish: Wish, now: datetime) -> Client | Unfit:
    name = shown(wish.new_client)
    existing = next((client for client in choice.clients.existing if to_wire(client.id) == wish.client), None)
    if name and choice.clients.may_name_new:
        if existing is not None:
            return Unfit.TWO_CLIENTS
        return Client(id=ClientId(new_id(now)), organization_id=choice.organization.id, name=name)
    return existing or Unfit.NO_CLIENT


async def _owner(uow: UnitOfWork, choice: Choice, words: str) -> Person | None:
    """Whom an administrator named, by email address or by name; None: nobody, or not just one."""
    words = clean(words)
    if not words or not choice.may_choose_owner:
        return choice.person
    found = await people_called(uow, choice.organization.id, words)
    there = [person for person in found if person.left_at is None]
    return there[0] if len(there) == 1 else None


async def _write(uow: UnitOfWork, choice: Choice, terms: _Terms, login: Login, now: datetime) -> Outcome:
    """Store the login, bring back what it proves of its own, and add what was chosen."""
    authorization_id = await store_grant(uow, choice.spec, choice.existing, login, now)
    along = [(row.view.connection, row.account) for row in choice.of(Reached.COMES_ALONG) if row.view is not None]
    await bring_back(uow, along, login.person, authorization_id, now)
    client_id = await uow.clients.ensure(terms.client) if terms.client is not None else None
    added = []
    if client_id is not None:
        added = await _add(uow, terms, authorization_id, client_id, person=login.person, now=now)
    names = {row.account.account_id: row.view.client_name for row in choice.rows if row.view is not None}
    rows = [
        *(_row(connection, terms.client.name if terms.client else "") for connection in added),
        *(_row(connection, names[connection.account_id]) for connection, _ in along),
    ]
    await uow.audit.write(_audited(choice, terms, login, [*added, *(connection for connection, _ in along)], now))
    shown_rows, more = shortened(rows)
    return Outcome(
        kind=OutcomeKind.CONNECTED, used_login=shown(login.discovery.subject_name), rows=shown_rows, more=more
    )


async def _add(
    uow: UnitOfWork,
    terms: _Terms,
    authorization_id: AuthorizationId,
    client_id: ClientId,
    *,
    person: Person,
    now: datetime,
) -> list[Connection]:
    """Add the chosen accounts; one that somebody added at the same moment is left to them."""
    added = []
    for row in terms.rows:
        account = row.account
        connection = Connection(
            id=ConnectionId(new_id(now)),
            organization_id=person.organization_id,
            client_id=client_id,
            network=terms.network,
            account_id=account.account_id,
            account_name=clean(account.name)[:NAME_LIMIT] or account.account_id,
            state=ConnectionState.ACTIVE,
            parent=account.parent,
            authorization_id=authorization_id,
            connector_id=person.id,
            owner_id=terms.owner.id,
            last_good_at=now,
        )
        if await uow.connections.add(connection):
            added.append(connection)
    return added


def _row(connection: Connection, client_name: str) -> OutcomeRow:
    return OutcomeRow(
        account_name=shown(connection.account_name),
        account_id=shown(connection.account_id, ID_LIMIT),
        client_name=shown(client_name),
        result=AccountResult.RESTORED,
        verdict=Verdict.HEALTHY,
    )


def _audited(choice: Choice, terms: _Terms, login: Login, connected: Sequence[Connection], now: datetime) -> AuditEntry:
    detail = {
        "login": login.discovery.subject_id,
        "accounts": ", ".join(connection.account_id for connection in connected[:50]),
        "number": str(len(connected)),
        "client": terms.client.name if terms.client else "",
        "owner": to_wire(terms.owner.id),
        **_replaced(choice.existing),
    }
    return entry(login.by, now, "accounts connected", f"network {choice.spec.slug}", **detail)


def _replaced(existing: Authorization | None) -> dict[str, str]:
    """Whose stored login gave way to the new one."""
    if existing is None:
        return {}
    return {"replaced": f"authorization {to_wire(existing.id)}", "replaced_of": to_wire(existing.connector_id)}
