"""`/lapse-admin links`: every step of a personal link with its time; ending one, and sending another (X-10)."""

from datetime import datetime, timedelta

import pytest

from commands.ids import AttemptId, LinkId, NoticeId, SessionId, new_id
from commands.messages import Message
from commands.outcomes import Outcome, OutcomeKind
from commands.passes import make_pass
from commands.ports.events import EventKind
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose
from commands.secret import hashed
from tests.commands.plain import buttons, plain, token
from tests.commands.world import World

MINUTE = timedelta(minutes=1)


async def sent_link(world: World, who: str = "olga", *, notice: NoticeId | None = None) -> Pass:
    """A link that Ada had sent: what the message's composer makes."""
    now = world.clock.now()
    async with world.storage.transaction() as uow:
        await make_pass(
            uow,
            "https://lapsebot.example",
            world.people[who],
            PassPurpose.ACCOUNTS,
            made_by=None,
            now=now,
            data={"by": "Ada King"},
            notice_id=notice or NoticeId(new_id(now)),
            followed=True,
        )
    async with world.storage.reading() as uow:
        own = await uow.passes.of(world.organization.id, world.people[who].id, PassPurpose.ACCOUNTS)
    return own[0]


async def attempted(world: World, one: Pass, kind: OutcomeKind | None) -> datetime:
    """A round trip through the link; None: it is under way."""
    now = world.clock.advance(MINUTE)
    link = Link(
        id=LinkId(new_id(now)),
        organization_id=one.organization_id,
        person_id=one.person_id,
        connection_id=world.connections["Acme DE"],
        created_at=now,
    )
    async with world.storage.transaction() as uow:
        locator = await uow.links.ensure(link)
    there = await world.storage.directory.link(locator)
    assert there is not None
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=one.organization_id,
        link_id=there.id,
        person_id=one.person_id,
        connection_id=there.connection_id,
        authorization_id=None,
        network="tiktok",
        session_id=SessionId(one.id),
        redirect_uri="http://127.0.0.1/",
        code_verifier=None,
        opened_at=now,
        expires_at=now + 10 * MINUTE,
    )
    async with world.storage.transaction() as uow:
        await uow.attempts.open(attempt, state_hash=hashed(str(attempt.id)), browser_hash=b"b", take_over=False)
        if kind is not None:
            outcome = Outcome(kind=kind).to_json()
            await uow.attempts.finish(one.organization_id, attempt.id, outcome=outcome, at=now + MINUTE)
    return now


async def listed(world: World) -> Message:
    return await world.typed("ada", "lapse-admin", "links")


@pytest.mark.behaviour("X-10")
async def test_a_sender_sees_each_step_of_a_link_in_order(world: World) -> None:
    one = await sent_link(world)
    waiting = plain(await listed(world))
    assert "*1 personal link* in 30 days" in waiting
    assert "*Olga Berg* · from Ada King" in waiting
    assert "on its way since" in waiting
    assert "not opened yet" in waiting
    async with world.storage.transaction() as uow:
        await uow.passes.opened(one.organization_id, one.id, world.clock.advance(MINUTE))
    opened = plain(await listed(world))
    assert "opened" in opened
    assert "not opened yet" not in opened
    await attempted(world, one, OutcomeKind.WRONG_LOGIN)
    await attempted(world, one, OutcomeKind.DECLINED)
    await attempted(world, one, None)
    words = plain(await listed(world))
    order = [words.index(step) for step in ("opened", "at TikTok", "wrong account", "declined")]
    assert order == sorted(order)
    assert words.rstrip().count("at TikTok") == 3
    assert "did not come back" not in words
    world.clock.advance(11 * MINUTE)
    assert "did not come back" in plain(await listed(world))
    await attempted(world, one, OutcomeKind.RESTORED)
    done = plain(await listed(world))
    assert "✅ *Olga Berg*" in done
    assert "done" in done


@pytest.mark.behaviour("X-10", "R-13")
async def test_a_link_is_withdrawn_by_one_press_and_sent_anew_by_another_on_the_same_day(world: World) -> None:
    await world.typed("ada", "lapse-admin", "send-link olga")
    one = await sent_link(world)
    async with world.storage.transaction() as uow:
        olga, now = world.people["olga"], world.clock.now()
        await make_pass(uow, "https://lapsebot.example", olga, PassPurpose.CALENDAR, made_by=None, now=now)
    gone = await world.pressed("ada", token(await listed(world), "Withdraw 1"))
    assert "Withdrawn: the link of *Olga Berg* no longer opens anything." in plain(gone)
    async with world.storage.reading() as uow:
        there = await uow.passes.get(one.organization_id, one.id)
        entries = await uow.audit.latest(one.organization_id, limit=5)
    assert there is not None
    assert there.withdrawn_at == world.clock.now()
    async with world.storage.reading() as uow:
        (calendar,) = await uow.passes.of(one.organization_id, one.person_id, PassPurpose.CALENDAR)
    assert calendar.withdrawn_at is not None, "made with the link, it would live for a year"
    assert "personal_link.withdrawn" in [entry.action for entry in entries]
    assert "withdrawn" in plain(await listed(world))
    anew = plain(await world.pressed("ada", token(gone, "Send a new one")))
    assert anew.startswith("✅ *Olga Berg* gets a message")
    again = plain(await world.pressed("ada", token(gone, "Send a new one")))
    assert "already got their link today" in again
    world.clock.advance(MINUTE)
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=100)
    assert sum(event.kind is EventKind.LINK_SENT for each in due for event in each.events) == 2


@pytest.mark.behaviour("X-10")
async def test_a_link_that_is_over_offers_a_new_one_in_its_place(world: World) -> None:
    await sent_link(world)
    world.clock.advance(timedelta(days=8))
    message = await listed(world)
    assert "over since" in plain(message)
    assert "Withdraw 1" not in buttons(message)
    assert plain(await world.pressed("ada", token(message, "Send a new one 1"))).startswith("✅ *Olga Berg* gets")


@pytest.mark.behaviour("X-10")
async def test_a_copied_link_is_followed_as_well_and_one_in_a_lapses_mail_is_not(world: World) -> None:
    again = await world.typed("ada", "lapse-admin", "send-link olga")
    await world.pressed("ada", token(again, "Copy their link"))
    async with world.storage.transaction() as uow:
        person, now = world.people["olga"], world.clock.now()
        await make_pass(uow, "https://x.example", person, PassPurpose.ACCOUNTS, made_by=None, now=now)
    words = plain(await listed(world))
    assert "*1 personal link*" in words
    assert "copied" in words
    assert "from Ada King" in words


@pytest.mark.behaviour("X-10")
async def test_a_message_that_was_tried_twice_is_one_row(world: World) -> None:
    notice = NoticeId(new_id(world.clock.now()))
    first = await sent_link(world, notice=notice)
    world.clock.advance(MINUTE)
    await sent_link(world, notice=notice)
    assert "*1 personal link*" in plain(await listed(world))
    async with world.storage.transaction() as uow:
        await uow.passes.opened(first.organization_id, first.id, world.clock.now())
        assert await uow.passes.withdraw_one(first.organization_id, first.id, world.clock.now())
        own = await uow.passes.of(first.organization_id, first.person_id, PassPurpose.ACCOUNTS)
    assert all(one.withdrawn_at is not None for one in own), "either may be the one that arrived"


@pytest.mark.behaviour("X-10")
async def test_nobody_but_administrators_sees_or_ends_links(world: World) -> None:
    await sent_link(world)
    message = await listed(world)
    for who in ("ana", "olga"):
        assert "personal link" not in plain(await world.typed(who, "lapse-admin", "links"))
        said = plain(await world.pressed(who, token(message, "Withdraw 1")))
        assert "Withdrawn" not in said
    assert message == await listed(world)
