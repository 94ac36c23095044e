"""Making one person of two. Crosses most tables, of one organization."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, delete, or_, select, tuple_, update

from commands.ids import ClientId, OrganizationId, PersonId
from commands.model import Person, Role
from commands.ports.storage import NotThere
from storage.rows import PERSON, columns, person_of, unlinked_values
from storage.tables import (
    UNPLANNED,
    attempts,
    authorizations,
    connections,
    drill_answers,
    drills,
    events,
    identities,
    lapse_notes,
    lapses,
    links,
    mutes,
    notices,
    parent_profiles,
    passes,
    people,
    preferences,
    subscriptions,
)
from storage.work import Counted, Work, in_order

_BY_RANK = (Role.PRIMARY_ADMINISTRATOR, Role.ADMINISTRATOR, Role.STAFF, Role.OWNER)
_THEIRS: tuple[Column[Any], ...] = (
    identities.c.person_id,
    parent_profiles.c.owner_id,
    lapses.c.ended_by,
    lapses.c.claim_person_id,
    lapse_notes.c.person_id,
    mutes.c.person_id,
    preferences.c.person_id,
    drills.c.started_by,
    drill_answers.c.person_id,
    people.c.deputy_id,
    subscriptions.c.person_id,
    notices.c.person_id,
    links.c.person_id,
    attempts.c.person_id,
    attempts.c.ended_by,
    passes.c.person_id,
    passes.c.made_by,
)
"""Where a person is named and nothing else changes with it. A notice keeps its key: it was told already."""

_ONCE: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (mutes, ("lapse_id",)),
    (preferences, ("topic", "network", "client_key")),
    (drill_answers, ("drill_id",)),
)
"""What a person has at most once of, and by what."""


async def merge(work: Work, organization_id: OrganizationId, *, kept: PersonId, gone: PersonId) -> Person:
    """Implements `People.merge`. The keys of the tables prove that nothing is left behind: the row of `gone` goes."""
    one, other = await _both(work, organization_id, kept, gone)
    merged = {"role": _higher(one, other).role.value, "client_ids": _clients(one, other)}
    # Logins before what hangs on them, as a check writes them, so that nobody waits in a circle.
    theirs = (authorizations.c.organization_id == organization_id, authorizations.c.connector_id == gone)
    await work.run(update(authorizations).where(in_order(authorizations, *theirs)).values(connector_id=kept))
    await _move_connections(work, organization_id, kept, gone)
    await _leave_out_doubled_subscriptions(work, organization_id, kept, gone)
    await _leave_out_doubled_links(work, organization_id, kept, gone)
    for table, keys in _ONCE:
        await _leave_out_doubled(work, organization_id, kept, gone, table=table, keys=keys)
    for column in _THEIRS:
        table = column.table
        await work.run(
            update(table).where(table.c.organization_id == organization_id, column == gone).values({column.name: kept})
        )
    await work.run(  # a planned one is only history, and has no key to the people
        update(events)
        .where(in_order(events, UNPLANNED, events.c.organization_id == organization_id, events.c.person_id == gone))
        .values(person_id=kept)
    )
    found = await work.row(
        update(people)
        .where(people.c.organization_id == organization_id, people.c.id == kept)
        .values(
            **merged,
            time_zone=one.time_zone or other.time_zone,
            deputy_id=_deputy(one, other),
            unlinked=unlinked_values(one.unlinked | other.unlinked),
        )
        .returning(*columns(people, PERSON))
    )
    await work.run(delete(people).where(people.c.organization_id == organization_id, people.c.id == gone))
    if found is None:
        raise NotThere("there is no such person in the organization")
    return person_of(found)


async def _both(work: Work, organization_id: OrganizationId, kept: PersonId, gone: PersonId) -> tuple[Person, Person]:
    """Read both, locked, so that nothing comes to refer to them meanwhile; in order, so that nobody waits in a
    circle.
    """
    rows = await work.rows(
        select(*columns(people, PERSON))
        .where(people.c.organization_id == organization_id, people.c.id.in_([kept, gone]))
        .order_by(people.c.id)
        .with_for_update()
    )
    found = {person.id: person for person in map(person_of, rows)}
    if len(found) != 2:
        raise NotThere("there are no such two people in the organization")
    return found[kept], found[gone]


def _higher(one: Person, other: Person) -> Person:
    return min(one, other, key=lambda person: _BY_RANK.index(person.role))


def _clients(one: Person, other: Person) -> list[str] | None:
    """What the merged person is limited to: of the higher role, both together; None if one of them sees everything."""
    role = _higher(one, other).role
    limits: list[frozenset[ClientId] | None] = [person.client_ids for person in (one, other) if person.role is role]
    if None in limits:
        return None
    return sorted({str(client) for limit in limits if limit is not None for client in limit})


def _deputy(one: Person, other: Person) -> PersonId | None:
    """Who stands in for both; nobody does for themselves."""
    deputies = [person.deputy_id for person in (one, other) if person.deputy_id not in (None, one.id, other.id)]
    return deputies[0] if deputies else None


async def _move_connections(work: Work, organization_id: OrganizationId, kept: PersonId, gone: PersonId) -> None:
    """One column after the other, so that the row that comes back tells what was counted before."""
    c = connections.c
    for mine, other in ((c.connector_id, c.owner_id), (c.owner_id, c.connector_id)):
        moved = await work.rows(
            update(connections)
            .where(in_order(connections, c.organization_id == organization_id, mine == gone))
            .values({mine.name: kept})
            .returning(c.network, c.client_id, c.state, other)
        )
        for network, client_id, state, other_id in moved:
            for person_id, by in ((gone, -1), (kept, 1)):
                whose: dict[str, UUID | None] = {mine.name: person_id, other.name: other_id}
                counted = Counted.of(
                    organization_id=organization_id,
                    network=network,
                    client_id=client_id,
                    connector_id=whose["connector_id"],
                    owner_id=whose["owner_id"],
                    state=state,
                )
                work.count(counted, by)


async def _leave_out_doubled_subscriptions(
    work: Work, organization_id: OrganizationId, kept: PersonId, gone: PersonId
) -> None:
    c = subscriptions.c
    theirs = select(c.network, c.client_key).where(c.organization_id == organization_id, c.reader_id == kept)
    await work.run(
        delete(subscriptions).where(
            c.organization_id == organization_id, c.reader_id == gone, tuple_(c.network, c.client_key).in_(theirs)
        )
    )
    await work.run(
        update(subscriptions).where(c.organization_id == organization_id, c.reader_id == gone).values(reader_id=kept)
    )


async def _leave_out_doubled(
    work: Work, organization_id: OrganizationId, kept: PersonId, gone: PersonId, *, table: Table, keys: Sequence[str]
) -> None:
    """Of what a person has once, the kept person's own stays."""
    key = tuple_(*(table.c[name] for name in keys))
    theirs = select(*(table.c[name] for name in keys)).where(
        table.c.organization_id == organization_id, table.c.person_id == kept
    )
    await work.run(
        delete(table).where(table.c.organization_id == organization_id, table.c.person_id == gone, key.in_(theirs))
    )


async def _leave_out_doubled_links(work: Work, organization_id: OrganizationId, kept: PersonId, gone: PersonId) -> None:
    """Where both had a link for the same, the kept person's stays; the other's attempts go to it."""
    twin = links.alias("twin")
    doubled: Iterable[tuple[UUID, UUID]] = [
        (row[0], row[1])
        for row in await work.rows(
            select(links.c.id, twin.c.id)
            .join(twin, or_(links.c.connection_id == twin.c.connection_id, links.c.network == twin.c.network))
            .where(
                links.c.organization_id == organization_id,
                twin.c.organization_id == organization_id,
                links.c.person_id == gone,
                twin.c.person_id == kept,
            )
        )
    ]
    for left_out, stays in doubled:
        await work.run(
            update(attempts)
            .where(attempts.c.organization_id == organization_id, attempts.c.link_id == left_out)
            .values(link_id=stays)
        )
        await work.run(delete(links).where(links.c.organization_id == organization_id, links.c.id == left_out))
