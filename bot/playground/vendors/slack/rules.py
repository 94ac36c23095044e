"""Small combinators that say what a Block Kit object may hold; every refusal carries its JSON pointer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

Rule: TypeAlias = Callable[[object, str, "Findings"], None]


@dataclass(slots=True)
class Findings:
    """What was found wrong so far, and the ids seen, which must be unique in a message or view."""

    messages: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    primaries: int = 0

    def wrong(self, what: str, pointer: str) -> None:
        """Add one refusal."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{pointer}]")


def string(minimum: int = 0, maximum: int | None = None) -> Rule:
    """A string with a length in characters."""

    def check(value: object, at: str, found: Findings) -> None:
        if not isinstance(value, str):
            found.wrong("must be a string", at)
        elif len(value) < minimum:
            found.wrong(f"must be more than {minimum - 1} characters", at)
        elif maximum is not None and len(value) > maximum:
            found.wrong(f"must be less than {maximum + 1} characters", at)
        elif any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            found.wrong("must be valid Unicode", at)

    return check


def boolean(value: object, at: str, found: Findings) -> None:
    """True or false, not the words."""
    if not isinstance(value, bool):
        found.wrong("must be a boolean", at)


def integer(value: object, at: str, found: Findings) -> None:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        found.wrong("must be an integer", at)


def one_of(*words: str) -> Rule:
    """One of some words."""

    def check(value: object, at: str, found: Findings) -> None:
        if value not in words:
            found.wrong(f"must be one of: {', '.join(words)}", at)

    return check


def matching(pattern: str, what: str) -> Rule:
    """A string of a certain form."""

    def check(value: object, at: str, found: Findings) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            found.wrong(f"must be {what}", at)

    return check


def web_address(maximum: int) -> Rule:
    """An address that a client can open, without blanks or control characters."""

    def check(value: object, at: str, found: Findings) -> None:
        string(1, maximum)(value, at, found)
        if not isinstance(value, str):
            return
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https", "mailto", "slack") and bool(parts.netloc or parts.path)
        except ValueError:
            good = False
        if not good or re.search(r"[\s\x00-\x1f]", value):
            found.wrong("must be a valid URL", at)

    return check


def list_of(rule: Rule, minimum: int, maximum: int | None) -> Rule:
    """A list with a number of items, each of which keeps `rule`."""

    def check(value: object, at: str, found: Findings) -> None:
        if not isinstance(value, list):
            found.wrong("must be an array", at)
            return
        if len(value) < minimum:
            found.wrong(f"no fewer than {minimum} items allowed", at)
        if maximum is not None and len(value) > maximum:
            found.wrong(f"no more than {maximum} items allowed", at)
        for index, item in enumerate(value):
            rule(item, f"{at}/{index}", found)

    return check


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object with just these fields; anything else is refused."""
    rules = {**required, **(optional or {})}

    def check(value: object, at: str, found: Findings) -> None:
        if not isinstance(value, dict):
            found.wrong("must be an object", at)
            return
        for name in required:
            if name not in value:
                found.wrong(f"missing required field: {name}", at)
        for name, item in value.items():
            if name in rules:
                rules[name](item, f"{at}/{name}", found)
            else:
                found.wrong(f"additional property not allowed: {name}", at)

    return check


def by_type(kinds: Mapping[str, Rule], what: str) -> Rule:
    """An object whose `type` chooses the rule."""

    def check(value: object, at: str, found: Findings) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            found.wrong(f"unsupported type for {what}: {kind}", f"{at}/type")
        else:
            kinds[kind](value, at, found)

    return check


def both(*rules: Rule) -> Rule:
    """All of the rules."""

    def check(value: object, at: str, found: Findings) -> None:
        for rule in rules:
            rule(value, at, found)

    return check


def exactly_one(*names: str) -> Rule:
    """Just one of the fields is present."""

    def check(value: object, at: str, found: Findings) -> None:
        if isinstance(value, dict) and sum(name in value for name in names) != 1:
            found.wrong(f"exactly one of {', '.join(names)} is required", at)

    return check


def at_least_one(*names: str) -> Rule:
    """One of the fields is present."""

    def check(value: object, at: str, found: Findings) -> None:
        if isinstance(value, dict) and not any(name in value for name in names):
            found.wrong(f"one of {', '.join(names)} is required", at)

    return check
