"""How a notice of accounts that do not work opens, and what became of it meanwhile: asked, reminded, claimed, held."""

from datetime import datetime

from bot.notices.data import AGAIN, BY, LAST, NUMBER, OF, YES, number_in
from bot.notices.letter import PERSONAL, Letter
from commands.ids import PersonId
from commands.messages import Bold, Line, Mark, Moment, MomentStyle, Text, line, text
from commands.model import LapseNote
from commands.ports.notices import NoticeKind, Part
from commands.wording import duration, named, shown

NOTES = 3
"""Notes that a message shows, the latest; the history has them all."""
_NOTE_LENGTH = 300  # characters
_MENDING = frozenset({Part.CONNECTOR, Part.OWNER, Part.ADMINISTRATOR, Part.STAND_IN})
"""Parts that are asked to act, where others are only told."""


def opening(letter: Letter) -> Line:
    """The state's mark with its word, which begin the first line."""
    kind, data = letter.notice.kind, letter.notice.data
    if kind is NoticeKind.REMINDER and data.get(AGAIN) != YES:
        return line(f"{Mark.LAPSED} Still {'disconnected' if data.get(LAST) == YES else 'lapsed'}: ")
    if kind is NoticeKind.ASSIGNED:
        return line(f"{Mark.CLAIMED} Assigned to you: ")
    return line(f"{Mark.LAPSED} Lapsed: ")


def is_first(letter: Letter) -> bool:
    """Whether it is a first notice, or worded like one (N-5, N-6)."""
    again = letter.notice.kind is NoticeKind.REMINDER and letter.notice.data.get(AGAIN) == YES
    return letter.notice.kind is NoticeKind.LAPSED or again


def urge(letter: Letter) -> str:
    """How soon it is wanted, unless somebody is on it: at once, says a first notice (N-5)."""
    held = bool(letter.open) and all(entry.lapse.id in letter.mutes for entry in letter.open)
    if letter.claims() or held or (letter.part not in _MENDING and letter.notice.kind is not NoticeKind.ASSIGNED):
        return ""
    return "Needs action now." if is_first(letter) else "Please act."


def asked(letter: Letter) -> list[Text]:
    """Who asks the reader to act (N-2, N-11)."""
    by = letter.notice.data.get(BY)
    this = "this" if len(letter.entries) == 1 else "these"
    if letter.notice.kind is NoticeKind.NUDGED and by:
        return [text(Bold(shown(by)), f" asks you to look at {this}.")]
    if letter.notice.kind is NoticeKind.ASSIGNED:
        return [text(Bold(named(by or "An administrator")), f" gave {this} to you to mend.")]
    return []


def reminded(letter: Letter) -> list[Text]:
    """Which reminder it is, and for how long nothing was read (N-6)."""
    if letter.notice.kind is not NoticeKind.REMINDER:
        return []
    data, since = letter.notice.data, _disconnected(letter)
    number, total = number_in(letter.notice, NUMBER), number_in(letter.notice, OF)
    copied = letter.part is Part.ADMINISTRATOR
    if data.get(AGAIN) == YES:
        tail = "the reminders did not help and start over." if copied else "the reminders start over."
        return [text(f"Nothing was read for {since}: {tail}")]
    if data.get(LAST) == YES:
        tail = "; reminders did not help." if copied else "."
        if letter.part in PERSONAL:
            tail = "; administrators get a copy of this one."
        return [text(f"Last reminder: still disconnected after {since}{tail}")]
    which = f"Reminder {number} of {total}" if number and total else "Reminder"
    return [text(f"{which}: nothing was read for {since}.")]


def _disconnected(letter: Letter) -> str:
    opened: datetime = min(entry.lapse.opened_at for entry in letter.open)
    return duration(letter.now - opened)


def standing(letter: Letter) -> list[Text]:
    """What people did about it so far, and what holds for this reader."""
    return [*_notes(letter), *claimed(letter), *_held(letter)]


def claimed(letter: Letter) -> list[Text]:
    """Who is on it; in a channel also that nobody is."""
    claims = letter.claims()
    if not claims:
        unclaimed = letter.part is Part.CHANNEL and letter.login_count == 1
        return [text(f"{Mark.CLAIMED} Nobody is on it yet.")] if unclaimed else []
    return [
        text(f"{Mark.CLAIMED} ", *_claimant(letter, claim.person_id, name), Moment(claim.until), ".")
        for claim, name in claims
    ]


def _claimant(letter: Letter, person_id: PersonId, name: str) -> Line:
    if letter.is_reader(person_id):
        return line("You are on it until ")
    return line(letter.mention(person_id, name), " is on it until ")


def _held(letter: Letter) -> list[Text]:
    """The reader's own snooze, or that they said it is not theirs; each holds only what they hear."""
    mutes = [letter.mutes.get(entry.lapse.id) for entry in letter.open]
    if not mutes or not all(mutes):
        return []
    ends = [mute.until for mute in mutes if mute is not None and mute.until is not None]
    if not ends:
        return [text(f"{Mark.HELD} Held for you: you said that it is not yours. You hear no more of it.")]
    return [text(f"{Mark.HELD} Held for you: no reminders until ", Moment(min(ends)), ".")]


def _notes(letter: Letter) -> list[Text]:
    """What people wrote; in a channel it stands under the message instead (N-10)."""
    if letter.part is Part.CHANNEL:
        return []
    return [_note(letter, note) for note in letter.notes[-NOTES:]]


def _note(letter: Letter, note: LapseNote) -> Text:
    who: Line = line("You") if letter.is_reader(note.person_id) else (letter.mention(note.person_id, note.person_name),)
    return text(*who, " wrote ", Moment(note.at, MomentStyle.AGO), f": “{shown(note.text, _NOTE_LENGTH)}”")
