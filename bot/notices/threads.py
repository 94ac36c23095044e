"""What happens about a lapse, told under the messages about it in channels (N-10). A direct message shows it itself."""

from collections.abc import Sequence

from bot.notices.data import AT, BY, TEXT, WHAT, WHOM, ids_text
from bot.notices.desk import Desk
from bot.notices.outbox import Posting
from commands.ids import LapseId, NoticeId, PersonId, new_id
from commands.ports.events import Event, EventKind
from commands.ports.notices import Notice, NoticeKind, Part
from commands.wording import named

TOLD = frozenset(
    {EventKind.CLAIMED, EventKind.RELEASED, EventKind.NOTED, EventKind.ATTEMPT_OPENED, EventKind.ATTEMPT_FAILED}
)
"""What is told in threads."""
_TEXT = {EventKind.NOTED: "note", EventKind.ATTEMPT_FAILED: "why"}
"""Under which name an event's data has words to be shown."""

_Happened = tuple[EventKind, PersonId | None, str, str, str]
"""What makes two events one happening: kind, person, who saw to it, words, and time."""


async def happened(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Give one note for each happening and channel message, however many lapses it is about."""
    together: dict[_Happened, list[LapseId]] = {}
    for event in events:
        if event.kind in TOLD and event.lapse_id is not None:
            words = event.data.get(_TEXT.get(event.kind, ""), "")
            by = named(event.data.get("by", "")) if event.is_assigned else event.data.get("by", "")
            key = (event.kind, event.person_id, by, words, event.at.isoformat())
            together.setdefault(key, []).append(event.lapse_id)
    if not together:
        return []
    about = list(dict.fromkeys(lapse_id for own in together.values() for lapse_id in own))
    shown = await desk.uow.notices.shown(desk.organization_id, about)
    notices = await desk.uow.notices.get_many(desk.organization_id, list(shown)) if shown else {}
    channels = {key: notice for key, notice in notices.items() if notice.channel is not None}
    people = await desk.people(notice.person_id for notice in channels.values())
    covered = {key: frozenset(notice.lapse_ids) for key, notice in channels.items()}
    return [
        Posting(notice=_note(desk, notice, key, lapses), reader=people[notice.person_id], under=delivery)
        for key, own in together.items()
        for notice_id, notice in channels.items()
        if (lapses := tuple(one for one in own if one in covered[notice_id])) and notice.person_id in people
        for delivery in shown[notice_id]
        if delivery.ref is not None
    ]


def _note(desk: Desk, about: Notice, happening: _Happened, lapse_ids: tuple[LapseId, ...]) -> Notice:
    kind, person_id, by, words, at = happening
    data = {
        WHAT: kind.value,
        WHOM: ids_text([person_id]) if person_id is not None else "",
        BY: by,
        TEXT: words,
        AT: at,
    }
    return Notice(
        id=NoticeId(new_id(desk.now)),
        organization_id=desk.organization_id,
        kind=NoticeKind.NOTE,
        part=Part.CHANNEL,
        person_id=about.person_id,
        channel=about.channel,
        lapse_ids=lapse_ids,
        created_at=desk.now,
        data={name: text for name, text in data.items() if text},
    )
