"""Takes requests in from chat and always answers: finds who asks, carries it out, makes a sentence of what goes wrong.

This is one of the three edges that catch everything. It logs which code failed, never what was asked.
"""

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from commands.actions import OutOfDate
from commands.catalogue import ACTIONS_BY_NAME, COMMANDS_BY_NAME
from commands.command import Action, Asker, Services
from commands.errors import CommandError
from commands.handlers import administration
from commands.handlers.seeing import NotYours
from commands.ids import to_wire
from commands.messages import (
    ActionRef,
    Buttons,
    Code,
    LinkButton,
    Message,
    Plain,
    Span,
    Style,
    Text,
    say,
    text,
)
from commands.model import Workspace
from commands.ports.chat import Acknowledgement, ActionRequest, ChatUser, CommandRequest, Place
from commands.ports.storage import Member, Standing
from commands.usage import HELP, LAPSE_ADMIN, try_line
from commands.wording import clean, listed, nearest, shown

_log = logging.getLogger(__name__)
R = TypeVar("R", CommandRequest, ActionRequest)
_FRAMES = 4  # of a failure's traceback: enough to find it, and one line


class Dispatcher:
    """The `Inbound` port over the catalogue."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def acknowledgement(self, token: str) -> Acknowledgement:
        """Say how a press is acknowledged; a button that is out of date is answered privately."""
        try:
            return _action(ActionRef.decode(token)).acknowledgement
        except OutOfDate:
            return Acknowledgement.PRIVATE

    async def command(self, request: CommandRequest) -> Message:
        """Carry out a typed command."""
        return await _answered(self._command, request)

    async def action(self, request: ActionRequest) -> Message:
        """Carry out a press. What the presser may do is asked now, whoever the button was drawn for (P-5)."""
        return await _answered(self._action, request)

    async def _command(self, request: CommandRequest) -> Message:
        standing = await self._standing(request.user, request.place)
        if _is_unclaimed(request.place, standing):
            if request.name == LAPSE_ADMIN.name:
                return await administration.claim(self._services, request)
            return administration.unclaimed(request.arguments)
        if not standing.members:
            return self._sign_in(standing.workspace)
        command = COMMANDS_BY_NAME.get(request.name)
        if command is None:
            return _unknown_command(request)
        asker = _asker(_only(standing.members), request.user, request.place)
        return await command.handler(self._services, asker, request.arguments)

    async def _action(self, request: ActionRequest) -> Message:
        standing = await self._standing(request.user, request.place)
        if _is_unclaimed(request.place, standing):
            return administration.unclaimed(None)
        if not standing.members:
            return self._sign_in(standing.workspace)
        reference = ActionRef.decode(request.token)
        action = _action(reference)
        members = standing.members if action.names_a_row else (_only(standing.members),)
        for member in members[:-1]:
            try:
                return await self._carry_out(action, reference, member, request)
            except NotYours:
                continue
        return await self._carry_out(action, reference, members[-1], request)

    async def _carry_out(self, action: Action, reference: ActionRef, member: Member, request: ActionRequest) -> Message:
        asker = _asker(member, request.user, request.place)
        return await action.handler(self._services, asker, reference.arguments)

    async def _standing(self, user: ChatUser, place: Place) -> Standing:
        return await self._services.storage.directory.standing(
            platform=user.platform, workspace=place.workspace, tenant=user.tenant, user=user.external_id
        )

    def _sign_in(self, workspace: Workspace | None) -> Message:
        """Tell somebody unknown how to be linked, and nothing else (P-6)."""
        if workspace is None:
            return say(
                "I don't know who you are yet. Type ",
                Code("/lapsed"),
                " in a workspace where lapsebot is set up, and sign in from there.",
            )
        address = f"{self._services.public_url}/sign-in/{to_wire(workspace.id)}"
        return Message(
            (
                text("I don't know who you are yet. Sign in once with this account, then ask again."),
                Buttons((LinkButton("Sign in", address, Style.PRIMARY),)),
            )
        )


async def _answered(carry_out: Callable[[R], Awaitable[Message]], request: R) -> Message:
    try:
        return await carry_out(request)
    except CommandError as refused:
        return refused.answer
    except Exception as error:  # noqa: BLE001  # an edge: whoever asked gets a sentence, the log gets the rest
        reference = secrets.token_hex(4)
        _log.error("a request failed: id %s, %s at %s", reference, type(error).__name__, _where(error))
        return say(
            "Something went wrong on our side; nothing of yours is lost. Try again, or pass on this id: ",
            Code(reference),
            ".",
        )


def _where(error: Exception) -> str:
    """The last frames of a failure: places in code only, since a message may repeat what was asked."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _is_unclaimed(place: Place, standing: Standing) -> bool:
    return place.workspace is not None and standing.workspace is None


def _only(members: tuple[Member, ...]) -> Member:
    """The member that is meant. In a direct message of somebody who belongs to several organizations, none can be."""
    if len(members) == 1:
        return members[0]
    names = listed([shown(member.organization.name) for member in members], "or")
    raise CommandError(
        f"You belong to several organizations here: {names}. Ask in a workspace of the one that you mean."
    )


def _asker(member: Member, user: ChatUser, place: Place) -> Asker:
    return Asker(organization=member.organization, person=member.person, user=user, place=place)


def _action(reference: ActionRef) -> Action:
    action = ACTIONS_BY_NAME.get(reference.name)
    if action is None or len(reference.arguments) != action.arguments:
        raise OutOfDate
    return action


def _unknown_command(request: CommandRequest) -> Message:
    spans: list[Span] = [Plain(f"I don't know “/{shown(clean(request.name), 40)}”.")]
    guess = nearest(request.name, COMMANDS_BY_NAME)
    if guess is not None:
        spans += [Plain(" Did you mean "), Code(f"/{guess}"), Plain("?")]
    return Message((text(*spans), Text(try_line(request.arguments, HELP))))
