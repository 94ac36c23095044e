"""Google Ads: Google's login, which reaches accounts directly or through manager accounts (MCC).

Sources: developers.google.com/google-ads (listing accounts, customer_client, error enums of v25; developer tokens ended
on 2026-09-09, so none is sent). Asked through a manager account, an account that left it is refused however the login
may reach it otherwise. Not confirmed, so unclear: SERVICE_ACCESS_DENIED and its neighbours, new in v25.
"""

from collections.abc import Iterator, Mapping, Sequence
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
)
from commands.ports.signals import Signals
from platform_adapters.networks import google
from platform_adapters.networks.answers import (
    Json,
    Reply,
    healthy,
    items,
    malformed,
    part,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.google_customers import (
    CLIENTS,
    CUSTOMER,
    Customer,
    Entrance,
    as_before,
    customers_in,
    elsewhere,
    home,
    reached_accounts,
)
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
    of_each,
)
from platform_adapters.networks.security_events import KEYS_URL, SecurityEvents

_SCOPE = "https://www.googleapis.com/auth/adwords"

SPEC = NetworkSpec(
    slug="google_ads",
    name="Google Ads",
    aliases=("google", "adwords", "gads", "googleads", "google-ads"),
    permissions=(
        Permission(
            label="See, edit, create, and delete your Google Ads accounts and data", satisfied_by=frozenset({_SCOPE})
        ),
    ),
    parent_label="manager account",
    login_label="the Google login that has access to the manager account",
    reconnect_requirement="access to its manager account, or to the ad account itself, in Google Ads",
    stops=("spend", "campaign reports"),
    history=timedelta(days=1123),  # "Deprecations", since 1 June 2026: by the day and hour 37 months; at their shortest
    checklist=(
        "Log in to Google as {subject}.",
        "This login needs access to manager account {parent} ({parent_id}) in Google Ads.",
        "Check in that manager account, under Accounts, that {account_id} is still linked.",
        "Leave the Google Ads box ticked on Google's page.",
    ),
    steps=(
        "Choose the Google account.",
        "Tick the Google Ads box if it is not ticked, then press Continue.",
    ),
    re_asks=True,  # include_granted_scopes: what was granted stays granted
    refused_by=google.REFUSED_BY,
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
            Verdict.ADMIN_BLOCK,
        }
    ),
    causes={
        **google.LOGIN_CAUSES,
        Verdict.USER_BLOCKED: CauseText(
            happened="Google wants something put right before this login may read Google Ads: 2-Step Verification, "
            "its terms, or the sign-up.",
            mend="Log in at ads.google.com, do what Google asks there, then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Google login no longer has access to this account or its manager account in Google Ads.",
            mend="An administrator of the account can give it back in Google Ads; others with access can reconnect.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account is no longer linked to the manager account that it was connected under.",
            mend="Link it again in that manager account, or connect it with a login of its new one.",
            not_helping="Reconnecting under the old manager account will not help.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="The login works, but its manager account no longer shows the account: it was unlinked or closed.",
            mend="An administrator can look in the manager account, under Accounts, and link it again.",
            not_helping="Reconnecting will not help until that is solved.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="Google Ads lists this account as cancelled or suspended.",
            mend="An administrator can reactivate a cancelled account in Google Ads; for a suspended one, ask Google.",
            not_helping="Reconnecting will not help.",
        ),
    },
    uses_pkce=True,
)

_SCOPES = f"openid email {_SCOPE}"
_VERSION = "v25"
_ACCESSIBLE = "listAccessibleCustomers"
_NO_ADS_USER = "NOT_ADS_USER"
_AT_ONCE = 1000  # rows in one answer, far below the largest that is read

_ONE_CUSTOMER = "SELECT customer.id, customer.descriptive_name, customer.manager, customer.status FROM customer LIMIT 1"
_CLIENTS_AFTER = (
    "SELECT customer_client.id, customer_client.descriptive_name, customer_client.manager, customer_client.status, "
    "customer_client.level FROM customer_client WHERE customer_client.id > {last}{within} "
    "ORDER BY customer_client.id LIMIT {at_once}"
)

_CODES: Mapping[str, Verdict] = {
    "OAUTH_TOKEN_EXPIRED": Verdict.EXPIRED,
    "OAUTH_TOKEN_INVALID": Verdict.EXPIRED,
    "OAUTH_TOKEN_HEADER_INVALID": Verdict.EXPIRED,
    "OAUTH_TOKEN_REVOKED": Verdict.REVOKED,
    "OAUTH_TOKEN_DISABLED": Verdict.REVOKED,
    "GOOGLE_ACCOUNT_DELETED": Verdict.USER_BLOCKED,
    _NO_ADS_USER: Verdict.USER_BLOCKED,
    "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": Verdict.USER_BLOCKED,
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": Verdict.USER_BLOCKED,
    "ADVANCED_PROTECTION_NOT_ENROLLED": Verdict.USER_BLOCKED,
    "MISSING_TOS": Verdict.USER_BLOCKED,
    "INCOMPLETE_SIGNUP": Verdict.USER_BLOCKED,
    "PROJECT_DISABLED": Verdict.OUR_FAULT,
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": Verdict.OUR_FAULT,
    "REQUESTED_METRICS_FOR_MANAGER": Verdict.OUR_FAULT,
    "UNSUPPORTED_VERSION": Verdict.OUR_FAULT,
    "CUSTOMER_NOT_FOUND": Verdict.ACCOUNT_GONE,
    "USER_PERMISSION_DENIED": Verdict.ROLE_LOST,
    "CUSTOMER_NOT_ENABLED": Verdict.ACCOUNT_DISABLED,
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": Verdict.ACCOUNT_DISABLED,
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": Verdict.ACCOUNT_MOVED,
    "RESOURCE_EXHAUSTED": Verdict.THROTTLED,
    "RESOURCE_TEMPORARILY_EXHAUSTED": Verdict.THROTTLED,
}
_OUR_FAULTS = ("ORGANIZATION_", "DEVELOPER_TOKEN_")
"""How codes begin that speak of our project or of its developer token."""
_OF_THE_ACCOUNT = frozenset(
    {
        Verdict.ROLE_LOST,
        Verdict.ACCOUNT_GONE,
        Verdict.ACCOUNT_MOVED,
        Verdict.ACCOUNT_DISABLED,
        Verdict.USER_BLOCKED,
        Verdict.UNCLEAR,
    }
)
"""Refusals about one account, which say nothing against the login."""


def classify(reply: Reply) -> Finding | None:
    """Google Ads' table: its own error codes decide, then what it shares with all of Google's APIs."""
    return google.classify(reply, {**_CODES, **_our_faults(reply)}, _codes)


def _our_faults(reply: Reply) -> Mapping[str, Verdict]:
    told = _codes(part(reply.body, "error"))
    return {code: Verdict.OUR_FAULT for code in told if code.startswith(_OUR_FAULTS)}


def _codes(error: Json) -> Iterator[str]:
    for detail in rows(error, "details"):
        for row in rows(detail, "errors"):
            for kind in part(row, "errorCode"):
                yield text(part(row, "errorCode"), kind)
    yield from google.reasons(error)


class GoogleAds:
    """Google Ads with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock, *, alone: bool) -> None:
        self._client = NetworkClient(credentials, clock, classify)
        self._login = google.GoogleLogin(SPEC, _SCOPES, credentials, clock, self._client, alone=alone)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        return self._login.begin(
            state=state,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            login_hint=login_hint,
            chooser=login_hint is None,
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        code = answer.get("code", "")
        return await self._login.exchange(code=code, redirect_uri=redirect_uri, code_verifier=code_verifier)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return await self._login.refresh(tokens)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            return await self._login.living(tokens, lambda living: self._look(living, expected))
        except NetworkError as error:
            refused = error.finding
        if refused.verdict is not Verdict.PERMISSION_MISSING:
            return Probe(grant=refused)
        try:
            return Probe(grant=await self._login.named(tokens, refused))
        except NetworkError as error:
            return Probe(grant=error.finding)

    async def discover(self, tokens: Tokens) -> Discovery:
        held = await self._login.held(tokens)
        entrances = await self._all_entrances(tokens) if _SCOPE in held.scopes else ()
        return Discovery(
            subject_id=held.subject_id,
            subject_name=held.email or held.subject_id,
            granted=held.scopes,
            accounts=tuple(reached_accounts(entrances)),
        )

    async def revoke(self, tokens: Tokens) -> None:
        await self._login.revoke(tokens)

    async def diagnose(self) -> Sequence[Diagnosis]:
        return await self._login.diagnose()

    async def _look(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        accessible = await self._accessible(tokens)
        wanted = [item.account_id for item in expected if item.account_id.isdecimal()]
        homes = {home(item) for item in expected}
        at_home = await self._entrances(tokens, [one for one in accessible if one in homes], wanted)
        accounts = {item.account_id: as_before(item, at_home) for item in expected}
        absent = [item for item in expected if accounts[item.account_id] is None]
        # Where the manager account itself is closed to the login, nothing is known of what is linked under it.
        left = [item for item in absent if item.parent is None or item.parent.id in accessible]
        others: Sequence[Entrance] = ()
        if left:
            others = await self._entrances(tokens, [one for one in accessible if one not in homes], wanted)
        moved = {item.account_id: elsewhere(item, [*at_home, *others]) for item in left}
        lost = {item.account_id: item for item in absent if moved.get(item.account_id) is None}
        missing = await of_each(list(lost), lambda one: self._missing(tokens, lost[one], accessible))
        told = {name: finding for name, finding in (accounts | moved).items() if finding is not None}
        return Probe(grant=healthy(_ACCESSIBLE), accounts={**told, **missing})

    async def _all_entrances(self, tokens: Tokens) -> Sequence[Entrance]:
        try:
            accessible = await self._accessible(tokens)
        except NetworkError as error:
            if error.finding.evidence.code == _NO_ADS_USER:
                return ()  # a Google login like any other, that reaches nothing in Google Ads
            raise
        return await self._entrances(tokens, accessible, None)

    async def _accessible(self, tokens: Tokens) -> Sequence[str]:
        """The accounts that the login may enter directly. Raises NetworkError."""
        path = f"/{_VERSION}/customers:listAccessibleCustomers"
        reply = await self._client.ask(_ACCESSIBLE, "GET", path, headers=bearer(tokens))
        if not isinstance(reply.body.get("resourceNames"), list):
            raise NetworkError(malformed(reply))
        ids = (name.rpartition("/")[2] for name in items(reply.body, "resourceNames"))
        return [customer_id for customer_id in ids if customer_id.isdecimal()]

    async def _entrances(
        self, tokens: Tokens, customer_ids: Sequence[str], wanted: Sequence[str] | None
    ) -> Sequence[Entrance]:
        told = await of_each(customer_ids, lambda customer_id: self._entrance(tokens, customer_id, wanted))
        return list(told.values())

    async def _entrance(self, tokens: Tokens, customer_id: str, wanted: Sequence[str] | None) -> Entrance:
        """One entrance with those of its clients that are `wanted`, or with all. Raises NetworkError."""
        try:
            named = None if wanted is None else [customer_id, *wanted]
            listed = dict(await self._listed(tokens, customer_id, named))
            # A manager account lists itself first of all; what manages nothing has to be asked for by itself.
            itself = listed.pop(customer_id, None) or await self._customer(tokens, customer_id, through=customer_id)
        except NetworkError as error:
            if error.finding.verdict not in _OF_THE_ACCOUNT:
                raise
            return Entrance(id=customer_id, refused=error.finding)
        return Entrance(id=customer_id, itself=itself, clients=listed)

    async def _customer(self, tokens: Tokens, customer_id: str, *, through: str) -> Customer:
        reply = await self._search(tokens, customer_id, through, CUSTOMER, _ONE_CUSTOMER)
        customers = customers_in(reply, CUSTOMER)
        if not customers:
            raise NetworkError(malformed(reply))
        return customers[0]

    async def _listed(self, tokens: Tokens, manager_id: str, wanted: Sequence[str] | None) -> Mapping[str, Customer]:
        """A manager account and those linked under it, at any depth, by id; nothing under any other account."""
        clients: dict[str, Customer] = {}
        for within in _batches(wanted):
            last = "0"
            while last:
                query = _CLIENTS_AFTER.format(last=last, within=within, at_once=_AT_ONCE)
                reply = await self._search(tokens, manager_id, manager_id, CLIENTS, query)
                page = customers_in(reply, "customerClient")
                clients |= {client.id: client for client in page}
                last = page[-1].id if len(page) == _AT_ONCE else ""
        return clients

    async def _search(self, tokens: Tokens, customer_id: str, through: str, check: str, query: str) -> Reply:
        headers = {**bearer(tokens), "login-customer-id": through}
        path = f"/{_VERSION}/customers/{customer_id}/googleAds:search"
        return await self._client.ask(check, "POST", path, headers=headers, json={"query": query})

    async def _missing(self, tokens: Tokens, item: Expected, accessible: Sequence[str]) -> Finding:
        """Why an account that should be reached is not, asked the way it was connected. Raises NetworkError where that
        cannot be asked just now.
        """
        if not (item.account_id + home(item)).isdecimal():
            return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=CUSTOMER, code="not_a_customer_id"))
        try:
            return (await self._customer(tokens, item.account_id, through=home(item))).finding
        except NetworkError as error:
            verdict = error.finding.verdict
            if verdict not in _OF_THE_ACCOUNT:
                raise
            if verdict is Verdict.ROLE_LOST and item.parent is not None and item.parent.id in accessible:
                return replace(error.finding, verdict=Verdict.ACCOUNT_GONE)  # the account left, not the login
            return error.finding


def _batches(wanted: Sequence[str] | None) -> Sequence[str]:
    """Conditions that name no more accounts at once than an answer holds."""
    if wanted is None:
        return [""]
    parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    return [f" AND customer_client.id IN ({', '.join(ids)})" for ids in parts]


def signals(environment: Mapping[str, str], clock: Clock) -> Signals | None:
    """Google's events about the accounts that logged in here, if Google Ads has credentials. Raises SettingError."""
    credentials = _credentials(environment)
    if credentials is None:
        return None
    keys_url = environment.get(f"LAPSEBOT_{SPEC.slug.upper()}_KEYS_URL") or KEYS_URL
    where = "receiver endpoint of Cross-Account Protection, set with Google's RISC API (stream:update)"
    return SecurityEvents(SPEC.slug, credentials.client_id, keys_url, clock, where)


def build(environment: Mapping[str, str], clock: Clock) -> GoogleAds | None:
    """Google Ads, if it has credentials. Raises SettingError."""
    credentials = _credentials(environment)
    if credentials is None:
        return None
    alone = google.alone_in_project(environment, SPEC.slug, credentials.client_id)
    return GoogleAds(credentials, clock, alone=alone)


def _credentials(environment: Mapping[str, str]) -> Credentials | None:
    return read_credentials(
        environment,
        SPEC.slug,
        authorize_url=google.AUTHORIZE_URL,
        token_url=google.TOKEN_URL,
        api_url="https://googleads.googleapis.com",
    )


def _example(status: int, verdict: Verdict, kind: str, code: str, name: str = "PERMISSION_DENIED") -> Example:
    failure = {"errors": [{"errorCode": {kind: code}, "message": ""}], "requestId": "-"}
    error = {"code": status, "status": name, "details": [failure]}
    return Example(reply=Reply(check=CUSTOMER, status=status, body={"error": error}), verdict=verdict)


def _login_example(verdict: Verdict, code: str) -> Example:
    return _example(401, verdict, "authenticationError", code, "UNAUTHENTICATED")


EXAMPLES = (
    Example(reply=Reply(check=_ACCESSIBLE, status=200, body={"resourceNames": ["customers/1"]}), verdict=None),
    _login_example(Verdict.EXPIRED, "OAUTH_TOKEN_EXPIRED"),
    _login_example(Verdict.EXPIRED, "OAUTH_TOKEN_INVALID"),
    _login_example(Verdict.EXPIRED, "OAUTH_TOKEN_HEADER_INVALID"),
    _login_example(Verdict.REVOKED, "OAUTH_TOKEN_REVOKED"),
    _login_example(Verdict.REVOKED, "OAUTH_TOKEN_DISABLED"),
    _login_example(Verdict.USER_BLOCKED, "GOOGLE_ACCOUNT_DELETED"),
    _login_example(Verdict.USER_BLOCKED, "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED"),
    _login_example(Verdict.USER_BLOCKED, "NOT_ADS_USER"),
    _login_example(Verdict.USER_BLOCKED, "TWO_STEP_VERIFICATION_NOT_ENROLLED"),
    _login_example(Verdict.USER_BLOCKED, "ADVANCED_PROTECTION_NOT_ENROLLED"),
    _login_example(Verdict.OUR_FAULT, "ORGANIZATION_NOT_APPROVED"),
    _login_example(Verdict.ACCOUNT_GONE, "CUSTOMER_NOT_FOUND"),
    _login_example(Verdict.UNCLEAR, "NEVER_SEEN_BEFORE"),
    _example(403, Verdict.OUR_FAULT, "authorizationError", "DEVELOPER_TOKEN_NOT_APPROVED"),
    _example(403, Verdict.OUR_FAULT, "authorizationError", "PROJECT_DISABLED"),
    _example(403, Verdict.OUR_FAULT, "authorizationError", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"),
    _example(403, Verdict.ROLE_LOST, "authorizationError", "USER_PERMISSION_DENIED"),
    _example(403, Verdict.ACCOUNT_DISABLED, "authorizationError", "CUSTOMER_NOT_ENABLED"),
    _example(403, Verdict.ACCOUNT_DISABLED, "authorizationError", "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT"),
    _example(
        403,
        Verdict.ACCOUNT_MOVED,
        "authorizationError",
        "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
    ),
    _example(403, Verdict.USER_BLOCKED, "authorizationError", "MISSING_TOS"),
    _example(403, Verdict.USER_BLOCKED, "authorizationError", "INCOMPLETE_SIGNUP"),
    _example(403, Verdict.UNCLEAR, "authorizationError", "SERVICE_ACCESS_DENIED"),
    _example(403, Verdict.UNCLEAR, "authorizationError", "ACCESS_DENIED_FOR_ACCOUNT_TYPE"),
    _example(403, Verdict.UNCLEAR, "authorizationError", "METRIC_ACCESS_DENIED"),
    _example(429, Verdict.THROTTLED, "quotaError", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"),
    _example(429, Verdict.THROTTLED, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", "RESOURCE_EXHAUSTED"),
    _example(400, Verdict.OUR_FAULT, "queryError", "REQUESTED_METRICS_FOR_MANAGER", "INVALID_ARGUMENT"),
    _example(400, Verdict.OUR_FAULT, "requestError", "UNSUPPORTED_VERSION", "INVALID_ARGUMENT"),
    *google.LOGIN_EXAMPLES,
)
