"""The whole loop in a browser, on both platforms: break, notice, reconnect, green. Each test breaks an account of its
own.
"""

import pytest
from playwright.async_api import expect

from tests.e2e.visit import Visit, opened


@pytest.mark.behaviour("D-1", "N-1", "N-2", "N-9", "N-10", "R-1", "R-3", "R-12", "P-6")
@pytest.mark.parametrize(
    ("platform", "account", "kind", "network", "cause"),
    [
        ("slack", "Acme B2B", "revoked", "LinkedIn", "removed"),
        ("discord", "Acme US Ads", "password", "Facebook", "password"),
    ],
)
async def test_a_broken_connection_is_told_reconnected_and_turns_green_where_it_was_told(
    visit: Visit, *, platform: str, account: str, kind: str, network: str, cause: str
) -> None:
    await visit.go(platform, "channel")
    await visit.breaks(account, kind)
    notice = visit.messages(platform, "Lapsed", account)
    await expect(notice).to_have_count(1)
    await expect(notice).to_contain_text(cause)
    await expect(visit.state(account)).to_contain_text("lapsed")

    tab = await visit.reconnect_page(platform, notice.get_by_role("link", name="Reconnect"))
    await opened(tab, account)
    await expect(tab.locator("main")).to_contain_text(cause)
    await tab.get_by_role("button", name=f"Reconnect at {network}").click()
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="Restored")).to_be_visible()

    restored = visit.messages(platform, "Restored", account)
    await expect(restored).to_have_count(1)
    await expect(restored.get_by_role("link", name="Reconnect")).to_have_count(0)
    await expect(visit.messages(platform, "Lapsed", account)).to_have_count(0)
    await expect(visit.state(account)).to_have_text("works")
    for each in ("slack", "discord"):
        await visit.go(each, "channel")
        told = visit.messages(each, "Restored", account)
        await expect(told).to_have_count(1)
        await expect(told.get_by_role("button", name="Reconnect")).to_have_count(0)


@pytest.mark.behaviour("R-5")
@pytest.mark.parametrize(
    ("platform", "account", "network", "permission", "again"),
    [
        ("slack", "Acme EU Ads", "Facebook", "Read the results of your ads", "Fix just this"),
        ("discord", "Acme DE", "TikTok", "Reporting", "Try again"),
    ],
)
async def test_a_permission_that_is_left_out_is_named_and_nothing_counts_as_restored(
    visit: Visit, *, platform: str, account: str, network: str, permission: str, again: str
) -> None:
    await visit.breaks(account, "permission")
    notice = visit.messages(platform, "Lapsed", account).first
    tab = await visit.reconnect_page(platform, notice.get_by_role("link", name="Reconnect").first)
    await tab.get_by_role("button", name=f"Reconnect at {network}").click()
    await tab.get_by_label(permission).uncheck()
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="A permission is missing")).to_contain_text(permission)
    await expect(visit.state(account)).to_contain_text("lapsed")

    await tab.get_by_role("button", name=again).click()
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="Restored")).to_be_visible()
    await expect(visit.state(account)).to_have_text("works")


@pytest.mark.behaviour("R-6", "R-16")
async def test_a_login_that_does_not_reach_the_account_is_refused_by_name_and_nothing_is_written(visit: Visit) -> None:
    await visit.breaks("Brio Shop", "revoked")
    notice = visit.messages("slack", "Lapsed", "Brio Shop")
    tab = await visit.reconnect_page("slack", notice.get_by_role("link", name="Reconnect"))
    await tab.get_by_role("button", name="Reconnect at TikTok").click()
    await tab.get_by_role("button", name="Not you?").click()
    await tab.get_by_label("Dan Okafor").check()
    await tab.get_by_role("button", name="Log in").click()
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="Wrong login: nothing was changed")).to_be_visible()
    page = tab.locator("main")
    await expect(page).to_contain_text("You logged in at TikTok as Dan Okafor")
    await expect(page.get_by_role("row", name="Login")).to_contain_text("as last time")
    await expect(page).to_contain_text("Cleo Marsh")
    await expect(visit.state("Brio Shop")).to_contain_text("lapsed")
    await expect(visit.messages("slack", "Lapsed", "Brio Shop")).to_have_count(1)


@pytest.mark.behaviour("R-4", "R-15")
async def test_who_cancels_at_the_network_gets_a_clear_page_and_can_try_again(visit: Visit) -> None:
    await visit.breaks("Cato Pro", "expired")
    notice = visit.messages("discord", "Lapsed", "Cato Pro")
    tab = await visit.reconnect_page("discord", notice.get_by_role("link", name="Reconnect"))
    await tab.get_by_role("button", name="Reconnect at LinkedIn").click()
    await tab.get_by_role("button", name="Cancel").click()
    await expect(tab.get_by_role("heading", name="You pressed Cancel at LinkedIn")).to_be_visible()
    await expect(tab.locator("main")).to_contain_text("Who can help")
    await tab.get_by_role("button", name="Try again").click()
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab.get_by_role("heading", name="Restored")).to_be_visible()
    await expect(visit.messages("discord", "Restored", "Cato Pro")).to_have_count(1)


@pytest.mark.behaviour("D-6")
async def test_what_is_repaired_at_the_network_turns_green_by_itself(visit: Visit) -> None:
    await visit.breaks("Brio Careers", "deleted")
    await expect(visit.messages("slack", "Lapsed", "Brio Careers")).to_have_count(1)
    await visit.repairs("Brio Careers")
    await expect(visit.messages("slack", "Restored", "Brio Careers")).to_have_count(1)
    await expect(visit.state("Brio Careers")).to_have_text("works")


@pytest.mark.behaviour("R-9")
async def test_an_account_with_a_key_is_mended_by_a_new_one(visit: Visit) -> None:
    await visit.breaks("Brio Mail", "key_deleted")
    notice = visit.messages("slack", "Lapsed", "Brio Mail")
    keys = await visit.follows(visit.page.locator("[data-network=letterly]").get_by_role("link", name="Open it"))
    await keys.get_by_label("Account").select_option(label="Brio Mail (L-1002)")
    await keys.get_by_role("button", name="New key").click()
    key = await keys.get_by_role("row").last.locator("code").inner_text()
    tab = await visit.reconnect_page("slack", notice.get_by_role("link", name="Enter key"))
    await tab.get_by_label("API key").fill(key)
    await tab.get_by_role("button", name="Check and save").click()
    await expect(tab.get_by_role("heading", name="Restored")).to_be_visible()
    await expect(tab.locator("body")).not_to_contain_text(key)
    await expect(visit.messages("slack", "Restored", "Brio Mail")).to_have_count(1)


@pytest.mark.behaviour("D-7", "R-12")
async def test_what_the_host_product_keeps_is_mended_on_its_own_page(visit: Visit) -> None:
    await visit.breaks("Cato Shop", "app_removed")
    notice = visit.messages("discord", "Lapsed", "Cato Shop")
    await expect(notice).to_contain_text("The shop's owner took our app out of the shop")
    tab = await visit.reconnect_page("discord", notice.get_by_role("link", name="Reconnect"))
    await tab.locator("button.primary").click()
    await tab.get_by_role("button", name="Put the app back into the shop").click()
    await expect(tab.get_by_text("This connection works.")).to_be_visible()
    await expect(visit.messages("discord", "Restored", "Cato Shop")).to_have_count(1)
    await expect(visit.state("Cato Shop")).to_have_text("works")


@pytest.mark.behaviour("D-4", "X-3")
async def test_a_network_that_is_down_makes_no_lapse_and_one_calm_line(visit: Visit) -> None:
    await visit.be("slack", "Mei")
    network = visit.page.locator("[data-network=meta]")
    await network.get_by_role("button", name="Take network down").click()
    await expect(network.locator(".held")).to_be_visible()  # by then each of its logins was looked at
    await expect(network.locator(".connection:not([data-state=active])")).to_have_count(0)
    await visit.go("slack", "channel")
    await expect(visit.messages("slack", "Held: Facebook")).to_have_count(1)
    await visit.types("slack", "/lapsed")
    listed = visit.private("slack", "Needs connecting")
    await expect(listed).to_contain_text("Held: Facebook has been failing since")
    await network.get_by_role("button", name="Bring network back").click()
    await expect(network.locator(".held")).to_be_hidden()
    await expect(network.locator(".connection[data-state=active]")).to_have_count(5)
    await expect(visit.messages("slack", "Over: Facebook works again").first).to_be_visible()
    await expect(visit.messages("slack", "Held: Facebook is failing for")).to_have_count(0)
