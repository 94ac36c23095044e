"""What is asked of outages while one stands is read from indexes made for it, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from storage.tables import authorizations
from tests.storage.crowd import Crowd, crowded
from tests.support.outages import an_outage


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Crowd]:
    async with crowded(database_url) as filled:
        yield filled


@pytest.mark.behaviour("X-3")
async def test_whom_an_outage_concerns_is_read_from_what_fails_alone(crowd: Crowd) -> None:
    outage = an_outage(crowd.clock.now())
    assert await crowd.storage.outages.open(outage)
    async with crowd.storage.writing_work() as work:
        await work.run(
            update(authorizations).where(authorizations.c.subject_id == "s-1").values(failing_since=outage.since)
        )
    with crowd.listening() as heard:
        assert len(await crowd.storage.outages.concerned(outage)) == 1
    assert len(heard) == 1
    assert "ix_authorizations_failing" in await crowd.plan()


@pytest.mark.behaviour("X-3")
async def test_a_regions_health_is_read_from_the_index_of_its_network(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        await crowd.storage.queues.network_health(
            "examplenet", since=crowd.clock.now() - timedelta(minutes=10), region="Europe"
        )
    assert len(heard) == 1
    assert "ix_authorizations_health" in await crowd.plan()


@pytest.mark.behaviour("X-3", "C-1")
async def test_outages_that_stand_for_an_organization_take_one_statement(crowd: Crowd) -> None:
    with crowd.listening() as heard:
        async with crowd.storage.reading() as uow:
            assert await uow.outages.standing(crowd.seeded.organization_id) == []
    assert len(heard) == 1
