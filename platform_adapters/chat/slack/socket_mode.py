"""Socket Mode: requests come over a socket that we open, so that Slack needs no address of ours."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from commands.secret import Secret
from platform_adapters.chat.slack.signature import Json

_log = logging.getLogger(__name__)

_ADDRESS_LIFE = 15.0  # seconds; Slack's socket addresses are good for one connection, made soon


class _Client(SocketModeClient):
    """slack_sdk's client with two faults mended.

    It would try an address for ever that failed once and is used up; and where Slack ends each socket at once, because
    Socket Mode is switched off, it would ask for the next without a pause.
    """

    _address: str | None = None
    _issued_at: float = 0.0
    _asked_at: float = -math.inf

    @property  # type: ignore[override]  # upstream's own client says Optional[str] where its base says str
    def wss_uri(self) -> str | None:
        """The address to connect to; None makes the client ask for a new one."""
        return self._address if time.monotonic() - self._issued_at < _ADDRESS_LIFE else None

    @wss_uri.setter
    def wss_uri(self, address: str | None) -> None:
        self._address, self._issued_at = address, time.monotonic()

    async def issue_new_wss_url(self) -> str:
        """Ask Slack for an address, at most once in a ping interval."""
        await asyncio.sleep(max(0.0, self._asked_at + self.ping_interval - time.monotonic()))
        self._asked_at = time.monotonic()
        return await super().issue_new_wss_url()


async def hold_socket(
    client: AsyncWebClient,
    token: Secret,
    receive: Callable[[Json], Awaitable[BoltResponse]],
    *,
    ping_interval: float,
) -> None:
    """Keep a socket open until cancelled, whatever happens to it. `ping_interval` (seconds) also paces new attempts."""

    async def handle(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        started = time.time()
        await send_async_response(socket, request, await receive(request.payload), started)

    socket = _Client(token.reveal(), logger=client.logger, web_client=client, ping_interval=ping_interval)
    socket.proxy = client.proxy
    socket.socket_mode_request_listeners.append(handle)
    try:
        await socket.connect()  # type: ignore[no-untyped-call]  # the SDK does not type it
        _log.info("connected to Slack by Socket Mode")
        await asyncio.Event().wait()
    finally:
        await socket.close()  # type: ignore[no-untyped-call]  # as above
        ending = (socket.message_processor, socket.current_session_monitor, socket.message_receiver)
        await asyncio.gather(*(task for task in ending if task is not None), return_exceptions=True)
