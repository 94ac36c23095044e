"""A whole message as a person sees it: neutral text for tests, safe HTML for a page with discord.css.

Nothing from a message reaches the HTML unescaped, and nothing in it runs: buttons are `<button data-custom-id>`,
menus `<select data-custom-id>`, link buttons `<a href>`. A page's own script makes them work.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from bot.playground.vendors.discord.component_rules import (
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    LABEL,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT,
    TEXT_INPUT,
    THUMBNAIL,
)
from bot.playground.vendors.discord.markdown import Names, inline, link_html, parse, to_html, to_text
from bot.playground.vendors.discord.wire import Payload

__all__ = ["Names", "message_html", "message_text", "modal_html"]

EPHEMERAL, LOADING, SUPPRESS_EMBEDS = 1 << 6, 1 << 7, 1 << 2
BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
SELECT_KINDS = {3: "string", 5: "user", 6: "role", 7: "mentionable", 8: "channel"}


# Neutral text


def message_text(message: Payload, names: Names) -> str:
    """All that a message says, top to bottom, live mentions and links marked by ⟦…⟧, buttons as ⟦button:…⟧."""
    parts = [to_text(parse(message.get("content") or ""), names)]
    if not message.get("flags", 0) & SUPPRESS_EMBEDS:
        parts += [_embed_text(embed, names) for embed in message.get("embeds") or []]
    parts += [_component_text(one, names) for one in message.get("components") or []]
    parts += [f"⟦file:{one['filename']}⟧" for one in message.get("attachments") or []]
    return "\n".join(part for part in parts if part)


def _embed_text(embed: Payload, names: Names) -> str:
    lines = [(embed.get("author") or {}).get("name", "")]
    title = to_text(inline(embed.get("title") or ""), names)
    lines.append(f"⟦link:{embed['url']}|{title}⟧" if embed.get("url") else title)
    lines.append(to_text(parse(embed.get("description") or ""), names))
    fields = embed.get("fields") or []
    lines += [f"{to_text(inline(one['name']), names)}: {to_text(parse(one['value']), names)}" for one in fields]
    lines.append((embed.get("footer") or {}).get("text", ""))
    return "\n".join(line for line in lines if line)


def _component_text(component: Payload, names: Names) -> str:
    kind = component["type"]
    if kind == TEXT:
        return to_text(parse(component["content"]), names)
    if kind == BUTTON:
        label = component.get("label") or (component.get("emoji") or {}).get("name") or ""
        off = "off:" if component.get("disabled") else ""
        return f"⟦link:{component['url']}|{label}⟧" if component.get("url") else f"⟦{off}button:{label}⟧"
    if kind in SELECTS:
        options = " / ".join(str(option["label"]) for option in component.get("options") or [])
        return f"⟦menu:{component.get('placeholder') or ''}|{options}⟧"
    if kind == SEPARATOR:
        return "―――"
    inner = [_component_text(one, names) for one in component.get("components") or []]
    if component.get("accessory"):
        inner.append(_component_text(component["accessory"], names))
    return (" " if kind == ROW else "\n").join(part for part in inner if part)


# HTML


def message_html(message: Payload, names: Names, *, now: float, used_command: str | None = None) -> str:
    """One message as an `<article>`, with avatar, name, APP badge, time and, where it is so, the ephemeral note."""
    author = message["author"]
    name = author.get("global_name") or author["username"]
    flags = message.get("flags", 0)
    badge = '<span class="dc-app">APP</span>' if author.get("bot") else ""
    at = datetime.fromisoformat(message["timestamp"]).astimezone(UTC)
    stamp = f'<time class="dc-stamp" datetime="{at.isoformat()}">{at:%d/%m/%Y %H:%M}</time>'
    edited = ' <span class="dc-edited">(edited)</span>' if message.get("edited_timestamp") else ""
    used = f'<div class="dc-used">{escape(used_command)}</div>' if used_command else ""
    note = (
        '<div class="dc-private">👁 Only you can see this • '
        f'<button type="button" data-dismiss="{escape(message["id"])}">Dismiss message</button></div>'
        if flags & EPHEMERAL
        else ""
    )
    body = '<div class="dc-thinking">is thinking…</div>' if flags & LOADING else _body_html(message, names, now, edited)
    classes = "dc-message dc-ephemeral" if flags & EPHEMERAL else "dc-message"
    hue = int(author["id"]) % 5
    return (
        f'<article class="{classes}" data-message-id="{escape(message["id"])}">{used}'
        f'<span class="dc-avatar dc-hue{hue}" aria-hidden="true">{escape(name[:1].upper())}</span>'
        f'<header><span class="dc-name">{escape(name)}</span>{badge}{stamp}</header>'
        f'<div class="dc-body">{body}{note}</div></article>'
    )


def _body_html(message: Payload, names: Names, now: float, edited: str) -> str:
    content = message.get("content") or ""
    parts = [f'<div class="dc-content">{to_html(parse(content), names, now)}{edited}</div>'] if content else []
    if not message.get("flags", 0) & SUPPRESS_EMBEDS:
        parts += [_embed_html(embed, names, now) for embed in message.get("embeds") or []]
    parts += [_attachment_html(one) for one in message.get("attachments") or []]
    parts += [_component_html(one, names, now) for one in message.get("components") or []]
    if edited and not content:
        parts.append(edited)
    return "".join(parts)


def _attachment_html(attachment: Payload) -> str:
    name = escape(attachment["filename"])
    if str(attachment.get("content_type", "")).startswith("image/"):
        return link_html(attachment["url"], f'<img class="dc-image" src="{escape(attachment["url"])}" alt="{name}">')
    return f'<div class="dc-file">{link_html(attachment["url"], name)}</div>'


def _embed_html(embed: Payload, names: Names, now: float) -> str:
    parts = []
    if embed.get("author"):
        parts.append(f'<div class="dc-embed-author">{escape(embed["author"].get("name", ""))}</div>')
    if embed.get("title"):
        title = to_html(inline(embed["title"]), names, now)
        linked = link_html(embed["url"], title) if embed.get("url") else title
        parts.append(f'<div class="dc-embed-title">{linked}</div>')
    if embed.get("description"):
        parts.append(f'<div class="dc-embed-text">{to_html(parse(embed["description"]), names, now)}</div>')
    if embed.get("fields"):
        fields = "".join(
            f'<div class="dc-field{" dc-inline" if one.get("inline") else ""}">'
            f"<b>{to_html(inline(one['name']), names, now)}</b>"
            f"<div>{to_html(parse(one['value']), names, now)}</div></div>"
            for one in embed["fields"]
        )
        parts.append(f'<div class="dc-fields">{fields}</div>')
    if embed.get("image"):
        parts.append(_picture(embed["image"].get("url", ""), ""))
    if embed.get("footer"):
        parts.append(f'<div class="dc-embed-footer">{escape(embed["footer"].get("text", ""))}</div>')
    return f'<div class="dc-embed"{_accent(embed.get("color"))}>{"".join(parts)}</div>'


def _accent(colour: object) -> str:
    return f' style="--accent:#{colour:06x}"' if isinstance(colour, int) else ""


def _picture(url: str, description: str) -> str:
    if not url.startswith(("http://", "https://")):
        return ""
    return f'<img class="dc-image" src="{escape(url)}" alt="{escape(description)}" loading="lazy">'


def _component_html(  # noqa: C901, PLR0911 -- one return for each kind of component
    component: Payload, names: Names, now: float
) -> str:
    kind = component["type"]
    inner = "".join(_component_html(one, names, now) for one in component.get("components") or [])
    if kind == ROW:
        return f'<div class="dc-row">{inner}</div>'
    if kind == BUTTON:
        return _button_html(component)
    if kind in SELECTS:
        return _select_html(component)
    if kind == TEXT:
        return f'<div class="dc-text">{to_html(parse(component["content"]), names, now)}</div>'
    if kind == SECTION:
        accessory = _component_html(component["accessory"], names, now)
        return f'<div class="dc-section"><div>{inner}</div><div class="dc-accessory">{accessory}</div></div>'
    if kind == THUMBNAIL:
        return _picture(component["media"]["url"], component.get("description") or "")
    if kind == GALLERY:
        pictures = "".join(_picture(one["media"]["url"], one.get("description") or "") for one in component["items"])
        return f'<div class="dc-gallery">{pictures}</div>'
    if kind == FILE:
        return f'<div class="dc-file">{link_html(component["file"]["url"], "File")}</div>'
    if kind == SEPARATOR:
        size = "dc-wide" if component.get("spacing") == 2 else ""
        return f'<hr class="dc-separator {size}"{"" if component.get("divider", True) else " data-plain"}>'
    if kind == CONTAINER:
        spoiler = " dc-spoiler" if component.get("spoiler") else ""
        accent = " dc-accented" if component.get("accent_color") is not None else ""
        return f'<div class="dc-container{accent}{spoiler}"{_accent(component.get("accent_color"))}>{inner}</div>'
    return ""


def _button_html(button: Payload) -> str:
    emoji = (button.get("emoji") or {}).get("name") or ""
    label = " ".join(escape(part) for part in (emoji, button.get("label") or "") if part)
    style = BUTTON_STYLES.get(button.get("style", 2), "secondary")
    css = f"dc-button dc-{style}"
    if style == "link" and not button.get("disabled"):
        return link_html(button["url"], f'{label} <span aria-hidden="true">↗</span>', css)
    off = " disabled" if button.get("disabled") else ""
    custom_id = escape(button.get("custom_id") or "")
    return f'<button type="button" class="{css}" data-custom-id="{custom_id}"{off}>{label}</button>'


def _select_html(select: Payload) -> str:
    off = " disabled" if select.get("disabled") else ""
    many = " multiple" if select.get("max_values", 1) > 1 else ""
    placeholder = escape(select.get("placeholder") or "Make a selection")
    options = "".join(
        f'<option value="{escape(option["value"])}"{" selected" if option.get("default") else ""}>'
        f"{escape(option['label'])}"
        f"{' – ' + escape(option['description']) if option.get('description') else ''}</option>"
        for option in select.get("options") or []
    )
    first = "" if many else f'<option value="" disabled{_first(select)}>{placeholder}</option>'
    return (
        f'<select class="dc-select" data-custom-id="{escape(select["custom_id"])}"'
        f' data-kind="{SELECT_KINDS[select["type"]]}"'
        f' aria-label="{placeholder}"{many}{off}>{first}{options}</select>'
    )


def _first(select: Payload) -> str:
    return "" if any(option.get("default") for option in select.get("options") or []) else " selected"


def modal_html(modal: Payload, interaction_id: str) -> str:
    """A form that the bot opened; its inputs are named by their custom ids."""
    fields = "".join(_field_html(component) for component in modal["components"])
    return (
        f'<form class="dc-modal" data-interaction="{escape(interaction_id)}"><h2>{escape(modal["title"])}</h2>{fields}'
        '<footer><button type="button" class="dc-button dc-secondary" data-cancel>Cancel</button>'
        '<button type="submit" class="dc-button dc-primary">Submit</button></footer></form>'
    )


def _field_html(component: Payload) -> str:
    if component["type"] == TEXT:
        return f'<div class="dc-text">{to_html(parse(component["content"]), Names(), 0.0)}</div>'
    if component["type"] == LABEL:
        hint = f"<small>{escape(component['description'])}</small>" if component.get("description") else ""
        return f"<label>{escape(component['label'])}{hint}{_input_html(component['component'])}</label>"
    return "".join(
        f"<label>{escape(one.get('label') or '')}{_input_html(one)}</label>" for one in component["components"]
    )


def _input_html(component: Payload) -> str:
    custom_id = escape(component.get("custom_id") or "")
    needed = " required" if component.get("required", True) else ""
    if component["type"] in SELECTS:
        return _select_html(component)
    if component["type"] != TEXT_INPUT:
        options = component.get("options") or [{"value": "true", "label": ""}]
        kind = "radio" if component["type"] == 21 else "checkbox"
        return "".join(
            f'<label><input type="{kind}" name="{custom_id}" value="{escape(str(one["value"]))}">'
            f"{escape(one['label'])}</label>"
            for one in options
        )
    low, high = component.get("min_length") or 0, component.get("max_length") or 4000
    placeholder = escape(component.get("placeholder") or "")
    common = f'name="{custom_id}" minlength="{low}" maxlength="{high}" placeholder="{placeholder}"{needed}'
    value = escape(component.get("value") or "")
    if component.get("style") == 2:
        return f"<textarea {common}>{value}</textarea>"
    return f'<input type="text" {common} value="{value}">'
