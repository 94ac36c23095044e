"""Installing in workspaces and whole organizations, and losing it again, as slack_sdk and a Bolt app meet it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import (
    AppConfig,
    ChannelConfig,
    EnterpriseConfig,
    LimitConfig,
    PlayError,
    SlackConfig,
    UserConfig,
    WorkspaceConfig,
)
from tests.vendors.slack_support import FAST, Slack, slack

# slack_sdk 3.47 still hands its client credentials to aiohttp as BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
BACK = "https://bot.example/slack/installed"
SIGNING_SECRET = "a-signing-secret"
APP = AppConfig(redirect_urls=(BACK,), commands=("/lapsed",), org_deploy_enabled=True, signing_secret=SIGNING_SECRET)
ORG, EAST, WEST, ALONE = "E0ORG", "T0EAST", "T0WEST", "T0ALONE"
BOSS, EVA, WALT, MIA = "W0BOSS", "U0EVA", "U0WALT", "U0MIA"
ASKED = {"client_id": APP.client_id, "scope": ",".join(APP.scopes), "state": "s", "redirect_uri": BACK}
MINE = {"client_id": APP.client_id, "client_secret": APP.client_secret}


def person(user_id: str, **more: Any) -> UserConfig:
    name = user_id[2:].lower()
    return UserConfig(id=user_id, name=name, real_name=name.title(), email=f"{name}@org.example", **more)


def space(team: str, *users: UserConfig, channel: str, **more: Any) -> WorkspaceConfig:
    return WorkspaceConfig(
        team_id=team,
        name=team[2:].title(),
        domain=team[2:].lower(),
        bot_user_id=f"U{team}BOT",
        users=users,
        channels=(ChannelConfig(id=channel, name="general", members=tuple(each.id for each in users)),),
        **more,
    )


def config(**more: Any) -> SlackConfig:
    boss = person(BOSS, is_org_admin=True, is_admin=True)
    return SlackConfig(
        enterprises=(EnterpriseConfig(id=ORG, name="Org", domain="org", bot_user_id="W0ORGBOT"),),
        workspaces=(
            space(EAST, boss, person(EVA), channel="C0EAST", enterprise_id=ORG),
            space(WEST, boss, person(WALT), channel="C0WEST", enterprise_id=ORG),
            space(ALONE, person(MIA), person("U0ADA", is_admin=True), channel="C0ALONE", only_admins_install=True),
        ),
        app=APP,
        limits=LimitConfig(enabled=False),
        timing=FAST,
    )


@pytest.fixture
async def here() -> AsyncIterator[Slack]:
    async with slack(config()) as running:
        yield running


async def consent(here: Slack, team: str, user: str) -> tuple[int, str]:
    await here.people.sign_in(team, user)
    async with here.session.get(here.vendor.base_url + "/oauth/v2/authorize", params=ASKED) as reply:
        return reply.status, await reply.text()


async def allow(here: Slack, team: str, user: str, *, where: str | None = None) -> tuple[int, str]:
    """Press Allow; returns the status and the code, or the page."""
    _, html = await consent(here, team, user)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html.replace("&amp;", "&")))
    fields = {**ASKED, **fields, "answer": "allow", "as": f"{team}:{user}", **({"where": where} if where else {})}
    url = here.vendor.base_url + "/oauth/v2/authorize"
    async with here.session.post(url, data=fields, allow_redirects=False) as reply:
        if reply.status != 303:
            return reply.status, await reply.text()
        return 303, parse_qs(urlsplit(reply.headers["Location"]).query)["code"][0]


async def install(here: Slack, team: str, user: str, *, where: str | None = None) -> dict[str, Any]:
    _, code = await allow(here, team, user, where=where)
    answer = await AsyncWebClient(base_url=here.vendor.api_url).oauth_v2_access(**MINE, code=code, redirect_uri=BACK)
    assert isinstance(answer.data, dict)
    return answer.data


def client(here: Slack, installed: dict[str, Any]) -> AsyncWebClient:
    token = installed["access_token"]
    return AsyncWebClient(token=token, base_url=here.vendor.api_url, session=here.session, retry_handlers=[])


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_workspaces_have_tokens_of_their_own_and_reach_nothing_of_each_other(here: Slack) -> None:
    east, alone = await install(here, EAST, EVA), await install(here, ALONE, "U0ADA")
    assert east["access_token"] != alone["access_token"]
    assert (east["enterprise"], alone["enterprise"]) == ({"name": "Org", "id": ORG}, None)
    await client(here, east).chat_postMessage(channel="C0EAST", text="x")
    assert await refused(client(here, east).chat_postMessage(channel="C0ALONE", text="x")) == "channel_not_found"
    assert await refused(client(here, east).users_info(user=MIA)) == "user_not_found"
    mine = await client(here, alone).auth_test()
    assert (mine["team_id"], mine["is_enterprise_install"]) == (ALONE, False)
    assert (await client(here, alone).auth_teams_list())["teams"] == [{"id": ALONE, "name": "Alone"}]


async def test_only_an_administrator_lets_an_app_in_where_a_workspace_wants_it_so(here: Slack) -> None:
    status, html = await consent(here, ALONE, MIA)
    assert (status, "Ask one of them" in html, "Allow" in html) == (200, True, False)
    status, page = await allow(here, ALONE, MIA)
    assert (status, "app_approval_required" in page) == (400, True)
    assert (await allow(here, ALONE, "U0ADA"))[0] == 303


async def test_only_an_organizations_administrator_installs_for_all_of_it(here: Slack) -> None:
    assert "the whole organization Org" in (await consent(here, EAST, BOSS))[1]
    assert "the whole organization" not in (await consent(here, EAST, EVA))[1]
    assert (await allow(here, EAST, EVA, where=ORG))[0] == 400
    await here.people.post("app", org_deploy_enabled=False)
    assert (await allow(here, EAST, BOSS, where=ORG))[0] == 400


async def test_an_organizations_install_reaches_the_workspaces_that_it_was_added_to(here: Slack) -> None:
    installed = await install(here, EAST, BOSS, where=ORG)
    assert (installed["team"], installed["enterprise"]["id"], installed["is_enterprise_install"]) == (None, ORG, True)
    org = client(here, installed)
    who = await org.auth_test()
    assert (who["team_id"], who["enterprise_id"], who["is_enterprise_install"]) == (ORG, ORG, True)
    assert (await org.auth_teams_list())["teams"] == []
    assert await refused(org.chat_postMessage(channel="C0EAST", text="x")) == "team_access_not_granted"

    await here.people.post("org-teams", enterprise=ORG, teams=[EAST])
    await org.chat_postMessage(channel="C0EAST", text="x")
    assert await refused(org.chat_postMessage(channel=WALT, text="x")) == "team_access_not_granted"
    await here.people.post("org-teams", enterprise=ORG, teams=[WEST])
    await org.chat_postMessage(channel=WALT, text="x")
    first = await org.auth_teams_list(limit=1)
    assert [each["id"] for each in first["teams"]] == [EAST]
    rest = await org.auth_teams_list(limit=1, cursor=first["response_metadata"]["next_cursor"])
    assert [each["id"] for each in rest["teams"]] == [WEST]
    assert (await org.users_info(user=BOSS, team_id=WEST))["user"]["enterprise_user"]["enterprise_id"] == ORG
    assert await refused(org.api_call("users.info", params={"user": BOSS, "team_id": ALONE})) == "team_not_found"

    await here.people.post("org-teams", enterprise=ORG, teams=[EAST], added=False)
    assert await refused(org.chat_postMessage(channel="C0EAST", text="x")) == "team_access_not_granted"
    with pytest.raises(PlayError, match="team_not_found"):
        await here.people.post("org-teams", enterprise=ORG, teams=[ALONE])


@asynccontextmanager
async def listening(here: Slack, token: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What a Bolt app hears: events, commands and presses."""
    heard: list[dict[str, Any]] = []
    own = AsyncWebClient(token=token, base_url=here.vendor.api_url)
    app = AsyncApp(signing_secret=SIGNING_SECRET, token=token, client=own)

    async def on_event(body: dict[str, Any]) -> None:
        heard.append(body)

    async def on_request(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        heard.append(body)

    for kind in APP.events:
        app.event(kind)(on_event)
    app.command("/lapsed")(on_request)
    app.action("go")(on_request)
    runner = web.AppRunner(app.web_app("/slack/events"), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await here.people.post("app", request_url=f"http://127.0.0.1:{site.port}/slack/events")
    try:
        yield heard
    finally:
        await runner.cleanup()


async def test_requests_of_an_organizations_install_say_so(here: Slack) -> None:
    installed = await install(here, EAST, BOSS, where=ORG)
    org = client(here, installed)
    async with listening(here, installed["access_token"]) as heard:
        await here.people.post("org-teams", enterprise=ORG, teams=[EAST])
        await here.people.wait_for_change("event", event="team_access_granted", error=None)
        assert (await here.people.says(EAST, "C0EAST", EVA, "/lapsed"))["error"] is None
        assert (await here.people.says(WEST, "C0WEST", WALT, "/lapsed"))["error"] == "invalid_command"
        button = {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
        blocks = [{"type": "actions", "elements": [button]}]
        await org.views_publish(user_id=EVA, view={"type": "home", "blocks": blocks})
        home = await here.people.view(EAST, EVA, home=True)
        assert home is not None
        await here.people.press_view(EAST, EVA, home, "Go")
        await here.people.post("home", team=EAST, user=EVA)
        await here.people.wait_for_change("event", event="app_home_opened", error=None)
    granted, command, press, opened = heard
    assert granted["event"]["team_ids"] == [EAST]
    assert (command["is_enterprise_install"], command["enterprise_id"], command["team_id"]) == ("true", ORG, EAST)
    assert (press["is_enterprise_install"], press["team"], press["enterprise"]["id"]) == (True, None, ORG)
    assert (press["view"]["app_installed_team_id"], press["user"]["team_id"]) == (ORG, EAST)
    assert (opened["team_id"], opened["enterprise_id"]) == (EAST, ORG)
    expected = {"enterprise_id": ORG, "team_id": None, "is_enterprise_install": True}
    assert expected.items() <= opened["authorizations"][0].items()


@pytest.mark.parametrize(
    "order",
    [
        ["app_uninstalled", "tokens_revoked"],
        ["tokens_revoked", "app_uninstalled"],
        ["tokens_revoked", "app_uninstalled", "tokens_revoked", "app_uninstalled"],
    ],
)
async def test_an_uninstall_is_told_in_any_order_and_ends_the_token_for_good(here: Slack, order: list[str]) -> None:
    installed = await install(here, EAST, EVA)
    async with listening(here, installed["access_token"]) as heard:
        after = (await here.people.get("state"))["revision"]
        await here.people.post("uninstall", team=EAST, order=order)
        for kind in set(order):
            await here.people.wait_for_change("event", after=after, event=kind, error=None)
        await here.people.wait_for_change("event", after=after, event=order[-1], error=None)
    assert sorted(each["event"]["type"] for each in heard) == sorted(order)
    assert await refused(client(here, installed).auth_test()) == "account_inactive"
    again = await install(here, EAST, EVA)
    assert again["access_token"] != installed["access_token"]
    await client(here, again).auth_test()
    assert await refused(client(here, installed).auth_test()) == "account_inactive"


async def test_an_organizations_uninstall_takes_the_app_from_all_its_workspaces(here: Slack) -> None:
    installed = await install(here, EAST, BOSS, where=ORG)
    await here.people.post("org-teams", enterprise=ORG, teams=[EAST, WEST])
    async with listening(here, installed["access_token"]) as heard:
        after = (await here.people.get("state"))["revision"]
        await here.people.post("uninstall", team=ORG, order=["app_uninstalled"])
        await here.people.wait_for_change("event", after=after, event="app_uninstalled", error=None)
    assert (heard[0]["team_id"], heard[0]["authorizations"][0]["is_enterprise_install"]) == (ORG, True)
    state = await here.people.get("state")
    assert {each["team"]: each["installed"] for each in state["workspaces"]} == {EAST: False, WEST: False, ALONE: False}
    assert await refused(client(here, installed).auth_test()) == "account_inactive"
    await install(here, EAST, BOSS, where=ORG)
    state = await here.people.get("state")
    assert not any(each["installed"] for each in state["workspaces"])


async def test_a_token_that_was_taken_back_without_a_word_says_so(here: Slack) -> None:
    installed = await install(here, ALONE, "U0ADA")
    await here.people.post("revoke", team=ALONE)
    assert await refused(client(here, installed).auth_test()) == "token_revoked"


async def test_a_code_is_good_once_for_ten_minutes_and_one_address(here: Slack) -> None:
    access = AsyncWebClient(base_url=here.vendor.api_url).oauth_v2_access
    _, code = await allow(here, EAST, EVA)
    assert await refused(access(**MINE, code=code, redirect_uri=BACK + "/x")) == "bad_redirect_uri"
    assert await refused(access(**MINE, code=code, redirect_uri=BACK)) == "code_already_used"
    _, code = await allow(here, EAST, EVA)
    await here.people.post("clock", advance=601)
    assert await refused(access(**MINE, code=code, redirect_uri=BACK)) == "invalid_code"
