"""What is remembered of authorizations and connections. Every call names the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commands.ids import AuthorizationId, ClientId, ConnectionId, OrganizationId, PersonId
from commands.model import (
    Authorization,
    Connection,
    ConnectionState,
    ConnectionView,
    Count,
    Doubt,
    Filter,
    Page,
    Parent,
    Person,
    Scope,
    Tokens,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """What a check leaves on an authorization's row."""

    checked_at: datetime
    next_check_at: datetime
    good: bool
    doubt: Doubt | None
    ends_at: datetime | None
    """None: keep what is stored."""
    was_due_at: datetime | None = None
    """When it was due as it was leased. Another time stored since then was asked for meanwhile, and stands."""
    region: str = ""
    failing_since: datetime | None = None
    """As of `Authorization`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """An authorization that hangs on one person, and what hangs on it (X-6)."""

    authorization: Authorization
    clients: tuple[tuple[str, int], ...]
    """Clients by name, with how many connections of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerCount:
    """How many connections somebody owns, retired ones left out."""

    person: Person
    needing: int
    """Lapsed and unconnected ones."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """Who is connector and owner of some connections of a network and client (N-13, X-12); from the counters."""

    network: str
    client_id: ClientId
    connector_id: PersonId | None
    owner_id: PersonId | None
    number: int


class Authorizations(Protocol):
    """Grants and their tokens."""

    async def add(self, authorization: Authorization, tokens: Tokens) -> None: ...

    async def get(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> Authorization: ...

    async def by_subject(self, organization_id: OrganizationId, network: str, subject_id: str) -> Authorization | None:
        """The authorization of this login, if there is one."""
        ...

    async def tokens(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> Tokens:
        """Raises Unreadable if they cannot be decrypted (an unknown key, a swapped row)."""
        ...

    async def begin_refresh(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        term: int,
        generation: int,
        at: datetime,
    ) -> bool:
        """Write down that a refresh of the tokens of `generation` begins, before it does. False, and it must not, if
        the check's lease of `term` is over or somebody stored newer tokens. Until `store_refreshed`, `settle_refresh`
        or a new consent the tokens are read with `refresh_begun_at`.
        """
        ...

    async def settle_refresh(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, *, generation: int
    ) -> None:
        """Write down that the refresh begun of `generation` spent nothing: the network clearly said no."""
        ...

    async def store_refreshed(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        tokens: Tokens,
        ends_at: datetime | None,
        generation: int,
    ) -> bool:
        """Replace the tokens of `generation`; False if somebody stored newer ones. `ends_at` None keeps what is
        stored.
        """
        ...

    async def replace_grant(self, authorization: Authorization, tokens: Tokens) -> None:
        """Store a new consent of the same login: everything of the row but its id; the generation goes up by one."""
        ...

    async def many(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId]
    ) -> Sequence[Authorization]: ...

    async def check_soon(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId], at: datetime
    ) -> None:
        """Make them due for the watch by then, where they are not sooner."""
        ...

    async def hanging_on(self, organization_id: OrganizationId, person_id: PersonId) -> Sequence[Hanging]:
        """What hangs on a person as its connector, the most connections first; retired connections do not count."""
        ...

    async def warn_next(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        ends_at: datetime | None,
        at: datetime | None,
    ) -> bool:
        """Set when its people are to be warned next of its end (None: not again). False, and nothing is written, if
        `ends_at` is not the stored end any more. A new end, like a change of rules, makes it due at once: whoever
        takes it from the queue decides.
        """
        ...

    async def reconsider_warnings(self, organization_id: OrganizationId, network: str | None) -> None:
        """Make the authorizations (of one network, or all) that have an end due for `Queues.due_warnings`."""
        ...

    async def record_check(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, term: int, record: CheckRecord
    ) -> bool:
        """Write a check's outcome and give the lease back. False, and nothing is written, if the lease of `term` was
        lost.
        """
        ...


class Connections(Protocol):
    """Accounts that are read from. Counters change in the same transaction as the state."""

    async def add(self, connection: Connection) -> bool:
        """False, and nothing is written, if the organization has this network's account already."""
        ...

    async def get(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Connection: ...

    async def view(self, organization_id: OrganizationId, connection_id: ConnectionId) -> ConnectionView | None:
        """One connection with its names, its open lapse, its authorization and how many siblings it has."""
        ...

    async def views(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]
    ) -> Sequence[ConnectionView]:
        """The same for several, in the order asked for, without siblings."""
        ...

    async def of_accounts(
        self, organization_id: OrganizationId, network: str, account_ids: Sequence[str]
    ) -> Sequence[ConnectionView]:
        """Those of a network's accounts that are here, in whatever state, without siblings."""
        ...

    async def under(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId
    ) -> Sequence[ConnectionView]:
        """All that hang on an authorization, retired ones left out, lapsed ones first."""
        ...

    async def hold(self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]) -> None:
        """Let nobody else change these before the transaction ends. Whoever writes several holds them first, all in one
        call, and after their authorization is written: so nobody waits for each other in a circle.
        """
        ...

    async def counts(self, organization_id: OrganizationId, scope: Scope) -> Sequence[Count]:
        """From the counters: a cost that does not grow with the number of connections. One statement, which also reads
        what outages stand.
        """
        ...

    async def page(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        filter: Filter,
        *,
        offset: int,
        limit: int,
        total: int | None = None,
    ) -> Page:
        """A part of the list: lapsed first, the longest lapse foremost, then unconnected ones, then by name.

        `total` is how many the whole list has, where the caller knows it from `counts`; None: it is counted.
        """
        ...

    async def next_to_end(self, organization_id: OrganizationId, scope: Scope) -> ConnectionView | None:
        """The active connection whose authorization ends soonest, of those with a known end still to come."""
        ...

    async def find(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        words: str,
        *,
        limit: int,
        network: str | None = None,
        client_id: ClientId | None = None,
    ) -> Sequence[ConnectionView]:
        """By account id, or by name: an exact match (without case) alone if there is one, else those that contain
        `words`; of one network or client alone where these are given.
        """
        ...

    async def suggest(
        self, organization_id: OrganizationId, scope: Scope, beginning: str, *, limit: int
    ) -> Sequence[Connection]:
        """Those whose name or account id begins with these letters (without case), by name; for showing choices while
        somebody types, so through indexes alone.
        """
        ...

    async def answerable(self, organization_id: OrganizationId) -> Sequence[Answerable]:
        """Connectors and owners by network and client, retired connections left out."""
        ...

    async def owners(self, organization_id: OrganizationId, scope: Scope) -> Sequence[OwnerCount]:
        """Everybody who owns something in scope, the most needing first, then by name; from the counters."""
        ...

    async def others_under(
        self, organization_id: OrganizationId, network: str, parent_ids: Sequence[str], scope: Scope | None = None
    ) -> dict[str, tuple[PersonId, ...]]:
        """Who connected something under these parents (a Business Center) and so is known to hold a role there; people
        who left are not among them. At most 10 for each parent. With `scope` only what they connected within it counts.
        """
        ...

    async def logins_under(
        self, organization_id: OrganizationId, network: str, parent_id: str
    ) -> Sequence[AuthorizationId]:
        """The authorizations that something under this parent works by, the one of most accounts first; at most 3."""
        ...

    async def set_parent(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], parent: Parent
    ) -> None:
        """Expect connections under another business from now on."""
        ...

    async def detach(self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]) -> None:
        """Take connections off their authorization, whose login does not reach them any more; all else stays."""
        ...

    async def set_owner(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], owner_id: PersonId
    ) -> int:
        """Give connections another owner, with the counters; give how many changed."""
        ...

    async def set_state(
        self, organization_id: OrganizationId, connection_id: ConnectionId, state: ConnectionState
    ) -> bool:
        """Change the state and the counters. False if it was that already."""
        ...

    async def describe(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, account_name: str, client_id: ClientId
    ) -> bool:
        """Change what a connection is called and whose it is, with the counters. False if that was so already."""
        ...

    async def attach(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        authorization_id: AuthorizationId,
        connector_id: PersonId,
        account_name: str,
        parent: Parent | None,
        good_at: datetime,
    ) -> None:
        """Hang a connection on an authorization that was proved to reach it, as ACTIVE; its owner, client and id stay
        (R-16).
        """
        ...

    async def record_check(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        good_at: datetime | None,
        doubt: Doubt | None,
    ) -> None:
        """Write what a check found of one account. `good_at` None keeps the last good time."""
        ...
