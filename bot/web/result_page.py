"""How an attempt ended: what is back, or what is wrong, what to check, a way on. For the session that opened it."""

from aiohttp import web

from bot.web.site import SITE, Site, leads_nowhere, page
from commands.access import may_see
from commands.causes import cause_text
from commands.ids import AttemptId, LinkId, from_wire, new_id
from commands.linking import memberships
from commands.model import CLEAR_LAPSES
from commands.outcomes import Outcome
from commands.ports.reconnecting import Attempt, Link, Session
from commands.ports.storage import Member
from commands.rehearsal import checklist, helpers_of


async def show(request: web.Request) -> web.StreamResponse:
    """Show the outcome that was written down when the network's answer was settled."""
    site = request.app[SITE]
    session = await site.session(request)
    found = await _attempt(site, session, request.match_info["attempt"])
    if found is None or session is None:
        return leads_nowhere(request)
    attempt, member = found
    now = site.services.clock.now()
    async with site.services.storage.transaction() as uow:
        view = await uow.connections.view(attempt.organization_id, attempt.connection_id)
        if view is None or not may_see(member.person, view.connection):
            return leads_nowhere(request)
        locator = await uow.links.ensure(  # it is there already, and so only its address is given: GET changes nothing
            Link(
                id=LinkId(new_id(now)),
                organization_id=attempt.organization_id,
                person_id=attempt.person_id,
                connection_id=attempt.connection_id,
                created_at=now,
            )
        )
        helpers = await helpers_of(uow, member.person, view)
    network = site.services.networks.get(attempt.network)
    outcome = Outcome.from_json(attempt.outcome) if attempt.outcome else None
    refusal = outcome.verdict if outcome and outcome.verdict in CLEAR_LAPSES else None
    return page(
        request,
        "result.html",
        session=session,
        zone=member.person.time_zone or member.organization.time_zone,
        forms_to=[site.reconnecting.login_address(attempt.network)] if network else [],
        o=outcome,
        again="again" in request.query,
        attempt_wire=request.match_info["attempt"],
        expired=outcome is None and attempt.expires_at <= now,
        view=view,
        network=network.spec.name if network else attempt.network,
        spec=network.spec if network else None,
        checklist=checklist(network.spec, view) if network else (),
        refusal=cause_text(network.spec, refusal) if network and refusal else None,
        helpers=helpers,
        link_path=f"/r/{locator}",
    )


async def _attempt(site: Site, session: Session | None, wire: str) -> tuple[Attempt, Member] | None:
    """The attempt, if this session opened it and is still that person."""
    try:
        attempt_id = AttemptId(from_wire(wire))
    except ValueError:
        return None
    for member in await memberships(site.services, session) if session else ():
        async with site.services.storage.reading() as uow:
            attempt = await uow.attempts.get(member.organization.id, attempt_id)
        if attempt and session and attempt.session_id == session.id and attempt.person_id == member.person.id:
            return attempt, member
    return None
