"""Works through due authorizations, with bounded concurrency per network; checks single ones on request."""

import asyncio
import time
from asyncio import Task, TaskGroup
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.watch.check import AuthorizationCheck
from bot.watch.outages import OutageGuard
from bot.watch.rules import WatchRules
from bot.watch.turns import FairTurns
from commands.ids import AuthorizationId, OrganizationId
from commands.model import Verdict
from commands.ports.checker import CheckResult
from commands.ports.clock import Clock
from commands.ports.network import Expected, Networks
from commands.ports.storage import DueCheck, Storage, Unreadable

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
        self._outages = OutageGuard(storage, clock, rules)
        self._check = AuthorizationCheck(storage, clock, rules, self._outages)
        # Room worth filling: leasing a portion costs the same two statements whatever its size.
        self._portion = max(rules.concurrency // 2, 1)
        self._turns = FairTurns(storage.queues)
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

    async def prove(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, accounts: Sequence[Expected]
    ) -> frozenset[str]:
        """Ask whether a login reads accounts that hang on another one. Raises NotThere."""
        async with self._storage.reading() as work:
            authorization = await work.authorizations.get(organization_id, authorization_id)
            try:
                tokens = await work.authorizations.tokens(organization_id, authorization_id)
            except Unreadable:
                log.error("tokens_unreadable", authorization=str(authorization_id), network=authorization.network)
                return frozenset()
        network = self._networks.get(authorization.network)
        if network is None:
            return frozenset()
        try:
            async with asyncio.timeout(self._rules.check_within.total_seconds()):
                probe = await network.probe(tokens, accounts)
        except TimeoutError:
            return frozenset()
        found = (account for account in accounts if probe.grant.verdict is Verdict.HEALTHY)
        return frozenset(
            account.account_id
            for account in found
            if probe.accounts.get(account.account_id, probe.grant).verdict is Verdict.HEALTHY
        )

    async def _work(self, group: TaskGroup) -> int:
        working: dict[Task[None], str] = {}
        idle: set[str] = set()
        checked, look_at = 0, 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= look_at:
                idle.clear()
                look_at = now + LOOK_AGAIN
                async with _nothing_cut_short(working):
                    await self._outages.look()
            await self._sample(group, working)
            while roomy := self._with_room(working, idle):
                due = await self._lease(roomy, working, limit=self._portion)
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
        paused = self._outages.paused()
        return [slug for slug in self._networks if slug not in idle and slug not in paused and busy[slug] <= most]

    async def _sample(self, group: TaskGroup, working: dict[Task[None], str]) -> None:
        """Of networks whose watch pauses, check the few whose turn it is."""
        for slug in self._outages.paused() & self._networks.keys() if not self._is_stopping else ():
            room = self._rules.concurrency - Counter(working.values())[slug]
            async with _nothing_cut_short(working):
                wanted = min(await self._outages.turn(slug), room)
            if wanted > 0:
                due = await self._lease([slug], working, limit=wanted)
                self._outages.took(slug, len(due), wanted)
                working |= {group.create_task(self._guarded(item)): slug for item in due}

    async def _lease(
        self, networks: Sequence[str], working: dict[Task[None], str], *, limit: int
    ) -> Sequence[DueCheck]:
        async with _nothing_cut_short(working):
            now = self._clock.now()
            first = await self._turns.first(networks, now=now, limit=limit)
            due = await self._storage.queues.claim_checks(
                now=now, limit=limit, lease=self._rules.lease, networks=networks, first=first
            )
        self._turns.leased(networks, [check.authorization.network for check in due], limit=limit)
        return due

    async def _guarded(self, due: DueCheck) -> None:
        network = self._networks[due.authorization.network]
        try:
            await self._check.run(due, network)
        except Exception:
            # One of the three edges: a check that breaks must not end the others. Its lease runs out; it is due again.
            log.exception("check_failed", authorization=str(due.authorization.id), network=network.spec.slug)


@asynccontextmanager
async def _nothing_cut_short(working: Mapping[Task[None], str]) -> AsyncIterator[None]:
    """Let checks under way end before an error ends them all: a refresh may have ended the old token already."""
    try:
        yield
    except Exception:
        if working:
            await asyncio.wait(working)
        raise
