"""Connecting accounts that are new here: the link, the login, the choice, what is written and what is not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from commands.choosing import SHOWN_AT_ONCE
from commands.ids import to_wire
from commands.model import ConnectionState, Role, Verdict
from commands.ports.events import EventKind
from commands.ports.network import Discovery, ReachedAccount
from tests.support.network import finding
from tests.web.browser import Browser
from tests.web.connecting import choose, client, limited, log_in
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


@pytest.mark.behaviour("C-7", "R-14")
async def test_the_link_says_which_network_for_whom_and_what_to_check_and_changes_nothing(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.new_accounts_link()
    neutral = await browser.get(path)
    assert "Examplenet" not in neutral.text
    assert "Ana" not in neutral.text
    page = await rig.signed_in(browser, path)
    for words in ("Connect accounts of Examplenet", "This link is for Ana Ruiz", "Use your Examplenet login"):
        assert words in page.words
    assert "a role on the account" in page.words
    for _ in range(5):
        assert (await browser.get(path)).status == 200
    assert "exchange" not in rig.network.asked
    assert await rig.audited() == []


@pytest.mark.behaviour("C-7", "R-14")
async def test_the_chosen_accounts_are_connected_under_the_client_and_the_rest_is_not(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", "502", "503", subject="s-new", name="Ana at Examplenet")
    page = await log_in(rig, browser, path)
    assert "Choose what to connect" in page.words
    assert "New here: 3 accounts" in page.words
    assert await rig.connection_of("501") is None
    done = await choose(browser, page, "501", "503", client=client(rig))
    assert 'class="band good strong" role="status"' in done.text
    assert "2 accounts are connected, with the login of Ana at Examplenet" in done.words
    assert "Account 501 501 client Acme, connected" in done.words
    assert await rig.connection_of("502") is None
    connected = await rig.connection_of("503")
    assert connected is not None
    assert (connected.state, connected.client_id) == (ConnectionState.ACTIVE, rig.client_id)
    assert connected.connector_id == connected.owner_id == rig.people["Ana Ruiz"].id
    assert connected.parent is not None
    assert connected.parent.id == "7001"
    assert connected.authorization_id is not None
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, connected.authorization_id)
        counts = await uow.authorizations.hanging_on(rig.organization_id, rig.people["Ana Ruiz"].id)
    assert tokens.access.reveal() == "new-access"
    assert [dict(each.clients) for each in counts if each.authorization.id == connected.authorization_id] == [
        {"Acme": 2}
    ]
    (entry,) = await rig.entries("accounts connected")
    assert entry.actor_id == rig.people["Ana Ruiz"].id
    assert (entry.detail["accounts"], entry.detail["client"]) == ("501, 503", "Acme")


@pytest.mark.behaviour("R-14")
async def test_accounts_that_are_here_stand_ticked_with_their_state_client_and_owner(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "Works", state=ConnectionState.ACTIVE, owner="Mei Lin")
    await rig.add_connection("2", "Broken", connector="Raj Patel", owner="Raj Patel", client="Brio")
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("1", "2", "503", subject="s-new")
    page = await log_in(rig, browser, path)
    assert "active · client Acme · owner Mei Lin" in page.words
    assert "lapsed since Mon 23 Nov 2026, 09:00 UTC · password changed · client Brio · owner Raj Patel" in page.words
    assert page.text.count('type="checkbox" checked disabled') == 2
    assert 'name="account" value="503"' in page.text
    assert 'name="account" value="1"' not in page.text
    done = await choose(browser, page, "1", "2", "503", client=client(rig))
    assert "1 account is connected" in done.words
    broken = await rig.connection_of("2")
    assert broken is not None
    assert (broken.state, broken.connector_id) == (ConnectionState.LAPSED, rig.people["Raj Patel"].id)


@pytest.mark.behaviour("R-14", "R-16")
async def test_a_login_that_is_known_is_renewed_instead_of_doubled_and_brings_back_its_own(
    rig: Rig, browser: Browser
) -> None:
    lapsed = await rig.add_connection("1", "Was lapsed")
    imported = await rig.add_connection("2", "Imported", state=ConnectionState.UNCONNECTED)
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("1", "2", "503", refresh=None)
    page = await log_in(rig, browser, path)
    assert page.words.count("was waiting for it") == 2
    done = await choose(browser, page, "503", client=client(rig))
    assert "3 accounts are connected" in done.words
    added = await rig.connection_of("503")
    assert added is not None
    for connection in (added, await rig.connection(lapsed), await rig.connection(imported)):
        assert (connection.authorization_id, connection.state) == (rig.authorization_id, ConnectionState.ACTIVE)
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    assert (tokens.access.reveal(), tokens.refresh and tokens.refresh.reveal()) == ("new-access", "old-refresh")
    (renewed,) = await rig.events(EventKind.GRANT_RENEWED)
    assert renewed.authorization_id == rig.authorization_id
    (ended,) = await rig.events(EventKind.LAPSE_ENDED)
    assert ended.connection_id == lapsed


@pytest.mark.behaviour("R-14")
async def test_what_the_login_reached_before_and_does_not_now_is_said_before_anything_is_stored(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "Left out", state=ConnectionState.ACTIVE)
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("503")
    page = await log_in(rig, browser, path)
    assert "This login reaches less than before: nothing was connected" in page.words
    assert "Left out" in page.words
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    assert tokens.access.reveal() == "old-access"


@pytest.mark.behaviour("R-16", "N-8")
async def test_a_login_that_others_rely_on_is_not_replaced_by_one_that_reaches_less_and_names_nothing_hidden(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "Hidden name", state=ConnectionState.ACTIVE)
    brio = await limited(rig, "Mei Lin", "Brio")
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("501")
    page = await log_in(rig, browser, path)
    assert "This login reaches less than before: nothing was connected" in page.words
    assert "An administrator can say which accounts these are" in page.words
    for hidden in ("Hidden name", "client Acme"):
        assert hidden not in page.text
    assert await rig.connection_of("501") is None
    rig.login("1", "501", finding=finding(Verdict.ROLE_LOST))
    assert "reaches less than before" in (await log_in(rig, browser, path)).words
    # It goes on being refused when the account is connected while somebody chooses.
    rig.login("1", "501")
    page = await log_in(rig, browser, path)
    await rig.add_connection("2", "Another", state=ConnectionState.ACTIVE)
    assert "reaches less than before" in (await choose(browser, page, "501", client=to_wire(brio))).words
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    assert tokens.access.reveal() == "old-access"
    assert await rig.entries("accounts connected") == []


@pytest.mark.behaviour("R-16", "N-8")
async def test_a_login_stays_its_connectors_while_what_whoever_renews_it_may_not_see_hangs_on_it(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "Hidden name", state=ConnectionState.ACTIVE)
    brio = await limited(rig, "Mei Lin", "Brio")
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "501")
    done = await choose(browser, await log_in(rig, browser, path), "501", client=to_wire(brio))
    assert "1 account is connected" in done.words
    async with rig.storage.reading() as uow:
        (authorization,) = await uow.authorizations.many(rig.organization_id, [rig.authorization_id])
    assert authorization.connector_id == rig.people["Ana Ruiz"].id
    added = await rig.connection_of("501")
    assert added is not None
    assert added.connector_id == rig.people["Mei Lin"].id
    (entry,) = await rig.entries("accounts connected")
    assert entry.detail["replaced"] == f"authorization {to_wire(rig.authorization_id)}"
    assert entry.detail["replaced_of"] == to_wire(rig.people["Ana Ruiz"].id)


@pytest.mark.behaviour("C-7", "N-8")
async def test_limited_staff_connect_only_under_their_clients_and_learn_nothing_of_others(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_person("Sam Stone", Role.STAFF)
    brio = await rig.client("Brio")
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Sam Stone"], client_ids=frozenset({rig.client_id})))
    await rig.add_connection("1", "Hidden name", state=ConnectionState.ACTIVE, client="Brio", owner="Mei Lin")
    path = await rig.new_accounts_link("Sam Stone")
    await rig.signed_in(browser, path, "Sam Stone")
    rig.login("1", "503", subject="s-sam")
    page = await log_in(rig, browser, path)
    assert "known here already" in page.words
    for hidden in ("Hidden name", "Brio", "Mei Lin", "active"):
        assert hidden not in page.words
    assert "new_client" not in page.text
    for forged in ({"client": to_wire(brio)}, {"client": "", "new_client": "Mine"}):
        refused = await choose(browser, page, "503", **forged)
        assert refused.status == 422
        assert "Say which client the accounts belong to" in refused.words
    assert await rig.connection_of("503") is None
    assert "1 account is connected" in (await choose(browser, page, "503", client=client(rig))).words


@pytest.mark.behaviour("C-7")
async def test_an_owner_connects_under_clients_where_they_have_something_and_else_hears_whom_to_ask(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_person("Olga Owner", Role.OWNER)
    await rig.client("Brio")
    path = await rig.new_accounts_link("Olga Owner")
    page = await rig.signed_in(browser, path, "Olga Owner")
    assert "There is no client yet that you can put accounts under" in page.words
    assert "Raj Patel, who administers the connections here" in page.words
    assert path not in page.actions()
    await rig.add_connection("1", state=ConnectionState.ACTIVE, owner="Olga Owner")
    rig.login("503", subject="s-olga")
    page = await log_in(rig, browser, path)
    assert "Brio" not in page.words
    assert "1 account is connected" in (await choose(browser, page, "503", client=client(rig))).words


@pytest.mark.behaviour("C-7")
async def test_an_administrator_names_a_new_client_and_another_owner(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link("Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("501", subject="s-raj")
    page = await log_in(rig, browser, path)
    both = await choose(browser, page, "501", client=client(rig), new_client="Société Générale", owner="mei")
    assert "Choose a client or name a new one, not both" in both.words
    nobody = await choose(browser, both, "501", client="", new_client="Société Générale", owner="Nobody Known")
    assert "is called “ Nobody Known ”" in nobody.words.replace("“", "“ ").replace("”", " ”")
    assert 'name="account" value="501" checked' in nobody.text
    assert 'value="Société Générale"' in nobody.text
    done = await choose(browser, nobody, "501", client="", new_client="Société Générale", owner="MEI@acme.example")
    assert "client Société Générale" in done.words
    connected = await rig.connection_of("501")
    assert connected is not None
    assert (connected.connector_id, connected.owner_id) == (rig.people["Raj Patel"].id, rig.people["Mei Lin"].id)


async def test_who_is_no_administrator_chooses_no_owner(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    assert 'name="owner"' not in page.text
    await choose(browser, page, "501", client=client(rig), owner="Mei Lin")
    connected = await rig.connection_of("501")
    assert connected is not None
    assert connected.owner_id == rig.people["Ana Ruiz"].id


@pytest.mark.behaviour("R-14")
async def test_nothing_ticked_connects_nothing_and_can_be_put_right(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    again = await choose(browser, page, client=client(rig))
    assert again.status == 422
    assert "Tick at least one account" in again.words
    assert "1 account is connected" in (await choose(browser, again, "501", client=client(rig))).words


@pytest.mark.behaviour("R-5")
async def test_an_account_that_cannot_be_read_is_shown_with_its_reason_and_never_connected(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    unreadable = ReachedAccount(account_id="502", name="No role", parent=None, finding=finding(Verdict.ROLE_LOST))
    assert isinstance(rig.network.discovery, Discovery)
    rig.network.discovery = replace(rig.network.discovery, accounts=(*rig.network.discovery.accounts, unreadable))
    page = await log_in(rig, browser, path)
    assert "Cannot be connected No role 502 this login has no role on it" in page.words
    await choose(browser, page, "501", "502", client=client(rig))
    assert await rig.connection_of("502") is None


@pytest.mark.behaviour("R-14")
async def test_connecting_none_gives_the_login_back(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    done = await choose(browser, page, "501", client=client(rig), none="yes")
    assert "Nothing was connected" in done.words
    assert path in done.actions()
    assert [tokens.access.reveal() for tokens in rig.network.revoked] == ["new-access"]
    assert await rig.connection_of("501") is None


@pytest.mark.behaviour("R-14")
async def test_of_very_many_accounts_a_page_offers_some_and_says_how_many_more(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login(*(f"{number}" for number in range(1000, 1000 + SHOWN_AT_ONCE + 7)), subject="s-new")
    page = await log_in(rig, browser, path)
    assert f"New here: {SHOWN_AT_ONCE + 7} accounts" in page.words
    assert "And 7 more accounts" in page.words
    everything = [f"{number}" for number in range(1000, 1000 + SHOWN_AT_ONCE)]
    done = await choose(browser, page, *everything, client=client(rig))
    assert f"{SHOWN_AT_ONCE} accounts are connected" in done.words
    again = await log_in(rig, browser, path)
    assert "New here: 7 accounts" in again.words
