"""What came back, held against what was expected."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.comparison import AccountResult, Comparison, ComparisonKind, compare
from commands.ids import ClientId, ConnectionId, OrganizationId, new_id
from commands.model import Connection, ConnectionState, Evidence, Finding, Parent, Verdict
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow, shortened
from commands.ports.network import Discovery, Permission, ReachedAccount
from tests.support.network import GOOD, finding, spec

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORGANIZATION, CLIENT = OrganizationId(new_id(AT)), ClientId(new_id(AT))
EAST, WEST = Parent(id="e", name="East"), Parent(id="w", name="West")
TWO = spec(
    permissions=(
        Permission(label="Reporting", satisfied_by=frozenset({"r", "all"})),
        Permission(label="Management", satisfied_by=frozenset({"m", "all"})),
    )
)


def connection(
    account: str, state: ConnectionState = ConnectionState.LAPSED, parent: Parent | None = EAST
) -> Connection:
    return Connection(
        id=ConnectionId(new_id(AT)),
        organization_id=ORGANIZATION,
        client_id=CLIENT,
        network="examplenet",
        account_id=account,
        account_name=f"Account {account}",
        state=state,
        parent=parent,
    )


def reached(account: str, found: Finding = GOOD, parent: Parent | None = EAST) -> ReachedAccount:
    return ReachedAccount(account_id=account, name=account, parent=parent, finding=found)


def login(*accounts: ReachedAccount, subject: str = "ana", granted: str = "all") -> Discovery:
    return Discovery(
        subject_id=subject, subject_name=subject.title(), granted=frozenset(granted.split()), accounts=accounts
    )


def results(comparison: Comparison) -> list[AccountResult]:
    return [outcome.result for outcome in comparison.expected]


@pytest.mark.behaviour("R-5", "R-7", "R-8")
@pytest.mark.parametrize(
    ("shown", "granted", "expected"),
    [
        pytest.param(reached("1"), "all", AccountResult.RESTORED, id="readable"),
        pytest.param(reached("1"), "r m", AccountResult.RESTORED, id="permissions by their single codes"),
        pytest.param(reached("1"), "r", AccountResult.MISSING_PERMISSION, id="one permission short"),
        pytest.param(reached("1", finding(Verdict.PERMISSION_MISSING)), "all", AccountResult.MISSING_PERMISSION),
        pytest.param(reached("2"), "all", AccountResult.NOT_REACHED, id="another account only"),
        pytest.param(reached("1", parent=WEST), "all", AccountResult.MOVED, id="under another business"),
        pytest.param(reached("1", parent=WEST), "r", AccountResult.MOVED, id="moved, and a permission short"),
        pytest.param(reached("1", parent=None), "all", AccountResult.RESTORED, id="the business is not told"),
        pytest.param(reached("1", finding(Verdict.ACCOUNT_MOVED)), "all", AccountResult.MOVED),
        pytest.param(reached("1", finding(Verdict.ACCOUNT_GONE)), "all", AccountResult.NOT_REACHED),
        pytest.param(reached("1", finding(Verdict.ACCOUNT_DISABLED)), "all", AccountResult.DISABLED),
        pytest.param(reached("1", finding(Verdict.ROLE_LOST)), "all", AccountResult.UNREADABLE),
        pytest.param(reached("1", finding(Verdict.UNCLEAR)), "all", AccountResult.UNREADABLE),
        pytest.param(reached("1", finding(Verdict.NETWORK_DOWN)), "all", AccountResult.UNREADABLE),
    ],
)
def test_each_account_is_judged_by_what_the_login_shows(
    shown: ReachedAccount, granted: str, expected: AccountResult
) -> None:
    comparison = compare(TWO, login(shown, granted=granted), subject_id="ana", expected=[connection("1")])
    assert results(comparison) == [expected]
    assert (comparison.kind is ComparisonKind.RESTORED) == (expected is AccountResult.RESTORED)


@pytest.mark.behaviour("R-5")
def test_missing_permissions_are_named_beside_those_granted() -> None:
    comparison = compare(TWO, login(reached("1"), granted="m other"), subject_id="ana", expected=[connection("1")])
    assert (comparison.granted, comparison.missing) == (("Management",), ("Reporting",))
    assert comparison.expected[0].missing == ("Reporting",)


def test_a_finding_adds_the_permissions_that_it_misses() -> None:
    lacking = Finding(
        verdict=Verdict.PERMISSION_MISSING, evidence=Evidence(check="x", missing=("Reporting", "Creative"))
    )
    comparison = compare(TWO, login(reached("1", lacking), granted="m"), subject_id="ana", expected=[connection("1")])
    assert comparison.expected[0].missing == ("Reporting", "Creative")


@pytest.mark.behaviour("R-6")
@pytest.mark.parametrize(
    ("before", "shown", "wrong"),
    [
        ("ana", reached("1"), False),
        ("ana", reached("9"), False),
        ("raj", reached("1"), False),
        ("raj", reached("9"), True),
        ("raj", reached("1", finding(Verdict.ROLE_LOST)), False),
        (None, reached("9"), True),
        (None, reached("1"), False),
    ],
)
def test_a_login_is_wrong_if_it_is_another_and_reaches_nothing_expected(
    before: str | None, shown: ReachedAccount, wrong: bool
) -> None:
    assert compare(TWO, login(shown), subject_id=before, expected=[connection("1")]).wrong_login == wrong


def test_the_same_login_is_held_to_what_worked_before_and_another_is_not() -> None:
    expected = [connection("1"), connection("2", ConnectionState.ACTIVE)]
    same = compare(TWO, login(reached("1")), subject_id="ana", expected=expected)
    other = compare(TWO, login(reached("1"), subject="raj"), subject_id="ana", expected=expected)
    assert (same.kind, other.kind) == (ComparisonKind.PARTIAL, ComparisonKind.RESTORED)


def test_an_account_that_worked_all_along_is_no_success() -> None:
    expected = [connection("1"), connection("2", ConnectionState.ACTIVE)]
    comparison = compare(TWO, login(reached("2")), subject_id="ana", expected=expected)
    assert comparison.kind is ComparisonKind.NOTHING
    assert [outcome.connection.account_id for outcome in comparison.proved] == ["2"]


def test_others_that_wait_join_only_if_they_are_proved() -> None:
    optional = [connection(each, ConnectionState.UNCONNECTED, None) for each in ("2", "3", "4")]
    found = login(reached("1"), reached("2"), reached("3", finding(Verdict.ROLE_LOST)))
    comparison = compare(TWO, found, subject_id="ana", expected=[connection("1")], optional=optional)
    assert [outcome.connection.account_id for outcome in comparison.joining] == ["2"]
    assert comparison.kind is ComparisonKind.RESTORED


def connections() -> st.SearchStrategy[list[Connection]]:
    states = st.sampled_from([ConnectionState.LAPSED, ConnectionState.ACTIVE, ConnectionState.UNCONNECTED])
    one = st.builds(connection, st.sampled_from("123456"), states, st.sampled_from([EAST, WEST, None]))
    return st.lists(one, min_size=1, max_size=6, unique_by=lambda each: each.account_id)


def discoveries() -> st.SearchStrategy[Discovery]:
    account = st.builds(
        reached, st.sampled_from("1234567"), st.sampled_from(list(Verdict)).map(finding), st.sampled_from([EAST, None])
    )
    return st.builds(
        lambda accounts, subject, granted: login(*accounts, subject=subject, granted=granted),
        st.lists(account, max_size=7, unique_by=lambda each: each.account_id),
        st.sampled_from(["ana", "raj"]),
        st.sampled_from(["all", "r m", "r", ""]),
    )


@pytest.mark.behaviour("R-5", "R-16")
@given(expected=connections(), optional=connections(), found=discoveries(), before=st.sampled_from(["ana", None]))
def test_nothing_is_ever_called_restored_that_was_not_shown_readable_with_every_permission(
    expected: list[Connection], optional: list[Connection], found: Discovery, before: str | None
) -> None:
    comparison = compare(TWO, found, subject_id=before, expected=expected, optional=optional)
    shown = {account.account_id: account for account in found.accounts}
    for outcome in comparison.proved:
        account = shown[outcome.connection.account_id]
        assert account.finding.verdict is Verdict.HEALTHY
        assert comparison.missing == ()
        assert outcome.connection.parent is None or account.parent in (None, outcome.connection.parent)
    assert len(comparison.expected) == len(expected)
    assert all(outcome.proved for outcome in comparison.joining)
    if comparison.wrong_login:
        assert comparison.kind is ComparisonKind.NOTHING
        assert not comparison.same_login
    if comparison.kind is ComparisonKind.RESTORED:
        assert all(outcome.proved for outcome in comparison.concerned)


@given(
    kind=st.sampled_from(list(OutcomeKind)),
    words=st.text(max_size=50),
    labels=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    rows=st.lists(st.tuples(st.text(max_size=20), st.sampled_from(list(AccountResult)), st.booleans()), max_size=5),
    verdict=st.none() | st.sampled_from(list(Verdict)),
)
def test_an_outcome_is_read_as_it_was_written(
    *,
    kind: OutcomeKind,
    words: str,
    labels: tuple[str, ...],
    rows: list[tuple[str, AccountResult, bool]],
    verdict: Verdict | None,
) -> None:
    outcome = Outcome(
        kind=kind,
        verdict=verdict,
        used_login=words,
        expected_login=words,
        granted=labels,
        missing=labels,
        rows=tuple(row(name, result, worked) for name, result, worked in rows),
        more=len(rows),
        reaches=labels,
    )
    assert Outcome.from_json(outcome.to_json()) == outcome


def row(name: str, result: AccountResult, worked: bool = False) -> OutcomeRow:
    return OutcomeRow(
        account_name=name,
        account_id=name,
        client_name=name,
        result=result,
        verdict=Verdict.HEALTHY,
        worked_before=worked,
        missing=(name,),
    )


def test_a_long_outcome_names_what_is_not_back_first_and_counts_the_rest() -> None:
    many = [row(f"{n:03}", AccountResult.RESTORED) for n in range(250)]
    rows, more = shortened([*many, row("zzz", AccountResult.NOT_REACHED)])
    assert (len(rows), more) == (200, 51)
    assert rows[0].account_name == "zzz"
