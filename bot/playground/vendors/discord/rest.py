"""The REST routes that a bot's token opens: users, channels, messages, servers, the application."""

from __future__ import annotations

import hmac

from aiohttp import web

from bot.playground.vendors.discord.messages import Messages
from bot.playground.vendors.discord.oauth import Grants
from bot.playground.vendors.discord.payloads import (
    application_json,
    channel_json,
    guild_channels,
    guild_json,
    member_json,
    message_json,
    role_json,
    self_json,
    user_json,
)
from bot.playground.vendors.discord.places import Places
from bot.playground.vendors.discord.wire import (
    ApiError,
    invalid_form,
    no_content,
    path_id,
    read_message_body,
    read_object,
    reply,
    snowflake,
)
from bot.playground.vendors.discord.world import Permission, World


def authorize_bot(world: World, request: web.Request) -> None:
    """Only `Authorization: Bot <token>` with a DiscordBot user agent passes."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bot" or not hmac.compare_digest(token.encode(), world.config.bot_token.encode()):
        raise ApiError(401, 0, "401: Unauthorized")
    # Docs, reference: clients without a valid user agent may be blocked by Cloudflare.
    if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
        raise ApiError(403, 40333, "internal network error")


class Rest:
    """Handlers of the plain resources. Each checks the token itself, since a few take a Bearer token as well."""

    def __init__(self, world: World, messages: Messages, grants: Grants, places: Places) -> None:
        self.world = world
        self.messages = messages
        self.grants = grants
        self.places = places

    def routes(self) -> list[web.RouteDef]:
        one_message = "/channels/{channel_id}/messages/{message_id}"
        return [
            web.get("/users/@me", self.me),
            web.get("/users/@me/guilds", self.my_guilds),
            web.delete("/users/@me/guilds/{guild_id}", self.leave),
            web.post("/users/@me/channels", self.open_dm),
            web.get("/users/{user_id}", self.user),
            web.get("/gateway", self.gateway),
            web.get("/gateway/bot", self.gateway_bot),
            web.get("/applications/@me", self.application),
            web.get("/oauth2/applications/@me", self.application),
            web.get("/channels/{channel_id}", self.channel),
            web.post("/channels/{channel_id}/typing", self.typing),
            web.get("/channels/{channel_id}/messages", self.history),
            web.post("/channels/{channel_id}/messages", self.post),
            web.get(one_message, self.message),
            web.patch(one_message, self.edit),
            web.delete(one_message, self.delete),
            web.post(f"{one_message}/threads", self.thread),
            web.get("/guilds/{guild_id}", self.guild),
            web.get("/guilds/{guild_id}/channels", self.channels),
            web.get("/guilds/{guild_id}/roles", self.roles),
            web.get("/guilds/{guild_id}/members/{user_id}", self.member),
        ]

    async def me(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").startswith("Bearer "):
            return reply(self.grants.identity(request))
        authorize_bot(self.world, request)
        return reply(self_json(self.world.users[self.world.bot_id]))

    async def my_guilds(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        limit = snowflake(request.query.get("limit", "200"), "limit")
        if not 1 <= limit <= 200:
            raise invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 200.")
        after = snowflake(request.query.get("after", "0"), "after")
        installed = [one for one in self.world.guilds.values() if one.bot_installed and one.id > after]
        page = sorted(installed, key=lambda guild: guild.id)[:limit]
        return reply([{"id": str(one.id), "name": one.name, "icon": None, "owner": False} for one in page])

    async def leave(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        await self.places.kick_bot(self.world.guild_of_bot(path_id(request, "guild_id")))
        return no_content()

    async def open_dm(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        body = await read_object(request)
        if "recipient_id" not in body:
            raise invalid_form("recipient_id", "BASE_TYPE_REQUIRED", "This field is required")
        recipient = self.world.users.get(snowflake(body["recipient_id"], "recipient_id"))
        if recipient is None or recipient.id == self.world.bot_id:
            raise ApiError(400, 50033, "Invalid Recipient(s)")
        return reply(channel_json(self.world, self.world.dm_with(recipient.id)))

    async def user(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        return reply(user_json(self.world.user(path_id(request, "user_id"))))

    async def gateway(self, _request: web.Request) -> web.Response:
        return reply({"url": self.world.gateway_url})

    async def gateway_bot(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        left = max(0, 1000 - self.world.sessions.identifies)
        limit = {"total": 1000, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
        return reply({"url": self.world.gateway_url, "shards": 1, "session_start_limit": limit})

    async def application(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        return reply(application_json(self.world))

    async def channel(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        return reply(channel_json(self.world, self.world.channel_for_bot(path_id(request, "channel_id"))))

    async def typing(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        self.world.channel_for_bot(path_id(request, "channel_id"), sending=True)
        return no_content()

    async def history(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"))
        limit = snowflake(request.query.get("limit", "50"), "limit")
        if not 1 <= limit <= 100:
            raise invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        low = snowflake(request.query.get("after", "0"), "after")
        high = snowflake(request.query.get("before", str(1 << 63)), "before")
        if not self.world.bot_permissions(channel) & Permission.READ_HISTORY:
            return reply([])
        ids = [one for one in channel.messages if low < one < high and one in self.world.messages]
        found = [self.world.messages[one] for one in ids if self.world.messages[one].ephemeral_for is None]
        chosen = found[:limit] if "after" in request.query else found[-limit:]
        return reply([message_json(self.world, one) for one in reversed(chosen)])

    async def post(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"), sending=True)
        body, uploads = await read_message_body(request)
        self.messages.check_may_attach(channel, uploads)
        return reply(message_json(self.world, await self.messages.create(channel, body, uploads)))

    async def message(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"))
        if not self.world.bot_permissions(channel) & Permission.READ_HISTORY:
            raise ApiError(403, 50001, "Missing Access")
        found = self.messages.visible_to_bot(channel, path_id(request, "message_id"))
        return reply(message_json(self.world, found))

    async def edit(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"))
        message = self.messages.visible_to_bot(channel, path_id(request, "message_id"))
        if message.author_id != self.world.bot_id:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        body, uploads = await read_message_body(request)
        self.messages.check_may_attach(channel, uploads)
        return reply(message_json(self.world, await self.messages.edit(message, body, uploads)))

    async def delete(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"))
        message = self.messages.visible_to_bot(channel, path_id(request, "message_id"))
        if message.author_id != self.world.bot_id:
            raise ApiError(403, 50013, "Missing Permissions")
        await self.messages.delete(message)
        return no_content()

    async def thread(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        channel = self.world.channel_for_bot(path_id(request, "channel_id"), sending=True)
        if channel.guild_id is None:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        if not self.world.bot_permissions(channel) & Permission.CREATE_THREADS:
            raise ApiError(403, 50013, "Missing Permissions")
        message = self.messages.visible_to_bot(channel, path_id(request, "message_id"))
        name = (await read_object(request)).get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise invalid_form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        thread = await self.messages.start_thread(channel, message, name)
        return reply(channel_json(self.world, thread), status=201)

    async def guild(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        guild = self.world.guild_of_bot(path_id(request, "guild_id"))
        counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": len(guild.members)}
        return reply({**guild_json(guild), **counts})

    async def channels(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        return reply(guild_channels(self.world, self.world.guild_of_bot(path_id(request, "guild_id"))))

    async def roles(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        return reply([role_json(self.world.guild_of_bot(path_id(request, "guild_id")))])

    async def member(self, request: web.Request) -> web.Response:
        authorize_bot(self.world, request)
        guild = self.world.guild_of_bot(path_id(request, "guild_id"))
        user = self.world.user(path_id(request, "user_id"))
        if user.id not in guild.members:
            raise ApiError(404, 10007, "Unknown Member")
        return reply(member_json(user))
