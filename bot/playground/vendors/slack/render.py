"""A message as neutral text, with everything live marked: what a test reads to see that `<!channel>` stayed inert.

Mentions read `⟦@channel⟧`, links `⟦label → address⟧`; buttons `[Label]` or `[Label → address]`, menus `[⋯ one | two]`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.playground.vendors.slack.mrkdwn import LIVE, Linking, Span, SpanKind, format_date, parse
from bot.playground.vendors.slack.wire import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names by id, and the reader's IANA zone."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    tz: str = "UTC"


@dataclass(frozen=True, slots=True)
class Live:
    """Something in a message that notifies or leads somewhere. `kind` is a `SpanKind`'s value or `button`."""

    kind: str
    target: str
    label: str


_LEAF_KINDS = {
    "user": (SpanKind.USER, "user_id"),
    "usergroup": (SpanKind.USERGROUP, "usergroup_id"),
    "channel": (SpanKind.CHANNEL, "channel_id"),
    "broadcast": (SpanKind.BROADCAST, "range"),
    "link": (SpanKind.LINK, "url"),
}


def text_spans(text: Json) -> list[Span]:
    """The spans of a text object; nothing in `plain_text` is live."""
    if text["type"] == "plain_text":
        return [Span(SpanKind.TEXT, text["text"])]
    return parse(text["text"], Linking.NONE if text.get("verbatim") else Linking.EVERYTHING)


def top_level_spans(message: Json) -> list[Span]:
    """The spans of a message's own `text`, by its `parse` and `link_names`."""
    options = message.get("options", {})
    if options.get("parse") == "full" or options.get("link_names") in (True, "1", "true", 1):
        linking = Linking.EVERYTHING
    else:
        linking = Linking.NONE if options.get("parse") == "none" else Linking.ADDRESSES
    return parse(message.get("text") or "", linking)


def leaf_span(leaf: Json) -> Span:
    """The span of a leaf of rich text, without its style."""
    if found := _LEAF_KINDS.get(leaf["type"]):
        kind, key = found
        label = leaf.get("text") or (leaf[key] if kind in (SpanKind.LINK, SpanKind.BROADCAST) else "")
        return Span(kind, label, leaf[key])
    if leaf["type"] == "date":
        return Span(SpanKind.DATE, leaf.get("fallback", ""), f"{leaf['timestamp']}^{leaf['format']}")
    return Span(SpanKind.TEXT, leaf.get("text") or (f":{leaf['name']}:" if "name" in leaf else ""))


def block_spans(block: Json) -> Iterator[list[Span]]:
    """The lines of a block, elements that one presses left out."""
    match block["type"]:
        case "section":
            yield from (text_spans(each) for each in [block.get("text"), *block.get("fields", [])] if each)
        case "header":
            yield text_spans(block["text"])
        case "context":
            yield [
                span
                for each in block["elements"]
                for span in (text_spans(each) if each["type"] != "image" else [Span(SpanKind.TEXT, each["alt_text"])])
            ]
        case "image":
            yield [Span(SpanKind.TEXT, (block.get("title") or {}).get("text") or block["alt_text"])]
        case "markdown":
            yield parse(block["text"])  # read as mrkdwn, which finds the same things live
        case "rich_text":
            yield from _rich_lines(block["elements"])
        case "table":
            for row in block["rows"]:
                yield [span for cell in row for span in [*_cell(cell), Span(SpanKind.TEXT, " | ")]][:-1]
        case "input":
            yield text_spans(block["label"])
        case _:
            return


def _cell(cell: Json) -> list[Span]:
    if cell["type"] == "raw_text":
        return [Span(SpanKind.TEXT, cell["text"])]
    return [span for line in _rich_lines(cell["elements"]) for span in line]


def _rich_lines(parts: list[Json]) -> Iterator[list[Span]]:
    for part in parts:
        if part["type"] == "rich_text_list":
            yield from _rich_lines(part["elements"])
        else:
            yield [leaf_span(leaf) for leaf in part["elements"]]


def pressable(block: Json) -> list[Json]:
    """The interactive elements of a block."""
    inner = [block.get("accessory"), *(block.get("elements", []) if block["type"] == "actions" else [])]
    return [each for each in inner if each and each["type"] != "image"]


def live_parts(message: Json) -> list[Live]:
    """What in a message notifies or leads somewhere; mentions in `text` count also where blocks are shown."""
    blocks = message.get("blocks") or []
    lines = [line for block in blocks for line in block_spans(block)]
    own = list(_flat(top_level_spans(message)))
    if blocks:
        own = [span for span in own if span.kind not in (SpanKind.LINK, SpanKind.AUTOLINK)]
    spans = own + [span for line in lines for span in _flat(line)]
    found = [Live(span.kind.value, span.target, span.text) for span in spans if span.kind in LIVE]
    for element in (each for block in blocks for each in pressable(block)):
        links = [element, *element.get("options", [])]
        found += [Live("button", each["url"], each["text"]["text"]) for each in links if each.get("url")]
    return found


def _flat(spans: list[Span] | tuple[Span, ...]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield from _flat(span.inner)


def spans_to_text(spans: list[Span] | tuple[Span, ...], names: Names) -> str:
    """Spans as neutral text."""
    return "".join(_as_text(span, names) for span in spans)


def mention_name(span: Span, names: Names) -> str:
    """A mention with the name that readers see."""
    if span.kind is SpanKind.CHANNEL:
        return "#" + (names.channels.get(span.target) or span.text or span.target).lstrip("#")
    if span.kind is SpanKind.USER:
        return "@" + (names.users.get(span.target) or span.text or span.target)
    return "@" + span.text


def _as_text(span: Span, names: Names) -> str:
    match span.kind:
        case SpanKind.USER | SpanKind.BROADCAST | SpanKind.USERGROUP | SpanKind.CHANNEL:
            shown = f"⟦{mention_name(span, names)}⟧"
        case SpanKind.LINK:
            shown = f"⟦{span.text} → {span.target}⟧"
        case SpanKind.AUTOLINK:
            shown = f"⟦{span.target}⟧"
        case SpanKind.DATE:
            shown = format_date(span, names.tz)
        case SpanKind.QUOTE:
            shown = f"> {spans_to_text(span.inner, names)}\n"
        case _:
            shown = span.text + spans_to_text(span.inner, names)
    return shown


def message_to_text(message: Json, names: Names | None = None) -> str:
    """A message as a reader has it before them: its blocks, or its text where it has none."""
    names = names or Names()
    blocks = message.get("blocks") or []
    if not blocks:
        return spans_to_text(top_level_spans(message), names)
    lines: list[str] = []
    for block in blocks:
        lines += [spans_to_text(line, names) for line in block_spans(block)]
        if elements := pressable(block):
            lines.append(" ".join(_pressable_text(each) for each in elements))
    return "\n".join(lines)


def _pressable_text(element: Json) -> str:
    if element["type"] == "button":
        label = element["text"]["text"]
        return f"[{label} → {element['url']}]" if element.get("url") else f"[{label}]"
    options = [*element.get("options", []), *(o for g in element.get("option_groups", []) for o in g["options"])]
    head = (element.get("placeholder") or {}).get("text", "⋯")
    return f"[{head}: {' | '.join(o['text']['text'] for o in options)}]" if options else f"[{head}]"
