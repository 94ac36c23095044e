"""The page of a Reconnect link."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import LinkId, OrganizationId, PersonId, new_id
from commands.model import Claim, ConnectionState, Evidence, Organization, Parent, Person, Role, Verdict
from commands.ports.reconnecting import Link
from tests.web.browser import Browser
from tests.web.rig import Rig


@pytest.mark.behaviour("R-1")
async def test_the_page_says_which_account_for_whom_since_when_why_and_what_to_check(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.link(await rig.add_connection("1029384756"))
    page = await rig.signed_in(browser, path)
    assert page.status == 200
    for words in (
        "Acme EU Ads",
        "1029384756",
        "Client Acme",
        "This link is for Ana Ruiz",
        "Lapsed since Mon 23 Nov 2026, 09:00 UTC",
        "The password of the login changed",
        "Missing since Mon 23 Nov 2026, 08:50 UTC: spend and reports.",
    ):
        assert words in page.words
    assert "<h1><bdi>Acme EU Ads</bdi></h1>" in page.text
    assert page.text.index("Before you go on") < page.text.index("Reconnect at Examplenet")


@pytest.mark.behaviour("R-2", "X-5")
async def test_the_checklist_is_filled_from_what_is_stored_and_leaves_out_what_is_not(
    rig: Rig, browser: Browser
) -> None:
    known = await rig.link(await rig.add_connection("1"))
    unknown = await rig.link(await rig.add_connection("2", parent=None))
    page = await rig.signed_in(browser, known)
    assert "Use your Examplenet login." in page.words
    assert "Log in as Ana Ruiz." in page.words
    assert "Choose the Business Acme EU (7001)." in page.words
    assert "Choose the Business" not in (await browser.get(unknown)).words


@pytest.mark.behaviour("R-1", "R-19")
async def test_opening_and_prefetching_the_link_changes_nothing(rig: Rig, browser: Browser) -> None:
    """Row 47: previewers fetch every link."""
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    before = await rig.audited()
    for _ in range(25):
        assert (await browser.get(path)).status == 200
        async with browser.session.head(browser.base + path, allow_redirects=False) as response:
            assert response.status == 200
    async with browser.session.options(browser.base + path) as response:
        assert response.status == 405
    assert await rig.audited() == before
    async with rig.storage.reading() as uow:
        view = await uow.connections.view(rig.organization_id, connection_id)
    assert view is not None
    assert view.reconnecting_by is None


@pytest.mark.behaviour("X-4")
async def test_who_is_on_it_or_at_it_is_said_before_the_button(rig: Rig, browser: Browser) -> None:
    """And what a second login does, where the network ends the first."""
    connection_id = await rig.add_connection("1")
    path, raj = await rig.link(connection_id), rig.people["Raj Patel"]
    assert "second login" not in (await rig.signed_in(browser, path)).words
    async with rig.storage.transaction() as uow:
        view = await uow.connections.view(rig.organization_id, connection_id)
        assert view is not None
        assert view.lapse is not None
        until = rig.clock.now() + timedelta(hours=1)
        await uow.lapses.claim(rig.organization_id, [view.lapse.id], Claim(person_id=raj.id, until=until))
    rig.network.spec = replace(rig.network.spec, one_grant_per_subject=True)
    claimed = await browser.get(path)
    assert "Raj Patel is on it: a word with them first saves a second login. At Examplenet a second" in claimed.words
    assert claimed.text.index("Raj Patel is on it") < claimed.text.index("Reconnect at Examplenet")
    async with rig.browser() as another:
        theirs = await rig.link(connection_id, "Raj Patel")
        page = await rig.signed_in(another, theirs, "Raj Patel")
        assert "second login" not in page.words, "their own claim is no news to them"
        await another.submit(page, theirs)
    assert "Raj Patel is reconnecting it: a word with them first" in (await browser.get(path)).words


async def test_nothing_is_shown_before_somebody_signed_in(rig: Rig, browser: Browser) -> None:
    """Row 49: a link that was posted in public carries no authority."""
    page = await browser.get(await rig.link(await rig.add_connection("1029384756")))
    assert page.status == 200
    assert "Sign in with Chatter" in page.words
    for hidden in ("Acme", "1029384756", "Ana", "Examplenet", "password"):
        assert hidden not in page.text


@pytest.mark.behaviour("R-15")
async def test_an_unknown_link_leads_to_one_neutral_page_that_says_how_to_get_a_new_one(
    rig: Rig, browser: Browser
) -> None:
    unknown = await browser.get("/r/" + "0" * 22)
    malformed = await browser.get("/r/short")
    stranger = await browser.get("/nothing")
    assert {page.status for page in (unknown, malformed, stranger)} == {404}
    assert unknown.words == malformed.words == stranger.words
    assert "This link leads nowhere" in unknown.words
    assert "type /lapsed" in unknown.words


@pytest.mark.behaviour("R-15", "R-19")
async def test_the_link_of_a_retired_connection_leads_nowhere(rig: Rig, browser: Browser) -> None:
    """Row 51."""
    path = await rig.link(await rig.add_connection("1", state=ConnectionState.RETIRED))
    page = await rig.signed_in(browser, path)
    assert page.status == 404
    assert "Acme EU Ads" not in page.text


@pytest.mark.behaviour("R-19")
async def test_a_link_whose_connection_works_again_says_so(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1", state=ConnectionState.ACTIVE))
    page = await rig.signed_in(browser, path)
    assert "Already working" in page.words
    assert path not in page.actions()


@pytest.mark.behaviour("P-5")
async def test_a_link_opened_by_somebody_else_is_refused_written_down_once_and_its_owner_told(
    rig: Rig, browser: Browser
) -> None:
    """Row 48: a link that was forwarded."""
    connection_id = await rig.add_connection("1029384756")
    path = await rig.link(connection_id)
    page = await rig.signed_in(browser, path, "Mei Lin")
    assert page.status == 403
    assert "This link is for somebody else" in page.words
    for hidden in ("Acme EU", "1029384756", "Ana Ruiz", "Examplenet"):
        assert hidden not in page.text
    await browser.get(path)
    assert (await rig.audited()).count("link refused") == 1
    (event,) = await rig.events()
    assert (event.kind.value, event.person_id, event.connection_id) == (
        "link_refused",
        rig.people["Ana Ruiz"].id,
        connection_id,
    )
    assert event.data == {"by": "Mei Lin"}


async def test_a_refused_link_is_told_of_once_a_day_however_many_open_it_at_once(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1029384756"))
    await rig.signed_in(browser, path, "Mei Lin")
    rig.clock.advance(timedelta(days=1))
    await rig.signed_in(browser, path, "Mei Lin")
    rig.clock.advance(timedelta(days=1))
    await rig.signed_in(browser, path, "Raj Patel")
    await asyncio.gather(*(browser.get(path) for _ in range(8)))
    assert (await rig.audited()).count("link refused") == 3
    assert [event.data["by"] for event in await rig.events()] == ["Mei Lin", "Mei Lin", "Raj Patel"]


async def test_a_refusal_is_written_once_however_long_the_log_has_grown_since(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1029384756"))
    await rig.signed_in(browser, path, "Mei Lin")
    async with rig.storage.reading() as uow:
        (before,) = [e for e in await uow.audit.latest(rig.organization_id, limit=50) if e.action == "link refused"]
    async with rig.storage.transaction() as uow:
        for _ in range(600):
            await uow.audit.write(replace(before, action="something else", at=rig.clock.now()))
    await browser.get(path)
    async with rig.storage.reading() as uow:
        entries = await uow.audit.latest(rig.organization_id, limit=1000)
    assert [entry.action for entry in entries].count("link refused") == 1


async def test_a_stranger_at_a_link_is_told_whom_to_ask_and_nothing_else(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1029384756"))
    rig.sign_in_as("U-nobody", name="Nobody", email="nobody@elsewhere.example")
    page = await browser.follow(await rig.come_back(browser, await browser.get(path)))
    assert page.status == 403
    assert "Ask Raj Patel" in page.words
    for hidden in ("Acme", "1029384756", "Ana Ruiz", "Examplenet"):
        assert hidden not in page.words
    assert "link refused" in await rig.audited()


@pytest.mark.behaviour("P-1", "R-8")
async def test_accounts_that_come_back_with_the_same_login_are_listed(rig: Rig, browser: Browser) -> None:
    first = await rig.add_connection("1", "First")
    await rig.add_connection("2", "Second")
    await rig.add_connection("3", "Working", state=ConnectionState.ACTIVE)
    page = await rig.signed_in(browser, await rig.link(first))
    assert "The same login also brings back 1 account" in page.words
    assert "Second" in page.words
    assert "Working" not in page.words


@pytest.mark.behaviour("R-1", "N-8")
async def test_what_else_hangs_on_the_login_is_listed_as_far_as_its_reader_may_see_it(
    rig: Rig, browser: Browser
) -> None:
    first = await rig.add_connection("1", "First")
    await rig.add_connection("2", "Secret Sibling", client="Brio")
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Mei Lin"], client_ids=frozenset({rig.client_id})))
    page = await rig.signed_in(browser, await rig.link(first, "Mei Lin"), "Mei Lin")
    assert "Reconnect at Examplenet" in page.words
    assert "Secret Sibling" not in page.words
    assert "also brings back" not in page.words


@pytest.mark.behaviour("P-1")
async def test_the_owner_may_reconnect_too(rig: Rig, browser: Browser) -> None:
    owner = await rig.add_person("Otto Own", Role.OWNER)
    path = await rig.link(await rig.add_connection("1", owner=owner.name), owner.name)
    page = await rig.signed_in(browser, path, owner.name)
    assert path in page.actions()


@pytest.mark.behaviour("P-5")
async def test_who_may_not_see_the_account_any_more_finds_nothing(rig: Rig, browser: Browser) -> None:
    """Row 51."""
    other = await rig.add_person("Otto Own", Role.OWNER)
    path = await rig.link(await rig.add_connection("1"), other.name)
    page = await rig.signed_in(browser, path, other.name)
    assert page.status == 404


@pytest.mark.behaviour("R-7")
@pytest.mark.parametrize("cause", [Verdict.ACCOUNT_MOVED, Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_DISABLED])
async def test_no_button_where_logging_in_again_does_not_help(rig: Rig, browser: Browser, cause: Verdict) -> None:
    moved = Evidence(check="fake", moved_to=Parent(id="8002", name="Brio"))
    path = await rig.link(await rig.add_connection("1", cause=cause, evidence=moved))
    page = await rig.signed_in(browser, path)
    assert path not in page.actions()
    assert "would not mend this" in page.words
    assert "Brio 8002" in page.words
    refused = await browser.post(path, {"token": ""})
    assert refused.status == 403


async def test_a_network_without_credentials_is_said_to_be_our_fault(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    rig.networks.clear()
    page = await rig.signed_in(browser, path)
    assert page.status == 200
    assert "The fault is ours" in page.words
    assert path not in page.actions()


async def test_a_name_that_looks_like_markup_is_shown_inert(rig: Rig, browser: Browser) -> None:
    """Row 36."""
    name = "<script>alert(1)</script> <!channel> @everyone \u202etxt\x00 " + "x" * 3000
    page = await rig.signed_in(browser, await rig.link(await rig.add_connection("1", name.replace("\x00", ""))))
    assert page.status == 200
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "\u202e" not in page.text
    assert "x" * 200 not in page.text


@pytest.mark.behaviour("R-17")
async def test_two_people_at_once_the_second_hears_who_is_at_it_and_may_take_over(rig: Rig) -> None:
    connection_id = await rig.add_connection("1")
    first_path, second_path = await rig.link(connection_id), await rig.link(connection_id, "Raj Patel")
    async with rig.browser() as first, rig.browser() as second:
        begun = await first.submit(await rig.signed_in(first, first_path), first_path)
        page = await rig.signed_in(second, second_path, "Raj Patel")
        held = await second.submit(page, second_path)
        assert held.status == 409
        assert "Ana Ruiz is reconnecting this login" in held.words
        assert held.form(second_path).get("take_over") == "yes"
        taken = await second.submit(held, second_path)
        assert taken.status == 303
        rig.login("1")
        late = await first.follow(await first.get(rig.callback(begun.sent_state)))
        assert "Raj Patel took over at Mon 23 Nov 2026, 09:00 UTC" in late.words
        assert "your login was not used" in late.words
        assert "used already" not in late.words
        assert "exchange" not in rig.network.asked
        done = await second.follow(await second.get(rig.callback(taken.sent_state)))
        assert "Restored" in done.words
    assert (await rig.connection(connection_id)).connector_id == rig.people["Raj Patel"].id


@pytest.mark.behaviour("R-15", "R-19", "A-1")
async def test_a_link_of_somebody_who_left_or_of_another_organization_says_no_more_than_an_unknown_one(
    rig: Rig, browser: Browser
) -> None:
    """Row 51: expired, of a connector who is gone, or of another tenant, with nothing told between the lines."""
    gone = await rig.link(await rig.add_connection("1029384756"))
    page = await rig.signed_in(browser, gone)
    assert page.status == 200
    async with rig.storage.transaction() as uow:
        person = await uow.people.get_for_change(rig.organization_id, rig.people["Ana Ruiz"].id)
        await uow.people.update(replace(person, left_at=rig.clock.now()))
    left = await browser.get(gone)
    assert left.status in (403, 404)
    now = rig.clock.now()
    other = Organization(id=OrganizationId(new_id(now)), name="Other Org")
    async with rig.storage.transaction() as uow:
        await uow.organizations.add(other)
        person = Person(
            id=PersonId(new_id(now)), organization_id=other.id, name="Ola Other", email="ola@o.example", role=Role.STAFF
        )
        await uow.people.add(person)
        link = Link(
            id=LinkId(new_id(now)),
            organization_id=other.id,
            person_id=person.id,
            connection_id=None,
            network=rig.network.spec.slug,
            created_at=now,
        )
        theirs = f"/r/{await uow.links.ensure(link)}"
    async with rig.browser() as mei:
        foreign = await rig.signed_in(mei, theirs, "Mei Lin")
    assert foreign.status in (403, 404)
    for page in (left, foreign):
        for hidden in ("Acme EU Ads", "1029384756", "Examplenet", "Ola", "Other Org"):
            assert hidden not in page.text


@pytest.mark.parametrize(
    "evil", ["//evil.example", "\\\\evil.example", "https:evil.example", "%2f%2fevil.example", "javascript:alert(1)"]
)
async def test_nothing_in_an_address_or_a_form_leads_elsewhere(rig: Rig, browser: Browser, evil: str) -> None:
    """Row 62: only addresses that are ours by construction, and the network's own login."""
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, f"{path}?next={evil}&redirect_uri={evil}&return_to={evil}")
    assert "evil" not in page.text
    sent = await browser.submit(page, path, next=evil, redirect_uri=evil, locator=evil)
    assert sent.location.startswith("http://127.0.0.1:9/login?")
    assert "evil" not in sent.location
    rig.login("1")
    done = await browser.get(rig.callback(sent.sent_state, next=evil, redirect_uri=evil))
    assert done.location.startswith("/a/")
    assert "evil" not in done.location
    out = await browser.post("/sign-out", {"locator": evil, "workspace": evil, "next": evil})
    assert out.location == "/"
