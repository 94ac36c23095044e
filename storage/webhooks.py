"""Addresses that hear of lapses, the messages for them, and the sources of signed reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, select, update

from commands.ids import ConnectionId, EndpointId, EventId, OrganizationId, SourceId, WebhookMessageId
from commands.ports.hosting import Endpoint, MessageState, Source, WebhookMessage
from commands.ports.storage import Unreadable
from commands.secret import Secret
from storage.engine import insert
from storage.rows import columns
from storage.secrets import Cell
from storage.tables import webhook_endpoints, webhook_messages, webhook_sources
from storage.work import Work, portions

ENDPOINT = (
    "id", "organization_id", "url", "connection_id", "created_at", "old_secret_until", "failing_since", "disabled_at",
    "disabled_why",
)  # fmt: skip
MESSAGE = (
    "id", "organization_id", "endpoint_id", "event_id", "type", "body", "created_at", "next_at", "state", "attempts",
    "last_status", "last_error", "finished_at",
)  # fmt: skip
SOURCE = ("id", "organization_id", "name", "created_at", "old_secret_until", "revoked_at")

_endpoints, _messages = webhook_endpoints.c, webhook_messages.c


class SqlWebhooks:
    """Implements `Webhooks`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add_endpoint(self, endpoint: Endpoint, secret: Secret) -> bool:
        added = await self._work.row(
            insert(webhook_endpoints)
            .values(
                id=endpoint.id,
                organization_id=endpoint.organization_id,
                url=endpoint.url,
                connection_id=endpoint.connection_id,
                created_at=endpoint.created_at,
                secret=self._work.keyring.encrypt(
                    secret, _cell(webhook_endpoints, endpoint.organization_id, endpoint.id, "secret")
                ),
                disabled_why="",
            )
            .on_conflict_do_nothing()
            .returning(_endpoints.id)
        )
        return added is not None

    async def endpoints(self, organization_id: OrganizationId) -> Sequence[Endpoint]:
        return await self._found(_endpoints.organization_id == organization_id)

    async def endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> Endpoint | None:
        found = await self._found(_this(organization_id, endpoint_id))
        return found[0] if found else None

    async def hearing_of(
        self, organization_id: OrganizationId, connection_ids: Sequence[ConnectionId]
    ) -> Sequence[Endpoint]:
        own = _endpoints.connection_id.is_(None)
        found = await self._found(and_(_endpoints.organization_id == organization_id, own))
        for portion in portions(connection_ids):
            theirs = _endpoints.connection_id.in_(portion)
            found += await self._found(and_(_endpoints.organization_id == organization_id, theirs))
        return found

    async def _found(self, which: ColumnElement[bool]) -> list[Endpoint]:
        rows = await self._work.rows(
            select(*columns(webhook_endpoints, ENDPOINT)).where(which).order_by(_endpoints.created_at, _endpoints.id)
        )
        return [endpoint_of(row) for row in rows]

    async def move_endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId, url: str) -> bool:
        return await self._change(_this(organization_id, endpoint_id), {"url": url, "failing_since": None})

    async def remove_endpoint(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> bool:
        # Its row first, as whoever sends does, so that nobody waits for each other in a circle.
        await self._work.rows(
            select(_endpoints.id).where(_this(organization_id, endpoint_id)).with_for_update(key_share=True)
        )
        await self._work.run(
            delete(webhook_messages).where(
                _messages.organization_id == organization_id, _messages.endpoint_id == endpoint_id
            )
        )
        removed = await self._work.row(
            delete(webhook_endpoints).where(_this(organization_id, endpoint_id)).returning(_endpoints.id)
        )
        return removed is not None

    async def rotate(
        self, organization_id: OrganizationId, endpoint_id: EndpointId, secret: Secret, *, old_until: datetime
    ) -> bool:
        return await _rotate(self._work, webhook_endpoints, (organization_id, endpoint_id), secret, old_until)

    async def enable(self, organization_id: OrganizationId, endpoint_id: EndpointId) -> bool:
        return await self._change(
            and_(_this(organization_id, endpoint_id), _endpoints.disabled_at.is_not(None)),
            {"disabled_at": None, "disabled_why": "", "failing_since": None, "paused_until": None},
        )

    async def _change(self, which: ColumnElement[bool], changes: dict[str, Any]) -> bool:
        changed = await self._work.row(update(webhook_endpoints).where(which).values(changes).returning(_endpoints.id))
        return changed is not None

    async def add_messages(self, messages: Sequence[WebhookMessage]) -> None:
        if messages:
            await self._work.run(
                insert(webhook_messages).on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"]),
                [_message_values(message) for message in messages],
            )

    async def messages(
        self,
        organization_id: OrganizationId,
        *,
        state: MessageState | None = None,
        endpoint_id: EndpointId | None = None,
        limit: int,
        offset: int = 0,
    ) -> Sequence[WebhookMessage]:
        wanted = [_messages.organization_id == organization_id]
        wanted += [] if state is None else [_messages.state == state.value]
        wanted += [] if endpoint_id is None else [_messages.endpoint_id == endpoint_id]
        rows = await self._work.rows(
            select(*columns(webhook_messages, MESSAGE))
            .where(*wanted)
            .order_by(_messages.created_at.desc(), _messages.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return [message_of(row) for row in rows]

    async def replay(
        self,
        organization_id: OrganizationId,
        *,
        at: datetime,
        message_id: WebhookMessageId | None = None,
        endpoint_id: EndpointId | None = None,
    ) -> int:
        enabled = select(_endpoints.id).where(
            _endpoints.organization_id == organization_id, _endpoints.disabled_at.is_(None)
        )
        wanted = [
            _messages.organization_id == organization_id,
            _messages.state == MessageState.DEAD.value,
            _messages.endpoint_id.in_(enabled),
        ]
        wanted += [] if message_id is None else [_messages.id == message_id]
        wanted += [] if endpoint_id is None else [_messages.endpoint_id == endpoint_id]
        replayed = await self._work.rows(
            update(webhook_messages)
            .where(*wanted)
            .values(state=MessageState.DUE.value, attempts=0, next_at=at, finished_at=None)
            .returning(_messages.id)
        )
        return len(replayed)


class SqlSources:
    """Implements `Sources`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, source: Source, secret: Secret) -> None:
        await self._work.run(
            insert(webhook_sources),
            {
                "id": source.id,
                "organization_id": source.organization_id,
                "name": source.name,
                "created_at": source.created_at,
                "secret": self._work.keyring.encrypt(
                    secret, _cell(webhook_sources, source.organization_id, source.id, "secret")
                ),
            },
        )

    async def all(self, organization_id: OrganizationId) -> Sequence[Source]:
        rows = await self._work.rows(
            select(*columns(webhook_sources, SOURCE))
            .where(webhook_sources.c.organization_id == organization_id)
            .order_by(webhook_sources.c.created_at.desc(), webhook_sources.c.id.desc())
        )
        return [source_of(row) for row in rows]

    async def rotate(
        self, organization_id: OrganizationId, source_id: SourceId, secret: Secret, *, old_until: datetime
    ) -> bool:
        return await _rotate(self._work, webhook_sources, (organization_id, source_id), secret, old_until)

    async def revoke(self, organization_id: OrganizationId, source_id: SourceId, at: datetime) -> bool:
        c = webhook_sources.c
        revoked = await self._work.row(
            update(webhook_sources)
            .where(c.organization_id == organization_id, c.id == source_id, c.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(c.id)
        )
        return revoked is not None


def secrets_of(work: Work, table: Table, row: tuple[UUID, UUID], stored: Sequence[Any], now: datetime) -> list[Secret]:
    """Decrypt the secret of a row (its organization's id, its own) and, while it counts, the one before. `stored`: both
    columns, and until when the second one counts.
    """
    secret, old_secret, old_until = stored
    found = [work.keyring.decrypt(secret, _cell(table, *row, "secret"))]
    if old_secret is not None and old_until is not None and now < old_until:
        found.append(work.keyring.decrypt(old_secret, _cell(table, *row, "old_secret")))
    return found


async def _rotate(
    work: Work, table: Table, row: tuple[OrganizationId, UUID], secret: Secret, old_until: datetime
) -> bool:
    organization_id, row_id = row
    which = (table.c.organization_id == organization_id, table.c.id == row_id)
    found = await work.row(select(table.c.secret).where(*which).with_for_update(key_share=True))
    if found is None:
        return False
    try:
        old: Secret | None = work.keyring.decrypt(found[0], _cell(table, organization_id, row_id, "secret"))
    except Unreadable:
        old = None  # nobody can sign with it any more
    # A value is bound to its column, so the old secret is encrypted anew for its place.
    old_cell = _cell(table, organization_id, row_id, "old_secret")
    await work.run(
        update(table)
        .where(*which)
        .values(
            secret=work.keyring.encrypt(secret, _cell(table, organization_id, row_id, "secret")),
            old_secret=work.keyring.encrypt(old, old_cell) if old is not None else None,
            old_secret_until=old_until,
        )
    )
    return True


def _cell(table: Table, organization_id: UUID, row_id: UUID, column: str) -> Cell:
    return Cell(organization_id=organization_id, table=table.name, row=row_id, column=column)


def _this(organization_id: OrganizationId, endpoint_id: EndpointId) -> ColumnElement[bool]:
    return and_(_endpoints.organization_id == organization_id, _endpoints.id == endpoint_id)


def _message_values(message: WebhookMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "organization_id": message.organization_id,
        "endpoint_id": message.endpoint_id,
        "event_id": message.event_id,
        "type": message.type,
        "body": message.body,
        "created_at": message.created_at,
        "next_at": message.next_at,
        "state": message.state.value,
        "attempts": message.attempts,
        "term": 0,
        "last_status": message.last_status,
        "last_error": message.last_error,
        "finished_at": message.finished_at,
    }


def endpoint_of(values: Sequence[Any]) -> Endpoint:
    (
        row_id, organization_id, url, connection_id, created_at, old_secret_until, failing_since, disabled_at,
        disabled_why,
    ) = values  # fmt: skip
    return Endpoint(
        id=EndpointId(row_id),
        organization_id=OrganizationId(organization_id),
        url=url,
        connection_id=None if connection_id is None else ConnectionId(connection_id),
        created_at=created_at,
        old_secret_until=old_secret_until,
        failing_since=failing_since,
        disabled_at=disabled_at,
        disabled_why=disabled_why,
    )


def message_of(values: Sequence[Any]) -> WebhookMessage:
    (
        row_id, organization_id, endpoint_id, event_id, kind, body, created_at, next_at, state, attempts, last_status,
        last_error, finished_at,
    ) = values  # fmt: skip
    return WebhookMessage(
        id=WebhookMessageId(row_id),
        organization_id=OrganizationId(organization_id),
        endpoint_id=EndpointId(endpoint_id),
        event_id=EventId(event_id),
        type=kind,
        body=body,
        created_at=created_at,
        next_at=next_at,
        state=MessageState(state),
        attempts=attempts,
        last_status=last_status,
        last_error=last_error,
        finished_at=finished_at,
    )


def source_of(values: Sequence[Any]) -> Source:
    row_id, organization_id, name, created_at, old_secret_until, revoked_at = values
    return Source(
        id=SourceId(row_id),
        organization_id=OrganizationId(organization_id),
        name=name,
        created_at=created_at,
        old_secret_until=old_secret_until,
        revoked_at=revoked_at,
    )
