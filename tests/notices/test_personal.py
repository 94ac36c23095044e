"""Addresses in messages that are their reader's own: links, passes to a page, unsubscribing."""

from datetime import timedelta

import pytest

from commands.ids import from_wire
from commands.messages import LinkButton, Rows
from commands.model import Role, Verdict
from commands.passes import OPT_INS
from commands.ports.chat import AddressKind
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind, Part
from commands.ports.reconnecting import PassPurpose
from commands.secret import hashed
from tests.commands.plain import buttons
from tests.notices.composing import compose, mail, message, told
from tests.notices.world import PUBLIC_URL, World
from tests.support.buttons import all_buttons


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


async def test_an_address_by_email_is_direct_enough_for_a_personal_link(world: World) -> None:
    raj = await world.person("Raj", chat=None)
    await world.lapse(await world.connection(await world.login(raj), connector=raj))
    await world.plan()
    (delivery,) = await world.deliveries()
    assert delivery.address.kind is AddressKind.BY_EMAIL
    assert f"{PUBLIC_URL}/r/" in str(await compose(world))


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
    assert [from_wire(id) for id in found.data[OPT_INS].split()] == [wanted.id]
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


@pytest.mark.behaviour("R-13", "P-6")
async def test_a_personal_link_goes_by_email_rather_than_to_whoever_carries_the_address_in_chat(world: World) -> None:
    by_mail = world.with_email()
    vic = await world.person("Vic", Role.STAFF, chat=None)
    await world.event(EventKind.LINK_SENT, person_id=vic.id)
    await world.tell()
    assert world.chat.posts == []
    (post,) = by_mail.posts
    assert f"{PUBLIC_URL}/p/" in str(post.message)


@pytest.mark.behaviour("R-13", "P-6")
async def test_a_pass_is_not_written_to_an_address_that_proves_nothing_even_if_it_was_planned(world: World) -> None:
    vic = await world.person("Vic", Role.STAFF, chat=None)
    sent = await told(world, NoticeKind.PERSONAL_LINK, Part.OWNER, vic, kind_of_address=AddressKind.BY_EMAIL)
    assert "/p/" not in str(message(sent))
    async with world.storage.reading() as uow:
        assert await uow.passes.of(world.organization.id, vic.id, PassPurpose.ACCOUNTS) == []


@pytest.mark.behaviour("R-13", "X-6")
async def test_whose_every_chat_account_is_deactivated_gets_no_pass_by_email(world: World) -> None:
    by_mail = world.with_email()
    bob = await world.person("Bob", Role.STAFF)
    await world.gone(bob)
    await world.lapse(await world.connection(await world.login(bob), connector=bob))
    await world.event(EventKind.LINK_SENT, person_id=bob.id)
    await world.tell()
    assert [post.address.external_id for post in by_mail.posts if "/p/" in str(post.message)] == []
    async with world.storage.reading() as uow:
        assert await uow.passes.of(world.organization.id, bob.id, PassPurpose.ACCOUNTS) == []
