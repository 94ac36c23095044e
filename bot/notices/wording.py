"""Writes a notice's message from its facts, whatever became of its lapses."""

from bot.notices.asides import undelivered
from bot.notices.data import REASON, WHOM, ids_in
from bot.notices.ended import partly_restored, restored, retired
from bot.notices.lapsed import lapsed
from bot.notices.letter import Letter
from commands.ids import PersonId
from commands.messages import Message
from commands.ports.notices import NoticeKind


def write(letter: Letter) -> Message:
    """Say how things stand now: lapsed (or that somebody could not be told), partly restored, restored, retired."""
    if not letter.open:
        return restored(letter) if letter.back else retired(letter)
    if letter.back:
        return partly_restored(letter)
    if letter.notice.kind is NoticeKind.UNDELIVERED:
        return _undelivered(letter)
    return lapsed(letter)


def _undelivered(letter: Letter) -> Message:
    whom = [letter.people[PersonId(one)] for one in ids_in(letter.notice, WHOM) if one in letter.people]
    mention = letter.mention(whom[0].id, whom[0].name) if whom else None
    return undelivered(letter, whom=mention, reason=letter.notice.data.get(REASON, ""))
