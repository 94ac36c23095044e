"""What is remembered of networks' own outages (D-4, X-3): one row each, whichever process saw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from commands.ids import ClientId, OrganizationId, OutageId, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which a network, or a region of it, fails for many authorizations at once. It is the same for every
    organization; at most one stands for a network and region.

    It *fails*, then *recovers* (it answers again, and those who waited are looked at bit by bit), then is *over*.
    """

    id: OutageId
    network: str
    region: str
    """Empty: the whole network."""
    since: datetime
    """What failed from then on is part of it: a little before it was seen."""
    opened_at: datetime
    held_until: datetime
    """From then on lapses are opened and told although it fails: refusals that last so long are no outage."""
    checked: int
    failing: int
    """Authorizations, when it was opened."""
    sampled_at: datetime
    """When a few authorizations were last taken to see whether it still fails."""
    turn_at: datetime
    """When the next few may be taken."""
    turns: int = 0
    """How often some were taken since it began to fail, or to recover."""
    ended_at: datetime | None = None
    """Since when it answers again."""
    over_at: datetime | None = None
    """When that had lasted."""

    def holds(self, now: datetime) -> bool:
        """Whether unclear failures are put down to it."""
        return self.over_at is None and (self.ended_at is not None or now < self.held_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """An organization with authorizations that fail in an outage."""

    organization_id: OrganizationId
    failing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Connections of one client, connector and owner, and what an outage does to them."""

    client_id: ClientId
    connector_id: PersonId | None
    owner_id: PersonId | None
    total: int
    """All on the network, retired ones left out."""
    failing: int
    """Active ones whose authorization fails since the outage."""
    lapsed: int = 0
    """Those that lapsed since it was opened."""
    example: str = ""
    """The account id of a failing one."""


class Outages(Protocol):
    """Outages themselves, which are of no organization. Each call is a transaction of its own; of several processes
    that call at once, one changes something.
    """

    async def standing(self) -> Sequence[Outage]:
        """Those that are not over."""
        ...

    async def open(self, outage: Outage) -> bool:
        """False, and nothing is written, if one of this network and region stands."""
        ...

    async def take_turn(self, outage_id: OutageId, *, turns: int, at: datetime, next_at: datetime) -> bool:
        """Take the turn that comes after `turns`. False if another process did."""
        ...

    async def recover(self, outage_id: OutageId, at: datetime) -> bool:
        """It answers again."""
        ...

    async def relapse(self, outage_id: OutageId, at: datetime) -> bool:
        """It fails again before it was over."""
        ...

    async def close(self, outage_id: OutageId, at: datetime) -> bool:
        """It is over."""
        ...

    async def concerned(self, outage: Outage) -> Sequence[Concerned]:
        """The organizations with something that fails in it."""
        ...

    async def to_end(self, *, limit: int) -> Sequence[tuple[OrganizationId, Outage]]:
        """Organizations that heard of an outage, and not yet that it is over."""
        ...


class OutageNews(Protocol):
    """What one organization knows of outages. Every call names it."""

    async def tell(
        self, organization_id: OrganizationId, outage_id: OutageId, *, failing: int, now: datetime, apart: timedelta
    ) -> bool:
        """Write down that it is told. False, and nothing is written, where there is nothing new: it was told, and the
        number is the same or was told less than `apart` ago, and it is held as it was.
        """
        ...

    async def end(self, organization_id: OrganizationId, outage_id: OutageId, now: datetime) -> bool:
        """Write down that its end is told. False if it was, or if the organization never heard of it."""
        ...

    async def get_many(
        self, organization_id: OrganizationId, outage_ids: Sequence[OutageId]
    ) -> Mapping[OutageId, Outage]:
        """Those of these that the organization was told of."""
        ...

    async def standing(self, organization_id: OrganizationId) -> Sequence[Outage]:
        """Those that it was told of and that are not over; one statement."""
        ...

    async def shares(self, organization_id: OrganizationId, outage_id: OutageId) -> Sequence[Share]:
        """What it does to the organization's connections now. None if the organization was not told of it. Grouped by
        who may see what, so that it does not grow with the connections.
        """
        ...

    async def redraw(self, organization_id: OrganizationId, outage_id: OutageId, at: datetime) -> int:
        """Ask for an edit of every message about it; give how many."""
        ...

    async def revive(self, organization_id: OrganizationId, *, reason: str, since: datetime, at: datetime) -> int:
        """Put first messages on their way again that were not sent for this reason; give how many. Of notices made at
        or after `since`.
        """
        ...
