"""The subject of each notice, for where messages have one (N-14). No account is named: passers-by see it."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.notices.data import BACK, STATE
from bot.notices.letter import Letter
from bot.notices.standing import is_first
from commands.access import move_accepted
from commands.model import RECONNECT_DOES_NOT_HELP
from commands.ports.notices import NoticeKind, Part
from commands.wording import number_of

FIRST = "Immediate action required: please reconnect your account(s)"
AGAIN = "Action required: reconnect account"
ELSEWHERE = "Immediate action required: your account(s) stopped working"
"""Of accounts that no login mends: disabled, moved, deleted."""
ELSEWHERE_AGAIN = "Action required: an account does not work"

_OTHERS: Mapping[NoticeKind, str] = MappingProxyType(
    {
        NoticeKind.LINK_REFUSED: "Somebody else opened your Reconnect link",
        NoticeKind.NUDGED: AGAIN,
        NoticeKind.ASSIGNED: "Action required: an account was given to you to reconnect",
        NoticeKind.UNDELIVERED: "Somebody could not be told of a lapse",
        NoticeKind.NOT_MINE: "Action required: an account needs somebody to reconnect it",
        NoticeKind.RETIREMENT_PROPOSED: "Please decide: is this account still in use?",
        NoticeKind.TRANSFERRED: "You now own connected accounts",
        NoticeKind.PERSONAL_LINK: "Your link to your connected accounts",
        NoticeKind.SUCCESSION: "Action required: accounts need somebody to take them over",
        NoticeKind.INSTALLATION_LOST: "Action required: the bot was removed from a workspace",
        NoticeKind.THIN_REACH: "Too few people hear of lapses",
        NoticeKind.OUTAGE_OVER: "A network works again",
        NoticeKind.DRILL: "DRILL: please confirm that you read this",
        NoticeKind.DRILL_ESCALATED: "DRILL: not everybody confirmed",
        NoticeKind.DRILL_REPORT: "DRILL: the report",
        NoticeKind.NOTE: "A note about a lapse",
    }
)


def subject_of(letter: Letter) -> str:
    """The subject of this letter's message, as things stand now."""
    kind = letter.notice.kind
    match kind:
        case NoticeKind.LAPSED | NoticeKind.REMINDER:
            return _lapsed(letter)
        case NoticeKind.DIGEST | NoticeKind.OUTAGE:
            return _digest(letter) if kind is NoticeKind.DIGEST else _outage(letter)
        case NoticeKind.EXPIRING:
            ending = any(not login.renewed for login in letter.logins)
            return "Please renew: a login expires soon" if ending else "Renewed: nothing to do"
        case NoticeKind.SUCCESSION if not letter.hanging and not letter.owned:
            return "Taken over: nothing to do"
        case NoticeKind.INSTALLATION_LOST if letter.notice.data.get(STATE) == BACK:
            return "The bot is back in a workspace"
        case _:
            return _OTHERS[kind]


def _outage(letter: Letter) -> str:
    failing = letter.failing
    if failing is None:
        return "A network is failing: nothing to do"
    if failing.outage.over_at is not None:
        return f"{failing.name} works again: {'please look at your list' if failing.lapsed else 'nothing to do'}"
    if not failing.outage.holds(letter.now):
        return f"{failing.name} is still failing"
    if failing.outage.ended_at is not None:
        return f"{failing.name} answers again: nothing to do"
    return f"{failing.name} is failing: nothing of yours is broken"


def _lapsed(letter: Letter) -> str:
    if not letter.open:
        return "Restored: nothing to do" if letter.back else "Retired: nothing to do"
    if letter.part in (Part.SUBSCRIBER, Part.CHANNEL):
        return "An account that you follow stopped working"
    if all(entry.lapse.cause in RECONNECT_DOES_NOT_HELP and not move_accepted(entry.view) for entry in letter.open):
        return ELSEWHERE if is_first(letter) else ELSEWHERE_AGAIN
    return FIRST if is_first(letter) else AGAIN


def _digest(letter: Letter) -> str:
    if letter.open:
        verb = "needs" if len(letter.open) == 1 else "need"
        return f"{number_of(len(letter.open), 'account')} {verb} connecting"
    return "Logins expire soon" if any(not login.renewed for login in letter.logins) else "All mended: nothing to do"
