"""The loopback Slack with the real adapter at it, by signed HTTP or Socket Mode."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import (
    AppConfig,
    ChannelConfig,
    LimitConfig,
    SlackConfig,
    SlackPeople,
    SlackVendor,
    TimingConfig,
    UserConfig,
    WorkspaceConfig,
    serving,
)
from commands.messages import Picture
from commands.ports.chat import ChatPlatform, Endpoint, HttpRequest, Inbound, Surroundings
from commands.ports.clock import Clock
from commands.ports.installations import Installations
from platform_adapters.chat.slack.adapter import SlackPlatform
from platform_adapters.chat.slack.settings import read_settings
from tests.support.chat import FakeInstallations

TEAM, TOKEN = "T0AGENCY", "xoxb-agency"
ANA, RAJ, GONE, ROBOT, GUEST = "U0ANA", "U0RAJ", "U0GONE", "U0ROBOT", "U0GUEST"
ANA_EMAIL = "ana@agency.example"
CHANNEL, ARCHIVED, FOREIGN = "C0ADS", "C0OLD", "C0QUIET"


class RealClock:
    """The stand-in signs with the machine's time, so its requests are judged by it."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Loopback:
    """A running adapter and hands at both its sides."""

    platform: SlackPlatform
    people: SlackPeople
    bot: AsyncWebClient
    """The same installation, for what a test does in the bot's name."""
    session: aiohttp.ClientSession
    vendor: SlackVendor
    endpoint: str
    """Where the adapter takes requests."""
    installations: Installations
    pictures: dict[Picture, str]
    """Where the platform is told that pictures are; those that are not named are nowhere."""


def config(*, app: AppConfig | None = None, timing: TimingConfig | None = None) -> SlackConfig:
    """One workspace."""
    users = (
        _person(ANA, "ana"),
        _person(RAJ, "raj"),
        _person(GONE, "gone", deleted=True),
        _person(ROBOT, "robot", is_bot=True),
        _person(GUEST, "guest", is_restricted=True),
    )
    channels = (
        ChannelConfig(id=CHANNEL, name="ads", members=(ANA, RAJ)),
        ChannelConfig(id=ARCHIVED, name="old", members=(ANA,), is_archived=True),
        ChannelConfig(id=FOREIGN, name="quiet", members=(ANA,), bot_is_member=False),
    )
    agency = WorkspaceConfig(
        team_id=TEAM,
        name="Agency",
        domain="agency",
        bot_user_id="U0BOT",
        bot_token=TOKEN,
        users=users,
        channels=channels,
    )
    return SlackConfig(
        workspaces=(agency,),
        app=app or AppConfig(),
        limits=LimitConfig(enabled=False),
        timing=timing or TimingConfig(event_retry_delays=(0.0, 0.0, 0.0)),
    )


def environment(vendor: SlackVendor, **changes: str) -> Mapping[str, str]:
    """The settings that lead to the stand-in. An empty change takes one away."""
    app = AppConfig()
    given = {
        "BOT_TOKEN": TOKEN,
        "SIGNING_SECRET": app.signing_secret,
        "APP_ID": app.app_id,
        "CLIENT_ID": app.client_id,
        "CLIENT_SECRET": app.client_secret,
        "API_URL": vendor.api_url,
        "AUTHORIZE_URL": vendor.base_url,
        **changes,
    }
    return {f"LAPSEBOT_SLACK_{name}": value for name, value in given.items() if value}


def surroundings(
    installations: Installations | None = None,
    pictures: Mapping[Picture, str] | None = None,
    clock: Clock | None = None,
) -> Surroundings:
    """What the adapter is given of its process."""
    return Surroundings(
        clock=clock or RealClock(),
        installations=installations or FakeInstallations(),
        public_url="https://lapsebot.example",
        picture_url=lambda picture: pictures.get(picture) if pictures else None,
    )


def platform_at(
    vendor: SlackVendor,
    changes: Mapping[str, str] | None = None,
    *,
    given: Surroundings | None = None,
    submission_patience: float = 2.0,
) -> SlackPlatform:
    """The adapter, built from its settings with some changes. Its socket's attempts follow quickly."""
    settings = read_settings(environment(vendor, **(changes or {})))
    assert settings is not None
    return SlackPlatform(settings, given or surroundings(), ping_interval=0.05, submission_patience=submission_patience)


@asynccontextmanager
async def running(
    inbound: Inbound | None,
    *,
    socket_mode: bool = False,
    settings: SlackConfig | None = None,
    installations: Installations | None = None,
    changes: Mapping[str, str] | None = None,
    submission_patience: float = 2.0,
) -> AsyncIterator[Loopback]:
    """Start the stand-in, the adapter and what `bot/web` would do for it; end them in turn."""
    app = AppConfig(socket_mode=socket_mode)
    async with (
        serving(settings or config(app=app)) as vendor,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        given = {**(changes or {}), **({"APP_TOKEN": "xapp-1-stand-in"} if socket_mode else {})}
        store, pictures = installations or FakeInstallations(), dict[Picture, str]()
        platform = platform_at(
            vendor, given, given=surroundings(store, pictures), submission_patience=submission_patience
        )
        async with platform.running(inbound), mounted(platform) as url:
            vendor.set_app(request_url=url)
            bot = AsyncWebClient(token=TOKEN, base_url=vendor.api_url, session=session, retry_handlers=[])
            people = SlackPeople(session, vendor.base_url)
            yield Loopback(platform, people, bot, session, vendor, url, store, pictures)


@asynccontextmanager
async def mounted(platform: ChatPlatform) -> AsyncIterator[str]:
    """Serve the adapter's endpoint, if it has one; gives its address."""
    app = web.Application(client_max_size=1024 * 1024)
    for endpoint in platform.endpoints():
        app.router.add_post(endpoint.path, _handler(endpoint))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{site.port}/slack/events"
    finally:
        await runner.cleanup()


def _handler(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        answer = await endpoint.handle(HttpRequest(headers=headers, body=await request.read()))
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    return handle


def _person(
    user_id: str, name: str, *, is_bot: bool = False, deleted: bool = False, is_restricted: bool = False
) -> UserConfig:
    return UserConfig(
        id=user_id,
        name=name,
        real_name=f"{name.title()} Ruiz",
        email=f"{name}@agency.example",
        is_bot=is_bot,
        deleted=deleted,
        is_restricted=is_restricted,
    )
