"""The link of a fire drill: one press says that it arrived (X-12)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commands.ids import DrillId, new_id
from commands.model import Drill
from commands.passes import drill_data
from commands.ports.reconnecting import PassPurpose
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


async def drill(rig: Rig) -> DrillId:
    now = rig.clock.now()
    made = Drill(
        id=DrillId(new_id(now)),
        organization_id=rig.organization_id,
        client_id=None,
        started_by=rig.people["Mei Lin"].id,
        started_at=now,
        ends_at=now + timedelta(hours=4),
    )
    async with rig.storage.transaction() as uow:
        assert await uow.drills.add(made)
    return made.id


async def answers(rig: Rig, drill_id: DrillId) -> list[object]:
    async with rig.storage.reading() as uow:
        return list(await uow.drills.answers(rig.organization_id, drill_id))


@pytest.mark.behaviour("X-12")
async def test_opening_a_drill_s_link_confirms_nothing_and_one_press_does_once(rig: Rig, browser: Browser) -> None:
    drill_id = await drill(rig)
    path = await rig.bearer_link(PassPurpose.DRILL, "Mei Lin", data=drill_data(drill_id))
    page = await browser.get(path)
    assert "DRILL: this link works" in page.words
    assert await answers(rig, drill_id) == []
    page = await browser.post(path, {})
    assert "DRILL: noted" in page.words
    assert await answers(rig, drill_id) == [rig.people["Mei Lin"].id]
    assert "you already said so" in (await browser.post(path, {})).words
    (entry,) = await rig.entries("drill.answered")
    assert (entry.actor_id, entry.origin) == (rig.people["Mei Lin"].id, "drill link")


async def test_a_drill_s_link_that_is_over_or_made_for_something_else_leads_nowhere(rig: Rig, browser: Browser) -> None:
    drill_id = await drill(rig)
    path = await rig.bearer_link(PassPurpose.DRILL, "Mei Lin", data=drill_data(drill_id))
    other = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin", data=drill_data(drill_id))
    assert (await browser.post(other.replace("/unsubscribe/", "/drill/"), {})).status == 404
    rig.clock.advance(timedelta(hours=25))
    assert (await browser.get(path)).status == 404
    assert (await browser.post(path, {})).status == 404
    assert await answers(rig, drill_id) == []
