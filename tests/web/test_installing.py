"""Letting the bot into a workspace from a page."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from commands.errors import SignInError
from commands.ports.chat import Installed
from tests.web.browser import Browser, Page
from tests.web.rig import TEAM, Rig, opened_rig

PATH = "/install/chatter"


@dataclass
class FakeInstall:
    """A platform's consent page, agreed to."""

    tenant: str = "T-new"
    name: str = "Brio & <b>Söhne</b>"
    completed: int = 0

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        return f"http://127.0.0.1:9/consent?state={state}&redirect_uri={redirect_uri}"

    async def complete(self, *, code: str, redirect_uri: str) -> Installed:
        if code != "good":
            raise SignInError("invalid_code")
        self.completed += 1
        return Installed(platform="chatter", tenant=self.tenant, name=self.name)


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        opened.platform.install = FakeInstall()
        yield opened


def install(rig: Rig) -> FakeInstall:
    assert isinstance(rig.platform.install, FakeInstall)
    return rig.platform.install


async def begun(browser: Browser) -> str:
    """Press the button; give the state that the browser was sent on with."""
    sent = await browser.submit(await browser.get(PATH), PATH)
    assert sent.status == 303
    assert "redirect_uri" in sent.location
    return sent.sent_state


async def back(browser: Browser, state: str, answer: str = "code=good") -> Page:
    return await browser.get(f"/install/cb/chatter?state={state}&{answer}")


@pytest.mark.behaviour("A-2")
async def test_a_workspace_is_added_by_consent_and_the_page_says_what_comes_next(rig: Rig, browser: Browser) -> None:
    page = await browser.get(PATH)
    assert "Add lapsebot to a workspace" in page.words
    answer = await back(browser, await begun(browser))
    assert answer.location == "/install/chatter/done"
    done = await browser.follow(answer)
    assert "Added to Brio & <b>Söhne</b>" in done.words
    assert "/lapse-admin claim CODE" in done.words
    assert install(rig).completed == 1


@pytest.mark.behaviour("A-2")
async def test_a_workspace_that_belongs_to_somebody_already_goes_on_working(rig: Rig, browser: Browser) -> None:
    install(rig).tenant = TEAM
    done = await browser.follow(await back(browser, await begun(browser)))
    assert "set up already" in done.words
    assert "claim" not in done.words
    assert "Acme Group" not in done.text


@pytest.mark.behaviour("A-2")
async def test_a_consent_counts_once_in_its_own_browser_and_for_minutes(rig: Rig, browser: Browser) -> None:
    used, late = await begun(browser), await begun(browser)
    async with rig.browser() as other:
        assert (await back(other, used)).status == 400
    answers = await asyncio.gather(*(back(browser, used) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 5
    rig.clock.advance(timedelta(minutes=11))
    over = await back(browser, late)
    assert over.status == 400
    assert PATH in over.text
    assert install(rig).completed == 1


@pytest.mark.behaviour("A-2", "R-15")
@pytest.mark.parametrize(
    ("answer", "words"),
    [("error=access_denied&error_description=evil", "cancelled at Chatter"), ("code=bad", "did not complete it")],
)
async def test_a_consent_that_does_not_go_through_can_be_tried_again(
    rig: Rig, browser: Browser, answer: str, words: str
) -> None:
    page = await back(browser, await begun(browser), answer)
    assert words in page.words
    assert "evil" not in page.text
    assert f'href="{PATH}"' in page.text


@pytest.mark.parametrize("query", ["", "state=", "state=unknown&code=good", "state=a&state=b&code=good"])
async def test_an_answer_without_a_state_of_ours_is_refused(rig: Rig, browser: Browser, query: str) -> None:
    assert (await browser.get(f"/install/cb/chatter?{query}")).status == 400
    assert install(rig).completed == 0


@pytest.mark.behaviour("A-2")
async def test_a_sign_ins_state_installs_nothing_and_an_installations_signs_nobody_in(
    rig: Rig, browser: Browser
) -> None:
    rig.sign_in_as("U-ana")
    sent = await browser.submit(await browser.get(rig.sign_in_path()), "/sign-in/chatter")
    assert (await back(browser, sent.sent_state)).status == 400
    state = await begun(browser)
    assert (await browser.get(f"/sign-in/cb/chatter?state={state}&code=good")).status == 400
    assert install(rig).completed == 0


@pytest.mark.behaviour("A-2")
async def test_a_platform_that_is_added_in_other_ways_says_so(rig: Rig, browser: Browser) -> None:
    rig.platform.install = None
    page = await browser.get(PATH)
    assert page.status == 404
    assert "cannot be added to Chatter from here" in page.words
    assert (await browser.get("/install/unknown")).status == 404
    assert (await browser.get("/install/chatter/done")).status == 404
    assert (await browser.get("/install/cb/chatter?state=x&code=y")).status == 404


async def test_another_site_cannot_begin_it(rig: Rig, browser: Browser) -> None:
    fields = (await browser.get(PATH)).form(PATH)
    assert (await browser.post(PATH, fields, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await browser.post(PATH, {**fields, "token": "0"})).status == 403
