"""What is remembered of lapses. Every call names the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commands.ids import ConnectionId, LapseId, OrganizationId, PersonId
from commands.model import Claim, ConnectionView, Lapse, LapseEnd, LapseNote, Mute, Scope, Stats

MOST_NOTES = 50
"""Notes of one lapse that are read: more than anybody reads in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What ended by itself, because its time was over (N-11)."""

    claims: tuple[LapseId, ...]
    """Lapses that nobody is on any more: everybody is told."""
    snoozes: tuple[tuple[PersonId, LapseId], ...]
    """Whose snooze of which lapse: theirs alone."""


class Lapses(Protocol):
    """Episodes. At most one is open for a connection."""

    async def open(self, lapse: Lapse) -> bool:
        """False, and nothing is written, if one is open already."""
        ...

    async def update_cause(self, lapse: Lapse) -> None:
        """Write a cause and evidence that became clearer while the lapse is open."""
        ...

    async def end(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        at: datetime,
        how: LapseEnd,
        by: PersonId | None,
    ) -> Lapse | None:
        """End the open lapse and give it; None if none was open."""
        ...

    async def get(self, organization_id: OrganizationId, lapse_id: LapseId) -> Lapse | None: ...

    async def views(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[ConnectionView]:
        """The connections of these lapses, each with that lapse, ended or not, in the order asked for."""
        ...

    async def history(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, limit: int, offset: int = 0
    ) -> Sequence[Lapse]:
        """The latest first, but for the latest `offset` ones."""
        ...

    async def claim(
        self,
        organization_id: OrganizationId,
        lapse_ids: Sequence[LapseId],
        claim: Claim,
        *,
        take_over: bool = False,
    ) -> Sequence[LapseId]:
        """Set "I'm on it" on those that are open and not claimed by somebody else, whose claim stands until its time is
        over; with `take_over` on theirs too. Gives those that changed: of several at once, one gets it.
        """
        ...

    async def release(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], *, person_id: PersonId
    ) -> Sequence[LapseId]:
        """End this person's "I'm on it", and nobody else's, on those that are open; give those that changed."""
        ...

    async def release_due(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], now: datetime
    ) -> Released:
        """End the claims and snoozes of these that are over."""
        ...

    async def add_note(self, note: LapseNote) -> None: ...

    async def notes(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[LapseNote]:
        """The oldest first; of each lapse the latest `MOST_NOTES`."""
        ...

    async def mute(self, organization_id: OrganizationId, mutes: Sequence[Mute]) -> Sequence[LapseId]:
        """Write a person's snooze or "not mine" for lapses, in place of an earlier one; give those that changed."""
        ...

    async def mutes(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[Mute]: ...

    async def stats(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        *,
        since: datetime,
        until: datetime,
        network: str | None = None,
    ) -> Stats:
        """Count lapses between two times (of one network, or all), in the database."""
        ...

    async def last_ended(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Lapse | None: ...
