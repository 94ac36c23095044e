"""Opt-ins, as they are remembered. Every call names the organization."""

from collections.abc import Sequence
from typing import Protocol

from commands.ids import ClientId, OrganizationId, PersonId
from commands.model import Channel, Subscription


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
