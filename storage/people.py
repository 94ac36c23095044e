"""Organizations, people and clients."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, exists, or_, select, update

from commands.ids import ClientId, IdentityId, OrganizationId, PersonId
from commands.model import Client, Identity, Organization, Person, Role, Workspace
from commands.ports.storage import AlreadyThere, NotThere
from storage.engine import UtcDateTime, insert
from storage.identities import identity_by_account, look_again, looked_at, remember_unlinked, unlink
from storage.merging import merge
from storage.rows import (
    IDENTITY,
    ORGANIZATION,
    PERSON,
    WORKSPACE,
    client_ids_values,
    columns,
    folded,
    hours_values,
    identity_of,
    organization_of,
    person_of,
    workspace_of,
)
from storage.tables import claim_codes, clients, identities, organizations, people, workspaces
from storage.work import Work, portions

_PEOPLE = select(*columns(people, PERSON)).where(people.c.organization_id == bindparam("organization"))
_PERSON = _PEOPLE.where(people.c.id == bindparam("person"))
_PERSON_LOCKED = _PERSON.with_for_update(key_share=True)
# One row for everybody's changes, so that two do not each find the other to be primary administrator. Not its key: rows
# that refer to the organization go on being written meanwhile.
_TURN = (
    select(organizations.c.id).where(organizations.c.id == bindparam("organization")).with_for_update(key_share=True)
)
_PEOPLE_BY_ID = _PEOPLE.where(people.c.id.in_(bindparam("people", expanding=True)))
_PERSON_BY_EMAIL = _PEOPLE.where(people.c.email == bindparam("email"))
_PAGE = (
    _PEOPLE.order_by(people.c.name_key, people.c.id)
    .limit(bindparam("limit", type_=Integer()))
    .offset(bindparam("offset", type_=Integer()))
)
_ADMINISTRATORS = _PEOPLE.where(
    people.c.role.in_([Role.PRIMARY_ADMINISTRATOR.value, Role.ADMINISTRATOR.value]), people.c.left_at.is_(None)
).order_by(case((people.c.role == Role.PRIMARY_ADMINISTRATOR.value, 0), else_=1), people.c.name_key, people.c.id)
_IDENTITIES = (
    select(*columns(identities, IDENTITY))
    .where(
        identities.c.organization_id == bindparam("organization"),
        identities.c.person_id.in_(bindparam("people", expanding=True)),
    )
    .order_by(identities.c.linked_at.desc(), identities.c.id.desc())
)
_CLIENTS = (
    select(clients.c.id, clients.c.organization_id, clients.c.name)
    .where(clients.c.organization_id == bindparam("organization"))
    .order_by(clients.c.name_key)
)
_CLIENT_BY_NAME = select(clients.c.id).where(
    clients.c.organization_id == bindparam("organization"), clients.c.name_key == bindparam("name_key")
)
_USE_CLAIM_CODE = (
    update(claim_codes)
    .where(
        claim_codes.c.code_hash == bindparam("code"),
        claim_codes.c.used_at.is_(None),
        claim_codes.c.expires_at > bindparam("now", type_=UtcDateTime()),
    )
    .values(used_at=bindparam("now", type_=UtcDateTime()))
    .returning(claim_codes.c.organization_id)
)


class SqlOrganizations:
    """Implements `Organizations`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, organization: Organization) -> None:
        await self._work.run(
            insert(organizations),
            {"id": organization.id, **_organization_values(organization)},
        )

    async def update(self, organization: Organization) -> None:
        written = await self._work.row(
            update(organizations)
            .where(organizations.c.id == organization.id)
            .values(_organization_values(organization))
            .returning(organizations.c.id)
        )
        if written is None:
            raise NotThere("there is no such organization")

    async def get(self, organization_id: OrganizationId) -> Organization:
        found = await self._work.row(
            select(*columns(organizations, ORGANIZATION)).where(organizations.c.id == organization_id)
        )
        if found is None:
            raise NotThere("there is no such organization")
        return organization_of(found)

    async def add_workspace(self, workspace: Workspace) -> bool:
        added = await self._work.row(
            insert(workspaces)
            .values(
                id=workspace.id,
                organization_id=workspace.organization_id,
                platform=workspace.platform,
                external_id=workspace.external_id,
                name=workspace.name,
                client_ids=client_ids_values(workspace.client_ids),
                is_lost=workspace.is_lost,
                told_at=workspace.told_at,
            )
            .on_conflict_do_nothing(index_elements=["platform", "external_id"])
            .returning(workspaces.c.id)
        )
        return added is not None

    async def update_workspace(self, workspace: Workspace) -> None:
        written = await self._work.row(
            update(workspaces)
            .where(workspaces.c.organization_id == workspace.organization_id, workspaces.c.id == workspace.id)
            .values(name=workspace.name, client_ids=client_ids_values(workspace.client_ids))
            .returning(workspaces.c.id)
        )
        if written is None:
            raise NotThere("there is no such workspace in the organization")

    async def tell_of_workspace(
        self, organization_id: OrganizationId, platform: str, external_id: str, *, is_lost: bool, at: datetime
    ) -> bool:
        told = await self._work.row(
            update(workspaces)
            .where(
                workspaces.c.organization_id == organization_id,
                workspaces.c.platform == platform,
                workspaces.c.external_id == external_id,
                workspaces.c.is_lost != is_lost,
                or_(workspaces.c.told_at.is_(None), workspaces.c.told_at <= at),
            )
            .values(is_lost=is_lost, told_at=at)
            .returning(workspaces.c.id)
        )
        return told is not None

    async def workspaces(self, organization_id: OrganizationId) -> Sequence[Workspace]:
        found = await self._work.rows(
            select(*columns(workspaces, WORKSPACE))
            .where(workspaces.c.organization_id == organization_id)
            .order_by(workspaces.c.platform, workspaces.c.name, workspaces.c.id)
        )
        return [workspace_of(row) for row in found]

    async def use_claim_code(self, code_hash: bytes, now: datetime) -> OrganizationId | None:
        used = await self._work.row(_USE_CLAIM_CODE, {"code": code_hash, "now": now})
        return None if used is None else OrganizationId(used[0])


class SqlPeople:
    """Implements `People`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, person: Person) -> None:
        # The constraint speaks through the row that does not come back: an error would end a PostgreSQL transaction.
        added = await self._work.row(
            insert(people)
            .values(
                id=person.id,
                organization_id=person.organization_id,
                email=None if person.email is None else person.email.strip().lower(),
                list_seen_at=person.list_seen_at,
                **_person_values(person),
            )
            .on_conflict_do_nothing(index_elements=["organization_id", "email"])
            .returning(people.c.id)
        )
        if added is None:
            raise AlreadyThere("somebody in the organization has this email address")

    async def get(self, organization_id: OrganizationId, person_id: PersonId) -> Person:
        found = await self._work.row(_PERSON, {"organization": organization_id, "person": person_id})
        if found is None:
            raise NotThere("there is no such person in the organization")
        return person_of(found)

    async def get_for_change(self, organization_id: OrganizationId, person_id: PersonId) -> Person:
        await self._work.row(_TURN, {"organization": organization_id})
        found = await self._work.row(_PERSON_LOCKED, {"organization": organization_id, "person": person_id})
        if found is None:
            raise NotThere("there is no such person in the organization")
        return person_of(found)

    async def many(self, organization_id: OrganizationId, person_ids: Sequence[PersonId]) -> Mapping[PersonId, Person]:
        found: dict[PersonId, Person] = {}
        for portion in portions(person_ids):
            for row in await self._work.rows(_PEOPLE_BY_ID, {"organization": organization_id, "people": list(portion)}):
                person = person_of(row)
                found[person.id] = person
        return found

    async def by_email(self, organization_id: OrganizationId, email: str) -> Person | None:
        found = await self._work.row(
            _PERSON_BY_EMAIL, {"organization": organization_id, "email": email.strip().lower()}
        )
        return None if found is None else person_of(found)

    async def named(self, organization_id: OrganizationId, name: str) -> Sequence[Person]:
        beginning = folded(name)
        if not beginning:
            return []
        found = await self._work.rows(
            _PEOPLE.where(
                or_(
                    people.c.name_key.startswith(beginning, autoescape=True),
                    people.c.email.startswith(beginning, autoescape=True),
                )
            )
            .order_by(people.c.name_key, people.c.id)
            .limit(10),
            {"organization": organization_id},
        )
        return [person_of(row) for row in found]

    async def page(self, organization_id: OrganizationId, *, offset: int, limit: int) -> Sequence[Person]:
        values = {"organization": organization_id, "offset": offset, "limit": limit}
        return [person_of(row) for row in await self._work.rows(_PAGE, values)]

    async def update(self, person: Person) -> None:
        written = await self._work.row(
            update(people)
            .where(people.c.organization_id == person.organization_id, people.c.id == person.id)
            .values(_person_values(person))
            .returning(people.c.id)
        )
        if written is None:
            raise NotThere("there is no such person in the organization")

    async def saw_list(self, organization_id: OrganizationId, person_id: PersonId, at: datetime) -> None:
        await self._work.run(
            update(people)
            .where(people.c.organization_id == organization_id, people.c.id == person_id)
            .values(list_seen_at=at)
        )

    async def administrators(self, organization_id: OrganizationId) -> Sequence[Person]:
        return [person_of(row) for row in await self._work.rows(_ADMINISTRATORS, {"organization": organization_id})]

    async def identities(
        self, organization_id: OrganizationId, person_ids: Sequence[PersonId]
    ) -> Mapping[PersonId, tuple[Identity, ...]]:
        found: dict[PersonId, tuple[Identity, ...]] = {}
        for portion in portions(person_ids):
            for row in await self._work.rows(_IDENTITIES, {"organization": organization_id, "people": list(portion)}):
                identity = identity_of(row)
                found[identity.person_id] = (*found.get(identity.person_id, ()), identity)
        return found

    async def link(self, identity: Identity) -> bool:
        added = await self._work.row(
            insert(identities)
            .values(
                id=identity.id,
                organization_id=identity.organization_id,
                person_id=identity.person_id,
                platform=identity.platform,
                tenant=identity.tenant,
                user_id=identity.user,
                linked_at=identity.linked_at,
                looked_at=identity.looked_at,
                gone_at=identity.gone_at,
            )
            .on_conflict_do_update(
                index_elements=["platform", "tenant", "user_id", "organization_id"],
                # Whoever signs in with an account that was gone proves that it is back.
                set_={"gone_at": None, "looked_at": None, "linked_at": identity.linked_at},
                where=and_(identities.c.person_id == identity.person_id, identities.c.gone_at.is_not(None)),
            )
            .returning(identities.c.id)
        )
        if added is not None:
            await remember_unlinked(self._work, identity, add=False)
        return added is not None

    async def identity(
        self, organization_id: OrganizationId, *, platform: str, tenant: str, user: str
    ) -> Identity | None:
        return await identity_by_account(self._work, organization_id, platform=platform, tenant=tenant, user=user)

    async def unlink(self, organization_id: OrganizationId, identity_id: IdentityId) -> bool:
        return await unlink(self._work, organization_id, identity_id)

    async def look_again(self, organization_id: OrganizationId, identity_id: IdentityId) -> None:
        await look_again(self._work, organization_id, identity_id)

    async def looked_at(
        self,
        organization_id: OrganizationId,
        identity_id: IdentityId,
        *,
        at: datetime,
        gone: bool,
        time_zone: str | None,
    ) -> bool:
        return await looked_at(self._work, organization_id, identity_id, at=at, gone=gone, time_zone=time_zone)

    async def give_email(self, organization_id: OrganizationId, person_id: PersonId, email: str) -> bool:
        folded_email, others = email.strip().lower(), people.alias("others")
        given = await self._work.row(
            update(people)
            .where(
                people.c.organization_id == organization_id,
                people.c.id == person_id,
                people.c.email.is_(None),
                ~exists().where(others.c.organization_id == organization_id, others.c.email == folded_email),
            )
            .values(email=folded_email)
            .returning(people.c.id)
        )
        return given is not None

    async def merge(self, organization_id: OrganizationId, *, kept: PersonId, gone: PersonId) -> Person:
        return await merge(self._work, organization_id, kept=kept, gone=gone)


class SqlClients:
    """Implements `Clients`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def ensure(self, client: Client) -> ClientId:
        key = {"organization": client.organization_id, "name_key": folded(client.name)}
        found = await self._work.row(_CLIENT_BY_NAME, key)
        if found is None:
            found = await self._work.row(
                insert(clients)
                .values(
                    id=client.id,
                    organization_id=client.organization_id,
                    name=client.name,
                    name_key=folded(client.name),
                )
                .on_conflict_do_nothing(index_elements=["organization_id", "name_key"])
                .returning(clients.c.id)
            )
        if found is None:  # another transaction added it between the two statements
            found = await self._work.row(_CLIENT_BY_NAME, key)
        if found is None:
            raise NotThere("the client could not be added")
        return ClientId(found[0])

    async def all(self, organization_id: OrganizationId) -> Sequence[Client]:
        return [
            Client(id=ClientId(row_id), organization_id=OrganizationId(owner), name=name)
            for row_id, owner, name in await self._work.rows(_CLIENTS, {"organization": organization_id})
        ]


def _person_values(person: Person) -> dict[str, Any]:
    """What of a person can be changed."""
    return {
        "name": person.name,
        "name_key": folded(person.name),
        "role": person.role.value,
        "client_ids": client_ids_values(person.client_ids),
        "immediate_notices": person.immediate_notices,
        "time_zone": person.time_zone,
        "left_at": person.left_at,
        "deputy_id": person.deputy_id,
    }


def _organization_values(organization: Organization) -> dict[str, Any]:
    return {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "support_contact": organization.support_contact,
        "working_hours": hours_values(organization.working_hours),
    }
