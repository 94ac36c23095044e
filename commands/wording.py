"""Small things of language: text made fit to show, counts, spans of time, lists, sentences with facts in them, and the
nearest match of a word.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, timedelta
from difflib import get_close_matches
from itertools import islice

from commands.messages import Line, Moment, Plain, Span

_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters; databases refuse NUL
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # what hides, or turns the direction of what follows
    "\u2028\u2029\ud800-\udfff"  # line ends in disguise; halves of characters, which UTF-8 cannot write
    "]+"
)
_SPACES = re.compile(r"\s+")
NAME_LIMIT = 80  # characters of a name: a row with three names stays readable on a phone


def clean(text: str) -> str:
    """Drop what nobody can see or store, and make all white space single spaces.

    Zero-width joiners stay: scripts and emoji need them.
    """
    return _SPACES.sub(" ", _UNFIT.sub(" ", text)).strip()


def shown(text: str, limit: int = NAME_LIMIT) -> str:
    """Clean foreign text and shorten it to `limit` characters."""
    cleaned = clean(text[: limit * 8])
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1].rstrip() + "…"


def named(text: str) -> str:
    """A foreign name, fit to show; a word in its place where nothing of it can be seen."""
    return shown(text) or "(no name)"


def first_name(name: str) -> str:
    """How a button calls somebody."""
    return shown(named(name).split(maxsplit=1)[0], 30)


def number_of(number: int, noun: str) -> str:
    """Say how many: "1 account", "1,204 accounts"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


Fact = str | int | Moment | tuple[str, ...]
"""What stands in a sentence's place: words from outside, a number, a time, or several words as a list. A `Sentence` is
said in the reader's language too; any other string stands as it is.
"""


class Sentence(str):
    """English words with facts in them, which a page may say in its reader's language.

    It is its own English: whoever needs no more treats it as the string that it is. Pages look `text` up among their
    translations and fill in `facts`; text put together from it by other means is plain English.
    """

    __slots__ = ("facts", "text")
    text: str
    """With its places: "{name} is on it". Without facts it has none, whatever braces are in it."""
    facts: Mapping[str, Fact]
    """What stands in them."""

    def __new__(cls, text: str, /, **facts: Fact) -> "Sentence":
        english = {name: _in_english(fact) for name, fact in facts.items()}
        made = super().__new__(cls, text.format_map(english) if facts else text)
        made.text, made.facts = text, facts
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], Mapping[str, Fact]]:
        """What a copy is made from; `str` would give the English alone, which may hold a name's braces."""
        return (self.text,), self.facts

    def line(self) -> Line:
        """The English as a message's line, in which a time is drawn in its reader's zone."""
        if not self.facts:
            return (Plain(self.text),)
        spans: list[Span] = []
        for words, name, _, _ in string.Formatter().parse(self.text):
            spans += (Plain(words), *(_spans(self.facts[name]) if name is not None else ()))
        return tuple(span for span in spans if span != Plain(""))


def _spans(fact: Fact) -> Line:
    if isinstance(fact, Sentence):
        return fact.line()
    return (fact if isinstance(fact, Moment) else Plain(_in_english(fact)),)


def _in_english(fact: Fact) -> str:
    if isinstance(fact, Moment):
        return f"{fact.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(fact, int):
        return f"{fact:,}"
    return fact if isinstance(fact, str) else listed(fact)


def names_in(text: str) -> list[str]:
    """The facts that a sentence's text names."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def duration(span: timedelta) -> Sentence:
    """How long something took: "3 h 20 min", "6 days", "less than a minute"."""
    minutes = int(span.total_seconds()) // 60
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return Sentence("less than a minute")
    if hours < 1:
        return Sentence("{minutes} min", minutes=minutes)
    if days < 2:
        return Sentence("{hours} h {minutes} min" if minutes % 60 else "{hours} h", hours=hours, minutes=minutes % 60)
    return Sentence("{days} days", days=days)  # two of them at least


MOST_COMPARED = 500
"""Words that a mistyped one is compared with: each comparison holds up everybody for some tens of microseconds."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, without case; None if none is much like it."""
    by_folded = {candidate.casefold(): candidate for candidate in islice(known, MOST_COMPARED)}
    matches = get_close_matches(word[:NAME_LIMIT].casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[matches[0]] if matches else None
