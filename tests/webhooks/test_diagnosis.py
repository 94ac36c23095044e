"""`doctor` sees which addresses of the host product take no messages."""

from aiohttp import web

from bot.webhooks.diagnosis import endpoints
from commands.ports.chat import Check
from tests.webhooks.conftest import House


async def checks(house: House) -> list[Check]:
    return [line.check for line in await endpoints(house.storage, house.seeded.organization)]


async def test_it_says_nothing_good_warning_then_bad(house: House) -> None:
    assert await checks(house) == []
    await house.endpoint()
    assert await checks(house) == [Check.GOOD]
    await house.lapsed()
    house.receiver.answers = [web.Response(status=500)]
    await house.loop().run_once()
    assert await checks(house) == [Check.WARNING]
    await house.lapsed(house.seeded.connections[1])
    house.receiver.answers = [web.Response(status=410)]
    await house.loop().run_once()
    assert await checks(house) == [Check.BAD, Check.WARNING]
