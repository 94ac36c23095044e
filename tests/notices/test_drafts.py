"""Why a message that was planned is not sent: what holds at the moment of sending decides."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from bot.notices.composer import Suppress
from bot.notices.data import HOW, LEFT, WHOM, ids_text
from commands.messages import Message, Tone
from commands.model import LapseEnd, Mute, Role
from commands.ports.notices import DeliveryState, NoticeKind, Part
from storage.tables import people
from tests.commands.plain import plain
from tests.notices.composing import NEWS, compose, message, told, write
from tests.notices.world import World


async def test_nothing_is_said_of_a_network_that_we_have_no_longer(world: World) -> None:
    world.networks.clear()
    await world.lapse(*await world.connections(1))
    await world.plan()
    assert await compose(world) == {"Ana": [Suppress("the network is not set up here any more")]}


@pytest.mark.behaviour("P-5", "N-8")
async def test_a_reader_whose_right_was_taken_away_before_the_message_left_is_sent_nothing(world: World) -> None:
    (connection,) = await world.connections(1)
    sam = await world.person("Sam", Role.STAFF)
    await world.subscribe(sam)
    await world.lapse(connection)
    await world.plan()
    await write(world, update(people).where(people.c.id == sam.id).values(client_ids=[]))
    await world.loop().run_once()
    assert [post.address.external_id for post in world.chat.posts] == ["Ana"]
    assert (await world.outcomes())["Sam"] == [(DeliveryState.SUPPRESSED, "the reader may not see it any more")]


@pytest.mark.behaviour("N-16")
async def test_nothing_is_sent_after_an_opt_out_was_committed(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    mei = await world.person("Mei", Role.STAFF)
    own, there = await world.subscribe(mei), await world.subscribe(mei, "C1")
    kinds = (NoticeKind.LAPSED, NoticeKind.DIGEST)
    for kind in kinds:
        assert isinstance(await told(world, kind, Part.SUBSCRIBER, mei, lapses=[lapse]), Message)
    assert isinstance(await told(world, NoticeKind.NOTE, Part.CHANNEL, mei, lapses=[lapse], channel=NEWS), Message)
    await world.opt_out(own)
    await world.opt_out(there)
    opted_out = Suppress("the reader opted out")
    for kind in kinds:
        assert await told(world, kind, Part.SUBSCRIBER, mei, lapses=[lapse]) == opted_out
    assert await told(world, NoticeKind.NOTE, Part.CHANNEL, mei, lapses=[lapse], channel=NEWS) == opted_out
    # What stands there already is kept true nevertheless.
    assert isinstance(await told(world, NoticeKind.LAPSED, Part.SUBSCRIBER, mei, lapses=[lapse], shown=True), Message)


@pytest.mark.behaviour("N-11")
async def test_a_snooze_holds_reminders_but_not_what_somebody_asks_and_not_mine_ends_both(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    muted = Suppress("the reader does not want to hear of it")
    later = world.clock.now() + timedelta(days=3)
    for until, nudged in ((later, False), (None, True)):
        mute = Mute(lapse_id=lapse, person_id=world.ana.id, until=until)
        async with world.storage.transaction() as uow:
            await uow.lapses.mute(world.organization.id, [mute])
        assert await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]) == muted
        asked = await told(world, NoticeKind.NUDGED, Part.CONNECTOR, world.ana, lapses=[lapse])
        assert (asked == muted) == nudged
        assert isinstance(await told(world, NoticeKind.ASSIGNED, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)
        shown = await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse], shown=True)
        assert "⏸ Held for you: " in plain(message(shown))
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    other = await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, raj, lapses=[lapse])
    assert "⏸" not in plain(message(other))


@pytest.mark.behaviour("N-11")
async def test_a_snooze_that_is_over_holds_nothing(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    mute = Mute(lapse_id=lapse, person_id=world.ana.id, until=world.clock.now() + timedelta(days=1))
    async with world.storage.transaction() as uow:
        await uow.lapses.mute(world.organization.id, [mute])
    world.clock.advance(timedelta(days=1, seconds=1))
    assert isinstance(await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)


@pytest.mark.behaviour("N-11")
async def test_a_reminder_is_not_sent_while_anybody_is_on_it(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    await world.claim(lapse, raj)
    reminder = await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse])
    assert reminder == Suppress("somebody is on it")
    world.clock.advance(timedelta(days=1, seconds=1))
    assert isinstance(await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)


@pytest.mark.behaviour("D-6")
@pytest.mark.parametrize("kind", [NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.NUDGED, NoticeKind.DIGEST])
async def test_what_ended_before_it_was_told_is_not_told_unless_it_may_be_there_already(
    world: World, kind: NoticeKind
) -> None:
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.end(connection, how=LapseEnd.RECONNECTED, by=world.ana)
    ended = Suppress("it ended before it was told")
    assert await told(world, kind, Part.CONNECTOR, world.ana, lapses=[lapse]) == ended
    lost = await told(world, kind, Part.CONNECTOR, world.ana, lapses=[lapse], state=DeliveryState.UNKNOWN)
    assert message(lost).tone is Tone.GOOD


@pytest.mark.behaviour("N-5")
async def test_an_administrator_who_wants_no_copies_gets_none_but_hears_what_is_for_administrators(
    world: World,
) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    raj = await world.person("Raj", Role.ADMINISTRATOR, immediate_notices=False)
    copy = await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, raj, lapses=[lapse])
    assert copy == Suppress("the reader takes no copies any more")
    assert isinstance(await told(world, NoticeKind.LAPSED, Part.STAND_IN, raj, lapses=[lapse]), Message)
    whom = {WHOM: ids_text([world.ana.id])}
    assert isinstance(
        await told(world, NoticeKind.NOT_MINE, Part.ADMINISTRATOR, raj, lapses=[lapse], data=whom), Message
    )
    await write(world, update(people).where(people.c.id == raj.id).values(role=Role.STAFF.value))
    former = await told(world, NoticeKind.NOT_MINE, Part.ADMINISTRATOR, raj, lapses=[lapse], data=whom)
    assert former == Suppress("the reader is no administrator any more")


async def test_a_notice_whose_people_are_unknown_is_not_sent(world: World) -> None:
    data = {WHOM: ids_text([UUID(int=1)]), HOW: LEFT}
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    gone = await told(world, NoticeKind.SUCCESSION, Part.ADMINISTRATOR, chief, data=data)
    assert gone == Suppress("the notice is not there any more")
