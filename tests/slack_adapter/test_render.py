"""Whatever stands in a message, Slack takes it, nothing in it is live but what we mean, and the rest is counted."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.playground.vendors.slack import live_parts, message_to_text
from bot.playground.vendors.slack.blocks import check_message_blocks
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Chart,
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
    Part,
    Picture,
    Plain,
    Row,
    Rows,
    Series,
    Style,
    Text,
    WebLink,
    line,
    text,
)
from platform_adapters.chat.slack.render import PictureUrl, Rendered, render
from platform_adapters.chat.slack.text import cut, inert, size
from platform_adapters.chat.slack.views import nowhere

TEAM = "T0AGENCY"
AT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
ACTION = ActionRef("reconnect", ("0" * 22,))
PAGE = "https://lapsebot.example/r/0000000000000000000001"

CHART = Chart(title="Lapses", categories=("w1",), series=(Series("expired", (3.0,)),), value_label="lapses")

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!channel>",
            "<!here|x>",
            "@everyone",
            "@here",
            "<https://evil.example|Reconnect>",
            "https://evil.example",
            "<@U0RAJ>",
            "<#C0ADS>",
            "*b* _i_ ~s~ `c` ```f```",
            "> quote",
            "[x](http://e)",
            ":tada:",
            "&lt;!channel&gt;",
            "a|b>c",
            "\u202e\u2066rtl",
            "שלום",
            "\u200b\ufeff",
            "\x00\ud800",
            "",
            " ",
            "\n\n",
            "👩‍👩‍👧‍👦🇩🇪👍🏽" * 200,
            "e\u0301" * 2000,
            "Z" + "\u0335" * 3000,
            "<" * 3000,
            "*" * 3000,
            "n" * 3000,
        ]
    ),
    st.text(st.characters(exclude_categories=()), max_size=80),
)
SPANS = st.one_of(
    HOSTILE.map(Plain),
    HOSTILE.map(Bold),
    HOSTILE.map(Code),
    HOSTILE.map(lambda name: Mention(name, (Handle("slack", "T0OTHER", "U0RAJ"), Handle("discord", "", "1")))),
    st.sampled_from(MomentStyle).map(lambda style: Moment(AT, style)),
)
LINES = st.lists(SPANS, max_size=6).map(tuple)
BUTTONS = st.one_of(
    st.builds(Button, HOSTILE, st.just(ACTION), st.sampled_from(Style)),
    st.builds(LinkButton, HOSTILE, st.just(PAGE), st.sampled_from(Style)),
)
ROWS = st.builds(
    Row,
    st.sampled_from(Mark),
    LINES,
    LINES,
    st.none() | BUTTONS,
    st.none() | st.builds(Button, HOSTILE, st.just(ACTION)),
)
PARTS: st.SearchStrategy[Part] = st.one_of(
    LINES.map(Heading),
    LINES.map(Text),
    LINES.map(Note),
    st.lists(st.tuples(HOSTILE, LINES), max_size=4).map(lambda items: Facts(tuple(items))),
    st.builds(Rows, st.lists(ROWS, max_size=30).map(tuple), st.integers(0, 10**6)),
    st.builds(
        Buttons,
        st.lists(BUTTONS, max_size=2).map(tuple),
        st.lists(st.builds(Button, HOSTILE, st.just(ACTION)), max_size=12).map(tuple),
    ),
    st.builds(Picture, st.just((CHART,)), HOSTILE),
    st.builds(Paging, HOSTILE, st.none() | st.just(ACTION), st.none() | st.just(ACTION)),
)
MESSAGES = st.lists(PARTS, min_size=1, max_size=12).map(lambda parts: Message(tuple(parts)))

PICTURE_URLS: st.SearchStrategy[PictureUrl] = st.sampled_from(
    [nowhere, lambda _: "https://lapsebot.example/picture/" + "x" * 2900]
)


def drawn(message: Message, picture_url: PictureUrl = nowhere) -> Rendered:
    return render(message, TEAM, picture_url)


def taken(rendered: Rendered) -> dict[str, object]:
    """What Slack keeps of it; raises where Slack would refuse it."""
    assert 0 < len(rendered.text) <= 4000
    blocks = check_message_blocks(rendered.blocks)
    return {"text": rendered.text, "blocks": blocks, "options": {"parse": "none"}}


def shown(message: Message) -> str:
    return message_to_text(taken(drawn(message)))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(MESSAGES, PICTURE_URLS)
@pytest.mark.behaviour("N-17")
def test_no_message_is_over_a_limit_and_nothing_in_it_is_live(message: Message, picture_url: PictureUrl) -> None:
    live = live_parts(taken(drawn(message, picture_url)))
    assert all((part.kind, part.target) == ("button", PAGE) for part in live), live


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.integers(1, 60))
def test_a_cut_text_is_never_longer_than_asked(words: str, limit: int) -> None:
    assert size(cut(words, limit)) <= limit


@pytest.mark.parametrize(
    ("words", "limit", "expected"),
    [
        ("Acme", 4, "Acme"),
        ("Acme EU", 5, "Acme…"),
        ("ab👍🏽cd", 5, "ab…"),
        ("ab👩‍👧cd", 6, "ab…"),
        ("abe\u0301cd", 4, "ab…"),
        ("a🇩🇪🇫🇷b", 8, "a🇩🇪…"),
    ],
)
def test_a_cut_is_between_two_visible_signs(words: str, limit: int, expected: str) -> None:
    assert cut(words, limit) == expected


def test_names_are_shown_just_as_they_are_where_slack_has_rich_text() -> None:
    name = "*Sale* <b> & _x_ :tada: `y` <!channel>"
    assert f"Lapsed: {name} · {name}" in shown(Message((Heading(line("Lapsed: ", Bold(name), " · ", name)),)))


def test_beside_a_button_marks_become_look_alikes_and_ordinary_names_stay() -> None:
    assert inert("acme_de_2024 · 14:00: 3 < 4") == "acme_de_2024 · 14:00: 3 &lt; 4"
    assert inert("*Sale* _x_ :tada: `y`") == "∗Sale∗ ＿x＿ ꞉tada: ˋyˋ"


def test_a_person_of_the_readers_workspace_is_mentioned_and_others_are_named() -> None:
    here, elsewhere = Handle("slack", TEAM, "U0ANA"), Handle("slack", "T0OTHER", "U0RAJ")
    message = Message((text(Mention("Ana Ruiz", (elsewhere, here)), " and ", Mention("Raj Patel", (elsewhere,))),))
    rendered = drawn(message)
    assert [(part.kind, part.target) for part in live_parts(taken(rendered))] == [("user", "U0ANA")]
    assert rendered.text == "Ana Ruiz and Raj Patel"
    assert "Raj Patel" in shown(message)


def test_a_time_is_in_the_readers_zone_with_utc_to_fall_back_on() -> None:
    for parts in ((text("since ", Moment(AT)),), (Note(line("since ", Moment(AT))),)):
        rendered = drawn(Message(parts))
        assert "2026-11-22 14:00 UTC" in str(rendered.blocks)
        assert "{date_short_pretty} at {time}" in str(rendered.blocks)


def test_links_in_text_lead_where_they_say_and_no_label_can_break_out() -> None:
    link = WebLink("Help|> <!here>", "https://help.example/a b?q=<x>|y")
    for parts in ((text(link),), (Note(line(link)),)):
        (live,) = live_parts(taken(drawn(Message(parts))))
        assert (live.kind, live.target) == ("link", "https://help.example/a%20b?q=%3Cx%3E%7Cy")


def test_a_link_that_slack_would_refuse_is_left_out_and_the_rest_is_sent() -> None:
    bad = (LinkButton("Open", "javascript:alert(1)"), LinkButton("Far", "https://x.example/" + "a" * 3000))
    rendered = drawn(Message((text("Words", WebLink("a page", "file:///x")), Buttons(bad))))
    assert live_parts(taken(rendered)) == []
    assert "Wordsa page" in rendered.text


def test_the_first_line_stands_alone_in_a_notification_and_all_words_follow() -> None:
    row = Row(Mark.LAPSED, line(Bold("Acme")), line("since Monday"), Button("Reconnect", ACTION))
    message = Message(
        (
            Heading(line("🔒 Lapsed: ", Bold("Acme"))),
            Facts((("Client", line("Acme")),)),
            Rows((row,), 2),
            Note(line("1 of 2")),
        )
    )
    assert drawn(message).text.split("\n") == [
        "🔒 Lapsed: Acme",
        "Client: Acme",
        "🔒 Acme · since Monday",
        "and 2 more",
        "1 of 2",
    ]


def test_one_button_of_a_row_stands_beside_it_and_two_stand_under_it() -> None:
    one = Row(Mark.LAPSED, line("One"), button=Button("Reconnect", ACTION))
    two = Row(Mark.LAPSED, line("Two"), button=Button("Reconnect", ACTION), details=Button("Details", ACTION))
    kinds = [block["type"] for block in drawn(Message((Rows((one, two)),))).blocks]
    assert kinds == ["section", "rich_text", "actions"]


@pytest.mark.parametrize(
    ("entries", "menus"), [(0, []), (1, []), (2, [2]), (5, [5]), (6, [3, 3]), (7, [3, 4]), (11, [3, 4, 4])]
)
def test_a_menu_of_one_is_a_button_and_one_that_is_too_long_is_divided_evenly(entries: int, menus: list[int]) -> None:
    menu = tuple(Button(f"Entry {at}", ACTION) for at in range(entries))
    (block,) = drawn(Message((Buttons((Button("Go", ACTION),), menu),))).blocks
    drawn_menus = [element["options"] for element in block["elements"] if element["type"] == "overflow"]
    assert [len(options) for options in drawn_menus] == menus
    if menus:
        listed = [option["text"]["text"] for options in drawn_menus for option in options]
        assert listed == [f"Entry {at}" for at in range(entries)]
    else:
        assert [element["type"] for element in block["elements"]] == ["button"] * (entries + 1)


def test_two_thousand_lapsed_accounts_are_a_list_a_number_and_the_buttons() -> None:
    rows = tuple(
        Row(
            Mark.LAPSED,
            line(Bold(f"{at} " + "n" * 3000)),
            line("since"),
            Button("Reconnect", ACTION),
            Button("Details", ACTION),
        )
        for at in range(2000)
    )
    message = Message(
        (Heading(line("Needs connecting")), Rows(rows), Buttons((Button("Only mine", ACTION),)), Note(line("Next")))
    )
    words = shown(message)
    rest = 2000 - words.count("[Reconnect]")
    assert f"and {rest:,} more" in words
    assert "[Only mine]" in words
    assert words.endswith("Next")


def test_a_long_text_is_divided_and_keeps_all_its_words() -> None:
    words = " ".join(f"word{at}" for at in range(900))
    rendered = drawn(Message((Text(line(words)),)))
    assert len(rendered.blocks) > 1
    assert message_to_text(taken(rendered)).replace("\n", "") == words


def test_a_text_that_one_message_cannot_hold_ends_with_an_ellipsis() -> None:
    assert shown(Message((Text(line("word " * 5000)),))).rstrip().endswith("…")


def test_an_action_that_is_too_long_to_carry_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="cannot be carried"):
        drawn(Message((Buttons((Button("Go", ActionRef("x" * 101)),)),)))
