"""What is remembered of notices and deliveries. Every call names the organization."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from commands.ids import (
    AuthorizationId,
    ConnectionId,
    DeliveryId,
    EventId,
    LapseId,
    NoticeId,
    OrganizationId,
    PersonId,
)
from commands.model import Channel
from commands.ports.chat import Address, MessageRef
from commands.ports.events import Event


class NoticeKind(StrEnum):
    """What a notice is."""

    LAPSED = "lapsed"
    REMINDER = "reminder"
    """A step of the series (N-6)."""
    DIGEST = "digest"
    """What gathered for a reader who wants to hear daily or weekly (N-16)."""
    EXPIRING = "expiring"
    """A known end comes near (D-2)."""
    LINK_REFUSED = "link_refused"
    NUDGED = "nudged"
    """Somebody asks the reader to act."""
    ASSIGNED = "assigned"
    UNDELIVERED = "undelivered"
    """Tells an administrator that somebody could not be reached (N-19)."""
    NOT_MINE = "not_mine"
    RETIREMENT_PROPOSED = "retirement_proposed"
    TRANSFERRED = "transferred"
    PERSONAL_LINK = "personal_link"
    SUCCESSION = "succession"
    """Somebody left on whom connections hang: who takes them over? (X-6)"""
    INSTALLATION_LOST = "installation_lost"
    THIN_REACH = "thin_reach"
    DRILL = "drill"
    DRILL_ESCALATED = "drill_escalated"
    DRILL_REPORT = "drill_report"
    OUTAGE = "outage"
    """A network fails by itself: nothing of the reader's is broken (X-3). Of `data["outage"]`."""
    OUTAGE_OVER = "outage_over"
    """That it works again, told in the thread of that message."""
    NOTE = "note"
    """What happened about a lapse, told in the thread of the message about it (N-10)."""


class Part(StrEnum):
    """The reader's part in it, which decides the wording."""

    CONNECTOR = "connector"
    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    STAND_IN = "stand_in"
    """Somebody who can take over from a connector who is gone (N-12)."""
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
    authorization_ids: tuple[AuthorizationId, ...] = ()
    """Logins whose end it tells of, the soonest first: of a warning, and of a digest."""
    step: int = 0
    """The day of its series, counted from the first notice, that is done with (N-6); 0: the first notice alone."""
    remind_at: datetime | None = None
    """When the next reminder is due; None: none comes."""
    digest_at: datetime | None = None
    """When it is told, gathered with others, instead of at once (N-16); None: it has messages of its own."""
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
    under: MessageRef | None = None
    """The message in whose thread it is posted."""


NO_ADDRESS = "no address known"
"""Why a notice reached nobody where there was no way to try."""


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

    async def is_recorded(self, organization_id: OrganizationId, event_id: EventId) -> bool:
        """Whether there is such an event."""
        ...

    async def plan(self, notices: Sequence[Notice], deliveries: Sequence[Delivery]) -> None:
        """Write notices with their deliveries. One that this reader has already is left out, with its deliveries: of
        the same kind about the same lapses and, for kinds other than LAPSED, with the same data (an owner's LAPSED is
        none of another part). One about no lapse is never left out, except of an outage that the reader heard of.
        """
        ...

    async def recent(self, organization_id: OrganizationId, *, since: datetime) -> Sequence[Notice]:
        """LAPSED notices made at or after a time that have messages of their own (no digest), posted or on their way,
        the oldest first.
        """
        ...

    async def of_kind(self, organization_id: OrganizationId, kind: NoticeKind, *, since: datetime) -> Sequence[Notice]:
        """Notices of a kind made at or after a time, the oldest first."""
        ...

    async def grow(self, organization_id: OrganizationId, notice_id: NoticeId, lapse_ids: Sequence[LapseId]) -> int:
        """Add lapses to a notice, after those that it is about; give how many were new to it. Redraws nothing."""
        ...

    async def mark_planned(self, event_ids: Sequence[EventId]) -> bool:
        """Say that events were dealt with. False if another process did first: the caller rolls back."""
        ...

    async def redraw(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], at: datetime) -> int:
        """Ask for an edit of every live or waiting delivery of notices about these lapses; give how many."""
        ...

    async def redraw_for(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], person_id: PersonId, at: datetime
    ) -> int:
        """The same for one person's own notices: what a snooze or "not mine" changes is theirs alone (N-11)."""
        ...

    async def redraw_connections(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId], at: datetime
    ) -> int:
        """The same for notices that name one of these connections in their data, under "connection"."""
        ...

    async def redraw_authorizations(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId], at: datetime
    ) -> int:
        """The same for notices about these authorizations."""
        ...

    async def remind_next(
        self, organization_id: OrganizationId, notice_id: NoticeId, *, was: datetime, step: int, at: datetime | None
    ) -> bool:
        """Move a notice's series on: `step` was told last, the next is due `at` (None: the series is over). False, and
        nothing is written, if its reminder is not due at `was` any more: somebody else moved it.
        """
        ...

    async def gathered(
        self, organization_id: OrganizationId, person_id: PersonId, *, until: datetime
    ) -> Sequence[Notice]:
        """A person's notices whose digest is due by then, the oldest first."""
        ...

    async def gathering_done(self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]) -> bool:
        """Say that these were told in a digest. False if another process did first: the caller rolls back."""
        ...

    async def shown(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[NoticeId, Sequence[Delivery]]:
        """The posted messages of notices (LAPSED and DIGEST) that are about any of these lapses, for posting under
        them.
        """
        ...

    async def get_many(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, Notice]: ...

    async def deliveries(self, organization_id: OrganizationId, notice_id: NoticeId) -> Sequence[Delivery]:
        """For following a notice: where it went and how that ended."""
        ...

    async def undelivered(self, organization_id: OrganizationId, *, since: datetime) -> Mapping[str, int]:
        """How many notices made since then reached nobody, by the reason of each way that failed, NO_ADDRESS where
        there was none. One that failed in several ways counts under each of their reasons.
        """
        ...

    async def delivered_to(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]
    ) -> Mapping[PersonId, datetime]:
        """Who was reached about these lapses, and when first: "Ana, who was told 2 minutes ago"."""
        ...

    async def first_delivered(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, datetime]:
        """Those of these notices that reached their reader, and when first."""
        ...
