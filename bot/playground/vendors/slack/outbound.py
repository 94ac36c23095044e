"""What Slack sends to the app: signed HTTP requests, or Socket Mode envelopes, with the three-second watchdog.

Events are sent again as Slack does (three retries, with their headers); commands and interactions are sent once.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from bot.playground.vendors.slack.sockets import SocketMode
from bot.playground.vendors.slack.state import SlackState
from bot.playground.vendors.slack.wire import Json, new_id

_SOCKET_KINDS = {"command": "slash_commands", "interactivity": "interactive", "events": "events_api"}
_MAX_REDIRECTS = 2  # Slack follows two for events, none for the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What came back. `error` is None, `operation_timeout` or `dispatch_failed`; `body` is what the app answered."""

    error: str | None = None
    body: object = None
    retry_reason: str = ""
    no_retry: bool = False


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 request signature."""
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return "v0=" + digest.hexdigest()


class Outbound:
    """Sends to one app. `session` is set while the stand-in runs."""

    def __init__(self, state: SlackState, sockets: SocketMode) -> None:
        self._state = state
        self._sockets = sockets
        self._session: aiohttp.ClientSession | None = None
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the HTTP client."""
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Stop what is still being sent and close the client."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def send(
        self, kind: str, payload: Json, *, accepts_payload: bool = True, retry: tuple[int, str] | None = None
    ) -> Ack:
        """Send one payload of `kind` (`command`, `interactivity`, `events`) and wait for the app's ack."""
        if self._state.app.socket_mode:
            ack = await self._by_socket(kind, payload, accepts_payload, retry)
        else:
            ack = await self._by_http(kind, payload, retry)
        self._state.changes.add("sent", sent=kind, error=ack.error)
        return ack

    async def _by_socket(self, kind: str, payload: Json, accepts: bool, retry: tuple[int, str] | None) -> Ack:
        try:
            body = await self._sockets.send(_SOCKET_KINDS[kind], payload, accepts_payload=accepts, retry=retry)
        except TimeoutError:
            return Ack(error="operation_timeout", retry_reason="timeout")
        except ConnectionError:
            return Ack(error="dispatch_failed", retry_reason="connection_failed")
        return Ack(body=body)

    def _encode(self, kind: str, payload: Json) -> tuple[str, bytes]:
        if kind == "events":
            return "application/json", json.dumps(payload).encode()
        fields = payload if kind == "command" else {"payload": json.dumps(payload)}
        return "application/x-www-form-urlencoded", urlencode(fields).encode()

    async def _by_http(self, kind: str, payload: Json, retry: tuple[int, str] | None) -> Ack:
        content_type, body = self._encode(kind, payload)
        headers = {"Content-Type": content_type}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        return await self.deliver_raw(kind, body, headers)

    async def deliver_raw(
        self,
        kind: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        signature: str | None = None,
        timestamp: str | None = None,
    ) -> Ack:
        """POST a body as Slack would, or with another signature or timestamp, for tests of the app's check."""
        url = self._state.app.url_for(kind)
        if not url:
            return Ack(error="dispatch_failed", retry_reason="connection_failed")
        at = timestamp if timestamp is not None else str(int(self._state.time()))
        whole = {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(self._state.app.signing_secret, at, body) if signature is None else signature,
            **headers,
        }
        try:
            async with asyncio.timeout(self._state.config.timing.ack_timeout):
                return await self._post(url, body, whole, follow=kind == "events")
        except TimeoutError:
            return Ack(error="operation_timeout", retry_reason="http_timeout")
        except aiohttp.TooManyRedirects:
            return Ack(error="dispatch_failed", retry_reason="too_many_redirects")
        except aiohttp.ClientSSLError:
            return Ack(error="dispatch_failed", retry_reason="ssl_error")
        except aiohttp.ClientError:
            return Ack(error="dispatch_failed", retry_reason="connection_failed")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], *, follow: bool) -> Ack:
        if self._session is None:
            raise RuntimeError("the stand-in is not running")
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=follow, max_redirects=_MAX_REDIRECTS + 1
        ) as reply:
            text = await reply.text()
            good = 200 <= reply.status < 300 if follow else reply.status == 200
            answer: object = text
            if reply.content_type == "application/json" and text:
                try:
                    answer = json.loads(text)
                except ValueError:
                    self._state.problem("ack", "invalid_json")
            if good:
                return Ack(body=answer)
            return Ack(
                error="dispatch_failed",
                body={"status": reply.status, "body": answer},
                retry_reason="http_error",
                no_retry=reply.headers.get("X-Slack-No-Retry") == "1",
            )

    def event(self, team_id: str, event: Json) -> str:
        """Send an event in the background, if the app subscribed to its type; returns the `event_id`."""
        event_id = new_id("Ev")
        if event["type"] in self._state.app.events and self._state.tokens.installed(team_id):
            self.event_payload(self.wrap(team_id, event, event_id))
        return event_id

    def event_payload(self, payload: Json) -> None:
        """Send a whole event payload in the background, with retries; also used to deliver one twice."""
        task = asyncio.create_task(self._send_event(payload))
        self._background.add(task)  # a reference is kept, and `close` ends what is left
        task.add_done_callback(self._background.discard)

    def wrap(self, team_id: str, event: Json, event_id: str) -> Json:
        """The outer part of an event; of an organization's own events too, whose id stands for `team_id` there."""
        if team_id in self._state.enterprises:
            enterprise: str | None = team_id
            owner, bot = team_id, self._state.enterprise(team_id).bot_user_id
        else:
            workspace = self._state.workspace(team_id)
            enterprise = workspace.enterprise.id if workspace.enterprise else None
            owner, bot = self._state.tokens.serving(team_id) or team_id, workspace.config.bot_user_id
        is_org = owner == enterprise
        return {
            "token": self._state.app.verification_token,
            "team_id": team_id,
            **({"enterprise_id": enterprise} if enterprise else {}),
            "context_team_id": team_id,
            "context_enterprise_id": enterprise,
            "api_app_id": self._state.app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(self._state.time()),
            "authorizations": [
                {
                    "enterprise_id": enterprise,
                    "team_id": None if is_org else team_id,
                    "user_id": bot,
                    "is_bot": True,
                    "is_enterprise_install": is_org,
                }
            ],
            "is_ext_shared_channel": False,
        }

    async def _send_event(self, payload: Json) -> None:
        retry: tuple[int, str] | None = None
        delays = self._state.config.timing.event_retry_delays
        for attempt in range(len(delays) + 1):
            ack = await self.send("events", payload, accepts_payload=False, retry=retry)
            self._state.changes.add(
                "event", event=payload["event"]["type"], event_id=payload["event_id"], attempt=attempt, error=ack.error
            )
            if ack.error is None or ack.no_retry or attempt == len(delays):
                return
            await asyncio.sleep(delays[attempt])
            retry = (attempt + 1, ack.retry_reason)

    async def verify_url(self) -> bool:
        """Send `url_verification` to the events address; True when the challenge came back."""
        challenge = new_id("", 40)
        payload = {"token": self._state.app.verification_token, "challenge": challenge, "type": "url_verification"}
        content_type, body = self._encode("events", payload)
        ack = await self.deliver_raw("events", body, {"Content-Type": content_type})
        answer = ack.body.get("challenge") if isinstance(ack.body, dict) else ack.body
        return ack.error is None and answer == challenge
