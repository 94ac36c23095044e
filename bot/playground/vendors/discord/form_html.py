"""A form that the bot opened, as safe HTML. `people.js` shows it, sends what was filled in, or closes it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from bot.playground.vendors.discord.component_rules import LABEL, SELECTS, TEXT, TEXT_INPUT
from bot.playground.vendors.discord.markdown import Names, parse, to_html
from bot.playground.vendors.discord.modal_rules import LONGEST_INPUT, PARAGRAPH, RADIO_GROUP
from bot.playground.vendors.discord.render import select_html
from bot.playground.vendors.discord.wire import Payload


def modal_html(modal: Payload, interaction_id: str, people: Mapping[str, str]) -> str:
    """The form; its inputs are named by their custom ids. `people` are those that its menus of people offer."""
    fields = "".join(_field_html(component, people) for component in modal["components"])
    return (
        f'<form class="dc-modal" data-interaction="{escape(interaction_id)}"><h2>{escape(modal["title"])}</h2>{fields}'
        '<p class="dc-modal-fault" role="alert"></p>'
        '<footer><button type="button" class="dc-button dc-secondary" data-cancel>Cancel</button>'
        '<button type="submit" class="dc-button dc-primary">Submit</button></footer></form>'
    )


def _field_html(component: Payload, people: Mapping[str, str]) -> str:
    if component["type"] == TEXT:
        return f'<div class="dc-text">{to_html(parse(component["content"]), Names(), 0.0)}</div>'
    if component["type"] == LABEL:
        hint = f"<small>{escape(component['description'])}</small>" if component.get("description") else ""
        return _labelled(component["label"], hint, component["component"], people)
    return "".join(_labelled(one.get("label") or "", "", one, people) for one in component["components"])


def _labelled(label: str, hint: str, component: Payload, people: Mapping[str, str]) -> str:
    needed = '<b aria-hidden="true"> *</b>' if component.get("required", True) else ""
    return f"<label><span>{escape(label)}{needed}</span>{hint}{_input_html(component, people)}</label>"


def _input_html(component: Payload, people: Mapping[str, str]) -> str:
    custom_id = escape(component.get("custom_id") or "")
    needed = " required" if component.get("required", True) else ""
    if component["type"] in SELECTS:
        return select_html(component, people, attributes=needed)
    if component["type"] != TEXT_INPUT:
        options = component.get("options") or [{"value": "true", "label": ""}]
        kind = "radio" if component["type"] == RADIO_GROUP else "checkbox"
        return "".join(
            f'<label><input type="{kind}" name="{custom_id}" value="{escape(str(one["value"]))}">'
            f"{escape(one['label'])}</label>"
            for one in options
        )
    low, high = component.get("min_length") or 0, component.get("max_length") or LONGEST_INPUT
    placeholder = escape(component.get("placeholder") or "")
    common = f'name="{custom_id}" minlength="{low}" maxlength="{high}" placeholder="{placeholder}"{needed}'
    value = escape(component.get("value") or "")
    if component.get("style") == PARAGRAPH:
        return f"<textarea {common}>\n{value}</textarea>"  # a browser drops the first line break
    return f'<input type="text" {common} value="{value}">'
