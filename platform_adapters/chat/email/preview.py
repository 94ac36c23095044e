"""A message as a mail reader would show it, for looking at: no server, no settings."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address

from commands.messages import Message
from platform_adapters.chat.email.render import Renderer

_ADDRESS = Address("lapsebot", "lapsebot", "example.com")


class _Noon:
    """A clock that stands still: nothing that is looked at shows when it was written."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


def preview(message: Message) -> Mapping[str, object]:
    """Its subject, plain text and page."""
    renderer = Renderer(sender=_ADDRESS, public_url="https://lapses.example", clock=_Noon())
    email = renderer.render(message, to=_ADDRESS, message_id="<preview@example.com>", reply_to_id=None)
    found = {kind: email.get_body((kind,)) for kind in ("plain", "html")}
    bodies = {kind: body.get_content() if body is not None else "" for kind, body in found.items()}
    return {"subject": email["Subject"], "text": bodies["plain"], "html": bodies["html"]}
