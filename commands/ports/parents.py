"""Whose the logins are that authorize accounts: parent profiles, each of one owner (R-10)."""

from collections.abc import Sequence
from typing import Protocol

from commands.ids import OrganizationId, PersonId


class Parents(Protocol):
    """Owners of parent profiles, where somebody gave one away; without a row it is whoever made the authorization."""

    async def owners(
        self, organization_id: OrganizationId, network: str, subject_ids: Sequence[str]
    ) -> dict[str, PersonId]:
        """The recorded owners, by the network's id of the login."""
        ...

    async def give(
        self, organization_id: OrganizationId, network: str, subject_ids: Sequence[str], owner_id: PersonId
    ) -> None:
        """Record whose they are from now on."""
        ...
