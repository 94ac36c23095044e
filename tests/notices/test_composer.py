"""Messages composed at the moment of sending, from what holds then."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, event, update

from bot.notices.composer import Composer, Suppress
from bot.notices.data import AUTHORIZATIONS, CONNECTION, DAYS, ENDS, HOW, LEFT, WHOM, ids_text
from bot.notices.personal import SUBSCRIPTIONS
from commands.ids import AuthorizationId, DeliveryId, LapseId, NoteId, NoticeId, from_wire, new_id
from commands.messages import Button, LinkButton, Message, Rows, Tone
from commands.model import Channel, LapseEnd, LapseNote, Mute, Person, Role, Verdict
from commands.plain import all_buttons
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.reconnecting import PassPurpose
from commands.secret import hashed
from storage.tables import authorizations, connections, deliveries, notice_lapses, notices, people
from tests.commands.plain import buttons, plain
from tests.notices.world import PUBLIC_URL, World
from tests.support.chat import FakeChat

NEWS = Channel(platform="examplechat", tenant="T1", external_id="C1")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def composer(world: World) -> Composer:
    return Composer(networks=world.networks, clock=world.clock, public_url=PUBLIC_URL, platforms=world.chats)


async def compose(world: World) -> dict[str, list[Message | Suppress]]:
    """Compose everything that was planned, by address."""
    planned = await world.deliveries()
    async with world.storage.transaction() as uow:
        composed = await composer(world).compose(uow, planned)
    found: dict[str, list[Message | Suppress]] = {}
    for delivery in planned:
        found.setdefault(delivery.address.external_id, []).append(composed[delivery.id])
    return found


async def told(
    world: World,
    kind: NoticeKind,
    part: Part,
    reader: Person,
    *,
    lapses: list[LapseId] | None = None,
    data: Mapping[str, str] | None = None,
    channel: Channel | None = None,
    platform: str = "examplechat",
    authorization: AuthorizationId | None = None,
    shown: bool = False,
    state: DeliveryState = DeliveryState.SENDING,
) -> Message | Suppress:
    """Write a notice in place of all others, and compose its message. `shown`: it was posted already."""
    for table in (deliveries, notice_lapses, notices):
        await write(world, delete(table))
    now = world.clock.now()
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=world.organization.id,
        kind=kind,
        part=part,
        person_id=reader.id,
        channel=channel,
        lapse_ids=tuple(lapses or ()),
        created_at=now,
        authorization_id=authorization,
        data=data or {},
    )
    ref = MessageRef(platform=platform, tenant="T1", destination="D1", message="1") if shown else None
    delivery = Delivery(
        id=DeliveryId(new_id(now)),
        organization_id=world.organization.id,
        notice_id=notice.id,
        address=Address(
            platform=platform,
            tenant="T1",
            kind=AddressKind.CHANNEL if channel else AddressKind.DIRECT,
            external_id=channel.external_id if channel else reader.name,
        ),
        lane=f"{platform}:T1",
        priority=Priority.FIRST,
        state=state,
        wanted=1,
        shown=0,
        ref=ref,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    async with world.storage.transaction() as uow:
        await uow.notices.plan([notice], [delivery])
        return (await composer(world).compose(uow, [delivery]))[delivery.id]


def message(composed: Message | Suppress) -> Message:
    assert isinstance(composed, Message), composed
    return composed


async def write(world: World, statement: Any) -> None:
    async with world.storage.writing_work() as work:
        await work.run(statement)


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


async def test_a_link_is_the_readers_own_and_stays_the_same(world: World) -> None:
    otto = await world.person("Otto")
    login = await world.login()
    await world.lapse(await world.connection(login, owner=otto))
    await world.plan()
    first, again = await compose(world), await compose(world)
    assert first == again
    assert first["Ana"] != first["Otto"]
    locator = str(first["Otto"]).split(f"{PUBLIC_URL}/r/")[1][:22]
    link = await world.storage.directory.link(locator)
    assert link is not None
    assert link.person_id == otto.id


async def test_nothing_is_said_of_a_network_that_we_have_no_longer(world: World) -> None:
    world.networks.clear()
    await world.lapse(*await world.connections(1))
    await world.plan()
    assert await compose(world) == {"Ana": [Suppress("the network is not set up here any more")]}


async def test_an_address_by_email_is_direct_enough_for_a_personal_link(world: World) -> None:
    raj = await world.person("Raj", chat=None)
    await world.lapse(await world.connection(await world.login(raj), connector=raj))
    await world.plan()
    (delivery,) = await world.deliveries()
    assert delivery.address.kind is AddressKind.BY_EMAIL
    assert f"{PUBLIC_URL}/r/" in str(await compose(world))


@pytest.mark.behaviour("P-5", "N-8")
async def test_a_reader_whose_right_was_taken_away_before_the_message_left_is_sent_nothing(world: World) -> None:
    (connection,) = await world.connections(1)
    sam = await world.person("Sam", Role.STAFF)
    await world.subscribe(sam)
    await world.lapse(connection)
    await world.plan()
    await write(world, update(people).where(people.c.id == sam.id).values(client_ids=[]))
    await world.loop().run_once()
    assert [post.address.external_id for post in world.chat.posts] == ["Ana"]
    assert (await world.outcomes())["Sam"] == [(DeliveryState.SUPPRESSED, "the reader may not see it any more")]


@pytest.mark.behaviour("N-16")
async def test_nothing_is_sent_after_an_opt_out_was_committed(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    mei = await world.person("Mei", Role.STAFF)
    own, there = await world.subscribe(mei), await world.subscribe(mei, "C1")
    kinds = (NoticeKind.LAPSED, NoticeKind.DIGEST)
    for kind in kinds:
        assert isinstance(await told(world, kind, Part.SUBSCRIBER, mei, lapses=[lapse]), Message)
    assert isinstance(await told(world, NoticeKind.NOTE, Part.CHANNEL, mei, lapses=[lapse], channel=NEWS), Message)
    await world.opt_out(own)
    await world.opt_out(there)
    opted_out = Suppress("the reader opted out")
    for kind in kinds:
        assert await told(world, kind, Part.SUBSCRIBER, mei, lapses=[lapse]) == opted_out
    assert await told(world, NoticeKind.NOTE, Part.CHANNEL, mei, lapses=[lapse], channel=NEWS) == opted_out
    # What stands there already is kept true nevertheless.
    assert isinstance(await told(world, NoticeKind.LAPSED, Part.SUBSCRIBER, mei, lapses=[lapse], shown=True), Message)


@pytest.mark.behaviour("N-11")
async def test_a_snooze_holds_reminders_but_not_what_somebody_asks_and_not_mine_ends_both(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    muted = Suppress("the reader does not want to hear of it")
    later = world.clock.now() + timedelta(days=3)
    for until, nudged in ((later, False), (None, True)):
        mute = Mute(lapse_id=lapse, person_id=world.ana.id, until=until)
        async with world.storage.transaction() as uow:
            await uow.lapses.mute(world.organization.id, [mute])
        assert await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]) == muted
        asked = await told(world, NoticeKind.NUDGED, Part.CONNECTOR, world.ana, lapses=[lapse])
        assert (asked == muted) == nudged
        assert isinstance(await told(world, NoticeKind.ASSIGNED, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)
        shown = await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse], shown=True)
        assert "⏸ Held for you: " in plain(message(shown))
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    other = await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, raj, lapses=[lapse])
    assert "⏸" not in plain(message(other))


@pytest.mark.behaviour("N-11")
async def test_a_snooze_that_is_over_holds_nothing(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    mute = Mute(lapse_id=lapse, person_id=world.ana.id, until=world.clock.now() + timedelta(days=1))
    async with world.storage.transaction() as uow:
        await uow.lapses.mute(world.organization.id, [mute])
    world.clock.advance(timedelta(days=1, seconds=1))
    assert isinstance(await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)


@pytest.mark.behaviour("N-11")
async def test_a_reminder_is_not_sent_while_anybody_is_on_it(world: World) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    await world.claim(lapse, raj)
    reminder = await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse])
    assert reminder == Suppress("somebody is on it")
    world.clock.advance(timedelta(days=1, seconds=1))
    assert isinstance(await told(world, NoticeKind.REMINDER, Part.CONNECTOR, world.ana, lapses=[lapse]), Message)


@pytest.mark.behaviour("D-6")
@pytest.mark.parametrize("kind", [NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.NUDGED, NoticeKind.DIGEST])
async def test_what_ended_before_it_was_told_is_not_told_unless_it_may_be_there_already(
    world: World, kind: NoticeKind
) -> None:
    (connection,) = await world.connections(1)
    (lapse,) = await world.lapse(connection)
    await world.end(connection, how=LapseEnd.RECONNECTED, by=world.ana)
    ended = Suppress("it ended before it was told")
    assert await told(world, kind, Part.CONNECTOR, world.ana, lapses=[lapse]) == ended
    lost = await told(world, kind, Part.CONNECTOR, world.ana, lapses=[lapse], state=DeliveryState.UNKNOWN)
    assert message(lost).tone is Tone.GOOD


@pytest.mark.behaviour("N-5")
async def test_an_administrator_who_wants_no_copies_gets_none_but_hears_what_is_for_administrators(
    world: World,
) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    raj = await world.person("Raj", Role.ADMINISTRATOR, immediate_notices=False)
    copy = await told(world, NoticeKind.LAPSED, Part.ADMINISTRATOR, raj, lapses=[lapse])
    assert copy == Suppress("the reader takes no copies any more")
    assert isinstance(await told(world, NoticeKind.LAPSED, Part.STAND_IN, raj, lapses=[lapse]), Message)
    whom = {WHOM: ids_text([world.ana.id])}
    assert isinstance(
        await told(world, NoticeKind.NOT_MINE, Part.ADMINISTRATOR, raj, lapses=[lapse], data=whom), Message
    )
    await write(world, update(people).where(people.c.id == raj.id).values(role=Role.STAFF.value))
    former = await told(world, NoticeKind.NOT_MINE, Part.ADMINISTRATOR, raj, lapses=[lapse], data=whom)
    assert former == Suppress("the reader is no administrator any more")


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


def mail(world: World) -> str:
    """Add a platform whose readers may have no chat account."""
    world.chats["mail"] = FakeChat(name="mail", label="Email", personal_links=True, finds_by_email=False)
    return "mail"


@pytest.mark.behaviour("N-14", "R-13")
async def test_an_email_to_a_connector_carries_a_pass_to_their_accounts_and_its_secret_is_not_stored(
    world: World,
) -> None:
    (lapse,) = await world.lapse(*await world.connections(1))
    sent = await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=[lapse], platform=mail(world))
    assert message(sent).subject == "Immediate action required: please reconnect your account(s)"
    assert message(sent).unsubscribe_url == ""
    button = buttons(message(sent))["Reconnect"]
    assert isinstance(button, LinkButton)
    secret = button.url.removeprefix(f"{PUBLIC_URL}/p/")
    assert len(secret) == 22
    found = await world.storage.directory.pass_of(hashed(secret))
    assert found is not None
    assert (found.purpose, found.person_id) == (PassPurpose.ACCOUNTS, world.ana.id)
    assert found.expires_at == world.clock.now() + timedelta(days=7)


@pytest.mark.behaviour("N-14")
async def test_an_email_to_who_opted_in_ends_just_the_opt_ins_that_it_came_from(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    wanted, other = await world.subscribe(mei, network="examplenet"), await world.subscribe(mei, network="tiktok")
    (lapse,) = await world.lapse(*await world.connections(1))
    sent = message(await told(world, NoticeKind.LAPSED, Part.SUBSCRIBER, mei, lapses=[lapse], platform=mail(world)))
    secret = sent.unsubscribe_url.removeprefix(f"{PUBLIC_URL}/unsubscribe/")
    found = await world.storage.directory.pass_of(hashed(secret))
    assert found is not None
    assert (found.purpose, found.person_id) == (PassPurpose.UNSUBSCRIBE, mei.id)
    assert [from_wire(id) for id in found.data[SUBSCRIPTIONS].split()] == [wanted.id]
    assert other.id != wanted.id
    links = [button.url for button in all_buttons(sent) if isinstance(button, LinkButton)]
    assert links
    assert all(url.startswith(f"{PUBLIC_URL}/r/") for url in links)  # asks for a sign-in: it is not a pass
    in_chat = await told(world, NoticeKind.DIGEST, Part.SUBSCRIBER, mei, lapses=[lapse])
    assert message(in_chat).unsubscribe_url == ""


@pytest.mark.behaviour("R-13")
async def test_a_personal_link_is_a_pass_wherever_it_is_sent(world: World) -> None:
    sent = await told(world, NoticeKind.PERSONAL_LINK, Part.OWNER, world.ana)
    button = buttons(message(sent))["Your accounts"]
    assert isinstance(button, LinkButton)
    assert button.url.startswith(f"{PUBLIC_URL}/p/")


async def ending(world: World, days: int = 7) -> tuple[AuthorizationId, str]:
    """A login that ends in so many days, with two accounts."""
    login = await world.login()
    for client in (world.acme, world.brio):
        await world.connection(login, client=client)
    ends = world.clock.now() + timedelta(days=days)
    await write(world, update(authorizations).where(authorizations.c.id == login).values(ends_at=ends))
    return login, ends.isoformat()


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
    data = {AUTHORIZATIONS: ids_text([login])}
    digest = message(await told(world, NoticeKind.DIGEST, Part.OWNER, world.ana, lapses=lapses, data=data))
    assert plain(digest).startswith("🔒 Daily digest: 2 accounts lapsed · client Acme · 1 login expiring soon")
    own = [button for button in all_buttons(digest) if button.label in ("Reconnect", "Renew")]
    assert len(own) == 3
    assert all(isinstance(button, LinkButton) for button in own)


@pytest.mark.behaviour("X-6", "N-8")
async def test_a_deputy_who_sees_some_clients_reads_of_those_alone(world: World) -> None:
    login = await world.login()
    for client in (world.acme, world.brio, world.brio):
        await world.connection(login, client=client)
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.brio}))
    data = {WHOM: ids_text([world.ana.id]), HOW: LEFT}
    theirs = message(await told(world, NoticeKind.SUCCESSION, Part.STAND_IN, lee, data=data))
    assert "*2 accounts* · client Brio 2" in plain(theirs)
    assert "Acme" not in plain(theirs)


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


@pytest.mark.behaviour("X-8")
async def test_a_long_list_of_many_logins_links_just_the_rows_that_it_shows(world: World) -> None:
    lapses = []
    for _ in range(12):
        lapses += await world.lapse(*await world.connections(1), cause=Verdict.EXPIRED)
    sent = message(await told(world, NoticeKind.LAPSED, Part.CONNECTOR, world.ana, lapses=lapses))
    rows = next(part for part in sent.parts if isinstance(part, Rows))
    assert (len(rows.rows), rows.more) == (10, 2)
    assert all(isinstance(row.button, LinkButton) for row in rows.rows)
    assert "All 12 accounts" in buttons(sent)


async def test_a_notice_whose_people_are_unknown_is_not_sent(world: World) -> None:
    data = {WHOM: ids_text([UUID(int=1)]), HOW: LEFT}
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    gone = await told(world, NoticeKind.SUCCESSION, Part.ADMINISTRATOR, chief, data=data)
    assert gone == Suppress("the notice is not there any more")
