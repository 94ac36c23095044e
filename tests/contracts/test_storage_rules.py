"""Rules, preferences, drills and installations, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from commands.ids import DrillId, new_id
from commands.model import Drill, Preference, Rhythm, Topic
from commands.ports.installations import Installation
from commands.ports.network import Grouping
from commands.ports.storage import Unreadable
from commands.rules import Cadence, RuleSet
from commands.secret import Secret
from storage import SqlStorage
from storage.tables import installations
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def test_a_rule_that_was_changed_comes_back_and_goes_back(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    everywhere = RuleSet(
        organization_id=seeded.organization_id, network=None, cadence=Cadence(days=(1, 3), restart=None)
    )
    here = RuleSet(
        organization_id=seeded.organization_id,
        network="examplenet",
        grouping=Grouping.SUMMARY,
        cadence=Cadence(days=()),
        warning_days=(),
    )

    async def put(rule_set: RuleSet) -> list[RuleSet]:
        async with storage.transaction() as uow:
            await uow.rule_sets.put(rule_set)
            return list(await uow.rule_sets.all(seeded.organization_id))

    assert await put(here) == [here]
    assert await put(everywhere) == [everywhere, here]
    changed = replace(here, grouping=None, warning_days=(30, 5))
    assert await put(changed) == [everywhere, changed]
    assert await put(RuleSet(organization_id=seeded.organization_id, network=None)) == [changed]


@pytest.mark.behaviour("N-16")
async def test_a_preference_takes_the_place_of_the_one_for_the_same(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    plain = Preference(person_id=seeded.bo.id, topic=Topic.LAPSES, network=None, client_id=None, rhythm=Rhythm.DAILY)
    of_client = replace(plain, client_id=seeded.acme.id, rhythm=Rhythm.WEEKLY)
    of_both = replace(of_client, network="examplenet", rhythm=Rhythm.IMMEDIATE)
    warnings = replace(plain, topic=Topic.WARNINGS)
    hers = replace(plain, person_id=seeded.ana.id)

    async def put(preference: Preference) -> bool:
        async with storage.transaction() as uow:
            return await uow.preferences.put(seeded.organization_id, preference)

    for preference in (plain, of_client, of_both, warnings, hers):
        assert await put(preference)
        assert not await put(preference)
    weekly = replace(plain, rhythm=Rhythm.WEEKLY)
    assert await put(weekly)
    async with storage.reading() as uow:
        found = await uow.preferences.of(seeded.organization_id, [seeded.bo.id])
        assert set(found) == {weekly, of_client, of_both, warnings}
        assert len(await uow.preferences.of(seeded.organization_id, [seeded.bo.id, seeded.ana.id])) == 5
        assert await uow.preferences.of(seeded.organization_id, []) == []


def drill_of(seeded: Seeded, clock: FakeClock) -> Drill:
    return Drill(
        id=DrillId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        client_id=seeded.acme.id,
        started_by=seeded.mei.id,
        started_at=clock.now(),
        ends_at=clock.now() + 4 * HOUR,
    )


@pytest.mark.behaviour("X-12")
async def test_one_drill_goes_on_at_a_time_and_is_reported_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    first, organization_id = drill_of(seeded, clock), seeded.organization_id
    async with storage.transaction() as uow:
        assert await uow.drills.latest(organization_id) is None
        assert await uow.drills.add(first)
        assert not await uow.drills.add(drill_of(seeded, clock))
        assert await uow.drills.get(organization_id, first.id) == first
        assert await uow.drills.answer(organization_id, first.id, seeded.bo.id, clock.now())
        clock.advance(HOUR)
        assert not await uow.drills.answer(organization_id, first.id, seeded.bo.id, clock.now())
        assert await uow.drills.answer(organization_id, first.id, seeded.ana.id, clock.now())
        assert await uow.drills.answers(organization_id, first.id) == {
            seeded.bo.id: clock.now() - HOUR,
            seeded.ana.id: clock.now(),
        }
    assert await storage.queues.due_drills(clock.now()) == []
    clock.advance(3 * HOUR)
    assert await storage.queues.due_drills(clock.now()) == [first]
    async with storage.transaction() as uow:
        assert await uow.drills.reported(organization_id, first.id, clock.now())
        assert not await uow.drills.reported(organization_id, first.id, clock.now())
        second = drill_of(seeded, clock)
        assert await uow.drills.add(second)
        assert await uow.drills.latest(organization_id) == second
        assert await uow.drills.get(organization_id, first.id) == replace(first, reported_at=clock.now())
    assert await storage.queues.due_drills(clock.now()) == []


def installation(clock: FakeClock, tenant: str = "T1", token: str = "xoxb-first") -> Installation:
    return Installation(
        platform="slack",
        tenant=tenant,
        name="Acme",
        is_org_wide=False,
        bot_token=Secret(token),
        bot_user="UBOT",
        scopes=frozenset({"chat:write", "commands"}),
        installed_at=clock.now(),
    )


async def test_an_installation_is_kept_encrypted_and_replaced(storage: SqlStorage, clock: FakeClock) -> None:
    first, other = installation(clock), installation(clock, "E1", "xoxb-other")
    kept = storage.installations
    await kept.save(other)
    await kept.save(first)
    assert await kept.find("slack", "T1") == first
    assert await kept.find("discord", "T1") is None
    assert await kept.all("slack") == [other, first]
    clock.advance(HOUR)
    second = replace(installation(clock, token="xoxb-second"), name="Acme Two", is_org_wide=True)
    await kept.save(second)
    assert await kept.find("slack", "T1") == second
    async with storage.writing_work() as work:
        stored = await work.row(select(installations.c.bot_token).where(installations.c.tenant == "T1"))
        assert stored is not None
        assert "xoxb" not in stored[0]
        await work.run(update(installations).where(installations.c.tenant == "E1").values(bot_token=stored[0]))
    with pytest.raises(Unreadable):
        await kept.find("slack", "E1")


@pytest.mark.behaviour("A-8")
@pytest.mark.parametrize("order", list(permutations(["uninstalled", "revoked", "revoked", "saved"])))
async def test_signals_of_a_loss_come_late_twice_and_in_any_order(
    storage: SqlStorage, clock: FakeClock, order: tuple[str, ...]
) -> None:
    """What was lost before it was installed again never takes the new access away."""
    kept = storage.installations
    assert not await kept.lose("slack", "T1", at=clock.now(), reason="unknown")
    await kept.save(installation(clock))
    went = clock.advance(HOUR)
    clock.advance(HOUR)
    lost = []
    for signal in order:
        if signal == "saved":
            await kept.save(installation(clock, token="xoxb-second"))
        else:
            lost.append(await kept.lose("slack", "T1", at=went, reason=signal))
    assert lost.count(True) == (1 if order[0] != "saved" else 0), "told once, if it was lost at all"
    found = await kept.find("slack", "T1")
    assert found == installation(clock, token="xoxb-second")
    assert await kept.lose("slack", "T1", at=clock.advance(HOUR), reason="uninstalled")
    assert not await kept.lose("slack", "T1", at=clock.now(), reason="revoked")
    found = await kept.find("slack", "T1")
    assert found is not None
    assert (found.lost_at, found.lost_reason) == (clock.now(), "uninstalled")
    assert await kept.all("slack") == []
