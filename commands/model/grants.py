"""Grants at a network, and what a check of one can find."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commands.ids import AuthorizationId, OrganizationId, PersonId
from commands.secret import Secret


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
    said: str = ""
    """Why, in the plain words of the host product that reported it (D-7): foreign text, cleaned and shortened."""
    region: str = ""
    """Which part of the network answered, as people call it ("Europe"), where it has parts that fail apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How long a network asks us to wait."""

    until: datetime
    everybody: bool
    """Whether all our calls there are meant; else those of this authorization alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with its evidence."""

    verdict: Verdict
    evidence: Evidence
    pause: Pause | None = None
    """With THROTTLED: until when, where the network says so."""


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
    refresh_begun_at: datetime | None = None
    """Since when a refresh with these has been begun whose answer is not stored: the network may have spent them."""


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
    region: str = ""
    """The part of the network that its last telling answer came from; empty where it has none."""
    failing_since: datetime | None = None
    """Since when checks fail as they do in an outage, unclearly or unanswered (D-4); None: the last one did not."""
    generation: int = 1
    """Counts the token sets stored; a refresh or reconnect that worked on an older one loses."""
