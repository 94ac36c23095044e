"""Times and marks of the core, as pages show them: marks are drawn, times stand in the reader's zone."""

from datetime import datetime

from babel.dates import format_skeleton
from markupsafe import Markup

from commands.messages import Mark
from commands.zones import first_known_zone

MARKS = {
    Mark.LAPSED: "lapsed",
    Mark.EXPIRING: "expiring",
    Mark.GOOD: "good",
    Mark.CLAIMED: "claimed",
    Mark.UNCONNECTED: "unconnected",
    Mark.RECONNECTING: "reconnecting",
    Mark.RETIRED: "retired",
}
"""The drawing in `templates/parts.html` of each state's mark."""


def bdi(text: str) -> Markup:
    """A name from outside, whose own direction of writing leaves the sentence around it alone."""
    return Markup("<bdi>{}</bdi>").format(text)


def code(text: str) -> Markup:
    """What is typed."""
    return Markup("<code>{}</code>").format(text)


def strong(text: str) -> Markup:
    """What stands out in a sentence."""
    return Markup("<strong>{}</strong>").format(text)


def linked(text: str, address: str) -> Markup:
    """Words of a sentence that lead somewhere."""
    return Markup('<a href="{}">{}</a>').format(address, text)


def moment(zone: str | None, at: datetime, *, day_only: bool = False, language: str = "en") -> Markup:
    """A time in the reader's zone, which is named, as their language writes it; UTC where the zone is unknown."""
    local = at.astimezone(first_known_zone(zone))
    day = f"{local:%a} {local.day} {local:%b %Y}"
    if language != "en":
        day = format_skeleton("yMMMEd", local, locale=language)
    words = day if day_only else f"{day}, {local:%H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)
