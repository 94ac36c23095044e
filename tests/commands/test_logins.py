"""`/reconnect`: personal links, one for each login; `/connect`: the link for accounts that are new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.actions import ListView, claim_action, reconnect_list_action
from commands.dispatcher import Dispatcher
from commands.handlers import logins
from commands.ids import AttemptId, LinkId, SessionId, from_wire, new_id
from commands.messages import LinkButton, Message, Rows
from commands.model import Role, Verdict
from commands.ports.reconnecting import Attempt, Link, Session
from tests.commands.plain import address, buttons, paging, plain, token
from tests.commands.test_lapsed import counted
from tests.commands.world import PLATFORM, PUBLIC_URL, TENANT, World
from tests.support.network import FakeNetwork

LINK = f"{PUBLIC_URL}/r/"


async def one_login(world: World, number: int, *, connector: str = "ana", network: str = "tiktok") -> None:
    """More accounts that hang on one login, all of them lapsed."""
    for index in range(number):
        name = f"{connector} {index:02}"
        await world.add_connection(name, network, "Acme", connector=connector, cause=Verdict.REVOKED)


def links(message: Message) -> list[str]:
    """Where the rows' buttons lead."""
    return [
        row.button.url
        for part in message.parts
        if isinstance(part, Rows)
        for row in part.rows
        if isinstance(row.button, LinkButton)
    ]


@pytest.mark.behaviour("C-6")
async def test_one_login_repairs_all_accounts_under_it_with_one_link(world: World) -> None:
    message = await world.typed("ana", "reconnect")
    assert plain(message).splitlines() == [
        "*1 login repairs 2 accounts of yours*",
        "🔒 TikTok login of *Ana Ruiz* · one login repairs 2 accounts: Acme DE, Brio Shop · access removed, since "
        "<time Mon 23 Nov 06:00> [Reconnect]",
        "The links are yours alone: they open only for you, signed in.",
        "[All that I may reconnect] [What expires soon]",
    ]
    [link] = links(message)
    assert link.startswith(LINK)
    found = await world.storage.directory.link(link.removeprefix(LINK))
    assert found is not None
    assert (found.person_id, found.connection_id) == (world.people["ana"].id, world.connections["Acme DE"])
    assert links(await world.typed("ana", "reconnect")) == [link], "the same link, however often it is asked for"


@pytest.mark.behaviour("C-6")
async def test_whoever_connected_nothing_is_shown_what_they_may_try(world: World) -> None:
    message = await world.typed("sam", "reconnect")
    assert plain(message).startswith("*1 login repairs 1 account that you may try*")
    assert "Brio" not in plain(message)
    everything = await world.pressed("ana", token(await world.typed("ana", "reconnect"), "All that I may reconnect"))
    assert plain(everything).startswith("*1 login repairs 2 accounts that you may try*"), "an owner sees their own"
    mine = await world.pressed("olga", token(await world.typed("olga", "reconnect", "all"), "Only mine"))
    assert plain(mine).startswith("*2 logins repair 2 accounts of yours*")


@pytest.mark.behaviour("C-6", "R-7")
async def test_what_no_login_mends_is_named_and_has_no_link(world: World) -> None:
    message = await world.typed("raj", "reconnect", "mine")
    assert plain(message).splitlines()[:2] == [
        "Nothing of yours can be mended by a login.",
        "No login mends these; their details say what does: Old Promo (account not found).",
    ]
    assert links(message) == []


@pytest.mark.behaviour("C-6")
async def test_with_nothing_to_mend_it_says_so(world: World) -> None:
    await world.restore("Acme DE")
    message = await world.typed("sam", "reconnect")
    assert plain(message) == "✅ Nothing waits for a login.\n[What expires soon]"
    assert "Acme Page" in plain(await world.pressed("sam", token(message, "What expires soon")))


@pytest.mark.behaviour("C-6")
async def test_an_account_gives_its_own_link_and_several_are_offered(world: World) -> None:
    message = await world.typed("ana", "reconnect", "brio shop")
    assert address(message, "Reconnect").startswith(LINK)
    several = await world.typed("ada", "reconnect", {"account": "page"})
    assert plain(several).startswith("Which one?")
    assert address(await world.pressed("ada", token(several, "This one 2")), "Connect").startswith(LINK)
    assert plain(await world.typed("sam", "reconnect", "brio shop")).startswith("I don't know an account “brio shop”.")


@pytest.mark.behaviour("C-6")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("all linkedin", "*1 login connects 1 account that you may try* · LinkedIn"),
        ("linkedin", "*1 login connects 1 account that you may try* · LinkedIn"),
        ("all client:brio", "*1 login repairs 1 account that you may try* · client Brio"),
        ("client:nobody", "I don't know a client called “nobody”."),
    ],
)
async def test_links_are_narrowed_by_network_and_client(world: World, typed: str, said: str) -> None:
    assert plain(await world.typed("ada", "reconnect", typed)).startswith(said)


@pytest.mark.behaviour("C-6")
async def test_many_logins_have_pages(world: World) -> None:
    for index in range(logins.LOGINS + 3):
        await world.add_person(f"Person{index:02} X", Role.OWNER)
        await world.add_authorization("linkedin", f"person{index:02}")
        await one_login(world, 2, connector=f"person{index:02}", network="linkedin")
    first = await world.typed("ada", "reconnect", "linkedin")
    assert paging(first).label == "logins 1–8 of 12"
    second = await world.pressed("ada", paging(first).following)
    assert paging(second).label == "logins 9–12 of 12"
    assert paging(second).following is None
    assert len({*links(first), *links(second)}) == 12
    assert links(await world.pressed("ada", paging(second).previous)) == links(first)
    beyond = reconnect_list_action(ListView(network="linkedin", offset=400))
    assert links(await world.pressed("ada", beyond)) == links(first), "there are fewer than when it was drawn"


@pytest.mark.behaviour("X-4")
async def test_who_is_on_it_or_at_it_is_said_before_one_starts(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    said = plain(await world.typed("ana", "reconnect"))
    assert "👤 Raj Patel is on it" in said
    offer = plain(await world.typed("ana", "reconnect", "acme de"))
    assert "👤 Raj Patel is on it: a word with them first saves a second login." in offer
    assert "ends the first" not in offer, "only where it does"


@pytest.mark.behaviour("X-4")
async def test_that_a_second_login_ends_the_first_is_said_where_it_does(world: World) -> None:
    networks = dict(world.services.networks)
    networks["tiktok"] = FakeNetwork(replace(networks["tiktok"].spec, one_grant_per_subject=True))
    dispatcher = Dispatcher(replace(world.services, networks=networks))
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    offer = plain(await replace(world, dispatcher=dispatcher).typed("ana", "reconnect", "acme de"))
    assert "saves a second login. At TikTok a second login ends the first." in offer


@pytest.mark.behaviour("X-4", "C-12")
async def test_who_has_a_login_under_way_is_said_before_one_starts(world: World) -> None:
    now, raj = world.clock.now(), world.people["raj"]
    session = Session(
        id=SessionId(new_id(now)),
        platform=PLATFORM,
        tenant=TENANT,
        user="U-raj",
        name="Raj Patel",
        email=None,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    link = Link(
        id=LinkId(new_id(now)),
        organization_id=world.organization.id,
        person_id=raj.id,
        connection_id=world.connections["Acme DE"],
        created_at=now,
    )
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=world.organization.id,
        link_id=link.id,
        person_id=raj.id,
        connection_id=world.connections["Acme DE"],
        authorization_id=world.authorizations["tiktok ana"],
        network="tiktok",
        session_id=session.id,
        redirect_uri="http://127.0.0.1/callback",
        code_verifier=None,
        opened_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    async with world.storage.transaction() as uow:
        await uow.sessions.add(session, secret_hash=b"s" * 32)
        await uow.links.ensure(link)
        opened = await uow.attempts.open(attempt, state_hash=b"a" * 32, browser_hash=b"b" * 32, take_over=False)
        assert opened is None
    at_it = "🔄 Raj Patel is reconnecting it"
    assert f"{at_it}: a word with them first saves a second login." in plain(
        await world.typed("ana", "reconnect", "acme de")
    )
    assert at_it in plain(await world.typed("ana", "reconnect"))
    listed = plain(await world.typed("ada", "lapsed", "acme de"))
    assert "🔄 TikTok · *Acme DE* · Acme · lapsed since <time Mon 23 Nov 06:00> · access removed" in listed


@pytest.mark.behaviour("C-6")
async def test_links_of_a_page_are_made_in_a_fixed_number_of_statements(world: World) -> None:
    few = len(await counted(lambda: world.typed("ana", "reconnect", "mine")))
    await one_login(world, 12)
    assert len(await counted(lambda: world.typed("ana", "reconnect", "mine"))) <= few


@pytest.mark.behaviour("P-5")
async def test_a_forged_page_of_links_is_out_of_date(world: World) -> None:
    for view in (ListView(search="x"), ListView(person_id=world.people["ana"].id)):
        said = plain(await world.pressed("raj", reconnect_list_action(view)))
        assert said.startswith("This button is out of date.")
    brio = reconnect_list_action(ListView(client_id=world.clients["Brio"]))
    assert plain(await world.pressed("sam", brio)).startswith("This button is out of date.")
    pressed = await world.pressed("sam", reconnect_list_action(ListView(mine=True)))
    assert "Brio" not in plain(pressed)


@pytest.mark.behaviour("C-7")
@pytest.mark.parametrize("typed", ["tiktok", "TT", {"network": "TikTok"}])
async def test_connect_gives_a_personal_link_for_a_networks_new_accounts(
    world: World, typed: str | dict[str, str]
) -> None:
    message = await world.typed("ana", "connect", typed)
    assert plain(message).splitlines() == [
        "Connect new *TikTok accounts*",
        "Log in with your Tiktok login; it takes a role on the account.",
        "After the login you choose which of its accounts are connected; those that already are stay as they are.",
        "[Connect TikTok accounts]",
        "The link is yours alone: it opens only for you, signed in.",
    ]
    locator = address(message, "Connect TikTok accounts").removeprefix(LINK)
    link = await world.storage.directory.link(locator)
    assert link is not None
    assert (link.person_id, link.network, link.connection_id) == (world.people["ana"].id, "tiktok", None)
    assert LinkId(from_wire(locator)) != link.id, "the address is not the id"


@pytest.mark.behaviour("C-7")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tictok", "I don't know a network called “tictok”. Did you mean *tiktok*?"),
        ("pigeon post", "I don't know a network called “pigeon post”."),
        ("", "Which network?"),
    ],
)
async def test_a_network_that_is_not_known_is_met_with_the_nearest_what_there_is_and_whom_to_ask(
    world: World, typed: str, said: str
) -> None:
    told = plain(await world.typed("ana", "connect", typed))
    assert told.startswith(said)
    assert "Set up here: LinkedIn and TikTok. For another one, ask support@example.com, weekdays 9 to 17." in told


@pytest.mark.behaviour("C-7")
async def test_where_no_network_is_set_up_connect_says_whom_to_ask(world: World) -> None:
    networks = world.services.networks
    assert isinstance(networks, dict)
    networks.clear()
    message = await world.typed("ana", "connect", "tiktok")
    assert plain(message) == "No network is set up here yet.\nStuck? Ask support@example.com, weekdays 9 to 17."
    assert buttons(message) == {}
