"""A chat platform in memory: keeps what was posted and edited, and fails when it is told to."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import DeliveryId
from commands.messages import Message
from commands.ports.chat import (
    AccountKind,
    Address,
    AddressKind,
    ChatPlatform,
    Diagnosis,
    Endpoint,
    Inbound,
    Install,
    MessageRef,
    Pace,
    Profile,
    SignIn,
)
from commands.ports.installations import Installation

Fault = Callable[[Address | MessageRef], DeliveryError | None]
"""Says what goes wrong with a post to an address or an edit of a message; None: nothing."""


@dataclass(slots=True)
class Post:
    """A message that is in the chat."""

    address: Address
    ref: MessageRef
    delivery: DeliveryId
    shown: list[Message]
    """How it looked, the latest last."""
    removed: bool = False
    under: MessageRef | None = None
    """The message in whose thread it is."""

    @property
    def message(self) -> Message:
        """How it looks now."""
        return self.shown[-1]


@dataclass
class FakeChat:
    """A `ChatPlatform`. `deduplicates` is honoured: a post that is sent again under its delivery shows once."""

    name: str = "examplechat"
    label: str = "Examplechat"
    pace: Pace = Pace(interval=timedelta(0), burst=1)  # noqa: RUF009  # frozen
    deduplicates: bool = False
    finds_by_email: bool = True
    addressed_by_email: bool = False
    edits: bool = True
    personal_links: bool = False
    sign_in: SignIn | None = None
    install: Install | None = None
    profiles: dict[tuple[str, str], Profile | DeliveryError] = field(default_factory=dict)
    """What is said of a user of a tenant, or what goes wrong; a member with their id as name where there is none."""
    posts: list[Post] = field(default_factory=list)
    calls: list[Address | MessageRef] = field(default_factory=list)
    """Every post and edit that was tried, in order."""
    faults: list[Fault] = field(default_factory=list)
    """Asked at each call, in order; the first that answers is raised."""
    on_call: Callable[[Address | MessageRef], None] = field(default=lambda _: None)
    """Called first, for a test that has something happen meanwhile."""
    inbound: Inbound | None = None
    _by_delivery: dict[DeliveryId, Post] = field(default_factory=dict)
    _by_ref: dict[MessageRef, Post] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self, inbound: Inbound | None) -> AsyncIterator[None]:
        self.inbound = inbound
        try:
            yield
        finally:
            self.inbound = None

    def lane(self, address: Address) -> str:
        return f"{self.name}:{address.tenant}"

    async def post(
        self, address: Address, message: Message, delivery: DeliveryId, *, under: MessageRef | None = None
    ) -> MessageRef:
        error = self._fault(address)
        if error is not None and error.kind is not DeliveryErrorKind.UNKNOWN:
            raise error
        ref = self._show(address, message, delivery, under)
        if error is not None:  # it is there, and the reply is lost
            raise error
        return ref

    async def update(self, ref: MessageRef, message: Message) -> None:
        error = self._fault(ref)
        if error is not None:
            raise error
        post = self._by_ref.get(ref)
        if post is None or post.removed:
            raise DeliveryError(DeliveryErrorKind.MESSAGE_GONE, "message_not_found")
        post.shown.append(message)

    async def profile(self, tenant: str, user: str) -> Profile:
        said = self.profiles.get((tenant, user), Profile(kind=AccountKind.MEMBER, name=user))
        if isinstance(said, DeliveryError):
            raise said
        return said

    def endpoints(self) -> Sequence[Endpoint]:
        return ()

    async def diagnose(self) -> Sequence[Diagnosis]:
        return ()

    def fail(self, kind: DeliveryErrorKind, code: str = "test", *, times: int = 1, **more: object) -> None:
        """Let the next calls go wrong. A post that goes wrong as UNKNOWN is in the chat nevertheless."""
        left = [times]

        def fault(where: Address | MessageRef) -> DeliveryError | None:
            if left[0] == 0:
                return None
            left[0] -= 1
            return DeliveryError(kind, code, **more)  # type: ignore[arg-type]  # a test names retry_after and scope

        self.faults.append(fault)

    def refuse(self, who: str, kind: DeliveryErrorKind, code: str = "test") -> None:
        """Let every post to this user or channel go wrong."""
        self.faults.append(
            lambda where: DeliveryError(kind, code) if isinstance(where, Address) and where.external_id == who else None
        )

    def to(self, who: str) -> list[Post]:
        """What stands in the chat with this user, email address or channel."""
        return [post for post in self.posts if post.address.external_id == who]

    def _fault(self, where: Address | MessageRef) -> DeliveryError | None:
        self.calls.append(where)
        self.on_call(where)
        return next((error for fault in self.faults if (error := fault(where)) is not None), None)

    def _show(self, address: Address, message: Message, delivery: DeliveryId, under: MessageRef | None) -> MessageRef:
        earlier = self._by_delivery.get(delivery)
        if earlier is not None and self.deduplicates:
            return earlier.ref
        ref = MessageRef(
            platform=self.name, tenant=address.tenant, destination=address.external_id, message=str(len(self.posts) + 1)
        )
        post = Post(address, ref, delivery, [message], under=under)
        self.posts.append(post)
        self._by_delivery.setdefault(delivery, post)
        self._by_ref[ref] = post
        return ref


def direct(user: str, *, platform: str = "examplechat", tenant: str = "T1") -> Address:
    """The address of a user's direct messages."""
    return Address(platform=platform, tenant=tenant, kind=AddressKind.DIRECT, external_id=user)


def as_platform(chat: FakeChat) -> ChatPlatform:
    """The fake is one: what the type checker proves here holds for every test."""
    return chat


class FakeInstallations:
    """`Installations` in memory."""

    def __init__(self) -> None:
        self._by_tenant: dict[tuple[str, str], Installation] = {}

    async def save(self, installation: Installation) -> None:
        self._by_tenant[installation.platform, installation.tenant] = installation

    async def find(self, platform: str, tenant: str) -> Installation | None:
        return self._by_tenant.get((platform, tenant))

    async def all(self, platform: str) -> Sequence[Installation]:
        own = [one for one in self._by_tenant.values() if one.platform == platform and one.lost_at is None]
        return sorted(own, key=lambda one: one.tenant)

    async def lose(self, platform: str, tenant: str, *, at: datetime, reason: str) -> bool:
        one = self._by_tenant.get((platform, tenant))
        if one is None or one.lost_at is not None or one.installed_at > at:
            return False
        self._by_tenant[platform, tenant] = replace(one, lost_at=at, lost_reason=reason)
        return True
