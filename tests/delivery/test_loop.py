"""The delivery loop on a real store: pace, faults, crashes, races."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.delivery.outcomes import DEAD_PAUSE, RESEND_AFTER
from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ids import DeliveryId, NoticeId, new_id
from commands.model import Role
from commands.ports.chat import Address, MessageRef, Pace
from commands.ports.notices import DeliveryState
from tests.commands.plain import plain
from tests.delivery.planned import DELIVERED, SECOND, lapsed, states, take
from tests.notices.world import World
from tests.support.chat import direct


async def test_one_destination_gets_its_messages_at_the_allowed_pace_and_in_order(world: World) -> None:
    world.chat.pace = Pace(interval=SECOND, burst=1)
    await world.lapse(*await world.connections(3))
    await world.plan()
    loop = world.loop()
    assert [await loop.run_once() for _ in range(3)] == [1, 0, 0]
    world.clock.advance(SECOND)
    assert await loop.run_once() == 1
    world.clock.advance(SECOND)
    assert await loop.run_once() == 1
    titles = [plain(post.message).splitlines()[-1] for post in world.chat.posts]
    assert titles == ["Notice 1 of 3", "Notice 2 of 3", "Notice 3 of 3"]
    assert set(await states(world)) == {DeliveryState.DELIVERED}


async def test_a_429_holds_back_its_destination_alone(world: World) -> None:
    await lapsed(world, "C1")
    world.chat.faults.append(_once("C1", DeliveryErrorKind.RETRY, 30 * SECOND, RetryScope.DESTINATION))
    loop = world.loop()
    assert await loop.run_once() == 1
    assert len(world.chat.to("Ana")) == 1
    world.clock.advance(29 * SECOND)
    assert await loop.run_once() == 0
    world.clock.advance(SECOND)
    assert await loop.run_once() == 1
    assert await world.outcomes() == {"Ana": DELIVERED, "C1": DELIVERED}


async def test_a_429_of_a_whole_installation_holds_back_its_lane_and_no_other(world: World) -> None:
    raj = await world.person("Raj", Role.ADMINISTRATOR, chat="otherchat")
    await world.lapse(*await world.connections(1))
    await world.plan()
    world.chat.fail(DeliveryErrorKind.RETRY, retry_after=60 * SECOND, scope=RetryScope.LANE)
    loop = world.loop()
    assert await loop.run_once() == 1
    assert len(world.chats["otherchat"].to(raj.name)) == 1
    assert await loop.run_once() == 0
    assert len(world.chat.calls) == 1
    world.clock.advance(61 * SECOND)
    assert await loop.run_once() == 1


async def test_a_lost_reply_is_sent_again_once_and_flagged(world: World) -> None:
    await lapsed(world)
    world.chat.fail(DeliveryErrorKind.UNKNOWN, "timeout")
    loop = world.loop()
    assert await loop.run_once() == 0
    assert await world.outcomes() == {"Ana": [(DeliveryState.UNKNOWN, "timeout")]}
    world.clock.advance(RESEND_AFTER)
    assert await loop.run_once() == 1
    assert len(world.chat.posts) == 2
    assert await world.outcomes() == {
        "Ana": [(DeliveryState.DELIVERED, "sent again after a lost reply; may show twice")]
    }


async def test_a_platform_that_drops_duplicates_shows_a_message_once_after_a_lost_reply(world: World) -> None:
    world.chat.deduplicates = True
    await lapsed(world)
    world.chat.fail(DeliveryErrorKind.UNKNOWN, "timeout")
    loop = world.loop()
    await loop.run_once()
    world.clock.advance(RESEND_AFTER)
    await loop.run_once()
    assert len(world.chat.posts) == 1
    assert await world.outcomes() == {"Ana": DELIVERED}


async def test_replies_that_stay_lost_end_as_failed(world: World) -> None:
    await lapsed(world)
    world.chat.fail(DeliveryErrorKind.UNKNOWN, "timeout", times=9)
    loop = world.loop()
    for _ in range(4):
        await loop.run_once()
        world.clock.advance(RESEND_AFTER)
    assert len(world.chat.calls) == 2
    assert await world.outcomes() == {"Ana": [(DeliveryState.FAILED, "unknown outcome")]}


async def test_a_server_error_is_tried_again_until_it_works(world: World) -> None:
    await lapsed(world)
    world.chat.fail(DeliveryErrorKind.RETRY, "502", times=5)
    loop = world.loop()
    for _ in range(6):
        await loop.run_once()
        world.clock.advance(timedelta(minutes=15))
    assert await world.outcomes() == {"Ana": DELIVERED}
    assert len(world.chat.calls) == 6


async def test_an_adapter_that_breaks_counts_as_a_lost_reply(world: World) -> None:
    await lapsed(world)

    def broken(_: Address | MessageRef) -> None:
        raise RuntimeError("a bug of ours")

    world.chat.on_call = broken
    await world.loop().run_once()
    assert await world.outcomes() == {"Ana": [(DeliveryState.UNKNOWN, "adapter failed")]}


async def test_a_dead_installation_is_left_alone_and_its_rows_are_kept(world: World) -> None:
    await lapsed(world, "C1", "C2")
    world.chat.fail(DeliveryErrorKind.INSTALLATION_DEAD, "token_revoked", times=9)
    loop = world.loop()
    await loop.run_once()
    calls = len(world.chat.calls)
    assert await loop.run_once() == 0
    world.clock.advance(DEAD_PAUSE)
    await loop.run_once()
    assert len(world.chat.calls) == calls + 1  # one is tried alone
    assert set(await states(world)) == {DeliveryState.DUE}
    world.chat.faults.clear()
    world.clock.advance(DEAD_PAUSE)
    assert await loop.run_once() == 3
    assert set(await states(world)) == {DeliveryState.DELIVERED}


@pytest.mark.behaviour("A-8")
async def test_an_installation_found_dead_while_sending_is_told_to_administrators_elsewhere_once(world: World) -> None:
    await world.person("Raj", Role.PRIMARY_ADMINISTRATOR, chat="otherchat")
    await lapsed(world, "C1", "C2")
    world.chat.fail(DeliveryErrorKind.INSTALLATION_DEAD, "token_revoked", times=99)
    loop = world.loop()
    for _ in range(4):
        await loop.run_once()
        await world.plan()
        world.clock.advance(DEAD_PAUSE)
    told = [plain(post.message) for post in world.chats["otherchat"].to("Raj")]
    assert len([one for one in told if "Examplechat" in one]) == 1


async def test_email_is_not_edited_and_a_good_end_is_told_in_a_message_of_its_own(world: World) -> None:
    mail = world.with_email()
    world.chat.refuse("Ana", DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    world.chat.refuse("ana@acme.example", DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    connections = await world.connections(1)
    (lapse,) = await world.lapse(*connections)
    await world.tell()
    await world.claim(lapse, by=world.ana)
    await world.tell()
    assert len(mail.posts) == 1
    await world.end(*connections, by=world.ana)
    await world.tell()
    first, ended = mail.posts
    assert ended.under == first.ref
    assert "Restored" in plain(ended.message)
    assert len(first.shown) == 1
    async with world.storage.transaction() as uow:
        await uow.notices.redraw(world.organization.id, [lapse], world.clock.now())
    await world.tell()
    assert len(mail.posts) == 2  # a note on what is over is no second end


async def test_whoever_cannot_be_reached_here_is_reached_elsewhere(world: World) -> None:
    await world.link(world.ana, "otherchat")
    await lapsed(world)
    world.chats["otherchat"].refuse("Ana", DeliveryErrorKind.ADDRESS_GONE, "50007")
    await world.loop().run_once()
    assert len(world.chat.to("Ana")) == 1
    assert {one.address.platform: (one.state, one.reason) for one in await world.deliveries()} == {
        "otherchat": (DeliveryState.FAILED, "50007"),
        "examplechat": (DeliveryState.DELIVERED, ""),
    }


@pytest.mark.behaviour("N-19")
async def test_administrators_are_told_of_a_reader_whose_every_address_fails(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await lapsed(world)
    for who in ("Ana", "ana@acme.example"):
        world.chat.refuse(who, DeliveryErrorKind.ADDRESS_GONE, "user_disabled")
    await world.loop().run_once()
    texts = [plain(post.message) for post in world.chat.to("Chief")]
    assert len(texts) == 2
    assert "@Ana could not be told (`user_disabled`)" in texts[1]


async def test_what_the_platform_finds_wrong_is_not_sent_again(world: World) -> None:
    await lapsed(world)
    world.chat.fail(DeliveryErrorKind.REJECTED, "invalid_blocks")
    loop = world.loop()
    await loop.run_once()
    world.clock.advance(timedelta(days=1))
    await loop.run_once()
    assert await world.outcomes() == {"Ana": [(DeliveryState.FAILED, "invalid_blocks")]}


async def test_a_message_that_a_reader_removed_is_not_posted_anew(world: World) -> None:
    connections = await world.connections(1)
    (lapse,) = await world.lapse(*connections)
    await world.tell()
    world.chat.posts[0].removed = True
    await world.end(*connections, by=world.ana)
    await world.tell()
    assert len(world.chat.posts) == 1
    assert await world.outcomes() == {"Ana": [(DeliveryState.DELIVERED, "message removed by a reader")]}
    async with world.storage.reading() as uow:
        assert await uow.notices.delivered_to(world.organization.id, [lapse])


async def test_an_edit_that_came_while_the_post_was_under_way_follows_it(world: World) -> None:
    (connection,) = await world.connections(1)
    await world.lapse(connection)
    await world.plan()
    (taken,) = await take(world)
    await world.end(connection, by=world.ana)
    await world.plan()
    assert taken.wanted == 1
    (now,) = await world.deliveries()
    assert (now.state, now.wanted) == (DeliveryState.SENDING, 2)


async def test_nothing_is_posted_after_an_opt_out(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    subscription = await world.subscribe(mei, "C1")
    await world.lapse(*await world.connections(1))
    await world.plan()
    await world.opt_out(subscription)
    await world.loop().run_once()
    assert world.chat.to("C1") == []
    assert (await world.outcomes())["C1"] == [(DeliveryState.SUPPRESSED, "the reader opted out")]


async def test_first_messages_go_before_edits(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C1")
    first, second = await world.connections(2)
    (lapse,) = await world.lapse(first)
    await world.tell()
    await world.claim(lapse, mei)
    await world.plan()
    await world.lapse(second)
    await world.plan()
    world.chat.calls.clear()
    world.chat.pace = Pace(interval=SECOND, burst=1)
    loop = world.loop()
    for _ in range(3):
        await loop.run_once()
        world.clock.advance(SECOND)
    kinds = [isinstance(call, Address) for call in world.chat.calls]
    assert kinds == [True, True, False, False]


async def test_a_lane_of_a_platform_that_does_not_run_here_is_left_to_others(world: World) -> None:
    await lapsed(world)
    loop = world.loop()
    other = world.chats.pop("examplechat")
    assert await loop.run_once() == 0
    world.chats["examplechat"] = other
    assert await loop.run_once() == 1


async def test_a_notice_that_cannot_be_written_spoils_no_other(world: World) -> None:
    await lapsed(world)
    (good,) = await world.deliveries()
    async with world.storage.transaction() as uow:
        notice = (await uow.notices.get_many(world.organization.id, [good.notice_id]))[good.notice_id]
        broken = replace(
            notice, id=NoticeId(new_id(world.clock.now())), lapse_ids=(), data={"beside": "what nobody can read"}
        )
        delivery = replace(
            good, id=DeliveryId(new_id(world.clock.now())), notice_id=broken.id, address=direct("Ana's other account")
        )
        await uow.notices.plan([broken], [delivery])
    await world.loop().run_once()
    assert await world.outcomes() == {
        "Ana": DELIVERED,
        "Ana's other account": [(DeliveryState.DUE, "could not be composed")],
    }


async def test_a_storm_over_many_destinations_takes_few_rounds(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    for number in range(100):
        await world.subscribe(mei, f"C{number}")
    await world.lapse(*await world.connections(3))
    await world.plan()
    assert await world.loop().run_once() == 303
    assert len(world.chat.calls) == 303


async def test_every_delivery_of_a_hostile_day_ends_with_a_state_and_a_reason(world: World) -> None:
    await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await lapsed(world, *(f"C{number}" for number in range(12)))
    kinds = [kind for kind in DeliveryErrorKind if kind is not DeliveryErrorKind.INSTALLATION_DEAD]
    for number in range(12):
        world.chat.refuse(f"C{number}", kinds[number % len(kinds)], "hostile")
    loop = world.loop()
    for _ in range(30):
        await loop.run_once()
        world.clock.advance(timedelta(hours=1))
    ended = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUPPRESSED}
    for delivery in await world.deliveries():
        assert delivery.state in ended
        assert delivery.state is DeliveryState.DELIVERED or delivery.reason
    once = {post.delivery for post in world.chat.posts}
    flagged = [one for one in await world.deliveries() if one.reason == "unknown outcome"]
    assert len(world.chat.posts) - len(once) == len(flagged)


def _once(
    who: str, kind: DeliveryErrorKind, wait: timedelta, scope: RetryScope
) -> Callable[[Address | MessageRef], DeliveryError | None]:
    """Fails the first call to one destination."""
    left = [1]

    def fault(where: Address | MessageRef) -> DeliveryError | None:
        if not isinstance(where, Address) or where.external_id != who or not left:
            return None
        left.pop()
        return DeliveryError(kind, "ratelimited", retry_after=wait, scope=scope)

    return fault


async def test_a_loop_that_sent_something_counts_as_having_got_something_done(world: World) -> None:
    await world.lapse(*await world.connections(1))
    await world.plan()
    loop = world.loop()
    before = loop.progressed_at()
    await loop.run_once()
    assert loop.progressed_at() > before
