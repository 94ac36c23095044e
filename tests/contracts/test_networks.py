"""One suite over every network: what people do there, and the verdict that it must lead to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from commands.errors import NetworkError
from commands.model import CLEAR_LAPSES, Tokens, Verdict
from commands.ports.chat import Check
from commands.secret import Secret
from platform_adapters.discovery import build_networks, network_names
from tests.support.between import Between, behind
from tests.support.network_rigs import (
    ENDLESS,
    FIRST,
    HIDES_STATUS,
    KEEPS_GRANTS,
    OUTLIVES_PASSWORD,
    PERMISSIONS,
    SECOND,
    SILENT,
    WEST,
    NetworkRig,
    environment,
    network_rig,
)

MALFORMED: tuple[Mapping[str, object], ...] = (
    {"x": 1},
    {"data": {}},
    {"code": 0, "data": {}},
    {"data": {"is_valid": True}},
    {"active": True},
)
"""Good JSON under a good status, which is not what was asked for."""


@asynccontextmanager
async def garbled(rig: NetworkRig) -> AsyncIterator[tuple[NetworkRig, Between]]:
    """The same rig, its adapter talking through somebody who can put in another answer."""
    async with behind(rig) as (network, one):
        yield NetworkRig(network=network, people=rig.people, clock=rig.clock), one


@pytest.fixture(params=network_names())
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[NetworkRig]:
    async with network_rig(request.param) as running:
        yield running


@pytest.mark.behaviour("R-3")
async def test_a_consent_is_exchanged_and_tells_who_logged_in_and_what_that_reaches(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    discovery = await rig.network.discover(tokens)
    assert (discovery.subject_id, discovery.subject_name) == rig.subject("ana")
    verdicts = {account.account_id: account.finding.verdict for account in discovery.accounts}
    assert verdicts == dict.fromkeys(rig.reached, Verdict.HEALTHY)
    for permission in rig.network.spec.permissions:
        assert permission.satisfied_by & discovery.granted


async def test_a_fresh_grant_is_healthy_and_so_is_every_account_under_it(rig: NetworkRig) -> None:
    probe = await rig.probe(await rig.log_in())
    assert probe.grant.verdict is Verdict.HEALTHY
    verdicts = {name: finding.verdict for name, finding in probe.accounts.items()}
    assert verdicts == dict.fromkeys(rig.reached, Verdict.HEALTHY)


@pytest.mark.behaviour("D-1")
async def test_access_removed_at_the_network_is_revoked(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.revoke_grant(await rig.grant_id())
    assert (await rig.check(tokens)).grant.verdict is Verdict.REVOKED


@pytest.mark.behaviour("D-1")
async def test_a_grant_past_its_time_is_expired(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.expire_grant(await rig.grant_id())
    expected = Verdict.REVOKED if rig.network.spec.slug in SILENT | ENDLESS else Verdict.EXPIRED
    assert (await rig.check(tokens)).grant.verdict is expected


@pytest.mark.behaviour("D-1")
async def test_a_changed_password_asks_for_a_new_login_where_the_network_wants_one(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    rig.clock.advance(timedelta(hours=1))
    await rig.people.change_password("ana")
    verdict = (await rig.check(tokens)).grant.verdict
    if rig.network.spec.slug in OUTLIVES_PASSWORD:
        assert verdict is Verdict.HEALTHY
    elif rig.network.spec.slug in SILENT:
        assert verdict is Verdict.REVOKED
    else:
        assert verdict in {Verdict.CREDENTIAL_CHANGED, Verdict.USER_BLOCKED}


@pytest.mark.behaviour("D-1")
async def test_a_login_that_the_network_blocked_is_told_as_such(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.block_profile("ana")
    expected = Verdict.REVOKED if rig.network.spec.slug in SILENT else Verdict.USER_BLOCKED
    assert (await rig.check(tokens)).grant.verdict is expected


@pytest.mark.behaviour("D-1", "R-5")
async def test_a_permission_that_was_not_granted_is_missing_and_named(rig: NetworkRig) -> None:
    spec = rig.network.spec
    granted = PERMISSIONS[spec.slug][:-1]
    issued = await rig.people.issue("ana", granted)
    finding = (await rig.probe(Tokens(access=Secret(issued["access_token"])))).grant
    assert finding.verdict is Verdict.PERMISSION_MISSING
    assert finding.evidence.missing == (spec.permissions[-1].label,)


@pytest.mark.behaviour("D-1")
async def test_a_role_that_was_taken_away_loses_that_account_alone(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana")
    probe = await rig.probe(tokens)
    assert probe.grant.verdict is Verdict.HEALTHY
    assert probe.accounts[FIRST].verdict in {Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE}
    assert all(probe.accounts[other].verdict is Verdict.HEALTHY for other in rig.reached if other != FIRST)


@pytest.mark.behaviour("D-1")
async def test_an_account_that_moved_is_found_and_where_to_is_told(rig: NetworkRig) -> None:
    if rig.network.spec.parent_label is None:
        return  # its accounts hang under nothing that we are told of
    tokens = await rig.log_in()
    await rig.people.move_account(FIRST, WEST.id)
    finding = (await rig.probe(tokens)).accounts[FIRST]
    assert finding.verdict is Verdict.ACCOUNT_MOVED
    assert finding.evidence.moved_to == WEST


@pytest.mark.behaviour("D-1")
async def test_an_account_that_was_deleted_is_gone(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.delete_account(FIRST)
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.accounts[FIRST].verdict) == (Verdict.HEALTHY, Verdict.ACCOUNT_GONE)


@pytest.mark.behaviour("D-1")
async def test_an_account_that_was_disabled_is_told_apart_from_a_lost_connection(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST)
    verdict = (await rig.probe(tokens)).accounts[FIRST].verdict
    hidden = rig.network.spec.slug in HIDES_STATUS
    assert verdict in ({Verdict.HEALTHY} if hidden else {Verdict.ACCOUNT_DISABLED, Verdict.ACCOUNT_GONE})


@pytest.mark.behaviour("D-4")
async def test_an_outage_a_rate_limit_and_a_hung_line_are_never_a_refusal(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    for break_, expected in (
        (rig.people.network_down, Verdict.NETWORK_DOWN),
        (rig.people.throttled, Verdict.THROTTLED),
    ):
        broken = await break_()
        assert (await rig.probe(tokens)).grant.verdict is expected
        await rig.people.repair(broken)
    for kind in ("bad_gateway", "malformed", "unreachable", "lost", "huge"):
        broken = await rig.people.break_(kind)
        assert (await rig.probe(tokens)).grant.verdict is Verdict.NETWORK_DOWN, kind
        await rig.people.repair(broken)
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-4", "D-6")
async def test_an_answer_without_what_it_must_hold_is_no_evidence_against_anything(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.delete_account(SECOND)  # so that what is missing is asked about as well
    async with garbled(rig) as (behind, garbler):
        before = await behind.probe(tokens)
        assert before.accounts[FIRST].verdict is Verdict.HEALTHY
        number = garbler.calls
        for answer in MALFORMED:
            for nth in range(number):
                garbler.replace(nth, answer)
                probe = await behind.probe(tokens)
                case = f"call {nth} answered with {answer}"
                assert probe.grant.verdict not in CLEAR_LAPSES, case
                assert probe.accounts.get(FIRST, probe.grant).verdict not in CLEAR_LAPSES, case
                if SECOND in probe.accounts:
                    assert probe.accounts[SECOND].verdict is not Verdict.HEALTHY, case


@pytest.mark.behaviour("D-4")
async def test_doctor_tells_a_network_that_is_down_from_credentials_that_are_refused(rig: NetworkRig) -> None:
    await rig.people.network_down()
    (line,) = await rig.network.diagnose()
    assert line.check is Check.WARNING
    assert line.found.startswith("is failing on its own side")
    await rig.people.repair_all()
    await rig.people.throttled()
    (line,) = await rig.network.diagnose()
    assert line.check is Check.WARNING
    assert line.found.startswith("asks our app to wait")


@pytest.mark.behaviour("D-1")
async def test_a_wrong_secret_of_ours_is_our_fault_and_doctor_says_so(rig: NetworkRig) -> None:
    assert [line.check for line in await rig.network.diagnose()] == [Check.GOOD]
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert line.found.startswith("refuses our app (")
    assert f"LAPSEBOT_{rig.network.spec.slug.upper()}_CLIENT_ID" in line.mend
    assert "app-secret" not in line.found + line.mend


@pytest.mark.behaviour("D-4")
async def test_doctor_tells_a_network_that_cannot_be_reached_and_one_that_answers_something_else(
    rig: NetworkRig,
) -> None:
    slug, parts = rig.network.spec.slug, urlsplit(rig.network.login_url)

    async def found(base: str) -> str:
        network = build_networks(environment(slug, base), rig.clock)[slug]
        async with network.running():
            (line,) = await network.diagnose()
        assert line.check is Check.WARNING
        assert "_TOKEN_URL or _API_URL" in line.mend
        return line.found

    assert (await found("http://127.0.0.1:9")).startswith("cannot be reached")
    assert (await found(f"{parts.scheme}://{parts.netloc}/not-there")).startswith("gives an answer that we do not know")


@pytest.mark.behaviour("R-4")
async def test_a_cancelled_login_comes_back_with_an_error_that_the_network_declares(rig: NetworkRig) -> None:
    callback = await rig.people.consent((await rig.begin()).url, profile="ana", allow=False)
    answer, spec = dict(parse_qsl(urlsplit(callback).query)), rig.network.spec
    assert spec.denied_with in answer or answer["error"] in spec.cancelled_by
    assert answer["state"] == "s"


@pytest.mark.behaviour("D-4")
async def test_a_wrong_secret_of_ours_opens_no_lapse(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.wrong_secret("app")
    probe = await rig.probe(tokens)
    verdicts = {probe.grant.verdict, *(finding.verdict for finding in probe.accounts.values())}
    assert verdicts <= {Verdict.OUR_FAULT, Verdict.HEALTHY}


@pytest.mark.behaviour("R-4")
async def test_a_code_works_once(rig: NetworkRig) -> None:
    begun = await rig.begin()
    answer = dict(parse_qsl(urlsplit(await rig.people.consent(begun.url, profile="ana")).query))
    await rig.exchange(begun, answer)
    error = await rig.refused(answer, begun)
    assert error.finding.verdict is Verdict.EXPIRED


async def test_a_made_up_code_is_refused_without_a_word_of_the_networks(rig: NetworkRig) -> None:
    error = await rig.refused({"code": "made-up", "auth_code": "made-up"})
    assert error.finding.verdict in {Verdict.EXPIRED, Verdict.UNCLEAR}
    assert "made-up" not in str(error)


async def test_a_grant_given_back_stops_working(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.network.revoke(tokens)
    kept = rig.network.spec.slug in KEEPS_GRANTS
    assert ((await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY) is kept


async def test_a_login_that_reaches_none_of_the_accounts_says_so(rig: NetworkRig) -> None:
    discovery = await rig.network.discover(await rig.log_in("bo"))
    assert discovery.subject_id == rig.subject("bo")[0]
    assert not {account.account_id for account in discovery.accounts} & {FIRST, SECOND}


async def test_every_failure_of_a_call_is_a_network_error(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.network_down()
    with pytest.raises(NetworkError):
        await rig.network.discover(tokens)
