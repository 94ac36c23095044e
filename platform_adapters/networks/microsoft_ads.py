"""Microsoft Advertising (Customer Management v13, in JSON) behind the Microsoft login, which reaches all customers.

Sources: Microsoft's docs of the Bing Ads API (GetUser, SearchAccounts, GetAccount, operation error codes), the JSON
paths and 401 from its SDKs and from clients of others; `microsoft.py` for the login. Unconfirmed: the consent page's
name for our permission, the HTTP statuses of most codes. A linked account counts to the customer that owns it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from commands.errors import NetworkError, SettingError
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
from platform_adapters.networks import microsoft
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    healthy,
    listed,
    log_unknown,
    malformed,
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
    of_each,
)

_SCOPE = "https://ads.microsoft.com/msads.manage"
ADS = Permission(label="Microsoft Advertising", satisfied_by=frozenset({_SCOPE}))

SPEC = NetworkSpec(
    slug="microsoft_ads",
    name="Microsoft Ads",
    aliases=("microsoft", "bing", "bing-ads", "bingads", "msads", "ms-ads", "microsoft-ads"),
    permissions=(ADS,),
    parent_label="customer",
    login_label="the Microsoft account, work or personal, that is a user in Microsoft Advertising",
    reconnect_requirement="a role on the ad account, or in the customer that owns it, in Microsoft Advertising",
    stops=("spend", "reports"),
    history=timedelta(days=1095),  # "Reporting data retention time periods": by the day 36 months; by the hour 6
    checklist=(
        "Have {subject} at hand: that is the Microsoft account to choose.",
        "Check in Microsoft Advertising that it has a role on ad account {account_id}.",
        "The ad account is owned by customer {parent} ({parent_id}).",
    ),
    switch_login="Microsoft asks which account to use, and shows each by its address: choose the one expected there.",
    steps=(
        "Choose the Microsoft account, and confirm it with a second step if you are asked to.",
        'Press Accept. If the page says "Need admin approval", stop: that is for IT to allow.',
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
            Verdict.ACCOUNT_MOVED,
            Verdict.ACCOUNT_DISABLED,
            Verdict.ADMIN_BLOCK,
        }
    ),
    causes={
        Verdict.EXPIRED: CauseText(
            happened="Microsoft closes access that nothing has used for 90 days or that has reached its end.",
            mend="Whoever connected it can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Microsoft ended our access. It does not always say why: removed by the person, or by IT.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.CREDENTIAL_CHANGED: CauseText(
            happened="The password of the Microsoft account was changed, or all of its logins were ended.",
            mend="Whoever connected it can give access back by logging in again, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="Microsoft wants this person to confirm the login again, or to use the other kind of account: "
            "work instead of personal, or personal instead of work.",
            mend="Reconnect and do what Microsoft's page asks, with the account that Microsoft Advertising knows.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="Microsoft does not let this login read Microsoft Advertising through us.",
            mend="Reconnect with the login that is used in Microsoft Advertising today, and press Accept.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Microsoft login no longer has a role on this ad account.",
            mend="A Super Admin of its customer in Microsoft Advertising can give it back; others with a role can "
            "reconnect.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account now belongs to another customer in Microsoft Advertising.",
            mend="Somebody with a role in that customer can connect it.",
            not_helping="Reconnecting under the old customer will not help.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="Microsoft has suspended this ad account.",
            mend="Whoever runs the account can solve that with Microsoft Advertising's support; we notice when it is "
            "back.",
            not_helping="Reconnecting will not help.",
        ),
        Verdict.ADMIN_BLOCK: CauseText(
            happened="The company's Microsoft administrators do not let this login use our app, or not from here.",
            mend="IT can allow it in Microsoft Entra.",
            not_helping="Reconnecting will not help before that.",
        ),
    },
    uses_pkce=True,
)

_SCOPES = f"{_SCOPE} offline_access"  # the second is what makes it last
_DEVELOPER_TOKEN = "LAPSEBOT_MICROSOFT_ADS_DEVELOPER_TOKEN"
_USER, _SEARCH, _ACCOUNT, _CUSTOMER = "User/Query", "Accounts/Search", "Account/Query", "Customer/Query"
_PAGE = 200  # of at most 1000; so many accounts with their addresses stay far below the largest answer that is read

_ASK_AFRESH = frozenset({"105", "109"})
"""No verdict: only a refresh tells whether more than the access has ended; 105 is a wrong developer token as well."""
_NOT_AUTHORIZED = "106"
_CODES: Mapping[str, Verdict] = {
    **dict.fromkeys(_ASK_AFRESH, Verdict.UNCLEAR),
    _NOT_AUTHORIZED: Verdict.PERMISSION_MISSING,
    "108": Verdict.USER_BLOCKED,
    "117": Verdict.THROTTLED,
    "120": Verdict.PERMISSION_MISSING,
    "122": Verdict.USER_BLOCKED,
    "123": Verdict.USER_BLOCKED,
    "124": Verdict.USER_BLOCKED,
    "125": Verdict.USER_BLOCKED,
    "207": Verdict.THROTTLED,
}
_STATUSES: Mapping[str, Verdict] = {
    "Active": Verdict.HEALTHY,
    "Draft": Verdict.HEALTHY,
    "Pause": Verdict.HEALTHY,
    "Pending": Verdict.HEALTHY,
    "Suspended": Verdict.ACCOUNT_DISABLED,
    "Inactive": Verdict.ACCOUNT_GONE,
}


def classify(reply: Reply) -> Finding | None:
    """Microsoft's two tables: the login's errors, and the codes of the API, which come with various statuses.

    What is in neither table is unclear; the status tells an outage and a rate limit.
    """
    return microsoft.classify(reply) if reply.check == microsoft.TOKEN else _api_refusal(reply)


def _api_refusal(reply: Reply) -> Finding | None:
    codes = [text(row, "Code") for name in ("Errors", "OperationErrors") for row in rows(reply.body, name)]
    if not codes:
        return None
    code = next((one for one in codes if one in _CODES), codes[0])
    if code == _NOT_AUTHORIZED and reply.check in (_ACCOUNT, _CUSTOMER):
        return found(Verdict.ROLE_LOST, reply, code)
    verdict = _CODES.get(code)
    missing = [ADS.label] if verdict is Verdict.PERMISSION_MISSING else []
    return microsoft.by_table(reply, verdict, code, missing=missing)


class MicrosoftAds:
    """Microsoft Advertising with our app's credentials and our developer token."""

    spec = SPEC

    def __init__(self, credentials: Credentials, developer_token: Secret, clock: Clock) -> None:
        self._credentials = credentials
        self._developer_token = developer_token
        self._client = NetworkClient(credentials, clock, classify)

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
            scope=_SCOPES,
            code_challenge=code_challenge,
            response_mode="query",
            login_hint=login_hint,
            # Otherwise whoever is logged in at Microsoft in this browser is taken without a question.
            prompt="consent" if again else "select_account",
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = await self._client.exchange(
            code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=code_verifier, scope=_SCOPES
        )
        return Grant(tokens=self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        try:
            return await self._client.renew(tokens, scope=_SCOPES)
        except NetworkError as error:
            if microsoft.taken_away(error.finding):
                raise NetworkError(replace(error.finding, verdict=Verdict.REVOKED)) from error
            raise

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reached = await self._reached(tokens, text(await self._user(tokens), "Id"))
            absent = [item.account_id for item in expected if item.account_id not in reached]
            alone = await of_each(absent, lambda one: self._by_itself(tokens, one))
            refused = {one: answer for one, answer in alone.items() if isinstance(answer, Finding)}
            told = {**reached, **{one: answer for one, answer in alone.items() if not isinstance(answer, Finding)}}
            there = [item for item in expected if item.account_id in told]
            strays = {_customer(told[item.account_id]) for item in there if _moved(told[item.account_id], item.parent)}
            names = await self._names(tokens, strays)
        except NetworkError as error:
            return Probe(grant=error.finding)
        findings = {item.account_id: _account_finding(told[item.account_id], item.parent, names) for item in there}
        return Probe(grant=healthy(_USER), accounts={**findings, **refused})

    async def discover(self, tokens: Tokens) -> Discovery:
        user = await self._user(tokens)
        reached = await self._reached(tokens, text(user, "Id"))
        names = await self._names(tokens, {_customer(row) for row in reached.values()} - {""})
        return Discovery(
            subject_id=text(user, "Id"),
            subject_name=text(user, "UserName") or text(user, "Id"),
            granted=frozenset({_SCOPE}),
            accounts=tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=text(row, "Name") or account_id,
                    parent=_parent(row, names),
                    finding=_account_finding(row, None, names),
                )
                for account_id, row in reached.items()
            ),
        )

    async def revoke(self, tokens: Tokens) -> None:
        return  # no address for it: people remove the app at account.live.com or myapps.microsoft.com

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_MICROSOFT_ADS_CLIENT_ID and _CLIENT_SECRET with the app registration in Microsoft Entra, "
            "Certificates & secrets: the Value, not the Secret ID. Secrets run out there."
        )
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor"), scope=_SCOPES))

    async def _ask(self, tokens: Tokens, check: str, **question: object) -> Reply:
        headers = {**bearer(tokens), "DeveloperToken": self._developer_token.reveal()}
        return await self._client.ask(check, "POST", f"/{check}", headers=headers, json=question)

    async def _user(self, tokens: Tokens) -> Json:
        """Who logged in. Raises NetworkError."""
        reply = await self._ask(tokens, _USER, UserId=None)
        user = part(reply.body, "User")
        if not text(user, "Id"):
            raise NetworkError(malformed(reply))
        return user

    async def _reached(self, tokens: Tokens, user_id: str) -> Mapping[str, Json]:
        """Every ad account that the user reaches, in all customers, by id. Raises NetworkError."""
        reached: dict[str, Json] = {}
        index = 0
        while True:
            reply = await self._ask(
                tokens,
                _SEARCH,
                Predicates=[{"Field": "UserId", "Operator": "Equals", "Value": user_id}],
                Ordering=[{"Field": "Id", "Order": "Ascending"}],
                PageInfo={"Index": index, "Size": _PAGE},
            )
            page = listed(reply, reply.body, "Accounts")
            reached |= {text(row, "Id"): row for row in page if text(row, "Id")}
            if len(page) < _PAGE:
                return reached
            index += 1

    async def _by_itself(self, tokens: Tokens, account_id: str) -> Json | Finding:
        """An account that is in no list, or why it is not to be seen. Raises NetworkError where neither can be told."""
        if not account_id.isdecimal():
            return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_ACCOUNT, code="not_an_account_id"))
        try:
            reply = await self._ask(tokens, _ACCOUNT, AccountId=account_id)
        except NetworkError as error:
            refused = error.finding
            of_the_account = refused.verdict in (Verdict.ROLE_LOST, Verdict.UNCLEAR)
            if of_the_account and refused.evidence.code not in _ASK_AFRESH:
                return refused
            raise
        row = part(reply.body, "Account")
        return row if text(row, "Id") else malformed(reply)

    async def _names(self, tokens: Tokens, customer_ids: Iterable[str]) -> Mapping[str, str]:
        """The names of customers, by id; "" for those that the user may not see. Raises NetworkError."""

        async def name(customer_id: str) -> str:
            try:
                reply = await self._ask(tokens, _CUSTOMER, CustomerId=customer_id)
            except NetworkError as error:
                if error.finding.verdict is Verdict.ROLE_LOST:
                    return ""
                raise
            return text(part(reply.body, "Customer"), "Name")

        return await of_each(sorted(customer_ids), name)


def _customer(row: Json) -> str:
    return text(row, "ParentCustomerId")


def _moved(row: Json, stored: Parent | None) -> bool:
    return stored is not None and _customer(row) not in ("", stored.id)


def _parent(row: Json, names: Mapping[str, str]) -> Parent | None:
    customer_id = _customer(row)
    return Parent(id=customer_id, name=names.get(customer_id) or customer_id) if customer_id else None


def _account_finding(row: Json, stored: Parent | None, names: Mapping[str, str]) -> Finding:
    if _moved(row, stored):
        evidence = Evidence(check=_ACCOUNT, code="ParentCustomerId", moved_to=_parent(row, names))
        return Finding(verdict=Verdict.ACCOUNT_MOVED, evidence=evidence)
    status = text(row, "AccountLifeCycleStatus")
    verdict = _STATUSES.get(status)
    if verdict is None:
        log_unknown(SPEC.name, _ACCOUNT, "AccountLifeCycleStatus", status)
        evidence = Evidence(check=_ACCOUNT, code="AccountLifeCycleStatus")
        return Finding(verdict=Verdict.UNCLEAR, evidence=evidence)
    if verdict is Verdict.HEALTHY:
        return healthy(_ACCOUNT)
    return Finding(verdict=verdict, evidence=Evidence(check=_ACCOUNT, code=status))


def build(environment: Mapping[str, str], clock: Clock) -> MicrosoftAds | None:
    """Microsoft Ads, if it has credentials. Raises SettingError, also where the developer token is missing."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url=microsoft.AUTHORIZE_URL,
        token_url=microsoft.TOKEN_URL,
        api_url="https://clientcenter.api.bingads.microsoft.com/CustomerManagement/v13",
    )
    if credentials is None:
        return None
    developer_token = environment.get(_DEVELOPER_TOKEN, "")
    if not developer_token:
        raise SettingError(_DEVELOPER_TOKEN, "is missing: Microsoft Advertising shows it under API developer access")
    return MicrosoftAds(credentials, Secret(developer_token), clock)


def _api(status: int, verdict: Verdict, code: int, check: str = _USER, *, listed_in: str = "Errors") -> Example:
    return Example(reply=Reply(check=check, status=status, body={listed_in: [{"Code": code}]}), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check=_USER, status=200, body={"User": {"Id": "1"}, "CustomerRoles": []}), verdict=None),
    Example(reply=Reply(check=_SEARCH, status=200, body={"Accounts": []}), verdict=None),
    _api(401, Verdict.UNCLEAR, 105),
    _api(401, Verdict.UNCLEAR, 109),
    _api(400, Verdict.PERMISSION_MISSING, 106),
    _api(400, Verdict.ROLE_LOST, 106, _ACCOUNT, listed_in="OperationErrors"),
    _api(400, Verdict.USER_BLOCKED, 108),
    _api(400, Verdict.THROTTLED, 117),
    _api(400, Verdict.PERMISSION_MISSING, 120),
    _api(400, Verdict.USER_BLOCKED, 122),
    _api(400, Verdict.USER_BLOCKED, 123),
    _api(400, Verdict.USER_BLOCKED, 124),
    _api(400, Verdict.USER_BLOCKED, 125),
    _api(400, Verdict.THROTTLED, 207, listed_in="OperationErrors"),
    _api(500, Verdict.UNCLEAR, 109),
    _api(400, Verdict.UNCLEAR, 9999),
    _api(200, Verdict.UNCLEAR, 9999),
    _api(429, Verdict.THROTTLED, 9999),
    _api(500, Verdict.NETWORK_DOWN, 0),
    Example(reply=Reply(check=_USER, status=401, body={}), verdict=Verdict.UNCLEAR),
    *microsoft.LOGIN_EXAMPLES,
)
