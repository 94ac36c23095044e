"""Times, states and lines of the core, as pages show them: marks are drawn, times stand in the reader's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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


def moment(zone: str | None, at: datetime, *, day_only: bool = False) -> Markup:
    """A time in the reader's zone, which is named; UTC where the zone is unknown."""
    try:
        local = at.astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    day = f"{local:%a} {local.day} {local:%b %Y}"
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
