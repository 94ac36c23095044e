"""The renderer: what a message becomes, what it may never exceed, and what may never come alive in it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Code,
    Facts,
    Handle,
    Heading,
    LinkButton,
    Mark,
    Mention,
    Message,
    Moment,
    MomentStyle,
    Note,
    Paging,
    Plain,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    WebLink,
    line,
    say,
)
from platform_adapters.chat.discord.render import render, token_of
from tests.discord_adapter.drawing_support import (
    HOSTILE,
    INERT_MESSAGES,
    MESSAGES,
    judge,
    looks_like_mentions,
    seen,
)

THOROUGHLY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LIVE = re.compile(r"⟦(?!button:|off:|menu:)")
LINK_IN_CODE = Heading((Code("[x](http://e)"),))


def details(number: int) -> Button:
    return Button("Details", ActionRef("details", (str(number),)))


def rows(count: int, name: str = "Acme EU Ads") -> tuple[Row, ...]:
    return tuple(
        Row(
            Mark.LAPSED,
            line("Facebook · ", Bold(f"{name} {number}"), " · Acme"),
            line("lapsed since ", Moment(datetime(2026, 11, 22, tzinfo=UTC)), " · password changed · Ana Ruiz"),
            Button("Reconnect", ActionRef("reconnect", (str(number),)), Style.PRIMARY),
            details(number),
        )
        for number in range(count)
    )


def every(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All components, the nested ones after their parents."""
    found = []
    for one in components:
        inner = [*one.get("components", []), *([one["accessory"]] if "accessory" in one else [])]
        found += [one, *every(inner)]
    return found


@THOROUGHLY
@given(MESSAGES)
@pytest.mark.behaviour("N-17")
def test_no_message_exceeds_a_limit(message: Message) -> None:
    """Whatever is in it, Discord takes what is drawn."""
    judge(render(message))


@THOROUGHLY
@given(INERT_MESSAGES)
@example(
    Message((Heading((Bold("<!channel>"), Plain(""), Bold("<!channel>"), Code("*" * 3000))), LINK_IN_CODE))
)  # the marks of two bold spans met where nothing was written between, and took the code's beginning into a bold one
@example(Message((Heading((Bold("a"), Mention("\u200b"), Bold("b"), Code("**"))), LINK_IN_CODE)))
@pytest.mark.behaviour("N-17")
def test_nothing_in_a_name_comes_alive(message: Message) -> None:
    """No mention, link, time or heading is born from a name, however names follow one another."""
    components = render(message)
    assert LIVE.search(seen(components)) is None
    assert not looks_like_mentions(components)


@pytest.mark.parametrize("name", [name for name in HOSTILE if len(name) < 100])
def test_a_hostile_name_is_read_as_it_was_written(name: str) -> None:
    """What looks like markup is shown, letter for letter, wherever a line begins."""
    for spans in ((Plain(name),), (Plain("a "), Plain(name)), (Bold(name), Plain(" b"))):
        components = render(Message((Text(spans),)))
        judge(components)
        assert LIVE.search(seen(components)) is None
        (text,) = [one["content"] for one in every(components) if one["type"] == 10]
        assert not re.search(r"(?m)^(#|-#|[-*] |> |\d+\. )", text)


def test_a_full_page_of_a_list_keeps_a_button_beside_each_row() -> None:
    """Ten rows with details, page turning, two buttons, a menu and notes fit without leaving anything out."""
    message = Message(
        (
            Heading(line(Bold("Needs connecting: 62"))),
            Facts((("By network", line("Facebook 2 · TikTok 1")),)),
            Rows(rows(10)),
            Paging("11–20 of 62", ActionRef("list", ("0",)), ActionRef("list", ("20",))),
            Note(line("Next to expire: LinkedIn")),
            Buttons(
                (Button("Only mine", ActionRef("list", ("mine",))),), tuple(details(100 + item) for item in range(5))
            ),
        ),
        Tone.ACTION,
    )
    components = render(message)
    judge(components)
    text = seen(components)
    assert text.count("⟦button:Reconnect⟧") == 10
    assert "⟦button:‹ Previous⟧ ⟦button:Next ›⟧" in text
    assert "11–20 of 62" in text
    assert "more" not in text.replace("⟦menu:More", "")
    (menu,) = [one for one in every(components) if one["type"] == 3]
    assert [option["label"] for option in menu["options"]][:2] == [
        "Details: Facebook · Acme EU Ads 0 · Acme",
        "Details: Facebook · Acme EU Ads 1 · Acme",
    ]
    assert len(menu["options"]) == 15


def test_rows_that_do_not_fit_are_counted() -> None:
    """Beyond what a message holds, the rest is said as a number, with what the list itself left out."""
    components = render(Message((Heading(line("Lapsed")), Rows(rows(400), more=100))))
    judge(components)
    shown = seen(components).count("🔒")
    assert 20 < shown < 400
    assert f"… and {500 - shown} more" in seen(components)


def test_rows_past_the_buttons_keep_their_actions_in_the_menu() -> None:
    """Thirteen rows with buttons are more than forty components; none of their actions is lost."""
    components = render(Message((Rows(rows(13)),)))
    judge(components)
    everything = every(components)
    pressed = {one["custom_id"] for one in everything if one["type"] == 2}
    chosen = {option["value"] for one in everything if one["type"] == 3 for option in one["options"]}
    assert {f"reconnect:{number}" for number in range(13)} <= pressed | chosen
    assert {f"details:{number}" for number in range(13)} <= chosen


def test_long_names_are_cut_between_characters() -> None:
    """A family emoji, a flag and an accent are never cut apart."""
    for name in ("👩‍👩‍👧" * 900, "🇩🇪" * 1200, "e\u0301" * 2000):
        (text,) = [one["content"] for one in every(render(say(name))) if one["type"] == 10]
        whole, dots = text[:-1], text[-1]
        assert dots == "…"
        assert len(whole) % len(name[: {"👩": 5, "🇩": 2, "e": 2}[name[0]]]) == 0


def test_the_parts_of_a_message_are_drawn_with_discords_own_means() -> None:
    """Times localise, people are linked, links are masked, small print is small, the tone is a colour."""
    at = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
    components = render(
        Message(
            (
                Heading(line("🔒 Lapsed: ", Bold("Facebook · Acme"), " · ", Code("1029384756"))),
                Text((Moment(at), Plain(" "), Moment(at, MomentStyle.DAY), Plain(" "), Moment(at, MomentStyle.AGO))),
                Text((Mention("Ana Ruiz", (Handle("slack", "T1", "U1"), Handle("discord", "", "42"))), Plain("!"))),
                Text((Mention("Raj", (Handle("slack", "T1", "U1"),)),)),
                Text((WebLink("the *help*", "https://lapsebot.test/help_(1)?a=@everyone"),)),
                Note(line("Notice 2 of 3")),
            ),
            Tone.GOOD,
        )
    )
    judge(components)
    assert components[0]["accent_color"] == 0x23A55A
    (text,) = [one["content"] for one in every(components) if one["type"] == 10]
    assert text.split("\n") == [
        "🔒 Lapsed: **Facebook · Acme** · `1029384756`",
        f"<t:{int(at.timestamp())}:f> <t:{int(at.timestamp())}:D> <t:{int(at.timestamp())}:R>",
        "<@42>!",
        "Raj",
        "[the \\*help\\*](https://lapsebot.test/help_%281%29?a=%40everyone)",
        "-# Notice 2 of 3",
    ]


def test_an_address_too_long_for_a_button_stays_a_link() -> None:
    """Discord's buttons end at 512 characters; a longer address is a link in the text instead."""
    long = "https://lapsebot.test/" + "a" * 600
    for message in (
        Message((Buttons((LinkButton("Open", long),)),)),
        Message((Rows((Row(Mark.LAPSED, line("Acme"), button=LinkButton("Open", long)),)),)),
    ):
        components = render(message)
        judge(components)
        assert f"⟦link:{long}|Open⟧" in seen(components)


def test_the_same_action_twice_is_pressed_as_one() -> None:
    """Discord wants each custom id once; the ending that makes it so is taken off again when it is pressed."""
    twice = Button("Reconnect", ActionRef("reconnect", ("a",)))
    components = render(Message((Buttons((twice, twice)),)))
    judge(components)
    presses = [one for one in every(components) if one["type"] == 2]
    assert [token_of({"component_type": 2, "custom_id": one["custom_id"]}) for one in presses] == ["reconnect:a"] * 2
    assert token_of({"component_type": 3, "custom_id": "menu~1", "values": ["details:a"]}) == "details:a"


def test_an_empty_message_is_still_one_that_discord_takes() -> None:
    unnamed = Buttons((LinkButton("\x00", "https://lapsebot.test/" + "a" * 600),))
    for message in (Message(()), say(""), say("\x00"), Message((Rows(()),)), Message((unnamed,))):
        judge(render(message))
