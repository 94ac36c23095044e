"""What becomes of a delivery after each answer of a platform."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.outcomes import BACK_OFF_CAP, LONGEST, REMOVED, SHORTEST, failed, posted
from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ids import DeliveryId, NoticeId, OrganizationId
from commands.ports.chat import MessageRef
from commands.ports.notices import Delivery, DeliveryState, Priority
from tests.support.chat import direct

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
REF = MessageRef(platform="examplechat", tenant="T1", destination="D1", message="1")
FIRST = Delivery(
    id=DeliveryId(UUID(int=1)),
    organization_id=OrganizationId(UUID(int=2)),
    notice_id=NoticeId(UUID(int=3)),
    address=direct("U1"),
    lane="examplechat:T1",
    priority=Priority.FIRST,
    state=DeliveryState.DUE,
    wanted=1,
    shown=0,
    ref=None,
    attempts=0,
    next_at=NOW,
    created_at=NOW,
)
EDIT = replace(FIRST, ref=REF, wanted=2, shown=1, priority=Priority.EDIT)
CHANCE = random.Random(1)


def error(kind: DeliveryErrorKind, wait: timedelta | None = None, scope: RetryScope = RetryScope.LANE) -> DeliveryError:
    return DeliveryError(kind, "code", retry_after=wait, scope=scope)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(1, 1), (30, 30), (3600, 3600), (0, 1), (-5, 1), (1.5, 1.5), (10**9, 3600)],
)
def test_a_platforms_word_on_waiting_is_kept_between_a_second_and_an_hour(asked: float, waits: float) -> None:
    outcome = failed(FIRST, error(DeliveryErrorKind.RETRY, timedelta(seconds=asked)), now=NOW, chance=CHANCE)
    assert outcome.sent.state is DeliveryState.DUE
    assert outcome.sent.next_at == NOW + timedelta(seconds=waits)
    assert outcome.pause is not None
    assert outcome.pause.until == outcome.sent.next_at


@settings(deadline=None)
@given(attempts=st.integers(0, 2000), seed=st.integers())
def test_back_off_grows_has_jitter_and_is_capped(attempts: int, seed: int) -> None:
    tried = replace(FIRST, attempts=attempts)
    outcome = failed(tried, error(DeliveryErrorKind.RETRY), now=NOW, chance=random.Random(seed))
    wait = outcome.sent.next_at - NOW
    assert SHORTEST <= wait <= max(SHORTEST, min(BACK_OFF_CAP, SHORTEST * 2 ** min(attempts, 20)))
    assert outcome.pause is None
    assert LONGEST > BACK_OFF_CAP


def test_a_first_post_is_tried_for_a_day() -> None:
    late = NOW + timedelta(hours=23, minutes=40)
    assert failed(FIRST, error(DeliveryErrorKind.RETRY), now=late, chance=CHANCE).sent.state is DeliveryState.DUE
    outcome = failed(FIRST, error(DeliveryErrorKind.RETRY), now=NOW + timedelta(hours=24), chance=CHANCE)
    assert (outcome.sent.state, outcome.sent.reason, outcome.lost) == (DeliveryState.FAILED, "expired", True)


def test_a_lost_reply_is_sent_again_once() -> None:
    first = failed(FIRST, error(DeliveryErrorKind.UNKNOWN), now=NOW, chance=CHANCE)
    assert first.sent.state is DeliveryState.UNKNOWN
    again = replace(FIRST, state=DeliveryState.UNKNOWN, attempts=1)
    second = failed(again, error(DeliveryErrorKind.UNKNOWN), now=NOW, chance=CHANCE)
    assert (second.sent.state, second.sent.reason) == (DeliveryState.FAILED, "unknown outcome")


def test_what_is_unknown_stays_so_while_the_platform_only_asks_to_wait() -> None:
    again = replace(FIRST, state=DeliveryState.UNKNOWN)
    outcome = failed(again, error(DeliveryErrorKind.RETRY, timedelta(seconds=9)), now=NOW, chance=CHANCE)
    assert outcome.sent.state is DeliveryState.UNKNOWN


def test_an_edit_whose_reply_was_lost_is_simply_made_again() -> None:
    outcome = failed(EDIT, error(DeliveryErrorKind.UNKNOWN), now=NOW, chance=CHANCE)
    assert (outcome.sent.state, outcome.sent.ref) == (DeliveryState.DUE, REF)


def test_a_message_that_a_reader_removed_is_not_posted_anew() -> None:
    outcome = failed(EDIT, error(DeliveryErrorKind.MESSAGE_GONE), now=NOW, chance=CHANCE)
    assert (outcome.sent.state, outcome.sent.reason, outcome.sent.shown) == (DeliveryState.DELIVERED, REMOVED, 2)
    assert not outcome.lost


@pytest.mark.parametrize("kind", [DeliveryErrorKind.ADDRESS_GONE, DeliveryErrorKind.REJECTED])
def test_what_will_never_work_is_not_tried_again(kind: DeliveryErrorKind) -> None:
    outcome = failed(FIRST, error(kind), now=NOW, chance=CHANCE)
    assert (outcome.sent.state, outcome.sent.reason, outcome.lost) == (DeliveryState.FAILED, "code", True)
    assert not failed(EDIT, error(kind), now=NOW, chance=CHANCE).lost


def test_a_dead_installation_keeps_what_waits_and_rests_the_lane() -> None:
    outcome = failed(FIRST, error(DeliveryErrorKind.INSTALLATION_DEAD), now=NOW, chance=CHANCE)
    assert outcome.sent.state is DeliveryState.DUE
    assert outcome.pause is not None
    assert outcome.pause.dead


def test_after_a_lost_reply_an_earlier_state_is_edited_away() -> None:
    again = replace(FIRST, state=DeliveryState.UNKNOWN, wanted=3)
    assert posted(again, REF, deduplicates=True, now=NOW).sent.shown == 0
    twice = posted(again, REF, deduplicates=False, now=NOW).sent
    assert (twice.shown, twice.reason) == (3, "sent again after a lost reply; may show twice")
    assert posted(FIRST, REF, deduplicates=True, now=NOW).sent.shown == 1


@settings(deadline=None)
@given(
    kind=st.sampled_from(list(DeliveryErrorKind)),
    state=st.sampled_from([DeliveryState.DUE, DeliveryState.UNKNOWN]),
    attempts=st.integers(0, 500),
    age=st.integers(0, 100),
    is_edit=st.booleans(),
    wait=st.one_of(st.none(), st.integers(-10, 10**6)),
)
def test_every_failure_is_tried_later_or_ends_with_a_reason(  # noqa: PLR0917  # Hypothesis gives each by name
    kind: DeliveryErrorKind, state: DeliveryState, attempts: int, age: int, is_edit: bool, wait: int | None
) -> None:
    delivery = replace(EDIT if is_edit else FIRST, state=state, attempts=attempts)
    asked = None if wait is None else timedelta(seconds=wait)
    now = NOW + timedelta(hours=age)
    outcome = failed(delivery, error(kind, asked), now=now, chance=random.Random(3))
    sent = outcome.sent
    if sent.state in (DeliveryState.DUE, DeliveryState.UNKNOWN):
        assert sent.next_at > now
        assert sent.attempts > attempts
    else:
        assert sent.reason
    assert sent.ref == delivery.ref
