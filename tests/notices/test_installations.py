"""The bot's own installation is watched like a connection (A-8)."""

from datetime import timedelta

import pytest

from bot.notices.data import NAMES, STATE, TENANT
from bot.notices.installations import record_dead
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.model import Role
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from tests.notices.world import World

LOST = {"platform": "examplechat", "tenant": "T1", "workspace": "Acme"}


@pytest.mark.behaviour("A-8")
async def test_a_lost_installation_is_told_once_and_another_way(world: World) -> None:
    mail = world.with_email()
    raj = await world.person("Raj", Role.ADMINISTRATOR)
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.link(raj, "otherchat")
    for _ in range(2):  # as when two signals say the same
        await world.event(EventKind.INSTALLATION_LOST, data=LOST)
    for _ in range(2):
        await world.tell()
    await world.event(EventKind.INSTALLATION_LOST, data=LOST)
    for _ in range(2):
        await world.tell()
    lost = await world.notices(NoticeKind.INSTALLATION_LOST)
    assert [one.data[STATE] for one in lost] == ["lost", "lost"]
    assert {name for one in lost for name in one.data} <= NAMES[NoticeKind.INSTALLATION_LOST]
    assert world.chat.posts == []
    assert [post.address.external_id for post in world.chats["otherchat"].posts] == ["Raj"]
    assert [post.address.external_id for post in mail.posts] == ["chief@acme.example"]


@pytest.mark.behaviour("A-8")
async def test_an_installation_that_is_back_is_told_there_too(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.event(EventKind.INSTALLATION_LOST, data=LOST)
    await world.tell()
    world.clock.advance(timedelta(hours=1))
    await world.event(EventKind.INSTALLATION_BACK, data=LOST)
    for _ in range(2):
        await world.tell()
    assert [one.data[STATE] for one in await world.notices(NoticeKind.INSTALLATION_LOST)] == ["lost", "back"]
    assert [post.address.external_id for post in world.chat.posts] == ["Chief"]


@pytest.mark.behaviour("A-8")
async def test_access_that_turns_out_to_be_lost_is_told_once(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mail = world.with_email()
    for who in ("Ana", "Chief"):
        world.chat.profiles["T1", who] = DeliveryError(DeliveryErrorKind.INSTALLATION_DEAD, "token_revoked")
    for _ in range(3):
        await world.roster().run_once()
        for _ in range(2):
            await world.tell()
        world.clock.advance(timedelta(hours=2))
    lost = await world.notices(NoticeKind.INSTALLATION_LOST)
    assert [(one.data[STATE], one.data[TENANT]) for one in lost] == [("lost", "T1")]
    assert [post.address.external_id for post in mail.posts] == ["chief@acme.example"]
    assert await world.notices(NoticeKind.SUCCESSION) == []


@pytest.mark.behaviour("A-8")
async def test_each_loss_and_return_of_one_day_is_told_and_nothing_twice(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    world.with_email()
    for kind in (EventKind.INSTALLATION_LOST, EventKind.INSTALLATION_BACK) * 2:
        for _ in range(2):
            await world.event(kind, data=LOST)
            await world.tell()
        world.clock.advance(timedelta(hours=1))
    told = await world.notices(NoticeKind.INSTALLATION_LOST)
    assert [one.data[STATE] for one in told] == ["lost", "back", "lost", "back"]


@pytest.mark.behaviour("A-8")
async def test_access_that_is_refused_again_after_the_bot_was_back_is_told_again(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    world.with_email()
    where = {"platform": "examplechat", "tenant": "T1"}
    for _ in range(2):
        for _ in range(2):
            async with world.storage.transaction() as uow:
                await record_dead(uow, world.organization.id, **where, now=world.clock.now())
            await world.tell()
        await world.event(EventKind.INSTALLATION_BACK, data=LOST)
        await world.tell()
    told = await world.notices(NoticeKind.INSTALLATION_LOST)
    assert [one.data[STATE] for one in told] == ["lost", "back", "lost", "back"]
