"""Every network in a real browser, from the Reconnect page through the network's own pages and back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from commands.model import ConnectionState, LapseEnd, Role
from tests.e2e.round_trip import Trip, trip
from tests.e2e.visit import browsing
from tests.support.network_rigs import ADDRESSES, EAST, WEST

pytestmark = pytest.mark.asyncio(loop_scope="module")
LAPSED, ACTIVE = ConnectionState.LAPSED, ConnectionState.ACTIVE


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def one_browser(executable: str) -> AsyncIterator[Browser]:
    async with browsing(executable) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module", params=sorted(ADDRESSES))
async def way(request: pytest.FixtureRequest, one_browser: Browser, sqlite_database_url: str) -> AsyncIterator[Trip]:
    async with trip(request.param, sqlite_database_url, one_browser) as made:
        yield made


@pytest.mark.behaviour("R-1", "R-3", "R-8", "R-12")
async def test_a_login_brings_back_all_that_hangs_on_it(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.round_trip(page)
    await expect(page.get_by_role("status")).to_contain_text("back")
    assert "code=" not in page.url
    assert "oauth_verifier" not in page.url
    assert set(await way.states()) == {ACTIVE}


@pytest.mark.behaviour("R-4", "R-15")
async def test_who_presses_cancel_reads_so_and_may_try_again(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("main")).to_contain_text("cancel", ignore_case=True)
    assert set(await way.states()) == {LAPSED}
    await way.reconnect(page).or_(page.get_by_role("button", name="Try again")).first.click()
    await way.logs_in(page)
    await way.allows(page)
    await expect(page.get_by_role("status")).to_contain_text("back")


@pytest.mark.behaviour("R-4", "R-15")
@pytest.mark.parametrize("way", ["google_ads", "youtube"], indirect=True)
async def test_where_a_companys_administrators_bar_the_app_the_page_says_who_can_let_it_in(way: Trip) -> None:
    await way.people.set(admin_restricted=True)
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    await way.allows(page)
    await expect(page.get_by_role("main")).to_contain_text("IT can trust our app in Google's Admin console")
    await expect(page.get_by_role("main")).not_to_contain_text("admin_policy_enforced")
    assert set(await way.states()) == {LAPSED}


@pytest.mark.behaviour("R-5", "X-5")
async def test_a_permission_that_was_left_out_is_named_and_nothing_is_called_back(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    boxes = page.get_by_role("group", name="Permissions").get_by_role("checkbox")
    if not await boxes.count():
        return  # all or nothing at this network
    await boxes.last.uncheck()
    await way.allows(page)
    await expect(page.get_by_role("main")).to_contain_text(way.network.spec.permissions[-1].label)
    assert set(await way.states()) == {LAPSED}


@pytest.mark.behaviour("R-6", "R-16")
async def test_the_wrong_profile_is_named_beside_the_one_expected_and_nothing_is_written(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.round_trip(page, "bo")
    reads = page.get_by_role("main")
    await expect(reads).to_contain_text(way.at_network.subject("ana")[1])
    await expect(reads).to_contain_text(way.at_network.subject("bo")[1])
    assert set(await way.states()) == {LAPSED}
    assert (await way.rig.connection(way.first)).authorization_id == way.login


@pytest.mark.behaviour("R-7", "R-16")
async def test_the_wrong_business_brings_nothing_back_and_is_said(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    if not await way.chooses(page, WEST):
        return  # its page asks for no business
    await way.allows(page)
    await expect(page.get_by_role("main")).to_contain_text(EAST.name)
    assert set(await way.states()) == {LAPSED}


@pytest.mark.behaviour("R-7", "X-2")
async def test_an_account_that_moved_is_told_from_where_to_where(way: Trip) -> None:
    if way.network.spec.parent_label is None:
        return  # its accounts hang under nothing that we are told of
    for account in way.accounts:
        await way.people.move_account(account, WEST.id)
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    await way.chooses(page, WEST)
    await way.allows(page)
    reads = page.get_by_role("main")
    await expect(reads).to_contain_text(EAST.name)
    await expect(reads).to_contain_text(WEST.name)
    assert set(await way.states()) == {LAPSED}


@pytest.mark.behaviour("R-8", "X-8")
async def test_what_the_login_does_not_bring_back_is_listed_with_its_reason(way: Trip) -> None:
    if len(way.accounts) < 2:
        return  # its login is bound to one account
    *_, last = way.accounts
    await way.people.lower_role(last, "ana")
    page = await way.opens(await way.visitor(), await way.link())
    await way.round_trip(page)
    await expect(page.get_by_role("status")).to_contain_text("1 of 2")
    await expect(page.get_by_role("main")).to_contain_text(f"Account {last}")
    assert await way.states() == [ACTIVE, LAPSED]


@pytest.mark.behaviour("R-4", "R-19")
async def test_who_comes_back_after_the_time_is_over_reads_so_and_may_go_again(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.to_the_network(page)
    await way.logs_in(page)
    way.pass_time(timedelta(minutes=11))
    await way.allows(page)
    if await page.get_by_role("heading", name="cannot show this request").count():  # its own request has an end as well
        await page.goto(await way.link())
    else:
        await expect(page.get_by_role("main")).to_contain_text("took too long")
    assert set(await way.states()) == {LAPSED}
    await way.reconnect(page).or_(page.get_by_role("button", name="Try again")).first.click()
    await way.logs_in(page)
    await way.allows(page)
    await expect(page.get_by_role("status")).to_contain_text("back")


@pytest.mark.behaviour("R-4", "R-18")
async def test_the_back_button_and_a_reload_end_at_how_it_ended(way: Trip) -> None:
    page = await way.opens(await way.visitor(), await way.link())
    await way.round_trip(page)
    await expect(page.get_by_role("status")).to_contain_text("back")
    ended = page.url
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("back")
    await page.go_back()
    await page.go_forward()
    await expect(page.get_by_role("status")).to_contain_text("back")
    assert page.url.partition("?")[0] == ended.partition("?")[0]
    assert set(await way.states()) == {ACTIVE}


@pytest.mark.behaviour("R-17")
async def test_of_two_tabs_the_later_one_counts_and_the_other_is_told(way: Trip) -> None:
    context = await way.visitor()
    earlier = await way.opens(context, await way.link())
    await way.to_the_network(earlier)
    await way.logs_in(earlier)
    later = await way.opens(context, await way.link())
    await way.reconnect(later).or_(later.get_by_role("button", name="Go on")).first.click()
    await way.logs_in(later)
    await way.allows(earlier)
    await expect(earlier.get_by_role("main")).to_contain_text("another tab")
    await way.allows(later)
    await expect(later.get_by_role("status")).to_contain_text("back")
    assert set(await way.states()) == {ACTIVE}


@pytest.mark.behaviour("R-11", "R-14")
async def test_an_account_of_another_owner_is_not_connected_anew_but_to_be_transferred_first(way: Trip) -> None:
    cleo = await way.rig.add_person("Cleo Cole", Role.OWNER)
    organization_id, accounts = way.rig.organization_id, list(way.accounts.values())
    async with way.rig.storage.transaction() as uow:
        await uow.connections.set_owner(organization_id, accounts, cleo.id)
        elsewhere = await uow.authorizations.get(organization_id, way.login)  # they work, by a login of somebody else's
        await uow.authorizations.replace_grant(
            replace(elsewhere, subject_id="another's"), await uow.authorizations.tokens(organization_id, way.login)
        )
        for one in accounts:
            await uow.lapses.end(organization_id, one, at=way.rig.clock.now(), how=LapseEnd.RECONNECTED, by=cleo.id)
            await uow.connections.set_state(organization_id, one, ACTIVE)
    address = way.rig.base + await way.rig.new_accounts_link("Mei Lin", way.network.spec.slug)
    page = await way.opens(await way.visitor("Mei Lin"), address)
    await page.get_by_role("button", name=f"Log in at {way.name}").click()
    await way.logs_in(page)
    await way.allows(page)
    reads = page.get_by_role("main")
    await expect(reads).to_contain_text("under Cleo Cole")
    await expect(reads).to_contain_text("ask Raj Patel, who can do that")
    assert {(await way.rig.connection(one)).owner_id for one in accounts} == {cleo.id}
