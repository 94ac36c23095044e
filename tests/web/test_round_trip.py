"""Through the network's login and back: what is restored, what is not, and what is said of it."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from commands.model import ConnectionState, Role
from commands.ports.events import EventKind
from commands.ports.network import Begun, Grant
from tests.support.network import FakeNetwork, spec
from tests.web.browser import Browser
from tests.web.rig import Rig
from tests.web.round_trip import assert_helps_on, is_lapsed, stored_tokens


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


@pytest.mark.behaviour("P-2", "R-15")
async def test_a_colleague_is_hinted_at_no_login_of_anothers_and_sent_to_nobody_who_left(
    rig: Rig, browser: Browser
) -> None:
    network = Careful()
    rig.network = rig.networks["examplenet"] = network
    mailed = await rig.add_authorization("Ana Ruiz", subject="s-mail", name="ana@acme.example")
    path = await rig.link(await rig.add_connection("1", authorization_id=mailed), "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login(subject="s-mei")
    assert "Ana Ruiz, who connected this account" in (await rig.reconnect(browser, path)).words
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Ana Ruiz"], left_at=rig.clock.now()))
    assert "who connected this account" not in (await rig.reconnect(browser, path)).words
    assert {each["hint"] for each in network.urls} == {None}
