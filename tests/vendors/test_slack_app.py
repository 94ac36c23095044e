"""A real slack_bolt app at the other side: commands, presses, modals, events; over signed HTTP and over Socket Mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError, web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import AppConfig, SlackPeople, create_slack_vendor
from tests.vendors.slack_support import ANA, GENERAL, RAJ, TEAM, TOKEN, Slack, config, slack

SIGNING_SECRET = "a-signing-secret"
APP_TOKEN = "xapp-1-tests"


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


BLOCKS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Lapsed*"}},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "mine", "value": "7", "text": plain("I'm on it")},
            {"type": "button", "action_id": "open", "url": "https://bot.example/r/1", "text": plain("Reconnect")},
            {
                "type": "overflow",
                "action_id": "more",
                "options": [{"text": plain("Snooze"), "value": "snooze"}, {"text": plain("Not mine"), "value": "no"}],
            },
        ],
    },
]
MODAL = {
    "type": "modal",
    "title": plain("Subscribe"),
    "submit": plain("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "n",
            "label": plain("N"),
            "element": {"type": "plain_text_input", "action_id": "t"},
        }
    ],
}


@dataclass
class Bot:
    """A small Bolt app, and what it saw."""

    app: AsyncApp
    seen: list[dict[str, Any]] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Tools:
    """What Bolt hands to a listener."""

    ack: AsyncAck
    respond: AsyncRespond
    client: AsyncWebClient


async def answer(bot: Bot, body: dict[str, Any], tools: Tools) -> None:
    """What each word after /lapsed does."""
    match body["text"]:
        case "slow":
            await bot.hold.wait()
        case "plain":
            await tools.ack("the answer")
        case "public":
            await tools.ack(text="for all", response_type="in_channel")
        case "bad":
            await tools.ack(text="x", blocks=[{"type": "carousel_of_doom"}])
        case "form":
            await tools.ack()
            await tools.client.views_open(trigger_id=body["trigger_id"], view=MODAL)
            await error_of(tools.client.views_open(trigger_id=body["trigger_id"], view=MODAL))
        case "six":
            await tools.ack()
            for number in range(6):
                await tools.respond(str(number))
        case _:
            await tools.ack()
            await tools.respond(text="list", blocks=BLOCKS)


def build(api_url: str) -> Bot:
    """The app: what each command word does is below."""
    client = AsyncWebClient(token=TOKEN, base_url=api_url, retry_handlers=[])
    app = AsyncApp(signing_secret=SIGNING_SECRET, client=client, token=TOKEN, request_verification_enabled=True)
    bot = Bot(app)

    @app.command("/lapsed")
    async def command(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        bot.seen.append(body)
        await answer(bot, body, Tools(ack, respond, client))

    @app.action("mine")
    async def mine(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        bot.seen.append(body)
        await respond(text="You are on it", replace_original=True)

    @app.action("open")
    async def opened(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        bot.seen.append(body)

    @app.action("more")
    async def more(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        bot.seen.append(body)

    @app.view("")
    async def on_submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        bot.seen.append(body)
        value = body["view"]["state"]["values"]["n"]["t"]["value"]
        await (ack(response_action="errors", errors={"n": "say more"}) if value == "?" else ack())

    @app.event("app_home_opened")
    async def home(body: dict[str, Any], client: AsyncWebClient) -> None:
        bot.seen.append(body)
        view = {"type": "home", "blocks": [{"type": "header", "text": plain("Needs Connecting")}]}
        await client.views_publish(user_id=body["event"]["user"], view=view)

    @app.event("user_change")
    async def changed(body: dict[str, Any]) -> None:
        bot.seen.append(body)

    return bot


async def error_of(call: Any) -> str:
    try:
        await call
    except SlackApiError as problem:
        return str(problem.response["error"])
    return ""


@asynccontextmanager
async def running(*, socket_mode: bool) -> AsyncIterator[tuple[Slack, Bot]]:
    app_config = AppConfig(
        signing_secret=SIGNING_SECRET, app_token=APP_TOKEN, socket_mode=socket_mode, commands=("/lapsed", "/reconnect")
    )
    async with slack(config(app=app_config)) as here:
        bot = build(here.vendor.api_url)
        if socket_mode:
            client = AsyncWebClient(token=APP_TOKEN, base_url=here.vendor.api_url)
            handler = AsyncSocketModeHandler(bot.app, APP_TOKEN, web_client=client)
            await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt does not type it
            await here.people.wait_for_change("socket", connections=1)
            try:
                yield here, bot
            finally:
                bot.hold.set()
                await handler.close_async()  # type: ignore[no-untyped-call]  # as above
            return
        runner = web.AppRunner(bot.app.web_app("/slack/events"), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await here.people.post("app", request_url=f"http://127.0.0.1:{site.port}/slack/events")
        try:
            yield here, bot
        finally:
            bot.hold.set()
            await runner.cleanup()


@pytest.fixture(params=[False, True], ids=["http", "socket"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Slack, Bot]]:
    async with running(socket_mode=request.param) as both:
        yield both


async def test_a_commands_answer_is_private_and_can_be_pressed(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    assert await here.people.says(TEAM, GENERAL, ANA, "/lapsed list <@U0RAJ> & @raj #general") == {"error": None}
    [answer] = await here.people.wait_until(TEAM, GENERAL, ANA, lambda seen: len(seen) == 1)
    assert (answer.ephemeral, answer.text) == (True, "list")
    assert await here.people.history(TEAM, GENERAL, RAJ) == []
    assert bot.seen[0]["text"] == "list &lt;@U0RAJ&gt; &amp; <@U0RAJ> <#C0GENERAL|general>"
    assert (bot.seen[0]["user_id"], bot.seen[0]["api_app_id"]) == (ANA, "A0LAPSEBOT")

    assert await here.people.press(TEAM, GENERAL, ANA, answer, "I'm on it") == {"error": None, "open_url": None}
    await here.people.wait_until(TEAM, GENERAL, ANA, lambda seen: seen[0].text == "You are on it")
    payload = bot.seen[1]
    assert payload["actions"][0]["value"] == "7"
    assert payload["container"] == {
        "type": "message",
        "message_ts": answer.ts,
        "channel_id": GENERAL,
        "is_ephemeral": True,
    }
    assert "message" not in payload


async def test_link_buttons_and_overflow_menus_are_sent_to_the_app(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    await here.client.chat_postMessage(channel=ANA, text="x", blocks=BLOCKS)
    [message] = await here.people.history(TEAM, "dm", ANA)
    pressed = await here.people.press(TEAM, "dm", ANA, message, "Reconnect")
    assert pressed == {"error": None, "open_url": "https://bot.example/r/1"}
    await here.people.press(TEAM, "dm", ANA, message, "Not mine")
    assert bot.seen[0]["message"]["ts"] == message.ts
    assert bot.seen[1]["actions"][0]["selected_option"]["value"] == "no"


async def test_an_ack_may_answer_in_private_or_in_public(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    await here.people.says(TEAM, GENERAL, ANA, "/lapsed plain")
    await here.people.says(TEAM, GENERAL, ANA, "/lapsed public")
    assert [m.text for m in await here.people.history(TEAM, GENERAL, RAJ)] == ["/lapsed public", "for all"]
    assert (await here.people.history(TEAM, GENERAL, ANA))[0].text == "the answer"


async def test_an_app_that_is_too_slow_gives_an_operation_timeout(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    assert await here.people.says(TEAM, GENERAL, ANA, "/lapsed slow") == {"error": "operation_timeout"}
    [note] = await here.people.history(TEAM, GENERAL, ANA)
    assert (note.author, note.text) == ("Slackbot", '/lapsed failed with the error "operation_timeout"')


async def test_an_answer_with_bad_blocks_fails_visibly(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    assert await here.people.says(TEAM, GENERAL, ANA, "/lapsed bad") == {"error": "invalid_command_response"}
    assert [each["error"] for each in await here.people.log("problems")] == ["invalid_blocks"]


async def test_a_response_url_works_five_times(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    await here.people.says(TEAM, GENERAL, ANA, "/lapsed six")
    await here.people.wait_for_change("call", method="response_url", ok=False)
    assert [m.text for m in await here.people.history(TEAM, GENERAL, ANA)] == ["0", "1", "2", "3", "4"]


async def test_a_trigger_opens_one_modal_and_the_submission_is_checked(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    await here.people.says(TEAM, GENERAL, ANA, "/lapsed form")
    await here.people.wait_for_change("call", method="views.open", error="exchanged_trigger_id")
    view = (await here.people.get("view", team=TEAM, user=ANA))["view"]

    async def submit(text: str) -> dict[str, Any]:
        filled = {"n": {"t": text}}
        return await here.people.post("submit", team=TEAM, user=ANA, view_id=view["id"], values=filled)

    assert await submit("") == {"error": None, "errors": {"n": "Please complete this required field."}}
    assert await submit("?") == {"error": None, "errors": {"n": "say more"}}
    assert await submit("all of it") == {"error": None, "errors": {}}
    assert (await here.people.get("view", team=TEAM, user=ANA))["view"] is None


async def test_opening_app_home_tells_the_app_which_publishes_it(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    await here.people.post("home", team=TEAM, user=ANA)
    await here.people.wait_for_change("view", user=ANA)
    assert "Needs Connecting" in (await here.people.get("home", team=TEAM, user=ANA))["html"]
    assert bot.seen[0]["event"]["tab"] == "home"


async def test_a_command_that_is_not_registered_never_reaches_the_app(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    assert await here.people.says(TEAM, GENERAL, ANA, "/laspd") == {"error": "invalid_command"}
    assert bot.seen == []


async def test_a_command_without_a_listener_fails_with_dispatch_failed_over_http() -> None:
    async with running(socket_mode=False) as (here, _):
        assert await here.people.says(TEAM, GENERAL, ANA, "/reconnect") == {"error": "dispatch_failed"}


async def test_a_persons_change_is_told_and_the_same_event_can_come_twice(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    await here.people.post("users", team=TEAM, id=RAJ, deleted=True)
    first = await here.people.wait_for_change("event", event="user_change", error=None)
    again = {"type": "user_change", "user": {"id": RAJ}}
    await here.people.post("event", team=TEAM, event=again, event_id=first["event_id"])
    await here.people.wait_for_change("event", after=first["revision"], event_id=first["event_id"], error=None)
    assert [each["event_id"] for each in bot.seen] == [first["event_id"]] * 2


async def test_events_that_fail_are_sent_three_times_more_with_their_headers() -> None:
    got: list[tuple[str | None, str | None]] = []

    async def broken(request: web.Request) -> web.Response:
        got.append((request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/", broken)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with slack(config(app=AppConfig(request_url=f"http://127.0.0.1:{site.port}/"))) as here:
        await here.people.post("uninstall", team=TEAM, order=["app_uninstalled"])
        await here.people.wait_for_change("event", event="app_uninstalled", attempt=3)
    await runner.cleanup()
    assert got == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_the_signature_is_slacks_and_forged_ones_can_be_sent() -> None:
    async with running(socket_mode=False) as (here, bot):
        assert await here.people.post("url-verification") == {"verified": True}
        body = "command=%2Flapsed&text=plain"
        for wrong in ({"signature": "v0=" + "0" * 64}, {"timestamp": "1"}, {"signature": ""}):
            answer = await here.people.post("forge", kind="command", body=body, **wrong)
            assert answer["body"]["status"] == 401, wrong
        assert bot.seen == []


async def test_socket_mode_without_a_socket_fails_and_a_refresh_brings_a_new_one() -> None:
    async with running(socket_mode=True) as (here, _):
        revision = (await here.people.get("state"))["revision"]
        await here.people.post("socket/disconnect", reason="refresh_requested")
        await here.people.wait_for_change("socket", after=revision, connections=0)
        await here.people.wait_for_change("socket", after=revision, connections=1)
        assert await here.people.says(TEAM, GENERAL, ANA, "/lapsed plain") == {"error": None}
    async with slack(config(app=AppConfig(socket_mode=True))) as here:
        assert await here.people.says(TEAM, GENERAL, ANA, "/lapsed") == {"error": "dispatch_failed"}


async def test_a_response_url_and_a_trigger_end_by_the_clock() -> None:
    async with running(socket_mode=False) as (here, bot):
        await here.people.says(TEAM, GENERAL, ANA, "/lapsed plain")
        await here.people.post("clock", advance=4)
        expired = here.client.views_open(trigger_id=bot.seen[0]["trigger_id"], view=MODAL)
        assert await error_of(expired) == "expired_trigger_id"
        await here.people.post("clock", advance=1800)
        async with here.session.post(bot.seen[0]["response_url"], json={"text": "late"}) as reply:
            assert (reply.status, (await reply.json())["error"]) == (404, "expired_url")


async def test_changes_are_streamed_as_server_sent_events() -> None:
    async with slack(config()) as here:
        url = here.vendor.base_url + "/_play/changes"
        async with here.session.get(url, headers={"Accept": "text/event-stream"}) as stream:
            await here.client.chat_postMessage(channel=GENERAL, text="x")
            lines = [await stream.content.readline() for _ in range(2)]
        assert lines[0] == b"id: 1\n"
        assert b'"kind": "message"' in lines[1]


async def test_a_control_call_from_a_foreign_form_is_refused() -> None:
    async with slack(config()) as here:
        url = here.vendor.base_url + "/_play/sign-in"
        async with here.session.post(url, data={"team": TEAM, "user": ANA}) as reply:
            assert reply.status == 415


async def test_it_works_under_a_prefix_beside_other_applications() -> None:
    vendor = create_slack_vendor(config(app=AppConfig(socket_mode=True, app_token=APP_TOKEN)))
    root = web.Application()
    root.add_subapp("/vendors/slack/", vendor.app)
    runner = web.AppRunner(root, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.set_base_url(f"http://127.0.0.1:{site.port}/vendors/slack/")
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        people = SlackPeople(session, vendor.base_url)
        await people.sign_in(TEAM, ANA, browser=True)
        assert (await people.get("state"))["signed_in"] == {"team": TEAM, "user": ANA}
        client = AsyncWebClient(token=TOKEN, base_url=vendor.api_url, session=session)
        await client.chat_postMessage(channel=ANA, text="x")
        opened = await client.apps_connections_open(app_token=APP_TOKEN)
        async with session.ws_connect(opened["url"]) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(opened["url"])
    await runner.cleanup()
