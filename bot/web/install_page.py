"""Letting the bot into a workspace, by the consent of whoever administers it (A-2)."""

import logging
from datetime import timedelta
from urllib.parse import quote, unquote

from aiohttp import web

from bot.web.security import LOGIN_COOKIE_LIFE, login_cookie, new_secret
from bot.web.site import SITE, Site, leads_nowhere, page, read_form, see_other
from commands.errors import SignInError
from commands.ports.chat import ChatPlatform, Install
from commands.ports.reconnecting import PendingSignIn
from commands.secret import hashed
from commands.wording import shown

logger = logging.getLogger(__name__)

INSTALL_LIFE = timedelta(minutes=10)
INSTALLED = "installed"
"""The cookie that carries the workspace's name to the clean address."""


async def show(request: web.Request) -> web.StreamResponse:
    """Say what will be asked, with one button. Opening changes nothing."""
    platform, install = _install_of(request)
    if platform is None:
        return leads_nowhere(request)
    if install is None:
        return page(request, "not_installable.html", status=404, platform=platform.label)
    site = request.app[SITE]
    consent = install.authorize_url(state="-", redirect_uri=_redirect_uri(site, platform))
    session = await site.session(request)
    return page(request, "install.html", session=session, platform=platform, path=request.path, forms_to=[consent])


async def start(request: web.Request) -> web.StreamResponse:
    """Send the browser to the platform's consent page, bound to this browser, once."""
    site = request.app[SITE]
    await read_form(request, await site.session(request))
    platform, install = _install_of(request)
    if platform is None or install is None:
        return leads_nowhere(request)
    state, browser = new_secret(), new_secret()
    pending = PendingSignIn(
        platform=platform.name,
        nonce=new_secret(),
        redirect_uri=_redirect_uri(site, platform),
        workspace_id=None,
        locator=None,
        expires_at=site.services.clock.now() + INSTALL_LIFE,
    )
    async with site.services.storage.transaction() as uow:
        await uow.sessions.begin_sign_in(pending, state_hash=hashed(state), browser_hash=hashed(browser))
    response = web.HTTPSeeOther(install.authorize_url(state=state, redirect_uri=pending.redirect_uri))
    site.cookies.set(response, login_cookie(state), browser, life=LOGIN_COOKIE_LIFE)
    raise response


async def receive(request: web.Request) -> web.StreamResponse:
    """The platform sends the browser back: keep the installation, and go on to a clean address."""
    site, query = request.app[SITE], request.query
    platform, install = _install_of(request)
    state = query.get("state", "")
    if platform is None or install is None:
        return leads_nowhere(request)
    if not state or len(set(query)) != len(query):
        return _failed(request, platform, "over", status=400)
    browser = site.cookies.read(request, login_cookie(state)) or ""
    async with site.services.storage.transaction() as uow:
        pending = await uow.sessions.finish_sign_in(
            state_hash=hashed(state), browser_hash=hashed(browser), now=site.services.clock.now()
        )
    # A sign-in's state is of no use here, nor an installation's there: they lead to addresses of their own.
    if pending is None or pending.redirect_uri != _redirect_uri(site, platform):
        return _failed(request, platform, "over", status=400)
    if "error" in query or "code" not in query:
        return _failed(request, platform, "declined")
    try:
        installed = await install.complete(code=query["code"], redirect_uri=pending.redirect_uri)
    except SignInError as error:
        logger.warning("an installation on %s did not go through: %s", platform.name, error.code)
        return _failed(request, platform, "refused", status=400)
    claimed = await site.services.storage.directory.workspace(platform.name, installed.tenant)
    response = see_other(request, f"/install/{platform.name}/done")
    word = "known" if claimed is not None else "new"
    site.cookies.set(response, INSTALLED, f"{word}.{quote(shown(installed.name), safe='')}", life=LOGIN_COOKIE_LIFE)
    site.cookies.drop(response, login_cookie(state))
    raise response


async def done(request: web.Request) -> web.StreamResponse:
    """Say what comes next."""
    platform, install = _install_of(request)
    if platform is None or install is None:
        return leads_nowhere(request)
    site = request.app[SITE]
    word, _, name = (site.cookies.read(request, INSTALLED) or "").partition(".")
    session = await site.session(request)
    return page(
        request, "installed.html", session=session, platform=platform, known=word == "known", name=unquote(name)
    )


def _install_of(request: web.Request) -> tuple[ChatPlatform | None, Install | None]:
    platform = request.app[SITE].platforms.get(request.match_info["platform"])
    return platform, platform.install if platform else None


def _redirect_uri(site: Site, platform: ChatPlatform) -> str:
    return f"{site.services.public_url}/install/cb/{platform.name}"


def _failed(request: web.Request, platform: ChatPlatform, why: str, *, status: int = 200) -> web.Response:
    return page(request, "install_failed.html", status=status, platform=platform, why=why)
