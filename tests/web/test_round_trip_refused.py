"""Through the network's login and back with nothing restored: the wrong login, too little of it, or a failure."""

import pytest

from commands.errors import NetworkError
from commands.model import ConnectionState, Evidence, Finding, Parent, Verdict
from commands.ports.events import EventKind
from tests.support.network import finding
from tests.web.browser import Browser
from tests.web.rig import Rig
from tests.web.round_trip import assert_helps_on, assert_nothing_written, stored_tokens


@pytest.mark.behaviour("R-6", "R-15", "R-16")
async def test_a_wrong_login_writes_nothing_and_names_both(rig: Rig, browser: Browser) -> None:
    """Row 57."""
    connection_id = await rig.add_connection("1029384756")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("77", subject="s-other", name="Ana (private)")
    page = await rig.reconnect(browser, path)
    assert "Wrong login: nothing was changed" in page.words
    assert "as Ana (private), who cannot reach this account" in page.words
    for row in (
        "Login Ana Ruiz, as last time Ana (private)",
        "Account Acme EU Ads 1029384756 Account 77 77",
        "Business Acme EU 7001 Acme EU 7001",
    ):
        assert row in page.words
    assert "log out there first" in page.words
    assert_helps_on(page, path)
    await assert_nothing_written(rig, connection_id)
    assert "reconnecting failed" in await rig.audited()
    assert [tokens.access.reveal() for tokens in rig.network.revoked] == ["new-access"]


@pytest.mark.behaviour("P-2", "P-3")
async def test_who_lacks_the_role_on_the_network_hears_what_it_takes_and_whom_to_ask(
    rig: Rig, browser: Browser
) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", subject="s-mei", name="Mei at Examplenet", finding=finding(Verdict.ROLE_LOST))
    page = await rig.reconnect(browser, path)
    assert "You can't reconnect this account: a role is missing" in page.words
    assert "It takes a role on the account, which Examplenet says you don't have there" in page.words
    assert "Ana Ruiz, who connected this account" in page.words
    (event,) = await rig.events(EventKind.ATTEMPT_FAILED)
    assert (event.person_id, event.data["why"]) == (
        rig.people["Mei Lin"].id,
        "the login lacks the role that it takes",
    )
    await assert_nothing_written(rig, connection_id)


@pytest.mark.behaviour("R-6")
async def test_a_wrong_login_that_somebody_here_relies_on_is_never_revoked(rig: Rig, browser: Browser) -> None:
    await rig.add_authorization("Raj Patel", subject="s-raj")
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("77", subject="s-raj")
    await rig.reconnect(browser, path)
    assert rig.network.revoked == []


@pytest.mark.behaviour("R-5", "X-5", "R-15")
async def test_a_missing_permission_is_named_beside_what_was_granted(rig: Rig, browser: Browser) -> None:
    """Row 58."""
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1", granted=frozenset({"profile"}))
    page = await rig.reconnect(browser, path)
    assert "A permission is missing: Read reports" in page.words
    assert "Read reports missing" in page.words
    assert page.form(path)["again"] == "yes"
    assert_helps_on(page, path)
    await assert_nothing_written(rig, connection_id)


@pytest.mark.behaviour("R-5")
async def test_one_account_without_its_permission_is_not_called_restored(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    lacking = Finding(verdict=Verdict.PERMISSION_MISSING, evidence=Evidence(check="fake", missing=("Reporting",)))
    rig.login("1", finding=lacking)
    page = await rig.reconnect(browser, path)
    assert "A permission is missing: Reporting" in page.words
    await assert_nothing_written(rig, connection_id)


async def test_another_business_than_expected_is_named(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1", parent=Parent(id="8002", name="Brio"))
    page = await rig.reconnect(browser, path)
    assert "it is under another business: Brio 8002 instead of Acme EU 7001" in page.words
    await assert_nothing_written(rig, connection_id)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [(Verdict.ACCOUNT_DISABLED, "has disabled it"), (Verdict.ROLE_LOST, "role lost")],
)
async def test_an_account_that_cannot_be_read_is_told_with_its_reason(
    rig: Rig, browser: Browser, verdict: Verdict, words: str
) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1", finding=finding(verdict))
    page = await rig.reconnect(browser, path)
    assert "The login worked, the account did not come back" in page.words
    assert words in page.words
    assert_helps_on(page, path)
    await assert_nothing_written(rig, connection_id)


@pytest.mark.behaviour("R-15")
@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.OUR_FAULT, "A fault of ours"),
        (Verdict.NETWORK_DOWN, "Examplenet is not answering"),
        (Verdict.THROTTLED, "Examplenet is not answering"),
        (Verdict.UNCLEAR, "Examplenet did not accept the login"),
        (Verdict.USER_BLOCKED, "paused the login itself"),
    ],
)
@pytest.mark.parametrize("at", ["exchange", "discover"])
async def test_a_failure_at_the_network_is_told_for_what_it_is_and_restores_nothing(
    rig: Rig, browser: Browser, caplog: pytest.LogCaptureFixture, *, verdict: Verdict, words: str, at: str
) -> None:
    """Row 56."""
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1")
    error = NetworkError(finding(verdict, "e42"))
    if at == "exchange":
        rig.network.grant = error
    else:
        rig.network.discovery = error
    page = await rig.reconnect(browser, path)
    assert words in page.words
    assert_helps_on(page, path)
    await assert_nothing_written(rig, connection_id)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert bool(errors) == (verdict is Verdict.OUR_FAULT)


async def test_whoever_lost_the_right_while_at_the_network_restores_nothing(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    async with rig.storage.transaction() as uow:
        await uow.connections.set_state(rig.organization_id, connection_id, ConnectionState.RETIRED)
    rig.login("1")
    page = await browser.follow(await browser.get(rig.callback(sent.sent_state)))
    assert "You may not reconnect this account any more" in page.words
    assert await stored_tokens(rig) == ("old-access", "old-refresh")
