"""What happens about a lapse, told under the messages in channels; claims and snoozes that are over (N-10, N-11)."""

from datetime import timedelta

import pytest

from bot.notices.data import BY, NAMES, TEXT, WHAT, WHOM, ids_in
from commands.ids import LapseId
from commands.model import Role
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind, Priority
from tests.notices.world import World

NOTE = NoticeKind.NOTE
CHIEF = {"by": "Chief", "by_id": "00000000-0000-7000-8000-000000000001"}


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
        await world.event(EventKind.CLAIMED, lapse_id=lapse, person_id=raj.id, data=CHIEF)
    await world.tell()
    (notice,) = await world.notices(NoticeKind.ASSIGNED)
    assert (notice.person_id, notice.data[BY], len(notice.lapse_ids)) == (raj.id, "Chief", 5)
    assert set(notice.data) <= NAMES[NoticeKind.ASSIGNED]
    assert len(world.chat.to("Raj")) == 1


@pytest.mark.behaviour("N-11")
async def test_who_is_given_a_lapse_again_on_the_same_day_hears_again_also_from_somebody_without_a_name(
    world: World,
) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR, immediate_notices=False)
    (lapse,) = await told_in_a_channel(world)
    for data in (CHIEF, CHIEF, {**CHIEF, "by": ""}):
        await world.event(EventKind.CLAIMED, lapse_id=lapse, person_id=raj.id, data=data)
        await world.tell()
        world.clock.advance(timedelta(hours=1))
    assert await world.heard(NoticeKind.ASSIGNED) == ["Raj assigned administrator 1"] * 3
    assert all(BY in note.data for note in await world.notices(NOTE)), "it never reads as if they took it themselves"


@pytest.mark.behaviour("N-10", "N-11")
async def test_a_claim_that_ends_by_itself_is_told_like_one_that_was_given_back(world: World) -> None:
    (lapse,) = await told_in_a_channel(world)
    await world.claim(lapse, world.ana)
    await world.tell()
    (direct,) = world.chat.to("Ana")
    drawn = len(direct.shown)
    assert await world.releases().run_once() == 0
    world.clock.advance(timedelta(days=1))
    assert await world.releases().run_once() == 1
    assert await world.releases().run_once() == 0
    await world.tell()
    (note,) = await world.notices(NOTE)
    assert note.data[WHAT] == EventKind.RELEASED
    assert WHOM not in note.data
    assert len(direct.shown) == drawn + 1


@pytest.mark.behaviour("N-11")
async def test_the_end_of_a_snooze_draws_the_snoozers_own_messages_anew_and_nobody_elses(world: World) -> None:
    await world.person("Raj", Role.ADMINISTRATOR)
    (lapse,) = await told_in_a_channel(world)
    await world.mute(lapse, world.ana, days=1)
    async with world.storage.transaction() as uow:
        redrawn = await uow.notices.redraw_for(world.organization.id, [lapse], world.ana.id, world.clock.now())
    await world.send()
    shown = {post.address.external_id: len(post.shown) for post in world.chat.posts}
    assert (redrawn, shown) == (1, {"Ana": 2, "Raj": 1, "C1": 1}), "the presser's own message shows the snooze"
    world.clock.advance(timedelta(days=1))
    assert await world.releases().run_once() == 1
    await world.tell()
    shown = {post.address.external_id: len(post.shown) for post in world.chat.posts}
    assert shown == {"Ana": 3, "Raj": 1, "C1": 1}
    assert await world.notices(NOTE) == []
