"""Interactions in: acknowledged before anything else is awaited, handed to the core, and answered.

A form and the choices of an option are their own acknowledgement, and are awaited first; a form that takes too long is
offered by a button instead. An interaction's token in its address is its key for fifteen minutes; it is never logged.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import assert_never

import discord

from commands.errors import DeliveryError
from commands.messages import (
    Button,
    Buttons,
    FieldErrors,
    Form,
    FormChoice,
    Message,
    Part,
    Style,
    text,
)
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    ChoicesRequest,
    CommandRequest,
    Inbound,
    InstallationChanged,
    Submission,
)
from commands.ports.clock import Clock
from platform_adapters.chat.discord.bodies import COMPONENTS_V2, Body, Draw, body_of
from platform_adapters.chat.discord.failures import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION
from platform_adapters.chat.discord.forms import NOTHING, Values, draw_form
from platform_adapters.chat.discord.markup import ELLIPSIS, PLATFORM, shorten, size
from platform_adapters.chat.discord.requests import request_of
from platform_adapters.chat.discord.rest import Rest

_log = logging.getLogger(__name__)

_MESSAGE, _DEFERRED_MESSAGE, _DEFERRED_UPDATE, _CHOICES, _MODAL = 4, 5, 6, 8, 9
_EPHEMERAL = 1 << 6
ANSWER_WITHIN = 2.5
"""Seconds that a form or choices may take; Discord gives up after three."""
MOST_CHOICES, LONGEST_CHOICE = 25, 100
_REMEMBERED = 10_000
"""Interactions that are known to have come, for those that a resumed session sends again."""
_REMEMBERED_FORMS = 1_000
Done = CommandRequest | ActionRequest | Submission
"""Requests that are answered with a message."""


class Receiver:
    """Takes the interactions of a connection. Each is carried out once, however often it comes."""

    def __init__(
        self, rest: Rest, inbound: Inbound, draw: Draw, clock: Clock, *, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._rest = rest
        self._inbound = inbound
        self._draw = draw
        self._clock = clock
        self._answer_within = answer_within
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._working: set[asyncio.Task[object]] = set()
        self._refused: OrderedDict[tuple[str, str], Values] = OrderedDict()
        """What somebody filled in and could not be taken, by user and form: a modal that was sent off is gone at
        Discord, so that the next one of this form is opened with it.
        """

    async def receive(self, interaction: discord.Interaction) -> None:
        """Acknowledge an interaction, carry it out and answer. Raises nothing that Discord's replies cause."""
        request = request_of(interaction)
        if request is None or not self._is_first(interaction.id):
            return
        self._note_work()
        try:
            if isinstance(request, ChoicesRequest):
                await self._offer(interaction, request)
            elif not isinstance(request, Submission) and self._opens_a_form(request):
                await self._open_form(interaction, request)
            else:
                await self._acknowledge(interaction, request)
                await self._fill_in(interaction, await self._carry_out(request))
        except DeliveryError as failure:
            late = failure.code in (str(UNKNOWN_INTERACTION), str(ALREADY_ACKNOWLEDGED))
            told = "came too late, or was answered elsewhere" if late else "could not be acknowledged"
            _log.warning("an interaction %s (%s); it was not carried out", told, failure.code)

    async def joined(self, server: str) -> None:
        """The bot was let into a server."""
        self._note_work()
        await self._inbound.signal(self._installation(server, alive=True))

    async def left(self, server: str) -> None:
        """The bot was taken out of a server."""
        self._note_work()
        await self._inbound.signal(self._installation(server, alive=False))

    async def settled(self, within: float) -> None:
        """Wait for what is being carried out, at most so many seconds."""
        if self._working:
            await asyncio.wait(self._working, timeout=within)

    def _note_work(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    def _installation(self, server: str, *, alive: bool) -> InstallationChanged:
        return InstallationChanged(platform=PLATFORM, tenant=server, alive=alive, at=self._clock.now())

    def _is_first(self, interaction_id: int) -> bool:
        if interaction_id in self._seen:
            return False
        self._seen[interaction_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    # Acknowledged, then answered

    async def _acknowledge(self, interaction: discord.Interaction, request: Done) -> None:
        if isinstance(request, ActionRequest) and self._updates(interaction, request.token):
            await self._call_back(interaction, _DEFERRED_UPDATE)
        else:
            await self._call_back(interaction, _DEFERRED_MESSAGE, Body(json={"flags": _EPHEMERAL}))

    def _updates(self, interaction: discord.Interaction, token: str) -> bool:
        """Whether the answer takes the place of the message. One that others read is never replaced by an answer."""
        private = interaction.message is not None and interaction.message.flags.ephemeral
        return private and self._inbound.acknowledgement(token) is Acknowledgement.UPDATE

    async def _carry_out(self, request: Done) -> Message:
        match request:
            case CommandRequest():
                return await self._inbound.command(request)
            case ActionRequest():
                return await self._inbound.action(request)
            case Submission():
                return await self._submit(request)
            case _:
                assert_never(request)

    async def _fill_in(self, interaction: discord.Interaction, message: Message) -> None:
        """Fill in the message that the acknowledgement promised, or replace the one that carried the button."""
        try:
            body = await self._body(interaction, message)
            await self._rest.request(
                "PATCH",
                "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
                body=body.json,
                files=body.files,
                webhook_id=str(interaction.application_id),
                webhook_token=interaction.token,
            )
        except DeliveryError as failure:
            _log.error("an interaction was carried out, and its answer did not arrive: %s", failure)

    async def _body(self, interaction: discord.Interaction, message: Message) -> Body:
        return await body_of(message, self._draw, may_attach=interaction.app_permissions.attach_files)

    async def _call_back(self, interaction: discord.Interaction, kind: int, body: Body | None = None) -> None:
        """Give the interaction's first answer. Raises DeliveryError."""
        await self._rest.request(
            "POST",
            "/interactions/{webhook_id}/{webhook_token}/callback",
            body={"type": kind, "data": body.json} if body is not None else {"type": kind},
            files=body.files if body is not None else (),
            webhook_id=str(interaction.id),
            webhook_token=interaction.token,
        )

    # Forms

    def _opens_a_form(self, request: CommandRequest | ActionRequest) -> bool:
        if isinstance(request, CommandRequest):
            acknowledgement = self._inbound.command_acknowledgement(request.name, request.arguments)
        else:
            acknowledgement = self._inbound.acknowledgement(request.token)
        return acknowledgement is Acknowledgement.FORM

    async def _open_form(self, interaction: discord.Interaction, request: CommandRequest | ActionRequest) -> None:
        """Open the form, or say why there is none. Raises DeliveryError."""
        try:
            async with asyncio.timeout(self._answer_within):
                given = await self._inbound.form(request)
        except TimeoutError:  # asking changes nothing, so that it may be asked once more, with time
            await self._acknowledge(interaction, request)
            await self._fill_in(interaction, _offered(await self._inbound.form(request)))
            return
        if isinstance(given, Message):
            body = await self._body(interaction, given)
            await self._call_back(interaction, _MESSAGE, body.with_(flags=COMPONENTS_V2 | _EPHEMERAL))
            return
        before = self._refused.get((request.user.external_id, given.action.encode()), NOTHING)
        await self._call_back(interaction, _MODAL, Body(json=draw_form(given, before)))

    async def _submit(self, request: Submission) -> Message:
        key = (request.user.external_id, request.token)
        self._refused.pop(key, None)
        given = await self._inbound.submission(request)
        if isinstance(given, Message):
            return given
        self._refused[key] = request.values
        if len(self._refused) > _REMEMBERED_FORMS:
            self._refused.popitem(last=False)
        form = await self._inbound.form(ActionRequest(token=request.token, user=request.user, place=request.place))
        return _mend(given, form if isinstance(form, Form) else None)

    # Choices

    async def _offer(self, interaction: discord.Interaction, request: ChoicesRequest) -> None:
        """Show what may be meant; nothing, if that takes too long. Raises DeliveryError."""
        try:
            async with asyncio.timeout(self._answer_within):
                choices = await self._inbound.choices(request)
        except TimeoutError:
            choices = ()
        await self._call_back(interaction, _CHOICES, Body(json={"choices": _choices(choices)}))


def _choices(choices: Sequence[FormChoice]) -> list[dict[str, str]]:
    """At most 25 choices. A value that is too long cannot be offered: cut, it would mean something else."""
    fitting = {choice.value: choice.label for choice in choices if _can_be_sent(choice.value)}
    shown = [{"name": shorten(label, LONGEST_CHOICE) or ELLIPSIS, "value": value} for value, label in fitting.items()]
    return shown[:MOST_CHOICES]


def _can_be_sent(value: str) -> bool:
    is_text = value.encode("utf-8", "ignore").decode() == value  # half a surrogate pair is none
    return is_text and 1 <= size(value) <= LONGEST_CHOICE


def _offered(given: Form | Message) -> Message:
    """A form that came too late to be opened, as a button that opens it."""
    if isinstance(given, Message):
        return given
    return Message((Buttons((Button(given.title, given.action, Style.PRIMARY),)),))


def _mend(errors: FieldErrors, form: Form | None) -> Message:
    """What is wrong with a form, and, where there still is one, a button that opens it with what was filled in."""
    labels = {field.name: f"{field.label}: " for field in form.fields} if form is not None else {}
    parts: list[Part] = [text(labels.get(name, ""), sentence) for name, sentence in errors.by_field]
    if form is not None:
        parts.append(Buttons((Button(form.title, form.action, Style.PRIMARY),)))
    return Message(tuple(parts))
