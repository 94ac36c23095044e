"""A Form as a modal, what was filled in as values, and the errors of fields.

Limits: docs.slack.dev/surfaces/modals and slack_sdk's models. What a submission needs to be answered travels in the
modal's private_metadata, which Slack gives back and shows nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from commands.messages import ChoiceField, Field, FieldErrors, Form, FormChoice, Message, PersonField, TextField, line
from commands.messages import text as paragraph
from platform_adapters.chat.slack.signature import Json as Payload
from platform_adapters.chat.slack.spans import Json, rich
from platform_adapters.chat.slack.text import clean, cut, on_one_line, size

CALLBACK = "form"
"""Under which name our forms come back."""
_ELEMENT = "field"
_TITLE, _LABEL, _HINT, _OPTION, _TYPED, _INTRO, _ERROR = 24, 2000, 2000, 75, 3000, 2900, 500
_METADATA = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a form was opened from, and what sending it off does."""

    token: str = ""
    channel: str = ""
    response_url: str = ""
    modal: str = ""
    """The modal that the form lies over."""

    def write(self) -> str:
        """For private_metadata; an address that is too long is left out, and the answer finds another way."""
        values = {"token": self.token, "channel": self.channel, "reply": self.response_url, "modal": self.modal}
        written = json.dumps(values)
        return written if size(written) <= _METADATA else replace(self, response_url="").write()

    @staticmethod
    def read(written: str) -> "Origin | None":
        """Read what `write` wrote; None for anything else."""
        try:
            found: object = json.loads(written)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        values = [found.get(name) for name in ("token", "channel", "reply", "modal")]
        token, channel, response_url, modal = (each if isinstance(each, str) else "" for each in values)
        return Origin(token=token, channel=channel, response_url=response_url, modal=modal) if token else None


def modal(form: Form, origin: Origin, tenant: str) -> Json:
    """Draw a form. Raises ValueError for an action that cannot be carried."""
    intro = rich(form.intro, _INTRO, tenant)
    above = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": intro}]}] if intro else []
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": replace(origin, token=form.action.encode()).write(),
        "title": _plain(form.title, _TITLE),
        "submit": _plain(form.send_label, _TITLE),
        "blocks": [*above, *(_input(each) for each in form.fields)],
    }


def _input(field: Field) -> Json:
    block: Json = {
        "type": "input",
        "block_id": field.name,
        "label": _plain(field.label, _LABEL),
        "optional": not field.required,
        "element": {"action_id": _ELEMENT, **_element(field)},
    }
    if isinstance(field, TextField) and on_one_line(field.hint):
        block["hint"] = _plain(field.hint, _HINT)
    return block


def _element(field: Field) -> Json:
    match field:
        case TextField(value=value, long=long, most=most):
            most = max(1, min(most, _TYPED))
            element: Json = {"type": "plain_text_input", "multiline": long, "max_length": most}
            first = cut(clean(value) if long else on_one_line(value), most)
            return element | ({"initial_value": first} if first else {})
        case ChoiceField(choices=choices, chosen=chosen, many=many):
            options = {each.value: _option(each) for each in choices}
            first_ones = [options[each] for each in options if each in chosen]
            kind: Json = {"type": "multi_static_select" if many else "static_select", "options": list(options.values())}
            if not first_ones:
                return kind
            return kind | ({"initial_options": first_ones} if many else {"initial_option": first_ones[0]})
        case PersonField():
            return {"type": "users_select"}


def _option(choice: FormChoice) -> Json:
    return {"text": _plain(choice.label, _OPTION), "value": choice.value}


def _plain(words: str, limit: int) -> Json:
    return {"type": "plain_text", "text": cut(on_one_line(words), limit) or "…", "emoji": False}


def read_values(view: Payload) -> Mapping[str, tuple[str, ...]]:
    """What was filled in, by the field's name; whatever is not as Slack writes it counts as nothing."""
    state = view.get("state")
    blocks = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, tuple[str, ...]] = {}
    for name, elements in blocks.items() if isinstance(blocks, Mapping) else ():
        element = elements.get(_ELEMENT) if isinstance(elements, Mapping) else None
        if isinstance(name, str) and isinstance(element, Mapping):
            found[name] = _given(element)
    return found


def _given(element: Mapping[str, object]) -> tuple[str, ...]:
    if isinstance(user := element.get("selected_user"), str) and user:
        return (f"@{user}",)
    one, several = element.get("selected_option"), element.get("selected_options")
    options = [one, *(several if isinstance(several, list) else [])]
    chosen = [each.get("value") for each in options if isinstance(each, Mapping)]
    typed = element.get("value")
    return tuple(each for each in (typed, *chosen) if isinstance(each, str) and each)


def errors_by_block(errors: FieldErrors, view: Payload) -> dict[str, str]:
    """The errors as Slack takes them: for fields of the form alone, or it would show none of them."""
    blocks = view.get("blocks")
    inputs = [
        str(each.get("block_id"))
        for each in (blocks if isinstance(blocks, list) else [])
        if isinstance(each, Mapping) and each.get("type") == "input"
    ]
    found: dict[str, str] = {}
    for name, sentence in errors.by_field:
        place = name if name in inputs else next(iter(inputs), name)
        before = f"{found[place]} " if place in found else ""
        found[place] = cut(before + on_one_line(sentence), _ERROR) or "…"
    return found


def as_message(errors: FieldErrors) -> Message:
    """The same as an answer, for whoever's form is closed already."""
    return Message(tuple(paragraph(*line(sentence)) for _, sentence in errors.by_field))
