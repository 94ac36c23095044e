"""The verdict after a login: what was granted beside what it takes, who came beside who was expected, and a way on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.comparison import AccountResult
from commands.errors import NetworkError
from commands.model import ConnectionState, Parent, Role, Verdict
from commands.outcomes import OutcomeKind
from tests.support.network import finding
from tests.web.browser import Browser, Page
from tests.web.rig import Rig
from tests.web.states import SUCCESSES, Endings, outcomes, renamed, results


def lacks(page: Page, link: str) -> list[str]:
    """Which of the four a failure page lacks: what happened, what to check, trying again, who can help (R-15)."""
    again = link in page.actions() or f'href="{link}"' in page.text
    found = {
        "what happened": 'id="what"' in page.text and ('role="alert"' in page.text or 'role="status"' in page.text),
        "what to check": "What to check" in page.words,
        "trying again": again,
        "who can help": "Who can help" in page.words and "Raj Patel, who administers" in page.words,
        "support": "help@acme.example, Mon to Fri, 9 to 17" in page.words,
    }
    return [what for what, is_there in found.items() if not is_there]


@pytest.mark.behaviour("R-15")
async def test_every_page_of_a_login_that_failed_has_what_happened_what_to_check_again_and_who_helps(
    rig: Rig, browser: Browser
) -> None:
    """Each kind of end, each reason of an account, each refusal of a network, for a connection and for new accounts."""
    renamed(rig)
    async with rig.storage.transaction() as uow:
        organization = await uow.organizations.get(rig.organization_id)
        hours = replace(organization, support_contact="help@acme.example, Mon to Fri, 9 to 17")
        await uow.organizations.update(hours)
    pages = await results(rig, browser)
    assert {name.split(",")[0].split(" ")[0] for name in pages} >= {kind.value for kind in OutcomeKind}
    failures = {name: page for name, page in pages.items() if not name.startswith(SUCCESSES)}
    assert len(failures) > 40
    connection = await rig.connection_of("1029384756")
    assert connection is not None
    link, new = await rig.link(connection.id), await rig.new_accounts_link()
    wanting = {name: lacks(page, new if "new accounts" in name else link) for name, page in failures.items()}
    assert {name: missing for name, missing in wanting.items() if missing} == {}
    assert [name for name, page in pages.items() if page.status != 200] == []


@pytest.mark.behaviour("R-15")
@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.HEALTHY])
async def test_whatever_the_network_refuses_a_login_with_there_is_a_way_on(
    rig: Rig, browser: Browser, verdict: Verdict
) -> None:
    """Row 56: what comes from the network's side is told for what it is, and nothing is written."""
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    rig.network.grant = NetworkError(finding(verdict, "<b>e42</b>"))
    page = await rig.reconnect(browser, path)
    assert page.status == 200
    assert path in page.actions()
    for words in ("What to check", "Who can help", "Raj Patel", "help@acme.example"):
        assert words in page.words
    assert "e42" not in page.text
    connection = await rig.connection_of("1")
    assert connection is not None
    assert connection.state is ConnectionState.LAPSED


@pytest.mark.behaviour("R-15")
async def test_who_administers_alone_without_a_support_contact_is_told_who_runs_it(rig: Rig, browser: Browser) -> None:
    async with rig.storage.transaction() as uow:
        organization = await uow.organizations.get(rig.organization_id)
        await uow.organizations.update(replace(organization, support_contact=None))
    path = await rig.link(await rig.add_connection("1", connector="Raj Patel"), "Raj Patel")
    await rig.signed_in(browser, path, "Raj Patel")
    sent = await browser.submit(await browser.get(path), path)
    page = await browser.follow(await browser.get(rig.callback(sent.sent_state, error="access_denied")))
    assert "Who can help Whoever runs lapsebot here" in page.words


@pytest.mark.behaviour("R-6", "X-5")
async def test_what_was_expected_stands_beside_what_came_and_the_page_says_how_to_change_the_login(
    rig: Rig, browser: Browser
) -> None:
    """Row 57: nothing is written for another login; and a neutral sentence where nothing is known of the network."""
    renamed(rig)
    path = await rig.link(await rig.add_connection("1029384756"))
    await rig.signed_in(browser, path)
    rig.login("77", "78", subject="s-b", name="Ana (private)", parent=Parent(id="8002", name="Brio"))
    page = await rig.reconnect(browser, path)
    for row in (
        "Login Ana Ruiz, as last time Ana (private)",
        "Account Acme EU Ads 1029384756 Account 77 77 and Account 78 78",
        "Business center Acme EU 7001 Brio 8002",
    ):
        assert row in page.words
    assert '<th scope="col">Expected</th>' in page.text
    assert "What to check The page shows who is logged in; choose “Not you?” to change it." in page.words
    rig.network.spec = replace(rig.network.spec, switch_login="")
    neutral = await rig.reconnect(browser, path)
    assert "Open Examplenet in this browser and see who is logged in there. If it is Ana (private)" in neutral.words


@pytest.mark.behaviour("R-5", "X-5")
@pytest.mark.parametrize(("re_asks", "label"), [(True, "Fix just this"), (False, "Try again")])
async def test_one_permission_is_fixed_by_itself_where_the_network_asks_for_one_alone(
    rig: Rig, browser: Browser, re_asks: bool, label: str
) -> None:
    """Row 58: what is missing is named beside what was granted."""
    renamed(rig)
    rig.network.spec = replace(rig.network.spec, re_asks=re_asks)
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1", granted=frozenset({"manage"}))
    page = await rig.reconnect(browser, path)
    assert "A permission is missing: Reporting" in page.words
    assert "Reporting missing Ad Account Management granted" in page.words
    assert page.form(path)["again"] == "yes"
    assert f">{label}</button>" in page.text
    assert ("Fix just this" in page.words) == re_asks


@pytest.mark.behaviour("R-8", "X-5")
async def test_of_five_accounts_three_are_granted_and_each_is_listed_as_back_or_with_its_reason(
    rig: Rig, browser: Browser
) -> None:
    asked = await rig.add_connection("1", "One")
    for number in (2, 3, 4, 5):
        await rig.add_connection(str(number), f"Number {number}")
    path = await rig.link(asked)
    await rig.signed_in(browser, path)
    rig.login("1", "2", "3")
    page = await rig.reconnect(browser, path)
    assert "3 of 5 accounts back" in page.words
    assert "The login was granted 3 of 5 accounts." in page.words
    for number in (4, 5):
        assert f"Number {number} {number} client Acme, this login does not reach it" in page.words
    assert "Number 2 2 client Acme, restored" in page.words
    for account, state in {
        "1": ConnectionState.ACTIVE,
        "3": ConnectionState.ACTIVE,
        "5": ConnectionState.LAPSED,
    }.items():
        connection = await rig.connection_of(account)
        assert connection is not None
        assert connection.state is state


async def test_each_reason_for_which_an_account_is_not_back_has_its_own_advice(rig: Rig, browser: Browser) -> None:
    renamed(rig)
    connection_id = await rig.add_connection("1")
    link = await rig.link(connection_id)
    await rig.signed_in(browser, link)
    endings, told = Endings(rig, browser), outcomes()
    advice = {
        AccountResult.NOT_REACHED: "tick the accounts that this login did not reach",
        AccountResult.MISSING_PERMISSION: "leave every box and switch on",
        AccountResult.MOVED: "What is under another business now",
        AccountResult.DISABLED: "What is disabled: find out on Examplenet why",
        AccountResult.UNREADABLE: "whether the account was closed or its roles were changed",
    }
    for result, words in advice.items():
        for kind in (OutcomeKind.PARTIAL, OutcomeKind.NOT_BACK):
            path = await endings.path(link, told[f"{kind.value} {result.value}"], connection_id=connection_id)
            page = await browser.get(path)
            assert words in page.words
            assert [other for other in advice.values() if other != words and other in page.words] == []


@pytest.mark.behaviour("P-3", "R-15")
async def test_who_lacks_the_role_reads_who_holds_it_and_can_come_with_another_login(
    rig: Rig, browser: Browser
) -> None:
    renamed(rig)
    await rig.add_person("Otto Own", Role.OWNER)
    connection_id = await rig.add_connection("1")
    path = await rig.link(connection_id, "Mei Lin")
    await rig.signed_in(browser, path, "Mei Lin")
    rig.login("1", subject="s-mei", granted=frozenset({"manage", "read"}), finding=finding(Verdict.ROLE_LOST))
    page = await rig.reconnect(browser, path)
    assert "a role is missing" in page.words
    assert "Ana Ruiz, who connected this account" in page.words
    assert "The page shows who is logged in" in page.words


@pytest.mark.behaviour("R-4", "R-15")
async def test_a_login_that_is_over_by_signing_out_elsewhere_says_so(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("1")
    link = await rig.link(connection_id)
    await rig.signed_in(browser, link)
    path = await Endings(rig, browser).path(link, None, connection_id=connection_id, age=timedelta(minutes=2))
    page = await browser.get(path)
    assert "This login is not finished" in page.words
    assert ">Go on</button>" in page.text
    rig.clock.advance(timedelta(minutes=9))
    assert "This login took too long" in (await browser.get(path)).words
