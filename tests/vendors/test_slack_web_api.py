"""The stand-in's Web API, driven by the real slack_sdk, is as strict as Slack."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import LimitConfig
from tests.vendors.slack_support import (
    ANA,
    GENERAL,
    GONE,
    OLD,
    OTHER,
    QUIET,
    RAJ,
    ROBOT,
    SECRET,
    TEAM,
    TOKEN,
    ZOE,
    Slack,
    config,
    slack,
)


@pytest.fixture
async def here() -> AsyncIterator[Slack]:
    async with slack(config()) as running:
        yield running


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_post_is_seen_by_the_channels_members_and_by_nobody_else(here: Slack) -> None:
    await here.client.chat_postMessage(channel=SECRET, text="for Raj")
    assert [m.text for m in await here.people.history(TEAM, SECRET, RAJ)] == ["for Raj"]
    with pytest.raises(Exception, match="channel_not_found"):
        await here.people.history(TEAM, SECRET, ANA)


async def test_a_user_id_as_channel_becomes_that_persons_direct_messages(here: Slack) -> None:
    posted = await here.client.chat_postMessage(channel=ANA, text="hello")
    opened = await here.client.conversations_open(users=ANA)
    assert posted["channel"] == opened["channel"]["id"] == "D0ANA"
    assert [m.text for m in await here.people.history(TEAM, "dm", ANA)] == ["hello"]
    assert await here.people.history(TEAM, "dm", RAJ) == []


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        ("general", "channel_not_found"),
        (OLD, "is_archived"),
        (QUIET, "not_in_channel"),
        (GONE, "channel_not_found"),
        (ROBOT, "cannot_dm_bot"),
        (ZOE, "channel_not_found"),
    ],
)
async def test_a_post_to_a_place_that_does_not_take_it_names_why(here: Slack, channel: str, error: str) -> None:
    assert await refused(here.client.chat_postMessage(channel=channel, text="x")) == error


async def test_a_post_without_content_or_as_somebody_else_is_refused(here: Slack) -> None:
    nothing = here.client.api_call("chat.postMessage", json={"channel": GENERAL, "text": ""})
    assert await refused(nothing) == "no_text"
    assert await refused(here.client.chat_postMessage(channel=GENERAL, text="x", username="Root")) == "missing_scope"
    blocks = [{"type": "divider"}]
    both = here.client.api_call("chat.postMessage", json={"channel": GENERAL, "markdown_text": "x", "blocks": blocks})
    assert await refused(both) == "markdown_text_conflict"


async def test_an_update_shows_in_place_and_an_empty_list_takes_blocks_away(here: Slack) -> None:
    posted = await here.client.chat_postMessage(channel=GENERAL, text="red", blocks=[{"type": "divider"}])
    await here.client.chat_update(channel=GENERAL, ts=posted["ts"], text="green")
    [seen] = await here.people.history(TEAM, GENERAL, ANA)
    assert (seen.text, seen.edited, len(seen.raw["blocks"])) == ("green", True, 1)
    await here.client.chat_update(channel=GENERAL, ts=posted["ts"], text="bare", blocks=[])
    [seen] = await here.people.history(TEAM, GENERAL, ANA)
    assert seen.raw["blocks"] == []


async def test_only_own_messages_can_be_changed_and_gone_ones_are_not_found(here: Slack) -> None:
    typed = await here.people.says(TEAM, GENERAL, ANA, "mine")
    assert await refused(here.client.chat_update(channel=GENERAL, ts=typed["ts"], text="x")) == "cant_update_message"
    posted = await here.client.chat_postMessage(channel=GENERAL, text="x")
    await here.client.chat_delete(channel=GENERAL, ts=posted["ts"])
    assert await refused(here.client.chat_update(channel=GENERAL, ts=posted["ts"], text="x")) == "message_not_found"
    assert await refused(here.client.chat_update(channel=GENERAL, ts="1.2", text="y" * 4001)) == "message_not_found"


async def test_an_ephemeral_message_is_seen_by_its_reader_alone(here: Slack) -> None:
    await here.client.chat_postEphemeral(channel=GENERAL, user=ANA, text="psst")
    assert [m.ephemeral for m in await here.people.history(TEAM, GENERAL, ANA)] == [True]
    assert await here.people.history(TEAM, GENERAL, RAJ) == []
    assert await refused(here.client.chat_postEphemeral(channel=SECRET, user=ANA, text="x")) == "user_not_in_channel"


async def test_people_and_channels_are_described_as_slack_does(here: Slack) -> None:
    me = await here.client.auth_test()
    assert (me["team_id"], me["user_id"]) == (TEAM, "U0BOT")
    assert set(me.headers["x-oauth-scopes"].split(",")) >= {"chat:write", "users:read.email"}
    found = await here.client.users_lookupByEmail(email="ANA@agency.example")
    assert found["user"]["id"] == ANA
    assert found["user"]["tz"] == "Europe/Berlin"
    assert await refused(here.client.users_lookupByEmail(email="gone@agency.example")) == "users_not_found"
    assert (await here.client.users_info(user=GONE))["user"]["deleted"] is True
    info = await here.client.conversations_info(channel=SECRET)
    assert info["channel"]["is_private"] is True
    first = await here.client.conversations_members(channel=GENERAL, limit=2)
    rest = await here.client.conversations_members(
        channel=GENERAL, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert first["members"] + rest["members"] == [ANA, RAJ, "U0BOT"]
    assert await refused(here.client.conversations_open(users=GONE)) == "user_disabled"


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({}, {"data": {"channel": GENERAL, "text": "x"}}, "not_authed"),
        ({"Authorization": "Bearer xoxb-wrong"}, {"data": {"text": "x"}}, "invalid_auth"),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            {"data": b"x", "headers": {"Content-Type": "text/xml"}},
            "invalid_post_type",
        ),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            {"data": b"{", "headers": {"Content-Type": "application/json"}},
            "invalid_json",
        ),
        ({"Authorization": f"Bearer {TOKEN}"}, {"json": []}, "json_not_object"),
        ({"Authorization": "Bearer xapp-1-stand-in"}, {"json": {}}, "not_allowed_token_type"),
    ],
)
async def test_a_call_that_is_wrongly_made_is_refused(
    here: Slack, headers: dict[str, str], body: dict[str, object], error: str
) -> None:
    extra = body.pop("headers", {})
    url = here.vendor.api_url + "chat.postMessage"
    async with here.session.post(url, headers={**headers, **extra}, **body) as reply:  # type: ignore[dict-item, arg-type]  # bodies as aiohttp names them
        assert (await reply.json())["error"] == error


async def test_a_token_in_the_address_is_not_a_token(here: Slack) -> None:
    async with here.session.get(here.vendor.api_url + "auth.test", params={"token": TOKEN}) as reply:
        assert (await reply.json())["error"] == "not_authed"


async def test_forms_carry_blocks_as_json(here: Slack) -> None:
    form = {"token": TOKEN, "channel": GENERAL, "text": "x", "blocks": '[{"type":"divider"}]'}
    async with here.session.post(here.vendor.api_url + "chat.postMessage", data=form) as reply:
        assert (await reply.json())["ok"] is True


async def test_tokens_belong_to_one_workspace_and_end_with_it(here: Slack) -> None:
    assert await refused(AsyncWebClient(token="xoxb-x", base_url=here.vendor.api_url).auth_test()) == "invalid_auth"
    await here.people.post("revoke", team=TEAM)
    assert await refused(here.client.chat_postMessage(channel=GENERAL, text="x")) == "token_revoked"
    await here.people.post("uninstall", team=TEAM)
    assert await refused(here.client.auth_test()) == "account_inactive"


async def test_the_sixth_message_in_a_second_is_refused_and_pauses_the_method_for_that_workspace() -> None:
    async with slack(config(limits=LimitConfig(channel_burst=5))) as here:
        for number in range(5):
            await here.client.chat_postMessage(channel=GENERAL, text=str(number))
        with pytest.raises(SlackApiError) as caught:
            await here.client.chat_postMessage(channel=GENERAL, text="too many")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        assert await refused(here.client.chat_postMessage(channel=ANA, text="elsewhere")) == "ratelimited"
        await here.client.chat_postEphemeral(channel=GENERAL, user=ANA, text="another method")
        await here.people.post("clock", advance=1)
        await here.client.chat_postMessage(channel=GENERAL, text="after the pause")


async def test_a_direct_message_has_one_bucket_by_either_of_its_names() -> None:
    async with slack(config(limits=LimitConfig(channel_burst=1))) as here:
        await here.client.chat_postMessage(channel=ANA, text="1")
        assert await refused(here.client.chat_postMessage(channel="D0ANA", text="2")) == "ratelimited"


async def test_a_lost_reply_took_effect_and_only_the_accepted_log_knows(here: Slack) -> None:
    await here.people.fail("chat.postMessage", "drop")
    with pytest.raises(aiohttp.ClientError):
        await here.client.chat_postMessage(channel=GENERAL, text="once")
    assert [m.text for m in await here.people.history(TEAM, GENERAL, ANA)] == ["once"]
    assert [each["args"]["text"] for each in await here.people.accepted("chat.postMessage")] == ["once"]
    assert [each["fault"] for each in await here.people.log("replies")] == ["drop"]


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        ({"kind": "error", "error": "fatal_error"}, 0),
        ({"kind": "error", "error": "fatal_error", "processed": True}, 1),
        ({"kind": "rate_limit", "retry_after": "30"}, 0),
        ({"kind": "http", "status": 503}, 0),
        ({"kind": "truncate"}, 1),
        ({"kind": "empty"}, 1),
        ({"kind": "drop", "processed": False}, 0),
    ],
)
async def test_faults_on_command_fail_the_next_call_and_no_other(
    here: Slack, fault: dict[str, object], effect: int
) -> None:
    await here.people.post("faults", method="chat.postMessage", **fault)
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await here.client.chat_postMessage(channel=GENERAL, text="x")
    assert len(await here.people.history(TEAM, GENERAL, ANA)) == effect
    await here.client.chat_postMessage(channel=GENERAL, text="y")


async def test_a_call_that_hangs_is_answered_when_released(here: Slack) -> None:
    await here.people.fail("chat.postMessage", "hang")
    async with asyncio.TaskGroup() as group:
        call = group.create_task(here.client.chat_postMessage(channel=GENERAL, text="x"))
        await here.people.wait_until(TEAM, GENERAL, ANA, lambda seen: len(seen) == 1)
        assert not call.done()
        await here.people.post("faults/release")


async def test_a_workspace_without_the_app_has_nobody_to_call_it(here: Slack) -> None:
    state = await here.people.get("state")
    assert {each["team"]: each["installed"] for each in state["workspaces"]} == {TEAM: True, OTHER: False}


async def test_app_home_and_its_race_guard(here: Slack) -> None:
    view = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*hi*"}}]}
    first = await here.client.views_publish(user_id=ANA, view=view)
    await here.client.views_publish(user_id=ANA, view=view, hash=first["view"]["hash"])
    assert (
        await refused(here.client.views_publish(user_id=ANA, view=view, hash=first["view"]["hash"])) == "hash_conflict"
    )
    shown = await here.people.get("home", team=TEAM, user=ANA)
    assert "<b>hi</b>" in shown["html"]
    assert await refused(here.client.views_open(trigger_id="1.2.3", view=view)) == "invalid_arguments"
