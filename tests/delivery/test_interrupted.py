"""Delivery by processes that are killed, work at once, or lose their database: nothing is sent twice or forgotten."""

import asyncio
from typing import Any

from bot.delivery.lane import LEASE
from bot.delivery.outcomes import RESEND_AFTER
from commands.ports.chat import MessageRef, Pace
from commands.ports.notices import DeliveryState
from commands.ports.storage import Queues, StorageError
from tests.delivery.planned import DELIVERED, SECOND, lapsed, states, take
from tests.notices.world import World
from tests.support.chat import FakeChat


async def test_a_message_that_waits_for_its_turn_is_given_back_when_the_process_stops(world: World) -> None:
    world.chat.pace = Pace(interval=SECOND, burst=1)
    await world.lapse(*await world.connections(2))
    await world.plan()
    loop = world.loop()
    await loop.run_once()
    assert await states(world) == [DeliveryState.DELIVERED, DeliveryState.SENDING]
    await loop.stop()
    assert await states(world) == [DeliveryState.DELIVERED, DeliveryState.DUE]
    world.clock.advance(SECOND)
    assert await world.loop().run_once() == 1
    assert await loop.run_once() == 0


async def test_a_process_killed_between_planning_and_sending_is_followed_by_one_that_sends_once(world: World) -> None:
    await lapsed(world)
    assert await world.loop().run_once() == 1
    world.clock.advance(LEASE)
    assert await world.loop().run_once() == 0
    assert len(world.chat.posts) == 1


async def test_a_process_killed_while_sending_leaves_an_unknown_outcome_that_is_sent_again_once(world: World) -> None:
    await lapsed(world)
    await take(world)  # and then the process dies
    assert await world.loop().run_once() == 0
    world.clock.advance(LEASE)
    assert await world.loop().run_once() == 1
    assert await world.outcomes() == {
        "Ana": [(DeliveryState.DELIVERED, "sent again after a lost reply; may show twice")]
    }


async def test_a_lane_is_worked_by_one_process_at_a_time(world: World) -> None:
    world.chat.pace = Pace(interval=SECOND, burst=1)
    await world.lapse(*await world.connections(2))
    await world.plan()
    first, second = world.loop(), world.loop()
    assert await first.run_once() == 1
    world.clock.advance(SECOND)
    assert await second.run_once() == 0
    assert await first.run_once() == 1


async def test_who_lost_a_lane_writes_and_sends_nothing_more(world: World) -> None:
    world.chat.pace = Pace(interval=SECOND, burst=1)
    await world.lapse(*await world.connections(2))
    await world.plan()
    paused = world.loop()
    assert await paused.run_once() == 1
    world.clock.advance(LEASE)
    assert await world.loop().run_once() == 1
    assert await paused.run_once() == 0
    assert len(world.chat.posts) == 2


class Away:
    """The queues of a database that is out of reach for so many calls of a kind."""

    def __init__(self, queues: Queues, **left: int) -> None:
        self._queues = queues
        self.left = left
        self.was_asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        if self.left.get(name, 0) > 0:
            self.left[name] -= 1
            self.was_asked.set()
            raise StorageError("the database cannot be reached: ConnectionRefusedError")
        return getattr(self._queues, name)


async def test_what_was_shown_while_the_database_was_away_is_not_sent_again(world: World) -> None:
    await lapsed(world)
    world.storage.queues = Away(world.storage.queues, record_sent=2)
    assert await world.loop().run_once() == 1
    world.clock.advance(LEASE + RESEND_AFTER)
    assert await world.loop().run_once() == 0
    assert len(world.chat.posts) == 1
    assert await world.outcomes() == {"Ana": DELIVERED}


async def test_a_database_that_goes_away_cuts_no_send_short(world: World) -> None:
    """The lane's lease cannot be renewed while a message is on its way: its outcome is written down all the same."""
    await lapsed(world)
    away = world.storage.queues = Away(world.storage.queues)

    class Slow(FakeChat):
        async def post(self, *arguments: Any, **named: Any) -> MessageRef:
            world.clock.advance(LEASE * 0.6)  # high time to renew the lease
            away.left["take_lane"] = 1
            await away.was_asked.wait()
            return await super().post(*arguments, **named)

    slow = world.chats["examplechat"] = Slow()
    await world.loop().run_once()
    world.clock.advance(LEASE + RESEND_AFTER)
    await world.loop().run_once()
    assert len(slow.posts) == 1
    assert await world.outcomes() == {"Ana": DELIVERED}
