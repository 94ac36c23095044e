"""The store: transactions over one organization's rows, and the few look-ups and queues that cross organizations."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from commands.ids import AuthorizationId, DeliveryId, LapseId, NoticeId, OrganizationId, PersonId, WorkspaceId
from commands.model import Authorization, Connection, Drill, Identity, Organization, Person, Workspace
from commands.ports.auditing import Audit
from commands.ports.chat import MessageRef
from commands.ports.connections import Authorizations, Connections
from commands.ports.events import Event
from commands.ports.forecasting import Forecasts
from commands.ports.hosting import ApiKeys, HostQueues, HostReports, Sources, Webhooks
from commands.ports.installations import Installations
from commands.ports.lapses import Lapses
from commands.ports.notices import Delivery, DeliveryState, Notices
from commands.ports.outages import OutageNews, Outages
from commands.ports.parents import Parents
from commands.ports.people import Clients, Organizations, People
from commands.ports.reconnecting import Attempt, Attempts, Link, Links, Pass, Passes, Sessions
from commands.ports.rules import Drills, Preferences, RuleSets
from commands.ports.subscribing import Subscriptions


class StorageError(Exception):
    """Something about the store itself. The message is safe to show."""


class NotThere(StorageError):
    """A row that was asked for by its id is not in this organization."""


class AlreadyThere(StorageError):
    """The row would break a rule of uniqueness."""


class Unreadable(StorageError):
    """An encrypted value cannot be read: its key is not configured, or it was moved from another row."""


class UnitOfWork(Protocol):
    """One transaction. Leaving the block without an error commits; an error rolls back."""

    organizations: Organizations
    people: People
    clients: Clients
    authorizations: Authorizations
    connections: Connections
    lapses: Lapses
    forecasts: Forecasts
    parents: Parents
    subscriptions: Subscriptions
    notices: Notices
    links: Links
    passes: Passes
    attempts: Attempts
    sessions: Sessions
    rule_sets: RuleSets
    preferences: Preferences
    drills: Drills
    outages: OutageNews
    api_keys: ApiKeys
    webhooks: Webhooks
    sources: Sources
    host_reports: HostReports
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in an organization, found by a proved chat account."""

    organization: Organization
    person: Person
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of somebody who typed or pressed."""

    workspace: Workspace | None
    """The claimed workspace that they are in; None in a direct message that belongs to none, or where none was
    claimed.
    """
    organization: Organization | None
    """The workspace's."""
    members: tuple[Member, ...]
    """Who they are: in the workspace's organization only, or, without a workspace, wherever the account is linked."""


class Directory(Protocol):
    """Look-ups that cross organizations; each gives the organization back."""

    async def standing(self, *, platform: str, workspace: str | None, tenant: str, user: str) -> Standing:
        """One statement, whatever comes back. People who left are not members."""
        ...

    async def identities(self, *, platform: str, tenant: str, user: str) -> Sequence[Identity]:
        """A chat account wherever it is linked: also where it is gone, and where its person left."""
        ...

    async def link(self, locator: str) -> Link | None: ...

    async def pass_of(self, secret_hash: bytes) -> Pass | None:
        """A bearer link, expired and withdrawn ones included."""
        ...

    async def use_attempt(self, *, state_hash: bytes, browser_hash: bytes, now: datetime) -> Attempt | None:
        """Use an attempt's state up: exactly one caller gets it. None if unknown, used, ended, expired or another
        browser's.
        """
        ...

    async def attempt_of_state(self, state_hash: bytes) -> Attempt | None:
        """The attempt of a state, used or not, for saying what went wrong to the browser that opened it. Uses nothing
        up.
        """
        ...

    async def subject_known(self, network: str, subject_id: str) -> bool:
        """Whether any authorization is of this login: one that must not be revoked."""
        ...

    async def workspace(self, platform: str, external_id: str) -> Workspace | None: ...

    async def workspace_by_id(self, workspace_id: WorkspaceId) -> Workspace | None:
        """By its id, as a sign-in address carries it."""
        ...

    async def issue_claim_code(
        self, organization_id: OrganizationId, *, code_hash: bytes, expires_at: datetime
    ) -> None: ...

    async def organizations(self) -> Sequence[Organization]:
        """All, by name; for the command line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCheck:
    """An authorization leased for a check, with all that a check needs but its tokens."""

    authorization: Authorization
    connections: tuple[Connection, ...]
    """Those that hang on it, retired ones left out."""
    term: int
    """The lease's fencing term."""
    moved: tuple[Connection, ...] = ()
    """Lapsed accounts that hang on no login since their move was accepted, under a business of which this login reads
    other accounts of the same owner: it may read them as well.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """What is longest due of one organization."""

    organization_id: OrganizationId
    authorization_ids: tuple[AuthorizationId, ...]
    """At most one of each network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEvents:
    """Events of one organization that are ready for planning: their authorization's first is older than the gathering
    time.
    """

    organization_id: OrganizationId
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReader:
    """A reader of one organization whose reminders, or whose digest, are due."""

    organization_id: OrganizationId
    person_id: PersonId
    notice_ids: tuple[NoticeId, ...]
    """The oldest first; at most 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWarnings:
    """Authorizations of one organization whose end has to be looked at."""

    organization_id: OrganizationId
    authorization_ids: tuple[AuthorizationId, ...]
    """In their order, the one in which several are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReleases:
    """Lapses of one organization of which a claim or a snooze is over."""

    organization_id: OrganizationId
    lapse_ids: tuple[LapseId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How one delivery's send came out, to be written down."""

    delivery_id: DeliveryId
    state: DeliveryState
    """DUE with `next_at`: try again then. DELIVERED with an older `shown` than wanted: an edit is due at once."""
    shown: int
    ref: MessageRef | None
    reason: str
    next_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHealth:
    """How the authorizations of a network fared lately, for telling an outage from lapses (D-4)."""

    checked: int
    failing: int
    """Those whose last check failed as checks do in an outage."""

    @property
    def good(self) -> int:
        """The others."""
        return self.checked - self.failing


class Queues(Protocol):
    """Work shared by all processes, through leases with fencing terms."""

    async def claim_checks(
        self,
        *,
        now: datetime,
        limit: int,
        lease: timedelta,
        networks: Sequence[str],
        first: Sequence[AuthorizationId] = (),
    ) -> Sequence[DueCheck]:
        """Lease the authorizations of `networks` that are longest due: `first` those named, if they are due and free.
        Nothing of a network that asked everybody to wait.
        """
        ...

    async def longest_due_of_each(
        self, *, now: datetime, networks: Sequence[str], after: OrganizationId | None, limit: int
    ) -> Sequence[Heads]:
        """What is longest due of each of the next `limit` organizations after that one, in the order of their ids,
        those that have nothing due among them. Fewer: there are no more. Its cost does not grow with what is due.
        """
        ...

    async def take_request(self, key: str, *, until: datetime) -> bool:
        """Take in what somebody sent; False: this process or another took it before. Remembered until then at least."""
        ...

    async def look_now(self, network: str, subject_ids: Sequence[str], *, now: datetime, signal: str = "") -> int:
        """Make the authorizations of these logins due, whoever's they are; also those that are being checked, of which
        the network may have been asked too early. Gives how many there are. A network's own `signal`, told apart by
        these words, does so once in a day, however often it is sent.
        """
        ...

    async def pause_network(self, network: str, *, until: datetime) -> None:
        """Let nothing of a network be leased by `claim_checks` until then, or longer where a longer pause stands."""
        ...

    async def claim_check(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, *, now: datetime, lease: timedelta
    ) -> DueCheck | None:
        """Lease one now, due or not; None while somebody else has it."""
        ...

    async def network_health(self, network: str, *, since: datetime, region: str = "") -> NetworkHealth:
        """Of the 1,000 authorizations of the network that were checked last, those checked since. More than that cannot
        change what is decided from their share, so that the cost does not grow with the network. Of one region alone
        where one is named.
        """
        ...

    async def due_events(self, *, now: datetime, gather: timedelta, limit: int) -> Sequence[DueEvents]:
        """Unplanned events, the oldest first, whole authorizations together."""
        ...

    async def due_reminders(self, *, now: datetime, limit: int) -> Sequence[DueReader]:
        """Notices of which a reminder is due, by reader, the longest due first; at most `limit` notices. Nothing is
        leased: whoever writes first (`Notices.remind_next`) did it.
        """
        ...

    async def due_digests(self, *, now: datetime, limit: int) -> Sequence[DueReader]:
        """Readers whose digest is due; at most `limit` notices."""
        ...

    async def due_warnings(self, *, now: datetime, limit: int) -> Sequence[DueWarnings]: ...

    async def due_releases(self, *, now: datetime, limit: int) -> Sequence[DueReleases]: ...

    async def due_profiles(
        self, *, looked_before: datetime, gone_before: datetime | None = None, limit: int
    ) -> Sequence[Identity]:
        """Chat accounts that were not looked at since; never looked at first. Of those that are gone the ones that
        `People.look_again` asks for, and at last, with `gone_before`, those not looked at since then: they may be back.
        """
        ...

    async def due_drills(self, now: datetime) -> Sequence[Drill]:
        """Drills that have not been reported and end by then."""
        ...

    async def lanes_due(self, now: datetime) -> Sequence[str]:
        """Lanes that nobody holds and that have deliveries due, or left in SENDING by a holder that died."""
        ...

    async def take_lane(self, lane: str, *, holder: str, now: datetime, lease: timedelta) -> int | None:
        """Hold a lane, or hold on to it; the fencing term, or None while another process holds it. Deliveries that an
        earlier holder left in SENDING become UNKNOWN.
        """
        ...

    async def leave_lane(self, lane: str, *, holder: str) -> None: ...

    async def take_deliveries(self, lane: str, *, term: int, now: datetime, limit: int) -> Sequence[Delivery]:
        """Mark due deliveries of a held lane as SENDING and give them, by priority, then turn; at most one per address
        and none whose address has one in SENDING, so that a destination's messages keep their order. Empty if the term
        has passed.

        Turns go by age, except that each message which waits behind another for the same address lets ten more minutes
        of other addresses' messages go first: who waits for one message does not wait for everybody's tenth, and
        nobody waits for ever.
        """
        ...

    async def record_sent(self, lane: str, *, term: int, results: Sequence[Sent]) -> None:
        """Write outcomes down, in one transaction. Those of a lost term are left alone."""
        ...

    async def purge(self, now: datetime) -> int:
        """Clear away what nobody can use any more; give how many rows were. Many short transactions; safe to repeat.

        Deleted: browser sessions, sign-ins, claim codes and what is known of requests taken in, once they expired;
        events 30 days after they were planned; passes a month after their end; what a login for new accounts found,
        once its time is over.
        Attempts that were left open lose their secrets a day after they expired, and count as closed then. Audit,
        lapses, notices and deliveries stay.
        """
        ...


class Storage(Protocol):
    """The store, open."""

    directory: Directory
    queues: Queues
    installations: Installations
    outages: Outages
    host: HostQueues

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction that may write. Never held across a call out."""
        ...

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction that only reads; cheaper, and it blocks no writer."""
        ...
