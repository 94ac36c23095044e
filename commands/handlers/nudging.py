"""The Nudge button (N-2): passes a notice on to the person who can mend it, in a direct message that says who asks."""

from datetime import datetime

from commands.access import is_gone
from commands.actions import lapse_of
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import Identities
from commands.handlers.together import about, lapse_seen
from commands.ids import LapseId, to_wire
from commands.messages import Message, line
from commands.model import ConnectionView, Person
from commands.once_a_day import day_in, event_id
from commands.ports.events import Event, EventKind
from commands.wording import shown


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Ask the connector, or the owner where the connector is gone."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
        people = [person.id for person in view.answering]
        identities = await uow.people.identities(asker.organization_id, people)
        whom = whom_to_nudge(asker, view, identities)
        if view.open_lapse is None:
            return about(services, view, line("It works again: nothing is left to ask for."))
        if whom is None and asker.person.id in (view.connection.connector_id, view.connection.owner_id):
            return about(services, view, line("That would be you: press Reconnect."))
        if whom is None:
            return about(services, view, line("Nobody is left to ask: whoever connected it has gone."))
        if not await uow.notices.record_once(asked(asker, lapse_id, view, whom, now=now)):
            return about(services, view, line(f"You already asked {shown(whom.name)} today; they have the message."))
        await uow.audit.write(entry(asker, now, "lapse.nudged", f"lapse {to_wire(lapse_id)}"))
    return about(services, view, line(f"{shown(whom.name)} gets a message from you about it, with a Reconnect button."))


def asked(asker: Asker, lapse_id: LapseId, view: ConnectionView, whom: Person, *, now: datetime) -> Event:
    """Somebody is asked to mend a lapse, by whatever button: once a day, by the organization's calendar, for each asker
    and lapse. The event says the day, so that another day's is another notice.
    """
    day = day_in(asker.organization.time_zone, now)
    words = ("nudged", to_wire(lapse_id), to_wire(asker.person.id), to_wire(whom.id))
    return Event(
        id=event_id(asker.organization_id, day, *words),
        organization_id=asker.organization_id,
        kind=EventKind.NUDGED,
        at=now,
        lapse_id=lapse_id,
        connection_id=view.connection.id,
        person_id=whom.id,
        data={"by": shown(asker.person.name), "day": day.isoformat()},
    )


def whom_to_nudge(asker: Asker, view: ConnectionView, identities: Identities) -> Person | None:
    """Whom the asker can ask: whoever connected it, else whoever answers for it, of those who have not gone."""
    people = (one for one in view.answering if one.id != asker.person.id)
    return next((one for one in people if one.left_at is None and not is_gone(identities.get(one.id, ()))), None)
