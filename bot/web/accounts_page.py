"""The page of a personal link (R-13): its person's own accounts, without a chat account.

Opening the address shows nothing and changes nothing. The first press binds it to this browser, and begins a session
that proves the link and ends with it.
"""

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from bot.web.security import SESSION, new_secret, pass_cookie
from bot.web.site import SITE, Site, leads_nowhere, page, read_form, see_other
from bot.web.words import MARKS, words_of
from commands.access import may_reconnect, may_see, scope_of
from commands.causes import cause_text
from commands.choosing import clients_of
from commands.drawing import mark_of, mending_label, network_name, open_lapse, spec_of, state_line, term_is_over
from commands.ids import AuthorizationId, ConnectionId, LinkId, from_wire, new_id, to_wire
from commands.linking import Visitor, member_in
from commands.model import ConnectionState, ConnectionView, Filter
from commands.passes import SESSION_LIFE, find_pass, open_accounts, pass_path
from commands.ports.reconnecting import Link, Pass, PassPurpose, Session
from commands.ports.storage import UnitOfWork
from commands.secret import hashed

AT_ONCE = 50
"""Accounts on one page."""
LISTED = (ConnectionState.LAPSED, ConnectionState.UNCONNECTED, ConnectionState.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account, as the list shows it (C-12)."""

    view: ConnectionView
    mark: str
    state: Markup
    """In words, with its error."""
    term_over: bool
    advice: str
    """What has to be put right first, where a login does not help; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accounts of one login: one press mends them all."""

    network: str
    login: str
    """Who logged in last time; empty where nobody has."""
    rows: tuple[AccountRow, ...]
    label: str
    """What the button says; empty: nothing is needed, or nothing helps."""
    connection: str
    """The account that the button names, by its id on the wire."""


async def show(request: web.Request) -> web.StreamResponse:
    """Show the list in the browser that opened it; anywhere else, a button and nothing of the person's."""
    site, secret = request.app[SITE], request.match_info["secret"]
    one = await find_pass(site.services, PassPurpose.ACCOUNTS, secret)
    if one is None:
        return leads_nowhere(request, PassPurpose.ACCOUNTS)
    session = await site.session(request)
    visitor = await _holder(site, session, one)
    if session is None or visitor is None:
        return page(request, "open_accounts.html", session=session, path=request.path)
    return await _list_page(request, session, visitor)


async def act(request: web.Request) -> web.StreamResponse:
    """Open the list in this browser, or go on to reconnect, or to connect new accounts."""
    site, secret = request.app[SITE], request.match_info["secret"]
    session = await site.session(request)
    fields = await read_form(request, session)
    one = await find_pass(site.services, PassPurpose.ACCOUNTS, secret)
    if one is None:
        return leads_nowhere(request, PassPurpose.ACCOUNTS)
    visitor = await _holder(site, session, one)
    if visitor is None or "open" in fields:
        return await _open(request, one, secret, session)
    link = await _link(site, visitor, fields)
    if link is None:
        see_other(request, request.path)
    async with site.services.storage.transaction() as uow:
        locator = await uow.links.ensure(link)
    raise web.HTTPSeeOther(site.href(f"/r/{locator}"))


async def _open(request: web.Request, one: Pass, secret: str, before: Session | None) -> web.Response:
    site, kind, now = request.app[SITE], pass_cookie(secret), request.app[SITE].services.clock.now()
    browser, proof = site.cookies.read(request, kind) or new_secret(), new_secret()
    session = await open_accounts(
        site.services, one, browser_hash=hashed(browser), session_hash=hashed(proof), before=before
    )
    if session is None:
        return page(request, "other_browser.html", session=before, status=403)
    response = web.HTTPSeeOther(site.href(pass_path(PassPurpose.ACCOUNTS, secret)))
    site.cookies.set(response, kind, browser, life=int((one.expires_at - now).total_seconds()))
    site.cookies.set(response, SESSION, proof, life=int(SESSION_LIFE.total_seconds()))
    raise response


async def _holder(site: Site, session: Session | None, one: Pass) -> Visitor | None:
    """Who the list is for, if this session proves just this link."""
    if session is None or session.id != one.id:
        return None
    return await member_in(site.services, session, one.organization_id)


async def _link(site: Site, visitor: Visitor, fields: dict[str, str]) -> Link | None:
    """The link that a button asks for; None for what was never offered. The link's own page asks everything anew."""
    now, person = site.services.clock.now(), visitor.person
    connection_id, network = None, fields.get("network")
    if network is None:
        try:
            connection_id = ConnectionId(from_wire(fields.get("connection", "")))
        except ValueError:
            return None
        async with site.services.storage.reading() as uow:
            view = await uow.connections.view(person.organization_id, connection_id)
        if view is None or not may_see(person, view.connection):
            return None
    elif network not in site.services.networks:
        return None
    return Link(
        id=LinkId(new_id(now)),
        organization_id=person.organization_id,
        person_id=person.id,
        connection_id=connection_id,
        network=network,
        created_at=now,
    )


async def _list_page(request: web.Request, session: Session, visitor: Visitor) -> web.Response:
    site, person = request.app[SITE], visitor.person
    number = _page_number(request)
    async with site.services.storage.reading() as uow:
        found = await uow.connections.page(
            person.organization_id,
            scope_of(person),
            Filter(person_id=person.id, states=LISTED),
            offset=(number - 1) * AT_ONCE,
            limit=AT_ONCE,
        )
        may_connect = (await clients_of(uow, person)).any
        waiting = await _number_waiting(uow, visitor)
    zone = person.time_zone or visitor.organization.time_zone
    return page(
        request,
        "accounts.html",
        session=session,
        zone=zone,
        visitor=visitor,
        groups=_groups(site, visitor, found.rows, zone),
        total=found.total,
        waiting=waiting,
        number=number,
        pages=max(1, -(-found.total // AT_ONCE)),
        path=request.path,
        networks=sorted((network.spec.name, slug) for slug, network in site.services.networks.items()),
        may_connect=may_connect,
    )


async def _number_waiting(uow: UnitOfWork, visitor: Visitor) -> int:
    person = visitor.person
    waiting = Filter(person_id=person.id)
    return (await uow.connections.page(person.organization_id, scope_of(person), waiting, offset=0, limit=1)).total


def _page_number(request: web.Request) -> int:
    text = request.query.get("page", "1")
    return min(max(1, int(text)), 100_000) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _groups(site: Site, visitor: Visitor, views: tuple[ConnectionView, ...], zone: str) -> list[Group]:
    """By login, in the list's order; what was never connected may need a login each."""
    by_login: dict[AuthorizationId | ConnectionId, list[ConnectionView]] = {}
    for view in views:
        waits = view.connection.state is ConnectionState.UNCONNECTED or view.connection.authorization_id is None
        key = view.connection.id if waits else view.connection.authorization_id
        by_login.setdefault(key or view.connection.id, []).append(view)
    return [_group(site, visitor, together, zone) for together in by_login.values()]


def _group(site: Site, visitor: Visitor, views: list[ConnectionView], zone: str) -> Group:
    now, networks, person = site.services.clock.now(), site.services.networks, visitor.person
    mendable = [view for view in views if mending_label(view, now) and may_reconnect(person, view).allowed]
    first = views[0]
    label = (mending_label(mendable[0], now) or "") if mendable else ""
    return Group(
        network=network_name(networks, first.connection.network),
        login=first.authorization.subject_name if first.authorization else "",
        rows=tuple(_row(site, visitor, view, zone) for view in views),
        label=label,
        connection=to_wire(mendable[0].connection.id) if mendable else "",
    )


def _row(site: Site, visitor: Visitor, view: ConnectionView, zone: str) -> AccountRow:
    now, lapse = site.services.clock.now(), open_lapse(view)
    helps = may_reconnect(visitor.person, view).allowed
    spec = spec_of(site.services.networks, view.connection.network)
    return AccountRow(
        view=view,
        mark=MARKS[mark_of(view, now)],
        state=words_of(state_line(view, now), zone),
        term_over=term_is_over(view),
        advice=cause_text(spec, lapse.cause).mend if lapse is not None and not helps else "",
    )
