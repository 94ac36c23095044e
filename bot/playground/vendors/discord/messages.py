"""Accepting, changing and removing messages: one way for the REST routes, interaction answers and people alike."""

from __future__ import annotations

from urllib.parse import quote

from bot.playground.vendors.discord.attachments import kept, measured, taken, with_addresses
from bot.playground.vendors.discord.mentions import analyse
from bot.playground.vendors.discord.message_rules import check_message, pingable_text, settable_flags
from bot.playground.vendors.discord.payloads import channel_json, member_json, message_json
from bot.playground.vendors.discord.sessions import Intent
from bot.playground.vendors.discord.wire import ApiError, Payload, Upload, invalid_form, snowflake
from bot.playground.vendors.discord.world import (
    NONCE_SECONDS,
    Attachment,
    Channel,
    ChannelKind,
    Flag,
    Interaction,
    Message,
    Permission,
    World,
)


class Messages:
    """All writing of messages. Every accepted write of the bot is kept in `world.accepted`."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def create(self, channel: Channel, body: Payload, uploads: list[Upload]) -> Message:
        """POST /channels/{id}/messages, with its nonce honoured before anything is made."""
        check_message(body, uploads=uploads)
        earlier = self._earlier(body)
        if earlier is not None:
            self._log("message", channel, earlier, deduplicated=True)
            return earlier
        replied_to = self._replied_to(channel, body.get("message_reference"))
        message = self._new(channel, body, uploads, settable_flags(body, answer=False))
        message.reply_to = replied_to
        message.pings = analyse(pingable_text(body), body.get("allowed_mentions"), from_interaction=False)
        if body.get("nonce") is not None:
            self.world.nonces[str(body["nonce"])] = (self.world.now(), message.id)
        self._log("message", channel, message)
        await self._announce("MESSAGE_CREATE", message)
        return message

    async def answer(
        self, interaction: Interaction, body: Payload, uploads: list[Upload], *, kind: str, prefix: str = ""
    ) -> Message:
        """An interaction's first answer or a follow-up. Ephemeral ones exist for the asker alone."""
        check_message(body, prefix=prefix, uploads=uploads)
        channel = self.world.channel(interaction.channel_id)
        self.check_may_attach(channel, uploads)
        message = self._new(channel, body, uploads, settable_flags(body, answer=True))
        message.interaction_id = interaction.id
        message.ephemeral_for = interaction.user_id if message.flags & Flag.EPHEMERAL else None
        message.pings = analyse(pingable_text(body), body.get("allowed_mentions"), from_interaction=True)
        self._log(kind, channel, message)
        await self._announce("MESSAGE_CREATE", message)
        return message

    async def placeholder(self, interaction: Interaction, flags: int) -> Message:
        """The "thinking…" message of a deferred answer."""
        channel = self.world.channel(interaction.channel_id)
        message = self._new(channel, {}, [], (flags & Flag.EPHEMERAL) | Flag.LOADING)
        message.interaction_id = interaction.id
        message.ephemeral_for = interaction.user_id if flags & Flag.EPHEMERAL else None
        await self._announce("MESSAGE_CREATE", message)
        return message

    async def edit(
        self, message: Message, body: Payload, uploads: list[Upload], *, kind: str = "edit", prefix: str = ""
    ) -> Message:
        """Change a message in place. Fields that are absent stay; the V2 flag can be set and never taken away."""
        loading = message.flags & Flag.LOADING
        check_message(body, old=message, prefix=prefix, uploads=uploads)
        message.content = str(body["content"] or "") if "content" in body else message.content
        message.embeds = list(body["embeds"] or []) if "embeds" in body else message.embeds
        message.components = list(body["components"] or []) if "components" in body else message.components
        self._attach(message, body, uploads)
        if "flags" in body:
            fixed = message.flags & (Flag.EPHEMERAL | Flag.COMPONENTS_V2)
            message.flags = fixed | settable_flags(body, answer=False)
        message.flags &= ~Flag.LOADING
        if not loading:
            message.edited = self.world.now()
        message.pings = analyse(
            pingable_text(body), body.get("allowed_mentions"), from_interaction=message.interaction_id is not None
        )
        message.allowed_mentions_given = body.get("allowed_mentions") is not None
        self._log(kind, self.world.channel(message.channel_id), message)
        await self._announce("MESSAGE_UPDATE", message)
        return message

    async def delete(self, message: Message) -> None:
        self.world.messages.pop(message.id, None)
        channel = self.world.channels.get(message.channel_id)
        if channel is not None and message.id in channel.messages:
            channel.messages.remove(message.id)
        self.world.feed.add("message_deleted", channel_id=str(message.channel_id), message_id=str(message.id))
        if channel is not None and message.ephemeral_for is None:
            gone: Payload = {"id": str(message.id), "channel_id": str(channel.id)}
            if channel.guild_id is not None:
                gone["guild_id"] = str(channel.guild_id)
            await self._dispatch("MESSAGE_DELETE", gone, channel)

    async def say(self, channel: Channel, user_id: int, content: str) -> Message:
        """A person writes a plain message."""
        check_message({"content": content})
        message = Message(self.world.ids.next(), channel.id, user_id, self.world.now(), content)
        message.pings = analyse(content, None, from_interaction=True)
        self._keep(channel, message)
        await self._announce("MESSAGE_CREATE", message)
        return message

    async def start_thread(self, channel: Channel, message: Message, name: str) -> Channel:
        """A public thread on a message; it has the message's id, as on Discord."""
        if message.id in self.world.channels:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        thread = Channel(message.id, ChannelKind.THREAD, name, channel.guild_id, parent_id=channel.id)
        self.world.channels[thread.id] = thread
        self.world.feed.add("thread_created", channel_id=str(channel.id), thread_id=str(thread.id))
        created = {**channel_json(self.world, thread), "newly_created": True}
        await self.world.sessions.dispatch("THREAD_CREATE", created, intent=Intent.GUILDS, guild_id=channel.guild_id)
        return thread

    def check_may_attach(self, channel: Channel, uploads: list[Upload]) -> None:
        """Refuse files where the bot may attach none; that holds for its answers to interactions as well."""
        if uploads and not self.world.bot_permissions(channel) & Permission.ATTACH_FILES:
            raise ApiError(403, 50013, "Missing Permissions")

    def visible_to_bot(self, channel: Channel, message_id: int) -> Message:
        """A message by id as the channel routes find it: an ephemeral one is not there, its token alone reaches it."""
        message = self.world.messages.get(message_id)
        if message is None or message.channel_id != channel.id or message.ephemeral_for is not None:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _replied_to(self, channel: Channel, reference: object) -> int | None:
        """The message that a reply answers; None for a plain message, and for one that is gone and may be."""
        if reference is None:
            return None
        if not isinstance(reference, dict) or reference.get("type", 0) != 0:
            raise invalid_form("message_reference.type", "BASE_TYPE_CHOICES", "Only replies are played here.")
        if not self.world.bot_permissions(channel) & Permission.READ_HISTORY:
            raise ApiError(400, 160002, "Cannot reply without permission to read message history")
        elsewhere = {"channel_id": channel.id, "guild_id": channel.guild_id}
        for name, here in elsewhere.items():
            if reference.get(name) is not None and snowflake(reference[name], f"message_reference.{name}") != here:
                raise _unknown_reference()
        message_id = snowflake(reference.get("message_id"), "message_reference.message_id")
        message = self.world.messages.get(message_id)
        if message is not None and message.channel_id == channel.id and message.ephemeral_for is None:
            return message.id
        if reference.get("fail_if_not_exists", True):
            raise _unknown_reference()
        return None

    def _earlier(self, body: Payload) -> Message | None:
        nonce = body.get("nonce")
        if nonce is None or not body.get("enforce_nonce"):
            return None
        at, message_id = self.world.nonces.get(str(nonce), (0.0, 0))
        if self.world.now() - at > NONCE_SECONDS:
            return None
        return self.world.messages.get(message_id)

    def _new(self, channel: Channel, body: Payload, uploads: list[Upload], flags: int) -> Message:
        message = Message(
            self.world.ids.next(),
            channel.id,
            self.world.bot_id,
            self.world.now(),
            str(body.get("content") or ""),
            list(body.get("embeds") or []),
            list(body.get("components") or []),
            flags=flags,
            nonce=body.get("nonce"),
            allowed_mentions_given=body.get("allowed_mentions") is not None,
        )
        self._attach(message, body, uploads)
        self._keep(channel, message)
        return message

    def _keep(self, channel: Channel, message: Message) -> None:
        self.world.messages[message.id] = message
        channel.messages.append(message.id)

    def _attach(self, message: Message, body: Payload, uploads: list[Upload]) -> None:
        message.attachments = kept(body, message.attachments)
        for upload, name, description in taken(body, uploads):
            attachment_id = self.world.ids.next()
            self.world.attachments[attachment_id] = Attachment(name, upload.content_type, upload.data)
            url = f"{self.world.base_url}/attachments/{message.channel_id}/{attachment_id}/{quote(name)}"
            attachment: Payload = {"id": str(attachment_id), "filename": name, "content_type": upload.content_type}
            attachment |= {"size": len(upload.data), "url": url, "proxy_url": url, **measured(upload.data)}
            if description:
                attachment["description"] = description
            message.attachments.append(attachment)
        message.embeds = with_addresses(message.embeds, message.attachments)
        message.components = with_addresses(message.components, message.attachments)

    def _log(self, kind: str, channel: Channel, message: Message, *, deduplicated: bool = False) -> None:
        self.world.accepted.append(
            {
                "kind": kind,
                "at": self.world.now(),
                "channel_id": str(channel.id),
                "dm_with": str(channel.recipient_id) if channel.recipient_id else None,
                "deduplicated": deduplicated,
                "allowed_mentions_given": message.allowed_mentions_given,
                "pings": message.pings,
                "message": message_json(self.world, message),
            }
        )

    async def _announce(self, event: str, message: Message) -> None:
        channel = self.world.channel(message.channel_id)
        self.world.feed.add(
            "message_created" if event == "MESSAGE_CREATE" else "message_updated",
            channel_id=str(channel.id),
            message_id=str(message.id),
            user_id=str(message.ephemeral_for) if message.ephemeral_for else None,
        )
        if message.ephemeral_for is not None:
            return
        data = message_json(self.world, message)
        if channel.guild_id is not None:
            data["guild_id"] = str(channel.guild_id)
            author = self.world.users[message.author_id]
            data["member"] = member_json(author, with_user=False)
        await self._dispatch(event, data, channel)

    async def _dispatch(self, event: str, data: Payload, channel: Channel) -> None:
        intent = Intent.DIRECT_MESSAGES if channel.guild_id is None else Intent.GUILD_MESSAGES
        content_hidden = (
            channel.guild_id is not None
            and "author" in data
            and data["author"]["id"] != str(self.world.bot_id)
            and not self.world.config.privileged_intents & Intent.MESSAGE_CONTENT
        )
        if content_hidden:
            data = {**data, "content": "", "embeds": [], "components": [], "attachments": []}
        await self.world.sessions.dispatch(event, data, intent=intent, guild_id=channel.guild_id)


def _unknown_reference() -> ApiError:
    return invalid_form("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
