"""Calls to Slack's Web API through slack_sdk: one session, our own time-outs, nothing sent again, one kind of error.

slack_sdk's default client posts again when the connection drops after Slack took the message; here it never does.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.clock import Clock
from commands.secret import Secret
from platform_adapters.chat.slack.failures import BROKEN_REPLY, failed, scope_of
from platform_adapters.chat.slack.settings import SlackSettings

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
_CONNECTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What Slack answered to a call that it carried out."""

    body: Mapping[str, object]
    scopes: tuple[str, ...]
    """What the token may do; empty where Slack did not say."""

    def text(self, name: str) -> str:
        """A field of the answer that is text; "" where it is not."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""


class SlackApi:
    """The Web API. Inside `running` all calls share one session; outside each has its own (`doctor`)."""

    def __init__(self, settings: SlackSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._pauses: dict[tuple[str, str], datetime] = {}
        # slack_sdk asks for a logger's own level, so that one without would spell out every call for nobody.
        self._log = logging.getLogger("slack_sdk.lapsebot")
        self._log.setLevel(logging.WARNING)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep connections open until the block is left."""
        async with _session() as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The shared session, or one for this block."""
        if self._session is not None:
            yield self._session
        else:
            async with _session() as session:
                yield session

    @property
    def proxy(self) -> str | None:
        """The proxy on the way to Slack."""
        return self._settings.proxy

    def client(self, token: Secret | None, session: aiohttp.ClientSession | None) -> AsyncWebClient:
        """slack_sdk's client, as it has to be everywhere: no re-sending, and no proxy but ours."""
        client = AsyncWebClient(
            token=token.reveal() if token else None,
            base_url=self._settings.api_url,
            session=session,
            retry_handlers=[],
            logger=self._log,
        )
        client.proxy = self._settings.proxy
        return client

    async def call(
        self,
        method: str,
        *,
        token: Secret | None,
        tenant: str = "",
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call a method, by JSON where it takes that, else by form. Raises DeliveryError, and nothing else.

        After a 429 a method is not called again for that workspace (`tenant`) before its time: Slack disables apps
        that go on.
        """
        now = self._clock.now()
        until = self._pauses.get((method, tenant))
        if until is not None and now < until:
            raise DeliveryError(DeliveryErrorKind.RETRY, "ratelimited", retry_after=until - now, scope=scope_of(method))
        try:
            async with self.session() as session:
                client = self.client(token, session)
                if json is not None:
                    response = await client.api_call(method, json=dict(json))
                else:
                    response = await client.api_call(method, data=dict(form or {}))
                return _read(response)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError, *BROKEN_REPLY) as error:
            problem = failed(error, method, now)
            if problem.code == "ratelimited":
                self._pauses[method, tenant] = now + (problem.retry_after or timedelta(seconds=1))
            raise problem from _without_body(error)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=_TIMEOUT,
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _read(response: AsyncSlackResponse) -> Reply:
    if not isinstance(response.data, Mapping):
        raise TypeError("the reply is not an object")
    scopes = {name.lower(): value for name, value in response.headers.items()}.get("x-oauth-scopes", "")
    return Reply(body=response.data, scopes=tuple(each.strip() for each in scopes.split(",") if each.strip()))


def _without_body(error: Exception) -> Exception | None:
    """SlackApiError spells out the whole answer, which may hold what people wrote."""
    return None if isinstance(error, SlackApiError) else error
