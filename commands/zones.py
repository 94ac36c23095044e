"""Time zones by their IANA names, which come from platforms and may be unknown on this machine."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def first_known_zone(*names: str | None) -> ZoneInfo:
    """The first of these zones that is known here, else UTC."""
    for name in names:
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
                continue
    return ZoneInfo("UTC")
