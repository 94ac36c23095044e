"""Typed spans as Discord's markdown, in which nothing but our own markup is live.

Lengths are counted in UTF-16 units, the strictest of the ways in which Discord's limits can be read.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never
from urllib.parse import quote, urlsplit

from commands.messages import Bold, Code, Line, Mention, Moment, MomentStyle, Plain, Span, WebLink
from commands.wording import clean

PLATFORM = "discord"
ELLIPSIS = "…"
_LOOKED_AT = 8
"""Characters of a text that are looked at for each that is wanted: what nobody can see goes first, without end."""
LONGEST_LINK = 1000
"""Of a link inside text; ours have some 80 characters."""

_MARKUP = re.compile(r"([\\*_~|`<>\[\]])")
# A line that begins so is a heading or a list item, and a span may stand at the beginning of one; two slashes go on
# with an address that the span before it began.
_START = re.compile(r"^()([#+\-]|/(?=/)|[.)](?=\s))|^(\d+)([.)])(?=\s|$)")
_ADDRESS = re.compile(r":(?=/)")
_EVERYONE = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_LIVE_IN_CODE = re.compile(r"<(?=[@#/:a-z])", re.IGNORECASE)
_INVISIBLE = "\u200b"
_BACKTICK = "\u02cb"  # looks like one; code cannot hold a real one
_STYLES = {MomentStyle.TIME: "f", MomentStyle.DAY: "D", MomentStyle.AGO: "R"}
# What belongs to the character before it, beside combining marks: joiners, variation selectors, skin tones.
_ATTACHED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


def size(text: str) -> int:
    """Give the length as the limits count it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """Clean a name and cut it between characters as people see them, with "…" where something is missing."""
    looked_at = text[: limit * _LOOKED_AT]
    cleaned = clean(looked_at)
    if size(cleaned) <= limit and len(looked_at) == len(text):
        return cleaned
    units = cleaned[:limit].encode("utf-16-le")[: 2 * (limit - size(ELLIPSIS))]
    cut = len(units.decode("utf-16-le", "ignore"))  # half of a character at the end is none
    while cut and not _is_boundary(cleaned, cut):
        cut -= 1
    return cleaned[:cut].rstrip() + ELLIPSIS


def escape(text: str) -> str:
    """Make text stand for itself. It must have been cleaned, and have no spaces around it."""
    escaped = _MARKUP.sub(r"\\\1", text)
    escaped = _START.sub(r"\1\3\\\2\4", escaped)
    return _EVERYONE.sub("@" + _INVISIBLE, _ADDRESS.sub(r"\\:", escaped))


def markdown(line: Line, *, span_limit: int, line_limit: int) -> str:
    """Write a line. Spans are cut at `span_limit`, and the line ends with "…" before it grows past `line_limit`."""
    written: list[str] = []
    room = line_limit - size(ELLIPSIS)
    for span in _joined(span for span in line if _piece(span, span_limit)):
        piece = _piece(span, span_limit)
        if size(piece) > room:
            written.append(ELLIPSIS)
            break
        room -= size(piece)
        written.append(piece)
    # Everyone is looked for again: two pieces may have made the word together.
    return _EVERYONE.sub("@" + _INVISIBLE, "".join(written)).strip()


def words(line: Line, limit: int) -> str:
    """Write a line where Discord knows no markup: the label of a button or of a menu's item."""
    return shorten("".join(_bare(span) for span in line), limit)


def masked_link(label: str, url: str) -> str:
    """Write a link with a label; the label alone where the address is none that can be linked."""
    shown = escape(label)
    address = safe_url(url)
    return f"[{shown}]({address})" if address is not None and shown and size(address) <= LONGEST_LINK else shown


def safe_url(url: str) -> str | None:
    """Give the address with everything percent-encoded that could end it early; None if it is not one of the web."""
    try:
        parts = urlsplit(url)
        encoded = quote(url, safe="%/:?#[!$&'*+,;=-._~]")
    except (ValueError, UnicodeEncodeError):
        return None
    return encoded if parts.scheme in ("http", "https") and parts.netloc else None


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of a kind as one, so that no markup is born, or broken, where two meet.

    None of the spans may be one that writes nothing: two that it parts would still meet.
    """
    last: Span | None = None
    for span in spans:
        if isinstance(last, Plain | Bold | Code) and type(span) is type(last):
            last = replace(last, text=last.text + span.text)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _piece(span: Span, limit: int) -> str:
    match span:
        case Plain(text):
            before, inner, after = _edges(text, limit)
            return before + escape(inner) + after
        case Bold(text):
            before, inner, after = _edges(text, limit)
            return f"{before}**{escape(inner)}**{after}" if inner else before
        case Code(text):
            _, inner, _ = _edges(text, limit)
            inner = _LIVE_IN_CODE.sub("<" + _INVISIBLE, inner.replace("`", _BACKTICK))
            return f"`{inner}`" if inner else ""
        case Mention(name, handles):
            here = [handle.user for handle in handles if handle.platform == PLATFORM and _is_id(handle.user)]
            return f"<@{here[0]}>" if here else escape(shorten(name, limit))
        case Moment(at, style):
            return f"<t:{int(at.timestamp())}:{_STYLES[style]}>"
        case WebLink(label, url):
            return masked_link(shorten(label, limit), url)
        case _:
            assert_never(span)


def _bare(span: Span) -> str:
    match span:
        case Plain(text) | Bold(text) | Code(text):
            return text
        case Mention(name, _):
            return name
        case WebLink(label, _):
            return label
        case Moment(at, _):
            return f"{at:%Y-%m-%d %H:%M} UTC"
        case _:
            assert_never(span)


def _edges(text: str, limit: int) -> tuple[str, str, str]:
    """Text cut to `limit`, with one space apart on either side where it had some: bold cannot begin with one."""
    inner = shorten(text, limit)
    if not inner:
        return (" " if text else "", "", "")
    return (" " if text[:1].isspace() else "", inner, " " if text[-1:].isspace() else "")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _is_boundary(text: str, at: int) -> bool:
    """Whether a reader sees one character end and another begin here."""
    if at >= len(text):
        return True
    following, before = text[at], text[at - 1]
    if unicodedata.combining(following) or unicodedata.category(following) in ("Mn", "Me", "Mc"):
        return False
    if _ATTACHED.match(following) or before == "\u200d":
        return False
    if _FLAG.match(following) and _FLAG.match(before):
        flags = 0
        while at - 1 - flags >= 0 and _FLAG.match(text[at - 1 - flags]):
            flags += 1
        return flags % 2 == 0
    return True
