"""What notices say, over the examples and over hostile names."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notices.examples import FACEBOOK, NOW, RAJ, claimed, ended, entry, examples, letter
from bot.notices.letter import Letter
from bot.notices.wording import write
from commands.messages import (
    ACTION_LIMIT,
    Button,
    Buttons,
    Heading,
    LinkButton,
    Mark,
    Message,
    Note,
    Rows,
    Text,
    Tone,
)
from commands.model import CLEAR_LAPSES, RECONNECT_DOES_NOT_HELP, LapseEnd, Verdict
from commands.ports.notices import Part
from tests.commands.plain import buttons, plain, plain_line

EXAMPLES = examples()
WORDS = {
    Mark.LAPSED: "Lapsed",
    Mark.GOOD: "Restored|Partly restored",
    Mark.URGENT: "Link refused|Not delivered",
    Mark.RETIRED: "Retired",
    Mark.CLAIMED: ".* is on it|You are on it|Nobody is on it",
}
JARGON = re.compile(r"token|scope|oauth|grant|API", re.IGNORECASE)


def one(cause: Verdict = Verdict.REVOKED, name: str = "Acme EU Ads") -> Letter:
    return letter(Part.CONNECTOR, [entry(1, FACEBOOK, name, account_id="1029384756", cause=cause)])


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_line_stands_alone_and_its_mark_has_its_word(name: str) -> None:
    heading = EXAMPLES[name].parts[0]
    assert isinstance(heading, Heading)
    said = plain_line(heading.line)
    mark = next(mark for mark in WORDS if said.startswith(mark))
    assert re.match(rf"{mark} ({WORDS[mark]}): ", said)
    single = re.search(r"\*(Facebook|TikTok) · [^*]+\* · `\d+` · client \w+", said)
    several = re.search(r"\*(Facebook login of Ana Ruiz|Snapchat)\* · ", said)
    assert single or several


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_message_keeps_to_the_rules_of_words_and_buttons(name: str) -> None:
    message = EXAMPLES[name]
    assert not JARGON.search(plain(message))
    assert "  " not in plain(message)
    for part in message.parts:
        assert isinstance(part, Heading | Text | Rows | Buttons | Note)
        if isinstance(part, Buttons):
            assert part.primary or part.menu
    for button in buttons(message).values():
        if isinstance(button, Button):
            assert len(button.action.encode()) <= ACTION_LIMIT
        else:
            assert len(button.url) < 200


@pytest.mark.behaviour("N-9")
@pytest.mark.parametrize("name", EXAMPLES)
def test_only_connector_and_owner_get_a_link_of_their_own(name: str) -> None:
    links = [button for button in buttons(EXAMPLES[name]).values() if isinstance(button, LinkButton)]
    assert not links or name.endswith((": connector", ": owner"))


@pytest.mark.behaviour("N-18")
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith("lapsed")])
def test_what_is_lost_meanwhile_is_said(name: str) -> None:
    assert re.search(
        r"Missing since <time .*>: spend.* of (this account|\d+ accounts, \d+ clients?)", plain(EXAMPLES[name])
    )


@pytest.mark.behaviour("N-10")
@pytest.mark.parametrize("part", list(Part))
def test_a_restored_notice_is_green_without_buttons_and_says_who_and_how_long(part: Part) -> None:
    message = EXAMPLES[f"restored: {part.value}"]
    assert message.tone is Tone.GOOD
    assert buttons(message) == {}
    assert re.search(r"by (@Raj Patel|you), after 3 h 20 min", plain(message))


@pytest.mark.behaviour("N-18")
def test_only_the_clients_that_the_reader_may_see_are_counted() -> None:
    entries = [
        entry(number, FACEBOOK, f"A{number}", account_id=str(number), cause=Verdict.REVOKED, client=client)
        for number, client in enumerate(("Acme", "Acme", "Brio"))
    ]
    text = plain(write(letter(Part.CONNECTOR, entries[:1], beside=entries[1:2])))
    assert "of 2 accounts, 1 client. The same login also reads A1." in text
    assert "Brio" not in text


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("cause", sorted(CLEAR_LAPSES))
def test_reconnect_is_offered_just_where_it_can_help(cause: Verdict) -> None:
    offered = set(buttons(write(one(cause)))) & {"Reconnect", "I can do it"}
    assert bool(offered) == (cause not in RECONNECT_DOES_NOT_HELP)


def test_some_accounts_back_lists_the_others_with_their_reasons() -> None:
    text = plain(EXAMPLES["partly restored: channel"])
    assert "14 of 17 accounts back" in text
    assert text.count("role lost") == 2
    assert text.count("account disabled") == 1


def test_a_long_list_says_how_many_more_there_are() -> None:
    rows = next(part for part in EXAMPLES["lapsed, a login: connector"].parts if isinstance(part, Rows))
    assert (len(rows.rows), rows.more) == (10, 7)


def test_a_claim_that_ran_out_is_not_shown() -> None:
    lapsed = claimed(entry(1, FACEBOOK, "Acme", account_id="1", cause=Verdict.REVOKED))
    later = replace(letter(Part.CHANNEL, [lapsed]), now=NOW + timedelta(days=2))
    assert "Nobody is on it yet" in plain(write(later))


def test_a_connector_who_left_is_said_to_be_gone() -> None:
    lapsed = entry(1, FACEBOOK, "Acme", account_id="1", cause=Verdict.REVOKED)
    assert lapsed.view.connector is not None
    gone = replace(lapsed.view.connector, left_at=NOW)
    without = replace(lapsed, view=replace(lapsed.view, connector=gone))
    text = plain(write(letter(Part.ADMINISTRATOR, [without])))
    assert "Connected by @Ana Ruiz, who is no longer here. Somebody else has to take it over." in text


HOSTILE = st.text(min_size=1, max_size=3000) | st.sampled_from(
    ["<!channel>", "@everyone", "[x](http://e)", "<https://evil|Reconnect>", "a\u202eb", "a\x00b", "\ud800", "*_~`"]
)


def sentences(message: Message) -> str:
    return "".join(plain(replace(message, parts=(part,))) for part in message.parts)


@given(name=HOSTILE, account_id=HOSTILE)
def test_whatever_an_account_is_called_it_stays_short_inert_text(name: str, account_id: str) -> None:
    lapsed = entry(1, FACEBOOK, name, account_id=account_id, cause=Verdict.REVOKED)
    for entries in ([lapsed], [ended(lapsed, LapseEnd.RECONNECTED)], [ended(lapsed, LapseEnd.RETIRED, RAJ)]):
        message = write(letter(Part.CHANNEL, entries))
        text = sentences(message)
        assert len(text) < 2000
        assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\ud800-\udfff]", text)
