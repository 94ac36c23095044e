"""What is told because somebody did something: opened a link, nudged, assigned, proposed, transferred."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.notices.audience import Reader
from bot.notices.data import BY, CONNECTION, DAY, GIVEN, MORE, MOST_KEPT, WELCOME, WHOM, YES, ids_text
from bot.notices.desk import Desk, lapses_of, place
from bot.notices.opened import first_notices
from bot.notices.outbox import Posting
from commands.access import is_administrator, may_see, takes_immediate_notices
from commands.ids import ConnectionId, EventId, LapseId, PersonId
from commands.model import ConnectionView, Person
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind, Part


async def asked(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Give what is to be told of these events; kinds that are told elsewhere are passed over."""
    kinds = {kind: [event for event in events if event.kind is kind] for kind in EventKind}
    return [
        *await _refused(desk, kinds[EventKind.LINK_REFUSED]),
        *await _nudged(desk, kinds[EventKind.NUDGED]),
        *await _assigned(desk, [event for event in kinds[EventKind.CLAIMED] if event.is_assigned]),
        *await _not_theirs(desk, kinds[EventKind.NOT_MINE]),
        *await _proposed(desk, kinds[EventKind.RETIREMENT_PROPOSED]),
        *await _transferred(desk, kinds[EventKind.TRANSFERRED]),
        *await _links_sent(desk, kinds[EventKind.LINK_SENT]),
    ]


async def _refused(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Write to those whose Reconnect link somebody else opened."""
    people = await desk.people(event.person_id for event in events)
    postings = []
    for event in events:
        person = people.get(event.person_id) if event.person_id is not None else None
        if person is None or person.left_at is not None or event.connection_id is None:
            continue
        data = {CONNECTION: ids_text([event.connection_id]), BY: event.data.get("by", "")}
        postings.append(desk.posting(Reader(person=person, part=Part.CONNECTOR), NoticeKind.LINK_REFUSED, data=data))
    return postings


async def _nudged(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Write to those whom somebody asks to act, if it still is needed."""
    still = await _still(desk, events)
    refused = await _refusing(desk, still)
    people = await desk.people(event.person_id for event in events)
    postings = []
    for event in events:
        view = still.get(event.lapse_id) if event.lapse_id is not None else None
        person = people.get(event.person_id) if event.person_id is not None else None
        if view is None or person is None or person.left_at is not None or not may_see(person, view.connection):
            continue
        if (event.lapse_id, person.id) in refused:
            continue
        data = {BY: event.data.get("by", ""), DAY: event.data.get("day", "")}
        reader = Reader(person=person, part=_part(person, view))
        postings.append(desk.posting(reader, NoticeKind.NUDGED, lapse_ids=lapses_of([view]), data=data))
    return postings


async def _assigned(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Write to those to whom an administrator gave lapses, once for all of them (N-11)."""
    still = await _still(desk, events)
    people = await desk.people(event.person_id for event in events)
    given: dict[tuple[PersonId, str, datetime], list[tuple[Event, ConnectionView]]] = {}
    for event in events:
        view = still.get(event.lapse_id) if event.lapse_id is not None else None
        person = people.get(event.person_id) if event.person_id is not None else None
        if view is not None and person is not None and may_see(person, view.connection):
            given.setdefault((person.id, event.data.get("by_id", ""), event.at), []).append((event, view))
    postings = []
    for (person_id, _, _), own in given.items():
        views = [view for _, view in own]
        reader = Reader(person=people[person_id], part=_part(people[person_id], views[0]))
        data = {BY: own[0][0].data.get("by", ""), GIVEN: ids_text([min(event.id for event, _ in own)])}
        postings.append(desk.posting(reader, NoticeKind.ASSIGNED, lapse_ids=lapses_of(views), data=data))
    return postings


async def _not_theirs(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Tell administrators that a connector or owner says that lapses are not theirs to mend (N-11)."""
    still = await _still(desk, events)
    said: dict[PersonId, list[ConnectionView]] = {}
    first: dict[PersonId, EventId] = {}
    for event in events:
        view = still.get(event.lapse_id) if event.lapse_id is not None else None
        who = event.person_id
        if view is not None and who is not None and who in (view.connection.connector_id, view.connection.owner_id):
            said.setdefault(who, []).append(view)
            first[who] = min(event.id, first.get(who, event.id))
    return [
        desk.posting(
            reader,
            NoticeKind.NOT_MINE,
            lapse_ids=lapses_of(views),
            data={WHOM: ids_text([who]), GIVEN: ids_text([first[who]])},
        )
        for who, views in said.items()
        for reader in await copied_administrators(desk, without=who)
    ]


async def _proposed(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Tell those who may retire a connection that somebody proposes it (N-11)."""
    ids = list(dict.fromkeys(event.connection_id for event in events if event.connection_id is not None))
    views = await desk.uow.connections.views(desk.organization_id, ids) if ids else ()
    by_id = {view.connection.id: view for view in views}
    postings = []
    for event in events:
        view = by_id.get(event.connection_id) if event.connection_id is not None else None
        if view is None or event.person_id is None:
            continue
        data = {WHOM: ids_text([event.person_id]), GIVEN: ids_text([event.id])}
        lapse_ids = lapses_of([view]) if view.open_lapse is not None else ()
        if not lapse_ids:
            data[CONNECTION] = ids_text([view.connection.id])
        readers = {person.id: Reader(person=person, part=_part(person, view)) for person in view.answering}
        for reader in await copied_administrators(desk, without=event.person_id):
            readers.setdefault(reader.person.id, reader)
        postings += [
            desk.posting(reader, NoticeKind.RETIREMENT_PROPOSED, lapse_ids=lapse_ids, data=data)
            for reader in readers.values()
            if reader.person.id != event.person_id and may_see(reader.person, view.connection)
        ]
    return postings


async def _transferred(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Tell new owners what is theirs now; of what is lapsed they hear as owners do, reminders included."""
    given: dict[tuple[PersonId, str], list[ConnectionId]] = {}
    for event in events:
        if event.person_id is not None and event.connection_id is not None:
            given.setdefault((event.person_id, event.data.get("by", "")), []).append(event.connection_id)
    people = await desk.people(person_id for person_id, _ in given)
    ids = list(dict.fromkeys(one for own in given.values() for one in own))
    views = await desk.uow.connections.views(desk.organization_id, ids) if ids else ()
    postings = []
    for (person_id, by), own in given.items():
        person = people.get(person_id)
        if person is None or person.left_at is not None:
            continue
        more = len(own) - MOST_KEPT
        data = {CONNECTION: ids_text(own[:MOST_KEPT]), BY: by, MORE: str(more) if more > 0 else ""}
        postings.append(desk.posting(Reader(person=person, part=Part.OWNER), NoticeKind.TRANSFERRED, data=data))
    lapsed = sorted((view for view in views if view.open_lapse is not None), key=place)
    told: dict[Reader, list[ConnectionView]] = {}
    for view in lapsed:
        owner = view.owner
        if owner is not None and owner.id in people and owner.id != view.connection.connector_id:
            told.setdefault(Reader(person=owner, part=Part.OWNER), []).append(view)
    if told:
        postings += await first_notices(desk, told, await desk.circle(lapsed))
    return postings


async def _links_sent(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Send people the link to their own accounts (C-8)."""
    people = await desk.people(event.person_id for event in events)
    return [
        desk.posting(
            Reader(person=people[event.person_id], part=Part.OWNER),
            NoticeKind.PERSONAL_LINK,
            data={BY: event.data.get("by", ""), **({WELCOME: YES} if event.data.get(WELCOME) == YES else {})},
        )
        for event in events
        if event.person_id is not None and event.person_id in people and people[event.person_id].left_at is None
    ]


async def copied_administrators(desk: Desk, *, without: PersonId | None = None) -> list[Reader]:
    """Administrators who take immediate notices."""
    return [
        Reader(person=administrator, part=Part.ADMINISTRATOR)
        for administrator in await desk.administrators()
        if takes_immediate_notices(administrator) and administrator.id != without
    ]


async def _still(desk: Desk, events: Iterable[Event]) -> Mapping[LapseId, ConnectionView]:
    """The lapses of these events that are open."""
    wanted = list(dict.fromkeys(event.lapse_id for event in events if event.lapse_id is not None))
    views = await desk.uow.lapses.views(desk.organization_id, wanted) if wanted else ()
    return {view.open_lapse.id: view for view in views if view.open_lapse is not None}


async def _refusing(desk: Desk, lapses: Iterable[LapseId]) -> frozenset[tuple[LapseId | None, PersonId]]:
    """Who said of which lapse that it is not theirs: they hear no more of it (N-11)."""
    wanted = list(lapses)
    mutes = await desk.uow.lapses.mutes(desk.organization_id, wanted) if wanted else ()
    return frozenset((mute.lapse_id, mute.person_id) for mute in mutes if mute.until is None)


def _part(person: Person, view: ConnectionView) -> Part:
    if person.id == view.connection.connector_id:
        return Part.CONNECTOR
    if person.id == view.connection.owner_id:
        return Part.OWNER
    return Part.ADMINISTRATOR if is_administrator(person) else Part.STAND_IN
