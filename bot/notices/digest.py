"""The words of a digest: what gathered for a reader who wants to hear daily or weekly, as one live list (N-16)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.notices.buttons import arranged, list_button
from bot.notices.data import MORE, RHYTHM, number_in
from bot.notices.expiring import expiring_list, login_rows
from bot.notices.letter import Entry, Letter
from bot.notices.phrases import ROWS, account, clients, losses, reason, row
from commands.actions import ListView, StateFilter, details_action
from commands.messages import Button, Heading, Line, Mark, Message, Moment, Part, Row, Rows, Text, Tone, line, text
from commands.model import Rhythm
from commands.wording import number_of

_LOGINS_BESIDE_LAPSES = 5
"""Logins that a digest lists under its lapses: what does not work comes first."""


def digest(letter: Letter) -> Message:
    """One list of all that does not work and all that ends soon, as it stands now."""
    ending = [login for login in letter.logins if not login.renewed]
    if not letter.open and not ending:
        return _all_well(letter)
    entries = (*letter.open, *(entry for entry in letter.entries if not entry.is_open))
    parts: list[Part] = [Heading(_head(letter, len(ending)))]
    if letter.open:
        parts += [*_by_network(letter.open), Text(losses(letter))]
    if entries:
        parts.append(_rows(letter, entries))
    if letter.logins:
        most = _LOGINS_BESIDE_LAPSES if entries else ROWS
        parts.append(login_rows(letter, letter.logins, more=number_in(letter.notice, MORE), most=most))
    ways = [
        *(list_button("Whole list", ListView(state=StateFilter.NEEDS_CONNECTING)) if letter.open else []),
        *(expiring_list(None) if ending else []),
    ]
    return Message((*parts, *arranged(ways, ())), Tone.ACTION if letter.open else Tone.HELD)


def _name(letter: Letter) -> str:
    return "Weekly digest" if letter.notice.data.get(RHYTHM) == Rhythm.WEEKLY else "Daily digest"


def _head(letter: Letter, ending: int) -> Line:
    """How many do not work, and how many end soon; the account itself where it is just one (N-17)."""
    soon = f"{number_of(ending + number_in(letter.notice, MORE), 'login')} expiring soon" if ending else ""
    if not letter.open:
        return line(f"{Mark.EXPIRING} {_name(letter)}: {soon}")
    tail = f" · {soon}" if soon else ""
    if len(letter.open) == 1:
        (entry,) = letter.open
        return line(f"{Mark.LAPSED} {_name(letter)}: lapsed: ", *account(entry.spec, entry.view), tail)
    what = f"{number_of(len(letter.open), 'account')} lapsed"
    return line(f"{Mark.LAPSED} {_name(letter)}: {what} · {clients(letter.open)}{tail}")


def _by_network(entries: Sequence[Entry]) -> list[Text]:
    counted = Counter(entry.spec.name for entry in entries)
    said = " · ".join(f"{name} {number:,}" for name, number in counted.most_common())
    return [text(said)] if len(entries) > 1 else []


def _rows(letter: Letter, entries: Sequence[Entry]) -> Rows:
    offered = set(map(id, letter.reconnectable()))
    rows = tuple(
        replace(
            row(entry, _detail(entry), with_network=True),
            button=letter.reconnect_button(entry) if id(entry) in offered else None,
            details=Button("Details", details_action(entry.view.connection.id)) if entry.is_open else None,
        )
        for entry in entries[:ROWS]
    )
    return Rows(rows, max(0, len(entries) - ROWS))


def _detail(entry: Entry) -> Line:
    if entry.is_open:
        return line("lapsed since ", Moment(entry.since), " · ", *reason(entry))
    return line("retired" if entry.is_retired else "back")


def _all_well(letter: Letter) -> Message:
    """Everything that it told of is mended: green, and no buttons (N-10)."""
    back = [number_of(len(letter.back), "account") + " back"] if letter.back else []
    renewed = [number_of(len(letter.logins), "login") + " renewed"] if letter.logins else []
    retired = len(letter.entries) - len(letter.back)
    gone = [number_of(retired, "account") + " retired"] if retired else []
    said = ", ".join([*back, *renewed, *gone])
    parts: list[Part] = [Heading(line(f"{Mark.GOOD} {_name(letter)}: all mended · {said}"))]
    rows: list[Row] = [row(entry, _detail(entry), with_network=True) for entry in letter.entries[:ROWS]]
    if rows:
        parts.append(Rows(tuple(rows), max(0, len(letter.entries) - ROWS)))
    return Message(tuple(parts), Tone.GOOD)
