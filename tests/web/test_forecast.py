"""Reconnect day: one's own logins that end within 90 days, renewed in one sitting; its calendar file (X-7)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar, Event

from commands.ids import AuthorizationId, ConnectionId, to_wire
from commands.model import Authorization, ConnectionState, Role, Tokens
from commands.passes import PAGE
from commands.ports.reconnecting import PassPurpose
from commands.secret import Secret
from tests.web.browser import Browser, Page
from tests.web.rig import Rig, opened_rig

DAY = timedelta(days=1)


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        await opened.add_person("Olga Owner", Role.OWNER, linked=False)
        yield opened


async def ending(rig: Rig, number: int, days: int, *, owner: str | None = None) -> tuple[AuthorizationId, ConnectionId]:
    """A login of Ana's, got long ago, with one account of its own."""
    authorization_id = await rig.add_authorization(
        "Ana Ruiz", subject=f"s-{number}", name=f"Login {number}", ends_at=rig.clock.now() + days * DAY
    )
    connection_id = await rig.add_connection(
        str(number), f"Account {number}", state=ConnectionState.ACTIVE, authorization_id=authorization_id, owner=owner
    )
    return authorization_id, connection_id


async def renewed(rig: Rig, authorization_id: AuthorizationId, days: int) -> None:
    async with rig.storage.transaction() as uow:
        was = await uow.authorizations.get(rig.organization_id, authorization_id)
        now = rig.clock.now()
        grant = Authorization(
            id=was.id,
            organization_id=was.organization_id,
            network=was.network,
            subject_id=was.subject_id,
            subject_name=was.subject_name,
            connector_id=was.connector_id,
            granted=was.granted,
            obtained_at=now,
            ends_at=now + days * DAY,
            next_check_at=now + DAY,
        )
        await uow.authorizations.replace_grant(grant, Tokens(access=Secret("a")))


def day_path(rig: Rig) -> str:
    return f"/day/{to_wire(rig.workspace.id)}"


async def opened(rig: Rig, browser: Browser, path: str) -> Page:
    page = await browser.get(path)
    await browser.submit(page, path)
    return await browser.get(f"{path}/day")


@pytest.mark.behaviour("X-7", "D-2")
async def test_one_sitting_lists_what_is_due_with_a_way_to_renew_each_and_ticks_it_off(
    rig: Rig, browser: Browser
) -> None:
    first, connection_id = await ending(rig, 501, 20)
    await ending(rig, 502, 30)
    await ending(rig, 503, 80)
    rig.clock.advance(2 * DAY)
    page = await rig.signed_in(browser, day_path(rig))
    assert page.url.endswith(day_path(rig)), "the sign-in leads back to the page that was asked for"
    assert "Reconnect day" in page.words
    order = [page.words.index(words) for words in ("Login 501", "Login 502", "Login 503")]
    assert order == sorted(order)
    assert page.text.count('<section class="group"') == 2, "two sittings"
    to_link = await browser.post(day_path(rig), page.form(day_path(rig), connection=to_wire(connection_id)))
    assert to_link.location.startswith("/r/")
    rehearsal = await browser.follow(to_link)
    assert "Account 501" in rehearsal.words
    assert to_link.location in rehearsal.actions(), "it can be renewed long before it ends"
    await renewed(rig, first, 60)
    after = await browser.get(day_path(rig))
    done = after.words.index("Done today")
    assert after.words.index("Login 501") > done > after.words.index("Login 503")


@pytest.mark.behaviour("X-7")
async def test_once_the_last_one_is_renewed_the_page_says_so_and_not_that_nothing_ends(
    rig: Rig, browser: Browser
) -> None:
    login, _ = await ending(rig, 501, 20)
    rig.clock.advance(2 * DAY)
    await renewed(rig, login, 80)
    page = await rig.signed_in(browser, day_path(rig))
    assert "Everything is renewed" in page.words
    assert "Nothing of yours ends" not in page.words


@pytest.mark.behaviour("X-7", "R-13")
async def test_somebody_without_chat_has_the_same_page_by_their_personal_link(rig: Rig, browser: Browser) -> None:
    _, connection_id = await ending(rig, 501, 20, owner="Olga Owner")
    await ending(rig, 502, 20)
    rig.clock.advance(2 * DAY)
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    before = await browser.get(f"{path}/day")
    assert (before.status, before.location) == (303, path), "nothing without the browser that the link is bound to"
    page = await opened(rig, browser, path)
    assert "Login 501" in page.words
    assert "502" not in page.words, "just what is theirs"
    assert "1 login of yours ends in the next 90 days" in (await browser.get(path)).words
    to_link = await browser.post(f"{path}/day", page.form(f"{path}/day", connection=to_wire(connection_id)))
    assert "Account 501" in (await browser.follow(to_link)).words
    made = await browser.post(f"{path}/day", {**page.form(f"{path}/day"), "calendar": "yes"})
    assert made.status == 200
    async with rig.storage.reading() as uow:
        (calendar,) = await uow.passes.of(rig.organization_id, rig.people["Olga Owner"].id, PassPurpose.CALENDAR)
    assert calendar.made_by == rig.people["Raj Patel"].id, "it ends with whatever ends the links that he handed out"


@pytest.mark.behaviour("X-7")
async def test_nothing_due_is_said_and_a_stranger_sees_nothing(rig: Rig, browser: Browser) -> None:
    assert "Nothing of yours ends" in (await rig.signed_in(browser, day_path(rig), "Mei Lin")).words
    async with rig.browser() as stranger:
        rig.sign_in_as("U-nobody", name="Nobody")
        page = await stranger.get(day_path(rig))
        assert "Sign in" in page.words
        arrived = await rig.come_back(stranger, page)
        shown = await stranger.follow(arrived)
        if shown.status == 303:
            shown = await stranger.follow(shown)
        assert "Login" not in shown.text
    assert (await browser.get("/day/" + "0" * 22)).status == 404


async def events_of(browser: Browser, path: str) -> list[Event]:
    page = await browser.get(path)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/calendar")
    calendar = Calendar.from_ical(page.text)
    assert calendar["version"] == "2.0"
    return [each for each in calendar.walk("VEVENT") if isinstance(each, Event)]


@pytest.mark.behaviour("X-7")
async def test_the_calendar_has_an_event_for_each_sitting_that_moves_when_a_login_is_renewed(
    rig: Rig, browser: Browser
) -> None:
    first, _ = await ending(rig, 501, 20)
    second, _ = await ending(rig, 503, 80)
    rig.clock.advance(2 * DAY)
    page = await rig.signed_in(browser, day_path(rig))
    made = await browser.submit(page, day_path(rig), calendar="yes")
    path = made.text.partition('href="' + rig.base + "/calendar/")[2].partition('"')[0]
    path = f"/calendar/{path}"
    events = await events_of(browser, path)
    assert [str(each["uid"]) for each in events] == [f"{to_wire(each)}@lapsebot" for each in (first, second)]
    for each in events:
        start = each.decoded("dtstart")
        assert isinstance(start, datetime)
        assert start.utcoffset() == timedelta(0)
        assert (start.hour, start.minute) == (10, 0)  # the organization's zone is UTC
        assert start > rig.clock.now().astimezone(UTC)
        assert str(each["url"]) == rig.base + day_path(rig)
    text = (await browser.get(path)).text
    for name in ("Login 501", "Account 501", "Ana", "Acme"):
        assert name not in text, "it names nobody and no account"
    rig.clock.advance(timedelta(hours=1))
    await renewed(rig, first, 60)
    moved = {str(each["uid"]): each for each in await events_of(browser, path)}
    later = moved[f"{to_wire(first)}@lapsebot"]
    assert later.decoded("dtstart") > events[0].decoded("dtstart")
    assert later.decoded("sequence") > events[0].decoded("sequence")
    async with rig.storage.reading() as uow:
        (one,) = await uow.passes.of(rig.organization_id, rig.people["Ana Ruiz"].id, PassPurpose.CALENDAR)
    assert one.data == {PAGE: day_path(rig)}


@pytest.mark.behaviour("X-7")
async def test_a_calendar_ends_with_its_person_and_changes_nothing_however_often_it_is_asked_for(
    rig: Rig, browser: Browser
) -> None:
    await ending(rig, 501, 20)
    path = await rig.bearer_link(PassPurpose.CALENDAR, "Ana Ruiz")
    audited = await rig.audited()
    for _ in range(5):
        assert len(await events_of(browser, path)) == 1
    assert await rig.audited() == audited
    async with rig.storage.transaction() as uow:
        await uow.passes.withdraw(rig.organization_id, rig.people["Ana Ruiz"].id, None, rig.clock.now())
    over = await browser.get(path)
    assert over.status == 404
    assert "This calendar has expired" in over.words
