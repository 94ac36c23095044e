"""What is remembered of links, attempts, browser sessions and sign-ins. Secrets among them are stored hashed or
encrypted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from commands.ids import (
    AttemptId,
    AuthorizationId,
    ConnectionId,
    LinkId,
    NoticeId,
    OrganizationId,
    PassId,
    PersonId,
    SessionId,
    WorkspaceId,
    new_id,
)
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address of one person: for reconnecting one connection, or for connecting accounts of a network that are new
    here (C-7). It carries no authority; a Reconnect link lives as long as there is something to reconnect (R-19).
    """

    id: LinkId
    organization_id: OrganizationId
    person_id: PersonId
    connection_id: ConnectionId | None
    created_at: datetime
    network: str | None = None
    """The network to connect new accounts of, where there is no connection."""

    def __post_init__(self) -> None:
        if (self.connection_id is None) == (self.network is None):
            raise ValueError("a link is for one connection, or for one network")

    @classmethod
    def new(
        cls,
        organization_id: OrganizationId,
        person_id: PersonId,
        at: datetime,
        *,
        connection_id: ConnectionId | None = None,
        network: str | None = None,
    ) -> "Link":
        """A link of this person's, under an id of its own. Nothing is written yet."""
        return cls(
            id=LinkId(new_id(at)),
            organization_id=organization_id,
            person_id=person_id,
            connection_id=connection_id,
            created_at=at,
            network=network,
        )


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

    async def locator(self, organization_id: OrganizationId, link_id: LinkId) -> str | None:
        """The locator of a link that is there; only reads."""
        ...


class PassPurpose(StrEnum):
    """What a pass opens."""

    ACCOUNTS = "accounts"
    """A page of one's own accounts, for somebody who may have no chat account (R-13). Bound to the first browser that
    acts.
    """
    IDENTITY = "identity"
    """Confirms, once, that the signed-in chat account is a person's (P-6)."""
    UNSUBSCRIBE = "unsubscribe"
    """Ends an opt-in with one POST (RFC 8058). Shows and gives nothing."""
    CALENDAR = "calendar"
    """A calendar of its person's reconnect days (X-7): names networks and days, opens nothing."""
    DRILL = "drill"
    """Says, with one press, that a fire drill's message and its link arrived (X-12). Shows and gives nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A bearer link: whoever holds its address may do the one thing that it is for. Its secret is stored hashed."""

    id: PassId
    organization_id: OrganizationId
    person_id: PersonId
    """For whom."""
    purpose: PassPurpose
    made_by: PersonId | None
    """None: made by a notice of ours."""
    created_at: datetime
    expires_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)
    opened_at: datetime | None = None
    used_at: datetime | None = None
    withdrawn_at: datetime | None = None
    notice_id: NoticeId | None = None
    """The message that carries it, where that is what the message is for."""
    followed_at: datetime | None = None
    """When somebody sent or copied it, who then follows how far it gets (X-10); None: nobody does."""


class Sending(StrEnum):
    """How far the message that carries a link got."""

    COPIED = "copied"
    """There is none: it was given by hand."""
    ON_ITS_WAY = "on_its_way"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round trip through a network's login that was begun by a link."""

    network: str
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    outcome: str | None
    """As an attempt's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedLink:
    """A personal link, and how far it got (X-10). Every step is read from where it was written when it happened."""

    one: Pass
    person_name: str
    maker_name: str | None
    """Who copied it; the one who had it sent is named in its data."""
    sending: Sending
    rounds: Sequence[Round]
    """The latest of them, the oldest first."""


class Passes(Protocol):
    """Bearer links. `Directory.pass_of` finds one by its secret."""

    async def add(self, one: Pass, *, secret_hash: bytes) -> None: ...

    async def of(self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose) -> Sequence[Pass]:
        """The latest first, expired ones left out."""
        ...

    async def followed(
        self, organization_id: OrganizationId, *, since: datetime, offset: int, limit: int
    ) -> Sequence[FollowedLink]:
        """What was sent or copied since, the latest first, in three statements. Of a message that was tried several
        times the last link counts, and any that was opened.
        """
        ...

    async def number_followed(self, organization_id: OrganizationId, *, since: datetime) -> int:
        """How many `followed` has in all."""
        ...

    async def get(self, organization_id: OrganizationId, pass_id: PassId) -> Pass | None: ...

    async def withdraw_one(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> bool:
        """End it, and whatever else carried the same message; False if it was over."""
        ...

    async def opened(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> None:
        """Note the first POST that showed it to a person."""
        ...

    async def bind(self, organization_id: OrganizationId, pass_id: PassId, *, browser_hash: bytes) -> bool:
        """Bind it to a browser, if it is bound to none. True if it is bound to this one."""
        ...

    async def use(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> bool:
        """Use it up: exactly one caller gets True."""
        ...

    async def withdraw(
        self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose | None, at: datetime
    ) -> int:
        """End a person's passes (of one purpose, or all); give how many."""
        ...

    async def withdraw_handed_out(
        self,
        organization_id: OrganizationId,
        *,
        made_by: PersonId | None = None,
        person_id: PersonId | None = None,
    ) -> int:
        """End the passes that somebody made for passing on by hand: all that `made_by` made, or all for `person_id`;
        give how many. Those in notices of ours stay.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One OAuth round trip: single use, minutes long, bound to one browser."""

    id: AttemptId
    organization_id: OrganizationId
    link_id: LinkId
    person_id: PersonId
    connection_id: ConnectionId | None
    """None: new accounts are to be connected."""
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
    spared: bool = False
    """It came back after `spare_since`: nobody can take over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """An attempt that is neither ended nor expired."""

    attempt_id: AttemptId
    person_id: PersonId
    session_id: SessionId
    opened_at: datetime
    came_back: bool
    """Its answer came; what it brought is being looked at, or waits to be chosen from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far an attempt got, where it has no outcome."""

    came_back: bool
    closed_at: datetime | None
    ended_by: PersonId | None
    """Whose newer attempt took its place; None: nobody's."""


class Attempts(Protocol):
    """Attempts. One open at a time for an authorization."""

    async def open(
        self,
        attempt: Attempt,
        *,
        state_hash: bytes,
        browser_hash: bytes,
        take_over: bool,
        spare_since: datetime | None = None,
    ) -> OpenAttempt | None:
        """Open an attempt, ending expired ones of the authorization first, and the same person's, and, with
        `take_over`, anybody's. One that came back after `spare_since` is ended by nobody. None: it is open; else who
        holds the other one, and nothing is written.
        """
        ...

    async def entrust(self, organization_id: OrganizationId, attempt_id: AttemptId, *, code_verifier: Secret) -> None:
        """Keep what only the exchange may see, encrypted, of an attempt that was opened without; nothing if it ended
        meanwhile.
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

    async def under_way(
        self,
        organization_id: OrganizationId,
        *,
        link_id: LinkId,
        authorization_id: AuthorizationId | None,
        now: datetime,
    ) -> UnderWay | None:
        """The attempt that renews this authorization at the moment, whose ever it is; without one, the latest of the
        link.
        """
        ...

    async def stand(self, organization_id: OrganizationId, attempt_id: AttemptId) -> Stand | None:
        """How far it got."""
        ...

    async def keep(
        self, organization_id: OrganizationId, attempt_id: AttemptId, *, found: Secret, until: datetime
    ) -> None:
        """Keep what a login for new accounts gave, encrypted, until the person has chosen among them (R-14)."""
        ...

    async def take(self, organization_id: OrganizationId, attempt_id: AttemptId, now: datetime) -> Secret | None:
        """Read what was kept and use it up, if the transaction goes through; None if it is over, or was taken."""
        ...

    async def kept(self, organization_id: OrganizationId, attempt_id: AttemptId, now: datetime) -> Secret | None:
        """Read what was kept, for showing the choice."""
        ...


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
