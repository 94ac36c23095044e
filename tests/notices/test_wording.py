"""What notices of lapses say, over the examples, and the rules that every message keeps to."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.notices.buttons import MENU
from bot.notices.data import GONE, ids_text
from bot.notices.example_facts import ANA, FACEBOOK, NOW, RAJ, READERS, claimed, entry, letter
from bot.notices.examples import Example, examples
from bot.notices.letter import PERSONAL, Entry, Letter
from bot.notices.phrases import happened_when
from bot.notices.wording import PARTS, write
from commands.messages import (
    ACTION_LIMIT,
    Button,
    Buttons,
    Facts,
    Heading,
    LinkButton,
    Mark,
    Mention,
    Message,
    Moment,
    Note,
    Plain,
    Rows,
    Text,
    Tone,
)
from commands.model import CLEAR_LAPSES, RECONNECT_DOES_NOT_HELP, Verdict
from commands.ports.notices import NoticeKind, Part
from tests.commands.plain import buttons, plain, plain_line
from tests.support.buttons import all_buttons

EXAMPLES = examples()
BY_NAME = {example.name: example.message for example in EXAMPLES}
LAPSE_KINDS = (NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.NUDGED, NoticeKind.ASSIGNED)
WORDS = {
    Mark.LAPSED: "Lapsed|Still lapsed|Still disconnected|(Daily|Weekly) digest",
    Mark.EXPIRING: r"Expiring (tomorrow|in \d+ days)|Weekly digest",
    Mark.HELD: "Held",
    Mark.GOOD: "Over|Restored|Partly restored|Renewed|(Daily|Weekly) digest|Taken over|Back|Report",
    Mark.URGENT: "Still failing|Link refused|Not delivered|Needs somebody|Needs a new (login|owner)|Bot removed|"
    "Too few hear|Not confirmed|Report",
    Mark.RETIRED: "Retired|Retire[?]",
    Mark.CLAIMED: "Assigned to you|Yours now|Your accounts",
}
JARGON = re.compile(r"token|scope|oauth|grant|\bAPI\b|authoriz", re.IGNORECASE)
ABOUT_NO_ACCOUNT = (
    NoticeKind.PERSONAL_LINK,
    NoticeKind.INSTALLATION_LOST,
    NoticeKind.THIN_REACH,
    NoticeKind.OUTAGE,
    NoticeKind.OUTAGE_OVER,
    NoticeKind.DRILL_ESCALATED,
    NoticeKind.DRILL_REPORT,
    NoticeKind.NOTE,
)
"""Kinds whose first line can name no account: a note stands under a message that does."""

every = pytest.mark.parametrize("example", [pytest.param(one, id=one.name) for one in EXAMPLES])


def one(cause: Verdict = Verdict.REVOKED, name: str = "Acme EU Ads") -> Letter:
    return letter(Part.CONNECTOR, [lapsed(cause, name)])


def lapsed(cause: Verdict = Verdict.REVOKED, name: str = "Acme EU Ads") -> Entry:
    return entry(1, FACEBOOK, name, account_id="1029384756", cause=cause)


def first_line(message: Message) -> str:
    head = message.parts[0]
    assert isinstance(head, Heading | Text)
    return plain_line(head.line)


def test_every_kind_has_an_example_for_every_part_that_gets_it() -> None:
    shown = {(example.kind, example.part) for example in EXAMPLES}
    assert shown == {(kind, part) for kind, parts in PARTS.items() for part in parts}
    assert set(PARTS) == set(NoticeKind)
    assert len(BY_NAME) == len(EXAMPLES)


@pytest.mark.behaviour("N-17")
@every
def test_the_first_line_stands_alone_and_its_mark_has_its_word(example: Example) -> None:
    said = first_line(example.message).removeprefix("DRILL · ")
    assert len(said) < 200
    if example.kind is NoticeKind.NOTE:
        return
    mark = next(mark for mark in WORDS if said.startswith(mark))
    assert re.match(rf"{mark} ({WORDS[mark]})[:? ]", said)
    if example.kind in ABOUT_NO_ACCOUNT or "to @Ana Ruiz" in said or "nothing depends on" in said:
        return
    single = re.search(r"\*(Facebook|TikTok|LinkedIn|Letterly|Suite Social) · [^*]+\* · `[\w-]+` · client \w+", said)
    several = re.search(r"\*[^*]+\* · (all |14 of )?\d+ (accounts|logins)|\*\d+ accounts\* · |digest: ", said)
    assert single or several


@pytest.mark.behaviour("N-17")
@every
def test_every_message_keeps_to_the_rules_of_words_and_buttons(example: Example) -> None:
    message = example.message
    words = plain(message) + message.subject
    assert not JARGON.search(words)
    assert "  " not in words
    assert "None" not in words
    assert not re.search(r"[!]|@(channel|here|everyone)", words)
    assert len(words) < 2500
    controls = [part for part in message.parts if isinstance(part, Buttons)]
    assert len(controls) <= 1
    assert all(len(part.primary) <= 2 and len(part.menu) <= MENU for part in controls)
    # A menu of one is a button, which would be the third.
    assert not any(len(part.primary) == 2 and len(part.menu) == 1 for part in controls)
    for part in message.parts:
        assert isinstance(part, Heading | Text | Rows | Buttons | Note | Facts)
        if isinstance(part, Text | Note | Heading):
            assert plain_line(part.line).strip() == plain_line(part.line) != ""
        if isinstance(part, Buttons):
            assert part.primary or part.menu
    for button in all_buttons(message):
        assert len(button.label) <= 75
        if isinstance(button, Button):
            assert len(button.action.encode()) <= ACTION_LIMIT
        else:
            assert len(button.url) < 200


@pytest.mark.behaviour("N-9")
@every
def test_only_connector_and_owner_get_a_link_of_their_own(example: Example) -> None:
    links = [button for button in all_buttons(example.message) if isinstance(button, LinkButton)]
    assert not links or example.part in PERSONAL


@pytest.mark.behaviour("N-18")
@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=example.name)
        for example in EXAMPLES
        if example.kind in LAPSE_KINDS and "restored" not in example.state and "retired" not in example.state
    ],
)
def test_what_is_lost_meanwhile_is_said(example: Example) -> None:
    assert re.search(
        r"Missing since <time .*>: (spend|campaign reports|posts).* of (this account|\d+ accounts, \d+ clients?)",
        plain(example.message),
    )


@pytest.mark.behaviour("N-10")
@pytest.mark.parametrize("part", list(Part))
def test_a_restored_notice_is_green_without_buttons_and_says_who_and_how_long(part: Part) -> None:
    message = BY_NAME[f"lapsed, restored: {part.value}"]
    assert message.tone is Tone.GOOD
    assert all_buttons(message) == []
    assert re.search(r"by (@Raj Patel|you), after 3 h 20 min", plain(message))


@pytest.mark.behaviour("N-18", "X-11")
def test_only_the_clients_that_the_reader_may_see_are_counted() -> None:
    entries = [
        entry(number, FACEBOOK, f"A{number}", account_id=str(number), cause=Verdict.REVOKED, client=client)
        for number, client in enumerate(("Acme", "Acme", "Brio"))
    ]
    text = plain(write(letter(Part.CONNECTOR, entries[:1], beside=entries[1:2])))
    assert "of 2 accounts, 1 client. The same login also reads A1." in text
    assert "Brio" not in text


@pytest.mark.behaviour("N-18")
def test_of_several_accounts_the_data_are_missing_since_the_first_of_them_stopped() -> None:
    entries = [
        entry(hours, FACEBOOK, f"A{hours}", account_id=str(hours), cause=Verdict.REVOKED, ago=timedelta(hours=hours))
        for hours in (1, 3, 2)
    ]
    since = min(one.since for one in entries)
    assert since == entries[1].since
    lost = plain_line((Plain("Missing since "), Moment(since), Plain(": ")))
    assert lost in plain(write(letter(Part.CONNECTOR, entries)))


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("cause", sorted(CLEAR_LAPSES))
def test_reconnect_is_offered_just_where_it_can_help(cause: Verdict) -> None:
    offered = set(buttons(write(one(cause)))) & {"Reconnect", "I can do it"}
    assert bool(offered) == (cause not in RECONNECT_DOES_NOT_HELP)


@pytest.mark.behaviour("X-1", "N-1")
def test_the_cause_card_says_what_when_what_is_lost_who_mends_it_how_fast_and_what_not_to_do() -> None:
    lines = plain(BY_NAME["lapsed: connector"]).splitlines()
    assert lines[:-2] == [
        "🔒 Lapsed: *Facebook · Acme EU Ads* · `1029384756` · client Acme",
        "The password of the login changed, so the network closed our access. "
        "That was between <time Mon 23 Nov 14:00> and <time Mon 23 Nov 14:10>.",
        "Missing since <time Mon 23 Nov 14:00>: spend and creative data of this account.",
        "Needs action now. You can mend this in about a minute by logging in with your personal Facebook profile. "
        "Leave the account in place: removing it loses its history.",
    ]
    assert lines[-1] == "Facebook answered with `190/460`."
    assert len("\n".join(lines[:-2])) < 450  # what is read in five seconds


@pytest.mark.behaviour("X-1")
@pytest.mark.parametrize(("ago", "said"), [(timedelta(seconds=20), "{found}."), (None, "{found} or earlier.")])
def test_a_moment_is_put_so_that_it_reads_well_where_the_platform_writes_today(
    ago: timedelta | None, said: str
) -> None:
    lapse = one().entries[0].lapse
    seen = replace(lapse, last_good_at=lapse.opened_at - ago if ago is not None else None)
    told = happened_when([replace(one().entries[0], lapse=seen)], "That was")
    assert plain_line(told) == "That was " + said.format(found=plain_line((Moment(lapse.opened_at),)))


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.name)
def test_no_moment_follows_a_word_that_today_or_tomorrow_cannot_follow(example: Example) -> None:
    assert re.search(r"\b(at|on) <(time|day)", plain(example.message)) is None, "some platforms write “today at 14:00”"


@pytest.mark.behaviour("X-1")
def test_names_of_codes_are_jargon_and_are_not_shown() -> None:
    lapse = replace(one().entries[0].lapse, evidence=replace(one().entries[0].lapse.evidence, code="invalid_token"))
    shown = replace(one().entries[0], lapse=lapse)
    assert "invalid_token" not in plain(write(letter(Part.CONNECTOR, [shown])))


@pytest.mark.behaviour("N-5")
@pytest.mark.parametrize("part", ["connector", "owner", "administrator", "stand_in"])
def test_a_first_notice_says_that_action_is_needed_now_unless_somebody_is_on_it(part: str) -> None:
    assert "Needs action now." in plain(BY_NAME[f"lapsed: {part}"])
    assert "Needs action now." not in plain(BY_NAME[f"lapsed, claimed: {part}"])
    if part != "stand_in":
        assert "Needs action now." in plain(BY_NAME[f"reminder, starting over: {part}"])
        assert "Needs action now." not in plain(BY_NAME[f"reminder, the last: {part}"])


@pytest.mark.behaviour("N-6")
def test_reminders_count_themselves_and_the_last_says_that_it_is_still_disconnected() -> None:
    second = plain(BY_NAME["reminder: connector"])
    assert second.startswith("🔒 Still lapsed: *Facebook · Acme EU Ads*")
    assert "Reminder 2 of 5: nothing was read for 7 days." in second
    last = plain(BY_NAME["reminder, the last: connector"])
    assert last.startswith("🔒 Still disconnected: ")
    assert "Last reminder: still disconnected after 22 days; administrators get a copy of this one." in last
    again = plain(BY_NAME["reminder, starting over: connector"])
    assert again.startswith("🔒 Lapsed: ")
    assert "Nothing was read for 27 days: the reminders start over." in again


@pytest.mark.behaviour("N-2")
def test_those_who_opted_in_read_whose_login_it_is_and_can_pass_it_on_or_do_it() -> None:
    message = BY_NAME["lapsed: subscriber"]
    assert "Connected by @Ana Ruiz, who was told <ago Mon 23 Nov 14:10>." in plain(message)
    assert "If Ana Ruiz is away, reconnecting takes a role on the ad account" in plain(message)
    primary = next(part for part in message.parts if isinstance(part, Buttons)).primary
    assert [button.label for button in primary] == ["I can do it", "Nudge Ana Ruiz"]


@pytest.mark.behaviour("N-2")
def test_a_connector_without_an_account_where_the_reader_is_can_be_reached_by_email() -> None:
    elsewhere = replace(letter(Part.SUBSCRIBER, [lapsed()]), platform="otherchat")
    assert "Connected by @Ana Ruiz (ana@acme.example), who was told" in plain(write(elsewhere))
    channel = replace(letter(Part.CHANNEL, [lapsed()]), platform="otherchat")
    assert "ana@acme.example" not in plain(write(channel))


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("part", ["connector", "owner"])
def test_whoever_is_to_mend_it_has_every_way_at_hand(part: str) -> None:
    buttons_part = next(one for one in BY_NAME[f"lapsed: {part}"].parts if isinstance(one, Buttons))
    assert [button.label for button in buttons_part.primary] == ["Reconnect", "I'm on it"]
    other = {"connector": "Otto Berg", "owner": "Ana Ruiz"}[part]
    assert [button.label for button in buttons_part.menu] == [
        "Snooze",
        f"Pass on to {other}",
        "Not in use any more",
        "Add a note",
        "Details",
    ]


@pytest.mark.behaviour("N-11")
def test_snooze_and_not_mine_are_the_pressers_own_so_a_channel_has_neither() -> None:
    for example in EXAMPLES:
        if example.part is Part.CHANNEL:
            assert not {button.label for button in all_buttons(example.message)} & {"Snooze", "Not mine"}


@pytest.mark.behaviour("N-11")
def test_not_mine_is_in_the_menu_where_there_is_nobody_to_pass_it_on_to() -> None:
    view = replace(lapsed().view, owner=None)
    labels = list(buttons(write(letter(Part.CONNECTOR, [replace(lapsed(), view=view)]))))
    assert labels[2:] == ["Snooze", "Not in use any more", "Add a note", "Details", "Not mine"]


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("administrator", [True, False])
@pytest.mark.parametrize("cause", sorted(CLEAR_LAPSES))
@pytest.mark.parametrize("part", list(Part))
def test_a_notice_of_one_account_has_one_short_menu_with_its_details_whoever_reads_it(
    part: Part, cause: Verdict, administrator: bool
) -> None:
    """Also while somebody is on it: the reader, or somebody else."""
    one = lapsed(cause)
    for kind in LAPSE_KINDS:
        for now in (one, claimed(one), claimed(one, READERS[part])):
            drawn = letter(part, [now], kind=kind)
            reader = RAJ if administrator else drawn.reader
            (controls,) = (each for each in write(replace(drawn, reader=reader)).parts if isinstance(each, Buttons))
            assert len(controls.primary) <= 2
            assert len(controls.menu) <= MENU
            assert "Details" in {button.label for button in controls.menu}


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("part", list(Part))
def test_a_claim_is_shown_to_everybody_with_its_end(part: Part) -> None:
    text = plain(BY_NAME[f"lapsed, claimed: {part.value}"])
    assert re.search("👤 (@Raj Patel is|You are) on it until <time Tue 24 Nov 13:12>", text)
    assert "I'm on it" not in text


@pytest.mark.behaviour("N-11")
def test_a_snooze_is_shown_to_who_snoozed_and_to_nobody_else() -> None:
    held = "⏸ Held for you: no reminders until <time Thu 26 Nov 14:12>."
    assert held in plain(BY_NAME["lapsed, snoozed: connector"])
    assert not any("⏸ Held for you" in plain(message) for name, message in BY_NAME.items() if "snoozed" not in name)


@pytest.mark.behaviour("N-10")
def test_notes_stand_in_direct_messages_and_in_channels_under_the_message() -> None:
    written = "@Mei Lin wrote <ago Mon 23 Nov 14:11>: “IT resets the password at noon.”"
    assert written in plain(BY_NAME["lapsed, with a note: connector"])
    assert "IT resets" not in plain(BY_NAME["lapsed, with a note: channel"])


@pytest.mark.behaviour("N-10")
def test_a_note_is_one_line_that_names_who_what_and_the_account() -> None:
    notes = [example for example in EXAMPLES if example.kind is NoticeKind.NOTE]
    assert all(len(example.message.parts) == 1 for example in notes)
    assert plain(BY_NAME["note, claimed: channel"]) == "👤 @Raj Patel is on it · *Facebook · Acme EU Ads*"


@pytest.mark.behaviour("N-12")
def test_stand_ins_read_that_the_connector_is_gone_and_that_they_can_take_over() -> None:
    message = BY_NAME["lapsed: stand_in"]
    assert "@Ana Ruiz, who connected it, is no longer here; you can take over." in plain(message)
    assert "Take over" in buttons(message)
    assert "Nudge Ana Ruiz" not in buttons(message)


@pytest.mark.behaviour("N-12")
def test_a_connector_who_left_is_said_to_be_gone() -> None:
    gone = replace(ANA, left_at=NOW)
    without = replace(lapsed(), view=replace(lapsed().view, connector=gone))
    text = plain(write(letter(Part.ADMINISTRATOR, [without])))
    assert "Connected by @Ana Ruiz, who is no longer here. Somebody else has to take it over." in text
    assert "Nudge Otto Berg" in text
    assert "Connected by @Ana Ruiz, who is no longer here." in plain(
        write(letter(Part.ADMINISTRATOR, [lapsed()], data={GONE: ids_text([ANA.id])}))
    )


@pytest.mark.behaviour("X-8")
@pytest.mark.parametrize("part", list(Part))
def test_a_login_partly_back_says_how_many_and_what_keeps_the_others(part: Part) -> None:
    text = plain(BY_NAME[f"lapsed, partly restored: {part.value}"])
    assert "14 of 17 accounts back" in text
    assert "Not back: 2 need a role, 1 disabled." in text
    assert text.count("role lost") == 2
    assert text.count("account disabled") == 1


@pytest.mark.behaviour("X-8", "N-4")
def test_five_hundred_accounts_are_one_calm_message_with_a_way_to_the_whole_list() -> None:
    for logins in (1, 500):
        entries = [
            entry(n, FACEBOOK, f"A{n}", account_id=str(n), cause=Verdict.REVOKED, login=n % logins) for n in range(500)
        ]
        message = write(letter(Part.CHANNEL, entries))
        rows = next(part for part in message.parts if isinstance(part, Rows))
        assert (len(rows.rows), rows.more) == (10, 490)
        assert "500 accounts" in first_line(message)
        assert "All 500 accounts" in buttons(message)
        assert len(plain(message)) < 1800


def test_a_claim_that_ran_out_is_not_shown() -> None:
    later = replace(letter(Part.CHANNEL, [claimed(lapsed())]), now=NOW + timedelta(days=2))
    assert "Nobody is on it yet" in plain(write(later))


@pytest.mark.behaviour("N-11")
def test_administrators_can_assign_and_reach_the_one_who_has_to_mend_it() -> None:
    labels = set(buttons(BY_NAME["lapsed: administrator"]))
    assert {"Nudge Ana Ruiz", "Assign to somebody", "Copy personalised link of Otto Berg", "Snooze"} <= labels
    assert "Assign to somebody" not in buttons(BY_NAME["lapsed: stand_in"])


@pytest.mark.behaviour("N-11")
def test_what_is_not_somebodys_is_laid_before_administrators() -> None:
    text = plain(BY_NAME["not_mine: administrator"])
    assert "@Ana Ruiz, who connected it, says that it is not theirs to mend." in text
    assert "[Assign to somebody] [I can do it]" in text


@pytest.mark.behaviour("N-11")
def test_a_proposal_to_retire_has_its_button_until_it_is_done() -> None:
    assert "@Mei Lin says that it is not in use any more." in plain(BY_NAME["retirement_proposed: administrator"])
    assert "Retire" in buttons(BY_NAME["retirement_proposed: administrator"])
    assert not buttons(BY_NAME["retirement_proposed, retired: administrator"])


def test_everybody_is_named_as_a_person_and_never_pinged_by_a_word() -> None:
    assert _mentions(BY_NAME["lapsed: owner"].parts[1:]) == ["Ana Ruiz"]


def _mentions(parts: Sequence[object]) -> list[str]:
    return [span.name for part in parts if isinstance(part, Text) for span in part.line if isinstance(span, Mention)]
