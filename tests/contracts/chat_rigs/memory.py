"""The in-memory platform under the contract suite, so that what other tests trust is like the real ones."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from commands.errors import DeliveryErrorKind
from commands.messages import LinkButton, Message
from commands.plain import PlainStyle, plain_text
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    AddressKind,
    ChatPlatform,
    ChatUser,
    CommandRequest,
    Place,
    Words,
)
from tests.contracts.chat_rigs.rig import DM, Recorder, Seen, Wanted
from tests.support.buttons import all_buttons
from tests.support.chat import FakeChat, Post, as_platform

_NOBODY, _EMAIL = "U0GONE", "ana@agency.example"
_BARE = PlainStyle(bold="", code="", between="\n")


@dataclass
class MemoryRig:
    chat: FakeChat
    platform: ChatPlatform
    inbound: Recorder
    tenant: str = "T1"
    ana: str = "U0ANA"
    raj: str = "U0RAJ"
    nobody: str = _NOBODY
    ana_email: str = _EMAIL
    channel: str = "C0ADS"
    answers: list[tuple[str, str, Message]] = field(default_factory=list)
    """For whom, where, what."""

    async def look(self, who: str, where: str) -> Sequence[Seen]:
        posts = [post for post in self.chat.posts if not post.removed and self._reads(who, where, post)]
        shown = [_seen(post.ref.message, post.message, is_private=False) for post in posts]
        answers = enumerate(self.answers)
        mine = [(f"answer-{at}", answer[2]) for at, answer in answers if answer[:2] == (who, where)]
        return [*shown, *(_seen(name, message, is_private=where != DM) for name, message in mine)]

    async def wait(self, who: str, where: str, wanted: Wanted) -> Sequence[Seen]:
        seen = await self.look(who, where)
        if not wanted(seen):
            raise TimeoutError("nothing is on its way here")
        return seen

    async def command(self, who: str, where: str, name: str) -> None:
        request = CommandRequest(name=name, arguments=Words(text=""), user=self._user(who), place=self._place(where))
        self.answers.append((who, where, await self._inbound.command(request)))

    async def press(self, who: str, where: str, message: Seen, label: str) -> str | None:
        at = int(message.id.removeprefix("answer-")) if message.id.startswith("answer-") else None
        shown = self.answers[at][2] if at is not None else self._post(message).message
        button = next(each for each in all_buttons(shown) if each.label == label)
        if isinstance(button, LinkButton):
            return button.url
        token = button.action.encode()
        replaces = self._inbound.acknowledgement(token) is Acknowledgement.UPDATE
        request = ActionRequest(token=token, user=self._user(who), place=self._place(where))
        answer = (who, where, await self._inbound.action(request))
        if replaces and at is not None:
            self.answers[at] = answer
        else:
            self.answers.append(answer)
        return None

    async def remove(self, where: str, message: Seen) -> None:
        self._post(message).removed = True

    async def lose_next_reply(self) -> None:
        self.chat.fail(DeliveryErrorKind.UNKNOWN)

    async def limit_next_post(self, seconds: int) -> None:
        self.chat.fail(DeliveryErrorKind.RETRY, retry_after=timedelta(seconds=seconds))

    async def break_next_post(self) -> None:
        self.chat.fail(DeliveryErrorKind.RETRY)

    async def end_installation(self) -> None:
        self.chat.fail(DeliveryErrorKind.INSTALLATION_DEAD, times=-1)

    @property
    def _inbound(self) -> Recorder:
        assert self.chat.inbound is self.inbound, "the platform is not running"
        return self.inbound

    def _reads(self, who: str, where: str, post: Post) -> bool:
        by_email = post.address.kind is AddressKind.BY_EMAIL and who == self.ana
        return post.address.external_id == (who if where == DM else where) or (where == DM and by_email)

    def _post(self, message: Seen) -> Post:
        return next(post for post in self.chat.posts if post.ref.message == message.id)

    def _user(self, who: str) -> ChatUser:
        return ChatUser(platform=self.chat.name, tenant=self.tenant, external_id=who, name=who)

    def _place(self, where: str) -> Place:
        return Place(workspace=self.tenant, workspace_name="Agency", channel=where, is_direct=where == DM)


@asynccontextmanager
async def start() -> AsyncIterator[MemoryRig]:
    chat = FakeChat()
    chat.refuse(_NOBODY, DeliveryErrorKind.ADDRESS_GONE)
    rig = MemoryRig(chat, as_platform(chat), Recorder())
    async with rig.platform.running(rig.inbound):
        yield rig


def _seen(name: str, message: Message, *, is_private: bool) -> Seen:
    labels = tuple(button.label for button in all_buttons(message))
    return Seen(id=name, text=plain_text(message, _BARE), pressable=labels, live=(), is_private=is_private)
