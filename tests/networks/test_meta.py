"""Meta against its stand-in: terms that end without a word, and accounts that no list shows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from commands.model import RECONNECT_DOES_NOT_HELP, Tokens, Verdict
from tests.support.between import behind
from tests.support.network_rigs import EAST, FIRST, SECOND, WEST, NetworkRig, network_rig

DAY = timedelta(days=1)


@pytest.fixture
async def rig() -> AsyncIterator[NetworkRig]:
    async with network_rig("meta") as running:
        yield running


@pytest.mark.behaviour("D-1", "D-2")
async def test_access_to_data_that_ended_under_a_living_login_is_expired(rig: NetworkRig) -> None:
    """Meta still calls the login valid then, and lists nothing without an error."""
    tokens = await rig.log_in()
    await rig.people.break_("expire_data_access", grant=await rig.grant_id())
    grant = (await rig.probe(tokens)).grant
    assert (grant.verdict, grant.evidence.code) == (Verdict.EXPIRED, "data_access_expires_at")


@pytest.mark.behaviour("D-2")
async def test_the_end_that_is_warned_of_is_that_of_data_access_while_the_login_can_be_renewed(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    assert (await rig.probe(tokens)).ends_at == rig.clock.now() + 90 * DAY


@pytest.mark.behaviour("D-2")
async def test_a_login_whose_end_an_exchange_did_not_move_is_warned_of_by_that_end(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    assert tokens.access_expires_at is not None
    kept = replace(tokens, obtained_at=tokens.access_expires_at - 20 * DAY)
    ends_at = (await rig.probe(kept)).ends_at
    assert ends_at is not None
    assert abs(ends_at - tokens.access_expires_at) < timedelta(minutes=1)


@pytest.mark.behaviour("D-2")
async def test_a_login_whose_end_the_exchange_did_not_name_is_warned_of_by_what_meta_says_of_it(
    rig: NetworkRig,
) -> None:
    tokens = await rig.log_in()
    assert tokens.access_expires_at is not None
    ends_at = (await rig.probe(Tokens(access=tokens.access))).ends_at
    assert ends_at is not None
    assert abs(ends_at - tokens.access_expires_at) < timedelta(minutes=1)


@pytest.mark.behaviour("D-3")
async def test_a_login_is_exchanged_at_most_once_a_day(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    assert await rig.network.refresh(tokens) is None
    rig.clock.advance(DAY)
    renewed = await rig.network.refresh(tokens)
    assert renewed is not None
    assert renewed.tokens.access != tokens.access


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("seconds", [-1, 10**18, "1e400", "nan", True, "soon"])
async def test_an_end_that_makes_no_sense_is_no_end_and_no_crash(rig: NetworkRig, seconds: object) -> None:
    tokens = await rig.log_in()
    data = {"is_valid": True, "scopes": ["ads_read"], "data_access_expires_at": seconds, "expires_at": seconds}
    async with behind(rig) as (network, one):
        one.replace(0, {"data": data})
        probe = await network.probe(Tokens(access=tokens.access), rig.expected)
    assert (probe.grant.verdict, probe.ends_at) == (Verdict.HEALTHY, None)


@pytest.mark.behaviour("D-1", "R-7")
async def test_an_account_that_no_list_shows_is_compared_with_its_business_as_well(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.move_account(SECOND, WEST.id)
    row = {"account_id": FIRST, "account_status": 1, "owner_business": {"id": EAST.id}}
    async with behind(rig) as (network, one):
        one.replace(1, {"data": [row]})
        probe = await network.probe(tokens, rig.expected)
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY
    moved = probe.accounts[SECOND]
    assert (moved.verdict, moved.evidence.moved_to) == (Verdict.ACCOUNT_MOVED, WEST)


@pytest.mark.behaviour("D-1", "R-7")
async def test_a_list_that_cannot_be_loaded_says_nothing_of_its_accounts(rig: NetworkRig) -> None:
    """Meta answers so of a profile that was deactivated, whom a login helps: Reconnect has to be offered."""
    tokens = await rig.log_in()
    message = "Unsupported get request. Object with ID 'me' does not exist, cannot be loaded due to missing permissions"
    async with behind(rig) as (network, one):
        one.replace(1, {"error": {"code": 100, "error_subcode": 33, "message": message}}, 400)
        grant = (await network.probe(tokens, rig.expected)).grant
    assert (grant.verdict, grant.evidence.code) == (Verdict.UNCLEAR, "100")
    assert grant.verdict not in RECONNECT_DOES_NOT_HELP


@pytest.mark.behaviour("D-1", "R-5")
@pytest.mark.parametrize(
    ("ticked", "expected"),
    [([FIRST], Verdict.PERMISSION_MISSING), ([FIRST, SECOND], Verdict.ACCOUNT_GONE), (None, Verdict.ACCOUNT_GONE)],
)
async def test_an_account_that_cannot_be_loaded_was_left_out_where_the_consent_names_others(
    rig: NetworkRig, ticked: list[str] | None, expected: Verdict
) -> None:
    """Meta has one answer for both; only the consent itself tells, which leaves nothing out where it names none."""
    callback = await rig.people.consent((await rig.begin()).url, profile="ana", accounts=ticked)
    answer = dict(parse_qsl(urlsplit(callback).query))
    tokens = (await rig.exchange(await rig.begin(), answer)).tokens
    message = (
        "Unsupported get request. Object with ID 'act' does not exist, cannot be loaded due to missing permissions"
    )
    async with behind(rig) as (network, one):
        await rig.people.delete_account(SECOND)  # so that it is in no list
        one.replace(2, {"error": {"code": 100, "error_subcode": 33, "message": message}}, 400)
        probe = await network.probe(tokens, rig.expected)
    finding = probe.accounts[SECOND]
    assert finding.verdict is expected
    assert bool(finding.evidence.missing) is (expected is Verdict.PERMISSION_MISSING)
