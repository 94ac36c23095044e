"""What no table knows: unclear, never a cause, and in the log with the network's own code for somebody to look up."""

import logging
from collections.abc import Mapping

import pytest

from commands.model import Verdict
from platform_adapters.discovery import network_modules
from platform_adapters.networks.answers import Reply, meaning
from platform_adapters.networks.google_customers import Customer
from tests.support.between import behind
from tests.support.network_rigs import FIRST, network_rig

MODULES = {module.SPEC.slug: module for module in network_modules()}


@pytest.mark.behaviour("D-1", "D-5")
@pytest.mark.parametrize(
    ("slug", "check", "status", "body", "code"),
    [
        ("snapchat", "me/organizations", 400, {"request_status": "ERROR", "error_code": "E1001"}, "E1001"),
        ("linkedin", "adAccountUsers", 401, {"status": 401, "code": "NEVER_SEEN"}, "NEVER_SEEN"),
        ("linkedin", "adAccountUsers", 401, {"serviceErrorCode": 65604, "message": "-"}, "65604"),
        ("reddit", "me/businesses", 400, {"error": {"code": 4711, "message": "-"}}, "4711"),
        ("amazon_ads", "profiles", 422, {"code": "NEVER_SEEN", "details": "-"}, "NEVER_SEEN"),
        ("pinterest", "token", 400, {"code": 4711, "message": "-"}, "4711"),
        ("snapchat", "me/organizations", 400, {"error": "words that are no code"}, "400"),
        ("snapchat", "me/organizations", 400, {"error": "x" * 81}, "400"),
    ],
)
def test_a_refusal_that_no_table_knows_keeps_the_networks_own_code(
    slug: str, check: str, status: int, body: Mapping[str, object], code: str
) -> None:
    finding = meaning(Reply(check=check, status=status, body=body), MODULES[slug].classify)
    assert finding is not None
    assert (finding.verdict, finding.evidence.code) == (Verdict.UNCLEAR, code)


@pytest.mark.behaviour("D-1", "D-5")
@pytest.mark.parametrize(
    ("slug", "status", "answer", "code"),
    [
        ("snapchat", 400, {"request_status": "ERROR", "error_code": "E1001"}, "E1001"),
        ("tiktok", 200, {"code": 49999, "message": "-"}, "49999"),
        ("meta", 200, {"data": {"is_valid": False, "error": {"code": 4711, "message": "-"}}}, "4711"),
        ("linkedin", 200, {"active": False, "status": "asleep"}, "asleep"),
    ],
)
async def test_what_no_table_knows_is_logged_as_it_came(
    slug: str, status: int, answer: Mapping[str, object], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        async with behind(rig) as (network, one):
            one.replace(0, answer, status)
            with caplog.at_level(logging.INFO, logger="platform_adapters.networks"):
                grant = (await network.probe(tokens, rig.expected)).grant
    assert grant.verdict is Verdict.UNCLEAR
    assert code in caplog.text


@pytest.mark.behaviour("D-1", "D-5")
@pytest.mark.parametrize(("slug", "status"), [("x_ads", "NEVER_SEEN"), ("microsoft_ads", "NeverSeen")])
async def test_a_status_that_no_table_knows_is_unclear_and_logged_as_it_came(
    slug: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        await rig.people.disable_account(FIRST, status)
        with caplog.at_level(logging.INFO, logger="platform_adapters.networks"):
            finding = (await rig.probe(tokens)).accounts[FIRST]
    assert finding.verdict is Verdict.UNCLEAR
    assert status in caplog.text


def test_a_status_of_google_ads_that_no_table_knows_is_unclear_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="platform_adapters.networks"):
        finding = Customer(id="1", name="1", manager=False, status="NEVER_SEEN").finding
    assert finding.verdict is Verdict.UNCLEAR
    assert "NEVER_SEEN" in caplog.text
