"""The reader's language: pages that speak it, catalogues in gettext's format, and the choice by Accept-Language (X-10).

Catalogues are read as they are (`catalogues/*.po`) when the application is built, so that nothing has to be compiled.
English is the language that the pages are written in, and the one of the pages in `ENGLISH_ALONE`.

What the core and the networks' declarations say (a checklist, the steps, a cause) has catalogues of its own
(`catalogues/core/*.po`), for those words are not written in a template. A template says them by `told`:

    {{ told(sentence) }}                 one of `r.checklist`, `spec.steps`, `r.cause.happened`, `r.at_it`, `begun.ago`
    {{ told(r.spec.stops) }}             several, as a list: "a, b and c"; also labels, which stay as they are
    {{ told(row.verdict|cause_name) }}   a word of the core
    {{ _("Use %(login)s.", login=told(r.spec.login_label)) }}   inside a sentence of the page

`login_label` is the object of "Use …", `reconnect_requirement` that of "It takes …", `begun.ago` stands in "… ago" and
`parent_label` as a heading: it is declined nowhere.
An operator's own words, which no catalogue has, stay as they were declared; names and ids in them are escaped, so that
`told` takes the place of any filter. In a macro it is there where its file is imported `with context`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO

from aiohttp import web
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from markupsafe import Markup, escape

from bot.web.words import moment
from commands.messages import Moment, MomentStyle
from commands.wording import Fact, Sentence, listed

ENGLISH = "en"
OTHERS = ("de", "es", "fr")
ENGLISH_ALONE = frozenset(
    {"home.html", "install.html", "install_failed.html", "installed.html", "not_installable.html"}
)
"""What only whoever sets lapsebot up reads: it answers in English, and says so. Every other page has all languages."""
MOST_ASKED = 20  # ranges of a header that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's words. Messages are our own, so they may hold markup; whatever is put into them is escaped."""

    code: str
    """As `lang` says it (BCP 47)."""
    catalogue: NullTranslations = field(repr=False)
    core: NullTranslations = field(repr=False)
    """Of the sentences of the core and of the networks, with places like {this}."""

    def say(self, message: str, /, **values: object) -> Markup:
        """The message in this language; in English where the catalogue does not have it."""
        return _filled(self.catalogue.gettext(message), values)

    def say_number(self, one: str, many: str, number: int, /, **values: object) -> Markup:
        """The form for this number, which the message may name as `number`."""
        written = format_decimal(number, locale=self.code)
        return _filled(self.catalogue.ngettext(one, many, number), {"number": written, **values})

    def tell(self, zone: str | None, said: str | Sequence[str], /) -> Markup:
        """A sentence of the core, or several words of it as a list, for a reader in this time zone."""
        if not isinstance(said, str):
            return self._listed([self.tell(zone, one) for one in said])
        if not said:  # of which gettext would give the catalogue's head
            return Markup()
        if not isinstance(said, Sentence) or not said.facts:
            return escape(self.core.gettext(str(said)))
        facts = {name: self._fact(zone, fact) for name, fact in said.facts.items()}
        return Markup(escape(self.core.gettext(said.text))).format_map(facts)  # noqa: S704 - escaped just here

    def _fact(self, zone: str | None, fact: Fact) -> Markup:
        if isinstance(fact, Sentence):
            return self.tell(zone, fact)
        if isinstance(fact, Moment):
            return moment(zone, fact.at, day_only=fact.style is MomentStyle.DAY, language=self.code)
        if isinstance(fact, int):
            return escape(format_decimal(fact, locale=self.code))
        return escape(fact) if isinstance(fact, str) else self._listed([escape(one) for one in fact])

    def _listed(self, words: Sequence[Markup]) -> Markup:
        joined = listed(words) if self.code == ENGLISH else format_list(words, locale=self.code)
        return Markup(joined)  # noqa: S704 - each of them was escaped before


def _filled(message: str, values: Mapping[str, object]) -> Markup:
    return Markup(message) % values if values else Markup(message)  # noqa: S704 - from our templates and catalogues


Languages = Mapping[str, Language]
LANGUAGES = web.AppKey("lapsebot_languages", dict[str, Language])


def load_languages() -> dict[str, Language]:
    """Read every catalogue. A broken one is an error at once."""
    found = {ENGLISH: Language(code=ENGLISH, catalogue=NullTranslations(), core=NullTranslations())}
    for code in OTHERS:
        found[code] = Language(code=code, catalogue=_catalogue(code), core=_catalogue(code, "core"))
    return found


@cache
def _catalogue(code: str, *folder: str) -> Translations:
    compiled = BytesIO()
    with files("bot.web").joinpath("catalogues", *folder, f"{code}.po").open("rb") as written:
        write_mo(compiled, read_po(written, locale=code, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)


def language_of(request: web.Request, template: str) -> Language:
    """The language to answer with, of a page that has several."""
    languages = request.app[LANGUAGES]
    if template in ENGLISH_ALONE:
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
