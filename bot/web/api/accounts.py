"""Connections, clients and people: read, and taken in by the rules of the CSV import (A-3)."""

from collections.abc import Mapping

from bot.importing import Importer, Row, RowOutcome, RowResult
from bot.importing_people import PeopleImporter
from bot.web.api.calls import Call, Problem, checked
from bot.web.api.models import (
    ClientIn,
    ClientsIn,
    ConnectionIn,
    ConnectionsIn,
    ConnectionsQuery,
    PageQuery,
    PeopleIn,
    PersonIn,
)
from bot.webhooks.bodies import Json, connection_json, lapse_json, time_text
from commands.auditing import entry
from commands.handlers.roles import ROLE_NAMES
from commands.hosting import address_of
from commands.ids import ClientId, ConnectionId, new_id, to_wire
from commands.model import Client, ConnectionState, ConnectionView, Filter, Scope

_AT_ONCE = 50  # rows written in one transaction


async def add_connections(call: Call) -> Json:
    """Take connections in; each has its own result, in the order sent."""
    sent = call.sent(ConnectionsIn)
    items = sent.connections
    api, services = call.api, call.api.services
    importer = Importer(
        storage=services.storage,
        clock=services.clock,
        by=call.caller,
        specs=api.specs.values(),
        private=api.private,
    )
    results: dict[int, RowResult] = {}
    rows: list[Row] = []
    first_seen: dict[tuple[str, str], int] = {}
    for place, item in enumerate(items):
        try:
            row = importer.row(place, checked(ConnectionIn, item).model_dump())
            earlier = first_seen.setdefault((row.network, row.account_id), place)
            if earlier != place:
                raise ValueError(f"repeats the account of item {earlier}")
        except ValueError as error:
            results[place] = RowResult(outcome=RowOutcome.REFUSED, reason=str(error))
        else:
            rows.append(row)
    for start in range(0, len(rows), _AT_ONCE):
        async with call.api.services.storage.transaction() as uow:
            for row in rows[start : start + _AT_ONCE]:
                results[row.line] = await importer.write(uow, row, update=sent.update)
    counts = {outcome.value: str(sum(one.outcome is outcome for one in results.values())) for outcome in RowOutcome}
    async with call.api.services.storage.transaction() as uow:
        written = entry(call.caller, call.api.services.clock.now(), "imported connections", "by the API", **counts)
        await uow.audit.write(written)
    return {"results": [_row_json(place, results[place]) for place in range(len(items))]}


async def list_connections(call: Call) -> Json:
    """A part of the list, what needs connecting first."""
    asked = call.asked(ConnectionsQuery)
    states = (asked.state,) if asked.state is not None else tuple(ConnectionState)
    wanted = Filter(
        network=asked.network or None, client=asked.client or None, states=states, search=asked.search or None
    )
    async with call.api.services.storage.reading() as uow:
        page = await uow.connections.page(call.organization_id, Scope(), wanted, offset=asked.offset, limit=asked.limit)
    return {"connections": [_view_json(call, view) for view in page.rows], "total": page.total}


async def read_connection(call: Call) -> Json:
    """One connection, with its open lapse and its own address."""
    view = await _view(call)
    async with call.api.services.storage.reading() as uow:
        address = await address_of(uow, call.organization_id, view.connection.id)
    return {**_view_json(call, view), "webhook_url": address.url if address is not None else None}


async def list_lapses(call: Call) -> Json:
    """A connection's lapses, the latest first, each with its gap (X-9)."""
    asked, view = call.asked(PageQuery), await _view(call)
    async with call.api.services.storage.reading() as uow:
        lapses = await uow.lapses.history(
            call.organization_id, view.connection.id, limit=asked.limit, offset=asked.offset
        )
        filled = await uow.host_reports.filled(call.organization_id, [lapse.id for lapse in lapses])
        people = await uow.people.many(call.organization_id, [one.ended_by for one in lapses if one.ended_by])
    spec = call.api.spec(view.connection.network)
    return {
        "lapses": [
            lapse_json(
                lapse,
                spec,
                restorer=people.get(lapse.ended_by) if lapse.ended_by else None,
                filled=filled.get(lapse.id),
            )
            for lapse in lapses
        ]
    }


async def list_clients(call: Call) -> Json:
    """All clients, by name."""
    async with call.api.services.storage.reading() as uow:
        clients = await uow.clients.all(call.organization_id)
    return {"clients": [{"id": to_wire(client.id), "name": client.name} for client in clients]}


async def add_clients(call: Call) -> Json:
    """Add clients; those that there are (without case) stay as they are."""
    results: list[Json] = []
    for place, item in enumerate(call.sent(ClientsIn).clients):
        try:
            name = checked(ClientIn, item).name
        except ValueError as error:
            results.append({"index": place, "outcome": "refused", "reason": str(error)})
            continue
        async with call.api.services.storage.transaction() as uow:
            fresh = ClientId(new_id(call.api.services.clock.now()))
            client_id = await uow.clients.ensure(Client(id=fresh, organization_id=call.organization_id, name=name))
        outcome = "added" if client_id == fresh else "known"
        results.append({"index": place, "outcome": outcome, "id": to_wire(client_id)})
    return {"results": results}


async def list_people(call: Call) -> Json:
    """A part of the people, by name, those who left included."""
    asked = call.asked(PageQuery)
    async with call.api.services.storage.reading() as uow:
        people = await uow.people.page(call.organization_id, offset=asked.offset, limit=asked.limit)
        clients = {client.id: client.name for client in await uow.clients.all(call.organization_id)}
    return {
        "people": [
            {
                "id": to_wire(person.id),
                "name": person.name,
                "email": person.email,
                "role": ROLE_NAMES[person.role],
                "clients": None
                if person.client_ids is None
                else sorted(clients[one] for one in person.client_ids if one in clients),
                "left_at": time_text(person.left_at),
            }
            for person in people
        ]
    }


async def add_people(call: Call) -> Json:
    """Take people in; who is there already gets the role and clients that are sent."""
    services = call.api.services
    importer = PeopleImporter(storage=services.storage, clock=services.clock, by=call.caller)
    results: list[Json] = []
    seen: dict[str, int] = {}
    for place, item in enumerate(call.sent(PeopleIn).people):
        try:
            person = checked(PersonIn, item)
            earlier = seen.setdefault(person.email.lower(), place)
            if earlier != place:
                raise ValueError(f"repeats the address of item {earlier}")
            if any("," in name or ";" in name for name in person.clients):
                raise ValueError("a client's name here may hold no comma or semicolon")
        except ValueError as error:
            results.append({"index": place, "outcome": "refused", "reason": str(error)})
            continue
        values = {**person.model_dump(exclude={"clients"}), "clients": ";".join(person.clients)}
        outcome, reason = await importer.take_item(values)
        results.append({"index": place, "outcome": outcome, **({"reason": reason} if reason else {})})
    return {"results": results}


async def _view(call: Call) -> ConnectionView:
    async with call.api.services.storage.reading() as uow:
        view = await uow.connections.view(call.organization_id, ConnectionId(call.id()))
    if view is None:
        raise Problem(404, "There is no such connection in your organization.")
    return view


def _view_json(call: Call, view: ConnectionView) -> Json:
    spec = call.api.spec(view.connection.network)
    lapse = lapse_json(view.open_lapse, spec) if view.open_lapse is not None else None
    return {**connection_json(view, spec), "lapse": lapse}


def _row_json(place: int, result: RowResult) -> Mapping[str, object]:
    found: dict[str, object] = {"index": place, "outcome": result.outcome.value}
    if result.connection_id is not None:
        found["id"] = to_wire(result.connection_id)
    if result.reason:
        found["reason"] = result.reason
    return found
