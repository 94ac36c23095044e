"""A network's own outage is one calm line to whoever is concerned, and the same line in green (X-3)."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.notices.drafts import Reason
from bot.notices.outages import OutageTeller
from bot.notices.outbox import Outbox, Posting
from bot.notices.planner import Planner
from commands.errors import DeliveryErrorKind
from commands.ids import AuthorizationId, ConnectionId, OrganizationId
from commands.messages import Button, Buttons, Rows, Tone
from commands.model import Rhythm, Role, Verdict
from commands.outages import outage_of
from commands.ports.notices import DeliveryState, NoticeKind
from commands.ports.outages import Outage
from commands.ports.storage import UnitOfWork
from storage.tables import authorizations, connections, outages
from tests.commands.plain import plain
from tests.notices.composing import counted, write
from tests.notices.world import World, made_world
from tests.support.outages import an_outage

OUTAGE = NoticeKind.OUTAGE
MINUTE = timedelta(minutes=1)
PROCESSES = 4


async def begins(world: World) -> Outage:
    """An outage of the network begins."""
    outage = an_outage(world.clock.now())
    assert await world.storage.outages.open(outage)
    return outage


async def fails(world: World, *accounts: ConnectionId, works: bool = False) -> None:
    """Checks of the logins of these accounts fail, or work again."""
    now = world.clock.now()
    async with world.storage.reading() as uow:
        found = [await uow.connections.get(world.organization.id, one) for one in accounts]
    logins: list[AuthorizationId] = [one.authorization_id for one in found if one.authorization_id is not None]
    changed = update(authorizations).where(authorizations.c.id.in_(logins))
    await write(world, changed.values(checked_at=now, failing_since=None if works else now))


async def ends(world: World, outage: Outage) -> None:
    """It is over."""
    assert await world.storage.outages.recover(outage.id, world.clock.advance(10 * MINUTE))
    assert await world.storage.outages.close(outage.id, world.clock.advance(10 * MINUTE))


def teller(world: World) -> OutageTeller:
    return OutageTeller(storage=world.storage, clock=world.clock)


async def tell(world: World) -> None:
    """Look as a new process does, plan, and send."""
    await teller(world).run_once()
    await world.tell()


@pytest.mark.behaviour("X-3", "D-4", "N-9")
async def test_one_calm_line_to_everybody_concerned_and_to_nobody_else(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.person("Quiet", Role.ADMINISTRATOR, immediate_notices=False)
    mei, bo = await world.person("Mei", Role.STAFF), await world.person("Bo")
    await world.person("Zoe", Role.STAFF)
    await world.subscribe(mei)
    await world.subscribe(mei, "C1")
    await world.subscribe(mei, "C2", network="othernet")
    accounts = await world.logins(20)
    accounts.append(await world.connection(await world.login(), owner=bo))
    await begins(world)
    await fails(world, *accounts[1:])
    await tell(world)
    assert await world.heard(OUTAGE) == [
        "Ana outage connector 0",
        "Bo outage owner 0",
        "C1 outage channel 0",
        "Chief outage administrator 0",
        "Mei outage subscriber 0",
    ]
    message = world.chat.to("Ana")[0].message
    assert plain(message).startswith("⏸ Held: *Examplenet* is failing for 20 of 21 connections")
    assert "Nothing of yours is broken; please do not reconnect." in plain(message)
    assert "Nothing here is broken" in plain(world.chat.to("C1")[0].message)
    assert message.tone is Tone.HELD
    assert not [part for part in message.parts if isinstance(part, Buttons | Rows | Button)]
    assert "for 1 of 1 connection" in plain(world.chat.to("Bo")[0].message)
    assert await world.notices(NoticeKind.LAPSED) == []


@pytest.mark.behaviour("X-3")
async def test_the_line_is_edited_in_place_and_not_all_the_time(world: World) -> None:
    accounts = await world.logins(20)
    await begins(world)
    await fails(world, *accounts[:6])
    await tell(world)
    (post,) = world.chat.to("Ana")
    for number in (8, 10, 12, 14):
        world.clock.advance(MINUTE)
        await fails(world, *accounts[:number])
        await tell(world)
    assert len(world.chat.to("Ana")) == 1
    assert len(post.shown) == 1, "five minutes have not passed"
    world.clock.advance(2 * MINUTE)
    await tell(world)
    assert "for 14 of 20 connections" in plain(post.message)
    world.clock.advance(30 * MINUTE)
    await tell(world)
    assert len(post.shown) == 2, "nothing has changed"


@pytest.mark.behaviour("X-3")
async def test_whoever_it_reaches_later_hears_then_and_nobody_twice(world: World) -> None:
    zoe = await world.person("Zoe")
    own = await world.logins(6)
    await begins(world)
    await fails(world, *own)
    await tell(world)
    hers = await world.connection(await world.login(zoe), connector=zoe)
    world.clock.advance(6 * MINUTE)
    await fails(world, hers)
    for _ in range(3):
        await tell(world)
        world.clock.advance(6 * MINUTE)
    assert [len(world.chat.to(name)) for name in ("Ana", "Zoe")] == [1, 1]


@pytest.mark.behaviour("X-3", "N-10")
async def test_all_who_were_told_hear_that_it_is_over(world: World) -> None:
    mail = world.with_email()
    mei = await world.person("Mei", Role.STAFF)
    await world.person("Eve", Role.PRIMARY_ADMINISTRATOR)
    for who in ("Eve", "eve@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    await world.subscribe(mei, "C1")
    accounts = await world.logins(20)
    outage = await begins(world)
    await fails(world, *accounts)
    for _ in range(2):
        await tell(world)
    await fails(world, *accounts[2:], works=True)
    await world.lapse(accounts[0])
    await ends(world, outage)
    for _ in range(3):
        await tell(world)
    (ana,) = [one for one in world.chat.to("Ana") if "examplenet" in plain(one.message).lower() and len(one.shown) > 1]
    assert plain(ana.message).startswith("✅ Over: *Examplenet* works again, after 10 min")
    assert "1 connection needs connecting after all" in plain(ana.message)
    assert ana.message.tone is Tone.GOOD
    under = [one for one in world.chat.posts if one.under is not None]
    assert [plain(one.message).split(".")[0] for one in under] == ["✅ Over: *Examplenet* works again"]
    calm = [one for one in mail.posts if "Lapsed" not in plain(one.message)]
    assert [plain(one.message)[0] for one in calm] == ["⏸", "✅"]
    assert calm[1].message.subject.startswith("Examplenet works again")


@pytest.mark.behaviour("X-3")
async def test_a_message_that_was_not_sent_before_it_was_over_is_not(world: World) -> None:
    accounts = await world.logins(6)
    outage = await begins(world)
    await fails(world, *accounts)
    await teller(world).run_once()
    await world.plan()
    await fails(world, *accounts, works=True)
    await ends(world, outage)
    for _ in range(2):
        await tell(world)
    assert world.chat.posts == []
    assert {one.state for one in await world.deliveries()} == {DeliveryState.SUPPRESSED}


@pytest.mark.behaviour("N-8", "X-11", "X-3")
async def test_each_reader_sees_numbers_of_what_they_may_see(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    sam = await world.person("Sam", Role.STAFF, client_ids=frozenset({world.brio}))
    await world.subscribe(mei, "C1")
    await world.subscribe(mei, "C2", chat="otherchat")
    await world.subscribe(sam)
    await world.narrow("otherchat", world.brio)
    accounts = await world.logins(8)
    brio = [await world.connection(await world.login(), client=world.brio) for _ in range(3)]
    await begins(world)
    await fails(world, *accounts, *brio[1:])
    await tell(world)
    assert "for 10 of 11 connections" in plain(world.chat.to("C1")[0].message)
    assert "for 2 of 3 connections" in plain(world.chats["otherchat"].to("C2")[0].message)
    assert "for 2 of 3 connections" in plain(world.chat.to("Sam")[0].message)


@pytest.mark.behaviour("N-16", "X-3")
async def test_who_wants_a_digest_is_left_in_peace(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.wish(mei, Rhythm.DAILY)
    accounts = await world.logins(6)
    await begins(world)
    await fails(world, *accounts)
    await tell(world)
    assert await world.heard(OUTAGE) == ["Ana outage connector 0"]


@pytest.mark.behaviour("D-4", "X-3")
async def test_a_lapse_without_a_known_reason_that_was_not_told_yet_waits_until_it_is_over(world: World) -> None:
    accounts = await world.logins(8)
    outage = await begins(world)
    await fails(world, *accounts)
    await tell(world)
    await world.lapse(accounts[0], cause=Verdict.UNCLEAR)
    await world.lapse(accounts[1], cause=Verdict.REVOKED)
    await world.tell()
    assert await world.heard(NoticeKind.LAPSED) == ["Ana lapsed connector 1"]
    assert Reason.HELD.value in {one.reason for one in await world.deliveries()}
    await ends(world, outage)
    for _ in range(2):
        await tell(world)
    assert await world.heard(NoticeKind.LAPSED) == ["Ana lapsed connector 1", "Ana lapsed connector 1"]


@pytest.mark.behaviour("D-4", "D-6")
async def test_a_lapse_that_was_held_back_is_told_after_a_day_though_the_network_goes_on_failing(world: World) -> None:
    accounts = await world.logins(8)
    await begins(world)
    await fails(world, *accounts)
    await tell(world)
    await world.lapse(accounts[0], cause=Verdict.UNCLEAR)
    await world.tell()
    assert await world.heard(NoticeKind.LAPSED) == []
    world.clock.advance(timedelta(days=1, minutes=1))
    for _ in range(2):
        await tell(world)
    assert await world.heard(NoticeKind.LAPSED) == ["Ana lapsed connector 1"]


@pytest.mark.behaviour("X-3", "D-5")
async def test_what_lasts_for_a_day_is_said_to_be_held_no_longer(world: World) -> None:
    accounts = await world.logins(8)
    outage = await begins(world)
    await fails(world, *accounts)
    await tell(world)
    assert await held(world, outage)
    world.clock.advance(timedelta(days=1, minutes=1))
    await tell(world)
    (post,) = world.chat.to("Ana")
    assert plain(post.message).startswith("❗ Still failing: *Examplenet*")
    assert not await held(world, outage)
    for _ in range(2):
        world.clock.advance(timedelta(hours=1))
        await tell(world)
    assert len(post.shown) == 2


async def held(world: World, outage: Outage) -> bool:
    async with world.storage.reading() as uow:
        return await outage_of(uow, world.organization.id, outage.network, world.clock.now()) is not None


@pytest.mark.behaviour("X-3", "N-4")
async def test_five_thousand_logins_that_fail_are_one_message_for_each_reader_at_a_bounded_cost(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    few = await world.logins(10)
    await begins(world)
    await fails(world, *few)
    with counted() as little:
        await tell(world)
    assert len(world.chat.posts) == 3
    await world.logins(4_990)
    world.clock.advance(6 * MINUTE)
    await write(world, update(authorizations).values(checked_at=world.clock.now(), failing_since=world.clock.now()))
    with counted() as much:
        await tell(world)
    assert len(world.chat.posts) == 3
    assert "for all 5,000 connections" in plain(world.chat.to("C1")[0].message)
    assert len(much) <= len(little) + 5


class _Dying(Outbox):
    """An outbox of a process that dies before it commits."""

    async def put(self, uow: UnitOfWork, organization_id: OrganizationId, postings: Sequence[Posting]) -> None:
        await super().put(uow, organization_id, postings)
        raise RuntimeError("killed")


@pytest.fixture
async def shared(database_url: str) -> AsyncIterator[World]:
    async with made_world(database_url) as made:
        yield made


@pytest.mark.behaviour("X-3")
async def test_several_processes_tell_each_reader_once(shared: World) -> None:
    await shared.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    accounts = await shared.logins(12)
    outage = await begins(shared)
    for number in (6, 9, 12):
        await fails(shared, *accounts[:number])
        await asyncio.gather(*(teller(shared).run_once() for _ in range(PROCESSES)))
        shared.clock.advance(6 * MINUTE)
        await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    await shared.send()
    await ends(shared, outage)
    await asyncio.gather(*(teller(shared).run_once() for _ in range(PROCESSES)))
    shared.clock.advance(MINUTE)
    await asyncio.gather(*(shared.planner().run_once() for _ in range(PROCESSES)))
    await shared.send()
    assert await shared.heard(OUTAGE) == ["Ana outage connector 0", "Chief outage administrator 0"]
    assert [plain(post.message)[0] for post in shared.chat.posts] == ["✅", "✅"]


@pytest.mark.behaviour("X-3")
async def test_a_process_that_dies_while_it_plans_loses_and_repeats_nothing(shared: World) -> None:
    accounts = await shared.logins(6)
    await begins(shared)
    await fails(shared, *accounts)
    assert await teller(shared).run_once() == 1
    assert await teller(shared).run_once() == 0, "the event is written with what says that it is"
    shared.clock.advance(timedelta(seconds=2))
    dying = _Dying(platforms=shared.chats, clock=shared.clock)
    await Planner(shared.desks(outbox=dying)).run_once()
    assert await shared.notices(OUTAGE) == []
    for _ in range(2):
        await shared.tell()
    assert [len(post.shown) for post in shared.chat.to("Ana")] == [1]


@pytest.mark.behaviour("A-1", "X-3")
async def test_an_organization_without_anything_that_fails_hears_nothing(shared: World) -> None:
    accounts = await shared.logins(6)
    outage = await begins(shared)
    await write(shared, update(connections).values(urgency=3, state="retired").where(connections.c.id.in_(accounts)))
    await fails(shared, *accounts)
    await tell(shared)
    await write(shared, update(outages).values(ended_at=shared.clock.now()).where(outages.c.id == outage.id))
    assert shared.chat.posts == []
    assert not re.search("outage", " ".join(one.reason for one in await shared.deliveries()))
