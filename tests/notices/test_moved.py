"""Messages about accounts that moved: which business they left for, and who here is connected through it (X-2)."""

from dataclasses import replace

import pytest

from commands.ids import LapseId
from commands.model import Evidence, Parent, Person, Role, Verdict
from commands.ports.notices import NoticeKind, Part
from tests.commands.plain import buttons, plain
from tests.notices.composing import compose, counted, message, told
from tests.notices.world import World

ACME, BRIO = Parent(id="7001", name="Acme EU"), Parent(id="8002", name="Brio Holding")


async def moved(world: World, to: Parent | None = BRIO) -> LapseId:
    login = await world.login()
    (lapse_id,) = await world.lapse(await world.connection(login, parent=ACME), cause=Verdict.ACCOUNT_MOVED)
    async with world.storage.transaction() as uow:
        lapse = await uow.lapses.get(world.organization.id, lapse_id)
        assert lapse is not None
        await uow.lapses.update_cause(replace(lapse, evidence=Evidence(check="test", moved_to=to)))
    return lapse_id


async def bo_there(world: World) -> Person:
    bo = await world.person("Bo Berg", Role.STAFF)
    await world.connection(await world.login(bo), connector=bo, client=world.brio, parent=BRIO)
    return bo


@pytest.mark.behaviour("X-2", "X-1", "R-7")
async def test_the_cause_card_says_where_it_went_and_who_is_connected_there(world: World) -> None:
    lapse_id = await moved(world)
    await bo_there(world)
    ada = await world.person("Ada", Role.PRIMARY_ADMINISTRATOR)
    sent = message(await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, ada, lapses=[lapse_id]))
    said = plain(sent)
    assert "It left the Business *Acme EU* (`7001`) for *Brio Holding* (`8002`)." in said
    assert "@Bo Berg is connected through it already." in said
    assert "Reconnect" not in buttons(sent)
    assert "Check again" in buttons(sent)


@pytest.mark.behaviour("X-2", "N-8")
async def test_a_reader_who_does_not_see_everything_is_told_where_but_not_of_whom(world: World) -> None:
    lapse_id = await moved(world)
    await bo_there(world)
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.acme}))
    await world.subscribe(lee)
    said = plain(message(await told(world, NoticeKind.LAPSED, Part.SUBSCRIBER, lee, lapses=[lapse_id])))
    assert "for *Brio Holding* (`8002`)." in said
    assert "Bo Berg" not in said


@pytest.mark.behaviour("X-2")
async def test_where_the_network_does_not_tell_the_card_says_so(world: World) -> None:
    lapse_id = await moved(world, to=None)
    said = plain(message(await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse_id])))
    assert "Examplenet does not say which Business it is in now" in said


@pytest.mark.behaviour("R-7")
async def test_once_the_move_is_accepted_the_message_offers_to_reconnect(world: World) -> None:
    lapse_id = await moved(world)
    async with world.storage.transaction() as uow:
        lapse = await uow.lapses.get(world.organization.id, lapse_id)
        assert lapse is not None
        await uow.connections.set_parent(world.organization.id, [lapse.connection_id], BRIO)
    ada = await world.person("Ada", Role.PRIMARY_ADMINISTRATOR)
    sent = message(await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, ada, lapses=[lapse_id]))
    assert "The move was accepted: a login of Brio Holding brings it back." in plain(sent)
    assert "I can do it" in buttons(sent)


@pytest.mark.behaviour("X-2", "N-2")
async def test_who_is_asked_because_they_are_connected_there_hears_of_it(world: World) -> None:
    lapse_id = await moved(world)
    bo = await bo_there(world)
    await world.plan()
    await world.nudge(lapse_id, bo, "Mei")
    await world.plan()
    (notice,) = await world.notices(NoticeKind.NUDGED)
    assert (notice.person_id, notice.part) == (bo.id, Part.STAND_IN)


async def test_many_that_moved_cost_two_statements_more_than_none(world: World) -> None:
    await world.lapse(*await world.connections(1))
    await world.plan()
    with counted() as plain_ones:
        await compose(world)
    for _ in range(4):
        await moved(world)
    await bo_there(world)
    await world.plan()
    with counted() as with_moved:
        await compose(world)
    assert len(with_moved) <= len(plain_ones) + 3
