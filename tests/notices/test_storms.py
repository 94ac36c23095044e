"""Many lapses at once, or in quick succession, are calm messages (N-4, X-8)."""

import re
from datetime import timedelta

import pytest

from bot.notices.data import NAMES, NETWORK, POSITION
from commands.errors import DeliveryErrorKind
from commands.model import Role
from commands.ports.network import Grouping
from commands.ports.notices import NoticeKind
from tests.commands.plain import plain
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
    assert await world.planned(LAPSED) == ["Ana lapsed connector 3"]


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
    await world.narrow("examplechat", world.brio)
    login = await world.login()
    acme, brio = await world.connection(login), await world.connection(login, client=world.brio)
    lapses = await world.lapse(acme, brio)
    await world.plan()
    (channel,) = [one for one in await world.notices(LAPSED) if one.channel is not None]
    assert channel.lapse_ids == (lapses[1],)


@pytest.mark.behaviour("X-11")
async def test_one_lapse_in_two_houses_is_in_step_and_each_sees_its_own_clients(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    await world.subscribe(mei, "C2", chat="otherchat")
    await world.narrow("otherchat", world.brio)
    login = await world.login()
    accounts = [await world.connection(login, client=client) for client in (world.acme, world.acme, world.brio)]
    accounts += [await world.connection(login) for _ in range(2)]
    lapses = await world.lapse(*accounts)
    await world.tell()
    ours, theirs = world.chat.to("C1")[0], world.chats["otherchat"].to("C2")[0]
    assert "Account 3" in plain(theirs.message)
    assert not {f"Account {number}" for number in (1, 2, 4, 5)} & set(re.findall(r"Account \d", plain(theirs.message)))
    for lapse in lapses:
        await world.claim(lapse, world.ana)
    await world.tell()
    assert "is on it" in plain(ours.message)
    assert "is on it" in plain(theirs.message)
    await world.end(*accounts, by=world.ana)
    await world.tell()
    assert [plain(post.message)[0] for post in (ours, theirs)] == ["✅", "✅"]
    assert "Account 1" not in plain(theirs.message)


@pytest.mark.behaviour("N-4", "N-1")
async def test_what_lapses_again_after_notices_that_nobody_got_is_told(world: World) -> None:
    logins = await world.logins(5)
    await world.lapse(*logins)
    await world.plan()
    await world.end(*logins, by=None)
    await world.plan()
    await world.send()
    assert world.chat.to("Ana") == []
    world.clock.advance(timedelta(minutes=3))
    await world.lapse(*logins)
    await world.tell()
    assert world.chat.to("Ana") != []


@pytest.mark.behaviour("N-4", "N-14")
async def test_lapses_that_come_in_over_minutes_all_reach_a_reader_of_email(world: World) -> None:
    mail = world.with_email()
    for who in ("Ana", "ana@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    for login in await world.logins(9):
        await world.lapse(login)
        await world.tell()
        world.clock.advance(timedelta(seconds=20))
    told = "\n".join(plain(post.message) for post in mail.posts)
    assert {f"Account {number}" for number in range(1, 10)} <= set(re.findall(r"Account \d", told))
