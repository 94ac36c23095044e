"""Choosing among the accounts that a login reaches (R-14). For the session that logged in, for half an hour, once."""

from functools import partial

from aiohttp import web

from bot.web.attempts import own_attempt
from bot.web.languages import language_of
from bot.web.site import SITE, Fields, leads_nowhere, page, read_fields, see_other
from bot.web.words import MARKS
from commands.choosing import Choice, Reached
from commands.connecting import Again, Unfit, Wish
from commands.drawing import mark_of, state_words
from commands.ids import to_wire
from commands.ports.reconnecting import Session

TYPED_LIMIT = 200  # characters of what is typed into a field


async def show(request: web.Request) -> web.StreamResponse:
    """Show what there is to choose from. Changes nothing."""
    found = await own_attempt(request)
    if found is None or found[0].connection_id is not None:
        return leads_nowhere(request)
    attempt, session, visitor = found
    choice = await request.app[SITE].connecting.choice(attempt, visitor.person)
    if choice is None:
        see_other(request, f"/a/{to_wire(attempt.id)}")
    return _choice_page(request, session, choice, Wish())


async def choose(request: web.Request) -> web.StreamResponse:
    """Connect what was chosen, or nothing."""
    site = request.app[SITE]
    fields = await read_fields(request, await site.session(request))
    found = await own_attempt(request)
    if found is None or found[0].connection_id is not None:
        return leads_nowhere(request)
    attempt, session, _ = found
    if "none" in fields:
        await site.connecting.decline(attempt, session)
    else:
        wish = _wish(fields)
        answer = await site.connecting.connect(attempt, session, wish)
        if isinstance(answer, Again):
            return _choice_page(request, session, answer.choice, wish, answer.unfit)
    raise web.HTTPSeeOther(site.href(f"/a/{to_wire(attempt.id)}"))


def _wish(fields: Fields) -> Wish:
    def typed(name: str) -> str:
        return "".join(fields.get(name, ())[-1:])[:TYPED_LIMIT]

    return Wish(
        accounts=frozenset(fields.get("account", ())),
        client=typed("client"),
        new_client=typed("new_client"),
        owner=typed("owner"),
    )


def _choice_page(
    request: web.Request, session: Session, choice: Choice, wish: Wish, unfit: Unfit | None = None
) -> web.Response:
    zone, now = choice.person.time_zone or choice.organization.time_zone, request.app[SITE].services.clock.now()
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
