"""A whole message as a person sees it: neutral text for tests, safe HTML for a page with discord.css.

Nothing from a message reaches the HTML unescaped, and nothing in it runs: buttons are `<button data-custom-id>`,
menus `<select data-custom-id>`, link buttons `<a href>`. A page's own script makes them work.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

from bot.playground.vendors.discord.component_rules import (
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT,
    THUMBNAIL,
)
from bot.playground.vendors.discord.markdown import Names, inline, link_html, parse, to_html, to_text
from bot.playground.vendors.discord.wire import Payload

__all__ = ["Names", "message_html", "message_text", "select_html"]

EPHEMERAL, LOADING, SUPPRESS_EMBEDS, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 2, 1 << 15
LONGEST_BEGINNING = 120
BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
SELECT_KINDS = {3: "string", 5: "user", 6: "role", 7: "mentionable", 8: "channel"}


# Neutral text


def message_text(message: Payload, names: Names) -> str:
    """All that a message says, top to bottom, live mentions and links marked by ⟦…⟧, buttons as ⟦button:…⟧."""
    parts = [to_text(parse(message.get("content") or ""), names)]
    if not message.get("flags", 0) & SUPPRESS_EMBEDS:
        parts += [_embed_text(embed, names) for embed in message.get("embeds") or []]
    parts += [_component_text(one, names) for one in message.get("components") or []]
    if not message.get("flags", 0) & COMPONENTS_V2:
        parts += [f"⟦file:{one['filename']}⟧" for one in message.get("attachments") or []]
    return "\n".join(part for part in parts if part)


def _embed_text(embed: Payload, names: Names) -> str:
    lines = [(embed.get("author") or {}).get("name", "")]
    title = to_text(inline(embed.get("title") or ""), names)
    lines.append(f"⟦link:{embed['url']}|{title}⟧" if embed.get("url") else title)
    lines.append(to_text(parse(embed.get("description") or ""), names))
    fields = embed.get("fields") or []
    lines += [f"{to_text(inline(one['name']), names)}: {to_text(parse(one['value']), names)}" for one in fields]
    lines += ["⟦picture:⟧"] if embed.get("image") else []
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
    if kind in (GALLERY, THUMBNAIL):
        pictures = component["items"] if kind == GALLERY else [component]
        return "\n".join(f"⟦picture:{one.get('description') or ''}⟧" for one in pictures)
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
    used += _reply_html(message, names) if message.get("message_reference") else ""
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


def _reply_html(message: Payload, names: Names) -> str:
    """The line above a reply: whom it answers, and how that began."""
    answered = message.get("referenced_message")
    if not answered:
        return '<div class="dc-reply"><i>Original message was deleted</i></div>'
    name = answered["author"].get("global_name") or answered["author"]["username"]
    began = message_text(answered, names).partition("\n")[0] or "Click to see attachment"
    return (
        f'<div class="dc-reply" data-reply-to="{escape(answered["id"])}">'
        f"<b>@{escape(name)}</b> {escape(began[:LONGEST_BEGINNING])}</div>"
    )


def _body_html(message: Payload, names: Names, now: float, edited: str) -> str:
    content = message.get("content") or ""
    parts = [f'<div class="dc-content">{to_html(parse(content), names, now)}{edited}</div>'] if content else []
    if not message.get("flags", 0) & SUPPRESS_EMBEDS:
        parts += [_embed_html(embed, names, now) for embed in message.get("embeds") or []]
    if not message.get("flags", 0) & COMPONENTS_V2:  # there a file shows only where a component names it
        parts += [_attachment_html(one) for one in message.get("attachments") or []]
    parts += [_component_html(one, names, now) for one in message.get("components") or []]
    if edited and not content:
        parts.append(edited)
    return "".join(parts)


def _attachment_html(attachment: Payload) -> str:
    name = escape(attachment["filename"])
    if attachment.get("width"):  # what cannot be read as a picture shows as a file, whatever its name says
        return link_html(attachment["url"], _picture(attachment["url"], attachment.get("description") or ""))
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
        placeholder = escape(component.get("placeholder") or "Make a selection")
        return select_html(component, names.users, attributes=f' aria-label="{placeholder}"')
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


def select_html(select: Payload, people: Mapping[str, str], *, attributes: str = "") -> str:
    """A menu, of a message or of a form, which has its own name and attributes for it. `people` are those that a menu
    of people offers, names by id.
    """
    many = select.get("max_values", 1) > 1
    placeholder = escape(select.get("placeholder") or "Make a selection")
    offered = [
        (option["value"], option["label"], option.get("description"), bool(option.get("default")))
        for option in select.get("options") or []
    ]
    if SELECT_KINDS[select["type"]] == "user":
        chosen = {str(one["id"]) for one in select.get("default_values") or []}
        offered = [(user, name, None, user in chosen) for user, name in people.items()]
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if default else ""}>'
        f"{escape(label)}{' – ' + escape(hint) if hint else ''}</option>"
        for value, label, hint, default in offered
    )
    flags = f' multiple size="{min(max(len(offered), 2), 8)}"' if many else ""
    flags += " disabled" if select.get("disabled") else ""
    untouched = "" if any(default for *_, default in offered) else " selected"
    first = "" if many else f'<option value=""{untouched}>{placeholder}</option>'
    custom_id = escape(select["custom_id"])
    return (
        f'<select class="dc-select" name="{custom_id}" data-custom-id="{custom_id}"'
        f' data-kind="{SELECT_KINDS[select["type"]]}"{attributes}{flags}>{first}{options}</select>'
    )
