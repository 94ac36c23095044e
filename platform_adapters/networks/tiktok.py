"""TikTok for Business (Marketing API v1.3): JSON bodies, its own names, and HTTP 200 for nearly every error.

Sources: TikTok's portal documentation of authorization, error codes and scopes; clients of others for the fields of
Business Centers and their assets. A token has no fixed term and cannot be refreshed. Not reliable, so looked at twice:
`owner_bc_id` is left out under conditions that are not documented. Unconfirmed, so unclear: other wordings of 40001.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Parent, Tokens, Verdict
from commands.ports.chat import Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import (
    Begun,
    CauseText,
    Discovery,
    Expected,
    Grant,
    NetworkSpec,
    Permission,
    Probe,
    ReachedAccount,
)
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    listed,
    moved,
    of_one_account,
    part,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    diagnosed,
    of_expected,
)
from platform_adapters.networks.tiktok_centers import NO_PERMISSION, centers, is_admin, no_access, parents

AD_ACCOUNT_MANAGEMENT = Permission(label="Ad Account Management", satisfied_by=frozenset({"1", "10", "100"}))
REPORTING = Permission(label="Reporting", satisfied_by=frozenset({"4", "40", "41", "42", "43", "44"}))

SPEC = NetworkSpec(
    slug="tiktok",
    name="TikTok",
    aliases=("tt", "tik-tok"),
    permissions=(AD_ACCOUNT_MANAGEMENT, REPORTING),
    parent_label="Business Center",
    login_label="your TikTok for Business login",
    reconnect_requirement="the Admin role in its Business Center",
    stops=("spend", "creative activity", "reports"),
    checklist=(
        "You need the Admin role in Business Center {parent} ({parent_id}).",
        "In TikTok Business Center, choose {parent} at the top right before you start.",
        "Check under Accounts, with the filter “Owned by this Business Center”, that {account_id} is listed.",
        "On TikTok's page leave these two on: {permissions}.",
    ),
    steps=(
        "TikTok may send a code by email first.",
        "Choose the Business Center, then the ad accounts, then press Confirm.",
    ),
    detects=frozenset(
        {
            Verdict.EXPIRED,
            Verdict.REVOKED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
            Verdict.ACCOUNT_MOVED,
            Verdict.ACCOUNT_DISABLED,
        }
    ),
    causes={
        Verdict.REVOKED: CauseText(
            happened="Our access was cancelled in TikTok.",
            mend="Anyone with the Admin role in the Business Center can give it back by logging in, in about a minute.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="A permission that we need was switched off in TikTok.",
            mend="Reconnect and leave Ad Account Management and Reporting on.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The TikTok login no longer has the Admin role in the account's Business Center.",
            mend="Another Admin of the Business Center can give the role back, or reconnect.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account now belongs to another Business Center.",
            mend="An Admin of that Business Center can connect it; if the move was a mistake, move it back in TikTok.",
            not_helping="Reconnecting under the old Business Center will not help.",
        ),
    },
    check_interval=timedelta(hours=1),
)

_RATE_PAUSE = timedelta(minutes=5)
_CODES: Mapping[int, Verdict] = {
    **dict.fromkeys((40105, 40114, 40309), Verdict.REVOKED),
    **dict.fromkeys((40102, 40103, 40107), Verdict.EXPIRED),
    **dict.fromkeys((40101, 40110, 40115), Verdict.EXPIRED),  # of a login's code
    40106: Verdict.USER_BLOCKED,
    **dict.fromkeys((40104, 40113, 40118, 40119, 40124, 40125, 41000), Verdict.OUR_FAULT),
    **dict.fromkeys((40130, 40131), Verdict.PERMISSION_MISSING),
    **dict.fromkeys((40300, 40301, 40302), Verdict.ACCOUNT_GONE),
    # 40100 reads like an authorization code, but means "too frequent".
    **dict.fromkeys((40016, 40100, 40132, 40133, 61000), Verdict.THROTTLED),
    **dict.fromkeys((50000, 50002, 60001), Verdict.NETWORK_DOWN),
}
_OTHER_APP = 40000  # a bucket for many things; only its text tells that the token is another app's
_BAD_CODE_OR_SECRET = 40101
_APP_AND_SECRET_DIFFER = "do not match"
_TOKEN = "access_token"
_REPORT = "/report/integrated/get/"
_NOT_GRANTED, _NOT_YOURS = "does not grant you", "no permission to operate"
_GOOD_CODES = (0, 20001)
_BAD_STATUS = 300
_INFO = "advertiser/info"
_ENABLED = "STATUS_ENABLE"
_AT_ONCE = 100  # accounts in one question
_TRIED_FOR_REPORTS = 5  # accounts at most, where the first ones are closed to us themselves


def _patience(reply: Reply, now: datetime) -> datetime:
    """TikTok counts our app's calls a minute, and asks for five minutes then; or a day's, which begins at 00:00 UTC."""
    if "dai" in text(reply.body, "message").lower():
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return now + _RATE_PAUSE


def classify(reply: Reply) -> Finding | None:
    """TikTok's table: the body's `code` decides; the HTTP status is 200 whatever happened."""
    code = reply.body.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        # Not TikTok's own words: something in front of it answered. A bad status says what it means by itself.
        return found(Verdict.NETWORK_DOWN, reply, "malformed") if reply.status < _BAD_STATUS else None
    if code in _GOOD_CODES:
        return None
    message = text(reply.body, "message")
    if str(code) == NO_PERMISSION:
        return _no_permission(reply, message)
    if code == _OTHER_APP and "app_id is inconsistent" in message:
        return found(Verdict.OUR_FAULT, reply, str(code))
    if code == _BAD_CODE_OR_SECRET and (reply.check != _TOKEN or _APP_AND_SECRET_DIFFER in message):
        return found(Verdict.OUR_FAULT, reply, str(code))  # where no code was sent it is the secret
    verdict = _CODES.get(code)
    if verdict is None:
        verdict = Verdict.NETWORK_DOWN if 51000 <= code < 52000 else Verdict.UNCLEAR
    missing = [_needed(f"/{reply.check}/").label] if verdict is Verdict.PERMISSION_MISSING else []
    return found(verdict, reply, str(code), missing=missing)


def _no_permission(reply: Reply, message: str) -> Finding:
    """40001 means two things, and only its text tells which."""
    if _NOT_GRANTED in message:
        return found(Verdict.PERMISSION_MISSING, reply, NO_PERMISSION, missing=[_needed(message).label])
    return found(Verdict.ROLE_LOST if _NOT_YOURS in message else Verdict.UNCLEAR, reply, NO_PERMISSION)


def _needed(path: str) -> Permission:
    return REPORTING if "/report/" in path else AD_ACCOUNT_MANAGEMENT


class TikTok:
    """TikTok with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._client = NetworkClient(credentials, clock, classify, patience=_patience)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        return self._client.begin(
            state=state,
            redirect_uri=redirect_uri,
            scope=None,
            response_type=None,
            client_id=None,
            app_id=self._credentials.client_id,
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = {**self._app(), "auth_code": answer.get("auth_code") or answer.get("code", "")}
        reply = await self._client.ask(_TOKEN, "POST", self._credentials.token_url, json=body)
        return Grant(tokens=self._client.tokens(part(reply.body, "data")))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return None  # its tokens live until somebody cancels them

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reached = await self._reached(tokens)
            seen = [item.account_id for item in expected if item.account_id in reached]
            details = await self._readable(tokens, seen)
            owners = await parents(partial(self._get, tokens), details)
            refused = await self._check_reporting(tokens, list(details) or list(reached)[:1])
            accounts = await of_expected(
                expected,
                details,
                lambda row, item: _account_finding(row, owners.get(item.account_id), item.parent),
                lambda item: self._missing(tokens, item, listed=item.account_id in reached),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        refused = {one: finding for one, finding in refused.items() if accounts.get(one) == healthy(_INFO)}
        return Probe(grant=healthy("oauth2/advertiser/get"), accounts={**accounts, **refused})

    async def discover(self, tokens: Tokens) -> Discovery:
        user = part((await self._get(tokens, "/user/info/")).body, "data")
        granted: set[str] = set()
        accounts: tuple[ReachedAccount, ...] = ()
        try:
            reached = await self._reached(tokens)
            granted.add("10")
            details = await self._readable(tokens, list(reached))
            owners = await parents(partial(self._get, tokens), details)
            accounts = tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(row, "name") or reached[account_id],
                    parent=owners.get(account_id),
                    finding=_account_finding(row, None, None),
                )
                for account_id, row in details.items()
            )
            refused = await self._check_reporting(tokens, list(details) or list(reached)[:1])
            accounts = tuple(replace(one, finding=refused.get(one.account_id, one.finding)) for one in accounts)
            granted.add("4")
        except NetworkError as error:
            if error.finding.verdict is not Verdict.PERMISSION_MISSING:
                raise
        return Discovery(
            subject_id=text(user, "core_user_id"),
            subject_name=text(user, "display_name"),
            granted=frozenset(granted),
            accounts=accounts,
        )

    async def revoke(self, tokens: Tokens) -> None:
        body = {**self._app(), "access_token": tokens.access.reveal()}
        try:
            await self._client.ask("revoke_token", "POST", "/oauth2/revoke_token/", json=body)
        except NetworkError:
            return

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = "Compare LAPSEBOT_TIKTOK_CLIENT_ID and _CLIENT_SECRET with the app's page in TikTok's portal."
        body = {**self._app(), "auth_code": "doctor"}
        asked = self._client.ask(_TOKEN, "POST", self._credentials.token_url, json=body)
        return await diagnosed(SPEC.name, mend, asked)

    def _app(self) -> dict[str, str]:
        return {"app_id": self._credentials.client_id, "secret": self._credentials.client_secret.reveal()}

    async def _get(self, tokens: Tokens, path: str, **query: str) -> Reply:
        headers = {"Access-Token": tokens.access.reveal()}
        return await self._client.ask(path.strip("/"), "GET", path, headers=headers, query=query)

    async def _reached(self, tokens: Tokens) -> Mapping[str, str]:
        """The names of all accounts that the grant reaches, by id. None at all is a grant that reaches nothing."""
        reply = await self._get(tokens, "/oauth2/advertiser/get/", **self._app())
        accounts = listed(reply, part(reply.body, "data"), "list")
        return {text(row, "advertiser_id"): text(row, "advertiser_name") for row in accounts}

    async def _details(self, tokens: Tokens, account_ids: Sequence[str]) -> Mapping[str, Json]:
        fields = json.dumps(["advertiser_id", "name", "status", "owner_bc_id"])
        details: dict[str, Json] = {}
        for start in range(0, len(account_ids), _AT_ONCE):
            wanted = json.dumps(account_ids[start : start + _AT_ONCE])
            reply = await self._get(tokens, "/advertiser/info/", advertiser_ids=wanted, fields=fields)
            details |= {text(row, "advertiser_id"): row for row in listed(reply, part(reply.body, "data"), "list")}
        return details

    async def _readable(self, tokens: Tokens, account_ids: Sequence[str]) -> Mapping[str, Json]:
        """The details of those accounts that may be read: one that may not is the refusal of its whole question."""
        try:
            return await self._details(tokens, account_ids)
        except NetworkError as error:
            if not no_access(error.finding):
                raise
        if len(account_ids) == 1:
            return {}
        middle = len(account_ids) // 2
        first = await self._readable(tokens, account_ids[:middle])
        return {**first, **await self._readable(tokens, account_ids[middle:])}

    async def _check_reporting(self, tokens: Tokens, account_ids: Sequence[str]) -> Mapping[str, Finding]:
        """Raise if reports cannot be read, which is only known by asking for one; give what is wrong with accounts for
        which alone they cannot.
        """
        refused: dict[str, Finding] = {}
        for account_id in account_ids[:_TRIED_FOR_REPORTS]:
            try:
                await self._get(
                    tokens,
                    _REPORT,
                    advertiser_id=account_id,
                    report_type="BASIC",
                    data_level="AUCTION_ADVERTISER",
                    dimensions=json.dumps(["advertiser_id"]),
                    metrics=json.dumps(["spend"]),
                    query_lifetime="true",
                    page_size="1",
                )
            except NetworkError as error:
                if not no_access(error.finding):
                    raise
                refused[account_id] = error.finding
            else:
                break
        return refused

    async def _missing(self, tokens: Tokens, item: Expected, *, listed: bool) -> Finding:
        """Why an account cannot be read that should be. Raises NetworkError where that cannot be asked just now."""
        refused: Finding | None = None
        try:
            details = await self._details(tokens, [item.account_id])
        except NetworkError as error:
            refused = error.finding
            if not of_one_account(refused):
                raise
            if listed or not no_access(refused) or refused.verdict is Verdict.ACCOUNT_GONE:
                return refused
        else:
            if item.account_id in details:
                owners = await parents(partial(self._get, tokens), details)
                return _account_finding(details[item.account_id], owners.get(item.account_id), item.parent)
            if listed:
                return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_INFO, code="malformed"))
        known = await centers(partial(self._get, tokens))
        home = known.get(item.parent.id) if item.parent is not None else None
        if home is None and refused is not None and refused.verdict is Verdict.UNCLEAR:
            return refused
        # The account left a Business Center that the person still administrates, or the role is what went.
        verdict = Verdict.ACCOUNT_GONE if home is not None and is_admin(home) else Verdict.ROLE_LOST
        return Finding(verdict=verdict, evidence=Evidence(check="bc/get"))


def _account_finding(row: Json, parent: Parent | None, stored: Parent | None) -> Finding:
    elsewhere = moved(_INFO, "owner_bc_id", parent, stored)
    if elsewhere is not None:
        return elsewhere
    status = text(row, "status")
    if not status:
        return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_INFO, code="malformed"))
    if status != _ENABLED:
        evidence = Evidence(check=_INFO, code=status)
        return Finding(verdict=Verdict.ACCOUNT_DISABLED, evidence=evidence)
    return healthy(_INFO)


def build(environment: Mapping[str, str], clock: Clock) -> TikTok | None:
    """TikTok, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://business-api.tiktok.com/portal/auth",
        token_url="https://business-api.tiktok.com/open_api/v1.3/oauth2/access_token/",
        api_url="https://business-api.tiktok.com/open_api/v1.3",
    )
    return TikTok(credentials, clock) if credentials is not None else None


def _example(code: int, verdict: Verdict | None, message: str = "", check: str = _INFO) -> Example:
    body = {"code": code, "message": message, "data": {}}
    return Example(reply=Reply(check=check, status=200, body=body), verdict=verdict)


EXAMPLES = (
    _example(0, None, "OK"),
    _example(20001, None, "Partial success"),
    *(_example(code, Verdict.REVOKED) for code in (40105, 40114, 40309)),
    *(_example(code, Verdict.EXPIRED) for code in (40102, 40103, 40107)),
    *(_example(code, Verdict.OUR_FAULT) for code in (40104, 40113, 40118, 40119, 40124, 40125, 41000)),
    _example(40106, Verdict.USER_BLOCKED),
    _example(40101, Verdict.OUR_FAULT, "never seen"),
    _example(40101, Verdict.OUR_FAULT, "App id and secret do not match", _TOKEN),
    _example(40101, Verdict.EXPIRED, "Auth_code is used", _TOKEN),
    _example(40110, Verdict.EXPIRED, "Auth_code is expired", _TOKEN),
    _example(40115, Verdict.EXPIRED, "Auth_code is cancelled", _TOKEN),
    *(_example(code, Verdict.PERMISSION_MISSING) for code in (40130, 40131)),
    _example(40000, Verdict.OUR_FAULT, "app_id is inconsistent with the token's app"),
    _example(40000, Verdict.UNCLEAR, "something else"),
    _example(40001, Verdict.PERMISSION_MISSING, "advertiser does not grant you /report/integrated/get/:GET permission"),
    _example(40001, Verdict.ROLE_LOST, "no permission to operate advertiser 7012345678901234567"),
    _example(40001, Verdict.UNCLEAR, "never seen"),
    *(_example(code, Verdict.ACCOUNT_GONE) for code in (40300, 40301, 40302)),
    *(_example(code, Verdict.THROTTLED) for code in (40016, 40100, 40132, 40133, 61000)),
    *(_example(code, Verdict.NETWORK_DOWN) for code in (50000, 50002, 51020, 60001)),
    _example(49999, Verdict.UNCLEAR),
    Example(reply=Reply(check=_INFO, status=200, body={"x": 1}), verdict=Verdict.NETWORK_DOWN),
    Example(reply=Reply(check=_INFO, status=200, body={"code": "0"}), verdict=Verdict.NETWORK_DOWN),
)
