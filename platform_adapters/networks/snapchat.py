"""Snapchat Marketing API: standard OAuth with short access, and answers that are judged by their HTTP status.

Sources: developers.snap.com, Ads API (authentication, organizations, roles, api patterns). Unconfirmed, so unclear
and logged with its raw code, or not done: every error code but E3003, how long a refresh works, an address to revoke
at, the name that the consent page gives our one permission. DISABLED as a status is from a transcription alone.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

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
    listed,
    malformed,
    moved,
    of_one_account,
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

_SCOPE = "snapchat-marketing-api"
ADS = Permission(label="Snapchat Marketing API", satisfied_by=frozenset({_SCOPE}))

SPEC = NetworkSpec(
    slug="snapchat",
    name="Snapchat",
    aliases=("snap", "sc"),
    grouping=Grouping.SUMMARY,
    permissions=(ADS,),
    parent_label="organization",
    login_label="your Snapchat Business login",
    reconnect_requirement="a role on the ad account, or the Organization Admin role, in Snapchat's Business Manager",
    stops=("spend", "creative activity", "reports"),
    checklist=(
        "Log in to Snapchat as {subject}, or as another member of organization {parent} ({parent_id}).",
        "Check in Business Manager that this login has a role on ad account {account_id}.",
    ),
    steps=("Log in to Snapchat.", "Snapchat asks once for everything that we need: agree to it."),
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
            happened="Snapchat ended our access. It does not say why: access removed under Connected Apps, a changed "
            "password, or access that ran out.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="Snapchat does not let this login read ad accounts through us.",
            mend="Reconnect and agree to everything on Snapchat's page.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The Snapchat login no longer has a role on this ad account.",
            mend="An Organization Admin can give it back in Business Manager; others with a role on it can reconnect.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The ad account now belongs to another organization in Snapchat.",
            mend="A member of that organization can connect it; if the move was a mistake, Snapchat can move it back.",
            not_helping="Reconnecting under the old organization will not help.",
        ),
    },
)

_REFUSED = 400
_ACCOUNT = "adaccounts"
_DISABLED = "DISABLED"
_OAUTH_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
    "invalid_scope": Verdict.OUR_FAULT,
    "redirect_uri_mismatch": Verdict.OUR_FAULT,
}
_STATUSES: Mapping[int, Verdict] = {
    401: Verdict.UNCLEAR,  # access lives for less than an hour: only a refresh tells whether more than that has ended
    403: Verdict.PERMISSION_MISSING,
}
_ACCOUNT_STATUSES: Mapping[int, Verdict] = {
    401: Verdict.UNCLEAR,
    403: Verdict.ROLE_LOST,
    404: Verdict.ACCOUNT_GONE,
    410: Verdict.ACCOUNT_GONE,
}


def classify(reply: Reply) -> Finding | None:
    """Snapchat's table: the HTTP status decides, for its own codes are hardly documented; they are kept as evidence."""
    code = text(reply.body, "error_code") or str(reply.status)
    if reply.status < _REFUSED:
        failed = text(reply.body, "request_status").upper() == "ERROR"
        return found(Verdict.UNCLEAR, reply, code) if failed else None
    error = text(reply.body, "error")
    if error in _OAUTH_ERRORS:
        return found(_OAUTH_ERRORS[error], reply, error)
    verdict = (_ACCOUNT_STATUSES if reply.check == _ACCOUNT else _STATUSES).get(reply.status)
    if verdict is None or "request_status" not in reply.body:
        return None  # not known, or not Snapchat's own words: something in front of it answered
    return found(verdict, reply, code, missing=[ADS.label] if verdict is Verdict.PERMISSION_MISSING else [])


class Snapchat:
    """Snapchat with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._client = NetworkClient(credentials, clock, classify)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        return self._client.begin(state=state, redirect_uri=redirect_uri, scope=_SCOPE)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        body = await self._client.exchange(code=answer.get("code", ""), redirect_uri=redirect_uri, code_verifier=None)
        return Grant(tokens=self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        # No end of a refresh is documented, so that one that is refused was most likely taken away.
        return await self._client.renew(tokens, refused=Verdict.REVOKED)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            reached, names = await self._reached(tokens, leave_out_failed=True)
            accounts = await of_expected(
                expected,
                reached,
                lambda row, item: _account_finding(row, item.parent, names),
                lambda item: self._missing(tokens, item, names),
            )
        except NetworkError as error:
            return Probe(grant=error.finding)
        return Probe(grant=healthy("me/organizations"), accounts=accounts)

    async def discover(self, tokens: Tokens) -> Discovery:
        reply = await self._get(tokens, "me")
        me = part(reply.body, "me")
        if not text(me, "id"):
            raise NetworkError(malformed(reply))
        granted = frozenset({_SCOPE})
        try:
            reached, names = await self._reached(tokens, leave_out_failed=False)
        except NetworkError as error:
            if error.finding.verdict is not Verdict.PERMISSION_MISSING:
                raise
            reached, names, granted = {}, {}, frozenset()
        return Discovery(
            subject_id=text(me, "id"),
            subject_name=text(me, "display_name"),
            granted=granted,
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
        return  # no address for it is known: people remove the app in their own settings, under Connected Apps

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_SNAPCHAT_CLIENT_ID and _CLIENT_SECRET with the OAuth app under Business Details in "
            "Snapchat's Business Manager. The secret is shown once: if it is lost, make a new one there."
        )
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor")))

    async def _get(self, tokens: Tokens, check: str, path: str | None = None, **query: str) -> Reply:
        return await self._client.ask(check, "GET", path or f"/{check}", headers=bearer(tokens), query=query)

    async def _reached(self, tokens: Tokens, *, leave_out_failed: bool) -> tuple[Mapping[str, Json], Mapping[str, str]]:
        """Every ad account that the login reaches, by id, and the names of its organizations, by id.

        An entry whose own status is no success is left out where what it would have held is asked for by itself.
        Raises NetworkError for one otherwise.
        """
        reply = await self._get(tokens, "me/organizations", with_ad_accounts="true")
        reached: dict[str, Json] = {}
        names: dict[str, str] = {}
        for entry in listed(reply, reply.body, "organizations"):
            organization = part(entry, "organization")
            if not _succeeded(entry) or not text(organization, "id"):
                if leave_out_failed:
                    continue
                raise NetworkError(found(Verdict.UNCLEAR, reply, "sub_request_status"))
            names[text(organization, "id")] = text(organization, "name")
            reached |= {
                text(row, "id"): {**row, "organization_id": text(row, "organization_id") or text(organization, "id")}
                for row in rows(organization, "ad_accounts")
                if text(row, "id")
            }
        return reached, names

    async def _missing(self, tokens: Tokens, item: Expected, names: Mapping[str, str]) -> Finding:
        """What is to be said of an account that is in no list. Raises NetworkError where that cannot be asked now."""
        try:
            reply = await self._get(tokens, _ACCOUNT, f"/adaccounts/{item.account_id}")
        except NetworkError as error:
            if of_one_account(error.finding):
                return error.finding
            raise
        entries = listed(reply, reply.body, "adaccounts")
        row = part(entries[0], "adaccount") if entries and _succeeded(entries[0]) else {}
        return _account_finding(row, item.parent, names) if text(row, "id") else malformed(reply)


def _succeeded(entry: Json) -> bool:
    """Whether one entry of a list is good; the documentation writes the word in small letters and in capitals."""
    return text(entry, "sub_request_status").upper() == "SUCCESS"


def _parent(row: Json, names: Mapping[str, str]) -> Parent | None:
    organization_id = text(row, "organization_id")
    return Parent(id=organization_id, name=names.get(organization_id) or organization_id) if organization_id else None


def _account_finding(row: Json, stored: Parent | None, names: Mapping[str, str]) -> Finding:
    elsewhere = moved(_ACCOUNT, "organization_id", _parent(row, names), stored)
    if elsewhere is not None:
        return elsewhere
    status = text(row, "status")
    if status == _DISABLED:
        return Finding(verdict=Verdict.ACCOUNT_DISABLED, evidence=Evidence(check=_ACCOUNT, code=status))
    return healthy(_ACCOUNT)


def build(environment: Mapping[str, str], clock: Clock) -> Snapchat | None:
    """Snapchat, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://accounts.snapchat.com/login/oauth2/authorize",
        token_url="https://accounts.snapchat.com/login/oauth2/access_token",
        api_url="https://adsapi.snapchat.com/v1",
    )
    return Snapchat(credentials, clock) if credentials is not None else None


def _example(status: int, verdict: Verdict | None, *, check: str = "me/organizations", **body: object) -> Example:
    return Example(reply=Reply(check=check, status=status, body=body), verdict=verdict)


def _refusal(status: int, verdict: Verdict, *, check: str = "me/organizations", code: str | None = None) -> Example:
    named = {"error_code": code} if code is not None else {}
    return _example(status, verdict, check=check, request_status="ERROR", debug_message="", **named)


EXAMPLES = (
    _example(200, None, request_status="SUCCESS", organizations=[]),
    _example(200, None, request_status="success", organizations=[]),
    _refusal(200, Verdict.UNCLEAR),
    _refusal(401, Verdict.UNCLEAR),
    _refusal(403, Verdict.PERMISSION_MISSING),
    _refusal(403, Verdict.ROLE_LOST, check=_ACCOUNT),
    _refusal(404, Verdict.ACCOUNT_GONE, check=_ACCOUNT, code="E3003"),
    _refusal(410, Verdict.ACCOUNT_GONE, check=_ACCOUNT, code="E3003"),
    _refusal(404, Verdict.UNCLEAR),
    _refusal(400, Verdict.UNCLEAR, code="E1008"),
    _refusal(400, Verdict.UNCLEAR, code="E1001"),
    _example(403, Verdict.UNCLEAR),
    _example(404, Verdict.UNCLEAR, check=_ACCOUNT),
    _refusal(429, Verdict.THROTTLED),
    _refusal(500, Verdict.NETWORK_DOWN),
    _example(503, Verdict.NETWORK_DOWN),
    _example(400, Verdict.EXPIRED, check="token", error="invalid_grant"),
    _example(401, Verdict.OUR_FAULT, check="token", error="invalid_client"),
    _example(400, Verdict.UNCLEAR, check="token", error="never_seen"),
)
