"""The JSON objects of Discord's API v10, made from the state. Shapes: docs.discord.com, resources/*."""

from __future__ import annotations

from dataclasses import replace

from bot.playground.vendors.discord.attachments import LARGEST_FILE, loose
from bot.playground.vendors.discord.feed import iso
from bot.playground.vendors.discord.wire import Payload
from bot.playground.vendors.discord.world import (
    ADMINISTRATOR,
    Channel,
    ChannelKind,
    Guild,
    Interaction,
    InteractionKind,
    Message,
    User,
    World,
)

REPLY = 19
JOINED = iso(1_700_000_000)


def user_json(user: User) -> Payload:
    return {
        "id": str(user.id),
        "username": user.username,
        "discriminator": "0",
        "global_name": user.global_name,
        "avatar": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        "banner": None,
        "accent_color": None,
        "bot": user.bot,
        "system": False,
        "public_flags": 0,
        "flags": 0,
    }


def self_json(user: User) -> Payload:
    """What /users/@me tells a bot about itself."""
    return {**user_json(user), "verified": True, "mfa_enabled": False, "locale": "en-US", "email": None}


def member_json(user: User, *, permissions: int | None = None, with_user: bool = True) -> Payload:
    member: Payload = {
        "roles": [],
        "nick": None,
        "avatar": None,
        "banner": None,
        "joined_at": JOINED,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }
    if with_user:
        member["user"] = user_json(user)
    if permissions is not None:
        member["permissions"] = str(permissions)
    return member


def channel_json(world: World, channel: Channel) -> Payload:
    data: Payload = {
        "id": str(channel.id),
        "type": int(channel.kind),
        "last_message_id": str(channel.messages[-1]) if channel.messages else None,
        "flags": 0,
    }
    if channel.kind is ChannelKind.DM:
        data["recipients"] = [user_json(world.users[channel.recipient_id or 0])]
        return data
    guild = world.guilds[channel.guild_id or 0]
    data |= {"guild_id": str(guild.id), "name": channel.name, "rate_limit_per_user": 0}
    data |= {"nsfw": False, "permission_overwrites": [], "topic": channel.topic}
    data["parent_id"] = str(channel.parent_id) if channel.parent_id else None
    if channel.kind is ChannelKind.THREAD:
        data |= {
            "owner_id": str(world.bot_id),
            "message_count": len(channel.messages),
            "member_count": 1,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": JOINED,
                "locked": False,
            },
        }
    else:
        data["position"] = guild.channels.index(channel.id) if channel.id in guild.channels else 0
    return data


def guild_json(guild: Guild) -> Payload:
    """A server as GUILD_CREATE and GET /guilds/{id} show it to the bot: only the channels that it sees."""
    owner = min(guild.admins, default=min(guild.members, default=guild.id))
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(owner),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role_json(guild)],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
    }


def role_json(guild: Guild) -> Payload:
    colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    return {
        "id": str(guild.id),
        "name": "@everyone",
        "color": 0,
        "colors": colors,
        "hoist": False,
        "position": 0,
        "permissions": str(guild.everyone),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild_channels(world: World, guild: Guild) -> list[Payload]:
    channels = (world.channels[channel_id] for channel_id in guild.channels)
    return [channel_json(world, channel) for channel in channels if channel.bot_can_view]


def guild_create_json(world: World, guild: Guild) -> Payload:
    threads = [
        channel_json(world, channel)
        for channel in world.channels.values()
        if channel.kind is ChannelKind.THREAD and channel.guild_id == guild.id
    ]
    return {
        **guild_json(guild),
        "joined_at": JOINED,
        "large": False,
        "unavailable": not guild.is_available,
        "member_count": len(guild.members),
        "voice_states": [],
        # Without the members intent a client is sent itself alone.
        "members": [member_json(world.users[world.bot_id])],
        "channels": guild_channels(world, guild),
        "threads": threads,
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def message_json(world: World, message: Message) -> Payload:
    author = world.users[message.author_id]
    mentioned = message.pings.get("shown_users", [])
    data: Payload = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": user_json(author),
        "content": message.content,
        "timestamp": iso(message.created),
        "edited_timestamp": iso(message.edited) if message.edited is not None else None,
        "tts": False,
        "mention_everyone": bool(message.pings.get("everyone")),
        "mentions": [user_json(world.users[int(one)]) for one in mentioned if int(one) in world.users],
        "mention_roles": [],
        "attachments": loose(message.attachments, message.embeds, message.components),
        "embeds": message.embeds,
        "components": message.components,
        "pinned": False,
        "type": 0,
        "flags": message.flags,
    }
    if message.nonce is not None:
        data["nonce"] = message.nonce
    if message.reply_to is not None:
        data["type"] = REPLY
        reference: Payload = {"type": 0, "channel_id": data["channel_id"], "message_id": str(message.reply_to)}
        channel = world.channels.get(message.channel_id)
        if channel is not None and channel.guild_id is not None:
            reference["guild_id"] = str(channel.guild_id)
        data["message_reference"] = reference
        answered = world.messages.get(message.reply_to)
        # Of what is answered Discord sends no further reference; null is a message that was deleted.
        data["referenced_message"] = message_json(world, replace(answered, reply_to=None)) if answered else None
    interaction = world.interactions.get(message.interaction_id or 0)
    if interaction is not None:
        data["type"] = 20 if interaction.kind is InteractionKind.COMMAND else 0
        data["webhook_id"] = str(world.config.application_id)
        data["application_id"] = str(world.config.application_id)
        data["interaction_metadata"] = _interaction_metadata(world, interaction)
    return data


def _interaction_metadata(world: World, interaction: Interaction) -> Payload:
    meta: Payload = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "user": user_json(world.users[interaction.user_id]),
        "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
    }
    if interaction.kind is InteractionKind.COMMAND:
        meta["name"] = interaction.name
    if interaction.kind is InteractionKind.COMPONENT:
        meta["interacted_message_id"] = str(interaction.message_id)
    if interaction.kind is InteractionKind.MODAL:
        trigger = world.interactions.get(interaction.triggered_by or 0)
        meta["triggering_interaction_metadata"] = _interaction_metadata(world, trigger) if trigger else {}
    return meta


def interaction_json(world: World, interaction: Interaction) -> Payload:
    """The INTERACTION_CREATE event."""
    user = world.users[interaction.user_id]
    channel = world.channels[interaction.channel_id]
    data: Payload = {
        "id": str(interaction.id),
        "application_id": str(world.config.application_id),
        "type": int(interaction.kind),
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": channel_json(world, channel),
        "locale": "en-US",
        "app_permissions": str(world.bot_permissions(channel)),
        "entitlements": [],
        "entitlement_sku_ids": [],
        "attachment_size_limit": LARGEST_FILE,
        "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
        "context": 1 if interaction.guild_id is None else 0,
    }
    if interaction.guild_id is None:
        data["user"] = user_json(user)
    else:
        permissions = world.permissions(user.id, interaction.guild_id)
        if permissions & ADMINISTRATOR:
            permissions |= (1 << 50) - 1  # an administrator's computed permissions are all of them
        data["guild_id"] = str(interaction.guild_id)
        data["guild"] = {"id": str(interaction.guild_id), "locale": "en-US", "features": []}
        data["guild_locale"] = "en-US"
        data["member"] = member_json(user, permissions=permissions)
        data["channel"]["permissions"] = str(permissions)
    if interaction.message_id is not None and interaction.message_id in world.messages:
        data["message"] = message_json(world, world.messages[interaction.message_id])
    return data


def application_json(world: World) -> Payload:
    config = world.config
    owner = {**user_json(world.users[world.bot_id]), "id": str(config.application_id - 1), "bot": False}
    return {
        "id": str(config.application_id),
        "name": config.application_name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": config.public_key,
        "owner": owner,
        "team": None,
        "flags": 0,
        "tags": [],
        "redirect_uris": sorted(config.redirect_uris),
        "interactions_endpoint_url": None,
        "approximate_guild_count": sum(guild.bot_installed for guild in world.guilds.values()),
        "approximate_user_install_count": 0,
        "integration_types_config": {"0": {}},
        "bot": user_json(world.users[world.bot_id]),
    }
