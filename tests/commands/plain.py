"""Writes a Message as plain text, for reading what people would read."""

from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Buttons,
    Code,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mention,
    Message,
    Moment,
    Note,
    Paging,
    Part,
    Plain,
    Rows,
    Text,
    WebLink,
)


def plain(message: Message) -> str:
    """The whole message, a part a line."""
    return "\n".join(_part(part) for part in message.parts)


def plain_line(line: Line) -> str:
    """One line of it."""
    return "".join(map(_span, line))


def buttons(message: Message) -> dict[str, AnyButton]:
    """Every button, by label; of rows, each label with its row's number."""
    found: dict[str, AnyButton] = {}
    for part in message.parts:
        if isinstance(part, Buttons):
            found |= {button.label: button for button in (*part.primary, *part.menu)}
        elif isinstance(part, Rows):
            for number, row in enumerate(part.rows, 1):
                found |= {
                    f"{button.label} {number}": button for button in (row.button, row.details) if button is not None
                }
    return found


def token(message: Message, label: str) -> str:
    """What a press of the button with this label brings back."""
    button = buttons(message)[label]
    assert isinstance(button, Button)
    return button.action.encode()


def address(message: Message, label: str) -> str:
    """Where the link button with this label leads."""
    button = buttons(message)[label]
    assert isinstance(button, LinkButton)
    return button.url


def paging(message: Message) -> Paging:
    """The message's page turning."""
    return next(part for part in message.parts if isinstance(part, Paging))


def _part(part: Part) -> str:
    match part:
        case Heading() | Text() | Note():
            return plain_line(part.line)
        case Facts():
            return "\n".join(f"{label}: {plain_line(value)}" for label, value in part.items)
        case Rows():
            rows = [
                f"{row.mark} {plain_line(row.title)} · {plain_line(row.detail)}"
                + "".join(f" [{button.label}]" for button in (row.button, row.details) if button is not None)
                for row in part.rows
            ]
            return "\n".join([*rows, *([f"and {part.more} more"] if part.more else [])])
        case Buttons():
            menu = f" [▾ {', '.join(button.label for button in part.menu)}]" if part.menu else ""
            return " ".join(f"[{button.label}]" for button in part.primary) + menu
        case Paging():
            back, on = "‹ " if part.previous else "", " ›" if part.following else ""
            return f"{back}{part.label}{on}"


def _span(span: Plain | Bold | Code | Mention | Moment | WebLink) -> str:
    match span:
        case Plain():
            return span.text
        case Bold():
            return f"*{span.text}*"
        case Code():
            return f"`{span.text}`"
        case Mention():
            return f"@{span.name}" if span.handles else span.name
        case Moment():
            return f"<{span.style} {span.at:%a %d %b %H:%M}>"
        case WebLink():
            return f"{span.label} ({span.url})"
