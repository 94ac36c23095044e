"""What Slack sends, handed to the core: Bolt's listeners, one for each kind, and the way of each answer.

Every request is acknowledged before anything else is awaited, but for a form that was sent off: its acknowledgement
says which fields are wrong, and so waits for the core, for as long as Slack's three seconds allow.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from commands.apologies import form_not_opened
from commands.errors import DeliveryError
from commands.messages import FieldErrors, Form, Message
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    CommandRequest,
    HomeRequest,
    Inbound,
    Place,
    Submission,
)
from commands.ports.clock import Clock
from platform_adapters.chat.slack.answers import Answers
from platform_adapters.chat.slack.forms import as_message, errors_by_block
from platform_adapters.chat.slack.installations import Installations
from platform_adapters.chat.slack.lifecycle import Lifecycle
from platform_adapters.chat.slack.payloads import (
    HOME_OPENED,
    Asked,
    ReplyTo,
    kind_of,
    part,
    read_action,
    read_command,
    read_home,
    read_submission,
    text,
)
from platform_adapters.chat.slack.shared import SharedChannels
from platform_adapters.chat.slack.signature import Json
from platform_adapters.chat.slack.views import TooLate, Turn, Views, answer_view, nowhere

_log = logging.getLogger(__name__)

SUBMISSION_PATIENCE = 2.0
"""Seconds that a form waits for its answer; Slack takes its dialogue for failed after three."""
_REMEMBERED = timedelta(minutes=10)  # longer than a signature is good for, and than Slack's first two retries take
_MOST_REMEMBERED = 20_000
_ANY = re.compile(r".*", re.DOTALL)
R = TypeVar("R", CommandRequest, ActionRequest, Submission, HomeRequest)
A = TypeVar("A")


class Receiver:
    """Hands Slack's requests to `inbound`. Work that goes on after the acknowledgement belongs to `work`."""

    def __init__(
        self,
        *,
        inbound: Inbound,
        answers: Answers,
        views: Views,
        installations: Installations,
        shared: SharedChannels,
        lifecycle: Lifecycle,
        clock: Clock,
        client: AsyncWebClient,
        work: asyncio.TaskGroup,
        submission_patience: float,
    ) -> None:
        self._inbound = inbound
        self._answers = answers
        self._views = views
        self._installations = installations
        self._shared = shared
        self._lifecycle = lifecycle
        self._clock = clock
        self._work = work
        self._submission_patience = submission_patience
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
        bolt.view(_ANY)(self._on_submission)
        bolt.event(_ANY)(self._on_event)
        return bolt

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if (asked := read_command(body)) is not None:
            self._start(partial(self._command, asked))

    async def _command(self, asked: Asked[CommandRequest]) -> None:
        asked = await self._placed(asked)
        request = asked.request
        if self._inbound.command_acknowledgement(request.name, request.arguments) is Acknowledgement.FORM:
            await self._form(asked.reply_to, await self._inbound.form(request))
            await self._with_shared(request.place)  # remembered for when the form is sent off, which cannot wait for it
            return
        request = replace(request, place=await self._with_shared(request.place))
        await self._answers.send(asked.reply_to, await self._inbound.command(request), replaces=False)

    async def _on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if (asked := read_action(body)) is not None:
            is_for_home = asked.reply_to.is_home and self._replaces(asked.request)
            turn = self._views.turn(asked.reply_to) if is_for_home else None
            self._start(partial(self._action, asked, turn))

    def _replaces(self, request: ActionRequest) -> bool:
        return self._inbound.acknowledgement(request.token) is Acknowledgement.UPDATE

    async def _action(self, asked: Asked[ActionRequest], turn: Turn | None) -> None:
        asked = await self._placed(asked)
        request, reply_to = asked.request, asked.reply_to
        if self._inbound.acknowledgement(request.token) is Acknowledgement.FORM:
            await self._form(reply_to, await self._inbound.form(request))
            return
        answer = await self._inbound.action(request)
        if turn is not None:
            await self._views.publish(reply_to, answer, turn)
        else:
            await self._answers.send(reply_to, answer, replaces=self._replaces(request))

    async def _form(self, reply_to: ReplyTo, form: Form | Message) -> None:
        """Open a form, or say why there is none."""
        if isinstance(form, Message):
            await self._answers.send(reply_to, form, replaces=False)
            return
        try:
            await self._views.open_form(reply_to, form)
        except (TooLate, DeliveryError) as error:  # a trigger is good for one try
            _log.warning("a form was not opened: %s", getattr(error, "code", "too late"))
            await self._answers.send(replace(reply_to, trigger=""), form_not_opened(), replaces=False)

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        asked = read_submission(body)
        answering = self._start(partial(self._submission, asked)) if asked is not None else None
        if asked is None or answering is None:
            await ack()
            return
        await asyncio.wait({answering}, timeout=self._submission_patience)
        if not answering.done():
            await ack()
            self._start(partial(self._answer_late, asked.reply_to, answering))
            return
        reply_to, answer = answering.result() or (asked.reply_to, None)
        if isinstance(answer, FieldErrors):
            await ack(response_action="errors", errors=errors_by_block(answer, part(body, "view")))
            return
        if answer is not None and reply_to.is_home:  # nothing lies under the form that could show the answer
            await ack(response_action="update", view=answer_view(answer, reply_to.tenant, nowhere))
            return
        await ack()
        if answer is not None:
            self._start(partial(self._answers.send, reply_to, answer, replaces=False))

    async def _submission(self, asked: Asked[Submission]) -> tuple[ReplyTo, Message | FieldErrors]:
        asked = await self._placed(asked)
        request = replace(asked.request, place=await self._with_shared(asked.request.place))
        return asked.reply_to, await self._inbound.submission(request)

    async def _answer_late(
        self, reply_to: ReplyTo, answering: "asyncio.Task[tuple[ReplyTo, Message | FieldErrors] | None]"
    ) -> None:
        """The form is closed already; what would have stood beside its fields comes as an answer."""
        found = await answering
        if found is not None:
            reply_to, answer = found
            message = as_message(answer) if isinstance(answer, FieldErrors) else answer
            await self._answers.send(reply_to, message, replaces=False)

    async def _on_event(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        kind = text(part(body, "event"), "type")
        if kind != HOME_OPENED:
            self._start(partial(self._lifecycle.take, kind, body))
        elif (asked := read_home(body)) is not None:
            self._start(partial(self._home, asked, self._views.turn(asked.reply_to)))

    async def _home(self, asked: Asked[HomeRequest], turn: Turn) -> None:
        asked = await self._placed(asked)
        await self._views.publish(asked.reply_to, await self._inbound.home(asked.request), turn)

    async def _placed(self, asked: Asked[R]) -> Asked[R]:
        """The request, with the workspace whose installation took it in, if we know that installation."""
        try:
            access = await self._installations.receiving(asked.teams, asked.organization)
        except DeliveryError as error:  # the core meets the same trouble, and has words for it
            _log.warning("whose installation took a request in could not be read: %s", error.code)
            return asked
        return asked.within(access) if access is not None else asked

    async def _with_shared(self, place: Place) -> Place:
        """With the knowledge whether outsiders read the place, where Slack has to be asked for it."""
        if not place.workspace or place.is_direct or place.is_shared:
            return place
        return replace(place, is_shared=await self._shared.is_shared(place.workspace, place.channel))

    def _start(self, doing: Callable[[], Coroutine[Any, Any, A]]) -> "asyncio.Task[A | None] | None":
        async def do() -> A | None:
            try:
                return await doing()
            except Exception:  # noqa: BLE001  # an edge: one request that fails must not end the bot
                _log.exception("an answer in Slack failed")
                return None

        begun = do()
        try:
            return self._work.create_task(begun)
        except RuntimeError:  # the last of the work has ended already: it came while we leave
            begun.close()
            _log.warning("a request from Slack came too late to be answered")
            return None

    def _came_before(self, payload: Json) -> bool:
        """Whether this process took this very request in already: Slack's retry, or somebody's replay.

        What comes to another process is the core's to tell apart, by the request's `key`; events may come twice.
        """
        key = text(payload, "event_id") or text(payload, "trigger_id")
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
