"""Registering application commands, globally and for one server: bulk overwrite, upsert, edit, delete."""

from __future__ import annotations

from aiohttp import web

from bot.playground.vendors.discord.command_rules import CHAT_INPUT, check_commands
from bot.playground.vendors.discord.rest import authorize_bot
from bot.playground.vendors.discord.wire import (
    ApiError,
    Payload,
    no_content,
    path_id,
    read_json,
    read_object,
    reply,
)
from bot.playground.vendors.discord.world import World

CREATES_PER_DAY = 200
DAY = 86_400.0


class Commands:
    def __init__(self, world: World) -> None:
        self.world = world
        self._creates: dict[int | None, list[float]] = {}

    def routes(self) -> list[web.RouteDef]:
        found: list[web.RouteDef] = []
        for base in ("/applications/{application_id}", "/applications/{application_id}/guilds/{guild_id}"):
            found += [
                web.get(f"{base}/commands", self.list),
                web.put(f"{base}/commands", self.overwrite),
                web.post(f"{base}/commands", self.upsert),
                web.get(f"{base}/commands/{{command_id}}", self.get),
                web.patch(f"{base}/commands/{{command_id}}", self.edit),
                web.delete(f"{base}/commands/{{command_id}}", self.delete),
            ]
        return found

    def _scope(self, request: web.Request) -> int | None:
        authorize_bot(self.world, request)
        if path_id(request, "application_id") != self.world.config.application_id:
            raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
        if "guild_id" not in request.match_info:
            return None
        guild = self.world.guilds.get(path_id(request, "guild_id"))
        if guild is None or not guild.bot_installed:
            raise ApiError(403, 50001, "Missing Access")
        return guild.id

    def _there(self, request: web.Request) -> tuple[int | None, dict[int, Payload]]:
        scope = self._scope(request)
        return scope, self.world.commands.setdefault(scope, {})

    def _one(self, request: web.Request) -> tuple[int | None, Payload]:
        scope, commands = self._there(request)
        command = commands.get(path_id(request, "command_id"))
        if command is None:
            raise ApiError(404, 10063, "Unknown application command")
        return scope, command

    async def list(self, request: web.Request) -> web.Response:
        return reply(list(self._there(request)[1].values()))

    async def get(self, request: web.Request) -> web.Response:
        return reply(self._one(request)[1])

    async def overwrite(self, request: web.Request) -> web.Response:
        scope, before = self._there(request)
        wanted = check_commands(await read_json(request))
        after: dict[int, Payload] = {}
        for body in wanted:
            made = self._made(scope, body, before)
            after[int(made["id"])] = made
        self.world.commands[scope] = after
        self._changed(scope)
        return reply(list(after.values()))

    async def upsert(self, request: web.Request) -> web.Response:
        scope, commands = self._there(request)
        body = await read_object(request)
        known = self._named(commands, body) is not None
        others = [one for one in commands.values() if _key(one) != _key(body)]
        check_commands([body, *others])
        made = self._made(scope, body, commands)
        commands[int(made["id"])] = made
        self._changed(scope)
        return reply(made, status=200 if known else 201)

    async def edit(self, request: web.Request) -> web.Response:
        scope, command = self._one(request)
        changed = {**command, **await read_object(request), "id": command["id"]}
        others = [one for one in self.world.commands[scope].values() if one is not command]
        check_commands([changed, *others])
        command.update(changed)
        self._changed(scope)
        return reply(command)

    async def delete(self, request: web.Request) -> web.Response:
        scope, command = self._one(request)
        del self.world.commands[scope][int(command["id"])]
        self._changed(scope)
        return no_content()

    def _named(self, commands: dict[int, Payload], body: Payload) -> Payload | None:
        return next((one for one in commands.values() if _key(one) == _key(body)), None)

    def _made(self, scope: int | None, body: Payload, before: dict[int, Payload]) -> Payload:
        known = self._named(before, body)
        if known is None:
            self._count_create(scope)
        needed = body.get("default_member_permissions")
        made: Payload = {
            **body,
            "id": known["id"] if known else str(self.world.ids.next()),
            "application_id": str(self.world.config.application_id),
            "version": str(self.world.ids.next()),
            "type": body.get("type", CHAT_INPUT),
            "description": body.get("description", ""),
            "default_member_permissions": None if needed is None else str(needed),
        }
        if scope is not None:
            made["guild_id"] = str(scope)
        return made

    def _count_create(self, scope: int | None) -> None:
        now = self.world.now()
        recent = [at for at in self._creates.get(scope, []) if now - at < DAY]
        if len(recent) >= CREATES_PER_DAY:
            raise ApiError(400, 30034, "Max number of daily application command creates has been reached (200)")
        self._creates[scope] = [*recent, now]

    def _changed(self, scope: int | None) -> None:
        names = sorted(str(one["name"]) for one in self.world.commands[scope].values())
        self.world.feed.add("commands_registered", guild_id=str(scope) if scope else None, names=names)


def _key(command: Payload) -> tuple[int, str]:
    return command.get("type", CHAT_INPUT), str(command.get("name"))
