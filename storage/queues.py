"""The queues, each call a transaction of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.ids import AuthorizationId, OrganizationId
from commands.model import Drill, Identity
from commands.ports.notices import Delivery
from commands.ports.storage import DueCheck, DueEvents, DueReader, DueReleases, DueWarnings, Heads, NetworkHealth, Sent
from storage import checks, due, outbox, planning, purging, taken
from storage.directory import Transactions

SIGNALS_ARE_KEPT = timedelta(days=1)
"""After which one that is sent again costs another look."""


class SqlQueues:
    """Implements `Queues`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def claim_checks(
        self,
        *,
        now: datetime,
        limit: int,
        lease: timedelta,
        networks: Sequence[str],
        first: Sequence[AuthorizationId] = (),
    ) -> Sequence[DueCheck]:
        async with self._transactions.writing_work() as work:
            return await checks.claim_checks(work, now=now, limit=limit, lease=lease, networks=networks, first=first)

    async def longest_due_of_each(
        self, *, now: datetime, networks: Sequence[str], after: OrganizationId | None, limit: int
    ) -> Sequence[Heads]:
        async with self._transactions.reading_work() as work:
            return await checks.longest_due_of_each(work, now=now, networks=networks, after=after, limit=limit)

    async def take_request(self, key: str, *, until: datetime) -> bool:
        async with self._transactions.writing_work() as work:
            return await taken.take_request(work, key, until=until)

    async def look_now(self, network: str, subject_ids: Sequence[str], *, now: datetime, signal: str = "") -> int:
        async with self._transactions.writing_work() as work:
            if signal and not await taken.take_request(work, f"{network} {signal}", until=now + SIGNALS_ARE_KEPT):
                return 0
            return await checks.look_now(work, network, subject_ids, now=now)

    async def pause_network(self, network: str, *, until: datetime) -> None:
        async with self._transactions.writing_work() as work:
            await checks.pause_network(work, network, until=until)

    async def claim_check(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, *, now: datetime, lease: timedelta
    ) -> DueCheck | None:
        async with self._transactions.writing_work() as work:
            return await checks.claim_check(work, organization_id, authorization_id, now=now, lease=lease)

    async def network_health(self, network: str, *, since: datetime, region: str = "") -> NetworkHealth:
        async with self._transactions.reading_work() as work:
            return await checks.network_health(work, network, since=since, region=region)

    async def due_events(self, *, now: datetime, gather: timedelta, limit: int) -> Sequence[DueEvents]:
        async with self._transactions.reading_work() as work:
            return await planning.due_events(work, now=now, gather=gather, limit=limit)

    async def due_reminders(self, *, now: datetime, limit: int) -> Sequence[DueReader]:
        async with self._transactions.reading_work() as work:
            return await due.due_reminders(work, now=now, limit=limit)

    async def due_digests(self, *, now: datetime, limit: int) -> Sequence[DueReader]:
        async with self._transactions.reading_work() as work:
            return await due.due_digests(work, now=now, limit=limit)

    async def due_warnings(self, *, now: datetime, limit: int) -> Sequence[DueWarnings]:
        async with self._transactions.reading_work() as work:
            return await due.due_warnings(work, now=now, limit=limit)

    async def due_releases(self, *, now: datetime, limit: int) -> Sequence[DueReleases]:
        async with self._transactions.reading_work() as work:
            return await due.due_releases(work, now=now, limit=limit)

    async def due_profiles(
        self, *, looked_before: datetime, gone_before: datetime | None = None, limit: int
    ) -> Sequence[Identity]:
        async with self._transactions.reading_work() as work:
            return await due.due_profiles(work, looked_before=looked_before, gone_before=gone_before, limit=limit)

    async def due_drills(self, now: datetime) -> Sequence[Drill]:
        async with self._transactions.reading_work() as work:
            return await due.due_drills(work, now)

    async def lanes_due(self, now: datetime) -> Sequence[str]:
        async with self._transactions.reading_work() as work:
            return await outbox.lanes_due(work, now)

    async def take_lane(self, lane: str, *, holder: str, now: datetime, lease: timedelta) -> int | None:
        async with self._transactions.writing_work() as work:
            return await outbox.take_lane(work, lane, holder=holder, now=now, lease=lease)

    async def leave_lane(self, lane: str, *, holder: str) -> None:
        async with self._transactions.writing_work() as work:
            await outbox.leave_lane(work, lane, holder=holder)

    async def take_deliveries(self, lane: str, *, term: int, now: datetime, limit: int) -> Sequence[Delivery]:
        async with self._transactions.writing_work() as work:
            return await outbox.take_deliveries(work, lane, term=term, now=now, limit=limit)

    async def record_sent(self, lane: str, *, term: int, results: Sequence[Sent]) -> None:
        async with self._transactions.writing_work() as work:
            await outbox.record_sent(work, lane, term=term, results=results)

    async def purge(self, now: datetime) -> int:
        number = 0
        for step in purging.STEPS:
            found = purging.AT_ONCE
            while found == purging.AT_ONCE:
                async with self._transactions.writing_work() as work:
                    found = await purging.clear(work, step, now)
                number += found
        return number
