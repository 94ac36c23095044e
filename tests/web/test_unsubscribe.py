"""Ending an opt-in from an email: by one press on its page, or by the mail program itself (RFC 8058)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commands.ids import SubscriptionId, new_id
from commands.model import Subscription
from commands.passes import opt_in_data
from commands.ports.reconnecting import PassPurpose
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        yield opened


async def subscribe(rig: Rig, network: str | None = None) -> Subscription:
    opt_in = Subscription(
        id=SubscriptionId(new_id(rig.clock.now())),
        organization_id=rig.organization_id,
        person_id=rig.people["Mei Lin"].id,
        channel=None,
        network=network,
        client_id=rig.client_id if network else None,
        created_at=rig.clock.now(),
    )
    async with rig.storage.transaction() as uow:
        await uow.subscriptions.add(opt_in)
    return opt_in


async def opt_ins(rig: Rig) -> list[str | None]:
    async with rig.storage.reading() as uow:
        found = await uow.subscriptions.of(rig.organization_id, person_id=rig.people["Mei Lin"].id, channel=None)
    return [each.network for each in found]


@pytest.mark.behaviour("N-14")
async def test_one_post_from_anywhere_ends_the_opt_in_without_cookie_or_redirect(rig: Rig, browser: Browser) -> None:
    one = await subscribe(rig, "examplenet")
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin", data=opt_in_data([one.id]))
    page = await browser.post(path, ONE_CLICK, **{"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"})
    assert page.status == 200
    assert "Set-Cookie" not in page.headers
    assert "You are unsubscribed" in page.words
    assert await opt_ins(rig) == [None]
    (entry,) = await rig.entries("unsubscribed")
    assert (entry.actor_id, entry.detail["ended"]) == (rig.people["Mei Lin"].id, "1")


@pytest.mark.behaviour("N-14")
async def test_a_link_for_all_opt_ins_ends_them_all(rig: Rig, browser: Browser) -> None:
    await subscribe(rig, "examplenet")
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin", data={})
    assert (await browser.post(path, ONE_CLICK)).status == 200
    assert await opt_ins(rig) == []


@pytest.mark.behaviour("N-14")
async def test_opening_the_address_ends_nothing_and_shows_one_button(rig: Rig, browser: Browser) -> None:
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin")
    page = await browser.get(path)
    for _ in range(10):
        assert (await browser.get(path)).status == 200
        assert "Set-Cookie" not in page.headers
        async with browser.session.head(browser.base + path) as response:
            assert response.status == 200
    assert page.actions() == [path]
    for hidden in ("Mei", "Acme"):
        assert hidden not in page.text
    assert await opt_ins(rig) == [None]
    done = await browser.submit(page, path)
    assert "You are unsubscribed" in done.words
    assert await opt_ins(rig) == []


@pytest.mark.behaviour("N-14")
async def test_twice_is_fine_and_is_written_once(rig: Rig, browser: Browser) -> None:
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin")
    for _ in range(3):
        assert "You are unsubscribed" in (await browser.post(path, ONE_CLICK)).words
    assert len(await rig.entries("unsubscribed")) == 1


@pytest.mark.parametrize("fields", [{}, {"List-Unsubscribe": "Maybe"}, {"x": "One-Click"}])
async def test_a_post_that_does_not_say_so_ends_nothing(rig: Rig, browser: Browser, fields: dict[str, str]) -> None:
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin")
    page = await browser.post(path, fields)
    assert page.status == 400
    assert path in page.actions()
    assert await opt_ins(rig) == [None]


@pytest.mark.behaviour("R-15")
async def test_an_address_that_is_over_or_of_another_kind_says_how_to_stop_the_messages(
    rig: Rig, browser: Browser
) -> None:
    await subscribe(rig)
    path = await rig.bearer_link(PassPurpose.UNSUBSCRIBE, "Mei Lin")
    foreign = "/unsubscribe/" + (await rig.bearer_link(PassPurpose.ACCOUNTS, "Mei Lin")).rpartition("/")[2]
    rig.clock.advance(timedelta(days=91))
    for address in (path, foreign, "/unsubscribe/" + "0" * 22):
        for page in (await browser.get(address), await browser.post(address, ONE_CLICK)):
            assert page.status == 404
            assert "/unsubscribe-lapses" in page.words
    assert await opt_ins(rig) == [None]
