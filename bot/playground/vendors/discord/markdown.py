"""Discord's markdown: parsed once, then printed as neutral text with live parts marked, or as safe HTML.

What Discord would make live (a mention, a link) is a node of its own, so that a test can tell it from mere text.
Source: Discord's help pages on markdown, and docs.discord.com, reference, "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Display names by id, for mentions."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Styled:
    """Inline or block styling; `tag` is the HTML element, `css` its class if it needs one."""

    tag: str
    children: tuple[Node, ...]
    css: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    text: str
    block: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    kind: str
    """user, role, channel, command, everyone"""
    id: str


@dataclass(frozen=True, slots=True)
class Moment:
    unix: int
    style: str


Node = Text | Styled | Code | Link | Mention | Moment

INLINE = re.compile(
    r"""
      \\(?P<escaped>[^0-9A-Za-z\s])
    | (?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)
    | \[(?P<label>(?:\\.|[^\]\\\n])+)\]\(<?(?P<masked>https?://[^\s<>)]+)>?(?:\s"[^"\n]*")?\)
    | <(?P<quiet>https?://[^\s<>]+)>
    | (?P<url>https?://[^\s<]*[^\s<.,:;"'\])*_~|])
    | <@!?(?P<user>\d{1,20})>
    | <@&(?P<role>\d{1,20})>
    | <\#(?P<channel>\d{1,20})>
    | </(?P<command>[^:<>\n]{1,100}):\d{1,20}>
    | <t:(?P<unix>-?\d{1,13})(?::(?P<look>[tTdDfFRsS]))?>
    | <a?:(?P<emoji>\w{1,32}):\d{1,20}>
    | @(?P<everyone>everyone|here)
    | \*\*\*(?P<bolditalic>(?:\\.|[^\\])+?)\*\*\*(?!\*)
    | \*\*(?P<bold>(?:\\.|[^\\])+?)\*\*(?!\*)
    | __(?P<under>(?:\\.|[^\\])+?)__(?!_)
    | ~~(?P<strike>(?:\\.|[^\\])+?)~~
    | \|\|(?P<spoiler>(?:\\.|[^\\])+?)\|\|
    | \*(?![\s*])(?P<star>(?:\\.|[^\\*]|\*\*)+?)(?<!\s)\*(?!\*)
    | (?<!\w)_(?!_)(?P<line>(?:\\.|[^\\_])+?)_(?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)
STYLES = {"bold": "strong", "under": "u", "strike": "s", "star": "em", "line": "em"}
FENCE = re.compile(r"```(?:[\w+-]*\n)?(.+?)\n?```", re.DOTALL)
HEADING = re.compile(r"(#{1,3}|-#) +(\S.*)")
ITEM = re.compile(r"( *)(?:[-*]|\d{1,3}\.) +(\S.*)")
DEEPEST = 12
UNITS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def parse(text: str) -> tuple[Node, ...]:
    """Blocks and inline parts of one text."""
    nodes: list[Node] = []
    at = 0
    for fence in FENCE.finditer(text):
        nodes += _lines(text[at : fence.start()])
        nodes.append(Code(fence.group(1), block=True))
        at = fence.end()
    return (*nodes, *_lines(text[at:]))


def inline(text: str, depth: int = 0) -> tuple[Node, ...]:
    nodes: list[Node] = []
    at = 0
    for match in INLINE.finditer(text):
        if match.start() > at:
            nodes.append(Text(text[at : match.start()]))
        nodes.append(_node(match, depth))
        at = match.end()
    if at < len(text):
        nodes.append(Text(text[at:]))
    return tuple(nodes)


def _node(match: re.Match[str], depth: int) -> Node:  # noqa: C901, PLR0911 -- one return for each kind of part
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if depth > DEEPEST:
        return Text(match.group())
    if "escaped" in found:
        return Text(found["escaped"])
    if "code" in found:
        return Code(found["code"].strip() or found["code"])
    if "masked" in found:
        return Link(found["masked"], inline(found["label"], depth + 1))
    for name in ("quiet", "url"):
        if name in found:
            return Link(found[name], (Text(found[name]),))
    for name in ("user", "role", "channel", "command", "everyone"):
        if name in found:
            return Mention(name, found[name])
    if "unix" in found:
        return Moment(int(found["unix"]), found.get("look", "f"))
    if "emoji" in found:
        return Text(f":{found['emoji']}:")
    if "bolditalic" in found:
        return Styled("em", (Styled("strong", inline(found["bolditalic"], depth + 1)),))
    if "spoiler" in found:
        return Styled("span", inline(found["spoiler"], depth + 1), "dc-spoiler")
    name = next(name for name in STYLES if name in found)
    return Styled(STYLES[name], inline(found[name], depth + 1))


def _lines(text: str) -> list[Node]:
    """Headings, quotes and list items by line; other lines run on, so that styling may span them."""
    nodes: list[Node] = []
    plain: list[str] = []

    def flush() -> None:
        if plain:
            nodes.extend(inline("\n".join(plain)))
            plain.clear()

    lines = text.split("\n")
    for index, line in enumerate(lines):
        heading, item = HEADING.fullmatch(line), ITEM.fullmatch(line)
        if line.startswith(">>> "):
            flush()
            nodes.append(Styled("blockquote", inline("\n".join([line[4:], *lines[index + 1 :]]))))
            return nodes
        if line.startswith("> "):
            flush()
            nodes.append(Styled("blockquote", inline(line[2:])))
        elif heading:
            flush()
            marks = heading.group(1)
            inner = inline(heading.group(2))
            nodes.append(Styled("div", inner, "dc-sub") if marks == "-#" else Styled(f"h{len(marks)}", inner, "dc-h"))
        elif item:
            flush()
            nodes.append(Styled("div", inline(item.group(2)), "dc-li2" if item.group(1) else "dc-li"))
        else:
            plain.append(line)
    flush()
    return nodes


def is_block(node: Node) -> bool:
    if isinstance(node, Code):
        return node.block
    return isinstance(node, Styled) and node.tag in ("blockquote", "div", "h1", "h2", "h3")


# Neutral text


def to_text(nodes: tuple[Node, ...], names: Names) -> str:
    """Text without markup; what is live stands in ⟦…⟧: `⟦user:1|Ana⟧`, `⟦everyone⟧`, `⟦link:https://…|label⟧`."""
    parts: list[str] = []
    for index, node in enumerate(nodes):
        if index and (is_block(node) or is_block(nodes[index - 1])) and parts and not parts[-1].endswith("\n"):
            parts.append("\n")
        parts.append(_text_of(node, names))
    return "".join(parts)


def _text_of(node: Node, names: Names) -> str:  # noqa: PLR0911 -- one return for each kind of part
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Styled):
        return to_text(node.children, names)
    if isinstance(node, Code):
        return node.text
    if isinstance(node, Link):
        return f"⟦link:{node.url}|{to_text(node.children, names)}⟧"
    if isinstance(node, Moment):
        return f"⟦time:{node.unix}:{node.style}⟧"
    if node.kind == "everyone":
        return f"⟦{node.id}⟧"
    return f"⟦{node.kind}:{node.id}|{_label(node, names)}⟧"


def _label(mention: Mention, names: Names) -> str:
    if mention.kind == "user":
        return "@" + names.users.get(mention.id, "unknown-user")
    if mention.kind == "role":
        return "@" + names.roles.get(mention.id, "unknown-role")
    if mention.kind == "channel":
        return "#" + names.channels.get(mention.id, "unknown")
    return ("/" if mention.kind == "command" else "@") + mention.id


# HTML


def to_html(nodes: tuple[Node, ...], names: Names, now: float) -> str:
    return "".join(_html_of(node, names, now) for node in nodes)


def _html_of(node: Node, names: Names, now: float) -> str:
    if isinstance(node, Text):
        return escape(node.text).replace("\n", "<br>")
    if isinstance(node, Styled):
        css = f' class="{node.css}"' if node.css else ""
        return f"<{node.tag}{css}>{to_html(node.children, names, now)}</{node.tag}>"
    if isinstance(node, Code):
        code = f"<code>{escape(node.text)}</code>"
        return f"<pre>{code}</pre>" if node.block else code
    if isinstance(node, Link):
        return link_html(node.url, to_html(node.children, names, now))
    if isinstance(node, Moment):
        return _moment_html(node, now)
    return f'<span class="dc-mention" data-{node.kind}="{escape(node.id)}">{escape(_label(node, names))}</span>'


def link_html(url: str, inner: str, css: str = "") -> str:
    """A link that leads only to http or https, and tells the target nothing of this page."""
    if not url.startswith(("http://", "https://")):
        return inner
    named = f' class="{css}"' if css else ""
    return f'<a{named} href="{escape(url)}" target="_blank" rel="noopener noreferrer">{inner}</a>'


def _moment_html(moment: Moment, now: float) -> str:
    try:
        at = datetime.fromtimestamp(moment.unix, UTC)
    except (OverflowError, ValueError, OSError):
        return "Invalid Date"
    full = f"{at:%A}, {at.day} {at:%B %Y} {at:%H:%M}"
    looks = {
        "t": f"{at:%H:%M}",
        "T": f"{at:%H:%M:%S}",
        "d": f"{at:%d/%m/%Y}",
        "D": f"{at.day} {at:%B %Y}",
        "f": f"{at.day} {at:%B %Y} {at:%H:%M}",
        "F": full,
        "R": relative(moment.unix - now),
        "s": f"{at:%d/%m/%Y, %H:%M}",
        "S": f"{at:%d/%m/%Y, %H:%M:%S}",
    }
    shown = looks[moment.style]
    stamp = f'datetime="{at.isoformat()}" data-style="{moment.style}" title="{escape(full)} UTC"'
    return f'<time class="dc-time" {stamp}>{escape(shown)}</time>'


def relative(seconds: float) -> str:
    """Such as "in 2 hours" or "3 days ago", as Discord says it."""
    size = abs(seconds)
    unit, length = next(((unit, length) for unit, length in UNITS if size >= length), ("second", 1))
    count = round(size / length)
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
