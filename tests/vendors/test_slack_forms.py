"""Modals and App Home of the stand-in, with a real slack_bolt app at the other side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import AppConfig, SeenView
from tests.vendors.slack_support import ANA, GENERAL, RAJ, TEAM, TOKEN, Slack, config, slack

SIGNING_SECRET = "a-signing-secret"


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def field_of(label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    action = {"action_id": "a", **element}
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": action, **more}


FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "subscribe",
    "private_metadata": "C0GENERAL",
    "title": plain("Subscribe"),
    "submit": plain("Save"),
    "close": plain("Never mind"),
    "notify_on_close": True,
    "blocks": [
        field_of("Note", {"type": "plain_text_input", "max_length": 20}, hint=plain("Twenty characters")),
        field_of("Network", {"type": "static_select", "options": [option("tiktok"), option("meta")]}, optional=True),
        field_of(
            "Clients",
            {
                "type": "multi_static_select",
                "options": [option("acme"), option("brio"), option("cato")],
                "initial_options": [option("acme")],
                "max_selected_items": 2,
            },
            optional=True,
        ),
        field_of("Person", {"type": "users_select"}, optional=True),
        field_of("When", {"type": "checkboxes", "options": [option("lapses"), option("warnings")]}, optional=True),
        {
            "type": "actions",
            "block_id": "more",
            "elements": [{"type": "button", "action_id": "in_form", "value": "x", "text": plain("Help")}],
        },
    ],
}


@dataclass
class Bot:
    """A small Bolt app, what it saw, and what it answers to a submission."""

    app: AsyncApp
    seen: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def build(api_url: str) -> Bot:
    client = AsyncWebClient(token=TOKEN, base_url=api_url, retry_handlers=[])
    app = AsyncApp(signing_secret=SIGNING_SECRET, client=client, token=TOKEN)
    bot = Bot(app)

    async def opens(body: dict[str, Any], client: AsyncWebClient) -> None:
        try:
            await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        except SlackApiError as refused:
            bot.failed.append(str(refused.response["error"]))

    @app.command("/subscribe-lapses")
    async def command(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        bot.seen.append(body)
        await opens(body, client)
        await ack()

    @app.action("open_form")
    async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        bot.seen.append(body)
        await opens(body, client)
        await ack()

    @app.action("in_form")
    async def more(ack: AsyncAck, body: dict[str, Any]) -> None:
        bot.seen.append(body)
        await ack()

    @app.view("subscribe")
    async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
        bot.seen.append(body)
        await ack(**bot.answer)

    @app.view_closed("subscribe")
    async def closed(ack: AsyncAck, body: dict[str, Any]) -> None:
        bot.seen.append(body)
        await ack()

    add_home(app, bot)
    return bot


def add_home(app: AsyncApp, bot: Bot) -> None:
    async def publish(client: AsyncWebClient, user: str, number: int) -> None:
        button = {"type": "button", "action_id": "turn", "value": str(number + 1), "text": plain("Next ›")}
        blocks = [
            {"type": "header", "text": plain(f"Needs Connecting ({number})")},
            {"type": "actions", "elements": [button]},
        ]
        await client.views_publish(user_id=user, view={"type": "home", "private_metadata": "p", "blocks": blocks})

    @app.event("app_home_opened")
    async def home(body: dict[str, Any], client: AsyncWebClient) -> None:
        bot.seen.append(body)
        await publish(client, body["event"]["user"], 1)

    @app.action("turn")
    async def turn(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        bot.seen.append(body)
        await publish(client, body["user"]["id"], int(body["actions"][0]["value"]))


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Slack, Bot]]:
    async with slack(config(app=AppConfig(signing_secret=SIGNING_SECRET))) as here:
        bot = build(here.vendor.api_url)
        runner = web.AppRunner(bot.app.web_app("/slack/events"), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await here.people.post("app", request_url=f"http://127.0.0.1:{site.port}/slack/events")
        try:
            yield here, bot
        finally:
            await runner.cleanup()


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Slack, Bot]]:
    async with running() as both:
        yield both


async def opened(here: Slack) -> SeenView:
    assert await here.people.says(TEAM, GENERAL, ANA, "/subscribe-lapses") == {"error": None}
    return await here.people.wait_for_view(TEAM, ANA)


async def test_a_command_opens_a_form_that_is_drawn_filled_in_and_sent(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    view = await opened(here)
    assert view.title == "Subscribe"
    assert '<form class="s-modal" role="dialog" aria-label="Subscribe"' in view.html
    assert "Twenty characters" in view.html
    assert '<option value="acme" selected>Acme</option>' in view.html
    assert f'<option value="{RAJ}">raj</option>' in view.html
    answer = await here.people.submit(
        TEAM, ANA, view, Note="hello", Network="tiktok", Clients=["brio", "cato"], Person=RAJ, When=["lapses"]
    )
    assert answer == {"error": None, "errors": {}}
    submission = bot.seen[1]
    assert (submission["type"], submission["view"]["private_metadata"]) == ("view_submission", "C0GENERAL")
    values = {block: value["a"] for block, value in submission["view"]["state"]["values"].items()}
    assert values["note"] == {"type": "plain_text_input", "value": "hello"}
    assert values["network"]["selected_option"]["value"] == "tiktok"
    assert [each["value"] for each in values["clients"]["selected_options"]] == ["brio", "cato"]
    assert values["person"]["selected_user"] == RAJ
    assert [each["value"] for each in values["when"]["selected_options"]] == ["lapses"]
    assert await here.people.view(TEAM, ANA) is None


async def test_a_field_that_is_left_alone_keeps_what_it_showed_and_one_that_is_emptied_is_empty(
    pair: tuple[Slack, Bot],
) -> None:
    here, bot = pair
    await here.people.submit(TEAM, ANA, await opened(here), Note="x")
    kept = bot.seen[-1]["view"]["state"]["values"]["clients"]["a"]["selected_options"]
    assert [each["value"] for each in kept] == ["acme"]
    await here.people.submit(TEAM, ANA, await opened(here), Note="x", Clients=[], Network="")
    values = bot.seen[-1]["view"]["state"]["values"]
    assert values["clients"]["a"]["selected_options"] == []
    assert values["network"]["a"]["selected_option"] is None


async def test_a_button_of_a_message_opens_a_form(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    button = {"type": "button", "action_id": "open_form", "value": "v", "text": plain("Verify by hand")}
    await here.client.chat_postMessage(channel=ANA, text="x", blocks=[{"type": "actions", "elements": [button]}])
    [message] = await here.people.history(TEAM, "dm", ANA)
    await here.people.press(TEAM, "dm", ANA, message, "Verify by hand")
    assert (await here.people.wait_for_view(TEAM, ANA)).title == "Subscribe"
    assert bot.failed == []


async def test_what_the_client_checks_itself_never_reaches_the_app(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    view = await opened(here)
    answer = await here.people.submit(TEAM, ANA, view, Note="x" * 21, Clients=["acme", "brio", "cato"])
    assert answer["errors"] == {
        "note": "Please enter 20 characters at most.",
        "clients": "Please choose 2 at most.",
    }
    assert (await here.people.submit(TEAM, ANA, view, Note=""))["errors"] == {
        "note": "Please complete this required field."
    }
    assert [each.get("type") for each in bot.seen] == [None]


async def test_the_apps_errors_stand_beside_their_fields_with_what_was_filled_in(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    view = await opened(here)
    bot.answer = {"response_action": "errors", "errors": {"note": "Say <more>"}}
    answer = await here.people.submit(TEAM, ANA, view, Note="short", Network="meta", When=["warnings"])
    assert answer == {"error": None, "errors": {"note": "Say <more>"}}
    again = await here.people.view(TEAM, ANA)
    assert again is not None
    assert again.errors == {"note": "Say <more>"}
    assert '<p class="s-error" role="alert">Say &lt;more&gt;</p>' in again.html
    assert 'value="short"' in again.html
    assert '<option value="meta" selected>' in again.html
    assert 'value="warnings" checked' in again.html
    bot.answer = {}
    await here.people.submit(TEAM, ANA, again, Note="longer")
    assert await here.people.view(TEAM, ANA) is None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"response_action": "errors", "errors": {"nothing": "x"}}, "invalid_error_block_id"),
        ({"response_action": "errors", "errors": {"more": "x"}}, "invalid_error_block_id"),
        ({"response_action": "errors", "errors": {"note": ""}}, "invalid_error_message"),
    ],
)
async def test_errors_that_fit_no_field_fail_visibly(
    pair: tuple[Slack, Bot], answer: dict[str, Any], problem: str
) -> None:
    here, bot = pair
    view = await opened(here)
    bot.answer = answer
    assert (await here.people.submit(TEAM, ANA, view, Note="x"))["error"] == "invalid_response"
    assert [each["error"] for each in await here.people.log("problems")] == [problem]


async def test_clear_closes_the_whole_stack_and_the_cross_only_the_top(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    first = await opened(here)
    bot.answer = {"response_action": "push", "view": {**FORM, "title": plain("More")}}
    await here.people.submit(TEAM, ANA, first, Note="x")
    second = await here.people.view(TEAM, ANA)
    assert second is not None
    assert second.title == "More"
    await here.people.close(TEAM, ANA, second)
    assert bot.seen[-1]["type"] == "view_closed"
    await here.people.submit(TEAM, ANA, first, Note="x")
    third = await here.people.view(TEAM, ANA)
    assert third is not None
    bot.answer = {"response_action": "clear"}
    await here.people.submit(TEAM, ANA, third, Note="x")
    assert await here.people.view(TEAM, ANA) is None


async def test_a_trigger_is_good_for_one_form_and_three_seconds(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    await opened(here)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await here.client.views_open(trigger_id=bot.seen[0]["trigger_id"], view=FORM)
    await here.people.fail("views.open", "error", error="expired_trigger_id")
    await here.people.says(TEAM, GENERAL, RAJ, "/subscribe-lapses")
    assert bot.failed == ["expired_trigger_id"]
    await here.people.post("clock", advance=4)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await here.client.views_open(trigger_id=bot.seen[1]["trigger_id"], view=FORM)


def changed(**more: Any) -> dict[str, Any]:
    return {**FORM, **more}


@pytest.mark.parametrize(
    "view",
    [
        changed(title=plain("x" * 25)),
        changed(submit=plain("x" * 25)),
        changed(close=plain("x" * 25)),
        changed(private_metadata="x" * 3001),
        changed(callback_id="x" * 256),
        changed(blocks=[{"type": "divider"}] * 101),
        changed(blocks=[]),
        {key: value for key, value in FORM.items() if key != "submit"},
        changed(blocks=[field_of("A", {"type": "static_select", "options": [option("a")] * 101})]),
        changed(blocks=[field_of("A", {"type": "static_select", "options": []})]),
        changed(blocks=[field_of("A", {"type": "static_select", "options": [option("x" * 76)]})]),
        changed(blocks=[field_of("A", {"type": "checkboxes", "options": [option(str(n)) for n in range(11)]})]),
        changed(blocks=[field_of("A", {"type": "plain_text_input", "max_length": 3001})]),
        changed(blocks=[field_of("A", {"type": "plain_text_input", "min_length": 5, "max_length": 4})]),
        changed(blocks=[field_of("A", {"type": "plain_text_input", "initial_value": "long", "max_length": 3})]),
        changed(blocks=[field_of("A", {"type": "plain_text_input", "placeholder": plain("x" * 151)})]),
        changed(
            blocks=[
                field_of("A", {"type": "static_select", "options": [option("a")], "initial_option": option("b")}),
            ]
        ),
        changed(blocks=[field_of("A", {"type": "plain_text_input"}), field_of("A", {"type": "plain_text_input"})]),
        changed(blocks=[field_of("A" * 2001, {"type": "plain_text_input"}, block_id="a")]),
    ],
    ids=range(19),
)
async def test_a_form_beyond_a_limit_is_refused(pair: tuple[Slack, Bot], view: dict[str, Any]) -> None:
    here, _ = pair
    with pytest.raises(SlackApiError, match="invalid_arguments") as refused:
        await here.client.api_call("views.open", json={"trigger_id": "1.2.x", "view": view})
    assert "invalid `trigger_id`" not in str(refused.value.response["response_metadata"])


async def test_app_home_is_published_when_it_is_opened_and_turned_in_place(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    first = await here.people.open_home(TEAM, ANA)
    assert "Needs Connecting (1)" in first.html
    assert "view" not in bot.seen[0]["event"]
    await here.people.press_view(TEAM, ANA, first, "Next ›")
    second = await here.people.wait_for_view(TEAM, ANA, home=True, unlike=first)
    assert "Needs Connecting (2)" in second.html
    press = bot.seen[1]
    assert press["container"] == {"type": "view", "view_id": first.id}
    assert (press["view"]["hash"], press["view"]["type"]) == (first.raw["hash"], "home")
    assert "response_url" not in press
    assert second.id == first.id
    await here.people.post("home", team=TEAM, user=ANA)
    await here.people.wait_for_view(TEAM, ANA, home=True, unlike=second)
    assert bot.seen[2]["event"]["view"]["hash"] == second.raw["hash"]
    assert await here.people.view(TEAM, RAJ, home=True) is None


async def test_a_home_of_an_older_state_does_not_overwrite_a_newer_one(pair: tuple[Slack, Bot]) -> None:
    here, _ = pair
    first = await here.people.open_home(TEAM, ANA)
    view = {"type": "home", "blocks": [{"type": "divider"}]}
    await here.client.views_publish(user_id=ANA, view=view, hash=first.raw["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await here.client.views_publish(user_id=ANA, view=view, hash=first.raw["hash"])


@pytest.mark.parametrize(
    "more", [{"title": plain("Home")}, {"submit": plain("Save")}, {"blocks": [{"type": "divider"}] * 101}]
)
async def test_a_home_has_no_title_no_button_to_send_it_and_at_most_a_hundred_blocks(
    pair: tuple[Slack, Bot], more: dict[str, Any]
) -> None:
    here, _ = pair
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await here.client.views_publish(user_id=ANA, view={"type": "home", "blocks": [{"type": "divider"}], **more})


async def test_two_people_fill_in_their_own_forms(pair: tuple[Slack, Bot]) -> None:
    here, bot = pair
    await asyncio.gather(*(here.people.says(TEAM, GENERAL, who, "/subscribe-lapses") for who in (ANA, RAJ)))
    ana, raj = await here.people.wait_for_view(TEAM, ANA), await here.people.wait_for_view(TEAM, RAJ)
    assert ana.id != raj.id
    await here.people.submit(TEAM, RAJ, raj, Note="mine")
    assert bot.seen[-1]["user"]["id"] == RAJ
    assert await here.people.view(TEAM, ANA) is not None
