"""The edge: headers on every answer of ours, a page for every error, and an end to whatever takes too long."""

import asyncio
import logging
import secrets

from aiohttp import web

from bot.web.security import headers
from bot.web.site import FORMS_TO, SITE, FormRefused, Handler, leads_nowhere, page

logger = logging.getLogger(__name__)

TIME_LIMIT = 60.0
"""Seconds for an answer: a login's exchange asks the network a few times, each with a shorter limit of its own."""


@web.middleware
async def pages_for_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into a page that tells a stranger nothing."""
    if not _ours(request):
        return await handler(request)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            return await handler(request)
    except web.HTTPException as error:
        return _refused(request, error)
    except FormRefused:
        return page(request, "form_refused.html", status=403)
    except TimeoutError:
        return _unexpected(request, "took too long", status=503)
    except Exception:  # noqa: BLE001 - the pages' edge: whatever it is, a person is waiting for an answer
        return _unexpected(request, "failed", status=500)


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the security headers on every answer of ours; what is mounted beside us brings its own."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if _ours(request):
            _secure(request, error)
        raise
    if _ours(request):
        _secure(request, response)
    return response


def _ours(request: web.Request) -> bool:
    """Whether the answer is this application's own, rather than one mounted under it."""
    return SITE in request.match_info.apps[-1]


def _secure(request: web.Request, response: web.StreamResponse) -> None:
    site = request.match_info.apps[-1][SITE]
    for name, value in headers(https=site.https, forms_to=request.get(FORMS_TO, ())).items():
        response.headers.setdefault(name, value)


def _refused(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    if error.status == 404:
        return leads_nowhere(request)
    response = page(request, "refused_request.html", status=error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _unexpected(request: web.Request, what: str, *, status: int) -> web.Response:
    """One line of log with an id, and a page with that. The address may hold a code or a locator: left out."""
    reference = secrets.token_hex(4)
    resource = request.match_info.route.resource
    logger.exception("%s %s %s, reference %s", request.method, resource.canonical if resource else "?", what, reference)
    return page(request, "unexpected.html", status=status, reference=reference)
