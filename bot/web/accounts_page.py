"""The page of a personal link (R-13): its person's own accounts, without a chat account.

Opening the address shows nothing and changes nothing. The first press binds it to this browser, and begins a session
that proves the link and ends with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web
from markupsafe import Markup

from bot.web.languages import Language, language_of
from bot.web.security import SESSION, new_secret, pass_cookie
from bot.web.site import SITE, Site, leads_nowhere, page, read_form, see_other
from bot.web.words import MARKS
from commands.access import may_reconnect, may_see, scope_of
from commands.causes import cause_text
from commands.choosing import clients_of
from commands.drawing import mark_of, mending_label, network_name, spec_of, state_words, term_is_over
from commands.forecast import HORIZON, own_forecast
from commands.ids import AuthorizationId, ConnectionId, from_wire, to_wire
from commands.linking import Visitor, member_in, memberships
from commands.messages import Mark
from commands.model import ConnectionState, ConnectionView, Filter
from commands.passes import SESSION_LIFE, find_pass, open_accounts, pass_path, proves_pass, was_for
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
    advice: Markup
    """What has to be put right first, where a login does not help; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accounts of one login: one press mends them all."""

    network: str
    login: str
    """Who logged in last time; empty where nobody has."""
    rows: tuple[AccountRow, ...]
    label: str | Markup
    """What the button says; empty: nothing is needed, or nothing helps."""
    connection: str
    """The account that the button names, by its id on the wire."""


async def show(request: web.Request) -> web.StreamResponse:
    """Show the list in the browser that opened it; anywhere else, a button and nothing of the person's."""
    site, secret = request.app[SITE], request.match_info["secret"]
    one = await find_pass(site.services, PassPurpose.ACCOUNTS, secret)
    if one is None:
        return await over(request, secret)
    session = await site.session(request)
    visitor = await holder_of(site, session, one)
    if session is None or visitor is None:
        return page(request, "open_accounts.html", session=session, path=request.path)
    return await _list_page(request, session, visitor, day=f"{request.path}/day")


async def show_again(request: web.Request) -> web.StreamResponse:
    """Show the list to the session that a personal link began, for the way back from its other pages."""
    found = await _holder(request)
    return await _list_page(request, *found) if found else leads_nowhere(request, PassPurpose.ACCOUNTS)


async def act_again(request: web.Request) -> web.StreamResponse:
    """Go on from there as from the link itself."""
    found = await _holder(request)
    if found is None:
        return leads_nowhere(request, PassPurpose.ACCOUNTS)
    session, visitor = found
    return await _go_on(request, visitor, await read_form(request, session))


async def act(request: web.Request) -> web.StreamResponse:
    """Open the list in this browser, or go on to reconnect, or to connect new accounts."""
    site, secret = request.app[SITE], request.match_info["secret"]
    session = await site.session(request)
    fields = await read_form(request, session)
    one = await find_pass(site.services, PassPurpose.ACCOUNTS, secret)
    if one is None:
        return await over(request, secret)
    visitor = await holder_of(site, session, one)
    if visitor is None or "open" in fields:
        return await _open(request, one, secret, session)
    return await _go_on(request, visitor, fields)


async def _go_on(request: web.Request, visitor: Visitor, fields: dict[str, str]) -> web.Response:
    """To the page of what a button asks for."""
    site = request.app[SITE]
    link = await link_asked_for(site, visitor, fields)
    if link is None:
        raise see_other(request, request.path)
    async with site.services.storage.transaction() as uow:
        locator = await uow.links.ensure(link)
    raise see_other(request, f"/r/{locator}")


async def over(request: web.Request, secret: str) -> web.Response:
    """A link that leads nowhere; one that did work once says whom to ask for another."""
    services = request.app[SITE].services
    organization_id = await was_for(services, PassPurpose.ACCOUNTS, secret)
    if organization_id is None:
        return leads_nowhere(request, PassPurpose.ACCOUNTS)
    async with services.storage.reading() as uow:
        contact = (await uow.organizations.get(organization_id)).support_contact
    return leads_nowhere(request, PassPurpose.ACCOUNTS, support_contact=contact or "")


async def _open(request: web.Request, one: Pass, secret: str, before: Session | None) -> web.Response:
    site, kind, now = request.app[SITE], pass_cookie(secret), request.app[SITE].services.clock.now()
    browser, proof = site.cookies.read(request, kind) or new_secret(), new_secret()
    session = await open_accounts(
        site.services, one, browser_hash=hashed(browser), session_hash=hashed(proof), before=before
    )
    if session is None:
        return page(request, "other_browser.html", session=before, status=403)
    response = see_other(request, pass_path(PassPurpose.ACCOUNTS, secret))
    site.cookies.set(response, kind, browser, life=int((one.expires_at - now).total_seconds()))
    site.cookies.set(response, SESSION, proof, life=int(SESSION_LIFE.total_seconds()))
    raise response


async def holder_of(site: Site, session: Session | None, one: Pass) -> Visitor | None:
    """Who the list is for, if this session proves just this link."""
    if session is None or session.id != one.id:
        return None
    return await member_in(site.services, session, one.organization_id)


async def _holder(request: web.Request) -> tuple[Session, Visitor] | None:
    """The session that a personal link began in this browser, and whose it is; None: there is none, or it is over."""
    site = request.app[SITE]
    session = await site.session(request)
    if session is None or not proves_pass(session):
        return None
    holders = await memberships(site.services, session)
    return (session, holders[0]) if holders else None


async def link_asked_for(site: Site, visitor: Visitor, fields: dict[str, str]) -> Link | None:
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
    return Link.new(person.organization_id, person.id, now, connection_id=connection_id, network=network)


async def _list_page(request: web.Request, session: Session, visitor: Visitor, *, day: str = "") -> web.Response:
    """`day`: where the days for renewing are; empty: the address of the link is not known here."""
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
        upcoming = len(await own_forecast(uow, person, site.services.clock.now()))
    zone, language = person.zone_in(visitor.organization), language_of(request, "accounts.html")
    return page(
        request,
        "accounts.html",
        session=session,
        zone=zone,
        visitor=visitor,
        groups=_groups(_Reader(site, visitor, zone, language), found.rows),
        total=found.total,
        waiting=waiting,
        upcoming=upcoming,
        days=HORIZON.days,
        day=day,
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


_NEED: Mapping[str, int] = MappingProxyType(
    {MARKS[mark]: at for at, mark in enumerate((Mark.LAPSED, Mark.RECONNECTING, Mark.UNCONNECTED, Mark.EXPIRING))}
)
"""What comes first on a page of the list: what ends soon before what works."""


class _Reader(NamedTuple):
    """Who reads the list, where, and in which language."""

    site: Site
    visitor: Visitor
    zone: str
    language: Language


def _groups(reader: _Reader, views: tuple[ConnectionView, ...]) -> list[Group]:
    """By login, the most in need first; what was never connected may need a login each."""
    by_login: dict[AuthorizationId | ConnectionId, list[ConnectionView]] = {}
    for view in views:
        waits = view.connection.state is ConnectionState.UNCONNECTED or view.connection.authorization_id is None
        key = view.connection.id if waits else view.connection.authorization_id
        by_login.setdefault(key or view.connection.id, []).append(view)
    groups = [_group(reader, together) for together in by_login.values()]
    return sorted(groups, key=lambda group: _NEED.get(group.rows[0].mark, len(_NEED)))


def _group(reader: _Reader, views: list[ConnectionView]) -> Group:
    services, person = reader.site.services, reader.visitor.person
    now, networks = services.clock.now(), services.networks
    mendable = [view for view in views if mending_label(view, networks, now) and may_reconnect(person, view).allowed]
    first = views[0]
    network = network_name(networks, first.connection.network)
    what = (mending_label(mendable[0], networks, now) or "") if mendable else ""
    return Group(
        network=network,
        login=first.authorization.subject_name if first.authorization else "",
        rows=tuple(_row(reader, view) for view in views),
        label=reader.language.say(f"{what} at %(network)s", network=network) if what else "",
        connection=to_wire(mendable[0].connection.id) if mendable else "",
    )


def _row(reader: _Reader, view: ConnectionView) -> AccountRow:
    services, tell = reader.site.services, partial(reader.language.tell, reader.zone)
    now, lapse = services.clock.now(), view.open_lapse
    helps = may_reconnect(reader.visitor.person, view).allowed
    spec = spec_of(services.networks, view.connection.network)
    return AccountRow(
        view=view,
        mark=MARKS[mark_of(view, now)],
        state=tell(state_words(view, now)),
        term_over=term_is_over(view),
        advice=tell(cause_text(spec, lapse.cause).mend) if lapse is not None and not helps else Markup(),
    )
