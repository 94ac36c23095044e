"""Passing a notice on to the person who can mend it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.actions import nudge_action
from commands.ids import PersonId, new_id
from commands.model import Role, Verdict
from commands.ports.events import Event, EventKind
from tests.commands.plain import buttons, plain
from tests.commands.world import World


async def nudges(world: World) -> list[Event]:
    """What was written for the planner."""
    later = world.clock.now() + timedelta(days=2)
    due = await world.services.storage.queues.due_events(now=later, gather=timedelta(0), limit=100)
    return [event for batch in due for event in batch.events if event.kind is EventKind.NUDGED]


@pytest.mark.behaviour("N-2")
async def test_a_nudge_asks_whoever_connected_the_account_and_says_by_whom(world: World) -> None:
    said = plain(await world.pressed("raj", nudge_action(world.lapses["Acme DE"])))
    assert "Ana Ruiz gets a message from you about it, with a Reconnect button." in said
    (event,) = await nudges(world)
    assert (event.person_id, event.data["by"]) == (world.people["ana"].id, "Raj Patel")


@pytest.mark.behaviour("N-2")
async def test_each_asker_reaches_them_once_a_day_and_is_told_so(world: World) -> None:
    button = nudge_action(world.lapses["Acme DE"])
    await world.pressed("raj", button)
    assert "You already asked Ana Ruiz today" in plain(await world.pressed("raj", button))
    assert "gets a message from you" in plain(await world.pressed("ada", button))
    world.clock.advance(timedelta(hours=24))
    assert "gets a message from you" in plain(await world.pressed("raj", button))
    asked = await nudges(world)
    assert sorted((event.data["day"], event.data["by"]) for event in asked) == [
        ("2026-11-23", "Ada King"),
        ("2026-11-23", "Raj Patel"),
        ("2026-11-24", "Raj Patel"),
    ]


@pytest.mark.behaviour("N-2", "N-12")
async def test_the_owner_is_asked_where_whoever_connected_it_has_left(world: World) -> None:
    gone = replace(
        world.people["ana"],
        id=PersonId(new_id(world.clock.now())),
        name="Gus Gone",
        email="gus@example.com",
        left_at=world.clock.now(),
    )
    async with world.storage.transaction() as uow:
        await uow.people.add(gone)
    world.people["gus"] = gone
    await world.add_authorization("linkedin", "gus")
    await world.add_connection("Left Page", "linkedin", "Acme", connector="gus", owner="olga", cause=Verdict.REVOKED)
    await world.add_connection("Orphan Page", "linkedin", "Acme", connector="gus", cause=Verdict.REVOKED)
    assert "Olga Berg gets a message" in plain(await world.pressed("raj", nudge_action(world.lapses["Left Page"])))
    (event,) = await nudges(world)
    assert event.person_id == world.people["olga"].id
    said = plain(await world.pressed("raj", nudge_action(world.lapses["Orphan Page"])))
    assert "Nobody is left to ask" in said


@pytest.mark.behaviour("N-2", "N-12")
async def test_the_owner_is_asked_where_the_chat_account_of_whoever_connected_it_is_deactivated(world: World) -> None:
    """By the same rule as the button's."""
    ana = world.people["ana"]
    async with world.storage.transaction() as uow:
        (account,) = (await uow.people.identities(ana.organization_id, [ana.id]))[ana.id]
        await uow.people.looked_at(ana.organization_id, account.id, at=world.clock.now(), gone=True, time_zone=None)
    assert "Ask Olga" in buttons(await world.typed("raj", "lapsed", "who-can acme de"))
    assert "Olga Berg gets a message" in plain(await world.pressed("raj", nudge_action(world.lapses["Acme DE"])))
    assert "Nobody is left to ask" in plain(await world.pressed("raj", nudge_action(world.lapses["Brio Shop"])))


@pytest.mark.behaviour("N-2")
async def test_who_connected_it_is_not_nudged_by_themselves(world: World) -> None:
    said = plain(await world.pressed("ana", nudge_action(world.lapses["Brio Shop"])))
    assert "That would be you: press Reconnect." in said
    assert "Olga Berg gets a message from you" in plain(
        await world.pressed("ana", nudge_action(world.lapses["Acme DE"]))
    ), "the owner, where there is another one"
    assert [event.person_id for event in await nudges(world)] == [world.people["olga"].id]


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
