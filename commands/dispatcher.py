"""Takes requests in from chat and always answers: finds who asks, carries it out, makes a sentence of what goes wrong.

This is one of the three edges that catch everything. It logs which code failed, never what was asked.
"""

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from commands import signals
from commands.actions import OutOfDate
from commands.catalogue import ACTIONS_BY_NAME, COMMANDS_BY_NAME
from commands.command import Action, Asker, Command, Option, Services
from commands.errors import CommandError
from commands.handlers import lapsed, workspaces
from commands.handlers.banner import under_banner
from commands.handlers.seeing import NotYours
from commands.ids import to_wire
from commands.messages import (
    FORM_CHOICES,
    ActionRef,
    Buttons,
    Code,
    FieldErrors,
    Form,
    FormChoice,
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
from commands.parsing import SEARCH_LIMIT
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    ChatUser,
    ChoicesRequest,
    CommandRequest,
    HomeRequest,
    Options,
    Place,
    Signal,
    Submission,
    Words,
)
from commands.ports.storage import Member, Standing
from commands.usage import HELP, LAPSE_ADMIN, try_line
from commands.wording import clean, listed, nearest, shown

_log = logging.getLogger(__name__)
Request = CommandRequest | ActionRequest | Submission | ChoicesRequest | HomeRequest
R = TypeVar("R", bound=Request)
A = TypeVar("A")
_FRAMES = 4  # of a failure's traceback: enough to find it, and one line
_REMEMBERED = timedelta(minutes=10)  # a signature is good for five minutes to either side of our clock


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

    def command_acknowledgement(self, name: str, arguments: Words | Options) -> Acknowledgement:
        """Say how a typed command is acknowledged: by its form, where it has one and is typed bare."""
        command = COMMANDS_BY_NAME.get(name)
        opens = command is not None and command.form is not None and _is_bare(arguments)
        return Acknowledgement.FORM if opens else Acknowledgement.PRIVATE

    async def command(self, request: CommandRequest) -> Message:
        """Carry out a typed command."""
        return await _answered(self._command, request)

    async def action(self, request: ActionRequest) -> Message:
        """Carry out a press. What the presser may do is asked now, whoever the button was drawn for (P-5)."""
        return await _answered(self._action, request)

    async def form(self, request: CommandRequest | ActionRequest) -> Form | Message:
        """Give the form that a command or press opens, or why there is none."""
        return await _answered(self._form, request)

    async def submission(self, request: Submission) -> Message | FieldErrors:
        """Carry out a form that was sent off. What the sender may do is asked now."""
        return await _answered(self._submission, request)

    async def choices(self, request: ChoicesRequest) -> Sequence[FormChoice]:
        """What may be meant by what somebody types in an option; nothing for somebody unknown, or if it fails."""
        try:
            return await self._choices(request)
        except CommandError:
            return ()
        except Exception as error:  # noqa: BLE001  # an edge: who types gets no suggestions, the log gets the rest
            _log.error("no choices: %s at %s", type(error).__name__, _where(error))
            return ()

    async def home(self, request: HomeRequest) -> Message:
        """Draw the asker's list as their home (C-11)."""
        return await _answered(self._home, request)

    async def signal(self, signal: Signal) -> None:
        """Take note of something that the platform says by itself."""
        try:
            await signals.take(self._services, signal)
        except Exception as error:  # noqa: BLE001  # an edge: the platform cannot mend it, and the daily look will
            _log.error("a signal was not taken: %s at %s", type(error).__name__, _where(error))

    async def _command(self, request: CommandRequest) -> Message:
        standing = await self._standing(request.user, request.place)
        if _is_unclaimed(request.place, standing):
            if request.name == LAPSE_ADMIN.name:
                return await workspaces.claim(self._services, request)
            return workspaces.unclaimed(request.arguments)
        if not standing.members:
            return self._sign_in(standing.workspace)
        command = COMMANDS_BY_NAME.get(request.name)
        if command is None:
            return _unknown_command(request)
        asker = _asker(_only(standing.members), standing, request)
        if not command.repeatable:
            await self._take(request)
        answering = command.handler(self._services, asker, request.arguments)
        return await under_banner(self._services, asker, answering, only_refusals=not command.banner)

    async def _action(self, request: ActionRequest) -> Message:
        return await self._on_action(request, self._press, changes=True)

    async def _press(self, action: Action, asker: Asker, arguments: tuple[str, ...]) -> Message:
        if action.handler is None:
            raise OutOfDate
        answering = action.handler(self._services, asker, arguments)
        if action.acknowledgement is not Acknowledgement.PRIVATE:
            return await answering
        return await under_banner(self._services, asker, answering, only_refusals=not action.banner)

    async def _form(self, request: CommandRequest | ActionRequest) -> Form | Message:
        if isinstance(request, ActionRequest):
            return await self._on_action(request, self._open)
        standing = await self._standing(request.user, request.place)
        command = COMMANDS_BY_NAME.get(request.name)
        if command is None or command.form is None or not standing.members or _is_unclaimed(request.place, standing):
            return await self._command(request)
        asker = _asker(_only(standing.members), standing, request)
        return await command.form(self._services, asker, ())

    async def _open(self, action: Action, asker: Asker, arguments: tuple[str, ...]) -> Form | Message:
        if action.form is None:
            raise OutOfDate
        return await action.form(self._services, asker, arguments)

    async def _submission(self, request: Submission) -> Message | FieldErrors:
        async def send_off(action: Action, asker: Asker, arguments: tuple[str, ...]) -> Message | FieldErrors:
            if action.submission is None:
                raise OutOfDate
            answering = action.submission(self._services, asker, arguments, request.values)
            return await under_banner(self._services, asker, answering, only_refusals=not action.banner)

        return await self._on_action(request, send_off, changes=True)

    async def _on_action(
        self,
        request: ActionRequest | Submission,
        carry_out: Callable[[Action, Asker, tuple[str, ...]], Awaitable[A]],
        *,
        changes: bool = False,
    ) -> A | Message:
        """Find who acts, in which organization, and carry it out there."""
        standing = await self._standing(request.user, request.place)
        if _is_unclaimed(request.place, standing):
            return workspaces.unclaimed(None)
        if not standing.members:
            return self._sign_in(standing.workspace)
        reference = ActionRef.decode(request.token)
        action = _action(reference)
        if changes and not action.repeatable:
            await self._take(request)
        members = standing.members if action.names_a_row else (_only(standing.members),)
        for member in members[:-1]:
            try:
                return await carry_out(action, _asker(member, standing, request), reference.arguments)
            except NotYours:
                continue
        return await carry_out(action, _asker(members[-1], standing, request), reference.arguments)

    async def _choices(self, request: ChoicesRequest) -> Sequence[FormChoice]:
        command = COMMANDS_BY_NAME.get(request.command)
        option = _option(command, request.subcommand, request.option) if command is not None else None
        if option is None or option.suggest is None:
            return ()
        standing = await self._standing(request.user, request.place)
        if not standing.members:
            return ()
        asker = _asker(_only(standing.members), standing, request)
        typed = clean(request.typed[:SEARCH_LIMIT])
        return (await option.suggest(self._services, asker, typed))[:FORM_CHOICES]

    async def _home(self, request: HomeRequest) -> Message:
        standing = await self._standing(request.user, request.place)
        if _is_unclaimed(request.place, standing):
            return workspaces.unclaimed(None)
        if not standing.members:
            return self._sign_in(standing.workspace)
        return await lapsed.home(self._services, _asker(_only(standing.members), standing, request))

    async def _take(self, request: CommandRequest | ActionRequest | Submission) -> None:
        """Take in what changes something, once in all processes. A kill right after costs the asker another try."""
        key, until = f"{request.user.platform} {request.key}", self._services.clock.now() + _REMEMBERED
        if request.key and not await self._services.storage.queues.take_request(key, until=until):
            raise CommandError("This very request came before. It was not carried out again.")

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


async def _answered(carry_out: Callable[[R], Awaitable[A]], request: R) -> A | Message:
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


def _asker(member: Member, standing: Standing, request: Request) -> Asker:
    """Who asks; where the workspace is narrowed to clients, so is everything they are told there (X-11)."""
    within = standing.workspace.client_ids if standing.workspace is not None else None
    person = replace(member.person, within=within)
    return Asker(organization=member.organization, person=person, user=request.user, place=request.place)


def _is_bare(arguments: Words | Options) -> bool:
    return not (arguments.text.strip() if isinstance(arguments, Words) else arguments.values)


def _option(command: Command, subcommand: str, name: str) -> Option | None:
    options = command.options
    for one in command.subcommands:
        if one.name == subcommand:
            options = one.options
    return next((option for option in options if option.name == name), None)


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
