"""Many lapses at once, or in quick succession, are calm messages (N-4, X-8)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.notices.data import NAMES, NETWORK, POSITION
from commands.model import Role
from commands.ports.network import Grouping
from commands.ports.notices import NoticeKind
from tests.notices.world import World

LAPSED = NoticeKind.LAPSED


@pytest.mark.behaviour("N-4", "X-8")
async def test_five_hundred_accounts_of_one_login_are_one_message_for_each_reader(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.subscribe(mei, "C1")
    await world.lapse(*await world.connections(500))
    await world.tell()
    assert await world.heard(LAPSED) == [
        "Ana lapsed connector 500",
        "C1 lapsed channel 500",
        "Chief lapsed administrator 500",
        "Mei lapsed subscriber 500",
    ]
    assert len(world.chat.posts) == 4


@pytest.mark.behaviour("N-4", "X-8")
async def test_five_hundred_logins_of_one_network_are_one_message_for_each_reader(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    await world.lapse(*await world.logins(500))
    await world.tell()
    assert await world.heard(LAPSED) == [
        "Ana lapsed connector 500",
        "C1 lapsed channel 500",
        "Chief lapsed administrator 500",
    ]
    assert len(world.chat.posts) == 3
    for notice in await world.notices(LAPSED):
        assert notice.data == {NETWORK: "examplenet"}
        assert set(notice.data) <= NAMES[LAPSED]


@pytest.mark.behaviour("N-4", "X-8")
async def test_lapses_that_come_in_one_by_one_are_three_messages_and_one_that_grows(world: World) -> None:
    for _ in range(9):
        await world.lapse(await world.connection(await world.login()))
        await world.tell()
        world.clock.advance(timedelta(seconds=20))
    assert [len(one.lapse_ids) for one in await world.notices(LAPSED)] == [1, 1, 1, 6]
    assert [len(post.shown) for post in world.chat.to("Ana")] == [1, 1, 1, 6]
    world.clock.advance(timedelta(minutes=11))
    await world.lapse(await world.connection(await world.login()))
    await world.tell()
    assert len(world.chat.to("Ana")) == 5, "what comes later is news"


@pytest.mark.behaviour("N-4")
async def test_each_network_is_counted_by_itself(world: World) -> None:
    await world.rule(grouping=Grouping.EACH)
    for network in ("examplenet", "othernet"):
        await world.lapse(*[await world.connection(await world.login(), network=network) for _ in range(3)])
        await world.plan()
    notices = await world.notices(LAPSED)
    assert [len(one.lapse_ids) for one in notices] == [1] * 6
    assert {one.data[POSITION] for one in notices} == {"1", "2", "3"}


@pytest.mark.behaviour("N-4")
async def test_an_organization_that_wants_a_summary_gets_one(world: World) -> None:
    await world.rule(grouping=Grouping.SUMMARY)
    await world.lapse(*await world.logins(3))
    await world.plan()
    assert await world.heard(LAPSED) == ["Ana lapsed connector 3"]


@pytest.mark.behaviour("N-7")
async def test_staff_who_did_not_opt_in_get_no_message(world: World) -> None:
    await world.person("Mei", Role.STAFF)
    await world.person("Quiet", Role.ADMINISTRATOR, immediate_notices=False)
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert [post.address.external_id for post in world.chat.posts] == ["Ana"]


@pytest.mark.behaviour("X-11", "N-8")
async def test_a_workspace_that_is_narrowed_hears_of_its_clients_alone(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    async with world.storage.transaction() as uow:
        for workspace in await uow.organizations.workspaces(world.organization.id):
            narrowed = replace(workspace, client_ids=frozenset({world.brio}))
            await uow.organizations.update_workspace(narrowed)
    login = await world.login()
    acme, brio = await world.connection(login), await world.connection(login, client=world.brio)
    lapses = await world.lapse(acme, brio)
    await world.plan()
    (channel,) = [one for one in await world.notices(LAPSED) if one.channel is not None]
    assert channel.lapse_ids == (lapses[1],)
