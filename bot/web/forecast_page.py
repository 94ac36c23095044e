"""Reconnect day (X-7): one's own logins that end within 90 days, each with its button, by sittings; and its calendar.

For somebody signed in, and for the holder of a personal link in the browser that it is bound to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

from bot.web.accounts_page import holder_of, link_asked_for
from bot.web.calendar_file import calendar_of
from bot.web.place import DAY, place_of_workspace
from bot.web.sign_in import sign_in_page
from bot.web.site import SITE, Site, leads_nowhere, page, read_form, see_other
from commands.auditing import Actor, entry
from commands.drawing import network_name
from commands.forecast import HORIZON, Sitting, own_forecast, sittings
from commands.ids import PersonId, to_wire
from commands.linking import Visitor, member_in, origin_of
from commands.passes import PAGE, find_pass, make_pass, pass_path
from commands.ports.forecasting import EndingLogin
from commands.ports.reconnecting import PassPurpose, Session
from commands.wording import shown
from commands.zones import first_known_zone

LATELY = timedelta(hours=24)
"""What was renewed this recently stands on the page as done."""
NAMED = 3  # clients that a login names


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """One login, as the page shows it."""

    network: str
    subject: str
    ends_at: datetime
    accounts: int
    clients: str
    connection: str
    """One of its accounts, by its id on the wire."""
    first: bool = False
    """The one to begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingRow:
    """One sitting."""

    at: datetime
    minutes: int
    logins: tuple[LoginRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """Somebody at their own page."""

    session: Session
    visitor: Visitor
    back: str
    """Their list, where the page has one to go back to."""
    by: PersonId | None = None
    """Who made the personal link by which they are there."""


async def show(request: web.Request) -> web.StreamResponse:
    """Show what is due. Changes nothing."""
    found = await _there(request)
    return await _page(request, found) if isinstance(found, _There) else found


async def act(request: web.Request) -> web.StreamResponse:
    """Go on to renew one login, or make the address of the calendar."""
    site = request.app[SITE]
    fields = await read_form(request, await site.session(request))
    found = await _there(request)
    if not isinstance(found, _There):
        return found
    if "calendar" in fields:
        return await _page(request, found, calendar=await _calendar(request, found))
    link = await link_asked_for(site, found.visitor, {"connection": fields.get("connection", "")})
    if link is None:
        raise see_other(request, request.path)
    async with site.services.storage.transaction() as uow:
        locator = await uow.links.ensure(link)
    raise see_other(request, f"/r/{locator}")


async def calendar_file(request: web.Request) -> web.StreamResponse:
    """The calendar of a pass, as it is now. Changes nothing, however often it is asked for."""
    services = request.app[SITE].services
    one = await find_pass(services, PassPurpose.CALENDAR, request.match_info["secret"])
    if one is None:
        return leads_nowhere(request, PassPurpose.CALENDAR)
    now = services.clock.now()
    async with services.storage.reading() as uow:
        person = await uow.people.get(one.organization_id, one.person_id)
        organization = await uow.organizations.get(one.organization_id)
        own = await own_forecast(uow, person, now)
    zone = first_known_zone(person.zone_in(organization))
    page_url = services.public_url + one.data[PAGE] if PAGE in one.data else ""
    body = calendar_of(sittings(own, zone, now), services.networks, now=now, page_url=page_url)
    headers = {"Content-Disposition": 'inline; filename="reconnect-days.ics"'}
    return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)


async def _there(request: web.Request) -> _There | web.StreamResponse:
    """Whoever is at the page; or the page for whoever it is not for."""
    if "secret" in request.match_info:
        return await _holder(request, request.match_info["secret"])
    site = request.app[SITE]
    place = await place_of_workspace(site, request.match_info["workspace"])
    if place is None or place.workspace is None:
        return leads_nowhere(request)
    session = await site.session(request)
    visitor = await member_in(site.services, session, place.organization_id) if session is not None else None
    if session is not None and visitor is not None:
        return _There(session=session, visitor=visitor, back="")
    if session is not None:  # who that is, is said there
        raise see_other(request, place.path)
    if request.method == "POST":
        raise see_other(request, request.path)
    return sign_in_page(request, replace(place, locator=DAY), only=place.workspace.platform)


async def _holder(request: web.Request, secret: str) -> _There | web.StreamResponse:
    site = request.app[SITE]
    one = await find_pass(site.services, PassPurpose.ACCOUNTS, secret)
    if one is None:
        return leads_nowhere(request, PassPurpose.ACCOUNTS)
    session, back = await site.session(request), pass_path(PassPurpose.ACCOUNTS, secret)
    visitor = await holder_of(site, session, one)
    if session is None or visitor is None:
        raise see_other(request, back)
    return _There(session=session, visitor=visitor, back=back, by=one.made_by)


async def _calendar(request: web.Request, there: _There) -> str:
    services, person = request.app[SITE].services, there.visitor.person
    now = services.clock.now()
    data: Mapping[str, str] = {} if there.back else {PAGE: request.path}
    async with services.storage.transaction() as uow:
        address = await make_pass(
            uow, services.public_url, person, PassPurpose.CALENDAR, made_by=there.by, now=now, data=data
        )
        by = Actor(organization_id=person.organization_id, person_id=person.id, origin=origin_of(there.session))
        await uow.audit.write(entry(by, now, "calendar.made", f"person {to_wire(person.id)}"))
    return address


async def _page(request: web.Request, there: _There, *, calendar: str = "") -> web.Response:
    site, visitor = request.app[SITE], there.visitor
    now, zone = site.services.clock.now(), visitor.person.zone_in(visitor.organization)
    async with site.services.storage.reading() as uow:
        own = await own_forecast(uow, visitor.person, now)
    done = [login for login in own if login.obtained_at > now - LATELY]
    due = [login for login in own if login not in done]
    return page(
        request,
        "day.html",
        session=there.session,
        zone=zone,
        visitor=visitor,
        sittings=_rows(site, sittings(due, first_known_zone(zone), now)),
        done=[_row(site, login) for login in done],
        days=HORIZON.days,
        path=request.path,
        calendar=calendar,
        back=there.back,
    )


def _rows(site: Site, planned: Sequence[Sitting]) -> list[SittingRow]:
    return [
        SittingRow(
            at=each.at,
            minutes=int(each.takes / timedelta(minutes=1)),
            logins=tuple(_row(site, login, first=login is planned[0].logins[0]) for login in each.logins),
        )
        for each in planned
    ]


def _row(site: Site, login: EndingLogin, *, first: bool = False) -> LoginRow:
    clients = [shown(name) for name in login.clients]
    more = [f"+{len(clients) - NAMED}"] if len(clients) > NAMED else []
    return LoginRow(
        network=network_name(site.services.networks, login.network),
        subject=login.subject_name,
        ends_at=login.ends_at,
        accounts=login.accounts,
        clients=", ".join([*clients[:NAMED], *more]),
        connection=to_wire(login.connection_id),
        first=first,
    )
