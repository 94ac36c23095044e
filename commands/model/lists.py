"""What lists, notices and pages are drawn from: connections with the names around them, scopes, filters, counts."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from commands.ids import AuthorizationId, ClientId, PersonId
from commands.model.accounts import NEEDS_CONNECTING, Claim, Connection, ConnectionState, Lapse, LapseNote
from commands.model.grants import Authorization, Verdict
from commands.model.members import Person


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

    @property
    def answering(self) -> tuple[Person, ...]:
        """Who answers for it, as far as somebody does: whoever connected it, then its owner."""
        people = {person.id: person for person in (self.connector, self.owner) if person is not None}
        return tuple(people.values())

    @property
    def open_lapse(self) -> Lapse | None:
        """The lapse, if it has not ended."""
        return self.lapse if self.lapse is not None and self.lapse.ended_at is None else None

    def standing_claim(self, now: datetime) -> Claim | None:
        """Who is on the open lapse, if their claim still stands: it ends by itself."""
        claim = self.open_lapse.claim if self.open_lapse is not None else None
        return claim if claim is not None and claim.until > now else None


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
    """How many connections of one network and client are in each state; in one of them, there is at least one."""

    network: str
    client_id: ClientId
    client_name: str
    lapsed: int
    unconnected: int
    active: int
    retired: int
    failing_since: datetime | None = None
    """Since when the network itself fails, as the organization was told (X-3); None: not that it was told."""

    @property
    def needing(self) -> int:
        """How many are NEEDS_CONNECTING."""
        return self.lapsed + self.unconnected

    @property
    def in_use(self) -> int:
        """How many are not retired."""
        return self.lapsed + self.unconnected + self.active


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, most urgent first."""

    rows: tuple[ConnectionView, ...]
    total: int
    offset: int = 0
    oldest: datetime | None = None
    """Since when the longest open lapse of the whole list has been."""
