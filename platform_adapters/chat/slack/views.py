"""App Home and modals: what is published, opened and replaced there, and in which order.

Rules: docs.slack.dev/surfaces/app-home and /surfaces/modals. A trigger opens one view, within three seconds.
"""

import itertools
import logging
from typing import TypeAlias

from commands.errors import DeliveryError
from commands.messages import Form, Heading, Message, Picture
from platform_adapters.chat.slack.forms import modal
from platform_adapters.chat.slack.installations import Access, Installations
from platform_adapters.chat.slack.payloads import ReplyTo
from platform_adapters.chat.slack.render import PictureUrl, render_view
from platform_adapters.chat.slack.spans import Json, plain
from platform_adapters.chat.slack.text import cut, on_one_line

_log = logging.getLogger(__name__)

_TITLE = 24
_NAME = "lapsebot"  # over an answer without a first line of its own: Slack wants a title


Turn: TypeAlias = tuple[tuple[str, str], int]
"""Whose home, as their request named them, and the request's number."""


class TooLate(Exception):
    """The trigger was over, or used already. Another try with it cannot help."""


class Views:
    """Shows views to people."""

    def __init__(self, installations: Installations, picture_url: PictureUrl) -> None:
        self._installations = installations
        self._picture_url = picture_url
        self._numbers = itertools.count()
        self._turns: dict[tuple[str, str], int] = {}

    def turn(self, reply_to: ReplyTo) -> Turn:
        """Number a request for somebody's home as it comes in: an answer that a later one overtook is not shown."""
        key = reply_to.tenant, reply_to.user
        number = self._turns[key] = next(self._numbers)
        return key, number

    async def publish(self, reply_to: ReplyTo, message: Message, turn: Turn) -> None:
        """Make the message somebody's home. Raises DeliveryError."""
        key, number = turn
        if self._turns.get(key) != number:
            return
        view = {"type": "home", "blocks": render_view(message, reply_to.tenant, self._picture_url)}
        try:
            access = await self._installations.of(reply_to.tenant)
            await self._send(access, "views.publish", {"user_id": reply_to.user, "view": view}, message)
        finally:
            if self._turns.get(key) == number:
                del self._turns[key]

    async def open_form(self, reply_to: ReplyTo, form: Form) -> None:
        """Open a form, over the modal that was pressed in if it was one. Raises TooLate or DeliveryError."""
        access = await self._installations.of(reply_to.tenant)
        view = modal(form, reply_to.origin, reply_to.tenant)
        await self._open(access, reply_to, view, "views.push" if reply_to.modal else "views.open")

    async def show(self, reply_to: ReplyTo, message: Message) -> None:
        """Show an answer in a modal: in place of the one that was pressed in, or over the home.

        Raises TooLate or DeliveryError.
        """
        access = await self._installations.of(reply_to.tenant)
        view = answer_view(message, reply_to.tenant, self._picture_url)
        if reply_to.modal:
            await self._send(access, "views.update", {"view_id": reply_to.modal, "view": view}, message)
        else:
            await self._open(access, reply_to, view, "views.open")

    async def _open(self, access: Access, reply_to: ReplyTo, view: Json, method: str) -> None:
        if not reply_to.trigger:
            raise TooLate
        try:
            await self._installations.call(access, method, json={"trigger_id": reply_to.trigger, "view": view})
        except DeliveryError as error:
            if error.code in _TRIGGER_OVER:
                raise TooLate from error
            raise

    async def _send(self, access: Access, method: str, body: Json, message: Message) -> None:
        """Send a view; without its pictures where Slack does not get them, so that the words are there at least."""
        try:
            await self._installations.call(access, method, json=body)
        except DeliveryError as error:
            if error.code != "invalid_arguments" or not any(isinstance(each, Picture) for each in message.parts):
                raise
            _log.warning("Slack did not take a picture of a view; it is shown without")
            blocks = render_view(message, access.team_id, nowhere)
            await self._installations.call(access, method, json=body | {"view": body["view"] | {"blocks": blocks}})


_TRIGGER_OVER = frozenset(
    {"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged", "invalid_trigger_id"}
)


def nowhere(_picture: Picture) -> None:
    """Pictures have no address: their message is drawn without them."""


def answer_view(message: Message, tenant: str, picture_url: PictureUrl) -> Json:
    """An answer as a modal that one only reads. Raises ValueError as `render` does."""
    return {
        "type": "modal",
        "callback_id": "answer",
        "title": {"type": "plain_text", "text": _title(message), "emoji": False},
        "blocks": render_view(message, tenant, picture_url),
    }


def _title(message: Message) -> str:
    first = next((plain(part.line) for part in message.parts if isinstance(part, Heading)), "")
    return cut(on_one_line(first), _TITLE) or _NAME
