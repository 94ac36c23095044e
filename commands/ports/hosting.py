"""What is remembered of the host product: its keys, the addresses that hear of lapses, and what it reported itself.

Every call of a repository names the organization; what crosses organizations is in `HostQueues`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from commands.ids import (
    ApiKeyId,
    ConnectionId,
    EndpointId,
    EventId,
    LapseId,
    OrganizationId,
    SourceId,
    WebhookMessageId,
)
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of the API, for one organization. Its secret is stored hashed and was shown once."""

    id: ApiKeyId
    organization_id: OrganizationId
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    """None: it works until it is revoked."""
    last_used_at: datetime | None = None
    """To some minutes."""
    revoked_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeys(Protocol):
    """An organization's keys. `HostQueues.api_key` finds one by its id."""

    async def add(self, key: ApiKey, *, secret_hash: bytes) -> None: ...

    async def all(self, organization_id: OrganizationId) -> Sequence[ApiKey]:
        """The latest first, revoked and expired ones included."""
        ...

    async def revoke(self, organization_id: OrganizationId, key_id: ApiKeyId, at: datetime) -> bool:
        """End a key. False if there is none that works."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that lapses are told to. One of a connection hears of that alone, in place of the organization's
    others (A-7).
    """

    id: EndpointId
    organization_id: OrganizationId
    url: str
    connection_id: ConnectionId | None
    created_at: datetime
    old_secret_until: datetime | None = None
    """Until when messages are signed with the secret of before the last rotation as well."""
    failing_since: datetime | None = None
    """The first failure since it last took a message; None: it takes them."""
    disabled_at: datetime | None = None
    disabled_why: str = ""


class MessageState(StrEnum):
    """Where a message to an endpoint is."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; stays visible, and can be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """One event for one endpoint. Its id and its body stay the same however often it is sent."""

    id: WebhookMessageId
    organization_id: OrganizationId
    endpoint_id: EndpointId
    event_id: EventId
    type: str
    """"lapse.opened"."""
    body: str
    """JSON, as it is signed."""
    created_at: datetime
    next_at: datetime
    state: MessageState = MessageState.DUE
    attempts: int = 0
    last_status: int | None = None
    last_error: str = ""
    """Why the last try failed, in words for an operator; holds no address."""
    finished_at: datetime | None = None


class Webhooks(Protocol):
    """Endpoints and what is sent to them."""

    async def add_endpoint(self, endpoint: Endpoint, secret: Secret) -> bool:
        """False, and nothing is written, if the organization has this address, or the connection has one, already."""
        ...

    async def endpoints(self, organization_id: OrganizationId) -> Sequence[Endpoint]:
        """The oldest first."""
        ...

    async def endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> Endpoint | None: ...

    async def hearing_of(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]
    ) -> Sequence[Endpoint]:
        """The organization's own endpoints, and those of these connections."""
        ...

    async def move_endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId, url: str) -> bool:
        """Give an endpoint another address; its secret stays."""
        ...

    async def remove_endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> bool:
        """Forget an endpoint and its messages."""
        ...

    async def rotate(
        self, organization_id: OrganizationId, endpoint_id: EndpointId, secret: Secret, *, old_until: datetime
    ) -> bool:
        """Sign with a new secret; until `old_until` with the one before as well."""
        ...

    async def enable(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> bool:
        """Send to a disabled endpoint again. False if it was not disabled."""
        ...

    async def add_messages(self, messages: Sequence[WebhookMessage]) -> None:
        """Write messages; one that an endpoint has of this event already is left as it is."""
        ...

    async def messages(
        self,
        organization_id: OrganizationId,
        *,
        state: MessageState | None = None,
        endpoint_id: EndpointId | None = None,
        limit: int,
        offset: int = 0,
    ) -> Sequence[WebhookMessage]:
        """The latest first."""
        ...

    async def replay(
        self,
        organization_id: OrganizationId,
        *,
        at: datetime,
        message_id: WebhookMessageId | None = None,
        endpoint_id: EndpointId | None = None,
    ) -> int:
        """Make dead messages due (one, an endpoint's, or all) under the same ids; give how many were. Those of disabled
        endpoints stay dead.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that reports come from by signed webhook (D-7)."""

    id: SourceId
    organization_id: OrganizationId
    name: str
    created_at: datetime
    old_secret_until: datetime | None = None
    revoked_at: datetime | None = None


class Sources(Protocol):
    """Where signed reports come from."""

    async def add(self, source: Source, secret: Secret) -> None: ...

    async def all(self, organization_id: OrganizationId) -> Sequence[Source]:
        """The latest first, revoked ones included."""
        ...

    async def rotate(
        self, organization_id: OrganizationId, source_id: SourceId, secret: Secret, *, old_until: datetime
    ) -> bool: ...

    async def revoke(self, organization_id: OrganizationId, source_id: SourceId, at: datetime) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFilled:
    """The host product says that what was missing has been fetched (X-9)."""

    lapse_id: LapseId
    organization_id: OrganizationId
    at: datetime
    note: str = ""
    """The host's own words; foreign text."""


class HostReports(Protocol):
    """What the host product reported, each once."""

    async def begin(self, organization_id: OrganizationId, event_id: str, at: datetime) -> str | None:
        """Take a report up by the host's own id of it: None if it is new, and nobody else takes it up until this
        transaction ends; else what became of it.
        """
        ...

    async def finish(self, organization_id: OrganizationId, event_id: str, outcome: str) -> None:
        """Write down what became of it."""
        ...

    async def advance(self, organization_id: OrganizationId, connection_id: ConnectionId, at: datetime) -> bool:
        """Note the time of the latest report about a connection's state. False, and nothing is written, if a later one
        was taken already. Until this transaction ends no other report about this connection is.
        """
        ...

    async def fill(self, filled: GapFilled) -> bool:
        """False, and nothing is written, if the gap is filled already."""
        ...

    async def filled(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[LapseId, GapFilled]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMessage:
    """A message taken for sending, with all that sending it needs."""

    message: WebhookMessage
    endpoint: Endpoint
    secrets: tuple[Secret, ...]
    """The current one first."""
    term: int
    """Fences what is written of it afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome:
    """What became of one try, to be written down."""

    state: MessageState
    status: int | None
    error: str
    at: datetime
    next_at: datetime
    """When to try again, where it is DUE."""
    pause_until: datetime | None = None
    """Nothing at all goes to the endpoint before this."""
    disable: str = ""
    """Why the endpoint gets nothing more; empty: it does."""


class HostQueues(Protocol):
    """What crosses organizations."""

    async def api_key(self, key_id: ApiKeyId) -> tuple[ApiKey, bytes] | None:
        """A key, whatever its state, and the hash of its secret."""
        ...

    async def api_key_used(self, key_id: ApiKeyId, at: datetime) -> None: ...

    async def source(self, source_id: SourceId, now: datetime) -> tuple[Source, tuple[Secret, ...]] | None:
        """A source that is not revoked, and the secrets that it may sign with now."""
        ...

    async def claim_messages(
        self, *, now: datetime, endpoints: int, each: int, lease: timedelta, busy: Sequence[EndpointId] = ()
    ) -> Sequence[DueMessage]:
        """Take due messages: of so many endpoints, whose turn was longest ago, so many each, of a failing one one. What
        is not recorded when the lease is over is due again. Endpoints that are disabled, paused or `busy` get no turn;
        one whose secret cannot be read is disabled.
        """
        ...

    async def record_outcome(self, due: DueMessage, outcome: SendOutcome) -> bool:
        """Write down what became of a try. False, and nothing is written, if its lease was lost."""
        ...
