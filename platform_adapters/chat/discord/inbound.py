"""Interactions in: acknowledged before anything else is awaited, handed to the core, and answered.

An interaction's token in its address is its key for fifteen minutes; it is never logged.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import discord

from commands.errors import DeliveryError
from commands.messages import Message
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    ChatUser,
    CommandRequest,
    Inbound,
    Options,
    Place,
)
from platform_adapters.chat.discord.failures import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION
from platform_adapters.chat.discord.markup import PLATFORM
from platform_adapters.chat.discord.render import render, token_of
from platform_adapters.chat.discord.rest import Rest

_log = logging.getLogger(__name__)

_DEFERRED_MESSAGE, _DEFERRED_UPDATE = 5, 6
_EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15
NOBODY: Mapping[str, object] = {"parse": []}
"""Allowed mentions: none. Said in every request, since an edit that does not say so looks for mentions again."""

_SUBCOMMAND, _SUBCOMMAND_GROUP, _USER = 1, 2, 6
_REMEMBERED = 10_000
"""Interactions that are known to have come, for those that a resumed session sends again."""


class Receiver:
    """Takes the interactions of a connection. Each is carried out once, however often it comes."""

    def __init__(self, rest: Rest, inbound: Inbound) -> None:
        self._rest = rest
        self._inbound = inbound
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._working: set[asyncio.Task[object]] = set()

    async def receive(self, interaction: discord.Interaction) -> None:
        """Acknowledge an interaction, carry it out and answer. Raises nothing that Discord's replies cause."""
        request = request_of(interaction)
        if request is None or not self._is_first(interaction.id):
            return
        task = asyncio.current_task()
        if task is not None:
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        try:
            await self._acknowledge(interaction, request)
        except DeliveryError as failure:
            late = failure.code in (str(UNKNOWN_INTERACTION), str(ALREADY_ACKNOWLEDGED))
            told = "came too late, or was answered elsewhere" if late else "could not be acknowledged"
            _log.warning("an interaction %s (%s); it was not carried out", told, failure.code)
            return
        await self._answer(interaction, await self._carry_out(request))

    async def settled(self, within: float) -> None:
        """Wait for what is being carried out, at most so many seconds."""
        if self._working:
            await asyncio.wait(self._working, timeout=within)

    def _is_first(self, interaction_id: int) -> bool:
        if interaction_id in self._seen:
            return False
        self._seen[interaction_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    async def _acknowledge(self, interaction: discord.Interaction, request: CommandRequest | ActionRequest) -> None:
        answer: dict[str, object] = {"type": _DEFERRED_MESSAGE, "data": {"flags": _EPHEMERAL}}
        if isinstance(request, ActionRequest) and self._updates(interaction, request.token):
            answer = {"type": _DEFERRED_UPDATE}
        await self._rest.request(
            "POST",
            "/interactions/{webhook_id}/{webhook_token}/callback",
            body=answer,
            webhook_id=str(interaction.id),
            webhook_token=interaction.token,
        )

    def _updates(self, interaction: discord.Interaction, token: str) -> bool:
        """Whether the answer takes the place of the message. One that others read is never replaced by an answer."""
        private = interaction.message is not None and interaction.message.flags.ephemeral
        return private and self._inbound.acknowledgement(token) is Acknowledgement.UPDATE

    async def _carry_out(self, request: CommandRequest | ActionRequest) -> Message:
        if isinstance(request, CommandRequest):
            return await self._inbound.command(request)
        return await self._inbound.action(request)

    async def _answer(self, interaction: discord.Interaction, message: Message) -> None:
        """Fill in the message that the acknowledgement promised, or replace the one that carried the button."""
        body = {"components": render(message), "flags": COMPONENTS_V2, "allowed_mentions": NOBODY}
        try:
            await self._rest.request(
                "PATCH",
                "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
                body=body,
                webhook_id=str(interaction.application_id),
                webhook_token=interaction.token,
            )
        except DeliveryError as failure:
            _log.error("an interaction was carried out, and its answer did not arrive: %s", failure)


def request_of(interaction: discord.Interaction) -> CommandRequest | ActionRequest | None:
    """Read an interaction. None for a kind that we do not serve, and for one without data or a user."""
    data: Any = interaction.data
    if not isinstance(data, dict) or not isinstance(interaction.user, discord.User | discord.Member):
        return None
    user, place = _user(interaction.user), _place(interaction)
    if interaction.type is discord.InteractionType.application_command:
        arguments = Options(values=dict(_values(data.get("options") or [])))
        return CommandRequest(name=str(data.get("name", "")), arguments=arguments, user=user, place=place)
    if interaction.type is discord.InteractionType.component:
        return ActionRequest(token=token_of(data), user=user, place=place)
    return None


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


def _values(options: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Options by name; a subcommand is one itself, before its own."""
    values: list[tuple[str, str]] = []
    for option in options:
        kind, name = option.get("type"), str(option.get("name", ""))
        if kind in (_SUBCOMMAND, _SUBCOMMAND_GROUP):
            values.append(("subcommand", name))
            values += _values(option.get("options") or [])
        else:
            values.append((name, f"@{option.get('value')}" if kind == _USER else str(option.get("value", ""))))
    return values
