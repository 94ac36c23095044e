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

UNKNOWN_MEMBER, UNKNOWN_USER = 10007, 10013
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060
OVERLOADED = 130000
MAY_NOT_REPLY = 160002
"""Replying takes the permission to read the history; posting does not."""
BANNED = 40333
"""The network edge in front of Discord refuses us: the same ban as a 429 that Discord itself did not write."""

BY_CODE: Mapping[int, DeliveryErrorKind] = MappingProxyType(
    {
        10003: _GONE,  # unknown channel
        10004: _GONE,  # unknown server
        UNKNOWN_MEMBER: _GONE,
        10008: DeliveryErrorKind.MESSAGE_GONE,
        UNKNOWN_USER: _GONE,
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
        OVERLOADED: _RETRY,
        MAY_NOT_REPLY: _GONE,
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


class LimitedError(Exception):
    """Discord asks us to wait longer than a request may take."""

    def __init__(self, wait: timedelta | None, scope: str | None) -> None:
        self.wait = wait
        self.scope = RetryScope.LANE if scope == "global" else RetryScope.DESTINATION
        super().__init__("too many requests")


class MalformedReplyError(Exception):
    """Discord said yes in a form that cannot be read: what was asked may be done."""


def delivery_error(error: Exception) -> DeliveryError:
    """Say what a failed request means."""
    if isinstance(error, discord.LoginFailure):
        return DeliveryError(_DEAD, "401", scope=RetryScope.LANE)
    if isinstance(error, LimitedError):
        return DeliveryError(_RETRY, "429", retry_after=error.wait, scope=error.scope)
    if isinstance(error, discord.HTTPException):
        return _of_reply(error)
    return _of_connection(error)


def _of_connection(error: Exception) -> DeliveryError:
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):  # nothing was sent
        return DeliveryError(_RETRY, "unreachable", scope=RetryScope.LANE)
    if isinstance(error, MalformedReplyError | aiohttp.ClientPayloadError | ValueError | KeyError | TypeError):
        return DeliveryError(_UNKNOWN, "malformed reply")
    return DeliveryError(_UNKNOWN, "timeout" if isinstance(error, TimeoutError) else "connection lost")


def _of_reply(error: discord.HTTPException) -> DeliveryError:
    code = str(error.code or error.status)
    kind = BY_CODE.get(error.code) or BY_STATUS.get(error.status)
    if kind is None:
        _log.warning("Discord answered with a code that is not in the table: %s, status %s", error.code, error.status)
        kind = _UNKNOWN
    if is_ban(error):
        wait = wait_named(error.response.headers) or BAN
        return DeliveryError(_RETRY, f"{code} banned", retry_after=wait, scope=RetryScope.LANE)
    if kind is _DEAD:
        return DeliveryError(kind, code, scope=RetryScope.LANE)
    if kind is _RETRY:
        # The network edge and an overloaded Discord fail for all; slow mode and write limits are of one channel.
        scope = RetryScope.LANE if error.status >= 500 or error.code == OVERLOADED else RetryScope.DESTINATION
        return DeliveryError(kind, code, retry_after=wait_named(error.response.headers), scope=scope)
    return DeliveryError(kind, code)


def is_ban(error: discord.HTTPException) -> bool:
    """Whether the network edge wrote this, not Discord: going on would only lengthen it."""
    return error.code == BANNED or (error.status == 429 and not error.response.headers.get("Via"))


def wait_named(headers: Mapping[str, str]) -> timedelta | None:
    """The wait that a reply names, within reason; None where it names none, or nothing that is a number of seconds."""
    try:
        seconds = float(headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return None if math.isnan(seconds) else timedelta(seconds=min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT))
