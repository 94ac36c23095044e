"""The pages on which a key is entered by hand (R-9): of one connection, or of an account that is new here.

What is secret is read from the form, handed on, and written into no page, address or cookie.
"""

from collections.abc import Mapping

from aiohttp import web

from bot.web.attempts import own_attempt
from bot.web.site import SITE, Fields, last_value, leads_nowhere, page, read_fields, read_form, see_other
from bot.web.visit import Visit, visit_of
from commands.connecting import Invitation, Unfit, Wish
from commands.ids import ConnectionId, from_wire, to_wire
from commands.keys import Entered, Fault, Keys, by_hand, read_typed
from commands.outcomes import Outcome
from commands.ports.reconnecting import Link
from commands.reconnect import Held
from commands.rehearsal import Rehearsal

_FIELD = "field_"
_NO_TEXT: Mapping[str, str] = {}
_NO_FAULT: Mapping[str, Fault] = {}
_REFUSED = 422


async def enter(request: web.Request) -> web.StreamResponse:
    """Try what was entered."""
    fields = await read_fields(request, await request.app[SITE].session(request))
    visit = await visit_of(request)
    if isinstance(visit, web.Response):
        return visit
    if visit.link.network is not None:
        return await _connect(request, visit, fields)
    return await _reconnect(request, visit, fields)


async def _reconnect(request: web.Request, visit: Visit, fields: Fields) -> web.StreamResponse:
    site = request.app[SITE]
    rehearsal = await site.reconnecting.look(visit.link, visit.person)
    if rehearsal is None:
        return leads_nowhere(request)
    if rehearsal.spec is None or rehearsal.spec.key_form is None:
        raise see_other(request, visit.place.path)
    form = rehearsal.spec.key_form
    typed = read_typed(form, _given(fields))
    again = typed.again(form)
    if typed.faults:
        return rehearsal_page(request, visit, rehearsal, typed=again, faults=typed.faults, status=_REFUSED)
    entered = await Keys(site.services).reconnect(
        visit.link, visit.person, visit.session, typed, take_over="take_over" in fields
    )
    if isinstance(entered, Entered):
        if entered.is_over:
            raise see_other(request, f"/a/{to_wire(entered.attempt_id)}")
        # As it is now: what was refused may have changed what there is to say.
        rehearsal = await site.reconnecting.look(visit.link, visit.person)
        if rehearsal is None:
            return leads_nowhere(request)
        return rehearsal_page(request, visit, rehearsal, typed=again, outcome=entered.outcome, status=_REFUSED)
    if isinstance(entered, Held):
        return rehearsal_page(request, visit, entered.rehearsal, typed=again, held=entered, status=409)
    return leads_nowhere(request) if entered is None else rehearsal_page(request, visit, entered)


async def _connect(request: web.Request, visit: Visit, fields: Fields) -> web.StreamResponse:
    site = request.app[SITE]
    invitation = await site.connecting.look(visit.link, visit.person)
    if invitation is None:
        return leads_nowhere(request)
    if invitation.spec is None or invitation.spec.key_form is None:
        raise see_other(request, visit.place.path)
    form = invitation.spec.key_form
    typed, wish = read_typed(form, _given(fields)), _wish(fields)
    again = typed.again(form)
    if typed.faults:
        return invitation_page(request, visit, invitation, typed=again, wish=wish, faults=typed.faults, status=_REFUSED)
    entered = await Keys(site.services).connect(visit.link, visit.person, visit.session, typed, wish)
    if isinstance(entered, Entered):
        if entered.is_over:
            raise see_other(request, f"/a/{to_wire(entered.attempt_id)}")
        return invitation_page(
            request, visit, invitation, typed=again, wish=wish, outcome=entered.outcome, status=_REFUSED
        )
    if isinstance(entered, Unfit):
        return invitation_page(request, visit, invitation, typed=again, wish=wish, unfit=entered, status=_REFUSED)
    return leads_nowhere(request) if entered is None else invitation_page(request, visit, entered)


async def go_on(request: web.Request) -> web.StreamResponse:
    """From the end of a login to the form of a key that it could not bring back (R-8)."""
    site = request.app[SITE]
    fields = await read_form(request, await site.session(request))
    own = await own_attempt(request)
    if own is None:
        return leads_nowhere(request)
    try:
        wanted = ConnectionId(from_wire(fields.get("connection", "")))
    except ValueError:
        return leads_nowhere(request)
    async with site.services.storage.transaction() as uow:
        view = None
        if own.attempt.connection_id is not None:
            view = await uow.connections.view(own.attempt.organization_id, own.attempt.connection_id)
        waiting = await by_hand(uow, site.services.networks, own.person, view) if view is not None else ()
        chosen = next((one for one in waiting if one.connection.id == wanted), None)
        if chosen is None:
            return leads_nowhere(request)
        person, now = own.person, site.services.clock.now()
        link = Link.new(person.organization_id, person.id, now, connection_id=chosen.connection.id)
        locator = await uow.links.ensure(link)
    raise see_other(request, f"/r/{locator}")


def rehearsal_page(
    request: web.Request,
    visit: Visit,
    rehearsal: Rehearsal,
    *,
    typed: Mapping[str, str] = _NO_TEXT,
    faults: Mapping[str, Fault] = _NO_FAULT,
    outcome: Outcome | None = None,
    held: Held | None = None,
    status: int = 200,
) -> web.Response:
    """The form for one connection, or why there is none; with what was typed before, but nothing secret."""
    return page(
        request,
        "key.html",
        session=visit.session,
        status=status,
        zone=visit.person.zone_in(rehearsal.organization),
        r=rehearsal,
        place=visit.place,
        typed=typed,
        faults=faults,
        o=outcome,
        held=held,
    )


def invitation_page(
    request: web.Request,
    visit: Visit,
    invitation: Invitation,
    *,
    typed: Mapping[str, str] = _NO_TEXT,
    wish: Wish | None = None,
    faults: Mapping[str, Fault] = _NO_FAULT,
    unfit: Unfit | None = None,
    outcome: Outcome | None = None,
    status: int = 200,
) -> web.Response:
    """The form for an account that is new here."""
    return page(
        request,
        "key_connect.html",
        session=visit.session,
        status=status,
        i=invitation,
        place=visit.place,
        clients=[(to_wire(client.id), client.name) for client in invitation.clients.existing],
        typed=typed,
        wish=wish or Wish(),
        faults=faults,
        unfit=unfit.value if unfit else "",
        o=outcome,
    )


def _given(fields: Fields) -> Mapping[str, str]:
    return {name.removeprefix(_FIELD): values[-1] for name, values in fields.items() if name.startswith(_FIELD)}


def _wish(fields: Fields) -> Wish:
    return Wish(client=last_value(fields, "client"), new_client=last_value(fields, "new_client"))
