"""Writes a notice's message from its facts, whatever became of what it tells of."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.notices.asides import link_refused, not_mine, retirement_proposed, undelivered
from bot.notices.digest import digest
from bot.notices.drill import drill, drill_escalated, drill_report
from bot.notices.ended import partly_restored, restored, retired
from bot.notices.expiring import expiring
from bot.notices.handover import personal_link, succession, transferred
from bot.notices.lapsed import lapsed
from bot.notices.letter import Letter
from bot.notices.note import note
from bot.notices.outage_words import outage, outage_over
from bot.notices.silence import installation_lost, thin_reach
from bot.notices.subjects import subject_of
from commands.messages import Message
from commands.ports.notices import NoticeKind, Part

_TO_PEOPLE = frozenset(Part) - {Part.CHANNEL}
_TO_ADMINISTRATORS = frozenset({Part.ADMINISTRATOR})

PARTS: Mapping[NoticeKind, frozenset[Part]] = MappingProxyType(
    {
        NoticeKind.LAPSED: frozenset(Part),
        NoticeKind.REMINDER: frozenset({Part.CONNECTOR, Part.OWNER, Part.ADMINISTRATOR, Part.STAND_IN}),
        NoticeKind.DIGEST: _TO_PEOPLE,
        NoticeKind.EXPIRING: frozenset(Part) - {Part.ADMINISTRATOR},
        NoticeKind.LINK_REFUSED: frozenset({Part.CONNECTOR}),
        NoticeKind.NUDGED: frozenset({Part.CONNECTOR, Part.OWNER}),
        NoticeKind.ASSIGNED: _TO_PEOPLE - {Part.SUBSCRIBER},
        NoticeKind.UNDELIVERED: _TO_ADMINISTRATORS,
        NoticeKind.NOT_MINE: _TO_ADMINISTRATORS,
        NoticeKind.RETIREMENT_PROPOSED: frozenset({Part.CONNECTOR, Part.OWNER, Part.ADMINISTRATOR}),
        NoticeKind.TRANSFERRED: frozenset({Part.OWNER}),
        NoticeKind.PERSONAL_LINK: frozenset({Part.OWNER}),
        NoticeKind.SUCCESSION: frozenset({Part.ADMINISTRATOR, Part.STAND_IN}),
        NoticeKind.INSTALLATION_LOST: _TO_ADMINISTRATORS,
        NoticeKind.THIN_REACH: _TO_ADMINISTRATORS,
        NoticeKind.OUTAGE: frozenset(Part),
        NoticeKind.OUTAGE_OVER: frozenset({Part.CHANNEL}),
        NoticeKind.DRILL: frozenset(Part),
        NoticeKind.DRILL_ESCALATED: _TO_ADMINISTRATORS,
        NoticeKind.DRILL_REPORT: _TO_ADMINISTRATORS,
        NoticeKind.NOTE: frozenset({Part.CHANNEL}),
    }
)
"""Who gets each kind, in which parts."""


def _of_lapses(letter: Letter) -> Message:
    """How things stand now: lapsed, partly restored, restored, retired."""
    if not letter.open:
        return restored(letter) if letter.back else retired(letter)
    return partly_restored(letter) if letter.back else lapsed(letter)


_WORDS: Mapping[NoticeKind, Callable[[Letter], Message]] = MappingProxyType(
    {
        NoticeKind.LAPSED: _of_lapses,
        NoticeKind.REMINDER: _of_lapses,
        NoticeKind.NUDGED: _of_lapses,
        NoticeKind.ASSIGNED: _of_lapses,
        NoticeKind.DIGEST: digest,
        NoticeKind.EXPIRING: expiring,
        NoticeKind.LINK_REFUSED: link_refused,
        NoticeKind.UNDELIVERED: undelivered,
        NoticeKind.NOT_MINE: not_mine,
        NoticeKind.RETIREMENT_PROPOSED: retirement_proposed,
        NoticeKind.TRANSFERRED: transferred,
        NoticeKind.PERSONAL_LINK: personal_link,
        NoticeKind.SUCCESSION: succession,
        NoticeKind.INSTALLATION_LOST: installation_lost,
        NoticeKind.THIN_REACH: thin_reach,
        NoticeKind.OUTAGE: outage,
        NoticeKind.OUTAGE_OVER: outage_over,
        NoticeKind.DRILL: drill,
        NoticeKind.DRILL_ESCALATED: drill_escalated,
        NoticeKind.DRILL_REPORT: drill_report,
        NoticeKind.NOTE: note,
    }
)


def write(letter: Letter) -> Message:
    """Write the message, with its subject."""
    return replace(_WORDS[letter.notice.kind](letter), subject=subject_of(letter))
