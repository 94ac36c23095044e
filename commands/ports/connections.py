"""What is remembered of authorizations, connections and their lapses. Every call names the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commands.ids import AuthorizationId, ConnectionId, LapseId, OrganizationId, PersonId
from commands.model import (
    Authorization,
    Claim,
    Connection,
    ConnectionState,
    ConnectionView,
    Count,
    Doubt,
    Filter,
    Lapse,
    LapseEnd,
    Page,
    Parent,
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

    async def under(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId
    ) -> Sequence[ConnectionView]:
        """All that hang on an authorization, retired ones left out, lapsed ones first."""
        ...

    async def counts(self, organization_id: OrganizationId, scope: Scope) -> Sequence[Count]:
        """From the counters: a cost that does not grow with the number of connections."""
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
        self, organization_id: OrganizationId, scope: Scope, words: str, *, limit: int
    ) -> Sequence[ConnectionView]:
        """By account id, or by name: an exact match (without case) alone if there is one, else those that contain
        `words`.
        """
        ...

    async def set_state(
        self, organization_id: OrganizationId, connection_id: ConnectionId, state: ConnectionState
    ) -> bool:
        """Change the state and the counters. False if it was that already."""
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


class Lapses(Protocol):
    """Episodes. At most one is open for a connection."""

    async def open(self, lapse: Lapse) -> bool:
        """False, and nothing is written, if one is open already."""
        ...

    async def update_cause(self, lapse: Lapse) -> None:
        """Write a cause and evidence that became clearer while the lapse is open."""
        ...

    async def end(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        at: datetime,
        how: LapseEnd,
        by: PersonId | None,
    ) -> Lapse | None:
        """End the open lapse and give it; None if none was open."""
        ...

    async def get(self, organization_id: OrganizationId, lapse_id: LapseId) -> Lapse | None: ...

    async def views(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[ConnectionView]:
        """The connections of these lapses, each with that lapse, ended or not, in the order asked for."""
        ...

    async def history(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, limit: int
    ) -> Sequence[Lapse]:
        """The latest first."""
        ...

    async def claim(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], claim: Claim | None
    ) -> Sequence[LapseId]:
        """Set or end "I'm on it" on those that are open; give those that changed."""
        ...

    async def last_ended(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Lapse | None: ...
