"""Tells a network's own outage from lapses (D-4, X-3).

An outage is a row, opened by whichever process sees that many authorizations fail at once, and closed by whichever sees
that they do not any more. While it stands, unclear failures open no lapse. Where the whole network fails its watch
pauses: a few authorizations at a time are asked whether it lasts, ever less often. When they answer well the others
come back bit by bit, and when that has lasted for a while the outage is over.
"""

import random
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.watch.judgement import Judgement
from bot.watch.rules import WatchRules
from commands.ids import OutageId, new_id
from commands.ports.clock import Clock
from commands.ports.outages import Outage
from commands.ports.storage import NetworkHealth, Storage

log = structlog.get_logger(__name__)

FRESH = timedelta(seconds=5)
"""How old what a process knows of outages and of a network's health may be, so that many checks share one look."""
_MOST_DOUBLINGS = 20

_Place = tuple[str, str]
"""A network and a region of it; no region: all of it."""


def fails(health: NetworkHealth, rules: WatchRules) -> bool:
    """Whether so many fail at once that it is an outage."""
    return health.failing >= rules.outage_authorizations and health.failing >= rules.outage_share * health.checked


def answers(health: NetworkHealth, rules: WatchRules) -> bool:
    """Whether enough answer well again: positive evidence, and clearly less than opens an outage."""
    return health.good >= rules.outage_good and health.failing <= rules.outage_over_share * health.checked


def pause(outage: Outage, rules: WatchRules) -> timedelta:
    """How long after a turn the next one comes: ever calmer while it fails, quickly while those who waited return."""
    return rules.outage_turn if outage.ended_at is not None else rules.recheck * (1 << min(outage.turns, 2))


def portion(outage: Outage, rules: WatchRules) -> int:
    """How many are checked in a turn: as few as show that it still fails, then twice as many each time."""
    return rules.outage_sample << (min(outage.turns, _MOST_DOUBLINGS) if outage.ended_at is not None else 0)


@dataclass(slots=True)
class OutageGuard:
    """What one process knows of outages. What counts is in the store."""

    storage: Storage
    clock: Clock
    rules: WatchRules
    _standing: dict[_Place, Outage] = field(default_factory=dict)
    _read_at: datetime | None = None
    _judged: dict[_Place, datetime] = field(default_factory=dict)
    """When a network's health was last looked at, to see whether an outage begins."""
    _left: dict[OutageId, int] = field(default_factory=dict)
    """How many checks are left of turns that this process took."""

    async def look(self) -> None:
        """Read what stands, and move each outage on as far as the network's health says. A few statements for each."""
        await self._read()
        for outage in list(self._standing.values()):
            if await self._moved_on(outage):
                await self._read()

    async def around(self, network: str, judgement: Judgement, now: datetime) -> Outage | None:
        """The outage that a check's failure belongs to; None also for what does not fail like one."""
        record = judgement.record
        if record.failing_since is None:
            return None
        if self._read_at is None or now - self._read_at >= FRESH:
            await self._read()
        for place in dict.fromkeys(((network, ""), (network, record.region))):
            if place in self._standing:
                return self._standing[place]
        return await self._begun((network, record.region), now)

    def look_again(self, outage: Outage, now: datetime) -> datetime:
        """When somebody who fails in an outage is due again at the soonest: ever later, and spread out."""
        calmer = max(self.rules.recheck, min((now - outage.opened_at) / 2, 4 * self.rules.recheck))
        spread = random.uniform  # spreads load; nothing secret hangs on it
        return now + calmer * (1 + self.rules.jitter * spread(-1, 1))

    def paused(self) -> Set[str]:
        """The networks of which only a few are checked at a time."""
        now = self.clock.now()
        return {outage.network for outage in self._standing.values() if not outage.region and outage.holds(now)}

    async def turn(self, network: str) -> int:
        """How many of a paused network this process may check now; 0 where it is not its turn."""
        outage = self._standing.get((network, ""))
        if outage is None:
            return 0
        if left := self._left.get(outage.id, 0):
            return left
        now = self.clock.now()
        if now < outage.turn_at:
            return 0
        next_at = now + pause(outage, self.rules)
        if await self.storage.outages.take_turn(outage.id, turns=outage.turns, at=now, next_at=next_at):
            self._left[outage.id] = portion(outage, self.rules)
        await self._read()
        return self._left.get(outage.id, 0)

    def took(self, network: str, number: int, wanted: int) -> None:
        """So many of the `wanted` were due."""
        outage = self._standing.get((network, ""))
        if outage is not None:
            self._left[outage.id] = self._left.get(outage.id, 0) - number if number == wanted else 0

    async def _read(self) -> None:
        found = await self.storage.outages.standing()
        self._standing = {(outage.network, outage.region): outage for outage in found}
        self._read_at = self.clock.now()
        known = {outage.id for outage in found}
        self._left = {key: left for key, left in self._left.items() if key in known}

    async def _begun(self, place: _Place, now: datetime) -> Outage | None:
        """Open an outage if that is what it is. Every few seconds one look for all failing checks of a network."""
        judged_at = self._judged.get(place)
        if judged_at is not None and now - judged_at < FRESH:
            return None
        self._judged[place] = now
        network, region = place
        since = now - self.rules.outage_period
        health = await self.storage.queues.network_health(network, since=since, region=region)
        if not fails(health, self.rules):
            return None
        outage = Outage(
            id=OutageId(new_id(now)),
            network=network,
            region=region,
            since=since,
            opened_at=now,
            held_until=now + self.rules.outage_longest,
            checked=health.checked,
            failing=health.failing,
            sampled_at=now,
            turn_at=now + self.rules.recheck,
        )
        if await self.storage.outages.open(outage):
            log.warning("outage opened", network=network, region=region, checked=health.checked, failing=health.failing)
        await self._read()
        return self._standing.get(place)

    async def _moved_on(self, outage: Outage) -> bool:
        now, store = self.clock.now(), self.storage.outages
        if outage.ended_at is not None:
            if fails(await self._health(outage, outage.ended_at), self.rules):
                return await store.relapse(outage.id, now)
            if now - outage.ended_at < self.rules.outage_calm:
                return False
            log.info("outage over", network=outage.network, region=outage.region)
            return await store.close(outage.id, now)
        since = self._telling_since(outage, now)
        if answers(await self._health(outage, since), self.rules) or await self._is_quiet(outage, now):
            return await store.recover(outage.id, now)
        return False

    def _telling_since(self, outage: Outage, now: datetime) -> datetime:
        """Since when checks tell whether it lasts."""
        if not outage.holds(now):
            return now - self.rules.outage_quiet  # what has lapsed is checked seldom
        # Of a paused network the last few that were asked tell; they may have been asked a while ago.
        return now - self.rules.outage_period if outage.region else outage.sampled_at

    async def _is_quiet(self, outage: Outage, now: datetime) -> bool:
        """Whether nothing fails any more, though too few are left to show that it works."""
        quiet = self.rules.outage_quiet
        if not outage.holds(now):
            quiet += self.rules.longest_interval
        return now - outage.opened_at >= quiet and not (await self._health(outage, now - quiet)).failing

    async def _health(self, outage: Outage, since: datetime) -> NetworkHealth:
        return await self.storage.queues.network_health(outage.network, since=since, region=outage.region)
