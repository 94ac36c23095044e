"""What notices beside those of lapses say: warnings, digests, successions, drills; and the subjects of all."""

import pytest

from bot.notices.examples import examples
from bot.notices.subjects import AGAIN, ELSEWHERE, FIRST
from bot.notices.wording import PARTS
from commands.messages import (
    Heading,
    Message,
    Text,
    Tone,
)
from commands.ports.notices import NoticeKind, Part
from tests.commands.plain import buttons, plain, plain_line
from tests.support.buttons import all_buttons

EXAMPLES = examples()
BY_NAME = {example.name: example.message for example in EXAMPLES}


def first_line(message: Message) -> str:
    head = message.parts[0]
    assert isinstance(head, Heading | Text)
    return plain_line(head.line)


@pytest.mark.behaviour("D-2")
@pytest.mark.parametrize("part", sorted(PARTS[NoticeKind.EXPIRING]))
def test_a_warning_says_that_the_network_demands_it_how_often_and_blames_nobody(part: Part) -> None:
    message = BY_NAME[f"expiring: {part.value}"]
    text = plain(message)
    assert text.startswith("🕒 Expiring in 7 days: *LinkedIn · Acme Page* · `508812` · client Acme")
    assert "LinkedIn asks for a fresh login every 60 days; this one ends <day Mon 30 Nov 14:12>." in text
    assert "Nothing is broken, and nobody did anything wrong." in text
    assert "Renew" in buttons(message)
    renewed = BY_NAME[f"expiring, renewed: {part.value}"]
    assert renewed.tone is Tone.GOOD
    assert not all_buttons(renewed)


@pytest.mark.behaviour("N-16")
def test_a_digest_is_one_list_of_what_is_open_and_what_ends() -> None:
    text = plain(BY_NAME["digest: connector"])
    assert text.startswith(
        "🔒 Daily digest: 3 accounts lapsed · client Acme · 1 login expiring soon\nTikTok 2 · Facebook 1"
    )
    assert "🕒 *LinkedIn · Acme Page* · `508812` · client Acme · expires" in text
    mended = BY_NAME["digest, all mended: connector"]
    assert mended.tone is Tone.GOOD
    assert not all_buttons(mended)


@pytest.mark.behaviour("N-14")
def test_subjects_are_those_that_people_know() -> None:
    for part in ("connector", "owner"):
        assert BY_NAME[f"lapsed: {part}"].subject == FIRST == BY_NAME[f"reminder, starting over: {part}"].subject
        assert BY_NAME[f"reminder: {part}"].subject == AGAIN == BY_NAME[f"reminder, the last: {part}"].subject
        for state in ("moved", "disabled"):  # a login mends neither, and is not asked for
            assert BY_NAME[f"lapsed, {state}: {part}"].subject == ELSEWHERE
            assert "Reconnect" not in buttons(BY_NAME[f"lapsed, {state}: {part}"])
        assert BY_NAME[f"outage, for a day: {part}"].subject == "TikTok is still failing"
        assert BY_NAME[f"outage, answering again: {part}"].subject == "TikTok answers again: nothing to do"
    assert FIRST == "Immediate action required: please reconnect your account(s)"
    assert AGAIN == "Action required: reconnect account"
    assert all(example.message.subject for example in EXAMPLES)


@pytest.mark.behaviour("X-6", "A-5")
def test_what_hangs_on_somebody_who_is_gone_is_counted_by_client_and_offered_to_the_deputy() -> None:
    text = plain(BY_NAME["succession: stand_in"])
    assert text.startswith(
        "❗ Needs a new login: *24 accounts* · clients Acme 9, Brio 8, Cato 7 · connected by Ana Ruiz"
    )
    assert "Facebook (Ana Ruiz): Acme 9 · Brio 8\nTikTok (Ana Ruiz): Cato 7" in text
    assert "You are Ana Ruiz's deputy" in text


@pytest.mark.behaviour("X-12")
@pytest.mark.parametrize("kind", [NoticeKind.DRILL, NoticeKind.DRILL_ESCALATED, NoticeKind.DRILL_REPORT])
def test_every_message_of_a_drill_is_marked(kind: NoticeKind) -> None:
    for example in EXAMPLES:
        if example.kind is kind:
            assert first_line(example.message).startswith("DRILL")
            assert example.message.subject.startswith("DRILL")
            assert "drill: nothing" in plain(example.message)
            assert not {"Reconnect", "Take over", "I'm on it"} & set(buttons(example.message))


@pytest.mark.behaviour("X-12")
def test_a_drills_report_says_who_in_what_time_and_how_ready_each_client_is() -> None:
    text = plain(BY_NAME["drill_report: administrator"])
    assert "*5 of 8 people confirmed* · client Acme" in text
    assert "Reached: 7 of 8 people, 2 channels" in text
    assert "Reached, but did not confirm: @Otto Berg and @Mei Lin." in text
    assert "Could not be reached: @Lee Okoro." in text
    assert "❗ *Acme* · 75% ready · 3 of 4 connections" in text
