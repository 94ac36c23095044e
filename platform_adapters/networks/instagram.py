"""Instagram: professional accounts that were connected with Instagram's own login, one account to a grant.

Instagram's ads, and accounts that a Facebook login reaches, are meta.py's. Sources: developers.facebook.com (Instagram
API with Instagram Login: business login, refresh_access_token, me, insights). There is no refresh token: access of 60
days renews itself once it is a day old. Nothing tells what a grant holds, so that something under each permission is
asked for. An account that was deleted, switched off or suspended is answered in one and the same way.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

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
from commands.ports.signals import Signals
from platform_adapters.networks import graph
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    listed,
    malformed,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
    diagnosed,
)
from platform_adapters.networks.signed_requests import SignedRequests

_BASIC, _INSIGHTS = "instagram_business_basic", "instagram_business_manage_insights"
PROFILE = Permission(label="View profile and access media", satisfied_by=frozenset({_BASIC}))
INSIGHTS = Permission(label="Access and manage insights", satisfied_by=frozenset({_INSIGHTS}))

SPEC = NetworkSpec(
    slug="instagram",
    name="Instagram",
    aliases=("ig", "insta"),
    permissions=(PROFILE, INSIGHTS),
    parent_label=None,
    login_label="the Instagram account's own login",
    reconnect_requirement="the login of the Instagram account itself",
    stops=("reach and audience insights", "results of posts and stories"),
    checklist=(
        "Have the login of the Instagram account {account} at hand.",
        "Instagram takes whichever account this browser is logged in to: switch to {account} there first.",
        "It has to be a professional account, business or creator: Instagram lets no other kind be connected.",
    ),
    switch_login="Instagram takes whichever account this browser is logged in to, and shows it: switch to the one "
    "expected at instagram.com first; then try again.",
    steps=(
        "Log in as the account, or check that the one Instagram shows is the right one.",
        "Leave every switch on and press Allow.",
    ),
    detects=frozenset(
        {
            Verdict.EXPIRED,
            Verdict.REVOKED,
            Verdict.CREDENTIAL_CHANGED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
        }
    ),
    causes={
        Verdict.EXPIRED: CauseText(
            happened="Instagram no longer accepts our access, which it gives for 60 days unless it is renewed in time.",
            mend="Whoever holds the account's login can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Our access was removed in the Instagram account's settings.",
            mend="Whoever holds the account's login can give it back by logging in again, in about a minute.",
        ),
        Verdict.CREDENTIAL_CHANGED: CauseText(
            happened="The Instagram password was changed, so Instagram closed our access.",
            mend="Whoever has the new password can mend it by logging in again, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="Instagram wants something confirmed before this login can be used by apps.",
            mend="Log in at instagram.com, do what it asks, then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="A switch that we need was left off on Instagram's page.",
            mend="Reconnect and leave every switch on.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="This login no longer belongs to this Instagram account.",
            mend="Whoever holds the account's login now can reconnect it.",
            not_helping="Reconnecting with the same login will not help before it has the account back.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="Instagram no longer shows this account: it was deleted, switched off or suspended.",
            mend="Log in at instagram.com, which says what happened; we notice when the account is back.",
            not_helping="Reconnecting will not help until that is solved.",
        ),
    },
    refresh_leeway=timedelta(days=30),
)

_RENEWS_FROM = timedelta(days=1)  # Instagram renews nothing younger
_TOKEN, _LONG_LIVED, _REFRESH = "token", "access_token", "refresh_access_token"
_ME, _ME_INSIGHTS = "me", "me/insights"
_OTHER = "other_account"
_NEEDED: Mapping[str, Sequence[str]] = {_ME_INSIGHTS: (INSIGHTS.label,)}
_ALWAYS_NEEDED = (PROFILE.label,)
_OF_THE_ACCOUNT = frozenset({Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE})
_TOO_MANY, _SERVER_ERROR = 429, 500

_LOGIN_REFUSALS: Mapping[str, Verdict] = {
    "Matching code was not found": Verdict.EXPIRED,
    "Invalid platform app": Verdict.OUR_FAULT,
    "Error validating client secret": Verdict.OUR_FAULT,
}
"""What api.instagram.com says beside its one code for everything, 400."""


def classify(reply: Reply) -> Finding | None:
    """Instagram's table: the login's own form of a refusal, then the Graph API's."""
    finding = _login_refusal(reply) or graph.classify(reply, _NEEDED.get(reply.check, _ALWAYS_NEEDED))
    if finding is not None and finding.verdict is Verdict.ACCOUNT_GONE and reply.check != _ME:
        # Only the account itself is told to be there or not; insights may be unknown of one that is.
        return replace(finding, verdict=Verdict.UNCLEAR)
    return finding


def _login_refusal(reply: Reply) -> Finding | None:
    message = text(reply.body, "error_message")
    if not message or reply.status == _TOO_MANY or reply.status >= _SERVER_ERROR:
        return None
    verdict = next((verdict for words, verdict in _LOGIN_REFUSALS.items() if words in message), Verdict.UNCLEAR)
    return found(verdict, reply, text(reply.body, "code") or None, subcode=text(reply.body, "error_type") or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    id: str
    name: str
    reply: Reply


class Instagram:
    """Instagram with our app's credentials."""

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
        # `again` needs nothing: the page has its switches every time. `force_authentication` would ask for a password
        # that not everybody has who is logged in to the account.
        return self._client.begin(state=state, redirect_uri=redirect_uri, scope=f"{_BASIC},{_INSIGHTS}")

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        reply = await self._redeem(answer.get("code", ""), redirect_uri)
        # By the documentation the answer is a list of one; it has been seen without the list.
        short = self._client.tokens(_only(reply.body))
        secret = self._credentials.client_secret.reveal()
        return await self._long_lived(_LONG_LIVED, short, grant_type="ig_exchange_token", client_secret=secret)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        if tokens.obtained_at is not None and self._clock.now() - tokens.obtained_at < _RENEWS_FROM:
            return None
        return await self._long_lived(_REFRESH, tokens, grant_type="ig_refresh_token")

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            own = await self._own(tokens)
            await self._ask_insights(tokens)
        except NetworkError as error:
            return _refused(error.finding, expected)
        other = found(Verdict.ROLE_LOST, own.reply, _OTHER)
        accounts = {item.account_id: healthy(_ME) if item.account_id == own.id else other for item in expected}
        return Probe(grant=healthy(_ME), accounts=accounts)

    async def discover(self, tokens: Tokens) -> Discovery:
        own = await self._own(tokens)
        granted = {_BASIC}
        try:
            await self._ask_insights(tokens)
            granted.add(_INSIGHTS)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.PERMISSION_MISSING:
                raise
        account = ReachedAccount(account_id=own.id, name=own.name, parent=None, finding=healthy(_ME))
        return Discovery(subject_id=own.id, subject_name=own.name, granted=frozenset(granted), accounts=(account,))

    async def revoke(self, tokens: Tokens) -> None:
        return  # Instagram documents no way for an app to do so: people remove it in their own settings

    def signals(self) -> Signals:
        """The ear for deauthorizations."""
        where = "Deauthorize callback URL, under Instagram business login settings, in the app at Meta"
        return SignedRequests(SPEC.slug, self._credentials.client_secret, where)

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_INSTAGRAM_CLIENT_ID and _CLIENT_SECRET with the Instagram app ID and secret at Meta, "
            "under API setup with Instagram login. They are not those of the Facebook app around it."
        )
        return await diagnosed(SPEC.name, mend, self._redeem("doctor", "https://localhost/"))

    async def _redeem(self, code: str, redirect_uri: str) -> Reply:
        form = {
            "grant_type": "authorization_code",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.reveal(),
            "redirect_uri": redirect_uri,
            "code": code,
        }
        return await self._client.ask(_TOKEN, "POST", self._credentials.token_url, form=form)

    async def _long_lived(self, check: str, tokens: Tokens, **query: str) -> Grant:
        """Access of 60 days for access that lives. These two questions Instagram takes in their address alone."""
        asked = {**query, "access_token": tokens.access.reveal()}
        reply = await self._client.ask(check, "GET", f"/{check}", query=asked)
        return Grant(tokens=self._client.tokens(reply.body))

    async def _own(self, tokens: Tokens) -> _Account:
        """The account that this login is. Raises NetworkError."""
        reply = await self._get(tokens, _ME, fields="user_id,username")
        row = _only(reply.body)
        account_id = text(row, "user_id")
        if not account_id:
            raise NetworkError(malformed(reply))
        return _Account(id=account_id, name=text(row, "username") or account_id, reply=reply)

    async def _ask_insights(self, tokens: Tokens) -> None:
        """Ask for a day's reach; what it was does not matter, and none is an answer too. Raises NetworkError."""
        reply = await self._get(tokens, _ME_INSIGHTS, metric="reach", period="day")
        listed(reply, reply.body, "data")

    async def _get(self, tokens: Tokens, check: str, **query: str) -> Reply:
        return await self._client.ask(check, "GET", f"/{check}", headers=bearer(tokens), query=query)


def _only(body: Json) -> Json:
    """The one entry of an answer that is a list, else the answer."""
    entries = rows(body, "data")
    return entries[0] if entries else body


def _refused(finding: Finding, expected: Sequence[Expected]) -> Probe:
    """A refusal that speaks of the account says nothing against the login."""
    if finding.verdict not in _OF_THE_ACCOUNT:
        return Probe(grant=finding)
    return Probe(grant=healthy(_ME), accounts={item.account_id: finding for item in expected})


def signals(environment: Mapping[str, str], clock: Clock) -> Signals | None:
    """Instagram's word that a person removed our app, if it has credentials. Raises SettingError."""
    built = build(environment, clock)
    return built.signals() if built is not None else None


def build(environment: Mapping[str, str], clock: Clock) -> Instagram | None:
    """Instagram, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://www.instagram.com/oauth/authorize",
        token_url="https://api.instagram.com/oauth/access_token",
        api_url="https://graph.instagram.com",
    )
    return Instagram(credentials, clock) if credentials is not None else None


def _login_example(message: str, verdict: Verdict | None) -> Example:
    body = {"error_type": "OAuthException", "code": 400, "error_message": message}
    return Example(reply=Reply(check=_TOKEN, status=400, body=body), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check=_ME, status=200, body={"user_id": "1", "username": "acme"}), verdict=None),
    Example(reply=Reply(check=_ME_INSIGHTS, status=200, body={"data": []}), verdict=None),
    *graph.examples(_ME),
    graph.example(_ME_INSIGHTS, 10, Verdict.PERMISSION_MISSING, message="(#10) Application does not have permission"),
    graph.example(_ME_INSIGHTS, 100, Verdict.UNCLEAR, 33, "Unsupported get request. Object with ID 'me' cannot be "),
    graph.example(_LONG_LIVED, 100, Verdict.OUR_FAULT, message="Error validating client secret."),
    graph.example(_REFRESH, 190, Verdict.EXPIRED, 463, "Error validating access token: Session has expired."),
    _login_example("Matching code was not found or was already used", Verdict.EXPIRED),
    _login_example("Invalid platform app", Verdict.OUR_FAULT),
    _login_example("Error validating client secret", Verdict.OUR_FAULT),
    _login_example("Something else", Verdict.UNCLEAR),
)
