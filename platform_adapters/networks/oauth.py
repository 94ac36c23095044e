"""How all networks are talked to: Authlib for the OAuth protocol, and the same HTTP client for their APIs.

Every call has a time-out, follows no redirect, reads at most 1 MiB, and ends as a `Reply` or a NetworkError.
What a reply means is each network's own table.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import NoReturn, TypeVar, cast

import httpx2
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Pause, Tokens, Verdict
from commands.ports.chat import Check, Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import Begun, Expected, Grant
from commands.secret import Secret
from platform_adapters.networks.answers import LONGEST_CODE, Classify, Json, Reply, meaning, number, text
from platform_adapters.networks.credentials import Credentials
from platform_adapters.networks.limits import asked_pause

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_LARGEST_REPLY = 1024 * 1024  # bytes; no answer that we ask for comes near it
_TIMEOUT = httpx2.Timeout(10.0, connect=3.0)
_WHOLE_CALL = 20.0  # seconds; a reply that trickles in must not outlive a check's lease
_TOKEN_CHECK = "token"
_AT_ONCE = 10  # questions about accounts of one grant under way; an agency's login may reach hundreds
_LONGEST_LIFE = timedelta(days=3650)  # an `expires_in` beyond this is nonsense


Patience = Callable[[Reply, datetime], datetime | None]
"""A network's rule for an answer that says "too often": from now, until when; None where that is not known."""


def no_patience(_reply: Reply, _now: datetime) -> datetime | None:
    """Where a network says in headers alone how long to wait."""
    return None


Read = Callable[[httpx2.Response], Json]
"""Makes an object of an answer; an empty one where it cannot."""


class NetworkClient:
    """One network's HTTP client. Works inside `running` only."""

    def __init__(
        self,
        credentials: Credentials,
        clock: Clock,
        classify: Classify,
        *,
        user_agent: str = "lapsebot",
        client_auth: str = "client_secret_post",
        counts_each_login: bool = False,
        patience: Patience = no_patience,
    ) -> None:
        """`counts_each_login`: this network's limits are a login's own, where a header does not say. `patience` is its
        rule for answers that ask us to wait in their body alone.
        """
        self._counts_each_login = counts_each_login
        self._patience = patience
        self._credentials = credentials
        self._client_auth = client_auth
        self._clock = clock
        self._classify = classify
        self._user_agent = user_agent
        self._client: AsyncOAuth2Client | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold connections open until the block is left."""
        client = AsyncOAuth2Client(
            self._credentials.client_id,
            self._credentials.client_secret.reveal(),
            token_endpoint_auth_method=self._client_auth,
            revocation_endpoint_auth_method=self._client_auth,
            transport=_Bounded(httpx2.AsyncHTTPTransport(verify=_trusted())),
            timeout=_TIMEOUT,
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
        )
        client.register_compliance_hook("access_token_response", self._check_token_reply)
        async with client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    @property
    def login_url(self) -> str:
        """The address of the network's login, without what is asked there."""
        return self._credentials.authorize_url

    def begin(
        self,
        *,
        state: str,
        redirect_uri: str,
        scope: str | None,
        code_challenge: str | None = None,
        **more: str | None,
    ) -> Begun:
        """A login at the address of the standard request for consent (RFC 6749 4.1.1, with a challenge RFC 7636 4.3).

        `more` is what a network wants besides, or in place of what is standard. What is None is left out.
        """
        parameters = {
            "response_type": "code",
            "client_id": self._credentials.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": scope,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256" if code_challenge is not None else None,
            **more,
        }
        given = [(name, value) for name, value in parameters.items() if value is not None]
        return Begun(url=cast("str", add_params_to_uri(self._credentials.authorize_url, given)))

    async def exchange(self, *, code: str, redirect_uri: str, code_verifier: str | None, **more: str) -> Json:
        """Exchange a code the standard way, with what the network wants more. Raises NetworkError."""
        parameters = {"code_verifier": code_verifier, **more} if code_verifier is not None else more
        return await self._token_call(
            grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **parameters
        )

    async def refresh(self, token: Secret, **more: str) -> Json:
        """Refresh the standard way, with what the network wants more. Raises NetworkError."""
        return await self._token_call(grant_type="refresh_token", refresh_token=token.reveal(), **more)

    async def renew(self, tokens: Tokens, *, refused: Verdict = Verdict.EXPIRED, **more: str) -> Grant | None:
        """Refresh a grant without telling it a new end; None where it holds nothing to refresh with.

        `refused` is what it means here that the network's table calls the grant expired. Raises NetworkError.
        """
        if tokens.refresh is None:
            return None
        try:
            body = await self.refresh(tokens.refresh, **more)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.EXPIRED:
                raise
            raise NetworkError(replace(error.finding, verdict=refused)) from error
        return Grant(tokens=self.tokens(body, refresh=tokens.refresh))

    async def revoke(self, url: str, token: Secret, kind: str | None = None) -> None:
        """Give a token back the standard way (RFC 7009), best effort. `kind` is the hint. Raises nothing."""
        try:
            async with asyncio.timeout(_WHOLE_CALL):
                response = await self._running().revoke_token(url, token=token.reveal(), token_type_hint=kind)
            self._checked("revoke", response, _json)
        except (httpx2.HTTPError, TimeoutError, NetworkError):
            return

    async def ask(
        self,
        check: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
        auth: httpx2.Auth | None = None,
        read: Read | None = None,
    ) -> Reply:
        """Ask the API (`path` may be a whole address). Raises NetworkError for what the network's table finds wrong.

        `auth` signs the call, `read` makes an object of an answer that is not JSON.
        """
        url = path if "://" in path else self._credentials.api_url + path
        try:
            async with asyncio.timeout(_WHOLE_CALL):
                response = await self._running().request(
                    method,
                    url,
                    withhold_token=True,
                    headers=headers,
                    params=query,
                    data=form,
                    json=json,
                    auth=auth or httpx2.USE_CLIENT_DEFAULT,
                )
        except (httpx2.HTTPError, TimeoutError) as error:
            _unreachable(check, error)
        return self._checked(check, response, read or _json)

    async def _token_call(self, **parameters: str) -> Json:
        try:
            async with asyncio.timeout(_WHOLE_CALL):
                return dict(await self._running().fetch_token(self._credentials.token_url, **parameters))
        except (httpx2.HTTPError, TimeoutError) as error:
            _unreachable(_TOKEN_CHECK, error)
        except (OAuthError, ValueError, TypeError) as error:
            raise _failure(Verdict.UNCLEAR, _TOKEN_CHECK, "no_token") from error

    def _check_token_reply(self, response: httpx2.Response) -> httpx2.Response:
        self._checked(_TOKEN_CHECK, response, _json)
        return response

    def _checked(self, check: str, response: httpx2.Response, read: Read) -> Reply:
        reply = Reply(check=check, status=response.status_code, body=read(response))
        finding = meaning(reply, self._classify)
        if finding is None:
            return reply
        if finding.verdict is Verdict.UNCLEAR:
            code, host = (finding.evidence.code or "")[:LONGEST_CODE], response.url.host
            logger.info("unclear answer of %s to %s: HTTP %s, code %r", host, check, reply.status, code)
        if finding.verdict is Verdict.THROTTLED:
            finding = replace(finding, pause=self._pause(reply, response))
        raise NetworkError(finding)

    def _pause(self, reply: Reply, response: httpx2.Response) -> Pause | None:
        """Until when the network asks us to wait: by its headers, else by its own rule. None: it does not say."""
        now = self._clock.now()
        asked = asked_pause(response.headers, now, of_one_login=self._counts_each_login)
        until = self._patience(reply, now) if asked is None else None
        return asked if until is None else Pause(until=until, everybody=not self._counts_each_login)

    def _running(self) -> AsyncOAuth2Client:
        if self._client is None:
            raise RuntimeError("the network is asked outside its running()")
        return self._client

    def tokens(self, body: Json, *, refresh: Secret | None = None) -> Tokens:
        """Read a standard token answer; a refresh token left out is carried over (R-16). Raises NetworkError."""
        access = text(body, "access_token")
        if not access:
            raise _failure(Verdict.UNCLEAR, "token", "no_access_token")
        if text(body, "token_type").lower() not in ("", "bearer"):
            raise _failure(Verdict.UNCLEAR, "token", "token_type")  # we could not use it (RFC 6749 7.1)
        now = self._clock.now()
        given = text(body, "refresh_token")
        return Tokens(
            access=Secret(access),
            refresh=Secret(given) if given else refresh,
            access_expires_at=self.after(body, "expires_in"),
            obtained_at=now,
        )

    def after(self, body: Json, name: str) -> datetime | None:
        """The time that a field of seconds from now means; None where it is absent, not a number, or absurd."""
        seconds = number(body, name)
        if seconds is None or not 1 <= seconds <= _LONGEST_LIFE.total_seconds():
            return None
        return self._clock.now() + timedelta(seconds=seconds)


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates count. Read once: it takes a while, and there are many networks."""
    return httpx2.create_ssl_context()


class _Bounded(httpx2.AsyncBaseTransport):
    """Ends a reply that is larger than any that we ask for, before it fills the memory."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > _LARGEST_REPLY:
                raise httpx2.ReadError("the reply is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _json(response: httpx2.Response) -> Json:
    try:
        body = response.json()
    except ValueError:
        return {}
    if isinstance(body, list):
        return {"list": body}
    return body if isinstance(body, dict) else {}


def _unreachable(check: str, error: Exception) -> NoReturn:
    raise _failure(Verdict.NETWORK_DOWN, check, type(error).__name__) from error


def _failure(verdict: Verdict, check: str, code: str) -> NetworkError:
    return NetworkError(Finding(verdict=verdict, evidence=Evidence(check=check, code=code)))


async def of_each(account_ids: Sequence[str], ask: Callable[[str], Awaitable[_Answer]]) -> Mapping[str, _Answer]:
    """Ask about each account, several at once. Raises the first NetworkError."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(account_id: str) -> _Answer:
        async with slots:
            return await ask(account_id)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {account_id: group.create_task(one(account_id)) for account_id in account_ids}
    except ExceptionGroup as errors:
        first = errors.exceptions[0]
        if isinstance(first, NetworkError):
            raise first from errors
        raise
    return {account_id: task.result() for account_id, task in tasks.items()}


async def of_expected(
    expected: Sequence[Expected],
    reached: Mapping[str, _Answer],
    there: Callable[[_Answer, Expected], Finding],
    missing: Callable[[Expected], Awaitable[Finding]],
) -> Mapping[str, Finding]:
    """Judge what is reached `there`, and ask about each account that is `missing`. Raises the first NetworkError."""
    judged = {item.account_id: there(reached[item.account_id], item) for item in expected if item.account_id in reached}
    absent = {item.account_id: item for item in expected if item.account_id not in reached}
    return {**judged, **await of_each(list(absent), lambda account_id: missing(absent[account_id]))}


_ADDRESSES = "Where its _TOKEN_URL or _API_URL is set, compare that too."


async def diagnosed(label: str, mend: str, asked: Awaitable[object]) -> Sequence[Diagnosis]:
    """What `doctor` says of our app's credentials after a question that only they decide. Raises nothing.

    `mend` says where to compare them. A refusal of the made-up grant in the question is a good sign.
    """
    verdict, code, reached = Verdict.HEALTHY, None, True
    try:
        await asked
    except NetworkError as error:
        verdict, code = error.finding.verdict, error.finding.evidence.code
        reached = error.__cause__ is None  # an answer that we judged, and no failure to get one
    check, found = Check.WARNING, ""
    match verdict:
        case Verdict.OUR_FAULT:
            check, found = Check.BAD, f"refuses our app ({code})"
            mend = f"{mend} See there as well whether the app was blocked or switched off."
        case Verdict.NETWORK_DOWN if reached:
            found, mend = f"is failing on its own side ({code})", "Try again later."
        case Verdict.NETWORK_DOWN:
            found, mend = f"cannot be reached ({code})", f"See whether this machine may connect to it. {_ADDRESSES}"
        case Verdict.THROTTLED:
            found, mend = f"asks our app to wait ({code})", "Nothing to mend: try again later."
        case Verdict.UNCLEAR:
            found, mend = f"gives an answer that we do not know ({code})", f"{mend} {_ADDRESSES}"
        case _:
            check, found, mend = Check.GOOD, "accepts our app's credentials", ""
    return [Diagnosis(subject=label, check=check, found=found, mend=mend)]


def bearer(tokens: Tokens) -> dict[str, str]:
    """The header of a call with this grant's access (RFC 6750 2.1)."""
    return {"Authorization": f"Bearer {tokens.access.reveal()}"}
