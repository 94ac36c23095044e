"""Making one person of two, over both databases: everything moves, nothing is left behind, nothing is had twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Column, Uuid, select

from commands.ids import (
    AttemptId,
    ConnectionId,
    DrillId,
    EventId,
    LinkId,
    NoteId,
    NoticeId,
    PassId,
    PersonId,
    SessionId,
    SubscriptionId,
    new_id,
)
from commands.model import (
    Channel,
    Claim,
    ConnectionState,
    Drill,
    Filter,
    Lapse,
    LapseEnd,
    LapseNote,
    Mute,
    Person,
    Preference,
    Rhythm,
    Role,
    Scope,
    Subscription,
    Topic,
)
from commands.ports.auditing import AuditEntry
from commands.ports.events import Event, EventKind
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose
from commands.ports.storage import AlreadyThere, NotThere, UnitOfWork
from commands.secret import Secret
from storage import SqlStorage
from storage.declarations import metadata
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, lapse, seed

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def subscription(person: Person, clock: FakeClock, network: str | None, channel: Channel | None = None) -> Subscription:
    return Subscription(
        id=SubscriptionId(new_id(clock.now())),
        organization_id=person.organization_id,
        person_id=person.id,
        channel=channel,
        network=network,
        client_id=None,
        created_at=clock.now(),
    )


def link(person: Person, seeded: Seeded, place: int, clock: FakeClock) -> Link:
    return Link(
        id=LinkId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=person.id,
        connection_id=seeded.connections[place].id,
        created_at=clock.now(),
    )


async def furnish(storage: SqlStorage, seeded: Seeded, clock: FakeClock) -> dict[str, object]:
    """Let Ana, who connected everything, have something in every table; Pat, whom she becomes, some of the same."""
    now, organization_id = clock.now(), seeded.organization_id
    ana, pat = seeded.ana, seeded.pat
    opened, _ = await lapse(storage, seeded.connections[0], now)
    await lapse(storage, seeded.connections[1], now)
    channel = Channel(platform="slack", tenant="T1", external_id="C1")
    hers, both, his = link(ana, seeded, 1, clock), link(ana, seeded, 0, clock), link(pat, seeded, 0, clock)
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=organization_id,
        kind=NoticeKind.LAPSED,
        part=Part.CONNECTOR,
        person_id=ana.id,
        channel=None,
        lapse_ids=(opened.id,),
        created_at=now,
    )
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=organization_id,
        link_id=both.id,
        person_id=ana.id,
        connection_id=seeded.connections[0].id,
        authorization_id=seeded.authorization.id,
        network="examplenet",
        session_id=SessionId(new_id(now)),
        redirect_uri="http://127.0.0.1/",
        code_verifier=Secret("verifier"),
        opened_at=now,
        expires_at=now + HOUR,
    )
    async with storage.transaction() as uow:
        await uow.lapses.claim(organization_id, [opened.id], Claim(person_id=ana.id, until=now + HOUR))
        await uow.lapses.end(organization_id, seeded.connections[1].id, at=now, how=LapseEnd.RECONNECTED, by=ana.id)
        await uow.connections.set_state(organization_id, seeded.connections[1].id, ConnectionState.ACTIVE)
        await uow.notices.plan([notice], [])
        await uow.notices.record(
            [
                Event(
                    id=EventId(new_id(now)),
                    organization_id=organization_id,
                    kind=EventKind.LINK_REFUSED,
                    at=now,
                    person_id=ana.id,
                )
            ]
        )
        locators = {"hers": await uow.links.ensure(hers), "both": await uow.links.ensure(both)}
        locators["his"] = await uow.links.ensure(his)
        left = replace(attempt, id=AttemptId(new_id(now)))  # which the next one ends
        assert await uow.attempts.open(left, state_hash=b"left", browser_hash=b"b", take_over=False) is None
        assert await uow.attempts.open(attempt, state_hash=b"s", browser_hash=b"b", take_over=False) is None
        for wanted in (
            subscription(ana, clock, None),
            subscription(ana, clock, "examplenet"),
            subscription(pat, clock, None),
            subscription(ana, clock, None, channel),
        ):
            assert await uow.subscriptions.add(wanted)
        await _furnish_more(uow, seeded, clock, opened)
        await uow.audit.write(
            AuditEntry(organization_id=organization_id, at=now, actor_id=ana.id, origin="cli", action="a", subject="s")
        )
    return {**locators, "attempt": attempt.id, "his link": his.id, "lapse": opened.id}


async def _furnish_more(uow: UnitOfWork, seeded: Seeded, clock: FakeClock, opened: Lapse) -> None:
    """What Ana and Pat wrote, wish for and were given; of what a person has once, both have it."""
    now, organization_id = clock.now(), seeded.organization_id
    ana, pat = seeded.ana, seeded.pat
    await uow.people.update(replace(seeded.bo, deputy_id=ana.id))
    await uow.people.update(replace(pat, deputy_id=ana.id))
    await uow.people.update(replace(ana, deputy_id=seeded.raj.id))
    for person in (ana, pat):
        await uow.lapses.mute(
            organization_id,
            [Mute(lapse_id=opened.id, person_id=person.id, until=now + HOUR if person is ana else None)],
        )
        for topic in Topic if person is ana else (Topic.LAPSES,):
            rhythm = Rhythm.DAILY if person is ana else Rhythm.WEEKLY
            await uow.preferences.put(
                organization_id,
                Preference(person_id=person.id, topic=topic, network=None, client_id=None, rhythm=rhythm),
            )
    await uow.lapses.add_note(
        LapseNote(
            id=NoteId(new_id(now)),
            organization_id=organization_id,
            lapse_id=opened.id,
            person_id=ana.id,
            person_name=ana.name,
            text="asked the client",
            at=now,
        )
    )
    drill = Drill(
        id=DrillId(new_id(now)),
        organization_id=organization_id,
        client_id=None,
        started_by=ana.id,
        started_at=now,
        ends_at=now + HOUR,
    )
    await uow.parents.give(organization_id, "examplenet", ["subject-ana"], ana.id)
    assert await uow.drills.add(drill)
    for person, at in ((ana, now), (pat, now + HOUR)):
        assert await uow.drills.answer(organization_id, drill.id, person.id, at)
    bearer = Pass(
        id=PassId(new_id(now)),
        organization_id=organization_id,
        person_id=ana.id,
        purpose=PassPurpose.ACCOUNTS,
        made_by=ana.id,
        created_at=now,
        expires_at=now + HOUR,
    )
    await uow.passes.add(bearer, secret_hash=b"secret")
    for person in (ana, pat):
        await uow.links.ensure(replace(link(person, seeded, 0, clock), connection_id=None, network="examplenet"))


def naming_people() -> set[Column[object]]:
    """Every column that a key ties to the people, of which the walk below proves that nothing stays behind."""
    return {
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "people" and key.column.name == "id" for key in column.foreign_keys)
    }


async def rows_naming(storage: SqlStorage, person: Person) -> dict[str, int]:
    """How many rows name the person, in each column of every table that could."""
    found: dict[str, int] = {}
    async with storage.reading_work() as work:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Uuid):
                    number = len(await work.rows(select(column).where(column == person.id)))
                    found |= {f"{table.name}.{column.name}": number} if number else {}
    return found


@pytest.mark.behaviour("P-6")
async def test_everything_of_one_becomes_the_others(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    there = await furnish(storage, seeded, clock)
    ana, pat, organization_id = seeded.ana, seeded.pat, seeded.organization_id
    async with storage.transaction() as uow:  # she owns what she connected as well, in one of the two
        owned = replace(seeded.connections[0], id=ConnectionId(new_id(clock.now())))
        assert await uow.connections.add(replace(owned, account_id="acct-9", owner_id=ana.id))
    before = await rows_naming(storage, ana)
    assert {f"{column.table.name}.{column.name}" for column in naming_people()} <= set(before)
    async with storage.transaction() as uow:
        merged = await uow.people.merge(organization_id, kept=pat.id, gone=ana.id)
    assert (merged.id, merged.name, merged.email, merged.role) == (pat.id, pat.name, pat.email, Role.STAFF)
    left = await rows_naming(storage, ana)
    assert set(left) == {"audit_entries.actor_id", "counters.connector_id", "counters.owner_id"}
    async with storage.reading_work() as work:
        counters = metadata.tables["counters"].c
        assert {
            row[0]
            for row in await work.rows(
                select(counters.number).where((counters.connector_id == ana.id) | (counters.owner_id == ana.id))
            )
        } == {0}
    async with storage.reading() as uow:
        with pytest.raises(NotThere):
            await uow.people.get(organization_id, ana.id)
        assert {each.platform for each in (await uow.people.identities(organization_id, [pat.id]))[pat.id]} == {
            "slack",
            "discord",
        }
        own = await uow.subscriptions.of(organization_id, person_id=pat.id, channel=None)
        assert sorted(each.network or "" for each in own) == ["", "examplenet"]
        assert {each.person_id for each in await uow.subscriptions.all(organization_id)} == {pat.id}
        theirs = Scope(client_ids=frozenset(), person_id=pat.id)
        counted = sum(each.in_use for each in await uow.connections.counts(organization_id, theirs))
        page = await uow.connections.page(
            organization_id, theirs, Filter(states=tuple(ConnectionState)), offset=0, limit=9
        )
        assert counted == page.total == 3
        attempt = await uow.attempts.get(organization_id, there["attempt"])  # type: ignore[arg-type]  # ids of all kinds in one mapping
        assert attempt is not None
        assert (attempt.person_id, attempt.link_id) == (pat.id, there["his link"])
    kept = {name: await storage.directory.link(str(there[name])) for name in ("hers", "both", "his")}
    assert kept["both"] is None
    for name in ("hers", "his"):
        found = kept[name]
        assert found is not None
        assert found.person_id == pat.id
    async with storage.reading() as uow:
        assert [(mute.person_id, mute.until) for mute in await uow.lapses.mutes(organization_id, [there["lapse"]])] == [  # type: ignore[list-item]  # as above
            (pat.id, None)
        ]
        assert {(one.topic, one.rhythm) for one in await uow.preferences.of(organization_id, [pat.id])} == {
            (Topic.LAPSES, Rhythm.WEEKLY),
            (Topic.WARNINGS, Rhythm.DAILY),
        }
        drill = await uow.drills.latest(organization_id)
        assert drill is not None
        assert await uow.drills.answers(organization_id, drill.id) == {pat.id: clock.now() + HOUR}
        assert [note.person_name for note in await uow.lapses.notes(organization_id, [there["lapse"]])] == [pat.name]  # type: ignore[list-item]  # as above
        assert (await uow.people.get(organization_id, seeded.bo.id)).deputy_id == pat.id
    assert merged.deputy_id == seeded.raj.id, "nobody is their own deputy"
    (member,) = (await storage.directory.standing(platform="slack", workspace="T1", tenant="T1", user="U-ANA")).members
    assert member.person == merged


@pytest.mark.parametrize(
    ("kept", "gone", "role"),
    [
        ("sam", "mei", Role.PRIMARY_ADMINISTRATOR),
        ("raj", "sam", Role.ADMINISTRATOR),
        ("sam", "ana", Role.STAFF),
        ("bo", "sam", Role.STAFF),
        ("sam", "bo", Role.STAFF),
    ],
)
async def test_the_higher_of_both_roles_stays_with_its_clients(
    storage: SqlStorage, clock: FakeClock, kept: str, gone: str, role: Role
) -> None:
    seeded = await seed(storage, clock.now())
    stays, goes = getattr(seeded, kept), getattr(seeded, gone)
    async with storage.transaction() as uow:
        merged = await uow.people.merge(seeded.organization_id, kept=stays.id, gone=goes.id)
    limits = frozenset({seeded.acme.id}) if {kept, gone} == {"sam", "bo"} else None
    assert merged == replace(stays, role=role, client_ids=limits)


async def test_somebody_is_made_one_with_somebody_else_of_the_same_organization(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")
    for kept, gone in ((seeded.ana.id, seeded.ana.id), (seeded.ana.id, other.ana.id), (other.ana.id, seeded.ana.id)):
        with pytest.raises(NotThere):
            async with storage.transaction() as uow:
                await uow.people.merge(seeded.organization_id, kept=kept, gone=gone)
    async with storage.reading() as uow:
        assert await uow.people.get(seeded.organization_id, seeded.ana.id) == seeded.ana


async def test_an_email_address_is_given_to_whoever_has_none_and_only_once(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    nia = replace(seeded.pat, id=PersonId(new_id(clock.now())), name="Nia", email=None)
    async with storage.transaction() as uow:
        await uow.people.add(nia)
        assert not await uow.people.give_email(seeded.organization_id, nia.id, "ANA@acme.example")
        assert not await uow.people.give_email(seeded.organization_id, seeded.ana.id, "other@acme.example")
        assert await uow.people.give_email(seeded.organization_id, nia.id, " Nia@Acme.example ")
        assert not await uow.people.give_email(seeded.organization_id, nia.id, "again@acme.example")
    async with storage.reading() as uow:
        assert (await uow.people.by_email(seeded.organization_id, "nia@acme.example")) == replace(
            nia, email="nia@acme.example"
        )
    with pytest.raises(AlreadyThere):
        async with storage.transaction() as uow:
            await uow.people.add(replace(nia, id=PersonId(new_id(clock.now())), email="nia@acme.example"))


async def test_an_event_with_an_id_of_its_own_is_written_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    event = Event(
        id=EventId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        kind=EventKind.NUDGED,
        at=clock.now(),
        data={"by": "Raj"},
    )
    async with storage.transaction() as uow:
        assert await uow.notices.record_once(event)
        assert not await uow.notices.record_once(replace(event, data={"by": "Eve"}))
    due = await storage.queues.due_events(now=clock.advance(HOUR), gather=timedelta(0), limit=9)
    assert [each.data for batch in due for each in batch.events] == [{"by": "Raj"}]
