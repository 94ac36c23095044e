"""Notes about a lapse: a form, and what becomes of it. A note stands in the details and the history (C-4), and is told
where the lapse was told (N-10).
"""

from collections.abc import Mapping

from commands.access import Act, may
from commands.actions import lapse_of, note_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import account_line
from commands.handlers.seeing import NotYours
from commands.handlers.together import about, events_of, lapse_seen, not_too_often
from commands.ids import NoteId, new_id, to_wire
from commands.messages import FieldErrors, Form, Mark, Message, TextField, Tone, line
from commands.model import LapseNote
from commands.ports.events import EventKind
from commands.wording import clean, shown

NOTED = "lapse.noted"
LONGEST = 1000  # characters of a note: it is posted into a thread as well


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """Ask for the note."""
    lapse_id = lapse_of(arguments)
    async with services.storage.reading() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
    if not may(asker.person, Act.NOTE, view):
        raise NotYours
    return Form(
        title="Note about a lapse",
        action=note_action(lapse_id),
        fields=(
            TextField(
                name="note",
                label="What should the others know?",
                hint="Waiting for access to the Business Center until Thursday",
                long=True,
                most=LONGEST,
            ),
        ),
        intro=account_line(view, services.networks),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]]
) -> Message | FieldErrors:
    """Write the note down."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    text = clean(" ".join(values.get("note", ())))
    if not text:
        return FieldErrors((("note", "Write something that helps the next one who looks."),))
    if len(text) > LONGEST:
        return FieldErrors((("note", f"At most {LONGEST:,} characters, please; this has {len(text):,}."),))
    async with services.storage.transaction() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
        if not may(asker.person, Act.NOTE, view):
            raise NotYours
        await not_too_often(uow, asker, lapse_id, now, action=NOTED)
        note = LapseNote(
            id=NoteId(new_id(now)),
            organization_id=asker.organization_id,
            lapse_id=lapse_id,
            person_id=asker.person.id,
            person_name=shown(asker.person.name),
            text=text,
            at=now,
        )
        await uow.lapses.add_note(note)
        told = events_of(EventKind.NOTED, [view], now, person_id=asker.person.id, data={"note": text})
        await uow.notices.record(told)
        await uow.audit.write(entry(asker, now, NOTED, f"lapse {to_wire(lapse_id)}"))
    return about(
        services,
        view,
        line(f"{Mark.GOOD} Noted: “{shown(text, 200)}”"),
        line("It is in the account's details and history, and under the messages about this lapse in channels."),
        tone=Tone.GOOD,
    )
