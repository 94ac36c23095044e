"""YouTube as it answers: a login bound to one channel, errors by reason, lists that leave "items" out.

A channel is an account of the world; whoever has a role on it finds it in the chooser. Without `select_account` there
is no chooser, and the first channel, the person's own, is taken. A channel that was taken out of a grant
(`drop_account`) is one that was moved to another Google account. From the project's notes on YouTube's documentation.
Of uncertain source: what a removed owner's grant is told (accountDelegationForbidden here), ACCOUNT_STATE_INVALID for a
blocked login, that a closed or suspended channel of one's own is told as the account's.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from ..authority import ConsentRequest
from ..google_login import GoogleWire, api_error, bearer_of, error_info, google_terms
from ..wire import Endpoint, Offer, json_answer
from ..world import AdAccount, Business, Decision, Grant, Profile, TokenState

READ = "https://www.googleapis.com/auth/youtube.readonly"
SCOPES = {
    READ: "View your YouTube account",
    "https://www.googleapis.com/auth/yt-analytics.readonly": (
        "View YouTube Analytics reports for your YouTube content"
    ),
    "https://www.googleapis.com/auth/yt-analytics-monetary.readonly": (
        "View monetary and non-monetary YouTube Analytics reports for your YouTube content"
    ),
}
SERVICE = "youtube.googleapis.com"
PARTS = frozenset({"id", "snippet", "status"})
SUSPENDED = "SUSPENDED"
PAGE_SIZE = 5
BAD_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential."
)
REASONS = {TokenState.EXPIRED: "ACCESS_TOKEN_EXPIRED", TokenState.BLOCKED: "ACCOUNT_STATE_INVALID"}
"""Of other dead tokens Google says no more than that they are not accepted."""
QUOTA = 'The request cannot be completed because you have exceeded your <a href="/youtube/v3/docs/">quota</a>.'


def _error(status: int, reason: str, message: str, domain: str = "youtube.channel") -> web.Response:
    row = {"message": message, "domain": domain, "reason": reason}
    return json_answer({"error": {"code": status, "message": message, "errors": [row]}}, status)


class Wire(GoogleWire):
    """YouTube."""

    title = "YouTube"
    business_word = "Channel"
    disabled_status = SUSPENDED
    scopes = SCOPES
    terms = google_terms(SCOPES)

    def endpoints(self) -> list[Endpoint]:
        channels = Endpoint(method="GET", path="/youtube/v3/channels", label="channels", handler=self._channels)
        return [*super().endpoints(), channels]

    def offer_for(self, asked: ConsentRequest, profile: Profile, business_id: str | None) -> Offer:
        offer = super().offer_for(asked, profile, business_id)
        own = [account for account in self.world.accounts.values() if self._holds(profile.id, account)]
        if not own:
            return offer
        chooser = "select_account" in asked.params.get("prompt", "").split()
        chosen = next((one for one in own if chooser and one.id == business_id), own[0])
        channels = tuple(Business(id=one.id, name=one.name) for one in own) if chooser else ()
        return replace(offer, businesses=channels, business_id=chosen.id)

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        channel = frozenset({decision.business_id} if decision.business_id is not None else ())
        return replace(super().decided(asked, decision), accounts=channel)

    def throttled(self) -> web.Response:
        return _error(403, "quotaExceeded", QUOTA, "youtube.quota")

    def down(self) -> web.Response:
        return api_error(503, "UNAVAILABLE", "The service is currently unavailable.", reason="backendError")

    def _holds(self, profile_id: str, account: AdAccount) -> bool:
        return not account.deleted and self.role_of(profile_id, account) is not None

    async def _channels(self, request: web.Request) -> web.StreamResponse:
        grant = self._caller(request)
        if isinstance(grant, web.Response):
            return grant
        wrong = _wrong_parameters(request)
        if wrong is not None:
            return wrong
        parts = request.query["part"].split(",")
        if request.query.get("mine") == "true":
            return self._own(grant, parts)
        wanted = request.query["id"].split(",")
        there = [self.world.accounts[one] for one in wanted if one in self.world.accounts]
        return _page([one for one in there if not one.deleted and one.status != SUSPENDED], parts)

    def _own(self, grant: Grant, parts: list[str]) -> web.Response:
        """The channel that the grant is bound to, or why it cannot be had."""
        channel = self._bound(grant)
        if channel is None or (grant.accounts is not None and channel.id not in grant.accounts):
            return _page([], parts)
        if channel.deleted:
            return _error(403, "authenticatedUserAccountClosed", "The YouTube account is closed.", "youtube.common")
        if channel.status == SUSPENDED:
            message = "The YouTube account is suspended."
            return _error(403, "authenticatedUserAccountSuspended", message, "youtube.common")
        if self.role_of(grant.profile_id, channel) is None:
            message = "The authenticated user cannot act on behalf of the specified Google Account."
            return _error(403, "accountDelegationForbidden", message, "youtube.common")
        return _page([channel], parts)

    def _bound(self, grant: Grant) -> AdAccount | None:
        if grant.business_id is not None:
            return self.world.accounts.get(grant.business_id)
        # Made without a chooser: the person's own.
        reached = [account for account in self.world.accounts.values() if grant.profile_id in account.roles]
        return reached[0] if reached else None

    def _caller(self, request: web.Request) -> Grant | web.Response:
        value = bearer_of(request)
        if not value:
            return api_error(401, "UNAUTHENTICATED", BAD_CREDENTIALS, reason="required")
        token = self.access_token(value)
        state = self.state_of(token)
        if token is None or state is not TokenState.LIVE:
            reason = REASONS.get(state)
            details = [error_info(reason, SERVICE)] if reason is not None else []
            return api_error(401, "UNAUTHENTICATED", BAD_CREDENTIALS, reason="authError", details=details)
        grant = self.world.grants[token.grant_id]
        if READ not in grant.permissions:
            return api_error(
                403,
                "PERMISSION_DENIED",
                "Request had insufficient authentication scopes.",
                reason="insufficientPermissions",
                details=[error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", SERVICE)],
            )
        return grant


def _wrong_parameters(request: web.Request) -> web.Response | None:
    parts = request.query.get("part", "").split(",")
    if parts == [""]:
        return _error(400, "missingRequiredParameter", "No part was given.", "youtube.parameter")
    if not set(parts) <= PARTS:
        return _error(400, "unknownPart", f"Unknown part: {','.join(parts)}", "youtube.part")
    filters = [name for name in ("mine", "id") if request.query.get(name)]
    if not filters:
        return _error(400, "missingRequiredParameter", "No filter selected.", "youtube.parameter")
    if len(filters) > 1:
        return _error(400, "incompatibleParameters", "Incompatible parameters: mine, id.", "youtube.parameter")
    return None


def _page(channels: list[AdAccount], parts: list[str]) -> web.Response:
    body: dict[str, object] = {
        "kind": "youtube#channelListResponse",
        "etag": "-",
        "pageInfo": {"totalResults": len(channels), "resultsPerPage": PAGE_SIZE},
    }
    if channels:
        body["items"] = [_channel(channel, parts) for channel in channels]
    return json_answer(body)


def _channel(channel: AdAccount, parts: list[str]) -> dict[str, object]:
    body: dict[str, object] = {"kind": "youtube#channel", "etag": "-", "id": channel.id}
    if "snippet" in parts:
        body["snippet"] = {"title": channel.name, "description": "", "publishedAt": "2020-01-01T00:00:00Z"}
    if "status" in parts:
        body["status"] = {"privacyStatus": "public", "isLinked": True, "longUploadsStatus": "allowed"}
    return body
