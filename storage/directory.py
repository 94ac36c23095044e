"""Look-ups that cross organizations, and the claim codes that found one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy import and_, bindparam, exists, select

from commands.ids import OrganizationId, WorkspaceId
from commands.model import Identity, Organization, Workspace
from commands.ports.reconnecting import Attempt, Link, Pass
from commands.ports.storage import Member, Standing
from storage.attempts import ATTEMPT, attempt_of, use_attempt
from storage.engine import insert
from storage.links import LINK, link_of
from storage.passes import PASS, pass_of
from storage.rows import (
    IDENTITY,
    ORGANIZATION,
    PERSON,
    WORKSPACE,
    columns,
    identity_of,
    organization_of,
    person_of,
    workspace_of,
)
from storage.secrets import secret_hash
from storage.tables import (
    attempts,
    authorizations,
    claim_codes,
    identities,
    links,
    organizations,
    passes,
    people,
    workspaces,
)
from storage.work import Work

_this_account = and_(
    identities.c.platform == bindparam("platform"),
    identities.c.tenant == bindparam("tenant"),
    identities.c.user_id == bindparam("user"),
)
_account = and_(_this_account, identities.c.gone_at.is_(None))
_person = and_(people.c.id == identities.c.person_id, people.c.left_at.is_(None))
_STANDING_IN_WORKSPACE = (
    select(
        *columns(workspaces, WORKSPACE),
        *columns(organizations, ORGANIZATION),
        *columns(people, PERSON),
        *columns(identities, IDENTITY),
    )
    .select_from(
        workspaces.join(organizations, organizations.c.id == workspaces.c.organization_id)
        .outerjoin(identities, and_(identities.c.organization_id == workspaces.c.organization_id, _account))
        .outerjoin(people, _person)
    )
    .where(workspaces.c.platform == bindparam("platform"), workspaces.c.external_id == bindparam("workspace"))
)
_STANDING_ANYWHERE = (
    select(*columns(organizations, ORGANIZATION), *columns(people, PERSON), *columns(identities, IDENTITY))
    .select_from(
        identities.join(people, _person).join(organizations, organizations.c.id == identities.c.organization_id)
    )
    .where(_account)
    .order_by(identities.c.linked_at.desc(), identities.c.id)
)
_IDENTITIES = select(*columns(identities, IDENTITY)).where(_this_account).order_by(identities.c.organization_id)
_LINK = select(*columns(links, LINK)).where(links.c.locator_hash == bindparam("locator"))
_PASS = select(*columns(passes, PASS)).where(passes.c.secret_hash == bindparam("secret"))
_ATTEMPT_OF_STATE = select(*columns(attempts, ATTEMPT)).where(attempts.c.state_hash == bindparam("state"))
_WORKSPACE = select(*columns(workspaces, WORKSPACE)).where(
    workspaces.c.platform == bindparam("platform"), workspaces.c.external_id == bindparam("workspace")
)
_WORKSPACE_BY_ID = select(*columns(workspaces, WORKSPACE)).where(workspaces.c.id == bindparam("workspace"))
_SUBJECT_KNOWN = select(
    exists().where(
        authorizations.c.network == bindparam("network"), authorizations.c.subject_id == bindparam("subject")
    )
)


class Transactions(Protocol):
    """Where the look-ups get their transactions from."""

    def reading_work(self) -> AbstractAsyncContextManager[Work]: ...

    def writing_work(self) -> AbstractAsyncContextManager[Work]: ...


class SqlDirectory:
    """Implements `Directory`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def standing(self, *, platform: str, workspace: str | None, tenant: str, user: str) -> Standing:
        values = {"platform": platform, "tenant": tenant, "user": user}
        async with self._transactions.reading_work() as work:
            if workspace is None:
                rows = await work.rows(_STANDING_ANYWHERE, values)
                return Standing(workspace=None, organization=None, members=tuple(_member_of(row) for row in rows))
            found = await work.row(_STANDING_IN_WORKSPACE, {**values, "workspace": workspace})
        if found is None:
            return Standing(workspace=None, organization=None, members=())
        row = tuple(found)
        claimed, rest = row[: len(WORKSPACE)], row[len(WORKSPACE) :]
        is_member = rest[len(ORGANIZATION)] is not None
        return Standing(
            workspace=workspace_of(claimed),
            organization=organization_of(rest[: len(ORGANIZATION)]),
            members=(_member_of(rest),) if is_member else (),
        )

    async def identities(self, *, platform: str, tenant: str, user: str) -> Sequence[Identity]:
        values = {"platform": platform, "tenant": tenant, "user": user}
        async with self._transactions.reading_work() as work:
            return [identity_of(row) for row in await work.rows(_IDENTITIES, values)]

    async def link(self, locator: str) -> Link | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_LINK, {"locator": secret_hash(locator)})
        return None if found is None else link_of(found)

    async def pass_of(self, secret_hash: bytes) -> Pass | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_PASS, {"secret": secret_hash})
        return None if found is None else pass_of(found)

    async def use_attempt(self, *, state_hash: bytes, browser_hash: bytes, now: datetime) -> Attempt | None:
        async with self._transactions.writing_work() as work:
            return await use_attempt(work, state_hash=state_hash, browser_hash=browser_hash, now=now)

    async def attempt_of_state(self, state_hash: bytes) -> Attempt | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_ATTEMPT_OF_STATE, {"state": state_hash})
            return None if found is None else attempt_of(found, work.keyring)

    async def subject_known(self, network: str, subject_id: str) -> bool:
        async with self._transactions.reading_work() as work:
            found = await work.row(_SUBJECT_KNOWN, {"network": network, "subject": subject_id})
        return found is not None and bool(found[0])

    async def workspace(self, platform: str, external_id: str) -> Workspace | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_WORKSPACE, {"platform": platform, "workspace": external_id})
        return None if found is None else workspace_of(found)

    async def workspace_by_id(self, workspace_id: WorkspaceId) -> Workspace | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(_WORKSPACE_BY_ID, {"workspace": workspace_id})
        return None if found is None else workspace_of(found)

    async def issue_claim_code(
        self, organization_id: OrganizationId, *, code_hash: bytes, expires_at: datetime
    ) -> None:
        async with self._transactions.writing_work() as work:
            await work.run(
                insert(claim_codes),
                {"code_hash": code_hash, "organization_id": organization_id, "expires_at": expires_at},
            )

    async def organizations(self) -> Sequence[Organization]:
        async with self._transactions.reading_work() as work:
            found = await work.rows(
                select(*columns(organizations, ORGANIZATION)).order_by(organizations.c.name, organizations.c.id)
            )
        return [organization_of(row) for row in found]


def _member_of(values: Sequence[object]) -> Member:
    person_at, identity_at = len(ORGANIZATION), len(ORGANIZATION) + len(PERSON)
    return Member(
        organization=organization_of(values[:person_at]),
        person=person_of(values[person_at:identity_at]),
        identity=identity_of(values[identity_at:]),
    )
