"""What can be seen, filled in and waited for: forms, the list with its tabs, pictures, notes, reminders."""

import asyncio

import pytest
from playwright.async_api import Locator, Request, Route, expect

from tests.e2e.visit import Visit


def form_of(visit: Visit) -> Locator:
    """The form on the screen."""
    return visit.page.locator("dialog[open] form")


@pytest.mark.behaviour("C-5", "C-9")
@pytest.mark.parametrize(
    ("platform", "who", "send"), [("slack", "Lena", "Subscribe"), ("discord", "Noor", "Submit")]
)  # every form's button at Discord is called Submit
async def test_a_bare_subscribe_opens_a_form_which_subscribes(visit: Visit, platform: str, who: str, send: str) -> None:
    await visit.be(platform, who)
    await visit.types(platform, "/subscribe-lapses")
    form = form_of(visit)
    await expect(form).to_contain_text("Hear of lapses")
    await form.get_by_label("Network").select_option(label="TikTok")
    await form.get_by_role("button", name=send).click()
    await expect(visit.private(platform, "From now on you hear of TikTok lapses")).to_have_count(1)
    await expect(form).to_have_count(0)


@pytest.mark.behaviour("C-11", "N-7", "C-12")
async def test_slack_s_home_shows_what_needs_connecting_first_and_the_active_accounts_on_a_press(visit: Visit) -> None:
    await visit.be("slack", "Mei")
    await visit.go("slack", "home")
    home = visit.pane("slack").locator(".s-home")
    await expect(home).to_contain_text("Needs connecting")
    await expect(home).to_contain_text("Acme Talent")
    await home.get_by_role("button", name="Active").click()
    await expect(home).to_contain_text("Acme B2B")
    await expect(home).not_to_contain_text("Acme Talent")


@pytest.mark.behaviour("P-6", "C-11")
@pytest.mark.parametrize(("platform", "who"), [("slack", "Tom"), ("discord", "Zoe")])
async def test_a_stranger_is_asked_to_sign_in_and_sees_no_name_whatever_they_type(
    visit: Visit, platform: str, who: str
) -> None:
    await visit.be(platform, who)
    for words in ("/lapsed", "/reconnect", "/subscribe-lapses"):
        before = await visit.private(platform, "I don't know who you are yet").count()
        await visit.types(platform, words)
        await expect(visit.private(platform, "I don't know who you are yet")).to_have_count(before + 1)
    await expect(visit.private(platform, "Acme")).to_have_count(0)


@pytest.mark.behaviour("N-8")
@pytest.mark.parametrize(
    ("platform", "who", "seen", "hidden"), [("slack", "Lena", "Brio", "Cato"), ("discord", "Noor", "Acme", "Cato")]
)
async def test_limited_staff_see_their_clients_alone(
    visit: Visit, platform: str, who: str, seen: str, hidden: str
) -> None:
    await visit.be(platform, who)
    await visit.types(platform, "/lapsed all" if platform == "slack" else "/lapsed state:all")
    answer = visit.private(platform, seen)
    await expect(answer).to_have_count(1)
    await expect(answer).not_to_contain_text(hidden)


@pytest.mark.behaviour("C-4")
@pytest.mark.parametrize(
    ("platform", "who", "account", "words"),
    [("slack", "Mei", "Brio Careers", "/lapsed stats"), ("discord", "Raj", "Acme DE", "/lapsed show:stats")],
)
async def test_stats_show_a_picture_with_its_figures_as_text_beside_it(
    visit: Visit, platform: str, who: str, account: str, words: str
) -> None:
    await visit.breaks(account, "revoked")
    await expect(visit.state(account)).to_contain_text("lapsed")
    await visit.be(platform, who)
    await visit.types(platform, words)
    answer = visit.private(platform, "in the last 12 weeks")
    await expect(answer).to_have_count(1)
    picture = answer.locator("img[alt]:not([alt=''])").last
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("complete", value=True)
    assert await picture.evaluate("image => image.naturalWidth") > 300


@pytest.mark.behaviour("N-10", "N-11")
@pytest.mark.parametrize(
    ("platform", "account", "who"), [("slack", "Brio Shop", "Mei"), ("discord", "Acme US Ads", "Raj")]
)
async def test_a_claim_pressed_in_a_channel_is_told_under_the_message_there(
    visit: Visit, platform: str, account: str, who: str
) -> None:
    await visit.breaks(account, "expired")
    await visit.be(platform, who)
    await visit.go(platform, "channel")
    notice = visit.messages(platform, "Lapsed", account)
    await notice.get_by_role("button", name="I'm on it").click()
    await expect(notice).to_contain_text("is on it until")
    replies = (
        visit.messages(platform, "is on it", account).filter(has_not_text="Missing since").filter(has_not_text="nly")
    )
    await expect(replies).to_have_count(1)


@pytest.mark.behaviour("N-6")
@pytest.mark.parametrize(
    ("platform", "account", "connector"), [("slack", "Acme B2B", "Ana"), ("discord", "Cato Pro", "Bo")]
)
async def test_two_days_later_the_connector_is_reminded_once(
    visit: Visit, platform: str, account: str, connector: str
) -> None:
    await visit.breaks(account, "expired")
    await expect(visit.messages(platform, "Lapsed", account)).to_have_count(1)
    await visit.page.get_by_role("button", name="2 days later").click()
    await expect(visit.messages(platform, "Still lapsed", account)).to_have_count(1)
    await visit.be(platform, connector)
    await visit.go(platform, "channel")
    await expect(visit.messages(platform, "Still lapsed", account)).to_have_count(0)


async def test_whoever_is_chosen_last_is_at_the_browser_though_the_change_before_takes_longer(visit: Visit) -> None:
    """The playground's own: a break brings its connector to the front while somebody presses another name."""
    held, signed_out = asyncio.Event(), asyncio.Queue[Request]()

    async def slowly(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await visit.page.route("**/playground/api/person", slowly, times=1)
    visit.page.on("requestfinished", lambda one: signed_out.put_nowait(one) if "/sign-out" in one.url else None)
    people = visit.pane("slack").get_by_role("group", name="Be somebody")
    await people.get_by_text("Mei").click()
    await people.get_by_text("Lena").click()
    await visit.page.evaluate("() => fetch('/healthz')")  # what the second press asked for has gone out by now
    held.set()
    for _ in range(2):
        await signed_out.get()
    await visit.page.evaluate("() => fetch('/healthz')")
    await expect(visit.page.locator("#browser b")).to_contain_text("Lena")
