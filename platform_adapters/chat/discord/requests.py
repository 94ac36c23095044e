"""Reads interactions: what somebody typed, pressed, filled in or is typing, as the core's own requests."""

from collections.abc import Mapping
from typing import Any

import discord

from commands.ports.chat import (
    ActionRequest,
    ChatUser,
    ChoicesRequest,
    CommandRequest,
    Options,
    Place,
    Submission,
)
from platform_adapters.chat.discord.forms import values_of
from platform_adapters.chat.discord.markup import PLATFORM
from platform_adapters.chat.discord.render import token_of

_SUBCOMMAND, _SUBCOMMAND_GROUP, _USER = 1, 2, 6
SUBCOMMAND = "subcommand"
Request = CommandRequest | ActionRequest | Submission | ChoicesRequest


def request_of(interaction: discord.Interaction) -> Request | None:
    """Read an interaction. None for a kind that we do not serve, and for one without data or a user."""
    data: Any = interaction.data
    if not isinstance(data, dict) or not isinstance(interaction.user, discord.User | discord.Member):
        return None
    user, place = _user(interaction.user), _place(interaction)
    kind = interaction.type
    if kind is discord.InteractionType.application_command:
        arguments = Options(values={name: value for name, value, _ in _options(data.get("options"))})
        return CommandRequest(name=str(data.get("name", "")), arguments=arguments, user=user, place=place)
    if kind is discord.InteractionType.component:
        return ActionRequest(token=token_of(data), user=user, place=place)
    if kind is discord.InteractionType.modal_submit:
        values = values_of(data.get("components"))
        return Submission(token=str(data.get("custom_id", "")), values=values, user=user, place=place)
    if kind is discord.InteractionType.autocomplete:
        return _choices_request(data, user, place)
    return None


def _choices_request(data: Mapping[str, Any], user: ChatUser, place: Place) -> ChoicesRequest | None:
    options = _options(data.get("options"))
    typing = next(((name, value) for name, value, is_focused in options if is_focused), None)
    if typing is None:
        return None
    return ChoicesRequest(
        command=str(data.get("name", "")),
        subcommand=next((value for name, value, _ in options if name == SUBCOMMAND), ""),
        option=typing[0],
        typed=typing[1],
        user=user,
        place=place,
    )


def _user(user: discord.User | discord.Member) -> ChatUser:
    return ChatUser(platform=PLATFORM, tenant="", external_id=str(user.id), name=user.display_name)


def _place(interaction: discord.Interaction) -> Place:
    server = interaction.guild
    return Place(
        workspace=str(interaction.guild_id) if interaction.guild_id is not None else None,
        workspace_name=server.name if server is not None else "",
        channel=str(interaction.channel_id or ""),
        is_direct=interaction.guild_id is None,
    )


def _options(options: object) -> list[tuple[str, str, bool]]:
    """Options by name, and whether it is the one being typed; a subcommand is one itself, before its own."""
    found: list[tuple[str, str, bool]] = []
    for option in options if isinstance(options, list) else []:
        kind, name = option.get("type"), str(option.get("name", ""))
        if kind in (_SUBCOMMAND, _SUBCOMMAND_GROUP):
            found.append((SUBCOMMAND, name, False))
            found += _options(option.get("options"))
        else:
            value = str(option.get("value", ""))
            found.append((name, f"@{value}" if kind == _USER else value, bool(option.get("focused"))))
    return found
