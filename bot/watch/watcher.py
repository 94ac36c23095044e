"""Works through due authorizations, with bounded concurrency per network; checks single ones on request."""

import asyncio
import time
from asyncio import Task, TaskGroup
from collections import Counter
from collections.abc import Sequence

import structlog

from bot.watch.check import AuthorizationCheck
from bot.watch.rules import WatchRules
from commands.ids import AuthorizationId, OrganizationId
from commands.ports.checker import CheckResult
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.storage import DueCheck, Storage

log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0
"""Seconds between looks for what became due while checks are under way, so that a slow network holds up no other."""


class Watcher:
    """The watch of one process. Several processes share the work through leases. Implements `Checker` (D-8)."""

    def __init__(self, *, storage: Storage, clock: Clock, networks: Networks, rules: WatchRules) -> None:
        self._storage = storage
        self._clock = clock
        self._networks = networks
        self._rules = rules
        self._check = AuthorizationCheck(storage, clock, rules)
        # Room worth filling: leasing a portion costs the same two statements whatever its size.
        self._portion = max(rules.concurrency // 2, 1)
        self._is_stopping = False
        self._progressed_at = time.monotonic()

    async def run_once(self) -> int:
        """Check until nothing is due, and give how many checks there were.

        Only what can start at once is leased. While a slow network is waited for, the others' checks go on.
        """
        async with TaskGroup() as group:
            return await self._work(group)

    async def stop(self) -> None:
        """Lease nothing more; `run_once` ends with the checks that are under way."""
        self._is_stopping = True

    def progressed_at(self) -> float:
        """When a check last ended, on the monotonic clock."""
        return self._progressed_at

    async def check(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> CheckResult:
        """Check one now, due or not. Raises NotThere."""
        async with self._storage.reading() as work:
            authorization = await work.authorizations.get(organization_id, authorization_id)
        network = self._networks.get(authorization.network)
        if network is None:
            return CheckResult.NOT_POSSIBLE
        due = await self._storage.queues.claim_check(
            organization_id, authorization_id, now=self._clock.now(), lease=self._rules.lease
        )
        return CheckResult.BUSY if due is None else await self._check.run(due, network)

    async def _work(self, group: TaskGroup) -> int:
        working: dict[Task[None], str] = {}
        idle: set[str] = set()
        checked, look_at = 0, 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= look_at:
                idle.clear()
                look_at = now + LOOK_AGAIN
            while roomy := self._with_room(working, idle):
                due = await self._lease(roomy, working)
                working |= {group.create_task(self._guarded(item)): item.authorization.network for item in due}
                if len(due) < self._portion:
                    idle.update(roomy)
            if not working:
                return checked
            done, _ = await asyncio.wait(working, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del working[task]
            if done:
                checked += len(done)
                self._progressed_at = time.monotonic()

    def _with_room(self, working: dict[Task[None], str], idle: set[str]) -> list[str]:
        """The networks that a whole portion can be started at now, in case it all is one network's."""
        if self._is_stopping:
            return []
        busy, most = Counter(working.values()), self._rules.concurrency - self._portion
        return [slug for slug in self._networks if slug not in idle and busy[slug] <= most]

    async def _lease(self, networks: Sequence[str], working: dict[Task[None], str]) -> Sequence[DueCheck]:
        try:
            return await self._storage.queues.claim_checks(
                now=self._clock.now(), limit=self._portion, lease=self._rules.lease, networks=networks
            )
        except Exception:
            if working:
                await asyncio.wait(working)  # not cut short: a refresh under way may have ended the old token already
            raise

    async def _guarded(self, due: DueCheck) -> None:
        network = self._networks[due.authorization.network]
        try:
            await self._check.run(due, network)
        except Exception:
            # One of the three edges: a check that breaks must not end the others. Its lease runs out; it is due again.
            log.exception("check_failed", authorization=str(due.authorization.id), network=network.spec.slug)
