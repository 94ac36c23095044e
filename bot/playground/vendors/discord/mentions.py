"""Who a message would have pinged. A missing `allowed_mentions` shows here, as it would on a hundred phones.

Source: docs.discord.com, resources/message, "Allowed Mentions Object".
"""

from __future__ import annotations

import re

from bot.playground.vendors.discord.wire import FormErrors, Payload

USER = re.compile(r"<@!?(\d{1,20})>")
ROLE = re.compile(r"<@&(\d{1,20})>")
EVERYONE = re.compile(r"@(everyone|here)(?![\w])")
KINDS = frozenset({"users", "roles", "everyone"})
MOST_IDS = 100


def validate_allowed_mentions(allowed: object, errors: FormErrors) -> None:
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        errors.add("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        if kind not in KINDS:
            errors.add(
                f"allowed_mentions.parse.{index}", "BASE_TYPE_CHOICES", "Value must be one of users, roles, everyone."
            )
    for kind in ("users", "roles"):
        ids = allowed.get(kind) or []
        if len(ids) > MOST_IDS:
            errors.add(f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_IDS} or fewer in length.")
        if ids and kind in parse:
            errors.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )


def analyse(text: str, allowed: Payload | None, *, from_interaction: bool) -> Payload:
    """What of a text pings (`users`, `roles`, `everyone`) and what only looks like a mention (`shown_…`).

    Without `allowed` a bot's message pings everything that it names; an interaction's answer pings users.
    """
    shown_users = _unique(USER.findall(text))
    shown_roles = _unique(ROLE.findall(text))
    shown_everyone = EVERYONE.search(text) is not None
    if allowed is None:
        parse = {"users"} if from_interaction else set(KINDS)
        named: Payload = {}
    else:
        parse, named = set(allowed.get("parse") or []), allowed
    return {
        "users": _pinged(shown_users, "users", parse, named),
        "roles": _pinged(shown_roles, "roles", parse, named),
        "everyone": shown_everyone and "everyone" in parse,
        "shown_users": shown_users,
        "shown_roles": shown_roles,
        "shown_everyone": shown_everyone,
    }


def pings_anyone(pings: Payload) -> bool:
    return bool(pings.get("users") or pings.get("roles") or pings.get("everyone"))


def _pinged(shown: list[str], kind: str, parse: set[str], named: Payload) -> list[str]:
    if kind in parse:
        return shown
    chosen = {str(one) for one in named.get(kind) or []}
    return [one for one in shown if one in chosen]


def _unique(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))
