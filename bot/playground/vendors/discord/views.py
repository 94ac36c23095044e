"""How the control API shows people, places, messages and interactions to a user interface."""

from __future__ import annotations

from bot.playground.vendors.discord.feed import iso
from bot.playground.vendors.discord.form_html import modal_html
from bot.playground.vendors.discord.payloads import message_json
from bot.playground.vendors.discord.render import Names, message_html, message_text
from bot.playground.vendors.discord.wire import Payload
from bot.playground.vendors.discord.world import (
    Channel,
    ChannelKind,
    Guild,
    Interaction,
    Message,
    User,
    World,
)


def user_view(world: World, user: User) -> Payload:
    dm = next((one for one in world.channels.values() if one.recipient_id == user.id), None)
    return {
        "id": str(user.id),
        "username": user.username,
        "name": user.global_name or user.username,
        "bot": user.bot,
        "email": user.email,
        "verified": user.verified,
        "dm_closed": user.dm_closed,
        "dm_channel": str(dm.id) if dm else None,
    }


def channel_view(channel: Channel) -> Payload:
    return {
        "id": str(channel.id),
        "name": channel.name,
        "type": int(channel.kind),
        "topic": channel.topic,
        "dm_with": str(channel.recipient_id) if channel.recipient_id else None,
        "parent": str(channel.parent_id) if channel.parent_id else None,
        "members": sorted(str(one) for one in channel.members) if channel.members is not None else None,
        "bot_can_view": channel.bot_can_view,
        "bot_can_send": channel.bot_can_send,
    }


def guild_view(world: World, guild: Guild) -> Payload:
    threads = [one.id for one in world.channels.values() if one.kind is ChannelKind.THREAD and one.guild_id == guild.id]
    return {
        "id": str(guild.id),
        "name": guild.name,
        "bot_installed": guild.bot_installed,
        "members": sorted(str(one) for one in guild.members),
        "admins": sorted(str(one) for one in guild.admins),
        "channels": [channel_view(world.channels[one]) for one in [*guild.channels, *threads]],
    }


def names_of(world: World) -> Names:
    users = {str(user.id): user.global_name or user.username for user in world.users.values()}
    channels = {str(channel.id): channel.name for channel in world.channels.values()}
    return Names(users=users, channels=channels, roles={str(one): "everyone" for one in world.guilds})


def message_view(world: World, message: Message, viewer_id: int) -> Payload:
    """A message as one person sees it: the raw parts, neutral text with live mentions marked, and safe HTML."""
    data = message_json(world, message)
    names = names_of(world)
    author = world.users[message.author_id]
    return {
        "id": str(message.id),
        "channel": str(message.channel_id),
        "author": user_view(world, author),
        "at": iso(message.created),
        "edited": message.edited is not None,
        "ephemeral": message.ephemeral_for is not None,
        "loading": bool(message.flags & (1 << 7)),
        "content": message.content,
        "embeds": message.embeds,
        "components": message.components,
        "attachments": message.attachments,
        "reply_to": str(message.reply_to) if message.reply_to is not None else None,
        "flags": message.flags,
        "pings": message.pings,
        "pings_me": _pings_viewer(message.pings, viewer_id),
        "used_command": _used_command(world, message),
        "text": message_text(data, names),
        "html": message_html(data, names, now=world.now(), used_command=_used_command(world, message)),
    }


def _pings_viewer(pings: Payload, viewer_id: int) -> bool:
    return bool(pings.get("everyone")) or str(viewer_id) in pings.get("users", [])


def _used_command(world: World, message: Message) -> str | None:
    """The line "Ana used /lapsed", which Discord shows above an answer to a command."""
    interaction = world.interactions.get(message.interaction_id or 0)
    if interaction is None or int(interaction.kind) != 2:
        return None
    user = world.users[interaction.user_id]
    return f"{user.global_name or user.username} used /{interaction.name}"


def _form(world: World, interaction: Interaction) -> str | None:
    channel = world.channels.get(interaction.channel_id)
    if interaction.modal is None or channel is None:
        return None
    return modal_html(interaction.modal, str(interaction.id), world.candidates(channel))


def interaction_view(world: World, interaction: Interaction) -> Payload:
    """What came of an act. A failed one shows "The application did not respond" or "This interaction failed"."""
    original = world.messages.get(interaction.original_id or 0)
    return {
        "id": str(interaction.id),
        "status": interaction.status,
        "answered_with": interaction.answered_with,
        "channel": str(interaction.channel_id),
        "message": message_view(world, original, interaction.user_id) if original else None,
        "modal": interaction.modal,
        "modal_html": _form(world, interaction),
        "choices": interaction.choices,
    }
