"""Signing in with a chat platform, and linking an account to the person it belongs to."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import ClientSession, CookieJar

from commands.ids import OrganizationId, WorkspaceId, new_id, to_wire
from commands.model import Organization, Person, Role, Workspace
from commands.ports.storage import Standing
from tests.web.browser import Browser, Page
from tests.web.rig import TEAM, Rig


async def standing(rig: Rig, user: str) -> Standing:
    return await rig.storage.directory.standing(platform=rig.platform.name, workspace=None, tenant=TEAM, user=user)


@pytest.fixture
async def newcomer(rig: Rig) -> Person:
    """Known by email, with no chat account yet."""
    return await rig.add_person("Nia New", Role.STAFF, linked=False)


async def arrive(rig: Rig, browser: Browser, **who: str | None) -> Page:
    """Sign in on the workspace's page."""
    given = {"name": "nia.n", "email": "nia@acme.example", **who}
    rig.sign_in_as(
        given.get("user") or "U-new",
        name=given["name"] or "",
        tenant=given.get("tenant") or TEAM,
        email=given["email"],
    )
    return await browser.follow(await rig.come_back(browser, await browser.get(rig.sign_in_path())))


@pytest.mark.behaviour("P-6")
async def test_a_new_account_is_linked_after_a_page_that_shows_both_identities(
    rig: Rig, browser: Browser, newcomer: Person
) -> None:
    page = await arrive(rig, browser)
    for words in ("Is this you?", "Chatter account nia.n nia@acme.example", "Person here Nia New nia@acme.example"):
        assert words in page.words
    assert (await standing(rig, "U-new")).members == ()
    done = await browser.follow(await browser.submit(page, "/link"))
    assert "You are known here as Nia New" in done.words
    assert [member.person.id for member in (await standing(rig, "U-new")).members] == [newcomer.id]
    assert "chat account linked" in await rig.audited()


@pytest.mark.behaviour("P-6")
async def test_opening_the_page_again_links_nothing(rig: Rig, browser: Browser, newcomer: Person) -> None:
    await arrive(rig, browser)
    for _ in range(3):
        assert "Is this you?" in (await browser.get(rig.sign_in_path())).words
    assert (await standing(rig, "U-new")).members == ()


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize(
    "who",
    [
        pytest.param({"email": None}, id="an address that the platform has not verified"),
        pytest.param({"email": "somebody@elsewhere.example"}, id="an address that nobody here has"),
        pytest.param({"tenant": "T-foreign"}, id="an account of a workspace that is not the organization's"),
    ],
)
async def test_an_account_that_cannot_be_told_learns_how_to_be_linked_and_nothing_else(
    rig: Rig, browser: Browser, newcomer: Person, who: dict[str, str | None]
) -> None:
    rig.sign_in_as("U-new")
    path = await rig.link(await rig.add_connection("1"))
    rig.sign_in_as("U-new", name="x", tenant=who.get("tenant") or TEAM, email=who.get("email", "nia@acme.example"))
    page = await browser.follow(await rig.come_back(browser, await browser.get(path)))
    assert page.status == 403
    assert "not known here yet" in page.words
    assert "Nia" not in page.text
    assert ("Raj Patel" in page.words) == ("tenant" not in who)
    assert "/link" not in page.actions()


@pytest.mark.behaviour("P-6")
async def test_a_forged_confirmation_links_nothing(rig: Rig, browser: Browser, newcomer: Person) -> None:
    page = await arrive(rig, browser)
    fields = page.form("/link")
    cross_site = await browser.post("/link", fields, **{"Sec-Fetch-Site": "cross-site"})
    without_token = await browser.post("/link", {**fields, "token": ""})
    foreign_origin = await browser.session.post(
        browser.base + "/link", data=fields, headers={"Origin": "https://evil.example"}, allow_redirects=False
    )
    assert {cross_site.status, without_token.status, foreign_origin.status} == {403}
    assert (await standing(rig, "U-new")).members == ()


@pytest.mark.behaviour("P-6", "A-1")
async def test_an_account_of_one_organization_is_not_linked_in_another(rig: Rig, browser: Browser) -> None:
    other = Organization(id=OrganizationId(new_id(rig.clock.now())), name="Brio")
    workspace = Workspace(
        id=WorkspaceId(new_id(rig.clock.now())),
        organization_id=other.id,
        platform=rig.platform.name,
        external_id="T2",
        name="Brio's team",
    )
    async with rig.storage.transaction() as uow:
        await uow.organizations.add(other)
        await uow.organizations.add_workspace(workspace)
    page = await arrive(rig, browser, user="U-raj", email="raj@acme.example")
    assert "You are known here as Raj Patel" in page.words
    page = await browser.get(f"/sign-in/{to_wire(workspace.id)}")
    assert "Sign in to go on" in page.words
    assert "which is another account" in page.words


@pytest.mark.parametrize("code", ["bad", ""])
async def test_a_sign_in_that_proves_nothing_opens_no_session(rig: Rig, browser: Browser, code: str) -> None:
    rig.sign_in_as("U-ana")
    sent = await browser.submit(await browser.get(rig.sign_in_path()), "/sign-in/chatter")
    page = await browser.get(f"/sign-in/cb/chatter?state={sent.sent_state}&code={code}")
    assert "You are not signed in" in page.words
    assert "Sign in with Chatter" in (await browser.get(rig.sign_in_path())).words


@pytest.mark.parametrize("query", ["", "state=", "state=unknown&code=good", "state=a&state=b&code=good", "code=good"])
async def test_a_sign_in_answer_without_a_state_of_ours_is_refused(rig: Rig, browser: Browser, query: str) -> None:
    assert (await browser.get(f"/sign-in/cb/chatter?{query}")).status == 400
    assert (await browser.get(f"/sign-in/cb/unknown?{query}")).status == 400


async def test_a_declined_sign_in_can_be_tried_again(rig: Rig, browser: Browser) -> None:
    sent = await browser.submit(await browser.get(rig.sign_in_path()), "/sign-in/chatter")
    page = await browser.get(f"/sign-in/cb/chatter?state={sent.sent_state}&error=access_denied&error_description=evil")
    assert "cancelled" in page.words
    assert "evil" not in page.text
    assert rig.sign_in_path() in page.text


async def test_a_sign_in_counts_once_in_its_own_browser_and_for_minutes(rig: Rig, browser: Browser) -> None:
    rig.sign_in_as("U-ana")
    page = await browser.get(rig.sign_in_path())
    late, used = [await browser.submit(page, "/sign-in/chatter") for _ in range(2)]
    back = f"/sign-in/cb/chatter?state={used.sent_state}&code=good"
    async with rig.browser() as other:
        assert (await other.get(back)).status == 400
    answers = await asyncio.gather(*(browser.get(back) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 7
    rig.clock.advance(timedelta(minutes=11))
    assert (await browser.get(f"/sign-in/cb/chatter?state={late.sent_state}&code=good")).status == 400


async def test_a_session_ends_by_itself_and_by_signing_out(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    assert "Acme EU Ads" in (await rig.signed_in(browser, path)).words
    assert (await browser.post("/sign-out", {})).status == 303
    assert "Acme EU Ads" not in (await browser.get(path)).words
    await rig.signed_in(browser, path)
    rig.clock.advance(timedelta(hours=12, seconds=1))
    assert "Acme EU Ads" not in (await browser.get(path)).words


async def test_signing_in_as_somebody_else_ends_the_session_before(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path, "Mei Lin")
    assert "This link is for somebody else" in page.words
    signed_out = await browser.submit(page, "/sign-out")
    assert signed_out.location == path
    rig.sign_in_as("U-ana", name="Ana Ruiz")
    page = await browser.follow(await rig.come_back(browser, await browser.get(path)))
    assert "This link is for Ana Ruiz" in page.words


async def test_a_sign_in_that_ends_as_another_account_ends_the_session_that_began_meanwhile(
    rig: Rig, browser: Browser
) -> None:
    """Two tabs: what the browser has forgotten is dead for whoever kept it."""
    path = await rig.link(await rig.add_connection("1"))
    both = [await browser.submit(await browser.get(path), "/sign-in/chatter") for _ in range(2)]
    rig.sign_in_as("U-ana", name="Ana Ruiz")
    await browser.get(f"/sign-in/cb/chatter?state={both[0].sent_state}&code=good")
    kept = {cookie.key: cookie.value for cookie in browser.session.cookie_jar}
    assert "Acme EU Ads" in (await browser.get(path)).words
    rig.sign_in_as("U-mei", name="Mei Lin")
    await browser.get(f"/sign-in/cb/chatter?state={both[1].sent_state}&code=good")
    assert "This link is for somebody else" in (await browser.get(path)).words
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), cookies=kept) as session:
        assert "Acme EU Ads" not in (await Browser(session, rig.base).get(path)).words


async def test_a_second_tab_that_signs_in_again_leaves_the_first_one_working(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    stale = await browser.get(path)
    page = await rig.signed_in(browser, path)
    sent = await browser.submit(page, path)
    assert (await browser.submit(stale, "/sign-in/chatter")).status == 403
    await browser.post("/sign-in/chatter", {"token": "x"})
    rig.login("1")
    assert "Restored" in (await browser.follow(await browser.get(rig.callback(sent.sent_state)))).words


async def test_an_unknown_workspace_leads_nowhere(rig: Rig, browser: Browser) -> None:
    assert (await browser.get("/sign-in/" + "0" * 22)).status == 404
    assert (await browser.get("/sign-in/" + "z" * 22)).status == 404


@pytest.mark.parametrize("evil", ["//evil.example", "https:evil.example", "\\\\evil.example", "javascript:alert(1)"])
async def test_nothing_redirects_to_an_address_from_outside(rig: Rig, browser: Browser, evil: str) -> None:
    page = await browser.get(rig.sign_in_path())
    more = {"next": evil, "return": evil, "locator": evil, "workspace": to_wire(rig.workspace.id)}
    sent = await browser.submit(page, "/sign-in/chatter", **more)
    rig.sign_in_as("U-ana")
    back = await browser.get(f"/sign-in/cb/chatter?state={sent.sent_state}&code=good&next={evil}")
    assert back.location == rig.sign_in_path()
    out = await browser.post("/sign-out", more)
    assert out.location == rig.sign_in_path()
