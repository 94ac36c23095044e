"""The page of a link for connecting accounts that are new here (C-7): which network, for whom, what to check first."""

from aiohttp import web

from bot.web import hosted_page, key_page
from bot.web.security import LOGIN_COOKIE_LIFE, login_cookie, new_secret
from bot.web.site import SITE, leads_nowhere, page, see_other
from bot.web.visit import Visit
from commands.connecting import Invitation
from commands.ids import to_wire
from commands.ports.network import NetworkKind
from commands.round_trip import NotStarted, Started
from commands.secret import hashed


async def show(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Say what will happen. Opening or prefetching it changes nothing."""
    return _invitation_page(request, visit, await request.app[SITE].connecting.look(visit.link, visit.person))


async def start(request: web.Request, visit: Visit, *, again: bool) -> web.StreamResponse:
    """Open an attempt and go on to the network's login."""
    site, browser = request.app[SITE], new_secret()
    started = await site.connecting.start(
        visit.link, visit.person, visit.session, browser_hash=hashed(browser), again=again
    )
    if isinstance(started, NotStarted):
        raise see_other(request, f"/a/{to_wire(started.attempt_id)}")
    if not isinstance(started, Started):
        return _invitation_page(request, visit, started)
    response = web.HTTPSeeOther(started.url)
    site.cookies.set(response, login_cookie(started.state), browser, life=LOGIN_COOKIE_LIFE)
    raise response


def _invitation_page(request: web.Request, visit: Visit, invitation: Invitation | None) -> web.Response:
    if invitation is None:
        return leads_nowhere(request)
    spec = invitation.spec
    if spec is not None and spec.kind is NetworkKind.API_KEY:
        return key_page.invitation_page(request, visit, invitation)
    if spec is not None and spec.kind is NetworkKind.HOSTED:
        return hosted_page.invitation_page(request, visit, invitation)
    return page(
        request,
        "connect.html",
        session=visit.session,
        forms_to=[request.app[SITE].reconnecting.login_address(spec.slug)] if spec else [],
        i=invitation,
        place=visit.place,
    )
