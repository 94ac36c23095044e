"""LinkedIn Marketing: standard OAuth, and a fixed term, after which a person has to consent again.

Sources: learn.microsoft.com/linkedin (authorization code flow, token introspection, ad account users). Unconfirmed, so
best effort or treated as unclear: the revoke endpoint, the symbolic name of 65602.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from commands.errors import NetworkError
from commands.model import Finding, Tokens, Verdict
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
    log_unknown,
    malformed,
    moment,
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

SPEC = NetworkSpec(
    slug="linkedin",
    name="LinkedIn",
    aliases=("li", "linked-in"),
    permissions=(
        Permission(label="See your advertising accounts", satisfied_by=frozenset({"r_ads", "rw_ads"})),
        Permission(label="See reports of your advertising accounts", satisfied_by=frozenset({"r_ads_reporting"})),
    ),
    parent_label=None,
    login_label="your personal LinkedIn profile",
    reconnect_requirement="a role on the ad account in LinkedIn's Campaign Manager",
    stops=("spend", "reports"),
    checklist=(
        "Log in to LinkedIn as {subject}.",
        "Check in Campaign Manager that this profile has a role on ad account {account_id}.",
    ),
    steps=("LinkedIn asks once for everything that we need: press Allow.",),
    term=timedelta(days=60),
    detects=frozenset(
        {
            Verdict.EXPIRED,
            Verdict.REVOKED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
        }
    ),
    causes={
        Verdict.EXPIRED: CauseText(
            happened="LinkedIn asks for a fresh consent every 60 days, or once a year where it lets apps renew it, and "
            "this one has run out.",
            mend="Whoever connected it can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Our access was removed in LinkedIn's settings.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The LinkedIn profile no longer has a role on this ad account.",
            mend="An account manager can give the role back in Campaign Manager; others with a role can reconnect.",
            not_helping="Reconnecting with the same profile will not help before that.",
        ),
    },
    cancelled_by=frozenset({"user_cancelled_login", "user_cancelled_authorize", "access_denied"}),
    fresh_grant_grace=timedelta(minutes=10),
)

_SCOPES = "r_ads r_ads_reporting openid profile"
_VERSION = "202607"  # Linkedin-Version: LinkedIn ends each a year later, this one in July 2027; then it answers 426
_INTROSPECT = "/oauth/v2/introspectToken"

_SERVICE_CODES: Mapping[str, Verdict] = {
    "65600": Verdict.REVOKED,  # asked for only after introspection has said that the token is active
    "65601": Verdict.REVOKED,
    "65602": Verdict.EXPIRED,
}
_NAMES: Mapping[str, Verdict] = {
    "RESTRICTED_MEMBER": Verdict.USER_BLOCKED,
    "RESOURCE_NOT_FOUND": Verdict.ACCOUNT_GONE,
}
_OAUTH_ERRORS: Mapping[str, Verdict] = {
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
    "invalid_redirect_uri": Verdict.OUR_FAULT,
    "invalid_grant": Verdict.EXPIRED,
    "invalid_request": Verdict.EXPIRED,
}
_GONE_STATUSES = frozenset({"CANCELED", "PENDING_DELETION", "REMOVED"})
_FORBIDDEN, _REFUSED, _OUTDATED = 403, 400, 426
_ACCOUNT = "adAccounts"
_DAY_LIMIT = "APPLICATION DAY limit"


def _patience(reply: Reply, now: datetime) -> datetime | None:
    """LinkedIn's words name the limit that was reached; that of our app for a day begins anew at 00:00 UTC."""
    if _DAY_LIMIT not in text(reply.body, "message"):
        return None
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def classify(reply: Reply) -> Finding | None:
    """LinkedIn's table: the service code decides, then the name, then OAuth's error."""
    if reply.status < _REFUSED:
        return None
    service, name, error = text(reply.body, "serviceErrorCode"), text(reply.body, "code"), text(reply.body, "error")
    verdict = _SERVICE_CODES.get(service) or _NAMES.get(name) or _OAUTH_ERRORS.get(error)
    if reply.status == _OUTDATED:
        verdict = Verdict.OUR_FAULT  # the version that we ask for has ended, whatever the words
    if verdict is Verdict.ACCOUNT_GONE and reply.check != _ACCOUNT:
        verdict = Verdict.UNCLEAR  # nobody asked about an account
    if verdict is None and reply.status == _FORBIDDEN and (name or service):
        verdict = Verdict.ROLE_LOST  # in LinkedIn's own words: something in front of it may refuse as well
    code = name or error or service or str(reply.status)
    return found(verdict, reply, code, subcode=service or None) if verdict is not None else None


class LinkedIn:
    """LinkedIn with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._client = NetworkClient(credentials, clock, classify, patience=_patience)
        # Introspection and revocation stand beside the token endpoint, not under the API's address.
        self._oauth = credentials.token_url.rpartition("/oauth/")[0]

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
        body = await self._client.exchange(code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=None)
        return self._grant(body, self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        if tokens.refresh is None:
            return None  # only approved marketing partners get one
        body = await self._client.refresh(tokens.refresh)
        return self._grant(body, self._client.tokens(body, refresh=tokens.refresh))

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            state = await self._introspect(tokens)
            refusal = _refusal(state)
            if refusal is not None:
                return Probe(grant=refusal)
            roles = await self._roles(tokens)
        except NetworkError as error:
            return Probe(grant=_doubted(error.finding, Verdict.UNCLEAR))
        told = await of_each([item.account_id for item in expected], lambda one: self._account(tokens, one, roles))
        accounts = {account_id: finding for account_id, (finding, _) in told.items()}
        ends = None if tokens.refresh is not None else moment(state.body, "expires_at")
        return Probe(grant=healthy("introspectToken"), accounts=accounts, ends_at=ends)

    async def discover(self, tokens: Tokens) -> Discovery:
        state = await self._introspect(tokens)
        refusal = _refusal(state)
        if refusal is not None and refusal.verdict is not Verdict.PERMISSION_MISSING:
            raise NetworkError(refusal)
        try:
            me = (await self._client.ask("userinfo", "GET", "/v2/userinfo", headers=bearer(tokens))).body
            roles = await self._roles(tokens)
        except NetworkError as error:
            # Somebody has just logged in: all that helps is to come back when LinkedIn knows it everywhere.
            raise NetworkError(_doubted(error.finding, Verdict.NETWORK_DOWN)) from error
        told = await of_each(list(roles), lambda one: self._account(tokens, one, roles))
        accounts = tuple(
            ReachedAccount(account_id=account_id, name=name, parent=None, finding=finding)
            for account_id, (finding, name) in told.items()
        )
        return Discovery(
            subject_id=text(me, "sub"), subject_name=text(me, "name"), granted=_scopes(state.body), accounts=accounts
        )

    async def revoke(self, tokens: Tokens) -> None:
        await self._client.revoke(f"{self._oauth}/oauth/v2/revoke", tokens.access)

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = "Compare LAPSEBOT_LINKEDIN_CLIENT_ID and _CLIENT_SECRET with the app's Auth page at LinkedIn."
        form = {**self._app(), "token": "doctor"}
        asked = self._client.ask("introspectToken", "POST", self._oauth + _INTROSPECT, form=form)
        return await diagnosed(SPEC.name, mend, asked)

    def _app(self) -> dict[str, str]:
        return {"client_id": self._credentials.client_id, "client_secret": self._credentials.client_secret.reveal()}

    def _grant(self, body: Json, tokens: Tokens) -> Grant:
        # With a refresh token the consent lasts as long as that one does, however often it is used; else as the access.
        ends = self._client.after(body, "refresh_token_expires_in") if tokens.refresh else tokens.access_expires_at
        return Grant(tokens=tokens, ends_at=ends)

    async def _introspect(self, tokens: Tokens) -> Reply:
        form = {**self._app(), "token": tokens.access.reveal()}
        return await self._client.ask("introspectToken", "POST", self._oauth + _INTROSPECT, form=form)

    async def _roles(self, tokens: Tokens) -> Mapping[str, str]:
        """The person's role on each ad account, by account id."""
        roles: dict[str, str] = {}
        while True:
            query = {"q": "authenticatedUser", "start": str(len(roles)), "count": "100"}
            reply = await self._client.ask(
                "adAccountUsers", "GET", "/rest/adAccountUsers", headers=_rest(tokens), query=query
            )
            elements = listed(reply, reply.body, "elements")
            fresh = {text(row, "account").rpartition(":")[2]: text(row, "role") for row in elements}
            if not fresh.keys() - roles.keys():
                return roles
            roles |= fresh

    async def _account(self, tokens: Tokens, account_id: str, roles: Mapping[str, str]) -> tuple[Finding, str]:
        """What is to be said of one account, and its name."""
        try:
            reply = await self._client.ask(_ACCOUNT, "GET", f"/rest/adAccounts/{account_id}", headers=_rest(tokens))
        except NetworkError as error:
            return _doubted(error.finding, Verdict.UNCLEAR), account_id
        name, status = text(reply.body, "name") or account_id, text(reply.body, "status")
        if not status:
            return malformed(reply), name
        if status in _GONE_STATUSES:
            return found(Verdict.ACCOUNT_GONE, reply, status), name
        if account_id not in roles:
            return found(Verdict.ROLE_LOST, reply, None), name
        return healthy(_ACCOUNT), name


def build(environment: Mapping[str, str], clock: Clock) -> LinkedIn | None:
    """LinkedIn, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://www.linkedin.com/oauth/v2/authorization",
        token_url="https://www.linkedin.com/oauth/v2/accessToken",
        api_url="https://api.linkedin.com",
    )
    return LinkedIn(credentials, clock) if credentials is not None else None


def _doubted(finding: Finding, verdict: Verdict) -> Finding:
    """What the API says of access that introspection has just called good: `verdict`, where that is that it ended.

    For minutes after a consent it says so falsely.
    """
    ended = finding.verdict in (Verdict.REVOKED, Verdict.EXPIRED)
    return replace(finding, verdict=verdict) if ended else finding


def _refusal(state: Reply) -> Finding | None:
    """What introspection says against the grant, if anything."""
    active = state.body.get("active")
    if not isinstance(active, bool):
        return malformed(state)
    if not active:
        status = text(state.body, "status")
        verdict = {"expired": Verdict.EXPIRED, "revoked": Verdict.REVOKED}.get(status, Verdict.UNCLEAR)
        if verdict is Verdict.UNCLEAR:
            log_unknown(SPEC.name, state.check, "status", status)
        return found(verdict, state, status or "inactive")
    if not isinstance(state.body.get("scope"), str):
        return malformed(state)
    scopes = _scopes(state.body)
    missing = [permission.label for permission in SPEC.permissions if not permission.satisfied_by & scopes]
    return found(Verdict.PERMISSION_MISSING, state, "scope", missing=missing) if missing else None


def _scopes(body: Json) -> frozenset[str]:
    return frozenset(text(body, "scope").replace(",", " ").split())


def _rest(tokens: Tokens) -> dict[str, str]:
    return {**bearer(tokens), "Linkedin-Version": _VERSION, "X-Restli-Protocol-Version": "2.0.0"}


def _example(status: int, verdict: Verdict | None, check: str = "adAccountUsers", /, **body: object) -> Example:
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


EXAMPLES = (
    _example(200, None, elements=[]),
    _example(401, Verdict.REVOKED, serviceErrorCode=65600, code="INVALID_ACCESS_TOKEN"),
    _example(401, Verdict.REVOKED, serviceErrorCode=65601, code="REVOKED_ACCESS_TOKEN"),
    _example(401, Verdict.EXPIRED, serviceErrorCode=65602, code="EXPIRED_ACCESS_TOKEN"),
    _example(401, Verdict.USER_BLOCKED, code="RESTRICTED_MEMBER"),
    _example(403, Verdict.ROLE_LOST, serviceErrorCode=100, code="ACCESS_DENIED"),
    _example(403, Verdict.UNCLEAR),
    _example(404, Verdict.ACCOUNT_GONE, _ACCOUNT, code="RESOURCE_NOT_FOUND"),
    _example(404, Verdict.UNCLEAR, code="RESOURCE_NOT_FOUND"),
    _example(426, Verdict.OUR_FAULT, code="NONEXISTENT_VERSION"),
    _example(426, Verdict.OUR_FAULT, message="never seen"),
    _example(400, Verdict.EXPIRED, "token", error="invalid_grant"),
    _example(400, Verdict.EXPIRED, "token", error="invalid_request"),
    _example(401, Verdict.OUR_FAULT, error="invalid_client"),
    _example(429, Verdict.THROTTLED, code="TOO_MANY_REQUESTS"),
    _example(503, Verdict.NETWORK_DOWN),
    _example(418, Verdict.UNCLEAR, code="NEVER_SEEN"),
)
