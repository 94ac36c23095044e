"""What every chat platform does alike: one suite over all of them, each against its own strict vendor.

A platform joins by a module in `chat_rigs`; see `chat_rigs/rig.py`.
"""

import importlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import DeliveryId, new_id
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Code,
    Facts,
    Heading,
    LinkButton,
    Mark,
    Mention,
    Message,
    Moment,
    Note,
    Paging,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
    say,
    text,
)
from commands.ports.chat import Acknowledgement, AddressKind, Options, Words
from tests.contracts.chat_rigs.rig import DM, Rig, address

_NOT_RIGS = ("rig", "__init__")
RIGS = sorted(file.stem for file in (Path(__file__).parent / "chat_rigs").glob("*.py") if file.stem not in _NOT_RIGS)
RECONNECT, DETAILS, SNOOZE = ActionRef("reconnect", ("a1",)), ActionRef("details", ("a1",)), ActionRef("check", ("a1",))
PAGE = "https://lapsebot.example/r/0000000000000000000001"
HOSTILE = (
    "<!channel>",
    "<!here|here>",
    "@everyone",
    "@here",
    "<@U0RAJ>",
    "<@&1> <@123456789012345678>",
    "<#C0ADS|ads>",
    "<https://evil.example|Reconnect>",
    "[Reconnect](https://evil.example)",
    "https://evil.example",
    "*bold* _it_ ~gone~ `code` ||spoiler|| # head",
    "```\nblock\n```",
    "> quoted",
    "\u202etxet desrever",
    "a\x00b\ud800c",
    "👩‍👩‍👧‍👦" * 300,
    "x" * 3000,
    "<" * 3000,
)


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    module = importlib.import_module(f"tests.contracts.chat_rigs.{request.param}")
    async with module.start() as running:
        yield running


def delivery() -> DeliveryId:
    return DeliveryId(new_id(datetime.now(UTC)))


def notice(name: str = "Acme EU Ads") -> Message:
    """A notice with all that a notice may have."""
    return Message(
        (
            Heading(line(f"{Mark.LAPSED} Lapsed: ", Bold(name), " · ", Code("1029384756"), f" · client {name}")),
            text("Connected by ", Mention(name), " since ", Moment(datetime(2026, 11, 22, 14, tzinfo=UTC)), "."),
            Facts((("Business", line(name)),)),
            Buttons(
                (LinkButton("Reconnect", PAGE, Style.PRIMARY), Button("I'm on it", RECONNECT)),
                (Button("Details", DETAILS), Button("Check again", SNOOZE)),
            ),
            Note(line(f"Notice 1 of 2 · {name}")),
        ),
        Tone.ACTION,
    )


async def post(rig: Rig, message: Message) -> None:
    await rig.platform.post(address(rig, AddressKind.CHANNEL, rig.channel), message, delivery())


async def error_of_post(rig: Rig, kind: AddressKind, external_id: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await rig.platform.post(address(rig, kind, external_id), notice(), delivery())
    return raised.value


@pytest.mark.behaviour("N-1")
async def test_a_direct_message_reaches_its_reader_with_all_that_it_has(rig: Rig) -> None:
    ref = await rig.platform.post(address(rig, AddressKind.DIRECT, rig.ana), notice(), delivery())
    (seen,) = await rig.look(rig.ana, DM)
    assert (ref.platform, ref.tenant) == (rig.platform.name, rig.tenant)
    for words in ("Lapsed: ", "Acme EU Ads", "1029384756", "Connected by", "Business", "Notice 1 of 2"):
        assert words in seen.text
    assert {"Reconnect", "I'm on it", "Details", "Check again"} == set(seen.pressable)


async def test_a_channel_reads_what_is_posted_to_it(rig: Rig) -> None:
    await post(rig, notice())
    for reader in (rig.ana, rig.raj):
        (seen,) = await rig.look(reader, rig.channel)
        assert "Acme EU Ads" in seen.text
        assert not seen.is_private


async def test_whoever_carries_the_email_address_gets_the_message(rig: Rig) -> None:
    if not rig.platform.finds_by_email:
        assert (await error_of_post(rig, AddressKind.BY_EMAIL, rig.ana_email)).kind is DeliveryErrorKind.ADDRESS_GONE
        return
    await rig.platform.post(address(rig, AddressKind.BY_EMAIL, rig.ana_email), notice(), delivery())
    assert len(await rig.look(rig.ana, DM)) == 1


@pytest.mark.behaviour("N-10")
async def test_a_posted_message_changes_in_place(rig: Rig) -> None:
    ref = await rig.platform.post(address(rig, AddressKind.CHANNEL, rig.channel), notice(), delivery())
    await rig.platform.update(ref, say(f"{Mark.GOOD} Restored", tone=Tone.GOOD))
    (seen,) = await rig.look(rig.raj, rig.channel)
    assert seen.text.strip() == "✅ Restored"
    assert seen.pressable == ()


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_name_notifies_nobody_and_leads_nowhere(rig: Rig, name: str) -> None:
    rows = tuple(Row(Mark.LAPSED, line(Bold(name)), line(name), Button(name, RECONNECT)) for _ in range(3))
    await post(rig, Message((*notice(name).parts, Rows(rows), Paging(name, None, DETAILS))))
    (seen,) = await rig.look(rig.raj, rig.channel)
    assert seen.live == ()


async def test_an_address_that_is_gone_is_said_to_be(rig: Rig) -> None:
    assert (await error_of_post(rig, AddressKind.DIRECT, rig.nobody)).kind is DeliveryErrorKind.ADDRESS_GONE


async def test_a_lost_reply_is_unknown_and_the_message_may_be_there(rig: Rig) -> None:
    await rig.lose_next_reply()
    assert (await error_of_post(rig, AddressKind.CHANNEL, rig.channel)).kind is DeliveryErrorKind.UNKNOWN
    assert len(await rig.look(rig.ana, rig.channel)) == 1


async def test_a_platform_that_asks_us_to_wait_says_how_long(rig: Rig) -> None:
    await rig.limit_next_post(7)
    error = await error_of_post(rig, AddressKind.CHANNEL, rig.channel)
    assert error.kind is DeliveryErrorKind.RETRY
    assert error.retry_after == timedelta(seconds=7)
    assert not await rig.look(rig.ana, rig.channel)


async def test_a_platform_that_fails_is_tried_again(rig: Rig) -> None:
    await rig.break_next_post()
    error = await error_of_post(rig, AddressKind.CHANNEL, rig.channel)
    assert error.kind is DeliveryErrorKind.RETRY
    await post(rig, notice())
    assert len(await rig.look(rig.ana, rig.channel)) == 1


async def test_a_lost_installation_is_said_to_be_dead(rig: Rig) -> None:
    await rig.end_installation()
    error = await error_of_post(rig, AddressKind.CHANNEL, rig.channel)
    assert error.kind is DeliveryErrorKind.INSTALLATION_DEAD


async def test_an_edit_of_a_deleted_message_says_that_it_is_gone(rig: Rig) -> None:
    ref = await rig.platform.post(address(rig, AddressKind.CHANNEL, rig.channel), notice(), delivery())
    (seen,) = await rig.look(rig.ana, rig.channel)
    await rig.remove(rig.channel, seen)
    with pytest.raises(DeliveryError) as raised:
        await rig.platform.update(ref, say("Restored"))
    assert raised.value.kind is DeliveryErrorKind.MESSAGE_GONE


async def test_the_same_delivery_twice_shows_once_where_the_platform_promises_it(rig: Rig) -> None:
    same = delivery()
    for _ in range(2):
        await rig.platform.post(address(rig, AddressKind.CHANNEL, rig.channel), notice(), same)
    shown = len(await rig.look(rig.ana, rig.channel))
    assert shown == 1 if rig.platform.deduplicates else shown in (1, 2)


async def test_a_list_that_is_too_long_says_how_many_there_are_beyond(rig: Rig) -> None:
    rows = tuple(Row(Mark.LAPSED, line(Bold(f"Account {at}")), line("since Monday")) for at in range(200))
    await post(rig, Message((Heading(line("Needs connecting: 300")), Rows(rows, more=100))))
    (seen,) = await rig.look(rig.ana, rig.channel)
    shown = sum(f"Account {at}\n" in seen.text.replace(" since", "\nsince") for at in range(200))
    assert "Account 0" in seen.text
    assert f"and {300 - shown} more" in seen.text


def test_addresses_of_one_installation_share_a_lane(rig: Rig) -> None:
    direct = rig.platform.lane(address(rig, AddressKind.DIRECT, rig.ana))
    assert direct == rig.platform.lane(address(rig, AddressKind.CHANNEL, rig.channel))
    assert rig.platform.pace.burst >= 1


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("direct", [True, False])
async def test_a_command_arrives_with_who_and_where_and_only_its_asker_reads_the_answer(rig: Rig, direct: bool) -> None:
    where = DM if direct else rig.channel
    await rig.command(rig.ana, where, "lapsed")
    seen = await rig.wait(rig.ana, where, bool)
    (request,) = rig.inbound.commands
    assert request.name == "lapsed"
    assert request.arguments in (Words(text=""), Options(values={}))
    assert (request.user.platform, request.user.external_id) == (rig.platform.name, rig.ana)
    assert request.place.is_direct is direct
    assert "Here you are." in seen[-1].text
    if not direct:
        assert seen[-1].is_private
        assert not await rig.look(rig.raj, rig.channel)


@pytest.mark.behaviour("N-9")
async def test_a_press_arrives_with_its_token_and_is_answered_privately(rig: Rig) -> None:
    await post(rig, notice())
    (seen,) = await rig.look(rig.raj, rig.channel)
    await rig.press(rig.raj, rig.channel, seen, "I'm on it")
    both = await rig.wait(rig.raj, rig.channel, lambda all_seen: len(all_seen) == 2)
    (request,) = rig.inbound.actions
    assert request.token == RECONNECT.encode()
    assert request.user.external_id == rig.raj
    assert "Acme EU Ads" in both[0].text
    assert "Here you are." in both[1].text
    assert both[1].is_private
    assert len(await rig.look(rig.ana, rig.channel)) == 1


async def test_an_entry_of_a_menu_is_a_press(rig: Rig) -> None:
    await post(rig, notice())
    (seen,) = await rig.look(rig.ana, rig.channel)
    await rig.press(rig.ana, rig.channel, seen, "Check again")
    await rig.wait(rig.ana, rig.channel, lambda all_seen: len(all_seen) == 2)
    assert [request.token for request in rig.inbound.actions] == [SNOOZE.encode()]


async def test_a_link_opens_its_page_and_asks_us_nothing(rig: Rig) -> None:
    await post(rig, notice())
    (seen,) = await rig.look(rig.ana, rig.channel)
    assert await rig.press(rig.ana, rig.channel, seen, "Reconnect") == PAGE
    assert not rig.inbound.actions
    assert len(await rig.look(rig.ana, rig.channel)) == 1


@pytest.mark.behaviour("C-1")
async def test_an_update_replaces_the_private_message_that_was_pressed(rig: Rig) -> None:
    rig.inbound.answer = Message((Text(line("Page 1")), Buttons((Button("Turn", DETAILS),))))
    await rig.command(rig.ana, rig.channel, "lapsed")
    (first,) = await rig.wait(rig.ana, rig.channel, bool)
    rig.inbound.answer = say("Page 2")
    rig.inbound.acknowledgements[DETAILS.encode()] = Acknowledgement.UPDATE
    await rig.press(rig.ana, rig.channel, first, "Turn")
    (second,) = await rig.wait(rig.ana, rig.channel, lambda seen: any("Page 2" in each.text for each in seen))
    assert second.is_private
    assert "Page 1" not in second.text


async def test_an_update_never_replaces_a_message_that_others_read(rig: Rig) -> None:
    rig.inbound.answer = say("For Ana's eyes")
    rig.inbound.acknowledgements[DETAILS.encode()] = Acknowledgement.UPDATE
    await post(rig, notice())
    (seen,) = await rig.look(rig.ana, rig.channel)
    await rig.press(rig.ana, rig.channel, seen, "Details")
    await rig.wait(rig.ana, rig.channel, lambda all_seen: any("For Ana's eyes" in each.text for each in all_seen))
    (others,) = await rig.look(rig.raj, rig.channel)
    assert "Acme EU Ads" in others.text
