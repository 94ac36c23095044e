"""What goes over the wire for a message: its components, and the pictures that they show as files.

A picture that cannot be drawn is left out: its figures stand as text beside it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import Message, Picture
from platform_adapters.chat.chart import NotDrawn
from platform_adapters.chat.discord.render import MOST_PICTURES, file_name, files_of, render

_log = logging.getLogger(__name__)

Draw = Callable[[Picture], Awaitable[bytes]]
"""Gives a picture as a PNG. Raises NotDrawn."""

COMPONENTS_V2 = 1 << 15
NOBODY: Mapping[str, object] = MappingProxyType({"parse": []})
"""Allowed mentions: none. Said in every request, since an edit that does not say so looks for mentions again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A message as a request carries it."""

    json: Mapping[str, Any]
    files: tuple[tuple[str, bytes], ...] = ()
    """Pictures by their names."""

    def with_(self, **more: object) -> "Body":
        """The same with more fields."""
        return Body(json={**self.json, **more}, files=self.files)


async def body_of(message: Message, draw: Draw, *, may_attach: bool = True) -> Body:
    """Draw a message. It replaces all that stood there before, files too. Raises DeliveryError (REJECTED)."""
    pictures = [part for part in message.parts if isinstance(part, Picture)]
    drawn = [await _drawn(one, draw) if may_attach else None for one in pictures[:MOST_PICTURES]]
    missing = {number for number, png in enumerate(drawn) if png is None}
    try:
        components = render(message, missing)
    except ValueError as error:  # an action too long to be carried
        raise DeliveryError(DeliveryErrorKind.REJECTED, "cannot be drawn") from error
    shown = files_of(components)
    named = [(file_name(number), png) for number, png in enumerate(drawn)]
    files = tuple((name, png) for name, png in named if png is not None and name in shown)
    attachments = [{"id": number, "filename": name} for number, (name, _) in enumerate(files)]
    return Body(
        json={
            "components": components,
            "flags": COMPONENTS_V2,
            "allowed_mentions": dict(NOBODY),
            "attachments": attachments,
        },
        files=files,
    )


async def _drawn(picture: Picture, draw: Draw) -> bytes | None:
    try:
        return await draw(picture)
    except NotDrawn as failure:
        _log.warning("a picture was left out: %s", failure)
        return None
