"""What Slack says of one of its users (users.info)."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commands.errors import DeliveryError
from commands.ports.chat import AccountKind, Profile
from platform_adapters.chat.slack.installations import Installations

SLACKBOT = "USLACKBOT"
"""A user whom Slack does not call a bot."""
_UNKNOWN = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_GUEST_MARKS = ("is_restricted", "is_ultra_restricted", "is_stranger")


async def profile(installations: Installations, tenant: str, user: str) -> Profile:
    """Ask what a user is now; somebody whom the workspace does not know is gone from it. Raises DeliveryError."""
    access = await installations.of(tenant)
    try:
        reply = await installations.call_form(access, "users.info", user=user, team_id=tenant)
    except DeliveryError as error:
        if error.code not in _UNKNOWN:
            raise
        return Profile(kind=AccountKind.GONE, name="")
    found = reply.body.get("user")
    about = found if isinstance(found, Mapping) else {}
    name = _text(_object(about.get("profile")), "real_name") or _text(about, "real_name") or _text(about, "name")
    return Profile(kind=_kind(user, about), name=name, time_zone=_zone(_text(about, "tz")))


def _kind(user: str, about: Mapping[str, object]) -> AccountKind:
    if about.get("is_bot") is True or user == SLACKBOT:
        return AccountKind.BOT
    if about.get("deleted") is True:
        return AccountKind.GONE
    return AccountKind.GUEST if any(about.get(mark) is True for mark in _GUEST_MARKS) else AccountKind.MEMBER


def _zone(name: str) -> str | None:
    """The zone, if this machine knows it too."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
