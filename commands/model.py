"""The words of the trade as values: organizations, people, connections, authorizations, lapses, subscriptions.

Everything is frozen; times are aware UTC. Nothing here knows how it is stored, drawn or sent.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    DrillId,
    IdentityId,
    LapseId,
    NoteId,
    OrganizationId,
    PersonId,
    SubscriptionId,
    WorkspaceId,
)
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When reminders may come, on the reader's own clock (N-15)."""

    days: frozenset[int] = frozenset(range(5))
    """Days of the week, Monday 0."""
    begin: time = time(9)
    end: time = time(18)
    """Later than `begin`, on the same day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One customer. People, clients and connections belong to exactly one."""

    id: OrganizationId
    name: str
    time_zone: str = "UTC"
    """IANA name; used where a person's own is unknown."""
    support_contact: str | None = None
    """Whom help names: an address, a channel or hours, in the operator's words."""
    working_hours: WorkingHours = WorkingHours()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A place of a chat platform that belongs to one organization: a Slack team, a Discord server."""

    id: WorkspaceId
    organization_id: OrganizationId
    platform: str
    external_id: str
    name: str
    client_ids: frozenset[ClientId] | None = None
    """The clients that are spoken of here, whoever asks, as in a client's own workspace (X-11); None: all."""
    is_lost: bool = False
    """Whether administrators were told last that the bot is out of it (A-8)."""
    told_at: datetime | None = None
    """When what they were told last happened; None: they were told nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client (brand) of the organization, to which connections belong."""

    id: ClientId
    organization_id: OrganizationId
    name: str


class Role(StrEnum):
    """What a person may do here; `access.py` says what each means."""

    PRIMARY_ADMINISTRATOR = "primary_administrator"
    ADMINISTRATOR = "administrator"
    STAFF = "staff"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody known to the organization, with or without a chat account."""

    id: PersonId
    organization_id: OrganizationId
    name: str
    email: str | None
    """Lower case. Decides where a message may go, never what somebody may do."""
    role: Role
    client_ids: frozenset[ClientId] | None = None
    """The clients that staff are limited to; None: all. Of no meaning for other roles."""
    immediate_notices: bool = True
    """Whether an administrator is copied on first notices (N-5). Of no meaning for other roles."""
    time_zone: str | None = None
    """IANA name; None: the organization's."""
    left_at: datetime | None = None
    deputy_id: PersonId | None = None
    """Who is offered this person's connections when they leave (X-6)."""
    list_seen_at: datetime | None = None
    """When they last opened their list: what lapsed since is marked as new (N-7)."""
    unlinked: frozenset[tuple[str, str]] = frozenset()
    """Platforms and tenants where a chat account of theirs was unlinked, until one is linked there again: no message
    goes to an account that carries their email address there (P-6). Written by `People.unlink` and `link` alone.
    """
    within: frozenset[ClientId] | None = None
    """The clients that may be spoken of where this person is asking or hearing (`Workspace.client_ids`); None: all. Not
    stored with the person; `access` honours it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A chat account proved to be a person's, by signing in with the chat platform."""

    id: IdentityId
    organization_id: OrganizationId
    person_id: PersonId
    platform: str
    tenant: str
    """What the platform's user ids are unique in: a Slack team; empty where they are unique everywhere (Discord)."""
    user: str
    """The platform's id of the user."""
    linked_at: datetime
    looked_at: datetime | None = None
    """When the platform was last asked what became of the account."""
    gone_at: datetime | None = None
    """Since when it is deactivated, or out of the workspace: no message is sent to it."""


class Verdict(StrEnum):
    """What a check of an authorization or of one account under it found."""

    HEALTHY = "healthy"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CREDENTIAL_CHANGED = "credential_changed"
    USER_BLOCKED = "user_blocked"
    PERMISSION_MISSING = "permission_missing"
    ROLE_LOST = "role_lost"
    ACCOUNT_GONE = "account_gone"
    ACCOUNT_MOVED = "account_moved"
    ACCOUNT_DISABLED = "account_disabled"
    ADMIN_BLOCK = "admin_block"
    REPORTED = "reported"
    UNCLEAR = "unclear"
    """Refused with something that we do not know; asked again before anyone is told."""
    OUR_FAULT = "our_fault"
    """Our client secret, our app: the operator's to mend, never told to users."""
    THROTTLED = "throttled"
    NETWORK_DOWN = "network_down"


CLEAR_LAPSES = frozenset(
    {
        Verdict.EXPIRED,
        Verdict.REVOKED,
        Verdict.CREDENTIAL_CHANGED,
        Verdict.USER_BLOCKED,
        Verdict.PERMISSION_MISSING,
        Verdict.ROLE_LOST,
        Verdict.ACCOUNT_GONE,
        Verdict.ACCOUNT_MOVED,
        Verdict.ACCOUNT_DISABLED,
        Verdict.ADMIN_BLOCK,
        Verdict.REPORTED,
    }
)
"""Verdicts that open a lapse at once. UNCLEAR does after its re-probes; the rest never do."""

RECONNECT_DOES_NOT_HELP = frozenset(
    {Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_MOVED, Verdict.ACCOUNT_DISABLED, Verdict.ADMIN_BLOCK}
)
"""Causes for which no Reconnect is offered until something on the network has been put right (R-7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What an account hangs under at the network: a Business Center, a Business Manager, an organisation."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a verdict was given. Holds nothing secret and no text of the network's that a person would be shown."""

    check: str
    """The question that was asked, in the network's own terms: "introspectToken", "advertiser/info"."""
    code: str | None = None
    subcode: str | None = None
    http_status: int | None = None
    missing: tuple[str, ...] = ()
    """The permissions that are missing, under the names that the network's own page gives them."""
    moved_to: Parent | None = None
    """Where the account is now, if the network tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with its evidence."""

    verdict: Verdict
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A run of checks that failed unclearly, since the last good one."""

    since: datetime
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a network gave us to act with. Stored encrypted and bound to its authorization's row."""

    access: Secret
    refresh: Secret | None = None
    access_expires_at: datetime | None = None
    """None: the network names no end."""
    obtained_at: datetime | None = None
    """When the network issued these; refreshed at least daily from then, so that inactivity clocks never run out
    (D-3).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One OAuth grant (or key) of one person at one network. This is what is watched; many connections may hang on
    it.
    """

    id: AuthorizationId
    organization_id: OrganizationId
    network: str
    subject_id: str
    """Who logged in, by the network's immutable id."""
    subject_name: str
    connector_id: PersonId
    granted: frozenset[str]
    """Permissions granted, in the network's own codes."""
    obtained_at: datetime
    ends_at: datetime | None = None
    """When a person must consent again whatever we do (LinkedIn: 60 or 365 days); None: no fixed term."""
    checked_at: datetime | None = None
    last_good_at: datetime | None = None
    next_check_at: datetime | None = None
    doubt: Doubt | None = None
    generation: int = 1
    """Counts the token sets stored; a refresh or reconnect that worked on an older one loses."""


class ConnectionState(StrEnum):
    """The stored state. "Expiring" and "reconnecting" are drawn from the authorization and the attempt."""

    UNCONNECTED = "unconnected"
    """Known, never granted: needs connecting, but has no lapse and no reminders."""
    ACTIVE = "active"
    LAPSED = "lapsed"
    RETIRED = "retired"


NEEDS_CONNECTING = (ConnectionState.LAPSED, ConnectionState.UNCONNECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One account on a network that is read from. Keeps its id and history for ever, whoever reconnects it (R-16)."""

    id: ConnectionId
    organization_id: OrganizationId
    client_id: ClientId
    network: str
    account_id: str
    account_name: str
    state: ConnectionState
    parent: Parent | None = None
    """The business that the account was connected under."""
    authorization_id: AuthorizationId | None = None
    connector_id: PersonId | None = None
    owner_id: PersonId | None = None
    doubt: Doubt | None = None
    last_good_at: datetime | None = None


class LapseEnd(StrEnum):
    """How a lapse ended."""

    RECONNECTED = "reconnected"
    RECOVERED = "recovered"
    """It works again by itself, or was repaired elsewhere."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Somebody said "I am on it": who, and until when it stands."""

    person_id: PersonId
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseNote:
    """What somebody wrote about a lapse."""

    id: NoteId
    organization_id: OrganizationId
    lapse_id: LapseId
    person_id: PersonId
    person_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A reader's own wish not to be reminded of a lapse: a snooze, or, without an end, "not mine" (N-11)."""

    lapse_id: LapseId
    person_id: PersonId
    until: datetime | None
    """None: for as long as the lapse lasts; nothing more of it is told to this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseCount:
    """How many lapses of one cause opened in one week."""

    week: date
    """Its Monday, in UTC."""
    cause: Verdict
    number: int


class Wait(StrEnum):
    """How long it took from a lapse's opening until it worked again."""

    HOUR = "under 1 h"
    HOURS = "1 to 4 h"
    DAY = "4 to 24 h"
    DAYS = "1 to 3 days"
    WEEK = "3 to 7 days"
    LONGER = "over 7 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Lapses over a span of weeks."""

    opened: tuple[LapseCount, ...]
    """By week, then cause; weeks and causes without any are left out."""
    waits: tuple[tuple[Wait, int], ...]
    """Of those that ended in the span by being reconnected or by recovering, every span of waiting once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """One episode in which a connection does not work."""

    id: LapseId
    organization_id: OrganizationId
    connection_id: ConnectionId
    authorization_id: AuthorizationId | None
    cause: Verdict
    evidence: Evidence
    last_good_at: datetime | None
    """The last good check; data is missing since some time between this and `opened_at`."""
    opened_at: datetime
    ended_at: datetime | None = None
    ended_how: LapseEnd | None = None
    ended_by: PersonId | None = None
    claim: Claim | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A connection with the names around it, as lists, notices and pages show it."""

    connection: Connection
    client_name: str
    connector: Person | None
    owner: Person | None
    lapse: Lapse | None
    """The open lapse, or, where a notice asks for it, the one that the notice tells of."""
    claimant_name: str | None = None
    restorer_name: str | None = None
    authorization: Authorization | None = None
    reconnecting_by: str | None = None
    """Who has an attempt open on the authorization."""
    reconnecting_id: PersonId | None = None
    siblings: int = 0
    """How many connections hang on the same authorization, this one included; 0 where nobody asked."""
    notes: tuple[LapseNote, ...] = ()
    """What people wrote about the lapse, the oldest first; empty where nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a person may see: everything (`client_ids` None and `person_id` None), or these clients' and their own."""

    client_ids: frozenset[ClientId] | None = None
    """None: every client's."""
    person_id: PersonId | None = None
    """Also whatever this person connected or owns."""
    within: frozenset[ClientId] | None = None
    """And of all that only these clients'; None: no such bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to; everything given must hold."""

    network: str | None = None
    client: str | None = None
    """A client's name, matched without case."""
    person_id: PersonId | None = None
    """Connector or owner."""
    states: tuple[ConnectionState, ...] = NEEDS_CONNECTING
    search: str | None = None
    """Part of an account's name, or an account's whole id."""
    authorization_id: AuthorizationId | None = None
    expiring_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many connections of one network and client are in one state."""

    network: str
    client_id: ClientId
    client_name: str
    state: ConnectionState
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, most urgent first."""

    rows: tuple[ConnectionView, ...]
    total: int
    offset: int = 0
    oldest: datetime | None = None
    """Since when the longest open lapse of the whole list has been."""
