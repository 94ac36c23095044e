"""A message, a modal or App Home as HTML that looks like Slack's; `slack.css` beside this file styles it.

Safe by construction: every text goes through `escape`, every address through `_href`, and no attribute is unquoted.
Pressable parts carry what the control API wants: `data-action-id`, `data-block-id`, `data-value`, `data-type`.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from bot.playground.vendors.slack.forms import as_left
from bot.playground.vendors.slack.mrkdwn import Span, SpanKind, format_date, parse
from bot.playground.vendors.slack.render import Names, leaf_span, mention_name, pressable, text_spans, top_level_spans
from bot.playground.vendors.slack.wire import Json

_TAGS = {SpanKind.BOLD: "b", SpanKind.ITALIC: "i", SpanKind.STRIKE: "s", SpanKind.CODE: "code", SpanKind.FENCE: "pre"}
_EMOJI = {
    "lock": "🔒",
    "white_check_mark": "✅",
    "warning": "⚠️",
    "exclamation": "❗",
    "bust_in_silhouette": "👤",
    "clock3": "🕒",
    "double_vertical_bar": "⏸️",
    "tada": "🎉",
    "wave": "👋",
    "bell": "🔔",
    "mag": "🔍",
    "x": "❌",
}


def _emoji(text: str) -> str:
    return re.sub(r":([a-z0-9_+-]+):", lambda m: _EMOJI.get(m[1], m[0]), text)


def _plain(text: str) -> str:
    return escape(_emoji(text)).replace("\n", "<br>")


def _href(url: str) -> str | None:
    return escape(url) if re.match(r"^(https?://|mailto:)", url, re.IGNORECASE) else None


def _link(url: str, label: str) -> str:
    href = _href(url)
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{label}</a>' if href else label


def spans_to_html(spans: list[Span] | tuple[Span, ...], names: Names) -> str:
    """Spans as inline HTML."""
    return "".join(_as_html(span, names) for span in spans)


def _as_html(span: Span, names: Names) -> str:
    match span.kind:
        case SpanKind.TEXT:
            shown = _plain(span.text)
        case SpanKind.LINK | SpanKind.AUTOLINK:
            shown = _link(span.target, _plain(span.text))
        case SpanKind.USER | SpanKind.CHANNEL | SpanKind.BROADCAST | SpanKind.USERGROUP:
            loud = " s-broadcast" if span.kind in (SpanKind.BROADCAST, SpanKind.USERGROUP) else ""
            shown = f'<span class="s-mention{loud}">{escape(mention_name(span, names))}</span>'
        case SpanKind.DATE:
            day = escape(format_date(span, names.tz))
            url = span.target.split("^", 2)[2] if span.target.count("^") >= 2 else ""
            shown = _link(url, day) if url else f'<time title="{escape(span.text)}">{day}</time>'
        case SpanKind.QUOTE:
            shown = f"<blockquote>{spans_to_html(span.inner, names)}</blockquote>"
        case _:
            shown = f"<{_TAGS[span.kind]}>{spans_to_html(span.inner, names)}</{_TAGS[span.kind]}>"
    return shown


def _text(text: Json, names: Names) -> str:
    return spans_to_html(text_spans(text), names)


def _attributes(element: Json, block: Json) -> str:
    values = {
        "data-action-id": element.get("action_id", ""),
        "data-block-id": block.get("block_id", ""),
        "data-type": element["type"],
    }
    if "value" in element:
        values["data-value"] = element["value"]
    if "confirm" in element:
        confirm = element["confirm"]
        values["data-confirm"] = json.dumps({key: confirm[key]["text"] for key in ("title", "text", "confirm", "deny")})
    return " ".join(f'{name}="{escape(str(value))}"' for name, value in values.items())


def element_to_html(element: Json, block: Json, names: Names) -> str:
    """A button, menu or input."""
    attributes = _attributes(element, block)
    kind = element["type"]
    if kind == "button":
        style = f" s-button--{element['style']}" if element.get("style") in ("primary", "danger") else ""
        label = _plain(element["text"]["text"])
        aria = f' aria-label="{escape(element["accessibility_label"])}"' if "accessibility_label" in element else ""
        href = _href(element.get("url", ""))
        if href:
            where = f'href="{href}" target="_blank" rel="noopener noreferrer"'
            return f'<a class="s-button{style}" {where} {attributes}{aria}>{label}</a>'
        return f'<button type="button" class="s-button{style}" {attributes}{aria}>{label}</button>'
    if kind == "overflow":
        items = "".join(
            f'<button type="button" role="menuitem" {attributes} data-value="{escape(o["value"])}">'
            f"{_plain(o['text']['text'])}</button>"
            for o in element["options"]
        )
        more = '<summary class="s-button" aria-label="More actions">⋯</summary>'
        return f'<details class="s-overflow">{more}<div role="menu">{items}</div></details>'
    if kind in ("checkboxes", "radio_buttons"):
        return _ticks(element, attributes, names)
    if kind.endswith("_select"):
        # In a form the label around it names a menu; elsewhere its placeholder has to.
        return _menu(element, attributes, names, is_labelled=block["type"] == "input")
    return _input(element, attributes)


def _ticks(element: Json, attributes: str, names: Names) -> str:
    box = "checkbox" if element["type"] == "checkboxes" else "radio"
    first = element.get("initial_options") or [o for o in [element.get("initial_option")] if o]
    on = {each["value"] for each in first}
    return "".join(
        f'<label class="s-tick"><input type="{box}" name="{escape(element.get("action_id", ""))}" {attributes} '
        f'value="{escape(o["value"])}"{" checked" if o["value"] in on else ""}> {_text(o["text"], names)}</label>'
        for o in element["options"]
    )


def _menu(element: Json, attributes: str, names: Names, *, is_labelled: bool) -> str:
    kind = element["type"]
    if "users" in kind:
        options = list(names.users.items())
    elif "conversations" in kind or "channels" in kind:
        options = [(key, "#" + name) for key, name in names.channels.items()]
    else:
        lists = [*element.get("options", []), *(o for g in element.get("option_groups", []) for o in g["options"])]
        options = [(o["value"], o["text"]["text"]) for o in lists]
    first = _chosen_at_first(element)
    head = escape((element.get("placeholder") or {"text": "Choose"})["text"])
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value in first else ""}>{_plain(label)}</option>'
        for value, label in options
    )
    multiple = " multiple" if kind.startswith("multi_") else ""
    blank = "" if multiple else f'<option value="">{head}</option>'
    label = "" if is_labelled else f' aria-label="{head}"'
    return f'<select class="s-select"{label} {attributes}{multiple}>{blank}{rows}</select>'


def _chosen_at_first(element: Json) -> set[str]:
    """The values or ids that a menu shows chosen."""
    found: set[str] = set()
    for name, value in element.items():
        if name.startswith("initial_"):
            for each in value if isinstance(value, list) else [value]:
                found.add(each["value"] if isinstance(each, dict) else str(each))
    return found


def _input(element: Json, attributes: str) -> str:
    kinds = {"datepicker": "date", "timepicker": "time", "datetimepicker": "datetime-local", "number_input": "number"}
    value = element.get("initial_value") or element.get("initial_date") or element.get("initial_time") or ""
    hint = escape((element.get("placeholder") or {"text": ""})["text"])
    if element.get("multiline"):
        return f'<textarea class="s-field" placeholder="{hint}" {attributes}>{escape(str(value))}</textarea>'
    kind = kinds.get(element["type"], "text")
    return f'<input class="s-field" type="{kind}" placeholder="{hint}" value="{escape(str(value))}" {attributes}>'


def _image(image: Json) -> str:
    href = _href(image.get("image_url", ""))
    alt = escape(image["alt_text"])
    return f'<img src="{href}" alt="{alt}" loading="lazy">' if href else f'<span class="s-noimage">{alt}</span>'


def block_to_html(block: Json, names: Names) -> str:
    """One block."""
    kind = block["type"]
    inner = _BLOCKS[kind](block, names) if kind in _BLOCKS else ""
    return f'<div class="s-block s-{escape(kind)}">{inner}</div>'


def _header(block: Json, names: Names) -> str:
    return f"<h3>{_text(block['text'], names)}</h3>"


def _context(block: Json, names: Names) -> str:
    return "".join(
        _image(each) if each["type"] == "image" else f"<span>{_text(each, names)}</span>" for each in block["elements"]
    )


def _actions(block: Json, names: Names) -> str:
    return "".join(element_to_html(each, block, names) for each in pressable(block))


def _figure(block: Json, names: Names) -> str:
    title = f"<figcaption>{_text(block['title'], names)}</figcaption>" if block.get("title") else ""
    return f"<figure>{title}{_image(block)}</figure>"


def _rich_block(block: Json, names: Names) -> str:
    return "".join(_rich(part, names) for part in block["elements"])


def _section(block: Json, names: Names) -> str:
    body = f'<div class="s-text">{_text(block["text"], names)}</div>' if block.get("text") else ""
    if fields := block.get("fields"):
        body += f'<div class="s-fields">{"".join(f"<div>{_text(each, names)}</div>" for each in fields)}</div>'
    accessory = block.get("accessory")
    if not accessory:
        return body
    beside = _image(accessory) if accessory["type"] == "image" else element_to_html(accessory, block, names)
    return f'<div class="s-body">{body}</div><div class="s-accessory">{beside}</div>'


def _input_block(block: Json, names: Names) -> str:
    optional = ' <span class="s-optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<p class="s-hint">{_text(block["hint"], names)}</p>' if block.get("hint") else ""
    if error := block.get("error"):
        hint = f'<p class="s-error" role="alert">{_plain(error)}</p>{hint}'
    element = element_to_html(block["element"], block, names)
    label = f"<span>{_text(block['label'], names)}{optional}</span>"
    if block["element"]["type"] in ("checkboxes", "radio_buttons"):  # each choice is a label of its own
        return f'<div role="group"><b>{label}</b>{element}</div>{hint}'
    return f"<label>{label} {element}</label>{hint}"


def _leaf(leaf: Json, names: Names) -> str:
    shown = _as_html(leaf_span(leaf), names)
    for style, tag in (("code", "code"), ("bold", "b"), ("italic", "i"), ("strike", "s"), ("underline", "u")):
        if leaf.get("style", {}).get(style):
            shown = f"<{tag}>{shown}</{tag}>"
    return shown


def _rich(part: Json, names: Names) -> str:
    if part["type"] == "rich_text_list":
        tag = "ol" if part["style"] == "ordered" else "ul"
        return f"<{tag}>{''.join(f'<li>{_rich(each, names)}</li>' for each in part['elements'])}</{tag}>"
    tag = {"rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}.get(part["type"], "div")
    return f"<{tag}>{''.join(_leaf(leaf, names) for leaf in part['elements'])}</{tag}>"


def _table(block: Json, names: Names) -> str:
    rows = []
    for row in block["rows"]:
        cells = (
            _plain(c["text"]) if c["type"] == "raw_text" else "".join(_rich(p, names) for p in c["elements"])
            for c in row
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


_BLOCKS: dict[str, Callable[[Json, Names], str]] = {
    "divider": lambda _block, _names: "<hr>",
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _figure,
    "rich_text": _rich_block,
    "markdown": lambda block, names: spans_to_html(parse(block["text"]), names),
    "table": _table,
    "input": _input_block,
}


def blocks_to_html(message: Json, names: Names | None = None) -> str:
    """The content of a message: its blocks, or its text where it has none."""
    names = names or Names()
    if not (blocks := message.get("blocks")):
        return f'<div class="s-block s-text">{spans_to_html(top_level_spans(message), names)}</div>'
    return "".join(block_to_html(block, names) for block in blocks)


def message_to_html(message: Json, names: Names | None = None) -> str:
    """A whole message with its author, time and marks, as the history of the control API describes it."""
    names = names or Names()
    moment = datetime.fromtimestamp(float(message["ts"]), UTC).astimezone(ZoneInfo(names.tz))
    author = escape(message.get("author") or message.get("user", ""))
    badge = '<span class="s-app">APP</span>' if message.get("from_app") else ""
    only = '<p class="s-only">Only visible to you</p>' if message.get("ephemeral") else ""
    edited = '<span class="s-edited">(edited)</span>' if message.get("is_edited") else ""
    ephemeral = " s-ephemeral" if message.get("ephemeral") else ""
    if message.get("thread_ts") not in (None, message["ts"]):
        ephemeral += " s-reply"
    return (
        f'<article class="s-message{ephemeral}" data-ts="{escape(message["ts"])}">'
        f'<span class="s-avatar" aria-hidden="true">{escape((message.get("author") or "?")[:1])}</span>'
        f'<div class="s-content">{only}<header><b class="s-author">{author}</b>{badge}'
        f'<time datetime="{moment.isoformat()}">{moment:%H:%M}</time></header>'
        f"{blocks_to_html(message, names)}{edited}</div></article>"
    )


def view_to_html(
    view: Json, names: Names | None = None, *, filled: Json | None = None, errors: dict[str, str] | None = None
) -> str:
    """A modal as a form, or App Home as a section; with what was filled in and refused, and why, where it was."""
    names = names or Names()
    body = "".join(block_to_html(block, names) for block in as_left(view["blocks"], filled or {}, errors or {}))
    if view["type"] == "home":
        return f'<section class="s-home" data-view-id="{escape(view["id"])}">{body}</section>'
    title = _plain(view["title"]["text"])
    close = _plain((view.get("close") or {"text": "Cancel"})["text"])
    submit = view.get("submit")
    send = (
        f'<button type="submit" class="s-button s-button--primary">{_plain(submit["text"])}</button>' if submit else ""
    )
    return (
        f'<form class="s-modal" role="dialog" aria-label="{title}" data-view-id="{escape(view["id"])}"><h2>{title}</h2>'
        f'{body}<footer><button type="button" class="s-button" data-close>{close}</button>{send}</footer></form>'
    )
