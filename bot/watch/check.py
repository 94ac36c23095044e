"""One check of one authorization: refresh if it is time, ask the network, weigh the answer, write it down.

No transaction is open while a network is asked.
"""

import random
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.watch.judgement import ConnectionJudgement, Judgement, judge, refresh_due
from bot.watch.rules import WatchRules
from commands.errors import NetworkError
from commands.ids import EventId, LapseId, new_id
from commands.model import CLEAR_LAPSES, ConnectionState, Finding, Lapse, LapseEnd, Tokens, Verdict
from commands.ports.clock import Clock
from commands.ports.network import Expected, Network, Probe
from commands.ports.notices import Event, EventKind
from commands.ports.storage import DueCheck, Storage, UnitOfWork, Unreadable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuthorizationCheck:
    """Checks authorizations that somebody leased."""

    storage: Storage
    clock: Clock
    rules: WatchRules

    async def run(self, due: DueCheck, network: Network) -> Judgement | None:
        """Check one and write the outcome. None if the lease was lost meanwhile, or its tokens cannot be read."""
        try:
            tokens = await self._tokens(due)
        except Unreadable:
            log.error("tokens_unreadable", authorization=str(due.authorization.id), network=network.spec.slug)
            return None
        probe = await self._probe(due, network, tokens)
        now = self.clock.now()
        spread = random.uniform  # spreads load; nothing secret hangs on it
        judgement = judge(due, probe, network.spec, self.rules, now=now, spread=lambda: spread(-1, 1))
        if judgement.our_fault is not None:
            evidence = judgement.our_fault.evidence
            log.error("our_fault_at_network", network=network.spec.slug, check=evidence.check, code=evidence.code)
        return await self._write(due, judgement, now)

    async def _tokens(self, due: DueCheck) -> Tokens:
        async with self.storage.reading() as work:
            return await work.authorizations.tokens(due.authorization.organization_id, due.authorization.id)

    async def _probe(self, due: DueCheck, network: Network, tokens: Tokens) -> Probe:
        expected = [Expected(account_id=item.account_id, parent=item.parent) for item in due.connections]
        refused: Finding | None = None
        if refresh_due(tokens, network.spec, self.rules, self.clock.now()):
            try:
                tokens = await self._refresh(due, network, tokens)
            except NetworkError as error:
                refused = error.finding
                tokens = await self._tokens(due)  # another process may have stored newer ones meanwhile
        probe = await network.probe(tokens, expected)
        if refused is None or probe.grant.verdict in (Verdict.HEALTHY, Verdict.THROTTLED, Verdict.NETWORK_DOWN):
            return probe
        # A failed refresh is believed only now that the access it would have renewed has failed as well.
        return replace(probe, grant=refused) if refused.verdict in CLEAR_LAPSES else probe

    async def _refresh(self, due: DueCheck, network: Network, tokens: Tokens) -> Tokens:
        grant = await network.refresh(tokens)
        if grant is None:
            return tokens
        authorization = due.authorization
        async with self.storage.transaction() as work:
            # Stored before anything else is done with it: the network may have ended the old one already.
            won = await work.authorizations.store_refreshed(
                authorization.organization_id,
                authorization.id,
                tokens=grant.tokens,
                ends_at=grant.ends_at,
                generation=authorization.generation,
            )
        return grant.tokens if won else await self._tokens(due)

    async def _write(self, due: DueCheck, judgement: Judgement, now: datetime) -> Judgement | None:
        authorization = due.authorization
        outage = await self._is_outage(authorization.network, judgement, now)
        async with self.storage.transaction() as work:
            kept = await work.authorizations.record_check(
                authorization.organization_id, authorization.id, due.term, judgement.record
            )
            if not kept:
                log.info("check_lease_lost", authorization=str(authorization.id))
                return None
            events = [
                event
                for item in judgement.connections
                if item.changes
                for event in await self._write_connection(work, item, due, now, outage=outage)
            ]
            if events:
                await work.notices.record(events)
        return judgement

    async def _is_outage(self, network: str, judgement: Judgement, now: datetime) -> bool:
        """Whether unclear failures are the network's own just now (D-4). Asked only where one would open a lapse."""
        if not any(item.opens and item.finding.verdict is Verdict.UNCLEAR for item in judgement.connections):
            return False
        health = await self.storage.queues.network_health(network, since=now - self.rules.outage_period)
        enough = health.failing >= self.rules.outage_authorizations
        return enough and health.failing >= self.rules.outage_share * health.checked

    async def _write_connection(
        self, work: UnitOfWork, item: ConnectionJudgement, due: DueCheck, now: datetime, *, outage: bool
    ) -> list[Event]:
        connection = item.connection
        organization_id = connection.organization_id
        await work.connections.record_check(organization_id, connection.id, good_at=item.good_at, doubt=item.doubt)
        if item.ends:
            lapse = await work.lapses.end(organization_id, connection.id, at=now, how=LapseEnd.RECOVERED, by=None)
            await work.connections.set_state(organization_id, connection.id, ConnectionState.ACTIVE)
            return [_event(EventKind.LAPSE_ENDED, lapse, now)] if lapse is not None else []
        if not item.opens or (outage and item.finding.verdict is Verdict.UNCLEAR):
            return []
        if await self._flaps(work, item, now):
            return []
        lapse = Lapse(
            id=LapseId(new_id(now)),
            organization_id=organization_id,
            connection_id=connection.id,
            authorization_id=due.authorization.id,
            cause=item.finding.verdict,
            evidence=item.finding.evidence,
            last_good_at=_last_good(due, item),
            opened_at=now,
        )
        if not await work.lapses.open(lapse):
            return []
        await work.connections.set_state(organization_id, connection.id, ConnectionState.LAPSED)
        return [_event(EventKind.LAPSE_OPENED, lapse, now)]

    async def _flaps(self, work: UnitOfWork, item: ConnectionJudgement, now: datetime) -> bool:
        connection = item.connection
        last = await work.lapses.last_ended(connection.organization_id, connection.id)
        if last is None or last.ended_at is None or last.ended_how is not LapseEnd.RECOVERED:
            return False
        return now - last.ended_at < self.rules.flapping


def _last_good(due: DueCheck, item: ConnectionJudgement) -> datetime | None:
    """The grant's last good check, or the start of the doubt about this account where that was earlier."""
    good, doubt = due.authorization.last_good_at, item.connection.doubt
    return min(good, doubt.since) if good is not None and doubt is not None else good


def _event(kind: EventKind, lapse: Lapse, now: datetime) -> Event:
    return Event(
        id=EventId(new_id(now)),
        organization_id=lapse.organization_id,
        kind=kind,
        at=now,
        lapse_id=lapse.id,
        connection_id=lapse.connection_id,
        authorization_id=lapse.authorization_id,
    )
