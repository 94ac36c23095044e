"""An account that is refused for a reason nobody knows takes no other down; that the login is over is heard from it."""

from collections.abc import Mapping

import pytest

from commands.model import Verdict
from tests.support.between import behind
from tests.support.network_rigs import FIRST, SECOND, network_rig

UNKNOWN: Mapping[str, Mapping[str, object]] = {
    "linkedin": {"status": 400, "code": "NEVER_SEEN"},
    "meta": {"error": {"code": 4711, "message": "-"}},
    "pinterest": {"code": 4711, "message": "-"},
    "reddit": {"error": {"code": 400, "message": "-"}},
    "snapchat": {"request_status": "ERROR", "error_code": "E1001"},
    "tiktok": {"code": 40002, "message": "-"},
    "x_ads": {"errors": [{"code": "INVALID_PARAMETER", "message": "-"}]},
}
"""What no table knows, as each network words a refusal. Microsoft, Google and Amazon have tests of their own."""


@pytest.mark.behaviour("D-1", "D-5", "D-6")
@pytest.mark.parametrize("slug", UNKNOWN)
async def test_an_unknown_refusal_of_one_account_is_unclear_for_that_one_alone(slug: str) -> None:
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        await rig.people.delete_account(SECOND)  # so that it is asked about by itself
        async with behind(rig) as (network, one):
            assert (await network.probe(tokens, rig.expected)).accounts[SECOND].verdict is Verdict.ACCOUNT_GONE
            found = set()
            for nth in range(one.calls):
                one.replace(nth, UNKNOWN[slug], 200 if slug == "tiktok" else 400)
                probe = await network.probe(tokens, rig.expected)
                if probe.grant.verdict is Verdict.HEALTHY and probe.accounts[SECOND].verdict is Verdict.UNCLEAR:
                    found.add(probe.accounts[FIRST].verdict)
    assert Verdict.HEALTHY in found


@pytest.mark.behaviour("D-1", "D-3")
@pytest.mark.parametrize(
    ("slug", "answer"),
    [
        ("pinterest", {"code": 2, "message": "Authentication failed."}),
        ("reddit", {"error": {"code": 401, "message": "-"}}),
        ("snapchat", {"request_status": "ERROR"}),
    ],
)
async def test_access_that_ends_in_the_middle_of_a_check_is_not_laid_at_an_accounts_door(
    slug: str, answer: Mapping[str, object]
) -> None:
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        await rig.people.delete_account(SECOND)
        async with behind(rig) as (network, one):
            await network.probe(tokens, rig.expected)
            one.replace(one.calls - 1, answer, 401)  # the last question is the one about the account
            grant = (await network.probe(tokens, rig.expected)).grant
    assert (grant.verdict, grant.evidence.http_status) == (Verdict.UNCLEAR, 401)
