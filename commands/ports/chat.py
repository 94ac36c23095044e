"""A chat platform, seen from the core: it posts and edits messages, and hands in requests."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from commands.ids import DeliveryId
from commands.messages import FieldErrors, Form, FormChoice, Message, Picture
from commands.ports.clock import Clock
from commands.ports.installations import Installations


class AddressKind(StrEnum):
    """How a message finds its reader."""

    DIRECT = "direct"
    """A direct message to the user `external_id`."""
    BY_EMAIL = "by_email"
    """A direct message to whichever user of the tenant carries the email address `external_id`; looked up when it is
    sent.
    """
    CHANNEL = "channel"
    """The channel `external_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a message can go."""

    platform: str
    tenant: str
    kind: AddressKind
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """A message that was posted, for editing it. `destination` is the platform's conversation id."""

    platform: str
    tenant: str
    destination: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a platform lets us post to one destination: `burst` at once, then one each `interval`."""

    interval: timedelta
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUser:
    """Who pressed or typed, as the platform's own signed request or socket says."""

    platform: str
    tenant: str
    """The Slack team of the user; empty for Discord, whose user ids are unique everywhere."""
    external_id: str
    name: str
    """Shown, never taken as proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it was pressed or typed."""

    workspace: str | None
    """The Slack team or Discord server; None in a direct message that belongs to none (Discord)."""
    workspace_name: str
    channel: str
    is_direct: bool
    is_shared: bool | None = False
    """Outsiders of the workspace read here (Slack Connect). None: not known. What would let a channel hear takes that
    for True; a private answer to somebody known does not ask, since an unknown must lock nobody out.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Arguments as one typed line, without the command's own name. A mentioned user stands as `@ID`, a channel as
    `#ID`.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Arguments as named options (Discord). A chosen user stands as `@ID`. Subcommands arrive as `subcommand`."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """Somebody typed a command of the catalogue. `name` has no slash."""

    name: str
    arguments: Words | Options
    user: ChatUser
    place: Place
    key: str = field(default="", compare=False)
    """What tells this very request apart where it may come again, in another process too: a replay. Empty where the
    platform lets nobody answer the same one twice.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """Somebody pressed a button or chose from a menu. `token` is what `ActionRef.encode` wrote, or what a stranger
    forged.
    """

    token: str
    user: ChatUser
    place: Place
    key: str = field(default="", compare=False)
    """As for a command."""


class Acknowledgement(StrEnum):
    """How a request is acknowledged, before anything else is awaited."""

    PRIVATE = "private"
    """The answer is a message that only the asker sees."""
    UPDATE = "update"
    """The answer replaces the private message, or the home, that carried the button."""
    FORM = "form"
    """A form is opened. The form is itself the acknowledgement: `Inbound.form` reads rows by index, calls nobody, and
    is awaited first.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Somebody sent a form off. `token` is what the form's action encodes to, or what a stranger forged."""

    token: str
    values: Mapping[str, tuple[str, ...]]
    """By the field's name; empty where nothing was given. A chosen user stands as `@ID`."""
    user: ChatUser
    place: Place
    key: str = field(default="", compare=False)
    """As for a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicesRequest:
    """Somebody is typing an option of a command, and wants to be shown what there is."""

    command: str
    subcommand: str
    """Empty where the command has none."""
    option: str
    typed: str
    user: ChatUser
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRequest:
    """Somebody opened the bot's own page in the chat platform (Slack's App Home)."""

    user: ChatUser
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """The platform says that something about a user changed: they may be gone. It is looked up, not believed."""

    platform: str
    tenant: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationChanged:
    """The bot was taken out of a workspace, or let in again."""

    platform: str
    tenant: str
    alive: bool
    at: datetime
    """When the platform says that it happened: an older signal never undoes a newer one."""


Signal = AccountChanged | InstallationChanged


class Inbound(Protocol):
    """Takes requests in. Answers always: what goes wrong inside becomes a sentence with an id."""

    def acknowledgement(self, token: str) -> Acknowledgement:
        """Say how a press of the button with this token is acknowledged; PRIVATE for one that is unknown. Awaits
        nothing.
        """
        ...

    def command_acknowledgement(self, name: str, arguments: Words | Options) -> Acknowledgement:
        """Say how a typed command is acknowledged: FORM where it opens one, else PRIVATE. Awaits nothing."""
        ...

    async def command(self, request: CommandRequest) -> Message:
        """Carry out a typed command."""
        ...

    async def action(self, request: ActionRequest) -> Message:
        """Carry out a press."""
        ...

    async def form(self, request: CommandRequest | ActionRequest) -> Form | Message:
        """Give the form that a command or press opens, or, as a private answer, why there is none."""
        ...

    async def submission(self, request: Submission) -> Message | FieldErrors:
        """Carry out a form that was sent off. The message is a private answer."""
        ...

    async def choices(self, request: ChoicesRequest) -> Sequence[FormChoice]:
        """What may be meant, at most 25, best first; empty for somebody unknown. What is typed in the end may be
        anything.
        """
        ...

    async def home(self, request: HomeRequest) -> Message:
        """Draw the asker's home. Its UPDATE buttons are presses like any other; their answer replaces the home."""
        ...

    async def signal(self, signal: Signal) -> None:
        """Take note of something that the platform says by itself. Raises nothing; may come twice, or out of order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request to an endpoint of an adapter. `headers` keeps doubled ones, in order, with names in lower case."""

    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """The endpoint's answer."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A POST address that an adapter needs mounted; `bot/web` mounts it, with its body capped at 1 MiB."""

    path: str
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who a chat platform says is at the browser."""

    platform: str
    tenant: str
    user: str
    name: str
    email: str | None
    """Lower case, and only if the platform says that it verified it."""


class SignIn(Protocol):
    """A platform's own sign-in (Sign in with Slack, Discord OAuth)."""

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        """Build the address of the platform's login. `tenant` steers to a workspace, where the platform can."""
        ...

    async def complete(self, *, code: str, nonce: str, redirect_uri: str) -> SignedIn:
        """Exchange the code and check what came back. Raises SignInError."""
        ...


class AccountKind(StrEnum):
    """What a user of a platform is to it."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    GONE = "gone"
    """Deactivated, or no longer in the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a platform says of one of its users, at the moment it is asked."""

    kind: AccountKind
    name: str
    time_zone: str | None = None
    """IANA name, where the platform has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The bot was let into a workspace, or, org-wide, into all workspaces of an enterprise."""

    platform: str
    tenant: str
    name: str


class Install(Protocol):
    """Being let into many workspaces, each by its own administrator's consent."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """Build the address of the platform's consent page."""
        ...

    async def complete(self, *, code: str, redirect_uri: str) -> Installed:
        """Exchange the code and keep the installation. Raises SignInError."""
        ...


class Check(StrEnum):
    """How a line of `doctor` came out."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One line of `doctor`: what was looked at, what was found, and how to mend it. No secrets."""

    subject: str
    check: Check
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an adapter is given of the process that it runs in."""

    clock: Clock
    installations: Installations
    public_url: str
    """The address of our pages, without a slash at the end."""
    picture_url: Callable[[Picture], str | None]
    """A signed address of ours at which a picture can be fetched for an hour; None where we have no public address, so
    that the platform could not reach it.
    """


class ChatPlatform(Protocol):
    """One chat platform, ready to be run. Constructing one connects nothing."""

    name: str
    """Its slug: "slack"."""
    label: str
    """Its name to people: "Slack"."""
    pace: Pace
    deduplicates: bool
    """A post that is sent again under the same delivery within minutes shows once."""
    finds_by_email: bool
    """Addresses BY_EMAIL can be used."""
    addressed_by_email: bool
    """A person's email address is where messages go (`AddressKind.DIRECT`), without any account of theirs."""
    edits: bool
    """Posted messages can be replaced; where they cannot, nobody asks for it."""
    personal_links: bool
    """Readers may have no chat account: links in messages here are personalised ones (R-13), not those that ask for a
    sign-in.
    """
    sign_in: SignIn | None
    install: Install | None
    """None where the platform's installation is a matter of settings, or of a plain link."""

    def running(self, inbound: Inbound | None) -> AbstractAsyncContextManager[None]:
        """Connect, hand requests to `inbound` until the block is left, then close in order.

        None: this process only posts and signs people in; another one takes the requests.
        """
        ...

    def lane(self, address: Address) -> str:
        """Name the installation that serves the address; its sends are paced together."""
        ...

    async def post(
        self, address: Address, message: Message, delivery: DeliveryId, *, under: MessageRef | None = None
    ) -> MessageRef:
        """Post, in the thread of (or as a reply to) `under`, where that is given. Raises DeliveryError, and nothing
        else, when it is not certain that the message is there.
        """
        ...

    async def update(self, ref: MessageRef, message: Message) -> None:
        """Replace a posted message. Raises DeliveryError."""
        ...

    async def profile(self, tenant: str, user: str) -> Profile:
        """Ask what a user is now. `tenant`: the Slack team, the Discord server. Raises DeliveryError when it cannot be
        told.
        """
        ...

    def endpoints(self) -> Sequence[Endpoint]:
        """HTTP endpoints to mount, if requests arrive that way."""
        ...

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Check tokens, scopes and reachability for `doctor`. Raises nothing."""
        ...
