"""What is live in a message is seen as live, what is inert as inert; and the page's HTML cannot be broken out of."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.vendors.slack import (
    Names,
    blocks_to_html,
    live_parts,
    message_to_html,
    message_to_text,
    view_to_html,
)
from bot.playground.vendors.slack.wire import Json

NAMES = Names(users={"U0ANA": "ana"}, channels={"C0GEN": "general"}, tz="Europe/Helsinki")


def section(text: str, *, verbatim: bool = True) -> Json:
    return {"text": "", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": verbatim}}]}


def kinds(message: Json) -> set[str]:
    return {part.kind for part in live_parts(message)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<!channel>", "broadcast"),
        ("<!here|here>", "broadcast"),
        ("<@U0ANA>", "user"),
        ("<#C0GEN|general>", "channel"),
        ("<!subteam^S0X|@team>", "usergroup"),
        ("<https://evil.example|Reconnect>", "link"),
        ("*bold <!channel> bold*", "broadcast"),
        ("`<!channel>`", "broadcast"),
        ("&gt; <!channel>", "broadcast"),
        ("<mailto:a@b.example|mail>", "link"),
    ],
)
def test_control_sequences_are_live_even_where_verbatim(text: str, kind: str) -> None:
    assert kinds(section(text)) == {kind}


@pytest.mark.parametrize(
    "text", ["&lt;!channel&gt;", "@channel", "https://evil.example", "#general", "<nonsense>", "a < b > c"]
)
def test_escaped_and_plain_words_are_inert_where_verbatim(text: str) -> None:
    assert kinds(section(text)) == set()


@pytest.mark.parametrize(
    ("text", "kind"), [("hey @channel", "broadcast"), ("https://e.example", "autolink"), ("#general", "channel")]
)
def test_plain_words_come_alive_without_verbatim(text: str, kind: str) -> None:
    assert kinds(section(text, verbatim=False)) == {kind}


def test_plain_text_is_never_live() -> None:
    message = {
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "<!channel> @here https://e.example"}}]
    }
    assert live_parts(message) == []
    assert message_to_text(message) == "<!channel> @here https://e.example"


def test_a_mention_in_the_fallback_text_counts_and_its_links_do_not() -> None:
    message = section("fine") | {"text": "<!here> https://e.example"}
    assert kinds(message) == {"broadcast"}


@pytest.mark.parametrize(
    ("options", "kind"),
    [({}, {"autolink"}), ({"parse": "none"}, set()), ({"parse": "full"}, {"autolink", "broadcast"})],
)
def test_a_bare_text_follows_its_parse_option(options: Json, kind: set[str]) -> None:
    assert kinds({"text": "@here https://e.example", "options": options}) == kind


def test_neutral_text_names_what_is_live_and_what_can_be_pressed() -> None:
    message = section("*Hi* <@U0ANA> see <https://e.example/a|docs> &amp; go\n&gt; quoted")
    message["blocks"].append(
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "a",
                    "text": {"type": "plain_text", "text": "Go"},
                    "url": "https://e.example",
                },
                {
                    "type": "overflow",
                    "action_id": "o",
                    "options": [{"text": {"type": "plain_text", "text": "Snooze"}, "value": "s"}],
                },
            ],
        }
    )
    assert message_to_text(message, NAMES).splitlines() == [
        "Hi ⟦@ana⟧ see ⟦docs → https://e.example/a⟧ & go",
        "> quoted",
        "",
        "[Go → https://e.example] [⋯: Snooze]",
    ]


def test_dates_are_shown_in_the_readers_zone_and_fall_back() -> None:
    shown = section("<!date^1700000000^{date_num} {time}|then> <!date^soon^{time}|then>")
    assert message_to_text(shown, NAMES) == "2023-11-15 00:13 then"


def test_rich_text_and_tables_are_read() -> None:
    leaves = [{"type": "text", "text": "<!channel> "}, {"type": "broadcast", "range": "here"}]
    message = {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": leaves}]}]}
    assert message_to_text(message) == "<!channel> ⟦@here⟧"
    table = {
        "blocks": [
            {"type": "table", "rows": [[{"type": "raw_text", "text": "@here"}, {"type": "raw_text", "text": "2"}]]}
        ]
    }
    assert message_to_text(table) == "@here | 2"


class Tags(HTMLParser):
    """Collects what a browser would make of the HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


SAFE_ATTRIBUTES = re.compile(
    r"^(class|href|target|rel|data-[a-z-]+|type|role|aria-[a-z]+|title|datetime|alt|loading|src|src|value)$"
)
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "<javascript:alert(1)|click>",
            "<https://e.example/\"onmouseover='x'|y>",
            "*<https://e.example|*x>*",
            "```<b>```",
            "<!date^1^{date}^javascript:x|f>",
        ]
    ),
)


@given(HOSTILE, HOSTILE)
def test_no_text_breaks_out_of_the_html(one: str, two: str) -> None:
    message = section(one + two, verbatim=False) | {
        "ts": "1700000000.000100",
        "author": one,
        "from_app": True,
        "text": two,
    }
    button = {"type": "button", "action_id": one, "value": two, "text": {"type": "plain_text", "text": one}, "url": two}
    message["blocks"].append({"type": "actions", "block_id": two, "elements": [button]})
    parser = Tags()
    parser.feed(message_to_html(message, NAMES) + blocks_to_html({"text": one}))
    assert parser.tags <= {
        "article",
        "span",
        "div",
        "header",
        "b",
        "i",
        "s",
        "code",
        "pre",
        "a",
        "br",
        "time",
        "button",
        "blockquote",
    }
    assert all(SAFE_ATTRIBUTES.match(name) for name in parser.attributes), parser.attributes
    assert all(re.match(r"(?i)^(https?://|mailto:)", address) for address in parser.addresses)


def test_the_html_carries_what_a_page_needs_to_press() -> None:
    button = {
        "type": "button",
        "action_id": "go",
        "value": "7",
        "style": "primary",
        "text": {"type": "plain_text", "text": "Go"},
    }
    link = {
        "type": "button",
        "action_id": "open",
        "url": "https://e.example",
        "text": {"type": "plain_text", "text": "Open"},
    }
    html = blocks_to_html({"blocks": [{"type": "actions", "block_id": "b", "elements": [button, link]}]})
    assert '<button type="button" class="s-button s-button--primary" data-action-id="go" data-block-id="b"' in html
    assert 'data-value="7"' in html
    assert '<a class="s-button" href="https://e.example" target="_blank"' in html


def test_marks_of_a_message_are_shown() -> None:
    html = message_to_html(
        {
            "ts": "1700000000.000100",
            "author": "lapsebot",
            "from_app": True,
            "ephemeral": True,
            "is_edited": True,
            "text": "x",
        },
        NAMES,
    )
    assert all(mark in html for mark in ("APP", "Only visible to you", "(edited)", "00:13"))


def test_a_modal_becomes_a_form() -> None:
    plain = {"type": "plain_text", "text": "Title"}
    element = {"type": "static_select", "action_id": "a", "options": [{"text": plain, "value": "v"}]}
    view = {
        "id": "V1",
        "type": "modal",
        "title": plain,
        "submit": plain,
        "blocks": [{"type": "input", "block_id": "b", "label": plain, "element": element}],
    }
    html = view_to_html(view)
    assert html.startswith('<form class="s-modal" role="dialog"')
    assert '<option value="v">Title</option>' in html


@given(st.text(alphabet="*_~`<>|@#!& \nab", max_size=400))
def test_reading_mrkdwn_never_fails_and_never_hangs(text: str) -> None:
    message_to_text(section(text, verbatim=False))
    blocks_to_html(section(text, verbatim=False))
