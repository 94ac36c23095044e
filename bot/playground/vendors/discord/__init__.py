"""A loopback stand-in for Discord: its REST API, gateway, OAuth2 pages, and the people who use it.

It speaks the wire protocol only: it shares no object with the bot and imports nothing else of this project.
`create_discord_vendor` makes it, `DiscordPeople` plays the people over HTTP.
"""

from bot.playground.vendors.discord.config import ChannelConfig, DiscordConfig, GuildConfig, LimitConfig, UserConfig
from bot.playground.vendors.discord.people import DiscordPeople, PlayError
from bot.playground.vendors.discord.vendor import DiscordVendor, create_discord_vendor

__all__ = [
    "ChannelConfig",
    "DiscordConfig",
    "DiscordPeople",
    "DiscordVendor",
    "GuildConfig",
    "LimitConfig",
    "PlayError",
    "UserConfig",
    "create_discord_vendor",
]
