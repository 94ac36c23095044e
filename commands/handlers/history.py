"""`/lapsed history` and its button: past lapses with cause, notes, who mended them and how long it took (C-4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands import usage
from commands.actions import (
    connection_of,
    details_action,
    history_action,
    history_page_action,
    history_page_of,
    note_action,
    who_can_action,
)
from commands.causes import cause_name
from commands.command import Asker, Services
from commands.drawing import Identities, account_line, mark_of, mention, network_name, spec_of
from commands.gaps import filled_of, gap_of, leaves_gap, receipt
from commands.handlers.naming import accounts_asked
from commands.handlers.seeing import seen
from commands.ids import LapseId, PersonId
from commands.messages import (
    Bold,
    Button,
    Buttons,
    Heading,
    Line,
    Mark,
    Mention,
    Message,
    Moment,
    MomentStyle,
    Note,
    Paging,
    Part,
    Plain,
    Text,
    line,
)
from commands.model import ConnectionState, ConnectionView, Lapse, LapseEnd, LapseNote, Person
from commands.parsing import Arguments, LapsedQuery
from commands.ports.hosting import GapFilled
from commands.ports.storage import UnitOfWork
from commands.wording import duration, named, number_of, shown

MOST = 10  # lapses that one page tells
NOTES = 5  # the latest notes told of each
NOTE_LIMIT = 300  # characters of a note

_ENDED = {
    LapseEnd.RECONNECTED: "reconnected",
    LapseEnd.RECOVERED: "worked again by itself",
    LapseEnd.RETIRED: "retired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is told of one connection's past."""

    view: ConnectionView
    lapses: Sequence[Lapse]
    """Of this page, the latest first, one more than is told where there are more."""
    notes: Mapping[LapseId, Sequence[LapseNote]]
    """The oldest first."""
    people: Mapping[PersonId, Person]
    identities: Identities
    filled: Mapping[LapseId, GapFilled]
    """Whose gaps the host product says are filled (X-9)."""
    offset: int = 0
    """How many later ones come before this page."""


async def history(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Tell an account's past; several that match are offered."""
    async with services.storage.reading() as uow:
        offer = ("History", history_action)
        (found,) = await accounts_asked(uow, services, asker, query, arguments, example=usage.HISTORY, offer=offer)
        view = await seen(uow, asker, found.connection.id)
        return _draw(services, await _read(uow, asker, view))


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Tell the past of the row whose button was pressed."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        told = await _read(uow, asker, await seen(uow, asker, connection_id))
    return _draw(services, told)


async def turn(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Tell another page of the same past."""
    connection_id, offset = history_page_of(arguments)
    async with services.storage.reading() as uow:
        told = await _read(uow, asker, await seen(uow, asker, connection_id), offset)
    return _draw(services, told)


def episode(lapse: Lapse, people: Mapping[PersonId, Person], identities: Identities) -> Line:
    """One lapse: "3 November: password changed, reconnected by Ana Ruiz after 3 h 20 min"."""
    what = line(Moment(lapse.opened_at, MomentStyle.DAY), f": {cause_name(lapse.cause)}, ")
    if lapse.ended_at is None:
        return (*what, Plain("still open"))
    by = people.get(lapse.ended_by) if lapse.ended_by else None
    how = _ENDED[lapse.ended_how] if lapse.ended_how else "ended"
    who: list[Mention | str] = [" by ", mention(by, identities)] if by is not None else []
    return (*what, *line(how, *who, f" after {duration(lapse.ended_at - lapse.opened_at)}"))


async def _read(uow: UnitOfWork, asker: Asker, view: ConnectionView, offset: int = 0) -> History:
    """Read in a fixed number of statements."""
    organization_id = asker.organization_id
    lapses = await uow.lapses.history(organization_id, view.connection.id, limit=MOST + 1, offset=offset)
    notes: dict[LapseId, list[LapseNote]] = {}
    for note in await uow.lapses.notes(organization_id, [lapse.id for lapse in lapses[:MOST]]) if lapses else ():
        notes.setdefault(note.lapse_id, []).append(note)
    people = await uow.people.many(organization_id, [lapse.ended_by for lapse in lapses if lapse.ended_by])
    identities = await uow.people.identities(organization_id, list(people)) if people else {}
    return History(
        view=view,
        lapses=lapses,
        notes=notes,
        people=people,
        identities=identities,
        filled=await filled_of(uow, lapses[:MOST]),
        offset=offset,
    )


def _draw(services: Services, told: History) -> Message:
    """The account, how its lapses went in all, then each with its notes."""
    view = told.view
    heading = (Plain(f"{mark_of(view, services.clock.now())} "), *account_line(view, services.networks))
    parts: list[Part] = [Heading(heading), Text(_summary(told))]
    for lapse in told.lapses[:MOST]:
        parts.append(Text((Plain("• "), *episode(lapse, told.people, told.identities))))
        parts += _notes(told.notes.get(lapse.id, ()))
    parts += _receipt(services, told)
    parts += _paging(told)
    menu = [Button("Who can reconnect it", who_can_action(view.connection.id))]
    still_open = view.open_lapse
    if still_open is not None:
        menu.insert(0, Button("Add a note", note_action(still_open.id)))
    parts.append(Buttons((Button("Details", details_action(view.connection.id)),), tuple(menu)))
    return Message(tuple(parts))


def _receipt(services: Services, told: History) -> list[Part]:
    """What the latest lapse that is over left to fetch (X-9), below the latest lapses alone."""
    over = [lapse for lapse in told.lapses[:MOST] if leaves_gap(lapse)]
    if told.offset or not over:
        return []
    connection, networks = told.view.connection, services.networks
    gap = gap_of(over[0], spec_of(networks, connection.network), told.filled.get(over[0].id))
    now, name = services.clock.now(), network_name(networks, connection.network)
    return receipt(connection, over[0], gap, name, now=now)


def _paging(told: History) -> list[Part]:
    """Where there is more than one page."""
    connection_id, offset, more = told.view.connection.id, told.offset, len(told.lapses) > MOST
    if not offset and not more:
        return []
    here = f"{offset + 1}–{offset + min(len(told.lapses), MOST)}"
    previous = history_page_action(connection_id, max(0, offset - MOST)) if offset else None
    return [Paging(here, previous, history_page_action(connection_id, offset + MOST) if more else None)]


def _summary(told: History) -> Line:
    """How many there were, and how long it usually took; on later pages, that they are earlier ones."""
    if told.offset:
        return line(Bold("Earlier lapses") if told.lapses else "There are no lapses before those.")
    if not told.lapses and told.view.connection.state is ConnectionState.UNCONNECTED:
        return line("It has not been connected yet, so nothing has happened to it.")
    if not told.lapses:
        return line(f"{Mark.GOOD} It has never lapsed since it was connected.")
    number = f"More than {MOST} lapses" if len(told.lapses) > MOST else number_of(len(told.lapses), "lapse")
    took = sorted(
        lapse.ended_at - lapse.opened_at for lapse in told.lapses[:MOST] if _was_mended(lapse) and lapse.ended_at
    )
    if not took:
        return line(Bold(number), ".")
    usual = "half of them took no longer than" if len(took) > 1 else "mended after"
    return line(Bold(number), f" · {usual} {duration(took[(len(took) - 1) // 2])}.")


def _was_mended(lapse: Lapse) -> bool:
    return lapse.ended_how in (LapseEnd.RECONNECTED, LapseEnd.RECOVERED)


def _notes(notes: Sequence[LapseNote]) -> list[Part]:
    """What people wrote of one lapse."""
    left_out = len(notes) - NOTES
    told: list[Part] = [Note(line(f"{number_of(left_out, 'earlier note')} left out."))] if left_out > 0 else []
    for note in notes[-NOTES:]:
        words = f"“{shown(note.text, NOTE_LIMIT)}” · {named(note.person_name)}, "
        told.append(Note(line(words, Moment(note.at, MomentStyle.DAY))))
    return told
