"""Whatever is typed, named or sent: it is read as words, drawn as words, and within the limits (rows 23, 35, 36)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.playground.vendors.slack import live_parts
from bot.playground.vendors.slack.blocks import check_view
from commands.messages import (
    ActionRef,
    Bold,
    Form,
    Message,
    TextField,
    line,
    say,
)
from commands.ports.chat import Words
from platform_adapters.chat.slack.forms import Origin, modal
from platform_adapters.chat.slack.payloads import read_action, read_command, read_home, read_submission, unescaped
from platform_adapters.chat.slack.render import PictureUrl, render_view
from platform_adapters.chat.slack.views import nowhere
from tests.slack_adapter.loopback import ANA, CHANNEL, TEAM
from tests.slack_adapter.test_render import HOSTILE, MESSAGES, PICTURE_URLS

NOTE = ActionRef("note", ("1",))


FORM = Form(title="Note", action=NOTE, fields=(TextField(name="note", label="Note"),))


TYPED = st.one_of(
    st.sampled_from(
        [
            "",
            " \t ",
            "x" * 3000,
            "\u202etiktok",
            "tik\u200btok",
            "&lt;!channel&gt;",
            "<!channel>",
            '"Acme EU" --all \'x',
            "`rm -rf /`; $(x)",
            "<@U0RAJ|raj> <#C0ADS|>",
            "<",
            ">",
            "<>",
            "<<@U1>>",
        ]
    ),
    st.text(st.characters(exclude_categories=()), max_size=60),
)


@settings(deadline=None)
@given(typed=TYPED)
def test_row_23_whatever_is_typed_is_read_as_words(typed: str) -> None:
    asked = read_command({"command": "/lapsed", "text": typed, "user_id": ANA, "team_id": TEAM})
    assert asked is not None
    assert asked.request.arguments == Words(text=unescaped(typed))


@settings(deadline=None)
@given(name=HOSTILE)
def test_row_23_what_somebody_typed_is_inert_where_it_is_said_again(name: str) -> None:
    blocks = render_view(say("I don't know ", Bold(name), "."), TEAM, nowhere)
    assert live_parts({"text": "", "blocks": check_view({"type": "home", "blocks": blocks})["blocks"]}) == []


@pytest.mark.behaviour("N-17")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(message=MESSAGES, picture_url=PICTURE_URLS)
def test_row_35_no_view_is_over_a_limit_and_row_36_nothing_in_it_is_live(
    message: Message, picture_url: PictureUrl
) -> None:
    blocks = render_view(message, TEAM, picture_url)
    home = check_view({"type": "home", "blocks": blocks})
    check_view({"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": blocks})
    addresses = {part.target for part in live_parts({"text": "", "blocks": home["blocks"]}) if part.kind != "button"}
    assert addresses == set()


@settings(deadline=None)
@given(name=HOSTILE)
def test_row_36_a_hostile_name_in_a_form_is_only_words(name: str) -> None:
    form = replace(FORM, fields=(TextField(name="note", label=name, value=name, hint=name),), intro=line(Bold(name)))
    view = check_view(modal(form, Origin(channel=CHANNEL), TEAM))
    assert live_parts({"text": "", "blocks": view["blocks"]}) == []


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([TEAM, ANA, "home", "modal", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "team_id", "type", "value", "tab", "user", "text"]), inner, max_size=4)
    ),
    max_leaves=6,
)


_FIELDS = [
    *("command", "text", "user_id", "team_id", "channel_id", "type", "team", "user", "channel", "view", "container"),
    *("actions", "message", "enterprise", "is_enterprise_install", "event", "authorizations", "response_url"),
]


@settings(deadline=None)
@given(body=st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_no_payload_is_too_odd_to_be_read_or_left(body: dict[str, Any]) -> None:
    for read in (read_command, read_action, read_submission, read_home):
        asked = read(body)
        assert asked is None or asked.request.user.external_id
