"""Answers to people who typed or pressed: by the response_url of their request, else as an ephemeral message, else in
the messages between them and the bot; what was pressed in a home or modal is answered there.
"""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from commands.errors import DeliveryError
from commands.messages import Message, Picture
from platform_adapters.chat.slack.api import SlackApi
from platform_adapters.chat.slack.installations import Installations
from platform_adapters.chat.slack.payloads import ReplyTo
from platform_adapters.chat.slack.render import PictureUrl, Rendered, render
from platform_adapters.chat.slack.views import TooLate, Views, nowhere

_log = logging.getLogger(__name__)

_SLACK_HOSTS = frozenset({("https", "hooks.slack.com", None), ("https", "hooks.slack-gov.com", None)})


class Answers:
    """Sends answers. `api_url` says where, besides Slack's own host, a response_url may point."""

    def __init__(
        self,
        *,
        api: SlackApi,
        installations: Installations,
        views: Views,
        picture_url: PictureUrl,
        api_url: str,
    ) -> None:
        self._api = api
        self._installations = installations
        self._views = views
        self._picture_url = picture_url
        self._hosts = _SLACK_HOSTS | {_host(api_url)}

    async def send(self, reply_to: ReplyTo, message: Message, *, replaces: bool) -> None:
        """Show the answer to the asker alone; `replaces`: in place of the private message that was pressed."""
        if reply_to.is_home or reply_to.modal:
            if await self._in_view(reply_to, message):
                return
            await self._by_message(reply_to, message, ("chat.postMessage",))
            return
        # Everybody would read an answer that replaced a message of the channel; such a one is answered beside it.
        in_place = replaces and reply_to.is_private
        if await self._respond(reply_to.response_url, message, reply_to.tenant, in_place=in_place):
            return
        methods = ("chat.postEphemeral", "chat.postMessage") if reply_to.channel else ("chat.postMessage",)
        await self._by_message(reply_to, message, methods)

    async def _in_view(self, reply_to: ReplyTo, message: Message) -> bool:
        try:
            await self._views.show(reply_to, message)
        except (TooLate, DeliveryError) as error:
            _log.info("an answer could not be shown over a view: %s", getattr(error, "code", "too late"))
            return False
        return True

    async def _by_message(self, reply_to: ReplyTo, message: Message, methods: Sequence[str]) -> None:
        """One after the other: in the channel where only the asker sees it, then in the messages with the bot.

        Without pictures: Slack may have refused the answer for them before.
        """
        rendered = render(message, reply_to.tenant, nowhere)
        body: dict[str, object] = {"text": rendered.text, "blocks": rendered.blocks, "parse": "none"}
        refusal = "no_way_to_answer"
        for method in methods:
            place = {"channel": reply_to.user}
            if method == "chat.postEphemeral":
                place = {"channel": reply_to.channel, "user": reply_to.user}
            else:
                body |= {"unfurl_links": False, "unfurl_media": False}
            try:
                access = await self._installations.of(reply_to.tenant)
                await self._installations.call(access, method, json=body | place)
            except DeliveryError as error:
                refusal = error.code
            else:
                return
        _log.error("an answer in Slack could not be shown to its asker: %s", refusal)

    async def _respond(self, url: str, message: Message, tenant: str, *, in_place: bool) -> bool:
        """Whether Slack took the answer there: an address lives for half an hour and five answers."""
        if _host(url) not in self._hosts:
            if url:
                _log.warning("a response_url that is not at Slack was not used")
            return False
        rendered = render(message, tenant, self._picture_url)
        if await self._posted(url, rendered, in_place=in_place):
            return True
        if not any(isinstance(part, Picture) for part in message.parts):
            return False
        return await self._posted(url, render(message, tenant, nowhere), in_place=in_place)

    async def _posted(self, url: str, rendered: Rendered, *, in_place: bool) -> bool:
        body = {
            "response_type": "ephemeral",
            "replace_original": in_place,
            "text": rendered.text,
            "blocks": rendered.blocks,
            "parse": "none",
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            async with self._api.session() as session:
                posting = session.post(url, json=body, allow_redirects=False, proxy=self._api.proxy)
                async with posting as reply:
                    return reply.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("a response_url did not answer: %s", type(error).__name__)
            return False


def _host(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return "", None, None
