"""Parent profiles: whose a login is, and for whose accounts it may be used (R-10).

A login belongs to whom it was given by a transfer, else to whoever connected with it, where their role is owner: what
staff and administrators connect with is the organization's own, and serves anybody's accounts. So does one on which
several owners' accounts hang: it is an agency's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.access import is_administrator, may_see
from commands.ids import PersonId
from commands.model import Authorization, Connection, ConnectionView, Person, Role
from commands.outcomes import Outcome, OutcomeKind
from commands.ports.network import Discovery, NetworkSpec
from commands.ports.storage import UnitOfWork
from commands.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A login that is known here, and whose it is."""

    authorization: Authorization
    owner: Person | None
    """None: nobody's, so that it may serve anybody's accounts."""
    under: Sequence[ConnectionView]
    """What hangs on it."""

    def may_serve(self, person: Person, connection: Connection) -> bool:
        """Whether `person`, who logged in with it, may use it for this account. What hangs on it already is renewed by
        anybody.
        """
        if connection.owner_id is None or connection.authorization_id == self.authorization.id:
            return True
        return self.may_serve_owner(person, connection.owner_id)

    def may_serve_owner(self, person: Person, owner_id: PersonId) -> bool:
        """Whether they may use it for accounts of this owner; their own for whatever they may reconnect."""
        if self.owner is None or person.id in (self.owner.id, self.authorization.connector_id):
            return True
        served = {view.connection.owner_id for view in self.under} - {None}
        return owner_id == self.owner.id or len(served) > 1 or owner_id in served


async def profile_of(
    uow: UnitOfWork, authorization: Authorization, under: Sequence[ConnectionView] | None = None
) -> Profile:
    """Whose a login is. `under`: what hangs on it, where that was read already."""
    organization_id, subject = authorization.organization_id, authorization.subject_id
    if under is None:
        under = await uow.connections.under(organization_id, authorization.id)
    owner_id = (await uow.parents.owners(organization_id, authorization.network, [subject])).get(subject)
    wanted = owner_id or authorization.connector_id
    person = (await uow.people.many(organization_id, [wanted])).get(wanted)
    belongs = person is not None and person.left_at is None and (owner_id is not None or person.role is Role.OWNER)
    return Profile(authorization=authorization, owner=person if belongs else None, under=under)


def other_owner(profile: Profile, person: Person, discovery: Discovery) -> Outcome:
    """Refuse a login that belongs to another owner; whose it is is told by what the person may see."""
    known = is_administrator(person) or any(may_see(person, view.connection) for view in profile.under)
    return Outcome(
        kind=OutcomeKind.OTHER_OWNER,
        used_login=shown(discovery.subject_name),
        owner_name=shown(profile.owner.name) if known and profile.owner is not None else "",
        login_id=discovery.subject_id,
    )


async def anothers_login(uow: UnitOfWork, person: Person, spec: NetworkSpec, discovery: Discovery) -> Outcome | None:
    """Refuse a login for new accounts that belongs to another owner. An administrator chooses the owner, on record."""
    existing = await uow.authorizations.by_subject(person.organization_id, spec.slug, discovery.subject_id)
    profile = await profile_of(uow, existing) if existing is not None else None
    if profile is None or is_administrator(person) or profile.may_serve_owner(person, person.id):
        return None
    return other_owner(profile, person, discovery)
