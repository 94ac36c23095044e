"""Accounts that moved to another business: where to, whom to ask, and an administrator who accepts it (R-7, X-2)."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from commands.ids import ConnectionId
from commands.model import ConnectionState, Evidence, Parent, Role, Verdict
from commands.ports.events import EventKind
from tests.web.browser import Browser
from tests.web.rig import ACME, Rig, opened_rig

BRIO = Parent(id="8002", name="Brio")
MOVED = Evidence(check="fake", moved_to=BRIO)


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


async def moved(rig: Rig, account_id: str = "1", evidence: Evidence = MOVED) -> ConnectionId:
    name = f"Acme {account_id}"
    return await rig.add_connection(account_id, name, cause=Verdict.ACCOUNT_MOVED, evidence=evidence)


@pytest.mark.behaviour("X-2", "R-7")
async def test_the_page_says_which_business_it_left_for_and_who_is_connected_through_that_one(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("5", "Brio Ads", state=ConnectionState.ACTIVE, connector="Mei Lin", parent=BRIO)
    path = await rig.link(await moved(rig))
    page = await rig.signed_in(browser, path)
    assert "It left the Business Acme EU 7001 for Brio 8002." in page.words
    assert "Connected through it already: Mei Lin." in page.words
    assert "an administrator here can accept it" in page.words
    assert f"{path}/move" not in page.text
    assert path not in page.actions()


@pytest.mark.behaviour("X-2", "N-8")
async def test_who_sees_nothing_of_the_others_clients_is_told_of_nobody_there(rig: Rig, browser: Browser) -> None:
    await rig.add_person("Olga Owner", Role.OWNER)
    await rig.add_connection("5", "Brio Ads", state=ConnectionState.ACTIVE, connector="Mei Lin", parent=BRIO)
    asked = await rig.add_connection("1", owner="Olga Owner", cause=Verdict.ACCOUNT_MOVED, evidence=MOVED)
    page = await rig.signed_in(browser, await rig.link(asked, "Olga Owner"), "Olga Owner")
    assert "for Brio 8002" in page.words
    assert "Nobody that you could ask is connected through it yet." in page.words
    assert "Mei Lin" not in page.text


@pytest.mark.behaviour("X-2")
async def test_where_the_network_does_not_tell_that_is_said_and_nothing_is_offered(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await moved(rig, evidence=Evidence(check="fake")), "Raj Patel")
    page = await rig.signed_in(browser, path, "Raj Patel")
    assert "does not say which Business it is in now" in page.words
    assert (await browser.get(f"{path}/move")).status == 409


@pytest.mark.behaviour("R-7", "A-4")
async def test_accepting_asks_first_and_then_a_login_of_the_new_business_brings_it_back(
    rig: Rig, browser: Browser
) -> None:
    asked = await moved(rig)
    path = await rig.link(asked, "Raj Patel")
    page = await rig.signed_in(browser, path, "Raj Patel")
    assert f"{path}/move" in page.text
    question = await browser.get(f"{path}/move")
    assert "Was this move meant? From Acme EU 7001" in question.words
    assert "To Brio 8002" in question.words
    assert (await rig.connection(asked)).parent == ACME, "asking changes nothing"
    done = await browser.submit(question, f"{path}/move")
    assert "The move is accepted" in done.words
    assert "It needs a login of its new business." in done.words
    connection = await rig.connection(asked)
    assert (connection.parent, connection.state) == (BRIO, ConnectionState.LAPSED)
    (entry,) = await rig.entries("connection.move_accepted")
    assert (entry.detail["was"], entry.detail["to"]) == ("Acme EU 7001", "Brio 8002")
    (noted,) = await rig.events(EventKind.NOTED)
    assert noted.data["note"] == "Accepted the move from Acme EU to Brio (8002)."
    again = await browser.get(path)
    assert "The move was accepted." in again.words
    assert path in again.actions(), "a login of the new business is offered now"
    rig.login("1", subject="s-brio", parent=BRIO)
    result = await rig.reconnect(browser, path)
    assert "1 account is back" in result.words
    assert (await rig.connection(asked)).parent == BRIO


@pytest.mark.behaviour("A-6", "R-7")
async def test_a_login_that_is_here_already_brings_it_back_at_once_and_the_count_is_said(
    rig: Rig, browser: Browser
) -> None:
    asked, beside, other = await moved(rig), await moved(rig, "2"), await moved(rig, "3", Evidence(check="fake"))
    bo = await rig.add_authorization("Mei Lin", subject="s-brio")
    await rig.add_connection(
        "5", "Brio Ads", state=ConnectionState.ACTIVE, connector="Mei Lin", parent=BRIO, authorization_id=bo
    )
    rig.checker.proves = {bo: frozenset({"1"})}
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    question = await browser.get(f"{path}/move")
    assert "2 accounts of the same login" not in question.words
    assert "1 account of the same login: Acme 2" in question.words
    done = await browser.submit(question, f"{path}/move")
    assert "1 of 2 accounts work; 1 needs a login of the new business." in done.words
    assert rig.checker.asked == [rig.authorization_id, bo], "each login is checked before it is asked"
    back = await rig.connection(asked)
    assert (back.state, back.authorization_id) == (ConnectionState.ACTIVE, bo)
    assert back.connector_id == rig.people["Mei Lin"].id
    assert (await rig.connection(beside)).state is ConnectionState.LAPSED
    assert (await rig.connection(other)).parent == ACME
    (ended,) = await rig.events(EventKind.LAPSE_ENDED)
    assert (ended.connection_id, ended.person_id) == (asked, rig.people["Raj Patel"].id)


@pytest.mark.behaviour("R-7", "R-10")
async def test_another_owners_login_does_not_bring_it_back(rig: Rig, browser: Browser) -> None:
    await rig.add_person("Olga Owner", Role.OWNER)
    await rig.add_person("Bo Owner", Role.OWNER)
    asked = await rig.add_connection("1", cause=Verdict.ACCOUNT_MOVED, evidence=MOVED, owner="Olga Owner")
    bo = await rig.add_authorization("Bo Owner", subject="s-brio")
    await rig.add_connection(
        "5", state=ConnectionState.ACTIVE, connector="Bo Owner", owner="Bo Owner", parent=BRIO, authorization_id=bo
    )
    rig.checker.proves = {bo: frozenset({"1"})}
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    await browser.submit(await browser.get(f"{path}/move"), f"{path}/move")
    assert bo not in rig.checker.asked
    still = await rig.connection(asked)
    assert (still.state, still.parent, still.authorization_id) == (ConnectionState.LAPSED, BRIO, None)


@pytest.mark.behaviour("R-7", "P-5")
async def test_only_an_administrator_accepts_and_only_the_business_that_was_shown(rig: Rig, browser: Browser) -> None:
    asked = await moved(rig)
    mine = await rig.link(asked)
    await rig.signed_in(browser, mine)
    assert (await browser.get(f"{mine}/move")).status == 409
    path = await rig.link(asked, "Raj Patel")
    async with rig.browser() as another:
        await rig.signed_in(another, path, "Raj Patel")
        question = await another.get(f"{path}/move")
        forged = await another.submit(question, f"{path}/move", to="9999")
        assert forged.status == 409
        assert (await rig.connection(asked)).parent == ACME
        twice = [await another.submit(question, f"{path}/move") for _ in range(2)]
    assert [page.status for page in twice] == [200, 409]
    assert len(await rig.entries("connection.move_accepted")) == 1


@pytest.mark.behaviour("R-7")
async def test_a_login_that_sees_it_under_another_business_lets_an_administrator_accept_that(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1")
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", subject="s-raj", parent=BRIO)
    result = await rig.reconnect(browser, path)
    assert "Accept that Acme EU Ads is in Brio now" in result.words
    shown = result.url.removeprefix(rig.base)
    question = await browser.get(f"{shown}/move?account=1")
    assert "From Acme EU 7001" in question.words
    done = await browser.submit(question, f"{shown}/move")
    assert "The move is accepted" in done.words
    connection = await rig.connection(asked)
    assert (connection.parent, connection.authorization_id) == (BRIO, rig.authorization_id)
    assert "1 account is back" in (await rig.reconnect(browser, path)).words
    assert (await browser.get(f"{shown}/move?account=2")).status == 404


async def test_a_colleague_is_not_offered_to_accept_what_their_login_saw(rig: Rig, browser: Browser) -> None:
    asked = await rig.add_connection("1")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", subject="s-mei", parent=BRIO)
    result = await rig.reconnect(browser, path)
    assert "another business: Brio 8002 instead of Acme EU 7001" in result.words
    assert "Accept that" not in result.words
    shown = result.url.removeprefix(rig.base)
    assert (await browser.get(f"{shown}/move?account=1")).status == 409
    assert (await rig.connection(asked)).parent == ACME


@pytest.mark.behaviour("P-5", "N-8")
async def test_who_may_not_see_the_account_any_more_finds_nothing_behind_any_of_its_pages(
    rig: Rig, browser: Browser
) -> None:
    gone, lapsed = await moved(rig), await rig.add_connection("2", "Acme 2")
    path, other = await rig.link(gone, "Mei Lin"), await rig.link(lapsed, "Mei Lin")
    page = await rig.signed_in(browser, path, "Mei Lin")
    sent = await browser.submit(await browser.get(other), other)
    ended = (await browser.get(rig.callback(sent.sent_state, error="access_denied"))).location
    assert "Acme 2" in (await browser.get(ended)).words
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Mei Lin"], client_ids=frozenset()))
    pages = [await browser.get(each) for each in (path, other, f"{path}/move", f"{other}/move", ended)]
    pages.append(await browser.submit(page, f"{path}/check"))
    assert {each.status for each in pages} == {404}
    assert all("Acme 1" not in each.text and "Acme 2" not in each.text for each in pages)
    assert rig.checker.asked == []


@pytest.mark.behaviour("R-7", "D-8")
@pytest.mark.parametrize("cause", [Verdict.ACCOUNT_DISABLED, Verdict.ACCOUNT_GONE])
async def test_for_what_a_login_does_not_mend_checking_again_is_offered_instead(
    rig: Rig, browser: Browser, cause: Verdict
) -> None:
    asked = await rig.add_connection("1", cause=cause)
    path = await rig.link(asked)
    page = await rig.signed_in(browser, path)
    assert path not in page.actions()
    back = await browser.submit(page, f"{path}/check")
    assert (back.status, back.location) == (303, path)
    assert rig.checker.asked == [rig.authorization_id]


@pytest.mark.behaviour("R-7", "R-14")
async def test_an_accepted_account_comes_along_when_somebody_connects_others_of_its_new_business(
    rig: Rig, browser: Browser
) -> None:
    asked = await moved(rig)
    path = await rig.link(asked, "Raj Patel")
    async with rig.browser() as another:
        await rig.signed_in(another, path, "Raj Patel")
        await another.submit(await another.get(f"{path}/move"), f"{path}/move")
    connecting = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, connecting, "Mei Lin")
    rig.login("1", "9", subject="s-brio", parent=BRIO)
    back = await rig.reconnect(browser, connecting)
    choice = await browser.follow(back)
    assert "was waiting for it" in choice.words
    await browser.submit(choice, back.location)
    connection = await rig.connection(asked)
    assert (connection.state, connection.parent) == (ConnectionState.ACTIVE, BRIO)
    assert connection.connector_id == rig.people["Mei Lin"].id
