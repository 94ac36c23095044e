"""The control API below `_play/`: JSON for a user interface and for tests. Nothing of it exists at the real Discord.

Every answer is JSON; a request that Discord's own client would not allow is answered 422 with `{"error": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from importlib import resources

from aiohttp import web

from bot.playground.vendors.discord.command_rules import Misuse
from bot.playground.vendors.discord.faults import Fault, FaultKind, Faults
from bot.playground.vendors.discord.gateway import Gateway
from bot.playground.vendors.discord.limits import Limits
from bot.playground.vendors.discord.mentions import pings_anyone
from bot.playground.vendors.discord.messages import Messages
from bot.playground.vendors.discord.people_side import PeopleSide
from bot.playground.vendors.discord.places import Places
from bot.playground.vendors.discord.views import channel_view, guild_view, interaction_view, message_view, user_view
from bot.playground.vendors.discord.wire import ApiError, Payload, reply
from bot.playground.vendors.discord.world import Channel, Guild, Interaction, User, World

LONGEST_WAIT = 60.0
Answer = Callable[[web.Request, Payload], Awaitable[object]]


class Play:
    def __init__(
        self,
        *,
        world: World,
        people: PeopleSide,
        messages: Messages,
        places: Places,
        gateway: Gateway,
        limits: Limits,
        faults: Faults,
    ) -> None:
        self.world = world
        self.people = people
        self.messages = messages
        self.places = places
        self.gateway = gateway
        self.limits = limits
        self.faults = faults

    def routes(self) -> list[web.RouteDef]:
        gets: dict[str, Answer] = {
            "state": self.state,
            "history": self.history,
            "commands": self.commands,
            "interactions/{id}": self.interaction,
            "log": self.log,
            "pings": self.pings,
            "counters": self.counters,
        }
        posts: dict[str, Answer] = {
            "run": self.run,
            "complete": self.complete,
            "press": self.press,
            "choose": self.choose,
            "submit": self.submit,
            "close": self.close,
            "say": self.say,
            "dismiss": self.dismiss,
            "sign-in": self.sign_in,
            "users/{id}": self.change_user,
            "guilds/{id}/kick-bot": self.kick_bot,
            "guilds/{id}/install-bot": self.install_bot,
            "guilds/{id}/availability": self.switch_guild,
            "guilds/{id}/members": self.add_member,
            "guilds/{id}/members/{user}/remove": self.remove_member,
            "channels/{id}/delete": self.delete_channel,
            "channels/{id}/permit": self.permit,
            "messages/{id}/delete": self.delete_message,
            "gateway": self.order_gateway,
            "clock": self.advance_clock,
            "limits": self.switch_limits,
            "faults": self.add_fault,
            "faults/release": self.release_faults,
            "faults/clear": self.clear_faults,
        }
        return [
            web.get("/_play/changes", self.changes),
            web.get("/_play/discord.css", _serving("discord.css", "text/css")),
            web.get("/_play/people.js", _serving("people.js", "text/javascript")),
            *[web.get(f"/_play/{path}", _answering(answer)) for path, answer in gets.items()],
            *[web.post(f"/_play/{path}", _answering(answer)) for path, answer in posts.items()],
        ]

    # Looking

    async def state(self, _request: web.Request, _body: Payload) -> object:
        world = self.world
        return {
            "application": {"id": str(world.config.application_id), "name": world.config.application_name},
            "bot_id": str(world.bot_id),
            "signed_in": str(world.signed_in) if world.signed_in else None,
            "connected": bool(world.sessions.live),
            "seq": world.feed.last,
            "users": [user_view(world, user) for user in world.users.values()],
            "guilds": [guild_view(world, guild) for guild in world.guilds.values()],
        }

    async def history(self, request: web.Request, _body: Payload) -> object:
        """`?user=…&channel=…`; without a channel, that person's DM with the bot."""
        user, channel = self._who_and_where(dict(request.query))
        return {
            "channel": channel_view(channel),
            "seq": self.world.feed.last,
            "messages": [message_view(self.world, one, user.id) for one in self.world.history(channel, user.id)],
        }

    async def commands(self, request: web.Request, _body: Payload) -> object:
        user, channel = self._who_and_where(dict(request.query))
        return self.people.commands(user, channel)

    async def interaction(self, request: web.Request, _body: Payload) -> object:
        return interaction_view(self.world, self._interaction(request.match_info["id"]))

    async def log(self, request: web.Request, _body: Payload) -> object:
        """What the bot got accepted, oldest first, from index `?after=` on."""
        return self.world.accepted[int(request.query.get("after", "0")) :]

    async def pings(self, _request: web.Request, _body: Payload) -> object:
        """Accepted writes that pinged somebody. The bot means to ping nobody, so this should stay empty."""
        return [entry for entry in self.world.accepted if pings_anyone(entry["pings"])]

    async def counters(self, _request: web.Request, _body: Payload) -> object:
        sessions = self.world.sessions
        return {
            "requests": self.limits.requests,
            "rejected": self.limits.rejected_lately,
            "identifies": sessions.identifies,
            "resumes": sessions.resumes,
            "heartbeats": sessions.heartbeats,
            "connections": len(sessions.connections),
        }

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """Changes above `?after=`: at once, or within `?timeout=` seconds; as server-sent events when asked for."""
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await self._stream(request)
        after = int(request.query.get("after", "0"))
        timeout = min(float(request.query.get("timeout", "25")), LONGEST_WAIT)
        found = await self.world.feed.wait_after(after, timeout)
        return reply({"seq": found[-1]["seq"] if found else max(after, 0), "changes": found})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        seq = int(request.headers.get("Last-Event-ID") or request.query.get("after") or self.world.feed.last)
        try:
            while not self.world.feed.closed:
                found = await self.world.feed.wait_after(seq, 15.0)
                for change in found:
                    seq = change["seq"]
                    await response.write(f"id: {seq}\ndata: {json.dumps(change)}\n\n".encode())
                if not found:
                    await response.write(b": still here\n\n")
        except ConnectionError:
            pass  # the reader left
        return response

    # A person's acts

    async def run(self, _request: web.Request, body: Payload) -> object:
        user, channel = self._who_and_where(body)
        done = await self.people.run(user, channel, str(body["command"]), body.get("options") or {})
        return interaction_view(self.world, done)

    async def complete(self, _request: web.Request, body: Payload) -> object:
        user, channel = self._who_and_where(body)
        values, focused = body.get("options") or {}, str(body["focused"])
        done = await self.people.complete(user, channel, str(body["command"]), values, focused)
        return interaction_view(self.world, done)

    async def press(self, _request: web.Request, body: Payload) -> object:
        user = self._user(body["user"])
        message = self.people.message(user, int(body["message"]))
        return interaction_view(self.world, await self.people.press(user, message, str(body["custom_id"])))

    async def choose(self, _request: web.Request, body: Payload) -> object:
        user = self._user(body["user"])
        message = self.people.message(user, int(body["message"]))
        values = [str(value) for value in body["values"]]
        done = await self.people.choose(user, message, str(body["custom_id"]), values)
        return interaction_view(self.world, done)

    async def submit(self, _request: web.Request, body: Payload) -> object:
        user, opened_by = self._user(body["user"]), self._interaction(body["interaction"])
        return interaction_view(self.world, await self.people.submit(user, opened_by, body.get("values") or {}))

    async def close(self, _request: web.Request, body: Payload) -> object:
        """Close a form; the bot never learns of it."""
        self.people.close(self._user(body["user"]), self._interaction(body["interaction"]))
        return {}

    async def say(self, _request: web.Request, body: Payload) -> object:
        user, channel = self._who_and_where(body)
        message = await self.messages.say(channel, user.id, str(body["content"]))
        return message_view(self.world, message, user.id)

    async def dismiss(self, _request: web.Request, body: Payload) -> object:
        """Take an ephemeral message off one's screen; the bot never learns of it."""
        message = self.people.message(self._user(body["user"]), int(body["message"]))
        if message.ephemeral_for is None:
            raise Misuse("only an ephemeral message can be dismissed")
        message.dismissed = True
        return {}

    # Circumstances

    async def sign_in(self, _request: web.Request, body: Payload) -> object:
        """Who is logged in at Discord in the browser; `{"user": null}` is nobody."""
        self.world.signed_in = self._user(body["user"]).id if body.get("user") else None
        self.world.feed.add("signed_in", user_id=str(self.world.signed_in) if self.world.signed_in else None)
        return {}

    async def change_user(self, request: web.Request, body: Payload) -> object:
        """Any of `dm_closed`, `email`, `verified`, `global_name`."""
        user = self._user(request.match_info["id"])
        user.dm_closed = bool(body.get("dm_closed", user.dm_closed))
        user.verified = bool(body.get("verified", user.verified))
        user.email = body.get("email", user.email)
        user.global_name = body.get("global_name", user.global_name)
        self.world.feed.add("user_changed", user_id=str(user.id))
        return user_view(self.world, user)

    async def kick_bot(self, request: web.Request, _body: Payload) -> object:
        await self.places.kick_bot(self._guild(request))
        return {}

    async def install_bot(self, request: web.Request, body: Payload) -> object:
        """`permissions`: what the bot gets beside what everyone has."""
        await self.places.install_bot(self._guild(request), int(body.get("permissions", 0)))
        return {}

    async def switch_guild(self, request: web.Request, body: Payload) -> object:
        """An outage of a server (`available` false), or its end. The bot stays in it."""
        await self.places.set_available(self._guild(request), available=bool(body["available"]))
        return {}

    async def add_member(self, request: web.Request, body: Payload) -> object:
        await self.places.add_member(self._guild(request), self._user(body["user"]).id)
        return {}

    async def remove_member(self, request: web.Request, _body: Payload) -> object:
        await self.places.remove_member(self._guild(request), int(request.match_info["user"]))
        return {}

    async def delete_channel(self, request: web.Request, _body: Payload) -> object:
        await self.places.delete_channel(self._guild_channel(request))
        return {}

    async def permit(self, request: web.Request, body: Payload) -> object:
        channel = self._guild_channel(request)
        await self.places.permit(channel, view=bool(body.get("view", True)), send=bool(body.get("send", True)))
        return {}

    async def delete_message(self, request: web.Request, _body: Payload) -> object:
        """Someone with the right to manage messages deletes one."""
        message = self.world.messages.get(int(request.match_info["id"]))
        if message is None:
            raise Misuse("there is no such message")
        await self.messages.delete(message)
        return {}

    async def order_gateway(self, _request: web.Request, body: Payload) -> object:
        """`action`: close (with `code`), reconnect, invalidate (`resumable`), acknowledge or refuse (`on`)."""
        action = body["action"]
        if action == "close":
            await self.gateway.close_all(int(body["code"]))
        elif action == "reconnect":
            await self.gateway.ask_reconnect()
        elif action == "invalidate":
            await self.gateway.invalidate(resumable=bool(body.get("resumable", False)))
        elif action == "acknowledge":
            self.world.sessions.acknowledge_heartbeats = bool(body["on"])
        elif action == "refuse":
            self.world.sessions.refuse_connections = bool(body["on"])
        else:
            raise Misuse(f"unknown action {action!r}")
        return {}

    async def advance_clock(self, _request: web.Request, body: Payload) -> object:
        """Move Discord's clock by `seconds`, so that tokens and nonces age without waiting."""
        self.world.clock_offset += float(body["seconds"])
        return {"now": self.world.now()}

    async def switch_limits(self, _request: web.Request, body: Payload) -> object:
        self.limits.enabled = bool(body["enabled"])
        return {}

    async def add_fault(self, _request: web.Request, body: Payload) -> object:
        """A fault: `kind`, `route` ("POST /channels/*/messages"), `times`, and the fields of its kind."""
        known = {"status", "code", "message", "retry_after", "scope", "via", "seconds", "times"}
        fault = Fault(FaultKind(body["kind"]), str(body["route"]), **{name: body[name] for name in known & set(body)})
        self.faults.add(fault)
        return fault.as_json()

    async def release_faults(self, _request: web.Request, _body: Payload) -> object:
        self.faults.release()
        return {}

    async def clear_faults(self, _request: web.Request, _body: Payload) -> object:
        self.faults.clear()
        return {}

    def _user(self, user_id: object) -> User:
        return self.people.person(int(str(user_id)))

    def _interaction(self, interaction_id: object) -> Interaction:
        found = self.world.interactions.get(int(str(interaction_id)))
        if found is None:
            raise Misuse("there is no such interaction")
        return found

    def _who_and_where(self, body: Payload) -> tuple[User, Channel]:
        user = self._user(body["user"])
        channel = body.get("channel")
        return user, self.people.channel(user, int(channel) if channel else None)

    def _guild(self, request: web.Request) -> Guild:
        guild = self.world.guilds.get(int(request.match_info["id"]))
        if guild is None:
            raise Misuse("there is no such server")
        return guild

    def _guild_channel(self, request: web.Request) -> Channel:
        channel = self.world.channels.get(int(request.match_info["id"]))
        if channel is None or channel.guild_id is None:
            raise Misuse("there is no such channel in a server")
        return channel


def _serving(name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A file of this folder, for a page that shows what people see."""

    async def handler(_request: web.Request) -> web.StreamResponse:
        text = resources.files("bot.playground.vendors.discord").joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=content_type)

    return handler


def _answering(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json() if request.can_read_body else {}
            return reply(await answer(request, body))
        except (Misuse, ApiError) as error:
            return reply({"error": str(error)}, status=422)
        except (KeyError, ValueError, TypeError) as error:
            return reply({"error": f"malformed request: {error!r}"}, status=400)

    return handler
