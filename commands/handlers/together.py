"""The lapses that a button is about: the one that it names, and the other open ones of the same login, since whoever
mends one mends them all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from commands.access import Act, may, may_see
from commands.actions import reconnect_action
from commands.command import Asker, Services
from commands.drawing import account_line, reconnect_label, spec_of
from commands.errors import CommandError
from commands.handlers.seeing import NotYours
from commands.ids import EventId, LapseId, PersonId, new_id, to_wire
from commands.messages import (
    AnyButton,
    Button,
    Buttons,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    Part,
    Plain,
    Style,
    Text,
    Tone,
)
from commands.model import ConnectionView, LapseEnd
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import shown

MOST_AN_HOUR = 10
"""How often one person may note on, or take, one lapse."""


async def lapse_seen(uow: UnitOfWork, asker: Asker, lapse_id: LapseId) -> ConnectionView:
    """The connection with this lapse, ended or not, if the asker may see it. Raises NotYours."""
    views = await uow.lapses.views(asker.organization_id, [lapse_id])
    if not views or views[0].lapse is None or not may_see(asker.person, views[0].connection):
        raise NotYours
    return views[0]


async def lapses_together(
    uow: UnitOfWork, asker: Asker, lapse_id: LapseId
) -> tuple[ConnectionView, Sequence[ConnectionView]]:
    """The lapse, and the open ones of its authorization, itself first; only what the asker may see. Raises NotYours."""
    view = await lapse_seen(uow, asker, lapse_id)
    if view.lapse is None or view.lapse.authorization_id is None:
        return view, [view]
    under = await uow.connections.under(asker.organization_id, view.lapse.authorization_id)
    others = [
        each
        for each in under
        if each.connection.id != view.connection.id
        and each.open_lapse is not None
        and may_see(asker.person, each.connection)
    ]
    return view, [view, *others]


def events_of(
    kind: EventKind,
    views: Sequence[ConnectionView],
    now: datetime,
    *,
    person_id: PersonId,
    data: Mapping[str, str] | None = None,
) -> list[Event]:
    """One event of this kind for each of these lapses."""
    return [
        Event(
            id=EventId(new_id(now)),
            organization_id=each.connection.organization_id,
            kind=kind,
            at=now,
            lapse_id=each.lapse.id,
            connection_id=each.connection.id,
            authorization_id=each.connection.authorization_id,
            person_id=person_id,
            data=data or {},
        )
        for each in views
        if each.lapse is not None
    ]


async def not_too_often(uow: UnitOfWork, asker: Asker, lapse_id: LapseId, now: datetime, *, action: str) -> None:
    """Keep one person from flooding the channels that hear of a lapse. Raises CommandError. `action`: as the audit log
    calls it.
    """
    often = await uow.audit.number(
        asker.organization_id,
        actor_id=asker.person.id,
        action=action,
        subject=f"lapse {to_wire(lapse_id)}",
        since=now - timedelta(hours=1),
    )
    if often >= MOST_AN_HOUR:
        raise CommandError(
            f"You did this {MOST_AN_HOUR} times within an hour, and everybody who was told of the lapse read it each "
            "time. Try again later."
        )


def lapse_ids(views: Sequence[ConnectionView]) -> list[LapseId]:
    """The lapses of these."""
    return [each.lapse.id for each in views if each.lapse is not None]


def over(services: Services, view: ConnectionView) -> Message:
    """The lapse ended before the button was pressed."""
    lapse = view.lapse
    restored = lapse is not None and lapse.ended_how is not LapseEnd.RETIRED
    by = f" by {shown(view.restorer_name)}" if view.restorer_name is not None else ""
    what = f"{Mark.GOOD} Restored{by}" if restored else f"{Mark.RETIRED} Retired{by}"
    when: Line = (Plain(" "), Moment(lapse.ended_at)) if lapse is not None and lapse.ended_at is not None else ()
    spans = (Plain(what), *when, Plain(": nothing is left to do."))
    return about(services, view, spans, tone=Tone.GOOD if restored else Tone.NEUTRAL)


def about(
    services: Services, view: ConnectionView, *lines: Line, buttons: Buttons | None = None, tone: Tone = Tone.NEUTRAL
) -> Message:
    """An answer about one account: headed with its name, then these paragraphs."""
    parts: list[Part] = [Heading(account_line(view, services.networks)), *(Text(spans) for spans in lines)]
    if buttons is not None and (buttons.primary or buttons.menu):
        parts.append(buttons)
    return Message(tuple(parts), tone)


def reconnect_buttons(services: Services, asker: Asker, view: ConnectionView) -> list[AnyButton]:
    """The Reconnect button, unless it is known that the asker may not, or that it would not help (R-7)."""
    if not may(asker.person, Act.RECONNECT, view):
        return []
    label = reconnect_label(spec_of(services.networks, view.connection.network))
    return [Button(label, reconnect_action(view.connection.id), Style.PRIMARY)]
