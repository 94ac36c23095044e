"""TikTok for Business (Marketing API v1.3): JSON bodies, its own names, and HTTP 200 for nearly every error.

Sources: TikTok's portal documentation of authorization, error codes and scopes. A token has no fixed term and cannot be
refreshed. Not reliable, so looked at twice: `owner_bc_id` is left out under conditions that are not documented.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

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
    40105: Verdict.REVOKED,
    40114: Verdict.REVOKED,
    40309: Verdict.REVOKED,
    40102: Verdict.EXPIRED,
    40103: Verdict.EXPIRED,
    40107: Verdict.EXPIRED,
    40101: Verdict.EXPIRED,
    40110: Verdict.EXPIRED,
    40115: Verdict.EXPIRED,
    40106: Verdict.USER_BLOCKED,
    40104: Verdict.OUR_FAULT,
    40113: Verdict.OUR_FAULT,
    40118: Verdict.OUR_FAULT,
    40119: Verdict.OUR_FAULT,
    40124: Verdict.OUR_FAULT,
    40125: Verdict.OUR_FAULT,
    41000: Verdict.OUR_FAULT,
    40130: Verdict.PERMISSION_MISSING,
    40131: Verdict.PERMISSION_MISSING,
    40300: Verdict.ACCOUNT_GONE,
    40301: Verdict.ACCOUNT_GONE,
    40302: Verdict.ACCOUNT_GONE,
    40016: Verdict.THROTTLED,
    40100: Verdict.THROTTLED,  # reads like an authorization code, but means "too frequent"
    40132: Verdict.THROTTLED,
    40133: Verdict.THROTTLED,
    61000: Verdict.THROTTLED,
    50000: Verdict.NETWORK_DOWN,
    50002: Verdict.NETWORK_DOWN,
    60001: Verdict.NETWORK_DOWN,
}
_NO_PERMISSION = 40001
_OTHER_APP = 40000  # a bucket for many things; only its text tells that the token is another app's
_APP_AND_SECRET_DIFFER = "do not match"
_GOOD_CODES = (0, 20001)
_BAD_STATUS = 300
_ENABLED = "STATUS_ENABLE"
_AT_ONCE = 100  # accounts in one question


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
    if code == _NO_PERMISSION:
        return _no_permission(reply, message)
    if code == _OTHER_APP and "app_id is inconsistent" in message:
        return found(Verdict.OUR_FAULT, reply, str(code))
    if code == 40101 and _APP_AND_SECRET_DIFFER in message:
        return found(Verdict.OUR_FAULT, reply, str(code))
    verdict = _CODES.get(code)
    if verdict is None:
        verdict = Verdict.NETWORK_DOWN if 51000 <= code < 52000 else Verdict.UNCLEAR
    return found(verdict, reply, str(code))


def _no_permission(reply: Reply, message: str) -> Finding:
    """40001 means two things, and only its text tells which (documented wording)."""
    if "does not grant you" not in message:
        return found(Verdict.ROLE_LOST, reply, str(_NO_PERMISSION))
    missing = REPORTING if "/report/" in message else AD_ACCOUNT_MANAGEMENT
    return found(Verdict.PERMISSION_MISSING, reply, str(_NO_PERMISSION), missing=[missing.label])


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
        reply = await self._client.ask("access_token", "POST", self._credentials.token_url, json=body)
        return Grant(tokens=self._client.tokens(part(reply.body, "data")))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return None  # its tokens live until somebody cancels them

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reached = await self._reached(tokens)
            seen = [item.account_id for item in expected if item.account_id in reached]
            details = await self._details(tokens, seen)
            parents = await self._parents(tokens, details)
            await self._check_reporting(tokens, seen or list(reached)[:1])
            accounts = await of_expected(
                expected,
                details,
                lambda row, item: _account_finding(row, parents.get(item.account_id), item.parent),
                lambda item: self._missing(tokens, item),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        return Probe(grant=healthy("oauth2/advertiser/get"), accounts=accounts)

    async def discover(self, tokens: Tokens) -> Discovery:
        user = part((await self._get(tokens, "/user/info/")).body, "data")
        granted: set[str] = set()
        accounts: tuple[ReachedAccount, ...] = ()
        try:
            reached = await self._reached(tokens)
            granted.add("10")
            details = await self._details(tokens, list(reached))
            parents = await self._parents(tokens, details)
            accounts = tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(row, "name") or reached[account_id],
                    parent=parents.get(account_id),
                    finding=_account_finding(row, None, None),
                )
                for account_id, row in details.items()
            )
            await self._check_reporting(tokens, list(reached)[:1])
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
        asked = self._client.ask("access_token", "POST", self._credentials.token_url, json=body)
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

    async def _centers(self, tokens: Tokens) -> Mapping[str, str]:
        """The names of the person's Business Centers, by id."""
        centers = [part(row, "bc_info") for row in await self._pages(tokens, "/bc/get/")]
        return {text(center, "bc_id"): text(center, "name") for center in centers}

    async def _parents(self, tokens: Tokens, details: Mapping[str, Json]) -> Mapping[str, Parent]:
        """The Business Center that owns each account, as far as TikTok tells."""
        if not details:
            return {}
        names = await self._centers(tokens)
        owners = {account_id: text(row, "owner_bc_id") for account_id, row in details.items()}
        if not all(owners.values()):
            owners |= {
                account_id: center_id
                for center_id in names
                for account_id in await self._assets(tokens, center_id)
                if not owners.get(account_id)
            }
        return {
            account_id: Parent(id=center, name=names.get(center) or center)
            for account_id, center in owners.items()
            if center
        }

    async def _assets(self, tokens: Tokens, center_id: str) -> Sequence[str]:
        assets = await self._pages(tokens, "/bc/asset/get/", bc_id=center_id, asset_type="ADVERTISER")
        return [text(row, "asset_id") for row in assets]

    async def _pages(self, tokens: Tokens, path: str, **query: str) -> Sequence[Json]:
        found_so_far: list[Json] = []
        page = 1
        while True:
            reply = await self._get(tokens, path, page=str(page), page_size="50", **query)
            data = part(reply.body, "data")
            found_so_far += listed(reply, data, "list")
            total = part(data, "page_info").get("total_page")
            if not isinstance(total, int) or page >= total:
                return found_so_far
            page += 1

    async def _check_reporting(self, tokens: Tokens, account_ids: Sequence[str]) -> None:
        """Raise if reports cannot be read: whether they can is only known by asking for one."""
        for account_id in account_ids[:1]:
            await self._get(
                tokens,
                "/report/integrated/get/",
                advertiser_id=account_id,
                report_type="BASIC",
                data_level="AUCTION_ADVERTISER",
                dimensions=json.dumps(["advertiser_id"]),
                metrics=json.dumps(["spend"]),
                query_lifetime="true",
                page_size="1",
            )

    async def _missing(self, tokens: Tokens, item: Expected) -> Finding:
        """Why an account that should be reached is not. Raises NetworkError where that cannot be asked just now."""
        try:
            await self._details(tokens, [item.account_id])
        except NetworkError as error:
            if error.finding.verdict is not Verdict.ROLE_LOST:
                if error.finding.verdict is Verdict.ACCOUNT_GONE:
                    return error.finding
                raise
        centers = await self._centers(tokens)
        evidence = Evidence(check="bc/get")
        if item.parent is not None and item.parent.id in centers:
            return Finding(verdict=Verdict.ACCOUNT_GONE, evidence=evidence)  # still an Admin there: the account left
        return Finding(verdict=Verdict.ROLE_LOST, evidence=evidence)


def _account_finding(row: Json, parent: Parent | None, stored: Parent | None) -> Finding:
    elsewhere = moved("advertiser/info", "owner_bc_id", parent, stored)
    if elsewhere is not None:
        return elsewhere
    status = text(row, "status")
    if not status:
        return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="advertiser/info", code="malformed"))
    if status != _ENABLED:
        evidence = Evidence(check="advertiser/info", code=status)
        return Finding(verdict=Verdict.ACCOUNT_DISABLED, evidence=evidence)
    return healthy("advertiser/info")


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


def _example(code: int, verdict: Verdict | None, message: str = "") -> Example:
    return Example(
        reply=Reply(check="advertiser/info", status=200, body={"code": code, "message": message, "data": {}}),
        verdict=verdict,
    )


EXAMPLES = (
    _example(0, None, "OK"),
    _example(20001, None, "Partial success"),
    _example(40105, Verdict.REVOKED),
    _example(40102, Verdict.EXPIRED),
    _example(40104, Verdict.OUR_FAULT),
    _example(40106, Verdict.USER_BLOCKED),
    _example(40101, Verdict.OUR_FAULT, "App id and secret do not match"),
    _example(40110, Verdict.EXPIRED, "Auth_code is expired"),
    _example(40000, Verdict.OUR_FAULT, "app_id is inconsistent with the token's app"),
    _example(40000, Verdict.UNCLEAR, "something else"),
    _example(40001, Verdict.PERMISSION_MISSING, "advertiser does not grant you /report/integrated/get/:GET permission"),
    _example(40001, Verdict.ROLE_LOST, "no permission to operate advertiser 7012345678901234567"),
    _example(40300, Verdict.ACCOUNT_GONE),
    _example(40100, Verdict.THROTTLED),
    _example(51020, Verdict.NETWORK_DOWN),
    _example(60001, Verdict.NETWORK_DOWN),
    _example(49999, Verdict.UNCLEAR),
    Example(reply=Reply(check="advertiser/info", status=200, body={"x": 1}), verdict=Verdict.NETWORK_DOWN),
    Example(reply=Reply(check="advertiser/info", status=200, body={"code": "0"}), verdict=Verdict.NETWORK_DOWN),
)
