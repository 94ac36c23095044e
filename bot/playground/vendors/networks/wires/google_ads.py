"""Google Ads as it answers: accounts under manager accounts, entered by `login-customer-id`, errors by enum.

A business is a manager account (MCC), an account of the world a client linked under it; a role on either is access to
it. From the project's notes on Google's documentation. Of uncertain source: that a manager account which an account was
unlinked from is told the combination of ids is wrong, and one that a person lost is told USER_PERMISSION_DENIED; that
cancelled accounts are listed under their manager account with their status.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from aiohttp import web

from ..gaql import BadQuery, Row, read_query
from ..google_login import GoogleWire, api_error, bearer_of, error_info, google_terms
from ..wire import Endpoint, json_answer
from ..world import AdAccount, Grant, TokenState

API = "/v25"
SCOPE = "https://www.googleapis.com/auth/adwords"
SCOPES = {SCOPE: "See, edit, create, and delete your Google Ads accounts and data"}
SERVICE = "googleads.googleapis.com"
ADMIN = "ADMIN"
ENABLED = "ENABLED"
CLOSED_DOORS = frozenset({"CANCELED", "CLOSED"})
"""Statuses of accounts that cannot be entered, though they are listed."""
RESOURCES = {
    "customer": frozenset({"id", "descriptive_name", "manager", "status"}),
    "customer_client": frozenset({"id", "descriptive_name", "manager", "status", "level", "hidden"}),
}
NO_PERMISSION = (
    "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's "
    "customer id must be set in the 'login-customer-id' header."
)
DEAD = {
    TokenState.UNKNOWN: ("OAUTH_TOKEN_INVALID", "Oauth token HTTP header is malformed."),
    TokenState.REVOKED: ("OAUTH_TOKEN_REVOKED", "OAuth token has been revoked."),
    TokenState.EXPIRED: ("OAUTH_TOKEN_EXPIRED", "OAuth token in the header has expired."),
    TokenState.BLOCKED: (
        "TWO_STEP_VERIFICATION_NOT_ENROLLED",
        "An account administrator changed this account's authentication settings. To access this Google Ads account, "
        "enable 2-Step Verification in your Google account.",
    ),
}
NAMES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission",
    429: "Resource has been exhausted (e.g. check quota).",
}


def _failure(status: int, kind: str, code: str, message: str) -> web.Response:
    failure = {
        "@type": "type.googleapis.com/google.ads.googleads.v25.errors.GoogleAdsFailure",
        "errors": [{"errorCode": {kind: code}, "message": message}],
        "requestId": secrets.token_urlsafe(12),
    }
    return api_error(status, NAMES[status], MESSAGES[status], details=[failure])


class Wire(GoogleWire):
    """Google Ads."""

    title = "Google Ads"
    business_word = "Manager account"
    disabled_status = "SUSPENDED"
    scopes = SCOPES
    terms = google_terms(SCOPES)

    def endpoints(self) -> list[Endpoint]:
        return [
            *super().endpoints(),
            Endpoint(
                method="GET",
                path=f"{API}/customers:listAccessibleCustomers",
                label="listAccessibleCustomers",
                handler=self._accessible,
            ),
            Endpoint(
                method="POST", path=f"{API}/customers/{{id}}/googleAds:search", label="search", handler=self._search
            ),
        ]

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        return self.world.inherited_role(profile_id, account, ADMIN)

    def throttled(self) -> web.Response:
        return _failure(429, "quotaError", "RESOURCE_EXHAUSTED", "Too many requests. Retry in 60 seconds.")

    def down(self) -> web.Response:
        return api_error(503, "UNAVAILABLE", "The service is currently unavailable.")

    async def _accessible(self, request: web.Request) -> web.StreamResponse:
        """What the person may enter directly: not what hangs under it. `login-customer-id` is ignored."""
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        ids = self._entrances(grant.profile_id)
        if not ids:
            message = "Google Account is not associated with any Ads account."
            return _failure(401, "authenticationError", "NOT_ADS_USER", message)
        return json_answer({"resourceNames": [f"customers/{customer_id}" for customer_id in ids]})

    def _entrances(self, profile_id: str) -> list[str]:
        managers = [one.id for one in self.world.businesses.values() if one.roles.get(profile_id)]
        accounts = self.world.accounts.values()
        return [*managers, *(one.id for one in accounts if one.roles.get(profile_id) and not one.deleted)]

    async def _search(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        customer_id = request.match_info["id"]
        through = request.headers.get("login-customer-id", customer_id)
        if not through.isdecimal():
            return _failure(400, "headerError", "INVALID_LOGIN_CUSTOMER_ID", "The login customer ID is not valid.")
        refusal = self._closed(grant.profile_id, customer_id, through)
        if refusal is not None:
            return refusal
        body = await request.json()
        if "pageSize" in body:
            return _failure(400, "requestError", "PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported.")
        try:
            query = read_query(str(body.get("query", "")), RESOURCES)
        except BadQuery as bad:
            return _failure(400, "queryError", str(bad), "Error in query.")
        clients = query.resource == "customer_client"
        found = query.of(self._clients(grant.profile_id, customer_id) if clients else [self._customer(customer_id)])
        name = "customerClient" if clients else "customer"
        answer: dict[str, object] = {
            "fieldMask": ",".join(f"{name}.{field}" for field in query.fields),
            "requestId": secrets.token_urlsafe(12),
        }
        if found:
            answer["results"] = [{name: {"resourceName": f"customers/{customer_id}", **row}} for row in found]
        return json_answer(answer)

    def _closed(self, profile_id: str, customer_id: str, through: str) -> web.Response | None:
        """Why a customer cannot be entered that way, if it cannot."""
        manager, account = self.world.businesses.get(customer_id), self.world.accounts.get(customer_id)
        if manager is None and (account is None or account.deleted):
            return _failure(401, "authenticationError", "CUSTOMER_NOT_FOUND", "No customer found for the provided id.")
        lost = account is not None and profile_id in account.roles and not account.roles[profile_id]
        if through not in self._entrances(profile_id) or lost:
            return _failure(403, "authorizationError", "USER_PERMISSION_DENIED", NO_PERMISSION)
        if through != customer_id and (account is None or account.business_id != through):
            code = "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION"
            return _failure(403, "authorizationError", code, "The login customer cannot manage the serving customer.")
        if account is not None and account.status in CLOSED_DOORS:
            message = "The customer account can't be accessed because it is not yet enabled or has been deactivated."
            return _failure(403, "authorizationError", "CUSTOMER_NOT_ENABLED", message)
        return None

    def _customer(self, customer_id: str) -> Row:
        manager = self.world.businesses.get(customer_id)
        if manager is not None:
            return {"id": int(manager.id), "descriptive_name": manager.name, "manager": True, "status": ENABLED}
        return _row(self.world.accounts[customer_id])

    def _clients(self, profile_id: str, manager_id: str) -> Sequence[Row]:
        """The manager account itself and all that is linked under it; nothing for an account that manages none."""
        if manager_id not in self.world.businesses:
            return []
        linked = [
            account
            for account in self.world.accounts.values()
            if account.business_id == manager_id and not account.deleted and self.role_of(profile_id, account)
        ]
        itself = {**self._customer(manager_id), "level": 0, "hidden": False}
        return [itself, *({**_row(account), "level": 1, "hidden": False} for account in linked)]

    def _caller(self, request: web.Request) -> Grant | web.Response:
        token = self.access_token(bearer_of(request))
        state = self.state_of(token)
        if token is None or state is not TokenState.LIVE:
            code, message = DEAD[state]
            return _failure(401, "authenticationError", code, message)
        grant = self.world.grants[token.grant_id]
        if SCOPE not in grant.permissions:
            return api_error(
                403,
                "PERMISSION_DENIED",
                "Request had insufficient authentication scopes.",
                details=[error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", SERVICE)],
            )
        return grant


def _row(account: AdAccount) -> Row:
    return {
        "id": int(account.id),
        "descriptive_name": account.name,
        "manager": False,
        "status": account.status or ENABLED,
    }
