"""Before the browser goes to a network's login: what the network has to be asked first, and what may go wrong then."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from commands.errors import NetworkError
from commands.model import ConnectionState, Verdict
from commands.ports.network import Begun, Grant
from commands.secret import Secret
from tests.support.network import FakeNetwork, finding, spec
from tests.web.browser import Browser
from tests.web.rig import Rig

FAILURES = [
    (Verdict.OUR_FAULT, "A fault of ours"),
    (Verdict.NETWORK_DOWN, "Examplenet is not answering"),
    (Verdict.UNCLEAR, "Examplenet did not accept the login"),
]


@dataclass
class Verified(FakeNetwork):
    """Keeps what was handed to the exchange."""

    verifiers: list[str | None] = field(default_factory=list)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        self.verifiers.append(code_verifier)
        return await super().exchange(answer=answer, redirect_uri=redirect_uri, code_verifier=code_verifier)


class Hanging(FakeNetwork):
    """Gives no answer in time."""

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        raise TimeoutError


def replace_network(rig: Rig, network: FakeNetwork) -> None:
    rig.network = rig.networks["examplenet"] = network


@pytest.mark.behaviour("R-15")
@pytest.mark.parametrize(("verdict", "words"), FAILURES)
async def test_a_network_that_prepares_no_login_is_told_for_what_it_is_and_nothing_stays_open(
    rig: Rig, browser: Browser, verdict: Verdict, words: str
) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    page = await rig.signed_in(browser, path)
    rig.network.begun = NetworkError(finding(verdict, "e42"))
    ended = await browser.follow(await browser.submit(page, path))
    assert words in ended.words
    assert path in ended.actions()
    assert "exchange" not in rig.network.asked
    assert (await rig.connection(connection_id)).state is ConnectionState.LAPSED
    async with rig.storage.reading() as uow:
        view = await uow.connections.view(rig.organization_id, connection_id)
    assert view is not None
    assert view.reconnecting_by is None, "nobody is at it any more"
    rig.network.begun = None
    rig.login("1")
    assert "Restored" in (await rig.reconnect(browser, path)).words


@pytest.mark.behaviour("R-15")
async def test_a_network_that_hangs_before_the_login_is_not_answering(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path)
    replace_network(rig, Hanging(spec=rig.network.spec))
    ended = await browser.follow(await browser.submit(page, path))
    assert "Examplenet is not answering" in ended.words


@pytest.mark.behaviour("R-15")
async def test_new_accounts_wait_for_a_network_that_prepares_no_login(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    page = await rig.signed_in(browser, path)
    rig.network.begun = NetworkError(finding(Verdict.NETWORK_DOWN))
    ended = await browser.follow(await browser.submit(page, path))
    assert "Examplenet is not answering" in ended.words
    assert path in ended.actions()


@pytest.mark.behaviour("R-3")
async def test_what_only_the_exchange_may_see_is_kept_for_it_and_gone_afterwards(rig: Rig, browser: Browser) -> None:
    network = Verified(spec=rig.network.spec, begun=Secret("of-the-request"))
    replace_network(rig, network)
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    assert "Restored" in (await rig.reconnect(browser, path)).words
    assert network.verifiers == ["of-the-request"]


@pytest.mark.behaviour("R-15")
async def test_the_parameter_that_a_network_declares_for_cancel_is_the_persons_own_wish(
    rig: Rig, browser: Browser
) -> None:
    replace_network(rig, FakeNetwork(spec=spec(denied_with="denied")))
    path = await rig.link(await rig.add_connection("1"))
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    ended = await browser.follow(await browser.get(rig.callback(sent.sent_state, denied="of-the-request")))
    assert "You pressed Cancel at Examplenet" in ended.words
    assert "exchange" not in rig.network.asked
