"""Reddit Ads (API v3): HTTP Basic and an own User-Agent everywhere, access of a day or less, a refresh without end.

Sources: prawcore 4.0 for the login (errors may come with HTTP 200, a generic User-Agent is answered with 429); clients
that were generated from Reddit's own description of the Ads API for the rest. Unconfirmed: how long access lives (its
answer decides), what an account's answer is to somebody without a role, the consent page's name for `adsread`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qsl, urlsplit

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

_SCOPE = "adsread"
ADS = Permission(label="Read your ads and ad accounts", satisfied_by=frozenset({_SCOPE}))

SPEC = NetworkSpec(
    slug="reddit",
    name="Reddit",
    aliases=("reddit-ads", "rd"),
    permissions=(ADS,),
    parent_label="business",
    login_label="the Reddit user who is a member of the business",
    reconnect_requirement="a role on the ad account in its business in Reddit Ads",
    stops=("spend", "reports"),
    checklist=(
        "Log in to Reddit as {subject}, or as another member of business {parent}.",
        "Check in Reddit Ads that this user has a role on ad account {account_id}.",
    ),
    steps=("Reddit shows which user is logged in: check the name.", "Press Allow."),
    switch_login="Reddit's page shows which user is logged in. If it is another one, log out at reddit.com in this "
    "browser first; then try again.",
    detects=frozenset(
        {
            Verdict.REVOKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
            Verdict.ACCOUNT_MOVED,
            Verdict.ACCOUNT_DISABLED,
        }
    ),
    causes={
        Verdict.REVOKED: CauseText(
            happened="Reddit ended our access. It does not say why: access removed in the user's app settings, or a "
            "changed password.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="Reddit does not let this user read ads through us.",
            mend="Reconnect and press Allow for everything on Reddit's page.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Reddit user no longer has a role on this ad account.",
            mend="An administrator of the business in Reddit Ads can give it back; others with a role can reconnect.",
            not_helping="Reconnecting with the same user will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account now belongs to another business in Reddit Ads.",
            mend="A member of that business can connect it; if the move was a mistake, move it back in Reddit Ads.",
            not_helping="Reconnecting under the old business will not help.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="Reddit has suspended this ad account, for example over billing or a policy.",
            mend="Whoever runs the account can solve that with Reddit; we notice when it is back.",
            not_helping="Reconnecting will not help.",
        ),
    },
)

_REFUSED = 400
_TOKEN, _BUSINESSES, _QUERY, _ACCOUNT = "token", "me/businesses", "ad_accounts/query", "ad_accounts"
_OAUTH_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "invalid_request": Verdict.EXPIRED,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
}
_STATUSES: Mapping[str, Mapping[int, Verdict]] = {
    _TOKEN: {401: Verdict.OUR_FAULT},  # Basic names our app; the grant is refused by name
    _QUERY: {401: Verdict.UNCLEAR, 403: Verdict.ROLE_LOST},
    _ACCOUNT: {401: Verdict.UNCLEAR, 403: Verdict.ROLE_LOST, 404: Verdict.ACCOUNT_GONE},
}
_OTHER_STATUSES: Mapping[int, Verdict] = {401: Verdict.UNCLEAR, 403: Verdict.PERMISSION_MISSING}
_PAGE = "100"
_SUSPENSIONS = frozenset({"ADVERTISING_POLICY", "BEHAVIOR", "FRAUD", "KYC_CHECK_FAILED", "OTHER"})
_SHUT = frozenset({"BANNED", "SUSPENDED"})


def classify(reply: Reply) -> Finding | None:
    """Reddit's table. At the login an error's name decides, whatever the status; elsewhere the status does.

    401 is no verdict: access lives for a day or less, and only a refresh tells whether more than that has ended.
    """
    error = text(reply.body, "error")
    if reply.check == _TOKEN and error in _OAUTH_ERRORS:
        return found(_OAUTH_ERRORS[error], reply, error)
    if reply.status < _REFUSED:
        return found(Verdict.UNCLEAR, reply, error) if reply.check == _TOKEN and error else None
    verdict = _STATUSES.get(reply.check, _OTHER_STATUSES).get(reply.status)
    if verdict is None or "error" not in reply.body:
        return None  # not known, or not the API's own words: Reddit's front door refuses with a page
    code = text(part(reply.body, "error"), "code") or str(reply.status)
    return found(verdict, reply, code, missing=[ADS.label] if verdict is Verdict.PERMISSION_MISSING else [])


class Reddit:
    """Reddit with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        agent = f"web:lapsebot.{credentials.client_id}:v1"  # the form that Reddit asks for, and no other client's
        self._client = NetworkClient(credentials, clock, classify, user_agent=agent, client_auth="client_secret_basic")

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
            scope=_SCOPE,
            duration="permanent",  # without it there is nothing to refresh with
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = await self._client.exchange(code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=None)
        return Grant(tokens=self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return await self._client.renew(tokens, refused=Verdict.REVOKED)  # it has no end of its own

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            names = await self._businesses(tokens)
            parents = {item.parent.id for item in expected if item.parent is not None}
            likely_first = sorted(names, key=lambda business_id: business_id not in parents)
            reached = await self._reached(tokens, likely_first, {item.account_id for item in expected})
            accounts = await of_expected(
                expected,
                reached,
                lambda row, item: _account_finding(row, item.parent, names),
                lambda item: self._missing(tokens, item, names),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        return Probe(grant=healthy(_BUSINESSES), accounts=accounts)

    async def discover(self, tokens: Tokens) -> Discovery:
        reply = await self._ask(tokens, "me", "/me")
        me = part(reply.body, "data")
        user_id = text(me, "reddit_user_id") or text(me, "id")
        if not user_id:
            raise NetworkError(malformed(reply))
        names = await self._businesses(tokens)
        reached = await self._reached(tokens, names)
        return Discovery(
            subject_id=user_id,
            subject_name=text(me, "reddit_username") or user_id,
            granted=frozenset({_SCOPE}),
            accounts=tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(row, "name") or account_id,
                    parent=_parent(row, names),
                    finding=_account_finding(row, None, names),
                )
                for account_id, row in reached.items()
            ),
        )

    async def revoke(self, tokens: Tokens) -> None:
        held = tokens.refresh or tokens.access  # with the refresh all access from it ends
        kind = "refresh_token" if tokens.refresh is not None else "access_token"
        url = f"{self._credentials.token_url.rpartition('/')[0]}/revoke_token"
        await self._client.revoke(url, held, kind)

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_REDDIT_CLIENT_ID and _CLIENT_SECRET with the developer application in Reddit Ads. "
            "It must be a web app, whose redirect address is this bot's."
        )
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor")))

    async def _ask(self, tokens: Tokens, check: str, path: str, **page: str) -> Reply:
        headers = bearer(tokens)
        if check == _QUERY:
            return await self._client.ask(check, "POST", path, headers=headers, query=page, json={"data": {}})
        return await self._client.ask(check, "GET", path, headers=headers, query=page)

    async def _pages(self, tokens: Tokens, check: str, path: str) -> Sequence[Json]:
        """All of a list. Of the next page's address only its query is followed: what we hold is sent nowhere else."""
        found_so_far: list[Json] = []
        page = {"page.size": _PAGE}
        while True:
            reply = await self._ask(tokens, check, path, **page)
            found_so_far += listed(reply, reply.body, "data")
            following = dict(parse_qsl(urlsplit(text(part(reply.body, "pagination"), "next_url")).query))
            if not following or following == page:
                return found_so_far
            page = following

    async def _businesses(self, tokens: Tokens) -> Mapping[str, str]:
        """The names of the businesses that the user is a member of, by id."""
        members = await self._pages(tokens, _BUSINESSES, "/me/businesses")
        return {text(row, "id"): text(row, "name") for row in members if text(row, "id")}

    async def _reached(
        self, tokens: Tokens, business_ids: Iterable[str], wanted: Collection[str] | None = None
    ) -> Mapping[str, Json]:
        """The ad accounts that businesses own or were given, by id; no more businesses than hold the `wanted` ones.

        One after the other: Reddit allows about one question a second.
        """
        reached: dict[str, Json] = {}
        for business_id in business_ids:
            if wanted is not None and reached.keys() >= set(wanted):
                break
            try:
                accounts = await self._pages(tokens, _QUERY, f"/businesses/{business_id}/ad_accounts/query")
            except NetworkError as error:
                if error.finding.verdict is not Verdict.ROLE_LOST:
                    raise
                continue  # a member who may not list: each account is asked for by itself
            reached |= {text(row, "id"): row for row in accounts if text(row, "id")}
        return reached

    async def _missing(self, tokens: Tokens, item: Expected, names: Mapping[str, str]) -> Finding:
        """What is to be said of an account that is in no list. Raises NetworkError where that cannot be asked now."""
        try:
            reply = await self._ask(tokens, _ACCOUNT, f"/ad_accounts/{item.account_id}")
        except NetworkError as error:
            if of_one_account(error.finding):
                return error.finding
            raise
        row = part(reply.body, "data")
        return _account_finding(row, item.parent, names) if text(row, "id") else malformed(reply)


def _parent(row: Json, names: Mapping[str, str]) -> Parent | None:
    business_id = text(row, "business_id")
    return Parent(id=business_id, name=names.get(business_id) or business_id) if business_id else None


def _account_finding(row: Json, stored: Parent | None, names: Mapping[str, str]) -> Finding:
    elsewhere = moved(_ACCOUNT, "business_id", _parent(row, names), stored)
    if elsewhere is not None:
        return elsewhere
    reason, approval = text(row, "suspension_reason"), text(row, "admin_approval")
    if reason or approval in _SHUT:
        code = reason if reason in _SUSPENSIONS else approval if approval in _SHUT else "suspension_reason"
        return Finding(verdict=Verdict.ACCOUNT_DISABLED, evidence=Evidence(check=_ACCOUNT, code=code))
    return healthy(_ACCOUNT)


def build(environment: Mapping[str, str], clock: Clock) -> Reddit | None:
    """Reddit, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://www.reddit.com/api/v1/authorize",
        token_url="https://www.reddit.com/api/v1/access_token",
        api_url="https://ads-api.reddit.com/api/v3",
    )
    return Reddit(credentials, clock) if credentials is not None else None


def _api(status: int, verdict: Verdict | None, check: str = _BUSINESSES) -> Example:
    body: Json = {"data": []} if status < _REFUSED else {"error": {"code": status, "message": ""}}
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


def _login(status: int, verdict: Verdict | None, error: object) -> Example:
    return Example(reply=Reply(check=_TOKEN, status=status, body={"error": error}), verdict=verdict)


EXAMPLES = (
    _api(200, None),
    _api(401, Verdict.UNCLEAR),
    _api(403, Verdict.PERMISSION_MISSING),
    _api(403, Verdict.ROLE_LOST, _QUERY),
    _api(403, Verdict.ROLE_LOST, _ACCOUNT),
    _api(404, Verdict.ACCOUNT_GONE, _ACCOUNT),
    _api(404, Verdict.UNCLEAR),
    Example(reply=Reply(check=_BUSINESSES, status=403, body={}), verdict=Verdict.UNCLEAR),
    Example(reply=Reply(check=_ACCOUNT, status=404, body={}), verdict=Verdict.UNCLEAR),
    _api(429, Verdict.THROTTLED),
    _api(500, Verdict.NETWORK_DOWN),
    _login(400, Verdict.EXPIRED, "invalid_grant"),
    _login(200, Verdict.EXPIRED, "invalid_grant"),
    _login(400, Verdict.EXPIRED, "invalid_request"),
    _login(401, Verdict.OUR_FAULT, 401),
    _login(200, Verdict.UNCLEAR, "never_seen"),
    _login(429, Verdict.THROTTLED, 429),
)
