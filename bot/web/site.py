"""What every page works with, and how a page is answered: one object, handed in when the application is built."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.web.languages import LANGUAGES, language_of, load_languages
from bot.web.security import FORM, SESSION, Cookies, form_token, from_our_page, new_secret
from bot.web.words import bdi, code, linked, moment, strong
from commands.causes import cause_name
from commands.command import Services
from commands.connecting import Connecting
from commands.ids import to_wire
from commands.passes import PASS_PLATFORM, pass_of_session, proves_pass
from commands.ports.chat import ChatPlatform
from commands.ports.reconnecting import PassPurpose, Session
from commands.reconnect import Reconnecting
from commands.secret import hashed
from commands.wording import listed, shown

FORMS_TO = web.RequestKey("lapsebot_forms_to", tuple[str, ...])
"""Where a response's forms may lead, for its headers; kept on the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The services behind the pages."""

    services: Services
    platforms: Mapping[str, ChatPlatform]
    reconnecting: Reconnecting
    connecting: Connecting
    cookies: Cookies
    alive: Callable[[], bool]
    """Whether the loops of this process run; asked by /readyz."""

    @property
    def https(self) -> bool:
        """Whether people reach us by HTTPS."""
        return self.cookies.secure

    def href(self, path: str) -> str:
        """A path of ours as a browser must ask for it, also where the public address has a path of its own."""
        return urlsplit(self.services.public_url).path + path

    async def session(self, request: web.Request) -> Session | None:
        """Who is signed in in this browser; a session that proves a personal link ends with the link."""
        secret = self.cookies.read(request, SESSION)
        if secret is None:
            return None
        now = self.services.clock.now()
        async with self.services.storage.reading() as uow:
            session = await uow.sessions.by_secret(hashed(secret), now)
            if session is not None and proves_pass(session) and await pass_of_session(uow, session, now) is None:
                return None
        return session


SITE = web.AppKey("lapsebot_site", Site)


def setup_templates(app: web.Application) -> None:
    """Load the pages' templates."""
    app[LANGUAGES] = load_languages()
    app[aiohttp_jinja2.APP_KEY] = _templates()


@cache
def _templates() -> Environment:
    """Everything is escaped, and a name that is missing is an error. Compiled once in a process, however many
    applications it builds: nothing of an application is in it.
    """
    templates = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "shown": shown,
        "listed": listed,
        "cause_name": cause_name,
        "wire": to_wire,
        "bdi": bdi,
        "code": code,
        "strong": strong,
        "linked": linked,
    }
    templates.filters.update(filters)
    return templates


def static_folder() -> Path:
    """Where style.css is."""
    return Path(str(files("bot.web"))) / "static"


def page(
    request: web.Request,
    template: str,
    *,
    session: Session | None = None,
    status: int = 200,
    forms_to: Iterable[str] = (),
    zone: str | None = None,
    keeps_cookies: bool = True,
    **facts: object,
) -> web.Response:
    """Answer with a page. `forms_to`: addresses that its forms lead on to. `zone`: the reader's time zone, else UTC.
    `keeps_cookies` False: a page that no form token is for sets no cookie.
    """
    site = request.app[SITE]
    request[FORMS_TO] = tuple(forms_to)
    known = site.cookies.read(request, FORM)
    secret, language = known or new_secret(), language_of(request, template)
    context = {
        "session": session,
        "personal": session is not None and session.platform == PASS_PLATFORM,
        "token": partial(_token, secret, session),
        "href": site.href,
        "moment": partial(moment, zone, language=language.code),
        "day": partial(moment, zone, day_only=True, language=language.code),
        "lang": language.code,
        "_": language.say,
        "_n": language.say_number,
        "told": partial(language.tell, zone),
        **facts,
    }
    response = aiohttp_jinja2.render_template(template, request, context, status=status)
    response.headers["Vary"] = "Accept-Language"
    if known is None and keeps_cookies:
        site.cookies.set(response, FORM, secret)
    return response


def _token(secret: str, session: Session | None, path: str) -> str:
    return form_token(secret, path, session)


def leads_nowhere(
    request: web.Request, purpose: PassPurpose | None = None, *, support_contact: str = ""
) -> web.Response:
    """The one neutral page for whatever is unknown, over, or not this person's to know of (R-15). `purpose`: what the
    address is for, which its path tells anyway, so that the page can say how to get a new one. `support_contact`: whom
    to ask, for a link that did work once.
    """
    word = purpose.value if purpose else ""
    return page(request, "nowhere.html", status=404, keeps_cookies=False, purpose=word, support_contact=support_contact)


def see_other(request: web.Request, path: str) -> web.HTTPSeeOther:
    """What sends the browser on to a page of ours, when raised."""
    return web.HTTPSeeOther(request.app[SITE].href(path))


class FormRefused(Exception):
    """A POST that did not come from a page of ours, or came from one that is out of date."""


TYPED_LIMIT = 200  # characters of what is typed into one field, or of an id that a form carries

Fields = Mapping[str, tuple[str, ...]]
"""What a form sent, by field; any text."""


async def read_fields(request: web.Request, session: Session | None) -> Fields:
    """Read a POST's fields, as they were typed and ticked. Raises FormRefused unless it came from our own page, in this
    browser and session.
    """
    site = request.app[SITE]
    fields = await _sent(request)
    secret = site.cookies.read(request, FORM)
    given = "".join(fields.get("token", ()))
    genuine = secret is not None and _same(given, form_token(secret, request.path, session))
    if not genuine or not from_our_page(request, site.services.public_url):
        raise FormRefused
    return fields


def last_value(fields: Fields, name: str) -> str:
    """What was typed into a field, or chosen in it: the last value, as far as it is not absurdly long."""
    return "".join(fields.get(name, ())[-1:])[:TYPED_LIMIT]


async def read_form(request: web.Request, session: Session | None) -> dict[str, str]:
    """The same, of a form without anything typed: one plain value for each field."""
    return _plain(await read_fields(request, session))


async def form_fields(request: web.Request) -> dict[str, str]:
    """The plain fields of a form, wherever it came from. Raises FormRefused for a body that no page of ours could have
    sent.
    """
    return _plain(await _sent(request))


def _plain(fields: Fields) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items() if values[-1].isascii()}


async def _sent(request: web.Request) -> Fields:
    try:
        form = await request.post()
    except (ValueError, LookupError, AssertionError) as error:  # what aiohttp raises for broken charsets and boundaries
        raise FormRefused from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in form.items():
        if isinstance(value, str):
            writable = value.encode(errors="ignore").decode()  # without halves of characters
            fields[name] = (*fields.get(name, ()), writable)
    return fields


def _same(given: str, expected: str) -> bool:
    return hashed(given) == hashed(expected)  # of equal length whatever was sent, and its timing tells nothing of use


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
