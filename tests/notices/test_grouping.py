"""How one reader's lapses are parted into notices."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notices.grouping import MOST_APART, beside, group, login_of
from commands.model import ConnectionView
from commands.ports.network import Grouping
from tests.notices.cases import view
from tests.support.network import FakeNetwork, spec

NETWORKS = {
    "examplenet": FakeNetwork(spec("examplenet")),
    "snapnet": FakeNetwork(spec("snapnet", grouping=Grouping.SUMMARY)),
}


def groups(*views: ConnectionView) -> list[list[str]]:
    return [[one.connection.account_id for one in found] for found in group(views, NETWORKS)]


def test_a_network_that_groups_each_has_a_notice_for_each_connection() -> None:
    assert groups(view(1), view(2), view(3)) == [["1"], ["2"], ["3"]]


def test_a_network_that_sums_up_has_one_notice_for_all_its_logins() -> None:
    assert groups(view(1, network="snapnet"), view(2, login=7), view(3, network="snapnet", login=2)) == [
        ["1", "3"],
        ["2"],
    ]


@pytest.mark.behaviour("N-4")
@pytest.mark.parametrize("network", ["examplenet", "snapnet"])
def test_a_login_that_takes_more_than_three_accounts_down_is_told_once_as_a_list(network: str) -> None:
    many = [view(number, network=network, login=5) for number in range(4)]
    assert groups(*many, view(8, network=network, login=6)) == [["0", "1", "2", "3"], ["8"]]


def test_connections_without_a_login_are_never_a_list() -> None:
    assert groups(*(view(number, login=None) for number in range(5))) == [[str(number)] for number in range(5)]


def test_those_of_one_login_that_are_told_apart_know_of_each_other() -> None:
    views = [view(1), view(2), view(3, login=2)]
    assert beside((views[0],), views) == [views[1]]
    assert beside((views[2],), views) == []


@given(
    st.lists(
        st.builds(
            view,
            st.integers(1, 30),
            network=st.sampled_from(["examplenet", "snapnet", "unknown"]),
            login=st.sampled_from([None, 1, 2]),
        ),
        max_size=12,
        unique_by=lambda one: one.connection.id,
    )
)
def test_every_lapse_is_in_exactly_one_notice(views: Sequence[ConnectionView]) -> None:
    found = group(views, NETWORKS)
    assert sorted(one.connection.account_id for part in found for one in part) == sorted(
        one.connection.account_id for one in views
    )
    for part in found:
        logins = {login_of(one) for one in part}
        if len(part) > 1 and part[0].connection.network == "examplenet":
            assert len(logins) == 1
            assert len(part) > MOST_APART
