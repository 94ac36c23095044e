"""The loops that run because time passes."""

from datetime import timedelta

from bot.notices.errands import errands
from bot.schedule import Ticker
from tests.notices.world import World


async def test_every_loop_comes_round_and_finds_nothing_twice(world: World) -> None:
    await world.lapse(*await world.connections(1))
    await world.tell()
    loops = errands(world.desks(), platforms=world.chats, tick=15, profile_age=timedelta(days=1))
    assert len({loop.name for loop in loops}) == len(loops)
    ticker = Ticker(loops)
    for loop in loops:
        await ticker.tick(loop)
        assert await loop.run_once() == 0
    assert ticker.late() == []
