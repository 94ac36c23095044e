"""Reconnecting by somebody else than the connector: a colleague, the owner, an administrator."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from commands.model import ConnectionState, Role, Verdict
from commands.ports.events import EventKind
from tests.support.network import finding
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


@pytest.mark.behaviour("P-2", "R-16")
async def test_a_colleague_whose_login_reaches_the_account_is_accepted_and_becomes_connector(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1", owner="Raj Patel")
    beside = await rig.add_connection("2")
    path = await rig.link(asked, "Mei Lin")
    page = await rig.signed_in(browser, path, "Mei Lin")
    assert "Log in as Ana Ruiz" not in page.words
    rig.login("1", "2", subject="s-mei", name="Mei at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "2 accounts are back" in page.words
    for each in (asked, beside):
        connection = await rig.connection(each)
        assert (connection.state, connection.connector_id) == (ConnectionState.ACTIVE, rig.people["Mei Lin"].id)
        assert connection.authorization_id != rig.authorization_id
    (entry, *_) = await rig.entries("reconnected")
    assert (entry.actor_id, entry.detail["as"]) == (rig.people["Mei Lin"].id, "role_unknown")
    assert await rig.events(EventKind.GRANT_RENEWED) == []


@pytest.mark.behaviour("P-2", "P-5", "N-8")
async def test_a_colleagues_login_takes_over_nothing_that_they_may_not_see(rig: Rig, browser: Browser) -> None:
    asked = await rig.add_connection("1")
    hidden = await rig.add_connection("2", "Secret Sibling", client="Brio")
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Mei Lin"], client_ids=frozenset({rig.client_id})))
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", "2", subject="s-mei", name="Mei at Examplenet")
    page = await rig.reconnect(browser, path)
    assert "1 account is back" in page.words
    assert "Secret Sibling" not in page.words
    left, taken = await rig.connection(hidden), await rig.connection(asked)
    assert (left.state, left.authorization_id) == (ConnectionState.LAPSED, rig.authorization_id)
    assert left.connector_id == rig.people["Ana Ruiz"].id
    assert taken.authorization_id != rig.authorization_id


@pytest.mark.behaviour("P-3", "P-7")
async def test_a_colleague_whose_login_reaches_nothing_hears_what_is_missing_and_whom_to_ask(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_person("Tom Tall", Role.STAFF)
    await rig.add_connection("5", "Tom's", state=ConnectionState.ACTIVE, connector="Tom Tall")
    asked = await rig.add_connection("1")
    path = await rig.link(asked, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("77", subject="s-mei", name="Mei at Examplenet")
    wrong = await rig.reconnect(browser, path)
    assert "it lacks the role: it takes a role on the account" in wrong.words
    assert "ask Ana Ruiz, who connected it" in wrong.words
    rig.login("1", subject="s-mei", name="Mei at Examplenet", finding=finding(Verdict.ROLE_LOST))
    lacking = await rig.reconnect(browser, path)
    assert "a role is missing" in lacking.words
    for page in (wrong, lacking):
        for name in ("Ana Ruiz, who connected", "Tom Tall, who connected other accounts", "Raj Patel, who administers"):
            assert name in page.words
        assert path in page.actions()
    assert (await rig.connection(asked)).state is ConnectionState.LAPSED
    assert await rig.entries("reconnected") == []
    assert {event.data["why"] for event in await rig.events(EventKind.ATTEMPT_FAILED)} == {
        "the login did not reach the account",
        "the login lacks the role that it takes",
    }


@pytest.mark.behaviour("P-4", "A-4")
async def test_an_administrator_who_holds_the_owners_login_is_recorded_as_acting_on_behalf(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1", owner="Mei Lin")
    path = await rig.link(asked, "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    rig.login("1")
    page = await rig.reconnect(browser, path)
    assert "1 account is back" in page.words
    connection = await rig.connection(asked)
    assert (connection.owner_id, connection.connector_id) == (rig.people["Mei Lin"].id, rig.people["Raj Patel"].id)
    assert connection.authorization_id == rig.authorization_id
    (entry,) = await rig.entries("reconnected")
    assert (entry.actor_id, entry.detail["as"]) == (rig.people["Raj Patel"].id, "on_behalf")
    (renewed,) = await rig.events(EventKind.GRANT_RENEWED)
    assert (renewed.authorization_id, renewed.person_id) == (rig.authorization_id, rig.people["Raj Patel"].id)


@pytest.mark.behaviour("P-1")
async def test_a_connector_who_may_not_see_the_client_any_more_still_reconnects_and_who_left_does_not(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1")
    path = await rig.link(asked)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Ana Ruiz"], client_ids=frozenset()))
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    assert sent.status == 303
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Ana Ruiz"], left_at=rig.clock.now()))
    rig.login("1")
    await browser.get(rig.callback(sent.sent_state))
    assert (await rig.connection(asked)).state is ConnectionState.LAPSED
    page = await browser.get(path)
    assert "Acme" not in page.text


@pytest.mark.behaviour("P-1")
async def test_the_owner_may_reconnect_with_a_login_of_their_own(rig: Rig, browser: Browser) -> None:
    await rig.add_person("Olga Owner", Role.OWNER)
    asked = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.link(asked, "Olga Owner")
    await rig.signed_in(browser, path, "Olga Owner")
    rig.login("1", subject="s-olga")
    assert "1 account is back" in (await rig.reconnect(browser, path)).words
    (entry,) = await rig.entries("reconnected")
    assert entry.detail["as"] == "owner"


async def test_the_result_is_read_and_never_written(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    result = await rig.reconnect(browser, path)
    shown = result.url.removeprefix(rig.base)
    before = (await rig.audited(), await rig.events())
    for _ in range(5):
        assert "Restored" in (await browser.get(shown)).words
    assert (await rig.audited(), await rig.events()) == before
