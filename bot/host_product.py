"""What an operator does for the host product from the command line. Each gives the lines to print."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot.administration import OperatorError, opened_organization
from bot.settings import Settings
from bot.webhooks.guard import checked_url
from commands import hosting
from commands.auditing import Actor
from commands.ids import ApiKeyId, ConnectionId, EndpointId, SourceId, WebhookMessageId, from_wire, to_wire
from commands.ports.hosting import ApiKey, Endpoint, MessageState
from commands.ports.storage import NotThere, Storage, UnitOfWork

MOST = 200  # messages that one look at the dead-letter list prints
_ONCE = "Keep it now: it is not shown again."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """An organization, open for one command."""

    storage: Storage
    uow: UnitOfWork
    caller: Actor
    now: datetime


@asynccontextmanager
async def _working(settings: Settings, organization: str) -> AsyncIterator[_Work]:
    async with opened_organization(settings, organization) as (storage, clock, found), storage.transaction() as uow:
        caller = Actor(organization_id=found.id, origin="cli")
        yield _Work(storage=storage, uow=uow, caller=caller, now=clock.now())


async def create_key(settings: Settings, organization: str, *, name: str, days: int) -> list[str]:
    """Make a key of the API."""
    async with _working(settings, organization) as work:
        life = timedelta(days=days) if days else None
        key, text = await hosting.make_key(work.uow, work.caller, name=name, life=life, now=work.now)
    return [text.reveal(), f"Key {to_wire(key.id)}, “{key.name}”. {_ONCE}"]


async def list_keys(settings: Settings, organization: str) -> list[str]:
    """Every key, also those that ended."""
    async with _working(settings, organization) as work:
        keys = await work.uow.api_keys.all(work.caller.organization_id)
        return [_key_line(key, work.now) for key in keys] or ["There are no keys."]


async def end_key(settings: Settings, organization: str, key: str) -> list[str]:
    """Revoke a key. Raises OperatorError."""
    async with _working(settings, organization) as work:
        if not await hosting.revoke_key(work.uow, work.caller, ApiKeyId(_id(key)), work.now):
            raise OperatorError("There is no such key that works; `lapsebot api-key list` shows them")
    return ["The key is revoked: it opens nothing any more."]


async def add_address(settings: Settings, organization: str, *, url: str, connection: str) -> list[str]:
    """Tell an address of lapses. Raises OperatorError."""
    try:
        checked = checked_url(url, private=settings.webhook_private)
    except ValueError as error:
        raise OperatorError(f"That does not work: {error}") from None
    connection_id = ConnectionId(_id(connection)) if connection else None
    async with _working(settings, organization) as work:
        if connection_id is not None:
            try:
                await work.uow.connections.get(work.caller.organization_id, connection_id)
            except NotThere:
                raise OperatorError(f"There is no connection {connection}") from None
        added = await hosting.add_endpoint(work.uow, work.caller, checked, connection_id=connection_id, now=work.now)
    if added is None:
        raise OperatorError("There is such an address already; `lapsebot webhooks list` shows it")
    endpoint, secret = added
    return [secret.reveal(), f"Endpoint {to_wire(endpoint.id)}. Its messages are signed with this secret. {_ONCE}"]


async def list_addresses(settings: Settings, organization: str) -> list[str]:
    """Every address, with how it fares."""
    async with _working(settings, organization) as work:
        endpoints = await work.uow.webhooks.endpoints(work.caller.organization_id)
    return [_endpoint_line(endpoint) for endpoint in endpoints] or ["Nobody is told by webhook."]


async def remove_address(settings: Settings, organization: str, endpoint: str) -> list[str]:
    """Tell an address nothing more. Raises OperatorError."""
    async with _working(settings, organization) as work:
        if not await hosting.remove_endpoint(work.uow, work.caller, EndpointId(_id(endpoint)), work.now):
            raise _no_endpoint()
    return ["It is removed, with its messages."]


async def rotate_address(settings: Settings, organization: str, endpoint: str) -> list[str]:
    """Give an address a new secret. Raises OperatorError."""
    async with _working(settings, organization) as work:
        secret = await hosting.rotate_endpoint(work.uow, work.caller, EndpointId(_id(endpoint)), work.now)
    if secret is None:
        raise _no_endpoint()
    return [secret.reveal(), f"For a day messages are signed with the one before as well. {_ONCE}"]


async def enable_address(settings: Settings, organization: str, endpoint: str) -> list[str]:
    """Send to a disabled address again. Raises OperatorError."""
    async with _working(settings, organization) as work:
        if not await hosting.enable_endpoint(work.uow, work.caller, EndpointId(_id(endpoint)), work.now):
            raise OperatorError("There is no such endpoint that is disabled; `lapsebot webhooks list` shows them")
    return ["It is told again. What was given up meanwhile: `lapsebot webhooks replay` sends it."]


async def list_dead(settings: Settings, organization: str) -> list[str]:
    """The messages that were given up, the latest first."""
    async with _working(settings, organization) as work:
        dead = await work.uow.webhooks.messages(work.caller.organization_id, state=MessageState.DEAD, limit=MOST + 1)
    lines = [
        f"{to_wire(one.id)}  {one.created_at:%Y-%m-%d %H:%M}Z  {one.type}  to {to_wire(one.endpoint_id)}, "
        f"{one.attempts} tries: {one.last_error}"
        for one in dead[:MOST]
    ]
    more = [f"And more: these are the latest {MOST}."] if len(dead) > MOST else []
    return [*lines, *more] or ["Nothing was given up."]


async def replay(settings: Settings, organization: str, message: str) -> list[str]:
    """Send again what was given up. Raises OperatorError."""
    message_id = WebhookMessageId(_id(message)) if message else None
    async with _working(settings, organization) as work:
        organization_id = work.caller.organization_id
        number = await work.uow.webhooks.replay(organization_id, at=work.now, message_id=message_id)
    if not number:
        raise OperatorError(
            "Nothing can be sent again; those of a disabled endpoint wait for `lapsebot webhooks enable`"
        )
    return [f"{number:,} sent again from now on."]


async def add_reporter(settings: Settings, organization: str, name: str) -> list[str]:
    """Take signed reports from a place."""
    async with _working(settings, organization) as work:
        source, secret = await hosting.add_source(work.uow, work.caller, name, work.now)
    address = f"{settings.public_url}/api/v1/inbound/{to_wire(source.id)}"
    return [secret.reveal(), f"Post reports, signed with this secret, to {address}", _ONCE]


async def list_reporters(settings: Settings, organization: str) -> list[str]:
    """Every place that reports come from."""
    async with _working(settings, organization) as work:
        sources = await work.uow.sources.all(work.caller.organization_id)
    return [
        f"{to_wire(one.id)}  {one.name}  since {one.created_at:%Y-%m-%d}{'  revoked' if one.revoked_at else ''}"
        for one in sources
    ] or ["Nobody reports by signed webhook."]


async def rotate_reporter(settings: Settings, organization: str, source: str) -> list[str]:
    """Give a place a new secret. Raises OperatorError."""
    async with _working(settings, organization) as work:
        secret = await hosting.rotate_source(work.uow, work.caller, SourceId(_id(source)), work.now)
    if secret is None:
        raise OperatorError("There is no such source; `lapsebot reports list` shows them")
    return [secret.reveal(), f"For a day the one before counts as well. {_ONCE}"]


async def revoke_reporter(settings: Settings, organization: str, source: str) -> list[str]:
    """Take no more reports from a place. Raises OperatorError."""
    async with _working(settings, organization) as work:
        if not await hosting.revoke_source(work.uow, work.caller, SourceId(_id(source)), work.now):
            raise OperatorError("There is no such source that works; `lapsebot reports list` shows them")
    return ["Reports from there are refused from now on."]


def _key_line(key: ApiKey, now: datetime) -> str:
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}Z" if key.last_used_at else "never used"
    end = f"ends {key.expires_at:%Y-%m-%d}" if key.expires_at else "without an end"
    if not key.works(now):
        end = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "expired"
    return f"{to_wire(key.id)}  {key.name}  made {key.created_at:%Y-%m-%d}, {used}, {end}"


def _endpoint_line(endpoint: Endpoint) -> str:
    of = f"  of connection {to_wire(endpoint.connection_id)} alone" if endpoint.connection_id else ""
    fares = "works"
    if endpoint.failing_since is not None:
        fares = f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M}Z"
    if endpoint.disabled_at is not None:
        fares = f"disabled: {endpoint.disabled_why}"
    return f"{to_wire(endpoint.id)}  {endpoint.url}{of}  {fares}"


def _no_endpoint() -> OperatorError:
    return OperatorError("There is no such endpoint; `lapsebot webhooks list` shows them")


def _id(text: str) -> UUID:
    try:
        return from_wire(text.removeprefix("msg_"))
    except ValueError:
        raise OperatorError(f"“{text}” is not an id; the list shows them") from None
