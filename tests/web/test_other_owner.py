"""Logins and accounts of another owner: refused before anything is written, with the way to a transfer (R-10, R-11)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from commands.ids import AuthorizationId, PersonId
from commands.model import ConnectionState, Role
from commands.ports.events import EventKind
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        await opened.add_person("Cleo Cole", Role.OWNER)
        await opened.add_person("Olga Owner", Role.OWNER)
        yield opened


async def cleos(rig: Rig) -> AuthorizationId:
    """A login that Cleo, who owns accounts, connected one with."""
    login = await rig.add_authorization("Cleo Cole", subject="s-cleo", name="Cleo at Examplenet")
    await rig.add_connection(
        "8",
        "Cleo's Page",
        state=ConnectionState.ACTIVE,
        connector="Cleo Cole",
        owner="Cleo Cole",
        authorization_id=login,
    )
    return login


async def owners_of(rig: Rig, subject: str) -> Mapping[str, PersonId]:
    async with rig.storage.reading() as uow:
        return await uow.parents.owners(rig.organization_id, rig.network.spec.slug, [subject])


@pytest.mark.behaviour("R-10", "R-16")
async def test_a_login_of_another_owner_is_refused_and_nothing_is_written(rig: Rig, browser: Browser) -> None:
    await cleos(rig)
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "8", subject="s-cleo", name="Cleo at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "This login belongs to Cleo Cole: nothing was changed" in page.words
    assert "this account is Olga Owner's" in page.words
    assert "Ask Cleo Cole, whose login it is, or Raj Patel, who can transfer it." in page.words
    assert "/transfer" not in page.text
    assert path in page.actions()
    assert (await rig.connection(asked)).state is ConnectionState.LAPSED
    assert await rig.events(EventKind.GRANT_RENEWED, EventKind.LAPSE_ENDED) == []
    assert rig.network.revoked == [], "the login is Cleo's, and works"
    (failed,) = await rig.events(EventKind.ATTEMPT_FAILED)
    assert failed.data["why"] == "the login belongs to another owner here"
    shown = page.url.removeprefix(rig.base)
    assert (await browser.get(f"{shown}/transfer")).status == 404


@pytest.mark.behaviour("R-10", "A-6", "A-4")
async def test_an_administrator_transfers_it_with_what_hangs_on_it_and_then_reconnects(
    rig: Rig, browser: Browser
) -> None:
    login = await cleos(rig)
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", "8", subject="s-cleo", name="Cleo at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "Transfer the login to Olga Owner" in page.words
    shown = page.url.removeprefix(rig.base)
    question = await browser.get(f"{shown}/transfer")
    assert "From Cleo Cole" in question.words
    assert "1 account of Cleo Cole" in question.words
    assert await owners_of(rig, "s-cleo") == {}, "asking changes nothing"
    done = await browser.submit(question, f"{shown}/transfer")
    assert "Transferred to Olga Owner" in done.words
    assert "1 account went along." in done.words
    assert "Checked just now: it works." in done.words
    assert rig.checker.asked == [login]
    olga = rig.people["Olga Owner"].id
    assert await owners_of(rig, "s-cleo") == {"s-cleo": olga}
    along = await rig.connection_of("8")
    assert along is not None
    assert along.owner_id == olga
    assert {entry.detail["was"] for entry in await rig.entries("parent_profile.transferred")} == {"Cleo Cole"}
    (told,) = await rig.events(EventKind.TRANSFERRED)
    assert (told.person_id, told.data["by"]) == (olga, "Raj Patel")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words
    connection = await rig.connection(asked)
    assert (connection.authorization_id, connection.owner_id) == (login, olga)


@pytest.mark.behaviour("R-10", "C-8")
async def test_a_login_does_not_go_to_somebody_without_access_to_what_hangs_on_it(rig: Rig, browser: Browser) -> None:
    await cleos(rig)
    tom = await rig.add_person("Tom Tall", Role.STAFF)
    asked, brio = await rig.add_connection("1", owner="Tom Tall", client="Brio"), await rig.client("Brio")
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(tom, client_ids=frozenset({brio})))
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", "8", subject="s-cleo", name="Cleo at Examplenet")
    shown = (await rig.reconnect(browser, path)).url.removeprefix(rig.base)
    refused = await browser.submit(await browser.get(f"{shown}/transfer"), f"{shown}/transfer")
    assert refused.status == 409
    assert "Tom Tall has no access to client Acme. An administrator can give it" in refused.words
    assert await owners_of(rig, "s-cleo") == {}
    hangs = await rig.connection_of("8")
    assert hangs is not None
    assert hangs.owner_id == rig.people["Cleo Cole"].id


@pytest.mark.behaviour("R-10", "P-2", "R-16")
async def test_whose_login_it_is_may_lend_it_and_the_owner_stays(rig: Rig, browser: Browser) -> None:
    await rig.add_person("Tom Tall", Role.STAFF)
    tom = await rig.add_authorization("Tom Tall", subject="s-tom")
    async with rig.storage.transaction() as uow:
        await uow.parents.give(rig.organization_id, rig.network.spec.slug, ["s-tom"], rig.people["Tom Tall"].id)
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Tom Tall")
    await rig.signed_in(browser, path, "Tom Tall")
    rig.login("1", subject="s-tom")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words
    connection = await rig.connection(asked)
    assert (connection.authorization_id, connection.owner_id) == (tom, rig.people["Olga Owner"].id)


@pytest.mark.behaviour("R-10")
async def test_a_login_of_an_owner_who_left_belongs_to_nobody(rig: Rig, browser: Browser) -> None:
    await cleos(rig)
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Cleo Cole"], left_at=rig.clock.now()))
    rig.login("1", "8", subject="s-cleo", name="Cleo at Examplenet")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words


@pytest.mark.behaviour("R-10")
async def test_an_agencys_login_serves_accounts_of_every_owner(rig: Rig, browser: Browser) -> None:
    agency = await rig.add_authorization("Ana Ruiz", subject="s-agency")
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", subject="s-agency")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words, "what staff connected is nobody's own"
    async with rig.storage.transaction() as uow:
        await uow.parents.give(rig.organization_id, rig.network.spec.slug, ["s-agency"], rig.people["Cleo Cole"].id)
    further = await rig.add_connection("2", owner="Olga Owner")
    path = await rig.link(further, "Mei Lin")
    rig.login("1", "2", subject="s-agency")
    page = await rig.reconnect(browser, path)
    assert "1 account is back" in page.words, "it serves accounts of this owner already"
    assert (await rig.connection(further)).authorization_id == agency


@pytest.mark.behaviour("R-10")
async def test_what_hangs_on_a_login_is_renewed_with_it_whoever_owns_both(rig: Rig, browser: Browser) -> None:
    login = await cleos(rig)
    asked = await rig.add_connection("1", owner="Olga Owner", authorization_id=login)
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "8", subject="s-cleo")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words


@pytest.mark.behaviour("R-10", "R-14")
async def test_new_accounts_are_not_connected_with_another_owners_login(rig: Rig, browser: Browser) -> None:
    await cleos(rig)
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("8", "9", subject="s-cleo", name="Cleo at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "This login belongs to Cleo Cole" in page.words
    assert await rig.connection_of("9") is None


@pytest.mark.behaviour("R-11")
async def test_an_account_under_another_owner_is_said_to_need_a_transfer_and_whom_to_ask(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "Olga's Page", state=ConnectionState.ACTIVE, owner="Olga Owner")
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "9", subject="s-mei")
    back = await rig.reconnect(browser, path)
    page = await browser.follow(back)
    assert "Under another owner" in page.words
    assert "already connected, under Olga Owner" in page.words
    assert "ask Raj Patel, who can do that" in page.words
    assert "Transfer it to me" not in page.words
    chosen = back.location
    assert (await browser.get(f"{chosen}/transfer?account=1")).status == 404


@pytest.mark.behaviour("R-11", "N-8")
async def test_of_an_account_that_its_owner_alone_sees_another_hears_that_a_transfer_comes_first_and_no_name(
    rig: Rig, browser: Browser
) -> None:
    await cleos(rig)
    await rig.add_connection("1", "Olga's Page", state=ConnectionState.ACTIVE, owner="Olga Owner")
    path = await rig.new_accounts_link("Cleo Cole")
    await rig.signed_in(browser, path, "Cleo Cole")
    rig.login("1", "8", "9", subject="s-cleo")
    back = await rig.reconnect(browser, path)
    page = await browser.follow(back)
    assert "This account belongs to another owner." in page.words
    assert "ask Raj Patel, who can do that" in page.words
    assert "Account 1 1 known here already; an administrator can say more" in page.words
    assert "Olga" not in page.words
    assert (await browser.get(f"{back.location}/transfer?account=1")).status == 404


@pytest.mark.behaviour("R-11", "A-6")
async def test_an_administrator_transfers_it_by_a_button_after_being_asked(rig: Rig, browser: Browser) -> None:
    asked = await rig.add_connection("1", "Olga's Page", state=ConnectionState.ACTIVE, owner="Olga Owner")
    beside = await rig.add_connection("2", "Olga's Other", state=ConnectionState.ACTIVE, owner="Olga Owner")
    path = await rig.new_accounts_link("Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1", "9", subject="s-raj")
    back = await rig.reconnect(browser, path)
    chosen = back.location
    assert "Transfer it to me" in (await browser.follow(back)).words
    question = await browser.get(f"{chosen}/transfer?account=1")
    assert "From Olga Owner" in question.words
    assert "Olga's Other" in question.words, "a business has one owner"
    done = await browser.submit(question, f"{chosen}/transfer")
    assert "2 accounts are theirs. Checked just now: 2 of 2 accounts work." in done.words
    for each in (asked, beside):
        assert (await rig.connection(each)).owner_id == rig.people["Raj Patel"].id
    assert "Under another owner" not in (await browser.get(chosen)).words


@pytest.mark.behaviour("R-10")
async def test_another_owners_accounts_are_not_swept_along_by_a_login_that_mends_its_own(
    rig: Rig, browser: Browser
) -> None:
    """The login reaches both; only what its owner owns goes over to it."""
    login = await cleos(rig)
    asked = await rig.add_connection("1", owner="Cleo Cole")
    olgas = await rig.add_connection("2", "Olga's Page", owner="Olga Owner")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "2", "8", subject="s-cleo", name="Cleo at Examplenet")
    await rig.reconnect(browser, path)
    assert (await rig.connection(asked)).authorization_id == login
    left = await rig.connection(olgas)
    assert (left.state, left.authorization_id) == (ConnectionState.LAPSED, rig.authorization_id)
