"""Through the network's login and back: what is restored, what is not, and what is said of it."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from commands.errors import NetworkError
from commands.ids import ConnectionId
from commands.model import ConnectionState, Evidence, Finding, Parent, Role, Verdict
from commands.ports.events import EventKind
from commands.ports.network import Begun, Grant
from tests.support.network import FakeNetwork, finding, spec
from tests.web.rig import Browser, Page, Rig


async def stored_tokens(rig: Rig) -> tuple[str, str | None]:
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    return tokens.access.reveal(), tokens.refresh.reveal() if tokens.refresh else None


async def is_lapsed(rig: Rig, connection_id: ConnectionId) -> bool:
    return (await rig.connection(connection_id)).state is ConnectionState.LAPSED


async def assert_nothing_written(rig: Rig, connection_id: ConnectionId) -> None:
    assert await is_lapsed(rig, connection_id)
    assert await stored_tokens(rig) == ("old-access", "old-refresh")
    assert await rig.events(EventKind.LAPSE_ENDED) == []


def assert_helps_on(page: Page, path: str) -> None:
    """R-15: try again, what to check, who can help."""
    assert path in page.actions()
    assert "What to check" in page.words
    assert "Raj Patel" in page.words
    assert "help@acme.example" in page.words


@pytest.mark.behaviour("R-3", "R-12", "P-1")
async def test_the_right_login_restores_the_account_and_the_page_is_green(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1")
    page = await rig.reconnect(browser, path)
    assert page.status == 200
    assert 'class="band good strong" role="status"' in page.text
    assert "1 account is back" in page.words
    assert "you can close this page" in page.words
    assert "Recent data may take a short while" in page.words
    assert "Already working" in (await browser.get(path)).words
    assert (await rig.connection(connection_id)).state is ConnectionState.ACTIVE
    assert await stored_tokens(rig) == ("new-access", "new-refresh")
    (event,) = await rig.events(EventKind.LAPSE_ENDED)
    assert (event.kind, event.connection_id, event.person_id, event.authorization_id) == (
        EventKind.LAPSE_ENDED,
        connection_id,
        rig.people["Ana Ruiz"].id,
        rig.authorization_id,
    )
    assert "reconnected" in await rig.audited()


@pytest.mark.behaviour("R-8")
async def test_one_login_restores_all_accounts_under_it_across_clients(rig: Rig, browser: Browser) -> None:
    ids = [await rig.add_connection(f"{n}", f"Account {n}", client=f"Client {n}") for n in (1, 2, 3)]
    path = await rig.link(ids[0])
    await rig.signed_in(browser, path)
    rig.login("1", "2", "3")
    page = await rig.reconnect(browser, path)
    assert "3 accounts are back" in page.words
    assert [await is_lapsed(rig, each) for each in ids] == [False, False, False]
    assert len(await rig.events(EventKind.LAPSE_ENDED)) == 3


@pytest.mark.behaviour("R-8")
async def test_what_did_not_come_back_is_listed_with_its_reason(rig: Rig, browser: Browser) -> None:
    first = await rig.add_connection("1", "Cato FR")
    second = await rig.add_connection("2", "Cato BE")
    path = await rig.link(first)
    await rig.signed_in(browser, path)
    rig.login("1")
    page = await rig.reconnect(browser, path)
    assert "1 of 2 accounts back" in page.words
    assert "Cato BE 2 client Acme, this login does not reach it" in page.words
    assert (await is_lapsed(rig, first), await is_lapsed(rig, second)) == (False, True)
    assert "The login was granted 1 of 2 accounts" in page.words
    assert "tick the accounts that this login did not reach" in page.words
    assert page.form(path)["again"] == "yes"
    assert_helps_on(page, path)


@pytest.mark.behaviour("R-16", "D-3")
async def test_a_refresh_token_that_is_kept_stays_marked_as_maybe_spent(rig: Rig, browser: Browser) -> None:
    """The login brought none, and of the one before it is not known whether the network has taken it already."""
    path = await rig.link(await rig.add_connection("1"))
    begun_at = rig.clock.now()
    async with rig.storage.transaction() as uow:
        authorization = await uow.authorizations.get(rig.organization_id, rig.authorization_id)
        before = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
        await uow.authorizations.replace_grant(authorization, replace(before, refresh_begun_at=begun_at))
    await rig.signed_in(browser, path)
    rig.login("1", refresh=None)
    assert "Restored" in (await rig.reconnect(browser, path)).words
    assert await stored_tokens(rig) == ("new-access", "old-refresh")
    async with rig.storage.reading() as uow:
        kept = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    assert kept.refresh_begun_at == begun_at


@pytest.mark.behaviour("D-2")
async def test_where_consent_has_a_fixed_term_a_login_that_says_no_end_ends_by_it(rig: Rig, browser: Browser) -> None:
    rig.network.spec = spec(term=timedelta(days=60))
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    assert "Restored" in (await rig.reconnect(browser, path)).words
    async with rig.storage.reading() as uow:
        renewed = await uow.authorizations.get(rig.organization_id, rig.authorization_id)
    assert renewed.ends_at == rig.clock.now() + timedelta(days=60)


@pytest.mark.behaviour("R-16")
async def test_reconnecting_keeps_the_connection_and_its_refresh_token(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", owner="Mei Lin")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("1", refresh=None)
    await rig.reconnect(browser, path)
    assert await stored_tokens(rig) == ("new-access", "old-refresh")
    connection = await rig.connection(connection_id)
    assert (connection.owner_id, connection.authorization_id) == (rig.people["Mei Lin"].id, rig.authorization_id)
    assert connection.account_name == "Acme EU Ads"


@pytest.mark.behaviour("R-16", "P-2", "P-4")
async def test_another_person_with_a_login_of_their_own_becomes_the_connector_and_the_owner_stays(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1", owner="Mei Lin")
    beside = await rig.add_connection("2")
    working = await rig.add_connection("3", state=ConnectionState.ACTIVE)
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", "3", subject="s-raj", name="Raj at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "1 of 2 accounts back" in page.words
    moved = await rig.connection(asked)
    assert moved.authorization_id != rig.authorization_id
    assert (moved.connector_id, moved.owner_id) == (rig.people["Raj Patel"].id, rig.people["Mei Lin"].id)
    for stayed in (beside, working):
        connection = await rig.connection(stayed)
        assert (connection.authorization_id, connection.connector_id) == (
            rig.authorization_id,
            rig.people["Ana Ruiz"].id,
        )
    assert await stored_tokens(rig) == ("old-access", "old-refresh")
    async with rig.storage.reading() as uow:
        (entry,) = [e for e in await uow.audit.latest(rig.organization_id, limit=50) if e.action == "reconnected"]
    assert entry.detail["as"] == "on_behalf"
    assert entry.actor_id == rig.people["Raj Patel"].id


@pytest.mark.behaviour("R-16")
async def test_a_login_that_is_known_already_takes_the_connection_to_its_own_authorization(
    rig: Rig, browser: Browser
) -> None:
    known = await rig.add_authorization("Raj Patel", subject="s-raj")
    asked = await rig.add_connection("1")
    of_known = await rig.add_connection("9", "Nine", connector="Raj Patel", authorization_id=known)
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", "9", subject="s-raj", name="Raj at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "2 accounts are back" in page.words
    assert {(await rig.connection(each)).authorization_id for each in (asked, of_known)} == {known}


async def test_accounts_that_were_never_connected_come_along_without_a_lapse(rig: Rig, browser: Browser) -> None:
    asked = await rig.add_connection("1")
    imported = await rig.add_connection("2", "Imported", state=ConnectionState.UNCONNECTED)
    others = await rig.add_connection("3", "Raj's", state=ConnectionState.UNCONNECTED, connector="Raj Patel")
    path = await rig.link(asked)
    await rig.signed_in(browser, path)
    rig.login("1", "2", "3")
    page = await rig.reconnect(browser, path)
    assert "2 accounts are back" in page.words
    assert (await rig.connection(imported)).state is ConnectionState.ACTIVE
    assert (await rig.connection(others)).state is ConnectionState.UNCONNECTED
    assert len(await rig.events(EventKind.LAPSE_ENDED)) == 1


async def test_an_imported_account_is_connected_by_its_first_login(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", state=ConnectionState.UNCONNECTED, connector=None)
    path = await rig.link(connection_id)
    page = await rig.signed_in(browser, path)
    assert "Not connected yet" in page.words
    rig.login("1", subject="s-new")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words
    connection = await rig.connection(connection_id)
    assert (connection.state, connection.connector_id) == (ConnectionState.ACTIVE, rig.people["Ana Ruiz"].id)
    assert await rig.events() == []


@pytest.mark.behaviour("R-6", "R-15", "R-16")
async def test_a_wrong_login_writes_nothing_and_names_both(rig: Rig, browser: Browser) -> None:
    """Row 57."""
    connection_id = await rig.add_connection("1029384756")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("77", subject="s-other", name="Ana (private)")
    page = await rig.reconnect(browser, path)
    assert "Wrong login: nothing was changed" in page.words
    assert "as Ana (private), who does not reach this account" in page.words
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
    assert "it hangs under another business: Brio 8002 instead of Acme EU 7001" in page.words
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


@pytest.mark.behaviour("R-17", "R-19")
async def test_a_second_tab_of_the_same_person_replaces_the_first(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path)
    first, second = await browser.submit(page, path), await browser.submit(page, path)
    rig.login("1")
    late = await browser.follow(await browser.get(rig.callback(first.sent_state)))
    assert "a newer one took its place" in late.words
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(second.sent_state)))).words


@pytest.mark.behaviour("R-3")
async def test_two_tabs_for_two_logins_of_one_network_both_work(rig: Rig, browser: Browser) -> None:
    """Row 60."""
    other = await rig.add_authorization("Ana Ruiz", subject="s-ana-2")
    paths = [
        await rig.link(await rig.add_connection("1")),
        await rig.link(await rig.add_connection("2", authorization_id=other)),
    ]
    await rig.signed_in(browser, paths[0])
    sent = [await browser.submit(await browser.get(path), path) for path in paths]
    rig.login("1")
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(sent[0].sent_state)))).words
    rig.login("2", subject="s-ana-2")
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(sent[1].sent_state)))).words


@pytest.mark.behaviour("R-3", "R-17")
async def test_eight_callbacks_at_once_have_one_winner(rig: Rig, browser: Browser) -> None:
    """Row 50."""
    path = await rig.link(await rig.add_connection("1"))
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    rig.login("1")
    answers = await asyncio.gather(*(browser.get(rig.callback(sent.sent_state)) for _ in range(8)))
    assert {answer.status for answer in answers} == {303}
    assert rig.network.asked.count("exchange") == 1
    assert len(await rig.events(EventKind.LAPSE_ENDED)) == 1


async def test_a_limited_reader_learns_nothing_of_other_peoples_accounts(rig: Rig, browser: Browser) -> None:
    owner = await rig.add_person("Otto Own", Role.OWNER)
    mine = await rig.add_connection("1", "Mine", owner=owner.name)
    hidden = await rig.add_connection("2", "Hidden", client="Secret client")
    path = await rig.link(mine, owner.name)
    page = await rig.signed_in(browser, path, owner.name)
    assert "Hidden" not in page.text
    rig.login("1", "2")
    page = await rig.reconnect(browser, path)
    assert "1 account is back" in page.words
    assert "Hidden" not in page.text
    assert "Secret client" not in page.text
    connection = await rig.connection(hidden)
    assert connection.state is ConnectionState.ACTIVE
    assert connection.connector_id == rig.people["Ana Ruiz"].id


@dataclass
class Careful(FakeNetwork):
    """Keeps what it was asked with."""

    urls: list[dict[str, object]] = field(default_factory=list)
    verifiers: list[str | None] = field(default_factory=list)

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        self.urls.append({"challenge": code_challenge, "hint": login_hint, "again": again})
        return await super().begin(
            state=state, redirect_uri=redirect_uri, code_challenge=code_challenge, login_hint=login_hint, again=again
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        self.verifiers.append(code_verifier)
        return await super().exchange(answer=answer, redirect_uri=redirect_uri, code_verifier=code_verifier)


@pytest.mark.behaviour("R-3")
async def test_the_code_is_exchanged_with_the_verifier_of_the_challenge_that_was_sent(
    rig: Rig, browser: Browser
) -> None:
    network = Careful(spec=spec(uses_pkce=True))
    rig.network = rig.networks["examplenet"] = network
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    await rig.reconnect(browser, path)
    (challenge,) = [each["challenge"] for each in network.urls if each["challenge"]]
    (verifier,) = network.verifiers
    assert verifier is not None
    assert len(verifier) >= 43
    digest = hashlib.sha256(verifier.encode()).digest()
    assert challenge == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.behaviour("R-5", "X-5")
async def test_fix_just_this_asks_for_the_permission_anew_and_hints_at_the_login(rig: Rig, browser: Browser) -> None:
    network = Careful()
    rig.network = rig.networks["examplenet"] = network
    mailed = await rig.add_authorization("Ana Ruiz", subject="s-mail", name="ana@acme.example")
    path = await rig.link(await rig.add_connection("1", authorization_id=mailed))
    await rig.signed_in(browser, path)
    rig.login("1", subject="s-mail", granted=frozenset())
    page = await rig.reconnect(browser, path)
    network.urls.clear()
    await browser.submit(page, path)
    assert {"challenge": None, "hint": "ana@acme.example", "again": True} in network.urls
