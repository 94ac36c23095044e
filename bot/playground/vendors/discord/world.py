"""The state of the pretended Discord: accounts, servers, channels, messages, interactions. No HTTP here."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum

from bot.playground.vendors.discord.config import MEMBER_PERMISSIONS, DiscordConfig
from bot.playground.vendors.discord.feed import Feed, Snowflakes
from bot.playground.vendors.discord.sessions import Sessions
from bot.playground.vendors.discord.wire import ApiError, Payload

ADMINISTRATOR = 1 << 3
DM_PERMISSIONS = MEMBER_PERMISSIONS
KEPT_INTERACTIONS = 5_000
NONCE_SECONDS = 300.0  # "the past few minutes", docs resources/message


class Permission:
    """Permissions that this stand-in holds the bot to. Docs: topics/permissions."""

    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    ATTACH_FILES = 1 << 15
    READ_HISTORY = 1 << 16
    CREATE_THREADS = 1 << 35
    SEND_IN_THREADS = 1 << 38


class Flag:
    """Message flags that this stand-in gives a meaning to."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class ChannelKind(IntEnum):
    TEXT = 0
    DM = 1
    THREAD = 11


class InteractionKind(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


@dataclass(slots=True)
class User:
    id: int
    username: str
    global_name: str | None
    email: str | None
    verified: bool
    bot: bool
    dm_closed: bool


@dataclass(slots=True)
class Channel:
    id: int
    kind: ChannelKind
    name: str
    guild_id: int | None = None
    recipient_id: int | None = None
    topic: str | None = None
    members: frozenset[int] | None = None
    bot_can_view: bool = True
    bot_can_send: bool = True
    parent_id: int | None = None
    messages: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Guild:
    id: int
    name: str
    members: set[int]
    admins: set[int]
    channels: list[int]
    bot_installed: bool
    everyone: int
    """Permissions of all members."""
    bot_role: int
    """Permissions that the bot was installed with."""
    is_available: bool = True
    """False in an outage: the gateway says that the server cannot be reached, and the bot is still in it."""


@dataclass(slots=True)
class Message:
    id: int
    channel_id: int
    author_id: int
    created: float
    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Payload] = field(default_factory=list)
    flags: int = 0
    edited: float | None = None
    nonce: str | int | None = None
    ephemeral_for: int | None = None
    interaction_id: int | None = None
    pings: Payload = field(default_factory=dict)
    allowed_mentions_given: bool = False
    dismissed: bool = False
    reply_to: int | None = None
    """The message that this one answers; it may be gone meanwhile."""


@dataclass(slots=True)
class Interaction:
    id: int
    token: str
    kind: InteractionKind
    user_id: int
    channel_id: int
    guild_id: int | None
    created: float
    name: str
    data: Payload
    message_id: int | None = None
    status: str = "waiting"
    """waiting, deferred, answered (its last word so far is out), or failed ("The application did not respond")."""
    answered_with: int | None = None
    original_id: int | None = None
    modal: Payload | None = None
    choices: list[Payload] | None = None
    triggered_by: int | None = None
    focused_type: int | None = None


@dataclass(slots=True)
class Attachment:
    filename: str
    content_type: str
    data: bytes


class World:
    """Everything there is. `now()` is the configured clock plus what the control API advanced it by."""

    def __init__(self, config: DiscordConfig) -> None:
        self.config = config
        self.clock_offset = 0.0
        self.base_url = ""
        self.ids = Snowflakes(self.now)
        self.feed = Feed()
        self.sessions = Sessions()
        self.users = {
            user.id: User(user.id, user.username, user.global_name, user.email, user.verified, user.bot, user.dm_closed)
            for user in config.users
        }
        self.bot_id = config.application_id
        self.users[self.bot_id] = User(self.bot_id, config.application_name, None, None, True, True, False)
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        for guild in config.guilds:
            members = set(guild.members) | ({self.bot_id} if guild.bot_installed else set())
            self.guilds[guild.id] = Guild(
                guild.id,
                guild.name,
                members,
                set(guild.admins),
                [channel.id for channel in guild.channels],
                guild.bot_installed,
                guild.everyone,
                guild.bot_role,
            )
            for channel in guild.channels:
                self.channels[channel.id] = Channel(
                    channel.id,
                    ChannelKind.TEXT,
                    channel.name,
                    guild.id,
                    topic=channel.topic,
                    members=channel.members,
                    bot_can_view=channel.bot_can_view,
                    bot_can_send=channel.bot_can_send,
                )
        self.messages: dict[int, Message] = {}
        self.interactions: OrderedDict[int, Interaction] = OrderedDict()
        self.tokens: dict[str, int] = {}
        """Interaction tokens, each to its interaction."""
        self.commands: dict[int | None, dict[int, Payload]] = {None: {}}
        self.attachments: dict[int, Attachment] = {}
        self.nonces: dict[str, tuple[float, int]] = {}
        self.accepted: list[Payload] = []
        """What the bot got accepted, in order, apart from the replies that it saw."""
        self.signed_in = config.signed_in

    def now(self) -> float:
        return self.config.now() + self.clock_offset

    @property
    def gateway_url(self) -> str:
        return self.base_url.replace("http", "ws", 1) + "/gateway"

    # People and places, or Discord's refusals

    def user(self, user_id: int) -> User:
        if user_id not in self.users:
            raise ApiError(404, 10013, "Unknown User")
        return self.users[user_id]

    def guild_of_bot(self, guild_id: int) -> Guild:
        guild = self.guilds.get(guild_id)
        if guild is None or not guild.bot_installed:
            raise ApiError(404, 10004, "Unknown Guild")
        return guild

    def channel_for_bot(self, channel_id: int, *, sending: bool = False) -> Channel:
        """A channel that the bot may read; with `sending`, write to. A DM is refused only when something is sent."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if channel.guild_id is None:
            if sending:
                self._check_dm(channel)
            return channel
        held = self.bot_permissions(channel)
        if not held & Permission.VIEW_CHANNEL:
            raise ApiError(403, 50001, "Missing Access")
        is_thread = channel.kind is ChannelKind.THREAD
        if sending and not held & (Permission.SEND_IN_THREADS if is_thread else Permission.SEND_MESSAGES):
            raise ApiError(403, 50013, "Missing Permissions")
        return channel

    def bot_permissions(self, channel: Channel) -> int:
        """What the bot may do in a channel: in a DM anything, in a server that it is not in nothing."""
        if channel.guild_id is None:
            return DM_PERMISSIONS
        guild = self.guilds[channel.guild_id]
        governing = self.channels.get(channel.parent_id, channel) if channel.parent_id else channel
        if not guild.bot_installed or not governing.bot_can_view:
            return 0
        held = guild.everyone | guild.bot_role
        denied = Permission.SEND_MESSAGES | Permission.SEND_IN_THREADS | Permission.ATTACH_FILES
        return held if governing.bot_can_send else held & ~denied

    def _check_dm(self, channel: Channel) -> None:
        recipient = self.users[channel.recipient_id or 0]
        if recipient.bot or recipient.dm_closed:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        if not any(recipient.id in guild.members and guild.bot_installed for guild in self.guilds.values()):
            raise ApiError(403, 50278, "Cannot send messages to this user due to having no mutual guilds")

    def channel(self, channel_id: int) -> Channel:
        """A channel that may have been deleted meanwhile."""
        if channel_id not in self.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        return self.channels[channel_id]

    def dm_with(self, user_id: int) -> Channel:
        """The one DM channel between the bot and a user, made when there is none."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and channel.recipient_id == user_id:
                return channel
        channel = Channel(self.ids.next(), ChannelKind.DM, "", recipient_id=user_id)
        self.channels[channel.id] = channel
        self.feed.add("dm_opened", channel_id=str(channel.id), user_id=str(user_id))
        return channel

    def sees(self, user_id: int, channel: Channel) -> bool:
        """Whether a person sees a channel at all."""
        if channel.guild_id is None:
            return channel.recipient_id == user_id
        if user_id not in self.guilds[channel.guild_id].members:
            return False
        governing = self.channels.get(channel.parent_id, channel) if channel.parent_id else channel
        return governing.members is None or user_id in governing.members

    def candidates(self, channel: Channel) -> dict[str, str]:
        """Whom a menu of people offers there, names by id: the server's members, or the two of a DM."""
        ids = {channel.recipient_id or 0, self.bot_id}
        if channel.guild_id is not None:
            ids = self.guilds[channel.guild_id].members
        people = [self.users[one] for one in sorted(ids)]
        return {str(user.id): user.global_name or user.username for user in people}

    def permissions(self, user_id: int, guild_id: int) -> int:
        extra = ADMINISTRATOR if user_id in self.guilds[guild_id].admins else 0
        return self.guilds[guild_id].everyone | extra

    def history(self, channel: Channel, user_id: int) -> list[Message]:
        """A channel's messages as one person sees them: another's ephemeral ones are not there."""
        found = (self.messages[message_id] for message_id in channel.messages if message_id in self.messages)
        return [m for m in found if m.ephemeral_for in (None, user_id) and not m.dismissed]

    # Interactions

    def open_interaction(
        self,
        kind: InteractionKind,
        *,
        user_id: int,
        channel: Channel,
        name: str,
        data: Payload,
        message_id: int | None = None,
        triggered_by: int | None = None,
    ) -> Interaction:
        interaction = Interaction(
            self.ids.next(),
            secrets.token_urlsafe(48),
            kind,
            user_id,
            channel.id,
            channel.guild_id,
            self.now(),
            name,
            data,
            message_id=message_id,
            triggered_by=triggered_by,
        )
        self.interactions[interaction.id] = interaction
        self.tokens[interaction.token] = interaction.id
        while len(self.interactions) > KEPT_INTERACTIONS:
            _, oldest = self.interactions.popitem(last=False)
            del self.tokens[oldest.token]
        return interaction

    def settle(self, interaction: Interaction, status: str) -> None:
        interaction.status = status
        self.feed.add(
            "interaction",
            interaction_id=str(interaction.id),
            status=status,
            user_id=str(interaction.user_id),
            channel_id=str(interaction.channel_id),
        )
