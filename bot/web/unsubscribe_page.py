"""Ending an opt-in from an email, with one press or none (N-14, RFC 8058). Needs no sign-in, shows nobody's name."""

from aiohttp import web

from bot.web.site import SITE, form_fields, leads_nowhere, page
from commands.passes import end_opt_ins, find_pass
from commands.ports.reconnecting import PassPurpose

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The body's one field, as RFC 8058 fixes it (section 3.1)."""


async def show(request: web.Request) -> web.StreamResponse:
    """Offer the button. Mail gateways open every link: opening ends nothing."""
    one = await find_pass(request.app[SITE].services, PassPurpose.UNSUBSCRIBE, request.match_info["secret"])
    if one is None:
        return leads_nowhere(request, PassPurpose.UNSUBSCRIBE)
    return page(request, "unsubscribe.html", keeps_cookies=False, path=request.path, ended=False)


async def end(request: web.Request) -> web.StreamResponse:
    """End the opt-in, for a mail program or for the page's button: the address alone is the authority.

    From any origin, without a cookie and without a redirect, as the RFC asks; twice is fine.
    """
    services = request.app[SITE].services
    fields = await form_fields(request)
    name, value = ONE_CLICK
    one = await find_pass(services, PassPurpose.UNSUBSCRIBE, request.match_info["secret"])
    if one is None:
        return leads_nowhere(request, PassPurpose.UNSUBSCRIBE)
    if fields.get(name) != value:
        return page(request, "unsubscribe.html", status=400, keeps_cookies=False, path=request.path, ended=False)
    async with services.storage.transaction() as uow:
        await end_opt_ins(uow, one, services.clock.now())
    return page(request, "unsubscribe.html", keeps_cookies=False, path=request.path, ended=True)
