"""A message as Discord would be sent it, for looking at: no server, no settings."""

from collections.abc import Mapping

from commands.messages import Message
from platform_adapters.chat.discord.render import render

_COMPONENTS_V2 = 1 << 15  # the flag of messages that are made of components alone


def preview(message: Message) -> Mapping[str, object]:
    """Its components."""
    return {"flags": _COMPONENTS_V2, "components": render(message)}
