"""What Slack sends, as neutral requests: Bolt's listeners, one for each kind, and how a payload is read.

Every request is acknowledged before anything else is awaited; the answer follows to its response_url. Fields that are
missing or of another type make a request that nobody answers, never an error.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from commands.messages import Message
from commands.ports.chat import Acknowledgement, ActionRequest, ChatUser, CommandRequest, Inbound, Place, Words
from commands.ports.clock import Clock
from platform_adapters.chat.slack.answers import Answers, ReplyTo
from platform_adapters.chat.slack.installations import Installations
from platform_adapters.chat.slack.shared import SharedChannels
from platform_adapters.chat.slack.signature import Json
from platform_adapters.chat.slack.spans import PLATFORM

_log = logging.getLogger(__name__)

COMMAND, ACTIONS, EVENT = "command", "block_actions", "event_callback"
LIFECYCLE_EVENTS = ("app_uninstalled", "tokens_revoked")
_REMEMBERED = timedelta(minutes=10)  # longer than a signature is good for, and than Slack's first two retries take
_MOST_REMEMBERED = 20_000
_ANY = re.compile(r".*", re.DOTALL)
_IN_BRACKETS = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and where its answer goes."""

    request: CommandRequest | ActionRequest
    reply_to: ReplyTo


class Receiver:
    """Hands Slack's requests to `inbound`. Work that goes on after the acknowledgement belongs to `work`."""

    def __init__(
        self,
        *,
        inbound: Inbound,
        answers: Answers,
        installations: Installations,
        shared: SharedChannels,
        clock: Clock,
        client: AsyncWebClient,
        work: asyncio.TaskGroup,
    ) -> None:
        self._inbound = inbound
        self._answers = answers
        self._installations = installations
        self._shared = shared
        self._clock = clock
        self._work = work
        self._seen: dict[str, datetime] = {}
        self._bolt = self._build(client)

    async def receive(self, payload: Json) -> BoltResponse:
        """Take in what Slack sent. What nobody listens to, and what came before, is only acknowledged."""
        if kind_of(payload) is None or self._came_before(payload):
            return BoltResponse(status=200, body="")
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=dict(payload))
        except (AttributeError, TypeError, LookupError):  # Bolt reads some fields without a look at their type
            return BoltResponse(status=200, body="")
        response = await self._bolt.async_dispatch(request)
        # Slack shows people a warning for anything else, and switches off an app that answers so too often.
        return response if response.status == 200 else BoltResponse(status=200, body="")

    def _build(self, client: AsyncWebClient) -> AsyncApp:
        # `process_before_response`: Bolt would else poll for the acknowledgement, 10 ms at a time, and keep no hold of
        # the task that goes on. Our listeners acknowledge, hand the work to our task group, and are done.
        bolt = AsyncApp(
            name="lapsebot",
            client=client,
            logger=client.logger,
            authorize=_authorize,
            process_before_response=True,
            request_verification_enabled=False,  # `signature` did it, more strictly
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
        )
        # Bolt tries its listeners one after the other: one for each kind, and our own tables route.
        bolt.command(_ANY)(self._on_command)
        bolt.action(_ANY)(self._on_action)
        bolt.event(_ANY)(self._on_event)
        return bolt

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        asked = read_command(body, self._installations)
        if asked is not None and isinstance(asked.request, CommandRequest):
            self._start(asked, partial(self._command, asked.request))

    async def _command(self, request: CommandRequest) -> Message:
        place = request.place
        if place.workspace and not place.is_direct and not place.is_shared:
            place = replace(place, is_shared=await self._shared.is_shared(place.workspace, place.channel))
        return await self._inbound.command(replace(request, place=place))

    async def _on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        asked = read_action(body, self._installations)
        if asked is not None and isinstance(asked.request, ActionRequest):
            acknowledgement = self._inbound.acknowledgement(asked.request.token)
            replaces = acknowledgement is Acknowledgement.UPDATE
            self._start(asked, partial(self._inbound.action, asked.request), replaces=replaces)

    async def _on_event(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        kind = _text(_part(body, "event"), "type")
        if kind in LIFECYCLE_EVENTS:
            _log.error("Slack says that the app was removed from workspace %s: %s", _text(body, "team_id"), kind)

    def _start(self, asked: Asked, answering: Callable[[], Awaitable[Message]], *, replaces: bool = False) -> None:
        async def answer() -> None:
            try:
                await self._answers.send(asked.reply_to, await answering(), replaces=replaces)
            except Exception:  # noqa: BLE001  # an edge: one answer that fails must not end the bot
                _log.exception("an answer in Slack failed")

        begun = answer()
        try:
            self._work.create_task(begun)
        except RuntimeError:  # the last of the work has ended already: it came while we leave
            begun.close()
            _log.warning("a request from Slack came too late to be answered")

    def _came_before(self, payload: Json) -> bool:
        """Whether this very request was taken in already: Slack's retry, or somebody's replay within five minutes."""
        key = _text(payload, "event_id") or _text(payload, "trigger_id")
        if not key:
            return False
        now = self._clock.now()
        while self._seen:
            oldest = next(iter(self._seen))
            if now - self._seen[oldest] <= _REMEMBERED and len(self._seen) < _MOST_REMEMBERED:
                break
            del self._seen[oldest]
        if key in self._seen:
            return True
        self._seen[key] = now
        return False


async def _authorize(team_id: str | None) -> AuthorizeResult:
    """Bolt wants a result; it makes no calls for us. No method, since Bolt would pass `self` by name as well."""
    return AuthorizeResult(enterprise_id=None, team_id=team_id)


def kind_of(payload: Json) -> str | None:
    """Which of the kinds that we listen to it is; None for all others, and for what Bolt could not route."""
    if isinstance(payload.get("command"), str):
        return COMMAND
    if payload.get("type") == EVENT and _text(_part(payload, "event"), "type"):
        return EVENT
    actions = payload.get("actions")
    if payload.get("type") == ACTIONS and isinstance(actions, list) and actions and isinstance(actions[0], Mapping):
        return ACTIONS if _text(actions[0], "action_id") and "block_id" in actions[0] else None
    return None


def read_command(body: Json, installations: Installations) -> Asked | None:
    """Read a slash command."""
    name, user, team = _text(body, "command").removeprefix("/"), _text(body, "user_id"), _text(body, "team_id")
    channel = _text(body, "channel_id")
    if not (name and user and team):
        return None
    workspace, workspace_name = installations.receiving(team)
    place = Place(
        workspace=workspace,
        workspace_name=workspace_name or _text(body, "team_domain"),
        channel=channel,
        is_direct=_is_direct(channel, _text(body, "channel_name")),
        is_shared=team != workspace,
    )
    who = ChatUser(platform=PLATFORM, tenant=team, external_id=user, name=_text(body, "user_name"))
    return Asked(
        request=CommandRequest(name=name, arguments=Words(text=unescaped(_text(body, "text"))), user=who, place=place),
        reply_to=ReplyTo(
            tenant=workspace, channel=channel, user=user, response_url=_text(body, "response_url"), is_private=False
        ),
    )


def read_action(body: Json, installations: Installations) -> Asked | None:
    """Read a press or a choice. None for links, which Slack reports as well, and for what we did not draw."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    token = _token(action) if isinstance(action, Mapping) else ""
    person, channel = _part(body, "user"), _part(body, "channel")
    user, team = _text(person, "id"), _text(_part(body, "team"), "id")
    own_team = _text(person, "team_id") or team
    if not (token and user and own_team):
        return None
    workspace, workspace_name = installations.receiving(team or own_team)
    is_direct = _is_direct(_text(channel, "id"), _text(channel, "name"))
    place = Place(
        workspace=workspace,
        workspace_name=workspace_name or _text(_part(body, "team"), "domain"),
        channel=_text(channel, "id"),
        is_direct=is_direct,
        # Slack is not asked: no button lets a channel hear.
        is_shared=True if own_team != workspace else False if is_direct else None,
    )
    name = _text(person, "name") or _text(person, "username")
    who = ChatUser(platform=PLATFORM, tenant=own_team, external_id=user, name=name)
    return Asked(
        request=ActionRequest(token=token, user=who, place=place),
        reply_to=ReplyTo(
            tenant=workspace,
            channel=place.channel,
            user=user,
            response_url=_text(body, "response_url"),
            is_private=_part(body, "container").get("is_ephemeral") is True,
        ),
    )


def _token(action: Json) -> str:
    if action.get("url"):
        return ""
    return _text(action, "value") or _text(_part(action, "selected_option"), "value")


def _is_direct(channel: str, name: str) -> bool:
    return channel.startswith("D") or name == "directmessage"


def unescaped(text: str) -> str:
    """What the person typed: `<@U1|ana>` becomes `@U1`, `<#C1|ads>` becomes `#C1`, links become their address."""
    text = _IN_BRACKETS.sub(_out_of_brackets, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _out_of_brackets(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if target.startswith("mailto:"):
        return label or target.removeprefix("mailto:")
    if target.startswith("!"):
        return "@" + (label or target[1:]).lstrip("@")
    return target


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _part(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}
