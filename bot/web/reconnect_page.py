"""The page of a Reconnect link, for its own person and nobody else. A press of its button opens an attempt."""

from dataclasses import dataclass

from aiohttp import web

from bot.web.place import Place, place_of_link
from bot.web.security import LOGIN_COOKIE_LIFE, login_cookie, new_secret
from bot.web.sign_in import introduction_page, sign_in_page
from bot.web.site import SITE, leads_nowhere, page, read_form, see_other
from commands.linking import doubled, introduce, member_in, write_refusal
from commands.model import Person
from commands.ports.reconnecting import Link, Session
from commands.reconnect import Held, Started, hashed
from commands.rehearsal import Rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The link's own person, at its page."""

    place: Place
    link: Link
    session: Session
    person: Person


async def show(request: web.Request) -> web.StreamResponse:
    """Say what is to be reconnected, why, and what to check first. Opening or prefetching it changes nothing (R-1)."""
    visit = await _visit(request)
    if isinstance(visit, web.Response):
        return visit
    rehearsal = await request.app[SITE].reconnecting.look(visit.link, visit.person)
    return _rehearsal_page(request, visit, rehearsal)


async def start(request: web.Request) -> web.StreamResponse:
    """Open an attempt and go on to the network's login."""
    site = request.app[SITE]
    fields = await read_form(request, await site.session(request))
    visit = await _visit(request)
    if isinstance(visit, web.Response):
        return visit
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
    if not isinstance(outcome, Started):
        return _rehearsal_page(request, visit, outcome)
    response = web.HTTPSeeOther(outcome.url)
    site.cookies.set(response, login_cookie(outcome.state), browser, life=LOGIN_COOKIE_LIFE)
    raise response


async def _visit(request: web.Request) -> Visit | web.Response:
    """Who is at the page; or the page for whoever it is not for."""
    site = request.app[SITE]
    place = await place_of_link(site, request.match_info["locator"])
    if place is None or place.link is None:
        return leads_nowhere(request)
    session = await site.session(request)
    if session is None:
        if request.method == "POST":
            see_other(request, place.path)
        return sign_in_page(request, place)
    member = await member_in(site.services, session, place.organization_id)
    if member is None:
        introduction = await introduce(site.services, session, place.organization_id)
        if introduction.candidate is None:
            await write_refusal(site.services, place.link, session, None)
        return introduction_page(request, place, session, introduction)
    if member.person.id != place.link.person_id:
        twins = await doubled(site.services, session, member)
        if twins is not None and twins.candidate is not None and twins.candidate.id == place.link.person_id:
            return introduction_page(request, place, session, twins)
        await write_refusal(site.services, place.link, session, member.person)
        return page(request, "not_yours.html", session=session, status=403, place=place)
    return Visit(place=place, link=place.link, session=session, person=member.person)


def _rehearsal_page(request: web.Request, visit: Visit, rehearsal: Rehearsal | None) -> web.Response:
    if rehearsal is None:
        return leads_nowhere(request)
    return page(
        request,
        "reconnect.html",
        session=visit.session,
        zone=visit.person.time_zone or rehearsal.organization.time_zone,
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
        zone=visit.person.time_zone or held.rehearsal.organization.time_zone,
        forms_to=_login(request, held.rehearsal),
        held=held,
        r=held.rehearsal,
        place=visit.place,
    )


def _login(request: web.Request, rehearsal: Rehearsal) -> list[str]:
    """Where the button leads on to, for the page's headers."""
    site = request.app[SITE]
    return [site.reconnecting.login_address(rehearsal.spec.slug)] if rehearsal.spec else []
