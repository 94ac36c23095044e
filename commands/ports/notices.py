"""What is remembered of subscriptions, events, notices and deliveries. Every call names the organization."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    DeliveryId,
    EventId,
    LapseId,
    NoticeId,
    OrganizationId,
    PersonId,
)
from commands.model import Channel, Subscription
from commands.ports.chat import Address, MessageRef


class Subscriptions(Protocol):
    """Opt-ins."""

    async def add(self, subscription: Subscription) -> bool:
        """False, and nothing is written, if this reader has asked for just this already (C-5)."""
        ...

    async def remove(
        self,
        organization_id: OrganizationId,
        *,
        person_id: PersonId | None,
        channel: Channel | None,
        network: str | None,
        client_id: ClientId | None,
        everything: bool,
    ) -> int:
        """End a reader's opt-in to just this, or, with `everything`, all of that reader's; give how many ended. The
        reader is the channel where one is given, else the person.
        """
        ...

    async def of(
        self, organization_id: OrganizationId, *, person_id: PersonId | None, channel: Channel | None
    ) -> Sequence[Subscription]:
        """A reader's opt-ins, the oldest first. The reader is the channel where one is given, else the person."""
        ...

    async def of_readers(
        self, organization_id: OrganizationId, readers: Sequence[tuple[PersonId, Channel | None]]
    ) -> Sequence[Subscription]:
        """The opt-ins of many readers: a person's own, and, where a channel is given, the channel's that this person
        set up.
        """
        ...

    async def all(self, organization_id: OrganizationId) -> Sequence[Subscription]:
        """Every opt-in of the organization, people's and channels'."""
        ...


class EventKind(StrEnum):
    """What happened. Past tense."""

    LAPSE_OPENED = "lapse_opened"
    LAPSE_ENDED = "lapse_ended"
    LAPSE_CHANGED = "lapse_changed"
    """Its claim or cause changed: live notices are drawn anew."""
    LINK_REFUSED = "link_refused"
    """Somebody else opened a person's Reconnect link."""
    NUDGED = "nudged"
    """Somebody passed a notice on to the person who can mend it (N-2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, written in the transaction that made it so. Notices and webhooks are made from
    events.
    """

    id: EventId
    organization_id: OrganizationId
    kind: EventKind
    at: datetime
    lapse_id: LapseId | None = None
    connection_id: ConnectionId | None = None
    authorization_id: AuthorizationId | None = None
    person_id: PersonId | None = None
    """Whom it concerns (the addressee of a refused link), or who did it."""
    data: Mapping[str, str] = field(default_factory=dict)
    """More, in words safe to show an administrator."""


class NoticeKind(StrEnum):
    """What a notice is."""

    LAPSED = "lapsed"
    LINK_REFUSED = "link_refused"
    NUDGED = "nudged"
    """Somebody asks the reader to act."""
    UNDELIVERED = "undelivered"
    """Tells an administrator that somebody could not be reached (N-19)."""


class Part(StrEnum):
    """The reader's part in it, which decides the wording."""

    CONNECTOR = "connector"
    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    SUBSCRIBER = "subscriber"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something told to one reader about some lapses. Its message is composed anew, from facts, whenever it is sent or
    edited.
    """

    id: NoticeId
    organization_id: OrganizationId
    kind: NoticeKind
    part: Part
    person_id: PersonId
    """The reader; for a channel, who set it up: what they may see bounds what it shows."""
    channel: Channel | None
    lapse_ids: tuple[LapseId, ...]
    created_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)


class DeliveryState(StrEnum):
    """Every delivery ends as DELIVERED, FAILED or SUPPRESSED, with a reason."""

    DUE = "due"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """The reply was lost: sent again once."""
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Priority(StrEnum):
    """First notices outrank edits and reminders. The values sort in that order."""

    FIRST = "1-first"
    EDIT = "2-edit"
    REMINDER = "3-reminder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice on its way to one address, or shown there. `wanted` above `shown` means that an edit is due."""

    id: DeliveryId
    organization_id: OrganizationId
    notice_id: NoticeId
    address: Address
    lane: str
    priority: Priority
    state: DeliveryState
    wanted: int
    shown: int
    ref: MessageRef | None
    attempts: int
    next_at: datetime
    created_at: datetime
    reason: str = ""


class Notices(Protocol):
    """Notices and the events that they are made from."""

    async def record(self, events: Sequence[Event]) -> None:
        """Write events down."""
        ...

    async def record_once(self, event: Event) -> bool:
        """Write down an event whose id says what it is (`once_a_day`). False, and nothing is written, if it is there
        already.
        """
        ...

    async def plan(self, notices: Sequence[Notice], deliveries: Sequence[Delivery]) -> None:
        """Write notices with their deliveries. One that this reader has already is left out, with its deliveries: of
        the same kind about the same lapses and, for kinds other than LAPSED, with the same data. One about no lapse is
        never left out.
        """
        ...

    async def mark_planned(self, event_ids: Sequence[EventId]) -> bool:
        """Say that events were dealt with. False if another process did first: the caller rolls back."""
        ...

    async def redraw(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], at: datetime) -> int:
        """Ask for an edit of every live or waiting delivery of notices about these lapses; give how many."""
        ...

    async def told(self, organization_id: OrganizationId, lapse_id: LapseId) -> bool:
        """Whether any notice about this lapse was planned."""
        ...

    async def get_many(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, Notice]: ...

    async def deliveries(self, organization_id: OrganizationId, notice_id: NoticeId) -> Sequence[Delivery]:
        """For following a notice: where it went and how that ended."""
        ...

    async def delivered_to(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[PersonId, datetime]:
        """Who was reached about these lapses, and when first: "Ana, who was told 2 minutes ago"."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A change: who, from where, when (A-4)."""

    organization_id: OrganizationId
    at: datetime
    actor_id: PersonId | None
    """None: nobody known, or the product itself."""
    origin: str
    """From where: "slack T1/U2", "web", "cli"."""
    action: str
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)


class Audit(Protocol):
    """The audit log."""

    async def write(self, entry: AuditEntry) -> None: ...

    async def latest(self, organization_id: OrganizationId, *, limit: int) -> Sequence[AuditEntry]: ...
