"""The words of notices beside an account's state: a link opened by somebody else, a reader not reached, and what people
said of an account that administrators have to settle.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bot.notices.buttons import arranged, buttons, details_buttons, further_buttons, people_buttons
from bot.notices.data import BY, REASON, WHAT
from bot.notices.ended import partly_restored, restored, retired
from bot.notices.lapsed import open_rows
from bot.notices.letter import Account, Letter
from bot.notices.phrases import account, losses, people, several, title
from bot.notices.standing import claimed
from commands.access import may_reconnect
from commands.actions import assign_action, retire_action
from commands.messages import (
    Button,
    Code,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    Part,
    Span,
    Style,
    Text,
    Tone,
    line,
    text,
)
from commands.model import ConnectionState
from commands.ports.notices import NoticeKind
from commands.wording import shown

_WHAT: Mapping[str, str] = MappingProxyType(
    {
        NoticeKind.DIGEST: "a digest of lapses",
        NoticeKind.EXPIRING: "a warning that logins expire",
        NoticeKind.TRANSFERRED: "that accounts are theirs now",
        NoticeKind.PERSONAL_LINK: "the link to their accounts",
        NoticeKind.SUCCESSION: "that somebody's accounts need a new login",
        NoticeKind.DRILL: "a drill",
    }
)
"""What was to be told, where it was about no lapse."""


def link_refused(letter: Letter) -> Message:
    """Tell somebody that their link was opened by someone else."""
    (one,) = letter.accounts[:1]
    by = letter.notice.data.get(BY, "")
    who = f"somebody signed in as {shown(by)}" if by else "somebody else"
    at = Moment(letter.notice.created_at)
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Link refused: ", *account(one.spec, one.view))),
            text("Your Reconnect link was opened by ", who, ", ", at, ". They saw nothing; nothing changed."),
            text("It works only for you. Anybody else who should reconnect gets one by typing ", Code("/lapsed"), "."),
        )
    )


def undelivered(letter: Letter) -> Message:
    """Tell an administrator that somebody, or a channel, was not reached (N-19)."""
    if letter.entries and not letter.open:
        return restored(letter) if letter.back else retired(letter)
    reason = letter.notice.data.get(REASON, "")
    why: Line = line(" (", Code(shown(reason)), ")") if reason else ()
    whom = next(iter(letter.whom), None)
    missed: Span | str = "A channel that asked for it"
    if whom is not None:
        missed = letter.mention(whom.id, whom.name)
    if not letter.entries:
        return _undelivered_aside(letter, missed, why)
    plea = ". Please tell them another way, or mend it yourself." if whom is not None else "."
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Not delivered: ", *title(letter))),
            text(missed, " could not be told", *why, plea),
            Text(losses(letter)),
            *claimed(letter),
            *buttons(letter),
        ),
        Tone.ACTION,
    )


def _undelivered_aside(letter: Letter, missed: Span | str, why: Line) -> Message:
    """What was about no lapse: who missed what."""
    what = _WHAT.get(letter.notice.data.get(WHAT, ""), "a message")
    whom = next(iter(letter.whom), None)
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Not delivered: {what}, to ", missed)),
            text(missed, " could not be told", *why, ". Please tell them another way."),
            *arranged(people_buttons(letter, whom), ()),
        )
    )


def not_mine(letter: Letter) -> Message:
    """Tell administrators that the one who should mend it says that it is not theirs (N-11)."""
    if not letter.open:
        return restored(letter) if letter.back else retired(letter)
    if letter.back:
        return partly_restored(letter)
    view = letter.open[0].view
    whom = letter.whom
    connected = any(person.id == view.connection.connector_id for person in whom)
    role = "connected" if connected else "owns"
    single = len(letter.open) == 1
    said: Line = line("Somebody")
    if whom:
        said = line(*people(letter, whom), f", who {role} {'it' if single else 'them'},")
    assign = Button("Assign to somebody", assign_action(letter.open[0].lapse.id), Style.PRIMARY)
    offered = [letter.reconnect_button(one, "I can do it") for one in letter.reconnectable()[:1]]
    it_is = "it is" if single else "they are"
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Needs somebody: ", *title(letter))),
            text(*said, f" says that {it_is} not theirs to mend. They hear no more of this lapse."),
            Text(losses(letter)),
            *([open_rows(letter)] if len(letter.entries) > 1 else []),
            *claimed(letter),
            *arranged([assign, *(offered if letter.login_count == 1 else [])], further_buttons(letter)),
        ),
        Tone.ACTION,
    )


def retirement_proposed(letter: Letter) -> Message:
    """Ask administrators whether an account is not in use any more (N-11)."""
    accounts = letter.accounts or letter.entries
    single = accounts[0] if len(accounts) == 1 else None
    if all(one.view.connection.state is ConnectionState.RETIRED for one in accounts):
        done = line(f"{Mark.RETIRED} Retired: ", *several(accounts))
        return Message((Heading(done), text("The history is kept. Nothing to do.")))
    who: Line = people(letter, letter.whom) if letter.whom else line("Somebody")
    it, is_not = ("it", "is not") if single is not None else ("they", "are not")
    parts: list[Part] = [
        Heading(line(f"{Mark.RETIRED} Retire? ", *several(accounts))),
        text(*who, f" says that {it} {is_not} in use any more. You decide."),
        text("Retiring stops our checks and notices and keeps the history. It changes nothing on the network."),
    ]
    if not letter.presses:
        parts.append(text(Code("/lapse-admin retire"), " does it, in chat."))
    if single is not None:
        parts += arranged(_retiring(letter, single), details_buttons(single))
    return Message(tuple(parts))


def _retiring(letter: Letter, one: Account) -> list[Button]:
    """Retire asks once more; the other way is to mend it."""
    retire = Button("Retire", retire_action(one.view.connection.id), Style.DANGER)
    keeps = may_reconnect(letter.reader, one.view).allowed and one.view.connection.state is ConnectionState.LAPSED
    mend = letter.reconnect_button(one, "Keep and reconnect") if keeps else None
    return [retire, *([mend] if isinstance(mend, Button) else [])]
