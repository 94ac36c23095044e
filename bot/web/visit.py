"""Who is at the page of a link: its own person, or the page for whoever else it is."""

from dataclasses import dataclass

from aiohttp import web

from bot.web.place import Place, place_of_link
from bot.web.sign_in import introduction_page, sign_in_page
from bot.web.site import SITE, leads_nowhere, page, see_other
from commands.linking import doubled, introduce, member_in, write_refusal
from commands.model import Person
from commands.ports.reconnecting import Link, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The link's own person, at its page."""

    place: Place
    link: Link
    session: Session
    person: Person


async def visit_of(request: web.Request) -> Visit | web.Response:
    """Who is at the page; or the page for whoever it is not for."""
    site = request.app[SITE]
    place = await place_of_link(site, request.match_info["locator"])
    if place is None or place.link is None:
        return leads_nowhere(request)
    session = await site.session(request)
    if session is None:
        if request.method == "POST":
            raise see_other(request, place.path)
        return sign_in_page(request, place)
    visitor = await member_in(site.services, session, place.organization_id)
    if visitor is None:
        introduction = await introduce(site.services, site.platforms, session, place.organization_id)
        if introduction.candidate is None:
            await write_refusal(site.services, place.link, session, None)
        return introduction_page(request, place, session, introduction)
    if visitor.person.id != place.link.person_id:
        twins = await doubled(site.services, site.platforms, session, visitor)
        if twins is not None and twins.candidate is not None and twins.candidate.id == place.link.person_id:
            return introduction_page(request, place, session, twins)
        await write_refusal(site.services, place.link, session, visitor.person)
        return page(request, "not_yours.html", session=session, status=403, place=place)
    return Visit(place=place, link=place.link, session=session, person=visitor.person)
