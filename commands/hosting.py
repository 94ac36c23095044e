"""The host product's keys, addresses and sources: made, rotated and ended, each with its entry in the audit log.

Asked by the command line and by the API alike. Who may is the caller's to know: an operator, or a key of the
organization.
"""

import hmac
import re
from datetime import datetime, timedelta

from commands.auditing import Actor, entry
from commands.ids import (
    ApiKeyId,
    ConnectionId,
    EndpointId,
    OrganizationId,
    SourceId,
    from_wire,
    new_id,
    to_wire,
)
from commands.ports.hosting import ApiKey, Endpoint, Source
from commands.ports.storage import UnitOfWork
from commands.secret import Secret, hashed, new_wire_secret
from commands.standard_webhooks import OLD_SECRET_COUNTS, new_secret

KEY_PREFIX = "lapsebot_"
_KEY = re.compile(rf"{KEY_PREFIX}([0-9A-Za-z]{{22}})_([0-9A-Za-z]{{44}})")


async def make_key(
    uow: UnitOfWork, caller: Actor, *, name: str, life: timedelta | None, now: datetime
) -> tuple[ApiKey, Secret]:
    """Make a key; its text is given here and never again."""
    secret = new_wire_secret() + new_wire_secret()  # 256 random bits
    key = ApiKey(
        id=ApiKeyId(new_id(now)),
        organization_id=caller.organization_id,
        name=name,
        created_at=now,
        expires_at=now + life if life is not None else None,
    )
    await uow.api_keys.add(key, secret_hash=hashed(secret))
    expires = key.expires_at.date().isoformat() if key.expires_at else "never"
    await uow.audit.write(entry(caller, now, "api_key.made", f"api key {to_wire(key.id)}", name=name, expires=expires))
    return key, Secret(f"{KEY_PREFIX}{to_wire(key.id)}_{secret}")


async def revoke_key(uow: UnitOfWork, caller: Actor, key_id: ApiKeyId, now: datetime) -> bool:
    """End a key at once. False if there is none that works."""
    if not await uow.api_keys.revoke(caller.organization_id, key_id, now):
        return False
    await uow.audit.write(entry(caller, now, "api_key.revoked", f"api key {to_wire(key_id)}"))
    return True


def parts_of_key(text: str) -> tuple[ApiKeyId, str] | None:
    """The id and the secret in what somebody presents as a key; None if it cannot be one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    try:
        return ApiKeyId(from_wire(found[1])), found[2]
    except ValueError:
        return None


def proves(stored_hash: bytes, secret: str) -> bool:
    """Whether a secret is the one stored, in a time that tells nothing of how near it is."""
    return hmac.compare_digest(stored_hash, hashed(secret))


async def add_endpoint(
    uow: UnitOfWork, caller: Actor, url: str, *, connection_id: ConnectionId | None = None, now: datetime
) -> tuple[Endpoint, Secret] | None:
    """Have lapses told to a checked address, the organization's or one connection's own (A-7). None if it is told there
    already. The secret is given here and never again; `rotate_endpoint` gives another.
    """
    endpoint = Endpoint(
        id=EndpointId(new_id(now)),
        organization_id=caller.organization_id,
        url=url,
        connection_id=connection_id,
        created_at=now,
    )
    secret = new_secret()
    if not await uow.webhooks.add_endpoint(endpoint, secret):
        return None
    of = {"connection": to_wire(connection_id)} if connection_id is not None else {}
    await uow.audit.write(entry(caller, now, "webhook.added", _name(endpoint.id), **of))
    return endpoint, secret


async def own_address(
    uow: UnitOfWork, caller: Actor, connection_id: ConnectionId, url: str, now: datetime
) -> tuple[Endpoint, Secret | None]:
    """Give a connection its own address, or another one (A-7); the secret where it is a new one."""
    added = await add_endpoint(uow, caller, url, connection_id=connection_id, now=now)
    if added is not None:
        return added
    endpoint = await address_of(uow, caller.organization_id, connection_id)
    if endpoint is None:
        raise ValueError("this connection's address was changed by somebody else at this moment; try again")
    if endpoint.url != url:
        await uow.webhooks.move_endpoint(caller.organization_id, endpoint.id, url)
        await uow.audit.write(entry(caller, now, "webhook.moved", _name(endpoint.id)))
    return endpoint, None


async def address_of(uow: UnitOfWork, organization_id: OrganizationId, connection_id: ConnectionId) -> Endpoint | None:
    """A connection's own address."""
    hearing = await uow.webhooks.hearing_of(organization_id, [connection_id])
    return next((one for one in hearing if one.connection_id == connection_id), None)


async def rotate_endpoint(uow: UnitOfWork, caller: Actor, endpoint_id: EndpointId, now: datetime) -> Secret | None:
    """Give an endpoint a new secret; for a day messages are signed with both. None if there is no such endpoint."""
    secret = new_secret()
    until = now + OLD_SECRET_COUNTS
    if not await uow.webhooks.rotate(caller.organization_id, endpoint_id, secret, old_until=until):
        return None
    await uow.audit.write(entry(caller, now, "webhook.rotated", _name(endpoint_id)))
    return secret


async def remove_endpoint(uow: UnitOfWork, caller: Actor, endpoint_id: EndpointId, now: datetime) -> bool:
    """Tell an endpoint nothing more, and forget its messages."""
    if not await uow.webhooks.remove_endpoint(caller.organization_id, endpoint_id):
        return False
    await uow.audit.write(entry(caller, now, "webhook.removed", _name(endpoint_id)))
    return True


async def enable_endpoint(uow: UnitOfWork, caller: Actor, endpoint_id: EndpointId, now: datetime) -> bool:
    """Send to a disabled endpoint again; what is in its dead-letter list waits for being replayed."""
    if not await uow.webhooks.enable(caller.organization_id, endpoint_id):
        return False
    await uow.audit.write(entry(caller, now, "webhook.enabled", _name(endpoint_id)))
    return True


async def add_source(uow: UnitOfWork, caller: Actor, name: str, now: datetime) -> tuple[Source, Secret]:
    """Take signed reports from a place (D-7); the secret is given here and never again."""
    source = Source(id=SourceId(new_id(now)), organization_id=caller.organization_id, name=name, created_at=now)
    secret = new_secret()
    await uow.sources.add(source, secret)
    await uow.audit.write(entry(caller, now, "source.added", f"source {to_wire(source.id)}", name=name))
    return source, secret


async def rotate_source(uow: UnitOfWork, caller: Actor, source_id: SourceId, now: datetime) -> Secret | None:
    """Give a source a new secret; for a day the one before counts as well. None if there is no such source."""
    secret = new_secret()
    until = now + OLD_SECRET_COUNTS
    if not await uow.sources.rotate(caller.organization_id, source_id, secret, old_until=until):
        return None
    await uow.audit.write(entry(caller, now, "source.rotated", f"source {to_wire(source_id)}"))
    return secret


async def revoke_source(uow: UnitOfWork, caller: Actor, source_id: SourceId, now: datetime) -> bool:
    """Take no more reports from a place."""
    if not await uow.sources.revoke(caller.organization_id, source_id, now):
        return False
    await uow.audit.write(entry(caller, now, "source.revoked", f"source {to_wire(source_id)}"))
    return True


def _name(endpoint_id: EndpointId) -> str:
    return f"webhook endpoint {to_wire(endpoint_id)}"
