"""Asks Discord what one of its users is now. It has no time zones, and no guests."""

from collections.abc import Mapping
from typing import Any

from commands.errors import DeliveryError
from commands.ports.chat import AccountKind, Profile
from platform_adapters.chat.discord.failures import (
    UNKNOWN_MEMBER,
    UNKNOWN_USER,
    MalformedReplyError,
    delivery_error,
)
from platform_adapters.chat.discord.rest import Rest

_NOT_THERE = frozenset(map(str, (UNKNOWN_MEMBER, UNKNOWN_USER)))


async def look_up(rest: Rest, server: str, user: str) -> Profile:
    """Say what a user is in a server; without one, whether there still is such an account. Raises DeliveryError, also
    where the bot is not in the server: that says nothing about the user.
    """
    if not server:
        return await _account(rest, user, AccountKind.MEMBER)
    try:
        member = await rest.request("GET", "/guilds/{guild_id}/members/{user_id}", guild_id=server, user_id=user)
    except DeliveryError as failure:
        if failure.code in _NOT_THERE:
            return await _account(rest, user, AccountKind.GONE)
        raise
    if not isinstance(member, dict) or not isinstance(member.get("user"), dict):
        raise delivery_error(MalformedReplyError())
    found = member["user"]
    kind = AccountKind.BOT if found.get("bot") else AccountKind.MEMBER
    return Profile(kind=kind, name=str(member.get("nick") or _name(found)))


async def _account(rest: Rest, user: str, kind: AccountKind) -> Profile:
    """An account of this kind, by the name that Discord has of it; gone, if it has none any more."""
    try:
        found = await rest.message("GET", "/users/{user_id}", user_id=user)
    except DeliveryError as failure:
        if failure.code not in _NOT_THERE:
            raise
        return Profile(kind=AccountKind.GONE, name="")
    is_bot = kind is AccountKind.MEMBER and bool(found.get("bot"))
    return Profile(kind=AccountKind.BOT if is_bot else kind, name=_name(found))


def _name(user: Mapping[str, Any]) -> str:
    return str(user.get("global_name") or user.get("username") or "")
