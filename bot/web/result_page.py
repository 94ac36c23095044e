"""How an attempt ended: what is back, or what is wrong, what to check, a way on. For the session that opened it."""

from aiohttp import web

from bot.web.attempts import own_attempt
from bot.web.site import SITE, leads_nowhere, page, see_other
from commands.access import may_see
from commands.causes import cause_text
from commands.ids import to_wire
from commands.model import CLEAR_LAPSES
from commands.outcomes import Outcome
from commands.rehearsal import checklist, helpers_of, sentences


async def show(request: web.Request) -> web.StreamResponse:
    """Show the outcome that was written down when the network's answer was settled. Only reads."""
    site = request.app[SITE]
    found = await own_attempt(request)
    if found is None:
        return leads_nowhere(request)
    attempt, session, visitor = found
    now, view = site.services.clock.now(), None
    async with site.services.storage.reading() as uow:
        if attempt.connection_id is not None:
            view = await uow.connections.view(attempt.organization_id, attempt.connection_id)
            if view is None or not may_see(visitor.person, view.connection):
                return leads_nowhere(request)
        elif attempt.outcome is None and await uow.attempts.kept(attempt.organization_id, attempt.id, now):
            see_other(request, f"/choose/{to_wire(attempt.id)}")
        locator = await uow.links.locator(attempt.organization_id, attempt.link_id)
        helpers = await helpers_of(uow, visitor.person, view)
    if locator is None:
        return leads_nowhere(request)
    network = site.services.networks.get(attempt.network)
    spec = network.spec if network else None
    outcome = Outcome.from_json(attempt.outcome) if attempt.outcome else None
    refusal = outcome.verdict if outcome and outcome.verdict in CLEAR_LAPSES else None
    return page(
        request,
        "result.html",
        session=session,
        zone=visitor.person.time_zone or visitor.organization.time_zone,
        forms_to=[site.reconnecting.login_address(attempt.network)] if network else [],
        o=outcome,
        again="again" in request.query,
        attempt_wire=request.match_info["attempt"],
        expired=outcome is None and attempt.expires_at <= now,
        view=view,
        network=spec.name if spec else attempt.network,
        spec=spec,
        checklist=() if spec is None else checklist(spec, view, visitor.person) if view else sentences(spec, {}),
        refusal=cause_text(spec, refusal) if spec and refusal else None,
        helpers=helpers,
        link_path=f"/r/{locator}",
    )
