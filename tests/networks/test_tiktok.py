"""TikTok against its stand-in: what is said of one account or of one Business Center takes nothing else down."""

from collections.abc import AsyncIterator, Mapping

import pytest

from commands.model import Parent, Tokens, Verdict
from commands.ports.network import Expected, Probe
from tests.support.between import behind
from tests.support.network_rigs import EAST, FIRST, SECOND, WEST, NetworkRig, network_rig

LOGIN, DETAILS, CENTERS, ASSETS = range(4)
"""What a check asks, in order, where TikTok does not name owners."""
REPORT = 3
"""Where it does."""


@pytest.fixture
async def rig() -> AsyncIterator[NetworkRig]:
    async with network_rig("tiktok") as running:
        yield running


async def answered(rig: NetworkRig, nth: int, answer: Mapping[str, object], tokens: Tokens | None = None) -> Probe:
    """A check whose question `nth` is answered so, and that question asked again as well."""
    tokens = tokens or await rig.log_in()
    async with behind(rig) as (network, one):
        one.replace(nth, answer)
        return await network.probe(tokens, rig.expected)


def lists(*account_ids: str) -> dict[str, object]:
    return {"code": 0, "data": {"list": [{"advertiser_id": one, "advertiser_name": one} for one in account_ids]}}


def verdicts(probe: Probe) -> list[Verdict]:
    return [probe.grant.verdict, probe.accounts[FIRST].verdict, probe.accounts[SECOND].verdict]


@pytest.mark.behaviour("D-1", "D-6")
async def test_an_account_that_is_refused_does_not_take_down_those_asked_about_with_it(rig: NetworkRig) -> None:
    await rig.people.delete_account(SECOND)
    probe = await answered(rig, LOGIN, lists(FIRST, SECOND))
    assert verdicts(probe) == [Verdict.HEALTHY, Verdict.HEALTHY, Verdict.ACCOUNT_GONE]
    assert probe.accounts[SECOND].evidence.code == "40300"


@pytest.mark.behaviour("D-1", "R-7")
async def test_an_account_that_the_list_leaves_out_is_judged_by_what_tiktok_says_of_itself(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    assert verdicts(await answered(rig, LOGIN, lists(FIRST), tokens)) == [Verdict.HEALTHY] * 3
    await rig.people.move_account(SECOND, WEST.id)
    moved = (await answered(rig, LOGIN, lists(FIRST), tokens)).accounts[SECOND]
    assert (moved.verdict, moved.evidence.moved_to) == (Verdict.ACCOUNT_MOVED, WEST)


@pytest.mark.behaviour("D-1", "R-7")
async def test_an_account_that_is_shared_with_another_business_center_has_not_moved_there(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.set(show_owner=False)
    rows = [{"asset_id": one, "relation_type": "OWNER_PARTNER"} for one in (FIRST, SECOND)]
    probe = await answered(rig, ASSETS, {"code": 0, "data": {"list": rows, "page_info": {"total_page": 1}}}, tokens)
    assert verdicts(probe) == [Verdict.HEALTHY] * 3
    await rig.people.move_account(FIRST, WEST.id)
    assert (await rig.probe(tokens)).accounts[FIRST].evidence.moved_to == WEST, "its owner is still found"


@pytest.mark.behaviour("D-1", "R-5")
@pytest.mark.parametrize(
    ("nth", "message"),
    [
        (CENTERS, "advertiser does not grant you /bc/get/:GET permission"),
        (ASSETS, "no permission to operate bc 7002"),
        (ASSETS, "never seen"),
    ],
)
async def test_business_centers_that_are_not_shown_keep_nobody_from_reading(
    rig: NetworkRig, nth: int, message: str
) -> None:
    await rig.people.set(show_owner=False)
    assert verdicts(await answered(rig, nth, {"code": 40001, "message": message})) == [Verdict.HEALTHY] * 3


@pytest.mark.behaviour("D-1", "R-5")
async def test_an_account_whose_reports_alone_are_refused_lapses_alone(rig: NetworkRig) -> None:
    message = {"code": 40001, "message": f"no permission to operate advertiser {FIRST}"}
    probe = await answered(rig, REPORT, message)
    assert verdicts(probe) == [Verdict.HEALTHY, Verdict.ROLE_LOST, Verdict.ROLE_LOST]
    tokens = await rig.log_in()
    async with behind(rig) as (network, one):
        one.replace(REPORT + 1, message)  # who logged in is asked first
        reached = (await network.discover(tokens)).accounts
    assert {account.finding.verdict for account in reached} == {Verdict.ROLE_LOST}


@pytest.mark.behaviour("D-1")
async def test_a_role_that_became_a_lesser_one_is_what_went_and_not_the_account(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana")
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.ACCOUNT_GONE, "still an Admin there"
    await rig.people.break_("lower_business_role", business=EAST.id, profile="ana", role="STANDARD")
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.ROLE_LOST


@pytest.mark.behaviour("D-1", "R-5")
async def test_a_permission_that_is_refused_by_number_alone_is_named_by_the_question(rig: NetworkRig) -> None:
    grant = (await answered(rig, REPORT, {"code": 40130, "message": "never seen"})).grant
    assert (grant.verdict, grant.evidence.missing) == (Verdict.PERMISSION_MISSING, ("Reporting",))


@pytest.mark.behaviour("D-1", "D-5")
async def test_a_refusal_in_unknown_words_is_a_lost_role_only_where_the_business_center_says_as_much(
    rig: NetworkRig,
) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(SECOND, "ana")
    refused = {"code": 40001, "message": "never seen"}
    async with behind(rig) as (network, one):
        one.replace(REPORT + 1, refused)  # the details of the one that is in no list
        assert (await network.probe(tokens, rig.expected)).accounts[SECOND].verdict is Verdict.ACCOUNT_GONE
        elsewhere = [Expected(account_id=SECOND, parent=Parent(id="9", name="Not theirs"))]
        one.replace(2, refused)  # after the login and a report
        probe = await network.probe(tokens, elsewhere)
    assert (probe.grant.verdict, probe.accounts[SECOND].verdict) == (Verdict.HEALTHY, Verdict.UNCLEAR)
