"""What planning costs does not grow with how much there is to plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from commands.model import Parent, Rhythm, Role
from tests.notices.world import World, made_world
from tests.support.sqlite import copied

FEW, MANY = 6, 60


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


async def crowd(world: World, number: int) -> None:
    """Lapses of so many logins, under a connector who is gone, with many who may have to hear."""
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.subscribe(mei, "C1")
    await world.wish(mei, Rhythm.DAILY)
    connections = await world.logins(number)
    zoe = await world.person("Zoe", Role.OWNER)
    connections.append(
        await world.connection(await world.login(zoe), connector=zoe, parent=Parent(id="B1", name="Acme"))
    )
    await world.gone(zoe)
    await world.lapse(*connections)


async def costs(url: str, number: int) -> list[int]:
    """Statements of planning, of reminding and of a digest."""
    async with made_world(url) as world:
        await crowd(world, number)
        with counted() as planning:
            assert await world.plan() == number + 1
        world.clock.advance(timedelta(days=2))
        with counted() as reminding:
            assert await world.reminders().run_once() > 0
        with counted() as telling:
            assert await world.digests().run_once() == 1
    return [len(planning), len(reminding), len(telling)]


@pytest.mark.behaviour("N-4", "X-8")
async def test_many_lapses_are_told_in_as_many_statements_as_few(empty_database: Path) -> None:
    with copied(empty_database) as one, copied(empty_database) as other:
        few, many = await costs(one, FEW), await costs(other, MANY)
    assert few == many
    assert max(many) < 50
