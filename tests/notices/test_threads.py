"""What happens about a lapse, told under the messages in channels; claims and snoozes that are over (N-10, N-11)."""

from datetime import timedelta

import pytest

from bot.notices.data import BY, NAMES, TEXT, WHAT, WHOM, ids_in
from commands.ids import LapseId
from commands.model import Role
from commands.ports.notices import EventKind, NoticeKind, Priority
from tests.notices.world import World

NOTE = NoticeKind.NOTE


async def told_in_a_channel(world: World, number: int = 1) -> list[LapseId]:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    lapses = await world.lapse(*await world.connections(number))
    await world.tell()
    return lapses


@pytest.mark.behaviour("N-10")
async def test_a_note_is_told_under_the_channels_message_and_nowhere_else(world: World) -> None:
    (lapse,) = await told_in_a_channel(world)
    await world.event(
        EventKind.NOTED, lapse_id=lapse, person_id=world.ana.id, data={"note": "Waiting for the client's approval"}
    )
    await world.tell()
    (notice,) = await world.notices(NOTE)
    assert (notice.data[WHAT], notice.data[TEXT]) == ("noted", "Waiting for the client's approval")
    assert ids_in(notice, WHOM) == [world.ana.id]
    assert set(notice.data) <= NAMES[NOTE]
    first, under = world.chat.to("C1")
    assert under.under == first.ref
    assert len(world.chat.to("Ana")) == 1
    assert (await world.deliveries())[-1].priority is Priority.REMINDER


@pytest.mark.behaviour("N-10", "N-11")
async def test_a_claim_of_many_lapses_is_one_note(world: World) -> None:
    lapses = await told_in_a_channel(world, 6)
    for lapse in lapses:
        await world.event(EventKind.CLAIMED, lapse_id=lapse, person_id=world.ana.id)
    await world.tell()
    (notice,) = await world.notices(NOTE)
    assert (notice.data[WHAT], len(notice.lapse_ids)) == ("claimed", 6)


@pytest.mark.behaviour("N-10")
async def test_attempts_are_told_with_what_came_of_them(world: World) -> None:
    (lapse,) = await told_in_a_channel(world)
    await world.event(EventKind.ATTEMPT_OPENED, lapse_id=lapse, person_id=world.ana.id)
    await world.event(
        EventKind.ATTEMPT_FAILED, lapse_id=lapse, person_id=world.ana.id, data={"why": "The login was another one."}
    )
    await world.tell()
    assert {one.data[WHAT]: one.data.get(TEXT) for one in await world.notices(NOTE)} == {
        "attempt_opened": None,
        "attempt_failed": "The login was another one.",
    }


@pytest.mark.behaviour("N-10")
async def test_without_a_message_in_a_channel_nothing_is_told(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.tell()
    await world.event(EventKind.RELEASED, lapse_id=lapse, person_id=world.ana.id)
    await world.tell()
    assert await world.notices(NOTE) == []


@pytest.mark.behaviour("N-11")
async def test_who_is_given_a_lapse_hears_of_it_once_with_all_that_is_given(world: World) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR, immediate_notices=False)
    lapses = await world.lapse(*await world.connections(5))
    await world.tell()
    for lapse in lapses:
        await world.event(EventKind.CLAIMED, lapse_id=lapse, person_id=raj.id, data={"by": "Chief"})
    await world.tell()
    (notice,) = await world.notices(NoticeKind.ASSIGNED)
    assert (notice.person_id, notice.data[BY], len(notice.lapse_ids)) == (raj.id, "Chief", 5)
    assert set(notice.data) <= NAMES[NoticeKind.ASSIGNED]
    assert len(world.chat.to("Raj")) == 1


@pytest.mark.behaviour("N-11")
async def test_when_a_claim_or_a_snooze_is_over_live_messages_are_drawn_anew(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.tell()
    await world.claim(lapse, world.ana)
    await world.tell()
    (shown,) = world.chat.to("Ana")
    assert len(shown.shown) == 2
    assert await world.releases().run_once() == 0
    world.clock.advance(timedelta(days=1))
    assert await world.releases().run_once() == 1
    assert await world.releases().run_once() == 0
    await world.send()
    assert len(shown.shown) == 3
    async with world.storage.reading() as uow:
        left = await uow.lapses.get(world.organization.id, lapse)
    assert left is not None
    assert left.claim is None
