"""A small Slack with two workspaces, for the tests of the stand-in itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
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

TEAM, OTHER = "T0AGENCY", "T0CLIENT"
ANA, RAJ, GONE, ROBOT, ZOE = "U0ANA", "U0RAJ", "U0GONE", "U0ROBOT", "U0ZOE"
GENERAL, SECRET, OLD, QUIET = "C0GENERAL", "C0SECRET", "C0OLD", "C0QUIET"
TOKEN = "xoxb-agency"
FAST = TimingConfig(ack_timeout=0.3, event_retry_delays=(0.0, 0.0, 0.0))


def person(user_id: str, name: str, *, is_bot: bool = False, deleted: bool = False) -> UserConfig:
    """A member."""
    mail = f"{name}@agency.example"
    return UserConfig(
        id=user_id, name=name, real_name=f"{name.title()} Ruiz", email=mail, is_bot=is_bot, deleted=deleted
    )


def config(
    *, app: AppConfig | None = None, limits: LimitConfig | None = None, timing: TimingConfig = FAST
) -> SlackConfig:
    """Two workspaces, the second with one person."""
    people = (
        person(ANA, "ana"),
        person(RAJ, "raj"),
        person(GONE, "gone", deleted=True),
        person(ROBOT, "robot", is_bot=True),
    )
    channels = (
        ChannelConfig(id=GENERAL, name="general", members=(ANA, RAJ)),
        ChannelConfig(id=SECRET, name="secret", members=(RAJ,), is_private=True),
        ChannelConfig(id=OLD, name="old", members=(ANA,), is_archived=True),
        ChannelConfig(id=QUIET, name="quiet", members=(ANA,), bot_is_member=False),
    )
    agency = WorkspaceConfig(
        team_id=TEAM,
        name="Agency",
        domain="agency",
        bot_user_id="U0BOT",
        bot_token=TOKEN,
        users=people,
        channels=channels,
    )
    client = WorkspaceConfig(
        team_id=OTHER, name="Client", domain="client", bot_user_id="U0BOT2", users=(person(ZOE, "zoe"),)
    )
    return SlackConfig(
        workspaces=(agency, client),
        app=app or AppConfig(commands=("/lapsed",)),
        limits=limits or LimitConfig(enabled=False),
        timing=timing,
    )


@dataclass(frozen=True, slots=True)
class Slack:
    """A running stand-in with hands at both its sides."""

    vendor: SlackVendor
    session: aiohttp.ClientSession
    people: SlackPeople
    client: AsyncWebClient


@asynccontextmanager
async def slack(settings: SlackConfig) -> AsyncIterator[Slack]:
    """Start one; the client is slack_sdk's own, with its own re-sending switched off."""
    async with serving(settings) as vendor, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        client = AsyncWebClient(token=TOKEN, base_url=vendor.api_url, session=session, retry_handlers=[])
        yield Slack(vendor, session, SlackPeople(session, vendor.base_url), client)
