"""A Slack of several workspaces, two of them in one organization, with the adapter that each has to let in."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.playground.vendors.slack import (
    AppConfig,
    ChannelConfig,
    EnterpriseConfig,
    LimitConfig,
    SlackConfig,
    TimingConfig,
    UserConfig,
    WorkspaceConfig,
)
from commands.errors import DeliveryError
from commands.messages import say
from commands.ports.chat import AddressKind, Inbound, InstallationChanged, Signal
from commands.ports.installations import Installation, Installations
from platform_adapters.chat.slack.manifest import BOT_SCOPES, EVENTS
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import Loopback, running
from tests.slack_adapter.test_delivering import delivery, to

BACK = "https://lapsebot.example/install/cb/slack"


ORG, EAST, WEST, ALONE = "E0ORG", "T0EAST", "T0WEST", "T0ALONE"


BOSS, EVA, WALT, MIA = "W0BOSS", "U0EVA", "U0WALT", "U0MIA"


def person(user_id: str, *, is_org_admin: bool = False) -> UserConfig:
    name = user_id[2:].lower()
    return UserConfig(
        id=user_id, name=name, real_name=name.title(), email=f"{name}@org.example", is_org_admin=is_org_admin
    )


def space(team: str, *users: UserConfig, enterprise_id: str | None = None) -> WorkspaceConfig:
    members = tuple(each.id for each in users)
    return WorkspaceConfig(
        team_id=team,
        name=team[2:].title(),
        domain=team[2:].lower(),
        bot_user_id=f"U{team}BOT",
        users=users,
        channels=(ChannelConfig(id=f"C{team[1:]}", name="general", members=members),),
        enterprise_id=enterprise_id,
    )


def slack_config(*, socket_mode: bool = False) -> SlackConfig:
    boss = person(BOSS, is_org_admin=True)
    return SlackConfig(
        enterprises=(EnterpriseConfig(id=ORG, name="Org", domain="org", bot_user_id="W0ORGBOT"),),
        workspaces=(
            space(EAST, boss, person(EVA), enterprise_id=ORG),
            space(WEST, boss, person(WALT), enterprise_id=ORG),
            space(ALONE, person(MIA)),
        ),
        app=AppConfig(
            redirect_urls=(BACK,), org_deploy_enabled=True, socket_mode=socket_mode, scopes=BOT_SCOPES, events=EVENTS
        ),
        limits=LimitConfig(enabled=False),
        timing=TimingConfig(event_retry_delays=(0.0, 0.0, 0.0)),
    )


@asynccontextmanager
async def many(
    inbound: Inbound | None, installations: Installations | None = None, *, socket_mode: bool = False
) -> AsyncIterator[Loopback]:
    """A Slack of several workspaces, and the adapter without a token of its own."""
    async with running(
        inbound,
        settings=slack_config(socket_mode=socket_mode),
        socket_mode=socket_mode,
        installations=installations,
        changes={"BOT_TOKEN": ""},
    ) as slack:
        yield slack


class Noted(Recorder):
    """Lets a test wait for what Slack says by itself, which is looked up after its acknowledgement."""

    def __init__(self) -> None:
        Recorder.__init__(self)
        self.changed = asyncio.Event()

    async def signal(self, signal: Signal) -> None:
        await Recorder.signal(self, signal)
        self.changed.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        while not wanted():
            self.changed.clear()
            async with asyncio.timeout(5):
                await self.changed.wait()


async def code_of(slack: Loopback, team: str, user: str, where: str) -> str:
    """Go to the consent page as somebody, and allow."""
    assert slack.platform.install is not None
    await slack.people.sign_in(team, user)
    url = slack.platform.install.authorize_url(state="s", redirect_uri=BACK)
    async with slack.session.get(url) as reply:
        assert reply.status == 200, await reply.text()
        html = await reply.text()
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html.replace("&amp;", "&")))
    fields |= {"answer": "allow", "where": where}
    async with slack.session.post(url.split("?")[0], data=fields, allow_redirects=False) as reply:
        assert reply.status == 303, await reply.text()
        query = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert query["state"] == ["s"]
    return query["code"][0]


async def let_in(slack: Loopback, team: str, user: str, *, where: str = "") -> None:
    assert slack.platform.install is not None
    code = await code_of(slack, team, user, where or team)
    await slack.platform.install.complete(code=code, redirect_uri=BACK)


async def stored(slack: Loopback, tenant: str) -> Installation:
    found = await slack.installations.find("slack", tenant)
    assert found is not None
    return found


async def post(slack: Loopback, tenant: str, external_id: str = "", kind: AddressKind = AddressKind.CHANNEL) -> None:
    await slack.platform.post(to(external_id or f"C{tenant[1:]}", kind, tenant), say("Lapsed"), delivery())


async def error_of_post(slack: Loopback, tenant: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await post(slack, tenant)
    return raised.value


async def posts(slack: Loopback) -> int:
    return len([each for each in await slack.people.log("replies") if each["method"] == "chat.postMessage"])


async def uninstall(slack: Loopback, owner: str, *order: str) -> None:
    """Take the bot out, and wait until it heard of all that Slack says of it."""
    after = (await slack.people.get("state"))["revision"]
    await slack.people.post("uninstall", team=owner, order=order)
    for _ in order:
        change = await slack.people.wait_for_change("event", after=after, error=None)
        after = change["revision"]


def lost(inbound: Recorder) -> list[str]:
    return [each.tenant for each in inbound.signals if isinstance(each, InstallationChanged) and not each.alive]


def back(inbound: Recorder) -> list[str]:
    return [each.tenant for each in inbound.signals if isinstance(each, InstallationChanged) and each.alive]
