"""The pages of connections that the host product holds: they say whose page comes next, and lead there."""

from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from bot.web.site import SITE, leads_nowhere, page, read_form
from bot.web.visit import Visit, visit_of
from commands.connecting import Invitation
from commands.hosted import sent_on
from commands.rehearsal import Rehearsal


async def go(request: web.Request) -> web.StreamResponse:
    """Go on to the host product's page, whose address is the declaration's."""
    site = request.app[SITE]
    await read_form(request, await site.session(request))
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    sent = await sent_on(site.services, visit.link, visit.person, visit.session)
    if isinstance(sent, str):
        raise web.HTTPSeeOther(URL(sent, encoded=True))  # as it was declared and filled in
    if sent is None or sent.spec is None or sent.spec.own_page is None:
        return leads_nowhere(request)
    return rehearsal_page(request, visit, sent)


def rehearsal_page(request: web.Request, visit: Visit, rehearsal: Rehearsal) -> web.Response:
    """What is to be mended, and where."""
    own = rehearsal.spec.own_page if rehearsal.spec is not None else None
    return page(
        request,
        "hosted.html",
        session=visit.session,
        zone=visit.person.zone_in(rehearsal.organization),
        forms_to=[own.reconnect_url] if own is not None else [],
        r=rehearsal,
        place=visit.place,
        site_of=_site_of,
    )


def invitation_page(request: web.Request, visit: Visit, invitation: Invitation) -> web.Response:
    """Where new accounts are connected."""
    return page(request, "hosted_connect.html", session=visit.session, i=invitation, site_of=_site_of)


def _site_of(url: str) -> str:
    """The host of an address, for saying where a button leads."""
    return urlsplit(url).netloc
