"""Discord's rules for registered commands, and for what a person may put into them.

Source: docs.discord.com, interactions/application-commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.playground.vendors.discord import payloads
from bot.playground.vendors.discord.wire import FormErrors, Payload
from bot.playground.vendors.discord.world import ADMINISTRATOR, World

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)
CHAT_INPUT = 1
MOST_OF_KIND = {CHAT_INPUT: 100, 2: 15, 3: 15}
MOST_CHARACTERS = 8000
# The documented pattern is [-_'\p{L}\p{N}] with two scripts; \w is the same but for a few marks.
NAME = re.compile(r"[-'\w]{1,32}")


class Misuse(Exception):
    """A person's input that Discord's own client would not have let through."""


def check_commands(commands: object) -> list[Payload]:
    """Refuse a set of commands (for a bulk overwrite) that Discord refuses."""
    errors = FormErrors()
    if not isinstance(commands, list):
        errors.add("_", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        errors.raise_any()
        return []
    counts = dict.fromkeys(MOST_OF_KIND, 0)
    seen: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        if not isinstance(command, dict):
            errors.add(str(index), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            continue
        kind = command.get("type", CHAT_INPUT)
        if kind not in counts:
            errors.add(f"{index}.type", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).")
            continue
        counts[kind] += 1
        _command(command, kind, str(index), errors)
        key = (kind, str(command.get("name")))
        if key in seen:
            errors.add(
                f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add(key)
    for kind, count in counts.items():
        if count > MOST_OF_KIND[kind]:
            errors.add("_", "BASE_TYPE_MAX_LENGTH", f"At most {MOST_OF_KIND[kind]} commands of type {kind}.")
    errors.raise_any()
    return commands


def _command(command: Payload, kind: int, path: str, errors: FormErrors) -> None:
    if kind != CHAT_INPUT:
        errors.longer(f"{path}.name", command.get("name"), 32, least=1)
        if command.get("description"):
            errors.add(
                f"{path}.description",
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED",
                "No description here.",
            )
        return
    _name(command.get("name"), path, errors)
    errors.longer(f"{path}.description", command.get("description"), 100, least=1)
    _options(command.get("options") or [], path, errors, depth=0)
    if _characters(command) > MOST_CHARACTERS:
        errors.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MOST_CHARACTERS})")


def _name(name: object, path: str, errors: FormErrors) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name != name.lower():
        errors.add(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _characters(node: Payload) -> int:
    """Names, descriptions and values of a command, its options and choices, as the 8,000 are counted."""
    total = sum(len(str(node.get(name) or "")) for name in ("name", "description", "value"))
    children = [*(node.get("options") or []), *(node.get("choices") or [])]
    return total + sum(_characters(child) for child in children)


def _options(options: list[Payload], path: str, errors: FormErrors, *, depth: int) -> None:
    if len(options) > 25:
        errors.add(f"{path}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    names: set[object] = set()
    nested = [option.get("type") in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        errors.add(
            f"{path}.options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other types",
        )
    optional_seen = False
    for index, option in enumerate(options):
        at = f"{path}.options.{index}"
        kind = option.get("type")
        _name(option.get("name"), at, errors)
        if option.get("name") in names:
            errors.add(f"{at}.name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        names.add(option.get("name"))
        errors.longer(f"{at}.description", option.get("description"), 100, least=1)
        if kind not in range(1, 12) or (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
            errors.add(f"{at}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Option type is invalid here")
        elif kind in (SUBCOMMAND, GROUP):
            _options(option.get("options") or [], at, errors, depth=depth + (1 if kind == GROUP else 2))
        else:
            if option.get("required") and optional_seen:
                errors.add(
                    f"{at}.required",
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                )
            optional_seen = optional_seen or not option.get("required")
            _value_rules(option, at, errors)


def _value_rules(option: Payload, path: str, errors: FormErrors) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        errors.add(
            path, "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Choices and autocomplete are mutually exclusive"
        )
    if len(choices) > 25:
        errors.add(f"{path}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    seen: set[object] = set()
    for index, choice in enumerate(choices):
        errors.longer(f"{path}.choices.{index}.name", choice.get("name"), 100, least=1)
        if option.get("type") == STRING:
            errors.longer(f"{path}.choices.{index}.value", choice.get("value"), 100)
        if choice.get("name") in seen:
            errors.add(
                f"{path}.choices.{index}.name",
                "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
                "Choice name already exists",
            )
        seen.add(choice.get("name"))
    longest = option.get("max_length")
    if longest is not None and not 1 <= longest <= 6000:
        errors.add(f"{path}.max_length", "NUMBER_TYPE_MAX", "int value should be between 1 and 6000.")


# What people put in


@dataclass(frozen=True, slots=True)
class Filled:
    """A command as a person filled it in, ready for an interaction's `data`."""

    command: Payload
    path: str
    data: Payload
    focused_type: int | None


def usable_by(world: World, command: Payload, user_id: int, guild_id: int | None) -> bool:
    """Whether a person is offered a command at a place: its contexts, and the permissions it asks for by default."""
    contexts = command.get("contexts")
    if guild_id is None:
        return 1 in contexts if contexts is not None else command.get("dm_permission", True) is not False
    if contexts is not None and 0 not in contexts:
        return False
    needed = command.get("default_member_permissions")
    held = world.permissions(user_id, guild_id)
    if needed is None or held & ADMINISTRATOR:
        return True
    return int(needed) != 0 and held & int(needed) == int(needed)


def fill_in(
    world: World,
    command: Payload,
    words: list[str],
    values: Payload,
    *,
    guild_id: int | None,
    focused: str | None = None,
) -> Filled:
    """Build `data` from subcommand words and option values, refusing what Discord's client refuses. Raises Misuse."""
    node, path, wrappers = command, [str(command["name"])], []
    rest = list(words)
    while any(option["type"] in (SUBCOMMAND, GROUP) for option in node.get("options") or []):
        found = [option for option in node["options"] if rest and option["name"] == rest[0]]
        if not found:
            raise Misuse(f"/{' '.join(path)} needs one of: {', '.join(option['name'] for option in node['options'])}")
        node = found[0]
        path.append(rest.pop(0))
        wrappers.append(node)
    if rest:
        raise Misuse(f"/{' '.join(path)} has no subcommand {rest[0]!r}")
    options, resolved, focused_type = _fill_options(world, node.get("options") or [], values, guild_id, focused)
    for wrapper in reversed(wrappers):
        options = [{"name": wrapper["name"], "type": wrapper["type"], "options": options}]
    data: Payload = {"id": command["id"], "name": command["name"], "type": command.get("type", CHAT_INPUT)}
    if options:
        data["options"] = options
    if resolved:
        data["resolved"] = resolved
    if command.get("guild_id"):
        data["guild_id"] = command["guild_id"]
    return Filled(command, " ".join(path), data, focused_type)


def _fill_options(
    world: World, declared: list[Payload], values: Payload, guild_id: int | None, focused: str | None
) -> tuple[list[Payload], Payload, int | None]:
    known = {option["name"]: option for option in declared}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise Misuse(f"no option {unknown[0]!r}")
    missing = [option["name"] for option in declared if option.get("required") and option["name"] not in values]
    if missing and focused is None:
        raise Misuse(f"option {missing[0]!r} is required")
    filled: list[Payload] = []
    resolved: Payload = {}
    for name, value in values.items():
        option = known[name]
        entry: Payload = {"name": name, "type": option["type"], "value": value}
        if name == focused:
            entry["focused"] = True
        else:
            entry["value"] = _value(world, option, value, guild_id, resolved)
        filled.append(entry)
    focused_type = known[focused]["type"] if focused in known else None
    if focused is not None and not known.get(focused, {}).get("autocomplete"):
        raise Misuse(f"option {focused!r} has no autocomplete")
    return filled, resolved, focused_type


def _value(world: World, option: Payload, value: object, guild_id: int | None, resolved: Payload) -> object:
    from_choices = [choice["value"] for choice in option.get("choices") or []]
    if from_choices and value not in from_choices:
        raise Misuse(f"option {option['name']!r} takes one of {from_choices}")
    kind = option["type"]
    if kind == STRING:
        low, high = option.get("min_length") or 0, option.get("max_length") or 6000
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise Misuse(f"option {option['name']!r} takes text of {low} to {high} characters")
    elif kind in (INTEGER, NUMBER):
        whole = kind == INTEGER
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise Misuse(f"option {option['name']!r} takes a number")
        if not option.get("min_value", value) <= value <= option.get("max_value", value):
            raise Misuse(f"option {option['name']!r} is out of range")
    elif kind == BOOLEAN:
        if not isinstance(value, bool):
            raise Misuse(f"option {option['name']!r} takes true or false")
    else:
        return _resolve(world, option, value, guild_id, resolved)
    return value


def _resolve(world: World, option: Payload, value: object, guild_id: int | None, resolved: Payload) -> str:
    text = str(value)
    wanted = int(text) if text.isdigit() else 0
    if option["type"] in (USER, MENTIONABLE) and wanted in world.users:
        user = world.users[wanted]
        resolved.setdefault("users", {})[text] = payloads.user_json(user)
        if guild_id is not None and wanted in world.guilds[guild_id].members:
            member = payloads.member_json(user, permissions=world.permissions(wanted, guild_id), with_user=False)
            resolved.setdefault("members", {})[text] = member
        return text
    if option["type"] == CHANNEL and wanted in world.channels and world.channels[wanted].guild_id == guild_id:
        channel = payloads.channel_json(world, world.channels[wanted])
        resolved.setdefault("channels", {})[text] = {**channel, "permissions": "0"}
        return text
    raise Misuse(f"option {option['name']!r}: nobody and nothing is {text[:40]!r}")
