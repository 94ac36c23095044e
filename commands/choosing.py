"""What a login for new accounts reaches, held against what is here: which can be connected, and what comes along.

Reads; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from commands.access import is_administrator, may_reconnect, may_see, scope_of
from commands.comparison import AccountResult, elsewhere
from commands.drawing import ID_LIMIT
from commands.model import Authorization, Client, ConnectionState, ConnectionView, Organization, Person, Role, Verdict
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow, shortened
from commands.ports.network import Discovery, NetworkSpec, ReachedAccount
from commands.ports.storage import UnitOfWork
from commands.proved_login import ProvedLogin
from commands.wording import shown

SHOWN_AT_ONCE = 500
"""New accounts that one page offers: it stays readable, and its form stays small."""


class Reached(StrEnum):
    """What an account that the login reaches is here."""

    NEW = "new"
    HERE = "here"
    """Connected, or known, already."""
    COMES_ALONG = "comes_along"
    """Known here, and waiting for this login: connected with it."""
    HIDDEN = "hidden"
    """Here, under a client that this person does not see."""
    UNREADABLE = "unreadable"
    """Reached, but it cannot be read; the verdict says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedRow:
    """One account that the login reaches, beside what is here of it."""

    account: ReachedAccount
    what: Reached
    view: ConnectionView | None = None
    """What is here of it, where this person may see that."""
    is_anothers: bool = False
    """It is here, under another owner: to be transferred before it is this person's (R-11)."""

    @property
    def verdict(self) -> Verdict:
        """What the network said of it."""
        return self.account.finding.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The clients that somebody may put accounts under."""

    existing: tuple[Client, ...]
    may_name_new: bool

    @property
    def any(self) -> bool:
        """Whether there is anything to put an account under."""
        return self.may_name_new or bool(self.existing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The facts of the page on which somebody chooses among the accounts of their login."""

    organization: Organization
    person: Person
    spec: NetworkSpec
    login: str
    """Who logged in, under the network's name."""
    rows: tuple[ReachedRow, ...]
    """New ones first, at most SHOWN_AT_ONCE of these; then by name."""
    more: int
    """New ones beyond those shown."""
    lost: tuple[ConnectionView, ...]
    """What works by this very login and would stop, also what this person may not see: then nothing is stored."""
    clients: Clients
    may_choose_owner: bool
    existing: Authorization | None
    """The authorization of this very login, if it is known."""
    to_ask: tuple[str, ...] = ()
    """Names of administrators, where an account that is reached lives under another owner (R-11)."""

    @property
    def anothers(self) -> tuple[ReachedRow, ...]:
        """What the login reaches of another owner's, whether or not this person may see more of it than that."""
        return tuple(row for row in self.rows if row.is_anothers and row.what is not Reached.COMES_ALONG)

    def of(self, what: Reached) -> tuple[ReachedRow, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.what is what)


async def clients_of(uow: UnitOfWork, person: Person) -> Clients:
    """Which clients somebody may connect accounts under: administrators and unlimited staff any, limited staff theirs,
    owners those where they have something already (C-7).
    """
    everything = await uow.clients.all(person.organization_id)
    if is_administrator(person) or (person.role is Role.STAFF and person.client_ids is None):
        return Clients(existing=tuple(everything), may_name_new=True)
    allowed = person.client_ids if person.role is Role.STAFF and person.client_ids is not None else frozenset()
    if person.role is Role.OWNER:
        counted = await uow.connections.counts(person.organization_id, scope_of(person))
        allowed = frozenset(count.client_id for count in counted)
    return Clients(existing=tuple(client for client in everything if client.id in allowed), may_name_new=False)


async def choice_of(uow: UnitOfWork, spec: NetworkSpec, person: Person, login: ProvedLogin) -> Choice:
    """Hold what a login reaches against what is here."""
    organization_id, discovery = person.organization_id, login.discovery
    existing = await uow.authorizations.by_subject(organization_id, spec.slug, discovery.subject_id)
    reached = {account.account_id: account for account in discovery.accounts}
    here = await uow.connections.of_accounts(organization_id, spec.slug, list(reached))
    views = {view.connection.account_id: view for view in here}
    rows = sorted(
        (_row(account, views.get(account_id), person, existing) for account_id, account in reached.items()),
        key=lambda row: (row.what is not Reached.NEW, row.account.name.casefold(), row.account.account_id),
    )
    new = [row for row in rows if row.what is Reached.NEW]
    elsewhere_owned = any(row.is_anothers for row in rows)
    administrators = await uow.people.administrators(organization_id) if elsewhere_owned else ()
    return Choice(
        organization=await uow.organizations.get(organization_id),
        person=person,
        spec=spec,
        login=discovery.subject_name,
        rows=(*new[:SHOWN_AT_ONCE], *rows[len(new) :]),
        more=max(0, len(new) - SHOWN_AT_ONCE),
        lost=await _lost(uow, existing, discovery),
        clients=await clients_of(uow, person),
        may_choose_owner=is_administrator(person),
        existing=existing,
        to_ask=tuple(shown(one.name) for one in administrators if one.id != person.id)[:2],
    )


def is_anothers(person: Person, view: ConnectionView) -> bool:
    """Whether an account lives under another owner than the person who would connect it (R-11)."""
    connection = view.connection
    return connection.owner_id not in (None, person.id) and connection.state is not ConnectionState.RETIRED


def _row(
    account: ReachedAccount, view: ConnectionView | None, person: Person, existing: Authorization | None
) -> ReachedRow:
    readable = account.finding.verdict is Verdict.HEALTHY
    if view is None:
        return ReachedRow(account=account, what=Reached.NEW if readable else Reached.UNREADABLE)
    anothers = is_anothers(person, view)
    if not may_see(person, view.connection):
        return ReachedRow(account=account, what=Reached.HIDDEN, is_anothers=anothers)
    along = readable and not elsewhere(view.connection, account) and _waits_for(view, person, existing)
    what = Reached.COMES_ALONG if along else Reached.HERE
    return ReachedRow(account=account, what=what, view=view, is_anothers=anothers)


def _waits_for(view: ConnectionView, person: Person, existing: Authorization | None) -> bool:
    """Whether an account that is here waits for this login: it lapsed under it, or nobody else is to connect it."""
    connection = view.connection
    if not may_reconnect(person, view).allowed:
        return False
    if connection.state is ConnectionState.UNCONNECTED:
        return connection.connector_id in (None, person.id)
    if connection.state is not ConnectionState.LAPSED:
        return False
    hangs_on_this = existing is not None and connection.authorization_id == existing.id
    return hangs_on_this or connection.authorization_id is None  # its move was accepted: any login there brings it back


async def lost_by(uow: UnitOfWork, person: Person, spec: NetworkSpec, discovery: Discovery) -> Sequence[ConnectionView]:
    """What works by this very login, and would stop if this were stored in its place: the person may not see all."""
    existing = await uow.authorizations.by_subject(person.organization_id, spec.slug, discovery.subject_id)
    return await _lost(uow, existing, discovery)


async def _lost(uow: UnitOfWork, existing: Authorization | None, discovery: Discovery) -> tuple[ConnectionView, ...]:
    if existing is None:
        return ()
    readable = {each.account_id for each in discovery.accounts if each.finding.verdict is Verdict.HEALTHY}
    return tuple(
        view
        for view in await uow.connections.under(existing.organization_id, existing.id)
        if view.connection.state is ConnectionState.ACTIVE and view.connection.account_id not in readable
    )


def reaches_less(lost: Sequence[ConnectionView], person: Person, discovery: Discovery) -> Outcome:
    """Say what would stop, as far as the person may see it."""
    reached = {account.account_id: account.finding.verdict for account in discovery.accounts}
    rows = [
        OutcomeRow(
            account_name=shown(view.connection.account_name),
            account_id=shown(view.connection.account_id, ID_LIMIT),
            client_name=shown(view.client_name),
            result=AccountResult.UNREADABLE if view.connection.account_id in reached else AccountResult.NOT_REACHED,
            verdict=reached.get(view.connection.account_id, Verdict.ACCOUNT_GONE),
            worked_before=True,
        )
        for view in lost
        if may_see(person, view.connection)
    ]
    shown_rows, more = shortened(rows)
    return Outcome(kind=OutcomeKind.REACHES_LESS, used_login=shown(discovery.subject_name), rows=shown_rows, more=more)
