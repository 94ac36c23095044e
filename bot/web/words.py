"""Times, states and lines of the core, as pages show them: marks are drawn, times stand in the reader's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_skeleton
from markupsafe import Markup, escape

from commands.messages import Line, Mark, Mention, Moment, MomentStyle, WebLink

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


def moment(zone: str | None, at: datetime, *, day_only: bool = False, language: str = "en") -> Markup:
    """A time in the reader's zone, which is named, as their language writes it; UTC where the zone is unknown."""
    try:
        local = at.astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    day = f"{local:%a} {local.day} {local:%b %Y}"
    if language != "en":
        day = format_skeleton("yMMMEd", local, locale=language)
    words = day if day_only else f"{day}, {local:%H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)


def words_of(line: Line, zone: str | None) -> Markup:
    """A line in words. Marks among its letters are left out, since not every machine has them: the page draws them."""
    parts = []
    for span in line:
        match span:
            case Moment(at, style):
                parts.append(moment(zone, at, day_only=style is MomentStyle.DAY))
            case Mention():
                parts.append(Markup("<bdi>{}</bdi>").format(span.name))
            case WebLink():
                parts.append(escape(span.label))
            case _:
                parts.append(escape(_without_marks(span.text)))
    return Markup("").join(parts)


def _without_marks(text: str) -> str:
    for mark in Mark:
        text = text.replace(f"{mark} ", "").replace(mark, "")
    return text
