"""What a probe means, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.watch.judgement import Judgement, in_outage, judge, judge_connection, refresh_due
from bot.watch.rules import WatchRules
from commands.ids import AuthorizationId, ClientId, ConnectionId, OrganizationId, PersonId
from commands.model import CLEAR_LAPSES, Authorization, Connection, ConnectionState, Doubt, Tokens, Verdict
from commands.ports.network import NetworkSpec, Probe
from commands.ports.storage import DueCheck
from commands.secret import Secret
from tests.support.network import finding, spec

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RULES = WatchRules()
ORGANIZATION = OrganizationId(UUID(int=1))


def connection(state: ConnectionState = ConnectionState.ACTIVE, doubt: Doubt | None = None) -> Connection:
    return Connection(
        id=ConnectionId(UUID(int=10)),
        organization_id=ORGANIZATION,
        client_id=ClientId(UUID(int=2)),
        network="examplenet",
        account_id="a1",
        account_name="Acme",
        state=state,
        doubt=doubt,
    )


AUTHORIZATION = Authorization(
    id=AuthorizationId(UUID(int=3)),
    organization_id=ORGANIZATION,
    network="examplenet",
    subject_id="s1",
    subject_name="Ana",
    connector_id=PersonId(UUID(int=4)),
    granted=frozenset({"read"}),
    obtained_at=NOW - timedelta(days=10),
    last_good_at=NOW - timedelta(hours=1),
)


def due(*connections: Connection, authorization: Authorization = AUTHORIZATION) -> DueCheck:
    return DueCheck(authorization=authorization, connections=connections or (connection(),), term=1)


def judged(
    due_check: DueCheck, verdict: Verdict, declaration: NetworkSpec | None = None, **accounts: Verdict
) -> Judgement:
    probe = Probe(grant=finding(verdict), accounts={name: finding(each) for name, each in accounts.items()})
    return judge(due_check, probe, declaration or spec(), RULES, now=NOW, spread=lambda: 0.0)


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("verdict", sorted(CLEAR_LAPSES))
def test_a_clear_verdict_opens_a_lapse_at_once(verdict: Verdict) -> None:
    assert [item.opens for item in judged(due(), verdict).connections] == [True]


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.NETWORK_DOWN, Verdict.OUR_FAULT])
@pytest.mark.parametrize("state", [ConnectionState.ACTIVE, ConnectionState.LAPSED])
def test_what_is_not_the_connections_fault_neither_opens_nor_ends_a_lapse(
    verdict: Verdict, state: ConnectionState
) -> None:
    (item,) = judged(due(connection(state)), verdict).connections
    assert not item.opens
    assert not item.ends
    assert not item.changes


@pytest.mark.behaviour("D-4")
def test_our_own_fault_is_handed_to_the_operator_alone() -> None:
    judgement = judged(due(), Verdict.OUR_FAULT)
    assert judgement.our_fault is not None
    assert not any(item.opens for item in judgement.connections)


@pytest.mark.behaviour("D-5")
def test_an_unclear_failure_is_looked_at_again_soon_and_told_only_after_three_over_fifteen_minutes() -> None:
    first = judged(due(), Verdict.UNCLEAR)
    assert not first.connections[0].opens
    assert first.record.next_check_at == NOW + RULES.recheck
    too_soon = connection(doubt=Doubt(since=NOW - timedelta(minutes=14), failures=9))
    assert not judged(due(too_soon), Verdict.UNCLEAR).connections[0].opens
    too_few = connection(doubt=Doubt(since=NOW - timedelta(hours=2), failures=1))
    assert not judged(due(too_few), Verdict.UNCLEAR).connections[0].opens
    settled = connection(doubt=Doubt(since=NOW - timedelta(minutes=15), failures=2))
    assert judged(due(settled), Verdict.UNCLEAR).connections[0].opens


@pytest.mark.behaviour("D-6")
def test_a_good_probe_ends_the_lapse_and_clears_the_doubt() -> None:
    lapsed = connection(ConnectionState.LAPSED, Doubt(since=NOW, failures=2))
    (item,) = judged(due(lapsed), Verdict.HEALTHY).connections
    assert item.ends
    assert item.doubt is None


@pytest.mark.behaviour("D-6")
@pytest.mark.parametrize(("hours", "expected"), [(1, 1), (8, 2), (48, 12), (2000, 24)])
def test_what_stays_lapsed_is_checked_ever_less_often_but_daily_at_least(hours: int, expected: int) -> None:
    long_lapsed = due(
        connection(ConnectionState.LAPSED),
        authorization=replace(AUTHORIZATION, last_good_at=NOW - timedelta(hours=hours)),
    )
    assert judged(long_lapsed, Verdict.REVOKED).record.next_check_at == NOW + timedelta(hours=expected)


@pytest.mark.behaviour("D-1")
def test_one_account_of_a_healthy_grant_lapses_alone() -> None:
    other = replace(connection(), id=ConnectionId(UUID(int=11)), account_id="a2")
    judgement = judged(due(connection(), other), Verdict.HEALTHY, a1=Verdict.ACCOUNT_MOVED, a2=Verdict.HEALTHY)
    assert [item.opens for item in judgement.connections] == [True, False]


@pytest.mark.behaviour("D-5")
def test_a_refusal_within_minutes_of_a_consent_is_unclear_where_the_network_is_known_for_it() -> None:
    fresh = due(authorization=replace(AUTHORIZATION, obtained_at=NOW - timedelta(minutes=3)))
    assert not judged(fresh, Verdict.REVOKED, spec(fresh_grant_grace=timedelta(minutes=10))).connections[0].opens
    assert judged(fresh, Verdict.REVOKED).connections[0].opens


@pytest.mark.behaviour("D-4")
def test_one_accounts_unclear_answer_counts_towards_an_outage_though_the_grant_is_healthy() -> None:
    assert judged(due(), Verdict.HEALTHY, a1=Verdict.UNCLEAR).record.doubt == Doubt(since=NOW, failures=1)
    assert judged(due(), Verdict.HEALTHY, a1=Verdict.ROLE_LOST).record.doubt is None


@pytest.mark.behaviour("D-4")
def test_a_network_that_is_down_is_asked_ever_less_often_up_to_the_usual_interval() -> None:
    waits = []
    for failures in (0, 1, 2, 9):
        doubt = Doubt(since=NOW, failures=failures) if failures else None
        record = judged(due(authorization=replace(AUTHORIZATION, doubt=doubt)), Verdict.NETWORK_DOWN).record
        waits.append(record.next_check_at - NOW)
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20), timedelta(hours=1)]


@pytest.mark.behaviour("X-3")
def test_in_an_outage_what_is_unclear_opens_nothing_and_what_is_clear_is_told_all_the_same() -> None:
    """One account of a login that the network refuses without a reason, another whose permission was taken away."""
    settled = connection(doubt=Doubt(since=NOW - timedelta(hours=2), failures=9))
    unclear = judge_connection(settled, finding(Verdict.UNCLEAR), RULES, NOW)
    held = in_outage(unclear, since=NOW - timedelta(minutes=10))
    assert (unclear.opens, held.opens) == (True, False)
    assert held.doubt == Doubt(since=NOW - timedelta(minutes=10), failures=0)
    for verdict in CLEAR_LAPSES:
        clear = judge_connection(settled, finding(verdict), RULES, NOW)
        assert in_outage(clear, since=NOW) == clear
        assert clear.opens


def test_the_next_check_comes_earlier_or_later_by_what_chance_says() -> None:
    probe = Probe(grant=finding(Verdict.HEALTHY))
    waits = [
        judge(due(), probe, spec(), RULES, now=NOW, spread=partial(float, chance)).record.next_check_at - NOW
        for chance in (-1.0, 0.0, 1.0)
    ]
    assert waits == [timedelta(minutes=54), timedelta(minutes=60), timedelta(minutes=66)]


@given(spread=st.floats(-1, 1))
def test_checks_spread_by_a_tenth_of_their_interval_and_no_more(spread: float) -> None:
    probe = Probe(grant=finding(Verdict.HEALTHY))
    record = judge(due(), probe, spec(), RULES, now=NOW, spread=lambda: spread).record
    assert timedelta(minutes=54) <= record.next_check_at - NOW <= timedelta(minutes=66)


@pytest.mark.behaviour("D-3")
def test_tokens_are_refreshed_ahead_of_their_end_and_daily_where_they_can_be() -> None:
    ending = Tokens(access=Secret("access"), access_expires_at=NOW + timedelta(minutes=9))
    assert refresh_due(ending, spec(), RULES, NOW)
    assert not refresh_due(replace(ending, access_expires_at=NOW + timedelta(minutes=11)), spec(), RULES, NOW)
    idle = Tokens(access=Secret("access"), refresh=Secret("refresh"), obtained_at=NOW - timedelta(hours=24))
    assert refresh_due(idle, spec(), RULES, NOW)
    assert not refresh_due(replace(idle, obtained_at=NOW - timedelta(hours=23)), spec(), RULES, NOW)
    assert not refresh_due(replace(idle, refresh=None), spec(), RULES, NOW)
