"""Foreign text on its way into Slack: without what cannot be shown, inert where it could be markup, cut between signs.

Rules of mrkdwn: docs.slack.dev/messaging/formatting-message-text. Exactly `&`, `<` and `>` are escaped, for it has no
escape for `*`, `_`, `~` and the backtick; where one of these could act it is exchanged for a look-alike.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNFIT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # control characters but the line end
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # what hides, or turns the direction of what follows
    "\ud800-\udfff]"  # halves of characters, which UTF-8 cannot write
)
_LOOK_ALIKES = {"*": "∗", "_": "＿", "~": "∼", "`": "ˋ", ":": "꞉", ">": "＞"}
# A mark acts only beside a space, a line's end or punctuation: `acme_de_2024` is left as it is. `:wave:` is an emoji.
_MARKS = re.compile(
    r"(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])|`|:(?=[0-9_+'-]*[a-z][a-z0-9_+'-]*:)|^\s*>", re.MULTILINE
)
_ADDRESS_SAFE = "/:?#[]@!$&'()*+,;=%~"  # RFC 3986; what is left out ends a link in mrkdwn
_LONGEST_ADDRESS = 3000
_LONGEST_CLUSTER = 64  # characters that may belong to one visible sign; more is a stack of marks made to annoy


def size(text: str) -> int:
    """Its length in UTF-16 units, the strictest of the ways in which Slack's clients may count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Drop what nobody can see and what JSON cannot carry; make every line end a plain one."""
    if text.isprintable():  # nearly always: nothing that is looked for below is
        return text
    return _UNFIT.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))


def on_one_line(text: str) -> str:
    """As `clean`, and all of it on one line, without space around it."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """Shorten to `limit` UTF-16 units with "…" at the end, between two visible signs and never inside one."""
    if size(text) <= limit:
        return text
    if limit < 1:
        return ""
    room = text.encode("utf-16-le", "surrogatepass")[: (limit - 1) * 2]
    return text[: boundary(text, len(room.decode("utf-16-le", "ignore")))].rstrip() + "…"


def boundary(text: str, at: int) -> int:
    """The last place up to `at` that is between two visible signs; `at` itself in a heap of marks."""
    place = at
    while 0 < place < len(text) and at - place < _LONGEST_CLUSTER and _inside_a_sign(text, place):
        place -= 1
    return place if place > 0 and at - place < _LONGEST_CLUSTER else at


def _inside_a_sign(text: str, at: int) -> bool:
    """Whether what stands before and after this place is one sign to the reader (Unicode annex 29, its main rules)."""
    before, after = text[at - 1], text[at]
    if "\u200d" in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, flags of regions
        return True
    if _is_flag_half(before) and _is_flag_half(after):
        start = at
        while start > 0 and _is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return "\u1160" <= after <= "\u11ff"  # the later parts of a Hangul syllable


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def escaped(text: str) -> str:
    """With the three entities that Slack knows."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str) -> str:
    """Write text so that mrkdwn finds nothing in it."""
    return escaped(_MARKS.sub(lambda found: found[0][:-1] + _LOOK_ALIKES[found[0][-1]], text))


def inert_label(text: str) -> str:
    """Write a link's label or a date's fallback, which a bar or a line end would break."""
    return inert(on_one_line(text).replace("|", "¦"))


def web_address(url: str) -> str | None:
    """The address with everything encoded that could end a link; None if Slack would not take it."""
    try:
        parts = urlsplit(clean(url))
        good = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        return None
    address = quote(clean(url), safe=_ADDRESS_SAFE).replace("'", "%27")
    return address if good and len(address) <= _LONGEST_ADDRESS else None
