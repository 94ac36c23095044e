"""What a person at Discord's own client does: runs commands, presses buttons, chooses, fills in forms.

Each act is checked as that client checks it (Misuse otherwise), then sent to the bot as an interaction.
"""

from __future__ import annotations

import asyncio

from bot.playground.vendors.discord.command_rules import CHAT_INPUT, Filled, Misuse, fill_in, usable_by
from bot.playground.vendors.discord.component_rules import BUTTON, SELECTS, STRING_SELECT, walk
from bot.playground.vendors.discord.forms import Values, submitted
from bot.playground.vendors.discord.interactions import ANSWER_SECONDS
from bot.playground.vendors.discord.messages import Messages
from bot.playground.vendors.discord.payloads import interaction_json, member_json, user_json
from bot.playground.vendors.discord.sessions import Intent
from bot.playground.vendors.discord.wire import Payload
from bot.playground.vendors.discord.world import Channel, Interaction, InteractionKind, Message, User, World


class PeopleSide:
    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages

    # Finding things, as a person sees them

    def person(self, user_id: int) -> User:
        user = self.world.users.get(user_id)
        if user is None or user.bot:
            raise Misuse(f"there is no person {user_id}")
        return user

    def channel(self, user: User, channel_id: int | None) -> Channel:
        """A channel that the person sees; None is their DM with the bot."""
        if channel_id is None:
            return self.world.dm_with(user.id)
        channel = self.world.channels.get(channel_id)
        if channel is None or not self.world.sees(user.id, channel):
            raise Misuse(f"{user.username} sees no channel {channel_id}")
        return channel

    def message(self, user: User, message_id: int) -> Message:
        message = self.world.messages.get(message_id)
        channel = self.world.channels.get(message.channel_id) if message else None
        if message is None or channel is None or message not in self.world.history(channel, user.id):
            raise Misuse(f"{user.username} sees no message {message_id}")
        self.channel(user, channel.id)
        return message

    def commands(self, user: User, channel: Channel) -> list[Payload]:
        """The slash commands that the person is offered there: those of the server, then the global ones."""
        if channel.guild_id is not None and not self.world.guilds[channel.guild_id].bot_installed:
            return []
        scopes = [channel.guild_id, None] if channel.guild_id is not None else [None]
        offered: dict[str, Payload] = {}
        for scope in scopes:
            for command in self.world.commands.get(scope, {}).values():
                fits = command["type"] == CHAT_INPUT and usable_by(self.world, command, user.id, channel.guild_id)
                if fits:
                    offered.setdefault(str(command["name"]), command)
        return list(offered.values())

    def _fill(self, user: User, channel: Channel, line: str, values: Payload, focused: str | None = None) -> Filled:
        words = line.strip().removeprefix("/").split()
        found = [one for one in self.commands(user, channel) if words and one["name"] == words[0]]
        if not found:
            raise Misuse(f"no command /{words[0] if words else ''} here for {user.username}")
        return fill_in(self.world, found[0], words[1:], values, guild_id=channel.guild_id, focused=focused)

    # Acts

    async def run(self, user: User, channel: Channel, line: str, values: Payload) -> Interaction:
        """Run `name` or `name subcommand` with options by name."""
        filled = self._fill(user, channel, line, values)
        return await self._send(
            self.world.open_interaction(
                InteractionKind.COMMAND, user_id=user.id, channel=channel, name=filled.path, data=filled.data
            )
        )

    async def complete(self, user: User, channel: Channel, line: str, values: Payload, focused: str) -> Interaction:
        """Ask for the choices of the option being typed."""
        filled = self._fill(user, channel, line, {**values, focused: values.get(focused, "")}, focused)
        interaction = self.world.open_interaction(
            InteractionKind.AUTOCOMPLETE, user_id=user.id, channel=channel, name=filled.path, data=filled.data
        )
        interaction.focused_type = filled.focused_type
        return await self._send(interaction)

    async def press(self, user: User, message: Message, custom_id: str) -> Interaction:
        button = self._component(message, custom_id)
        if button["type"] != BUTTON:
            raise Misuse(f"{custom_id!r} is no button")
        return await self._component_used(user, message, {"custom_id": custom_id, "component_type": BUTTON})

    async def choose(self, user: User, message: Message, custom_id: str, values: list[str]) -> Interaction:
        select = self._component(message, custom_id)
        if select["type"] not in SELECTS:
            raise Misuse(f"{custom_id!r} is no menu")
        if not select.get("min_values", 1) <= len(values) <= select.get("max_values", 1):
            raise Misuse(f"{custom_id!r} takes another number of choices")
        data: Payload = {"custom_id": custom_id, "component_type": select["type"], "values": values}
        if select["type"] == STRING_SELECT:
            offered = {option["value"] for option in select["options"]}
            if not set(values) <= offered:
                raise Misuse(f"{custom_id!r} offers only {sorted(offered)}")
        else:
            data["resolved"] = self._resolved(self.world.channels[message.channel_id], values)
        return await self._component_used(user, message, data)

    async def submit(self, user: User, opened_by: Interaction, values: Values) -> Interaction:
        """Send a form that an interaction of this person had opened; values by the inputs' custom ids."""
        modal = self._open_form(user, opened_by)
        channel = self.channel(user, opened_by.channel_id)
        interaction = self.world.open_interaction(
            InteractionKind.MODAL,
            user_id=user.id,
            channel=channel,
            name=modal["custom_id"],
            data=submitted(modal, values, lambda chosen: self._resolved(channel, chosen)),
            message_id=opened_by.message_id,
            triggered_by=opened_by.id,
        )
        answered = await self._send(interaction)
        if answered.status != "failed":  # else the form stays open, with "Something went wrong. Try again."
            opened_by.modal = None
        return answered

    def close(self, user: User, opened_by: Interaction) -> None:
        """Close a form without sending it. The bot never learns of it."""
        self._open_form(user, opened_by)
        opened_by.modal = None

    def _open_form(self, user: User, opened_by: Interaction) -> Payload:
        if opened_by.modal is None or opened_by.user_id != user.id:
            raise Misuse(f"no form is open for {user.username}")
        return opened_by.modal

    def _component(self, message: Message, custom_id: str) -> Payload:
        for component in walk(message.components):
            if component.get("custom_id") == custom_id:
                if component.get("disabled"):
                    raise Misuse(f"{custom_id!r} is disabled")
                return component
        raise Misuse(f"message {message.id} has no component {custom_id!r}")

    async def _component_used(self, user: User, message: Message, data: Payload) -> Interaction:
        channel = self.world.channels[message.channel_id]
        interaction = self.world.open_interaction(
            InteractionKind.COMPONENT,
            user_id=user.id,
            channel=channel,
            name=str(data["custom_id"]),
            data=data,
            message_id=message.id,
        )
        return await self._send(interaction)

    def _resolved(self, channel: Channel, values: list[str]) -> Payload:
        offered = self.world.candidates(channel)
        unknown = [value for value in values if value not in offered]
        if unknown:
            raise Misuse(f"{unknown[0][:40]!r} is nobody there")
        users = [self.world.users[int(value)] for value in values]
        resolved: Payload = {"users": {str(user.id): user_json(user) for user in users}}
        if channel.guild_id is not None:
            resolved["members"] = {
                str(user.id): member_json(
                    user, permissions=self.world.permissions(user.id, channel.guild_id), with_user=False
                )
                for user in users
            }
        return resolved

    async def _send(self, interaction: Interaction) -> Interaction:
        """Deliver an interaction and wait for its first answer, at most the three seconds that Discord waits."""
        seen = self.world.feed.last
        data = interaction_json(self.world, interaction)
        reached = await self.world.sessions.dispatch(
            "INTERACTION_CREATE", data, intent=Intent.NONE, guild_id=interaction.guild_id
        )
        if not reached:
            self.world.settle(interaction, "failed")
            return interaction
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while interaction.status == "waiting" and not self.world.feed.closed:
                    await self.world.feed.wait_after(seen, ANSWER_SECONDS)
                    seen = self.world.feed.last
        except TimeoutError:
            self.world.settle(interaction, "failed")
        return interaction
