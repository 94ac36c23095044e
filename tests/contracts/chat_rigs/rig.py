"""What the contract suite needs of every chat platform: hands and eyes of people, and a vendor that fails on command.

A platform joins by a module in this folder with `start() -> AbstractAsyncContextManager[Rig]`; `test_chat_platform.py`
finds it. People: Ana and Raj, both in the channel; "nobody" is a user who cannot be reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from commands.messages import FieldErrors, Form, FormChoice, Message, say
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    Address,
    AddressKind,
    ChatPlatform,
    ChoicesRequest,
    CommandRequest,
    HomeRequest,
    Options,
    Signal,
    Submission,
    Words,
)

DM = "dm"
"""As a place: the messages between a person and the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message as one person has it before them."""

    id: str
    text: str
    """All words, the labels of buttons included, without markup."""
    pressable: tuple[str, ...]
    """Labels of buttons and of menus' entries."""
    live: tuple[str, ...]
    """What in its text notifies somebody or leads somewhere; buttons are not counted."""
    is_private: bool
    """Only this person sees it, though it stands in a channel."""


Wanted = Callable[[Sequence[Seen]], bool]


@dataclass(slots=True)
class Recorder:
    """An `Inbound` that keeps what it is asked, and answers as it was told."""

    answer: Message = field(default_factory=lambda: say("Here you are."))
    acknowledgements: dict[str, Acknowledgement] = field(default_factory=dict)
    """By token; PRIVATE where there is none."""
    forms: dict[str, Form] = field(default_factory=dict)
    """By the command's name or the button's token; what has none is answered."""
    field_errors: FieldErrors | None = None
    """The answer to forms that are sent off, if it is this."""
    suggestions: Sequence[FormChoice] = ()
    commands: list[CommandRequest] = field(default_factory=list)
    actions: list[ActionRequest] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    typed: list[ChoicesRequest] = field(default_factory=list)
    homes: list[HomeRequest] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)

    def acknowledgement(self, token: str) -> Acknowledgement:
        return self.acknowledgements.get(token, Acknowledgement.PRIVATE)

    def command_acknowledgement(self, name: str, arguments: Words | Options) -> Acknowledgement:
        bare = not (arguments.text.strip() if isinstance(arguments, Words) else arguments.values)
        return Acknowledgement.FORM if bare and name in self.forms else Acknowledgement.PRIVATE

    async def form(self, request: CommandRequest | ActionRequest) -> Form | Message:
        return self.forms.get(request.name if isinstance(request, CommandRequest) else request.token, self.answer)

    async def submission(self, request: Submission) -> Message | FieldErrors:
        self.submissions.append(request)
        return self.answer if self.field_errors is None else self.field_errors

    async def choices(self, request: ChoicesRequest) -> Sequence[FormChoice]:
        self.typed.append(request)
        return self.suggestions

    async def home(self, request: HomeRequest) -> Message:
        self.homes.append(request)
        return self.answer

    async def signal(self, signal: Signal) -> None:
        self.signals.append(signal)

    async def command(self, request: CommandRequest) -> Message:
        self.commands.append(request)
        return self.answer

    async def action(self, request: ActionRequest) -> Message:
        self.actions.append(request)
        return self.answer


class Rig(Protocol):
    """One running platform with its vendor. The platform runs with `inbound`."""

    platform: ChatPlatform
    inbound: Recorder
    tenant: str
    """The tenant of addresses."""
    ana: str
    raj: str
    nobody: str
    ana_email: str
    channel: str

    async def look(self, who: str, where: str) -> Sequence[Seen]:
        """What a person sees in the channel or in their DM, the oldest first."""
        ...

    async def wait(self, who: str, where: str, wanted: Wanted) -> Sequence[Seen]:
        """The same, as soon as it is as wanted. Raises TimeoutError if it never is."""
        ...

    async def command(self, who: str, where: str, name: str) -> None:
        """Type a command without words or options."""
        ...

    async def press(self, who: str, where: str, message: Seen, label: str) -> str | None:
        """Press a button or choose in a menu; gives the address that opens, if one does."""
        ...

    async def remove(self, where: str, message: Seen) -> None:
        """Somebody deletes the message. `where` is the channel."""
        ...

    async def lose_next_reply(self) -> None:
        """The next post is taken, and its reply lost."""
        ...

    async def limit_next_post(self, seconds: int) -> None:
        """The next post is refused for now, with the time to wait."""
        ...

    async def break_next_post(self) -> None:
        """The next post meets a server error."""
        ...

    async def end_installation(self) -> None:
        """The bot's own access is taken away."""
        ...


def address(rig: Rig, kind: AddressKind, external_id: str) -> Address:
    """An address on the rig's platform."""
    return Address(platform=rig.platform.name, tenant=rig.tenant, kind=kind, external_id=external_id)
