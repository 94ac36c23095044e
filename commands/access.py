"""Who may see, and who may reconnect: one place, asked by commands, buttons, notices and pages alike (P-1 to P-5)."""

from dataclasses import dataclass
from enum import StrEnum

from commands.model import RECONNECT_DOES_NOT_HELP, Connection, ConnectionState, ConnectionView, Person, Role, Scope


def is_administrator(person: Person) -> bool:
    """Whether the person has full access to their organization."""
    return person.left_at is None and person.role in (Role.PRIMARY_ADMINISTRATOR, Role.ADMINISTRATOR)


def scope_of(person: Person) -> Scope:
    """What the person may see: administrators and unlimited staff everything, limited staff their clients' and their
    own, owners their own.
    """
    if is_administrator(person) or (person.role is Role.STAFF and person.client_ids is None):
        return Scope()
    clients = person.client_ids if person.role is Role.STAFF else frozenset()
    return Scope(client_ids=clients or frozenset(), person_id=person.id)


def may_see(person: Person, connection: Connection) -> bool:
    """Whether the person may see this connection, by the same rule as `scope_of`."""
    if person.left_at is not None or person.organization_id != connection.organization_id:
        return False
    scope = scope_of(person)
    if scope.client_ids is None or connection.client_id in scope.client_ids:
        return True
    return person.id in (connection.connector_id, connection.owner_id)


class Standing(StrEnum):
    """What lets somebody reconnect, or keeps them from it."""

    CONNECTOR = "connector"
    OWNER = "owner"
    ON_BEHALF = "on_behalf"
    """An administrator, for the owner, if they hold the login (P-4)."""
    ROLE_UNKNOWN = "role_unknown"
    """The network is asked, after the login, whether they hold the role there (P-2)."""
    HIDDEN = "hidden"
    """They may not even see it."""
    NOT_HELPING = "not_helping"
    """Reconnecting does not mend this cause (R-7)."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether somebody may reconnect a connection, and why."""

    allowed: bool
    standing: Standing


def may_reconnect(person: Person, view: ConnectionView) -> Decision:
    """Whether Reconnect is offered to, and accepted from, this person for this connection."""
    connection = view.connection
    if not may_see(person, connection):
        return Decision(allowed=False, standing=Standing.HIDDEN)
    if connection.state is ConnectionState.RETIRED:
        return Decision(allowed=False, standing=Standing.RETIRED)
    if view.lapse is not None and view.lapse.ended_at is None and view.lapse.cause in RECONNECT_DOES_NOT_HELP:
        return Decision(allowed=False, standing=Standing.NOT_HELPING)
    if person.id == connection.connector_id:
        return Decision(allowed=True, standing=Standing.CONNECTOR)
    if person.id == connection.owner_id:
        return Decision(allowed=True, standing=Standing.OWNER)
    standing = Standing.ON_BEHALF if is_administrator(person) else Standing.ROLE_UNKNOWN
    return Decision(allowed=True, standing=standing)
