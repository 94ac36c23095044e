"""Everything that the API can be asked, and the OpenAPI document that is made from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from bot.web.api import accounts, addresses, reporting
from bot.web.api.calls import Call, Fields, Operation
from bot.web.api.models import (
    AddressIn,
    ClientIn,
    ClientsIn,
    ConnectionIn,
    ConnectionsIn,
    ConnectionsQuery,
    InboundIn,
    MessagesQuery,
    PageQuery,
    PeopleIn,
    PersonIn,
    ReplayIn,
    ReportIn,
    ReportsIn,
)
from bot.webhooks.bodies import Json
from commands.ids import to_wire

INBOUND = "/inbound/{id}"
OPENAPI = "/openapi.json"
_RESULTS = "`results`, one for each item in its order: `index`, `outcome`, and `reason` where it was refused"


async def who(call: Call) -> Json:
    """Whose key this is."""
    async with call.api.services.storage.reading() as uow:
        organization = await uow.organizations.get(call.organization_id)
    return {"id": to_wire(organization.id), "name": organization.name}


OPERATIONS: Sequence[Operation] = (
    Operation(method="GET", path="/organization", summary="Whose key this is", handler=who, answer="`id` and `name`"),
    Operation(
        method="GET",
        path="/connections",
        summary="List connections, what needs connecting first",
        handler=accounts.list_connections,
        query=ConnectionsQuery,
        answer="`connections`, each with its open `lapse` or null, and `total`",
    ),
    Operation(
        method="POST",
        path="/connections",
        summary="Add connections, or give known ones another name, client or webhook address",
        handler=accounts.add_connections,
        body=ConnectionsIn,
        items=ConnectionIn,
        answer=f"{_RESULTS}; `outcome` is added, changed, known or refused; `id` is the connection's",
    ),
    Operation(
        method="GET",
        path="/connections/{id}",
        summary="Read one connection",
        handler=accounts.read_connection,
        answer="the connection, its open `lapse` or null, its own `webhook_url` or null",
    ),
    Operation(
        method="GET",
        path="/connections/{id}/lapses",
        summary="List a connection's lapses, each with its gap",
        handler=accounts.list_lapses,
        query=PageQuery,
        answer="`lapses`, the latest first; `gap` says what to fetch again",
    ),
    Operation(
        method="PUT",
        path="/connections/{id}/webhook",
        summary="Give a connection its own webhook address",
        handler=addresses.set_own_address,
        body=AddressIn,
        answer="the endpoint, with its `secret` where it is new",
    ),
    Operation(
        method="DELETE",
        path="/connections/{id}/webhook",
        summary="Take a connection's own webhook address away",
        handler=addresses.remove_own_address,
        answer="`removed`",
    ),
    Operation(method="GET", path="/clients", summary="List clients", handler=accounts.list_clients, answer="`clients`"),
    Operation(
        method="POST",
        path="/clients",
        summary="Add clients",
        handler=accounts.add_clients,
        body=ClientsIn,
        items=ClientIn,
        answer=f"{_RESULTS}; `outcome` is added, known or refused",
    ),
    Operation(
        method="GET",
        path="/people",
        summary="List people",
        handler=accounts.list_people,
        query=PageQuery,
        answer="`people`, by name",
    ),
    Operation(
        method="POST",
        path="/people",
        summary="Add people, or change their role and clients",
        handler=accounts.add_people,
        body=PeopleIn,
        items=PersonIn,
        answer=f"{_RESULTS}; `outcome` is added, changed, known or refused",
    ),
    Operation(
        method="POST",
        path="/reports",
        summary="Report lapses, restorations and filled gaps of connections that you hold",
        handler=reporting.take_reports,
        body=ReportsIn,
        items=ReportIn,
        answer=f"{_RESULTS}; `repeated` says that the same `event_id` was taken before",
    ),
    Operation(
        method="GET",
        path="/webhook-endpoints",
        summary="List the addresses that are told of lapses",
        handler=addresses.list_endpoints,
        answer="`endpoints`, with how each fares",
    ),
    Operation(
        method="POST",
        path="/webhook-endpoints",
        summary="Tell an address of lapses",
        handler=addresses.add_endpoint,
        body=AddressIn,
        answer="the endpoint with its `secret`, which is not shown again",
    ),
    Operation(
        method="DELETE",
        path="/webhook-endpoints/{id}",
        summary="Tell an address nothing more",
        handler=addresses.remove_endpoint,
        answer="`removed`",
    ),
    Operation(
        method="POST",
        path="/webhook-endpoints/{id}/rotate",
        summary="Give an endpoint a new secret",
        handler=addresses.rotate_secret,
        answer="the new `secret`, and until when messages are signed with the old one too",
    ),
    Operation(
        method="POST",
        path="/webhook-endpoints/{id}/enable",
        summary="Send to a disabled endpoint again",
        handler=addresses.enable_endpoint,
        answer="`enabled`",
    ),
    Operation(
        method="GET",
        path="/webhook-messages",
        summary="List messages; with state=dead those that were given up",
        handler=addresses.list_messages,
        query=MessagesQuery,
        answer="`messages`, the latest first",
    ),
    Operation(
        method="POST",
        path="/webhook-messages/replay",
        summary="Send again what was given up",
        handler=addresses.replay,
        body=ReplayIn,
        answer="`replayed`, how many",
    ),
)


def openapi(public_url: str) -> Mapping[str, object]:
    """The OpenAPI 3.1 document."""
    sent: list[type[Fields]] = [InboundIn]
    for operation in OPERATIONS:
        sent += [kind for kind in (operation.body, operation.items) if kind is not None]
    _, schemas = models_json_schema(
        [(kind, "validation") for kind in dict.fromkeys(sent)], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    paths[INBOUND] = {"post": _inbound()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "lapsebot", "version": "1"},
        "servers": [{"url": f"{public_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas["$defs"], "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


_ERROR: Mapping[str, object] = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "What is wrong, and what to do."}},
    "required": ["error"],
}


def _described(operation: Operation) -> Mapping[str, object]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {"200": {"description": operation.answer}, "default": _failed()},
    }
    parameters = _in_path(operation.path)
    if operation.query is not None:
        properties = operation.query.model_json_schema()["properties"]
        parameters += [{"name": name, "in": "query", "schema": _plain(schema)} for name, schema in properties.items()]
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        found["requestBody"] = _body(operation.body)
    return found


def _inbound() -> Mapping[str, object]:
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    parameters = [{"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in headers]
    return {
        "operationId": "post_inbound",
        "summary": "Report by signed webhook (Standard Webhooks); no key",
        "security": [],
        "parameters": [*_in_path(INBOUND), *parameters],
        "requestBody": _body(InboundIn),
        "responses": {"200": {"description": "`outcome` and `repeated`"}, "default": _failed()},
    }


def _in_path(path: str) -> list[dict[str, object]]:
    if "{id}" not in path:
        return []
    return [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A query's value; its closed sets are named in words, since they hold references into the query's own schema."""
    return {name: value for name, value in schema.items() if name not in ("anyOf", "$ref")} or {"type": "string"}


def _body(kind: type[Fields]) -> Mapping[str, object]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _failed() -> Mapping[str, object]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": "A sentence that says what to do", "content": {"application/json": {"schema": schema}}}
