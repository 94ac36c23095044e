"""What Slack's error codes and broken replies mean for a delivery: one table, read for posts and edits alike.

Codes: docs.slack.dev/reference/methods/chat.postMessage, chat.update, users.lookupByEmail, users.info, views.open,
oauth.v2.access.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import aiohttp
from slack_sdk.errors import SlackApiError

from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope

_log = logging.getLogger(__name__)

_CODES: Mapping[DeliveryErrorKind, str] = MappingProxyType(
    {
        DeliveryErrorKind.INSTALLATION_DEAD: """
            account_inactive token_revoked token_expired invalid_auth not_authed org_login_required
            team_access_not_granted enterprise_is_restricted two_factor_setup_required""",
        DeliveryErrorKind.ADDRESS_GONE: """
            channel_not_found is_archived not_in_channel restricted_action restricted_action_read_only_channel
            restricted_action_thread_only_channel restricted_action_non_threadable_channel
            restricted_action_thread_locked messages_tab_disabled no_permission access_denied ekm_access_denied
            user_not_found users_not_found user_disabled user_not_visible cannot_dm_bot
            user_not_in_channel""",
        DeliveryErrorKind.MESSAGE_GONE: """
            message_not_found cant_update_message edit_window_closed cannot_reply_to_message thread_not_found""",
        DeliveryErrorKind.REJECTED: """
            invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text markdown_text_conflict
            invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type
            missing_post_type invalid_json json_not_object metadata_too_large invalid_metadata_format
            invalid_metadata_schema metadata_must_be_sent_from_app too_many_attachments
            attachment_payload_limit_exceeded missing_scope not_allowed_token_type deprecated_endpoint
            method_deprecated unknown_method team_not_found view_too_large duplicate_external_id push_limit_reached
            expired_trigger_id exchanged_trigger_id invalid_trigger_id trigger_expired trigger_exchanged not_enabled
            not_found hash_conflict
            invalid_client_id bad_client_secret invalid_code code_already_used bad_redirect_uri invalid_grant_type""",
        DeliveryErrorKind.RETRY: """
            ratelimited rate_limited message_limit_exceeded service_unavailable request_timeout team_added_to_org""",
        # "It's possible some aspect of the operation succeeded before the error", Slack says of these two.
        DeliveryErrorKind.UNKNOWN: "internal_error fatal_error",
    }
)
KINDS: Mapping[str, DeliveryErrorKind] = MappingProxyType(
    {code: kind for kind, codes in _CODES.items() for code in codes.split()}
)

_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(hours=1)
_POST = "chat.postMessage"
_NOT_SENT = (
    aiohttp.ClientConnectorError,  # DNS, refused, certificate; before ClientOSError, whose kind it is
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
BROKEN_REPLY = (AttributeError, TypeError, LookupError, ValueError)
"""What slack_sdk raises on replies that are no JSON object, or not in the encoding that they say."""


def refused(code: str, method: str, *, wait: timedelta | None = None) -> DeliveryError:
    """Slack answered with an error code. One that the table does not have is *unknown*, and logged."""
    safe = code if re.fullmatch(r"[a-z0-9_]{1,80}", code) else "unreadable"
    kind = KINDS.get(safe)
    if kind is None:
        _log.warning("Slack answered %s with an error that is not in the table: %s", method, safe)
        kind = DeliveryErrorKind.UNKNOWN
    if kind is DeliveryErrorKind.RETRY:
        return DeliveryError(kind, safe, retry_after=wait, scope=scope_of(method))
    return _settled(DeliveryError(kind, safe), method)


def scope_of(method: str) -> RetryScope:
    """Slack's 429 blocks one method for one workspace.

    For posts that is the whole lane: any other post there would be refused too. An edit or a look-up that has to wait
    holds nobody else's post back.
    """
    return RetryScope.LANE if method == _POST else RetryScope.DESTINATION


def failed(error: Exception, method: str, now: datetime) -> DeliveryError:
    """What a call that raised means."""
    if isinstance(error, SlackApiError):
        return _answered(error, method, now)
    if isinstance(error, _NOT_SENT):
        return DeliveryError(DeliveryErrorKind.RETRY, type(error).__name__)
    return _settled(DeliveryError(DeliveryErrorKind.UNKNOWN, type(error).__name__), method)


def _answered(error: SlackApiError, method: str, now: datetime) -> DeliveryError:
    response = error.response
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    headers = getattr(response, "headers", None) or {}
    body = getattr(response, "data", None)
    code = body.get("error") if isinstance(body, Mapping) else None
    if status == 429:
        wait = retry_after(headers.get("Retry-After"), now)
        return DeliveryError(DeliveryErrorKind.RETRY, "ratelimited", retry_after=wait, scope=scope_of(method))
    if status >= 500:
        return DeliveryError(DeliveryErrorKind.RETRY, f"http_{status}")
    if isinstance(code, str):
        return refused(code, method)
    if status >= 400:
        kind = DeliveryErrorKind.RETRY if status in (407, 408) else DeliveryErrorKind.REJECTED
        return DeliveryError(kind, f"http_{status}")
    return _settled(DeliveryError(DeliveryErrorKind.UNKNOWN, "unreadable_reply"), method)


def _settled(error: DeliveryError, method: str) -> DeliveryError:
    """Only a post may be there twice. An edit or a look-up whose reply was lost is simply made again."""
    if error.kind is DeliveryErrorKind.UNKNOWN and method != _POST:
        return DeliveryError(DeliveryErrorKind.RETRY, error.code)
    return error


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After of seconds or a date, held between a second and an hour; None where it says nothing."""
    if value is None:
        return None
    try:
        wait = timedelta(seconds=min(float(value), 1e9))
    except (ValueError, OverflowError):
        try:
            wait = parsedate_to_datetime(value) - now
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)
