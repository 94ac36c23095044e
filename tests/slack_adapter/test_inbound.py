"""Commands, presses and events, over signed HTTP and over Socket Mode, through the real Bolt."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from bot.playground.vendors.slack import SlackConfig
from commands.messages import ActionRef, Button, Buttons, LinkButton, Message, say, text
from commands.ports.chat import Address, AddressKind, CommandRequest, Words
from platform_adapters.chat.slack.payloads import unescaped
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, CHANNEL, RAJ, TEAM, Loopback, config, running
from tests.slack_adapter.test_delivering import delivery, to


@pytest.fixture
def inbound() -> Recorder:
    return Recorder()


@pytest.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest, inbound: Recorder) -> AsyncIterator[Loopback]:
    async with running(inbound, socket_mode=request.param == "socket") as loopback:
        if request.param == "socket":
            await loopback.people.wait_for_change("socket", connections=1)
        yield loopback


async def answered(slack: Loopback, where: str, number: int = 1) -> list[str]:
    seen = await slack.people.wait_until(TEAM, where, ANA, lambda found: len(found) >= number)
    return [each.rendered for each in seen]


@pytest.mark.behaviour("C-9")
async def test_words_arrive_as_they_were_typed_with_ids_for_people_and_channels(
    slack: Loopback, inbound: Recorder
) -> None:
    typed = 'who @raj #ads "Käse & Co" <!channel> <b> --all \u202e👍🏽'
    await slack.people.says(TEAM, CHANNEL, ANA, f"/lapsed {typed}")
    await answered(slack, CHANNEL)
    (request,) = inbound.commands
    words = typed.replace("@raj", f"@{RAJ}").replace("#ads", f"#{CHANNEL}")
    assert request.arguments == Words(text=words)
    assert (request.user.tenant, request.user.external_id, request.user.name) == (TEAM, ANA, "ana")
    assert (request.place.workspace, request.place.channel, request.place.is_direct) == (TEAM, CHANNEL, False)
    assert request.place.is_shared is False


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("<@U1|ana> <@W2>", "@U1 @W2"),
        ("<#C1|ads> <#C2|>", "#C1 #C2"),
        ("<https://a.example/x|a.example>", "https://a.example/x"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!here|here> <!subteam^S1|@ops>", "@here @ops"),
        ("&lt;@U1&gt; &amp;lt; &copy;", "<@U1> &lt; &copy;"),
        ("", ""),
    ],
)
def test_slacks_brackets_are_taken_off(sent: str, typed: str) -> None:
    assert unescaped(sent) == typed


async def test_every_command_that_slack_sends_goes_to_the_one_who_knows_them(
    slack: Loopback, inbound: Recorder
) -> None:
    await slack.people.says(TEAM, "dm", ANA, "/something-else")
    await answered(slack, "dm")
    assert [request.name for request in inbound.commands] == ["something-else"]


async def test_a_slow_answer_is_acknowledged_at_once_and_follows(inbound: Recorder) -> None:
    ready = asyncio.Event()

    class Slow(Recorder):
        async def command(self, request: CommandRequest) -> Message:
            await ready.wait()
            return await Recorder.command(self, request)

    async with running(Slow()) as slack:
        acknowledged = await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        assert acknowledged["error"] is None
        assert await slack.people.history(TEAM, CHANNEL, ANA) == []
        ready.set()
        assert await answered(slack, CHANNEL) == ["Here you are."]


async def test_leaving_waits_for_the_answers_that_were_begun() -> None:
    ready = asyncio.Event()

    class Slow(Recorder):
        async def command(self, request: CommandRequest) -> Message:
            ready.set()
            await asyncio.sleep(0)
            return await Recorder.command(self, request)

    inbound = Slow()
    async with running(inbound) as slack:
        people = slack.people
        async with slack.platform.running(inbound):
            await people.says(TEAM, CHANNEL, ANA, "/lapsed")
            await ready.wait()
        assert [each.rendered for each in await people.history(TEAM, CHANNEL, ANA)] == ["Here you are."]


async def test_an_answer_that_goes_wrong_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Recorder):
        async def command(self, request: CommandRequest) -> Message:
            if not self.commands:
                await Recorder.command(self, request)
                raise ZeroDivisionError
            return await Recorder.command(self, request)

    async with running(Broken()) as slack:
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        assert await answered(slack, CHANNEL) == ["Here you are."]
    assert "an answer in Slack failed" in caplog.text


@pytest.mark.parametrize("fault", ["http", "error"])
async def test_an_answer_whose_address_does_not_work_comes_as_a_message_that_only_the_asker_sees(
    slack: Loopback, fault: str
) -> None:
    await slack.people.fail("response_url", fault, status=404)
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    assert await answered(slack, CHANNEL) == ["Here you are."]
    assert len(await slack.people.accepted("chat.postEphemeral")) == 1
    assert await slack.people.history(TEAM, CHANNEL, RAJ) == []


async def test_an_answer_that_cannot_be_shown_at_all_is_logged_without_its_address(
    slack: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    await slack.people.fail("response_url", "http", status=500)
    await slack.people.fail("chat.postEphemeral", "error", error="user_not_in_channel")
    await slack.people.fail("chat.postMessage", "error", error="messages_tab_disabled")
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    await slack.people.wait_for_change("call", method="chat.postMessage")
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    await answered(slack, CHANNEL)
    assert "could not be shown to its asker: messages_tab_disabled" in caplog.text
    assert "/commands/" not in caplog.text


async def test_the_same_request_twice_is_carried_out_once(inbound: Recorder) -> None:
    async with running(inbound) as slack:
        body = (
            f"command=%2Flapsed&text=&team_id={TEAM}&user_id={ANA}&channel_id={CHANNEL}"
            f"&channel_name=ads&trigger_id=1.2.abc&api_app_id=A0LAPSEBOT&response_url="
        )
        for _ in range(3):
            outcome = await slack.people.post("forge", kind="command", body=body)
            assert outcome["error"] is None
        await answered(slack, CHANNEL)
        assert [each.key for each in inbound.commands] == ["1.2.abc"]


async def test_every_press_bears_what_tells_it_from_every_other(slack: Loopback, inbound: Recorder) -> None:
    await slack.platform.post(to(), Message((Buttons((Button("Details", ActionRef("details", ("1",))),)),)), delivery())
    (seen,) = await slack.people.history(TEAM, CHANNEL, ANA)
    for _ in range(2):
        await slack.people.press(TEAM, CHANNEL, ANA, seen, "Details")
    await answered(slack, CHANNEL, 3)
    first, second = (request.key for request in inbound.actions)
    assert "" not in (first, second)
    assert first != second


async def test_an_answer_never_goes_to_an_address_that_is_not_slacks(
    inbound: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(inbound) as slack:
        for number, url in enumerate(("https://evil.example/x", "http://hooks.slack.com/x", "//x", "https://[")):
            body = (
                f"command=%2Flapsed&team_id={TEAM}&user_id={ANA}&channel_id={CHANNEL}&trigger_id={number}"
                f"&api_app_id=A0LAPSEBOT&response_url={url}"
            )
            await slack.people.post("forge", kind="command", body=body)
        assert await answered(slack, CHANNEL, 4) == ["Here you are."] * 4
        assert len(await slack.people.accepted("chat.postEphemeral")) == 4
    assert "evil" not in caplog.text


async def test_an_event_that_nobody_asked_for_is_acknowledged_once_and_for_all(slack: Loopback) -> None:
    answer = await slack.people.post("event", team=TEAM, event={"type": "team_join"})
    change = await slack.people.wait_for_change("event", event_id=answer["event_id"])
    assert (change["error"], change["attempt"]) == (None, 0)


async def test_the_address_proves_itself_to_slack() -> None:
    async with running(Recorder()) as slack:
        assert (await slack.people.post("url-verification"))["verified"] is True


async def test_a_link_button_is_acknowledged_and_nothing_is_done(slack: Loopback, inbound: Recorder) -> None:
    message = Message((Buttons((LinkButton("Open", "https://lapsebot.example/r/x"),)),))
    await slack.platform.post(to(), message, delivery())
    (seen,) = await slack.people.history(TEAM, CHANNEL, ANA)
    pressed = await slack.people.press(TEAM, CHANNEL, ANA, seen, "Open")
    assert pressed == {"error": None, "open_url": "https://lapsebot.example/r/x"}
    assert inbound.actions == []


async def test_a_press_in_direct_messages_says_so(slack: Loopback, inbound: Recorder) -> None:
    message = Message((text("Lapsed"), Buttons((Button("Details", ActionRef("details", ("1",))),))))
    direct = Address(platform="slack", tenant=TEAM, kind=AddressKind.DIRECT, external_id=ANA)
    await slack.platform.post(direct, message, delivery())
    (seen,) = await slack.people.history(TEAM, "dm", ANA)
    await slack.people.press(TEAM, "dm", ANA, seen, "Details")
    await answered(slack, "dm", 2)
    (request,) = inbound.actions
    assert request.place.is_direct
    assert (request.token, request.user.tenant) == ("details:1", TEAM)


async def test_somebody_of_another_company_is_of_their_own_tenant_and_the_place_is_shared(inbound: Recorder) -> None:
    async with running(inbound) as slack:
        await slack.platform.post(to(), say("x"), delivery())  # the bot knows its workspace now
        payload = {
            "type": "block_actions",
            "api_app_id": "A0LAPSEBOT",
            "team": {"id": TEAM, "domain": "agency"},
            "user": {"id": "U0ZOE", "name": "zoe", "team_id": "T0CLIENT"},
            "channel": {"id": CHANNEL, "name": "ads"},
            "container": {"is_ephemeral": False},
            "actions": [{"type": "button", "action_id": "press-0", "block_id": "b", "value": "details:1"}],
        }
        await slack.people.post("forge", kind="interactivity", body=f"payload={quote(json.dumps(payload))}")
        await slack.people.wait_for_change("call", method="chat.postEphemeral")
        (request,) = inbound.actions
        assert (request.user.tenant, request.user.external_id) == ("T0CLIENT", "U0ZOE")
        assert (request.place.workspace, request.place.is_shared) == (TEAM, True)


@pytest.mark.behaviour("C-5")
async def test_a_channel_that_another_company_reads_is_known_as_shared_and_asked_about_once(
    slack: Loopback, inbound: Recorder
) -> None:
    await slack.people.post("channels", team=TEAM, id=CHANNEL, is_ext_shared=True)
    for number in (1, 2):
        await slack.people.says(TEAM, CHANNEL, ANA, "/subscribe-lapses here")
        await answered(slack, CHANNEL, number)
    assert [request.place.is_shared for request in inbound.commands] == [True, True]
    assert len(await slack.people.accepted("conversations.info")) == 1


@pytest.mark.behaviour("C-5")
@pytest.mark.parametrize("fault", ["http", "error", "drop"])
async def test_a_slack_that_does_not_say_who_reads_a_channel_holds_no_answer_up_and_is_asked_again(
    slack: Loopback, inbound: Recorder, fault: str
) -> None:
    await slack.people.fail("conversations.info", fault, error="missing_scope")
    await slack.people.post("channels", team=TEAM, id=CHANNEL, is_ext_shared=True)
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    assert await answered(slack, CHANNEL) == ["Here you are."]
    assert [request.place.is_shared for request in inbound.commands] == [None]
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")  # a failure is not remembered
    await answered(slack, CHANNEL, 2)
    assert [request.place.is_shared for request in inbound.commands] == [None, True]


async def test_a_process_that_takes_nothing_in_opens_no_socket_and_refuses_requests() -> None:
    async with running(None, socket_mode=True) as slack:
        assert (await slack.people.get("state"))["sockets"] == 0
    async with running(None) as slack:
        async with slack.session.post(slack.endpoint, data=b"x") as reply:
            assert reply.status == 503


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_a_socket_that_slack_ends_is_opened_again(reason: str) -> None:
    inbound = Recorder()
    async with running(inbound, socket_mode=True) as slack:
        opened = await slack.people.wait_for_change("socket", connections=1)
        await slack.people.post("socket/disconnect", reason=reason)
        closed = await slack.people.wait_for_change("socket", opened["revision"], connections=0)
        await slack.people.wait_for_change("socket", closed["revision"], connections=1)
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        assert await answered(slack, CHANNEL) == ["Here you are."]


async def test_a_socket_that_cannot_be_opened_yet_is_opened_later() -> None:
    settings: SlackConfig = config()
    settings = replace(settings, app=replace(settings.app, socket_mode=False))
    inbound = Recorder()
    async with running(inbound, socket_mode=True, settings=settings) as slack:  # Slack has it switched off
        await slack.people.fail("apps.connections.open", "http", times=2, status=503)
        first = await slack.people.wait_for_change("call", method="apps.connections.open", ok=True)
        await slack.people.wait_for_change("call", first["revision"], method="apps.connections.open", ok=True)
        await slack.people.post("app", socket_mode=True)
        await slack.people.wait_for_change("socket", connections=1)
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        assert await answered(slack, CHANNEL) == ["Here you are."]
