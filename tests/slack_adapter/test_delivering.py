"""What becomes of posts and edits when Slack, or the way to it, goes wrong (facts 27, 29, 30, 32)."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.playground.vendors.slack import serving
from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ids import DeliveryId, new_id, to_wire
from commands.messages import ActionRef, Button, Buttons, Message, say
from commands.ports.chat import Address, AddressKind, MessageRef
from platform_adapters.chat.slack.failures import KINDS, failed, refused, retry_after
from tests.slack_adapter.loopback import (
    ANA,
    ARCHIVED,
    CHANNEL,
    FOREIGN,
    RAJ,
    ROBOT,
    TEAM,
    Loopback,
    config,
    platform_at,
)
from tests.slack_adapter.loopback import running as running_slack

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def slack() -> AsyncIterator[Loopback]:
    async with running_slack(None) as running:
        yield running


def delivery() -> DeliveryId:
    return DeliveryId(new_id(datetime.now(UTC)))


def to(external_id: str = CHANNEL, kind: AddressKind = AddressKind.CHANNEL, tenant: str = TEAM) -> Address:
    return Address(platform="slack", tenant=tenant, kind=kind, external_id=external_id)


async def error_of(slack: Loopback, address: Address | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.post(address or to(), say("Lapsed"), delivery())
    return raised.value


async def update_error(slack: Loopback, ref: MessageRef) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.update(ref, say("Restored"))
    return raised.value


async def test_a_post_unfurls_nothing_and_carries_its_delivery_and_no_more(slack: Loopback) -> None:
    same = delivery()
    for _ in range(2):
        await slack.platform.post(to(), say("Lapsed"), same)
    sent: list[Mapping[str, object]] = [each["args"] for each in await slack.people.accepted("chat.postMessage")]
    assert sent[0]["metadata"] == {"event_type": "lapsebot_delivery", "event_payload": {"delivery": to_wire(same)}}
    assert (sent[0]["unfurl_links"], sent[0]["unfurl_media"], sent[0]["parse"]) == (False, False, "none")
    assert sent[0]["client_msg_id"] == sent[1]["client_msg_id"]
    assert "link_names" not in sent[0]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (to(ARCHIVED), "is_archived"),
        (to(FOREIGN), "not_in_channel"),
        (to("C0NOWHERE"), "channel_not_found"),
        (to(ROBOT, AddressKind.DIRECT), "cannot_dm_bot"),
        (to("robot@agency.example", AddressKind.BY_EMAIL), "email_of_is_bot"),
        (to("guest@agency.example", AddressKind.BY_EMAIL), "email_of_is_restricted"),
        (to("gone@agency.example", AddressKind.BY_EMAIL), "users_not_found"),
        (to("stranger@elsewhere.example", AddressKind.BY_EMAIL), "users_not_found"),
        (to(tenant="T0ELSEWHERE"), "not_installed_there"),
    ],
)
@pytest.mark.behaviour("N-19")
async def test_an_address_that_cannot_be_reached_names_why(slack: Loopback, address: Address, code: str) -> None:
    error = await error_of(slack, address)
    assert (error.kind, error.code) == (DeliveryErrorKind.ADDRESS_GONE, code)


async def test_without_leave_to_look_people_up_the_next_address_is_taken(slack: Loopback) -> None:
    await slack.people.fail("users.lookupByEmail", "error", error="missing_scope")
    error = await error_of(slack, to("ana@agency.example", AddressKind.BY_EMAIL))
    assert (error.kind, error.code) == (DeliveryErrorKind.ADDRESS_GONE, "missing_scope_for_email")


@pytest.mark.parametrize("code", sorted(KINDS))
async def test_every_code_of_the_table_ends_as_the_table_says(slack: Loopback, code: str) -> None:
    await slack.people.fail("chat.postMessage", "error", error=code)
    error = await error_of(slack)
    assert (error.kind, error.code) == (KINDS[code], code)


async def test_a_code_that_the_table_lacks_is_unknown_and_logged(
    slack: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    await slack.people.fail("chat.postMessage", "error", error="something_new")
    assert (await error_of(slack)).kind is DeliveryErrorKind.UNKNOWN
    assert "something_new" in caplog.text
    assert refused("<b>not a code</b>", "chat.postMessage").code == "unreadable"


@pytest.mark.parametrize("fault", ["drop", "truncate", "empty"])
async def test_a_post_whose_reply_is_lost_is_unknown_and_was_sent_once(slack: Loopback, fault: str) -> None:
    await slack.people.fail("chat.postMessage", fault)
    assert (await error_of(slack)).kind is DeliveryErrorKind.UNKNOWN
    assert len(await slack.people.accepted("chat.postMessage")) == 1


async def test_a_page_instead_of_an_answer_is_never_taken_for_success(slack: Loopback) -> None:
    await slack.people.fail("chat.postMessage", "http", status=200)
    assert (await error_of(slack)).kind is DeliveryErrorKind.UNKNOWN


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
async def test_a_server_error_is_tried_again_by_us_and_not_by_the_library(slack: Loopback, status: int) -> None:
    await slack.people.fail("chat.postMessage", "http", status=status)
    error = await error_of(slack)
    assert (error.kind, error.code) == (DeliveryErrorKind.RETRY, f"http_{status}")
    assert len([each for each in await slack.people.log("replies") if each["method"] == "chat.postMessage"]) == 1


@pytest.mark.parametrize(
    ("error", "of_a_post", "of_an_edit"),
    [
        (TimeoutError(), DeliveryErrorKind.UNKNOWN, DeliveryErrorKind.RETRY),
        (aiohttp.SocketTimeoutError(), DeliveryErrorKind.UNKNOWN, DeliveryErrorKind.RETRY),
        (aiohttp.ServerDisconnectedError(), DeliveryErrorKind.UNKNOWN, DeliveryErrorKind.RETRY),
        (ConnectionResetError(), DeliveryErrorKind.UNKNOWN, DeliveryErrorKind.RETRY),
        (aiohttp.ConnectionTimeoutError(), DeliveryErrorKind.RETRY, DeliveryErrorKind.RETRY),
        (aiohttp.InvalidURL("x"), DeliveryErrorKind.RETRY, DeliveryErrorKind.RETRY),
    ],
)
def test_only_what_may_have_been_sent_is_unknown(
    error: Exception, of_a_post: DeliveryErrorKind, of_an_edit: DeliveryErrorKind
) -> None:
    assert failed(error, "chat.postMessage", NOW).kind is of_a_post
    assert failed(error, "chat.update", NOW).kind is of_an_edit


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1", 1),
        ("30", 30),
        ("3600", 3600),
        ("0", 1),
        ("-5", 1),
        ("1.5", 1.5),
        ("1000000000000", 3600),
        ("inf", 3600),
        ("Mon, 23 Nov 2026 09:00:20 GMT", 20),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 1),
        ("nan", None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_retry_after_is_read_whatever_it_looks_like(said: str | None, seconds: float | None) -> None:
    assert retry_after(said, NOW) == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_limit_on_posts_holds_the_lane_and_slack_is_left_alone_meanwhile(slack: Loopback) -> None:
    await slack.people.fail("chat.postMessage", "rate_limit", retry_after="30")
    first, second = await error_of(slack), await error_of(slack, to(ANA, AddressKind.DIRECT))
    assert (first.retry_after, first.scope) == (timedelta(seconds=30), RetryScope.LANE)
    assert second.scope is RetryScope.LANE
    assert second.retry_after is not None
    assert second.retry_after <= timedelta(seconds=30)
    assert len([each for each in await slack.people.log("replies") if each["method"] == "chat.postMessage"]) == 1


async def test_a_limit_on_edits_holds_no_post_back(slack: Loopback) -> None:
    ref = await slack.platform.post(to(), say("Lapsed"), delivery())
    await slack.people.fail("chat.update", "rate_limit", retry_after="30")
    error = await update_error(slack, ref)
    assert (error.kind, error.scope) == (DeliveryErrorKind.RETRY, RetryScope.DESTINATION)
    await slack.platform.post(to(), say("Lapsed"), delivery())


async def test_an_edit_whose_reply_is_lost_is_simply_made_again(slack: Loopback) -> None:
    ref = await slack.platform.post(to(), say("Lapsed"), delivery())
    await slack.people.fail("chat.update", "drop")
    assert (await update_error(slack, ref)).kind is DeliveryErrorKind.RETRY
    await slack.platform.update(ref, say("Restored"))
    (seen,) = await slack.people.history(TEAM, CHANNEL, RAJ)
    assert seen.rendered == "Restored"


async def test_the_direct_messages_of_a_post_are_where_it_is_edited(slack: Loopback) -> None:
    ref = await slack.platform.post(to(ANA, AddressKind.DIRECT), say("Lapsed"), delivery())
    assert ref.destination.startswith("D")
    await slack.platform.update(ref, say("Restored"))
    (seen,) = await slack.people.history(TEAM, "dm", ANA)
    assert (seen.rendered, seen.edited) == ("Restored", True)


@pytest.mark.parametrize("order", ["revoke", "uninstall"])
async def test_a_lost_installation_costs_one_call_and_says_so(slack: Loopback, order: str) -> None:
    await slack.people.post(order, team=TEAM)
    error = await error_of(slack)
    assert error.kind is DeliveryErrorKind.INSTALLATION_DEAD
    assert error.code in ("token_revoked", "account_inactive")


async def test_a_message_that_cannot_be_drawn_is_our_mistake_and_slack_never_sees_it(slack: Loopback) -> None:
    message = Message((Buttons((Button("Go", ActionRef("x" * 101)),)),))
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.post(to(), message, delivery())
    assert raised.value.kind is DeliveryErrorKind.REJECTED
    assert await slack.people.accepted("chat.postMessage") == []


async def test_a_slack_that_is_not_there_is_tried_again_and_keeps_nobody_from_starting() -> None:
    async with serving(config()) as vendor:
        platform = platform_at(vendor)
    async with platform.running(None):  # its address is dead now
        with pytest.raises(DeliveryError) as raised:
            await platform.post(to(), say("Lapsed"), delivery())
    assert raised.value.kind is DeliveryErrorKind.RETRY


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    async with serving(config()) as vendor:
        platform = platform_at(vendor)
        with pytest.raises(LookupError, match="mine"):
            async with platform.running(None):
                raise LookupError("mine")


async def test_no_token_is_in_an_error(slack: Loopback) -> None:
    await slack.people.fail("chat.postMessage", "error", error="invalid_blocks")
    error = await error_of(slack)
    assert error.__cause__ is None
    assert "xoxb" not in repr(error)
