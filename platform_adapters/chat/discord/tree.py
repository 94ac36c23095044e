"""Discord's command tree, made from the catalogue and registered only where it differs from what Discord has.

Limits: docs.discord.com, interactions/application-commands. Discord lets a bot make 200 commands a day, so that a
start must not register what is there already.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from commands.command import Command, Option
from platform_adapters.chat.discord.rest import Rest

_log = logging.getLogger(__name__)

Tree = list[dict[str, Any]]
"""Commands as they go over the wire."""

_CHAT_INPUT = 1
_SUBCOMMAND, _STRING, _USER = 1, 3, 6
_IN_SERVERS, _IN_BOT_DM = 0, 1
_INSTALLED_IN_SERVER = 0

_NAME = re.compile(r"[-_'\w]{1,32}")
LONGEST_DESCRIPTION, LONGEST_VALUE, LONGEST_COMMAND = 100, 100, 8000
MOST_OPTIONS, MOST_CHOICES, MOST_COMMANDS = 25, 25, 100


def build_tree(commands: Sequence[Command]) -> Tree:
    """Make the tree. Raises ValueError, naming the command, for one that Discord would refuse."""
    tree = [_command(command) for command in commands]
    if len(tree) > MOST_COMMANDS or len({command["name"] for command in tree}) < len(tree):
        raise ValueError(f"Discord takes at most {MOST_COMMANDS} commands, each of another name")
    for command in tree:
        _check(command, str(command["name"]))
        if _characters(command) > LONGEST_COMMAND:
            raise ValueError(f"/{command['name']} has more than {LONGEST_COMMAND} characters")
    return tree


async def register(rest: Rest, application: str, tree: Tree) -> bool:
    """Bring Discord's commands in line, if they are not; say whether anything had to change. Raises DeliveryError."""
    path = "/applications/{application_id}/commands"
    there = await rest.request("GET", path, application_id=application)
    if isinstance(there, list) and fingerprint(there) == fingerprint(tree):
        return False
    await rest.request("PUT", path, body=tree, application_id=application)
    _log.info("registered %d commands with Discord: %s", len(tree), ", ".join(str(one["name"]) for one in tree))
    return True


def fingerprint(tree: Iterable[Mapping[str, Any]]) -> str:
    """Hash what matters of commands, in a form that is the same for ours and for what Discord gives back."""
    commands = sorted((_essence(command) for command in tree), key=lambda command: str(command["name"]))
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()


def _command(command: Command) -> dict[str, Any]:
    nested = [
        {
            "type": _SUBCOMMAND,
            "name": subcommand.name,
            "description": subcommand.description,
            "options": _options(subcommand.options),
        }
        for subcommand in command.subcommands
    ]
    return {
        "type": _CHAT_INPUT,
        "name": command.name,
        "description": command.description,
        "options": nested or _options(command.options),
        "contexts": [_IN_SERVERS, _IN_BOT_DM],
        "integration_types": [_INSTALLED_IN_SERVER],
    }


def _options(options: Sequence[Option]) -> list[dict[str, Any]]:
    """Options as Discord wants them: those that are required first."""
    ordered = sorted(options, key=lambda option: not option.required)
    return [
        {
            "type": _USER if option.is_user else _STRING,
            "name": option.name,
            "description": option.description,
            "required": option.required,
            **(
                {"choices": [{"name": choice.label, "value": choice.value} for choice in option.choices]}
                if option.choices
                else {}
            ),
            **({"autocomplete": True} if option.suggest is not None else {}),
        }
        for option in ordered
    ]


def _check(node: Mapping[str, Any], path: str) -> None:
    name, description = str(node["name"]), str(node["description"])
    options, choices = node.get("options", []), node.get("choices", [])
    if not _NAME.fullmatch(name) or name != name.lower():
        raise ValueError(f"{path}: a name is 1 to 32 letters, digits, hyphens or underscores, in lower case")
    if not 1 <= len(description) <= LONGEST_DESCRIPTION:
        raise ValueError(f"{path}: a description has 1 to {LONGEST_DESCRIPTION} characters")
    if len(options) > MOST_OPTIONS or len({option["name"] for option in options}) < len(options):
        raise ValueError(f"{path}: at most {MOST_OPTIONS} options, each of another name")
    if len(choices) > MOST_CHOICES or len({choice["name"] for choice in choices}) < len(choices):
        raise ValueError(f"{path}: at most {MOST_CHOICES} choices, each of another name")
    if any(not 1 <= len(text) <= LONGEST_VALUE for choice in choices for text in choice.values()):
        raise ValueError(f"{path}: a choice has 1 to {LONGEST_VALUE} characters")
    if choices and node.get("autocomplete"):
        raise ValueError(f"{path}: choices are either declared or suggested")
    for option in options:
        _check(option, f"{path} {option['name']}")


def _characters(node: Mapping[str, Any]) -> int:
    own = sum(len(str(node.get(name, ""))) for name in ("name", "description", "value"))
    return own + sum(_characters(child) for child in [*node.get("options", []), *node.get("choices", [])])


def _essence(node: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what Discord adds (ids, versions, translations) and what it may leave out (defaults)."""
    kept: dict[str, Any] = {
        "type": node.get("type", _CHAT_INPUT),
        "name": node.get("name"),
        "description": node.get("description"),
        "required": bool(node.get("required")),
        "autocomplete": bool(node.get("autocomplete")),
        "choices": [[choice.get("name"), choice.get("value")] for choice in node.get("choices") or []],
        "options": [_essence(option) for option in node.get("options") or []],
    }
    for name in ("contexts", "integration_types"):
        if node.get(name) is not None:
            kept[name] = sorted(node[name])
    return kept
