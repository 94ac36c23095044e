"""Authorizations: grants, their tokens, and what checks leave on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, func, select, update

from commands.ids import AuthorizationId, OrganizationId, PersonId
from commands.model import Authorization, ConnectionState, Tokens
from commands.ports.connections import CheckRecord, Hanging
from commands.ports.storage import AlreadyThere, NotThere
from storage.engine import UtcDateTime, insert
from storage.rows import AUTHORIZATION, authorization_of, columns, doubt_values
from storage.secrets import Cell
from storage.tables import authorizations, clients, connections
from storage.views import URGENCY
from storage.work import Work, in_order, portions

_AUTHORIZATIONS = select(*columns(authorizations, AUTHORIZATION)).where(
    authorizations.c.organization_id == bindparam("organization")
)
_AUTHORIZATION = _AUTHORIZATIONS.where(authorizations.c.id == bindparam("authorization"))
_BY_SUBJECT = _AUTHORIZATIONS.where(
    authorizations.c.network == bindparam("network"), authorizations.c.subject_id == bindparam("subject")
)
_TOKENS = select(
    authorizations.c.access_token,
    authorizations.c.refresh_token,
    authorizations.c.access_expires_at,
    authorizations.c.tokens_obtained_at,
    authorizations.c.refresh_begun_at,
).where(
    authorizations.c.organization_id == bindparam("organization"), authorizations.c.id == bindparam("authorization")
)
_MANY = _AUTHORIZATIONS.where(authorizations.c.id.in_(bindparam("authorizations", expanding=True)))
_hanging = (
    select(authorizations.c.id, connections.c.client_id, func.count().label("number"))
    .join(connections, connections.c.authorization_id == authorizations.c.id)
    .where(
        authorizations.c.organization_id == bindparam("organization"),
        authorizations.c.connector_id == bindparam("person"),
        connections.c.urgency < URGENCY[ConnectionState.RETIRED],
    )
    .group_by(authorizations.c.id, connections.c.client_id)
    .subquery("hanging")
)
_HANGING_ON = (
    select(*columns(authorizations, AUTHORIZATION), clients.c.name, _hanging.c.number)
    .select_from(
        _hanging.join(authorizations, authorizations.c.id == _hanging.c.id).join(
            clients, clients.c.id == _hanging.c.client_id
        )
    )
    .order_by(clients.c.name_key)
)


class SqlAuthorizations:
    """Implements `Authorizations`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, authorization: Authorization, tokens: Tokens) -> None:
        added = await self._work.row(
            insert(authorizations)
            .values(
                id=authorization.id,
                organization_id=authorization.organization_id,
                generation=authorization.generation,
                lease_term=0,
                warn_at=None if authorization.ends_at is None else self._work.clock.now(),
                **_grant_values(authorization),
                **self._encrypted(authorization.organization_id, authorization.id, tokens),
            )
            .on_conflict_do_nothing(index_elements=["organization_id", "network", "subject_id"])
            .returning(authorizations.c.id)
        )
        if added is None:
            raise AlreadyThere("the organization has an authorization of this login")

    async def get(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> Authorization:
        found = await self._work.row(
            _AUTHORIZATION, {"organization": organization_id, "authorization": authorization_id}
        )
        if found is None:
            raise NotThere("there is no such authorization in the organization")
        return authorization_of(found)

    async def by_subject(self, organization_id: OrganizationId, network: str, subject_id: str) -> Authorization | None:
        found = await self._work.row(
            _BY_SUBJECT, {"organization": organization_id, "network": network, "subject": subject_id}
        )
        return None if found is None else authorization_of(found)

    async def tokens(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> Tokens:
        found = await self._work.row(_TOKENS, {"organization": organization_id, "authorization": authorization_id})
        if found is None:
            raise NotThere("there is no such authorization in the organization")
        access, refresh, access_expires_at, obtained_at, refresh_begun_at = found
        keyring = self._work.keyring
        return Tokens(
            access=keyring.decrypt(access, token_cell(organization_id, authorization_id, "access_token")),
            refresh=None
            if refresh is None
            else keyring.decrypt(refresh, token_cell(organization_id, authorization_id, "refresh_token")),
            access_expires_at=access_expires_at,
            obtained_at=obtained_at,
            refresh_begun_at=refresh_begun_at,
        )

    async def begin_refresh(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        term: int,
        generation: int,
        at: datetime,
    ) -> bool:
        begun = await self._work.row(
            update(authorizations)
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.id == authorization_id,
                authorizations.c.generation == generation,
                authorizations.c.lease_term == term,
                authorizations.c.leased_until > at,
            )
            .values(
                refresh_begun_at=func.coalesce(
                    authorizations.c.refresh_begun_at, bindparam("begun_at", at, UtcDateTime())
                )
            )
            .returning(authorizations.c.id)
        )
        return begun is not None

    async def settle_refresh(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, *, generation: int
    ) -> None:
        await self._work.run(
            update(authorizations)
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.id == authorization_id,
                authorizations.c.generation == generation,
            )
            .values(refresh_begun_at=None)
        )

    async def store_refreshed(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        tokens: Tokens,
        ends_at: datetime | None,
        generation: int,
    ) -> bool:
        stored = await self._work.row(
            update(authorizations)
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.id == authorization_id,
                authorizations.c.generation == generation,
            )
            .values(
                generation=authorizations.c.generation + 1,
                **({} if ends_at is None else self._end_values(ends_at)),
                **self._encrypted(organization_id, authorization_id, tokens),
            )
            .returning(authorizations.c.id)
        )
        return stored is not None

    async def replace_grant(self, authorization: Authorization, tokens: Tokens) -> None:
        stored = await self._work.row(
            update(authorizations)
            .where(
                authorizations.c.organization_id == authorization.organization_id,
                authorizations.c.id == authorization.id,
            )
            .values(
                generation=authorizations.c.generation + 1,
                leased_until=None,  # a check under way is of the old tokens: it loses its lease, and says nothing
                **(_grant_values(authorization) | self._end_values(authorization.ends_at)),
                **self._encrypted(authorization.organization_id, authorization.id, tokens),
            )
            .returning(authorizations.c.id)
        )
        if stored is None:
            raise NotThere("there is no such authorization in the organization")

    async def record_check(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        term: int,
        record: CheckRecord,
    ) -> bool:
        changes: dict[str, Any] = {
            "checked_at": record.checked_at,
            "next_check_at": _unless_asked(record),
            "leased_until": None,
            **doubt_values(record.doubt),
            "region": record.region or None,
            "failing_since": record.failing_since,
        }
        if record.good:
            changes["last_good_at"] = record.checked_at
        if record.ends_at is not None:
            changes |= self._end_values(record.ends_at)
        recorded = await self._work.row(
            update(authorizations)
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.id == authorization_id,
                authorizations.c.lease_term == term,
                authorizations.c.leased_until.is_not(None),
            )
            .values(changes)
            .returning(authorizations.c.id)
        )
        return recorded is not None

    async def many(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId]
    ) -> Sequence[Authorization]:
        found: dict[AuthorizationId, Authorization] = {}
        for portion in portions(authorization_ids):
            values = {"organization": organization_id, "authorizations": list(portion)}
            found |= {row[0]: authorization_of(row) for row in await self._work.rows(_MANY, values)}
        return [found[row_id] for row_id in dict.fromkeys(authorization_ids) if row_id in found]

    async def check_soon(
        self, organization_id: OrganizationId, authorization_ids: Sequence[AuthorizationId], at: datetime
    ) -> None:
        for portion in portions(sorted(set(authorization_ids))):
            await self._work.run(
                update(authorizations)
                .where(
                    in_order(
                        authorizations,
                        authorizations.c.organization_id == organization_id,
                        authorizations.c.id.in_(portion),
                        authorizations.c.next_check_at > at,  # what is never checked is not due either
                    )
                )
                .values(next_check_at=at)
            )

    async def hanging_on(self, organization_id: OrganizationId, person_id: PersonId) -> Sequence[Hanging]:
        rows = await self._work.rows(_HANGING_ON, {"organization": organization_id, "person": person_id})
        clients_of: dict[UUID, list[tuple[str, int]]] = {}
        found = {row[0]: authorization_of(row[:-2]) for row in rows}
        for row in rows:
            clients_of.setdefault(row[0], []).append((row[-2], row[-1]))
        hanging = [Hanging(authorization=each, clients=tuple(clients_of[each.id])) for each in found.values()]
        return sorted(hanging, key=lambda each: (-sum(number for _, number in each.clients), each.authorization.id))

    async def warn_next(
        self,
        organization_id: OrganizationId,
        authorization_id: AuthorizationId,
        *,
        ends_at: datetime | None,
        at: datetime | None,
    ) -> bool:
        written = await self._work.row(
            update(authorizations)
            .where(
                authorizations.c.organization_id == organization_id,
                authorizations.c.id == authorization_id,
                authorizations.c.ends_at.is_not_distinct_from(ends_at),
            )
            .values(warn_at=at)
            .returning(authorizations.c.id)
        )
        return written is not None

    async def reconsider_warnings(self, organization_id: OrganizationId, network: str | None) -> None:
        of_network: list[ColumnElement[bool]] = [] if network is None else [authorizations.c.network == network]
        await self._work.run(
            update(authorizations)
            .where(
                in_order(
                    authorizations,
                    authorizations.c.organization_id == organization_id,
                    authorizations.c.ends_at.is_not(None),
                    *of_network,
                )
            )
            .values(warn_at=self._work.clock.now())
        )

    def _end_values(self, ends_at: datetime | None) -> dict[str, Any]:
        """An end, and, where it is another than the stored one, that its warnings are to be decided at once."""
        kept = authorizations.c.ends_at.is_not_distinct_from(bindparam("same_end", ends_at, UtcDateTime()))
        due = None if ends_at is None else self._work.clock.now()
        return {
            "ends_at": ends_at,
            "warn_at": case((kept, authorizations.c.warn_at), else_=bindparam("due_at", due, UtcDateTime())),
        }

    def _encrypted(self, organization_id: UUID, authorization_id: UUID, tokens: Tokens) -> dict[str, Any]:
        """The tokens' columns. Without a new refresh token the stored one stays, never overwritten by none (R-16)."""
        encrypt = self._work.keyring.encrypt
        values: dict[str, Any] = {
            "access_token": encrypt(tokens.access, token_cell(organization_id, authorization_id, "access_token")),
            "access_expires_at": tokens.access_expires_at,
            "tokens_obtained_at": tokens.obtained_at,
            "refresh_begun_at": tokens.refresh_begun_at,
        }
        if tokens.refresh:
            values["refresh_token"] = encrypt(
                tokens.refresh, token_cell(organization_id, authorization_id, "refresh_token")
            )
        return values


def _unless_asked(record: CheckRecord) -> Any:  # a column's value: plain, or an expression
    """When to check next, or when somebody asked for it to be checked during this check."""
    if record.was_due_at is None:
        return record.next_check_at
    was = bindparam("was_due_at", record.was_due_at, UtcDateTime())
    after = bindparam("after", record.next_check_at, UtcDateTime())
    return case((authorizations.c.next_check_at == was, after), else_=authorizations.c.next_check_at)


def token_cell(organization_id: UUID, authorization_id: UUID, column: str) -> Cell:
    """Where an authorization's token lives."""
    return Cell(organization_id=organization_id, table="authorizations", row=authorization_id, column=column)


def _grant_values(authorization: Authorization) -> dict[str, Any]:
    return {
        "network": authorization.network,
        "subject_id": authorization.subject_id,
        "subject_name": authorization.subject_name,
        "connector_id": authorization.connector_id,
        "granted": sorted(authorization.granted),
        "obtained_at": authorization.obtained_at,
        "ends_at": authorization.ends_at,
        "checked_at": authorization.checked_at,
        "last_good_at": authorization.last_good_at,
        "next_check_at": authorization.next_check_at,
        **doubt_values(authorization.doubt),
        "region": authorization.region or None,
        "failing_since": authorization.failing_since,
    }
