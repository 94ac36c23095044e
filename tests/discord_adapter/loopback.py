"""The loopback Discord with the real adapter at it, over REST and the gateway."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from bot.playground.vendors.discord import (
    ChannelConfig,
    DiscordConfig,
    DiscordPeople,
    DiscordVendor,
    GuildConfig,
    UserConfig,
)
from commands.messages import FieldErrors, Form, FormChoice, Message, Picture, say
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    ChoicesRequest,
    CommandRequest,
    HomeRequest,
    Inbound,
    Options,
    Signal,
    Submission,
    Surroundings,
    Words,
)
from commands.ports.installations import Installation
from platform_adapters.chat.discord.adapter import DiscordPlatform
from platform_adapters.chat.discord.gateway import Pause
from platform_adapters.chat.discord.settings import read_settings
from tests.support.clock import FakeClock
from tests.vendors.discord_support import ANA, APP, CONFIG, GENERAL, GUILD, RAJ, SECRET_KEY, TOKEN, serving

__all__ = ["ANA", "APP", "CLOSED", "GENERAL", "GUILD", "RAJ", "Answering", "Loopback", "environment", "running"]

CLOSED, ROBOT, MEI = 200_000_000_000_000_003, 200_000_000_000_000_004, 200_000_000_000_000_005
"""Takes no direct messages; another bot; somebody of the other server alone."""
OTHER_GUILD, LOUNGE = 400_000_000_000_000_002, 500_000_000_000_000_009
"""A server that the bot is not in yet."""
_GUILD = CONFIG.guilds[0]
WORLD = replace(
    CONFIG,
    users=(
        *CONFIG.users,
        UserConfig(id=CLOSED, username="cleo", dm_closed=True),
        UserConfig(id=ROBOT, username="robot", bot=True),
        UserConfig(id=MEI, username="mei", global_name="Mei Lin"),
    ),
    guilds=(
        replace(_GUILD, members=_GUILD.members | {CLOSED, ROBOT}),
        GuildConfig(
            id=OTHER_GUILD,
            name="Brio",
            members=frozenset({MEI}),
            channels=(ChannelConfig(id=LOUNGE, name="lounge"),),
            bot_installed=False,
        ),
    ),
)


class Answering:
    """An `Inbound` that keeps what it is asked, and answers as it was told; `hold` keeps the next answers back."""

    def __init__(self) -> None:
        self.answer: Message = say("Here you are.")
        self.acknowledgements: dict[str, Acknowledgement] = {}
        self.commands: list[CommandRequest] = []
        self.actions: list[ActionRequest] = []
        self.submissions: list[Submission] = []
        self.asked: list[ChoicesRequest] = []
        self.signals: list[Signal] = []
        self.given: Form | Message = say("There is no form.")
        self.errors: FieldErrors | None = None
        self.offered: tuple[FormChoice, ...] = ()
        self.hold = asyncio.Event()
        self.hold.set()
        self.entered = asyncio.Event()
        self.signalled = asyncio.Event()

    def acknowledgement(self, token: str) -> Acknowledgement:
        return self.acknowledgements.get(token, Acknowledgement.PRIVATE)

    def command_acknowledgement(self, name: str, arguments: Words | Options) -> Acknowledgement:
        bare = isinstance(arguments, Options) and not arguments.values
        return self.acknowledgements.get(f"/{name}", Acknowledgement.PRIVATE) if bare else Acknowledgement.PRIVATE

    async def form(self, request: CommandRequest | ActionRequest) -> Form | Message:
        await self._answer()
        return self.given

    async def submission(self, request: Submission) -> Message | FieldErrors:
        self.submissions.append(request)
        return self.errors or await self._answer()

    async def choices(self, request: ChoicesRequest) -> Sequence[FormChoice]:
        self.asked.append(request)
        await self._answer()
        return self.offered

    async def home(self, request: HomeRequest) -> Message:
        raise AssertionError("Discord has no home")

    async def signal(self, signal: Signal) -> None:
        self.signals.append(signal)
        self.signalled.set()

    async def command(self, request: CommandRequest) -> Message:
        self.commands.append(request)
        return await self._answer()

    async def action(self, request: ActionRequest) -> Message:
        self.actions.append(request)
        return await self._answer()

    async def _answer(self) -> Message:
        self.entered.set()
        await self.hold.wait()
        return self.answer


class Pauses:
    """Instead of waiting, remembers for how long it was asked to."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Loopback:
    """A running adapter and hands at both its sides."""

    platform: DiscordPlatform
    people: DiscordPeople
    vendor: DiscordVendor
    clock: FakeClock
    pauses: Pauses

    async def connected(self) -> None:
        """Wait until the bot is on the gateway and its commands are there."""
        await self.people.wait_for(lambda change: change["type"] == "gateway_ready")
        await self.people.wait_for(lambda change: change["type"] == "commands_registered")

    async def requests(self, ending: str) -> int:
        """How many requests came whose path ends so, refused ones included."""
        changes = (await self.people._get("changes", after=0))["changes"]
        return sum(change["type"] == "request" and change["path"].endswith(ending) for change in changes)


def environment(vendor: DiscordVendor, **more: str) -> dict[str, str]:
    """What an operator would set to reach the stand-in."""
    return {
        "LAPSEBOT_DISCORD_BOT_TOKEN": TOKEN,
        "LAPSEBOT_DISCORD_CLIENT_ID": str(APP),
        "LAPSEBOT_DISCORD_CLIENT_SECRET": SECRET_KEY,
        "LAPSEBOT_DISCORD_API_URL": vendor.api_url,
        "LAPSEBOT_DISCORD_AUTHORIZE_URL": vendor.authorize_url,
        "LAPSEBOT_DISCORD_GATEWAY_URL": vendor.gateway_url,
        **more,
    }


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (960).to_bytes(4) + (400).to_bytes(4)
"""As much of a picture as Discord reads of it."""


async def drawn_at_once(_picture: Picture) -> bytes:
    """Instead of a process that plots."""
    return PNG


def platform_at(vendor: DiscordVendor, clock: FakeClock, pauses: Pause, **more: str) -> DiscordPlatform:
    """The adapter as `build` makes it, but for pauses, drawing, and how long a form may take."""
    settings = read_settings(environment(vendor, **more))
    assert settings is not None
    return DiscordPlatform(settings, clock, pause=pauses, draw=drawn_at_once, answer_within=0.2)


class NoInstallations:
    """Discord has one access for all servers, and so keeps no installations."""

    async def save(self, installation: Installation) -> None:
        raise AssertionError

    async def find(self, platform: str, tenant: str) -> Installation | None:
        raise AssertionError

    async def all(self, platform: str) -> Sequence[Installation]:
        raise AssertionError

    async def lose(self, platform: str, tenant: str, *, at: datetime, reason: str) -> bool:
        raise AssertionError


def surroundings() -> Surroundings:
    """What the process around an adapter gives it; nothing of it but the clock is of use to Discord."""
    return Surroundings(
        clock=FakeClock(),
        installations=NoInstallations(),
        public_url="https://lapsebot.example",
        picture_url=lambda picture: None,
    )


class _Listening(logging.Handler):
    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
        self.heard = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.words in record.getMessage():
            self.heard.set()


@contextmanager
def told(words: str) -> Iterator[asyncio.Event]:
    """An event that is set when the adapter's log says so."""
    handler, logger = _Listening(words), logging.getLogger("platform_adapters.chat.discord")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.heard
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@asynccontextmanager
async def stage(world: DiscordConfig = WORLD) -> AsyncIterator[Loopback]:
    """The stand-in with an adapter that is not running yet."""
    clock, pauses = FakeClock(), Pauses()
    async with serving(world) as vendor, DiscordPeople.at(vendor.base_url) as people:
        yield Loopback(platform_at(vendor, clock, pauses), people, vendor, clock, pauses)


@asynccontextmanager
async def running(inbound: Inbound) -> AsyncIterator[Loopback]:
    """The stand-in with an adapter that is connected and whose commands are registered."""
    async with stage() as discord, discord.platform.running(inbound):
        await discord.connected()
        yield discord
