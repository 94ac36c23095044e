"""The audit log, over both databases."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commands.ports.auditing import AuditEntry
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage, seed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


@pytest.mark.behaviour("A-4")
async def test_the_audit_log_gives_the_latest_first(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    entries = [
        AuditEntry(
            organization_id=seeded.organization_id,
            at=clock.advance(timedelta(seconds=1)),
            actor_id=None if place else seeded.ana.id,
            origin="cli",
            action=f"action {place}",
            subject="x",
            detail=json.loads('{"key": "value \\u0000"}'),
        )
        for place in range(3)
    ]
    async with storage.transaction() as uow:
        await uow.audit.write()
        await uow.audit.write(entries[0])
        await uow.audit.write(*entries[1:])
        assert await uow.audit.latest(seeded.organization_id, limit=2) == [entries[2], entries[1]]


async def test_the_audit_log_is_read_on_by_one_person_and_by_words(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id = seeded.organization_id
    written = []
    for place, (action, subject, detail, actor) in enumerate(
        (
            ("role changed", "Bo Berg", {"role": "staff"}, seeded.mei),
            ("connection moved", "ÅSA 100% Ads", {"to": "Bo Berg"}, seeded.raj),
            ("claimed", "Acme Ads 1", {}, None),
        )
    ):
        entry = AuditEntry(
            organization_id=organization_id,
            at=clock.now() + timedelta(minutes=place),
            actor_id=None if actor is None else actor.id,
            origin="cli",
            action=action,
            subject=subject,
            detail=detail,
        )
        written.append(entry)
        async with storage.transaction() as uow:
            await uow.audit.write(entry)
    role, moved, claimed = written
    async with storage.reading() as uow:
        log = uow.audit
        assert await log.latest(organization_id, limit=2) == [claimed, moved]
        assert await log.latest(organization_id, limit=9, before=claimed.at) == [moved, role]
        assert await log.latest(organization_id, limit=9, actor_id=seeded.raj.id) == [moved]
        assert await log.latest(organization_id, limit=9, words="BERG bo") == [moved, role]
        assert await log.latest(organization_id, limit=9, words="bo staff") == [role]
        assert await log.latest(organization_id, limit=9, words="åsa 100%") == [moved]
        assert await log.latest(organization_id, limit=9, words="_") == []
        assert await log.latest(organization_id, limit=9, words="ads", actor_id=seeded.mei.id) == []
