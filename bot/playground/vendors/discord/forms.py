"""What a person puts into a form, held to what Discord's own client lets through, as the bot is then sent it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.playground.vendors.discord.command_rules import Misuse
from bot.playground.vendors.discord.component_rules import LABEL, SELECTS, STRING_SELECT, TEXT_INPUT, walk
from bot.playground.vendors.discord.modal_rules import LONGEST_INPUT, RADIO_GROUP, SHORT
from bot.playground.vendors.discord.wire import Payload

Values = Mapping[str, str | list[str]]
"""What was entered, by the inputs' custom ids; an input that is left alone keeps what the form filled in."""
Resolve = Callable[[list[str]], Payload]
"""Finds the people that were chosen. Raises Misuse."""
USER_SELECT = 5


def submitted(modal: Payload, values: Values, resolve: Resolve) -> Payload:
    """The `data` of the interaction that a form sends. Raises Misuse where the client would not send it."""
    known = {one["custom_id"] for one in walk(modal["components"]) if "custom_id" in one}
    if not set(values) <= known:
        raise Misuse(f"the form has only {sorted(known)}")
    sent: list[Payload] = []
    resolved: Payload = {}
    for index, component in enumerate(modal["components"], start=1):
        numbered: Payload = {"type": component["type"], "id": component.get("id", index)}
        if component["type"] == LABEL:
            numbered["component"] = _input(component["component"], values, 100 + index, resolve, resolved)
        elif component.get("components"):
            numbered["components"] = [
                _input(one, values, 100 + index, resolve, resolved) for one in component["components"]
            ]
        sent.append(numbered)
    data: Payload = {"custom_id": modal["custom_id"], "components": sent}
    return {**data, "resolved": resolved} if resolved else data


def _input(component: Payload, values: Values, number: int, resolve: Resolve, resolved: Payload) -> Payload:
    custom_id = component["custom_id"]
    sent: Payload = {"type": component["type"], "id": component.get("id", number), "custom_id": custom_id}
    if component["type"] == TEXT_INPUT:
        return {**sent, "value": _text(component, values.get(custom_id))}
    chosen = _chosen(component, values.get(custom_id))
    if component["type"] == USER_SELECT and chosen:
        for kind, found in resolve(chosen).items():
            resolved.setdefault(kind, {}).update(found)
    if component["type"] == RADIO_GROUP:  # it sends one value
        return {**sent, "value": chosen[0] if chosen else None}
    return {**sent, "values": chosen}


def _text(component: Payload, entered: str | list[str] | None) -> str:
    text = entered if isinstance(entered, str) else str(component.get("value") or "")
    if component.get("style") == SHORT:
        text = " ".join(text.splitlines())
    if component.get("required", True) and not text:
        raise Misuse(f"{component['custom_id']!r} is required")
    low, high = component.get("min_length") or 0, component.get("max_length") or LONGEST_INPUT
    if text and not low <= len(text) <= high:
        raise Misuse(f"{component['custom_id']!r} takes {low} to {high} characters")
    return text


def _chosen(component: Payload, entered: str | list[str] | None) -> list[str]:
    custom_id = component["custom_id"]
    if entered is None:
        chosen = [str(one["value"]) for one in component.get("options") or [] if one.get("default")]
        chosen += [str(one["id"]) for one in component.get("default_values") or []]
    else:
        chosen = [one for one in ([entered] if isinstance(entered, str) else entered) if one]
    if component.get("required", True) and not chosen:
        raise Misuse(f"{custom_id!r} is required")
    if component["type"] in SELECTS and chosen:
        low, high = component.get("min_values", 1), component.get("max_values", 1)
        if not low <= len(chosen) <= high:
            raise Misuse(f"{custom_id!r} takes {low} to {high} choices")
    offered = {str(one["value"]) for one in component.get("options") or []}
    if component["type"] == STRING_SELECT and not set(chosen) <= offered:
        raise Misuse(f"{custom_id!r} offers only {sorted(offered)}")
    return chosen
