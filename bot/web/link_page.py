"""The page of a one-time link (P-6): both identities side by side, and one press that makes them one."""

from aiohttp import web

from bot.web.place import Place, place_of_one_time_link
from bot.web.sign_in import sign_in_page
from bot.web.site import SITE, Site, leads_nowhere, page, read_form, see_other
from commands.linking import Visitor, keep_email, member_in
from commands.one_time_link import Hindrance, Meeting, confirm, meet
from commands.passes import proves_pass
from commands.ports.reconnecting import Pass, PassPurpose, Session
from commands.secret import hashed


async def show(request: web.Request) -> web.StreamResponse:
    """Show who is signed in beside whom the link is for. Changes nothing, and uses nothing up."""
    site, secret = request.app[SITE], request.match_info["secret"]
    session = await site.session(request)
    place = await place_of_one_time_link(site, secret)
    if place is None or place.one_time is None:
        return await _over(request, secret, session)
    if session is None or proves_pass(session):
        return sign_in_page(request, place)
    return _meeting_page(request, place, session, await meet(site.services, site.platforms, session, place.one_time))


async def press(request: web.Request) -> web.StreamResponse:
    """Make the account theirs, once."""
    site, secret = request.app[SITE], request.match_info["secret"]
    session = await site.session(request)
    await read_form(request, session)
    place = await place_of_one_time_link(site, secret)
    if place is None or place.one_time is None:
        return await _over(request, secret, session)
    if session is None or proves_pass(session):
        raise see_other(request, place.path)
    meeting = await confirm(site.services, site.platforms, session, place.one_time)
    if meeting is None:
        return await _over(request, secret, session)
    if meeting.linked:
        await keep_email(site.services, session, place.organization_id)
        raise see_other(request, place.path)  # used up now, and known for whose it was
    return _meeting_page(request, place, session, meeting)


def _meeting_page(request: web.Request, place: Place, session: Session, meeting: Meeting | None) -> web.Response:
    if meeting is None:
        return leads_nowhere(request, PassPurpose.IDENTITY)
    site = request.app[SITE]
    if meeting.hindrance is Hindrance.YOURS:
        return page(request, "signed_in.html", session=session, person=meeting.person)
    platform = site.platforms.get(session.platform)
    return page(
        request,
        "one_time_link.html" if meeting.hindrance is None else "not_linked.html",
        session=session,
        status=200 if meeting.hindrance is None else 403,
        m=meeting,
        why=meeting.hindrance.value if meeting.hindrance else "",
        account_platform=platform.label if platform else session.platform,
        place=place,
    )


async def _over(request: web.Request, secret: str, session: Session | None) -> web.Response:
    """A link that works no more. Whoever used it sees that it worked, however often they look."""
    site = request.app[SITE]
    one = await site.services.storage.directory.pass_of(hashed(secret))
    visitor = await _user_of(site, one, session) if one is not None and session is not None else None
    if visitor is not None:
        return page(request, "signed_in.html", session=session, person=visitor.person)
    return leads_nowhere(request, PassPurpose.IDENTITY)


async def _user_of(site: Site, one: Pass, session: Session) -> Visitor | None:
    if one.purpose is not PassPurpose.IDENTITY or one.used_at is None or proves_pass(session):
        return None
    visitor = await member_in(site.services, session, one.organization_id)
    return visitor if visitor is not None and visitor.person.id == one.person_id else None
