"""X Ads (REST, version 12): OAuth 1.0a, access that never ends by itself; a login reaches the ad accounts of its roles.

Sources: xdevplatform/docs of August 2026 (authentication, accounts, authenticated user access, error codes).
Unconfirmed: values of `approval_status` beside ACCEPTED, what an expired login answers at the access token's address,
whether 32 is ever about a person. The state stands in the callback's query, which X lets an app send and register
nowhere: it compares the address before it (developer.x.com, "Callback URLs").
X refuses a revoked access and a bad signature of ours in the same words, so that our key is proved before a lapse.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from authlib.common.urls import add_params_to_uri

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
    Grouping,
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
    log_unknown,
    malformed,
    of_one_account,
    part,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    diagnosed,
    of_each,
)
from platform_adapters.networks.oauth1 import OUT_OF_BAND, OAuth1Client, Pair

_ADS = "ads"
ADS = Permission(label="See the ad accounts that you have access to, and their reports", satisfied_by=frozenset({_ADS}))

SPEC = NetworkSpec(
    slug="x_ads",
    name="X Ads",
    aliases=("x-ads", "xads", "twitter-ads", "twitterads"),
    grouping=Grouping.SUMMARY,
    permissions=(ADS,),
    parent_label=None,
    login_label="your own X account, with a role on the ad account",
    reconnect_requirement="an X account with the role Account administrator, Ad manager or Campaign analyst there",
    stops=("spend", "campaign reports"),
    checklist=(
        "Have the login of {subject} at hand: X asks for it anew, whoever is logged in there.",
        "That X account needs a role on the ad account {account} ({account_id}) at ads.x.com.",
    ),
    steps=(
        "X asks for the X account's name and password, and shows whose it is: check that it is the right one.",
        "X asks once for everything that we need: press Authorize app.",
    ),
    detects=frozenset(
        {
            Verdict.REVOKED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ACCOUNT_GONE,
            Verdict.ACCOUNT_DISABLED,
        }
    ),
    causes={
        Verdict.REVOKED: CauseText(
            happened="X ended our access: somebody removed it under Connected apps, or X did.",
            mend="Whoever holds the X account can give it back by logging in again, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="X has suspended or locked the X account that we read with.",
            mend="Whoever holds it can log in at x.com and do what X asks there, or appeal; then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="X does not let this login do what we need.",
            mend="Reconnect and press Authorize app; if that does not help, ask an account administrator at ads.x.com.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The login that we have may not read this ad account's campaigns any more.",
            mend="An account administrator can give it the role Campaign analyst at ads.x.com; or somebody who has a "
            "role there can reconnect.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="X does not show us this ad account any more: it was deleted, or the login has no role on it.",
            mend="An account administrator can say which at ads.x.com, and give the role back.",
            not_helping="Reconnecting with the same X account will not help before that.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="X has not approved this ad account.",
            mend="Its owner can ask X why at ads.x.com; we notice when it is back.",
            not_helping="Reconnecting will not help.",
        ),
    },
    denied_with="denied",
)

READING_ROLES = frozenset({"ACCOUNT_ADMIN", "AD_MANAGER", "CAMPAIGN_ANALYST"})
"""Those that see campaigns and their figures; creative managers and organic analysts do not."""

_PAGE = "1000"
_REFUSED, _UNAUTHORIZED, _TOO_MANY, _DOWN = 400, 401, 429, 500
_ACCOUNTS, _ACCOUNT, _ACCESS = "accounts", "accounts/{id}", "accounts/{id}/authenticated_user_access"
_REQUEST, _EXCHANGE = "oauth/request_token", "oauth/access_token"
_CALLBACK_UNKNOWN = "415"
_CODES: Mapping[str, Verdict] = {
    "UNAUTHORIZED_ACCESS": Verdict.REVOKED,
    "89": Verdict.REVOKED,
    "UNAUTHORIZED_CLIENT_APPLICATION": Verdict.OUR_FAULT,
    "READONLY_CLIENT_APPLICATION": Verdict.OUR_FAULT,
    "32": Verdict.OUR_FAULT,
    "215": Verdict.OUR_FAULT,
    "135": Verdict.OUR_FAULT,  # our clock
    _CALLBACK_UNKNOWN: Verdict.OUR_FAULT,
    "ACTION_NOT_ALLOWED": Verdict.PERMISSION_MISSING,
    "ACCOUNT_NOT_FOUND": Verdict.ACCOUNT_GONE,
    "NOT_FOUND": Verdict.ACCOUNT_GONE,
    "CURRENT_USER_SUSPENDED": Verdict.USER_BLOCKED,
    "ACCOUNT_LOCKED_OUT": Verdict.USER_BLOCKED,
    "64": Verdict.USER_BLOCKED,
    "326": Verdict.USER_BLOCKED,
}
_APPROVAL: Mapping[str, Verdict] = {
    "ACCEPTED": Verdict.HEALTHY,
    "UNDER_REVIEW": Verdict.HEALTHY,  # it has figures that can be read
    "REJECTED": Verdict.ACCOUNT_DISABLED,
}


def classify(reply: Reply) -> Finding | None:
    """X's table: the first error's code decides, in words for ads, a number for logins."""
    if reply.status < _REFUSED or reply.status >= _DOWN or reply.status == _TOO_MANY:
        return None
    code = next((text(error, "code") for error in rows(reply.body, "errors")), "")
    verdict = _CODES.get(code, Verdict.UNCLEAR)
    if reply.check == _EXCHANGE and reply.status == _UNAUTHORIZED and verdict is not Verdict.OUR_FAULT:
        verdict = Verdict.EXPIRED  # a login that was used before, or took too long; said in words alone
    elif verdict is Verdict.ACCOUNT_GONE and reply.check not in (_ACCOUNT, _ACCESS):
        verdict = Verdict.UNCLEAR  # nobody asked about an account
    missing = (ADS.label,) if verdict is Verdict.PERMISSION_MISSING else ()
    return found(verdict, reply, code or str(reply.status), missing=missing)


class XAds:
    """X Ads with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._client = NetworkClient(credentials, clock, classify, counts_each_login=True)
        self._login = OAuth1Client(credentials, self._client)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        request = await self._login.request_token(add_params_to_uri(redirect_uri, [("state", state)]))
        # Without the force whoever is logged in at X in this browser is taken without a question.
        asked = {"oauth_token": request.token, "force_login": "true"}
        if login_hint is not None:
            asked["screen_name"] = login_hint.removeprefix("@")
        return Begun(url=add_params_to_uri(self.login_url, list(asked.items())), secret=request.to_secret())

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        request = Pair.from_secret(Secret(code_verifier or ""))
        verifier = answer.get("oauth_verifier", "")
        if not verifier or not request.token or answer.get("oauth_token") != request.token:
            evidence = Evidence(check=_EXCHANGE, code="another_login")
            raise NetworkError(Finding(verdict=Verdict.EXPIRED, evidence=evidence))
        pair = await self._login.access_token(request, verifier)
        return Grant(tokens=Tokens(access=pair.to_secret(), obtained_at=self._clock.now()))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return None  # its tokens live until somebody takes them back

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        pair = Pair.from_secret(tokens.access)
        try:
            reached = await self._reached(pair)
            findings = await of_each(
                [item.account_id for item in expected],
                lambda account_id: self._account(pair, account_id, reached.get(account_id)),
            )
        except NetworkError as error:
            return Probe(grant=await self._proved(error.finding))
        return Probe(grant=healthy(_ACCOUNTS), accounts=findings)

    async def discover(self, tokens: Tokens) -> Discovery:
        pair = Pair.from_secret(tokens.access)
        try:
            reached = await self._reached(pair)
            findings = await of_each(
                list(reached), lambda account_id: self._account(pair, account_id, reached[account_id])
            )
        except NetworkError as error:
            raise NetworkError(await self._proved(error.finding)) from error
        handle, subject_id = pair.facts.get("screen_name", ""), pair.facts.get("user_id", "")
        if not subject_id:
            raise NetworkError(Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_EXCHANGE, code="no_user_id")))
        return Discovery(
            subject_id=subject_id,
            subject_name=f"@{handle}" if handle else subject_id,
            granted=frozenset({_ADS}),
            accounts=tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(reached[account_id], "name") or account_id,
                    parent=None,
                    finding=finding,
                )
                for account_id, finding in findings.items()
            ),
        )

    async def revoke(self, tokens: Tokens) -> None:
        url = f"{self._credentials.token_url.rpartition('/oauth/')[0]}/1.1/oauth/invalidate_token"
        try:
            await self._login.ask("oauth/invalidate_token", "POST", url, Pair.from_secret(tokens.access))
        except NetworkError:
            return

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_X_ADS_CLIENT_ID and _CLIENT_SECRET with the app's API key and its secret (OAuth 1.0a) in "
            "X's developer console. The app must be approved for the Ads API, and this machine's clock be right."
        )
        return await diagnosed(SPEC.name, mend, self._prove_key())

    async def _prove_key(self) -> None:
        """Ask for what only our key and secret decide. Raises NetworkError."""
        try:
            await self._login.request_token(OUT_OF_BAND)
        except NetworkError as error:
            if error.finding.evidence.code != _CALLBACK_UNKNOWN:  # after the signature was found good
                raise

    async def _proved(self, refusal: Finding) -> Finding:
        """A refusal of the access, once it is known that what was refused is not our own key."""
        if refusal.verdict is not Verdict.REVOKED:
            return refusal
        try:
            await self._prove_key()
        except NetworkError as error:
            return error.finding
        return refusal

    async def _reached(self, pair: Pair) -> Mapping[str, Json]:
        """The accounts that this login has a role on. Raises NetworkError."""
        reached: dict[str, Json] = {}
        query = {"count": _PAGE}
        while True:
            reply = await self._login.ask(_ACCOUNTS, "GET", "/accounts", pair, query)
            reached |= {text(row, "id"): row for row in listed(reply, reply.body, "data")}
            cursor = text(reply.body, "next_cursor")
            if not cursor or cursor == query.get("cursor"):
                return reached
            query = {**query, "cursor": cursor}

    async def _account(self, pair: Pair, account_id: str, row: Json | None) -> Finding:
        """Whether an account can be read, and by this login. Raises NetworkError for what is about neither."""
        try:
            if row is None:
                reply = await self._login.ask(
                    _ACCOUNT, "GET", f"/accounts/{account_id}", pair, {"with_deleted": "true"}
                )
                row = part(reply.body, "data")
                if text(row, "id") != account_id:
                    raise NetworkError(malformed(reply))
                if row.get("deleted") is True:
                    return found(Verdict.ACCOUNT_GONE, reply, "deleted")
            reply = await self._login.ask(_ACCESS, "GET", f"/accounts/{account_id}/authenticated_user_access", pair)
        except NetworkError as error:
            if error.finding.verdict is Verdict.PERMISSION_MISSING or of_one_account(error.finding):
                return error.finding
            raise
        return _access(reply, row)


def _access(reply: Reply, row: Json) -> Finding:
    access = part(reply.body, "data")
    if not isinstance(access.get("permissions"), list):
        raise NetworkError(malformed(reply))
    roles = items(access, "permissions")
    if not READING_ROLES.intersection(roles):
        return found(Verdict.ROLE_LOST, reply, ",".join(roles)[:80] or "no_role")
    approval = text(row, "approval_status")
    verdict = _APPROVAL.get(approval, Verdict.UNCLEAR)
    if verdict is Verdict.HEALTHY:
        return healthy(_ACCESS)
    if verdict is Verdict.UNCLEAR:
        log_unknown(SPEC.name, _ACCOUNTS, "approval_status", approval)
    return Finding(
        verdict=verdict, evidence=Evidence(check=_ACCOUNTS, code="approval_status", subcode=approval or None)
    )


def build(environment: Mapping[str, str], clock: Clock) -> XAds | None:
    """X Ads, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://api.x.com/oauth/authorize",
        token_url="https://api.x.com/oauth/access_token",
        api_url="https://ads-api.x.com/12",
    )
    return XAds(credentials, clock) if credentials is not None else None


def _example(status: int, verdict: Verdict | None, code: str | int = "", *, check: str = _ACCOUNTS) -> Example:
    body: Json = {"errors": [{"code": code, "message": ""}], "request": {"params": {}}} if code else {}
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check=_ACCOUNTS, status=200, body={"data": [], "next_cursor": None}), verdict=None),
    _example(401, Verdict.REVOKED, "UNAUTHORIZED_ACCESS"),
    _example(401, Verdict.REVOKED, 89),
    _example(401, Verdict.OUR_FAULT, 32),
    _example(400, Verdict.OUR_FAULT, 215),
    _example(401, Verdict.OUR_FAULT, 135),
    _example(401, Verdict.UNCLEAR),
    _example(403, Verdict.OUR_FAULT, "UNAUTHORIZED_CLIENT_APPLICATION"),
    _example(403, Verdict.OUR_FAULT, "READONLY_CLIENT_APPLICATION"),
    _example(403, Verdict.PERMISSION_MISSING, "ACTION_NOT_ALLOWED"),
    _example(403, Verdict.USER_BLOCKED, "CURRENT_USER_SUSPENDED"),
    _example(403, Verdict.USER_BLOCKED, "ACCOUNT_LOCKED_OUT"),
    _example(403, Verdict.USER_BLOCKED, 64),
    _example(403, Verdict.USER_BLOCKED, 326),
    _example(403, Verdict.ACCOUNT_GONE, "ACCOUNT_NOT_FOUND", check=_ACCESS),
    _example(404, Verdict.ACCOUNT_GONE, "NOT_FOUND", check=_ACCOUNT),
    _example(404, Verdict.UNCLEAR, "NOT_FOUND"),
    _example(403, Verdict.UNCLEAR, "NEVER_SEEN"),
    _example(400, Verdict.UNCLEAR, "INVALID_PARAMETER"),
    _example(429, Verdict.THROTTLED, "TOO_MANY_REQUESTS"),
    _example(500, Verdict.NETWORK_DOWN, "INTERNAL_ERROR"),
    _example(503, Verdict.NETWORK_DOWN, "OVER_CAPACITY"),
    _example(503, Verdict.NETWORK_DOWN, "SERVICE_UNAVAILABLE"),
    _example(401, Verdict.OUR_FAULT, 32, check=_REQUEST),
    _example(403, Verdict.OUR_FAULT, 415, check=_REQUEST),
    _example(401, Verdict.OUR_FAULT, 32, check=_EXCHANGE),
    _example(401, Verdict.EXPIRED, 89, check=_EXCHANGE),
    _example(401, Verdict.EXPIRED, check=_EXCHANGE),
)
