"""Fire drills (X-12): starting one, seeing how it goes, and saying that its message arrived."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from commands.actions import drill_of
from commands.auditing import Actor, entry
from commands.command import Asker, Services
from commands.handlers.asked import Asked
from commands.handlers.naming import clients_meant
from commands.handlers.seeing import NotYours
from commands.ids import DrillId, EventId, PersonId, new_id, to_wire
from commands.messages import Bold, Code, Heading, Line, Mark, Message, Moment, Part, Tone, line, text
from commands.model import Drill, Person
from commands.ports.events import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import Sentence, duration, named

LASTS = timedelta(hours=4)
_TOLD = 10  # people who are told one by one


async def drill(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin drill CLIENT`, or `all`: start one; with nothing said, how the running or the last one went."""
    words = asked.get("client")
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        if words is None:
            return await _report(uow, services, asker, asked)
        chosen = {} if words.casefold() == "all" else await clients_meant(uow, asker, asked, words)
        if len(chosen) > 1:
            raise asked.refused("A drill is for one client, or for all.")
        name, client_id = next(iter(chosen.items()), (None, None))
        made = Drill(
            id=DrillId(new_id(now)),
            organization_id=asker.organization_id,
            client_id=client_id,
            started_by=asker.person.id,
            started_at=now,
            ends_at=now + LASTS,
        )
        if not await uow.drills.add(made):
            return await _report(uow, services, asker, asked)
        await uow.notices.record([_started(asker, made, now)])
        detail = {"client": name or "all"}
        await uow.audit.write(entry(asker, now, "drill.started", f"drill {to_wire(made.id)}", **detail))
    return _begun(made, name)


def _begun(made: Drill, client: str | None) -> Message:
    of = f"client {named(client)}" if client is not None else "every client"
    return Message(
        (
            text(f"{Mark.GOOD} The drill has begun, for {of}."),
            text(
                "Everybody who would hear of a lapse gets a message that begins with DRILL, and is asked to say that "
                "it arrived. Nothing is broken, and nothing has to be reconnected."
            ),
            text(
                "Administrators hear after an hour who has not answered, and get the report ",
                Moment(made.ends_at),
                ". Until then, ",
                Code("/lapse-admin drill"),
                " shows how it goes.",
            ),
        ),
        Tone.GOOD,
    )


async def answered(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Note that the presser's message arrived."""
    drill_id, now = drill_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        said = await note_answer(uow, asker.person, drill_id, now, origin=asker.origin)
    if said is None:
        raise NotYours
    return Message((text(said),), Tone.GOOD)


async def note_answer(
    uow: UnitOfWork, person: Person, drill_id: DrillId, now: datetime, *, origin: str
) -> Sentence | None:
    """Note that a drill's message, or its link, reached somebody; give what they are told. None: no drill of theirs."""
    found = await uow.drills.get(person.organization_id, drill_id)
    if found is None:
        return None
    if found.reported_at is not None:
        return Sentence("DRILL: it is already over. Next time, press within four hours.")
    if not await uow.drills.answer(person.organization_id, drill_id, person.id, now):
        return Sentence("DRILL: you already said so. There is nothing else to do.")
    by = Actor(organization_id=person.organization_id, person_id=person.id, origin=origin)
    await uow.audit.write(entry(by, now, "drill.answered", f"drill {to_wire(drill_id)}"))
    took = duration(now - found.started_at)
    return Sentence("{mark} DRILL: noted, after {took}. There is nothing else to do.", mark=Mark.GOOD, took=took)


def _started(asker: Asker, made: Drill, now: datetime) -> Event:
    return Event(
        id=EventId(new_id(now)),
        organization_id=asker.organization_id,
        kind=EventKind.DRILL_STARTED,
        at=now,
        person_id=asker.person.id,
        data={"drill": to_wire(made.id)},
    )


async def _report(uow: UnitOfWork, services: Services, asker: Asker, asked: Asked) -> Message:
    """How the running or the last drill went, so far as people answered."""
    latest = await uow.drills.latest(asker.organization_id)
    how = text("To start one: ", Code("/lapse-admin drill all"), ", or name a client.")
    if latest is None:
        return Message((text("There has been no drill yet."), how))
    answers = await uow.drills.answers(asker.organization_id, latest.id)
    people = await uow.people.many(asker.organization_id, [*answers, latest.started_by])
    clients = {client.id: client.name for client in await uow.clients.all(asker.organization_id)}
    of = f"client {named(clients.get(latest.client_id, ''))}" if latest.client_id is not None else "every client"
    running = latest.reported_at is None
    state = "is running" if running else "is over"
    parts: list[Part] = [
        Heading(line(Bold(f"The drill for {of} {state}"), ", begun ", Moment(latest.started_at), *_by(people, latest))),
        text(f"{_people(len(answers))} answered{' so far' if running else ''}."),
    ]
    first = sorted(answers.items(), key=lambda each: each[1])
    for person_id, at in first[:_TOLD]:
        name = named(people[person_id].name) if person_id in people else "somebody"
        parts.append(text(f"• {name}, after {duration(at - latest.started_at)}"))
    if len(first) > _TOLD:
        parts.append(text(f"and {len(first) - _TOLD} more."))
    if running:
        parts.append(text("Administrators get the report ", Moment(latest.ends_at), ". Only one runs at a time."))
    else:
        parts += [text("The whole report, with who could not be reached, was sent to administrators."), how]
    return Message(tuple(parts), Tone.HELD if running else Tone.NEUTRAL)


def _people(number: int) -> str:
    return {0: "Nobody", 1: "1 person"}.get(number, f"{number} people")


def _by(people: Mapping[PersonId, Person], latest: Drill) -> Line:
    person = people.get(latest.started_by)
    return line(f" by {named(person.name)}") if person is not None else ()
