"""The page of a personal link: one's own accounts, reconnected and connected without a chat account."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import ConnectionId, to_wire
from commands.model import ConnectionState, Role, Verdict
from commands.outcomes import Outcome, OutcomeKind
from commands.passes import make_pass
from commands.ports.events import EventKind
from commands.ports.reconnecting import FollowedLink, PassPurpose, Sending
from tests.web.browser import Browser, Page
from tests.web.rig import Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        await opened.add_person("Olga Owner", Role.OWNER, linked=False)
        yield opened


async def opened(rig: Rig, browser: Browser, path: str) -> Page:
    """Press the button of a personal link, and stand before the list."""
    page = await browser.get(path)
    sent = await browser.submit(page, path)
    assert sent.status == 303, sent.words
    return await browser.follow(sent)


async def state_of(rig: Rig, connection_id: ConnectionId) -> ConnectionState:
    return (await rig.connection(connection_id)).state


@pytest.mark.behaviour("R-13", "R-1")
async def test_opening_the_address_shows_nothing_and_changes_nothing(rig: Rig, browser: Browser) -> None:
    await rig.add_connection("1029384756", owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    for _ in range(20):
        page = await browser.get(path)
        assert page.status == 200
        for hidden in ("Olga", "Acme", "1029384756", "Examplenet"):
            assert hidden not in page.text
        async with browser.session.head(browser.base + path, allow_redirects=False) as response:
            assert response.status == 200
    async with rig.storage.reading() as uow:
        (one,) = await uow.passes.of(rig.organization_id, rig.people["Olga Owner"].id, PassPurpose.ACCOUNTS)
    assert one.opened_at is None
    async with rig.browser() as first:
        assert "Accounts of Olga Owner" in (await opened(rig, first, path)).words


@pytest.mark.behaviour("R-13", "C-12")
async def test_the_list_has_ones_own_accounts_by_login_what_needs_connecting_first_with_state_and_error(
    rig: Rig, browser: Browser
) -> None:
    soon = await rig.add_authorization(
        "Raj Patel", subject="s-raj", name="Raj's login", ends_at=rig.clock.now() + timedelta(days=5)
    )
    await rig.add_connection(
        "3", "Works", state=ConnectionState.ACTIVE, owner="Olga Owner", authorization_id=soon, connector="Raj Patel"
    )
    await rig.add_connection("1", "First lapsed", owner="Olga Owner")
    await rig.add_connection("2", "Second lapsed", owner="Olga Owner", cause=Verdict.PERMISSION_MISSING)
    await rig.add_connection("4", "Never connected", state=ConnectionState.UNCONNECTED, owner="Olga Owner")
    await rig.add_connection("9", "Somebody else's", owner="Mei Lin")
    page = await opened(rig, browser, await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner"))
    assert "3 accounts of 4 need connecting" in page.words
    assert "First lapsed 1 lapsed since Mon 23 Nov 2026, 09:00 UTC · password changed · client Acme" in page.words
    assert "Second lapsed 2 lapsed since Mon 23 Nov 2026, 09:00 UTC · permission switched off" in page.words
    assert "Never connected 4 not connected yet" in page.words
    assert "Works 3 expires Sat 28 Nov 2026" in page.words
    order = [page.words.index(words) for words in ("login of Ana Ruiz", "Never connected", "login of Raj's login")]
    assert order == sorted(order)
    assert page.words.count("Reconnect at Examplenet") == 1
    assert page.words.count("Connect at Examplenet") == 1
    assert page.words.count("Renew at Examplenet") == 1
    assert "Somebody else's" not in page.words


@pytest.mark.behaviour("R-13", "R-12", "P-1")
async def test_the_whole_round_trip_works_without_a_chat_account(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    to_link = await browser.post(path, page.form(path, connection=to_wire(connection_id)))
    assert to_link.status == 303
    rehearsal = await browser.follow(to_link)
    assert "This link is for Olga Owner" in rehearsal.words
    rig.login("1", subject="s-olga", name="Olga at Examplenet")
    result = await rig.reconnect(browser, to_link.location)
    assert "1 account is back" in result.words
    connection = await rig.connection(connection_id)
    assert (connection.state, connection.connector_id) == (ConnectionState.ACTIVE, rig.people["Olga Owner"].id)
    (entry,) = await rig.entries("reconnected")
    assert (entry.origin, entry.detail["as"]) == ("web, personal link", "owner")
    assert "It works" in (await browser.get(path)).words


@pytest.mark.behaviour("R-13", "R-14")
async def test_new_accounts_are_connected_from_the_list(rig: Rig, browser: Browser) -> None:
    await rig.add_connection("1", state=ConnectionState.ACTIVE, owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    to_link = await browser.post(path, {**page.form(path), "network": "examplenet"})
    rig.login("501", subject="s-olga")
    sent = await browser.submit(await browser.follow(to_link), to_link.location)
    choice = await browser.follow(await browser.follow(await browser.get(rig.callback(sent.sent_state))))
    (action,) = [each for each in choice.actions() if each.startswith("/choose/")]
    fields = {**choice.form(action), "client": to_wire(rig.client_id)}
    done = await browser.follow(await browser.post(action, fields, ("account", "501")))
    assert "1 account is connected" in done.words


@pytest.mark.behaviour("R-13")
async def test_the_first_press_binds_it_to_one_browser_and_the_opening_is_noted(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    async with rig.browser() as one, rig.browser() as two:
        pages = [await each.get(path) for each in (one, two)]
        answers = await asyncio.gather(*(b.submit(p, path) for b, p in zip((one, two), pages, strict=True)))
    assert sorted(answer.status for answer in answers) == [303, 403]
    (refused,) = [answer for answer in answers if answer.status == 403]
    assert "in use in another browser" in refused.words
    assert "get a new one" in refused.words
    assert "Olga" not in refused.text
    late = await browser.submit(await browser.get(path), path)
    assert late.status == 403
    assert (await rig.audited()).count("personal link opened") == 1
    async with rig.storage.reading() as uow:
        (kept,) = await uow.passes.of(rig.organization_id, rig.people["Olga Owner"].id, PassPurpose.ACCOUNTS)
    assert kept.opened_at == rig.clock.now()


@pytest.mark.behaviour("R-13")
async def test_its_browser_may_come_back_for_seven_days_and_no_longer(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    await opened(rig, browser, path)
    rig.clock.advance(timedelta(days=3))
    assert "Olga" not in (await browser.get(path)).text
    assert "Accounts of Olga Owner" in (await opened(rig, browser, path)).words
    rig.clock.advance(timedelta(days=4))
    over = await browser.get(path)
    assert over.status == 404
    assert "works for seven days" in over.words
    assert "How to get a new one" in over.words


@pytest.mark.behaviour("R-13")
async def test_withdrawn_it_ends_at_once_with_the_session_that_it_began(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    to_link = await browser.post(path, page.form(path, connection=to_wire(connection_id)))
    sent = await browser.submit(await browser.follow(to_link), to_link.location)
    async with rig.storage.transaction() as uow:
        await uow.passes.withdraw(rig.organization_id, rig.people["Olga Owner"].id, None, rig.clock.now())
    assert (await browser.get(path)).status == 404
    assert "Sign in to go on" in (await browser.get(to_link.location)).words
    rig.login("1", subject="s-olga")
    assert (await browser.get(rig.callback(sent.sent_state))).status == 403
    assert "exchange" not in rig.network.asked
    assert await state_of(rig, connection_id) is ConnectionState.LAPSED


@pytest.mark.behaviour("R-13")
async def test_who_left_has_no_list_any_more(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    await opened(rig, browser, path)
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Olga Owner"], left_at=rig.clock.now()))
    assert "Olga" not in (await browser.get(path)).text
    async with rig.browser() as other:
        assert (await other.get(path)).status == 404


@pytest.mark.behaviour("R-13", "A-1")
@pytest.mark.parametrize("change", ["demoted", "left", "outranked"])
async def test_it_works_no_longer_than_whoever_handed_it_out_may(rig: Rig, browser: Browser, change: str) -> None:
    await rig.add_connection("1", owner="Olga Owner")
    otto = await rig.add_person("Otto Admin", Role.ADMINISTRATOR)
    async with rig.storage.transaction() as uow:
        url = await make_pass(
            uow, rig.base, rig.people["Olga Owner"], PassPurpose.ACCOUNTS, made_by=otto.id, now=rig.clock.now()
        )
    path = url.removeprefix(rig.base)
    page = await opened(rig, browser, path)
    changed = {
        "demoted": replace(otto, role=Role.STAFF),
        "left": replace(otto, left_at=rig.clock.now()),
        "outranked": replace(rig.people["Olga Owner"], role=Role.PRIMARY_ADMINISTRATOR),
    }[change]
    async with rig.storage.transaction() as uow:
        await uow.people.update(changed)
    refused = await browser.get(path)
    assert refused.status == 404
    assert "Olga" not in refused.text
    assert (await browser.post(path, page.form(path))).status in (403, 404)
    async with rig.browser() as other:
        assert (await other.get(path)).status == 404


@pytest.mark.behaviour("R-13", "A-1")
@pytest.mark.parametrize("purpose", [PassPurpose.IDENTITY, PassPurpose.UNSUBSCRIBE])
async def test_a_link_made_for_something_else_opens_no_list(rig: Rig, browser: Browser, purpose: PassPurpose) -> None:
    path = await rig.bearer_link(purpose, "Olga Owner")
    assert (await browser.get("/p/" + path.rpartition("/")[2])).status == 404
    assert (await browser.get("/p/" + "0" * 22)).status == 404


@pytest.mark.behaviour("P-5", "R-13")
async def test_a_button_that_was_forged_leads_to_nothing_of_others(rig: Rig, browser: Browser) -> None:
    hidden = await rig.add_connection("9", "Somebody else's", owner="Mei Lin")
    await rig.add_connection("1", owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    token = page.form(path)["token"]
    for forged in ({"connection": to_wire(hidden)}, {"connection": "x"}, {"network": "gonenet"}, {}):
        answer = await browser.post(path, {"token": token, **forged})
        assert (answer.status, answer.location) == (303, path)


@pytest.mark.behaviour("R-13")
async def test_another_site_cannot_press_its_buttons(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    fields = (await browser.get(path)).form(path)
    assert (await browser.post(path, fields, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await browser.post(path, {**fields, "token": "0"})).status == 403
    assert "personal link opened" not in await rig.audited()


async def test_a_long_list_has_pages(rig: Rig, browser: Browser) -> None:
    for number in range(60):
        await rig.add_connection(
            f"{number:03}", f"Account {number:03}", state=ConnectionState.ACTIVE, owner="Olga Owner"
        )
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    assert "All 60 work" in page.words
    assert "Account 049" in page.words
    assert "Account 050" not in page.words
    assert "Account 059" in (await browser.get(f"{path}?page=2")).words
    assert (await browser.get(f"{path}?page=nonsense")).status == 200


async def test_an_account_that_a_login_does_not_mend_says_what_has_to_be_put_right(rig: Rig, browser: Browser) -> None:
    await rig.add_connection("1", "Closed", owner="Olga Owner", cause=Verdict.ACCOUNT_DISABLED)
    page = await opened(rig, browser, await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner"))
    assert "account disabled" in page.words.lower()
    assert "Reconnect at" not in page.words


@pytest.mark.behaviour("P-6")
async def test_a_personal_link_links_no_chat_account(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    await opened(rig, browser, path)
    one_time = await rig.bearer_link(PassPurpose.IDENTITY, "Olga Owner")
    page = await browser.get(one_time)
    assert "Sign in with Chatter" in page.words
    assert one_time not in page.actions()
    async with rig.storage.reading() as uow:
        assert await uow.people.identities(rig.organization_id, [rig.people["Olga Owner"].id]) == {}


@pytest.mark.behaviour("R-13")
async def test_leaving_ends_the_session_and_a_colleagues_link_begins_another(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    assert "Here by a personal link, as Olga Owner" in page.words
    await browser.submit(page, "/sign-out")
    assert "Olga" not in (await browser.get(path)).text
    await opened(rig, browser, path)
    theirs = await opened(rig, browser, await rig.bearer_link(PassPurpose.ACCOUNTS, "Mei Lin"))
    assert "Accounts of Mei Lin" in theirs.words
    assert "Olga" not in (await browser.get(path)).text


async def test_attempts_are_told_where_there_is_a_lapse(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", owner="Olga Owner")
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    page = await opened(rig, browser, path)
    to_link = await browser.post(path, page.form(path, connection=to_wire(connection_id)))
    rig.login("77", subject="s-olga")
    await rig.reconnect(browser, to_link.location)
    (begun,) = await rig.events(EventKind.ATTEMPT_OPENED)
    (failed,) = await rig.events(EventKind.ATTEMPT_FAILED)
    assert begun.lapse_id == failed.lapse_id is not None
    assert begun.person_id == failed.person_id == rig.people["Olga Owner"].id
    assert failed.data["why"] == "the login did not reach the account"


@pytest.mark.behaviour("C-12")
async def test_an_account_whose_term_is_over_carries_the_clock_beside_the_lock(rig: Rig, browser: Browser) -> None:
    over = await rig.add_authorization("Ana Ruiz", subject="s-over", ends_at=rig.clock.now() - timedelta(hours=1))
    await rig.add_connection("1", owner="Olga Owner", cause=Verdict.EXPIRED, authorization_id=over)
    page = await opened(rig, browser, await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner"))
    assert "term over" in page.words
    row = page.text[page.text.index('class="rows"') : page.text.index("term over")]
    assert 'class="mark lapsed"' in row
    assert 'class="mark expiring"' in row


@pytest.mark.behaviour("X-10", "R-13")
async def test_its_sender_follows_it_to_the_end_and_no_preview_counts(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1", owner="Olga Owner")
    olga, now = rig.people["Olga Owner"], rig.clock.now()
    async with rig.storage.transaction() as uow:
        url = await make_pass(
            uow, rig.base, olga, PassPurpose.ACCOUNTS, made_by=rig.people["Raj Patel"].id, now=now, followed=True
        )
    path = url.removeprefix(rig.base)

    async def followed() -> FollowedLink:
        async with rig.storage.reading() as uow:
            (link,) = await uow.passes.followed(rig.organization_id, since=now, offset=0, limit=9)
        return link

    for _ in range(50):
        await browser.get(path)
        async with browser.session.head(browser.base + path, allow_redirects=False) as response:
            assert response.status == 200
    waiting = await followed()
    assert (waiting.one.opened_at, waiting.rounds) == (None, ())
    assert (waiting.maker_name, waiting.person_name, waiting.sending) == ("Raj Patel", "Olga Owner", Sending.COPIED)
    page = await opened(rig, browser, path)
    assert (await followed()).one.opened_at == now
    to_link = await browser.post(path, page.form(path, connection=to_wire(connection_id)))
    rig.login("77", subject="s-olga")
    sent = await browser.submit(await browser.follow(to_link), to_link.location)
    (under_way,) = (await followed()).rounds
    assert (under_way.network, under_way.outcome) == ("examplenet", None)
    await browser.get(rig.callback(sent.sent_state))
    rig.clock.advance(timedelta(minutes=1))
    rig.login("1", subject="s-olga")
    await rig.reconnect(browser, to_link.location)
    kinds = [Outcome.from_json(one.outcome or "").kind for one in (await followed()).rounds]
    assert kinds == [OutcomeKind.WRONG_LOGIN, OutcomeKind.RESTORED]


@pytest.mark.behaviour("R-13")
async def test_a_link_that_is_over_says_whom_to_ask_and_one_that_never_was_does_not(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    async with rig.storage.transaction() as uow:
        await uow.passes.withdraw(rig.organization_id, rig.people["Olga Owner"].id, None, rig.clock.now())
    over = await browser.get(path)
    assert (over.status, "Support: help@acme.example" in over.words) == (404, True)
    assert "Olga" not in over.text
    assert "help@acme.example" not in (await browser.get("/p/" + "0" * 22)).text


@pytest.mark.behaviour("R-13")
async def test_what_lapsed_comes_first_then_what_ends_soon_then_what_works(rig: Rig, browser: Browser) -> None:
    soon, fine = [
        await rig.add_authorization("Ana Ruiz", subject=f"s-{days}", ends_at=rig.clock.now() + timedelta(days=days))
        for days in (5, 50)
    ]
    active = ConnectionState.ACTIVE
    await rig.add_connection("1", "A works", state=active, owner="Olga Owner", authorization_id=fine)
    await rig.add_connection("2", "B ends soon", state=active, owner="Olga Owner", authorization_id=soon)
    await rig.add_connection("3", "C lapsed", owner="Olga Owner")
    page = await opened(rig, browser, await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner"))
    order = [page.words.index(name) for name in ("C lapsed", "B ends soon", "A works")]
    assert order == sorted(order)


@pytest.mark.behaviour("R-13")
async def test_from_where_a_login_ended_one_goes_back_to_the_list_and_on_to_the_next(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_connection("1", "First", owner="Olga Owner")
    other = await rig.add_authorization("Raj Patel", subject="s-raj")
    await rig.add_connection("2", "Second", owner="Olga Owner", authorization_id=other, connector="Raj Patel")
    assert (await browser.get("/p")).status == 404
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    listed = await opened(rig, browser, path)
    rig.login("1")
    chosen = await browser.submit(listed, path)
    ended = await rig.reconnect(browser, chosen.location)
    assert "1 account is back" in ended.words
    assert 'href="/p"' in ended.text
    again = await browser.get("/p")
    assert "1 account of 2 needs connecting" in again.words
    assert (await browser.submit(again, "/p")).location.startswith("/r/")
    async with rig.browser() as stranger:
        assert (await stranger.get("/p")).status == 404
