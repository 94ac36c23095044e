"""Organizations, their places, clients and people."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from commands.ids import ClientId, IdentityId, OrganizationId, PersonId, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When reminders may come, on the reader's own clock (N-15)."""

    days: frozenset[int] = frozenset(range(5))
    """Days of the week, Monday 0."""
    begin: time = time(9)
    end: time = time(18)
    """Later than `begin`, on the same day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One customer. People, clients and connections belong to exactly one."""

    id: OrganizationId
    name: str
    time_zone: str = "UTC"
    """IANA name; used where a person's own is unknown."""
    support_contact: str | None = None
    """Whom help names: an address, a channel or hours, in the operator's words."""
    working_hours: WorkingHours = WorkingHours()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A place of a chat platform that belongs to one organization: a Slack team, a Discord server."""

    id: WorkspaceId
    organization_id: OrganizationId
    platform: str
    external_id: str
    name: str
    client_ids: frozenset[ClientId] | None = None
    """The clients that are spoken of here, whoever asks, as in a client's own workspace (X-11); None: all."""
    is_lost: bool = False
    """Whether administrators were told last that the bot is out of it (A-8)."""
    told_at: datetime | None = None
    """When what they were told last happened; None: they were told nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client (brand) of the organization, to which connections belong."""

    id: ClientId
    organization_id: OrganizationId
    name: str


class Role(StrEnum):
    """What a person may do here; `access.py` says what each means."""

    PRIMARY_ADMINISTRATOR = "primary_administrator"
    ADMINISTRATOR = "administrator"
    STAFF = "staff"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody known to the organization, with or without a chat account."""

    id: PersonId
    organization_id: OrganizationId
    name: str
    email: str | None
    """Lower case. Decides where a message may go, never what somebody may do."""
    role: Role
    client_ids: frozenset[ClientId] | None = None
    """The clients that staff are limited to; None: all. Of no meaning for other roles."""
    immediate_notices: bool = True
    """Whether an administrator is copied on first notices (N-5). Of no meaning for other roles."""
    time_zone: str | None = None
    """IANA name; None: the organization's."""
    left_at: datetime | None = None
    deputy_id: PersonId | None = None
    """Who is offered this person's connections when they leave (X-6)."""
    list_seen_at: datetime | None = None
    """When they last opened their list: what lapsed since is marked as new (N-7)."""
    unlinked: frozenset[tuple[str, str]] = frozenset()
    """Platforms and tenants where a chat account of theirs was unlinked, until one is linked there again: no message
    goes to an account that carries their email address there (P-6). Written by `People.unlink` and `link` alone.
    """
    within: frozenset[ClientId] | None = None
    """The clients that may be spoken of where this person is asking or hearing (`Workspace.client_ids`); None: all. Not
    stored with the person; `access` honours it.
    """

    def zone_in(self, organization: Organization) -> str:
        """The IANA name of their time zone, or else of the organization's."""
        return self.time_zone or organization.time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A chat account proved to be a person's, by signing in with the chat platform."""

    id: IdentityId
    organization_id: OrganizationId
    person_id: PersonId
    platform: str
    tenant: str
    """What the platform's user ids are unique in: a Slack team; empty where they are unique everywhere (Discord)."""
    user: str
    """The platform's id of the user."""
    linked_at: datetime
    looked_at: datetime | None = None
    """When the platform was last asked what became of the account."""
    gone_at: datetime | None = None
    """Since when it is deactivated, or out of the workspace: no message is sent to it."""
