"""The API as an application to be mounted: keys, limits, and JSON for every answer, errors included."""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from bot.delivery.pacing import Pacer
from bot.web.api import reporting
from bot.web.api.calls import API, Api, Call, Fields, Operation, Problem, checked
from bot.web.api.operations import INBOUND, OPENAPI, OPERATIONS, openapi
from bot.web.security import headers
from bot.web.site import Handler
from commands.auditing import Actor
from commands.command import Services
from commands.hosting import parts_of_key, proves
from commands.ports.chat import Pace
from commands.ports.hosting import ApiKey
from commands.ports.network import NetworkSpec
from commands.ports.storage import StorageError

logger = logging.getLogger(__name__)

PREFIX = "/api/v1"
PACE = Pace(interval=timedelta(milliseconds=100), burst=100)
"""Calls of one key, in each process: 100 at once, and 10 a second."""
TIME_LIMIT = 60.0
"""Seconds for a call: 500 items are written in many short transactions."""
USED_TO = timedelta(minutes=5)
"""How exactly a key's last use is known: a call writes nothing to the key's row more often."""


def create_api(services: Services, specs: Mapping[str, NetworkSpec], *, private: bool) -> web.Application:
    """Build the API. `specs`: every network that connections may be of; `private`: webhooks may be sent into private
    networks.
    """
    app = web.Application(middlewares=[_answered])
    app[API] = Api(services=services, specs=specs, private=private, pacer=Pacer())
    document = openapi(services.public_url)

    async def describe(_: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    async def inbound(request: web.Request) -> web.StreamResponse:
        return web.json_response(await reporting.inbound(request))

    app.router.add_get(OPENAPI, describe, allow_head=False)
    app.router.add_post(INBOUND, inbound)
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, _called(operation))
    return app


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with JSON whatever happens; an unexpected fault with an id that is in the log."""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            response = await handler(request)
    except Problem as problem:
        response = _problem(problem.status, problem.sentence, problem.headers)
    except web.HTTPException as error:
        response = _problem(error.status, _words(error), {k: v for k, v in error.headers.items() if k == "Allow"})
    except (TimeoutError, StorageError):
        logger.exception("an API call could not be carried out")
        response = _problem(503, "That did not work just now. Nothing is wrong with your call: try again in a minute.")
    except Exception:
        reference = secrets.token_hex(4)
        logger.exception("an API call failed, reference %s", reference)
        response = _problem(500, f"A fault of ours; the operator finds it in the log under {reference}.")
    response.headers.update(headers(https=request.app[API].services.public_url.startswith("https://"), forms_to=()))
    return response


def _called(operation: Operation) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        api = request.app[API]
        key = await _key(api, request)
        body = None if operation.body is None else _checked(operation.body, await _json(request))
        if operation.query is not None:
            query = _checked(operation.query, dict(request.query))
        elif request.query:
            raise Problem(400, f"This takes no parameters: leave out {', '.join(list(request.query)[:5])}.")
        else:
            query = None
        caller = Actor(organization_id=key.organization_id, origin=f"api key {key.name}")
        call = Call(api=api, request=request, caller=caller, body=body, query=query)
        return web.json_response(await operation.handler(call))

    return handle


async def _key(api: Api, request: web.Request) -> ApiKey:
    """Whose key it is. One answer for every key that opens nothing, whatever the reason."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    parts = parts_of_key(text.strip()) if scheme.lower() == "bearer" else None
    found = await api.services.storage.host.api_key(parts[0]) if parts is not None else None
    now = api.services.clock.now()
    if parts is None or found is None or not proves(found[1], parts[1]) or not found[0].works(now):
        raise Problem(
            401,
            "Send a key that works as `Authorization: Bearer KEY`; `lapsebot api-key create --org NAME` makes one.",
            {"WWW-Authenticate": "Bearer"},
        )
    key = found[0]
    turn = api.pacer.turn(key.id, PACE, now)
    if turn is not None:
        seconds = max(1, round((turn - now).total_seconds()))
        raise Problem(429, f"Too many calls at once: wait {seconds} s.", {"Retry-After": str(seconds)})
    if key.last_used_at is None or now - key.last_used_at >= USED_TO:
        await api.services.storage.host.api_key_used(key.id, now)
    return key


async def _json(request: web.Request) -> object:
    if request.content_type != "application/json":
        raise Problem(415, "Send the body as JSON, with `Content-Type: application/json`.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the body as it is, without `Content-Encoding`.")
    try:
        found: object = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON.") from None
    return found


def _checked(kind: type[Fields], values: object) -> Fields:
    try:
        return checked(kind, values)
    except ValueError as error:
        raise Problem(422, f"{error}.") from None


def _words(error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"There is nothing at this address; {PREFIX}{OPENAPI} lists what there is."
        case 405:
            return "This address takes other methods; the header Allow names them."
        case 413:
            return "The body is larger than 1 MiB; send fewer items at a time."
        case _:
            return error.reason


def _problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=dict(headers or {}))
