"""Habits of single networks that a specialist knows, seen through our adapters: none is taken for what it is not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from commands.errors import NetworkError
from commands.model import Tokens, Verdict
from tests.support.network_rigs import FIRST, SECOND, NetworkRig, network_rig


@pytest.fixture
async def tiktok() -> AsyncIterator[NetworkRig]:
    async with network_rig("tiktok") as rig:
        yield rig


@pytest.fixture
async def meta() -> AsyncIterator[NetworkRig]:
    async with network_rig("meta") as rig:
        yield rig


@pytest.fixture
async def linkedin() -> AsyncIterator[NetworkRig]:
    async with network_rig("linkedin") as rig:
        yield rig


async def log_in(rig: NetworkRig, accounts: list[str]) -> Tokens:
    """A login that ticked these accounts."""
    begun = await rig.begin()
    callback = await rig.people.consent(begun.url, profile="ana", accounts=accounts)
    return (await rig.exchange(begun, dict(parse_qsl(urlsplit(callback).query)))).tokens


@pytest.mark.behaviour("D-1", "R-5")
async def test_tiktok_takes_a_consent_for_no_advertiser_at_all_which_reaches_nothing(tiktok: NetworkRig) -> None:
    tokens = await log_in(tiktok, [])
    discovery = await tiktok.network.discover(tokens)
    assert discovery.accounts == ()
    for permission in tiktok.network.spec.permissions:
        assert permission.satisfied_by & discovery.granted, "what was granted is not what is missing"
    probe = await tiktok.probe(tokens)
    assert probe.grant.verdict is Verdict.HEALTHY
    assert all(finding.verdict is not Verdict.HEALTHY for finding in probe.accounts.values())


@pytest.mark.behaviour("D-1")
async def test_an_advertiser_that_was_left_out_at_tiktok_lapses_alone(tiktok: NetworkRig) -> None:
    tokens = await log_in(tiktok, [FIRST])
    probe = await tiktok.probe(tokens)
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY
    assert probe.accounts[SECOND].verdict in {Verdict.ACCOUNT_GONE, Verdict.PERMISSION_MISSING}


@pytest.mark.behaviour("D-1", "D-4")
async def test_tiktoks_errors_under_http_200_are_errors(tiktok: NetworkRig) -> None:
    tokens = await tiktok.log_in()
    broken = await tiktok.people.throttled()
    assert (await tiktok.probe(tokens)).grant.verdict is Verdict.THROTTLED
    await tiktok.people.repair(broken)
    await tiktok.people.revoke_grant(await tiktok.grant_id())
    finding = (await tiktok.probe(tokens)).grant
    assert (finding.verdict, finding.evidence.http_status) == (Verdict.REVOKED, 200)


@pytest.mark.behaviour("D-1", "R-5")
async def test_an_account_that_meta_grants_no_reading_of_is_told_by_its_own_grant(meta: NetworkRig) -> None:
    tokens = await log_in(meta, [FIRST])
    discovery = await meta.network.discover(tokens)
    assert [account.account_id for account in discovery.accounts] == [FIRST]
    probe = await meta.probe(tokens)
    assert probe.grant.verdict is Verdict.HEALTHY
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY
    left_out = probe.accounts[SECOND]
    assert left_out.verdict is Verdict.PERMISSION_MISSING
    assert left_out.evidence.missing, "what to tick is named"


@pytest.mark.behaviour("D-4", "D-5")
async def test_linkedins_false_refusals_after_a_consent_are_not_believed_where_it_says_otherwise_itself(
    linkedin: NetworkRig,
) -> None:
    await linkedin.people.break_("false_revoked", seconds=300)
    tokens = await linkedin.log_in()
    finding = (await linkedin.probe(tokens)).grant
    assert (finding.verdict, finding.evidence.subcode) == (Verdict.UNCLEAR, "65601")
    with pytest.raises(NetworkError) as refused:
        await linkedin.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.NETWORK_DOWN, "whoever has just logged in is to come back later"
    linkedin.clock.advance(timedelta(seconds=301))
    assert (await linkedin.probe(tokens)).grant.verdict is Verdict.HEALTHY
    assert (await linkedin.network.discover(tokens)).accounts


@pytest.mark.behaviour("D-1")
async def test_a_removal_that_linkedins_introspection_confirms_is_believed_at_once(linkedin: NetworkRig) -> None:
    tokens = await linkedin.log_in()
    await linkedin.people.revoke_grant(await linkedin.grant_id())
    assert (await linkedin.probe(tokens)).grant.verdict is Verdict.REVOKED
    with pytest.raises(NetworkError) as refused:
        await linkedin.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.REVOKED
