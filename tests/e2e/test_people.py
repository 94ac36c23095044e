"""Who sees what: private answers, channels, and links that were passed on."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.visit import PRIVATE, Visit, signs_in


@pytest.mark.behaviour("C-1", "C-5")
@pytest.mark.parametrize(
    ("platform", "asker", "other", "subscribe"),
    [
        ("slack", "Mei", "Ana", "/subscribe-lapses tiktok"),
        ("discord", "Raj", "Bo", "/subscribe-lapses network:tiktok"),
    ],
)
async def test_a_typed_command_is_answered_to_whoever_typed_it_alone(
    visit: Visit, platform: str, asker: str, other: str, subscribe: str
) -> None:
    await visit.be(platform, asker)
    await visit.types(platform, "/lapsed")
    listed = visit.private(platform, "Needs connecting: 1")
    await expect(listed).to_have_count(1)
    await expect(listed).to_contain_text("Acme Talent")
    await visit.types(platform, subscribe)
    await expect(visit.private(platform, "From now on you hear of TikTok lapses")).to_have_count(1)
    await visit.types(platform, subscribe)
    await expect(visit.private(platform, "already; nothing changed")).to_have_count(1)
    await visit.be(platform, other)
    await expect(visit.messages(platform, PRIVATE[platform])).to_have_count(0)


@pytest.mark.behaviour("N-9", "P-5")
@pytest.mark.parametrize(
    ("platform", "account", "kind", "presser", "other"),
    [
        ("slack", "Acme B2B", "revoked", "Mei", "Cleo"),
        ("discord", "Acme US Ads", "expired", "Raj", "Zoe"),
    ],
)
async def test_a_channels_reconnect_answers_whoever_pressed_it_privately(
    visit: Visit, *, platform: str, account: str, kind: str, presser: str, other: str
) -> None:
    await visit.breaks(account, kind)
    await visit.be(platform, presser)
    await visit.go(platform, "channel")
    notice = visit.messages(platform, "Lapsed", account)
    await expect(notice).to_have_count(1)
    await expect(notice.get_by_role("link")).to_have_count(0)
    await notice.get_by_role("button", name="Reconnect").click()
    answer = visit.private(platform, account)
    await expect(answer).to_have_count(1)
    await expect(answer.get_by_role("link", name="Reconnect")).to_have_attribute("href", re.compile(r"/r/\w{22}$"))

    await visit.be(platform, other)
    await expect(visit.messages(platform, "Lapsed", account)).to_have_count(1)
    await visit.messages(platform, "Lapsed", account).get_by_role("button", name="Reconnect").click()
    await expect(visit.messages(platform, PRIVATE[platform])).to_have_count(1)
    await expect(visit.pane(platform).locator('.messages a[href*="/r/"]')).to_have_count(0)


@pytest.mark.behaviour("P-5", "R-1")
@pytest.mark.parametrize(
    ("platform", "account", "kind", "owner", "other"),
    [
        ("slack", "Brio Careers", "revoked", "Cleo", "Ana"),
        ("discord", "Cato Pro", "revoked", "Bo", "Dan"),
    ],
)
async def test_a_forwarded_link_is_refused_and_whoever_it_belongs_to_is_told(
    visit: Visit, *, platform: str, account: str, kind: str, owner: str, other: str
) -> None:
    await visit.breaks(account, kind)
    notice = visit.messages(platform, "Lapsed", account)
    link = await notice.get_by_role("link", name="Reconnect").get_attribute("href")
    assert link is not None

    await visit.be(platform, other)
    tab = await visit.page.context.new_page()
    await tab.goto(link)
    await expect(tab.locator("main")).not_to_contain_text(account)
    await signs_in(tab, platform)
    await expect(tab.get_by_role("heading", name="This link is for somebody else")).to_be_visible()
    await expect(tab.locator("main")).not_to_contain_text(account)

    await visit.be(platform, owner)
    await visit.go(platform, "dm")
    await expect(visit.messages(platform, other, "link")).to_have_count(1)
    await expect(visit.state(account)).to_contain_text("lapsed")


async def test_the_playgrounds_own_calls_take_json_alone_and_its_page_has_one_name(visit: Visit) -> None:
    page = visit.page
    refused = await page.request.post(f"{page.url}api/person", form={"person": "mei"})
    assert refused.status == 415
    await page.goto(page.url.replace("127.0.0.1", "localhost"))
    await expect(page).to_have_url(re.compile(r"^http://127\.0\.0\.1:"))
