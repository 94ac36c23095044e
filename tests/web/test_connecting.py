"""Connecting accounts that are new here: the link, the login, the choice, what is written and what is not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.choosing import SHOWN_AT_ONCE
from commands.connecting import CHOICE_LIFE
from commands.errors import NetworkError
from commands.ids import ClientId, to_wire
from commands.model import ConnectionState, Role, Verdict
from commands.ports.events import EventKind
from commands.ports.network import Discovery, ReachedAccount
from tests.support.network import finding
from tests.web.rig import Browser, Page, Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


async def log_in(rig: Rig, browser: Browser, path: str) -> Page:
    """Press the link's button, log in at the network, come back, and stand before the choice (or before its end)."""
    sent = await browser.submit(await browser.get(path), path)
    assert sent.status == 303, sent.words
    return await arrive(browser, await browser.get(rig.callback(sent.sent_state)))


async def arrive(browser: Browser, page: Page) -> Page:
    while page.status == 303:
        page = await browser.follow(page)
    return page


async def choose(browser: Browser, page: Page, *accounts: str, **fields: str) -> Page:
    path = next(path for path in page.actions() if path.startswith("/choose/"))
    ticked = [("account", account) for account in accounts]
    return await arrive(browser, await browser.post(path, {**page.form(path), **fields}, *ticked))


def client(rig: Rig) -> str:
    return to_wire(rig.client_id)


async def limited(rig: Rig, name: str, client_name: str) -> ClientId:
    """Let somebody see one client alone."""
    client_id = await rig.client(client_name)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people[name], client_ids=frozenset({client_id})))
    return client_id


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
    assert "an administrator can say" in page.words
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
async def test_a_choice_counts_once_however_often_it_is_sent(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", "502", subject="s-new")
    page = await log_in(rig, browser, path)
    answers = await asyncio.gather(*(choose(browser, page, "501", client=client(rig)) for _ in range(4)))
    assert all("1 account is connected" in answer.words for answer in answers)
    late = await choose(browser, page, "502", client=client(rig))
    assert "1 account is connected" in late.words
    assert await rig.connection_of("502") is None
    assert len(await rig.entries("accounts connected")) == 1


async def test_a_choice_that_was_left_for_half_an_hour_is_over(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    rig.clock.advance(CHOICE_LIFE + timedelta(seconds=1))
    over = await choose(browser, page, "501", client=client(rig))
    assert "This login took too long" in over.words
    assert path in over.actions()
    assert await rig.connection_of("501") is None


@pytest.mark.behaviour("R-3")
async def test_the_choice_is_for_the_session_that_logged_in_and_no_other(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    (choice,) = [action for action in page.actions() if action.startswith("/choose/")]
    async with rig.browser() as other:
        assert (await other.get(choice)).status == 404
        await rig.signed_in(other, await rig.link(await rig.add_connection("1"), "Raj Patel"), "Raj Patel")
        seen = await other.get(choice)
    assert seen.status == 404
    assert "501" not in seen.text


async def test_who_left_meanwhile_connects_nothing(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("501", subject="s-mei")
    page = await log_in(rig, browser, path)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Mei Lin"], left_at=rig.clock.now()))
    assert (await choose(browser, page, "501", client=client(rig))).status == 404
    assert await rig.connection_of("501") is None


@pytest.mark.behaviour("P-5")
async def test_who_lost_a_client_between_the_page_and_the_press_does_not_connect_under_it(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("501", subject="s-mei")
    page = await log_in(rig, browser, path)
    async with rig.storage.transaction() as uow:
        brio = await uow.clients.all(rig.organization_id)
        assert brio
        await uow.people.update(replace(rig.people["Mei Lin"], client_ids=frozenset()))
    refused = await choose(browser, page, "501", client=client(rig))
    assert refused.status == 422
    assert await rig.connection_of("501") is None


@pytest.mark.behaviour("R-15")
async def test_every_way_in_which_the_login_can_fail_says_what_to_check_and_who_helps(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login(subject="s-new")
    nothing = await log_in(rig, browser, path)
    assert "This login reaches no account" in nothing.words
    rig.login("501", subject="s-new", granted=frozenset())
    lacking = await log_in(rig, browser, path)
    assert "A permission is missing: Read reports" in lacking.words
    rig.network.discovery = NetworkError(finding(Verdict.NETWORK_DOWN))
    down = await log_in(rig, browser, path)
    assert "Examplenet is not answering" in down.words
    sent = await browser.submit(await browser.get(path), path)
    declined = await arrive(
        browser, await browser.get(rig.callback(sent.sent_state, error="access_denied", error_description="evil"))
    )
    assert "You pressed Cancel at Examplenet" in declined.words
    assert "evil" not in declined.text
    for page in (nothing, lacking, down, declined):
        assert path in page.actions()
        assert "What to check" in page.words
        assert "Raj Patel" in page.words
        assert "help@acme.example" in page.words
    assert await rig.events() == []
    assert len(await rig.entries("connecting failed")) == 4


async def test_a_network_without_credentials_is_said_to_be_our_fault(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link(network="gonenet")
    page = await rig.signed_in(browser, path)
    assert "cannot be connected from here at the moment" in page.words
    assert "Raj Patel" in page.words
    assert path not in page.actions()


@pytest.mark.behaviour("A-1")
async def test_a_link_for_new_accounts_opens_for_its_own_person_alone(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link("Raj Patel")
    page = await rig.signed_in(browser, path, "Mei Lin")
    assert page.status == 403
    assert "This link is for somebody else" in page.words
    forged = await browser.post(path, {"token": "x"})
    assert forged.status == 403


async def test_a_form_that_another_site_sends_is_refused(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    page = await log_in(rig, browser, path)
    (choice,) = [action for action in page.actions() if action.startswith("/choose/")]
    fields = {**page.form(choice), "client": client(rig)}
    cross = await browser.post(choice, fields, ("account", "501"), **{"Sec-Fetch-Site": "cross-site"})
    untold = await browser.post(choice, {**fields, "token": ""}, ("account", "501"))
    assert {cross.status, untold.status} == {403}
    assert await rig.connection_of("501") is None


@pytest.mark.parametrize("typed", ["\x00\u202e", "<b>x</b>", "a" * 5000, "=cmd()", "\ud83d\ude00"])
async def test_whatever_is_typed_for_a_client_is_kept_as_text_or_refused(
    rig: Rig, browser: Browser, typed: str
) -> None:
    path = await rig.new_accounts_link("Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("501", subject="s-raj")
    page = await log_in(rig, browser, path)
    typed = typed.encode("utf-16", "surrogatepass").decode("utf-16")
    done = await choose(browser, page, "501", client="", new_client=typed, owner=typed)
    assert done.status in (200, 422)
    assert "<b>x</b>" not in done.text
    done = await choose(browser, page, "501", client="", new_client=typed)
    assert done.status in (200, 422)


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


@pytest.mark.behaviour("R-14", "R-16")
async def test_one_login_that_two_people_connect_with_at_once_is_stored_once(rig: Rig, browser: Browser) -> None:
    rig.login("501", "502", subject="s-shared")
    async with rig.browser() as other:
        pages = []
        for visitor, name in ((browser, "Ana Ruiz"), (other, "Mei Lin")):
            path = await rig.new_accounts_link(name)
            await rig.signed_in(visitor, path, name)
            pages.append(await log_in(rig, visitor, path))
        mine, theirs = await asyncio.gather(
            choose(browser, pages[0], "501", client=client(rig)), choose(other, pages[1], "502", client=client(rig))
        )
    assert "1 account is connected" in mine.words
    assert "1 account is connected" in theirs.words
    connected = [await rig.connection_of(account) for account in ("501", "502")]
    assert len({each.authorization_id for each in connected if each is not None}) == 1
