"""What Discord's refusals mean to us: the one table from its codes to kinds of DeliveryError.

Codes: docs.discord.com, topics/opcodes-and-status-codes. A code that is not here is unknown, and logged.
"""

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import aiohttp
import discord

from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope

_log = logging.getLogger(__name__)

_RETRY = DeliveryErrorKind.RETRY
_GONE = DeliveryErrorKind.ADDRESS_GONE
_DEAD = DeliveryErrorKind.INSTALLATION_DEAD
_REJECTED = DeliveryErrorKind.REJECTED
_UNKNOWN = DeliveryErrorKind.UNKNOWN

UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060
BANNED = 40333
"""The network edge in front of Discord refuses us: the same ban as a 429 that Discord itself did not write."""

BY_CODE: Mapping[int, DeliveryErrorKind] = MappingProxyType(
    {
        10003: _GONE,  # unknown channel
        10004: _GONE,  # unknown server
        10008: DeliveryErrorKind.MESSAGE_GONE,
        10013: _GONE,  # unknown user
        20009: _GONE,  # the recipient filters such messages
        20016: _RETRY,  # slow mode
        20028: _RETRY,  # the channel's write limit
        20029: _RETRY,  # the server's write limit
        40001: _DEAD,  # unauthorized
        40002: _DEAD,  # the account must be verified
        40003: _GONE,  # direct messages opened too fast: going on would get the bot blocked, so the next address serves
        40005: _REJECTED,  # too large
        BANNED: _RETRY,
        50001: _GONE,  # missing access
        50005: DeliveryErrorKind.MESSAGE_GONE,  # written by an earlier application of ours
        50006: _REJECTED,  # empty
        50007: _GONE,  # the person takes no direct messages
        50008: _GONE,  # not a channel for messages
        50009: _GONE,  # the channel asks for a verification that a bot cannot give
        50013: _GONE,  # missing permissions
        50014: _DEAD,  # invalid token
        50024: _GONE,  # not a channel for messages
        50033: _GONE,  # not somebody who can be written to
        50035: _REJECTED,  # a body over a limit
        50083: _GONE,  # an archived thread
        50109: _REJECTED,  # not JSON
        50278: _GONE,  # no server in common
        130000: _RETRY,  # overloaded
        160005: _GONE,  # a locked thread
        240000: _REJECTED,  # a link that Discord blocks
    }
)
# A server error comes after the library's own five tries. The nonce makes another one safe, and giving up after one
# more, as UNKNOWN would, loses the notice in every longer outage.
BY_STATUS: Mapping[int, DeliveryErrorKind] = MappingProxyType(
    {400: _REJECTED, 401: _DEAD, 405: _REJECTED, 413: _REJECTED, 415: _REJECTED, 429: _RETRY}
    | dict.fromkeys(range(500, 600), _RETRY)
)

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 3600.0
BAN = timedelta(minutes=10)
"""How long refused requests are counted towards the ban: docs, topics/rate-limits."""


class MalformedReplyError(Exception):
    """Discord said yes in a form that cannot be read: what was asked may be done."""


def delivery_error(error: Exception, *, scope: str | None = None) -> DeliveryError:
    """Say what a failed request means. `scope` is the last reply's X-RateLimit-Scope, which the library drops."""
    if isinstance(error, discord.LoginFailure):
        return DeliveryError(_DEAD, "401", scope=RetryScope.LANE)
    if isinstance(error, discord.RateLimited):
        return DeliveryError(_RETRY, "429", retry_after=_wait(error.retry_after), scope=_scope(scope))
    if isinstance(error, discord.HTTPException):
        return _of_reply(error, scope)
    return _of_connection(error)


def _of_connection(error: Exception) -> DeliveryError:
    if isinstance(error, aiohttp.ClientConnectorError):  # nothing was sent
        return DeliveryError(_RETRY, "unreachable", scope=RetryScope.LANE)
    if isinstance(error, MalformedReplyError | aiohttp.ClientPayloadError | ValueError | KeyError | TypeError):
        return DeliveryError(_UNKNOWN, "malformed reply")
    return DeliveryError(_UNKNOWN, "timeout" if isinstance(error, TimeoutError) else "connection lost")


def _of_reply(error: discord.HTTPException, scope: str | None) -> DeliveryError:
    code = str(error.code or error.status)
    kind = BY_CODE.get(error.code) or BY_STATUS.get(error.status)
    if kind is None:
        _log.warning("Discord answered with a code that is not in the table: %s, status %s", error.code, error.status)
        kind = _UNKNOWN
    if is_ban(error):
        wait = _wait(error.response.headers.get("Retry-After")) or BAN
        return DeliveryError(_RETRY, f"{code} banned", retry_after=wait, scope=RetryScope.LANE)
    if kind is _DEAD:
        return DeliveryError(kind, code, scope=RetryScope.LANE)
    if kind is _RETRY:
        wait_named = _wait(error.response.headers.get("Retry-After"))
        lane = error.status >= 500 or code == "130000"
        return DeliveryError(kind, code, retry_after=wait_named, scope=RetryScope.LANE if lane else _scope(scope))
    return DeliveryError(kind, code)


def is_ban(error: discord.HTTPException) -> bool:
    """Whether the network edge wrote this, not Discord: going on would only lengthen it."""
    return error.code == BANNED or (error.status == 429 and not error.response.headers.get("Via"))


def _scope(named: str | None) -> RetryScope:
    return RetryScope.LANE if named == "global" else RetryScope.DESTINATION


def _wait(seconds: object) -> timedelta | None:
    """A wait as Discord named it, within reason; None for anything that is no number of seconds."""
    if not isinstance(seconds, int | float | str):
        return None
    try:
        number = float(seconds)
    except ValueError:
        return None
    if math.isnan(number):
        return None
    return timedelta(seconds=min(max(number, SHORTEST_WAIT), LONGEST_WAIT))
