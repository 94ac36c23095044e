"""The gateway WebSocket: HELLO, IDENTIFY, RESUME, heartbeats, and the close codes for those who get it wrong.

Source: docs.discord.com, events/gateway and topics/opcodes-and-status-codes.
"""

from __future__ import annotations

import hmac
import json
import time

from aiohttp import WSMsgType, web

from bot.playground.vendors.discord.payloads import guild_create_json, member_json, self_json
from bot.playground.vendors.discord.sessions import Connection, Intent, Session, compressor
from bot.playground.vendors.discord.wire import Payload
from bot.playground.vendors.discord.world import World

HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME = 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11
LARGEST_PAYLOAD = 4096
SENDS_PER_MINUTE = 120
IDENTIFIES_PER_DAY = 1000
ENDING_CODES = frozenset({1000, 1001})  # a client that closes with these gives its session up


class GatewayClosed(Exception):
    """Ends a connection with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gateway:
    """Serves `GET /gateway` as a WebSocket and carries out the control API's orders on open connections."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions = world.sessions

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/gateway", self.connect), web.get("/gateway/", self.connect)]

    async def connect(self, request: web.Request) -> web.StreamResponse:
        if self.sessions.refuse_connections:
            return web.Response(status=503, text="gateway is unavailable")
        try:
            compress = compressor(request.query.get("compress"))
        except LookupError as unknown:
            return web.Response(status=400, text=f"compression {unknown} is not available here")
        socket = web.WebSocketResponse(max_msg_size=0, autoping=True, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, compress)
        self.sessions.connections.add(connection)
        session: Session | None = None
        try:
            if request.query.get("v") not in ("9", "10"):
                raise GatewayClosed(4012, "Invalid API version.")
            interval = int(self.world.config.heartbeat_seconds * 1000)
            await connection.send({"op": HELLO, "d": {"heartbeat_interval": interval, "_trace": []}})
            session = await self._serve(connection)
        except GatewayClosed as closing:
            await socket.close(code=closing.code, message=closing.reason.encode())
        finally:
            self.sessions.connections.discard(connection)
            self._detach(connection, session)
        return socket

    def _detach(self, connection: Connection, session: Session | None) -> None:
        for one in list(self.sessions.by_id.values()):
            if one.connection is connection:
                one.connection = None
                if connection.socket.close_code in ENDING_CODES:
                    self.sessions.end(one)
                self.world.feed.add("gateway_disconnected", session_id=one.id)

    async def _serve(  # noqa: C901 -- one branch for each opcode
        self, connection: Connection
    ) -> Session | None:
        session: Session | None = None
        sent: list[float] = []
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                raise GatewayClosed(4002, "Error while decoding payload.")
            now = time.monotonic()
            sent = [at for at in sent if now - at < 60] + [now]
            if len(sent) > SENDS_PER_MINUTE:
                raise GatewayClosed(4008, "You are being rate limited.")
            payload = self._decode(message.data)
            op, data = payload.get("op"), payload.get("d")
            if op == HEARTBEAT:
                self.sessions.heartbeats += 1
                if self.sessions.acknowledge_heartbeats:
                    await connection.send({"op": HEARTBEAT_ACK, "d": None})
            elif op in (IDENTIFY, RESUME):
                if session is not None:
                    raise GatewayClosed(4005, "Already authenticated.")
                arguments = data if isinstance(data, dict) else {}
                start = self._identify if op == IDENTIFY else self._resume
                session = await start(connection, arguments)
            elif session is None:
                raise GatewayClosed(4003, "Not authenticated.")
            elif op == REQUEST_MEMBERS:
                await self._members(session, data if isinstance(data, dict) else {})
            elif op not in (PRESENCE, VOICE_STATE):
                raise GatewayClosed(4001, "Unknown opcode.")
        return session

    def _decode(self, text: str) -> Payload:
        if len(text.encode()) > LARGEST_PAYLOAD:
            raise GatewayClosed(4002, "Payload too large.")
        try:
            payload = json.loads(text)
        except ValueError:
            raise GatewayClosed(4002, "Error while decoding payload.") from None
        if not isinstance(payload, dict):
            raise GatewayClosed(4002, "Error while decoding payload.")
        return payload

    def _check_token(self, data: Payload) -> None:
        token = str(data.get("token", "")).removeprefix("Bot ")
        if not hmac.compare_digest(token.encode(), self.world.config.bot_token.encode()):
            raise GatewayClosed(4004, "Authentication failed.")

    async def _identify(self, connection: Connection, data: Payload) -> Session:
        self._check_token(data)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents & ~Intent.KNOWN:
            raise GatewayClosed(4013, "Invalid intent(s).")
        if intents & Intent.PRIVILEGED & ~self.world.config.privileged_intents:
            raise GatewayClosed(4014, "Disallowed intent(s).")
        shard = data.get("shard") or [0, 1]
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise GatewayClosed(4010, "Invalid shard.")
        if self.sessions.identifies >= IDENTIFIES_PER_DAY:
            raise GatewayClosed(4004, "Too many identifies; the token was reset.")
        session = self.sessions.open(intents, (shard[0], shard[1]), connection)
        mine = [
            guild
            for guild in self.world.guilds.values()
            if guild.bot_installed and (guild.id >> 22) % shard[1] == shard[0]
        ]
        await session.dispatch("READY", self._ready(session, [guild.id for guild in mine]))
        if intents & Intent.GUILDS:
            for guild in mine:
                if guild.is_available:
                    await session.dispatch("GUILD_CREATE", guild_create_json(self.world, guild))
        self.world.feed.add("gateway_ready", session_id=session.id, intents=intents)
        return session

    def _ready(self, session: Session, guild_ids: list[int]) -> Payload:
        return {
            "v": 10,
            "user": self_json(self.world.users[self.world.bot_id]),
            "guilds": [{"id": str(guild_id), "unavailable": True} for guild_id in guild_ids],
            "session_id": session.id,
            "resume_gateway_url": self.world.gateway_url,
            "shard": list(session.shard),
            "application": {"id": str(self.world.config.application_id), "flags": 0},
            "private_channels": [],
            "session_type": "normal",
            "_trace": [],
        }

    async def _resume(self, connection: Connection, data: Payload) -> Session | None:
        self._check_token(data)
        session = self.sessions.by_id.get(str(data.get("session_id")))
        seq = data.get("seq")
        if session is None or not isinstance(seq, int):
            await connection.send({"op": INVALID_SESSION, "d": False})
            return None
        if seq > session.seq:
            raise GatewayClosed(4007, "Invalid seq.")
        session.connection = connection
        self.sessions.resumes += 1
        for number, frame in list(session.buffer):
            if number > seq:
                await connection.send(frame)
        await session.dispatch("RESUMED", {"_trace": []})
        self.world.feed.add("gateway_resumed", session_id=session.id)
        return session

    async def _members(self, session: Session, data: Payload) -> None:
        guild = self.world.guilds.get(int(data.get("guild_id") or 0))
        if guild is None or not guild.bot_installed:
            return
        wanted = {int(one) for one in data.get("user_ids") or []}
        query = str(data.get("query") or "").lower()
        if not wanted and not query and not session.intents & Intent.GUILD_MEMBERS:
            return
        people = [self.world.users[one] for one in sorted(guild.members) if not wanted or one in wanted]
        chunk = [member_json(user) for user in people if user.username.lower().startswith(query)]
        answer: Payload = {"guild_id": str(guild.id), "members": chunk, "chunk_index": 0, "chunk_count": 1}
        answer |= {"not_found": [], "presences": []}
        if data.get("nonce"):
            answer["nonce"] = data["nonce"]
        await session.dispatch("GUILD_MEMBERS_CHUNK", answer)

    # Orders of the control API

    async def close_all(self, code: int, *, reason: str = "") -> int:
        """Close every connection with a code; answers how many there were."""
        open_now = list(self.sessions.connections)
        for connection in open_now:
            await connection.socket.close(code=code, message=reason.encode())
        return len(open_now)

    async def ask_reconnect(self) -> None:
        for connection in list(self.sessions.connections):
            await connection.send({"op": RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool) -> None:
        if not resumable:
            self.sessions.by_id.clear()
        for connection in list(self.sessions.connections):
            await connection.send({"op": INVALID_SESSION, "d": resumable})
