"""Answering interactions: the callback, deferred answers, follow-ups, modals, autocomplete choices.

Source: docs.discord.com, interactions/receiving-and-responding. No bot token here: the
interaction's own token is the key.
"""

from __future__ import annotations

import hmac
from enum import IntEnum

from aiohttp import web

from bot.playground.vendors.discord.messages import Messages
from bot.playground.vendors.discord.modal_rules import ModalRules
from bot.playground.vendors.discord.payloads import message_json
from bot.playground.vendors.discord.wire import (
    ApiError,
    FormErrors,
    Payload,
    Upload,
    invalid_form,
    no_content,
    path_id,
    read_message_body,
    reply,
    snowflake,
)
from bot.playground.vendors.discord.world import Flag, Interaction, InteractionKind, Message, World

ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 900.0


class Callback(IntEnum):
    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


ALLOWED: dict[InteractionKind, frozenset[Callback]] = {
    InteractionKind.COMMAND: frozenset({Callback.MESSAGE, Callback.DEFERRED_MESSAGE, Callback.MODAL}),
    InteractionKind.COMPONENT: frozenset(Callback) - {Callback.PONG, Callback.CHOICES},
    InteractionKind.AUTOCOMPLETE: frozenset({Callback.CHOICES}),
    InteractionKind.MODAL: frozenset(Callback) - {Callback.PONG, Callback.CHOICES, Callback.MODAL},
}


class Interactions:
    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages

    def routes(self) -> list[web.RouteDef]:
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        return [
            web.post("/interactions/{webhook_id}/{webhook_token}/callback", self.callback),
            web.post(hook, self.follow_up),
            web.get(hook + "/messages/{message_id}", self.get),
            web.patch(hook + "/messages/{message_id}", self.edit),
            web.delete(hook + "/messages/{message_id}", self.delete),
        ]

    # The first answer

    async def callback(self, request: web.Request) -> web.Response:
        interaction = self.world.interactions.get(path_id(request, "webhook_id"))
        body, uploads = await read_message_body(request)
        if interaction is None or not self._token_fits(interaction, request):
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.answered_with is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        self._check_in_time(interaction)
        kind = body.get("type")
        if kind not in ALLOWED[interaction.kind]:
            allowed = ", ".join(str(int(one)) for one in sorted(ALLOWED[interaction.kind]))
            raise invalid_form("type", "BASE_TYPE_CHOICES", f"Value must be one of {{{allowed}}}.")
        data = body.get("data") or {}
        if not isinstance(data, dict):
            raise invalid_form("data", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        callback = Callback(kind)
        message = await self._answer(interaction, callback, data, uploads)
        interaction.answered_with = int(callback)
        deferred = callback in (Callback.DEFERRED_MESSAGE, Callback.DEFERRED_UPDATE)
        self.world.settle(interaction, "deferred" if deferred else "answered")
        if request.query.get("with_response", "").lower() in ("1", "true"):
            return reply(self._with_response(interaction, callback, message))
        return no_content()

    def _check_in_time(self, interaction: Interaction) -> None:
        late = self.world.now() - interaction.created > ANSWER_SECONDS
        if late and interaction.status == "waiting":
            self.world.settle(interaction, "failed")
        if late or interaction.status == "failed":
            raise ApiError(404, 10062, "Unknown interaction")

    async def _answer(
        self, interaction: Interaction, callback: Callback, data: Payload, uploads: list[Upload]
    ) -> Message | None:
        source = self.world.messages.get(interaction.message_id or 0)
        if callback is Callback.MESSAGE:
            message = await self.messages.answer(interaction, data, uploads, kind="answer", prefix="data")
            interaction.original_id = message.id
            return message
        if callback is Callback.DEFERRED_MESSAGE:
            message = await self.messages.placeholder(interaction, int(data.get("flags") or 0))
            interaction.original_id = message.id
            return message
        if callback in (Callback.DEFERRED_UPDATE, Callback.UPDATE):
            if source is None:
                raise invalid_form("type", "BASE_TYPE_CHOICES", "There is no message to update.")
            interaction.original_id = source.id
            if callback is Callback.UPDATE:
                return await self.messages.edit(source, data, uploads, kind="update", prefix="data")
            return None
        if callback is Callback.CHOICES:
            interaction.choices = _choices(data, interaction)
            return None
        errors = FormErrors()
        ModalRules(errors).modal(data)
        errors.raise_any()
        interaction.modal = data
        return None

    def _with_response(self, interaction: Interaction, callback: Callback, message: Message | None) -> Payload:
        about: Payload = {"id": str(interaction.id), "type": int(interaction.kind)}
        answer: Payload = {"interaction": about}
        if message is not None:
            about["response_message_id"] = str(message.id)
            about["response_message_loading"] = bool(message.flags & Flag.LOADING)
            about["response_message_ephemeral"] = message.ephemeral_for is not None
            answer["resource"] = {"type": int(callback), "message": message_json(self.world, message)}
        return answer

    # What comes after

    async def follow_up(self, request: web.Request) -> web.Response:
        interaction = self._by_token(request)
        body, uploads = await read_message_body(request)
        original = self.world.messages.get(interaction.original_id or 0)
        if original is not None and original.flags & Flag.LOADING:
            # The first follow-up after a deferral fills the placeholder, and keeps its privacy.
            message = await self.messages.edit(
                original, {**body, "flags": body.get("flags") or 0}, uploads, kind="answer"
            )
        else:
            message = await self.messages.answer(interaction, body, uploads, kind="follow-up")
        self.world.settle(interaction, "answered")
        return reply(message_json(self.world, message))

    async def get(self, request: web.Request) -> web.Response:
        return reply(message_json(self.world, self._message(self._by_token(request), request)))

    async def edit(self, request: web.Request) -> web.Response:
        interaction = self._by_token(request)
        message = self._message(interaction, request)
        body, uploads = await read_message_body(request)
        self.messages.check_may_attach(self.world.channel(message.channel_id), uploads)
        edited = await self.messages.edit(message, body, uploads)
        self.world.settle(interaction, "answered")
        return reply(message_json(self.world, edited))

    async def delete(self, request: web.Request) -> web.Response:
        interaction = self._by_token(request)
        await self.messages.delete(self._message(interaction, request))
        self.world.settle(interaction, "answered")
        return no_content()

    def _token_fits(self, interaction: Interaction, request: web.Request) -> bool:
        token = request.match_info["webhook_token"]
        return hmac.compare_digest(interaction.token.encode(), token.encode())

    def _by_token(self, request: web.Request) -> Interaction:
        if path_id(request, "webhook_id") != self.world.config.application_id:
            raise ApiError(404, 10015, "Unknown Webhook")
        found = self.world.interactions.get(self.world.tokens.get(request.match_info["webhook_token"], 0))
        # A token that was never acknowledged in time was never a webhook.
        if found is None or found.answered_with is None or found.kind is InteractionKind.AUTOCOMPLETE:
            raise ApiError(404, 10015, "Unknown Webhook")
        if self.world.now() - found.created > TOKEN_SECONDS:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def _message(self, interaction: Interaction, request: web.Request) -> Message:
        wanted = request.match_info["message_id"]
        message_id = interaction.original_id if wanted == "@original" else snowflake(wanted, "message_id")
        message = self.world.messages.get(message_id or 0)
        own = message is not None and (
            message.interaction_id == interaction.id or message.id == interaction.original_id
        )
        if message is None or not own:
            raise ApiError(404, 10008, "Unknown Message")
        return message


def _choices(data: Payload, interaction: Interaction) -> list[Payload]:
    choices = data.get("choices")
    errors = FormErrors()
    if not isinstance(choices, list):
        raise invalid_form("data.choices", "BASE_TYPE_REQUIRED", "This field is required")
    if len(choices) > 25:
        errors.add("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    numeric = interaction.focused_type in (4, 10)
    for index, choice in enumerate(choices):
        path = f"data.choices.{index}"
        if not isinstance(choice, dict):
            errors.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            continue
        errors.longer(f"{path}.name", choice.get("name"), 100, least=1)
        if not numeric:
            errors.longer(f"{path}.value", choice.get("value"), 100)
        elif isinstance(choice.get("value"), bool) or not isinstance(choice.get("value"), int | float):
            errors.add(f"{path}.value", "NUMBER_TYPE_COERCE", "Value is not a number.")
    errors.raise_any()
    return choices
