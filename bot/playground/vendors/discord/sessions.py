"""Gateway sessions: what was sent to a client, so that it can resume, and how each connection compresses."""

from __future__ import annotations

import importlib
import json
import secrets
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bot.playground.vendors.discord.wire import Payload

REPLAYED_EVENTS = 2_000


class Intent:
    """Bits of the gateway intents that this stand-in sends events for. Source: docs.discord.com, events/gateway."""

    NONE = 0
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15

    PRIVILEGED = GUILD_MEMBERS | PRESENCES | MESSAGE_CONTENT
    KNOWN = (1 << 26) - 1


class Compressor(Protocol):
    """One connection's shared compression context."""

    def frame(self, text: bytes) -> bytes: ...


class ZlibStream:
    """`compress=zlib-stream`: one deflate stream over the connection, flushed at each message."""

    def __init__(self) -> None:
        self._context = zlib.compressobj()

    def frame(self, text: bytes) -> bytes:
        return self._context.compress(text) + self._context.flush(zlib.Z_SYNC_FLUSH)


class ZstdStream:
    """`compress=zstd-stream`, which discord.py prefers wherever a zstd module is importable."""

    def __init__(self) -> None:
        try:
            module = importlib.import_module("compression.zstd")  # standard library from Python 3.14
            self._context = module.ZstdCompressor()
            self._flush = module.ZstdCompressor.FLUSH_BLOCK
        except ImportError:
            module = importlib.import_module("zstandard")
            self._context = module.ZstdCompressor().compressobj()
            self._flush = module.COMPRESSOBJ_FLUSH_BLOCK

    def frame(self, text: bytes) -> bytes:
        framed: bytes = self._context.compress(text) + self._context.flush(self._flush)
        return framed


def compressor(kind: str | None) -> Compressor | None:
    """The context for a `compress` query argument. Raises LookupError for one that cannot be served here."""
    if kind is None:
        return None
    if kind == "zlib-stream":
        return ZlibStream()
    if kind == "zstd-stream":
        try:
            return ZstdStream()
        except ImportError:
            raise LookupError(kind) from None
    raise LookupError(kind)


@dataclass(slots=True, eq=False)
class Connection:
    """One open WebSocket."""

    socket: web.WebSocketResponse
    compress: Compressor | None

    async def send(self, payload: Payload) -> None:
        text = json.dumps(payload).encode()
        try:
            if self.compress is None:
                await self.socket.send_str(text.decode())
            else:
                await self.socket.send_bytes(self.compress.frame(text))
        except (ConnectionError, RuntimeError):
            # The client is gone; its events stay buffered for a resume.
            return


@dataclass(slots=True, eq=False)
class Session:
    """One identified client. It outlives its connection until it is invalidated or closed with 1000 or 1001."""

    id: str
    intents: int
    shard: tuple[int, int]
    connection: Connection | None = None
    seq: int = 0
    buffer: deque[tuple[int, Payload]] = field(default_factory=lambda: deque(maxlen=REPLAYED_EVENTS))

    @property
    def live(self) -> bool:
        return self.connection is not None and not self.connection.socket.closed

    async def dispatch(self, event: str, data: Payload) -> None:
        self.seq += 1
        frame: Payload = {"op": 0, "t": event, "s": self.seq, "d": data}
        self.buffer.append((self.seq, frame))
        if self.connection is not None:
            await self.connection.send(frame)


class Sessions:
    """All sessions, the counters that a test may ask for, and the faults that the control API sets."""

    def __init__(self) -> None:
        self.by_id: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.acknowledge_heartbeats = True
        self.refuse_connections = False

    def open(self, intents: int, shard: tuple[int, int], connection: Connection) -> Session:
        session = Session(secrets.token_hex(16), intents, shard, connection)
        self.by_id[session.id] = session
        self.identifies += 1
        return session

    def end(self, session: Session) -> None:
        self.by_id.pop(session.id, None)

    @property
    def live(self) -> list[Session]:
        return [session for session in self.by_id.values() if session.live]

    async def dispatch(self, event: str, data: Payload, *, intent: int, guild_id: int | None) -> int:
        """Send an event to every session that asked for it; answers how many of them are connected."""
        reached = 0
        for session in list(self.by_id.values()):
            shard_id, shard_count = session.shard
            mine = 0 if guild_id is None else (guild_id >> 22) % shard_count
            if mine != shard_id or (intent and not session.intents & intent):
                continue
            reached += session.live
            await session.dispatch(event, data)
        return reached
