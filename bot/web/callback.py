"""Where a network sends the browser back: an attempt's state is used up once, by the browser that it is bound to."""

import logging

from aiohttp import web

from bot.web.security import login_cookie
from bot.web.site import SITE, Site, page, see_other
from commands.ids import to_wire
from commands.outcomes import Outcome, OutcomeKind
from commands.ports.reconnecting import Attempt, Session
from commands.secret import hashed

logger = logging.getLogger(__name__)


async def receive(request: web.Request) -> web.StreamResponse:
    """Finish the attempt, then go to a clean address: this one holds a code."""
    site, query = request.app[SITE], request.query
    state = query.get("state", "")
    if not state or len(set(query)) != len(query):
        return page(request, "callback_refused.html", status=400)
    session = await site.session(request)
    browser = site.cookies.read(request, login_cookie(state)) or ""
    attempt = await site.services.storage.directory.use_attempt(
        state_hash=hashed(state), browser_hash=hashed(browser), now=site.services.clock.now()
    )
    if attempt is None:
        return await _not_used(request, state, session)
    if attempt.network != request.match_info["network"]:
        logger.warning("an answer for %s came on another network's path", attempt.network)
        await _give_up(site, attempt, session, OutcomeKind.FOREIGN_ANSWER)
    elif session is None or session.id != attempt.session_id:
        await _give_up(site, attempt, session, OutcomeKind.SIGNED_OUT)
        return page(request, "callback_refused.html", session=session, status=403)
    elif attempt.connection_id is not None:
        await site.reconnecting.finish(attempt, session, dict(query))
    else:
        await site.connecting.finish(attempt, session, dict(query))
    response = _to_result(request, attempt)
    site.cookies.drop(response, login_cookie(state))
    raise response


async def _give_up(site: Site, attempt: Attempt, session: Session | None, kind: OutcomeKind) -> None:
    if attempt.connection_id is not None:
        await site.reconnecting.give_up(attempt, session, kind)
    else:
        await site.connecting.give_up(attempt, session, Outcome(kind=kind))


async def _not_used(request: web.Request, state: str, session: Session | None) -> web.Response:
    """Used, replaced, expired, unknown, or another browser's: only the session that opened it hears which."""
    attempt = await request.app[SITE].services.storage.directory.attempt_of_state(hashed(state))
    if attempt is None or session is None or session.id != attempt.session_id:
        return page(request, "callback_refused.html", session=session, status=400)
    raise _to_result(request, attempt, again=True)


def _to_result(request: web.Request, attempt: Attempt, *, again: bool = False) -> web.HTTPSeeOther:
    """New accounts are to be chosen first; the result's page leads there."""
    path = f"/a/{to_wire(attempt.id)}" + ("?again=1" if again else "")
    return see_other(request, path)
