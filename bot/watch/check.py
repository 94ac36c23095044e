"""One check of one authorization: refresh if it is time, ask the network, weigh the answer, write it down.

No transaction is open while a network is asked.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.watch.judgement import (
    NOT_THE_CONNECTIONS_FAULT,
    ConnectionJudgement,
    Judgement,
    in_outage,
    judge,
    judge_connection,
    refresh_due,
)
from bot.watch.outages import OutageGuard
from bot.watch.refreshing import Refresher
from bot.watch.rules import WatchRules
from commands.access import move_accepted
from commands.errors import NetworkError
from commands.ids import ConnectionId, LapseId, new_id
from commands.model import CLEAR_LAPSES, ConnectionState, Evidence, Finding, Lapse, LapseEnd, Tokens, Verdict
from commands.moves import hang
from commands.ports.checker import CheckResult
from commands.ports.clock import Clock
from commands.ports.connections import CheckRecord
from commands.ports.events import Event, EventKind
from commands.ports.network import Expected, Network, Probe
from commands.ports.outages import Outage
from commands.ports.storage import DueCheck, Storage, UnitOfWork, Unreadable

log = structlog.get_logger(__name__)

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What becomes of a connection, weighed anew as it is while the outcome is written."""

    item: ConnectionJudgement
    lapse: Lapse | None
    """The one that is open."""
    held_until: datetime | None
    """When to look again, where a lapse is not opened although the check says so."""


@dataclass(frozen=True, slots=True)
class AuthorizationCheck:
    """Checks authorizations that somebody leased."""

    storage: Storage
    clock: Clock
    rules: WatchRules
    outages: OutageGuard

    async def run(self, due: DueCheck, network: Network) -> CheckResult:
        """Check one, write the outcome and give the lease back. BUSY if the lease was lost meanwhile."""
        try:
            tokens = await self._tokens(due)
            probe = await self._probe(due, network, tokens)
        except Unreadable:
            log.error("tokens_unreadable", authorization=str(due.authorization.id), network=network.spec.slug)
            return await self._give_back(due, network)
        await self._heed(network, [probe.grant, *probe.accounts.values()])
        probe, home = _without_moved(due, probe)
        now = self.clock.now()
        spread = random.uniform  # spreads load; nothing secret hangs on it
        judgement = judge(due, probe, network.spec, self.rules, now=now, spread=lambda: spread(-1, 1))
        if judgement.our_fault is not None:
            evidence = judgement.our_fault.evidence
            log.error("our_fault_at_network", network=network.spec.slug, check=evidence.check, code=evidence.code)
        return await self._write(due, judgement, home, now)

    async def _tokens(self, due: DueCheck) -> Tokens:
        async with self.storage.reading() as work:
            return await work.authorizations.tokens(due.authorization.organization_id, due.authorization.id)

    async def _probe(self, due: DueCheck, network: Network, tokens: Tokens) -> Probe:
        asked_for = (*due.connections, *due.moved)
        expected = [Expected(account_id=item.account_id, parent=item.parent) for item in asked_for]
        deadline = asyncio.get_running_loop().time() + self.rules.check_within.total_seconds()
        refused: Finding | None = None
        probe: Probe | None = None
        if not refresh_due(tokens, network.spec, self.rules, self.clock.now()):
            probe = await self._asked(network, tokens, expected, deadline)
            if tokens.refresh is None or not _a_refresh_may_mend(probe.grant, tokens):
                return probe
        known = tokens
        try:
            tokens = await Refresher(self.storage, self.clock).refresh(due, network, tokens, deadline)
        except NetworkError as error:
            refused = error.finding
            await self._heed(network, [refused])
            tokens = await self._tokens(due)  # another process may have stored newer ones meanwhile
        if probe is None or tokens.access != known.access:
            probe = await self._asked(network, tokens, expected, deadline)
        if refused is None or probe.grant.verdict in (Verdict.HEALTHY, *NOT_THE_CONNECTIONS_FAULT):
            return probe
        # A failed refresh is believed only now that the access it would have renewed has failed as well. One that could
        # not be asked for leaves open whether the access only aged meanwhile.
        only_aged = refused.verdict in NOT_THE_CONNECTIONS_FAULT and _a_refresh_may_mend(probe.grant, tokens)
        return replace(probe, grant=refused) if refused.verdict in CLEAR_LAPSES or only_aged else probe

    async def _heed(self, network: Network, found: Sequence[Finding]) -> None:
        """Let nobody ask a network that asked all of us to wait."""
        asked = [finding.pause.until for finding in found if finding.pause is not None and finding.pause.everybody]
        if asked:
            until = min(max(asked), self.clock.now() + self.rules.longest_pause)
            log.info(
                "network_asks_to_wait", network=network.spec.slug, asked=max(asked).isoformat(), until=until.isoformat()
            )
            await self.storage.queues.pause_network(network.spec.slug, until=until)

    async def _asked(self, network: Network, tokens: Tokens, expected: Sequence[Expected], deadline: float) -> Probe:
        try:
            async with asyncio.timeout_at(deadline):
                return await network.probe(tokens, expected)
        except TimeoutError:
            return Probe(grant=_too_slow("probe"))

    async def _give_back(self, due: DueCheck, network: Network) -> CheckResult:
        """Give back the lease of what could not be checked, with all that was known left as it was."""
        authorization = due.authorization
        record = CheckRecord(
            checked_at=authorization.checked_at or authorization.obtained_at,
            next_check_at=self.clock.now() + network.spec.check_interval,
            good=False,
            doubt=authorization.doubt,
            ends_at=None,
            region=authorization.region,
            failing_since=authorization.failing_since,
            was_due_at=authorization.next_check_at,
        )
        async with self.storage.transaction() as work:
            await work.authorizations.record_check(authorization.organization_id, authorization.id, due.term, record)
        return CheckResult.NOT_POSSIBLE

    async def _write(
        self, due: DueCheck, judgement: Judgement, home: Sequence[ConnectionId], now: datetime
    ) -> CheckResult:
        authorization = due.authorization
        outage = await self.outages.around(authorization.network, judgement, now)
        record = judgement.record
        if outage is not None:
            record = replace(record, next_check_at=max(record.next_check_at, self.outages.look_again(outage, now)))
        organization_id = authorization.organization_id
        async with self.storage.transaction() as work:
            if not await work.authorizations.record_check(organization_id, authorization.id, due.term, record):
                log.info("check_lease_lost", authorization=str(authorization.id))
                return CheckResult.BUSY
            found = _to_change(judgement)
            if found or home:
                await work.connections.hold(organization_id, [*found, *home])
            changes = await self._changes(work, due, found, now, outage=outage)
            held = [change.held_until for change in changes if change.held_until is not None]
            if held and outage is None:
                await work.authorizations.check_soon(organization_id, [authorization.id], min(held))
            events = [event for change in changes for event in await self._write_change(work, change, due, now)]
            if events:
                await work.notices.record(events)
            if home:
                for view in await work.connections.views(organization_id, home):
                    if view.connection.authorization_id is None and move_accepted(view):
                        await hang(work, view.connection, authorization, by=None, now=now)
        return CheckResult.CHECKED

    async def _changes(
        self,
        work: UnitOfWork,
        due: DueCheck,
        found: Mapping[ConnectionId, Finding],
        now: datetime,
        *,
        outage: Outage | None,
    ) -> list[_Change]:
        """What has to be written. Connections that were reconnected under another login since they were leased are
        left alone; the others are judged as they are now.
        """
        authorization = due.authorization
        if not found:
            return []
        changes = []
        for view in await work.connections.views(authorization.organization_id, list(found)):
            connection = view.connection
            if connection.authorization_id != authorization.id or connection.state is ConnectionState.RETIRED:
                continue
            item = judge_connection(connection, found[connection.id], self.rules, now)
            if outage is not None and outage.holds(now):
                item = in_outage(item, since=outage.since)
            held_until = await self._held_until(work, item, now) if item.opens else None
            changes.append(_Change(item=item, lapse=view.lapse, held_until=held_until))
        return changes

    async def _held_until(self, work: UnitOfWork, item: ConnectionJudgement, now: datetime) -> datetime | None:
        connection = item.connection
        last = await work.lapses.last_ended(connection.organization_id, connection.id)
        if last is None or last.ended_at is None or last.ended_how is not LapseEnd.RECOVERED:
            return None
        calm = last.ended_at + self.rules.flapping
        return calm if now < calm else None

    async def _write_change(self, work: UnitOfWork, change: _Change, due: DueCheck, now: datetime) -> list[Event]:
        item, connection = change.item, change.item.connection
        organization_id = connection.organization_id
        if item.changes:
            await work.connections.record_check(organization_id, connection.id, good_at=item.good_at, doubt=item.doubt)
        if item.ends:
            ended = await work.lapses.end(organization_id, connection.id, at=now, how=LapseEnd.RECOVERED, by=None)
            await work.connections.set_state(organization_id, connection.id, ConnectionState.ACTIVE)
            return [Event.of_lapse(EventKind.LAPSE_ENDED, ended, now)] if ended is not None else []
        if item.stays_lapsed:
            return await self._update_cause(work, change, now)
        if not item.opens or change.held_until is not None:
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
        return [Event.of_lapse(EventKind.LAPSE_OPENED, lapse, now)]

    async def _update_cause(self, work: UnitOfWork, change: _Change, now: datetime) -> list[Event]:
        """A lapse's cause may become clearer, or another one: the words and the buttons follow it (D-1, R-7)."""
        lapse, finding = change.lapse, change.item.finding
        if lapse is None or (lapse.cause, _facts(lapse.evidence)) == (finding.verdict, _facts(finding.evidence)):
            return []
        lapse = replace(lapse, cause=finding.verdict, evidence=finding.evidence)
        await work.lapses.update_cause(lapse)
        return [Event.of_lapse(EventKind.LAPSE_CHANGED, lapse, now)]


def _without_moved(due: DueCheck, probe: Probe) -> tuple[Probe, list[ConnectionId]]:
    """What a probe says of the accounts that hang on the login, and which of those that moved it reads. That it does
    not read one of these is no fault of anything.
    """
    if not due.moved:
        return probe, []
    home = [
        one.id
        for one in due.moved
        if probe.grant.verdict is probe.accounts.get(one.account_id, probe.grant).verdict is Verdict.HEALTHY
    ]
    moved = {one.account_id for one in due.moved}
    own = {account_id: finding for account_id, finding in probe.accounts.items() if account_id not in moved}
    return replace(probe, accounts=own), home


def _to_change(judgement: Judgement) -> dict[ConnectionId, Finding]:
    return {item.connection.id: item.finding for item in judgement.connections if item.changes or item.stays_lapsed}


def _a_refresh_may_mend(finding: Finding, tokens: Tokens) -> bool:
    """Whether access was refused for its age, without a reason, or maybe because a refresh whose answer never came
    has ended it: a refresh tells whether more than it has ended.
    """
    unexplained = finding.verdict is Verdict.UNCLEAR and finding.evidence.http_status == _UNAUTHORIZED
    maybe_replaced = tokens.refresh_begun_at is not None and finding.verdict is Verdict.REVOKED
    return unexplained or maybe_replaced or finding.verdict is Verdict.EXPIRED


def _facts(evidence: Evidence) -> tuple[object, ...]:
    """What of evidence people are told or act on; how it was found out may differ from check to check."""
    return evidence.code, evidence.subcode, evidence.missing, evidence.moved_to


def _too_slow(check: str) -> Finding:
    return Finding(verdict=Verdict.NETWORK_DOWN, evidence=Evidence(check=check, code="too_slow"))


def _last_good(due: DueCheck, item: ConnectionJudgement) -> datetime | None:
    """The grant's last good check, or the start of the doubt about this account where that was earlier."""
    good, doubt = due.authorization.last_good_at, item.connection.doubt
    return min(good, doubt.since) if good is not None and doubt is not None else good
