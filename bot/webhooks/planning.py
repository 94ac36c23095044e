"""Makes messages for the host product from events, in the transaction that plans notices of them (R-12).

An event is planned once, so that an endpoint gets at most one message of it, whatever is killed when.
"""

from collections.abc import Mapping, Sequence

from bot.notices.desk import Desk
from bot.webhooks.bodies import TYPES, body_of
from commands.ids import ConnectionId, LapseId, PersonId, WebhookMessageId, new_id
from commands.model import ConnectionView, Person
from commands.ports.events import Event
from commands.ports.hosting import Endpoint, MessageState, WebhookMessage


async def put_messages(desk: Desk, events: Sequence[Event]) -> None:
    """Write a message of each event for each endpoint that hears of its connection. A connection with an address of
    its own is told there and nowhere else (A-7); a disabled endpoint's go to the dead-letter list at once.
    """
    told = [event for event in events if event.kind in TYPES and event.connection_id is not None]
    connection_ids = list(dict.fromkeys(event.connection_id for event in told if event.connection_id is not None))
    endpoints = await desk.uow.webhooks.hearing_of(desk.organization_id, connection_ids) if told else ()
    if not endpoints:
        return
    views = await _views(desk, told)
    people = await desk.people(view.lapse.ended_by for view in views.values() if view.lapse is not None)
    messages = []
    for event in told:
        view = views.get(event.lapse_id or event.connection_id)
        if view is not None:
            messages += [_message(desk, event, view, endpoint, people) for endpoint in _hearing(endpoints, event)]
    await desk.uow.webhooks.add_messages(messages)


async def _views(desk: Desk, events: Sequence[Event]) -> Mapping[LapseId | ConnectionId | None, ConnectionView]:
    lapse_ids = list(dict.fromkeys(event.lapse_id for event in events if event.lapse_id is not None))
    plain = list(
        dict.fromkeys(event.connection_id for event in events if event.lapse_id is None and event.connection_id)
    )
    found: dict[LapseId | ConnectionId | None, ConnectionView] = {}
    if lapse_ids:
        for view in await desk.uow.lapses.views(desk.organization_id, lapse_ids):
            if view.lapse is not None:
                found[view.lapse.id] = view
    if plain:
        for view in await desk.uow.connections.views(desk.organization_id, plain):
            found[view.connection.id] = view
    return found


def _hearing(endpoints: Sequence[Endpoint], event: Event) -> Sequence[Endpoint]:
    own = [one for one in endpoints if one.connection_id == event.connection_id]
    return own or [one for one in endpoints if one.connection_id is None]


def _message(
    desk: Desk, event: Event, view: ConnectionView, endpoint: Endpoint, people: Mapping[PersonId, Person]
) -> WebhookMessage:
    network = desk.networks.get(view.connection.network)
    ended_by = view.lapse.ended_by if view.lapse is not None else None
    restorer = people.get(ended_by) if ended_by is not None else None
    is_disabled = endpoint.disabled_at is not None
    return WebhookMessage(
        id=WebhookMessageId(new_id(desk.now)),
        organization_id=desk.organization_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        type=TYPES[event.kind],
        body=body_of(event, view, network.spec if network is not None else None, restorer),
        created_at=desk.now,
        next_at=desk.now,
        state=MessageState.DEAD if is_disabled else MessageState.DUE,
        last_error="the endpoint is disabled" if is_disabled else "",
        finished_at=desk.now if is_disabled else None,
    )
