"""Amazon Ads: Login with Amazon, whose grants work in every region and end a year after the consent.

Sources: the Amazon Ads guides on profiles, permissions and error responses, and its release note on refresh tokens
(since summer 2026 they end 365 days after the consent, which no refresh moves); Login with Amazon's developer guide.
An advertising account is called a profile there: one for each marketplace, listed by its own region's host alone.
Unconfirmed: what the consent page calls permissions and the console the place of users. What ended a grant is not told.
A missing payment method is told of an account and stops no reading. Apps cannot give a grant back.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Tokens, Verdict
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
from commands.secret import Secret
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    listed,
    malformed,
    part,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
    diagnosed,
    of_each,
)

_READ_PROFILE, _ADVERTISING = "profile", "advertising::campaign_management"
PROFILE = Permission(label="Your name and email address", satisfied_by=frozenset({_READ_PROFILE}))
ADS = Permission(label="Your Amazon Ads campaigns and reports", satisfied_by=frozenset({_ADVERTISING}))
_CONSENT_LASTS = timedelta(days=365)

SPEC = NetworkSpec(
    slug="amazon_ads",
    name="Amazon Ads",
    aliases=("amazon", "amazon-ads", "amz"),
    permissions=(PROFILE, ADS),
    parent_label=None,  # a manager account is a link, of which one account may have several, and owns nothing
    login_label="the Amazon login that is a user of the advertising account",
    reconnect_requirement="permission to view the account's reports in Amazon Ads",
    stops=("spend", "reports"),
    history=timedelta(days=60),  # "Campaign reports", data retention: 60 to 95 days, by the kind of ad
    checklist=(
        "Log in to Amazon as {subject}, or as another user of the advertising account.",
        "Sign out of other Amazon logins in this browser first: Amazon takes the one that is open.",
        "Check in Amazon Ads, under Access and settings, that this user may view the reports of account {account_id}.",
    ),
    steps=("Amazon shows which login is open and what we ask for: check the name.", "Press Allow."),
    switch_login="Amazon's page shows which login is open, and takes that one. If it is another, sign out at Amazon in "
    "this browser first; then try again.",
    term=_CONSENT_LASTS,
    detects=frozenset({Verdict.REVOKED, Verdict.PERMISSION_MISSING, Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE}),
    causes={
        Verdict.REVOKED: CauseText(
            happened="Amazon ended our access. It does not say why: access removed in the Amazon account, a changed "
            "password, or a year gone by since the last login.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="Amazon does not let this login read advertising through us.",
            mend="Reconnect and press Allow for everything on Amazon's page.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Amazon login may no longer read the reports of this advertising account.",
            mend="An administrator of the account in Amazon Ads can give that back under Access and settings; another "
            "user of the account can reconnect.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="The login works, but Amazon no longer shows this advertising account to it, in any region.",
            mend="Check in Amazon Ads whether the account was closed, or its link to a manager account removed.",
            not_helping="Reconnecting will not help until that is solved.",
        ),
    },
    uses_pkce=True,
)

_REFUSED, _UNAUTHORIZED, _FORBIDDEN, _ABSENT, _THROTTLED, _BROKEN = 400, 401, 403, 404, 429, 500
_TOKEN, _USER, _PROFILES, _PROFILE = "token", "user/profile", "profiles", "profiles/{id}"
_SCOPES = f"{_ADVERTISING} {_READ_PROFILE}"
_TOKEN_PATH = "/auth/o2/token"
_READABLE: Mapping[str, str] = {"apiProgram": "report", "accessLevel": "view"}
"""Unasked, Amazon lists only the profiles whose campaigns the user may edit."""
_REGIONS: Mapping[str, str] = {
    "https://advertising-api.amazon.com": "North America",
    "https://advertising-api-eu.amazon.com": "Europe",
    "https://advertising-api-fe.amazon.com": "Far East",
}
_API_URLS = tuple(_REGIONS)
_HOST = "host"
"""Where a profile's row was read, beside what Amazon says of it."""
_LOGIN_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
    "insufficient_scope": Verdict.PERMISSION_MISSING,
}
_STATUSES: Mapping[str, Mapping[int, Verdict]] = {
    _PROFILES: {_UNAUTHORIZED: Verdict.UNCLEAR, _FORBIDDEN: Verdict.PERMISSION_MISSING},
    # Asked only after the same access has listed others: then 401 too is about this profile.
    _PROFILE: {
        _UNAUTHORIZED: Verdict.ROLE_LOST,
        _FORBIDDEN: Verdict.ROLE_LOST,
        _ABSENT: Verdict.ACCOUNT_GONE,
    },
}
_LEAST_SAID = (Verdict.UNCLEAR, Verdict.THROTTLED, Verdict.NETWORK_DOWN, Verdict.ROLE_LOST)
"""Of several regions' answers the one that claims least is believed."""


def classify(reply: Reply) -> Finding | None:
    """Amazon's table. At the login an error's name decides, at the API the HTTP status.

    401 is no verdict on a grant: access lives for an hour, and only a refresh tells whether more than that has ended.
    """
    if reply.status < _REFUSED:
        return None
    if reply.check in (_TOKEN, _USER):
        error = text(reply.body, "error")
        verdict = _LOGIN_ERRORS.get(error)
        if verdict is None and (not error or reply.status == _THROTTLED or reply.status >= _BROKEN):
            return None
        missing = [PROFILE.label] if verdict is Verdict.PERMISSION_MISSING else []
        return found(verdict or Verdict.UNCLEAR, reply, error, missing=missing)
    verdict = _STATUSES.get(reply.check, {}).get(reply.status)
    if verdict is None or "code" not in reply.body:
        return None  # not known, or not the API's own words: a proxy in between refuses with a page
    missing = [ADS.label] if verdict is Verdict.PERMISSION_MISSING else []
    return found(verdict, reply, text(reply.body, "code") or str(reply.status), missing=missing)


class AmazonAds:
    """Amazon Ads with our app's credentials, in the regions whose hosts are given."""

    spec = SPEC

    def __init__(self, credentials: Credentials, hosts: Sequence[str], clock: Clock) -> None:
        self._credentials = credentials
        self._hosts = hosts
        self._clock = clock
        self._client = NetworkClient(credentials, clock, classify)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        return self._client.begin(state=state, redirect_uri=redirect_uri, scope=_SCOPES, code_challenge=code_challenge)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = await self._client.exchange(
            code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=code_verifier
        )
        return Grant(tokens=self._client.tokens(body), ends_at=self._clock.now() + _CONSENT_LASTS)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        # Of the causes of a refusal, which are not told, the usual one. The consent's end stays where it was.
        return await self._client.renew(tokens, refused=Verdict.REVOKED)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        wanted = [item.account_id for item in expected]
        try:
            reached, refusals = await self._reached(tokens, wanted)
        except NetworkError as error:
            return Probe(grant=error.finding)
        absent = [account_id for account_id in wanted if account_id not in reached]
        unheard = _unheard(refusals)
        missing = (
            dict.fromkeys(absent, unheard)
            if unheard is not None
            else await of_each(absent, lambda account_id: self._missing(tokens, account_id))
        )
        readable = {
            account_id: _in_region(healthy(_PROFILES), text(reached[account_id], _HOST))
            for account_id in wanted
            if account_id in reached
        }
        return Probe(grant=healthy(_PROFILES), accounts={**readable, **missing})

    async def discover(self, tokens: Tokens) -> Discovery:
        url = self._credentials.token_url.removesuffix(_TOKEN_PATH) + "/user/profile"
        reply = await self._ask(tokens, _USER, url)
        user_id = text(reply.body, "user_id")
        if not user_id:
            raise NetworkError(malformed(reply))
        granted = frozenset({_READ_PROFILE, _ADVERTISING})
        try:
            reached, refusals = await self._reached(tokens)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.PERMISSION_MISSING:
                raise
            reached, refusals, granted = {}, [], frozenset({_READ_PROFILE})
        unheard = _unheard(refusals)
        if unheard is not None:
            raise NetworkError(unheard)  # what the silent region holds would look as if it were not reached
        return Discovery(
            subject_id=user_id,
            subject_name=text(reply.body, "name") or text(reply.body, "email") or user_id,
            granted=granted,
            accounts=tuple(
                ReachedAccount(account_id=account_id, name=_name(row), parent=None, finding=healthy(_PROFILES))
                for account_id, row in reached.items()
            ),
        )

    async def revoke(self, tokens: Tokens) -> None:
        return  # Amazon lets apps do no such thing: people remove the app under Login with Amazon in their account

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_AMAZON_ADS_CLIENT_ID and _CLIENT_SECRET with the security profile's Web Settings in "
            "Amazon's developer console."
        )
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor")))

    async def _ask(self, tokens: Tokens, check: str, url: str, query: Mapping[str, str] | None = None) -> Reply:
        headers = {**bearer(tokens), "Amazon-Advertising-API-ClientId": self._credentials.client_id}
        return await self._client.ask(check, "GET", url, headers=headers, query=query)

    async def _reached(
        self, tokens: Tokens, wanted: Collection[str] | None = None
    ) -> tuple[Mapping[str, Json], Sequence[Finding]]:
        """The profiles whose reports the login may view, by id, of no more regions than hold the `wanted` ones; and
        what regions said instead of a list. Raises NetworkError where none gave one.
        """
        reached: dict[str, Json] = {}
        refusals: list[Finding] = []
        for host in self._hosts:
            try:
                reply = await self._ask(tokens, _PROFILES, f"{host}/v2/profiles", _READABLE)
                profiles = listed(reply, reply.body, "list")  # all of them: Amazon has no pages here
            except NetworkError as error:
                refusals.append(_in_region(error.finding, host))
                continue
            reached |= {text(row, "profileId"): {**row, _HOST: host} for row in profiles if text(row, "profileId")}
            if wanted is not None and reached.keys() >= set(wanted):
                break
        if len(refusals) == len(self._hosts):
            raise NetworkError(_least_said(refusals))
        return reached, refusals

    async def _missing(self, tokens: Tokens, account_id: str) -> Finding:
        """What is to be said of an account that is in no region's list."""
        if not account_id.isdecimal():
            return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_PROFILE, code="not_a_profile_id"))
        refusals: list[Finding] = []
        for host in self._hosts:
            try:
                reply = await self._ask(tokens, _PROFILE, f"{host}/v2/profiles/{account_id}")
            except NetworkError as error:
                refusals.append(error.finding)
                continue
            if text(reply.body, "profileId") == account_id:
                return found(Verdict.ROLE_LOST, reply, "report")  # there for the login, its reports are not
            refusals.append(malformed(reply))
        return _least_said(refusals)


def _in_region(finding: Finding, host: str) -> Finding:
    """The same, with the region that said so: each has an outage of its own. Not of what its own hosts are not."""
    return replace(finding, evidence=replace(finding.evidence, region=_REGIONS.get(host, "")))


def _least_said(refusals: Sequence[Finding]) -> Finding:
    return next((one for verdict in _LEAST_SAID for one in refusals if one.verdict is verdict), refusals[0])


def _unheard(refusals: Sequence[Finding]) -> Finding | None:
    """What is known of accounts that may be in a region which gave no list, while another did."""
    if not refusals:
        return None
    least = _least_said(refusals)
    if least.verdict is not Verdict.PERMISSION_MISSING:
        return least
    return replace(least, verdict=Verdict.UNCLEAR)  # the grant is the same that another took


def _name(profile: Json) -> str:
    """An account's name is the same in each marketplace: the country tells them apart."""
    name = text(part(profile, "accountInfo"), "name") or text(profile, "profileId")
    country = text(profile, "countryCode")
    return f"{name} ({country})" if country else name


_SETTINGS = ("CLIENT_ID", "CLIENT_SECRET", "AUTHORIZE_URL", "TOKEN_URL")


def build(environment: Mapping[str, str], clock: Clock) -> AmazonAds | None:
    """Amazon Ads, if it has credentials. Raises SettingError.

    LAPSEBOT_AMAZON_ADS_API_URL may name several hosts with spaces between, one for each region; left out, all three.
    The login is North America's; the others differ in LAPSEBOT_AMAZON_ADS_AUTHORIZE_URL and _TOKEN_URL alone.
    """
    prefix = f"LAPSEBOT_{SPEC.slug.upper()}_"
    setting = f"{prefix}API_URL"
    # Name by name: `doctor` notes what is read, to tell of settings that nothing reads.
    own = {prefix + name: environment.get(prefix + name, "") for name in _SETTINGS}
    regions = [
        read_credentials(
            {**own, setting: api_url},
            SPEC.slug,
            authorize_url="https://www.amazon.com/ap/oa",
            token_url=f"https://api.amazon.com{_TOKEN_PATH}",
            api_url=api_url,
        )
        for api_url in environment.get(setting, "").split() or _API_URLS
    ]
    known = [region for region in regions if region is not None]
    return AmazonAds(known[0], [region.api_url for region in known], clock) if known else None


def _api(status: int, verdict: Verdict | None, check: str = _PROFILES) -> Example:
    return Example(reply=Reply(check=check, status=status, body={"code": str(status), "details": ""}), verdict=verdict)


def _login(status: int, verdict: Verdict | None, error: str, check: str = _TOKEN) -> Example:
    body = {"error": error, "error_description": "", "request_id": "-"}
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check=_PROFILES, status=200, body={"list": []}), verdict=None),
    _api(401, Verdict.UNCLEAR),
    _api(403, Verdict.PERMISSION_MISSING),
    Example(reply=Reply(check=_PROFILES, status=403, body={}), verdict=Verdict.UNCLEAR),
    _api(404, Verdict.UNCLEAR),
    _api(400, Verdict.UNCLEAR),
    _api(401, Verdict.ROLE_LOST, _PROFILE),
    _api(403, Verdict.ROLE_LOST, _PROFILE),
    _api(404, Verdict.ACCOUNT_GONE, _PROFILE),
    Example(reply=Reply(check=_PROFILE, status=404, body={}), verdict=Verdict.UNCLEAR),
    _api(429, Verdict.THROTTLED),
    _api(500, Verdict.NETWORK_DOWN),
    _api(504, Verdict.NETWORK_DOWN),
    _login(400, Verdict.EXPIRED, "invalid_grant"),
    _login(401, Verdict.OUR_FAULT, "invalid_client"),
    _login(400, Verdict.OUR_FAULT, "unauthorized_client"),
    _login(400, Verdict.UNCLEAR, "never_seen"),
    _login(429, Verdict.THROTTLED, "too_many_requests"),
    _login(500, Verdict.NETWORK_DOWN, "server_error"),
    _login(400, Verdict.UNCLEAR, "invalid_token", _USER),
    _login(401, Verdict.PERMISSION_MISSING, "insufficient_scope", _USER),
)
