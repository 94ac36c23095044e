"""From what happened to who is told, on a real store."""

from datetime import timedelta

import pytest

from bot.doctor import unheard
from commands.errors import DeliveryErrorKind
from commands.model import LapseEnd, Role, Verdict
from commands.ports.chat import Check
from commands.ports.events import EventKind
from commands.ports.notices import NO_ADDRESS, DeliveryState, NoticeKind
from tests.commands.plain import buttons, plain
from tests.notices.world import World


@pytest.mark.behaviour("N-1")
async def test_the_connector_is_told_with_a_reconnect_button_of_their_own(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.tell()
    (post,) = world.chat.posts
    assert post.address.external_id == "Ana"
    assert plain(post.message).startswith("🔒 Lapsed: *Examplenet · Account 1* · `1001` · client Acme\n")
    assert "https://lapses.example/r/" in str(buttons(post.message)["Reconnect"])


async def test_events_are_gathered_before_they_are_told(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    assert await world.planner().run_once() == 0
    world.clock.advance(timedelta(seconds=2))
    assert await world.planner().run_once() == 1
    assert await world.planner().run_once() == 0


@pytest.mark.behaviour("N-4")
async def test_a_login_that_takes_four_accounts_down_is_one_message(world: World) -> None:
    await world.lapse(*await world.connections(4))
    await world.tell()
    assert len(world.chat.posts) == 1
    assert "4 accounts" in plain(world.chat.posts[0].message)


async def test_three_accounts_of_one_login_are_three_messages_that_know_of_each_other(world: World) -> None:
    await world.lapse(*await world.connections(3))
    await world.tell()
    texts = [plain(post.message) for post in world.chat.posts]
    assert [text.splitlines()[-1] for text in texts] == ["Notice 1 of 3", "Notice 2 of 3", "Notice 3 of 3"]
    assert "spend and reports of 3 accounts, 1 client. The same login also reads Account 2 and Account 3." in texts[0]


@pytest.mark.behaviour("D-6")
async def test_a_lapse_that_ended_before_it_was_planned_is_never_told(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.end(connection, how=LapseEnd.RECOVERED)
    await world.tell()
    assert world.chat.posts == []
    assert await world.outcomes() == {}


@pytest.mark.behaviour("D-6")
async def test_a_lapse_that_ended_before_it_was_sent_is_never_told(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.plan()
    await world.end(connection, how=LapseEnd.RECOVERED)
    await world.tell()
    assert world.chat.posts == []
    assert await world.outcomes() == {"Ana": [(DeliveryState.SUPPRESSED, "it ended before it was told")]}


@pytest.mark.behaviour("N-10")
async def test_every_live_message_turns_green_in_place(world: World) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    await world.subscribe(raj, "C1")
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.tell()
    world.clock.advance(timedelta(minutes=90))
    await world.end(connection, by=raj)
    await world.tell()
    assert sorted(post.address.external_id for post in world.chat.posts) == ["Ana", "C1", "Raj"]
    for post in world.chat.posts:
        assert len(post.shown) == 2
        assert plain(post.message).startswith("✅ Restored: *Examplenet · Account 1* · `1001` · client Acme · by ")
        assert buttons(post.message) == {}
    assert "after 1 h 30 min" in plain(world.chat.to("C1")[0].message)


async def test_part_of_a_login_that_is_back_is_ticked_off_in_the_same_message(world: World) -> None:
    connections = await world.connections(5)
    await world.lapse(*connections)
    await world.tell()
    await world.end(*connections[:3], by=world.ana)
    await world.tell()
    (post,) = world.chat.posts
    assert "3 of 5 accounts back" in plain(post.message)
    assert "Reconnect" in buttons(post.message)


async def test_a_claim_shows_in_every_live_message(world: World) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    await world.claim(lapse, raj)
    await world.tell()
    assert "👤 @Raj is on it" in plain(world.chat.to("Ana")[0].message)
    assert "👤 You are on it" in plain(world.chat.to("Raj")[0].message)


@pytest.mark.behaviour("N-9")
async def test_a_message_in_a_channel_carries_no_personal_link(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    await world.lapse(*await world.connections(1))
    await world.tell()
    (post,) = world.chat.to("C1")
    assert "/r/" not in repr(post.message)
    assert "Reconnect" in buttons(post.message)


@pytest.mark.behaviour("N-2")
async def test_who_opted_in_reads_who_connected_it_and_whether_they_know(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    assert "Connected by @Ana, who is being told now." in plain(world.chat.to("Mei")[0].message)
    await world.claim(lapse, mei)
    await world.tell()
    assert "Connected by @Ana, who was told <ago " in plain(world.chat.to("Mei")[0].message)


async def test_reconnect_is_not_offered_where_it_does_not_help(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    await world.lapse(*await world.connections(1), cause=Verdict.ACCOUNT_DISABLED)
    await world.tell()
    for post in world.chat.posts:
        assert not {"Reconnect", "I can do it"} & set(buttons(post.message))


async def test_whoever_has_no_proved_account_is_found_by_email_in_the_workspace(world: World) -> None:
    raj = await world.person("Raj", Role.OWNER, chat=None)
    login = await world.login(raj)
    await world.lapse(await world.connection(login, connector=raj))
    await world.tell()
    assert [post.address.external_id for post in world.chat.posts] == ["raj@acme.example"]


@pytest.mark.behaviour("N-19")
async def test_administrators_are_told_of_a_reader_without_any_address(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    raj = await world.person("Raj", Role.OWNER, chat=None, email=None)
    await world.lapse(await world.connection(await world.login(raj), connector=raj))
    await world.tell()
    texts = [plain(post.message) for post in world.chat.to("Chief")]
    assert len(texts) == 2
    assert any("Raj could not be told (`no address known`)" in text for text in texts)


async def test_whoever_has_a_link_of_theirs_opened_by_somebody_else_is_told(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.link_refused(world.ana, connection, "Bob")
    await world.link_refused(world.ana, connection, "Eve")
    await world.tell()
    texts = sorted(plain(post.message) for post in world.chat.to("Ana"))
    assert len(texts) == 2
    assert texts[0].startswith("❗ Link refused: *Examplenet · Account 1*")
    assert "signed in as Bob" in texts[0]


async def test_what_another_process_planned_is_not_planned_again(world: World) -> None:
    await world.lapse(*await world.connections(1))
    world.clock.advance(timedelta(seconds=2))
    first, second = world.planner(), world.planner()
    assert sorted([await first.run_once(), await second.run_once()]) == [0, 1]
    assert len(await world.deliveries()) == 1


async def test_two_organizations_hear_only_of_their_own(world: World) -> None:
    await world.lapse(*await world.connections(1))
    other = await world.person("Zoe", Role.STAFF)
    await world.tell()
    assert world.chat.to(other.name) == []


@pytest.mark.behaviour("N-2")
async def test_a_nudge_reaches_the_connector_once_with_the_name_of_who_asks(world: World) -> None:
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    for _ in range(2):
        await world.nudge(lapse, world.ana, "Raj Patel")
        await world.tell()
    nudges = [post for post in world.chat.posts if "asks you to look at this" in plain(post.message)]
    assert [post.address.external_id for post in nudges] == ["Ana"]
    assert "*Raj Patel* asks you to look at this." in plain(nudges[0].message)
    assert "Reconnect" in buttons(nudges[0].message)


@pytest.mark.behaviour("N-2")
async def test_a_nudge_of_another_day_reaches_them_again(world: World) -> None:
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.tell()
    for day in ("2026-11-23", "2026-11-23", "2026-11-24"):
        await world.nudge(lapse, world.ana, "Raj Patel", day)
        await world.tell()
    nudges = [post for post in world.chat.posts if "asks you to look at this" in plain(post.message)]
    assert [post.address.external_id for post in nudges] == ["Ana", "Ana"]


@pytest.mark.behaviour("N-11")
async def test_who_said_that_it_is_not_theirs_is_nudged_no_more(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.tell()
    await world.mute(lapse, world.ana, None)
    await world.nudge(lapse, world.ana, "Raj Patel")
    await world.plan()
    assert await world.notices(NoticeKind.NUDGED) == []


async def test_an_event_that_cannot_be_planned_keeps_no_other_waiting(world: World) -> None:
    await world.event(EventKind.DRILL_STARTED, data={"drill": "no id at all"})
    await world.lapse(*await world.connections(5))
    assert await world.plan() == 5
    assert await world.planned(NoticeKind.LAPSED) == ["Ana lapsed connector 5"]
    assert await world.planner().run_once() == 0


@pytest.mark.behaviour("N-19")
async def test_what_reached_nobody_not_even_an_administrator_is_counted_with_its_reason(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR, email=None, chat=None)
    mei = await world.person("Mei", Role.STAFF, email=None)
    since = world.clock.now()
    (lapse,) = await world.lapse(*await world.connections(1))
    await world.subscribe(mei)
    await world.tell()
    await world.event(EventKind.NOT_MINE, lapse_id=lapse, person_id=world.ana.id)
    await world.nudge(lapse, world.ana, "Mei")
    for who in ("Ana", "ana@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "cannot_dm_user")
    for _ in range(2):
        await world.tell()
    async with world.storage.reading() as uow:
        lost = await uow.notices.undelivered(world.organization.id, since=since)
        assert await uow.notices.undelivered(world.organization.id, since=world.clock.now() + timedelta(days=1)) == {}
    assert lost == {"cannot_dm_user": 1, NO_ADDRESS: 2}, "the nudge; not mine, and that the nudge was lost"
    said = await unheard(world.storage, world.organization, world.clock.now())
    assert (said.subject, said.check) == ("Messages of Acme Group", Check.WARNING)
    assert said.found.endswith("reached somebody: 2 × no address known, 1 × cannot_dm_user")
    later = await unheard(world.storage, world.organization, world.clock.now() + timedelta(days=8))
    assert later.check is Check.GOOD
