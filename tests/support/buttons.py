"""Every button of a message, for tests of what people may press."""

from commands.messages import AnyButton, Button, Buttons, Message, Paging, Rows


def all_buttons(message: Message) -> list[AnyButton]:
    """Every button of a message, as they come: of rows, menus and page turning too."""
    found: list[AnyButton | None] = []
    for part in message.parts:
        match part:
            case Buttons(primary, menu):
                found += [*primary, *menu]
            case Rows(rows):
                found += [button for row in rows for button in (row.button, row.details)]
            case Paging(_, previous, following):
                found += [Button(name, action) for name, action in (("‹", previous), ("›", following)) if action]
            case _:
                pass
    return [button for button in found if button is not None]
