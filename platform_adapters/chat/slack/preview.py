"""A message as Slack would be sent it, for looking at: no workspace, no settings."""

from collections.abc import Mapping

from commands.messages import Message
from platform_adapters.chat.slack.render import render


def preview(message: Message) -> Mapping[str, object]:
    """Its text and blocks."""
    drawn = render(message, None, lambda _: None)
    return {"text": drawn.text, "blocks": drawn.blocks}
