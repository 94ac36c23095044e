"""Choosing among the accounts that a login reaches (R-14). For the session that logged in, for half an hour, once."""

from functools import partial

from aiohttp import web

from bot.web.attempts import own_attempt
from bot.web.languages import language_of
from bot.web.site import SITE, Fields, last_value, leads_nowhere, page, read_fields, see_other
from bot.web.words import MARKS
from commands.choosing import Choice, Reached
from commands.connecting import Again, Unfit, Wish
from commands.drawing import mark_of, state_words
from commands.ids import to_wire
from commands.ports.reconnecting import Session


async def show(request: web.Request) -> web.StreamResponse:
    """Show what there is to choose from. Changes nothing."""
    own = await own_attempt(request)
    if own is None or own.attempt.connection_id is not None:
        return leads_nowhere(request)
    choice = await request.app[SITE].connecting.choice(own.attempt, own.person)
    if choice is None:
        raise see_other(request, f"/a/{to_wire(own.attempt.id)}")
    return _choice_page(request, own.session, choice, Wish())


async def choose(request: web.Request) -> web.StreamResponse:
    """Connect what was chosen, or nothing."""
    site = request.app[SITE]
    fields = await read_fields(request, await site.session(request))
    own = await own_attempt(request)
    if own is None or own.attempt.connection_id is not None:
        return leads_nowhere(request)
    if "none" in fields:
        await site.connecting.decline(own.attempt, own.session)
    else:
        wish = _wish(fields)
        answer = await site.connecting.connect(own.attempt, own.session, wish)
        if isinstance(answer, Again):
            return _choice_page(request, own.session, answer.choice, wish, answer.unfit)
    raise see_other(request, f"/a/{to_wire(own.attempt.id)}")


def _wish(fields: Fields) -> Wish:
    return Wish(
        accounts=frozenset(fields.get("account", ())),
        client=last_value(fields, "client"),
        new_client=last_value(fields, "new_client"),
        owner=last_value(fields, "owner"),
    )


def _choice_page(
    request: web.Request, session: Session, choice: Choice, wish: Wish, unfit: Unfit | None = None
) -> web.Response:
    zone, now = choice.person.zone_in(choice.organization), request.app[SITE].services.clock.now()
    tell = partial(language_of(request, "choose.html").tell, zone)
    states = {
        row.account.account_id: (MARKS[mark_of(row.view, now)], tell(state_words(row.view, now)))
        for row in choice.rows
        if row.view is not None
    }
    return page(
        request,
        "choose.html",
        session=session,
        status=200 if unfit is None else 422,
        zone=zone,
        c=choice,
        new=choice.of(Reached.NEW),
        along=choice.of(Reached.COMES_ALONG),
        here=choice.of(Reached.HERE),
        hidden=choice.of(Reached.HIDDEN),
        unreadable=choice.of(Reached.UNREADABLE),
        states=states,
        clients=[(to_wire(client.id), client.name) for client in choice.clients.existing],
        wish=wish,
        unfit=unfit.value if unfit else "",
        path=request.path,
    )
