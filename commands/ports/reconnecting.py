"""What is remembered of links, attempts, browser sessions and sign-ins. Secrets among them are stored hashed or
encrypted.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from commands.ids import (
    AttemptId,
    AuthorizationId,
    ConnectionId,
    LinkId,
    OrganizationId,
    PersonId,
    SessionId,
    WorkspaceId,
)
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A Reconnect address of one person for one connection. It carries no authority and lives as long as there is
    something to reconnect (R-19).
    """

    id: LinkId
    organization_id: OrganizationId
    person_id: PersonId
    connection_id: ConnectionId
    created_at: datetime


class Links(Protocol):
    """Reconnect links. The locator in the address is derived from the link's id and a key of ours; only its hash is
    stored.
    """

    async def ensure(self, link: Link) -> str:
        """Give the 22-character locator of this person's link for this connection, adding the link if there is none."""
        ...

    async def ensure_many(self, links: tuple[Link, ...]) -> dict[tuple[PersonId, ConnectionId], str]:
        """The same for many, in a fixed number of statements."""
        ...

    async def get(self, organization_id: OrganizationId, link_id: LinkId) -> Link | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One OAuth round trip: single use, minutes long, bound to one browser."""

    id: AttemptId
    organization_id: OrganizationId
    link_id: LinkId
    person_id: PersonId
    connection_id: ConnectionId
    authorization_id: AuthorizationId | None
    """The authorization to be renewed; None where the connection has none yet."""
    network: str
    session_id: SessionId
    redirect_uri: str
    code_verifier: Secret | None
    opened_at: datetime
    expires_at: datetime
    outcome: str | None = None
    """How it ended, as JSON for the result page; None while it is open or was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """Who is reconnecting an authorization at this moment."""

    person_id: PersonId
    opened_at: datetime


class Attempts(Protocol):
    """Attempts. One open at a time for an authorization."""

    async def open(
        self, attempt: Attempt, *, state_hash: bytes, browser_hash: bytes, take_over: bool
    ) -> OpenAttempt | None:
        """Open an attempt, ending expired ones of the authorization first, and the same person's, and, with
        `take_over`, anybody's. None: it is open; else who holds the other one, and nothing is written.
        """
        ...

    async def finish(
        self, organization_id: OrganizationId, attempt_id: AttemptId, *, outcome: str, at: datetime
    ) -> bool:
        """Write how it ended, and close it. False, and nothing is written, if it was ended already: somebody took
        over.
        """
        ...

    async def get(self, organization_id: OrganizationId, attempt_id: AttemptId) -> Attempt | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser in which somebody signed in with a chat platform. Twelve hours; the cookie's value is stored hashed."""

    id: SessionId
    platform: str
    tenant: str
    user: str
    name: str
    email: str | None
    """Verified by the platform, else None."""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """A sign-in under way: single use, minutes long, bound to one browser."""

    platform: str
    nonce: str = field(repr=False)
    redirect_uri: str
    workspace_id: WorkspaceId | None
    """The workspace that the person came from."""
    locator: str | None = field(repr=False)
    """The Reconnect link to go back to."""
    expires_at: datetime


class Sessions(Protocol):
    """Browser sessions and sign-ins. They belong to no organization: a session proves a chat account, nothing else."""

    async def add(self, session: Session, *, secret_hash: bytes) -> None: ...

    async def by_secret(self, secret_hash: bytes, now: datetime) -> Session | None:
        """The session of a cookie, unless it has expired."""
        ...

    async def end(self, session_id: SessionId) -> None: ...

    async def begin_sign_in(self, pending: PendingSignIn, *, state_hash: bytes, browser_hash: bytes) -> None: ...

    async def finish_sign_in(self, *, state_hash: bytes, browser_hash: bytes, now: datetime) -> PendingSignIn | None:
        """Use a sign-in up: exactly one caller gets it. None if it is unknown, used, expired or of another browser."""
        ...
