"""Works through due authorizations, with bounded concurrency per network; checks single ones on request."""

import asyncio
from collections.abc import Sequence

import structlog

from bot.watch.check import AuthorizationCheck
from bot.watch.rules import WatchRules
from commands.ids import AuthorizationId, OrganizationId
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.storage import DueCheck, Storage

log = structlog.get_logger(__name__)


class Watcher:
    """The watch of one process. Several processes share the work through leases. Implements `Checker` (D-8)."""

    def __init__(self, *, storage: Storage, clock: Clock, networks: Networks, rules: WatchRules) -> None:
        self._storage = storage
        self._clock = clock
        self._networks = networks
        self._rules = rules
        self._check = AuthorizationCheck(storage, clock, rules)
        self._slots = {slug: asyncio.Semaphore(rules.concurrency) for slug in networks}

    async def run_once(self) -> int:
        """Lease one batch of due authorizations, check them, and give how many there were."""
        due = await self._storage.queues.claim_checks(
            now=self._clock.now(), limit=self._rules.batch, lease=self._rules.lease, networks=tuple(self._networks)
        )
        await self._check_all(due)
        return len(due)

    async def check(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> bool:
        """Check one now, due or not. False while another process has it, or if its network has no credentials here."""
        due = await self._storage.queues.claim_check(
            organization_id, authorization_id, now=self._clock.now(), lease=self._rules.lease
        )
        if due is None or due.authorization.network not in self._networks:
            return False
        return await self._check.run(due, self._networks[due.authorization.network]) is not None

    async def _check_all(self, due: Sequence[DueCheck]) -> None:
        async with asyncio.TaskGroup() as group:
            for item in due:
                group.create_task(self._guarded(item))

    async def _guarded(self, due: DueCheck) -> None:
        network = self._networks[due.authorization.network]
        async with self._slots[due.authorization.network]:
            try:
                await self._check.run(due, network)
            except Exception:
                # One of the three edges: a check that breaks must not end the others. Its lease runs out; it is due
                # again.
                log.exception("check_failed", authorization=str(due.authorization.id), network=network.spec.slug)
