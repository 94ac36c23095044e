"""Lapses: episodes in which a connection does not work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update

from commands.ids import ConnectionId, LapseId, NoteId, OrganizationId, PersonId
from commands.model import Claim, ConnectionView, Lapse, LapseEnd, LapseNote, Mute, Scope, Stats
from commands.ports.lapses import MOST_NOTES, Released
from storage.engine import insert
from storage.rows import LAPSE, columns, evidence_values, lapse_of
from storage.stats import stats
from storage.tables import CLAIMED, OPEN_LAPSE, connections, lapse_notes, lapses, mutes, people
from storage.views import view_of, views_from
from storage.work import Work, in_order, portions

_LAPSES = select(*columns(lapses, LAPSE)).where(lapses.c.organization_id == bindparam("organization"))
_LAPSE = _LAPSES.where(lapses.c.id == bindparam("lapse"))
_HISTORY = _LAPSES.where(lapses.c.connection_id == bindparam("connection")).order_by(
    lapses.c.opened_at.desc(), lapses.c.id.desc()
)
_LAST_ENDED = (
    _LAPSES.where(lapses.c.connection_id == bindparam("connection"), lapses.c.ended_at.is_not(None))
    .order_by(lapses.c.ended_at.desc(), lapses.c.id.desc())
    .limit(1)
)
_VIEWS = views_from(connections, of_lapse=True).where(lapses.c.id.in_(bindparam("lapses", expanding=True)))
_LATEST_NOTES = (
    select(
        lapse_notes,
        func.row_number()
        .over(partition_by=lapse_notes.c.lapse_id, order_by=(lapse_notes.c.at.desc(), lapse_notes.c.id.desc()))
        .label("place"),
    )
    .where(
        lapse_notes.c.organization_id == bindparam("organization"),
        lapse_notes.c.lapse_id.in_(bindparam("lapses", expanding=True)),
    )
    .subquery()
)
_NOTES = (
    select(
        _LATEST_NOTES.c.id,
        _LATEST_NOTES.c.organization_id,
        _LATEST_NOTES.c.lapse_id,
        _LATEST_NOTES.c.person_id,
        people.c.name,
        _LATEST_NOTES.c.text,
        _LATEST_NOTES.c.at,
    )
    .join(people, people.c.id == _LATEST_NOTES.c.person_id)
    .where(_LATEST_NOTES.c.place <= MOST_NOTES)
)
_MUTES = (
    select(mutes.c.lapse_id, mutes.c.person_id, mutes.c.until)
    .where(
        mutes.c.organization_id == bindparam("organization"), mutes.c.lapse_id.in_(bindparam("lapses", expanding=True))
    )
    .order_by(mutes.c.lapse_id, mutes.c.person_id)
)
_insert_mute = insert(mutes)
_MUTE = _insert_mute.on_conflict_do_update(
    index_elements=["lapse_id", "person_id"],
    set_={"until": _insert_mute.excluded.until},
    where=mutes.c.until.is_distinct_from(_insert_mute.excluded.until),
).returning(mutes.c.lapse_id)


class SqlLapses:
    """Implements `Lapses`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def open(self, lapse: Lapse) -> bool:
        opened = await self._work.row(
            insert(lapses)
            .values(
                id=lapse.id,
                organization_id=lapse.organization_id,
                connection_id=lapse.connection_id,
                authorization_id=lapse.authorization_id,
                cause=lapse.cause.value,
                evidence=evidence_values(lapse.evidence),
                last_good_at=lapse.last_good_at,
                opened_at=lapse.opened_at,
            )
            .on_conflict_do_nothing(index_elements=["connection_id"], index_where=OPEN_LAPSE)
            .returning(lapses.c.id)
        )
        if opened is None:
            return False
        await self._note_on_connection(lapse.organization_id, lapse.connection_id, lapse.opened_at)
        return True

    async def update_cause(self, lapse: Lapse) -> None:
        await self._work.run(
            update(lapses)
            .where(
                lapses.c.organization_id == lapse.organization_id,
                lapses.c.id == lapse.id,
                lapses.c.ended_at.is_(None),
            )
            .values(cause=lapse.cause.value, evidence=evidence_values(lapse.evidence))
        )

    async def end(
        self,
        organization_id: OrganizationId,
        connection_id: ConnectionId,
        *,
        at: datetime,
        how: LapseEnd,
        by: PersonId | None,
    ) -> Lapse | None:
        # The connection first, as everybody who changes both does, so that nobody waits in a circle.
        await self._note_on_connection(organization_id, connection_id, None)
        ended = await self._work.row(
            update(lapses)
            .where(
                lapses.c.organization_id == organization_id,
                lapses.c.connection_id == connection_id,
                lapses.c.ended_at.is_(None),
            )
            .values(ended_at=at, ended_how=how.value, ended_by=by)
            .returning(*columns(lapses, LAPSE))
        )
        return None if ended is None else lapse_of(ended)

    async def get(self, organization_id: OrganizationId, lapse_id: LapseId) -> Lapse | None:
        found = await self._work.row(_LAPSE, {"organization": organization_id, "lapse": lapse_id})
        return None if found is None else lapse_of(found)

    async def views(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[ConnectionView]:
        found: dict[LapseId, ConnectionView] = {}
        now = self._work.clock.now()
        for portion in portions(lapse_ids):
            values: dict[str, Any] = {"organization": organization_id, "now": now, "lapses": list(portion)}
            for row in await self._work.rows(_VIEWS, values):
                view = view_of(row)
                if view.lapse is not None:
                    found[view.lapse.id] = view
        return [found[lapse_id] for lapse_id in lapse_ids if lapse_id in found]

    async def history(
        self, organization_id: OrganizationId, connection_id: ConnectionId, *, limit: int, offset: int = 0
    ) -> Sequence[Lapse]:
        values = {"organization": organization_id, "connection": connection_id}
        return [lapse_of(row) for row in await self._work.rows(_HISTORY.limit(limit).offset(offset), values)]

    async def claim(
        self,
        organization_id: OrganizationId,
        lapse_ids: Sequence[LapseId],
        claim: Claim,
        *,
        take_over: bool = False,
    ) -> Sequence[LapseId]:
        c = lapses.c
        theirs = or_(
            c.claim_person_id.is_(None), c.claim_person_id == claim.person_id, c.claim_until <= self._work.clock.now()
        )
        other = or_(c.claim_person_id.is_distinct_from(claim.person_id), c.claim_until.is_distinct_from(claim.until))
        which = other if take_over else and_(theirs, other)
        return await self._set_claim(organization_id, lapse_ids, which, claim)

    async def release(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], *, person_id: PersonId
    ) -> Sequence[LapseId]:
        return await self._set_claim(organization_id, lapse_ids, lapses.c.claim_person_id == person_id, None)

    async def _set_claim(
        self,
        organization_id: OrganizationId,
        lapse_ids: Sequence[LapseId],
        which: ColumnElement[bool],
        claim: Claim | None,
    ) -> Sequence[LapseId]:
        """Compare and set: what was read before may have changed since."""
        changed: set[LapseId] = set()
        for portion in portions(sorted(set(lapse_ids))):
            rows = await self._work.rows(
                update(lapses)
                .where(
                    in_order(
                        lapses,
                        lapses.c.organization_id == organization_id,
                        lapses.c.id.in_(portion),
                        lapses.c.ended_at.is_(None),
                        which,
                    )
                )
                .values(
                    claim_person_id=None if claim is None else claim.person_id,
                    claim_until=None if claim is None else claim.until,
                )
                .returning(lapses.c.id)
            )
            changed |= {LapseId(row[0]) for row in rows}
        return [lapse_id for lapse_id in lapse_ids if lapse_id in changed]

    async def release_due(
        self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId], now: datetime
    ) -> Released:
        claims: list[LapseId] = []
        snoozes: list[tuple[PersonId, LapseId]] = []
        for portion in portions(sorted(set(lapse_ids))):
            released = await self._work.rows(
                update(lapses)
                .where(
                    in_order(
                        lapses,
                        CLAIMED,
                        lapses.c.organization_id == organization_id,
                        lapses.c.id.in_(portion),
                        lapses.c.claim_until <= now,
                    )
                )
                .values(claim_person_id=None, claim_until=None)
                .returning(lapses.c.id)
            )
            woken = await self._work.rows(
                delete(mutes)
                .where(
                    in_order(
                        mutes,
                        mutes.c.organization_id == organization_id,
                        mutes.c.lapse_id.in_(portion),
                        mutes.c.until <= now,
                    )
                )
                .returning(mutes.c.person_id, mutes.c.lapse_id)
            )
            claims += [LapseId(row[0]) for row in released]
            snoozes += [(PersonId(row[0]), LapseId(row[1])) for row in woken]
        return Released(claims=tuple(sorted(claims)), snoozes=tuple(sorted(snoozes)))

    async def add_note(self, note: LapseNote) -> None:
        await self._work.run(
            insert(lapse_notes),
            {
                "id": note.id,
                "organization_id": note.organization_id,
                "lapse_id": note.lapse_id,
                "person_id": note.person_id,
                "text": note.text,
                "at": note.at,
            },
        )

    async def notes(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[LapseNote]:
        found: list[LapseNote] = []
        for portion in portions(lapse_ids):
            rows = await self._work.rows(_NOTES, {"organization": organization_id, "lapses": list(portion)})
            found += [_note_of(row) for row in rows]
        return sorted(found, key=lambda note: (note.at, note.id))

    async def mute(self, organization_id: OrganizationId, mutes: Sequence[Mute]) -> Sequence[LapseId]:
        wanted = {(mute.lapse_id, mute.person_id): mute for mute in mutes}
        changed: set[LapseId] = set()
        for portion in portions(sorted(wanted), each=4):
            rows = await self._work.rows(
                _MUTE,
                [
                    {
                        "organization_id": organization_id,
                        "lapse_id": lapse_id,
                        "person_id": person_id,
                        "until": wanted[lapse_id, person_id].until,
                    }
                    for lapse_id, person_id in portion
                ],
            )
            changed |= {LapseId(row[0]) for row in rows}
        return [lapse_id for lapse_id in dict.fromkeys(mute.lapse_id for mute in mutes) if lapse_id in changed]

    async def mutes(self, organization_id: OrganizationId, lapse_ids: Sequence[LapseId]) -> Sequence[Mute]:
        found: list[Mute] = []
        for portion in portions(lapse_ids):
            rows = await self._work.rows(_MUTES, {"organization": organization_id, "lapses": list(portion)})
            found += [Mute(lapse_id=LapseId(row[0]), person_id=PersonId(row[1]), until=row[2]) for row in rows]
        return found

    async def stats(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        *,
        since: datetime,
        until: datetime,
        network: str | None = None,
    ) -> Stats:
        return await stats(self._work, organization_id, scope, since=since, until=until, network=network)

    async def last_ended(self, organization_id: OrganizationId, connection_id: ConnectionId) -> Lapse | None:
        found = await self._work.row(_LAST_ENDED, {"organization": organization_id, "connection": connection_id})
        return None if found is None else lapse_of(found)

    async def _note_on_connection(
        self, organization_id: OrganizationId, connection_id: ConnectionId, since: datetime | None
    ) -> None:
        """Keep the list's order on the connection, so that a page is read from one index."""
        await self._work.run(
            update(connections)
            .where(connections.c.organization_id == organization_id, connections.c.id == connection_id)
            .values(lapsed_since=since)
        )


def _note_of(values: Sequence[Any]) -> LapseNote:
    row_id, organization_id, lapse_id, person_id, person_name, text, at = values
    return LapseNote(
        id=NoteId(row_id),
        organization_id=OrganizationId(organization_id),
        lapse_id=LapseId(lapse_id),
        person_id=PersonId(person_id),
        person_name=person_name,
        text=text,
        at=at,
    )
