"""Socket Mode: one-use addresses from `apps.connections.open`, hello, envelopes and their acks, disconnects."""

import asyncio
import json
import secrets
import uuid
import weakref
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.playground.vendors.slack.state import SlackState
from bot.playground.vendors.slack.wire import Json, RefusedError

MAX_CONNECTIONS = 10


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Connection:
    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[object]] = field(default_factory=dict)


class SocketMode:
    """The sockets that an app holds open. A payload may go to any of them; here they take turns."""

    def __init__(self, state: SlackState) -> None:
        self._state = state
        self._tickets: set[str] = set()
        self._open: list[_Connection] = []
        self._all: weakref.WeakSet[_Connection] = weakref.WeakSet()

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    def open_ticket(self, token: str | None) -> Json:
        """Answer of `apps.connections.open`; it takes the app-level token only."""
        if not token:
            raise RefusedError("not_authed")
        if not secrets.compare_digest(token.encode(), self._state.app.app_token.encode()):
            raise RefusedError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        base = self._state.base_url.replace("http", "ws", 1)
        return {"url": f"{base}/link/?ticket={ticket}&app_id={self._state.app.app_id}"}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, from its hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden()
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if not self._state.app.socket_mode:
            await socket.send_json(
                {"type": "disconnect", "reason": "link_disabled", "debug_info": {"host": "stand-in"}}
            )
            await socket.close()
            return socket
        if len(self._open) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = _Connection(socket)
        self._open.append(connection)
        self._all.add(connection)
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self._open),
                    "debug_info": {"host": "stand-in", "approximate_connection_time": 18060},
                    "connection_info": {"app_id": self._state.app.app_id},
                }
            )
            self._state.changes.add("socket", connections=len(self._open))
            await self._read(connection)
        finally:
            self._retire(connection)
            for waiting in connection.waiting.values():
                waiting.cancel()
        return socket

    def _retire(self, connection: _Connection) -> None:
        """Send nothing more over a connection; what it was sent may still be acknowledged."""
        if connection in self._open:
            self._open.remove(connection)
            self._state.changes.add("socket", connections=len(self._open))

    async def _read(self, connection: _Connection) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                ack = json.loads(message.data)
            except ValueError:
                continue  # slack_sdk's own keep-alives are no JSON
            envelope = ack.get("envelope_id") if isinstance(ack, dict) else None
            waiting = connection.waiting.pop(envelope, None) if isinstance(envelope, str) else None
            if waiting is None:
                self._state.problem("socket", "unknown_envelope")
            elif not waiting.done():
                waiting.set_result(ack.get("payload"))

    async def send(self, kind: str, payload: Json, *, accepts_payload: bool, retry: tuple[int, str] | None) -> object:
        """Send one envelope and wait for its ack.

        Returns the ack's payload. Raises ConnectionError when no socket is open or it closes, TimeoutError when the app
        is too slow.
        """
        if not self._open:
            raise ConnectionError("no socket is open")
        connection = self._open.pop(0)
        self._open.append(connection)
        envelope_id = str(uuid.uuid4())
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": accepts_payload,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry[0] if retry else 0, "retry_reason": retry[1] if retry else ""}
        waiting: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = waiting
        try:
            await connection.socket.send_json(envelope)
            return await asyncio.wait_for(asyncio.shield(waiting), self._state.config.timing.ack_timeout)
        except asyncio.CancelledError:
            if waiting.cancelled():
                raise ConnectionError("the socket closed") from None
            raise
        finally:
            connection.waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str) -> None:
        """Tell the app on every socket to connect anew.

        `warning` changes nothing yet, `refresh_requested` leaves the closing to the app, anything else closes at once.
        """
        for connection in list(self._open):
            await connection.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}
            )
            if reason != "warning":
                self._retire(connection)
            if reason not in ("warning", "refresh_requested"):
                await connection.socket.close()

    async def close(self) -> None:
        """Close every socket."""
        for connection in list(self._all):
            await connection.socket.close()
