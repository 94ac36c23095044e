"""App Home: published when it is opened, changed in place, with the answers of its buttons over it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from commands.messages import (
    ActionRef,
    Button,
    Buttons,
    Form,
    Heading,
    LinkButton,
    Mark,
    Message,
    Paging,
    Row,
    Rows,
    TextField,
    line,
    say,
    text,
)
from commands.ports.chat import Acknowledgement, ActionRequest, HomeRequest
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, CHANNEL, RAJ, TEAM, Loopback, running

TURN, DETAILS, NOTE = ActionRef("list", ("2",)), ActionRef("details", ("c",)), ActionRef("note", ("c",))


def home(number: int) -> Message:
    """A list with a page to turn, a row with details, and a form."""
    row = Row(Mark.LAPSED, line("Acme EU Ads"), line("since Monday"), Button("Details", DETAILS))
    return Message(
        (
            Heading(line(f"Needs connecting: {number}")),
            Rows((row,)),
            Buttons((LinkButton("Reconnect", "https://lapsebot.example/r/x"), Button("Add a note", NOTE))),
            Paging(f"{number} of 9", None, TURN),
        )
    )


class House(Recorder):
    """Answers each request for a home with the next number."""

    drawn: int

    def __init__(self) -> None:
        Recorder.__init__(self)
        self.drawn = 0
        self.acknowledgements = {TURN.encode(): Acknowledgement.UPDATE, NOTE.encode(): Acknowledgement.FORM}
        self.forms = {NOTE.encode(): Form(title="Note", action=NOTE, fields=(TextField(name="n", label="Note"),))}

    def _next(self) -> Message:
        self.drawn += 1
        return home(self.drawn)

    async def home(self, request: HomeRequest) -> Message:
        await Recorder.home(self, request)
        return self._next()

    async def action(self, request: ActionRequest) -> Message:
        await Recorder.action(self, request)
        return self._next() if request.token == TURN.encode() else self.answer


@pytest.fixture
def inbound() -> House:
    return House()


@pytest.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest, inbound: House) -> AsyncIterator[Loopback]:
    async with running(inbound, socket_mode=request.param == "socket") as loopback:
        if request.param == "socket":
            await loopback.people.wait_for_change("socket", connections=1)
        yield loopback


@pytest.mark.behaviour("C-11")
async def test_a_home_is_drawn_each_time_it_is_opened_for_whoever_opened_it(slack: Loopback, inbound: House) -> None:
    first = await slack.people.open_home(TEAM, ANA)
    assert "Needs connecting: 1" in first.html
    second = await slack.people.open_home(TEAM, ANA)
    assert "Needs connecting: 2" in second.html
    assert await slack.people.view(TEAM, RAJ, home=True) is None
    request = inbound.homes[0]
    assert (request.user.tenant, request.user.external_id) == (TEAM, ANA)
    assert (request.place.workspace, request.place.is_direct) == (TEAM, True)
    assert request.place.channel.startswith("D")


async def test_the_other_tabs_of_the_app_draw_no_home(slack: Loopback, inbound: House) -> None:
    await slack.people.post("home", team=TEAM, user=ANA, tab="messages")
    await slack.people.wait_for_change("event", event="app_home_opened", error=None)
    assert inbound.homes == []


@pytest.mark.behaviour("C-11")
async def test_a_page_is_turned_in_place(slack: Loopback, inbound: House) -> None:
    first = await slack.people.open_home(TEAM, ANA)
    await slack.people.press_view(TEAM, ANA, first, "Next ›")
    second = await slack.people.wait_for_view(TEAM, ANA, home=True, unlike=first)
    assert second.id == first.id
    assert "Needs connecting: 2" in second.html
    assert [request.token for request in inbound.actions] == [TURN.encode()]
    assert inbound.actions[0].place.is_direct
    assert await slack.people.history(TEAM, "dm", ANA) == []


@pytest.mark.behaviour("C-11")
async def test_a_private_answer_opens_over_the_home_and_changes_in_its_place(slack: Loopback, inbound: House) -> None:
    inbound.answer = Message(
        (
            Heading(line("🔒 Lapsed: Facebook · Acme EU Ads")),
            text("Nobody is on it."),
            Buttons((Button("I'm on it", DETAILS),)),
        )
    )
    first = await slack.people.open_home(TEAM, ANA)
    await slack.people.press_view(TEAM, ANA, first, "Details")
    shown = await slack.people.wait_for_view(TEAM, ANA)
    assert shown.title == "🔒 Lapsed: Facebook · A…"
    assert "Nobody is on it." in shown.html
    inbound.answer = say("You are on it.")
    await slack.people.press_view(TEAM, ANA, shown, "I'm on it")
    changed = await slack.people.wait_for_view(TEAM, ANA, unlike=shown)
    assert (changed.id, changed.title) == (shown.id, "lapsebot")
    assert "You are on it." in changed.html
    await slack.people.close(TEAM, ANA, changed)
    assert len(inbound.homes) == 1


async def test_a_form_opens_from_the_home_and_its_answer_takes_its_place(slack: Loopback, inbound: House) -> None:
    first = await slack.people.open_home(TEAM, ANA)
    await slack.people.press_view(TEAM, ANA, first, "Add a note")
    form = await slack.people.wait_for_view(TEAM, ANA)
    assert await slack.people.submit(TEAM, ANA, form, Note="on holiday") == {"error": None, "errors": {}}
    answer = await slack.people.view(TEAM, ANA)
    assert answer is not None
    assert (answer.id, answer.title) == (form.id, "lapsebot")
    assert "Here you are." in answer.html
    assert inbound.submissions[0].values == {"n": ("on holiday",)}


async def test_a_form_opens_over_an_answer(slack: Loopback, inbound: House) -> None:
    inbound.answer = Message((text("Details"), Buttons((Button("Add a note", NOTE),))))
    first = await slack.people.open_home(TEAM, ANA)
    await slack.people.press_view(TEAM, ANA, first, "Details")
    shown = await slack.people.wait_for_view(TEAM, ANA)
    await slack.people.press_view(TEAM, ANA, shown, "Add a note")
    form = await slack.people.wait_for_view(TEAM, ANA, unlike=shown)
    assert form.raw["previous_view_id"] == shown.id
    inbound.answer = say("Noted.")
    await slack.people.submit(TEAM, ANA, form, Note="on holiday")
    under = await slack.people.wait_for_view(TEAM, ANA, unlike=form)
    assert under.id == shown.id
    noted = under if "Noted." in under.html else await slack.people.wait_for_view(TEAM, ANA, unlike=under)
    assert "Noted." in noted.html


async def test_a_link_in_the_home_is_acknowledged_and_nothing_is_done(slack: Loopback, inbound: House) -> None:
    first = await slack.people.open_home(TEAM, ANA)
    pressed = await slack.people.press_view(TEAM, ANA, first, "Reconnect")
    assert pressed == {"error": None, "open_url": "https://lapsebot.example/r/x"}
    assert inbound.actions == []


async def test_an_answer_that_comes_too_late_for_a_window_comes_among_the_messages(
    slack: Loopback, inbound: House
) -> None:
    first = await slack.people.open_home(TEAM, ANA)
    await slack.people.fail("views.open", "error", error="expired_trigger_id")
    await slack.people.press_view(TEAM, ANA, first, "Details")
    (seen,) = await slack.people.wait_until(TEAM, "dm", ANA, lambda found: len(found) == 1)
    assert seen.rendered == "Here you are."
    assert len([each for each in await slack.people.log("replies") if each["method"] == "views.open"]) == 1


async def test_of_two_presses_the_later_one_is_shown_whichever_answer_comes_first() -> None:
    class Slow(House):
        gate = asyncio.Event()

        async def action(self, request: ActionRequest) -> Message:
            answer = await House.action(self, request)
            if len(self.actions) == 1:
                await self.gate.wait()
            return answer

    inbound = Slow()
    async with running(inbound) as slack:
        first = await slack.people.open_home(TEAM, ANA)
        await slack.people.press_view(TEAM, ANA, first, "Next ›")
        await slack.people.press_view(TEAM, ANA, first, "Next ›")
        shown = await slack.people.wait_for_view(TEAM, ANA, home=True, unlike=first)
        assert "Needs connecting: 3" in shown.html
        inbound.gate.set()
        last = await slack.people.open_home(TEAM, ANA)
        assert "Needs connecting: 4" in last.html
        assert len(await slack.people.accepted("views.publish")) == 3


async def test_a_home_that_slack_does_not_take_is_logged_and_ends_nothing(
    inbound: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(inbound) as slack:
        await slack.people.fail("views.publish", "error", error="invalid_arguments")
        await slack.people.post("home", team=TEAM, user=ANA)
        await slack.people.wait_for_change("call", method="views.publish")
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
    assert "invalid_arguments" in caplog.text


@pytest.mark.behaviour("C-1")
async def test_a_long_list_in_the_home_is_counted_where_it_ends(slack: Loopback, inbound: House) -> None:
    class Long(House):
        async def home(self, request: HomeRequest) -> Message:
            rows = tuple(Row(Mark.LAPSED, line(f"Account {at}"), line("since Monday")) for at in range(2000))
            return Message((Heading(line("Needs connecting: 2,000")), Rows(rows)))

    async with running(Long()) as long:
        shown = await long.people.open_home(TEAM, ANA)
    assert "Account 90" in shown.html
    assert "and 1,903 more" in shown.html
