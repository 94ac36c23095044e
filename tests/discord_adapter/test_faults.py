"""Faults of facts/CHAT_PLATFORMS.md, section 6, as far as they are Discord's; each test names its row.

Rows 21 and 35 have tests of their own as well, in test_choices.py, test_forms.py, test_pictures.py and test_render.py.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.playground.vendors.discord.world import Channel, ChannelKind
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import ActionRef, Button, Buttons, Heading, Mark, Message, Plain, Row, Rows, Text, line, say
from commands.ports.chat import AccountKind, Acknowledgement, AddressKind, Options
from platform_adapters.chat.discord.render import render
from tests.discord_adapter.drawing_support import judge, seen
from tests.discord_adapter.loopback import (
    ANA,
    APP,
    CLOSED,
    GENERAL,
    GUILD,
    LOUNGE,
    MEI,
    OTHER_GUILD,
    RAJ,
    ROBOT,
    Answering,
    Loopback,
)
from tests.discord_adapter.test_inbound import answered, posted
from tests.discord_adapter.test_post import delivery, failure, to
from tests.vendors.discord_support import SECRET

RECONNECT = ActionRef("reconnect", ("a1",))
OLD = Message((Text(line("Lapsed")), Buttons((Button("Reconnect", RECONNECT),))))
GONE = DeliveryErrorKind.ADDRESS_GONE


async def _dispatch(discord: Loopback, **changed: object) -> None:
    """Send the last interaction over the gateway once more, with something wrong with it."""
    (session,) = discord.vendor._world.sessions.live
    last: dict[str, Any] = [frame for _, frame in session.buffer if frame["t"] == "INTERACTION_CREATE"][-1]["d"]
    wrong = {**last, "id": str(discord.vendor._world.ids.next()), **changed}
    await session.dispatch("INTERACTION_CREATE", {key: one for key, one in wrong.items() if one is not ...})


async def _works(discord: Loopback, inbound: Answering) -> None:
    """A command is answered."""
    before = len(inbound.commands)
    assert (await discord.people.run(RAJ, "lapsed", GENERAL))["status"] != "failed"
    await answered(discord, RAJ, "Here you are.")
    assert len(inbound.commands) == before + 1


async def test_row_11_a_button_of_an_older_version_is_the_cores_to_answer(
    discord: Loopback, inbound: Answering
) -> None:
    """Whatever it carries, and although nothing in this process ever drew it: it never just fails."""
    old = ActionRef("mute-v0", ("1", "2", "3"))
    message = await posted(discord, Message((Buttons((Button("Mute", old),)),)))
    inbound.answer = say("This button is out of date.")
    pressed = await discord.people.press(ANA, message, old.encode())
    assert pressed["status"] != "failed"
    assert (await answered(discord, ANA, "out of date"))["ephemeral"]


@pytest.mark.parametrize("presses", [2, 10])
async def test_row_14_presses_at_the_same_time_are_each_carried_out_once(
    discord: Loopback, inbound: Answering, presses: int
) -> None:
    """A double click, and ten clicks together: each is acknowledged, handed in once and answered."""
    message = await posted(discord, OLD)
    who = [ANA if presses == 2 else (ANA, RAJ)[number % 2] for number in range(presses)]
    done = await asyncio.gather(*(discord.people.press(one, message, RECONNECT.encode()) for one in who))
    assert all(one["status"] != "failed" for one in done)
    await discord.platform.post(to(GENERAL), say("done"), delivery())
    for one in {ANA, RAJ} & set(who):
        await discord.people.wait_message(one, GENERAL, lambda seen: "Here you are." in seen["text"])
    assert len(inbound.actions) == presses


@pytest.mark.parametrize("acknowledgement", [Acknowledgement.PRIVATE, Acknowledgement.UPDATE])
async def test_row_15_however_long_it_takes_the_press_is_acknowledged(
    discord: Loopback, inbound: Answering, acknowledgement: Acknowledgement
) -> None:
    """Nobody is shown "This interaction failed". (Forms that take long: test_forms.py.)"""
    inbound.answer = OLD
    await discord.people.run(ANA, "lapsed", GENERAL)
    mine = await answered(discord, ANA, "Lapsed")
    inbound.acknowledgements[RECONNECT.encode()] = acknowledgement
    inbound.hold.clear()
    inbound.answer = say("Late, but here.")
    pressed = await discord.people.press(ANA, str(mine["id"]), RECONNECT.encode())
    assert pressed["status"] == "deferred"
    inbound.hold.set()
    late = await answered(discord, ANA, "Late, but here.")
    assert (late["id"] == mine["id"]) is (acknowledgement is Acknowledgement.UPDATE)


async def test_row_18_there_is_no_door_for_signed_requests(discord: Loopback) -> None:
    """Interactions come over the gateway alone; without an address of ours nobody can send us a forged one."""
    assert discord.platform.endpoints() == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": 1},
        {"type": 99},
        {"type": 3, "data": ...},
        {"data": {}},
        {"data": {"name": "lapsed", "options": "x"}},
        {"type": 4, "data": {"name": "lapsed", "options": []}},
        {"type": 5, "data": {"custom_id": "note:1", "components": [{"type": 99}]}},
        {"member": ..., "user": ...},
        {"channel": ..., "channel_id": ...},
        {"new_field": {"of": ["tomorrow"]}},
    ],
    ids=str,
)
async def test_row_19_an_interaction_that_makes_no_sense_ends_nothing(
    discord: Loopback, inbound: Answering, changed: dict[str, object]
) -> None:
    """Kinds that we do not know, data or people that are missing: the next command is answered as ever."""
    await _works(discord, inbound)
    before = await discord.people.now()
    await _dispatch(discord, **changed)
    if (await discord.people.run(ANA, "lapsed", GENERAL))["status"] == "failed":
        # The library gave the connection up over it, and a new one is made.
        back = ("gateway_ready", "gateway_resumed")
        await discord.people.wait_for(lambda change: change["type"] in back, after=before)
    await _works(discord, inbound)


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (400, 40060)])
async def test_row_20_what_came_too_late_has_no_second_action(
    discord: Loopback, inbound: Answering, status: int, code: int
) -> None:
    await discord.people.fault("error", "POST /interactions/*/callback", status=status, code=code)
    assert (await discord.people.run(ANA, "lapsed", GENERAL))["status"] == "failed"
    await _works(discord, inbound)
    assert [request.user.external_id for request in inbound.commands] == [str(RAJ)]
    assert await discord.people.history(ANA, GENERAL) == []


@pytest.mark.behaviour("P-5")
async def test_row_22_a_button_of_another_server_says_who_presses_it_and_where(
    discord: Loopback, inbound: Answering
) -> None:
    """The custom id carries no authority: the core is told the person and the place, and asks again."""
    await discord.people.install_bot(OTHER_GUILD)
    ref = await discord.platform.post(to(LOUNGE), OLD, delivery())
    inbound.answer = say("This is not of here.")
    await discord.people.press(MEI, ref.message, RECONNECT.encode())
    assert (await answered(discord, MEI, "not of here", LOUNGE))["ephemeral"]
    (request,) = inbound.actions
    assert (request.user.external_id, request.place.workspace) == (str(MEI), str(OTHER_GUILD))


@pytest.mark.parametrize(
    "text",
    [
        "x" * 3000,
        "\u202elive",
        "\u200b\u200b",
        "<!channel> @everyone",
        "a'b\"c; rm -rf /",
        "--all",
        "   ",
        "</lapsed:1>",
    ],
    ids=["long", "right to left", "zero width", "mentions", "quotes", "flag", "spaces", "command"],
)
async def test_row_23_whatever_is_typed_arrives_as_it_is_and_is_echoed_inert(
    discord: Loopback, inbound: Answering, text: str
) -> None:
    inbound.answer = Message((Text((Plain("I don't know "), Plain(text))),))
    await discord.people.run(ANA, "lapsed", GENERAL, account=text)
    message = await answered(discord, ANA, "I don't know")
    assert inbound.commands[0].arguments == Options(values={"account": text})
    assert "⟦" not in str(message["text"])
    assert await discord.people.pings() == []


async def _thread(discord: Loopback) -> int:
    world = discord.vendor._world
    world.channels[77] = Channel(77, ChannelKind.THREAD, "talk", GUILD, parent_id=GENERAL)
    return 77


async def _unseen(discord: Loopback) -> int:
    return SECRET


async def _read_only(discord: Loopback) -> int:
    await discord.people.permit(GENERAL, send=False)
    return GENERAL


async def _direct(discord: Loopback) -> None:
    return None


@pytest.mark.parametrize(
    ("place", "workspace"),
    [(_thread, GUILD), (_unseen, GUILD), (_read_only, GUILD), (_direct, None)],
    ids=["thread", "a channel without the bot", "read-only", "direct message"],
)
async def test_row_24_a_command_is_answered_wherever_it_is_run(
    discord: Loopback,
    inbound: Answering,
    place: Callable[[Loopback], Awaitable[int | None]],
    workspace: int | None,
) -> None:
    where = await place(discord)
    await discord.people.run(ANA, "lapsed", where)
    message = await answered(discord, ANA, "Here you are.", where)
    assert message["ephemeral"]
    told = inbound.commands[0].place
    assert told.workspace == (str(workspace) if workspace else None)
    assert told.is_direct is (where is None)
    assert told.channel == (str(where) if where else message["channel"])


async def _made_private(discord: Loopback) -> None:
    await discord.people.permit(GENERAL, view=False)


async def _not_to_write(discord: Loopback) -> None:
    await discord.people.permit(GENERAL, send=False)


async def _kicked(discord: Loopback) -> None:
    await discord.people.kick_bot(GUILD)


async def _back(discord: Loopback) -> None:
    await discord.people.install_bot(GUILD)
    await discord.people.permit(GENERAL)


@pytest.mark.behaviour("N-19")
@pytest.mark.parametrize(
    ("lost", "code"),
    [(_made_private, "50001"), (_not_to_write, "50013"), (_kicked, "50001")],
    ids=["made private", "not to write", "kicked"],
)
async def test_row_25_a_channel_that_is_lost_is_an_address_gone_until_it_is_back(
    discord: Loopback, lost: Callable[[Loopback], Awaitable[None]], code: str
) -> None:
    """One request, no storm; and it works again as soon as it is restored."""
    await lost(discord)
    error = await failure(discord)
    assert (error.kind, error.code) == (GONE, code)
    assert await discord.requests("/messages") == 1
    await _back(discord)
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())


@pytest.mark.behaviour("N-19")
async def test_row_25_a_channel_that_was_deleted_is_gone(discord: Loopback) -> None:
    ref = await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    await discord.people.delete_channel(GENERAL)
    error = await failure(discord)
    assert (error.kind, error.code) == (GONE, "10003")
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.update(ref, say("Restored"))
    assert raised.value.kind is GONE


@pytest.mark.behaviour("N-19")
@pytest.mark.parametrize(("user", "code"), [(ROBOT, "50007"), (APP, "50033"), (1, "50033")])
async def test_row_26_bots_and_accounts_that_are_gone_get_no_message(discord: Loopback, user: int, code: str) -> None:
    error = await failure(discord, to(user, AddressKind.DIRECT))
    assert (error.kind, error.code) == (GONE, code)
    if user == ROBOT:
        assert (await discord.platform.profile(str(GUILD), str(user))).kind is AccountKind.BOT


def test_row_35_two_thousand_rows_with_long_names_are_summarised() -> None:
    rows = tuple(
        Row(Mark.LAPSED, line(f"{number} " + "x" * 3000), line("y" * 3000), Button("Reconnect", RECONNECT))
        for number in range(2000)
    )
    components = render(Message((Heading(line("Needs connecting: 2,000")), Rows(rows))))
    judge(components)
    shown = seen(components).count("🔒")
    assert shown > 5
    assert f"… and {2000 - shown:,} more" in seen(components)


@pytest.mark.parametrize(
    "name",
    [
        "<!channel>",
        "<https://evil.example|Reconnect>",
        "@everyone",
        "[x](http://e.example)",
        "😀" * 10_000,
        "two\nlines",
        "\u202egnp",
        "\ud800",
        "a\x00b",
    ],
    ids=["channel", "link", "everyone", "markdown", "emoji", "newline", "override", "surrogate", "NUL"],
)
async def test_row_36_a_hostile_name_is_posted_inert(discord: Loopback, name: str) -> None:
    rows = Rows((Row(Mark.LAPSED, line(name), line(name), Button(name, RECONNECT)),))
    await discord.platform.post(to(GENERAL), Message((Heading(line(name)), rows)), delivery())
    (message,) = await discord.people.history(ANA, GENERAL)
    assert "⟦" not in message["text"].replace("⟦button:", "")
    assert await discord.people.pings() == []


async def test_row_38_who_takes_no_messages_is_asked_once(discord: Loopback) -> None:
    """Closed direct messages, no server in common, opened too fast: one refusal each, and no other try."""
    await discord.people.remove_member(GUILD, RAJ)
    for user, code in ((CLOSED, "50007"), (RAJ, "50278")):
        before = (await discord.people.counters())["rejected"]
        error = await failure(discord, to(user, AddressKind.DIRECT))
        assert (error.kind, error.code) == (GONE, code)
        assert (await discord.people.counters())["rejected"] == before + 1
    await discord.people.fault("error", "POST /users/@me/channels", status=403, code=40003)
    assert (await failure(discord, to(ANA, AddressKind.DIRECT))).kind is GONE


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 429, "via": False, "retry_after": 300}], ids=str)
async def test_row_39_a_bot_that_is_shut_out_stops_at_once(
    discord: Loopback, inbound: Answering, fault: dict[str, object]
) -> None:
    """Posts, edits, profiles and answers together make one refused request, far below the hundred."""
    ref = await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    await discord.people.fault("error", "*", times=1000, **fault)
    before = (await discord.people.counters())["rejected"]
    for _ in range(40):
        await failure(discord)
        with pytest.raises(DeliveryError):
            await discord.platform.update(ref, say("Restored"))
        with pytest.raises(DeliveryError):
            await discord.platform.profile(str(GUILD), str(ANA))
    assert (await discord.people.counters())["rejected"] == before + 1


async def test_row_40_two_bad_gateways_leave_one_message(discord: Loopback) -> None:
    """Both posts were taken and their replies lost on the way; the third try is given the first message."""
    await discord.people.fault("accepted-html", "POST /channels/*/messages", status=502, times=2)
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    assert len(await discord.people.history(ANA, GENERAL)) == 1
    assert [entry["deduplicated"] for entry in await discord.people.log()] == [False, True, True]
