"""What is told because somebody did something: "not mine", a proposal to retire, a transfer, a link that is sent."""

from datetime import timedelta

import pytest

from bot.notices.data import BY, CONNECTION, MORE, MOST_KEPT, NAMES, WHOM, ids_in
from commands.model import ConnectionState, Role
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from tests.commands.plain import plain
from tests.notices.world import World


@pytest.mark.behaviour("N-11")
async def test_administrators_hear_that_a_connector_says_not_mine(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    lapses = await world.lapse(*await world.connections(5))
    await world.tell()
    for lapse in lapses:
        await world.event(EventKind.NOT_MINE, lapse_id=lapse, person_id=world.ana.id)
    await world.tell()
    (notice,) = await world.notices(NoticeKind.NOT_MINE)
    assert (ids_in(notice, WHOM), len(notice.lapse_ids)) == ([world.ana.id], 5)
    assert set(notice.data) <= NAMES[NoticeKind.NOT_MINE]


@pytest.mark.behaviour("N-11")
async def test_nobody_is_told_that_a_subscriber_says_not_mine(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.event(EventKind.NOT_MINE, lapse_id=lapse, person_id=mei.id)
    await world.plan()
    assert await world.notices(NoticeKind.NOT_MINE) == []


@pytest.mark.behaviour("N-11")
async def test_a_proposal_to_retire_goes_to_those_who_may(world: World) -> None:
    otto, mei = await world.person("Otto"), await world.person("Mei", Role.STAFF)
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    connection = await world.connection(await world.login(), owner=otto)
    await world.event(EventKind.RETIREMENT_PROPOSED, connection_id=connection, person_id=mei.id)
    await world.plan()
    proposed = NoticeKind.RETIREMENT_PROPOSED
    assert await world.planned(proposed) == [
        "Ana retirement_proposed connector 0",
        "Chief retirement_proposed administrator 0",
        "Otto retirement_proposed owner 0",
    ]
    for notice in await world.notices(proposed):
        assert ids_in(notice, CONNECTION) == [connection]
        assert set(notice.data) <= NAMES[proposed]


@pytest.mark.behaviour("N-11")
async def test_a_proposal_that_is_made_again_later_is_told_again(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    for _ in range(2):
        await world.event(EventKind.RETIREMENT_PROPOSED, connection_id=connection, person_id=mei.id)
        await world.plan()
        world.clock.advance(timedelta(days=1))
    assert len(await world.planned(NoticeKind.RETIREMENT_PROPOSED)) == 2


@pytest.mark.behaviour("N-11")
async def test_a_proposal_about_an_account_that_works_loses_its_button_when_it_is_retired(world: World) -> None:
    chief, mei = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR), await world.person("Mei", Role.STAFF)
    connection, other = await world.connections(2)
    for one in (connection, other):
        await world.event(EventKind.RETIREMENT_PROPOSED, connection_id=one, person_id=mei.id)
    await world.tell()
    async with world.storage.transaction() as uow:
        await uow.connections.set_state(world.organization.id, connection, ConnectionState.RETIRED)
    await world.event(EventKind.RETIRED, connection_id=connection, person_id=chief.id)
    await world.tell()
    proposals = [post for post in world.chat.posts if "not in use any more" in plain(post.shown[0])]
    assert len(proposals) == 4
    edited = [post for post in proposals if len(post.shown) > 1]
    assert sorted(post.address.external_id for post in edited) == ["Ana", "Chief"], "of the other nothing changed"
    assert all("[Retire]" in plain(post.shown[0]) and "[Retire]" not in plain(post.message) for post in edited)


async def test_a_new_owner_hears_once_what_is_theirs_and_of_what_is_lapsed_as_owners_do(world: World) -> None:
    mia = await world.person("Mia")
    login = await world.login()
    connections = [await world.connection(login, owner=mia) for _ in range(MOST_KEPT + 2)]
    await world.lapse(connections[0])
    await world.plan()
    for connection in connections:
        await world.event(EventKind.TRANSFERRED, connection_id=connection, person_id=mia.id, data={"by": "Chief"})
    await world.plan()
    (notice,) = await world.notices(NoticeKind.TRANSFERRED)
    assert (len(ids_in(notice, CONNECTION)), notice.data[MORE], notice.data[BY]) == (MOST_KEPT, "2", "Chief")
    assert set(notice.data) <= NAMES[NoticeKind.TRANSFERRED]
    assert await world.planned(NoticeKind.LAPSED) == ["Ana lapsed connector 1", "Mia lapsed owner 1"], "once"


async def test_a_link_to_ones_own_accounts_is_sent(world: World) -> None:
    await world.event(EventKind.LINK_SENT, person_id=world.ana.id, data={"by": "Chief"})
    await world.plan()
    (notice,) = await world.notices(NoticeKind.PERSONAL_LINK)
    assert (notice.person_id, notice.data) == (world.ana.id, {BY: "Chief"})
