"""What happened: written in the transaction that made it so; notices and webhooks are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from commands.ids import AuthorizationId, ConnectionId, EventId, LapseId, OrganizationId, PersonId, new_id
from commands.model import Lapse


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
    CLAIMED = "claimed"
    """`person_id` is on it. Where they did not take it themselves, `data["by_id"]` is the id of who assigned it to
    them, and `data["by"]` the name, for words alone.
    """
    RELEASED = "released"
    """Nobody is on it any more: `person_id` gave it back, or, without one, its time was over."""
    NOTED = "noted"
    """Somebody wrote a note about a lapse: `data["note"]` is its text."""
    ATTEMPT_OPENED = "attempt_opened"
    """Somebody went to the network's login for a lapse."""
    ATTEMPT_FAILED = "attempt_failed"
    """They came back, and it did not help: `data["why"]` is a short sentence."""
    NOT_MINE = "not_mine"
    """A connector or owner says that a lapse is not theirs to mend."""
    RETIREMENT_PROPOSED = "retirement_proposed"
    RETIRED = "retired"
    """`person_id` retired the connection: what live notices offer about it is over."""
    TRANSFERRED = "transferred"
    """`person_id` owns the connection now; `data["by"]` names who saw to that."""
    LINK_SENT = "link_sent"
    """An administrator sends `person_id` the link to their accounts (C-8)."""
    GRANT_RENEWED = "grant_renewed"
    """An authorization was consented to anew: warnings of its end are over."""
    GRANT_ENDING = "grant_ending"
    """An authorization's known end is `data["days"]` days away (D-2)."""
    PERSON_GONE = "person_gone"
    """`person_id` left, or their last chat account is gone (X-6, A-5)."""
    INSTALLATION_LOST = "installation_lost"
    """The bot was taken out of a workspace (A-8): `data` names platform and workspace."""
    INSTALLATION_BACK = "installation_back"
    CHANNEL_LOST = "channel_lost"
    """A channel that asked to hear could not be written to; administrators hear of it once a day."""
    REACH_THIN = "reach_thin"
    """Lapses of `data["networks"]` reach fewer than two people (N-13)."""
    OUTAGE_FOUND = "outage_found"
    """A network's own outage reaches the organization, or more of it than before: `data["outage"]` is its id (X-3)."""
    OUTAGE_ENDED = "outage_ended"
    """It is over; the same data."""
    DRILL_STARTED = "drill_started"
    """`data["drill"]` is its id."""
    DRILL_ESCALATED = "drill_escalated"
    """Administrators were told who did not confirm a drill; the same data."""


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

    @classmethod
    def of_lapse(
        cls,
        kind: EventKind,
        lapse: Lapse,
        at: datetime,
        *,
        login: AuthorizationId | None = None,
        by: PersonId | None = None,
    ) -> "Event":
        """What happened to a lapse. `login`: the authorization, where it is another one than the lapse was found by."""
        return cls(
            id=EventId(new_id(at)),
            organization_id=lapse.organization_id,
            kind=kind,
            at=at,
            lapse_id=lapse.id,
            connection_id=lapse.connection_id,
            authorization_id=login if login is not None else lapse.authorization_id,
            person_id=by,
        )

    @property
    def is_assigned(self) -> bool:
        """Whether somebody else put `person_id` on it."""
        return self.kind is EventKind.CLAIMED and not {"by", "by_id"}.isdisjoint(self.data)
