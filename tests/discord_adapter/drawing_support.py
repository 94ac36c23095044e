"""Messages as Hypothesis makes them, and the stand-in's rules to hold a drawing against."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from bot.playground.vendors.discord.markdown import Names
from bot.playground.vendors.discord.mentions import analyse
from bot.playground.vendors.discord.message_rules import check_message, pingable_text
from bot.playground.vendors.discord.render import message_text
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
)

HOSTILE = (
    "<!channel>",
    "@everyone",
    "@HERE",
    "<@123456789012345678>",
    "<@&1>",
    "<#1>",
    "</lapsed:1>",
    "<t:1:R>",
    "<:a:1>",
    "[x](http://e)",
    "https://evil",
    "<https://evil|Reconnect>",
    "http:",
    "//evil.example/x",
    "@",
    "everyone",
    "# x",
    "-# x",
    "- x",
    "> x",
    ">>> x",
    "1. x",
    "12",
    ". x",
    "**",
    "*a*",
    "__b__",
    "~~c~~",
    "||d||",
    "```x```",
    "`",
    "\\",
    "\n",
    " ",
    "\x00",
    "\u202e",
    "\u200b",
    "\ud800",
    "😀",
    "👩‍👩‍👧",
    "🇩🇪",
    "é",
    "שלום",
    "x" * 3000,
    "*" * 3000,
    "😀" * 700,
)
WORDS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=4).map("".join)
INERT_SPANS = st.one_of(WORDS.map(Plain), WORDS.map(Bold), WORDS.map(Code), WORDS.map(Mention))
SPANS = st.one_of(
    INERT_SPANS,
    WORDS.map(lambda name: Mention(name, (Handle("discord", "", "123456789012345678"),))),
    st.builds(Moment, st.just(datetime(2026, 11, 23, tzinfo=UTC)), st.sampled_from(MomentStyle)),
    st.builds(WebLink, WORDS, st.one_of(st.just("https://lapsebot.test/help_(1)"), WORDS)),
)
TOKENS = st.builds(
    ActionRef, st.sampled_from(["list", "details"]), st.sampled_from([(), ("a",), ("x" * 90,), ("x" * 92,)])
)
PRESSES = st.builds(Button, WORDS, TOKENS, st.sampled_from(Style))
LINKS = st.builds(
    LinkButton,
    WORDS,
    st.one_of(
        st.just("https://lapsebot.test/r/abc"),
        st.integers(400, 3000).map(lambda length: "https://lapsebot.test/" + "a" * length),
        WORDS,
    ),
    st.sampled_from(Style),
)
BUTTONS = st.one_of(PRESSES, LINKS)


def _lines(spans: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(spans, max_size=5).map(tuple)


def _parts(spans: st.SearchStrategy[Any], buttons: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lines = _lines(spans)
    rows = st.builds(
        Row, st.sampled_from(Mark), lines, lines, st.one_of(st.none(), buttons), st.one_of(st.none(), PRESSES)
    )
    return st.one_of(
        st.builds(Heading, lines),
        st.builds(Text, lines),
        st.builds(Note, lines),
        st.builds(Facts, st.lists(st.tuples(WORDS, lines), max_size=30).map(tuple)),
        st.builds(Rows, st.lists(rows, max_size=30).map(tuple), st.integers(0, 9999)),
        st.builds(Buttons, st.lists(buttons, max_size=2).map(tuple), st.lists(PRESSES, max_size=40).map(tuple)),
        st.builds(Paging, WORDS, st.one_of(st.none(), TOKENS), st.one_of(st.none(), TOKENS)),
    )


def _messages(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.builds(Message, st.lists(parts, max_size=12).map(tuple), st.sampled_from(Tone))


MESSAGES = _messages(_parts(SPANS, BUTTONS))
INERT_MESSAGES = _messages(_parts(INERT_SPANS, PRESSES))


def payload(components: list[dict[str, Any]]) -> dict[str, Any]:
    """A drawing as it would be posted."""
    return {"components": components, "flags": 1 << 15, "allowed_mentions": {"parse": []}}


def judge(components: list[dict[str, Any]]) -> None:
    """Hold a drawing against Discord's rules. Raises the stand-in's ApiError."""
    check_message(payload(components))


def seen(components: list[dict[str, Any]]) -> str:
    """What a person reads, with what is live in it marked by ⟦…⟧."""
    return message_text(payload(components), Names())


def looks_like_mentions(components: list[dict[str, Any]]) -> bool:
    """Whether Discord's own reading of the raw text finds a mention in it."""
    found = analyse(pingable_text(payload(components)), {"parse": []}, from_interaction=False)
    return bool(found["shown_users"] or found["shown_roles"] or found["shown_everyone"])
