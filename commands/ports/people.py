"""What is remembered of organizations, workspaces, clients and people. Every call names the organization."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from commands.ids import ClientId, OrganizationId, PersonId
from commands.model import Client, Identity, Organization, Person, Workspace


class Organizations(Protocol):
    """Organizations and what they own of chat platforms."""

    async def add(self, organization: Organization) -> None: ...

    async def get(self, organization_id: OrganizationId) -> Organization: ...

    async def add_workspace(self, workspace: Workspace) -> bool:
        """Give a workspace to its organization. False, and nothing is written, if it belongs to one already."""
        ...

    async def workspaces(self, organization_id: OrganizationId) -> Sequence[Workspace]: ...


class People(Protocol):
    """People, the clients they see, and their proved chat accounts."""

    async def add(self, person: Person) -> None:
        """Raises AlreadyThere if the organization has somebody with this email address."""
        ...

    async def get(self, organization_id: OrganizationId, person_id: PersonId) -> Person: ...

    async def many(
        self, organization_id: OrganizationId, person_ids: Sequence[PersonId]
    ) -> Mapping[PersonId, Person]: ...

    async def by_email(self, organization_id: OrganizationId, email: str) -> Person | None: ...

    async def named(self, organization_id: OrganizationId, name: str) -> Sequence[Person]:
        """Find people whose name or email address begins with `name`, without case; at most 10."""
        ...

    async def administrators(self, organization_id: OrganizationId) -> Sequence[Person]:
        """The primary administrator first. People who left are not among them."""
        ...

    async def identities(
        self, organization_id: OrganizationId, person_ids: Sequence[PersonId]
    ) -> Mapping[PersonId, tuple[Identity, ...]]:
        """Proved chat accounts, the most lately linked first."""
        ...

    async def link(self, identity: Identity) -> bool:
        """Write down a proved chat account. False, and nothing is written, if it is linked to someone here already."""
        ...


class Clients(Protocol):
    """Clients, by name."""

    async def ensure(self, client: Client) -> ClientId:
        """Give the id of the client with this name (without case), adding it if there is none."""
        ...

    async def all(self, organization_id: OrganizationId) -> Sequence[Client]:
        """By name."""
        ...
