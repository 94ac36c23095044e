"""What the tests of delivery begin with and look at."""

from datetime import timedelta

from bot.delivery.lane import LEASE
from commands.model import Role
from commands.ports.notices import Delivery, DeliveryState
from tests.notices.world import World

SECOND = timedelta(seconds=1)


DELIVERED = [(DeliveryState.DELIVERED, "")]


async def lapsed(world: World, *channels: str) -> None:
    """Plan one lapse of Ana's, told in these channels too."""
    if channels:
        mei = await world.person("Mei", Role.STAFF)
        for channel in channels:
            await world.subscribe(mei, channel)
    await world.lapse(*await world.connections(1))
    await world.plan()


async def states(world: World) -> list[DeliveryState]:
    return [delivery.state for delivery in await world.deliveries()]


async def take(world: World) -> list[Delivery]:
    """What a process does before it sends: it holds the lane and marks what is due as being sent."""
    now = world.clock.now()
    queues = world.storage.queues
    term = await queues.take_lane("examplechat:T1", holder="a process that dies", now=now, lease=LEASE)
    assert term is not None
    return list(await queues.take_deliveries("examplechat:T1", term=term, now=now, limit=9))
