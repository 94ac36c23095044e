"""Discord's rules for modals, the forms that an interaction opens.

Source: docs.discord.com, components/reference and interactions/receiving-and-responding. A value outside its own
input's lengths is refused as well: nobody could send such a form without changing it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.playground.vendors.discord.component_rules import LABEL, ROW, SELECTS, TEXT, TEXT_INPUT, ComponentRules
from bot.playground.vendors.discord.wire import Payload

FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23
INPUTS = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}
SHORT, PARAGRAPH = 1, 2
LONGEST_TITLE, LONGEST_LABEL, LONGEST_HINT, LONGEST_INPUT = 45, 45, 100, 4000
MOST_AT_TOP = 5


@dataclass(slots=True)
class ModalRules(ComponentRules):
    """Checks one modal, gathering faults into `errors`."""

    def modal(self, modal: Payload) -> None:
        self.errors.longer("data.custom_id", modal.get("custom_id"), 100, least=1)
        self.errors.longer("data.title", modal.get("title"), LONGEST_TITLE, least=1)
        for index, component in enumerate(self._children(modal, "data", "components", MOST_AT_TOP)):
            # A row is the older way of labelling a text input, and is still taken.
            self._one(component, f"data.components.{index}", frozenset({ROW, LABEL, TEXT}))

    def checks(self) -> dict[int, Callable[[Payload, str], None]]:
        own: dict[int, Callable[[Payload, str], None]] = {
            LABEL: self._label,
            TEXT_INPUT: self._text_input,
            **dict.fromkeys(SELECTS, self._modal_select),
        }
        return {**ComponentRules.checks(self), **own}

    def _row(self, row: Payload, path: str) -> None:
        for index, child in enumerate(self._children(row, path, "components", 1)):
            at = f"{path}.components.{index}"
            self._one(child, at, frozenset({TEXT_INPUT}))
            if isinstance(child, dict):
                self.errors.longer(f"{at}.label", child.get("label"), LONGEST_LABEL, least=1)

    def _label(self, label: Payload, path: str) -> None:
        self.errors.longer(f"{path}.label", label.get("label"), LONGEST_LABEL, least=1)
        if label.get("description") is not None:
            self.errors.longer(f"{path}.description", label["description"], LONGEST_HINT)
        self._one(label.get("component"), f"{path}.component", frozenset(INPUTS))

    def _modal_select(self, select: Payload, path: str) -> None:
        self._select(select, path)
        if select.get("disabled"):
            self.errors.add(f"{path}.disabled", "MODAL_COMPONENT_DISABLED", "Nothing in a modal can be disabled.")
        if select.get("required", True) and select.get("min_values", 1) == 0:
            self.errors.add(f"{path}.min_values", "NUMBER_TYPE_MIN", "Must be at least 1 where the select is required.")

    def _text_input(self, text_input: Payload, path: str) -> None:
        self._custom_id(text_input, path)
        if text_input.get("style") not in (SHORT, PARAGRAPH):
            self.errors.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
        if text_input.get("placeholder") is not None:
            self.errors.longer(f"{path}.placeholder", text_input["placeholder"], 100)
        bounds = {"min_length": 0, "max_length": LONGEST_INPUT}
        for name, least in (("min_length", 0), ("max_length", 1)):
            value = text_input.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LONGEST_INPUT:
                self.errors.add(f"{path}.{name}", "NUMBER_TYPE_MAX", f"Must be between {least} and {LONGEST_INPUT}.")
            else:
                bounds[name] = value
        if bounds["min_length"] > bounds["max_length"]:
            self.errors.add(f"{path}.min_length", "NUMBER_TYPE_MAX", "Must not be more than max_length.")
        if text_input.get("value"):
            self.errors.longer(f"{path}.value", text_input["value"], bounds["max_length"], least=bounds["min_length"])
