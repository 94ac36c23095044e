"""The words for accounts that do not work: to connector, owner, administrators, those who opted in, channels."""

from dataclasses import replace

from bot.notices.buttons import buttons
from bot.notices.data import BY, POSITION, TOTAL
from bot.notices.letter import PERSONAL, Entry, Letter
from bot.notices.phrases import ROWS, happened_when, losses, reason, row, telling, title
from commands.access import may_reconnect
from commands.actions import details_action
from commands.causes import cause_text
from commands.ids import PersonId
from commands.messages import (
    Bold,
    Button,
    Code,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    Note,
    Part,
    Rows,
    Span,
    Text,
    Tone,
    line,
    text,
)
from commands.model import RECONNECT_DOES_NOT_HELP, Person, Verdict
from commands.ports.notices import NoticeKind
from commands.ports.notices import Part as ReaderPart
from commands.wording import listed, shown

LOGIN_MENDS = frozenset(
    {Verdict.EXPIRED, Verdict.REVOKED, Verdict.CREDENTIAL_CHANGED, Verdict.REPORTED, Verdict.UNCLEAR}
)
"""Causes that logging in again mends, with nothing to put right on the network first."""


def lapsed(letter: Letter) -> Message:
    """Say that accounts do not work, why, what it costs, and what this reader can do."""
    parts: list[Part] = [
        Heading(line(f"{Mark.LAPSED} Lapsed: ", *title(letter))),
        *_asked(letter),
        *_who(letter),
        *_why(letter),
        Text(losses(letter)),
        *([open_rows(letter)] if len(letter.entries) > 1 else []),
        *_mending(letter),
        *claimed(letter),
        *buttons(letter),
        *_place(letter),
    ]
    return Message(tuple(parts), Tone.ACTION)


def _asked(letter: Letter) -> list[Text]:
    """Who asks the reader to act (N-2)."""
    by = letter.notice.data.get(BY) if letter.notice.kind is NoticeKind.NUDGED else None
    return [text(Bold(shown(by)), " asks you to look at this.")] if by else []


def _who(letter: Letter) -> list[Text]:
    """For everybody but the connector: whose login it is, and whether they know."""
    if letter.part is ReaderPart.CONNECTOR:
        return []
    connectors = {
        entry.view.connector.id: entry.view.connector for entry in letter.open if entry.view.connector is not None
    }
    if not connectors:
        return [text("Nobody here has connected it yet.")]
    if len(connectors) > 1:
        names = [shown(person.name) for person in connectors.values()]
        return [text(f"Connected by {listed(names)}.")]
    (connector,) = connectors.values()
    return [text("Connected by ", *telling(letter, connector), ".", *_own_part(letter, connector))]


def _own_part(letter: Letter, connector: Person) -> Line:
    """Why this reader hears of it."""
    if letter.part is ReaderPart.OWNER:
        return line(" You answer for this account." if len(letter.entries) == 1 else " You answer for these accounts.")
    if letter.part is ReaderPart.ADMINISTRATOR:
        gone = connector.left_at is not None
        return line(" Somebody else has to take it over." if gone else " You get a copy as an administrator.")
    return ()


def _why(letter: Letter) -> list[Text]:
    """What happened, and when; where causes differ, the rows say why."""
    causes = {entry.lapse.cause for entry in letter.open}
    if len(causes) > 1:
        return [Text(happened_when(letter.open, "They stopped"))]
    first = letter.open[0]
    happened = cause_text(first.spec, first.lapse.cause).happened
    return [text(f"{happened} ", *_particulars(first), *happened_when(letter.open, "That was"))]


def _particulars(entry: Entry) -> Line:
    """The permission that is missing, or the business that it moved to."""
    evidence = entry.lapse.evidence
    if entry.lapse.cause is Verdict.PERMISSION_MISSING and evidence.missing:
        names: list[Span] = []
        for index, name in enumerate(evidence.missing):
            names += [*line(", " if index else ""), Bold(shown(name))]
        return line("Missing: ", *names, ". ")
    if entry.lapse.cause is Verdict.ACCOUNT_MOVED and evidence.moved_to is not None:
        label, parent = entry.spec.parent_label or "business", evidence.moved_to
        return line(f"It is in the {label} ", Bold(shown(parent.name)), " (", Code(shown(parent.id)), "). ")
    return ()


def open_rows(letter: Letter) -> Rows:
    """The accounts that do not work; each with a Reconnect of its own where one login does not mend all."""
    offered = letter.reconnectable() if letter.logins > 1 else []
    rows = tuple(
        replace(
            row(entry, reason(entry)),
            button=letter.reconnect_button(entry) if entry in offered else None,
            details=Button("Details", details_action(entry.view.connection.id)),
        )
        for entry in letter.open[:ROWS]
    )
    return Rows(rows, max(0, len(letter.open) - ROWS))


def _mending(letter: Letter) -> list[Text]:
    """Who can mend it, and what will not help."""
    first = letter.open[0]
    if len({entry.lapse.cause for entry in letter.open}) > 1:
        return [text("Each account's details say what mends it.")]
    words = cause_text(first.spec, first.lapse.cause)
    if letter.part in PERSONAL:
        own = _own_mending(letter, first)
        return [text(" ".join(filter(None, (own, words.not_helping or _leave_it(letter)))))]
    special = () if _login_mends(first) else (words.mend, words.not_helping)
    said, stand_in = " ".join(filter(None, special)), _stand_in(letter, first)
    return [text(said, " " if said and stand_in else "", *stand_in)]


def _login_mends(entry: Entry) -> bool:
    """Whether a login is all that it takes; then each reader is told in words that are for them."""
    return entry.lapse.cause in LOGIN_MENDS


def _own_mending(letter: Letter, first: Entry) -> str:
    """What connector or owner can do, and, unless somebody is on it, how soon it is wanted (N-5)."""
    urge = "" if letter.claims() else "Please act now"
    if not _login_mends(first):
        mend = cause_text(first.spec, first.lapse.cause).mend
        return f"{urge}. {mend}" if urge else mend
    together = len(letter.open) + len([entry for entry in letter.beside if entry.is_open])
    what = "this" if together == 1 else f"all {together}"
    means = f"in about a minute by logging in with {first.spec.login_label}"
    sentence = f"you can mend {what}{'' if letter.part is ReaderPart.CONNECTOR else ' too'} {means}."
    return f"{urge}: {sentence}" if urge else f"{sentence[0].upper()}{sentence[1:]}"


def _leave_it(letter: Letter) -> str:
    """What an impatient person might do, and must not."""
    if letter.open[0].lapse.cause in RECONNECT_DOES_NOT_HELP:
        return ""
    if len(letter.entries) == 1:
        return "Leave the account in place: removing it loses its history."
    return "Leave the accounts in place: removing them loses their history."


def _stand_in(letter: Letter, first: Entry) -> Line:
    """Who may act in the connector's place: whom the network lets."""
    if not may_reconnect(letter.reader, first.view).allowed:
        return ()
    connectors = {entry.view.connector.name for entry in letter.open if entry.view.connector is not None}
    away = f"If {shown(connectors.pop())} is away, reconnecting" if len(connectors) == 1 else "Reconnecting"
    parent = first.view.connection.parent
    business: Line = ()
    if parent is not None and len(letter.entries) == 1:
        business = line(" (", Bold(shown(parent.name)), ", ", Code(shown(parent.id)), ")")
    return line(f"{away} takes {first.spec.reconnect_requirement}", *business, ".")


def claimed(letter: Letter) -> list[Text]:
    """Who is on it; in a channel also that nobody is."""
    claims = letter.claims()
    if not claims:
        return (
            [text(f"{Mark.CLAIMED} Nobody is on it yet.")]
            if letter.part is ReaderPart.CHANNEL and letter.logins == 1
            else []
        )
    return [
        text(f"{Mark.CLAIMED} ", *_claimant(letter, claim.person_id, name), Moment(claim.until), ".")
        for claim, name in claims
    ]


def _claimant(letter: Letter, person_id: PersonId, name: str) -> Line:
    if letter.part is not ReaderPart.CHANNEL and person_id == letter.reader.id:
        return line("You are on it until ")
    return line(letter.mention(person_id, name), " is on it until ")


def _place(letter: Letter) -> list[Note]:
    """Which of several notices at once this is (N-4)."""
    position, total = letter.notice.data.get(POSITION), letter.notice.data.get(TOTAL)
    return [Note(line(f"Notice {position} of {total}"))] if position and total else []
