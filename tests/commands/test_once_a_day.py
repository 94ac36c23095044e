"""Ids of what is written down at most once a day."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from commands.ids import OrganizationId, new_id
from commands.once_a_day import day_in, event_id

HOUSE, OTHER = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
DAY = date(2026, 11, 22)


def test_the_same_words_of_the_same_day_and_organization_make_the_same_id() -> None:
    assert event_id(HOUSE, DAY, "nudged", "a b") == event_id(HOUSE, DAY, "nudged", "a b")
    others = [
        event_id(HOUSE, DAY, "nudged", "a", "b"),
        event_id(HOUSE, DAY, "refused", "a b"),
        event_id(HOUSE, DAY + timedelta(days=1), "nudged", "a b"),
        event_id(OTHER, DAY, "nudged", "a b"),
        event_id(HOUSE, DAY, "nudged", "a b"),
    ]
    assert len(set(others)) == 5


def test_an_id_stands_in_order_of_time_among_the_others() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    found = event_id(HOUSE, DAY, "nudged")
    assert new_id(noon - timedelta(milliseconds=1)) < found < new_id(noon + timedelta(milliseconds=1))
    assert (found.version, found.variant) == (8, "specified in RFC 4122")


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", 22), ("Asia/Tokyo", 23), ("America/Los_Angeles", 22), ("Nowhere/Nothing", 22), ("../etc", 22)],
)
def test_a_day_is_the_organizations_own(zone: str, day: int) -> None:
    assert day_in(zone, datetime(2026, 11, 22, 20, tzinfo=UTC)) == date(2026, 11, day)
