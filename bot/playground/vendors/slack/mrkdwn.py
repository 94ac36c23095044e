"""Reads Slack's mrkdwn into spans, as a client would: control sequences, formatting, and what is linked unasked.

Follows docs.slack.dev, "Formatting message text". Control sequences work inside formatting and inside code alike; with
`verbatim` off, addresses, `#names` and `@here` in plain words come alive too.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class SpanKind(StrEnum):
    """What a span is. Those from `USER` to `AUTOLINK` are live: they notify somebody or lead somewhere."""

    TEXT = "text"
    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"
    FENCE = "fence"
    QUOTE = "quote"
    DATE = "date"
    USER = "user"
    CHANNEL = "channel"
    USERGROUP = "usergroup"
    BROADCAST = "broadcast"
    LINK = "link"
    AUTOLINK = "autolink"


LIVE = {
    SpanKind.USER,
    SpanKind.CHANNEL,
    SpanKind.USERGROUP,
    SpanKind.BROADCAST,
    SpanKind.LINK,
    SpanKind.AUTOLINK,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text. `text` is what is shown, decoded; `target` an id, an address, or a date's stamp and format."""

    kind: SpanKind
    text: str = ""
    target: str = ""
    inner: tuple["Span", ...] = ()


_ATOM = r"<(?P<atom>[^<>\n]+)>"


def _wrapped(name: str, mark: str) -> str:
    # A bracketed sequence is one unit, so that a mark inside an address ends nothing. Each character matches in one way
    # only, so that no text makes the search explode.
    unit = rf"(?:<[^<>\n]*>|<(?![^<>\n]*>)|[^{mark}\n<])"
    return rf"(?<![\w{mark}])[{mark}](?P<{name}>(?=\S){unit}+?(?<=\S))[{mark}](?![\w{mark}])"


_MARKED = "|".join(
    [
        _ATOM,
        r"```(?P<fence>.+?)```",
        r"`(?P<code>[^`\n]+)`",
        _wrapped("bold", "*"),
        _wrapped("italic", "_"),
        _wrapped("strike", "~"),
    ]
)
_UNASKED = r"(?P<url>https?://[^\s<>|`]+)|(?<![\w@])@(?P<all>here|channel|everyone)\b"
_NAMES = r"(?<![\w#&])#(?P<name>[\w-]{1,80})"
_STRICT = re.compile(_MARKED, re.DOTALL)
_LINKING = re.compile(f"{_MARKED}|{_UNASKED}|{_NAMES}", re.DOTALL)
_TOP_LEVEL = re.compile(rf"{_MARKED}|(?P<url>https?://[^\s<>|`]+)", re.DOTALL)
_QUOTE = re.compile(r"^(?:&gt;|>) ?(.*)$", re.MULTILINE)
_SCHEMES = re.compile(r"^(?:https?|mailto|tel|slack):", re.IGNORECASE)


class Linking(StrEnum):
    """Which plain words come alive on their own."""

    NONE = "none"
    ADDRESSES = "addresses"
    EVERYTHING = "everything"


_PATTERNS = {Linking.NONE: _STRICT, Linking.ADDRESSES: _TOP_LEVEL, Linking.EVERYTHING: _LINKING}


def unescape(text: str) -> str:
    """The three entities that Slack knows."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def parse(text: str, linking: Linking = Linking.EVERYTHING) -> list[Span]:
    """The spans of a mrkdwn text; a line that begins with `>` is a quote."""
    spans: list[Span] = []
    at = 0
    for quoted in _QUOTE.finditer(text):
        if "```" in text[: quoted.start()] and text[: quoted.start()].count("```") % 2:
            continue
        spans += _inline(text[at : quoted.start()], linking)
        spans.append(Span(SpanKind.QUOTE, inner=tuple(_inline(quoted[1], linking))))
        at = quoted.end() + (text[quoted.end() : quoted.end() + 1] == "\n")
    return spans + _inline(text[at:], linking)


def _inline(text: str, linking: Linking) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for match in _PATTERNS[linking].finditer(text):
        if match.start() > at:
            spans.append(Span(SpanKind.TEXT, unescape(text[at : match.start()])))
        spans.append(_span(match, linking))
        at = match.end()
    if at < len(text):
        spans.append(Span(SpanKind.TEXT, unescape(text[at:])))
    return spans


def _span(match: re.Match[str], linking: Linking) -> Span:
    name, content = str(match.lastgroup), match[str(match.lastgroup)]
    match name:
        case "atom":
            return atom(content)
        case "code" | "fence":
            kind = SpanKind.CODE if name == "code" else SpanKind.FENCE
            return Span(kind, inner=tuple(_control_only(content.strip("\n"))))
        case "url":
            return Span(SpanKind.AUTOLINK, unescape(content), unescape(content))
        case "all":
            return Span(SpanKind.BROADCAST, content, content)
        case "name":
            return Span(SpanKind.CHANNEL, content, "#" + content)
        case _:
            return Span(SpanKind(name), inner=tuple(_inline(content, linking)))


def _control_only(text: str) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for match in re.finditer(_ATOM, text):
        spans += [Span(SpanKind.TEXT, unescape(text[at : match.start()])), atom(match["atom"])]
        at = match.end()
    return [*spans, Span(SpanKind.TEXT, unescape(text[at:]))]


def atom(content: str) -> Span:
    """What stands between `<` and `>`."""
    target, _, label = content.partition("|")
    label = unescape(label)
    if re.fullmatch(r"@[UW][A-Z0-9]+", target):
        span = Span(SpanKind.USER, label, target[1:])
    elif re.fullmatch(r"#[CGD][A-Z0-9]+", target):
        span = Span(SpanKind.CHANNEL, label, target[1:])
    elif target in ("!here", "!channel", "!everyone", "!group"):
        span = Span(SpanKind.BROADCAST, target[1:], target[1:])
    elif target.startswith("!subteam^"):
        span = Span(SpanKind.USERGROUP, label or target[9:], target[9:])
    elif target.startswith("!date^"):
        span = Span(SpanKind.DATE, label, target[6:])
    elif _SCHEMES.match(target):
        span = Span(SpanKind.LINK, label or unescape(target), unescape(target))
    else:
        span = Span(SpanKind.TEXT, f"<{unescape(content)}>")
    return span


def format_date(span: Span, tz: str) -> str:
    """A date in the reader's zone, the fallback where it makes no sense. Never "today", so that it is stable."""
    stamp, _, rest = span.target.partition("^")
    pattern = rest.partition("^")[0]
    try:
        moment = datetime.fromtimestamp(int(stamp), UTC).astimezone(ZoneInfo(tz))
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return span.text
    if not pattern:
        return span.text
    day = f"{moment:%B} {moment.day}, {moment.year}"
    tokens = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date_short": f"{moment:%b} {moment.day}, {moment.year}",
        "date_long": f"{moment:%A}, {day}",
        "date": day,
        "time": f"{moment:%H:%M}",
        "time_secs": f"{moment:%H:%M:%S}",
        "ago": f"{moment:%Y-%m-%d %H:%M}",
    }

    def token(match: re.Match[str]) -> str:
        return tokens.get(match[1].removesuffix("_pretty"), match[0])

    return re.sub(r"\{(\w+)\}", token, unescape(pattern))
