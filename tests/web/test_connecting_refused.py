"""Connecting accounts that are new here: what is too late, twice, without the right, or meant ill."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.connecting import CHOICE_LIFE
from commands.errors import NetworkError
from commands.model import Verdict
from tests.support.network import finding
from tests.web.browser import Browser
from tests.web.connecting import arrive, choose, client, log_in
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


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
async def test_of_who_left_while_they_were_at_the_network_no_login_is_kept(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link("Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("501", subject="s-mei")
    sent = await browser.submit(await browser.get(path), path)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Mei Lin"], left_at=rig.clock.now()))
    await browser.get(rig.callback(sent.sent_state))
    assert [tokens.access.reveal() for tokens in rig.network.revoked] == ["new-access"]
    (failed,) = await rig.entries("connecting failed")
    assert failed.detail["outcome"] == "not_allowed"


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
