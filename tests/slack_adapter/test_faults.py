"""Bad input and faults, each by its row of the table of faults that the bot must survive (rows 10 to 25, 35)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from bot.playground.vendors.slack import SlackConfig
from commands.apologies import form_not_opened
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Form,
    Heading,
    LinkButton,
    Mark,
    Message,
    Row,
    Rows,
    TextField,
    line,
    say,
    text,
)
from commands.ports.chat import Acknowledgement, AddressKind, CommandRequest
from platform_adapters.chat.slack.forms import Origin
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, ARCHIVED, CHANNEL, GUEST, RAJ, TEAM, Loopback, config, running
from tests.slack_adapter.test_delivering import delivery, to

DETAILS = ActionRef("details", ("1",))


NOTE = ActionRef("note", ("1",))


FORM = Form(title="Note", action=NOTE, fields=(TextField(name="note", label="Note"),))


@pytest.fixture
def inbound() -> Recorder:
    return Recorder(forms={"note": FORM, NOTE.encode(): FORM}, acknowledgements={NOTE.encode(): Acknowledgement.FORM})


@pytest.fixture
async def slack(inbound: Recorder) -> AsyncIterator[Loopback]:
    async with running(inbound) as loopback:
        yield loopback


def command(**changes: str) -> str:
    """The body of a slash command."""
    fields = {
        "command": "/lapsed",
        "text": "",
        "team_id": TEAM,
        "team_domain": "agency",
        "user_id": ANA,
        "user_name": "ana",
        "channel_id": CHANNEL,
        "channel_name": "ads",
        "trigger_id": "1.2.abc",
        "api_app_id": "A0LAPSEBOT",
        "response_url": "",
    }
    return urlencode({**fields, **changes})


def press(**changes: object) -> str:
    """The body of a press."""
    payload = {
        "type": "block_actions",
        "api_app_id": "A0LAPSEBOT",
        "team": {"id": TEAM, "domain": "agency"},
        "user": {"id": ANA, "name": "ana", "team_id": TEAM},
        "channel": {"id": CHANNEL, "name": "ads"},
        "container": {"type": "message", "is_ephemeral": False},
        "actions": [{"type": "button", "action_id": "press-0", "block_id": "b", "value": DETAILS.encode()}],
        **changes,
    }
    return f"payload={quote(json.dumps(payload))}"


async def answers(slack: Loopback, number: int = 1, who: str = ANA, where: str = CHANNEL) -> list[str]:
    seen = await slack.people.wait_until(TEAM, where, who, lambda found: len(found) >= number)
    return [each.rendered for each in seen]


async def settled(slack: Loopback) -> None:
    """Whatever was begun before has been answered: a later command is."""
    await slack.people.says(TEAM, "dm", RAJ, "/lapsed")
    await slack.people.wait_until(TEAM, "dm", RAJ, lambda found: len(found) >= 1)


async def test_row_10_another_apps_request_is_refused_though_it_is_signed(slack: Loopback, inbound: Recorder) -> None:
    for kind, body in (("command", command(api_app_id="A0OTHER")), ("interactivity", press(api_app_id="A0OTHER"))):
        outcome = await slack.people.post("forge", kind=kind, body=body)
        assert outcome["body"]["status"] == 403
    assert (inbound.commands, inbound.actions) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": [{"type": "button", "action_id": "of-an-old-version", "block_id": "b", "value": "gone:1:2:3"}]},
        {"actions": [{"type": "static_select", "action_id": "x", "block_id": "b", "selected_option": {"value": "?"}}]},
    ],
)
async def test_row_11_a_button_of_another_version_is_handed_on_and_answered(
    slack: Loopback, inbound: Recorder, changes: dict[str, Any]
) -> None:
    outcome = await slack.people.post("forge", kind="interactivity", body=press(**changes))
    assert outcome["error"] is None
    assert await answers(slack) == ["Here you are."]
    assert len(inbound.actions) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "shortcut", "callback_id": "x"},
        {"type": "message_action", "callback_id": "x"},
        {"type": "view_closed", "view": {"callback_id": "form"}},
        {"type": "view_submission", "view": {"callback_id": "of-somebody-else"}},
        {"type": "view_submission", "view": {"callback_id": "form"}},
        {"type": "view_submission", "view": {"type": "modal", "callback_id": "form", "private_metadata": "{"}},
        {"actions": []},
        {"actions": [{"type": "button", "action_id": "press-0", "block_id": "b"}]},
    ],
    ids=range(8),
)
async def test_row_11_what_nobody_listens_to_is_acknowledged_and_nothing_is_done(
    slack: Loopback, inbound: Recorder, changes: dict[str, Any]
) -> None:
    assert (await slack.people.post("forge", kind="interactivity", body=press(**changes)))["error"] is None
    await settled(slack)
    assert (inbound.actions, inbound.submissions) == ([], [])


async def test_row_12_a_links_press_is_acknowledged_and_has_no_effect(slack: Loopback, inbound: Recorder) -> None:
    page = "https://lapsebot.example/r/x"
    await slack.platform.post(to(), Message((Buttons((LinkButton("Reconnect", page),)),)), delivery())
    (seen,) = await slack.people.history(TEAM, CHANNEL, ANA)
    assert await slack.people.press(TEAM, CHANNEL, ANA, seen, "Reconnect") == {"error": None, "open_url": page}
    await settled(slack)
    assert inbound.actions == []


async def test_row_13_the_same_event_four_times_has_one_effect(slack: Loopback, inbound: Recorder) -> None:
    event = {"type": "user_change", "user": {"id": RAJ, "team_id": TEAM}}
    for _ in range(4):
        after = (await slack.people.get("state"))["revision"]
        await slack.people.post("event", team=TEAM, event=event, event_id="Ev0SAME")
        change = await slack.people.wait_for_change("event", after=after, event_id="Ev0SAME")
        assert (change["error"], change["attempt"]) == (None, 0)
    await settled(slack)
    assert len(inbound.signals) == 1


async def test_row_13_a_replayed_form_is_taken_once(slack: Loopback, inbound: Recorder) -> None:
    view = {
        "type": "modal",
        "callback_id": "form",
        "private_metadata": Origin(token=NOTE.encode(), channel=CHANNEL).write(),
        "state": {"values": {"note": {"field": {"type": "plain_text_input", "value": "x"}}}},
        "blocks": [],
    }
    body = press(type="view_submission", view=view, trigger_id="7.7.same", actions=None)
    for _ in range(3):
        assert (await slack.people.post("forge", kind="interactivity", body=body))["error"] is None
    await answers(slack)
    assert [each.key for each in inbound.submissions] == ["7.7.same"]


async def test_row_14_ten_people_press_at_once_and_each_is_answered_as_themselves(
    slack: Loopback, inbound: Recorder
) -> None:
    world = config()
    (agency,) = world.workspaces
    crowd = tuple(
        replace(agency.users[0], id=f"U0P{number}", name=f"p{number}", email=f"p{number}@agency.example")
        for number in range(10)
    )
    everybody = tuple(each.id for each in crowd)
    channels = (replace(agency.channels[0], members=everybody),)
    world = replace(world, workspaces=(replace(agency, users=crowd, channels=channels),))
    async with running(inbound, settings=world) as full:
        await full.platform.post(to(), Message((text("x"), Buttons((Button("Details", DETAILS),)))), delivery())
        (seen,) = await full.people.history(TEAM, CHANNEL, everybody[0])
        twice = [*everybody, *everybody]  # and each of them clicks twice
        pressed = await asyncio.gather(*(full.people.press(TEAM, CHANNEL, who, seen, "Details") for who in twice))
        assert all(each["error"] is None for each in pressed)
        for who in everybody:
            assert await answers(full, 3, who) == [seen.rendered, "Here you are.", "Here you are."]
    assert sorted(request.user.external_id for request in inbound.actions) == sorted(twice)


async def test_row_15_a_handler_that_takes_long_is_acknowledged_first_and_answers_later() -> None:
    gate = asyncio.Event()

    class Slow(Recorder):
        async def command(self, request: CommandRequest) -> Message:
            await gate.wait()
            return await Recorder.command(self, request)

    async with running(Slow()) as slack:
        assert await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed") == {"error": None}
        assert await slack.people.history(TEAM, CHANNEL, ANA) == []
        gate.set()
        assert await answers(slack) == ["Here you are."]


@pytest.mark.parametrize("error", ["expired_url", "used_url"])
async def test_row_16_an_address_that_is_over_is_left_for_an_ephemeral_message(slack: Loopback, error: str) -> None:
    await slack.people.fail("response_url", "error", status=404, error=error)
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    assert await answers(slack) == ["Here you are."]
    assert len(await slack.people.accepted("chat.postEphemeral")) == 1
    assert await slack.people.history(TEAM, CHANNEL, RAJ) == []


async def test_row_16_where_the_bot_is_no_member_the_answer_comes_among_the_messages_with_it(slack: Loopback) -> None:
    await slack.people.fail("response_url", "error", status=404, error="used_url")
    await slack.people.post("channels", team=TEAM, id=CHANNEL, bot_is_member=False)
    await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
    assert await answers(slack, where="dm") == ["Here you are."]
    assert await slack.people.history(TEAM, CHANNEL, RAJ) == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x"]
)
async def test_row_16_an_address_that_is_not_slacks_is_never_used(slack: Loopback, url: str) -> None:
    await slack.people.post("forge", kind="command", body=command(response_url=url))
    assert await answers(slack) == ["Here you are."]
    assert len(await slack.people.accepted("chat.postEphemeral")) == 1


@pytest.mark.parametrize(
    "error", ["expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged", "internal_error"]
)
async def test_row_17_a_form_that_comes_too_late_is_not_tried_again_and_the_person_is_told(
    slack: Loopback, error: str
) -> None:
    await slack.people.fail("views.open", "error", error=error)
    assert (await slack.people.says(TEAM, CHANNEL, ANA, "/note"))["error"] is None
    (told,) = form_not_opened().parts
    assert await answers(slack) == [told.line[0].text]  # type: ignore[union-attr]  # a paragraph of plain words
    assert await slack.people.view(TEAM, ANA) is None
    assert len([each for each in await slack.people.log("replies") if each["method"] == "views.open"]) == 1


async def test_row_17_a_trigger_that_is_really_over(slack: Loopback, inbound: Recorder) -> None:
    gate = asyncio.Event()

    class Slow(Recorder):
        async def form(self, request: object) -> Form | Message:
            await gate.wait()
            return FORM

    async with running(Slow(forms=inbound.forms)) as slow:
        await slow.people.says(TEAM, CHANNEL, ANA, "/note")
        await slow.people.post("clock", advance=4)
        gate.set()
        (told,) = form_not_opened().parts
        assert await answers(slow) == [told.line[0].text]  # type: ignore[union-attr]  # a paragraph of plain words


async def test_row_22_a_forged_button_is_only_words_and_the_presser_is_who_slack_says(
    slack: Loopback, inbound: Recorder
) -> None:
    forged = "retire-yes:" + "9" * 22
    action = {"type": "button", "action_id": "press-0", "block_id": "b", "value": forged}
    await slack.people.post("forge", kind="interactivity", body=press(actions=[action]))
    await answers(slack)
    (request,) = inbound.actions
    assert request.token == forged
    assert (request.user.tenant, request.user.external_id, request.place.workspace) == (TEAM, ANA, TEAM)


@pytest.mark.parametrize(
    ("changes", "is_direct", "is_shared"),
    [
        ({"channel_id": "D0ANA", "channel_name": "directmessage"}, True, False),
        ({"channel_id": "G0MPIM", "channel_name": "mpdm-ana--raj-1"}, False, None),
        ({"channel_id": CHANNEL, "channel_name": "ads"}, False, False),
        ({"channel_id": "C0SHARED", "channel_name": "shared"}, False, True),
        ({"channel_id": ARCHIVED, "channel_name": "old"}, False, False),
        ({"user_id": GUEST, "user_name": "guest"}, False, False),
        ({"channel_id": "", "channel_name": ""}, False, None),
    ],
    ids=["direct", "group", "channel", "Slack Connect", "archived", "guest", "nowhere"],
)
async def test_row_24_wherever_it_is_typed_it_is_answered_and_the_place_is_told(
    inbound: Recorder, changes: dict[str, str], is_direct: bool, is_shared: bool | None
) -> None:
    world: SlackConfig = config()
    (agency,) = world.workspaces
    shared = replace(agency.channels[0], id="C0SHARED", name="shared", is_ext_shared=True)
    world = replace(world, workspaces=(replace(agency, channels=(*agency.channels, shared)),))
    async with running(inbound, settings=world) as slack:
        after = (await slack.people.get("state"))["revision"]
        assert (await slack.people.post("forge", kind="command", body=command(**changes)))["error"] is None
        while not inbound.commands:
            change = await slack.people.get("changes", after=str(after), timeout="5")
            after = change["revision"]
    (request,) = inbound.commands
    assert (request.place.is_direct, request.place.is_shared) == (is_direct, is_shared)
    assert request.user.external_id == changes.get("user_id", ANA)


async def test_row_24_no_command_can_be_typed_in_a_thread_and_a_press_there_is_like_any_other(
    slack: Loopback, inbound: Recorder
) -> None:
    first = await slack.platform.post(to(), say("Lapsed"), delivery())
    buttons = Message((text("Raj asks"), Buttons((Button("Details", DETAILS),))))
    await slack.platform.post(to(), buttons, delivery(), under=first)
    seen = (await slack.people.history(TEAM, CHANNEL, ANA))[1]
    assert (await slack.people.press(TEAM, CHANNEL, ANA, seen, "Details"))["error"] is None
    await answers(slack, 3)
    assert len(inbound.actions) == 1


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        ({"is_archived": True}, {"is_archived": False}),
        ({"bot_is_member": False}, {"bot_is_member": True}),
        ({"is_private": True, "bot_is_member": False}, {"bot_is_member": True}),
    ],
    ids=["archived", "bot removed", "made private"],
)
async def test_row_25_a_channel_that_is_lost_costs_one_call_and_can_come_back(
    slack: Loopback, change: dict[str, object], undo: dict[str, object]
) -> None:
    await slack.people.post("channels", team=TEAM, id=CHANNEL, **change)
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.post(to(), say("Lapsed"), delivery())
    assert raised.value.kind is DeliveryErrorKind.ADDRESS_GONE
    assert raised.value.code in ("is_archived", "not_in_channel", "channel_not_found")
    assert len([each for each in await slack.people.log("replies") if each["method"] == "chat.postMessage"]) == 1
    await slack.people.post("channels", team=TEAM, id=CHANNEL, **undo)
    await slack.platform.post(to(), say("Lapsed"), delivery())


async def test_row_25_a_renamed_channel_is_the_same_and_a_deleted_one_is_gone(slack: Loopback) -> None:
    await slack.people.post("channels", team=TEAM, id=CHANNEL, name="renamed")
    ref = await slack.platform.post(to(), say("Lapsed"), delivery())
    await slack.people.post("channels/delete", team=TEAM, id=CHANNEL)
    for sending in (slack.platform.post(to(), say("Lapsed"), delivery()), slack.platform.update(ref, say("Restored"))):
        with pytest.raises(DeliveryError) as raised:
            await sending
        assert raised.value.kind is DeliveryErrorKind.ADDRESS_GONE


@pytest.mark.behaviour("C-1")
@pytest.mark.parametrize("surface", ["message", "home"])
async def test_row_35_two_thousand_accounts_with_long_names_are_taken_and_the_rest_is_counted(
    slack: Loopback, inbound: Recorder, surface: str
) -> None:
    rows = tuple(
        Row(Mark.LAPSED, line(Bold(f"{at} " + "n" * 3000)), line("since Monday"), Button("Details", DETAILS))
        for at in range(2000)
    )
    inbound.answer = Message((Heading(line("Needs connecting: 2,000")), Rows(rows)))
    if surface == "home":
        shown = (await slack.people.open_home(TEAM, ANA)).html
    else:
        await slack.platform.post(to(ANA, AddressKind.DIRECT), inbound.answer, delivery())
        (seen,) = await slack.people.history(TEAM, "dm", ANA)
        shown = seen.html
    assert "Needs connecting: 2,000" in shown
    drawn = shown.count("since Monday")
    assert drawn > 5
    assert f"and {2000 - drawn:,} more" in shown
