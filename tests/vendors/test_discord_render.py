"""How the stand-in shows messages: what is live is marked in the text, and nothing from a message runs in the HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from bot.playground.vendors.discord.form_html import modal_html
from bot.playground.vendors.discord.markdown import Names, parse, to_html, to_text
from bot.playground.vendors.discord.render import message_html, message_text

NAMES = Names(users={"1": "Ana <b>"}, channels={"2": "general"})
NASTY = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def message(**parts: object) -> dict[str, object]:
    author = {"id": "5", "username": NASTY, "global_name": None, "bot": True}
    return {"id": "9", "author": author, "timestamp": "2026-01-02T03:04:05+00:00", "flags": 0, **parts}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("**a** *b* __c__ ~~d~~", "<strong>a</strong> <em>b</em> <u>c</u> <s>d</s>", "a b c d"),
        ("`**a**`", "<code>**a**</code>", "**a**"),
        (r"\*a\* \<@1>", "*a* &lt;@1&gt;", "*a* <@1>"),
        ("# A\nb", '<h1 class="dc-h">A</h1>b', "A\nb"),
        ("> q\nr", "<blockquote>q</blockquote>r", "q\nr"),
        ("snake_case_name", "snake_case_name", "snake_case_name"),
    ],
)
def test_markdown_becomes_what_discord_shows(source: str, html: str, text: str) -> None:
    assert to_html(parse(source), NAMES, 0) == html
    assert to_text(parse(source), NAMES) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<@1> <@!7>", "⟦user:1|@Ana <b>⟧ ⟦user:7|@unknown-user⟧"),
        ("@everyone and @here", "⟦everyone⟧ and ⟦here⟧"),
        ("@\u200beveryone", "@\u200beveryone"),
        ("<#2>", "⟦channel:2|#general⟧"),
        ("[go](https://x.test/a)", "⟦link:https://x.test/a|go⟧"),
        ("see https://x.test.", "see ⟦link:https://x.test|https://x.test⟧."),
        ("<t:60:R>", "⟦time:60:R⟧"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ],
)
def test_what_is_live_is_marked_in_the_neutral_text(source: str, text: str) -> None:
    assert to_text(parse(source), NAMES) == text


def test_nothing_from_a_message_runs_in_the_html() -> None:
    button = {"type": 2, "style": 1, "label": NASTY, "custom_id": NASTY}
    select: dict[str, object] = {
        "type": 3,
        "custom_id": NASTY,
        "placeholder": NASTY,
        "options": [{"label": NASTY, "value": NASTY, "description": NASTY}],
    }
    link = {"type": 2, "style": 5, "label": NASTY, "url": "javascript:alert(1)"}
    container: dict[str, object] = {"type": 17, "accent_color": 1, "components": [{"type": 10, "content": NASTY}]}
    embed: dict[str, object] = {
        "title": NASTY,
        "url": "javascript:alert(1)",
        "description": NASTY,
        "footer": {"text": NASTY},
    }
    embed |= {"fields": [{"name": NASTY, "value": NASTY}], "author": {"name": NASTY}, "image": {"url": "javascript:x"}}
    rows = [{"type": 1, "components": [button, link]}, {"type": 1, "components": [select]}, container]
    shown = message_html(message(content=NASTY, embeds=[embed], components=rows), NAMES, now=0, used_command=NASTY)
    tags = Tags()
    tags.feed(shown)
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "img", "a"}
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]


def test_parts_of_a_message_carry_what_a_page_needs() -> None:
    row: dict[str, object] = {
        "type": 1,
        "components": [
            {"type": 2, "style": 3, "label": "Go", "custom_id": "go", "disabled": True},
            {"type": 2, "style": 5, "label": "Reconnect", "url": "https://x.test/r"},
        ],
    }
    one = message(content="", components=[row], flags=64, edited_timestamp="2026-01-02T03:04:06+00:00")
    shown = message_html(one, NAMES, now=0)
    assert '<button type="button" class="dc-button dc-success" data-custom-id="go" disabled>Go</button>' in shown
    assert 'href="https://x.test/r"' in shown
    assert "Only you can see this" in shown
    assert "(edited)" in shown
    assert "APP" in shown
    assert message_text(one, NAMES) == "⟦off:button:Go⟧ ⟦link:https://x.test/r|Reconnect⟧"


def test_a_form_is_shown_with_its_limits() -> None:
    text_input = {"type": 4, "style": 2, "custom_id": "note", "label": "Note", "max_length": 50, "required": False}
    modal: dict[str, object] = {"title": "T<i>", "custom_id": "m"}
    modal["components"] = [{"type": 1, "components": [text_input]}]
    assert '<textarea name="note" minlength="0" maxlength="50"' in modal_html(modal, "1", {})
    assert "T&lt;i&gt;" in modal_html(modal, "1", {})


@pytest.mark.parametrize("source", [*(mark * 2000 for mark in "*_[|<`"), "**a" * 700])
def test_hostile_markdown_is_parsed_in_bounded_steps(source: str) -> None:
    """The test run's own patience is the bound: what backtracks without end would never come back."""
    assert to_text(parse(source), NAMES)
