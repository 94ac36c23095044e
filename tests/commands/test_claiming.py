"""Claims and notes: who presses at the same moment is told the truth, and nobody floods a channel (N-10, N-11)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commands import actions
from commands.messages import Message
from commands.model import Role
from commands.ports.events import EventKind
from tests.commands.plain import plain
from tests.commands.world import World, open_world, populate


@pytest.fixture
async def on_both(database_url: str) -> AsyncIterator[World]:
    """The agency, over SQLite and over PostgreSQL."""
    async with open_world(database_url) as opened:
        await populate(opened)
        yield opened


async def recorded(world: World, kind: EventKind) -> int:
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=1000)
    return sum(event.kind is kind for each in due for event in each.events)


@pytest.mark.behaviour("N-11")
async def test_of_two_who_press_at_once_one_is_on_it_and_the_other_reads_who(on_both: World) -> None:
    lapse_id = on_both.lapses["Acme DE"]
    for _ in range(5):
        said = await asyncio.gather(*(on_both.pressed(who, actions.claim_action(lapse_id)) for who in ("raj", "sam")))
        mine = [who for who, one in zip(("raj", "sam"), map(plain, said), strict=True) if "You're on it" in one]
        assert len(mine) == 1, [plain(one) for one in said]
        assert sum(" is on it, until " in plain(one) for one in said) == 1
        await on_both.pressed(mine[0], actions.release_action(lapse_id))


@pytest.mark.behaviour("A-5")
async def test_two_primary_administrators_who_change_each_other_at_once_leave_one(on_both: World) -> None:
    for number, words in enumerate(("role {} staff", "leaves {}", "role {} owner")):
        names = [f"pia{number}", f"pam{number}"]
        async with on_both.storage.transaction() as uow:
            others = await uow.people.administrators(on_both.organization.id)
        for name in names:
            await on_both.add_person(f"{name} Holm", Role.PRIMARY_ADMINISTRATOR)
        for other in others:
            email = other.email
            await on_both.typed(names[0], "lapse-admin", f"role {email} staff")
        await asyncio.gather(
            on_both.typed(names[0], "lapse-admin", words.format(f"{names[1]}@example.com")),
            on_both.typed(names[1], "lapse-admin", words.format(f"{names[0]}@example.com")),
        )
        async with on_both.storage.reading() as uow:
            there = await uow.people.administrators(on_both.organization.id)
        assert len([one for one in there if one.role is Role.PRIMARY_ADMINISTRATOR]) == 1


@pytest.mark.behaviour("N-10")
async def test_one_person_does_not_flood_the_channels_that_hear_of_a_lapse(world: World) -> None:
    lapse_id = world.lapses["Acme DE"]
    notes, claims = [], []
    for number in range(12):
        said = await world.sent_off("sam", actions.note_action(lapse_id), {"note": (f"hello {number}",)})
        assert isinstance(said, Message)
        notes.append(plain(said))
        claims.append(plain(await world.pressed("sam", actions.claim_action(lapse_id))))
        await world.pressed("sam", actions.release_action(lapse_id))
    assert sum(one.startswith("You did this 10 times within an hour") for one in notes) == 2
    assert sum(one.startswith("You did this 10 times within an hour") for one in claims) == 2
    async with world.storage.reading() as uow:
        assert len(await uow.lapses.notes(world.organization.id, [lapse_id])) == 10
    assert await recorded(world, EventKind.NOTED) == 10
    assert "You're on it" in plain(await world.pressed("raj", actions.claim_action(lapse_id))), "others may"
    world.clock.advance(timedelta(hours=1))
    again = await world.sent_off("sam", actions.note_action(lapse_id), {"note": ("later",)})
    assert isinstance(again, Message)
    assert "Noted" in plain(again)
