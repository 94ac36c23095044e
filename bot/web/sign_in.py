"""Signing in with a chat platform, and linking an account that is new here to the person it belongs to (P-6).

A session proves a chat account and nothing else; who that is in an organization is asked each time.
"""

import logging
from datetime import timedelta

from aiohttp import web

from bot.web.place import Place, place_of_form, place_of_sign_in, place_of_workspace
from bot.web.security import LOGIN_COOKIE_LIFE, SESSION, from_our_page, login_cookie, new_secret
from bot.web.site import SITE, FormRefused, Site, form_fields, leads_nowhere, page, read_form, see_other
from commands.errors import SignInError
from commands.ids import SessionId, new_id
from commands.linking import Introduction, doubled, introduce, keep_email, link_account, member_in
from commands.ports.chat import ChatPlatform, SignedIn, SignIn
from commands.ports.reconnecting import PendingSignIn, Session
from commands.secret import hashed

logger = logging.getLogger(__name__)

SIGN_IN_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=12)
STILL_GOOD_FOR = timedelta(hours=1)
"""A session of the same account with this much left is kept when they sign in again, for the sake of other tabs."""


async def show(request: web.Request) -> web.StreamResponse:
    """The sign-in page of a workspace, as the bot's answers to strangers link to it."""
    site = request.app[SITE]
    place = await place_of_workspace(site, request.match_info["workspace"])
    if place is None or place.workspace is None:
        return leads_nowhere(request)
    session, workspace = await site.session(request), place.workspace
    elsewhere = session is not None and (
        session.platform != workspace.platform or session.tenant not in ("", workspace.external_id)
    )
    if session is None or elsewhere:
        return sign_in_page(request, place, only=workspace.platform, session=session)
    member = await member_in(site.services, session, place.organization_id)
    if member is not None:
        twins = await doubled(site.services, site.platforms, session, member)
        if twins is not None:
            return introduction_page(request, place, session, twins)
        return page(request, "signed_in.html", session=session, person=member.person)
    introduction = await introduce(site.services, site.platforms, session, place.organization_id)
    return introduction_page(request, place, session, introduction)


def sign_in_page(
    request: web.Request, place: Place, *, only: str | None = None, session: Session | None = None
) -> web.Response:
    """The neutral page: buttons to sign in with, nothing of what lies behind. `only`: the one platform that helps."""
    site = request.app[SITE]
    offered = [(p, s) for p, s in _with_sign_in(site) if only in (None, p.name)]
    return page(
        request,
        "sign_in.html",
        session=session,
        platforms=[platform for platform, _ in offered],
        place=place,
        forms_to=[_authorize_url(site, platform, sign_in) for platform, sign_in in offered],
    )


def introduction_page(request: web.Request, place: Place, session: Session, introduction: Introduction) -> web.Response:
    """For an account that is not known, or whose person is known twice: confirm who it is, or whom to ask."""
    site = request.app[SITE]
    known = introduction.candidate is not None
    return page(
        request,
        "confirm.html" if known else "unknown.html",
        session=session,
        status=200 if known else 403,
        introduction=introduction,
        account_platform=_label(site, session.platform),
        place=place,
    )


async def start(request: web.Request) -> web.StreamResponse:
    """Send the browser to the platform's sign-in."""
    site = request.app[SITE]
    fields = await read_form(request, await site.session(request))
    platform, sign_in = _sign_in_of(site, request.match_info["platform"])
    place = await place_of_form(site, fields)
    if platform is None or sign_in is None or place is None:
        return leads_nowhere(request)
    state, nonce, browser = new_secret(), new_secret(), new_secret()
    workspace = place.workspace
    pending = PendingSignIn(
        platform=platform.name,
        nonce=nonce,
        redirect_uri=_redirect_uri(site, platform),
        workspace_id=workspace.id if workspace else None,
        locator=place.locator,
        expires_at=site.services.clock.now() + SIGN_IN_LIFE,
    )
    async with site.services.storage.transaction() as uow:
        await uow.sessions.begin_sign_in(pending, state_hash=hashed(state), browser_hash=hashed(browser))
    tenant = workspace.external_id if workspace and workspace.platform == platform.name else None
    response = web.HTTPSeeOther(
        sign_in.authorize_url(state=state, nonce=nonce, redirect_uri=pending.redirect_uri, tenant=tenant)
    )
    site.cookies.set(response, login_cookie(state), browser, life=LOGIN_COOKIE_LIFE)
    raise response


async def receive(request: web.Request) -> web.StreamResponse:
    """The platform sends the browser back: single use, bound to the browser that began it."""
    site, query = request.app[SITE], request.query
    state = query.get("state", "")
    platform, sign_in = _sign_in_of(site, request.match_info["platform"])
    if platform is None or sign_in is None or not state or len(set(query)) != len(query):
        return page(request, "sign_in_failed.html", status=400, why="broken", place=None)
    browser = site.cookies.read(request, login_cookie(state)) or ""
    async with site.services.storage.transaction() as uow:
        pending = await uow.sessions.finish_sign_in(
            state_hash=hashed(state), browser_hash=hashed(browser), now=site.services.clock.now()
        )
    if pending is None or pending.platform != platform.name or pending.redirect_uri != _redirect_uri(site, platform):
        return page(request, "sign_in_failed.html", status=400, why="over", place=None)
    place = await place_of_sign_in(site, pending)
    if "error" in query or "code" not in query:
        return page(request, "sign_in_failed.html", why="declined", place=place)
    try:
        signed_in = await sign_in.complete(code=query["code"], nonce=pending.nonce, redirect_uri=pending.redirect_uri)
    except SignInError as error:
        logger.warning("a sign-in with %s was not proved: %s", platform.name, error.code)
        return page(request, "sign_in_failed.html", status=400, why="not_proved", place=place)
    response = see_other(request, place.path if place else "/")
    session = await _remember(request, response, signed_in)
    if place is not None:
        await keep_email(site.services, session, place.organization_id)
    site.cookies.drop(response, login_cookie(state))
    raise response


async def _remember(request: web.Request, response: web.StreamResponse, signed_in: SignedIn) -> Session:
    """Begin a session under a new secret, and end the one that this browser had, unless it is the same account's."""
    site, now = request.app[SITE], request.app[SITE].services.clock.now()
    before = await site.session(request)
    account = (signed_in.platform, signed_in.tenant, signed_in.user, signed_in.email)
    same = before is not None and (before.platform, before.tenant, before.user, before.email) == account
    if same and before is not None and before.expires_at > now + STILL_GOOD_FOR:
        return before
    secret = new_secret()
    session = Session(
        id=SessionId(new_id(now)),
        platform=signed_in.platform,
        tenant=signed_in.tenant,
        user=signed_in.user,
        name=signed_in.name,
        email=signed_in.email,
        created_at=now,
        expires_at=now + SESSION_LIFE,
    )
    async with site.services.storage.transaction() as uow:
        if before is not None:
            await uow.sessions.end(before.id)
        await uow.sessions.add(session, secret_hash=hashed(secret))
    site.cookies.set(response, SESSION, secret, life=int(SESSION_LIFE.total_seconds()))
    return session


async def confirm(request: web.Request) -> web.StreamResponse:
    """Link the account of the session, or make two people one, as the page that showed both identities promised."""
    site = request.app[SITE]
    session = await site.session(request)
    fields = await read_form(request, session)
    place = await place_of_form(site, fields)
    if place is None or session is None:
        return leads_nowhere(request)
    linked = await link_account(site.services, site.platforms, session, place.organization_id)
    if linked or await member_in(site.services, session, place.organization_id) is not None:
        raise see_other(request, place.path)
    introduction = await introduce(site.services, site.platforms, session, place.organization_id)
    return introduction_page(request, place, session, introduction)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the session. Needs no token: a page elsewhere cannot send the cookie along."""
    site = request.app[SITE]
    if not from_our_page(request, site.services.public_url):
        raise FormRefused
    fields = await form_fields(request)
    place = await place_of_form(site, fields)
    session = await site.session(request)
    if session is not None:
        async with site.services.storage.transaction() as uow:
            await uow.sessions.end(session.id)
    response = see_other(request, place.path if place else "/")
    site.cookies.drop(response, SESSION)
    raise response


def _with_sign_in(site: Site) -> list[tuple[ChatPlatform, SignIn]]:
    return [(p, p.sign_in) for p in site.platforms.values() if p.sign_in is not None]


def _sign_in_of(site: Site, name: str) -> tuple[ChatPlatform | None, SignIn | None]:
    platform = site.platforms.get(name)
    return platform, platform.sign_in if platform else None


def _redirect_uri(site: Site, platform: ChatPlatform) -> str:
    return f"{site.services.public_url}/sign-in/cb/{platform.name}"


def _authorize_url(site: Site, platform: ChatPlatform, sign_in: SignIn) -> str:
    """Where the platform's sign-in is; for the page's headers, so its state is of no matter."""
    return sign_in.authorize_url(state="-", nonce="-", redirect_uri=_redirect_uri(site, platform), tenant=None)


def _label(site: Site, name: str) -> str:
    platform = site.platforms.get(name)
    return platform.label if platform else name
