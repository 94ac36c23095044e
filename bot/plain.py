"""A message as plain text, for terminals: `lapsebot preview` and whoever reads over SSH."""

from datetime import UTC

from commands.messages import (
    AnyButton,
    Bold,
    Buttons,
    Code,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mention,
    Message,
    Moment,
    MomentStyle,
    Note,
    Paging,
    Part,
    Plain,
    Row,
    Rows,
    Span,
    Text,
    WebLink,
)


def plain_text(message: Message) -> str:
    """Write a message out, one part a paragraph. Times are in UTC."""
    return "\n".join(line for part in message.parts for line in _lines(part))


def _lines(part: Part) -> list[str]:
    match part:
        case Heading(line) | Text(line):
            return [_text(line)]
        case Note(line):
            return [f"  {_text(line)}"]
        case Facts(items):
            return [f"  {label}: {_text(line)}" for label, line in items]
        case Rows(rows, more):
            listed = [_row(row) for row in rows]
            return [*listed, f"  and {more} more"] if more else listed
        case Buttons(primary, menu):
            names = [
                *map(_button, primary),
                *([f"[ More: {' · '.join(item.label for item in menu)} ]"] if menu else []),
            ]
            return [" ".join(names)]
        case Paging(label, previous, following):
            return [f"{'‹ ' if previous else ''}{label}{' ›' if following else ''}"]


def _row(row: Row) -> str:
    detail = f" — {_text(row.detail)}" if row.detail else ""
    button = f"  {_button(row.button)}" if row.button else ""
    return f"{row.mark.value} {_text(row.title)}{detail}{button}"


def _button(button: AnyButton) -> str:
    return f"[ {button.label} ↗ ]" if isinstance(button, LinkButton) else f"[ {button.label} ]"


def _text(line: Line) -> str:
    return "".join(_span(span) for span in line)


def _span(span: Span) -> str:
    match span:
        case Plain(text) | Bold(text):
            return text
        case Code(text):
            return f"`{text}`"
        case Mention(name):
            return f"@{name}"
        case WebLink(label, url):
            return f"{label} ({url})"
        case Moment(at, style):
            form = "%-d %B %Y" if style is MomentStyle.DAY else "%a %-d %b %H:%M UTC"
            return at.astimezone(UTC).strftime(form)
