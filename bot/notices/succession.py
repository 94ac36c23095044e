"""Who takes over what hangs on somebody who is gone (X-6, A-5), asked before anything of it lapses."""

from collections.abc import Sequence

from bot.notices.asked import copied_administrators
from bot.notices.audience import Reader
from bot.notices.data import DEACTIVATED, HOW, LEFT, WHOM, ids_text
from bot.notices.desk import Desk
from bot.notices.outbox import Posting
from commands.auditing import Actor
from commands.ids import PersonId
from commands.opt_ins import end_opt_ins_of
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind, Part


async def gone(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """End the opt-ins of people who are gone, and offer what hangs on them to their deputies and administrators. Of
    somebody who left it was told when they did; that their chat accounts went after them is no news.
    """
    found = [event for event in events if event.kind is EventKind.PERSON_GONE]
    people = await desk.people(event.person_id for event in found)
    ids = list(
        dict.fromkeys(
            person.id
            for event in found
            if event.person_id is not None
            and (person := people.get(event.person_id)) is not None
            and (person.left_at is None or event.data.get("how") != DEACTIVATED)
        )
    )
    deputies = await desk.people(people[one].deputy_id for one in ids)
    ourselves = Actor(organization_id=desk.organization_id, origin="lapsebot")
    postings = []
    for person_id in ids:
        person = people[person_id]
        await end_opt_ins_of(desk.uow, person, ourselves, why="chat account deactivated", now=desk.now)
        if not await _hangs(desk, person_id):
            continue
        readers = {reader.person.id: reader for reader in await copied_administrators(desk, without=person_id)}
        deputy = deputies.get(person.deputy_id) if person.deputy_id is not None else None
        if deputy is not None and deputy.left_at is None:
            readers[deputy.id] = Reader(person=deputy, part=Part.STAND_IN)
        data = {WHOM: ids_text([person_id]), HOW: DEACTIVATED if person.left_at is None else LEFT}
        postings += [desk.posting(reader, NoticeKind.SUCCESSION, data=data) for reader in readers.values()]
    return postings


async def _hangs(desk: Desk, person_id: PersonId) -> bool:
    """Whether anything depends on them, as its connector or its owner."""
    if await desk.uow.authorizations.hanging_on(desk.organization_id, person_id):
        return True
    answerable = await desk.uow.connections.answerable(desk.organization_id)
    return any(person_id in (one.connector_id, one.owner_id) for one in answerable)
