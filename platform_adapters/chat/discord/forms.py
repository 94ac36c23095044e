"""Draws a Form as Discord's modal, and reads what was filled in. Limits: docs.discord.com, components/reference."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, assert_never

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import ChoiceField, Field, Form, PersonField, TextField
from platform_adapters.chat.discord.markup import ELLIPSIS, markdown, shorten, size

Component = dict[str, Any]
Values = Mapping[str, tuple[str, ...]]
"""What was filled in, by the field's name."""

_SELECT, _TEXT_INPUT, _USER_SELECT, _TEXT, _LABEL = 3, 4, 5, 10, 18
_SHORT, _PARAGRAPH = 1, 2
MOST_AT_TOP = 5
LONGEST_TITLE, LONGEST_LABEL, LONGEST_HINT, LONGEST_INPUT, LONGEST_OPTION = 45, 45, 100, 4000, 100
_INTRO_SPAN, _INTRO_LINE = 300, 1500
NOTHING: Values = MappingProxyType({})


def draw_form(form: Form, entered: Values = NOTHING) -> dict[str, Any]:
    """Draw a form; `entered` is what its reader gave before, in place of what the form itself holds.

    Raises DeliveryError (REJECTED) for an action too long to be carried.
    """
    try:
        token = form.action.encode()
    except ValueError as error:
        raise DeliveryError(DeliveryErrorKind.REJECTED, "cannot be drawn") from error
    components = [
        {"type": _LABEL, "label": shorten(field.label, LONGEST_LABEL) or ELLIPSIS, **_input(field, entered)}
        for field in form.fields
    ]
    intro = markdown(form.intro, span_limit=_INTRO_SPAN, line_limit=_INTRO_LINE)
    if intro and len(components) < MOST_AT_TOP:
        components.insert(0, {"type": _TEXT, "content": intro})
    return {
        "custom_id": token,
        "title": shorten(form.title, LONGEST_TITLE) or ELLIPSIS,
        "components": components,
    }


def values_of(components: object) -> Values:
    """Read a form that was sent off; a field that was left empty has no values."""
    values: dict[str, tuple[str, ...]] = {}
    for input_ in _inputs(components):
        given = input_.get("values")
        found = [str(one) for one in given] if isinstance(given, list) else [str(input_.get("value") or "")]
        if input_.get("type") == _USER_SELECT:
            found = [f"@{one}" for one in found]
        values[str(input_.get("custom_id", ""))] = tuple(one for one in found if one)
    return values


def _inputs(components: object) -> list[Mapping[str, Any]]:
    """The inputs of a form, out of their labels."""
    found: list[Mapping[str, Any]] = []
    for one in components if isinstance(components, list) else []:
        if not isinstance(one, dict):
            continue
        if "custom_id" in one:
            found.append(one)
        found += _inputs([one.get("component")])
        found += _inputs(one.get("components"))
    return found


def _input(field: Field, entered: Values) -> Component:
    match field:
        case TextField():
            return _text_input(field, entered.get(field.name))
        case ChoiceField():
            return {"component": _menu(field, entered.get(field.name))}
        case PersonField():
            return {"component": _people(field, entered.get(field.name))}
        case _:
            assert_never(field)


def _text_input(field: TextField, entered: Sequence[str] | None) -> Component:
    most = min(max(field.most, 1), LONGEST_INPUT)
    value = field.value if entered is None else "".join(entered)
    drawn: Component = {
        "type": _TEXT_INPUT,
        "custom_id": field.name,
        "style": _PARAGRAPH if field.long else _SHORT,
        "required": field.required,
        "max_length": most,
    }
    if value:
        drawn["value"] = _cut(value, most)
    hint = shorten(field.hint, LONGEST_HINT)
    return {"component": drawn, **({"description": hint} if hint else {})}


def _menu(field: ChoiceField, entered: Sequence[str] | None) -> Component:
    most = len(field.choices) if field.many else 1
    chosen = (field.chosen if entered is None else entered)[:most]
    options = {
        choice.value: {
            "label": shorten(choice.label, LONGEST_OPTION) or ELLIPSIS,
            "value": choice.value,
            "default": choice.value in chosen,
        }
        for choice in field.choices
    }
    return {
        "type": _SELECT,
        "custom_id": field.name,
        "options": list(options.values()),
        **_bounds(min(most, len(options)), required=field.required),
    }


def _people(field: PersonField, entered: Sequence[str] | None) -> Component:
    drawn: Component = {"type": _USER_SELECT, "custom_id": field.name, **_bounds(1, required=field.required)}
    if entered:
        drawn["default_values"] = [{"id": entered[0].removeprefix("@"), "type": "user"}]
    return drawn


def _bounds(most: int, *, required: bool) -> Component:
    return {"min_values": 1 if required else 0, "max_values": most, "required": required}


def _cut(text: str, limit: int) -> str:
    """Somebody's own words, as they are, up to the limit."""
    cut = text.encode("utf-8", "ignore").decode()[:limit]  # half a surrogate pair is no text
    while size(cut) > limit:
        cut = cut[:-1]
    return cut
