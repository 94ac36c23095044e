"""Small things of language: text made fit to show, counts, spans of time, lists, and the nearest match of a word."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from difflib import get_close_matches
from itertools import islice

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


def duration(span: timedelta) -> str:
    """How long something took: "3 h 20 min", "6 days", "less than a minute"."""
    minutes = int(span.total_seconds()) // 60
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return "less than a minute"
    if hours < 1:
        return f"{minutes} min"
    if days < 2:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return number_of(days, "day")


MOST_COMPARED = 500
"""Words that a mistyped one is compared with: each comparison holds up everybody for some tens of microseconds."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, without case; None if none is much like it."""
    by_folded = {candidate.casefold(): candidate for candidate in islice(known, MOST_COMPARED)}
    matches = get_close_matches(word[:NAME_LIMIT].casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[matches[0]] if matches else None
