"""Faults, crashes and two processes at once, by chance but repeatably; then what was posted is checked."""

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest

from bot.delivery.lane import LEASE
from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ids import DeliveryId
from commands.model import Role
from commands.ports.chat import Address, MessageRef, Pace
from commands.ports.notices import DeliveryState, NoticeKind
from tests.commands.plain import plain
from tests.notices.world import World

ENDED = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUPPRESSED}
TROUBLES = (DeliveryErrorKind.RETRY, DeliveryErrorKind.RETRY, DeliveryErrorKind.UNKNOWN, DeliveryErrorKind.ADDRESS_GONE)


class Nemesis:
    """Breaks one call in three, until it is told to stop."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.is_awake = True

    def fault(self, _: Address | MessageRef) -> DeliveryError | None:
        """What goes wrong this time."""
        if not self.is_awake or self.chance.random() > 1 / 3:
            return None
        kind = self.chance.choice(TROUBLES)
        wait = self.chance.choice([None, timedelta(seconds=self.chance.randint(-5, 60))])
        scope = self.chance.choice(list(RetryScope))
        return DeliveryError(kind, "nemesis", retry_after=wait, scope=scope)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_every_delivery_ends_and_only_unknown_outcomes_post_twice(
    world: World, seed: int
) -> None:
    nemesis = Nemesis(seed)
    chance = random.Random(seed + 1000)
    world.chat.pace = Pace(interval=timedelta(seconds=1), burst=2)
    world.chat.faults.append(nemesis.fault)
    mei = await world.person("Mei", Role.STAFF)
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    for number in range(4):
        await world.subscribe(mei, f"C{number}")
    connections = await world.connections(5)
    login = await world.login()
    connections += [await world.connection(login) for _ in range(2)]
    await world.lapse(*connections)
    await world.plan()
    loops = [world.loop(), world.loop()]
    uncertain: set[DeliveryId] = set()
    for turn in range(60):
        await asyncio.gather(*(loop.run_once() for loop in loops))
        if chance.random() < 0.1:  # killed: nothing is given back, and a new process begins
            loops[chance.randrange(2)] = world.loop()
            uncertain |= {one.id for one in await world.deliveries() if one.state is DeliveryState.SENDING}
        uncertain |= {one.id for one in await world.deliveries() if one.state is DeliveryState.UNKNOWN}
        if turn == 20:
            await world.end(*connections[:3], by=world.ana)
        if turn == 30:
            await world.end(*connections[3:], by=world.ana)
        world.clock.advance(timedelta(seconds=chance.choice([1, 5, 60])))
        await world.planner().run_once()
    nemesis.is_awake = False
    for _ in range(40):
        await asyncio.gather(*(loop.run_once() for loop in loops))
        world.clock.advance(LEASE)
    deliveries = {delivery.id: delivery for delivery in await world.deliveries()}
    assert {delivery.state for delivery in deliveries.values()} <= ENDED
    for delivery_id, number in Counter(post.delivery for post in world.chat.posts).items():
        assert number <= 2
        assert number == 1 or delivery_id in uncertain
    addresses = [(delivery.notice_id, delivery.address) for delivery in deliveries.values()]
    assert len(addresses) == len(set(addresses))
    async with world.storage.reading() as uow:
        notices = await uow.notices.get_many(world.organization.id, [one.notice_id for one in deliveries.values()])
    for delivery in deliveries.values():
        if delivery.state is DeliveryState.DELIVERED and delivery.ref is not None:
            post = next(post for post in world.chat.posts if post.ref == delivery.ref)
            assert notices[delivery.notice_id].kind in (NoticeKind.LAPSED, NoticeKind.UNDELIVERED)
            assert plain(post.message).startswith("✅ Restored")
