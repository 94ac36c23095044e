"""How fast one destination gets messages."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.pacing import Pacer
from commands.ports.chat import Pace
from tests.support.clock import FakeClock

SECOND = timedelta(seconds=1)


def test_a_burst_goes_at_once_and_then_one_each_interval() -> None:
    pacer, now, pace = Pacer(), FakeClock().now(), Pace(interval=SECOND, burst=3)
    assert [pacer.turn("C1", pace, now) for _ in range(5)] == [None, None, None, now + SECOND, now + SECOND]
    assert pacer.turn("C1", pace, now + SECOND) is None
    assert pacer.turn("C1", pace, now + SECOND) == now + 2 * SECOND


def test_destinations_do_not_wait_for_each_other() -> None:
    pacer, now, pace = Pacer(), FakeClock().now(), Pace(interval=SECOND, burst=1)
    assert pacer.turn("C1", pace, now) is None
    assert pacer.turn("C2", pace, now) is None


def test_a_destination_that_was_told_to_wait_waits_whatever_its_burst() -> None:
    pacer, now, pace = Pacer(), FakeClock().now(), Pace(interval=SECOND, burst=5)
    pacer.hold("C1", pace, now, 30 * SECOND)
    assert pacer.turn("C1", pace, now + 29 * SECOND) == now + 30 * SECOND
    assert pacer.turn("C1", pace, now + 30 * SECOND) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 2000), max_size=60), st.integers(1, 4))
def test_no_window_ever_holds_more_than_the_pace_allows(gaps: list[int], burst: int) -> None:
    pacer, now, pace = Pacer(), FakeClock().now(), Pace(interval=SECOND, burst=burst)
    taken = []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        if pacer.turn("C1", pace, now) is None:
            taken.append(now)
    for index, first in enumerate(taken):
        within = [at for at in taken[index:] if at < first + 5 * SECOND]
        assert len(within) <= burst + 5
