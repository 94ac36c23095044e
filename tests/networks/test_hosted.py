"""Networks of kind hosted: nothing of them is asked, and their page's address comes from the declaration alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from commands.errors import NetworkError
from commands.hosted import address_of
from commands.ids import ClientId, ConnectionId, OrganizationId, from_wire, new_id, to_wire
from commands.model import Connection, ConnectionState, Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, NetworkKind
from commands.secret import Secret
from tests.support.clock import FakeClock
from tests.support.own_networks import OwnNetworks, own_networks


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[OwnNetworks]:
    async with own_networks(tmp_path, FakeClock()) as built:
        yield built


async def test_it_declares_whose_page_mends_it_and_that_the_host_product_reports(own: OwnNetworks) -> None:
    spec = own.hosted.spec
    assert (spec.kind, spec.detects) == (NetworkKind.HOSTED, frozenset({Verdict.REPORTED}))
    assert spec.own_page is not None
    assert spec.own_page.product == "Acme Suite"
    (line,) = await own.hosted.diagnose()
    assert (line.check, line.found) == (Check.GOOD, "declared in LAPSEBOT_NETWORKS_FILE; held by Acme Suite")


@pytest.mark.behaviour("D-6")
async def test_whatever_is_asked_of_it_is_no_evidence_of_anything(own: OwnNetworks) -> None:
    tokens = Tokens(access=Secret("x"))
    probe = await own.hosted.probe(tokens, [Expected(account_id="1", parent=None)])
    assert probe.grant.verdict is Verdict.UNCLEAR
    assert await own.hosted.refresh(tokens) is None
    for asked in (
        own.hosted.discover(tokens),
        own.hosted.exchange(answer={"code": "c"}, redirect_uri="", code_verifier=None),
        own.hosted.begin(state="s", redirect_uri="", code_challenge=None, login_hint=None, again=False),
    ):
        with pytest.raises(NetworkError):
            await asked


@pytest.mark.parametrize("account_id", ["1", "../../evil", "a b", "@evil.example/", "?x=1#y", "é{connection_id}"])
async def test_no_account_id_leads_anywhere_but_to_the_declared_host(own: OwnNetworks, account_id: str) -> None:
    now = FakeClock().now()
    connection = Connection(
        id=ConnectionId(new_id(now)),
        organization_id=OrganizationId(new_id(now)),
        client_id=ClientId(new_id(now)),
        network="suite_social",
        account_id=account_id,
        account_name="Acme",
        state=ConnectionState.LAPSED,
    )
    assert own.hosted.spec.own_page is not None
    url = address_of(own.hosted.spec.own_page, connection)
    middle, _, end = url.removeprefix("https://suite.example.com/connections/").partition("/mend?from=")
    assert (from_wire(end), to_wire(connection.id)) == (connection.id, end)
    assert not set(middle) & set("/?#@ {")
