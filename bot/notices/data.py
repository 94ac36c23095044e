"""What a notice keeps beside its lapses, and under which names: small texts, since a store keeps them for years.

`NAMES` says which kind carries which. A name that a notice has nothing for is left out of its data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from commands.ids import ClientId, from_wire, to_wire
from commands.ports.notices import Notice, NoticeKind

BESIDE = "beside"
"""Lapses of the same login that are told in notices of their own."""
CONNECTION = "connection"
"""The connections that it is about, where it is about no lapse: of a refused link, of a transfer, played in a drill."""
BY = "by"
"""The name of whoever opened somebody else's link, asks the reader to act, assigned, transferred, sent the link."""
WELCOME = "welcome"
"""Of a personal link: its reader was just added, and nobody waits for it to arrive."""
DAY = "day"
"""The day (ISO date) on which somebody asks the reader to act: another day's asking is another notice."""
GIVEN = "given"
"""Of what somebody asked for (an assignment, a proposal, "not mine"): its first event's id. Asked again, it is another
notice.
"""
WHOM = "whom"
"""The people concerned: who could not be reached, said "not mine", proposed to retire, left, did (of a note)."""
REASON = "reason"
"""Why somebody could not be reached: the platform's code, or ours."""
POSITION, TOTAL = "position", "total"
"""Which of how many notices that the reader gets at once (N-4)."""

NETWORK = "network"
"""Of a notice of many lapses of one network, of several logins: its slug. It grows while they come in (X-8)."""
GONE = "gone"
"""To stand-ins: the connectors who left, or whose chat accounts are gone, so that the reader is to take over (N-12)."""

NUMBER, OF = "number", "of"
"""Of a reminder: which of how many of its round. Left out where it gathers lapses that are at different ones."""
SERIES_DAY = "series_day"
"""Of a reminder: the highest day of the series that it is for, counted from the first notice. It tells two apart."""
LAST = "last"
"""`YES` on a round's last reminder: still disconnected, and administrators get a copy (N-6)."""
AGAIN = "again"
"""`YES` where the series starts over: worded like a first notice, and administrators get a copy (N-6)."""

DAYS = "days"
"""Of a warning: how many days are left, by the reader's calendar when it was planned."""
ENDS = "ends"
"""Of a warning: the end (ISO time) that it warns of. An authorization with a later end was renewed since."""
MORE = "more"
"""How many more there are than a list of ids here names."""
RHYTHM = "rhythm"
"""Of a digest, and of what is gathered for one: "daily" or "weekly" (`commands.model.Rhythm`)."""

OUTAGE = "outage"
"""Of a network's outage, and of its end: its id."""

WHAT = "what"
"""Of a note: what happened (`EventKind`). Of an undelivered notice about no lapse: which it was (`NoticeKind`)."""
TEXT = "text"
"""Of a note: what somebody wrote, or why an attempt did not help."""
AT = "at"
"""Of a note: when it happened (ISO time)."""

HOW = "how"
"""Of a succession: `LEFT` (an administrator said so) or `DEACTIVATED` (their chat accounts are gone)."""
LEFT, DEACTIVATED = "left", "deactivated"
PLATFORM, WORKSPACE, TENANT = "platform", "workspace", "tenant"
"""Of a lost installation: the platform's name, the workspace's name, and its id there."""
STATE = "state"
"""Of an installation: `LOST`, or `BACK` when it works again."""
LOST, BACK = "lost", "back"

NETWORKS = "networks"
"""Of a thin reach: network slugs, separated by spaces."""
WEEK = "week"
"""Of a thin reach: the ISO week, "2026-W47"."""

DRILL = "drill"
"""The drill's id. What it plays stands in `CONNECTION` (an example that the reader may see) and `CLIENT`."""
CLIENT = "client"
"""The client that a drill is for; left out where it is for all."""
ASKED, REACHED, ANSWERED = "asked", "reached", "answered"
"""Of a drill's escalation and report: how many people were to hear, got a message, and confirmed it."""
UNREACHED = "unreached"
"""Of a drill: people whom no message reached (`WHOM`: those who were reached and did not confirm). At most `MOST_KEPT`
of each; `ASKED`, `REACHED` and `ANSWERED` count all.
"""
FASTEST, MEDIAN, SLOWEST = "fastest", "median", "slowest"
"""Of a drill's report: seconds from its start to a confirmation; left out where nobody confirmed."""
SCORES = "scores"
"""Of a drill's report: readiness by client, the least ready first; read it with `scores_in`."""
CHANNELS = "channels"
"""Of a drill's report: how many channels got the message."""

YES = "yes"
MOST_KEPT = 100
"""Ids that one name holds: more are counted, since nobody reads them."""

_PLACE = frozenset({POSITION, TOTAL})
NAMES: Mapping[NoticeKind, frozenset[str]] = MappingProxyType(
    {
        NoticeKind.LAPSED: _PLACE | {BESIDE, NETWORK, GONE, RHYTHM},
        NoticeKind.REMINDER: _PLACE | {BESIDE, NETWORK, NUMBER, OF, SERIES_DAY, LAST, AGAIN, RHYTHM},
        NoticeKind.DIGEST: frozenset({RHYTHM, MORE}),
        NoticeKind.EXPIRING: _PLACE | {DAYS, ENDS, MORE, RHYTHM},
        NoticeKind.LINK_REFUSED: frozenset({CONNECTION, BY}),
        NoticeKind.NUDGED: frozenset({BY, DAY}),
        NoticeKind.ASSIGNED: frozenset({BY, GIVEN}),
        NoticeKind.UNDELIVERED: frozenset({WHOM, REASON, WHAT}),
        NoticeKind.NOT_MINE: frozenset({WHOM, GIVEN}),
        NoticeKind.RETIREMENT_PROPOSED: frozenset({WHOM, CONNECTION, GIVEN}),
        NoticeKind.TRANSFERRED: frozenset({CONNECTION, MORE, BY}),
        NoticeKind.PERSONAL_LINK: frozenset({BY, WELCOME}),
        NoticeKind.SUCCESSION: frozenset({WHOM, HOW}),
        NoticeKind.INSTALLATION_LOST: frozenset({PLATFORM, WORKSPACE, TENANT, STATE}),
        NoticeKind.THIN_REACH: frozenset({NETWORKS, WEEK}),
        NoticeKind.OUTAGE: frozenset({OUTAGE}),
        NoticeKind.OUTAGE_OVER: frozenset({OUTAGE}),
        NoticeKind.DRILL: frozenset({DRILL, CONNECTION, CLIENT}),
        NoticeKind.DRILL_ESCALATED: frozenset({DRILL, CLIENT, ASKED, REACHED, ANSWERED, WHOM, UNREACHED}),
        NoticeKind.DRILL_REPORT: frozenset(
            {
                DRILL,
                CLIENT,
                ASKED,
                REACHED,
                ANSWERED,
                WHOM,
                UNREACHED,
                CHANNELS,
                FASTEST,
                MEDIAN,
                SLOWEST,
                SCORES,
            }
        ),
        NoticeKind.NOTE: frozenset({WHAT, WHOM, BY, TEXT, AT}),
    }
)
"""What each kind may carry; the tests of the planning hold it to that.

Who reads what: SUCCESSION goes to the deputy as a STAND_IN and to administrators, and what hangs on `WHOM` is read anew
(`Authorizations.hanging_on`). A NOTE of `WHAT` claimed has `BY` where somebody else assigned it to `WHOM`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How ready a client is, by a drill: of so many connections, of how many at least two people confirmed."""

    client_id: ClientId
    ready: int
    total: int


def ids_text(ids: Iterable[UUID]) -> str:
    """Write ids as one text."""
    return " ".join(to_wire(one) for one in ids)


def ids_in(notice: Notice, name: str) -> list[UUID]:
    """Read what `ids_text` wrote under this name; empty if there is none."""
    return [from_wire(one) for one in notice.data.get(name, "").split()]


def number_in(notice: Notice, name: str) -> int:
    """Read a number; 0 if there is none."""
    return int(notice.data.get(name, "0"))


def time_in(notice: Notice, name: str) -> datetime | None:
    """Read a time."""
    text = notice.data.get(name)
    return datetime.fromisoformat(text) if text else None


def scores_text(scores: Iterable[Score]) -> str:
    """Write scores as one text."""
    return " ".join(f"{to_wire(score.client_id)}:{score.ready}/{score.total}" for score in scores)


def scores_in(notice: Notice) -> list[Score]:
    """Read what `scores_text` wrote."""
    found = []
    for part in notice.data.get(SCORES, "").split():
        client, _, figures = part.partition(":")
        ready, _, total = figures.partition("/")
        found.append(Score(client_id=ClientId(from_wire(client)), ready=int(ready), total=int(total)))
    return found
