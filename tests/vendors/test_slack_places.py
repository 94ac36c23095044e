"""Threads, pictures, people and channels of the stand-in, as slack_sdk and a real slack_bolt app meet them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.playground.vendors.slack import (
    AppConfig,
    ChannelConfig,
    LimitConfig,
    PlayError,
    SlackConfig,
    UserConfig,
    WorkspaceConfig,
)
from tests.vendors.slack_support import ANA, FAST, GENERAL, GONE, OLD, QUIET, RAJ, ROBOT, TEAM, TOKEN, Slack, slack
from tests.vendors.slack_support import config as two_workspaces

SIGNING_SECRET = "a-signing-secret"
GUEST, ONE_CHANNEL, STRANGER, SHARED = "U0GUEST", "U0ONE", "W0STRANGER", "C0SHARED"
PNG = bytes.fromhex("89504e470d0a1a0a")


def with_guests() -> SlackConfig:
    def person(user_id: str, **more: Any) -> UserConfig:
        name = user_id.lower()
        return UserConfig(id=user_id, name=name, real_name=name.title(), email=f"{name}@agency.example", **more)

    users = (
        person(ANA, tz="Asia/Kathmandu"),
        person(RAJ),
        person(GUEST, is_restricted=True),
        person(ONE_CHANNEL, is_ultra_restricted=True),
        person(STRANGER, home_team="T0ELSEWHERE"),
    )
    shared = ChannelConfig(id=SHARED, name="shared", members=(ANA, STRANGER), is_ext_shared=True)
    agency = WorkspaceConfig(
        team_id=TEAM,
        name="Agency",
        domain="agency",
        bot_user_id="U0BOT",
        bot_token=TOKEN,
        users=users,
        channels=(ChannelConfig(id=GENERAL, name="general", members=(ANA, RAJ)), shared),
    )
    return SlackConfig(workspaces=(agency,), limits=LimitConfig(enabled=False), timing=FAST)


@pytest.fixture
async def here() -> AsyncIterator[Slack]:
    async with slack(two_workspaces()) as running:
        yield running


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_replies_stand_under_the_message_that_they_answer(here: Slack) -> None:
    first = await here.client.chat_postMessage(channel=GENERAL, text="Lapsed: TikTok")
    await here.client.chat_postMessage(channel=GENERAL, text="Lapsed: Meta")
    reply = await here.client.chat_postMessage(channel=GENERAL, text="Raj is on it", thread_ts=first["ts"])
    assert reply["message"]["thread_ts"] == first["ts"]
    await here.people.post("type", team=TEAM, channel=GENERAL, user=RAJ, text="I have it", thread_ts=first["ts"])
    seen = await here.people.history(TEAM, GENERAL, ANA)
    assert [each.text for each in seen] == ["Lapsed: TikTok", "Raj is on it", "I have it", "Lapsed: Meta"]
    assert [each.thread_ts for each in seen] == [None, first["ts"], first["ts"], None]
    assert "s-reply" in seen[1].html
    assert "s-reply" not in seen[0].html


async def test_a_reply_to_nothing_or_to_a_reply_is_refused(here: Slack) -> None:
    first = await here.client.chat_postMessage(channel=GENERAL, text="x")
    reply = await here.client.chat_postMessage(channel=GENERAL, text="y", thread_ts=first["ts"])
    for thread in (reply["ts"], "1.000000"):
        call = here.client.chat_postMessage(channel=GENERAL, text="z", thread_ts=thread)
        assert await refused(call) == "cannot_reply_to_message"


async def test_no_command_is_taken_inside_a_thread(here: Slack) -> None:
    first = await here.client.chat_postMessage(channel=GENERAL, text="x")
    with pytest.raises(PlayError, match="command_not_supported_in_threads"):
        await here.people.post("type", team=TEAM, channel=GENERAL, user=RAJ, text="/lapsed", thread_ts=first["ts"])


async def test_replies_outlive_the_message_that_they_answered(here: Slack) -> None:
    first = await here.client.chat_postMessage(channel=GENERAL, text="x")
    await here.client.chat_postMessage(channel=GENERAL, text="y", thread_ts=first["ts"])
    await here.client.chat_delete(channel=GENERAL, ts=first["ts"])
    assert [each.text for each in await here.people.history(TEAM, GENERAL, ANA)] == ["y"]


@asynccontextmanager
async def pictures(answers: Mapping[str, tuple[int, str, bytes]]) -> AsyncIterator[tuple[str, list[str]]]:
    """A server of pictures by path: status, content type, body; and what was asked of it."""
    asked: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        assert not request.cookies
        status, kind, body = answers[request.path]
        return web.Response(status=status, content_type=kind, body=body)

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}", asked
    finally:
        await runner.cleanup()


def image(url: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "image", "image_url": url, "alt_text": "Lapses per week: 3, 1, 0", **more}]


async def test_a_picture_is_fetched_when_it_is_posted_and_shown_with_its_words(here: Slack) -> None:
    answers = {
        "/good": (200, "image/png", PNG),
        "/gone": (404, "image/png", b""),
        "/page": (200, "text/html", b"<html>"),
        "/none": (200, "image/png", b""),
    }
    async with pictures(answers) as (base, asked):
        await here.people.post("app", image_addresses=[base])
        title = {"type": "plain_text", "text": "Lapses"}
        await here.client.chat_postMessage(channel=GENERAL, text="x", blocks=image(f"{base}/good", title=title))
        [seen] = await here.people.history(TEAM, GENERAL, ANA)
        assert asked == ["/good"]
        assert f'<img src="{base}/good" alt="Lapses per week: 3, 1, 0"' in seen.html
        assert "<figcaption>Lapses</figcaption>" in seen.html
        for bad in ("/gone", "/page", "/none"):
            call = here.client.chat_postMessage(channel=GENERAL, text="x", blocks=image(base + bad))
            assert await refused(call) == "invalid_blocks", bad
        view = {"type": "home", "blocks": image(f"{base}/gone")}
        assert await refused(here.client.views_publish(user_id=ANA, view=view)) == "invalid_arguments"
        update = here.client.chat_update(channel=GENERAL, ts=seen.ts, text="x", blocks=image(f"{base}/gone"))
        assert await refused(update) == "invalid_blocks"


async def test_a_picture_needs_words_and_an_address_that_slack_reaches(here: Slack) -> None:
    await here.client.chat_postMessage(channel=GENERAL, text="x", blocks=image("https://bot.example/chart.png"))
    for blocks in (
        image("http://bot.example/chart.png"),
        image("https://bot.example/" + "x" * 3000),
        [{"type": "image", "image_url": "https://bot.example/chart.png"}],
        image("https://bot.example/chart.png", alt_text=""),
        image("https://bot.example/chart.png", alt_text="x" * 2001),
        image("https://bot.example/chart.png", slack_file={"id": "F1"}),
    ):
        assert await refused(here.client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks)) == "invalid_blocks"


async def test_what_slack_tells_of_people() -> None:
    async with slack(with_guests()) as here:
        ana = (await here.client.users_info(user=ANA))["user"]
        assert (ana["tz"], ana["tz_offset"], ana["deleted"], ana["is_bot"]) == ("Asia/Kathmandu", 20_700, False, False)
        guest, one = [(await here.client.users_info(user=each))["user"] for each in (GUEST, ONE_CHANNEL)]
        assert (guest["is_restricted"], guest["is_ultra_restricted"]) == (True, False)
        assert (one["is_restricted"], one["is_ultra_restricted"]) == (True, True)
        stranger = (await here.client.users_info(user=STRANGER))["user"]
        assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T0ELSEWHERE")
        slackbot = (await here.client.users_info(user="USLACKBOT"))["user"]
        assert slackbot["is_bot"] is False
        assert await refused(here.client.users_info(user="U0NOBODY")) == "user_not_found"
        by_mail = here.client.users_lookupByEmail(email="w0stranger@agency.example")
        assert await refused(by_mail) == "users_not_found"
        assert await refused(here.client.chat_postMessage(channel=STRANGER, text="x")) == "channel_not_found"


async def test_the_deactivated_have_no_zone_and_no_role(here: Slack) -> None:
    gone = (await here.client.users_info(user=GONE))["user"]
    assert gone["deleted"] is True
    assert not {"tz", "is_restricted"} & set(gone)
    robot = (await here.client.users_info(user=ROBOT))["user"]
    assert robot["is_bot"] is True


@asynccontextmanager
async def listening(config: SlackConfig) -> AsyncIterator[tuple[Slack, list[dict[str, Any]]]]:
    """The stand-in, and what a Bolt app hears of it."""
    heard: list[dict[str, Any]] = []
    async with slack(config) as here:
        app = AsyncApp(signing_secret=SIGNING_SECRET, token=TOKEN, client=here.client)

        async def on_event(body: dict[str, Any]) -> None:
            heard.append(body)

        for kind in AppConfig().events:
            app.event(kind)(on_event)

        async def on_action(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            heard.append(body)

        app.action("go")(on_action)
        runner = web.AppRunner(app.web_app("/slack/events"), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{site.port}/slack/events"
        await here.people.post("app", request_url=url, signing_secret=SIGNING_SECRET)
        try:
            yield here, heard
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"deleted": True}, ("deleted", True)),
        ({"is_restricted": True}, ("is_restricted", True)),
        ({"is_ultra_restricted": True}, ("is_ultra_restricted", True)),
        ({"tz": "Pacific/Apia"}, ("tz", "Pacific/Apia")),
    ],
    ids=["deactivated", "guest", "guest of one channel", "moved"],
)
async def test_a_persons_change_is_told_to_the_app(change: dict[str, object], shown: tuple[str, object]) -> None:
    async with listening(two_workspaces()) as (here, heard):
        await here.people.post("users", team=TEAM, id=RAJ, **change)
        await here.people.wait_for_change("event", event="user_change", error=None)
    user = heard[0]["event"]["user"]
    assert (user["id"], user[shown[0]]) == (RAJ, shown[1])


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"id": GENERAL, "is_archived": True}, {"type": "channel_archive", "channel": GENERAL}),
        ({"id": OLD, "is_archived": False}, {"type": "channel_unarchive", "channel": OLD}),
        ({"id": GENERAL, "bot_is_member": False}, {"type": "channel_left", "channel": GENERAL}),
        ({"id": "C0SECRET", "bot_is_member": False}, {"type": "group_left", "channel": "C0SECRET"}),
        ({"id": QUIET, "bot_is_member": True}, {"type": "member_joined_channel", "channel": QUIET, "user": "U0BOT"}),
    ],
    ids=["archived", "taken up again", "bot removed", "bot removed from a private one", "bot added"],
)
async def test_what_becomes_of_a_channel_is_told_to_the_app(change: dict[str, object], event: dict[str, str]) -> None:
    async with listening(two_workspaces()) as (here, heard):
        await here.people.post("channels", team=TEAM, **change)
        await here.people.wait_for_change("event", event=event["type"], error=None)
    assert event.items() <= heard[0]["event"].items()


async def test_a_deleted_channel_is_gone_for_everybody() -> None:
    async with listening(two_workspaces()) as (here, heard):
        await here.people.post("channels/delete", team=TEAM, id=GENERAL)
        await here.people.wait_for_change("event", event="channel_deleted", error=None)
        assert await refused(here.client.chat_postMessage(channel=GENERAL, text="x")) == "channel_not_found"
        with pytest.raises(PlayError, match="channel_not_found"):
            await here.people.history(TEAM, GENERAL, ANA)
    assert heard[0]["event"]["channel"] == GENERAL


async def test_a_stranger_in_a_shared_channel_presses_under_the_name_of_their_own_workspace() -> None:
    async with listening(with_guests()) as (here, heard):
        button = {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
        await here.client.chat_postMessage(channel=SHARED, text="x", blocks=[{"type": "actions", "elements": [button]}])
        [message] = await here.people.history(TEAM, SHARED, STRANGER)
        await here.people.press(TEAM, SHARED, STRANGER, message, "Go")
        assert (await here.people.says(TEAM, SHARED, STRANGER, "/lapsed"))["error"] == "user_is_external"
    assert (heard[0]["user"]["team_id"], heard[0]["team"]["id"]) == ("T0ELSEWHERE", TEAM)


@pytest.mark.parametrize("error", ["expired_url", "used_url"])
async def test_a_response_address_can_be_made_to_fail(here: Slack, error: str) -> None:
    await here.people.fail("response_url", "error", status=404, error=error)
    url = f"{here.vendor.base_url}/actions/{TEAM}/x"
    async with here.session.post(url, json={"text": "late"}) as reply:
        assert (reply.status, await reply.text()) == (404, error)
