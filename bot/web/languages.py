"""The reader's language: pages that speak it, catalogues in gettext's format, and the choice by Accept-Language (X-10).

Catalogues are read as they are (`catalogues/*.po`) when the application is built, so that nothing has to be compiled.
English is the language that the pages are written in, and the one of every page that is not in `TRANSLATED`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from io import BytesIO

from aiohttp import web
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import Markup

ENGLISH = "en"
OTHERS = ("de", "es", "fr")
TRANSLATED = frozenset(
    {"accounts.html", "open_accounts.html", "other_browser.html", "nowhere.html", "day.html", "form_refused.html"}
)
"""Templates all of whose words are in the catalogues. The others answer in English, and say so."""
MOST_ASKED = 20  # ranges of a header that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's words. Messages are our own, so they may hold markup; whatever is put into them is escaped."""

    code: str
    """As `lang` says it (BCP 47)."""
    catalogue: NullTranslations = field(repr=False)

    def say(self, message: str, /, **values: object) -> Markup:
        """The message in this language; in English where the catalogue does not have it."""
        return _filled(self.catalogue.gettext(message), values)

    def say_number(self, one: str, many: str, number: int, /, **values: object) -> Markup:
        """The form for this number, which the message may name as `number`."""
        return _filled(self.catalogue.ngettext(one, many, number), {"number": number, **values})


def _filled(message: str, values: Mapping[str, object]) -> Markup:
    return Markup(message) % values if values else Markup(message)  # noqa: S704 - from our templates and catalogues


Languages = Mapping[str, Language]
LANGUAGES = web.AppKey("lapsebot_languages", dict[str, Language])


def load_languages() -> dict[str, Language]:
    """Read every catalogue. A broken one is an error at once."""
    found = {ENGLISH: Language(code=ENGLISH, catalogue=NullTranslations())}
    for code in OTHERS:
        compiled = BytesIO()
        with (files("bot.web") / "catalogues" / f"{code}.po").open("rb") as written:
            write_mo(compiled, read_po(written, locale=code, abort_invalid=True))
        compiled.seek(0)
        found[code] = Language(code=code, catalogue=Translations(compiled))
    return found


def language_of(request: web.Request, template: str) -> Language:
    """The language to answer with, of a page that has several."""
    languages = request.app[LANGUAGES]
    if template not in TRANSLATED:
        return languages[ENGLISH]
    return languages[preferred(request.headers.get("Accept-Language", ""), languages)]


def preferred(header: str, languages: Languages) -> str:
    """The language that an Accept-Language header likes best of those there are (RFC 9110, 12.5.4); else English.

    Of a range only its language counts: de-CH is served German.
    """
    best, weight = ENGLISH, 0.0
    for asked in header.split(",")[:MOST_ASKED]:
        name, _, parameter = asked.strip().partition(";")
        code = name.strip().partition("-")[0].lower()
        quality = _quality(parameter.strip())
        if code in languages and quality > weight:
            best, weight = code, quality
    return best


def _quality(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip().lower() == "q" and 0 <= quality <= 1 else 0.0
