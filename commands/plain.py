"""A message as plain text: for terminals, for whoever reads over SSH, and for tests of what people would read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

from commands.messages import (
    AnyButton,
    Bold,
    Buttons,
    Chart,
    Code,
    Facts,
    Heading,
    Line,
    Mention,
    Message,
    Moment,
    MomentStyle,
    Note,
    Paging,
    Part,
    Picture,
    Plain,
    Row,
    Rows,
    Span,
    Text,
    WebLink,
)


def utc(moment: Moment) -> str:
    """A time, in UTC."""
    form = "%-d %B %Y" if moment.style is MomentStyle.DAY else "%a %-d %b %H:%M UTC"
    return moment.at.astimezone(UTC).strftime(form)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainStyle:
    """How what has no plain form is marked."""

    bold: str = "*"
    """Stands on both sides."""
    code: str = "`"
    between: str = " · "
    """Between a row's title and its detail."""
    moment: Callable[[Moment], str] = utc


STYLE = PlainStyle()


def plain_text(message: Message, style: PlainStyle = STYLE) -> str:
    """Write a message out, a part a paragraph, every button with its label."""
    return "\n".join(line for part in message.parts for line in _lines(part, style))


def plain_line(line: Line, style: PlainStyle = STYLE) -> str:
    """One line of it."""
    return "".join(_span(span, style) for span in line)


def _lines(part: Part, style: PlainStyle) -> list[str]:
    match part:
        case Heading(line) | Text(line) | Note(line):
            return [plain_line(line, style)]
        case Facts(items):
            return [f"{label}: {plain_line(line, style)}" for label, line in items]
        case Rows(rows, more):
            listed = [_row(row, style) for row in rows]
            return [*listed, f"and {more} more"] if more else listed
        case Buttons(primary, menu):
            more_ways = [f"[▾ {', '.join(item.label for item in menu)}]"] if menu else []
            return [" ".join([*map(_button, primary), *more_ways])]
        case Paging(label, previous, following):
            return [f"{'‹ ' if previous else ''}{label}{' ›' if following else ''}"]
        case Picture(charts, description):
            return [description, *(line for chart in charts for line in _chart(chart))]


def _chart(chart: Chart) -> list[str]:
    """A chart's figures; categories without any are left out."""
    lines = []
    for index, category in enumerate(chart.categories):
        values = [(series.name, series.values[index]) for series in chart.series if series.values[index]]
        if values:
            lines.append(f"{category}: {', '.join(f'{name} {value:g}' for name, value in values)}")
    return [f"{chart.title} ({chart.value_label})", *lines]


def _row(row: Row, style: PlainStyle) -> str:
    detail = f"{style.between}{plain_line(row.detail, style)}" if row.detail else ""
    buttons = "".join(f" {_button(button)}" for button in (row.button, row.details) if button is not None)
    return f"{row.mark.value} {plain_line(row.title, style)}{detail}{buttons}"


def _button(button: AnyButton) -> str:
    return f"[{button.label}]"


def _span(span: Span, style: PlainStyle) -> str:
    match span:
        case Plain(text):
            return text
        case Bold(text):
            return f"{style.bold}{text}{style.bold}"
        case Code(text):
            return f"{style.code}{text}{style.code}"
        case Mention(name, handles):
            return f"@{name}" if handles else name
        case WebLink(label, url):
            return f"{label} ({url})"
        case Moment():
            return style.moment(span)
