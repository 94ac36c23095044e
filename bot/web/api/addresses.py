"""Where the host product hears of lapses: endpoints, their secrets, and what was given up (R-12, A-7)."""

from bot.web.api.calls import Call, Problem, wire_id
from bot.web.api.models import AddressIn, MessagesQuery, ReplayIn
from bot.webhooks.bodies import Json, time_text
from bot.webhooks.guard import checked_url
from commands import hosting
from commands.auditing import entry
from commands.ids import ConnectionId, EndpointId, WebhookMessageId, to_wire
from commands.ports.hosting import Endpoint, WebhookMessage
from commands.ports.storage import NotThere
from commands.standard_webhooks import OLD_SECRET_COUNTS


async def list_endpoints(call: Call) -> Json:
    """Every endpoint, with how it fares; no secrets."""
    async with call.api.services.storage.reading() as uow:
        endpoints = await uow.webhooks.endpoints(call.organization_id)
    return {"endpoints": [_endpoint_json(endpoint) for endpoint in endpoints]}


async def add_endpoint(call: Call) -> Json:
    """Tell an address of everything; its secret is in this answer alone."""
    url, now = _url(call), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        added = await hosting.add_endpoint(uow, call.caller, url, now=now)
    if added is None:
        raise Problem(409, "Your organization has an endpoint with this address already.")
    endpoint, secret = added
    return {**_endpoint_json(endpoint), "secret": secret.reveal()}


async def remove_endpoint(call: Call) -> Json:
    """Tell an endpoint nothing more."""
    endpoint_id, now = EndpointId(call.id()), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        if not await hosting.remove_endpoint(uow, call.caller, endpoint_id, now):
            raise _no_endpoint()
    return {"removed": True}


async def rotate_secret(call: Call) -> Json:
    """Give an endpoint a new secret, which is in this answer alone."""
    endpoint_id, now = EndpointId(call.id()), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        secret = await hosting.rotate_endpoint(uow, call.caller, endpoint_id, now)
    if secret is None:
        raise _no_endpoint()
    return {"secret": secret.reveal(), "old_secret_until": time_text(now + OLD_SECRET_COUNTS)}


async def enable_endpoint(call: Call) -> Json:
    """Send to a disabled endpoint again."""
    endpoint_id, now = EndpointId(call.id()), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        if not await hosting.enable_endpoint(uow, call.caller, endpoint_id, now):
            raise Problem(409, "There is no such endpoint that is disabled.")
    return {"enabled": True}


async def set_own_address(call: Call) -> Json:
    """Give a connection its own address, or another one; the secret where it is new."""
    connection_id, url = ConnectionId(call.id()), _url(call)
    async with call.api.services.storage.transaction() as uow:
        try:
            await uow.connections.get(call.organization_id, connection_id)
        except NotThere:
            raise Problem(404, "There is no such connection in your organization.") from None
        now = call.api.services.clock.now()
        endpoint, secret = await hosting.own_address(uow, call.caller, connection_id, url, now)
    return {**_endpoint_json(endpoint), "url": url, **({"secret": secret.reveal()} if secret else {})}


async def remove_own_address(call: Call) -> Json:
    """Tell of a connection where the organization is told of the others."""
    connection_id, now = ConnectionId(call.id()), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        endpoint = await hosting.address_of(uow, call.organization_id, connection_id)
        if endpoint is None:
            raise Problem(404, "This connection has no address of its own.")
        await hosting.remove_endpoint(uow, call.caller, endpoint.id, now)
    return {"removed": True}


async def list_messages(call: Call) -> Json:
    """Messages, the latest first; with state=dead, the dead-letter list."""
    asked = call.asked(MessagesQuery)
    endpoint_id = EndpointId(wire_id(asked.endpoint_id)) if asked.endpoint_id else None
    async with call.api.services.storage.reading() as uow:
        messages = await uow.webhooks.messages(
            call.organization_id,
            state=asked.state,
            endpoint_id=endpoint_id,
            limit=asked.limit,
            offset=asked.offset,
        )
    return {"messages": [_message_json(message) for message in messages]}


async def replay(call: Call) -> Json:
    """Send again what was given up, under the same ids."""
    sent, now = call.sent(ReplayIn), call.api.services.clock.now()
    async with call.api.services.storage.transaction() as uow:
        number = await uow.webhooks.replay(
            call.organization_id,
            at=now,
            message_id=WebhookMessageId(wire_id(sent.message_id)) if sent.message_id else None,
            endpoint_id=EndpointId(wire_id(sent.endpoint_id)) if sent.endpoint_id else None,
        )
        await uow.audit.write(entry(call.caller, now, "webhook.replayed", "webhook messages", number=str(number)))
    return {"replayed": number}


def _url(call: Call) -> str:
    try:
        return checked_url(call.sent(AddressIn).url, private=call.api.private)
    except ValueError as error:
        raise Problem(422, f"url: {error}.") from None


def _no_endpoint() -> Problem:
    return Problem(404, "There is no such endpoint in your organization.")


def _endpoint_json(endpoint: Endpoint) -> Json:
    return {
        "id": to_wire(endpoint.id),
        "url": endpoint.url,
        "connection_id": to_wire(endpoint.connection_id) if endpoint.connection_id else None,
        "created_at": time_text(endpoint.created_at),
        "failing_since": time_text(endpoint.failing_since),
        "disabled_at": time_text(endpoint.disabled_at),
        "disabled_why": endpoint.disabled_why or None,
    }


def _message_json(message: WebhookMessage) -> Json:
    return {
        "id": f"msg_{to_wire(message.id)}",
        "endpoint_id": to_wire(message.endpoint_id),
        "type": message.type,
        "state": message.state.value,
        "created_at": time_text(message.created_at),
        "attempts": message.attempts,
        "next_at": time_text(message.next_at) if message.finished_at is None else None,
        "last_status": message.last_status,
        "last_error": message.last_error or None,
    }
