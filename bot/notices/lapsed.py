"""The words for accounts that do not work: to connector, owner, administrators, stand-ins, opt-ins, channels."""

from collections.abc import Sequence
from dataclasses import replace

from bot.notices.buttons import buttons
from bot.notices.letter import PERSONAL, Entry, Letter
from bot.notices.moved import where_it_went
from bot.notices.phrases import ROWS, evidence, happened_when, losses, people, place, reason, row, telling, title
from bot.notices.standing import asked, opening, reminded, standing, urge
from commands.access import may_reconnect
from commands.actions import details_action
from commands.causes import cause_text, lapse_text
from commands.drawing import way_to_mend
from commands.messages import Bold, Button, Code, Heading, Line, Message, Note, Rows, Span, Text, Tone, line, text
from commands.model import RECONNECT_DOES_NOT_HELP, Person, Verdict
from commands.ports.notices import NoticeKind
from commands.ports.notices import Part as ReaderPart
from commands.wording import shown

LOGIN_MENDS = frozenset(
    {Verdict.EXPIRED, Verdict.REVOKED, Verdict.CREDENTIAL_CHANGED, Verdict.REPORTED, Verdict.UNCLEAR}
)
"""Causes that logging in again mends, with nothing to put right on the network first."""


def lapsed(letter: Letter) -> Message:
    """Say that accounts do not work: the cause card (X-1), then the accounts, then what this reader can do."""
    return Message(
        (
            Heading(line(*opening(letter), *title(letter))),
            *asked(letter),
            *reminded(letter),
            *_who(letter),
            *_why(letter),
            Text(losses(letter)),
            *_mending(letter),
            *([open_rows(letter)] if len(letter.entries) > 1 else []),
            *standing(letter),
            *buttons(letter),
            *_small_print(letter),
        ),
        Tone.ACTION,
    )


def _who(letter: Letter) -> list[Text]:
    """For everybody but the connector: whose login it is, and whether they know."""
    if letter.part is ReaderPart.CONNECTOR:
        return []
    connectors = {
        entry.view.connector.id: entry.view.connector for entry in letter.open if entry.view.connector is not None
    }
    if not connectors:
        return [text("Nobody here has connected it yet.")]
    if letter.part is ReaderPart.STAND_IN and all(letter.is_gone(person) for person in connectors.values()):
        return [_to_take_over(letter, list(connectors.values()))]
    if len(connectors) > 1:
        return [text("Connected by ", *people(letter, list(connectors.values())), ".")]
    (connector,) = connectors.values()
    return [text("Connected by ", *telling(letter, connector), ".", *_own_part(letter, connector))]


def _to_take_over(letter: Letter, gone: Sequence[Person]) -> Text:
    """Why somebody hears who has nothing to do with it so far (N-12)."""
    it, are = "it" if len(letter.open) == 1 else "them", "is" if len(gone) == 1 else "are"
    return text(*people(letter, gone), f", who connected {it}, {are} no longer here; you can take over.")


def _own_part(letter: Letter, connector: Person) -> Line:
    """Why this reader hears of it."""
    if letter.part is ReaderPart.OWNER:
        return line(" You own this account." if len(letter.entries) == 1 else " You own these accounts.")
    if letter.part is ReaderPart.ADMINISTRATOR and letter.notice.kind is not NoticeKind.ASSIGNED:
        gone = letter.is_gone(connector)
        return line(" Somebody else has to take it over." if gone else " You get a copy as an administrator.")
    return ()


def _why(letter: Letter) -> list[Text]:
    """What happened, and when; where causes differ, the rows say why."""
    causes = {entry.lapse.cause for entry in letter.open}
    if len(causes) > 1:
        return [Text(happened_when(letter.open, "They stopped"))]
    first = letter.open[0]
    happened = lapse_text(first.spec, first.lapse).happened
    return [text(f"{happened} ", *_particulars(letter, first), *happened_when(letter.open, "That was"))]


def _particulars(letter: Letter, entry: Entry) -> Line:
    """The permission that is missing, or the business that it moved to and whom that leads to."""
    evidence = entry.lapse.evidence
    if entry.lapse.cause is Verdict.PERMISSION_MISSING and evidence.missing:
        names: list[Span] = []
        for index, name in enumerate(evidence.missing):
            names += [*line(", " if index else ""), Bold(shown(name))]
        return line("Missing: ", *names, ". ")
    return where_it_went(letter, entry) if entry.lapse.cause is Verdict.ACCOUNT_MOVED else ()


def open_rows(letter: Letter) -> Rows:
    """The accounts that do not work; each with a Reconnect of its own where one login does not mend all."""
    offered = letter.reconnectable() if letter.login_count > 1 else []
    several_networks = len({entry.spec.slug for entry in letter.open}) > 1
    rows = tuple(
        replace(
            row(entry, reason(entry), with_network=several_networks),
            button=letter.reconnect_button(entry) if entry in offered else None,
            details=Button("Details", details_action(entry.view.connection.id)),
        )
        for entry in letter.open[:ROWS]
    )
    return Rows(rows, max(0, len(letter.open) - ROWS))


def _mending(letter: Letter) -> list[Text]:
    """Who can mend it, how long that takes, and what will not help (X-1)."""
    first = letter.open[0]
    if len({(entry.spec.slug, entry.lapse.cause) for entry in letter.open}) > 1:
        return [text(f"{urge(letter)} Each account's details say what mends it.".strip())]
    words = cause_text(first.spec, first.lapse.cause)
    if letter.part in PERSONAL:
        own = _own_mending(letter, first)
        return [text(" ".join(filter(None, (own, words.not_helping or _leave_it(letter)))))]
    special = () if _login_mends(first) else (words.mend, words.not_helping)
    said, stand_in = " ".join(filter(None, (urge(letter), *special))), _stand_in(letter, first)
    return [text(said, " " if said and stand_in else "", *stand_in)] if said or stand_in else []


def _login_mends(entry: Entry) -> bool:
    """Whether a login is all that it takes; then each reader is told in words that are for them."""
    return entry.lapse.cause in LOGIN_MENDS


def _own_mending(letter: Letter, first: Entry) -> str:
    """What connector or owner can do, and how soon it is wanted."""
    wanted = urge(letter)
    if not _login_mends(first):
        return f"{wanted} {cause_text(first.spec, first.lapse.cause).mend}".strip()
    together = len(letter.open) + len([entry for entry in letter.beside if entry.is_open])
    what = "this" if together == 1 else f"all {together}"
    means = f"in about a minute {way_to_mend(first.spec)}"
    logins = f", once for each of {letter.login_count} logins" if letter.login_count > 1 else ""
    too = "" if letter.part is ReaderPart.CONNECTOR else " too"
    return f"{wanted} You can mend {what}{too} {means}{logins}.".strip()


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
    present = {
        entry.view.connector.name
        for entry in letter.open
        if entry.view.connector is not None and not letter.is_gone(entry.view.connector)
    }
    away = f"If {shown(present.pop())} is away, reconnecting" if len(present) == 1 else "Reconnecting"
    parent = first.view.connection.parent
    business: Line = ()
    if parent is not None and len(letter.entries) == 1:
        business = line(" (", Bold(shown(parent.name)), ", ", Code(shown(parent.id)), ")")
    return line(f"{away} takes {first.spec.reconnect_requirement}", *business, ".")


def _small_print(letter: Letter) -> list[Note]:
    """What the network answered, and which of several notices at once this is (N-4)."""
    found = evidence(letter.open[0]) if len(letter.entries) == 1 else ()
    return [*([Note(found)] if found else []), *place(letter)]
