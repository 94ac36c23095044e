"""What a probe means: pure functions from what was known and what was found to what has to be written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from bot.watch.rules import WatchRules
from commands.model import (
    CLEAR_LAPSES,
    Authorization,
    Connection,
    ConnectionState,
    Doubt,
    Finding,
    Tokens,
    Verdict,
)
from commands.ports.connections import CheckRecord
from commands.ports.network import NetworkSpec, Probe
from commands.ports.storage import DueCheck

NOT_THE_CONNECTIONS_FAULT = frozenset({Verdict.THROTTLED, Verdict.NETWORK_DOWN, Verdict.OUR_FAULT})
"""Verdicts that say nothing about the connection: its state stays as it is (D-4)."""

OUTAGE_LIKE = frozenset({Verdict.UNCLEAR, Verdict.NETWORK_DOWN})
"""Verdicts that many have at once in an outage. A rate limit is about us, and is told to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionJudgement:
    """What becomes of one connection."""

    connection: Connection
    finding: Finding
    opens: bool = False
    ends: bool = False
    good_at: datetime | None = None
    doubt: Doubt | None = None

    @property
    def changes(self) -> bool:
        """Whether anything of it has to be written: a healthy one that was healthy costs no statement."""
        return self.opens or self.ends or self.doubt != self.connection.doubt

    @property
    def stays_lapsed(self) -> bool:
        """Whether it is lapsed and was clearly refused again, maybe for another cause than before."""
        return self.connection.state is ConnectionState.LAPSED and self.finding.verdict in CLEAR_LAPSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of an authorization and all that hangs on it."""

    record: CheckRecord
    connections: tuple[ConnectionJudgement, ...]
    our_fault: Finding | None = None
    """Something for the operator, never for users."""


def judge(
    due: DueCheck, probe: Probe, spec: NetworkSpec, rules: WatchRules, *, now: datetime, spread: Callable[[], float]
) -> Judgement:
    """Weigh a probe. `spread` gives a number from -1 to 1 for the next check's jitter."""
    authorization = due.authorization
    grant = _believed(probe.grant, authorization, spec, now)
    found = {
        connection.id: _believed(_finding_of(connection, grant, probe.accounts), authorization, spec, now)
        for connection in due.connections
    }
    judged = tuple(judge_connection(connection, found[connection.id], rules, now) for connection in due.connections)
    good = grant.verdict is Verdict.HEALTHY
    failing = {Verdict.UNCLEAR, Verdict.THROTTLED, Verdict.NETWORK_DOWN}
    # One account's unclear answer counts as well: an outage need not reach the question about the grant (D-4).
    unclear = grant.verdict in failing or any(item.finding.verdict is Verdict.UNCLEAR for item in judged)
    doubt = _deeper(authorization.doubt, now) if unclear else None
    waits_for_nobody = good and all(judgement.finding.verdict is Verdict.HEALTHY for judgement in judged)
    interval = (
        spec.check_interval
        if waits_for_nobody
        else _interval_in_trouble(due, grant, judged, spec=spec, rules=rules, doubt=doubt, now=now)
    )
    ours = next((finding for finding in (grant, *found.values()) if finding.verdict is Verdict.OUR_FAULT), None)
    record = CheckRecord(
        checked_at=now,
        next_check_at=_next_check(now, interval, [grant, *found.values()], rules, spread),
        good=good,
        doubt=doubt,
        ends_at=probe.ends_at,
        was_due_at=authorization.next_check_at,
        **_standing(authorization, probe, now),
    )
    return Judgement(record=record, connections=judged, our_fault=ours)


def _next_check(
    now: datetime, interval: timedelta, found: Sequence[Finding], rules: WatchRules, spread: Callable[[], float]
) -> datetime:
    """After the interval, with jitter; not before the network lets us ask again, and then not all at once. However
    long it asks us to wait, nobody is left alone for longer than what stays lapsed.
    """
    after, latest = now + interval * (1 + rules.jitter * spread()), now + rules.longest_interval
    asked = [min(finding.pause.until, latest) for finding in found if finding.pause is not None]
    return max([after, *(until + interval * rules.jitter * abs(spread()) for until in asked)])


def refresh_due(tokens: Tokens, spec: NetworkSpec, rules: WatchRules, now: datetime) -> bool:
    """Whether tokens should be refreshed before they are used (D-3).

    Where a refresh was begun and its answer never came, the token may be spent, and sending it again may end what
    still works: then it is sent only when the access is over.
    """
    if tokens.refresh_begun_at is not None:
        return tokens.access_expires_at is not None and tokens.access_expires_at <= now
    if tokens.access_expires_at is not None and tokens.access_expires_at - now <= spec.refresh_leeway:
        return True
    return (
        tokens.refresh is not None
        and tokens.obtained_at is not None
        and now - tokens.obtained_at >= rules.refresh_every
    )


class _Standing(TypedDict):
    region: str
    failing_since: datetime | None


def _standing(authorization: Authorization, probe: Probe, now: datetime) -> _Standing:
    """What a probe says of the network itself, for telling an outage from lapses. Asked of what it found, not of what
    is believed: refusals that are false for minutes after a consent are no outage.
    """
    healthy = probe.grant.verdict is Verdict.HEALTHY
    findings = [*probe.accounts.values()] if healthy and probe.accounts else [probe.grant]
    like_outage = [one for one in findings if one.verdict in OUTAGE_LIKE]
    if like_outage:
        since = authorization.failing_since or now
        return _Standing(region=like_outage[0].evidence.region, failing_since=since)
    if any(one.verdict in NOT_THE_CONNECTIONS_FAULT for one in findings):
        return _Standing(region=authorization.region, failing_since=authorization.failing_since)
    region = next((one.evidence.region for one in findings if one.evidence.region), authorization.region)
    return _Standing(region=region, failing_since=None)


def _finding_of(connection: Connection, grant: Finding, accounts: Mapping[str, Finding]) -> Finding:
    if grant.verdict is not Verdict.HEALTHY:
        return grant
    return accounts.get(connection.account_id, grant)


def _believed(finding: Finding, authorization: Authorization, spec: NetworkSpec, now: datetime) -> Finding:
    """Some networks refuse falsely for minutes after a consent: until then a refusal is only unclear."""
    if finding.verdict in CLEAR_LAPSES and now - authorization.obtained_at < spec.fresh_grant_grace:
        return Finding(verdict=Verdict.UNCLEAR, evidence=finding.evidence)
    return finding


def judge_connection(connection: Connection, finding: Finding, rules: WatchRules, now: datetime) -> ConnectionJudgement:
    """Weigh what was found of one connection."""
    verdict, lapsed = finding.verdict, connection.state is ConnectionState.LAPSED
    if verdict is Verdict.HEALTHY:
        return ConnectionJudgement(connection=connection, finding=finding, ends=lapsed, good_at=now)
    if verdict in NOT_THE_CONNECTIONS_FAULT:
        return ConnectionJudgement(connection=connection, finding=finding, doubt=connection.doubt)
    if verdict in CLEAR_LAPSES:
        return ConnectionJudgement(connection=connection, finding=finding, opens=not lapsed)
    doubt = _deeper(connection.doubt, now)
    settled = doubt.failures >= rules.unclear_failures and now - doubt.since >= rules.unclear_period
    return ConnectionJudgement(connection=connection, finding=finding, opens=settled and not lapsed, doubt=doubt)


def in_outage(item: ConnectionJudgement, *, since: datetime) -> ConnectionJudgement:
    """The same while the network itself fails: what is unclear says nothing of the connection. When it is over, the
    looks that it takes to be told begin anew.
    """
    if item.finding.verdict is not Verdict.UNCLEAR:
        return item
    return replace(item, opens=False, doubt=Doubt(since=since, failures=0))


def _deeper(doubt: Doubt | None, now: datetime) -> Doubt:
    if doubt is None:
        return Doubt(since=now, failures=1)
    return Doubt(since=doubt.since, failures=doubt.failures + 1)


def _interval_in_trouble(
    due: DueCheck,
    grant: Finding,
    judged: tuple[ConnectionJudgement, ...],
    *,
    spec: NetworkSpec,
    rules: WatchRules,
    doubt: Doubt | None,
    now: datetime,
) -> timedelta:
    """Soon while something is unclear; ever less often while it stays lapsed, never beyond a day (D-6)."""
    if grant.verdict in NOT_THE_CONNECTIONS_FAULT:
        failures = doubt.failures if doubt is not None else 1
        doublings = min(failures - 1, 6)
        return min(rules.recheck * (1 << doublings), spec.check_interval)
    if any(judgement.finding.verdict is Verdict.UNCLEAR and not judgement.opens for judgement in judged):
        return rules.recheck
    last_good = due.authorization.last_good_at
    if grant.verdict is Verdict.HEALTHY or last_good is None:
        return spec.check_interval
    return max(spec.check_interval, min((now - last_good) / 4, rules.longest_interval))
