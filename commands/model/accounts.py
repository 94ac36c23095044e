"""Accounts that are read from, and the episodes in which one does not work."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commands.ids import AuthorizationId, ClientId, ConnectionId, LapseId, NoteId, OrganizationId, PersonId
from commands.model.grants import Doubt, Evidence, Parent, Verdict


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

    def stands(self, now: datetime) -> bool:
        """Whether it still holds: a snooze ends by itself."""
        return self.until is None or self.until > now


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
