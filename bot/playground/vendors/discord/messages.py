"""Accepting, changing and removing messages: one way for the REST routes, interaction answers and people alike."""

from __future__ import annotations

from typing import Any

from bot.playground.vendors.discord.mentions import analyse
from bot.playground.vendors.discord.message_rules import check_message, pingable_text, settable_flags
from bot.playground.vendors.discord.payloads import channel_json, member_json, message_json
from bot.playground.vendors.discord.sessions import Intent
from bot.playground.vendors.discord.wire import ApiError, Payload, Upload
from bot.playground.vendors.discord.world import (
    NONCE_SECONDS,
    Attachment,
    Channel,
    ChannelKind,
    Flag,
    Interaction,
    Message,
    World,
)


class Messages:
    """All writing of messages. Every accepted write of the bot is kept in `world.accepted`."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def create(self, channel: Channel, body: Payload, uploads: list[Upload]) -> Message:
        """POST /channels/{id}/messages, with its nonce honoured before anything is made."""
        check_message(body, files=len(uploads))
        earlier = self._earlier(body)
        if earlier is not None:
            self._log("message", channel, earlier, deduplicated=True)
            return earlier
        message = self._new(channel, body, uploads, settable_flags(body, answer=False))
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
        check_message(body, prefix=prefix, files=len(uploads))
        channel = self.world.channel(interaction.channel_id)
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
        check_message(body, old=message, prefix=prefix, files=len(uploads))
        message.content = str(body["content"] or "") if "content" in body else message.content
        message.embeds = list(body["embeds"] or []) if "embeds" in body else message.embeds
        message.components = list(body["components"] or []) if "components" in body else message.components
        if "attachments" in body or uploads:
            kept = {str(one.get("id")) for one in body.get("attachments") or []}
            message.attachments = [one for one in message.attachments if one["id"] in kept]
        self._attach(message, uploads)
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

    def visible_to_bot(self, channel: Channel, message_id: int) -> Message:
        """A message by id as the channel routes find it: an ephemeral one is not there, its token alone reaches it."""
        message = self.world.messages.get(message_id)
        if message is None or message.channel_id != channel.id or message.ephemeral_for is not None:
            raise ApiError(404, 10008, "Unknown Message")
        return message

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
        self._attach(message, uploads)
        self._keep(channel, message)
        return message

    def _keep(self, channel: Channel, message: Message) -> None:
        self.world.messages[message.id] = message
        channel.messages.append(message.id)

    def _attach(self, message: Message, uploads: list[Upload]) -> None:
        for upload in uploads:
            attachment_id = self.world.ids.next()
            self.world.attachments[attachment_id] = Attachment(upload.filename, upload.content_type, upload.data)
            url = f"{self.world.base_url}/attachments/{message.channel_id}/{attachment_id}/{upload.filename}"
            message.attachments.append(
                {
                    "id": str(attachment_id),
                    "filename": upload.filename,
                    "content_type": upload.content_type,
                    "size": len(upload.data),
                    "url": url,
                    "proxy_url": url,
                }
            )
        addresses = {f"attachment://{one['filename']}": str(one["url"]) for one in message.attachments}
        message.embeds = [_with_addresses(one, addresses) for one in message.embeds]
        message.components = [_with_addresses(one, addresses) for one in message.components]

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


def _with_addresses(value: Any, addresses: dict[str, str]) -> Any:
    """A payload with each `attachment://name` replaced by the file's address."""
    if isinstance(value, dict):
        return {key: _with_addresses(one, addresses) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_addresses(one, addresses) for one in value]
    return addresses.get(value, value) if isinstance(value, str) else value
