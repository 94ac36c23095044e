"""How an attempt ended: what is back, or what is wrong, what to check, a way on. For the session that opened it."""

from datetime import datetime

from aiohttp import web

from bot.web.attempts import own_attempt
from bot.web.site import SITE, leads_nowhere, page, see_other
from commands.access import is_administrator, may_see
from commands.causes import cause_text
from commands.gaps import gap_sentences, last_gap
from commands.ids import to_wire
from commands.keys import by_hand
from commands.model import CLEAR_LAPSES
from commands.outcomes import Outcome
from commands.ports.reconnecting import Attempt, Stand
from commands.ports.storage import UnitOfWork
from commands.rehearsal import checklist, helpers_of, sentences
from commands.wording import shown


async def show(request: web.Request) -> web.StreamResponse:
    """Show the outcome that was written down when the network's answer was settled. Only reads."""
    site = request.app[SITE]
    own = await own_attempt(request)
    if own is None:
        return leads_nowhere(request)
    attempt, person = own.attempt, own.person
    now, view = site.services.clock.now(), None
    async with site.services.storage.reading() as uow:
        if attempt.connection_id is not None:
            view = await uow.connections.view(attempt.organization_id, attempt.connection_id)
            if view is None or not may_see(person, view.connection):
                return leads_nowhere(request)
        elif attempt.outcome is None and await uow.attempts.kept(attempt.organization_id, attempt.id, now):
            raise see_other(request, f"/choose/{to_wire(attempt.id)}")
        locator = await uow.links.locator(attempt.organization_id, attempt.link_id)
        helpers = await helpers_of(uow, person, view)
        waiting = await by_hand(uow, site.services.networks, person, view) if view and attempt.outcome else ()
        stand, taker = await _read_stand(uow, attempt)
        network = site.services.networks.get(attempt.network)
        spec = network.spec if network else None
        gap = await last_gap(uow, view.connection, spec) if view and attempt.outcome else None
    if locator is None:
        return leads_nowhere(request)
    outcome = Outcome.from_json(attempt.outcome) if attempt.outcome else None
    refusal = outcome.verdict if outcome and outcome.verdict in CLEAR_LAPSES else None
    return page(
        request,
        "result.html",
        session=own.session,
        zone=person.zone_in(own.visitor.organization),
        gap=gap_sentences(gap, spec.name if spec else attempt.network, now) if gap else (),
        forms_to=[site.reconnecting.login_address(attempt.network)] if network else [],
        o=outcome,
        again="again" in request.query,
        attempt_wire=request.match_info["attempt"],
        view=view,
        administers=is_administrator(person),
        network=spec.name if spec else attempt.network,
        spec=spec,
        checklist=() if spec is None else checklist(spec, view, person) if view else sentences(spec, {}),
        refusal=cause_text(spec, refusal) if spec and refusal else None,
        helpers=helpers,
        by_hand=waiting if outcome and outcome.stored else (),
        network_names={slug: each.spec.name for slug, each in site.services.networks.items()},
        link_path=f"/r/{locator}",
        stand=_stand(attempt, stand, now) if outcome is None else "",
        taker=taker,
        ended_at=stand.closed_at if stand else None,
    )


async def _read_stand(uow: UnitOfWork, attempt: Attempt) -> tuple[Stand | None, str]:
    """How far an attempt without an outcome got, and the name of whoever took over from its person."""
    stand = await uow.attempts.stand(attempt.organization_id, attempt.id) if attempt.outcome is None else None
    if stand is None or stand.ended_by is None or stand.ended_by == attempt.person_id:
        return stand, ""
    return stand, shown((await uow.people.get(attempt.organization_id, stand.ended_by)).name)


def _stand(attempt: Attempt, stand: Stand | None, now: datetime) -> str:
    """What an attempt without an outcome comes to, as the template names it (R-17, R-18)."""
    closed_at = stand.closed_at if stand else None
    if stand is None or min(closed_at or now, now) >= attempt.expires_at:
        return "expired"
    if closed_at is None:
        return "coming_back" if stand.came_back else "at_network"
    if stand.ended_by is None:
        return "over"
    return "begun_anew" if stand.ended_by == attempt.person_id else "taken_over"
