"""Changes to servers and channels, each told to the gateway as Discord tells it."""

from __future__ import annotations

from bot.playground.vendors.discord.payloads import channel_json, guild_create_json, member_json, user_json
from bot.playground.vendors.discord.sessions import Intent
from bot.playground.vendors.discord.wire import Payload
from bot.playground.vendors.discord.world import Channel, ChannelKind, Guild, World


class Places:
    """What administrators and people do to servers: install and kick the bot, come and go, delete and close."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def install_bot(self, guild: Guild, permissions: int = 0) -> None:
        """Add the bot with these permissions beside everyone's; adding it again only changes them."""
        guild.bot_role = permissions
        if guild.bot_installed:
            return
        guild.bot_installed = True
        guild.members.add(self.world.bot_id)
        created = guild_create_json(self.world, guild)
        # A server joined while connected comes without the key; discord.py tells a join by that.
        del created["unavailable"]
        await self._tell("GUILD_CREATE", created, guild)
        self.world.feed.add("bot_installed", guild_id=str(guild.id))

    async def kick_bot(self, guild: Guild) -> None:
        if not guild.bot_installed:
            return
        guild.bot_installed = False
        guild.members.discard(self.world.bot_id)
        self.world.commands.pop(guild.id, None)
        await self._tell("GUILD_DELETE", {"id": str(guild.id)}, guild)
        self.world.feed.add("bot_kicked", guild_id=str(guild.id))

    async def set_available(self, guild: Guild, *, available: bool) -> None:
        """An outage of the server, or its end: the bot is still in it. Docs: gateway-events, Guild Delete."""
        if guild.is_available == available or not guild.bot_installed:
            return
        guild.is_available = available
        if available:
            await self._tell("GUILD_CREATE", guild_create_json(self.world, guild), guild)
        else:
            await self._tell("GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild)
        self.world.feed.add("guild_availability", guild_id=str(guild.id), available=available)

    async def delete_channel(self, channel: Channel) -> None:
        gone = channel_json(self.world, channel)
        guild = self.world.guilds[channel.guild_id or 0]
        del self.world.channels[channel.id]
        if channel.id in guild.channels:
            guild.channels.remove(channel.id)
        if guild.bot_installed:
            event = "THREAD_DELETE" if channel.kind is ChannelKind.THREAD else "CHANNEL_DELETE"
            await self._tell(event, gone, guild)
        self.world.feed.add("channel_deleted", channel_id=str(channel.id), guild_id=str(guild.id))

    async def permit(self, channel: Channel, *, view: bool, send: bool) -> None:
        """Change what the bot may do in a channel. Losing sight of it reaches a bot as CHANNEL_DELETE."""
        saw = channel.bot_can_view
        channel.bot_can_view, channel.bot_can_send = view, send
        guild = self.world.guilds[channel.guild_id or 0]
        event = "CHANNEL_UPDATE" if saw and view else "CHANNEL_CREATE" if view else "CHANNEL_DELETE" if saw else None
        if event and guild.bot_installed:
            await self._tell(event, channel_json(self.world, channel), guild)
        self.world.feed.add("channel_changed", channel_id=str(channel.id), guild_id=str(guild.id))

    async def remove_member(self, guild: Guild, user_id: int) -> None:
        if user_id not in guild.members:
            return
        guild.members.discard(user_id)
        guild.admins.discard(user_id)
        gone = {"guild_id": str(guild.id), "user": user_json(self.world.users[user_id])}
        await self._tell("GUILD_MEMBER_REMOVE", gone, guild, intent=Intent.GUILD_MEMBERS)
        self.world.feed.add("member_removed", guild_id=str(guild.id), user_id=str(user_id))

    async def add_member(self, guild: Guild, user_id: int) -> None:
        if user_id in guild.members:
            return
        guild.members.add(user_id)
        joined = {**member_json(self.world.users[user_id]), "guild_id": str(guild.id)}
        await self._tell("GUILD_MEMBER_ADD", joined, guild, intent=Intent.GUILD_MEMBERS)
        self.world.feed.add("member_added", guild_id=str(guild.id), user_id=str(user_id))

    async def _tell(self, event: str, data: Payload, guild: Guild, *, intent: int = Intent.GUILDS) -> None:
        await self.world.sessions.dispatch(event, data, intent=intent, guild_id=guild.id)
