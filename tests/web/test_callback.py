"""The address that networks send browsers back to: everything that can be wrong with an answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.model import Verdict
from tests.web.browser import Browser, Page
from tests.web.rig import Rig


@pytest.fixture
async def path(rig: Rig) -> str:
    return await rig.link(await rig.add_connection("1"))


@pytest.fixture
async def sent(rig: Rig, browser: Browser, path: str) -> Page:
    """The browser is on its way to the network."""
    rig.login("1")
    return await browser.submit(await rig.signed_in(browser, path), path)


def exchanged(rig: Rig) -> bool:
    return "exchange" in rig.network.asked


@pytest.mark.behaviour("R-3")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=c",
        "?state=",
        "?state=unknown&code=c",
        "?state=a&state=b&code=c",
        "?code=c&error=access_denied",
        "?error=<script>alert(1)</script>&error_description=<b>x</b>",
    ],
)
async def test_an_answer_without_a_state_of_ours_is_refused(rig: Rig, browser: Browser, sent: Page, query: str) -> None:
    """Row 52."""
    page = await browser.get(f"/oauth/cb/examplenet{query}")
    assert page.status == 400
    assert "This login cannot be used here" in page.words
    assert "alert(1)" not in page.text
    assert not exchanged(rig)


async def test_a_doubled_code_is_refused_and_the_login_can_still_come_back(
    rig: Rig, browser: Browser, sent: Page
) -> None:
    """Row 52."""
    assert (await browser.get(rig.callback(sent.sent_state) + "&code=evil")).status == 400
    assert not exchanged(rig)
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(sent.sent_state)))).words


async def test_an_endless_answer_is_refused(rig: Rig, browser: Browser, sent: Page) -> None:
    """Row 52."""
    page = await browser.get(rig.callback(sent.sent_state, code="x" * 60_000))
    assert page.status == 400
    assert not exchanged(rig)


@pytest.mark.behaviour("R-3")
async def test_an_answer_in_another_browser_is_refused(rig: Rig, sent: Page) -> None:
    """Row 53: or somebody's own login would be stored for another."""
    async with rig.browser() as other:
        page = await other.get(rig.callback(sent.sent_state))
        assert page.status == 400
        assert "open in browser" in page.words
        assert "Acme" not in page.text
    assert not exchanged(rig)


@pytest.mark.behaviour("R-3")
async def test_an_answer_in_another_browser_of_the_same_person_is_refused(rig: Rig, path: str, sent: Page) -> None:
    """Row 53."""
    async with rig.browser() as other:
        await rig.signed_in(other, path)
        assert (await other.get(rig.callback(sent.sent_state))).status == 400
    assert not exchanged(rig)


async def test_an_answer_on_another_networks_path_is_refused_and_written_down(
    rig: Rig, browser: Browser, sent: Page
) -> None:
    """Rows 52 and 54."""
    page = await browser.get(f"/oauth/cb/elsewhere?state={sent.sent_state}&code=c")
    result = await browser.follow(page)
    assert "The answer did not come from Examplenet" in result.words
    assert not exchanged(rig)
    assert rig.network.revoked == []
    assert "reconnecting failed" in await rig.audited()


@pytest.mark.behaviour("R-3")
@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [("http://127.0.0.1:9", True), ("https://127.0.0.1:9", False), ("https://evil.example", False), ("", False)],
)
async def test_an_issuer_that_is_named_must_be_the_one_that_was_gone_to(
    rig: Rig, browser: Browser, sent: Page, issuer: str, accepted: bool
) -> None:
    """Row 54."""
    result = await browser.follow(await browser.get(rig.callback(sent.sent_state, iss=issuer)))
    assert ("Restored" in result.words) == accepted
    assert exchanged(rig) == accepted


@pytest.mark.behaviour("R-4")
@pytest.mark.parametrize(
    ("error", "words"),
    [("access_denied", "You pressed Cancel at Examplenet"), ("server_error", "Examplenet did not accept the login")],
)
async def test_whoever_declines_gets_a_clear_page_and_can_try_again_at_once(
    rig: Rig, browser: Browser, path: str, sent: Page, *, error: str, words: str
) -> None:
    """Row 55: and nothing that the answer says is shown."""
    evil = "&error_description=%3Cb%3Ecall%20555%3C/b%3E"
    answer = f"/oauth/cb/examplenet?state={sent.sent_state}&error={error}{evil}"
    page = await browser.follow(await browser.get(answer))
    assert words in page.words
    assert "555" not in page.text
    assert not exchanged(rig)
    again = await browser.submit(page, path)
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(again.sent_state)))).words


@pytest.mark.parametrize(
    ("error", "kept"), [("quota_of_logins", "quota_of_logins"), ("%3Cb%3Ecall%20555%3C/b%3E", None)]
)
async def test_an_error_that_is_not_known_is_logged_by_its_code_and_nothing_else_of_it(
    rig: Rig, browser: Browser, sent: Page, caplog: pytest.LogCaptureFixture, *, error: str, kept: str | None
) -> None:
    await browser.get(f"/oauth/cb/examplenet?state={sent.sent_state}&error={error}")
    assert f"did not complete a login: unclear {kept}" in caplog.text
    assert "555" not in caplog.text


@pytest.mark.behaviour("D-3", "R-15")
async def test_an_error_that_names_our_app_as_its_cause_is_called_a_fault_of_ours(
    rig: Rig, browser: Browser, sent: Page
) -> None:
    rig.network.spec = replace(rig.network.spec, refused_by={"org_internal": Verdict.OUR_FAULT})
    answer = f"/oauth/cb/examplenet?state={sent.sent_state}&error=org_internal"
    page = await browser.follow(await browser.get(answer))
    assert "A fault of ours" in page.words


@pytest.mark.behaviour("R-4")
async def test_a_login_that_took_too_long_is_refused_and_can_be_tried_again(
    rig: Rig, browser: Browser, path: str, sent: Page
) -> None:
    rig.clock.advance(timedelta(minutes=11))
    page = await browser.follow(await browser.get(rig.callback(sent.sent_state)))
    assert "This login took too long" in page.words
    assert path in page.actions()
    assert not exchanged(rig)


@pytest.mark.behaviour("R-4")
async def test_whoever_comes_back_twice_reads_how_it_ended(rig: Rig, browser: Browser, sent: Page) -> None:
    """Row 50: and 56, a code that is sent a second time."""
    await browser.get(rig.callback(sent.sent_state))
    page = await browser.follow(await browser.get(rig.callback(sent.sent_state)))
    assert "This login was used already" in page.words
    assert "Restored" in page.words
    assert rig.network.asked.count("exchange") == 1


async def test_who_signed_out_meanwhile_is_not_reconnected(rig: Rig, browser: Browser, sent: Page) -> None:
    await browser.post("/sign-out", {})
    assert (await browser.get(rig.callback(sent.sent_state))).status == 403
    assert not exchanged(rig)


@pytest.mark.behaviour("R-3")
async def test_who_signed_in_as_somebody_else_meanwhile_reconnects_for_neither(
    rig: Rig, browser: Browser, path: str, sent: Page
) -> None:
    """The same browser has the login's cookie still, but is another person's now."""
    await browser.get("/")
    await browser.post("/sign-out", {})
    await rig.signed_in(browser, path, "Mei Lin")
    page = await browser.get(rig.callback(sent.sent_state))
    assert page.status == 403
    assert "by whoever is signed in here now" in page.words
    assert not exchanged(rig)


async def test_the_code_is_gone_from_the_address_at_once(rig: Rig, browser: Browser, sent: Page) -> None:
    page = await browser.get(rig.callback(sent.sent_state))
    assert page.status == 303
    assert page.location.startswith("/a/")
    assert "code" not in page.location
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_how_an_attempt_ended_is_for_its_own_session_only(rig: Rig, browser: Browser, path: str) -> None:
    rig.login("1")
    await rig.signed_in(browser, path)
    sent = await browser.submit(await browser.get(path), path)
    result = (await browser.get(rig.callback(sent.sent_state))).location
    async with rig.browser() as nobody, rig.browser() as same, rig.browser() as other:
        assert (await nobody.get(result)).status == 404
        await rig.signed_in(same, path)
        assert (await same.get(result)).status == 404
        await rig.signed_in(other, path, "Mei Lin")
        assert (await other.get(result)).status == 404
    assert (await browser.get(result)).status == 200


async def test_an_unexpected_failure_is_a_page_with_a_reference_and_one_line_of_log(
    rig: Rig, browser: Browser, sent: Page, caplog: pytest.LogCaptureFixture
) -> None:
    rig.network.discovery = None  # the fake fails in a way that no network may
    page = await browser.get(rig.callback(sent.sent_state))
    assert page.status == 500
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    reference = record.getMessage().rsplit(" ", 1)[-1]
    assert reference in page.words
    assert "Traceback" not in page.text
    assert sent.sent_state not in caplog.text
    assert "c0de" not in caplog.text


async def test_an_answer_sent_as_a_form_is_refused_with_a_page(rig: Rig, browser: Browser, sent: Page) -> None:
    """Row 61: our cookies would not come along with a form from elsewhere, so no network is asked for one."""
    page = await browser.post(
        "/oauth/cb/examplenet", {"state": sent.sent_state, "code": "c"}, **{"Sec-Fetch-Site": "cross-site"}
    )
    assert page.status == 405
    assert "That did not work" in page.words
    assert not exchanged(rig)
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(sent.sent_state)))).words


async def test_an_answer_in_a_browser_that_kept_no_cookie_says_what_to_check(rig: Rig, sent: Page) -> None:
    """Row 61: a browser inside an app, or one that keeps no cookies."""
    async with rig.browser() as inside_an_app:
        page = await inside_an_app.get(rig.callback(sent.sent_state))
    assert page.status == 400
    for words in ("What to check", "open in browser", "keep cookies of this address", "Try again", "administrator"):
        assert words in page.words
