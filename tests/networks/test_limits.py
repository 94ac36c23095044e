"""How long networks ask us to wait: each one's own headers, and whatever else arrives in their place."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.model import Pause
from platform_adapters.networks.limits import LONGEST, asked_pause

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUSINESS = json.dumps({
    "102": [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 9}],
    "103": [{"type": "ads_management", "call_count": 3, "estimated_time_to_regain_access": 0}],
})  # fmt: skip


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"retry-after": "60"}, Pause(until=NOW + MINUTE, everybody=True), id="seconds"),
        pytest.param(
            {"retry-after": "Mon, 23 Nov 2026 09:05:00 GMT"},
            Pause(until=NOW + 5 * MINUTE, everybody=True),
            id="a date",
        ),
        pytest.param(
            {"x-business-use-case-usage": BUSINESS},
            Pause(until=NOW + 9 * MINUTE, everybody=False),
            id="Meta, a business",
        ),
        pytest.param(
            {"x-app-usage": '{"call_count": 100, "total_time": 20, "total_cputime": 20}'},
            Pause(until=NOW + 10 * MINUTE, everybody=True),
            id="Meta, our app",
        ),
        pytest.param({"x-app-usage": '{"call_count": 99}'}, None, id="Meta, not yet"),
        pytest.param(
            {"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 60}'},
            Pause(until=NOW + MINUTE, everybody=False),
            id="Meta, an ad account",
        ),
        pytest.param(
            {"x-ad-account-usage": '{"acc_id_util_pct": 9.67, "reset_time_duration": 60}'},
            None,
            id="Meta, an ad account that may go on",
        ),
        pytest.param(
            {"x-rate-limit-reset": str(int((NOW + MINUTE).timestamp()))},
            Pause(until=NOW + MINUTE, everybody=True),
            id="X, since the epoch",
        ),
        pytest.param(
            {"x-account-rate-limit-reset": str(int((NOW + MINUTE).timestamp()))},
            Pause(until=NOW + MINUTE, everybody=True),
            id="X Ads",
        ),
        pytest.param({"x-ratelimit-reset": "60"}, Pause(until=NOW + MINUTE, everybody=True), id="Reddit, from now"),
        pytest.param({"retry-after": "999999999"}, Pause(until=NOW + LONGEST, everybody=True), id="a day at most"),
        pytest.param({"retry-after": "-5"}, None, id="negative"),
        pytest.param({"retry-after": "soon"}, None, id="words"),
        pytest.param({"retry-after": "Mon, 23 Nov 2020 09:05:00 GMT"}, None, id="long past"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_wait_that_a_network_asks_for_is_read(headers: dict[str, str], expected: Pause | None) -> None:
    assert asked_pause(headers, NOW, of_one_login=False) == expected


@pytest.mark.behaviour("D-4")
def test_where_a_network_counts_each_login_nobody_else_waits() -> None:
    assert asked_pause({"retry-after": "60"}, NOW, of_one_login=True) == Pause(until=NOW + MINUTE, everybody=False)


NAMES = [
    "retry-after", "x-ratelimit-reset", "x-rate-limit-reset", "x-account-rate-limit-reset",
    "x-business-use-case-usage", "x-ad-account-usage", "x-app-usage",
]  # fmt: skip
VALUES = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("estimated_time_to_regain_access"), inner),
    ).map(json.dumps),
    st.builds(
        lambda seconds: json.dumps({"acc_id_util_pct": 100, "reset_time_duration": seconds}),
        st.integers() | st.floats(),
    ),
    st.builds(
        lambda minutes: json.dumps({"1": [{"estimated_time_to_regain_access": minutes}]}), st.integers() | st.floats()
    ),
)


@given(headers=st.dictionaries(st.sampled_from(NAMES), VALUES), of_one_login=st.booleans())
def test_whatever_the_headers_hold_a_wait_is_to_come_and_no_longer_than_a_day(
    headers: dict[str, str], of_one_login: bool
) -> None:
    pause = asked_pause(headers, NOW, of_one_login=of_one_login)
    assert pause is None or NOW < pause.until <= NOW + LONGEST
