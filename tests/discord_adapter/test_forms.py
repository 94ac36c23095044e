"""Forms as modals: what is drawn and never exceeds a limit, what comes back, and what happens where none opens."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.vendors.discord.forms import submitted
from bot.playground.vendors.discord.modal_rules import ModalRules
from bot.playground.vendors.discord.wire import FormErrors
from commands.messages import (
    ActionRef,
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
)
from commands.ports.chat import Acknowledgement
from platform_adapters.chat.discord.forms import draw_form, values_of
from tests.discord_adapter.drawing_support import TOKENS, WORDS
from tests.discord_adapter.loopback import ANA, GENERAL, RAJ, Answering, Loopback
from tests.discord_adapter.test_inbound import answered, posted
from tests.discord_adapter.test_render import THOROUGHLY

NOTE = ActionRef("note", ("l1",))
FORM = Form(
    title="A note",
    action=NOTE,
    intro=line("About ", "Acme @everyone"),
    fields=(
        TextField(name="text", label="Note", hint="Everybody who is told reads it", long=True, most=200),
        ChoiceField(
            name="networks",
            label="Networks",
            choices=(FormChoice(value="facebook", label="Facebook"), FormChoice(value="tiktok", label="TikTok")),
            chosen=("tiktok",),
            many=True,
        ),
        PersonField(name="person", label="Person", required=False),
    ),
)
VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=100).filter(
    lambda text: len(text.encode("utf-16-le")) <= 200
)


def _choices(values: list[str]) -> st.SearchStrategy[tuple[FormChoice, ...]]:
    return st.tuples(*(st.builds(FormChoice, value=st.just(value), label=WORDS) for value in values))


FIELDS = st.one_of(
    st.builds(
        TextField,
        name=st.just(""),
        label=WORDS,
        hint=WORDS,
        value=WORDS,
        required=st.booleans(),
        long=st.booleans(),
        most=st.integers(1, 9000),
    ),
    st.builds(
        ChoiceField,
        name=st.just(""),
        label=WORDS,
        choices=st.lists(VALUES, min_size=1, max_size=25).flatmap(_choices),
        chosen=st.lists(VALUES, max_size=3).map(tuple),
        many=st.booleans(),
        required=st.booleans(),
    ),
    st.builds(PersonField, name=st.just(""), label=WORDS, required=st.booleans()),
)


def _form(fields: list[Any], title: str, action: ActionRef, intro: str) -> Form:
    named = tuple(replace(field, name=f"f{number}") for number, field in enumerate(fields))
    return Form(title=title[:24], action=action, fields=named, intro=line(intro))


FORMS = st.builds(_form, st.lists(FIELDS, min_size=1, max_size=5), WORDS, TOKENS, WORDS)


def judge(modal: dict[str, Any]) -> None:
    """Hold a modal against Discord's rules. Raises the stand-in's ApiError."""
    errors = FormErrors()
    ModalRules(errors).modal(modal)
    errors.raise_any()


@THOROUGHLY
@given(FORMS)
@pytest.mark.behaviour("C-9")
def test_no_form_exceeds_a_limit(form: Form) -> None:
    """Whatever is in it, Discord takes what is drawn."""
    judge(draw_form(form))
    again = {field.name: ("x" * 5000, "y") if isinstance(field, TextField) else () for field in form.fields}
    judge(draw_form(form, again))


@THOROUGHLY
@given(FORMS, st.data())
def test_what_is_filled_in_comes_back_as_it_was(form: Form, data: st.DataObject) -> None:
    """Each value by its field's name, people as @ID, and nothing for what was left empty."""
    entered: dict[str, str | list[str]] = {}
    wanted: dict[str, tuple[str, ...]] = {}
    for field in form.fields:
        if isinstance(field, TextField):
            text = data.draw(st.text("abc\u00e9😀", min_size=1, max_size=min(field.most, 9)).filter(str.strip))
            entered[field.name], wanted[field.name] = text, (text,)
        elif isinstance(field, ChoiceField):
            value = data.draw(st.sampled_from([one.value for one in field.choices]))
            entered[field.name], wanted[field.name] = [value], (value,)
        else:
            chosen = [] if not field.required and data.draw(st.booleans()) else [str(RAJ)]
            entered[field.name], wanted[field.name] = chosen, tuple(f"@{one}" for one in chosen)
    sent = submitted(draw_form(form), entered, lambda chosen: {"users": {}})
    assert values_of(sent["components"]) == wanted


def test_the_intro_is_left_out_where_a_form_has_no_room_for_it() -> None:
    """Five components are the most; and nothing in the intro comes alive."""
    modal = draw_form(FORM)
    judge(modal)
    assert modal["components"][0] == {"type": 10, "content": "About Acme @\u200beveryone"}
    full = Form(
        title="Full",
        action=NOTE,
        intro=line("About this"),
        fields=tuple(TextField(name=f"f{number}", label="x") for number in range(5)),
    )
    assert [one["type"] for one in draw_form(full)["components"]] == [18] * 5


@pytest.mark.parametrize(
    "components", [None, [], [7], [{}], [{"type": 18, "component": None}], "x", [{"components": 1}]]
)
def test_a_submission_that_makes_no_sense_has_no_values(components: object) -> None:
    assert values_of(components) == {}


async def _opened(discord: Loopback, inbound: Answering, who: int = ANA) -> dict[str, Any]:
    inbound.given = FORM
    inbound.acknowledgements[NOTE.encode()] = Acknowledgement.FORM
    message = await posted(discord, Message((Buttons((Button("Add a note", NOTE),)),)))
    return await discord.people.press(who, message, NOTE.encode())


@pytest.mark.behaviour("C-9")
async def test_a_button_opens_a_form_and_what_is_sent_is_answered_privately(
    discord: Loopback, inbound: Answering
) -> None:
    form = await _opened(discord, inbound)
    assert form["answered_with"] == 9
    sent = await discord.people.submit(ANA, form["id"], text="Back on Monday", person=[str(RAJ)])
    assert sent["status"] == "deferred"
    message = await answered(discord, ANA, "Here you are.")
    assert message["ephemeral"]
    (submission,) = inbound.submissions
    assert submission.token == NOTE.encode()
    assert submission.values == {"text": ("Back on Monday",), "networks": ("tiktok",), "person": (f"@{RAJ}",)}
    assert submission.user.external_id == str(ANA)
    assert submission.place.channel == str(GENERAL)


@pytest.mark.behaviour("C-5")
async def test_a_bare_command_opens_a_form(discord: Loopback, inbound: Answering) -> None:
    """With an option it is a command like any other."""
    inbound.given = FORM
    inbound.acknowledgements["/subscribe-lapses"] = Acknowledgement.FORM
    opened = await discord.people.run(ANA, "subscribe-lapses")
    assert opened["answered_with"] == 9
    assert "Everybody who is told reads it" in opened["modal_html"]
    told = await discord.people.run(ANA, "subscribe-lapses", network="all")
    assert told["answered_with"] == 5
    assert len(inbound.commands) == 1


@pytest.mark.behaviour("P-5")
async def test_a_message_instead_of_a_form_is_a_private_answer(discord: Loopback, inbound: Answering) -> None:
    inbound.given = say("You can't add a note here.")
    inbound.acknowledgements[NOTE.encode()] = Acknowledgement.FORM
    message = await posted(discord, Message((Buttons((Button("Add a note", NOTE),)),)))
    refused = await discord.people.press(RAJ, message, NOTE.encode())
    assert refused["answered_with"] == 4
    assert refused["modal"] is None
    assert "You can't add a note here." in refused["message"]["text"]
    assert refused["message"]["ephemeral"]


async def test_a_form_that_takes_too_long_is_offered_by_a_button(discord: Loopback, inbound: Answering) -> None:
    """Row 15: the press is acknowledged in time, and nothing has to be typed again."""
    inbound.hold.clear()
    late = await _opened(discord, inbound)
    assert late["status"] == "deferred"
    inbound.hold.set()
    offered = await answered(discord, ANA, "A note")
    assert offered["ephemeral"]
    opened = await discord.people.press(ANA, str(offered["id"]), NOTE.encode())
    assert opened["answered_with"] == 9


async def test_what_was_filled_in_wrongly_is_told_and_not_lost(discord: Loopback, inbound: Answering) -> None:
    """Discord shows no faults in a modal: they come as a private answer, whose button opens the form as it was."""
    form = await _opened(discord, inbound)
    inbound.errors = FieldErrors((("text", "That is too short."),))
    await discord.people.submit(ANA, form["id"], text="Back", networks=["facebook"], person=[str(RAJ)])
    told = await answered(discord, ANA, "That is too short.")
    assert told["ephemeral"]
    assert told["text"] == "Note: That is too short.\n⟦button:A note⟧"
    inbound.errors = None
    again = await discord.people.press(ANA, str(told["id"]), NOTE.encode())
    await discord.people.submit(ANA, again["id"], text="Back on Monday")
    await answered(discord, ANA, "Here you are.")
    assert inbound.submissions[-1].values == {
        "text": ("Back on Monday",),
        "networks": ("facebook",),
        "person": (f"@{RAJ}",),
    }
    fresh = await _opened(discord, inbound, RAJ)
    assert "Back" not in fresh["modal_html"]
    taken = await _opened(discord, inbound)
    assert "Back" not in taken["modal_html"]


async def test_a_forged_form_reaches_the_core_as_it_is(discord: Loopback, inbound: Answering) -> None:
    """Row 22: who may do what is asked when it is carried out, of whoever sent it."""
    form = await _opened(discord, inbound)
    discord.vendor._world.interactions[int(form["id"])].modal["custom_id"] = "retire-yes:x"  # type: ignore[index]  # a form is open
    inbound.answer = say("This form is out of date.")
    await discord.people.submit(ANA, form["id"], text="x")
    await answered(discord, ANA, "out of date")
    assert [one.token for one in inbound.submissions] == ["retire-yes:x"]
