"""What of the host product crosses organizations: finding a key or a source, and the messages that are due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, literal, or_, select, update

from commands.ids import ApiKeyId, EndpointId, SourceId
from commands.ports.auditing import AuditEntry
from commands.ports.hosting import ApiKey, DueMessage, Endpoint, MessageState, SendOutcome, Source
from commands.ports.storage import Unreadable
from commands.secret import Secret
from storage.audit import SqlAudit
from storage.directory import Transactions
from storage.engine import UtcDateTime
from storage.host_keys import API_KEY, api_key_of
from storage.rows import columns
from storage.tables import MESSAGE_DUE, api_keys, webhook_endpoints, webhook_messages, webhook_sources
from storage.webhooks import ENDPOINT, MESSAGE, SOURCE, endpoint_of, message_of, secrets_of, source_of
from storage.work import Work

_SECRETS = ("secret", "old_secret", "old_secret_until")
_endpoints, _messages = webhook_endpoints.c, webhook_messages.c


class SqlHostQueues:
    """Implements `HostQueues`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def api_key(self, key_id: ApiKeyId) -> tuple[ApiKey, bytes] | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(
                select(*columns(api_keys, API_KEY), api_keys.c.secret_hash).where(api_keys.c.id == key_id)
            )
        return None if found is None else (api_key_of(found[:-1]), found[-1])

    async def api_key_used(self, key_id: ApiKeyId, at: datetime) -> None:
        async with self._transactions.writing_work() as work:
            await work.run(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=at))

    async def source(self, source_id: SourceId, now: datetime) -> tuple[Source, tuple[Secret, ...]] | None:
        async with self._transactions.reading_work() as work:
            found = await work.row(
                select(*columns(webhook_sources, SOURCE), *columns(webhook_sources, _SECRETS)).where(
                    webhook_sources.c.id == source_id, webhook_sources.c.revoked_at.is_(None)
                )
            )
            if found is None:
                return None
            source, stored = source_of(found[: len(SOURCE)]), found[len(SOURCE) :]
            secrets = secrets_of(work, webhook_sources, (source.organization_id, source.id), stored, now)
        return source, tuple(secrets)

    async def claim_messages(
        self, *, now: datetime, endpoints: int, each: int, lease: timedelta, busy: Sequence[EndpointId] = ()
    ) -> Sequence[DueMessage]:
        # Looked for by reading first: most of the time nothing is due, and a look must hold up no writer.
        async with self._transactions.reading_work() as work:
            ready = await _ready_endpoints(work, now, endpoints, busy)
        if not ready:
            return []
        async with self._transactions.writing_work() as work:
            # By id: processes that lock several in the same order never wait for each other in a circle.
            return [due for endpoint_id in sorted(ready) for due in await _claim(work, endpoint_id, now, each, lease)]

    async def record_outcome(self, due: DueMessage, outcome: SendOutcome) -> bool:
        async with self._transactions.writing_work() as work:
            return await _record(work, due, outcome)


async def _ready_endpoints(work: Work, now: datetime, limit: int, busy: Sequence[EndpointId]) -> Sequence[UUID]:
    waiting = exists().where(_messages.endpoint_id == _endpoints.id, MESSAGE_DUE, _messages.next_at <= now)
    longest_ago = (_endpoints.tried_at.asc().nulls_first(), _endpoints.id)
    # One of each organization before the second of any: thousands of addresses of one hold up nobody else's.
    turn = func.row_number().over(partition_by=_endpoints.organization_id, order_by=longest_ago)
    rows = await work.rows(
        select(_endpoints.id)
        .where(
            _endpoints.disabled_at.is_(None),
            _endpoints.id.not_in(busy),
            or_(_endpoints.paused_until.is_(None), _endpoints.paused_until <= now),
            waiting,
        )
        .order_by(turn, *longest_ago)
        .limit(limit)
    )
    return [row[0] for row in rows]


async def _claim(work: Work, endpoint_id: UUID, now: datetime, each: int, lease: timedelta) -> list[DueMessage]:
    # The endpoint's row is locked by this, so that two processes give it one turn after the other.
    found = await work.row(
        update(webhook_endpoints)
        .where(_endpoints.id == endpoint_id, _endpoints.disabled_at.is_(None))
        .values(tried_at=now)
        .returning(*columns(webhook_endpoints, ENDPOINT), *columns(webhook_endpoints, _SECRETS))
    )
    if found is None:
        return []
    endpoint = endpoint_of(found[: len(ENDPOINT)])
    row = (endpoint.organization_id, endpoint.id)
    try:
        secrets = tuple(secrets_of(work, webhook_endpoints, row, found[len(ENDPOINT) :], now))
    except Unreadable:
        # Put aside, so that it keeps nobody else's messages waiting; its own wait until it is enabled again.
        why = "its secret cannot be read with the keys that are configured"
        disabled = {"disabled_at": now, "disabled_why": why}
        await work.run(update(webhook_endpoints).where(_endpoints.id == endpoint_id).values(disabled))
        await _note_disabled(work, endpoint, at=now, why=why)
        return []
    first = (
        select(_messages.id)
        .where(_messages.endpoint_id == endpoint_id, MESSAGE_DUE, _messages.next_at <= now)
        .order_by(_messages.next_at, _messages.id)
        .limit(each if endpoint.failing_since is None else 1)
    )
    taken = await work.rows(
        update(webhook_messages)
        .where(_messages.id.in_(first), MESSAGE_DUE, _messages.next_at <= now)
        .values(next_at=now + lease, attempts=_messages.attempts + 1, term=_messages.term + 1)
        .returning(*columns(webhook_messages, MESSAGE), _messages.term)
    )
    claimed = [
        DueMessage(message=message_of(values[:-1]), endpoint=endpoint, secrets=secrets, term=values[-1])
        for values in taken
    ]
    return sorted(claimed, key=lambda due: due.message.id)


async def _record(work: Work, due: DueMessage, outcome: SendOutcome) -> bool:
    # The endpoint first, as when messages are claimed, so that nobody waits for each other in a circle.
    await work.rows(select(_endpoints.id).where(_endpoints.id == due.endpoint.id).with_for_update(key_share=True))
    is_over = outcome.state is not MessageState.DUE
    written = await work.row(
        update(webhook_messages)
        .where(_messages.id == due.message.id, _messages.term == due.term, MESSAGE_DUE)
        .values(
            state=outcome.state.value,
            next_at=outcome.next_at,
            last_status=outcome.status,
            last_error=outcome.error,
            finished_at=outcome.at if is_over else None,
        )
        .returning(_messages.id)
    )
    if written is None:
        return False
    delivered = outcome.state is MessageState.DELIVERED
    since = func.coalesce(_endpoints.failing_since, literal(outcome.at, UtcDateTime()))
    changes: dict[str, Any] = {"failing_since": None if delivered else since}
    if outcome.pause_until is not None:
        changes["paused_until"] = outcome.pause_until
    if outcome.disable:
        changes |= {"disabled_at": outcome.at, "disabled_why": outcome.disable}
    await work.run(update(webhook_endpoints).where(_endpoints.id == due.endpoint.id).values(changes))
    if outcome.disable:
        await _bury(work, due, outcome)
    return True


async def _bury(work: Work, due: DueMessage, outcome: SendOutcome) -> None:
    """What waits for an endpoint that was disabled goes to the dead-letter list; who reads the audit log is told."""
    buried = await work.rows(
        update(webhook_messages)
        .where(_messages.endpoint_id == due.endpoint.id, MESSAGE_DUE)
        .values(
            state=MessageState.DEAD.value,
            last_error="the endpoint was disabled",
            finished_at=outcome.at,
            term=_messages.term + 1,
        )
        .returning(_messages.id)
    )
    await _note_disabled(work, due.endpoint, at=outcome.at, why=outcome.disable, waiting=len(buried))


async def _note_disabled(work: Work, endpoint: Endpoint, *, at: datetime, why: str, waiting: int = 0) -> None:
    entry = AuditEntry(
        organization_id=endpoint.organization_id,
        at=at,
        actor_id=None,
        origin="webhooks",
        action="webhook.disabled",
        subject=f"webhook endpoint {endpoint.id}",
        detail={"why": why, "waiting": str(waiting)},
    )
    await SqlAudit(work).write(entry)
