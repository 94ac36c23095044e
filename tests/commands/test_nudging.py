"""Passing a notice on to the person who can mend it."""

from datetime import timedelta

import pytest

from commands.actions import nudge_action
from commands.model import Role
from commands.ports.notices import Event, EventKind
from tests.commands.plain import plain
from tests.commands.world import World


async def nudges(world: World) -> list[Event]:
    """What was written for the planner."""
    later = world.clock.now() + timedelta(hours=1)
    due = await world.services.storage.queues.due_events(now=later, gather=timedelta(0), limit=100)
    return [event for batch in due for event in batch.events if event.kind is EventKind.NUDGED]


@pytest.mark.behaviour("N-2")
async def test_a_nudge_asks_whoever_connected_the_account_and_says_by_whom(world: World) -> None:
    said = plain(await world.pressed("raj", nudge_action(world.lapses["Acme DE"])))
    assert "Ana Ruiz gets a message from you about it, with a Reconnect button." in said
    (event,) = await nudges(world)
    assert (event.person_id, event.data["by"]) == (world.people["ana"].id, "Raj Patel")


@pytest.mark.behaviour("N-2")
async def test_who_connected_it_is_not_nudged_by_themselves(world: World) -> None:
    assert "That would be you" in plain(await world.pressed("ana", nudge_action(world.lapses["Acme DE"])))
    assert await nudges(world) == []


@pytest.mark.behaviour("P-5")
async def test_somebody_who_may_not_see_the_account_cannot_nudge_about_it(world: World) -> None:
    await world.add_person("Lim Ited", Role.STAFF, clients=())
    said = plain(await world.pressed("lim", nudge_action(world.lapses["Acme DE"])))
    assert "Acme DE" not in said
    assert await nudges(world) == []


async def test_nothing_is_asked_for_what_works_again(world: World) -> None:
    await world.restore("Acme DE", by="raj")
    assert "It works again" in plain(await world.pressed("raj", nudge_action(world.lapses["Acme DE"])))
    assert await nudges(world) == []
