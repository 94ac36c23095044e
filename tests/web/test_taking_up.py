"""A login that was left at the network, and two people or two tabs at the same login (R-17, R-18)."""

import asyncio
from datetime import timedelta

import pytest

from commands.ids import to_wire
from commands.model import ConnectionState
from commands.ports.events import EventKind
from tests.web.browser import Browser, Page
from tests.web.rig import Rig


async def come_back(rig: Rig, browser: Browser, state: str) -> Page:
    page = await browser.get(rig.callback(state))
    while page.status == 303:
        page = await browser.follow(page)
    return page


@pytest.mark.behaviour("R-18")
async def test_what_was_left_at_the_network_is_taken_up_from_the_same_link_with_a_fresh_login(
    rig: Rig, browser: Browser
) -> None:
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    left = await browser.submit(await rig.signed_in(browser, path), path)
    rig.clock.advance(timedelta(minutes=3))
    assert await rig.link(connection_id) == path, "a message that is drawn anew keeps its link"
    page = await browser.get(path)
    assert "You started 3 min ago and have not come back" in page.words
    assert ">Go on at Examplenet</button>" in page.text
    assert "is reconnecting it" not in page.words, "their own attempt is no news to them"
    again = await browser.submit(page, path)
    assert again.status == 303
    assert again.sent_state != left.sent_state
    rig.login("1")
    late = await come_back(rig, browser, left.sent_state)
    assert "You began another login at Mon 23 Nov 2026, 09:03 UTC" in late.words
    assert "exchange" not in rig.network.asked
    assert "Restored" in (await come_back(rig, browser, again.sent_state)).words
    assert "Already working" in (await browser.get(path)).words


@pytest.mark.behaviour("R-18")
async def test_it_is_taken_up_from_another_account_of_the_same_login_and_in_another_browser(
    rig: Rig, browser: Browser
) -> None:
    first, second = await rig.link(await rig.add_connection("1")), await rig.link(await rig.add_connection("2", "Two"))
    await browser.submit(await rig.signed_in(browser, first), first)
    async with rig.browser() as phone:
        page = await rig.signed_in(phone, second)
        assert "You started less than a minute ago" in page.words
        sent = await phone.submit(page, second)
        rig.login("1", "2")
        assert "2 accounts are back" in (await come_back(rig, phone, sent.sent_state)).words


@pytest.mark.behaviour("R-18")
async def test_a_first_connecting_and_new_accounts_are_taken_up_as_well(rig: Rig, browser: Browser) -> None:
    unconnected = await rig.add_connection("1", state=ConnectionState.UNCONNECTED, connector=None)
    paths = [await rig.link(unconnected), await rig.new_accounts_link()]
    await rig.signed_in(browser, paths[0])
    for path in paths:
        assert "You started" not in (await browser.get(path)).words
        await browser.submit(await browser.get(path), path)
        page = await browser.get(path)
        assert "You started less than a minute ago" in page.words
        assert "Go on at Examplenet" in page.words


@pytest.mark.behaviour("R-18", "R-14")
async def test_a_choice_that_was_left_is_found_again_from_the_link(rig: Rig, browser: Browser) -> None:
    path = await rig.new_accounts_link()
    await rig.signed_in(browser, path)
    rig.login("501", subject="s-new")
    sent = await browser.submit(await browser.get(path), path)
    chosen_from = await come_back(rig, browser, sent.sent_state)
    assert "Choose what to connect" in chosen_from.words
    page = await browser.get(path)
    assert "Your login came back a moment ago and is not finished" in page.words
    attempt = await browser.get(f"/a/{chosen_from.url.rsplit('/', 1)[-1]}")
    assert attempt.location.startswith("/choose/")
    assert f'href="/a/{chosen_from.url.rsplit("/", 1)[-1]}"' in page.text


@pytest.mark.behaviour("R-4", "R-18")
async def test_an_attempt_that_ran_out_is_no_longer_spoken_of_and_a_new_one_begins(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    left = await browser.submit(await rig.signed_in(browser, path), path)
    rig.clock.advance(timedelta(minutes=10))
    page = await browser.get(path)
    assert "You started" not in page.words
    assert "Reconnect at Examplenet" in page.words
    rig.login("1")
    over = await come_back(rig, browser, left.sent_state)
    assert "This login took too long" in over.words
    again = await browser.submit(over, path)
    assert "Restored" in (await come_back(rig, browser, again.sent_state)).words


@pytest.mark.behaviour("R-17", "X-4")
async def test_the_second_person_reads_who_is_at_it_since_when_and_takes_over_and_the_first_is_told(rig: Rig) -> None:
    connection_id = await rig.add_connection("1")
    first_path, second_path = await rig.link(connection_id), await rig.link(connection_id, "Raj Patel")
    async with rig.browser() as first, rig.browser() as second:
        begun = await first.submit(await rig.signed_in(first, first_path), first_path)
        rig.clock.advance(timedelta(minutes=2))
        page = await rig.signed_in(second, second_path, "Raj Patel")
        assert "Ana Ruiz is reconnecting it" in page.words
        assert "They went on to Examplenet at Mon 23 Nov 2026, 09:00 UTC" in page.words
        held = await second.submit(page, second_path)
        assert (held.status, ">Take over</button>" in held.text) == (409, True)
        assert "They went on to Examplenet at Mon 23 Nov 2026, 09:00 UTC" in held.words
        taken = await second.submit(held, second_path)
        seen = await first.get(first_path)
        assert "Raj Patel is reconnecting it" in seen.words
        assert "You started" not in seen.words
        rig.login("1")
        late = await come_back(rig, first, begun.sent_state)
        assert "Raj Patel took over at Mon 23 Nov 2026, 09:02 UTC" in late.words
        assert "it changed nothing" in late.words
        assert (await rig.connection(connection_id)).state is ConnectionState.LAPSED
        assert "Restored" in (await come_back(rig, second, taken.sent_state)).words
        after = await come_back(rig, first, begun.sent_state)
        assert "Raj Patel took over" in after.words, "and still does when it is over"
    assert len(await rig.events(EventKind.LAPSE_ENDED)) == 1


@pytest.mark.behaviour("R-17")
async def test_eight_who_take_over_at_once_leave_one_open_attempt(rig: Rig) -> None:
    """Row 50: in parallel, one winner."""
    connection_id = await rig.add_connection("1")
    path, theirs = await rig.link(connection_id), await rig.link(connection_id, "Raj Patel")
    async with rig.browser() as first, rig.browser() as second:
        mine, his = await rig.signed_in(first, path), await rig.signed_in(second, theirs, "Raj Patel")
        sent = await asyncio.gather(
            *(first.submit(mine, path, take_over="yes") for _ in range(4)),
            *(second.submit(his, theirs, take_over="yes") for _ in range(4)),
        )
        assert {page.status for page in sent} == {303}
        rig.login("1")
        ends = [await come_back(rig, first, page.sent_state) for page in sent[:4]]
        ends += [await come_back(rig, second, page.sent_state) for page in sent[4:]]
    assert sum("Restored" in page.words for page in ends) == 1
    assert sum("took over" in page.words or "You began another login" in page.words for page in ends) == 7
    assert rig.network.asked.count("exchange") == 1


@pytest.mark.behaviour("R-4")
async def test_reloading_and_going_back_after_the_end_land_on_the_result_and_never_on_an_error(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.link(await rig.add_connection("1"))
    before = await rig.signed_in(browser, path)
    sent = await browser.submit(before, path)
    rig.login("1")
    result = await come_back(rig, browser, sent.sent_state)
    for _ in range(3):
        assert "Restored" in (await come_back(rig, browser, sent.sent_state)).words
        assert "Restored" in (await browser.get(result.url.removeprefix(rig.base))).words
    pressed_again = await browser.submit(before, path)  # the page before, from the browser's history
    assert pressed_again.status == 200
    assert "Already working" in pressed_again.words


async def test_an_answer_that_is_being_looked_at_says_look_again(rig: Rig, browser: Browser) -> None:
    """A process that was killed there leaves it so until it runs out."""
    path = await rig.link(await rig.add_connection("1"))
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    async with rig.storage.reading() as uow:
        link = await rig.storage.directory.link(path.removeprefix("/r/"))
        assert link is not None
        left = await uow.attempts.under_way(
            rig.organization_id, link_id=link.id, authorization_id=rig.authorization_id, now=rig.clock.now()
        )
    assert left is not None
    rig.network.discovery = None  # the fake fails in a way that no network may
    rig.login("1")
    rig.network.discovery = None
    assert (await browser.get(rig.callback(sent.sent_state))).status == 500
    page = await browser.get(f"/a/{to_wire(left.attempt_id)}")
    assert "This login is being finished" in page.words
    assert "Look again" in page.words
    assert "Your login came back a moment ago" in (await browser.get(path)).words
    rig.clock.advance(timedelta(minutes=10))
    assert "This login took too long" in (await browser.get(f"/a/{to_wire(left.attempt_id)}")).words
