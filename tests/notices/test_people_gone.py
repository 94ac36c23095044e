"""People whose chat accounts are gone, or who leave: found, told, and taken over from (X-6, A-5, N-12)."""

from datetime import timedelta

import pytest

from bot.notices.data import DEACTIVATED, GONE, HOW, LEFT, NAMES, WHOM, ids_in
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.model import Identity, Parent, Person, Role
from commands.passes import make_pass
from commands.ports.chat import AccountKind, Profile
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from commands.ports.reconnecting import PassPurpose
from tests.notices.world import PUBLIC_URL, World

SUCCESSION = NoticeKind.SUCCESSION
GONE_NOW = Profile(kind=AccountKind.GONE, name="Ana")


@pytest.mark.behaviour("X-6", "A-5")
async def test_when_somebody_is_deactivated_administrators_and_the_deputy_are_asked_before_anything_lapses(
    world: World,
) -> None:
    chief, mia = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR), await world.person("Mia")
    await world.change(world.ana, deputy_id=mia.id)
    await world.subscribe(world.ana)
    await world.connections(2)
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    assert await world.roster().run_once() == 3
    await world.tell()
    assert await world.heard(SUCCESSION) == ["Chief succession administrator 0", "Mia succession stand_in 0"]
    notice = (await world.notices(SUCCESSION))[0]
    assert ids_in(notice, WHOM) == [world.ana.id]
    assert notice.data[HOW] == DEACTIVATED
    assert set(notice.data) <= NAMES[SUCCESSION]
    async with world.storage.reading() as uow:
        assert await uow.subscriptions.of(world.organization.id, person_id=world.ana.id, channel=None) == []
    assert [post.address.external_id for post in world.chat.posts if post.address.external_id == "Ana"] == []
    assert chief.name in [post.address.external_id for post in world.chat.posts]


@pytest.mark.behaviour("A-5")
async def test_when_an_administrator_says_that_somebody_leaves_the_same_is_asked_once(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.connections(1)
    await world.change(world.ana, left_at=world.clock.now())
    await world.event(EventKind.PERSON_GONE, person_id=world.ana.id)
    await world.plan()
    (notice,) = await world.notices(SUCCESSION)
    assert notice.data[HOW] == LEFT
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    await world.roster().run_once()
    await world.plan()
    assert len(await world.notices(SUCCESSION)) == 1, "that the account goes too is no news"


@pytest.mark.behaviour("A-5")
async def test_of_somebody_on_whom_nothing_hangs_nobody_is_told(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    subscription = await world.subscribe(mei)
    await world.event(EventKind.PERSON_GONE, person_id=mei.id)
    await world.plan()
    assert await world.notices(SUCCESSION) == []
    async with world.storage.reading() as uow:
        assert subscription not in await uow.subscriptions.all(world.organization.id)


@pytest.mark.behaviour("A-4", "A-5")
async def test_what_they_and_channels_in_their_name_heard_ends_each_with_an_entry(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.subscribe(mei, channel="C1", network="examplenet")
    world.chat.profiles["T1", "Mei"] = GONE_NOW
    await world.roster().run_once()
    await world.plan()
    async with world.storage.reading() as uow:
        assert await uow.subscriptions.all(world.organization.id) == []
        entries = await uow.audit.latest(world.organization.id, limit=9, words="subscription.ended")
    assert {(each.actor_id, each.subject.split(" ")[0], each.detail["network"]) for each in entries} == {
        (None, "person", "all"),
        (None, "channel", "examplenet"),
    }
    assert {(each.detail["person"], each.detail["why"]) for each in entries} == {("Mei", "chat account deactivated")}


@pytest.mark.behaviour("X-6")
async def test_an_answer_that_is_not_certain_changes_nothing_and_is_asked_for_again(world: World) -> None:
    world.chat.profiles["T1", "Ana"] = DeliveryError(DeliveryErrorKind.RETRY, "ratelimited")
    assert await world.roster().run_once() == 1
    assert await world.roster().run_once() == 0
    assert await world.notices(SUCCESSION) == []
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    world.clock.advance(timedelta(minutes=61))
    assert await world.roster().run_once() == 1
    async with world.storage.reading() as uow:
        ((ana,),) = (await uow.people.identities(world.organization.id, [world.ana.id])).values()
    assert ana.gone_at == world.clock.now()


@pytest.mark.behaviour("X-6")
async def test_somebody_with_another_chat_account_is_not_gone_until_that_is(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.link(world.ana, "otherchat")
    await world.connections(1)
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    await world.roster().run_once()
    await world.plan()
    assert await world.notices(SUCCESSION) == []
    world.chats["otherchat"].profiles["T1", "Ana"] = GONE_NOW
    world.clock.advance(timedelta(days=1, minutes=1))
    await world.roster().run_once()
    await world.plan()
    assert await world.planned(SUCCESSION) == ["Chief succession administrator 0"]


@pytest.mark.behaviour("X-6")
async def test_where_ids_are_unique_everywhere_somebody_is_gone_only_once_they_are_in_no_place(world: World) -> None:
    zoe = await world.person("Zoe", chat=None)
    await world.link(zoe, "otherchat", tenant="")
    other = world.chats["otherchat"]
    other.profiles["T1", "Zoe"] = DeliveryError(DeliveryErrorKind.RETRY, "not now")
    await world.roster().run_once()
    async with world.storage.reading() as uow:
        assert (await uow.people.identities(world.organization.id, [zoe.id]))[zoe.id][0].gone_at is None
    other.profiles["T1", "Zoe"] = GONE_NOW
    world.clock.advance(timedelta(hours=2))
    await world.roster().run_once()
    async with world.storage.reading() as uow:
        assert (await uow.people.identities(world.organization.id, [zoe.id]))[zoe.id][0].gone_at is not None


async def test_a_platform_tells_a_time_zone_that_nobody_gave(world: World) -> None:
    world.chat.profiles["T1", "Ana"] = Profile(kind=AccountKind.MEMBER, name="Ana", time_zone="Asia/Kathmandu")
    await world.roster().run_once()
    async with world.storage.reading() as uow:
        assert (await uow.people.get(world.organization.id, world.ana.id)).time_zone == "Asia/Kathmandu"


@pytest.mark.behaviour("N-12")
async def test_of_a_connector_who_is_gone_those_who_can_take_over_hear_at_once_and_why(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.person("Quiet", Role.ADMINISTRATOR, immediate_notices=False)
    mei, mia = await world.person("Mei", Role.STAFF), await world.person("Mia")
    business = Parent(id="B1", name="Acme EU")
    for who in (mei, mia):
        await world.connection(await world.login(who), connector=who, parent=business)
    connection = await world.connection(await world.login(), parent=business)
    await world.gone(world.ana)
    await world.lapse(connection)
    await world.tell()
    assert await world.planned(NoticeKind.LAPSED, NoticeKind.UNDELIVERED) == [
        "Ana lapsed connector 1",
        "Chief lapsed stand_in 1",
        "Mei lapsed stand_in 1",
        "Quiet lapsed stand_in 1",
    ]
    chief = next(one for one in await world.notices(NoticeKind.LAPSED) if one.data.get(GONE))
    assert ids_in(chief, GONE) == [world.ana.id]


@pytest.mark.behaviour("N-12", "N-19")
async def test_of_a_connector_who_cannot_be_reached_for_good_the_same_hear(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.person("Quiet", Role.ADMINISTRATOR, immediate_notices=False)
    mei = await world.person("Mei", Role.STAFF)
    business = Parent(id="B1", name="Acme EU")
    await world.connection(await world.login(mei), connector=mei, parent=business)
    connection = await world.connection(await world.login(), parent=business)
    for who in ("Ana", "ana@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "cannot_dm_user")
    await world.lapse(connection)
    await world.tell()
    await world.send()
    assert await world.planned(NoticeKind.LAPSED, NoticeKind.UNDELIVERED) == [
        "Ana lapsed connector 1",
        "Chief lapsed administrator 1",
        "Chief undelivered administrator 1",
        "Mei lapsed stand_in 1",
        "Quiet undelivered administrator 1",
    ]


@pytest.mark.behaviour("X-6", "R-13")
async def test_bearer_links_of_who_is_deactivated_and_those_they_handed_out_end_and_a_one_time_link_stays(
    world: World,
) -> None:
    mei = await world.person("Mei", Role.STAFF)
    now = world.clock.now()
    async with world.storage.transaction() as uow:
        for whom, by, purpose in (
            (world.ana, None, PassPurpose.ACCOUNTS),
            (world.ana, None, PassPurpose.CALENDAR),
            (world.ana, mei.id, PassPurpose.IDENTITY),
            (mei, world.ana.id, PassPurpose.ACCOUNTS),
        ):
            await make_pass(uow, PUBLIC_URL, whom, purpose, made_by=by, now=now)
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    await world.roster().run_once()
    async with world.storage.reading() as uow:
        (own,) = await uow.passes.of(world.organization.id, world.ana.id, PassPurpose.ACCOUNTS)
        (calendar,) = await uow.passes.of(world.organization.id, world.ana.id, PassPurpose.CALENDAR)
        (one_time,) = await uow.passes.of(world.organization.id, world.ana.id, PassPurpose.IDENTITY)
        (handed_out,) = await uow.passes.of(world.organization.id, mei.id, PassPurpose.ACCOUNTS)
    assert calendar.withdrawn_at == now
    assert (own.withdrawn_at, one_time.withdrawn_at, handed_out.withdrawn_at) == (now, None, now)


@pytest.mark.behaviour("X-6")
async def test_who_was_gone_and_is_back_is_found_within_a_week(world: World) -> None:
    world.chat.profiles["T1", "Ana"] = GONE_NOW
    await world.roster().run_once()
    del world.chat.profiles["T1", "Ana"]
    world.clock.advance(timedelta(days=6))
    await world.roster().run_once()
    assert [each.gone_at is None for each in await accounts_of(world, world.ana)] == [False]
    world.clock.advance(timedelta(days=2))
    await world.roster().run_once()
    assert [each.gone_at is None for each in await accounts_of(world, world.ana)] == [True]


async def accounts_of(world: World, person: Person) -> tuple[Identity, ...]:
    async with world.storage.reading() as uow:
        return (await uow.people.identities(world.organization.id, [person.id])).get(person.id, ())


async def test_whom_nobody_here_named_is_called_as_their_profile_does(world: World) -> None:
    mei = await world.person("mei", Role.PRIMARY_ADMINISTRATOR, email=None)
    world.chat.profiles["T1", "mei"] = Profile(kind=AccountKind.MEMBER, name="Mei Lin")
    world.chat.profiles["T1", "Ana"] = Profile(kind=AccountKind.MEMBER, name="ana of the night")
    await world.roster().run_once()
    async with world.storage.reading() as uow:
        known = await uow.people.many(world.organization.id, [mei.id, world.ana.id])
    assert known[mei.id].name == "Mei Lin", "of whoever claimed a workspace only the handle came along"
    assert known[world.ana.id].name == "Ana", "whoever has an email address was named with it"
