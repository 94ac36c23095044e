"""Fire drills: who would hear, who confirms, who is told, and how ready each client is (X-12)."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

import pytest

from bot.notices.audience import Circle
from bot.notices.data import (
    ANSWERED,
    ASKED,
    CHANNELS,
    CLIENT,
    CONNECTION,
    DRILL,
    FASTEST,
    MEDIAN,
    NAMES,
    REACHED,
    SLOWEST,
    UNREACHED,
    WHOM,
    Score,
    ids_in,
    number_in,
    scores_in,
)
from bot.notices.drills import Drills, Played, cast, findings
from commands.errors import DeliveryErrorKind
from commands.ids import ClientId, DrillId, new_id, to_wire
from commands.messages import LinkButton
from commands.model import Drill, Person, Role
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from commands.ports.storage import UnitOfWork
from storage.store import SqlStorage
from tests.commands.plain import plain
from tests.notices.cases import ACME, BRIO, NEWS, person, subscription, view
from tests.notices.world import World
from tests.support.buttons import all_buttons

ANA, OTTO, MEI = person(1), person(2), person(3, Role.STAFF)


class Reading:
    """A store that counts the transactions that write."""

    def __init__(self, storage: SqlStorage) -> None:
        self._storage = storage
        self.asked = 0
        self.clock, self.directory = storage.clock, storage.directory
        self.queues, self.installations, self.host = storage.queues, storage.installations, storage.host
        self.outages = storage.outages
        self.reading = storage.reading

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self.asked += 1
        return self._storage.transaction()


async def drill(world: World, by: Person, client: ClientId | None = None) -> Drill:
    now = world.clock.now()
    started = Drill(
        id=DrillId(new_id(now)),
        organization_id=world.organization.id,
        client_id=client,
        started_by=by.id,
        started_at=now,
        ends_at=now + timedelta(hours=4),
    )
    async with world.storage.transaction() as uow:
        assert await uow.drills.add(started)
    await world.event(EventKind.DRILL_STARTED, data={"drill": to_wire(started.id)})
    await world.tell()
    return started


async def answer(world: World, played: Drill, *people: Person) -> None:
    async with world.storage.transaction() as uow:
        for one in people:
            assert await uow.drills.answer(world.organization.id, played.id, one.id, world.clock.now())


@pytest.mark.behaviour("X-12")
async def test_everybody_who_would_hear_gets_the_drill_once_and_of_its_client_alone(world: World) -> None:
    chief, otto = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR), await world.person("Otto")
    mei, mia = await world.person("Mei", Role.STAFF), await world.person("Mia")
    await world.subscribe(mei, "C1")
    acme = await world.connection(await world.login(), owner=otto)
    await world.connection(await world.login(mia), connector=mia, client=world.brio)
    played = await drill(world, chief, world.acme)
    assert await world.heard(NoticeKind.DRILL) == [
        "Ana drill connector 0",
        "C1 drill channel 0",
        "Chief drill administrator 0",
        "Otto drill owner 0",
    ]
    for notice in await world.notices(NoticeKind.DRILL):
        assert set(notice.data) <= NAMES[NoticeKind.DRILL]
        assert (ids_in(notice, DRILL), ids_in(notice, CLIENT)) == ([played.id], [world.acme])
        assert ids_in(notice, CONNECTION) == [acme]
    for post in world.chat.posts:
        assert "DRILL" in plain(post.message).splitlines()[0]


@pytest.mark.behaviour("X-12")
async def test_who_came_since_the_drill_began_is_not_missing_and_who_was_asked_still_counts(world: World) -> None:
    chief, mei = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR), await world.person("Mei", Role.STAFF)
    opt_in = await world.subscribe(mei)
    await world.connections(1)
    await drill(world, chief)
    await world.opt_out(opt_in)
    await world.subscribe(await world.person("Raj", Role.STAFF))
    world.clock.advance(timedelta(hours=4))
    await world.drills().run_once()
    (report,) = await world.notices(NoticeKind.DRILL_REPORT)
    assert [number_in(report, name) for name in (ASKED, REACHED)] == [3, 3]
    assert UNREACHED not in report.data


@pytest.mark.behaviour("X-12")
async def test_between_escalation_and_end_a_drill_is_only_read(world: World) -> None:
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.connections(1)
    await drill(world, chief)
    world.clock.advance(timedelta(hours=1))
    assert await world.drills().run_once() == 1
    reading = Reading(world.storage)
    read = Drills(world.desks(storage=reading))
    assert await read.run_once() == 0
    assert reading.asked == 0


@pytest.mark.behaviour("X-12")
async def test_after_an_hour_administrators_hear_who_did_not_confirm_and_at_the_end_how_it_went(world: World) -> None:
    chief, otto = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR), await world.person("Otto")
    lost = await world.person("Lost")
    for who in ("Lost", "lost@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "cannot_dm_user")
    await world.connection(await world.login(), owner=otto)
    await world.connection(await world.login(lost), connector=lost, client=world.brio)
    played = await drill(world, chief)
    await world.send()
    world.clock.advance(timedelta(minutes=10))
    await answer(world, played, chief, otto)
    assert await world.drills().run_once() == 0
    world.clock.advance(timedelta(minutes=50))
    assert [await world.drills().run_once(), await world.drills().run_once()] == [1, 0]
    (escalated,) = await world.notices(NoticeKind.DRILL_ESCALATED)
    assert [number_in(escalated, name) for name in (ASKED, REACHED, ANSWERED)] == [4, 3, 2]
    assert (ids_in(escalated, WHOM), ids_in(escalated, UNREACHED)) == ([world.ana.id], [lost.id])
    assert set(escalated.data) <= NAMES[NoticeKind.DRILL_ESCALATED]
    await answer(world, played, world.ana)
    world.clock.advance(timedelta(hours=3))
    assert [await world.drills().run_once(), await world.drills().run_once()] == [1, 0]
    (report,) = await world.notices(NoticeKind.DRILL_REPORT)
    assert set(report.data) <= NAMES[NoticeKind.DRILL_REPORT]
    assert [number_in(report, name) for name in (ASKED, REACHED, ANSWERED, CHANNELS)] == [4, 3, 3, 0]
    assert ids_in(report, WHOM) == []
    assert number_in(report, FASTEST) == number_in(report, MEDIAN) < number_in(report, SLOWEST) == 3602
    assert scores_in(report) == [
        Score(client_id=world.brio, ready=0, total=1),
        Score(client_id=world.acme, ready=1, total=1),
    ]
    await world.plan()
    assert len(await world.notices(NoticeKind.DRILL_REPORT)) == 1


@pytest.mark.behaviour("X-12")
async def test_nothing_is_escalated_when_everybody_confirmed(world: World) -> None:
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.connections(1)
    played = await drill(world, chief)
    await answer(world, played, chief, world.ana)
    world.clock.advance(timedelta(hours=1))
    await world.drills().run_once()
    assert await world.notices(NoticeKind.DRILL_ESCALATED) == []


def scored(played: Sequence[Played], *answers: Person, channel: bool = False) -> tuple[Score, ...]:
    asked = [subscription(1, MEI, channel=NEWS)] if channel else []
    whole = cast(played, Circle(administrators=(), subscriptions=asked, subscribers={MEI.id: MEI}))
    found = findings(
        whole,
        asked=frozenset(reader.person.id for reader in whole.readers if reader.channel is None),
        delivered=frozenset(),
        channels=0,
        answers={one.id: timedelta(minutes=1) for one in answers},
        people={one.id: one for one in answers},
    )
    return found.scores


@pytest.mark.behaviour("X-12")
def test_a_client_is_as_ready_as_the_share_of_its_connections_of_which_two_people_confirmed() -> None:
    played = [
        Played(view(1, connector=ANA, owner=OTTO), 3),
        Played(view(2, connector=ANA), 1),
        Played(view(3, connector=OTTO, client=BRIO), 5),
    ]
    assert scored(played, ANA, OTTO) == (
        Score(client_id=BRIO, ready=0, total=5),
        Score(client_id=ACME, ready=3, total=4),
    )
    assert {score.ready for score in scored(played, ANA)} == {0}
    assert scored(played, ANA, MEI, channel=True) == (
        Score(client_id=BRIO, ready=0, total=5),
        Score(client_id=ACME, ready=4, total=4),
    )
    assert all(isinstance(score.client_id, UUID) for score in scored(played))


@pytest.mark.behaviour("X-12")
async def test_a_drill_s_message_brings_a_link_to_play_by_email_too_and_none_to_a_channel(world: World) -> None:
    mail, chief = world.with_email(), await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.subscribe(chief, "C1")
    for who in ("Ana", "ana@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    await world.connections(1)
    await drill(world, chief)
    links = {
        who: [one.url for one in all_buttons(post.message) if isinstance(one, LinkButton)]
        for who, post in (
            ("mail", mail.posts[0]),
            ("chat", world.chat.to("Chief")[0]),
            ("channel", world.chat.to("C1")[0]),
        )
    }
    assert [len(links[who]) for who in ("mail", "chat", "channel")] == [1, 1, 0]
    assert all("/drill/" in url for own in links.values() for url in own)
