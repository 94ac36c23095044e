"""Fire drills: starting one, saying that its message arrived, and seeing how it goes (X-12)."""

from datetime import timedelta

import pytest

from commands.actions import drill_answer_action
from commands.ids import DrillId, new_id, to_wire
from commands.model import Drill
from commands.ports.events import EventKind
from tests.commands.plain import plain
from tests.commands.world import World

pytestmark = pytest.mark.behaviour("X-12")


async def latest(world: World) -> Drill:
    async with world.storage.reading() as uow:
        found = await uow.drills.latest(world.organization.id)
    assert found is not None
    return found


async def test_a_drill_is_started_for_a_client_and_everybody_is_told_of_it(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "drill Acme"))
    assert said.startswith("✅ The drill has begun, for client Acme.")
    made = await latest(world)
    assert made.client_id == world.clients["Acme"]
    assert made.ends_at == world.clock.now() + timedelta(hours=4)
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=10)
    (event,) = [event for each in due for event in each.events if event.kind is EventKind.DRILL_STARTED]
    assert event.data == {"drill": to_wire(made.id)}


async def test_only_one_runs_at_a_time_and_nothing_is_started_by_a_bare_word(world: World) -> None:
    assert plain(await world.typed("ada", "lapse-admin", "drill")).startswith("There has been no drill yet.")
    await world.typed("ada", "lapse-admin", "drill all")
    first = await latest(world)
    assert first.client_id is None
    said = plain(await world.typed("ada", "lapse-admin", "drill Brio"))
    assert said.startswith("*The drill for every client is running*, begun ")
    assert "Nobody answered so far." in said
    assert (await latest(world)).id == first.id


async def test_each_answer_is_noted_once_with_the_time_that_it_took(world: World) -> None:
    await world.typed("ada", "lapse-admin", "drill all")
    drill = await latest(world)
    world.clock.advance(timedelta(minutes=12))
    assert plain(await world.pressed("olga", drill_answer_action(drill.id))).startswith(
        "✅ DRILL: noted, after 12 min."
    )
    assert "you already said so" in plain(await world.pressed("olga", drill_answer_action(drill.id)))
    said = plain(await world.typed("ada", "lapse-admin", "drill"))
    assert "1 person answered so far.\n• Olga Berg, after 12 min" in said


async def test_an_answer_to_a_drill_that_is_over_says_so(world: World) -> None:
    await world.typed("ada", "lapse-admin", "drill all")
    drill = await latest(world)
    world.clock.advance(timedelta(hours=4))
    async with world.storage.transaction() as uow:
        assert await uow.drills.reported(world.organization.id, drill.id, world.clock.now())
    assert "it is already over" in plain(await world.pressed("olga", drill_answer_action(drill.id)))
    said = plain(await world.typed("ada", "lapse-admin", "drill"))
    assert "*The drill for every client is over*" in said
    assert "To start one: `/lapse-admin drill all`" in said
    assert "has begun" in plain(await world.typed("ada", "lapse-admin", "drill all"))


async def test_a_drill_that_is_not_there_is_not_told_from_one_of_somebody_else(world: World) -> None:
    unknown = DrillId(new_id(world.clock.now()))
    assert plain(await world.pressed("olga", drill_answer_action(unknown))).startswith("This is gone")


async def test_a_drill_is_for_one_client_or_all(world: World) -> None:
    assert "I don't know a client called “Acmee”. Did you mean *Acme*?" in plain(
        await world.typed("ada", "lapse-admin", "drill Acmee")
    )
    assert "A drill is for one client, or for all." in plain(
        await world.typed("ada", "lapse-admin", "drill Acme, Brio")
    )
