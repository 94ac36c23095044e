"""Microsoft Advertising as it answers: the Microsoft login with AADSTS numbers, and Customer Management v13 in JSON.

From the project's notes on Microsoft's documentation and SDKs. Of uncertain source: the HTTP statuses of API errors
other than 401, which errors come with 50173 and 50076, the numbers of the rate limit at the login and of a used code,
that a used refresh is dead at once and that a removed app ends access at once. Conditional access is the setting
`admin_restricted`: no refresh from where we are, whatever the person does.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from ..authority import TokenAnswer
from ..oauth_records import Terms
from ..wire import Endpoint, Handler, NetworkWire, Offer, Permission, json_answer, with_query
from ..world import AdAccount, App, Grant, Profile, TokenState

API = "/CustomerManagement/v13"
LOGIN = "/common/oauth2/v2.0"
DEVELOPER_TOKEN = "developer-token"
"""The one that is known here; each of ours must send it."""
MANAGE, LASTING = "https://ads.microsoft.com/msads.manage", "offline_access"
CODE_SECONDS = 600
ACCESS_SECONDS = 3600
IDLE_SECONDS = 90 * 86400
ADMIN = "ADMIN"
ROLE_IDS = {ADMIN: 41, "STANDARD": 203, "VIEWER": 100}
LARGEST_PAGE = 1000
SCOPES = {MANAGE: "Microsoft Advertising", LASTING: "Maintain access to data you have given it access to"}

MALFORMED, REDEEMED, CODE_EXPIRED, NOT_VALID = 9002313, 54005, 70008, 70000
NO_CONSENT, MFA_WANTED, PASSWORD_CHANGED, INACTIVE = 65001, 50076, 50173, 700082
WHY_DEAD = {
    MALFORMED: "Request is malformed or invalid.",
    REDEEMED: "The code was already redeemed.",
    CODE_EXPIRED: "The code has expired.",
    NOT_VALID: "The provided value for 'refresh_token' is not valid.",
    NO_CONSENT: "The user or administrator has not consented.",
    MFA_WANTED: "You must use multi-factor authentication.",
    PASSWORD_CHANGED: "The provided grant has expired: it was revoked.",
    INACTIVE: "Expired due to inactivity: inactive for 90 days.",
}
DEAD_STATES = {
    TokenState.REVOKED: NO_CONSENT,
    TokenState.BLOCKED: MFA_WANTED,
    TokenState.PASSWORD_CHANGED: PASSWORD_CHANGED,
}

Question = Mapping[str, object]


def _fault(status: int, code: int, name: str) -> web.Response:
    """Who asks is the trouble."""
    error = {"Code": code, "ErrorCode": name, "Message": "See the code.", "Detail": None}
    return json_answer({"Errors": [error], "TrackingId": "-", "Type": "AdApiFaultDetail"}, status)


def _refusal(code: int) -> web.Response:
    """What is asked is the trouble. The errors of this service have no name beside the number."""
    error = {"Code": code, "Details": None, "Message": "See the code."}
    body = {"BatchErrors": [], "OperationErrors": [error], "TrackingId": "-", "Type": "ApiFault"}
    return json_answer(body, 400)


def _login_error(status: int, error: str, number: int, description: str) -> web.Response:
    return json_answer(
        {
            "error": error,
            "error_description": f"AADSTS{number}: {description} Trace ID: - Correlation ID: -",
            "error_codes": [number],
            "trace_id": "-",
            "correlation_id": "-",
            "error_uri": f"https://login.microsoftonline.invalid/error?code={number}",
        },
        status,
    )


class Wire(NetworkWire):
    """Microsoft Advertising."""

    title = "Microsoft"
    accent = "#0f6cbd"
    business_word = "Customer"
    disabled_status = "Suspended"
    terms = Terms(
        permissions=frozenset(SCOPES),
        code_seconds=CODE_SECONDS,
        access_seconds=ACCESS_SECONDS,
        refresh_seconds=IDLE_SECONDS,
        rotates_refresh=True,
        refreshes_for_all=True,
    )

    def authorize_paths(self) -> list[str]:
        return [f"{LOGIN}/authorize"]

    def endpoints(self) -> list[Endpoint]:
        def api(path: str, handler: Handler) -> Endpoint:
            return Endpoint(method="POST", path=f"{API}/{path}", label=path, handler=handler)

        return [
            Endpoint(method="POST", path=f"{LOGIN}/token", label="token", handler=self._token),
            api("User/Query", self._user),
            api("Accounts/Search", self._search),
            api("Account/Query", self._account),
            api("Customer/Query", self._customer),
        ]

    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        return Offer(
            permissions=tuple(Permission(id=s, label=SCOPES[s], optional=False) for s in requested),
            note=f"You are signed in as {profile.email}.",
        )

    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        said = "AADSTS65004: User declined to consent to access the app." if logged_in else "The user cancelled."
        return with_query(
            redirect_uri, error="access_denied", error_subcode="cancel", error_description=said, state=state
        )

    def allowed(self, location: str) -> str:
        return with_query(location, session_state="00000000-0000-0000-0000-000000000000")

    def family(self, grant: Grant) -> list[Grant]:
        return self.world.grants_of(grant.app_id, grant.profile_id)

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _fault(429, 117, "CallRateExceeded")

    def down(self) -> web.Response:
        return _fault(500, 0, "InternalError")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/x-www-form-urlencoded":
            return _login_error(400, "invalid_request", 900144, "The request body must be a form.")
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if form.get("client_id") not in self.world.apps:
            return _login_error(400, "unauthorized_client", 700016, "The application was not found.")
        refreshing = form.get("grant_type") == "refresh_token"
        asked = set(form.get("scope", "").split())
        if refreshing and MANAGE not in asked:
            return _login_error(400, "invalid_request", 900144, "The request body must contain 'scope'.")
        if refreshing and self.world.settings.admin_restricted:
            return _login_error(400, "interaction_required", 53003, "Blocked by Conditional Access policies.")
        refused = self._dead_grant(form)  # asked first: a used one looks like a removed one afterwards
        answer = self.authority.token(form, request.headers)
        if answer.access is None or answer.grant is None:
            return self._refused(answer, refused)
        body: dict[str, object] = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(answer.grant.permissions - {LASTING})),
            "expires_in": ACCESS_SECONDS - 1,
            "ext_expires_in": ACCESS_SECONDS - 1,
            "access_token": answer.access.value,
        }
        lasting = LASTING in (asked if refreshing else answer.grant.permissions)
        if answer.refresh is not None and lasting:
            body["refresh_token"] = answer.refresh.value
        return json_answer(body)

    def _refused(self, answer: TokenAnswer, dead: web.Response) -> web.Response:
        if answer.error == "invalid_client":
            return _login_error(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if answer.error == "invalid_grant":
            return dead
        return _login_error(400, answer.error or "invalid_request", 900144, answer.description)

    def _dead_grant(self, form: Mapping[str, str]) -> web.Response:
        """How a code or a refresh token is refused, if it is."""
        refreshing = form.get("grant_type") == "refresh_token"
        number = self._dead_refresh(form) if refreshing else self._dead_code(form)
        error = "interaction_required" if number == MFA_WANTED else "invalid_grant"
        return _login_error(400, error, number, WHY_DEAD[number])

    def _dead_code(self, form: Mapping[str, str]) -> int:
        code = self.world.codes.get(form.get("code", ""))
        if code is None:
            return MALFORMED
        return REDEEMED if code.used else CODE_EXPIRED

    def _dead_refresh(self, form: Mapping[str, str]) -> int:
        token = self.world.tokens.get(form.get("refresh_token", ""))
        if token is None or token.kind != "refresh":
            return MALFORMED
        if token.revoked:
            return NOT_VALID
        return DEAD_STATES.get(self.world.state(token), INACTIVE)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        checked = await self._checked(request)
        if isinstance(checked, web.Response):
            return checked
        grant, question = checked
        if question.get("UserId") not in (None, grant.profile_id):
            return _refusal(106)
        profile = self.world.profiles[grant.profile_id]
        user = {"Id": profile.id, "UserName": profile.email, "UserLifeCycleStatus": "Active"}
        return json_answer({"User": user, "CustomerRoles": self._roles(grant)})

    def _roles(self, grant: Grant) -> list[dict[str, object]]:
        """One for each customer: of the whole customer, or of single accounts in it."""
        whole = {
            b.id: b.roles[grant.profile_id] for b in self.world.businesses.values() if b.roles.get(grant.profile_id)
        }
        single: dict[str, list[str]] = {}
        for account in self.reach(grant):
            if account.business_id not in whole:
                single.setdefault(account.business_id, []).append(account.id)
        rows: list[tuple[str, str, list[str] | None]] = [(customer, role, None) for customer, role in whole.items()]
        rows += [(customer, "STANDARD", accounts) for customer, accounts in single.items()]
        return [
            {
                "CustomerId": customer,
                "RoleId": ROLE_IDS.get(role, 203),
                "AccountIds": accounts,
                "LinkedAccountIds": None,
            }
            for customer, role, accounts in rows
        ]

    async def _search(self, request: web.Request) -> web.StreamResponse:
        checked = await self._checked(request)
        if isinstance(checked, web.Response):
            return checked
        grant, question = checked
        if question.get("Predicates") != [{"Field": "UserId", "Operator": "Equals", "Value": grant.profile_id}]:
            return _refusal(474)
        page = question.get("PageInfo")
        index, size = (page.get("Index", 0), page.get("Size", 0)) if isinstance(page, dict) else (-1, -1)
        if not (isinstance(index, int) and isinstance(size, int) and index >= 0 and 0 <= size <= LARGEST_PAGE):
            return _refusal(201)
        # A page whose size is left out has no rows.
        found = sorted(self.reach(grant), key=lambda account: account.id)[index * size : (index + 1) * size]
        return json_answer({"Accounts": [_row(account) for account in found]})

    async def _account(self, request: web.Request) -> web.StreamResponse:
        checked = await self._checked(request)
        if isinstance(checked, web.Response):
            return checked
        grant, question = checked
        account = self.world.accounts.get(str(question.get("AccountId")))
        if account is None or self.role_of(grant.profile_id, account) is None:
            return _refusal(106)
        return json_answer({"Account": _row(account)})

    async def _customer(self, request: web.Request) -> web.StreamResponse:
        checked = await self._checked(request)
        if isinstance(checked, web.Response):
            return checked
        grant, question = checked
        customer = self.world.businesses.get(str(question.get("CustomerId")))
        if customer is None or customer.id not in {role["CustomerId"] for role in self._roles(grant)}:
            return _refusal(106)
        return json_answer({"Customer": {"Id": customer.id, "Name": customer.name}})

    async def _checked(self, request: web.Request) -> tuple[Grant, Question] | web.Response:
        """The living grant of a request with what it asks."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        developer = request.headers.get("DeveloperToken")
        if scheme != "Bearer" or not value or developer is None:
            return _fault(400, 116, "RequestMissingHeaders")
        token = self.access_token(value)
        state = self.world.state(token)
        if token is None or developer != DEVELOPER_TOKEN or state not in (TokenState.LIVE, TokenState.EXPIRED):
            return _fault(401, 105, "InvalidCredentials")
        if state is TokenState.EXPIRED:
            return _fault(401, 109, "AuthenticationTokenExpired")
        grant = self.world.grants[token.grant_id]
        if MANAGE not in grant.permissions:
            return _fault(400, 106, "UserIsNotAuthorized")
        question = await _question(request)
        return _fault(400, 100, "NullRequest") if question is None else (grant, question)


async def _question(request: web.Request) -> Question | None:
    if request.content_type != "application/json":
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _row(account: AdAccount) -> dict[str, object]:
    return {
        "Id": account.id,
        "Name": account.name,
        "Number": f"F{account.id}",
        "ParentCustomerId": account.business_id,
        "AccountLifeCycleStatus": "Inactive" if account.deleted else account.status or "Active",
        "AccountFinancialStatus": "ClearFinancialStatus",
        "CurrencyCode": "EUR",
    }
