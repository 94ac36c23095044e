"""Google Ads against its stand-in: manager accounts, and what becomes of the accounts under them."""

from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest

from bot.playground.vendors.networks import AdAccount, NetworkPeople, serve_network
from commands.errors import NetworkError
from commands.model import Finding, Parent, Tokens, Verdict
from commands.ports.network import Expected
from platform_adapters.discovery import build_networks
from platform_adapters.networks.google_customers import Customer, Entrance, reached_accounts
from tests.support.clock import FakeClock
from tests.support.network_rigs import EAST, FIRST, SECOND, WEST, NetworkRig, config, environment, network_rig


@pytest.fixture
async def rig() -> AsyncIterator[NetworkRig]:
    async with network_rig("google_ads") as running:
        yield running


async def finding(rig: NetworkRig, tokens: Tokens, account_id: str = FIRST, parent: Parent | None = EAST) -> Finding:
    """What is said of one account under a login that itself is well."""
    probe = await rig.network.probe(tokens, [Expected(account_id=account_id, parent=parent)])
    assert probe.grant.verdict is Verdict.HEALTHY
    return probe.accounts[account_id]


async def manager_access_lost(rig: NetworkRig, manager: Parent) -> None:
    await rig.people.break_("lower_business_role", business=manager.id, profile="ana")


def entrance(id_: str, *clients: Customer) -> Entrance:
    itself = Customer(id=id_, name=f"M{id_}", manager=True, status="ENABLED")
    return Entrance(id=id_, itself=itself, clients={client.id: client for client in clients})


def client(id_: str, level: int, *, manager: bool = False) -> Customer:
    return Customer(id=id_, name=f"C{id_}", manager=manager, status="ENABLED", level=level)


def test_an_account_under_two_managers_counts_once_under_the_nearer_and_managers_are_no_accounts() -> None:
    top = entrance("1", client("2", 1, manager=True), client("9", 2))
    sub = entrance("2", client("9", 1))
    for entrances in ([top, sub], [sub, top]):
        (account,) = reached_accounts(entrances)
        assert (account.account_id, account.parent) == ("9", Parent(id="2", name="M2"))


@pytest.mark.behaviour("R-14")
async def test_accounts_are_told_with_the_manager_account_that_they_hang_under(rig: NetworkRig) -> None:
    discovery = await rig.network.discover(await rig.log_in())
    assert {account.account_id: account.parent for account in discovery.accounts} == {FIRST: EAST, SECOND: EAST}
    assert {account.name for account in discovery.accounts} == {"Acme EU Ads", "Acme US Ads"}


async def test_an_account_that_hangs_under_no_manager_is_reached_and_checked_by_itself(rig: NetworkRig) -> None:
    await rig.people.add_account(id="555", name="Alone", business_id="", roles={"ana": "STANDARD"})
    tokens = await rig.log_in()
    alone = next(one for one in (await rig.network.discover(tokens)).accounts if one.account_id == "555")
    assert (alone.name, alone.parent, alone.finding.verdict) == ("Alone", None, Verdict.HEALTHY)
    assert (await finding(rig, tokens, "555", None)).verdict is Verdict.HEALTHY


async def test_manager_access_alone_reaches_what_is_linked_under_it(rig: NetworkRig) -> None:
    await rig.people.add_account(id="555", name="Managed", business_id=WEST.id)
    discovery = await rig.network.discover(await rig.log_in("bo"))
    assert [(one.account_id, one.parent) for one in discovery.accounts] == [("555", WEST)]


@pytest.mark.behaviour("D-1", "X-2")
async def test_an_account_linked_under_another_manager_has_moved_there(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.move_account(FIRST, WEST.id, keep_access=False)
    moved = await finding(rig, tokens)
    assert (moved.verdict, moved.evidence.moved_to) == (Verdict.ACCOUNT_MOVED, WEST)


@pytest.mark.behaviour("D-1")
async def test_an_account_whose_link_is_broken_has_moved_even_where_nobody_sees_to_where(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await manager_access_lost(rig, WEST)
    await rig.people.move_account(FIRST, WEST.id, keep_access=False)
    moved = await finding(rig, tokens)
    assert (moved.verdict, moved.evidence.code, moved.evidence.moved_to) == (
        Verdict.ACCOUNT_MOVED,
        "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
        None,
    )
    assert (await finding(rig, tokens, SECOND)).verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_an_unlinked_account_that_is_still_reached_directly_has_left_its_manager(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await manager_access_lost(rig, WEST)
    await rig.people.move_account(FIRST, WEST.id)
    assert (await finding(rig, tokens)).verdict is Verdict.ACCOUNT_MOVED


@pytest.mark.behaviour("D-1")
async def test_a_login_that_lost_the_manager_account_lost_its_role(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await manager_access_lost(rig, EAST)
    lost = await finding(rig, tokens)
    assert (lost.verdict, lost.evidence.code) == (Verdict.ROLE_LOST, "USER_PERMISSION_DENIED")


@pytest.mark.behaviour("D-1")
async def test_an_account_that_its_manager_no_longer_shows_is_gone_not_the_logins_fault(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana")
    gone = await finding(rig, tokens)
    assert (gone.verdict, gone.evidence.code) == (Verdict.ACCOUNT_GONE, "USER_PERMISSION_DENIED")


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("CANCELED", Verdict.ACCOUNT_DISABLED),
        ("SUSPENDED", Verdict.ACCOUNT_DISABLED),
        ("CLOSED", Verdict.ACCOUNT_GONE),
        ("NEVER_SEEN", Verdict.UNCLEAR),
    ],
)
async def test_the_status_of_an_account_is_told_apart_from_a_lost_login(
    rig: NetworkRig, status: str, verdict: Verdict
) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, status)
    told = await finding(rig, tokens)
    assert (told.verdict, told.evidence.code) == (verdict, status)
    assert (await finding(rig, tokens, SECOND)).verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_cancelled_account_without_a_manager_is_disabled_and_spoils_nothing_for_the_others(
    rig: NetworkRig,
) -> None:
    await rig.people.add_account(id="555", name="Old", business_id="", roles={"ana": "ADMIN"}, status="CANCELED")
    tokens = await rig.log_in()
    told = await finding(rig, tokens, "555", None)
    assert (told.verdict, told.evidence.code) == (Verdict.ACCOUNT_DISABLED, "CUSTOMER_NOT_ENABLED")
    verdicts = {one.account_id: one.finding.verdict for one in (await rig.network.discover(tokens)).accounts}
    assert verdicts == {FIRST: Verdict.HEALTHY, SECOND: Verdict.HEALTHY, "555": Verdict.ACCOUNT_DISABLED}


@pytest.mark.behaviour("D-1")
async def test_a_deleted_account_is_gone_by_the_networks_own_word(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.delete_account(FIRST)
    assert (await finding(rig, tokens)).evidence.code == "CUSTOMER_NOT_FOUND"


@pytest.mark.behaviour("D-1")
async def test_two_step_verification_that_a_login_lacks_is_named(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.block_profile("ana")
    grant = (await rig.probe(tokens)).grant
    assert (grant.verdict, grant.evidence.code) == (Verdict.USER_BLOCKED, "TWO_STEP_VERIFICATION_NOT_ENROLLED")
    assert await rig.network.refresh(tokens) is not None  # the login itself goes on


@pytest.mark.behaviour("R-6")
async def test_a_google_login_without_google_ads_is_a_login_that_reaches_nothing(rig: NetworkRig) -> None:
    await rig.people.break_("lower_business_role", business=WEST.id, profile="bo")
    tokens = await rig.log_in("bo")
    discovery = await rig.network.discover(tokens)
    assert (discovery.subject_name, discovery.accounts) == ("bo@acme.example", ())
    grant = (await rig.probe(tokens)).grant
    assert (grant.verdict, grant.evidence.code) == (Verdict.USER_BLOCKED, "NOT_ADS_USER")


@pytest.mark.behaviour("D-4")
async def test_one_manager_account_that_is_throttled_holds_the_whole_check(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.throttled("search", times=1)
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.grant.evidence.code) == (Verdict.THROTTLED, "RESOURCE_EXHAUSTED")


async def test_a_healthy_check_asks_about_the_manager_account_alone_however_many_accounts_it_has(
    rig: NetworkRig,
) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    await rig.probe(tokens)
    assert await rig.people.calls() == {"listAccessibleCustomers": 1, "search": 1}  # what is paid for by the day


async def test_what_is_no_customer_id_never_gets_into_a_query(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    odd = "1) OR customer_client.id > (0"
    told = await finding(rig, tokens, odd)
    assert (told.verdict, told.evidence.code) == (Verdict.UNCLEAR, "not_a_customer_id")


async def test_more_accounts_than_one_answer_holds_are_all_found() -> None:
    clock = FakeClock()
    many = [AdAccount(id=str(number), name=f"A{number}", business_id=EAST.id) for number in range(50_000, 52_300)]
    begin = config("google_ads", clock)
    accounts: Sequence[AdAccount] = [*begin.accounts, *many]
    wanted = [Expected(account_id=account.id, parent=EAST) for account in accounts]
    begin = type(begin)(
        network="google_ads",
        apps=begin.apps,
        profiles=begin.profiles,
        businesses=begin.businesses,
        accounts=accounts,
        clock=begin.clock,
    )
    async with serve_network(begin) as base, aiohttp.ClientSession() as session:
        network = build_networks(environment("google_ads", base), clock)["google_ads"]
        async with network.running():
            rig = NetworkRig(network=network, people=NetworkPeople(base, session), clock=clock)
            tokens = await rig.log_in()
            assert len((await network.discover(tokens)).accounts) == len(accounts)
            probe = await network.probe(tokens, wanted)
    assert {item.verdict for item in probe.accounts.values()} == {Verdict.HEALTHY}
    assert len(probe.accounts) == len(accounts)


async def test_an_outage_during_a_login_is_an_outage(rig: NetworkRig) -> None:
    tokens = await rig.log_in()
    await rig.people.network_down("search")
    with pytest.raises(NetworkError) as error:
        await rig.network.discover(tokens)
    assert error.value.finding.verdict is Verdict.NETWORK_DOWN
