"""The link of a fire drill (X-12): one press says that it arrived. Needs no sign-in, shows nothing of anybody."""

from aiohttp import web

from bot.web.site import SITE, leads_nowhere, page
from commands.handlers.drilling import note_answer
from commands.ids import DrillId, from_wire
from commands.passes import DRILL, find_pass
from commands.ports.reconnecting import PassPurpose


async def show(request: web.Request) -> web.StreamResponse:
    """Offer the button. Mail gateways open every link: opening confirms nothing."""
    one = await find_pass(request.app[SITE].services, PassPurpose.DRILL, request.match_info["secret"])
    if one is None:
        return leads_nowhere(request, PassPurpose.DRILL)
    return page(request, "drill.html", keeps_cookies=False, path=request.path, said="")


async def confirm(request: web.Request) -> web.StreamResponse:
    """Note the press. The address alone is the authority, and this is all that it can do; twice is fine."""
    services = request.app[SITE].services
    one = await find_pass(services, PassPurpose.DRILL, request.match_info["secret"])
    if one is None or DRILL not in one.data:
        return leads_nowhere(request, PassPurpose.DRILL)
    async with services.storage.transaction() as uow:
        person = await uow.people.get(one.organization_id, one.person_id)
        drill_id = DrillId(from_wire(one.data[DRILL]))
        said = await note_answer(uow, person, drill_id, services.clock.now(), origin="drill link")
    if said is None:
        return leads_nowhere(request, PassPurpose.DRILL)
    return page(request, "drill.html", keeps_cookies=False, path=request.path, said=said)
