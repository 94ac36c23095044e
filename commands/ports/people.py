"""What is remembered of organizations, workspaces, clients and people. Every call names the organization."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from commands.ids import ClientId, IdentityId, OrganizationId, PersonId
from commands.model import Client, Identity, Organization, Person, Workspace


class Organizations(Protocol):
    """Organizations and what they own of chat platforms."""

    async def add(self, organization: Organization) -> None: ...

    async def get(self, organization_id: OrganizationId) -> Organization: ...

    async def add_workspace(self, workspace: Workspace) -> bool:
        """Give a workspace to its organization. False, and nothing is written, if it belongs to one already."""
        ...

    async def update(self, organization: Organization) -> None:
        """Write all of an organization's fields but its id."""
        ...

    async def update_workspace(self, workspace: Workspace) -> None:
        """Write a workspace's name and the clients that it is narrowed to."""
        ...

    async def tell_of_workspace(
        self, organization_id: OrganizationId, platform: str, external_id: str, *, is_lost: bool, at: datetime
    ) -> bool:
        """Note that administrators are told that the bot is out of a workspace since `at`, or back in it (A-8). False,
        and nothing is written, if they were told so last, or know of something later.
        """
        ...

    async def workspaces(self, organization_id: OrganizationId) -> Sequence[Workspace]: ...

    async def use_claim_code(self, code_hash: bytes, now: datetime) -> OrganizationId | None:
        """Use a claim code up and give the organization whose it is, the one call that cannot name it: exactly one
        caller gets it, and only if their transaction goes through.
        """
        ...


class People(Protocol):
    """People, the clients they see, and their proved chat accounts."""

    async def add(self, person: Person) -> None:
        """Raises AlreadyThere if the organization has somebody with this email address."""
        ...

    async def get(self, organization_id: OrganizationId, person_id: PersonId) -> Person: ...

    async def get_for_change(self, organization_id: OrganizationId, person_id: PersonId) -> Person:
        """Give somebody as they are now, to be changed with `update` in this transaction: until it ends nobody else
        changes anybody of this organization so, and whoever waited sees what was changed. Raises NotThere.
        """
        ...

    async def many(
        self, organization_id: OrganizationId, person_ids: Sequence[PersonId]
    ) -> Mapping[PersonId, Person]: ...

    async def by_email(self, organization_id: OrganizationId, email: str) -> Person | None: ...

    async def named(self, organization_id: OrganizationId, name: str) -> Sequence[Person]:
        """Find people whose name or email address begins with `name`, without case; at most 10."""
        ...

    async def page(self, organization_id: OrganizationId, *, offset: int, limit: int) -> Sequence[Person]:
        """People by name, those who left included."""
        ...

    async def update(self, person: Person) -> None:
        """Write a person's name, role, clients, copies, time zone, deputy, leaving; all of them, so that they have to
        come from `get_for_change`. Raises NotThere.
        """
        ...

    async def saw_list(self, organization_id: OrganizationId, person_id: PersonId, at: datetime) -> None:
        """Note when somebody opened their list."""
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

    async def identity(
        self, organization_id: OrganizationId, *, platform: str, tenant: str, user: str
    ) -> Identity | None: ...

    async def unlink(self, organization_id: OrganizationId, identity_id: IdentityId) -> bool:
        """Forget a proved chat account, with its browser sessions and open attempts; deliveries that wait for it are
        suppressed, and its person's `unlinked` says where it was until they link one there. False if it is not there.
        """
        ...

    async def look_again(self, organization_id: OrganizationId, identity_id: IdentityId) -> None:
        """Make an account due for a look at what it is now (`Queues.due_profiles`)."""
        ...

    async def looked_at(
        self,
        organization_id: OrganizationId,
        identity_id: IdentityId,
        *,
        at: datetime,
        gone: bool,
        time_zone: str | None,
    ) -> bool:
        """Write what the platform said of an account. True if it is gone, and was not before."""
        ...

    async def give_email(self, organization_id: OrganizationId, person_id: PersonId, email: str) -> bool:
        """Give an email address to a person who has none. False, and nothing is written, if they have one, or somebody
        else here has this one. Raises AlreadyThere if somebody is given it at the same moment.
        """
        ...

    async def merge(self, organization_id: OrganizationId, *, kept: PersonId, gone: PersonId) -> Person:
        """Make one person of two, and give them: `kept`, with its name and email address and the higher of both roles.

        Everything that was `gone`'s becomes `kept`'s: chat accounts, authorizations, connections, claims, opt-ins,
        notices, links, attempts. What both had is had once; of two links for one connection `kept`'s goes on working.
        The audit log keeps naming `gone` as who they were then. Raises NotThere if there are not these two.
        """
        ...


class Clients(Protocol):
    """Clients, by name."""

    async def ensure(self, client: Client) -> ClientId:
        """Give the id of the client with this name (without case), adding it if there is none."""
        ...

    async def all(self, organization_id: OrganizationId) -> Sequence[Client]:
        """By name."""
        ...
