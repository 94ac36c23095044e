"""The page of a Reconnect link, for its own person and nobody else. A press of its button opens an attempt."""

from aiohttp import web

from bot.web import connect_page, hosted_page, key_page
from bot.web.security import LOGIN_COOKIE_LIFE, login_cookie, new_secret
from bot.web.site import SITE, leads_nowhere, page, read_form, see_other
from bot.web.visit import Visit, visit_of
from commands.ids import to_wire
from commands.ports.network import NetworkKind
from commands.reconnect import Held
from commands.rehearsal import Rehearsal
from commands.round_trip import NotStarted, Started
from commands.secret import hashed


async def show(request: web.Request) -> web.StreamResponse:
    """Say what is to be reconnected, why, and what to check first. Opening or prefetching it changes nothing (R-1)."""
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    if visit.link.network is not None:
        return await connect_page.show(request, visit)
    rehearsal = await request.app[SITE].reconnecting.look(visit.link, visit.person)
    return _rehearsal_page(request, visit, rehearsal)


async def start(request: web.Request) -> web.StreamResponse:
    """Open an attempt and go on to the network's login."""
    site = request.app[SITE]
    fields = await read_form(request, await site.session(request))
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    if visit.link.network is not None:
        return await connect_page.start(request, visit, again="again" in fields)
    browser = new_secret()
    outcome = await site.reconnecting.start(
        visit.link,
        visit.person,
        visit.session,
        browser_hash=hashed(browser),
        take_over="take_over" in fields,
        again="again" in fields,
    )
    if isinstance(outcome, Held):
        return _held_page(request, visit, outcome)
    if isinstance(outcome, NotStarted):
        raise see_other(request, f"/a/{to_wire(outcome.attempt_id)}")
    if not isinstance(outcome, Started):
        return _rehearsal_page(request, visit, outcome)
    response = web.HTTPSeeOther(outcome.url)
    site.cookies.set(response, login_cookie(outcome.state), browser, life=LOGIN_COOKIE_LIFE)
    raise response


def _rehearsal_page(request: web.Request, visit: Visit, rehearsal: Rehearsal | None) -> web.Response:
    if rehearsal is None:
        return leads_nowhere(request)
    if rehearsal.spec is not None and rehearsal.spec.kind is NetworkKind.API_KEY:
        return key_page.rehearsal_page(request, visit, rehearsal)
    if rehearsal.spec is not None and rehearsal.spec.kind is NetworkKind.HOSTED:
        return hosted_page.rehearsal_page(request, visit, rehearsal)
    return page(
        request,
        "reconnect.html",
        session=visit.session,
        zone=visit.person.zone_in(rehearsal.organization),
        forms_to=_login(request, rehearsal),
        r=rehearsal,
        place=visit.place,
    )


def _held_page(request: web.Request, visit: Visit, held: Held) -> web.Response:
    return page(
        request,
        "held.html",
        session=visit.session,
        status=409,
        zone=visit.person.zone_in(held.rehearsal.organization),
        forms_to=_login(request, held.rehearsal),
        held=held,
        r=held.rehearsal,
        place=visit.place,
    )


def _login(request: web.Request, rehearsal: Rehearsal) -> list[str]:
    """Where the button leads on to, for the page's headers."""
    site = request.app[SITE]
    return [site.reconnecting.login_address(rehearsal.spec.slug)] if rehearsal.spec else []
