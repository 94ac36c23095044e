"""Google's login, which YouTube and Google Ads share: consent, refresh, what a login holds, what its refusals mean.

Not a network: it has no SPEC. Sources: developers.google.com/identity (web server applications; expiration of refresh
tokens; revocation), google/api/error_reason.proto, and Google's own Node library, which asks `tokeninfo` by POST, so
that nothing secret stands in an address. Google gives no reason when a refresh token has died: see `_judged`.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from commands.errors import NetworkError
from commands.model import Finding, Tokens, Verdict
from commands.ports.chat import Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import Begun, CauseText, Grant, NetworkSpec
from commands.secret import Secret
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    malformed,
    part,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
    diagnosed,
)

AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URL = "https://oauth2.googleapis.com/token"

LOGIN_CAUSES: Mapping[Verdict, CauseText] = {
    Verdict.EXPIRED: CauseText(
        happened="Google ended our access, and does not say whether it had run out or was removed by somebody.",
        mend="Whoever connected it can give it back by logging in again, in about a minute.",
    ),
    Verdict.REVOKED: CauseText(
        happened="Our access was removed in the Google account.",
        mend="Whoever connected it can give it back by logging in again, in about a minute.",
    ),
    Verdict.PERMISSION_MISSING: CauseText(
        happened="A box that we need was left unticked on Google's page.",
        mend="Reconnect and leave every box ticked.",
    ),
    Verdict.USER_BLOCKED: CauseText(
        happened="Google wants something put right in the Google account itself before anyone may read with it.",
        mend="Log in at myaccount.google.com, turn on 2-Step Verification or do what Google asks, then reconnect.",
        not_helping="Reconnecting before that will not work.",
    ),
    Verdict.ADMIN_BLOCK: CauseText(
        happened="The company's Google administrators restrict apps like ours, or want a new login every few hours.",
        mend="IT can trust our app in Google's Admin console, under API controls.",
        not_helping="Reconnecting will not help for long before that.",
    ),
}
"""What ends a login at Google, in words for both of its networks."""

REASONS: Mapping[str, Verdict] = {
    "ACCESS_TOKEN_EXPIRED": Verdict.EXPIRED,
    "authError": Verdict.REVOKED,
    "authorizationRequired": Verdict.REVOKED,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Verdict.PERMISSION_MISSING,
    "insufficientPermissions": Verdict.PERMISSION_MISSING,
    "ACCOUNT_STATE_INVALID": Verdict.USER_BLOCKED,
    "SERVICE_DISABLED": Verdict.OUR_FAULT,
    "accessNotConfigured": Verdict.OUR_FAULT,
    "CONSUMER_INVALID": Verdict.OUR_FAULT,
    "CONSUMER_SUSPENDED": Verdict.OUR_FAULT,
    "RATE_LIMIT_EXCEEDED": Verdict.THROTTLED,
    "rateLimitExceeded": Verdict.THROTTLED,
    "userRateLimitExceeded": Verdict.THROTTLED,
    "quotaExceeded": Verdict.THROTTLED,
    "dailyLimitExceeded": Verdict.THROTTLED,
    "RESOURCE_EXHAUSTED": Verdict.THROTTLED,
    "backendError": Verdict.NETWORK_DOWN,
    "UNAVAILABLE": Verdict.NETWORK_DOWN,
    "UNAUTHENTICATED": Verdict.REVOKED,
}
"""Refusals that all of Google's APIs share. They come after a network's own, which are more exact."""

REFUSED_BY: Mapping[str, Verdict] = {
    "admin_policy_enforced": Verdict.ADMIN_BLOCK,
    "org_internal": Verdict.OUR_FAULT,
    "disallowed_useragent": Verdict.OUR_FAULT,
}
"""What Google's login page says at the callback instead of a login ("Using OAuth 2.0 for Web Server Applications")."""

_OAUTH_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "invalid_token": Verdict.EXPIRED,
    "admin_policy_enforced": Verdict.ADMIN_BLOCK,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
    "deleted_client": Verdict.OUR_FAULT,
    "disabled_client": Verdict.OUR_FAULT,
    "redirect_uri_mismatch": Verdict.OUR_FAULT,
    "org_internal": Verdict.OUR_FAULT,
}
_RAPT = "invalid_rapt"
_ACCOUNT_DELETED = "has been deleted"  # beside invalid_grant; seen as "Account …" and as "The account …"
_UNEXPLAINED = frozenset({"authError", "authorizationRequired", "UNAUTHENTICATED"})
"""Refusals that say no more than that this access is not accepted."""
_ENDED = frozenset({Verdict.EXPIRED, Verdict.REVOKED})
_TOKEN_INFO = "tokeninfo"
_REFUSED, _TOO_MANY, _SERVER_ERROR = 400, 429, 500
_CLOCKS_DIFFER = timedelta(minutes=2)

_Answer = TypeVar("_Answer")


def classify(reply: Reply, own: Mapping[str, Verdict], codes: Callable[[Json], Iterator[str]]) -> Finding | None:
    """Google's table. `own` are a network's codes, which `codes` finds in an error, the most exact first."""
    if reply.status < _REFUSED:
        return None
    if isinstance(reply.body.get("error"), str) or reply.check == _TOKEN_INFO:
        return _oauth_refusal(reply)
    error = part(reply.body, "error")
    told = list(codes(error)) or [text(error, "status")]
    for table in (own, REASONS):
        for code in told:
            if code in table:
                return found(table[code], reply, code)
    if not told[0] or reply.status == _TOO_MANY or reply.status >= _SERVER_ERROR:
        return None  # the HTTP status says enough
    return found(Verdict.UNCLEAR, reply, told[0])


def _oauth_refusal(reply: Reply) -> Finding | None:
    """A refusal of the login's own endpoints, in OAuth's form."""
    error, described = text(reply.body, "error"), text(reply.body, "error_description")
    if reply.status == _TOO_MANY or reply.status >= _SERVER_ERROR:
        return None
    if not error and reply.check == _TOKEN_INFO and described:
        error = "invalid_token"  # of tokeninfo's two forms, the one that has no code
    subtype = text(reply.body, "error_subtype")
    if error == "invalid_grant" and (subtype == _RAPT or _RAPT in described):
        return found(Verdict.ADMIN_BLOCK, reply, error, subcode=_RAPT)
    if error == "invalid_grant" and _ACCOUNT_DELETED in described:
        return found(Verdict.USER_BLOCKED, reply, error, subcode="account_deleted")
    verdict = _OAUTH_ERRORS.get(error, Verdict.UNCLEAR)
    return found(verdict, reply, error or str(reply.status), subcode=subtype or None)


def reasons(error: Json) -> Iterator[str]:
    """The codes of an error of Google's APIs, the most exact first."""
    for detail in rows(error, "details"):
        if text(detail, "reason"):
            yield text(detail, "reason")
    for row in rows(error, "errors"):
        if text(row, "reason"):
            yield text(row, "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What Google says of a login."""

    subject_id: str
    """Empty where no permission was asked for that tells who it is."""
    email: str
    scopes: frozenset[str]
    reply: Reply


class GoogleLogin:
    """Logins at Google with our app's credentials, for one of its networks."""

    def __init__(
        self,
        spec: NetworkSpec,
        scopes: str,
        credentials: Credentials,
        clock: Clock,
        client: NetworkClient,
        *,
        alone: bool,
    ) -> None:
        self._spec = spec
        self._alone = alone
        self._scopes = scopes
        self._credentials = credentials
        self._clock = clock
        self._client = client
        # What tells of a token and what revokes it stand beside the token endpoint, not under an API's address.
        self._beside = credentials.token_url.rpartition("/")[0]

    def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, chooser: bool
    ) -> Begun:
        """A login of Google's. `chooser`: always ask which account, and on YouTube which channel."""
        return self._client.begin(
            state=state,
            redirect_uri=redirect_uri,
            scope=self._scopes,
            code_challenge=code_challenge,
            access_type="offline",
            # Without a new consent Google leaves the refresh token out of every grant but the first.
            prompt="consent select_account" if chooser else "consent",
            include_granted_scopes="true",
            login_hint=login_hint,
        )

    async def exchange(self, *, code: str, redirect_uri: str, code_verifier: str | None) -> Grant:
        """Exchange a code. Raises NetworkError."""
        body = await self._client.exchange(code=code, redirect_uri=redirect_uri, code_verifier=code_verifier)
        return self._grant(body, None)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        """Get fresh access; None for a grant that cannot. A refusal is judged. Raises NetworkError."""
        if tokens.refresh is None:
            return None
        try:
            return self._grant(await self._client.refresh(tokens.refresh), tokens.refresh)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.EXPIRED:
                raise
            raise NetworkError(await self._judged(tokens, error.finding)) from error

    async def held(self, tokens: Tokens) -> Held:
        """Ask what a login holds. Raises NetworkError."""
        address = f"{self._beside}/tokeninfo"
        reply = await self._client.ask(_TOKEN_INFO, "POST", address, headers=bearer(tokens), form={})
        if not isinstance(reply.body.get("scope"), str):
            raise NetworkError(malformed(reply))
        scopes = frozenset(text(reply.body, "scope").split())
        return Held(subject_id=text(reply.body, "sub"), email=text(reply.body, "email"), scopes=scopes, reply=reply)

    def lacking(self, held: Held) -> Finding | None:
        """What a login does not hold of what reading needs: the boxes that were left unticked."""
        missing = [one.label for one in self._spec.permissions if not one.satisfied_by & held.scopes]
        return found(Verdict.PERMISSION_MISSING, held.reply, "scope", missing=missing) if missing else None

    async def named(self, tokens: Tokens, refused: Finding) -> Finding:
        """A refusal for want of a permission, with the boxes that were left unticked; unclear where none was."""
        return self.lacking(await self.held(tokens)) or replace(refused, verdict=Verdict.UNCLEAR)

    async def living(self, tokens: Tokens, ask: Callable[[Tokens], Awaitable[_Answer]]) -> _Answer:
        """Ask with this login's access, and once more with fresh access where Google no longer accepts it.

        A refresh at Google ends nothing that was issued before, so the fresh access is used here and thrown away.
        Raises NetworkError.
        """
        try:
            return await ask(tokens)
        except NetworkError as error:
            if error.finding.verdict not in _ENDED:
                raise
            ended = error.finding
        fresh = await self._renewed(tokens, ended)
        try:
            return await ask(fresh)
        except NetworkError as error:
            if error.finding.verdict not in _ENDED:
                raise
            # Google has just issued this access, so the grant lives, whatever its API means.
            raise NetworkError(replace(error.finding, verdict=Verdict.UNCLEAR)) from error

    async def revoke(self, tokens: Tokens) -> None:
        """Give a grant back, best effort. Nothing is done where that would end grants to another network as well."""
        if not self._alone:
            return
        token = tokens.refresh or tokens.access
        try:
            await self._client.ask("revoke", "POST", f"{self._beside}/revoke", form={"token": token.reveal()})
        except NetworkError:
            return

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Check the app's credentials. Raises nothing."""
        prefix = f"LAPSEBOT_{self._spec.slug.upper()}"
        mend = f"Compare {prefix}_CLIENT_ID and _CLIENT_SECRET with the client in Google Cloud, Google Auth Platform."
        return await diagnosed(self._spec.name, mend, self._client.refresh(Secret("doctor")))

    def _grant(self, body: Json, refresh: Secret | None) -> Grant:
        # Told only of grants with an end: seven days while the app is being tested, or as long as the person chose.
        return Grant(
            tokens=self._client.tokens(body, refresh=refresh),
            ends_at=self._client.after(body, "refresh_token_expires_in"),
        )

    async def _renewed(self, tokens: Tokens, ended: Finding) -> Tokens:
        """Fresh access for a login whose access was refused. Raises the cause where there is none to be had."""
        if tokens.refresh is None:
            raise NetworkError(self._dated(tokens, ended))
        try:
            body = await self._client.refresh(tokens.refresh)
        except NetworkError as error:
            if error.finding.verdict is Verdict.EXPIRED:
                raise NetworkError(self._dated(tokens, ended)) from error
            raise
        return self._client.tokens(body, refresh=tokens.refresh)

    def _dated(self, tokens: Tokens, ended: Finding) -> Finding:
        """A refusal without a reason came before the access was to end, so it was removed; or after, which says
        nothing.
        """
        unexplained = ended.evidence.code in _UNEXPLAINED and not self._has_time_left(tokens)
        return replace(ended, verdict=Verdict.EXPIRED) if unexplained else ended

    async def _judged(self, tokens: Tokens, refused: Finding) -> Finding:
        """What a refused refresh means.

        Removed by the person or an administrator, Google ends the access at the same moment. Where the refresh alone
        died (six months unused, seven days of an app in testing, more than 100 grants), what was issued goes on.
        """
        if not self._has_time_left(tokens):
            return refused
        try:
            await self.held(tokens)
        except NetworkError as error:
            if error.finding.evidence.code == "invalid_token":
                return replace(refused, verdict=Verdict.REVOKED)
        return refused

    def _has_time_left(self, tokens: Tokens) -> bool:
        end = tokens.access_expires_at
        return end is not None and end - self._clock.now() > _CLOCKS_DIFFER


def alone_in_project(environment: Mapping[str, str], slug: str, client_id: str) -> bool:
    """Whether no other network here has an app in the same Google Cloud project.

    Google counts grants by person and project: to give one back is to end them all. The number before a client id's
    first hyphen is its project's.
    """
    own = f"LAPSEBOT_{slug.upper()}_CLIENT_ID"
    others = [environment[name] for name in environment if name.endswith("_CLIENT_ID") and name != own]
    return client_id.partition("-")[0] not in {value.partition("-")[0] for value in others}


def _login_example(status: int, verdict: Verdict | None, check: str = "token", /, **body: object) -> Example:
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


def _api_example(status: int, verdict: Verdict, /, **error: object) -> Example:
    return Example(reply=Reply(check="api", status=status, body={"error": {"code": status, **error}}), verdict=verdict)


LOGIN_EXAMPLES = (
    _login_example(200, None, access_token="-", expires_in=3599),
    _login_example(400, Verdict.EXPIRED, error="invalid_grant", error_description="Token has been expired or revoked."),
    _login_example(
        400,
        Verdict.ADMIN_BLOCK,
        error="invalid_grant",
        error_description="reauth related error (invalid_rapt)",
        error_subtype="invalid_rapt",
    ),
    _login_example(400, Verdict.USER_BLOCKED, error="invalid_grant", error_description="Account has been deleted"),
    _login_example(400, Verdict.ADMIN_BLOCK, error="admin_policy_enforced"),
    _login_example(401, Verdict.OUR_FAULT, error="invalid_client"),
    _login_example(400, Verdict.OUR_FAULT, error="unauthorized_client"),
    _login_example(401, Verdict.OUR_FAULT, error="deleted_client"),
    _login_example(400, Verdict.OUR_FAULT, error="redirect_uri_mismatch"),
    _login_example(400, Verdict.UNCLEAR, error="never_seen"),
    _login_example(503, Verdict.NETWORK_DOWN, error="internal_failure"),
    _login_example(400, Verdict.EXPIRED, "tokeninfo", error="invalid_token", error_description="Invalid Value"),
    _login_example(400, Verdict.EXPIRED, "tokeninfo", error_description="Invalid Value"),
    _api_example(401, Verdict.EXPIRED, status="UNAUTHENTICATED", details=[{"reason": "ACCESS_TOKEN_EXPIRED"}]),
    _api_example(401, Verdict.REVOKED, status="UNAUTHENTICATED", errors=[{"reason": "authError"}]),
    _api_example(401, Verdict.USER_BLOCKED, status="UNAUTHENTICATED", details=[{"reason": "ACCOUNT_STATE_INVALID"}]),
    _api_example(
        403,
        Verdict.PERMISSION_MISSING,
        status="PERMISSION_DENIED",
        details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}],
    ),
    _api_example(403, Verdict.OUR_FAULT, status="PERMISSION_DENIED", details=[{"reason": "SERVICE_DISABLED"}]),
    _api_example(403, Verdict.UNCLEAR, status="PERMISSION_DENIED"),
    _api_example(403, Verdict.THROTTLED, errors=[{"reason": "rateLimitExceeded"}]),
    _api_example(429, Verdict.THROTTLED, status="RESOURCE_EXHAUSTED"),
    _api_example(429, Verdict.THROTTLED, status="NEVER_SEEN"),
    _api_example(503, Verdict.NETWORK_DOWN, status="UNAVAILABLE"),
    _api_example(500, Verdict.NETWORK_DOWN, status="INTERNAL"),
)
"""Examples of what both networks meet."""
