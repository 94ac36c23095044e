"""Retiring a connection that is not in use any more (N-11): asks first, keeps the history. Those who may not retire it
propose it to administrators.
"""

from dataclasses import replace
from datetime import datetime

from commands.access import Act, may
from commands.actions import connection_of, details_action, retire_action, retire_confirmed_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.handlers.asked import Asked
from commands.handlers.naming import account_meant
from commands.handlers.seeing import seen
from commands.handlers.together import about
from commands.ids import EventId, new_id, to_wire
from commands.messages import Button, Buttons, Mark, Message, Style, Tone, line
from commands.model import ConnectionState, ConnectionView, LapseEnd
from commands.once_a_day import day_in, event_id
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import shown


async def retire(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin retire ACCOUNT`: asks first."""
    words = asked.need("account", "Which account is not in use any more? Type its id, or part of its name.")
    async with services.storage.reading() as uow:
        view = await account_meant(uow, services, asker, asked, words, offer=("Retire", retire_action))
    return _question(services, asker, view)


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Ask whether it is meant."""
    async with services.storage.reading() as uow:
        view = await seen(uow, asker, connection_of(arguments))
    return _question(services, asker, view)


async def confirmed(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Retire it, or propose that; what the presser may do is asked now."""
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        view = await seen(uow, asker, connection_of(arguments))
        if view.connection.state is ConnectionState.RETIRED:
            return _already(services, view)
        if may(asker.person, Act.RETIRE, view):
            await _retire(uow, asker, view, now)
            return _retired(services, view)
        fresh = await _propose(uow, asker, view, now)
    return _proposed(services, view, fresh=fresh)


async def _retire(uow: UnitOfWork, asker: Asker, view: ConnectionView, now: datetime) -> None:
    """End its lapse and its state, with the events that end its live messages."""
    organization_id, connection = asker.organization_id, view.connection
    ended = await uow.lapses.end(organization_id, connection.id, at=now, how=LapseEnd.RETIRED, by=asker.person.id)
    await uow.connections.set_state(organization_id, connection.id, ConnectionState.RETIRED)
    retired = Event(
        id=EventId(new_id(now)),
        organization_id=organization_id,
        kind=EventKind.RETIRED,
        at=now,
        connection_id=connection.id,
        authorization_id=connection.authorization_id,
        person_id=asker.person.id,
    )
    await uow.notices.record([retired])
    if ended is not None:
        over = replace(retired, id=EventId(new_id(now)), kind=EventKind.LAPSE_ENDED, lapse_id=ended.id)
        await uow.notices.record([over])
    subject = f"connection {to_wire(connection.id)}"
    await uow.audit.write(entry(asker, now, "connection.retired", subject, account=shown(connection.account_name)))


async def _propose(uow: UnitOfWork, asker: Asker, view: ConnectionView, now: datetime) -> bool:
    """Ask administrators, once a day for each asker and account. False: it was asked today already."""
    connection = view.connection
    day = day_in(asker.organization.time_zone, now)
    event = Event(
        id=event_id(
            asker.organization_id, day, "retirement proposed", to_wire(connection.id), to_wire(asker.person.id)
        ),
        organization_id=asker.organization_id,
        kind=EventKind.RETIREMENT_PROPOSED,
        at=now,
        connection_id=connection.id,
        authorization_id=connection.authorization_id,
        person_id=asker.person.id,
        data={"by": shown(asker.person.name)},
    )
    if not await uow.notices.record_once(event):
        return False
    subject = f"connection {to_wire(connection.id)}"
    await uow.audit.write(
        entry(asker, now, "connection.retirement_proposed", subject, account=shown(connection.account_name))
    )
    return True


def _question(services: Services, asker: Asker, view: ConnectionView) -> Message:
    if view.connection.state is ConnectionState.RETIRED:
        return _already(services, view)
    ends = "Its open lapse ends with it. " if view.open_lapse is not None else ""
    kept = f"It is no longer checked and nobody hears of it any more. {ends}Its history is kept."
    if may(asker.person, Act.RETIRE, view):
        question, label, style = "Is this account not in use any more?", "Yes, retire it", Style.DANGER
    else:
        question = "Is this account not in use any more? You can propose to administrators that it is retired."
        label, style = "Propose it", Style.PRIMARY
    yes = Button(label, retire_confirmed_action(view.connection.id), style)
    details = Button("Details", details_action(view.connection.id))
    return about(services, view, line(question), line(kept), buttons=Buttons((yes, details)))


def _retired(services: Services, view: ConnectionView) -> Message:
    spans = line(
        f"{Mark.RETIRED} Retired: it is no longer checked, nobody hears of it any more, and its history is kept."
    )
    details = Button("Details", details_action(view.connection.id))
    return about(services, view, spans, buttons=Buttons((details,)), tone=Tone.GOOD)


def _already(services: Services, view: ConnectionView) -> Message:
    return about(services, view, line(f"{Mark.RETIRED} It is already retired; its history is kept."))


def _proposed(services: Services, view: ConnectionView, *, fresh: bool) -> Message:
    said = "Administrators are asked, with a button to retire it." if fresh else "You already asked today."
    return about(services, view, line(f"{said} Until one of them does, it stays as it is."))
