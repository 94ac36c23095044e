"""Posting and editing, and what each way of failing is called."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ids import DeliveryId, new_id
from commands.messages import ActionRef, Button, Buttons, Message, say
from commands.ports.chat import Address, AddressKind, MessageRef
from platform_adapters.chat.discord.adapter import nonce_of
from tests.discord_adapter.loopback import ANA, CLOSED, GENERAL, GUILD, Answering, Loopback, platform_at
from tests.vendors.discord_support import SECRET

POSTS = "POST /channels/*/messages"


def delivery() -> DeliveryId:
    return DeliveryId(new_id(datetime.now(UTC)))


def to(external_id: object, kind: AddressKind = AddressKind.CHANNEL) -> Address:
    return Address(platform="discord", tenant="", kind=kind, external_id=str(external_id))


async def failure(discord: Loopback, address: Address | None = None, message: Message | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.post(address or to(GENERAL), message or say("Lapsed"), delivery())
    return raised.value


async def test_a_direct_message_opens_its_channel_once(discord: Loopback) -> None:
    refs = [await discord.platform.post(to(ANA, AddressKind.DIRECT), say("Lapsed"), delivery()) for _ in range(2)]
    assert [message["id"] for message in await discord.people.history(ANA)] == [ref.message for ref in refs]
    assert await discord.requests("/users/@me/channels") == 1


async def test_the_nonce_is_the_deliverys_own() -> None:
    """It is the same in every process, and short enough for Discord."""
    one = delivery()
    assert nonce_of(one) == nonce_of(DeliveryId(one))
    assert nonce_of(one) != nonce_of(delivery())
    assert len(nonce_of(one)) == 25


@pytest.mark.behaviour("N-1")
async def test_a_process_that_died_after_posting_posts_nothing_twice(discord: Loopback) -> None:
    """Another process, with another client, is given the message that is there already."""
    one = delivery()
    first = await discord.platform.post(to(GENERAL), say("Lapsed"), one)
    other = platform_at(discord.vendor, discord.clock, discord.pauses)
    async with other.running(None):
        second = await other.post(to(GENERAL), say("Lapsed"), one)
    assert first == second
    assert len(await discord.people.history(ANA, GENERAL)) == 1


async def test_it_posts_without_taking_requests(idle: Loopback) -> None:
    """A process that only delivers opens no gateway and registers no commands."""
    async with idle.platform.running(None):
        await idle.platform.post(to(GENERAL), say("Lapsed"), delivery())
    await idle.platform.post(to(GENERAL), say("Lapsed"), delivery())
    assert (await idle.people.counters())["identifies"] == 0
    assert await idle.people.commands(ANA, GENERAL) == []
    assert len(await idle.people.history(ANA, GENERAL)) == 2


async def test_a_bad_gateway_on_the_way_leaves_one_message(discord: Loopback) -> None:
    """The post was taken, and the reply was an error page: the library's next try finds it there."""
    await discord.people.fault("accepted-html", POSTS, status=502)
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    assert len(await discord.people.history(ANA, GENERAL)) == 1


@pytest.mark.parametrize("kind", ["drop", "empty", "content-type"])
async def test_a_reply_that_is_lost_or_unreadable_is_unknown_and_a_resend_shows_once(
    discord: Loopback, kind: str
) -> None:
    one = delivery()
    await discord.people.fault(kind, POSTS)
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.post(to(GENERAL), say("Lapsed"), one)
    assert raised.value.kind is DeliveryErrorKind.UNKNOWN
    await discord.platform.post(to(GENERAL), say("Lapsed"), one)
    assert len(await discord.people.history(ANA, GENERAL)) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, 50007, DeliveryErrorKind.ADDRESS_GONE),
        (403, 50278, DeliveryErrorKind.ADDRESS_GONE),
        (403, 40003, DeliveryErrorKind.ADDRESS_GONE),
        (404, 10003, DeliveryErrorKind.ADDRESS_GONE),
        (403, 50001, DeliveryErrorKind.ADDRESS_GONE),
        (403, 50013, DeliveryErrorKind.ADDRESS_GONE),
        (400, 50035, DeliveryErrorKind.REJECTED),
        (400, 0, DeliveryErrorKind.REJECTED),
        (401, 0, DeliveryErrorKind.INSTALLATION_DEAD),
        (503, 0, DeliveryErrorKind.RETRY),
        (403, 999_999, DeliveryErrorKind.UNKNOWN),
    ],
)
async def test_each_refusal_has_its_kind(discord: Loopback, status: int, code: int, kind: DeliveryErrorKind) -> None:
    """One request each: what cannot succeed is not tried again."""
    await discord.people.fault("error", POSTS, status=status, code=code)
    error = await failure(discord)
    assert error.kind is kind
    assert error.code == str(code or status)
    assert await discord.requests("/messages") == 1


@pytest.mark.behaviour("N-19")
async def test_closed_direct_messages_and_missing_rights_are_told_apart_from_faults(discord: Loopback) -> None:
    assert (await failure(discord, to(CLOSED, AddressKind.DIRECT))).code == "50007"
    assert (await failure(discord, to(SECRET))).code == "50001"
    await discord.people.permit(GENERAL, send=False)
    assert (await failure(discord)).code == "50013"
    await discord.people.kick_bot(GUILD)
    assert (await failure(discord, to(ANA, AddressKind.DIRECT))).code == "50278"
    assert (await failure(discord, to(999, AddressKind.DIRECT))).code == "50033"


async def test_an_address_that_is_no_id_of_discords_is_never_asked_for(discord: Loopback) -> None:
    before = (await discord.people.counters())["requests"]
    for address in (to("../users/@me"), to("", AddressKind.DIRECT), to("ana@example.test", AddressKind.BY_EMAIL)):
        assert (await failure(discord, address)).kind is DeliveryErrorKind.ADDRESS_GONE
    assert (await discord.people.counters())["requests"] == before


@pytest.mark.parametrize(("scope", "wanted"), [("user", RetryScope.DESTINATION), ("global", RetryScope.LANE)])
async def test_a_longer_wait_is_handed_back_with_its_scope(discord: Loopback, scope: str, wanted: RetryScope) -> None:
    before = (await discord.people.counters())["rejected"]
    await discord.people.fault("error", POSTS, status=429, retry_after=30, scope=scope)
    error = await failure(discord)
    assert (error.kind, error.retry_after, error.scope) == (DeliveryErrorKind.RETRY, timedelta(seconds=30), wanted)
    assert (await discord.people.counters())["rejected"] == before + 1
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())


async def test_a_short_wait_is_sat_out(discord: Loopback) -> None:
    await discord.people.fault("error", POSTS, status=429, retry_after=0.01)
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    assert len(await discord.people.history(ANA, GENERAL)) == 1


async def test_a_wait_beyond_reason_is_an_hour(discord: Loopback) -> None:
    await discord.people.fault("error", POSTS, status=429, retry_after=1e12)
    assert (await failure(discord)).retry_after == timedelta(hours=1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 401}, DeliveryErrorKind.INSTALLATION_DEAD),
        ({"status": 429, "via": False, "retry_after": 300}, DeliveryErrorKind.RETRY),
    ],
)
async def test_a_bot_that_is_shut_out_stops_asking(
    discord: Loopback, fault: dict[str, object], kind: DeliveryErrorKind
) -> None:
    """A hundred posts to a dead token, or into a ban, are one refused request, until some time has passed."""
    await discord.people.fault("error", POSTS, times=1000, **fault)
    before = (await discord.people.counters())["rejected"]
    for _ in range(100):
        error = await failure(discord)
        assert (error.kind, error.scope) == (kind, RetryScope.LANE)
    assert (await discord.people.counters())["rejected"] == before + 1
    await discord.people.clear_faults()
    discord.clock.advance(timedelta(minutes=11))
    await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())


async def test_a_discord_that_cannot_be_reached_is_tried_again(idle: Loopback, inbound: Answering) -> None:
    """Starting does not need Discord, and a post says that nothing was sent."""
    down = platform_at(
        idle.vendor,
        idle.clock,
        idle.pauses,
        LAPSEBOT_DISCORD_API_URL="http://127.0.0.1:9/api/v10",
        LAPSEBOT_DISCORD_GATEWAY_URL="ws://127.0.0.1:9",
    )
    async with down.running(inbound):
        with pytest.raises(DeliveryError) as raised:
            await down.post(to(GENERAL), say("Lapsed"), delivery())
        assert (raised.value.kind, raised.value.scope) == (DeliveryErrorKind.RETRY, RetryScope.LANE)


async def test_an_edit_to_a_message_or_channel_that_is_gone_says_which(discord: Loopback) -> None:
    ref = await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    await discord.people.delete_message(ref.message)
    for destination, kind in ((ref.destination, DeliveryErrorKind.MESSAGE_GONE), ("1", DeliveryErrorKind.ADDRESS_GONE)):
        gone = MessageRef(platform="discord", tenant="", destination=destination, message=ref.message)
        with pytest.raises(DeliveryError) as raised:
            await discord.platform.update(gone, say("Restored"))
        assert raised.value.kind is kind


async def test_an_action_too_long_for_a_button_is_our_bug(discord: Loopback) -> None:
    message = Message((Buttons((Button("x", ActionRef("a", ("b" * 100,))),)),))
    assert (await failure(discord, message=message)).kind is DeliveryErrorKind.REJECTED
