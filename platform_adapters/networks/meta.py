"""Meta: Facebook and Instagram ads through the Facebook login. No refresh token: a long-lived exchange instead.

Sources: developers.facebook.com (long-lived tokens, debug_token, ad account fields). Accounts that were connected
with Instagram's own login are instagram.py's; what errors mean is the same for both and stands in graph.py.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
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
from commands.ports.signals import Signals
from platform_adapters.networks import graph
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    items,
    listed,
    log_unknown,
    malformed,
    moment,
    moved,
    number,
    part,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
    diagnosed,
    of_expected,
)
from platform_adapters.networks.signed_requests import SignedRequests

SPEC = NetworkSpec(
    slug="meta",
    name="Facebook",
    aliases=("fb", "facebook"),
    permissions=(
        Permission(label="Read the results of your ads", satisfied_by=frozenset({"ads_read", "ads_management"})),
    ),
    parent_label="Business Manager",
    login_label="your personal Facebook profile",
    reconnect_requirement="a role on the ad account in its Business Manager",
    stops=("spend", "creative data"),
    history=timedelta(days=1123),  # Ad account insights: 37 months at most; at their shortest
    checklist=(
        "Log in to Facebook as {subject}.",
        "This profile needs a role on ad account {account_id} in Business Manager {parent} ({parent_id}).",
        "On Facebook's page leave every business, Page and permission ticked. “Opt in to all current and future” is "
        "safest.",
    ),
    steps=("Facebook shows what was granted before: press Continue, or Edit to tick what is missing.",),
    re_asks=True,  # auth_type=rerequest
    term=timedelta(days=60),
    detects=frozenset(
        {
            Verdict.EXPIRED,
            Verdict.REVOKED,
            Verdict.CREDENTIAL_CHANGED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
            Verdict.ACCOUNT_MOVED,
            Verdict.ACCOUNT_DISABLED,
        }
    ),
    causes={
        Verdict.EXPIRED: CauseText(
            happened="Facebook asks for a fresh consent about every 60 days, and this one has run out.",
            mend="Whoever connected it can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Our access was removed on Facebook.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.CREDENTIAL_CHANGED: CauseText(
            happened="The Facebook password was changed, so Facebook closed our access.",
            mend="Only the holder of this login can mend it, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="Facebook wants something confirmed before this profile can be used by apps.",
            mend="Log in at facebook.com, do what it asks, then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
    },
    refresh_leeway=timedelta(days=30),
)

_SCOPES = "ads_read"
_DEBUG, _ACCOUNTS = "debug_token", "me/adaccounts"
_RENEWS_FROM = timedelta(days=1)  # Meta moves the end of one that lives on once a day at most
_PAGE = 100  # accounts in one answer
_NEEDED = [permission.label for permission in SPEC.permissions]
_DATA_ENDS = "data_access_expires_at"
_DISABLED_STATUSES = frozenset({"2", "3", "7"})
_GONE_STATUSES = frozenset({"100", "101"})


def classify(reply: Reply) -> Finding | None:
    """Meta's table."""
    finding = graph.classify(reply, _NEEDED)
    if finding is not None and reply.check == _DEBUG and finding.evidence.code in graph.SESSION_CODES:
        # It is our app's own credentials that were refused; a bad grant is inside "data".
        return replace(finding, verdict=Verdict.OUR_FAULT)
    if finding is not None and reply.check == _ACCOUNTS and finding.verdict is Verdict.ACCOUNT_GONE:
        # Nobody asked about an account: it is the profile that is not there any more, or its access.
        return replace(finding, verdict=Verdict.UNCLEAR)
    return finding


class Meta:
    """Meta with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._client = NetworkClient(credentials, clock, classify, counts_each_login=True)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        rerequest = "rerequest" if again else None
        return self._client.begin(state=state, redirect_uri=redirect_uri, scope=_SCOPES, auth_type=rerequest)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = await self._client.exchange(code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=None)
        return await self._long_lived(self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        if tokens.obtained_at is not None and self._clock.now() - tokens.obtained_at < _RENEWS_FROM:
            return None
        return await self._long_lived(tokens)  # an expired one cannot be exchanged: it is done while this one lives

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reply = await self._debug(tokens)
            data = part(reply.body, "data")
            refusal = _refusal(reply, data, self._clock.now())
            if refusal is not None:
                return Probe(grant=refusal)
            reached = await self._reached(tokens)
            accounts = await of_expected(
                expected,
                reached,
                lambda row, item: _account_finding(row, item.parent),
                lambda item: self._missing(tokens, item, data),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        return Probe(grant=healthy(_DEBUG), accounts=accounts, ends_at=_ends(data, tokens))

    async def discover(self, tokens: Tokens) -> Discovery:
        me = (await self._get(tokens, "/me", fields="id,name")).body
        data = part((await self._debug(tokens)).body, "data")
        granted = frozenset(items(data, "scopes"))
        may_read = bool(SPEC.permissions[0].satisfied_by & granted)
        reached = await self._reached(tokens) if may_read else {}
        return Discovery(
            subject_id=text(me, "id"),
            subject_name=text(me, "name"),
            granted=granted,
            accounts=tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(row, "name") or account_id,
                    parent=_parent(row),
                    finding=_account_finding(row, None),
                )
                for account_id, row in reached.items()
            ),
        )

    async def revoke(self, tokens: Tokens) -> None:
        signed = self._signed(tokens)
        try:
            await self._client.ask(
                "permissions", "DELETE", "/me/permissions", headers=signed["headers"], query=signed["query"]
            )
        except NetworkError:
            return

    def signals(self) -> Signals:
        """The ear for deauthorizations."""
        where = "Deauthorize callback URL, under Facebook Login, Settings, in the app at Meta"
        return SignedRequests(SPEC.slug, self._credentials.client_secret, where)

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = "Compare LAPSEBOT_META_CLIENT_ID and _CLIENT_SECRET with the app's Basic settings at Meta."
        return await diagnosed(SPEC.name, mend, self._debug(None))

    async def _long_lived(self, tokens: Tokens) -> Grant:
        form = {
            "grant_type": "fb_exchange_token",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.reveal(),
            "fb_exchange_token": tokens.access.reveal(),
        }
        reply = await self._client.ask("fb_exchange_token", "POST", self._credentials.token_url, form=form)
        return Grant(tokens=self._client.tokens(reply.body))

    async def _debug(self, tokens: Tokens | None) -> Reply:
        """Ask Meta about a token, or, to test our own credentials, about them."""
        app = f"{self._credentials.client_id}|{self._credentials.client_secret.reveal()}"
        asked = tokens.access.reveal() if tokens is not None else app
        headers = {"Authorization": f"Bearer {app}"}
        return await self._client.ask(
            "debug_token", "GET", "/debug_token", headers=headers, query={"input_token": asked}
        )

    def _signed(self, tokens: Tokens) -> dict[str, Mapping[str, str]]:
        access = tokens.access.reveal()
        key = self._credentials.client_secret.reveal().encode()
        proof = hmac.new(key, access.encode(), hashlib.sha256).hexdigest()
        return {"headers": bearer(tokens), "query": {"appsecret_proof": proof}}

    async def _get(self, tokens: Tokens, path: str, **query: str) -> Reply:
        signed = self._signed(tokens)
        return await self._client.ask(
            path.lstrip("/"), "GET", path, headers=signed["headers"], query={**signed["query"], **query}
        )

    async def _reached(self, tokens: Tokens) -> Mapping[str, Json]:
        """Every ad account that the grant reaches, by id."""
        fields = "account_id,name,account_status,owner_business"
        reached: dict[str, Json] = {}
        after = ""
        while True:
            query = {"fields": fields, "limit": str(_PAGE), **({"after": after} if after else {})}
            reply = await self._get(tokens, "/me/adaccounts", **query)
            reached |= {text(row, "account_id"): row for row in listed(reply, reply.body, "data")}
            paging = part(reply.body, "paging")
            after = text(part(paging, "cursors"), "after")
            if "next" not in paging or not after:
                return reached

    async def _missing(self, tokens: Tokens, item: Expected, data: Json) -> Finding:
        """Why an account that should be reached is not. Raises NetworkError where that cannot be asked just now."""
        try:
            path, fields = f"/act_{item.account_id}", "account_id,account_status,owner_business"
            reply = await self._get(tokens, path, fields=fields)
        except NetworkError as error:
            verdict, evidence = error.finding.verdict, error.finding.evidence
            unticked = verdict is Verdict.ACCOUNT_GONE and _left_out(data, item.account_id)
            if verdict is Verdict.PERMISSION_MISSING or unticked:
                # The grant as a whole may read ads, so this one account was left unticked.
                evidence = replace(evidence, missing=("this ad account",))
                return Finding(verdict=Verdict.PERMISSION_MISSING, evidence=evidence)
            if verdict in (Verdict.ACCOUNT_GONE, Verdict.UNCLEAR):
                return error.finding
            raise
        return _account_finding(reply.body, item.parent)


def _refusal(reply: Reply, data: Json, now: datetime) -> Finding | None:
    """What debug_token says against the grant, if anything."""
    if not isinstance(data.get("is_valid"), bool):
        return malformed(reply)
    if data["is_valid"] is False:
        error = part(data, "error")
        code = number(error, "code")
        finding = graph.refusal(reply, error, int(code) if code is not None else 190, _NEEDED)
        if finding.verdict is Verdict.UNCLEAR:
            log_unknown(SPEC.name, _DEBUG, "error.code", finding.evidence.code or "")
        return finding
    if not isinstance(data.get("scopes"), list):
        return malformed(reply)
    scopes = frozenset(items(data, "scopes"))
    missing = [permission.label for permission in SPEC.permissions if not permission.satisfied_by & scopes]
    if missing:
        return found(Verdict.PERMISSION_MISSING, reply, "scopes", missing=missing)
    data_ends = moment(data, _DATA_ENDS)
    if data_ends is not None and data_ends <= now:
        return found(Verdict.EXPIRED, reply, _DATA_ENDS)  # still valid by its name, and nothing can be read with it
    return None


def _left_out(data: Json, account_id: str) -> bool:
    """Whether the consent names the ad accounts that may be read, and this one is not among them."""
    reading = SPEC.permissions[0].satisfied_by
    scopes = [row for row in rows(data, "granular_scopes") if text(row, "scope") in reading]
    return bool(scopes) and all("target_ids" in row and account_id not in items(row, "target_ids") for row in scopes)


def _ends(data: Json, tokens: Tokens) -> datetime | None:
    """When Meta wants the person back: data access ends about 90 days after they were last active, and the access
    itself where an exchange has not moved its end.
    """
    lasts = tokens.access_expires_at - tokens.obtained_at if tokens.access_expires_at and tokens.obtained_at else None
    renewed = lasts is not None and lasts > SPEC.refresh_leeway
    ends = [moment(data, _DATA_ENDS), None if renewed else moment(data, "expires_at")]
    return min((end for end in ends if end is not None), default=None)


def _parent(row: Json) -> Parent | None:
    owner = part(row, "owner_business")
    return Parent(id=text(owner, "id"), name=text(owner, "name")) if text(owner, "id") else None


def _account_finding(row: Json, stored: Parent | None) -> Finding:
    elsewhere = moved("adaccounts", "owner_business", _parent(row), stored)
    if elsewhere is not None:
        return elsewhere
    status = text(row, "account_status")
    if not status:
        return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="adaccounts", code="malformed"))
    if status in _GONE_STATUSES:
        return Finding(verdict=Verdict.ACCOUNT_GONE, evidence=Evidence(check="adaccounts", code=status))
    if status in _DISABLED_STATUSES:
        return Finding(verdict=Verdict.ACCOUNT_DISABLED, evidence=Evidence(check="adaccounts", code=status))
    return healthy("adaccounts")


def signals(environment: Mapping[str, str], clock: Clock) -> Signals | None:
    """Meta's word that a person removed our app, if it has credentials. Raises SettingError."""
    built = build(environment, clock)
    return built.signals() if built is not None else None


def build(environment: Mapping[str, str], clock: Clock) -> Meta | None:
    """Meta, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://www.facebook.com/v26.0/dialog/oauth",
        token_url="https://graph.facebook.com/v26.0/oauth/access_token",
        api_url="https://graph.facebook.com/v26.0",
    )
    return Meta(credentials, clock) if credentials is not None else None


EXAMPLES = (
    Example(reply=Reply(check=_ACCOUNTS, status=200, body={"data": []}), verdict=None),
    *graph.examples("act_1"),
    graph.example(
        _ACCOUNTS, 200, Verdict.PERMISSION_MISSING, message="Ad account owner has NOT granted ads_read permission"
    ),
    graph.example(_ACCOUNTS, 100, Verdict.UNCLEAR, 33, "Unsupported get request. Object with ID 'me' does not exist"),
    graph.example(_DEBUG, 190, Verdict.OUR_FAULT, message="Invalid OAuth access token signature."),
)
