"""Forms: opened by a command or a press, filled in, taken or sent back with what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.playground.vendors.slack import SeenView
from bot.playground.vendors.slack.blocks import check_view
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    ChoiceField,
    FieldErrors,
    Form,
    FormChoice,
    Message,
    PersonField,
    TextField,
    line,
    say,
    text,
)
from commands.ports.chat import Acknowledgement, Submission
from platform_adapters.chat.slack.forms import Origin, errors_by_block, modal, read_values
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, CHANNEL, RAJ, TEAM, Loopback, running
from tests.slack_adapter.test_delivering import delivery, to
from tests.slack_adapter.test_render import HOSTILE, LINES

ACTION = ActionRef("subscribe-form", ("0" * 22,))
FORM = Form(
    title="Subscribe",
    action=ACTION,
    fields=(
        TextField(name="note", label="Note", hint="What others should know", long=True, most=40, required=False),
        ChoiceField(
            name="network",
            label="Network",
            choices=(FormChoice("all", "All networks"), FormChoice("tiktok", "TikTok")),
            chosen=("all",),
        ),
        ChoiceField(
            name="clients",
            label="Clients",
            choices=(FormChoice("acme", "Acme"), FormChoice("brio", "Brio"), FormChoice("cato", "Cato")),
            chosen=("acme", "cato"),
            many=True,
            required=False,
        ),
        PersonField(name="person", label="Person", required=False),
    ),
    intro=line("Who hears of ", Bold("<!channel>")),
)


@pytest.fixture
def inbound() -> Recorder:
    return Recorder(forms={"subscribe-lapses": FORM, ACTION.encode(): FORM})


@pytest.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest, inbound: Recorder) -> AsyncIterator[Loopback]:
    async with running(inbound, socket_mode=request.param == "socket") as loopback:
        if request.param == "socket":
            await loopback.people.wait_for_change("socket", connections=1)
        yield loopback


async def opened(slack: Loopback, where: str = CHANNEL) -> SeenView:
    assert (await slack.people.says(TEAM, where, ANA, "/subscribe-lapses"))["error"] is None
    return await slack.people.wait_for_view(TEAM, ANA)


@pytest.mark.behaviour("C-5")
async def test_a_bare_command_opens_its_form_and_what_is_filled_in_arrives(slack: Loopback, inbound: Recorder) -> None:
    view = await opened(slack)
    assert (view.title, inbound.commands) == ("Subscribe", [])
    assert "Who hears of <b>&lt;!channel&gt;</b>" in view.html
    assert "What others should know" in view.html
    sent = await slack.people.submit(TEAM, ANA, view, Note="two\nlines", Network="tiktok", Clients=["brio"], Person=RAJ)
    assert sent == {"error": None, "errors": {}}
    (submission,) = inbound.submissions
    assert submission.token == ACTION.encode()
    assert submission.values == {
        "note": ("two\nlines",),
        "network": ("tiktok",),
        "clients": ("brio",),
        "person": (f"@{RAJ}",),
    }
    assert (submission.user.tenant, submission.user.external_id) == (TEAM, ANA)
    assert (submission.place.workspace, submission.place.channel, submission.place.is_direct) == (TEAM, CHANNEL, False)
    assert await slack.people.view(TEAM, ANA) is None


async def test_what_is_left_alone_arrives_as_it_stood_and_what_is_empty_as_nothing(
    slack: Loopback, inbound: Recorder
) -> None:
    await slack.people.submit(TEAM, ANA, await opened(slack))
    (submission,) = inbound.submissions
    assert submission.values == {"note": (), "network": ("all",), "clients": ("acme", "cato"), "person": ()}


async def test_the_answer_is_private_and_stands_where_the_command_was_typed(slack: Loopback, inbound: Recorder) -> None:
    inbound.answer = say("Saved.")
    await slack.people.submit(TEAM, ANA, await opened(slack))
    (answer,) = await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda seen: len(seen) == 1)
    assert (answer.rendered, answer.ephemeral) == ("Saved.", True)
    assert await slack.people.history(TEAM, CHANNEL, RAJ) == []


async def test_a_field_that_cannot_be_taken_says_so_beside_it_and_nothing_is_lost(
    slack: Loopback, inbound: Recorder
) -> None:
    inbound.field_errors = FieldErrors((("note", "Too short."), ("note", "And rude."), ("unknown", "Elsewhere.")))
    view = await opened(slack)
    sent = await slack.people.submit(TEAM, ANA, view, Note="x", Network="tiktok")
    assert sent["errors"] == {"note": "Too short. And rude. Elsewhere."}
    again = await slack.people.view(TEAM, ANA)
    assert again is not None
    assert '<option value="tiktok" selected>' in again.html
    inbound.field_errors = None
    await slack.people.submit(TEAM, ANA, again, Note="long enough")
    assert await slack.people.view(TEAM, ANA) is None
    assert [each.values["note"] for each in inbound.submissions] == [("x",), ("long enough",)]


async def test_words_after_the_command_open_no_form(slack: Loopback, inbound: Recorder) -> None:
    await slack.people.says(TEAM, CHANNEL, ANA, "/subscribe-lapses tiktok")
    await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda seen: len(seen) == 1)
    assert await slack.people.view(TEAM, ANA) is None
    assert len(inbound.commands) == 1


async def test_a_button_opens_its_form(slack: Loopback, inbound: Recorder) -> None:
    inbound.acknowledgements[ACTION.encode()] = Acknowledgement.FORM
    await slack.platform.post(to(), Message((text("x"), Buttons((Button("Subscribe", ACTION),)))), delivery())
    (message,) = await slack.people.history(TEAM, CHANNEL, ANA)
    await slack.people.press(TEAM, CHANNEL, ANA, message, "Subscribe")
    view = await slack.people.wait_for_view(TEAM, ANA)
    await slack.people.submit(TEAM, ANA, view)
    await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda seen: len(seen) == 2)
    assert (inbound.actions, len(inbound.submissions)) == ([], 1)


async def test_where_there_is_no_form_the_reason_comes_as_a_private_answer(slack: Loopback, inbound: Recorder) -> None:
    class Refusing(Recorder):
        async def form(self, request: object) -> Message:
            return say("Only staff may.")

    async with running(Refusing(forms=inbound.forms)) as refusing:
        await refusing.people.says(TEAM, CHANNEL, ANA, "/subscribe-lapses")
        (seen,) = await refusing.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
        assert (seen.rendered, seen.ephemeral) == ("Only staff may.", True)


async def test_a_form_from_the_messages_with_the_bot_is_answered_there(slack: Loopback, inbound: Recorder) -> None:
    view = await opened(slack, "dm")
    await slack.people.fail("response_url", "error", status=404, error="expired_url")
    await slack.people.submit(TEAM, ANA, view)
    (seen,) = await slack.people.wait_until(TEAM, "dm", ANA, lambda found: len(found) == 1)
    assert seen.rendered == "Here you are."
    assert inbound.submissions[0].place.is_direct


async def test_a_slow_answer_closes_the_form_in_time_and_follows(inbound: Recorder) -> None:
    ready = asyncio.Event()

    class Slow(Recorder):
        async def submission(self, request: Submission) -> Message | FieldErrors:
            await ready.wait()
            return FieldErrors((("note", "Too short."),))

    async with running(Slow(forms=inbound.forms), submission_patience=0.0) as slack:
        assert (await slack.people.submit(TEAM, ANA, await opened(slack))) == {"error": None, "errors": {}}
        assert await slack.people.view(TEAM, ANA) is None
        ready.set()
        (seen,) = await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
        assert seen.rendered == "Too short."


async def test_a_form_that_goes_wrong_is_closed_and_ends_nothing_else(
    inbound: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Recorder):
        async def submission(self, request: Submission) -> Message | FieldErrors:
            raise ZeroDivisionError

    async with running(Broken(forms=inbound.forms)) as slack:
        assert (await slack.people.submit(TEAM, ANA, await opened(slack)))["error"] is None
        await slack.people.says(TEAM, CHANNEL, ANA, "/lapsed")
        await slack.people.wait_until(TEAM, CHANNEL, ANA, lambda found: len(found) == 1)
    assert "an answer in Slack failed" in caplog.text


async def test_a_channel_that_outsiders_read_is_known_when_its_form_is_sent_off(
    slack: Loopback, inbound: Recorder
) -> None:
    await slack.people.post("channels", team=TEAM, id=CHANNEL, is_ext_shared=True)
    await slack.people.submit(TEAM, ANA, await opened(slack))
    assert inbound.submissions[0].place.is_shared is True


TEXT_FIELDS = st.builds(
    TextField,
    name=st.just("f"),
    label=HOSTILE,
    hint=HOSTILE,
    value=HOSTILE,
    required=st.booleans(),
    long=st.booleans(),
    most=st.sampled_from([0, 1, 45, 500, 3000, 4000]),
)
CHOICES = st.lists(HOSTILE, min_size=1, max_size=25).map(
    lambda labels: tuple(FormChoice(f"value-{at}", label) for at, label in enumerate(labels))
)
CHOICE_FIELDS = st.builds(
    lambda choices, many, required, first: ChoiceField(
        name="f",
        label="<!here>",
        choices=choices,
        many=many,
        required=required,
        chosen=tuple(f"value-{at}" for at in first),
    ),
    CHOICES,
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, 30), max_size=5),
)
FIELDS = st.one_of(TEXT_FIELDS, CHOICE_FIELDS, st.builds(PersonField, name=st.just("f"), label=HOSTILE))
FORMS = st.builds(
    lambda title, send, fields, intro: Form(
        title=title[:24],
        action=ACTION,
        fields=tuple(replace(each, name=f"field-{at}") for at, each in enumerate(fields)),
        send_label=send[:24],
        intro=intro,
    ),
    HOSTILE,
    HOSTILE,
    st.lists(FIELDS, min_size=1, max_size=5),
    LINES,
)


@pytest.mark.behaviour("C-9")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(form=FORMS, response_url=st.sampled_from(["", "https://hooks.slack.com/" + "x" * 100, "x" * 3000]))
def test_no_form_is_over_a_limit_of_slacks(form: Form, response_url: str) -> None:
    view = check_view(modal(form, Origin(channel=CHANNEL, response_url=response_url), TEAM))
    origin = Origin.read(view["private_metadata"])
    assert origin is not None
    assert (origin.token, origin.channel) == (ACTION.encode(), CHANNEL)
    assert origin.response_url in ("", response_url)


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_STATE = st.fixed_dictionaries(
    {}, optional={"value": _JSON, "selected_user": _JSON, "selected_option": _JSON, "selected_options": _JSON}
)


@settings(deadline=None)
@given(
    view=st.one_of(
        _JSON.map(lambda state: {"state": state}),
        _JSON.map(lambda values: {"state": {"values": values}}),
        _STATE.map(lambda field: {"state": {"values": {"f": {"field": field}}}}),
    )
)
def test_whatever_a_submission_holds_is_read_as_words_or_nothing(view: dict[str, Any]) -> None:
    for values in read_values(view).values():
        assert all(type(value) is str and value for value in values)


@settings(deadline=None)
@given(written=st.text(max_size=40) | _JSON.map(str))
def test_a_forms_own_notes_are_read_or_nothing_is(written: str) -> None:
    origin = Origin.read(written)
    assert origin is None or origin.token


@settings(deadline=None)
@given(errors=st.lists(st.tuples(st.sampled_from(["a", "b", "other", ""]), HOSTILE), min_size=1, max_size=6))
def test_errors_are_for_fields_of_the_form_alone(errors: list[tuple[str, str]]) -> None:
    view = {"blocks": [{"type": "rich_text"}, *({"type": "input", "block_id": each} for each in ("a", "b"))]}
    found = errors_by_block(FieldErrors(tuple(errors)), view)
    assert found
    assert set(found) <= {"a", "b"}
    assert all(0 < len(each) <= 500 for each in found.values())
