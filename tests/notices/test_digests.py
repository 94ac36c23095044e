"""Daily and weekly digests (N-16)."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.notices.data import NAMES, RHYTHM
from commands.model import LapseEnd, Rhythm, Role, Topic
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind
from tests.notices.world import World

LAPSED, DIGEST = NoticeKind.LAPSED, NoticeKind.DIGEST


async def next_morning(world: World) -> int:
    """Let it be 9 o'clock of the next day, and look for digests."""
    now = world.clock.now()
    world.clock.advance(datetime(now.year, now.month, now.day, 9, 0, tzinfo=UTC) + timedelta(days=1) - now)
    return await world.digests().run_once()


@pytest.mark.behaviour("N-16")
async def test_what_gathers_over_a_day_is_one_notice_in_the_morning(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.wish(mei, Rhythm.DAILY)
    first, second, third = await world.connections(3)
    for connection in (first, second, third):
        await world.lapse(connection)
        await world.tell()
        world.clock.advance(timedelta(hours=1))
    assert world.chat.to("Mei") == []
    assert len(world.chat.to("Ana")) == 3, "the connector hears at once"
    await world.end(second, how=LapseEnd.RECOVERED)
    assert await next_morning(world) == 1
    await world.send()
    (digest,) = await world.notices(DIGEST)
    assert (len(digest.lapse_ids), digest.data[RHYTHM]) == (2, "daily")
    assert set(digest.data) <= NAMES[DIGEST]
    assert len(world.chat.to("Mei")) == 1
    assert await world.digests().run_once() == 0


@pytest.mark.behaviour("N-16")
async def test_a_weekly_digest_waits_for_monday(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.wish(mei, Rhythm.WEEKLY)
    await world.lapse(*await world.connections(1))
    await world.tell()
    told = [await next_morning(world) for _ in range(7)]
    assert told == [0, 0, 0, 0, 0, 0, 1]


@pytest.mark.behaviour("N-16")
async def test_nothing_is_told_of_what_ended_or_was_not_wanted_any_more(world: World) -> None:
    mei, raj = await world.person("Mei", Role.STAFF), await world.person("Raj", Role.ADMINISTRATOR)
    subscription = await world.subscribe(mei)
    for who in (mei, raj):
        await world.wish(who, Rhythm.DAILY)
    connection, other = await world.connections(2)
    (_, lapse) = await world.lapse(connection, other)
    await world.tell()
    await world.opt_out(subscription)
    await world.mute(lapse, raj, None)
    await world.end(connection)
    await next_morning(world)
    assert await world.notices(DIGEST) == []


@pytest.mark.behaviour("N-16")
async def test_lapses_and_warnings_have_rhythms_of_their_own(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei)
    await world.wish(mei, Rhythm.DAILY, Topic.WARNINGS)
    ends_at = world.clock.now() + timedelta(days=7)
    login = await world.login(ends_at=ends_at)
    await world.connection(login)
    await world.event(EventKind.GRANT_ENDING, authorization_id=login, data={"days": "7", "ends": ends_at.isoformat()})
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert await world.planned(LAPSED, NoticeKind.EXPIRING) == [
        "Ana expiring connector 0",
        "Ana lapsed connector 1",
        "Mei expiring subscriber 0",
        "Mei lapsed subscriber 1",
    ]
    assert len(world.chat.to("Mei")) == 1
    await next_morning(world)
    (digest,) = await world.notices(DIGEST)
    assert digest.authorization_ids == (login,)
    await world.send()
    await world.renew(login)
    await world.tell()
    assert [len(post.shown) for post in world.chat.to("Mei")] == [1, 2], "the digest shows that it was renewed"


@pytest.mark.behaviour("N-16")
async def test_a_channel_and_the_connector_hear_at_once_whatever_was_wished(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    for who in (mei, world.ana):
        await world.wish(who, Rhythm.WEEKLY)
    await world.lapse(*await world.connections(1))
    await world.tell()
    assert [post.address.external_id for post in world.chat.posts] == ["Ana", "C1"]
