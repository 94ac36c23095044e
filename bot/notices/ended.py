"""The words for accounts that work again, all or some of them, and for those that nobody wants any more (N-10, X-8)."""

from collections.abc import Sequence

from bot.notices.buttons import buttons
from bot.notices.lapsed import open_rows
from bot.notices.letter import Entry, Letter
from bot.notices.phrases import ROWS, SAME_TIME, losses, subject, title
from bot.notices.standing import standing
from commands.causes import causes_counted
from commands.messages import Bold, Heading, Line, Mark, Message, Moment, Span, Text, Tone, line, text
from commands.model import LapseEnd
from commands.wording import duration, listed, shown


def restored(letter: Letter) -> Message:
    """Everything works again, or is retired: green, who did it, how long it took, and no buttons."""
    about = title(letter) if len(letter.entries) == 1 else _subject_and_count(letter)
    head = line(f"{Mark.GOOD} Restored: ", *about, " · ", *_by_whom(letter))
    return Message((Heading(head), Text(_gap(letter.back)), *_retired_note(letter)), Tone.GOOD)


def partly_restored(letter: Letter) -> Message:
    """Some accounts work again: how many, and what keeps each of the others."""
    head = line(f"{Mark.GOOD} Partly restored: ", *_subject_and_count(letter), " · ", *_by_whom(letter))
    return Message(
        (
            Heading(head),
            text(f"Not back: {causes_counted(entry.lapse.cause for entry in letter.open)}."),
            Text(losses(letter)),
            open_rows(letter),
            *_retired_note(letter),
            *standing(letter),
            *buttons(letter),
        ),
        Tone.ACTION,
    )


def retired(letter: Letter) -> Message:
    """Nobody wants these any more."""
    by = _people(letter, letter.entries)
    head = line(f"{Mark.RETIRED} Retired: ", *title(letter))
    what = "This account is" if len(letter.entries) == 1 else "These accounts are"
    how = line(", as decided by ", *by) if by else ()
    return Message((Heading(head), text(f"{what} not in use any more", *how, ". The history is kept. Nothing to do.")))


def _subject_and_count(letter: Letter) -> Line:
    wanted = len(letter.back) + len(letter.open)
    back = f"{len(letter.back)} of {wanted}" if letter.open else f"all {wanted}"
    return line(Bold(subject(letter)), f" · {back} accounts back")


def _by_whom(letter: Letter) -> Line:
    """Who mended it, and how long it took."""
    ends = [entry.lapse.ended_at for entry in letter.back if entry.lapse.ended_at is not None]
    took = duration(max(ends) - min(entry.lapse.opened_at for entry in letter.back))
    by = _people(letter, [entry for entry in letter.back if entry.lapse.ended_how is LapseEnd.RECONNECTED])
    return line("by ", *by, f", after {took}") if by else line(f"by itself, after {took}")


def _people(letter: Letter, entries: Sequence[Entry]) -> Line:
    """Who ended these lapses, each person once."""
    names = {
        entry.lapse.ended_by: entry.view.restorer_name or ""
        for entry in entries
        if entry.lapse.ended_by is not None and entry.view.restorer_name
    }
    spans: list[Span] = []
    for index, (person_id, name) in enumerate(names.items()):
        spans += line(
            " and " if index else "", "you" if letter.is_reader(person_id) else letter.mention(person_id, name)
        )
    return tuple(spans)


def _gap(back: Sequence[Entry]) -> Line:
    """Between when nothing was read, for whoever looks for the data."""
    until = max(entry.lapse.ended_at for entry in back if entry.lapse.ended_at is not None)
    since = min(entry.since for entry in back)
    tail = "; what is missing may take a while to appear."
    if until - since < SAME_TIME:
        return line("Nothing was read ", Moment(until), tail)
    return line("Nothing was read between ", Moment(since), " and ", Moment(until), tail)


def _retired_note(letter: Letter) -> list[Text]:
    """Accounts that were taken out of use meanwhile."""
    names = [shown(entry.view.connection.account_name) for entry in letter.entries if entry.is_retired]
    return [text(f"{Mark.RETIRED} Retired meanwhile: {listed(names[:ROWS])}.")] if names else []
