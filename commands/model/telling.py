"""Who asked to hear of what, and how often."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commands.ids import ClientId, DrillId, OrganizationId, PersonId, SubscriptionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of a workspace."""

    platform: str
    tenant: str
    """The Slack team, the Discord server."""
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An opt-in: one reader, one network or all, one client or all. Asking for one thing gives nothing else."""

    id: SubscriptionId
    organization_id: OrganizationId
    person_id: PersonId
    """Who hears, or, for a channel, who set it up: the channel never hears of more than they may see."""
    channel: Channel | None
    """None: the person hears, in a direct message."""
    network: str | None
    client_id: ClientId | None
    created_at: datetime


class Topic(StrEnum):
    """What a reader chooses a rhythm for (N-16)."""

    LAPSES = "lapses"
    WARNINGS = "warnings"


class Rhythm(StrEnum):
    """How often a reader hears: at once, or gathered."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A reader's rhythm for some of what they hear. The most exact one wins: network and client, client, network,
    neither.
    """

    person_id: PersonId
    topic: Topic
    network: str | None
    client_id: ClientId | None
    rhythm: Rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A lapse that is only played, to see who would hear (X-12)."""

    id: DrillId
    organization_id: OrganizationId
    client_id: ClientId | None
    """None: every client."""
    started_by: PersonId
    started_at: datetime
    ends_at: datetime
    """When the report is made."""
    reported_at: datetime | None = None
