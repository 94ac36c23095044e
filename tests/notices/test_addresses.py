"""The ways to a reader, best first (N-14), and what becomes of those whom none reaches (N-19)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from bot.notices.addresses import addresses
from bot.notices.data import NAMES, REASON, WHAT, WHOM, ids_in
from commands.access import is_gone
from commands.auditing import Actor
from commands.errors import DeliveryErrorKind
from commands.ids import IdentityId, WorkspaceId
from commands.linking import unlink
from commands.model import Identity, Person, Role, Workspace
from commands.ports.events import EventKind
from commands.ports.notices import DeliveryState, NoticeKind
from tests.notices.cases import NEWS, NOW, ORGANIZATION, person
from tests.notices.world import World
from tests.support.chat import FakeChat

ANA = person(1)
CHATS = {
    "examplechat": FakeChat(),
    "otherchat": FakeChat(name="otherchat", finds_by_email=False),
    "mail": FakeChat(name="mail", finds_by_email=False, addressed_by_email=True, edits=False),
}


def identity(platform: str = "examplechat", tenant: str = "T1", *, gone: bool = False) -> Identity:
    return Identity(
        id=IdentityId(UUID(int=80)),
        organization_id=ORGANIZATION,
        person_id=ANA.id,
        platform=platform,
        tenant=tenant,
        user=f"U-{platform}",
        linked_at=NOW,
        gone_at=NOW if gone else None,
    )


def workspace(platform: str, tenant: str = "T1") -> Workspace:
    return Workspace(
        id=WorkspaceId(UUID(int=81)), organization_id=ORGANIZATION, platform=platform, external_id=tenant, name="Acme"
    )


def ways(*identities: Identity, who: Person = ANA, places: tuple[Workspace, ...] = ()) -> list[str]:
    found = addresses(who, None, identities=identities, workspaces=places, platforms=CHATS)
    return [f"{way.platform}/{way.tenant} {way.kind.value} {way.external_id}" for way in found]


@pytest.mark.behaviour("N-14")
def test_chats_come_first_the_latest_foremost_then_who_is_found_by_email_and_email_at_last() -> None:
    places = (workspace("examplechat"), workspace("examplechat", "T2"), workspace("otherchat"))
    assert ways(identity("otherchat", ""), identity(), places=places) == [
        "otherchat/ direct U-otherchat",
        "examplechat/T1 direct U-examplechat",
        "examplechat/T2 by_email p1@acme.example",
        "mail/ direct p1@acme.example",
    ]


@pytest.mark.behaviour("N-14", "X-6")
def test_a_chat_account_that_is_gone_is_no_way_nor_is_its_workspace() -> None:
    assert ways(identity(gone=True), places=(workspace("examplechat"),)) == ["mail/ direct p1@acme.example"]
    assert is_gone([identity(gone=True)])
    assert not is_gone([identity(gone=True), identity("otherchat")])
    assert not is_gone([]), "who never had an account is not gone"


@pytest.mark.behaviour("P-6")
async def test_where_an_account_was_unlinked_no_message_finds_it_by_its_email_address(world: World) -> None:
    """Signing in again makes it a way anew."""
    mail = world.with_email()
    ana = world.ana
    async with world.storage.transaction() as uow:
        for identity in (await uow.people.identities(ana.organization_id, [ana.id]))[ana.id]:
            await unlink(uow, identity, Actor(organization_id=world.organization.id, origin="test"), world.clock.now())
    first, second = await world.connections(2)
    await world.lapse(first)
    await world.tell()
    assert [(post.address.kind.value, post.address.external_id) for post in mail.posts] == [
        ("direct", "ana@acme.example")
    ]
    assert world.chat.posts == []
    await world.link(ana, "examplechat")
    world.clock.advance(timedelta(hours=1))
    await world.lapse(second)
    await world.tell()
    assert [post.address.kind.value for post in world.chat.posts] == ["direct"]


@pytest.mark.behaviour("N-14")
def test_somebody_without_an_email_address_has_their_chats_alone() -> None:
    assert ways(identity(), who=replace(ANA, email=None), places=(workspace("examplechat", "T2"),)) == [
        "examplechat/T1 direct U-examplechat"
    ]


@pytest.mark.behaviour("N-9")
def test_a_channel_has_no_other_way() -> None:
    (way,) = addresses(ANA, NEWS, identities=[identity()], workspaces=[], platforms=CHATS)
    assert (way.kind.value, way.external_id) == ("channel", "C1")
    assert addresses(ANA, replace(NEWS, platform="unknown"), identities=[], workspaces=[], platforms=CHATS) == []


@pytest.mark.behaviour("N-14")
async def test_whoever_cannot_be_reached_in_any_chat_gets_the_notice_by_email(world: World) -> None:
    mail = world.with_email()
    await world.link(world.ana, "otherchat")
    for chat in world.chats.values():
        for who in ("Ana", "ana@acme.example"):
            if chat is not mail:
                chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "cannot_dm_user")
    await world.lapse(*await world.connections(1))
    await world.tell()
    for _ in range(3):
        await world.send()
    assert [post.address.external_id for post in mail.posts] == ["ana@acme.example"]
    assert {each.address.platform: each.state for each in await world.deliveries()} == {
        "otherchat": DeliveryState.FAILED,
        "examplechat": DeliveryState.FAILED,
        "mail": DeliveryState.DELIVERED,
    }


@pytest.mark.behaviour("N-14")
async def test_somebody_outside_chat_gets_the_notice_by_email_at_once(world: World) -> None:
    mail = world.with_email()
    world.chat.finds_by_email = False
    pat = await world.person("Pat", chat=None)
    await world.lapse(await world.connection(await world.login(pat), connector=pat))
    await world.tell()
    assert [post.address.external_id for post in mail.posts] == ["pat@acme.example"]


@pytest.mark.behaviour("N-19")
@pytest.mark.parametrize("kind", [NoticeKind.PERSONAL_LINK, NoticeKind.LAPSED])
async def test_administrators_hear_of_what_nobody_got_whatever_it_was(world: World, kind: NoticeKind) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    pat = await world.person("Pat", chat=None, email=None)
    if kind is NoticeKind.PERSONAL_LINK:
        await world.event(EventKind.LINK_SENT, person_id=pat.id)
    else:
        await world.lapse(await world.connection(await world.login(pat), connector=pat))
    await world.plan()
    (notice,) = await world.notices(NoticeKind.UNDELIVERED)
    assert ids_in(notice, WHOM) == [pat.id]
    assert notice.data[REASON] == "no address known"
    assert notice.data.get(WHAT) == (None if notice.lapse_ids else kind.value)
    assert set(notice.data) <= NAMES[NoticeKind.UNDELIVERED]


@pytest.mark.behaviour("N-19")
async def test_a_channel_that_is_gone_is_tried_with_each_lapse_and_told_of_once_a_day(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    world.chat.refuse("C1", DeliveryErrorKind.ADDRESS_GONE, "is_archived")
    for _ in range(3):
        await world.lapse(*await world.connections(1))
        await world.tell()
        world.clock.advance(timedelta(hours=1))
    assert await world.heard(NoticeKind.UNDELIVERED) == ["Chief undelivered administrator 1"]
    world.chat.faults.clear()
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert len(world.chat.to("C1")) == 1, "it is heard again as soon as it is there again"
    world.chat.refuse("C1", DeliveryErrorKind.ADDRESS_GONE, "is_archived")
    world.clock.advance(timedelta(days=1))
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert len(await world.notices(NoticeKind.UNDELIVERED)) == 2
