"""What the stand-in is started with: the application, its people, its servers and how strict its limits are.

All ids are Discord snowflakes as integers; they cross the wire as decimal strings.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MEMBER_PERMISSIONS = 0x0006_C8FF_CE41 | 1 << 35 | 1 << 38  # what @everyone has in a new server


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfig:
    """One Discord account. `dm_closed` means that it accepts no direct messages from server members."""

    id: int
    username: str
    global_name: str | None = None
    email: str | None = None
    verified: bool = True
    bot: bool = False
    dm_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """One text channel. `members` narrows who sees it; None means every member of the server."""

    id: int
    name: str
    topic: str | None = None
    members: frozenset[int] | None = None
    bot_can_view: bool = True
    bot_can_send: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildConfig:
    """One server. `admins` hold the Administrator permission, and so may install the bot."""

    id: int
    name: str
    channels: tuple[ChannelConfig, ...]
    members: frozenset[int]
    admins: frozenset[int] = frozenset()
    bot_installed: bool = True
    everyone: int = MEMBER_PERMISSIONS
    """Permissions of all members, the bot among them."""
    bot_role: int = 0
    """What the bot was installed with besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitConfig:
    """Rate limits. Figures: docs.discord.com, topics/rate-limits; the 5 in 5 s of a channel is as observed.

    With `enabled` off nothing is answered with 429, the headers say that plenty is left, and refused requests are
    still counted, so that a bot which goes on after a refusal is found out.
    """

    enabled: bool = True
    per_bucket: int = 5
    bucket_seconds: float = 5.0
    global_per_second: int = 50
    ban_after: int = 10_000
    ban_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordConfig:
    """Everything the stand-in knows when it starts. `now` is seconds since the epoch; tests may pass their own."""

    bot_token: str
    application_id: int
    client_secret: str
    application_name: str = "Lapsebot"
    public_key: str = "0" * 64
    redirect_uris: frozenset[str] = frozenset()
    users: tuple[UserConfig, ...] = ()
    guilds: tuple[GuildConfig, ...] = ()
    signed_in: int | None = None
    """Who is logged in to Discord in the browser that opens the OAuth pages."""
    privileged_intents: int = 0
    """Bits of the privileged intents switched on for the application; others close the gateway with 4014."""
    limits: LimitConfig = field(default_factory=LimitConfig)
    heartbeat_seconds: float = 41.25
    now: Callable[[], float] = time.time
