"""A network that takes hundreds of grants back at once is no outage: they lapse, and each reader gets one list."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.model import Filter, Role, Scope, Verdict
from commands.ports.network import Probe
from commands.ports.notices import NoticeKind
from storage.engine import maintenance_engine
from storage.tables import authorizations
from tests.notices.world import World, made_world
from tests.support.network import finding

LOGINS = 500


@pytest.fixture
async def world(sqlite_database_url: str) -> AsyncIterator[World]:
    async with made_world(sqlite_database_url) as made:
        yield made


@pytest.mark.behaviour("D-4", "X-3", "N-4")
async def test_five_hundred_grants_taken_back_at_once_are_lapses_and_one_list_for_each_reader(
    world: World, sqlite_database_url: str
) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.subscribe(mei, "C1")
    await world.logins(LOGINS)
    world.clock.advance(timedelta(hours=1))
    engine = maintenance_engine(sqlite_database_url)
    async with engine.begin() as connection:
        await connection.execute(update(authorizations).values(next_check_at=world.clock.now()))
    await engine.dispose()
    network = world.networks["examplenet"]
    network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
    watcher = Watcher(storage=world.storage, clock=world.clock, networks=world.networks, rules=WatchRules())
    assert await watcher.run_once() == LOGINS
    assert await world.storage.outages.standing() == []
    async with world.storage.reading() as uow:
        page = await uow.connections.page(world.organization.id, Scope(), Filter(), offset=0, limit=1)
    assert page.total == LOGINS, "each is lapsed"
    await world.tell()
    assert await world.heard(NoticeKind.LAPSED) == [
        f"Ana lapsed connector {LOGINS}",
        f"C1 lapsed channel {LOGINS}",
        f"Chief lapsed administrator {LOGINS}",
        f"Mei lapsed subscriber {LOGINS}",
    ]
    assert len(world.chat.posts) == 4
