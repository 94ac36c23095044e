"""Pinterest ads (API v5): HTTP Basic at the token endpoint, and a refresh that is replaced and begins anew at each use.

Sources: Pinterest's OpenAPI description 5.23; the refusal of a grant (code 283) from its Python SDK's issue 114.
Unconfirmed: what separates scopes (a comma, as its tools do), how long access lives (its answer decides), what ended a
grant that is refused. Accounts carry no status, so that a disabled one is not told; only system users can be revoked.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

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
from commands.secret import Secret
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    items,
    listed,
    malformed,
    moved,
    of_one_account,
    part,
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

_READ_PROFILE, _READ_ADS = "user_accounts:read", "ads:read"
PROFILE = Permission(label="See your user accounts and followers", satisfied_by=frozenset({_READ_PROFILE}))
ADS = Permission(
    label="See all of your advertising data, including ads, ad groups, campaigns etc.",
    satisfied_by=frozenset({_READ_ADS}),
)
_IDLE = timedelta(days=60)

SPEC = NetworkSpec(
    slug="pinterest",
    name="Pinterest",
    aliases=("pin", "pins"),
    permissions=(PROFILE, ADS),
    parent_label="business account",
    login_label="a Pinterest business account",
    reconnect_requirement="the business account that owns it, or Business Access to it as Admin, Analyst or "
    "Campaign Manager",
    stops=("spend", "reports"),
    history=timedelta(days=90),  # API v5: "90 days before the current date"; reports ordered ahead reach 914
    checklist=(
        "Log in to Pinterest as {subject}.",
        "Or log in as the business account {parent}, which owns the ad account.",
        "Check under Business Access that this login is Admin, Analyst or Campaign Manager of ad account {account_id}.",
    ),
    steps=("Pinterest shows what we ask for: press Give access.",),
    detects=frozenset(
        {Verdict.REVOKED, Verdict.PERMISSION_MISSING, Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_MOVED}
    ),
    causes={
        Verdict.EXPIRED: CauseText(
            happened="Pinterest closes access that nothing has used for 60 days, and this one was not used.",
            mend="Whoever connected it can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Pinterest ended our access. It does not say why: access removed in the settings, or a changed "
            "password.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Pinterest login may no longer read this ad account's reports.",
            mend="The business account that owns it can give it Business Access as Admin, Analyst or Campaign Manager.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account now belongs to another business account on Pinterest.",
            mend="That business account, or somebody with Business Access to it, can connect it.",
            not_helping="Reconnecting under the old business account will not help.",
        ),
    },
)

_SCOPES = f"{_READ_PROFILE},{_READ_ADS}"
_READING_ROLES = frozenset({"OWNER", "ADMIN", "ANALYST", "CAMPAIGN_MANAGER"})
_REFUSED, _UNAUTHORIZED, _FORBIDDEN, _ABSENT = 400, 401, 403, 404
_BAD_SCOPE, _BAD_ROLE, _BAD_GRANT = "3", "29", "283"
_TOKEN, _USER, _ACCOUNT = "token", "user_account", "ad_accounts/{id}"
_PAGE = "250"


def classify(reply: Reply) -> Finding | None:
    """Pinterest's table: the HTTP status together with the code. 401 with another code than these is no verdict: only
    a refresh tells whether more than the access has ended.
    """
    code = text(reply.body, "code") or str(reply.status)
    if reply.status < _REFUSED:
        return None
    if reply.check == _TOKEN:
        return _token_refusal(reply, code)
    verdict = {
        (_UNAUTHORIZED, _BAD_SCOPE): Verdict.PERMISSION_MISSING,
        (_FORBIDDEN, _BAD_ROLE): Verdict.ROLE_LOST,
    }.get((reply.status, code))
    if reply.check == _ACCOUNT and reply.status == _ABSENT and "code" in reply.body:
        verdict = Verdict.ACCOUNT_GONE
    if verdict is None:
        unknown = reply.status in (_REFUSED, _UNAUTHORIZED, _FORBIDDEN, _ABSENT)
        return found(Verdict.UNCLEAR, reply, code) if unknown else None
    asked = PROFILE if reply.check == _USER else ADS
    missing = [asked.label] if verdict is Verdict.PERMISSION_MISSING else []
    return found(verdict, reply, code, missing=missing)


def _token_refusal(reply: Reply, code: str) -> Finding | None:
    """The grant has a code of its own; otherwise 401 is about the one login that this endpoint knows: our app's."""
    if code == _BAD_GRANT:
        return found(Verdict.EXPIRED, reply, code)
    return found(Verdict.OUR_FAULT, reply, code) if reply.status == _UNAUTHORIZED else None


class Pinterest:
    """Pinterest with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._client = NetworkClient(credentials, clock, classify, client_auth="client_secret_basic")

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        return self._client.begin(state=state, redirect_uri=redirect_uri, scope=_SCOPES)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        # Apps from before 25 September 2025 have to ask for the refresh that can be renewed; newer ones may.
        body = await self._client.exchange(
            code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=None, continuous_refresh="true"
        )
        return Grant(tokens=self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        idle = tokens.obtained_at is not None and self._clock.now() - tokens.obtained_at >= _IDLE
        # Its end moves on with each refresh, so that nobody ever has to consent again: no end is told.
        return await self._client.renew(tokens, refused=Verdict.EXPIRED if idle else Verdict.REVOKED)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reached = await self._reached(tokens)
            accounts = await of_expected(
                expected,
                reached,
                lambda row, item: _account_finding(row, item.parent),
                lambda item: self._missing(tokens, item),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        return Probe(grant=healthy("ad_accounts"), accounts=accounts)

    async def discover(self, tokens: Tokens) -> Discovery:
        reply = await self._get(tokens, _USER, "/user_account")
        name = text(reply.body, "username")
        if not name:
            raise NetworkError(malformed(reply))
        granted = frozenset({_READ_PROFILE, _READ_ADS})
        try:
            reached = await self._reached(tokens)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.PERMISSION_MISSING:
                raise
            reached, granted = {}, frozenset({_READ_PROFILE})
        return Discovery(
            subject_id=text(reply.body, "id") or name,
            subject_name=text(reply.body, "business_name") or name,
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
        return  # Pinterest lets apps do so for system users only: people remove the app in their own settings

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = "Compare LAPSEBOT_PINTEREST_CLIENT_ID and _CLIENT_SECRET with the app's page under My apps at Pinterest."
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor")))

    async def _get(self, tokens: Tokens, check: str, path: str, **query: str) -> Reply:
        return await self._client.ask(check, "GET", path, headers=bearer(tokens), query=query)

    async def _reached(self, tokens: Tokens) -> Mapping[str, Json]:
        """Every ad account that the login owns or has Business Access to, by id."""
        reached: dict[str, Json] = {}
        bookmark = ""
        while True:
            query = {
                "page_size": _PAGE,
                "include_shared_accounts": "true",
                **({"bookmark": bookmark} if bookmark else {}),
            }
            reply = await self._get(tokens, "ad_accounts", "/ad_accounts", **query)
            reached |= {text(row, "id"): row for row in listed(reply, reply.body, "items")}
            following = text(reply.body, "bookmark")
            if not following or following == bookmark:
                return reached
            bookmark = following

    async def _missing(self, tokens: Tokens, item: Expected) -> Finding:
        """What is to be said of an account that is in no list. Raises NetworkError where that cannot be asked now."""
        try:
            reply = await self._get(tokens, _ACCOUNT, f"/ad_accounts/{item.account_id}")
        except NetworkError as error:
            if of_one_account(error.finding):
                return error.finding
            raise
        return _account_finding(reply.body, item.parent) if text(reply.body, "id") else malformed(reply)


def _parent(row: Json) -> Parent | None:
    owner = part(row, "owner")
    return Parent(id=text(owner, "id"), name=text(owner, "username")) if text(owner, "id") else None


def _account_finding(row: Json, stored: Parent | None) -> Finding:
    elsewhere = moved("ad_accounts", "owner", _parent(row), stored)
    if elsewhere is not None:
        return elsewhere
    roles = items(row, "permissions")
    if roles and not _READING_ROLES.intersection(roles):
        return Finding(verdict=Verdict.ROLE_LOST, evidence=Evidence(check="ad_accounts", code=roles[0]))
    return healthy("ad_accounts")


def build(environment: Mapping[str, str], clock: Clock) -> Pinterest | None:
    """Pinterest, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://www.pinterest.com/oauth/",
        token_url="https://api.pinterest.com/v5/oauth/token",
        api_url="https://api.pinterest.com/v5",
    )
    return Pinterest(credentials, clock) if credentials is not None else None


def _example(status: int, verdict: Verdict | None, code: int, message: str = "", check: str = "ad_accounts") -> Example:
    return Example(reply=Reply(check=check, status=status, body={"code": code, "message": message}), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check="ad_accounts", status=200, body={"items": [], "bookmark": None}), verdict=None),
    _example(401, Verdict.UNCLEAR, 2, "Authentication failed."),
    _example(401, Verdict.PERMISSION_MISSING, 3, "Authorization failed."),
    _example(401, Verdict.PERMISSION_MISSING, 3, "Authorization failed.", _USER),
    _example(403, Verdict.ROLE_LOST, 29, "You are not permitted to access that resource."),
    _example(403, Verdict.UNCLEAR, 7, "never seen"),
    _example(404, Verdict.ACCOUNT_GONE, 50, "AdAccount not found", _ACCOUNT),
    _example(404, Verdict.UNCLEAR, 50, "never seen"),
    Example(reply=Reply(check=_ACCOUNT, status=404, body={}), verdict=Verdict.UNCLEAR),
    _example(429, Verdict.THROTTLED, 8, "This request exceeded a rate limit."),
    _example(500, Verdict.NETWORK_DOWN, 12, "Something went wrong on our end."),
    _example(401, Verdict.EXPIRED, 283, "The authorization grant is invalid", _TOKEN),
    _example(400, Verdict.EXPIRED, 283, "The authorization grant is invalid", _TOKEN),
    _example(401, Verdict.OUR_FAULT, 2, "Authentication failed.", _TOKEN),
    _example(400, Verdict.UNCLEAR, 1, "never seen", _TOKEN),
)
