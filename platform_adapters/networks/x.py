"""X (API v2): OAuth 2.0 with PKCE, access of two hours, a refresh that is good once; a login is one X account.

Sources: xdevplatform/docs of August 2026 (authorization code, errors, pricing, OpenAPI). Seen by others, undocumented:
the token endpoint's sentences, `user-suspended`, the `credits` problems, and 326 (locked) in the older form of errors.
Unconfirmed: how long a refresh works, what ended one that is refused, what a deactivated account's own access is told.
A replayed refresh ends the whole access, and so does a second sign-in of the same account through the same app.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
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

_READ_USERS, _READ_POSTS, _STAY = "users.read", "tweet.read", "offline.access"
STAY = Permission(label="Stay connected to your account until you revoke access", satisfied_by=frozenset({_STAY}))

SPEC = NetworkSpec(
    slug="x",
    name="X",
    aliases=("twitter",),
    grouping=Grouping.SUMMARY,
    permissions=(
        Permission(
            label="Any account you can view, including protected accounts", satisfied_by=frozenset({_READ_USERS})
        ),
        Permission(
            label="All the posts you can view, including posts from protected accounts",
            satisfied_by=frozenset({_READ_POSTS}),
        ),
        STAY,
    ),
    parent_label=None,
    one_grant_per_subject=True,
    login_label="the X account's own login",
    reconnect_requirement="the login of the X account itself",
    stops=("posts", "engagement figures"),
    checklist=(
        "First log in at x.com as {account}, and as no other account.",
        "Let nobody else connect {account} meanwhile: X ends the first sign-in when there is a second.",
    ),
    steps=(
        "X shows which account is logged in: check that it is the right one, or switch there.",
        "X asks once for everything that we need: press Authorize app.",
    ),
    switch_login="X's page shows which account is logged in. If it is another one, switch at x.com in this browser "
    "first; then try again.",
    detects=frozenset({Verdict.REVOKED, Verdict.USER_BLOCKED, Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE}),
    causes={
        Verdict.REVOKED: CauseText(
            happened="X ended our access. It does not say why: access removed under Connected apps, a changed "
            "password, or a second sign-in of the same account.",
            mend="Whoever holds the account's login can give it back by logging in again, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="X has suspended or locked this account.",
            mend="Whoever holds it can log in at x.com and do what X asks there, or appeal; then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="X gave us access for two hours only, without the permission to stay connected.",
            mend="Reconnect and agree to everything on X's page.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The X account is there, but the login that we have may not read it.",
            mend="Whoever holds the account's own login can reconnect it.",
            not_helping="Reconnecting with another X account will not help.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="X says that this account does not exist any more: it was deactivated or deleted.",
            mend="For a while, whoever held it can bring it back by logging in at x.com.",
            not_helping="Reconnecting will not help before that.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="X has suspended this account.",
            mend="Whoever holds it can appeal at X; we notice when it is back.",
            not_helping="Reconnecting will not help.",
        ),
    },
    uses_pkce=True,
    # A look is charged to the operator as one user that was read, and each one this far apart spends a refresh.
    check_interval=timedelta(hours=4),
)

_SCOPES = f"{_READ_USERS} {_READ_POSTS} {_STAY}"
_REFUSED, _UNAUTHORIZED, _PAYMENT, _TOO_MANY, _DOWN = 400, 401, 402, 429, 500
_TOKEN, _ME, _OTHER = "token", "users/me", "users/{id}"
_OAUTH_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
}
_REFUSED_GRANT = ("value passed for the token was invalid", "value passed for the authorization code was invalid")
"""What `invalid_request` says where it is about the grant; X has the same name for mistakes of ours."""
_PROBLEMS: Mapping[str, Verdict] = {
    "client-forbidden": Verdict.OUR_FAULT,
    "credits": Verdict.OUR_FAULT,
    "credits-depleted": Verdict.OUR_FAULT,
    "usage-capped": Verdict.OUR_FAULT,  # what our plan holds is used up
    "rate-limit-exceeded": Verdict.THROTTLED,
    "user-suspended": Verdict.USER_BLOCKED,
    "not-authorized-for-resource": Verdict.ROLE_LOST,
    "resource-not-found": Verdict.ACCOUNT_GONE,
}
_SPEND_CAP = "SpendCapReached"
_OLD_CODES: Mapping[str, Verdict] = {"64": Verdict.USER_BLOCKED, "326": Verdict.USER_BLOCKED}
"""Suspended and locked, in the form of errors that the older API has."""
_OF_THE_ACCOUNT = frozenset({Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_DISABLED})


def classify(reply: Reply) -> Finding | None:
    """X's table: the end of a problem's `type` decides. A good status around errors alone is a refusal as well.

    401 is no verdict: access lives for two hours, and only a refresh tells whether more than that has ended.
    """
    if reply.check == _TOKEN:
        return _token_refusal(reply)
    if reply.status >= _DOWN or (reply.status < _REFUSED and "data" in reply.body):
        return None
    problem = _problem(reply.body)
    kind = text(problem, "type").partition("/problems/")[2]
    code = text(problem, "code") or kind
    verdict = _OLD_CODES.get(code) or _PROBLEMS.get(kind)
    if reply.status == _PAYMENT:
        verdict = Verdict.OUR_FAULT
    elif text(problem, "title") == _SPEND_CAP:  # a cap of the operator's own, which ends by itself, of type "credits"
        verdict = Verdict.THROTTLED
    elif verdict is Verdict.ACCOUNT_GONE and text(problem, "title") == "Forbidden":
        verdict = Verdict.USER_BLOCKED if reply.check == _ME else Verdict.ACCOUNT_DISABLED  # "User has been suspended"
    if verdict is not None:
        return found(verdict, reply, code or str(reply.status), subcode=text(problem, "reason") or None)
    return found(Verdict.UNCLEAR, reply, code) if code and reply.status != _TOO_MANY else None


def _token_refusal(reply: Reply) -> Finding | None:
    error = text(reply.body, "error")
    refused = text(reply.body, "error_description").lower().startswith(_REFUSED_GRANT)
    verdict = Verdict.EXPIRED if error == "invalid_request" and refused else _OAUTH_ERRORS.get(error)
    if error and reply.status == _UNAUTHORIZED:
        verdict = Verdict.OUR_FAULT  # HTTP Basic names our app, and nobody else is named there
    if verdict is not None:
        return found(verdict, reply, error)
    return found(Verdict.UNCLEAR, reply, error) if error and reply.status < _DOWN else None


def _problem(body: Json) -> Json:
    """The problem that an answer is about: itself, or the first of its errors."""
    errors = rows(body, "errors")
    return body if text(body, "type") or not errors else errors[0]


class X:
    """X with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._client = NetworkClient(
            credentials, clock, classify, client_auth="client_secret_basic", counts_each_login=True
        )

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
        code = answer.get("code", "")
        body = await self._client.exchange(code=code, redirect_uri=redirect_uri, code_verifier=code_verifier)
        return Grant(tokens=self._client.tokens(body))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        # No end of a refresh is documented, so that one that is refused was most likely taken away, or replayed.
        return await self._client.renew(tokens, refused=Verdict.REVOKED)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            own, _ = await self._me(tokens)
            elsewhere = [item.account_id for item in expected if item.account_id != own]
            others = await of_each(elsewhere, lambda account_id: self._other(tokens, account_id))
        except NetworkError as error:
            if error.finding.verdict not in _OF_THE_ACCOUNT:
                return Probe(grant=error.finding)
            # X knows whose login this is, and speaks of that account.
            return Probe(grant=healthy(_ME), accounts={item.account_id: error.finding for item in expected})
        if tokens.refresh is None:
            evidence = Evidence(check=_TOKEN, code=_STAY, missing=(STAY.label,))
            return Probe(grant=Finding(verdict=Verdict.PERMISSION_MISSING, evidence=evidence))
        mine = {item.account_id: healthy(_ME) for item in expected if item.account_id == own}
        return Probe(grant=healthy(_ME), accounts={**mine, **others})

    async def discover(self, tokens: Tokens) -> Discovery:
        account_id, name = await self._me(tokens)
        # X gives all or nothing, so that an answer proves what reading takes; only a refresh proves that it lasts.
        lasting = {_STAY} if tokens.refresh is not None else set()
        account = ReachedAccount(account_id=account_id, name=name, parent=None, finding=healthy(_ME))
        return Discovery(
            subject_id=account_id,
            subject_name=name,
            granted=frozenset({_READ_USERS, _READ_POSTS, *lasting}),
            accounts=(account,),
        )

    async def revoke(self, tokens: Tokens) -> None:
        url = f"{self._credentials.token_url.rpartition('/')[0]}/revoke"
        # Whether the end of one is the end of the other is not documented.
        if tokens.refresh is not None:
            await self._client.revoke(url, tokens.refresh, "refresh_token")
        await self._client.revoke(url, tokens.access, "access_token")

    async def diagnose(self) -> Sequence[Diagnosis]:
        mend = (
            "Compare LAPSEBOT_X_CLIENT_ID and _CLIENT_SECRET with the OAuth 2.0 keys of the app in X's developer "
            "console. It must be a web app (a confidential client) that is in a project and has credits."
        )
        return await diagnosed(SPEC.name, mend, self._client.refresh(Secret("doctor")))

    async def _me(self, tokens: Tokens) -> tuple[str, str]:
        """The id and the handle of the account whose login this is. Raises NetworkError."""
        return _user(await self._get(tokens, _ME, "/users/me"))

    async def _other(self, tokens: Tokens, account_id: str) -> Finding:
        """What became of an account that this login is not: any login may look whether it is there."""
        try:
            reply = await self._get(tokens, _OTHER, f"/users/{account_id}")
        except NetworkError as error:
            if error.finding.verdict in _OF_THE_ACCOUNT:
                return error.finding
            raise
        return found(Verdict.ROLE_LOST, reply, "other_account") if _user(reply)[0] == account_id else malformed(reply)

    async def _get(self, tokens: Tokens, check: str, path: str) -> Reply:
        return await self._client.ask(check, "GET", path, headers=bearer(tokens))


def _user(reply: Reply) -> tuple[str, str]:
    user = part(reply.body, "data")
    account_id, handle = text(user, "id"), text(user, "username")
    if not account_id:
        raise NetworkError(malformed(reply))
    return account_id, f"@{handle}" if handle else account_id


def build(environment: Mapping[str, str], clock: Clock) -> X | None:
    """X, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url="https://x.com/i/oauth2/authorize",
        token_url="https://api.x.com/2/oauth2/token",
        api_url="https://api.x.com/2",
    )
    return X(credentials, clock) if credentials is not None else None


def _example(
    status: int,
    verdict: Verdict | None,
    kind: str = "",
    title: str = "Forbidden",
    *,
    check: str = _ME,
    reason: str = "",
) -> Example:
    type_ = f"https://api.x.com/2/problems/{kind}" if kind else "about:blank"
    body: Json = {"title": title, "type": type_, "detail": "", **({"reason": reason} if reason else {})}
    # What is not there comes with a good status, as the only thing in a list of errors.
    return Example(
        reply=Reply(check=check, status=status, body={"errors": [body]} if status < _REFUSED else body), verdict=verdict
    )


def _old(code: int) -> Example:
    body = {"errors": [{"code": code, "message": ""}]}
    return Example(reply=Reply(check=_ME, status=403, body=body), verdict=_OLD_CODES.get(str(code), Verdict.UNCLEAR))


def _login(status: int, verdict: Verdict, error: str, description: str = "") -> Example:
    body = {"error": error, "error_description": description}
    return Example(reply=Reply(check=_TOKEN, status=status, body=body), verdict=verdict)


EXAMPLES = (
    Example(reply=Reply(check=_ME, status=200, body={"data": {"id": "1", "username": "a"}}), verdict=None),
    _example(401, Verdict.UNCLEAR, title="Unauthorized"),
    _example(402, Verdict.OUR_FAULT, "credits", "CreditsDepleted"),
    _example(402, Verdict.OUR_FAULT, title="Payment Required"),
    _example(403, Verdict.OUR_FAULT, "client-forbidden", "Client Forbidden", reason="client-not-enrolled"),
    _example(403, Verdict.THROTTLED, "credits", _SPEND_CAP),
    _example(403, Verdict.USER_BLOCKED, "user-suspended"),
    Example(
        reply=Reply(check=_ME, status=403, body={"type": "https://api.twitter.com/2/problems/user-suspended"}),
        verdict=Verdict.USER_BLOCKED,
    ),
    _old(64),
    _old(326),
    _old(999),
    _example(403, Verdict.ROLE_LOST, "not-authorized-for-resource", "Authorization Error"),
    _example(200, Verdict.ROLE_LOST, "not-authorized-for-resource", "Authorization Error", check=_OTHER),
    _example(200, Verdict.ACCOUNT_GONE, "resource-not-found", "Not Found Error"),
    _example(404, Verdict.ACCOUNT_GONE, "resource-not-found", "Not Found Error", check=_OTHER),
    _example(200, Verdict.USER_BLOCKED, "resource-not-found"),
    _example(200, Verdict.ACCOUNT_DISABLED, "resource-not-found", check=_OTHER),
    _example(200, Verdict.UNCLEAR, "never-seen"),
    _example(403, Verdict.UNCLEAR, "never-seen"),
    _example(403, Verdict.UNCLEAR),
    Example(reply=Reply(check=_ME, status=404, body={}), verdict=Verdict.UNCLEAR),
    _example(429, Verdict.OUR_FAULT, "usage-capped", "UsageCapExceeded"),
    _example(429, Verdict.THROTTLED, "rate-limit-exceeded", "Too Many Requests"),
    _example(429, Verdict.THROTTLED, title="Too Many Requests"),
    _example(429, Verdict.THROTTLED, "never-seen"),
    _example(500, Verdict.NETWORK_DOWN, title="Internal Server Error"),
    _example(503, Verdict.NETWORK_DOWN, title="Service Unavailable"),
    _login(400, Verdict.EXPIRED, "invalid_request", "Value passed for the token was invalid."),
    _login(400, Verdict.EXPIRED, "invalid_request", "Value passed for the authorization code was invalid."),
    _login(400, Verdict.EXPIRED, "invalid_grant"),
    _login(400, Verdict.UNCLEAR, "invalid_request", "Missing required parameter [client_id]."),
    _login(401, Verdict.OUR_FAULT, "unauthorized_client", "Missing valid authorization header"),
    _login(401, Verdict.OUR_FAULT, "never_seen"),
    _login(400, Verdict.OUR_FAULT, "invalid_client"),
    _login(400, Verdict.UNCLEAR, "never_seen"),
    _login(503, Verdict.NETWORK_DOWN, "server_error"),
)
