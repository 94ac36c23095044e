"""Answers to people who typed or pressed: by the response_url of their request, else as an ephemeral message."""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from commands.errors import DeliveryError
from commands.messages import Message
from platform_adapters.chat.slack.api import SlackApi
from platform_adapters.chat.slack.installations import Installations
from platform_adapters.chat.slack.render import Rendered, render

_log = logging.getLogger(__name__)

_SLACK_HOSTS = frozenset({("https", "hooks.slack.com", None), ("https", "hooks.slack-gov.com", None)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where an answer goes. The address is as good as a password: it is not logged."""

    tenant: str
    channel: str
    user: str
    response_url: str
    is_private: bool
    """The message that was pressed is one that only this person sees."""


class Answers:
    """Sends answers. `api_url` says where, besides Slack's own host, a response_url may point."""

    def __init__(self, api: SlackApi, installations: Installations, api_url: str) -> None:
        self._api = api
        self._installations = installations
        self._hosts = _SLACK_HOSTS | {_host(api_url)}

    async def send(self, reply_to: ReplyTo, message: Message, *, replaces: bool) -> None:
        """Show the answer to the asker alone; `replaces`: in place of the private message that was pressed."""
        rendered = render(message, reply_to.tenant)
        # Everybody would read an answer that replaced a message of the channel; such a one is answered beside it.
        in_place = replaces and reply_to.is_private
        if await self._respond(reply_to.response_url, rendered, in_place=in_place):
            return
        body = {
            "channel": reply_to.channel,
            "user": reply_to.user,
            "text": rendered.text,
            "blocks": rendered.blocks,
            "parse": "none",
        }
        try:
            installation = await self._installations.of(reply_to.tenant)
            await self._api.call("chat.postEphemeral", token=installation.token, tenant=installation.team_id, json=body)
        except DeliveryError as error:
            _log.error("an answer in Slack could not be shown to its asker: %s", error.code)

    async def _respond(self, url: str, rendered: Rendered, *, in_place: bool) -> bool:
        """Whether Slack took the answer there: an address lives for half an hour and five answers."""
        if _host(url) not in self._hosts:
            if url:
                _log.warning("a response_url that is not at Slack was not used")
            return False
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
