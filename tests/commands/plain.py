"""Writes a Message as plain text, for reading what people would read."""

from commands.messages import AnyButton, Button, Buttons, Line, LinkButton, Message, Moment, Paging, Rows
from commands.plain import PlainStyle, plain_text
from commands.plain import plain_line as _plain_line


def _moment(moment: Moment) -> str:
    return f"<{moment.style} {moment.at:%a %d %b %H:%M}>"


_STYLE = PlainStyle(moment=_moment)
"""Times with how they are drawn, so that a test sees both."""


def plain(message: Message) -> str:
    """The whole message, a part a line."""
    return plain_text(message, _STYLE)


def plain_line(line: Line) -> str:
    """One line of it."""
    return _plain_line(line, _STYLE)


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
