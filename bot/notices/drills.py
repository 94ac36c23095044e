"""Fire drills (X-12): a lapse that is only played, to see who would hear, how soon, and who would not."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bot.notices.asked import copied_administrators
from bot.notices.audience import Circle, Reader, audience
from bot.notices.data import (
    ANSWERED,
    ASKED,
    CHANNELS,
    CLIENT,
    CONNECTION,
    DRILL,
    FASTEST,
    MEDIAN,
    MOST_KEPT,
    REACHED,
    SCORES,
    SLOWEST,
    UNREACHED,
    WHOM,
    Score,
    ids_in,
    ids_text,
    scores_text,
)
from bot.notices.desk import Desk, Desks
from bot.notices.outbox import Posting
from commands.access import may_see
from commands.ids import ClientId, ConnectionId, DrillId, NoticeId, PersonId, from_wire, to_wire
from commands.model import Connection, ConnectionState, ConnectionView, Drill, Filter, Person, Scope
from commands.once_a_day import event_id
from commands.ports.connections import Answerable
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind, Part

log = structlog.get_logger(__name__)

ESCALATES_AFTER = timedelta(hours=1)
"""When administrators hear who did not confirm."""
LONGEST = timedelta(days=7)
"""No drill is longer: of those that end by then, some are to be escalated."""
ENOUGH = 2
"""People who have to confirm for a connection to count as ready."""
EXAMPLES = 100
"""Connections among which an example is sought that a reader may see."""
_RANK = (Part.CONNECTOR, Part.OWNER, Part.STAND_IN, Part.ADMINISTRATOR, Part.SUBSCRIBER, Part.CHANNEL)


@dataclass(frozen=True, slots=True)
class Played:
    """Connections of the same network, client, connector and owner, which one lapse each is played for."""

    view: ConnectionView
    """Stands for all of them; its connection is none of theirs."""
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who would hear of a lapse of what a drill plays."""

    played: tuple[Played, ...]
    hearing: Mapping[ConnectionId, tuple[Reader, ...]]
    """By the connection that stands for some."""
    readers: tuple[Reader, ...]
    """Each person and channel once, in their highest part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came of a drill so far."""

    asked: frozenset[PersonId]
    reached: frozenset[PersonId]
    answered: Mapping[PersonId, timedelta]
    """Who confirmed, with how long it took."""
    channels: int
    scores: tuple[Score, ...]

    @property
    def silent(self) -> list[PersonId]:
        """Those who got it, and did not confirm."""
        return sorted(self.reached - self.answered.keys())

    @property
    def unreached(self) -> list[PersonId]:
        """Those whom no message reached."""
        return sorted(self.asked - self.reached)


def cast(played: Sequence[Played], circle: Circle) -> Cast:
    """Give who would hear, by the same rule as for a lapse. Pure."""
    hearing: dict[ConnectionId, list[Reader]] = {}
    once: dict[object, Reader] = {}
    for reader, views in audience([one.view for one in played], circle).items():
        for view in views:
            hearing.setdefault(view.connection.id, []).append(reader)
        who: object = reader.channel or reader.person.id
        known = once.get(who)
        if known is None or _RANK.index(reader.part) < _RANK.index(known.part):
            once[who] = reader
    return Cast(
        played=tuple(played),
        hearing={key: tuple(own) for key, own in hearing.items()},
        readers=tuple(once.values()),
    )


def findings(
    whole: Cast,
    *,
    asked: frozenset[PersonId],
    delivered: frozenset[PersonId],
    channels: int,
    answers: Mapping[PersonId, timedelta],
    people: Mapping[PersonId, Person],
) -> Findings:
    """Hold who answered against who was asked. Pure. `people`: those who answered."""
    ready: dict[ClientId, list[int]] = {}
    for one in whole.played:
        readers = whole.hearing.get(one.view.connection.id, ())
        heard = {reader.person.id for reader in readers if reader.channel is None} & answers.keys()
        if any(reader.channel is not None for reader in readers):  # who reads a channel shows by answering there
            heard |= {who for who in answers if who in people and may_see(people[who], one.view.connection)}
        counts = ready.setdefault(one.view.connection.client_id, [0, 0])
        counts[0] += one.number if len(heard) >= ENOUGH else 0
        counts[1] += one.number
    scores = [Score(client_id=client, ready=own[0], total=own[1]) for client, own in ready.items()]
    return Findings(
        asked=asked | answers.keys(),
        reached=(delivered & asked) | answers.keys(),
        answered=answers,
        channels=channels,
        scores=tuple(sorted(scores, key=lambda score: (score.ready / score.total, score.client_id))),
    )


def findings_data(found: Findings, drill: Drill, *, is_report: bool) -> dict[str, str]:
    """What the notices about a drill keep of it."""
    data = {
        **_about(drill),
        ASKED: str(len(found.asked)),
        REACHED: str(len(found.reached)),
        ANSWERED: str(len(found.answered)),
        WHOM: ids_text(found.silent[:MOST_KEPT]),
        UNREACHED: ids_text(found.unreached[:MOST_KEPT]),
    }
    if not is_report:
        return data
    data |= {CHANNELS: str(found.channels), SCORES: scores_text(found.scores)}
    if found.answered:
        seconds = sorted(took.total_seconds() for took in found.answered.values())
        for name, value in ((FASTEST, seconds[0]), (MEDIAN, statistics.median(seconds)), (SLOWEST, seconds[-1])):
            data[name] = str(round(value))
    return data


async def started(desk: Desk, events: Iterable[Event]) -> list[Posting]:
    """Give the drill's message to everybody who would hear of a lapse."""
    postings = []
    for event in events:
        if event.kind is not EventKind.DRILL_STARTED:
            continue
        drill = await desk.uow.drills.get(desk.organization_id, drill_id_in(event))
        if drill is None or drill.reported_at is not None:
            continue
        whole = await played(desk, drill.client_id)
        examples = await _examples(desk, drill)
        for reader in whole.readers:
            example = next((one for one in examples if may_see(reader.person, one)), None)
            data = {**_about(drill), CONNECTION: ids_text([example.id]) if example is not None else ""}
            posting = desk.posting(reader, NoticeKind.DRILL, data=data)
            postings.append(replace(posting, notice=replace(posting.notice, id=_notice_id(drill, reader))))
    return postings


class Drills:
    """Escalates drills, and reports them when they are over. Any number may run: each does it once."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def run_once(self) -> int:
        """Deal with drills of which something is due, and give how many there were."""
        now, done = self._desks.clock.now(), 0
        for drill in await self._desks.storage.queues.due_drills(now + LONGEST):
            if now < min(drill.started_at + ESCALATES_AFTER, drill.ends_at):
                continue
            try:
                done += await self._tell(drill, now)
            except Exception:
                # One drill that cannot be told keeps no other waiting; it is tried again.
                log.exception("drill not told", drill=str(drill.id))
        return done

    async def _tell(self, drill: Drill, now: datetime) -> bool:
        is_over = now >= drill.ends_at
        if not is_over and await self._was_escalated(drill, now):
            return False
        async with self._desks.storage.transaction() as uow:
            if is_over:
                is_first = await uow.drills.reported(drill.organization_id, drill.id, now)
            else:
                is_first = await uow.notices.record_once(_escalated(drill, now))
            if not is_first:
                return False
            desk = self._desks.desk(uow, drill.organization_id)
            found = await _found(desk, drill)
            if not is_over and not found.silent and not found.unreached:
                return True
            kind = NoticeKind.DRILL_REPORT if is_over else NoticeKind.DRILL_ESCALATED
            data = findings_data(found, drill, is_report=is_over)
            await desk.put([desk.posting(reader, kind, data=data) for reader in await copied_administrators(desk)])
        return True

    async def _was_escalated(self, drill: Drill, now: datetime) -> bool:
        """Asked before anything is written: until its end a drill is looked at again and again."""
        async with self._desks.storage.reading() as uow:
            return await uow.notices.is_recorded(drill.organization_id, _escalated(drill, now).id)


def drill_id_in(event: Event) -> DrillId:
    """The drill of an event."""
    return DrillId(from_wire(event.data["drill"]))


def _escalated(drill: Drill, now: datetime) -> Event:
    return Event(
        id=event_id(drill.organization_id, drill.started_at.date(), "drill escalated", to_wire(drill.id)),
        organization_id=drill.organization_id,
        kind=EventKind.DRILL_ESCALATED,
        at=now,
        data={"drill": to_wire(drill.id)},
    )


async def _found(desk: Desk, drill: Drill) -> Findings:
    """Of those who were asked: whoever came, or opted in, since then is not missing."""
    made = await desk.uow.notices.of_kind(desk.organization_id, NoticeKind.DRILL, since=drill.started_at)
    asked = {notice.id: notice for notice in made if ids_in(notice, DRILL) == [drill.id]}
    delivered = await desk.uow.notices.first_delivered(desk.organization_id, list(asked))
    reached = [asked[one] for one in delivered]
    answers = await desk.uow.drills.answers(desk.organization_id, drill.id)
    return findings(
        await played(desk, drill.client_id),
        asked=frozenset(notice.person_id for notice in asked.values() if notice.channel is None),
        delivered=frozenset(notice.person_id for notice in reached if notice.channel is None),
        channels=len([notice for notice in reached if notice.channel is not None]),
        answers={who: at - drill.started_at for who, at in answers.items()},
        people=await desk.people(answers),
    )


async def played(desk: Desk, client_id: ClientId | None) -> Cast:
    """Give who would hear if everything of a client (None: of all) lapsed now."""
    rows = [
        one for one in await desk.uow.connections.answerable(desk.organization_id) if client_id in (None, one.client_id)
    ]
    people = await desk.people(who for one in rows for who in (one.connector_id, one.owner_id))
    groups = [_played(desk, number, one, people) for number, one in enumerate(rows)]
    return cast(groups, await desk.circle([one.view for one in groups]))


def _played(desk: Desk, number: int, one: Answerable, people: Mapping[PersonId, Person]) -> Played:
    connection = Connection(
        id=ConnectionId(UUID(int=number)),
        organization_id=desk.organization_id,
        client_id=one.client_id,
        network=one.network,
        account_id="",
        account_name="",
        state=ConnectionState.LAPSED,
        connector_id=one.connector_id,
        owner_id=one.owner_id,
    )
    view = ConnectionView(
        connection=connection,
        client_name="",
        connector=people.get(one.connector_id) if one.connector_id is not None else None,
        owner=people.get(one.owner_id) if one.owner_id is not None else None,
        lapse=None,
    )
    return Played(view, one.number)


async def _examples(desk: Desk, drill: Drill) -> list[Connection]:
    name = None
    if drill.client_id is not None:
        clients = {client.id: client.name for client in await desk.uow.clients.all(desk.organization_id)}
        name = clients.get(drill.client_id)
    states = (ConnectionState.ACTIVE, ConnectionState.LAPSED)
    page = await desk.uow.connections.page(
        desk.organization_id, Scope(), Filter(client=name, states=states), offset=0, limit=EXAMPLES
    )
    return [view.connection for view in page.rows]


def _notice_id(drill: Drill, reader: Reader) -> NoticeId:
    """Says whose message of which drill it is, so that the report finds what became of it."""
    channel = reader.channel
    who = [str(reader.person.id)] if channel is None else [channel.platform, channel.tenant, channel.external_id]
    return NoticeId(event_id(drill.organization_id, drill.started_at.date(), "drill", to_wire(drill.id), *who))


def _about(drill: Drill) -> dict[str, str]:
    client = {CLIENT: to_wire(drill.client_id)} if drill.client_id is not None else {}
    return {DRILL: to_wire(drill.id), **client}
