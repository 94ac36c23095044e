"""Accepting the business that an account moved to, and looking again at what a login would not mend (R-7, A-6)."""

from dataclasses import dataclass

from aiohttp import web

from bot.web.attempts import OwnAttempt, own_attempt
from bot.web.site import SITE, last_value, leads_nowhere, page, read_fields, read_form, see_other
from bot.web.visit import Visit, visit_of
from commands.access import Act, may, may_see
from commands.command import Services
from commands.comparison import AccountResult
from commands.drawing import network_name
from commands.ids import to_wire
from commands.linking import origin_of
from commands.model import ConnectionView, Parent, Person
from commands.moves import Accepted, NothingToAccept, accept_move, read_move, try_again
from commands.outcomes import Outcome, OutcomeRow
from commands.ports.reconnecting import Attempt, Session
from commands.ports.storage import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFacts:
    """What the page says: a question, how it was answered (`done`), or that there is nothing to ask (`stale`)."""

    view: ConnectionView
    back: str
    """Where the reader came from, or goes on to."""
    path: str = ""
    """Where the answer is sent."""
    came_from: Parent | None = None
    to: Parent | None = None
    together: tuple[ConnectionView, ...] = ()
    account: str = ""
    """The account's id, where the address does not say which it is."""
    done: Accepted | None = None
    stale: bool = False


async def show(request: web.Request) -> web.StreamResponse:
    """Ask whether the move of a link's account was meant. Changes nothing."""
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    async with request.app[SITE].services.storage.reading() as uow:
        view = await _linked(uow, visit)
        if view is None:
            return leads_nowhere(request)
        move = await read_move(uow, visit.person, view)
    path, back = f"{visit.place.path}/move", visit.place.path
    if move is None or not move.may_accept or move.to is None:
        return _page(request, visit.session, MoveFacts(view=view, back=back, stale=True))
    asked = MoveFacts(view=view, path=path, back=back, came_from=move.came_from, to=move.to, together=move.together)
    return _page(request, visit.session, asked)


async def accept(request: web.Request) -> web.StreamResponse:
    """Accept it, and say how many accounts work under the new business."""
    site = request.app[SITE]
    fields = await read_fields(request, await site.session(request))
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    async with site.services.storage.reading() as uow:
        view = await _linked(uow, visit)
    if view is None:
        return leads_nowhere(request)
    done = await _accept(site.services, visit.person, visit.session, view, last_value(fields, "to"))
    return _page(request, visit.session, MoveFacts(view=view, back=visit.place.path, done=done, stale=done is None))


async def check(request: web.Request) -> web.StreamResponse:
    """Have a link's account checked now, and go back to its page, which says what came of it (D-8)."""
    site = request.app[SITE]
    await read_form(request, await site.session(request))
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    async with site.services.storage.reading() as uow:
        view = await _linked(uow, visit)
    if view is None or not may(visit.person, Act.CHECK, view):
        return leads_nowhere(request)
    if view.connection.authorization_id is not None:
        await site.services.checker.check(visit.link.organization_id, view.connection.authorization_id)
    else:
        await try_again(site.services, visit.person, view)
    raise see_other(request, visit.place.path)


async def show_seen(request: web.Request) -> web.StreamResponse:
    """Ask the same of an account that a login just saw under another business. Changes nothing."""
    found = await _seen(request, request.query.get("account", ""))
    if isinstance(found, web.Response):
        return found
    own, view, to = found
    back = f"/a/{to_wire(own.attempt.id)}"
    there = view.connection.parent
    if not may(own.person, Act.ACCEPT_MOVE, view) or (there is not None and there.id == to.id):
        return _page(request, own.session, MoveFacts(view=view, back=back, stale=True))
    account = view.connection.account_id
    asked = MoveFacts(view=view, path=f"{back}/move", back=back, came_from=there, to=to, account=account)
    return _page(request, own.session, asked)


async def accept_seen(request: web.Request) -> web.StreamResponse:
    """Accept what a login saw."""
    site = request.app[SITE]
    fields = await read_fields(request, await site.session(request))
    found = await _seen(request, last_value(fields, "account"))
    if isinstance(found, web.Response):
        return found
    own, view, to = found
    async with site.services.storage.reading() as uow:
        locator = await uow.links.locator(own.attempt.organization_id, own.attempt.link_id)
    to_id = last_value(fields, "to")
    done = await _accept(site.services, own.person, own.session, view, to_id, seen_by_login=to)
    back = f"/r/{locator}" if locator and done is not None else f"/a/{to_wire(own.attempt.id)}"
    return _page(request, own.session, MoveFacts(view=view, back=back, done=done, stale=done is None))


async def _linked(uow: UnitOfWork, visit: Visit) -> ConnectionView | None:
    """The account of the page's link, if its person may see it."""
    link = visit.link
    view = await uow.connections.view(link.organization_id, link.connection_id) if link.connection_id else None
    return view if view is not None and may_see(visit.person, view.connection) else None


async def _seen(request: web.Request, account_id: str) -> tuple[OwnAttempt, ConnectionView, Parent] | web.Response:
    """The attempt of the address, and the account of its outcome that was seen under another business."""
    own = await own_attempt(request)
    row = _row(own.attempt, account_id) if own is not None else None
    if own is None or row is None:
        return leads_nowhere(request)
    async with request.app[SITE].services.storage.reading() as uow:
        views = await uow.connections.of_accounts(own.attempt.organization_id, own.attempt.network, [account_id])
    if not views or not may_see(own.person, views[0].connection):
        return leads_nowhere(request)
    return own, views[0], Parent(id=row.moved_to_id, name=row.moved_to_name)


def _row(attempt: Attempt, account_id: str) -> OutcomeRow | None:
    """What the attempt's login saw of the account, where that was under another business; shortened ids are none."""
    if attempt.outcome is None or not account_id or account_id.endswith("…"):
        return None
    moved = (row for row in Outcome.from_json(attempt.outcome).rows if row.result is AccountResult.MOVED)
    found = next((row for row in moved if row.account_id == account_id), None)
    return found if found is not None and found.moved_to_id and not found.moved_to_id.endswith("…") else None


async def _accept(
    services: Services,
    person: Person,
    session: Session,
    view: ConnectionView,
    to_id: str,
    *,
    seen_by_login: Parent | None = None,
) -> Accepted | None:
    try:
        return await accept_move(
            services, person, origin_of(session), view.connection.id, to_id=to_id, seen_by_login=seen_by_login
        )
    except NothingToAccept:
        return None


def _page(request: web.Request, session: Session, facts: MoveFacts) -> web.Response:
    network = network_name(request.app[SITE].services.networks, facts.view.connection.network)
    status = 409 if facts.stale else 200
    return page(request, "move.html", session=session, status=status, network=network, m=facts)
