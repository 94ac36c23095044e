"""Who may see, and who may reconnect: one place, asked by commands, buttons, notices and pages alike (P-1 to P-5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from commands.model import (
    RECONNECT_DOES_NOT_HELP,
    Connection,
    ConnectionState,
    ConnectionView,
    Identity,
    Person,
    Role,
    Scope,
    Verdict,
)


def is_administrator(person: Person) -> bool:
    """Whether the person has full access to their organization."""
    return person.left_at is None and person.role in (Role.PRIMARY_ADMINISTRATOR, Role.ADMINISTRATOR)


def may_vouch_for(by: Person, person: Person) -> bool:
    """Whether what somebody handed out in a person's name still counts: they administer, and whoever speaks for a
    primary administrator is one.
    """
    return is_administrator(by) and (
        person.role is not Role.PRIMARY_ADMINISTRATOR or by.role is Role.PRIMARY_ADMINISTRATOR
    )


def takes_immediate_notices(person: Person) -> bool:
    """Whether an administrator is copied on first notices: the primary one always, others unless they said no (N-5)."""
    return is_administrator(person) and (person.role is Role.PRIMARY_ADMINISTRATOR or person.immediate_notices)


def is_gone(identities: Sequence[Identity]) -> bool:
    """Whether somebody had chat accounts, and every one is deactivated (N-12)."""
    return bool(identities) and all(identity.gone_at is not None for identity in identities)


def scope_of(person: Person) -> Scope:
    """What the person may see: administrators and unlimited staff everything, limited staff their clients' and their
    own, owners their own. Where they are asking bounds all of it (`Person.within`).
    """
    if is_administrator(person) or (person.role is Role.STAFF and person.client_ids is None):
        return Scope(within=person.within)
    clients = person.client_ids if person.role is Role.STAFF else frozenset()
    return Scope(client_ids=clients or frozenset(), person_id=person.id, within=person.within)


def may_see(person: Person, connection: Connection) -> bool:
    """Whether the person may see this connection, by the same rule as `scope_of`."""
    if person.left_at is not None or person.organization_id != connection.organization_id:
        return False
    scope = scope_of(person)
    if scope.within is not None and connection.client_id not in scope.within:
        return False
    if scope.client_ids is None or connection.client_id in scope.client_ids:
        return True
    return person.id in (connection.connector_id, connection.owner_id)


class Act(StrEnum):
    """Everything that somebody can do here, in a command, by a button or on a page."""

    SEE = "see"
    """Its details, its history, who can reconnect it."""
    RECONNECT = "reconnect"
    CHECK = "check"
    CLAIM = "claim"
    """Also giving one's own claim back."""
    RELEASE_ANOTHERS = "release_anothers"
    SNOOZE = "snooze"
    """One's own reminders; also saying "not mine"."""
    NOTE = "note"
    NUDGE = "nudge"
    RETIRE = "retire"
    PROPOSE_RETIREMENT = "propose_retirement"
    ASSIGN = "assign"
    TRANSFER = "transfer"
    ACCEPT_MOVE = "accept_move"
    """Expect an account under the business that it moved to (R-7)."""
    OPEN_CHANNEL = "open_channel"
    """Let a channel hear, as far as one may see oneself."""
    OPEN_SHARED_CHANNEL = "open_shared_channel"
    """The same for a channel that outsiders read."""
    ADMINISTER_HERE = "administer_here"
    """Accounts, one by one and as far as one sees them, and the workspace that one is in."""
    ADMINISTER = "administer"
    """People, roles, rules, the audit log, drills: what concerns the whole organization."""


_OF_A_CONNECTION = frozenset(
    {Act.SEE, Act.RECONNECT, Act.CHECK, Act.CLAIM, Act.RELEASE_ANOTHERS, Act.SNOOZE, Act.NOTE, Act.NUDGE}
    | {Act.RETIRE, Act.PROPOSE_RETIREMENT, Act.ASSIGN, Act.TRANSFER, Act.ACCEPT_MOVE}
)
_ADMINISTRATORS_ALONE = frozenset({Act.RELEASE_ANOTHERS, Act.ASSIGN, Act.TRANSFER, Act.ACCEPT_MOVE})


def may(person: Person, act: Act, view: ConnectionView | None = None) -> bool:
    """Whether this person may do this, to this connection where it is done to one. Asked when it is carried out.

    What concerns the whole organization is not done from where only some clients are spoken of (`Person.within`): its
    answers would name the others.
    """
    if act in _OF_A_CONNECTION:
        return view is not None and may_see(person, view.connection) and _may_do(person, act, view)
    match act:
        case Act.OPEN_CHANNEL:
            return person.left_at is None and person.role is not Role.OWNER
        case Act.ADMINISTER:
            return is_administrator(person) and person.within is None
        case _:
            return is_administrator(person)


def _may_do(person: Person, act: Act, view: ConnectionView) -> bool:
    """The same of a connection that they may see."""
    connection = view.connection
    if act in _ADMINISTRATORS_ALONE:
        return is_administrator(person)
    if act is Act.RECONNECT:
        return may_reconnect(person, view).allowed
    if act is Act.RETIRE:
        return is_administrator(person) or person.id in (connection.connector_id, connection.owner_id)
    return True


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
    cause = view.open_lapse.cause if view.open_lapse is not None else None
    if cause in RECONNECT_DOES_NOT_HELP and not move_accepted(view):
        return Decision(allowed=False, standing=Standing.NOT_HELPING)
    if person.id == connection.connector_id:
        return Decision(allowed=True, standing=Standing.CONNECTOR)
    if person.id == connection.owner_id:
        return Decision(allowed=True, standing=Standing.OWNER)
    standing = Standing.ON_BEHALF if is_administrator(person) else Standing.ROLE_UNKNOWN
    return Decision(allowed=True, standing=standing)


def move_accepted(view: ConnectionView) -> bool:
    """Whether the account lapsed because it moved, and its new business is accepted: a login of that one mends it."""
    lapse, parent = view.open_lapse, view.connection.parent
    if lapse is None or lapse.cause is not Verdict.ACCOUNT_MOVED:
        return False
    moved_to = lapse.evidence.moved_to
    return moved_to is not None and parent is not None and moved_to.id == parent.id
