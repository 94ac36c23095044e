"""Messages composed at the moment of sending, from what holds then."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.notices.composer import Suppress
from bot.notices.data import CONNECTION, DAYS, ENDS, HOW, LEFT, WHOM, ids_text
from commands.ids import NoteId, new_id
from commands.messages import Button, LinkButton, Message, Tone
from commands.model import LapseNote, Role
from commands.ports.notices import NoticeKind, Part
from storage.tables import authorizations, connections
from tests.commands.plain import buttons, plain
from tests.notices.composing import NEWS, compose, counted, ending, message, told, write
from tests.notices.world import World
from tests.support.buttons import all_buttons


async def test_a_batch_costs_as_many_statements_as_one_message(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C0")
    await world.lapse(*await world.connections(1))
    await world.plan()
    with counted() as few:
        await compose(world)
    for number in range(1, 30):
        await world.subscribe(mei, f"C{number}")
    await world.lapse(*await world.connections(3))
    await world.plan()
    with counted() as many:
        assert sum(map(len, (await compose(world)).values())) > 80
    assert len(many) == len(few)
    assert len(few) <= 16


@pytest.mark.behaviour("N-8")
async def test_staff_limited_to_a_client_read_of_no_other(world: World) -> None:
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.brio}))
    await world.subscribe(lee, "C1")
    login = await world.login()
    await world.lapse(
        *[await world.connection(login) for _ in range(2)],
        *[await world.connection(login, client=world.brio) for _ in "12"],
    )
    await world.plan()
    texts = [plain(message) for message in (await compose(world))["C1"] if isinstance(message, Message)]
    assert len(texts) == 2
    assert all("Brio" in text and "Acme" not in text for text in texts)
    assert all("2 accounts, 1 client" in text for text in texts)


@pytest.mark.behaviour("X-11", "N-8")
async def test_one_lapse_is_told_to_two_houses_each_with_its_own_clients(world: World) -> None:
    login = await world.login()
    lapses = await world.lapse(
        *[await world.connection(login) for _ in "12"],
        *[await world.connection(login, client=world.brio) for _ in "123"],
    )
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.subscribe(chief, "C1")
    house = replace(NEWS, platform="otherchat")
    async with world.storage.transaction() as uow:
        (there,) = [
            one for one in await uow.organizations.workspaces(world.organization.id) if one.platform == "otherchat"
        ]
        await uow.organizations.update_workspace(replace(there, client_ids=frozenset({world.brio})))
    own = await told(world, NoticeKind.LAPSED, Part.CHANNEL, chief, lapses=lapses, channel=NEWS, shown=True)
    theirs = await told(
        world, NoticeKind.LAPSED, Part.CHANNEL, chief, lapses=lapses, channel=house, platform="otherchat", shown=True
    )
    assert "5 accounts · clients Acme, Brio" in plain(message(own))
    assert "3 accounts · client Brio" in plain(message(theirs))
    assert "Acme" not in plain(message(theirs))


@pytest.mark.behaviour("X-11", "N-11")
async def test_a_claim_shows_in_every_live_message_until_it_ends(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    await world.claim(lapse, raj)
    for platform in ("examplechat", "otherchat"):
        channel = replace(NEWS, platform=platform)
        shown = await told(
            world, NoticeKind.LAPSED, Part.CHANNEL, raj, lapses=[lapse], channel=channel, platform=platform, shown=True
        )
        assert "👤 @Raj is on it until" in plain(message(shown))
    world.clock.advance(timedelta(days=1, seconds=1))
    over = await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse], shown=True)
    assert "is on it" not in plain(message(over))


@pytest.mark.behaviour("N-10")
async def test_notes_are_read_for_direct_messages_alone(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    note = LapseNote(
        id=NoteId(new_id(world.clock.now())),
        organization_id=world.organization.id,
        lapse_id=lapse,
        person_id=world.ana.id,
        person_name="Ana",
        text="IT resets it at noon",
        at=world.clock.now(),
    )
    async with world.storage.transaction() as uow:
        await uow.lapses.add_note(note)
    own = await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse])
    assert "You wrote" in plain(message(own))
    with counted() as statements:
        channel = await told(
            world, NoticeKind.LAPSED, Part.CHANNEL, world.ana, lapses=[lapse], channel=NEWS, shown=True
        )
    assert "IT resets" not in plain(message(channel))
    assert not any("notes" in statement or "mutes" in statement for statement in statements)


@pytest.mark.behaviour("D-2", "N-8")
async def test_a_warning_shows_what_hangs_on_the_login_as_far_as_the_reader_may_see(world: World) -> None:
    login, ends = await ending(world)
    data = {DAYS: "7", ENDS: ends}
    own = message(await told(world, NoticeKind.EXPIRING, Part.CONNECTOR, world.ana, authorization=login, data=data))
    assert "🕒 Expiring in 7 days: *Examplenet login of Ana* · 2 accounts · clients Acme, Brio" in plain(own)
    assert isinstance(buttons(own)["Renew"], LinkButton)
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.brio}))
    await world.subscribe(lee)
    theirs = message(await told(world, NoticeKind.EXPIRING, Part.SUBSCRIBER, lee, authorization=login, data=data))
    assert "client Brio" in plain(theirs)
    assert "Acme" not in plain(theirs)
    assert isinstance(buttons(theirs)["Renew"], Button)


@pytest.mark.behaviour("D-2", "N-10")
async def test_a_warning_turns_green_when_the_login_is_renewed_and_is_not_sent_any_more(world: World) -> None:
    login, ends = await ending(world)
    data = {DAYS: "7", ENDS: ends}
    later = world.clock.now() + timedelta(days=60)
    await write(world, update(authorizations).where(authorizations.c.id == login).values(ends_at=later))
    shown = await told(
        world, NoticeKind.EXPIRING, Part.CONNECTOR, world.ana, authorization=login, data=data, shown=True
    )
    assert plain(message(shown)).startswith("✅ Renewed: *Examplenet login of Ana*")
    assert message(shown).tone is Tone.GOOD
    unsent = await told(world, NoticeKind.EXPIRING, Part.CONNECTOR, world.ana, authorization=login, data=data)
    assert unsent == Suppress("it was renewed before it was told")


@pytest.mark.behaviour("N-16", "D-2")
async def test_a_digest_holds_lapses_and_warnings_with_the_readers_own_links(world: World) -> None:
    login, _ = await ending(world)
    lapses = await world.lapse(*await world.connections(2))
    digest = message(await told(world, NoticeKind.DIGEST, Part.OWNER, world.ana, lapses=lapses, authorization=login))
    assert plain(digest).startswith("🔒 Daily digest: 2 accounts lapsed · client Acme · 1 login expiring soon")
    own = [button for button in all_buttons(digest) if button.label in ("Reconnect", "Renew")]
    assert len(own) == 3
    assert all(isinstance(button, LinkButton) for button in own)


@pytest.mark.behaviour("X-6", "N-8")
async def test_a_deputy_reads_how_many_accounts_of_which_clients_are_offered_to_them_and_whom_to_ask(
    world: World,
) -> None:
    login = await world.login()
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.brio}))
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    for client in (world.acme, world.brio, world.brio):
        await world.connection(login, client=client, owner=world.ana)
    data = {WHOM: ids_text([world.ana.id]), HOW: LEFT}
    nothing = plain(message(await told(world, NoticeKind.SUCCESSION, Part.STAND_IN, lee, data=data)))
    assert "Acme" not in nothing, "who is no deputy reads of their clients alone"
    await world.change(world.ana, deputy_id=lee.id)
    theirs = plain(message(await told(world, NoticeKind.SUCCESSION, Part.STAND_IN, lee, data=data)))
    assert "*3 accounts* · clients Brio 2, Acme 1" in theirs
    assert "Examplenet, owned: Brio 2 · Acme 1" in theirs
    assert "ask @Chief to make you their owner" in theirs
    assert "Account 1" not in theirs


@pytest.mark.behaviour("N-8", "P-5")
async def test_a_new_owner_reads_of_what_is_theirs_when_it_is_sent(world: World) -> None:
    raj = await world.person("Raj")
    (first, second) = await world.connections(2)
    data = {CONNECTION: ids_text([first, second])}
    unseen = await told(world, NoticeKind.TRANSFERRED, Part.OWNER, raj, data=data)
    assert unseen == Suppress("the reader may not see it any more")
    await write(world, update(connections).where(connections.c.id == first).values(owner_id=raj.id))
    sent = message(await told(world, NoticeKind.TRANSFERRED, Part.OWNER, raj, data=data))
    assert "👤 Yours now: *Examplenet · Account 1*" in plain(sent)
