"""How one reader's lapses are parted into notices."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.notices.grouping import MOST_APART, Group, beside, group, login_of
from commands.model import ConnectionView
from commands.ports.network import Grouping
from commands.rules import Rules, RuleSet, rules_for
from tests.notices.cases import ORGANIZATION, view
from tests.support.network import spec

SPECS = {"examplenet": spec("examplenet"), "snapnet": spec("snapnet", grouping=Grouping.SUMMARY)}


def rules(network: str) -> Rules:
    return rules_for(network, SPECS.get(network), [])


def groups(*views: ConnectionView, **lately: int) -> list[list[str]]:
    found = group(views, rules, told_lately=lately)
    return [[one.connection.account_id for one in each.views] for each in found]


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


def test_connections_without_a_login_are_told_apart() -> None:
    assert groups(*(view(number, login=None) for number in range(3))) == [[str(number)] for number in range(3)]


@pytest.mark.behaviour("N-4", "X-8")
def test_five_hundred_logins_of_one_network_are_one_list() -> None:
    many = [view(number, login=number) for number in range(500)]
    (found,) = group(many, rules)
    assert found.gathers == "examplenet"
    assert list(found.views) == many


@pytest.mark.behaviour("N-4", "X-8")
def test_five_hundred_accounts_of_one_login_are_one_list() -> None:
    (found,) = group([view(number, login=1) for number in range(500)], rules)
    assert (len(found.views), found.gathers) == (500, None)


@pytest.mark.behaviour("N-4")
def test_what_would_be_too_many_with_what_was_told_a_moment_ago_is_gathered() -> None:
    assert groups(view(1, login=1), view(2, login=2), examplenet=1) == [["1"], ["2"]]
    assert groups(view(1, login=1), view(2, login=2), examplenet=2) == [["1", "2"]]
    assert groups(view(1, login=1), view(2, login=2), snapnet=9) == [["1"], ["2"]]


@pytest.mark.behaviour("N-4")
def test_an_organization_changes_what_a_network_declares() -> None:
    changed = [RuleSet(organization_id=ORGANIZATION, network="examplenet", grouping=Grouping.SUMMARY)]
    found = group([view(1), view(2, login=2)], lambda network: rules_for(network, SPECS.get(network), changed))
    assert [len(one.views) for one in found] == [2]


def test_those_of_one_login_that_are_told_apart_know_of_each_other() -> None:
    views = [view(1), view(2), view(3, login=2)]
    assert beside(Group((views[0],)), views) == [views[1]]
    assert beside(Group((views[2],)), views) == []


@settings(deadline=None)
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
    found = group(views, rules)
    assert sorted(one.connection.account_id for part in found for one in part.views) == sorted(
        one.connection.account_id for one in views
    )
    for network in ("examplenet", "snapnet", "unknown"):
        assert len([part for part in found if part.views[0].connection.network == network]) <= MOST_APART
    for part in found:
        logins = {login_of(one) for one in part.views}
        if len(part.views) > 1 and part.views[0].connection.network == "examplenet" and part.gathers is None:
            assert len(logins) == 1
            assert len(part.views) > MOST_APART
